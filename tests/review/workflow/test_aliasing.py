"""Patients' own names: proposed, confirmed, ended; each refusal alone, and that none outlives its entry or a merge."""

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import Entry
from integrations.models import MirrorMedication
from refillhub.practices.models import Provider, Role
from review import aliases, timers, workflow
from review.models import AliasEnd, EntryAlias, RefillRequest
from review.workflow import Correction
from tests.review import rows, taught
from tests.review.rows import NOW
from tests.review.taught import LISINOPRIL, METOPROLOL_S

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.clinic()


def user_of(practice):
    return Provider.objects.get(practice=practice, last_name="Osei").user


def propose(practice, words="heart helper", *, entry=0, entries=None, text=None):
    """A name proposed on the card of a message that holds it."""
    entries = entries or taught.listed(practice, METOPROLOL_S, LISINOPRIL)
    request = taught.item(practice, text or f"Please refill the {words}", entries)
    workflow.correct_reading(
        request_id=request.id, user=user_of(practice), version=request.version, now=NOW,
        correction=Correction(entry=entries[entry].external_id, words=words, is_alias=True))  # fmt: skip
    alias = EntryAlias.objects.latest("proposed_at", "id")
    return request, alias, entries


def confirm(request, alias, *, user=None, now=NOW):
    workflow.confirm_alias(request_id=request.id, alias_id=alias.id, user=user or user_of(request.practice), now=now)
    alias.refresh_from_db()


def refused(reason, work):
    with pytest.raises(workflow.NotPossible) as caught:
        work()
    assert caught.value.reason == reason
    return str(caught.value)


def names(practice, entries):
    patient = entries[0].patient.external_id
    fresh = list(MirrorMedication.objects.filter(patient=entries[0].patient).order_by("id"))
    return aliases.of_patient(practice=practice, patient_id=patient, medications=fresh)


def audited(event):
    return [json.loads(entry.body) for entry in Entry.objects.filter(event=event)]


# --- which texts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["ab", "x" * 61, "heart", "pill", "my pill", "my morning pill", "nexium", "Metoprolol", "metroprolol",
             "lisinopril one", "the purple one 40 mg", "20", "rash cream", "chest pain pill", "one for my husband",
             "not the white one", "lost bottle", "🙂🙂🙂"])  # fmt: skip
def test_a_text_that_cannot_be_a_name_says_why(text):
    assert aliases.refusal(text=text)


@pytest.mark.parametrize("text", ["heart pill", "my heart pill", "purple one", "Mi pastilla blanca", "BP one", "abc"])
def test_a_text_that_may_be_a_name(text):
    assert aliases.refusal(text=text) == ""


def test_a_name_stands_once_per_patient_in_any_way_of_writing_it(practice):
    _, first, entries = propose(practice, "heart helper")
    assert "this entry already" in refused("alias_taken", lambda: propose(practice, "HEART  Helper", entries=entries))
    other = lambda: propose(practice, "Heart helper", entry=1, entries=entries)  # noqa: E731
    assert "another entry" in refused("alias_taken", other)
    propose(practice, "heart helper")  # another patient's
    workflow.end_alias(request_id=first.request_id, alias_id=first.id, user=user_of(practice), now=NOW)
    propose(practice, "heart helper", entry=1, entries=entries)
    assert EntryAlias.objects.standing().count() == 2


def test_the_database_itself_keeps_one_standing_name(practice):
    _, alias, _ = propose(practice)
    alias.pk = uuid.uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        EntryAlias.objects.bulk_create([alias])


# --- confirming and ending ----------------------------------------------------------------------------------------


def test_a_name_is_proposed_until_a_prescriber_confirms_it(practice):
    request, alias, entries = propose(practice)
    assert names(practice, entries)[entries[0].external_id] == aliases.Names((), ("heart helper",))
    confirm(request, alias)
    assert names(practice, entries)[entries[0].external_id] == aliases.Names(("heart helper",), ())
    assert (alias.confirmed_by, alias.confirmed_at) == (user_of(practice), NOW)
    (entry,) = audited("alias.confirmed")
    assert (entry["data"], entry["clinician"]) == ({"alias": str(alias.id)}, str(user_of(practice).id))


