"""A person's correction: what is kept of it, and what the item becomes."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import Entry
from refillhub.practices.models import Role
from review import aliases, teaching, timers, understanding, workflow
from review.models import Dispatch, EntryAlias, FormReceipt, Kind, Queue, ReadingCorrection, RefillRequest
from review.states import RequestState
from review.workflow import Became, Correction
from rules.models import DecisionRecord
from tests.review import rows, taught
from tests.review.rows import NOW
from tests.review.taught import LISINOPRIL, METOPROLOL_S, METOPROLOL_T, OMEPRAZOLE, correct, osei, refused

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
        practice=practice, request=request, person=osei(practice).user, at=NOW, drug_words="metformina é co-trimox 10"
    )


def test_a_rewritten_text_is_emptied_after_its_time_and_the_correction_stays(practice, two):
    request, (_, right) = two
    correct(request, entry=right.external_id, rewritten="More of that metoprolol then")
    timers.purge(now=NOW + timedelta(days=364))
    assert ReadingCorrection.objects.get().rewritten_sealed
    timers.purge(now=NOW + timedelta(days=366))
    assert ReadingCorrection.objects.get().rewritten_sealed is None


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


# --- names of drugs -----------------------------------------------------------------------------------------------


def test_free_text_of_a_list_entry_is_kept_only_by_the_vocabularys_name_or_where_nothing_in_it_is_personal(practice):
    odd = {"name": "Metoprolol tartrate 25 mg oral tablet (Reyes, 615-221-0147)", "rxcui": "866924"}
    entries = taught.listed(practice, odd, {"name": "Cream of Dr Foo for Reyes", "rxcui": ""},
                            {"name": "Zorbo cream", "rxcui": ""})  # fmt: skip
    kept = []
    for entry in entries:
        request = taught.item(practice, "Please refill the heart helper", entries)
        kept.append(correct(request, entry=entry.external_id, words="heart helper").correction.drug_right)
    assert kept == ["metoprolol tartrate 25 MG Oral Tablet", "", "Zorbo cream"]
