"""A person's correction: what is kept of it, what the item becomes, and every reason why it is refused."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import Entry
from refillhub.practices.models import Provider, Role
from review import aliases, states, teaching, timers, understanding, workflow
from review.models import Dispatch, EntryAlias, FormReceipt, Kind, Queue, ReadingCorrection, RefillRequest
from review.states import RequestState
from review.workflow import Became, Correction
from rules.models import DecisionRecord
from tests.review import rows, taught
from tests.review.rows import NOW
from tests.review.taught import LISINOPRIL, METOPROLOL_S, METOPROLOL_T, OMEPRAZOLE

pytestmark = pytest.mark.django_db
R = RequestState


@pytest.fixture
def practice():
    return rows.clinic()


@pytest.fixture
def two(practice):
    """A list with two metoprolols, and a message that fits both."""
    entries = taught.listed(practice, METOPROLOL_S, METOPROLOL_T)
    return taught.item(practice, "Please refill my metoprolol", entries), entries


def osei(practice):
    return Provider.objects.get(practice=practice, last_name="Osei")


def correct(request, *, user=None, now=NOW, **said):
    request.refresh_from_db()
    version = said.pop("version", request.version)
    found = workflow.correct_reading(
        request_id=request.id, user=user or osei(request.practice).user, version=version, now=now,
        correction=Correction(**said))  # fmt: skip
    request.refresh_from_db()
    return found


def refused(reason, request, **said):
    before = (request.version, request.kind, request.state)
    with pytest.raises(workflow.NotPossible) as caught:
        correct(request, **said)
    assert caught.value.reason == reason
    request.refresh_from_db()
    assert (request.version, request.kind, request.state) == before
    assert not ReadingCorrection.objects.exists()
    assert not EntryAlias.objects.exists()
    assert not Entry.objects.filter(event__in=["reading.corrected", "alias.proposed"]).exists()
    return str(caught.value)


def audited(event):
    return [json.loads(entry.body) for entry in Entry.objects.filter(event=event)]


# --- what it becomes ----------------------------------------------------------------------------------------------


def test_a_message_becomes_a_refill_of_the_chosen_entry_and_stays_with_a_person(practice, two):
    request, (_, right) = two
    found = correct(request, entry=right.external_id, mention=0, intent="refill")
    assert found.became == Became.refill
    assert (request.kind, request.state, request.is_automatic, request.is_locked) == (
        Kind.REFILL, R.IN_REVIEW, False, False)  # fmt: skip
    assert (request.entry_external_id, request.entry_hash, request.rxcui) == (
        right.external_id, right.record_hash, "866924")  # fmt: skip
    assert request.drug_name.startswith("metoprolol tartrate 25")
    assert (request.sig, request.quantity, request.pharmacy_ncpdp) == (right.sig, 90, "9990001")
    assert (request.queue, request.prescriber) == (Queue.PRESCRIBER, osei(practice))
    assert request.reasons[0] == "corrected_by_person"
    assert Dispatch.objects.count() == 0


def test_the_criteria_are_those_of_the_right_drug_on_the_facts_of_this_moment(practice):
    entries = taught.listed(practice, LISINOPRIL, OMEPRAZOLE)
    request = taught.refill(practice, "refill my stomach pill please", entries)
    right = entries[1]
    right.stopped_on = NOW.date()
    right.save()
    correct(request, entry=right.external_id)
    record = DecisionRecord.objects.filter(request_id=request.id).latest("at", "id")
    assert record.drug_class == "ppi_h2"
    assert "stopped" in {one["code"] for one in record.findings}
    assert {"not_plain", "doubts"} <= {one["code"] for one in record.findings}
    assert not {"not_matched", "asked_differs"} & {one["code"] for one in record.findings}
    assert (request.drug_class, request.run_out_on is not None) == ("ppi_h2", True)


def test_what_the_patient_wrote_is_compared_with_the_right_entry(practice):
    entries = taught.listed(practice, METOPROLOL_S, METOPROLOL_T)
    request = taught.item(practice, "Please refill my metoprolol 100 mg", entries)
    correct(request, entry=entries[1].external_id, mention=0)
    record = DecisionRecord.objects.filter(request_id=request.id).latest("at", "id")
    assert [one["value"] for one in record.findings if one["code"] == "asked_differs"] == ["strength"]


def test_no_correction_leads_to_an_automatic_approval_even_where_every_criterion_is_met(practice):
    entries = taught.listed(practice, OMEPRAZOLE, LISINOPRIL)
    request = taught.refill(practice, "refill my lisinopril", entries, entry=1)
    correct(request, entry=entries[0].external_id, words="lisinopril")
    kept = understanding.open_kept(sealed=request.reading_sealed, practice=practice)
    assert understanding.summary_of(kept).is_plain is False
    assert "corrected_by_person" in understanding.summary_of(kept).doubts
    for minute in range(3):
        timers.release_held(now=NOW + timedelta(minutes=minute))
        timers.sweep_minute(now=NOW + timedelta(minutes=minute))
    request.refresh_from_db()
    assert (request.state, request.outcome, Dispatch.objects.count()) == (R.IN_REVIEW, "review", 0)


def test_a_prescriber_approves_the_corrected_drug_and_that_is_what_is_sent(practice, two):
    request, (_, right) = two
    correct(request, entry=right.external_id)
    provider = osei(practice)
    workflow.approve(request_id=request.id, user=provider.user, provider=provider, version=request.version, now=NOW)
    assert Dispatch.objects.get(request=request, kind="newrx").schedule == "not_controlled"
    request.refresh_from_db()
    assert (request.state, request.rxcui, request.is_automatic) == (R.APPROVED, "866924", False)


def test_a_controlled_entry_stays_controlled_after_a_correction(practice):
    entries = taught.listed(practice, LISINOPRIL, {"name": "Zolpidem tartrate 5 mg oral tablet", "rxcui": "854876"})
    request = taught.refill(practice, "refill my lisinopril", entries)
    correct(request, entry=entries[1].external_id)
    assert request.schedule == "iv"
    provider = osei(practice)
    workflow.approve(request_id=request.id, user=provider.user, provider=provider, version=request.version, now=NOW)
    assert not Dispatch.objects.filter(kind="newrx").exists()


@pytest.mark.parametrize(
    ("text", "reason"), [("my chest hurts, refill my metoprolol", "emergency"),
                         ("refill metoprolol it gives me a rash", "symptom"),
                         ("refill metoprolol, I am pregnant", "pregnancy")])  # fmt: skip
def test_what_speaks_of_danger_stays_a_message_of_that_urgency(practice, text, reason):
    entries = taught.listed(practice, METOPROLOL_S, METOPROLOL_T)
    request = taught.item(practice, text, entries)
    Dispatch.objects.all().delete()
    before = (request.kind, request.is_urgent, request.queue, request.assignee_id)
    found = correct(request, entry=entries[0].external_id, intent="refill")
    assert found.became == Became.stays_urgent
    assert (request.kind, request.is_urgent, request.queue, request.assignee_id) == before
    assert request.is_urgent
    assert request.entry_external_id == ""
    assert set(request.reasons) >= {reason, "corrected_by_person"}
    assert request.reasons[0] != "corrected_by_person"


def test_a_message_that_could_not_be_read_keeps_its_urgency_as_a_refill(practice, two):
    request, (right, _) = two
    RefillRequest.objects.filter(pk=request.pk).update(is_urgent=True, reasons=["could_not_be_read"])
    correct(request, entry=right.external_id)
    assert (request.kind, request.is_urgent, "could_not_be_read" in request.reasons) == (Kind.REFILL, True, True)


def test_none_of_the_list_makes_a_refill_a_message_that_nobody_can_approve(practice):
    entries = taught.listed(practice, LISINOPRIL)
    request = taught.refill(practice, "refill my lisinopril", entries)
    found = correct(request, entry="none")
    assert found.became == Became.message
    assert (request.kind, request.entry_external_id, request.drug_name, request.rxcui, request.quantity) == (
        Kind.MESSAGE, "", "", "", None)  # fmt: skip
    with pytest.raises(workflow.NotPossible):
        workflow.approve(request_id=request.id, user=osei(practice).user, provider=osei(practice),
                         version=request.version, now=NOW)  # fmt: skip
    assert (found.correction.is_none_right, found.correction.drug_right) == (True, "")


def test_another_meaning_alone_changes_no_drug_and_is_asked_about_before_approving(practice):
    entries = taught.listed(practice, LISINOPRIL)
    request = taught.refill(practice, "refill my lisinopril", entries)
    found = correct(request, intent="lost_or_early")
    assert found.became == Became.kept
    assert (request.kind, request.entry_external_id) == (Kind.REFILL, entries[0].external_id)
    assert request.reasons[0] == "corrected_by_person"


def test_an_entry_under_a_meaning_that_is_no_refill_is_only_kept(practice, two):
    request, (right, _) = two
    found = correct(request, intent="lab", entry=right.external_id)
    assert (found.became, request.kind, request.entry_external_id) == (Became.kept, Kind.MESSAGE, "")
    assert "metoprolol succinate 50" in found.correction.drug_right


def test_an_assistant_corrects_and_the_item_goes_to_the_prescriber_of_the_entry(practice, two):
    request, (right, _) = two
    assert request.queue == Queue.ASSISTANT
    correct(request, user=rows.make_user(practice, Role.assistant, "Mia"), entry=right.external_id)
    assert (request.queue, request.assignee) == (Queue.PRESCRIBER, osei(practice))


def test_a_prescriber_who_corrects_keeps_the_item(practice):
    entries = taught.listed(practice, LISINOPRIL, OMEPRAZOLE)
    lind = rows.make_provider(practice, "Lind", doctor_id="302119")
    request = taught.refill(practice, "refill my lisinopril", entries, assignee=lind, queue=Queue.PRESCRIBER)
    correct(request, user=lind.user, entry=entries[1].external_id)
    assert (request.assignee, request.prescriber) == (lind, osei(practice))


def test_in_shadow_a_correction_leaves_it_in_shadow(practice, two):
    request, (right, _) = two
    RefillRequest.objects.filter(pk=request.pk).update(is_shadow=True)
    correct(request, entry=right.external_id)
    assert (request.is_shadow, request.state) == (True, R.IN_REVIEW)


# --- what is kept -------------------------------------------------------------------------------------------------


def test_kept_are_codes_the_drugs_words_and_names_and_nothing_of_the_patient(practice, two):
    request, (_, right) = two
    text = "Could I have more of the metoprolol I take"
    found = correct(request, entry=right.external_id, mention=0, rewritten=text).correction
    assert (found.intent_read, found.intent_right) == ("refill", "refill")
    assert (found.message, found.start, found.end, found.drug_words) == (0, 17, 27, "metoprolol")
    assert (found.drug_read, found.is_read_listed, found.rxcui_read) == ("metoprolol", False, "")
    assert (found.drug_right, found.rxcui_right, found.is_right_listed) == (request.drug_name, "866924", True)
    assert (found.vocabulary_release, found.person, found.at) == ("2025-10-06", osei(practice).user, NOW)
    assert text.encode() not in bytes(found.rewritten_sealed)
    assert teaching.rewritten_of(correction=found, practice=practice) == text
    for name in ("drug_words", "drug_read", "drug_right"):
        assert right.external_id not in getattr(found, name)


def test_words_a_person_marks_are_found_in_the_message_whatever_their_case(practice):
    entries = taught.listed(practice, METOPROLOL_S)
    request = taught.item(practice, "Please refill the Heart  helper thing", entries)
    found = correct(request, entry=entries[0].external_id, words="heart helper").correction
    assert (found.start, found.end, found.drug_words) == (18, 31, "heart helper")
    assert found.drug_read == ""


def test_the_audit_tells_codes_and_ids_and_no_words_nor_drug(practice, two):
    request, (_, right) = two
    made = correct(request, entry=right.external_id, mention=0, rewritten="More of that metoprolol then").correction
    (entry,) = audited("reading.corrected")
    assert entry["data"] == {
        "correction": str(made.id), "intent_read": "refill", "intent_right": "refill", "drug": "entry",
        "became": "refill", "is_rewritten": True}  # fmt: skip
    assert entry["clinician"] == str(osei(practice).user.id)
    for body in Entry.objects.exclude(event="request.decided").values_list("body", flat=True):
        assert "metoprolol" not in body.lower()


def test_an_old_reading_without_mentions_is_corrected_too(practice):
    entries = taught.listed(practice, LISINOPRIL, OMEPRAZOLE)
    request = taught.refill(practice, "refill my lisinopril", entries)
    kept = understanding.open_kept(sealed=request.reading_sealed, practice=practice)
    for name in ("mentions", "release"):
        del kept[name]
    RefillRequest.objects.filter(pk=request.pk).update(reading_sealed=understanding.seal(kept=kept, practice=practice))
    found = correct(request, entry=entries[1].external_id).correction
    assert found.drug_read.startswith("lisinopril 10")
    assert (found.is_read_listed, found.rxcui_read, found.drug_words) == (True, "314076", "")
    assert request.drug_class == "ppi_h2"


def test_the_database_itself_refuses_other_characters_in_the_drugs_words(practice, two):
    request, _ = two
    for words in ("a@b.de", "03/04/1968", "(615) 221", "a.b", "x,y", "tab\there"):
        with pytest.raises(IntegrityError), transaction.atomic():
            ReadingCorrection.objects.create(
                practice=practice, request=request, person=osei(practice).user, at=NOW, drug_words=words)  # fmt: skip
    ReadingCorrection.objects.create(
        practice=practice, request=request, person=osei(practice).user, at=NOW, drug_words="metformina é co-trimox 10")


def test_a_rewritten_text_is_emptied_after_its_time_and_the_correction_stays(practice, two):
    request, (_, right) = two
    correct(request, entry=right.external_id, rewritten="More of that metoprolol then")
    timers.purge(now=NOW + timedelta(days=364))
    assert ReadingCorrection.objects.get().rewritten_sealed
    timers.purge(now=NOW + timedelta(days=366))
    assert ReadingCorrection.objects.get().rewritten_sealed is None


# --- refused ------------------------------------------------------------------------------------------------------


def test_a_locked_request_is_refused(practice, two):
    request, (right, _) = two
    RefillRequest.objects.filter(pk=request.pk).update(is_locked=True)
    with pytest.raises(workflow.Locked):
        correct(request, entry=right.external_id)
    assert not ReadingCorrection.objects.exists()


@pytest.mark.parametrize("state", [state for state in RequestState if state != R.IN_REVIEW])
def test_only_what_is_in_review_is_corrected(practice, two, state):
    request, (right, _) = two
    RefillRequest.objects.filter(pk=request.pk).update(state=state)
    with pytest.raises(states.WrongState):
        correct(request, entry=right.external_id)
    assert not ReadingCorrection.objects.exists()


@pytest.mark.parametrize(
    ("kind", "purpose", "state"),
    [("newrx", "", "queued"), ("newrx", "", "unknown"), ("newrx", "", "accepted"), ("newrx", "", "delivered"),
     ("newrx", "", "unresolved"), ("cancelrx", "", "delivered"), ("reply", "answer", "sending"),
     ("task", "controlled", "delivered"), ("task", "hand_off", "accepted"), ("page", "", "queued")])  # fmt: skip
def test_anything_on_its_way_forbids_another_drug(practice, kind, purpose, state):
    entries = taught.listed(practice, LISINOPRIL, OMEPRAZOLE)
    request = taught.refill(practice, "refill my lisinopril", entries)
    Dispatch.objects.create(
        practice=practice, request=request, kind=kind, purpose=purpose, state=state, is_shadow=False, lane="routine",
        schedule="not_controlled", document_sealed=b"x", document_sha256="0" * 64, idempotency_key="k", due_at=NOW,
        queued_at=NOW)  # fmt: skip
    refused("on_its_way", request, entry=entries[1].external_id)
    refused("on_its_way", request, entry="none")
    assert correct(request, intent="lab").became == Became.kept


def test_what_surely_did_not_arrive_forbids_nothing(practice):
    entries = taught.listed(practice, LISINOPRIL, OMEPRAZOLE)
    request = taught.refill(practice, "refill my lisinopril", entries, last_code="900")
    for key, state in (("a", "rejected"), ("b", "taken_back")):
        Dispatch.objects.create(
            practice=practice, request=request, kind="newrx", state=state, is_shadow=False, lane="routine",
            schedule="not_controlled", document_sealed=b"x", document_sha256="0" * 64, idempotency_key=key, due_at=NOW,
            queued_at=NOW)  # fmt: skip
    assert correct(request, entry=entries[1].external_id).became == Became.refill


def test_another_patients_entry_is_refused(practice, two):
    request, _ = two
    (other,) = taught.listed(practice, LISINOPRIL)
    refused("entry_not_theirs", request, entry=other.external_id)
    refused("entry_not_theirs", request, entry="999")


@pytest.mark.parametrize("gone", [{"is_active": False}, {"gone_at": NOW}])
def test_an_entry_that_is_not_active_is_refused(practice, two, gone):
    request, (right, _) = two
    type(right).objects.filter(pk=right.pk).update(**gone)
    refused("entry_not_active", request, entry=right.external_id)


def test_an_entry_of_the_other_practice_is_refused(practice, two):
    request, _ = two
    other = rows.clinic(name="Elsewhere")
    (foreign,) = taught.listed(other, LISINOPRIL, patient=request.patient_external_id)
    refused("entry_not_theirs", request, entry=foreign.external_id)


def test_a_stranger_of_the_other_practice_is_refused(practice, two):
    request, (right, _) = two
    mallory = rows.make_provider(rows.make_practice(name="Elsewhere"), "Mallory")
    refused("not_yours", request, user=mallory.user, entry=right.external_id)


@pytest.mark.parametrize(
    "values", [{"patient_external_id": ""}, {"reasons": ["identity_differs"]}, {"snapshot_sealed": None}])  # fmt: skip
def test_without_a_chart_read_for_this_sender_no_entry_is_chosen_and_a_meaning_is_kept(practice, two, values):
    request, (right, _) = two
    RefillRequest.objects.filter(pk=request.pk).update(**values)
    reason = "entry_not_theirs" if "patient_external_id" in values else "chart_not_read"
    refused(reason, request, entry=right.external_id)
    assert correct(request, intent="lab", entry="none").became == Became.kept
    assert (request.kind, ReadingCorrection.objects.count()) == (Kind.MESSAGE, 1)


def test_what_klara_says_of_a_sender_is_no_chart(practice):
    entries = taught.listed(practice, METOPROLOL_S)
    request = taught.item(practice, "refill the heart helper", entries, who={"source": "klara"})
    refused("chart_not_read", request, entry=entries[0].external_id)


@pytest.mark.parametrize("said", [{}, {"intent": "refill"}, {"mention": 0}, {"rewritten": "More of that please today"}])
def test_nothing_corrected_is_refused(practice, two, said):
    refused("nothing_corrected", two[0], **said)


def test_a_meaning_that_is_none_is_refused(practice, two):
    refused("unknown_intent", two[0], intent="whatever")


@pytest.mark.parametrize(
    "words", ["lisinopril", "my metoprolol now", "metopro", "a@b", "metoprolol!", "x " * 40, "Please refill my "
              "metoprolol and more words"])  # fmt: skip
def test_words_that_do_not_stand_in_the_message_so_are_refused(practice, two, words):
    refused("words_not_marked", two[0], intent="lab", words=words)
    refused("words_not_marked", two[0], intent="lab", mention=7)


def test_a_name_or_number_is_not_marked_as_a_drug(practice):
    entries = taught.listed(practice, METOPROLOL_S)
    request = taught.item(practice, "Reyes here, please refill 6152210147 heart helper", entries)
    refused("words_personal", request, intent="lab", words="Reyes")
    refused("words_personal", request, intent="lab", words="6152210147 heart")


@pytest.mark.parametrize(
    "text",
    ["Please refill my metoprolol", "please  REFILL my metoprolol!", "Ana needs metoprolol", "for Mrs REYES",
     "born 03/04/1968", "born March 4", "4 de marzo", "I am from 1968", "call 615-221-0147", "call (615) 221 0147",
     "member 12345", "ana@example.org", "born 1968-03-04", "call 6 1 5 2 2 1 0", "x" * 1001],
)  # fmt: skip
def test_a_rewritten_text_with_anything_personal_is_refused(practice, two, text):
    refused("rewritten_personal", two[0], intent="lab", rewritten=text)


def test_without_the_patients_name_known_no_rewritten_text_is_kept(practice, two):
    request, _ = two
    RefillRequest.objects.filter(pk=request.pk).update(snapshot_sealed=None)
    refused("rewritten_personal", request, intent="lab", rewritten="More of that please today")


def test_an_old_page_is_refused_and_told_who_was_first(practice, two):
    request, (left, right) = two
    old = request.version
    correct(request, entry=left.external_id)
    with pytest.raises(workflow.AlreadyDecided):
        correct(request, version=old, entry=right.external_id)
    assert request.entry_external_id == left.external_id
    assert ReadingCorrection.objects.count() == 1


# --- the alias ----------------------------------------------------------------------------------------------------


def test_words_are_proposed_as_the_patients_own_name_in_the_same_step(practice):
    entries = taught.listed(practice, METOPROLOL_S)
    request = taught.item(practice, "Please refill the Heart helper", entries)
    correct(request, entry=entries[0].external_id, words="Heart helper", is_alias=True)
    alias = EntryAlias.objects.get()
    assert (alias.entry_external_id, alias.confirmed_at, alias.proposed_by) == (
        entries[0].external_id, None, osei(practice).user)  # fmt: skip
    assert aliases.text_of(alias=alias, practice=practice) == "heart helper"
    assert b"heart" not in bytes(alias.name_sealed)
    (entry,) = audited("alias.proposed")
    assert entry["data"] == {"alias": str(alias.id)}


def test_a_name_needs_an_entry_and_words(practice, two):
    request, (right, _) = two
    refused("alias_needs_entry", request, intent="lab", is_alias=True)
    refused("alias_needs_entry", request, entry="none", is_alias=True)
    refused("alias_needs_entry", request, entry=right.external_id, is_alias=True)


def test_a_name_that_cannot_be_one_refuses_the_whole_correction(practice, two):
    request, (right, _) = two
    words = refused("alias_unfit", request, entry=right.external_id, mention=0, is_alias=True)
    assert "name of a drug" in words


# --- two at once --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_correction():
    practice = rows.clinic()
    entries = taught.listed(practice, METOPROLOL_S, METOPROLOL_T)
    request = taught.item(practice, "Please refill my metoprolol", entries)
    gate, user = threading.Barrier(4), osei(practice).user

    def click(entry):
        gate.wait()
        try:
            return workflow.correct_reading(
                request_id=request.id, user=user, version=request.version, now=NOW,
                correction=Correction(entry=entry.external_id))  # fmt: skip
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        found = list(pool.map(click, [*entries, *entries]))
    assert sum(isinstance(one, workflow.AlreadyDecided) for one in found) == 3, found
    assert ReadingCorrection.objects.count() == 1
    assert len(audited("reading.corrected")) == 1
    assert FormReceipt.objects.count() == 0
    request.refresh_from_db()
    assert request.entry_external_id in {row.external_id for row in entries}