def test_no_audit_entry_holds_the_name(practice):
    request, alias, _ = propose(practice)
    confirm(request, alias)
    workflow.end_alias(request_id=request.id, alias_id=alias.id, user=user_of(practice), now=NOW)
    assert {"alias.proposed", "alias.confirmed", "alias.ended"} <= set(Entry.objects.values_list("event", flat=True))
    for body in Entry.objects.values_list("body", flat=True):
        assert "helper" not in body.lower()


def test_confirming_twice_is_refused(practice):
    request, alias, _ = propose(practice)
    confirm(request, alias)
    refused("alias_confirmed", lambda: confirm(request, alias))


def test_an_ended_name_is_neither_confirmed_nor_ended_again(practice):
    request, alias, entries = propose(practice)
    confirm(request, alias)
    mia = rows.make_user(practice, Role.assistant, "Mia")
    workflow.end_alias(request_id=request.id, alias_id=alias.id, user=mia, now=NOW)
    alias.refresh_from_db()
    assert (alias.end_reason, alias.ended_by) == (AliasEnd.BY_PERSON, mia)
    assert names(practice, entries) == {}
    refused("alias_ended", lambda: confirm(request, alias))
    refused("alias_ended", lambda: workflow.end_alias(
        request_id=request.id, alias_id=alias.id, user=mia, now=NOW))  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"name": "Metoprolol Succinate ER 100 mg"}, {"rxcui": "866412"}, {"ndc": "00093732301"},
               {"is_active": False}, {"gone_at": NOW}])  # fmt: skip
def test_a_name_of_an_entry_that_changed_is_not_confirmed_and_counts_for_nothing(practice, change):
    request, alias, entries = propose(practice)
    MirrorMedication.objects.filter(pk=entries[0].pk).update(**change)
    refused("entry_changed", lambda: confirm(request, alias))
    assert names(practice, entries) == {}


def test_a_name_goes_not_over_to_another_patient_who_has_the_entry_now(practice):
    request, alias, entries = propose(practice)
    (stranger,) = taught.listed(practice, LISINOPRIL)
    MirrorMedication.objects.filter(pk=entries[0].pk).update(patient=stranger.patient)
    refused("entry_changed", lambda: confirm(request, alias))
    assert timers.end_dead_aliases(now=NOW) == 1


def test_a_renewed_entry_keeps_its_names(practice):
    request, alias, entries = propose(practice)
    confirm(request, alias)
    MirrorMedication.objects.filter(pk=entries[0].pk).update(
        record_hash="new", prescribed_on=NOW.date(), order_status="Printed", changed_at=NOW + timedelta(hours=1)
    )
    assert timers.end_dead_aliases(now=NOW + timedelta(hours=2)) == 0
    assert names(practice, entries)[entries[0].external_id].confirmed == ("heart helper",)


def test_a_stranger_and_another_patients_card_find_no_name(practice):
    request, alias, _ = propose(practice)
    mallory = rows.make_provider(rows.make_practice(name="Elsewhere"), "Mallory")
    refused("not_yours", lambda: confirm(request, alias, user=mallory.user))
    other = taught.item(practice, "hello there you", taught.listed(practice, LISINOPRIL))
    refused("alias_ended", lambda: confirm(other, alias))
    alias.refresh_from_db()
    assert alias.confirmed_at is None


def test_a_name_that_a_newer_vocabulary_knows_as_a_drug_is_not_confirmed(practice, monkeypatch):
    request, alias, _ = propose(practice)
    monkeypatch.setattr(aliases, "refusal", lambda *, text: "It is a drug now." if text == "heart helper" else "")
    refused("alias_unfit", lambda: confirm(request, alias))


# --- the clock and merges -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [({"is_active": False}, "entry_inactive"), ({"gone_at": NOW}, "entry_gone"), ({"name": "Other"}, "entry_changed"),
     ({"rxcui": "1"}, "entry_changed"), ({"ndc": "1"}, "entry_changed")])  # fmt: skip
def test_the_sweep_ends_what_no_longer_applies_with_its_reason(practice, change, why):
    _, alias, entries = propose(practice)
    MirrorMedication.objects.filter(pk=entries[0].pk).update(changed_at=NOW + timedelta(minutes=1), **change)
    timers.sweep_minute(now=NOW + timedelta(minutes=2))
    alias.refresh_from_db()
    assert (alias.end_reason, alias.ended_by, alias.ended_at) == (why, None, NOW + timedelta(minutes=2))
    (entry,) = audited("alias.ended")
    assert (entry["outcome"], Entry.objects.get(event="alias.ended").actor_kind) == (why, "system")
    assert timers.end_dead_aliases(now=NOW + timedelta(minutes=3)) == 0


