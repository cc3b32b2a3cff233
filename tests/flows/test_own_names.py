"""The story of a patient's own name for a drug, from Klara's webhook on: unconfirmed, confirmed, dead."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review import intake, workflow
from review.models import EntryAlias, Kind, ReadingCorrection
from review.states import RequestState
from review.workflow import Correction

R = RequestState
ASK = "Hi, please refill my purple helper, thank you"


def is_a_persons(clinic, kind=None):
    """The newest item waits for a person and nothing went to a pharmacy."""
    request = clinic.house.requests()[-1]
    assert request.state == R.IN_REVIEW, request.reasons
    assert clinic.at_pharmacy() == []
    assert clinic.count_is_right()
    if kind is not None:
        assert request.kind == kind
    return request


def ends(clinic, request):
    """A person is done with it, so that the next message stands alone."""
    workflow.cancel(request_id=request.id, user=clinic.house.osei.user, version=request.version, now=clinic.now,
                    reason="done_elsewhere")  # fmt: skip
    clinic.clock.advance(seconds=25 * 3600)  # a day and more: an earlier answer bars nothing
    clinic.arrives_at(clinic.now)


def taught(clinic, ana):
    """The first message, corrected by the assistant with the name proposed. Returns the alias."""
    clinic.say(ASK, ana)
    clinic.work()
    request = is_a_persons(clinic, Kind.MESSAGE)
    assert "unread_words" in request.reasons
    entry = str(clinic.chart_line()["id"])
    workflow.correct_reading(
        request_id=request.id, user=clinic.house.mia, version=request.version, now=clinic.now,
        correction=Correction(entry=entry, intent="refill", words="purple helper", is_alias=True))  # fmt: skip
    request.refresh_from_db()
    assert (request.kind, request.state, request.entry_external_id) == (Kind.REFILL, R.IN_REVIEW, entry)
    clinic.passes(minutes=10, steps=5)
    assert clinic.at_pharmacy() == []
    assert clinic.told(ana) == []
    ends(clinic, clinic.house.requests()[-1])
    return EntryAlias.objects.get()


def confirmed(clinic, alias):
    workflow.confirm_alias(
        request_id=alias.request_id, alias_id=alias.id, user=clinic.house.osei.user, now=clinic.now)  # fmt: skip


def test_a_name_is_learnt_step_by_step_and_forgotten_with_its_entry(clinic):
    ana = clinic.patient()
    alias = taught(clinic, ana)

    # 1. proposed: it tells the drug, and a person decides
    clinic.say(ASK, ana)
    clinic.work()
    request = is_a_persons(clinic, Kind.REFILL)
    assert "doubts" in request.reasons
    assert request.drug_name.startswith("omeprazole")
    clinic.passes(minutes=10, steps=5)
    assert clinic.at_pharmacy() == []
    ends(clinic, clinic.house.requests()[-1])

    # 2. confirmed by the prescriber: the next message is read as that entry, all by itself
    confirmed(clinic, alias)
    clinic.say(ASK, ana)
    clinic.work()
    clinic.passes(minutes=1)
    assert clinic.house.requests()[-1].state == R.DONE
    (sent,) = clinic.at_pharmacy()
    assert "omeprazole" in str(sent).lower()

    # 3. the entry is now another strength: the name is dead, and nothing more leaves
    clinic.clock.advance(seconds=82 * 86_400)
    clinic.arrives_at(clinic.now)
    line = clinic.chart_line()
    clinic.call(clinic.chart, "chart", {
        "practice": clinic.house.key, "resource": "medications",
        "record": {**line, "name": "omeprazole 40 mg delayed release oral capsule", "rxnorm": "200329"}})  # fmt: skip
    clinic.say(ASK, ana)
    clinic.work()
    request = clinic.house.requests()[-1]
    assert (request.kind, request.state) == (Kind.MESSAGE, R.IN_REVIEW)
    clinic.passes(minutes=15, steps=5)
    alias.refresh_from_db()
    assert alias.end_reason == "entry_changed"
    assert len(clinic.at_pharmacy()) == 1
    assert clinic.house.is_whole()


def test_a_confirmed_name_hides_no_symptom_and_no_danger(clinic):
    ana = clinic.patient()
    alias = taught(clinic, ana)
    confirmed(clinic, alias)
    for text in ("refill my purple helper, it gives me a rash", "refill my purple helper. My chest hurts so much"):
        clinic.say(text, ana)
        clinic.work()
        assert is_a_persons(clinic, Kind.MESSAGE).is_urgent


def test_a_name_that_would_cover_a_symptom_gives_way_to_the_reading_without_it(clinic):
    """Such a name is refused when proposed; one that came in before, or another way, must not hide it either."""
    ana = clinic.patient()
    alias = taught(clinic, ana)
    confirmed(clinic, alias)
    sealed = intake.aliases.seal(text="rash cream", practice=clinic.house.practice)
    EntryAlias.objects.filter(pk=alias.pk).update(name_sealed=sealed)
    clinic.say("please refill my rash cream", ana)
    clinic.work()
    request = is_a_persons(clinic, Kind.MESSAGE)
    assert request.is_urgent


def test_another_strength_beside_a_confirmed_name_is_a_persons(clinic):
    ana = clinic.patient()
    confirmed(clinic, taught(clinic, ana))
    clinic.say("please refill my purple helper 40 mg", ana)
    clinic.work()
    assert "asked_differs" in is_a_persons(clinic, Kind.REFILL).reasons


def test_an_ended_name_counts_no_longer(clinic):
    ana = clinic.patient()
    alias = taught(clinic, ana)
    confirmed(clinic, alias)
    workflow.end_alias(request_id=alias.request_id, alias_id=alias.id, user=clinic.house.mia, now=clinic.now)
    clinic.say(ASK, ana)
    clinic.work()
    is_a_persons(clinic, Kind.MESSAGE)


def test_a_name_of_one_patient_means_nothing_from_another(clinic):
    confirmed(clinic, taught(clinic, clinic.patient()))
    clinic.say(ASK, clinic.patient("Bea", "Holt"))
    clinic.work()
    is_a_persons(clinic, Kind.MESSAGE)


def test_a_merge_of_the_sender_ends_the_name(clinic):
    ana = clinic.patient()
    alias = taught(clinic, ana)
    confirmed(clinic, alias)
    twin = clinic.patient("Ana", "Reyes", klara={"external_ids": clinic.links(ana)})
    clinic.wish("merge", **{"from": ana, "into": twin})
    clinic.work()
    alias.refresh_from_db()
    assert alias.end_reason == "patients_merged"
    clinic.say(ASK, twin)
    clinic.work()
    is_a_persons(clinic, Kind.MESSAGE)


@pytest.mark.parametrize("has_name", [False, True])
def test_a_burst_costs_one_query_more_at_most(clinic, has_name):
    ana = clinic.patient()
    if has_name:
        taught(clinic, ana)
    clinic.say(ASK, ana)
    with CaptureQueriesContext(connection) as asked:
        clinic.work()
    assert len([one for one in asked.captured_queries if "review_entryalias" in one["sql"]]) == 1


def test_an_emergency_asks_for_no_names_at_all(clinic):
    clinic.say("I have crushing chest pain", clinic.patient())
    with CaptureQueriesContext(connection) as asked:
        clinic.work()
    assert not [one for one in asked.captured_queries if "review_entryalias" in one["sql"]]


def test_a_message_whose_chart_was_not_read_keeps_the_correction_and_its_kind(clinic):
    clinic.say(ASK, clinic.patient(klara={"external_ids": [], "phone": "+16152219999"}))
    clinic.work()
    request = is_a_persons(clinic, Kind.MESSAGE)
    workflow.correct_reading(
        request_id=request.id, user=clinic.house.mia, version=request.version, now=clinic.now,
        correction=Correction(intent="lab", words="purple helper"))  # fmt: skip
    assert is_a_persons(clinic, Kind.MESSAGE).reasons[0] == "corrected_by_person"
    assert ReadingCorrection.objects.get().drug_words == "purple helper"