def test_a_deleted_entry_ends_its_names(practice):
    _, alias, entries = propose(practice)
    MirrorMedication.objects.filter(pk=entries[0].pk).delete()
    assert timers.end_dead_aliases(now=NOW) == 1
    alias.refresh_from_db()
    assert alias.end_reason == AliasEnd.ENTRY_GONE


def test_entries_that_changed_otherwise_keep_no_dead_name_waiting(practice):
    for _ in range(3):
        _, _, entries = propose(practice)
        MirrorMedication.objects.filter(pk=entries[0].pk).update(changed_at=NOW + timedelta(hours=1))
    _, _, last = propose(practice)
    MirrorMedication.objects.filter(pk=last[0].pk).update(is_active=False)
    ended = [timers.end_dead_aliases(now=NOW + timedelta(hours=2, minutes=turn), limit=2) for turn in range(3)]
    assert sum(ended) == 1


@pytest.mark.parametrize("old", [True, False])
def test_a_merge_ends_the_names_of_both_records_and_says_so(practice, old):
    request, alias, entries = propose(practice)
    confirm(request, alias)
    propose(practice)  # somebody else's stays
    senders = (request.sender_id, "pat_twin") if old else ("pat_twin", request.sender_id)
    workflow.merge_patient(practice=practice, old_sender=senders[0], new_sender=senders[1], now=NOW)
    alias.refresh_from_db()
    assert alias.end_reason == AliasEnd.PATIENTS_MERGED
    assert EntryAlias.objects.standing().count() == 1
    assert names(practice, entries) == {}
    assert [entry["outcome"] for entry in audited("alias.ended")] == ["patients_merged"]
    assert audited("patient.merged")[0]["data"]["aliases_ended"] == 1


def test_the_text_of_an_ended_name_is_emptied_after_the_practices_time(practice):
    request, alias, _ = propose(practice)
    workflow.end_alias(request_id=request.id, alias_id=alias.id, user=user_of(practice), now=NOW)
    timers.purge(now=NOW + timedelta(days=practice.body_days - 1))
    alias.refresh_from_db()
    assert alias.name_sealed is not None
    timers.purge(now=NOW + timedelta(days=practice.body_days + 1))
    alias.refresh_from_db()
    assert alias.name_sealed is None
    assert aliases.text_of(alias=alias, practice=practice) == ""


# --- how little it asks -------------------------------------------------------------------------------------------


def test_reading_names_is_one_query_and_none_without_a_list(practice, django_assert_num_queries):
    _, _, entries = propose(practice)
    patient = entries[0].patient.external_id
    with django_assert_num_queries(1):
        assert aliases.of_patient(practice=practice, patient_id=patient, medications=entries)
    with django_assert_num_queries(0):
        assert aliases.of_patient(practice=practice, patient_id=patient, medications=()) == {}
        assert aliases.of_patient(practice=practice, patient_id="", medications=entries) == {}


# --- at once ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_name_proposed_for_two_entries_at_once_stands_for_one():
    practice = rows.clinic()
    entries = taught.listed(practice, METOPROLOL_S, LISINOPRIL)
    items = [taught.item(practice, "Please refill the heart helper", entries) for _ in range(2)]
    gate, user = threading.Barrier(2), user_of(practice)

    def click(number):
        gate.wait()
        try:
            return workflow.correct_reading(
                request_id=items[number].id, user=user, version=items[number].version, now=NOW,
                correction=Correction(
                    entry=entries[number].external_id, words="heart helper", is_alias=True))  # fmt: skip
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(click, range(2)))
    assert sorted(type(one).__name__ for one in found) == ["Corrected", "NotPossible"], found
    assert EntryAlias.objects.standing().count() == 1
    assert RefillRequest.objects.filter(kind="refill").count() == 1


@pytest.mark.django_db(transaction=True)
def test_confirming_and_ending_at_once_leave_one_outcome():
    practice = rows.clinic()
    request, alias, _ = propose(practice)
    gate, user = threading.Barrier(2), user_of(practice)

    def click(work):
        gate.wait()
        try:
            return work(request_id=request.id, alias_id=alias.id, user=user, now=NOW)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(click, [workflow.confirm_alias, workflow.end_alias]))
    alias.refresh_from_db()
    assert alias.end_reason == AliasEnd.BY_PERSON
