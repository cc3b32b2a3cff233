"""What the clock does: release of held requests on fresh facts, unresolved outcomes and their locks, merges, routes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integrations.models import MirrorMedication, PrescriptionSeen
from integrations.outcome import OutcomeKind
from refillhub.practices.models import Coverage
from review import timers, watching, workflow
from review.models import Alarm, Dispatch, DispatchKind, Kind, Queue, RefillRequest, ReplyPurpose
from review.states import DispatchState, RequestState
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
EVENING = datetime(2026, 11, 17, 0, 30, tzinfo=UTC)  # Monday 7:30 pm Eastern
MORNING = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)  # Tuesday 7:00 am Eastern


@pytest.fixture
def practice():
    return rows.clinic()


def held(practice, medication=None, **values):
    medication = medication or rows.make_medication(practice)
    request = rows.admit(practice, medication, now=EVENING, asked_at=EVENING, **values)
    assert request.state == RequestState.HELD, (request.state, request.reasons)
    return request


def fresh(practice, request, medication, **values):
    """What `timers.ask_again` gives when the chart answers."""
    values.setdefault("asked_at", request.asked_at)
    event = rows.make_event(practice, progress="read")
    return {request.id: rows.make_ask(practice, medication, events=(event,), **values)}


def release(practice, request, medication, *, now=MORNING, **values):
    count = workflow.release(asks=fresh(practice, request, medication, **values), now=now)
    request.refresh_from_db()
    return count


# --- release ------------------------------------------------------------------------------------------------------


def test_a_held_request_is_decided_afresh_at_opening_and_approved(practice):
    medication = rows.make_medication(practice)
    request = held(practice, medication)
    assert request.release_at == MORNING
    assert release(practice, request, medication) == 1
    assert (request.state, request.recipe) == (RequestState.APPROVED, "auto_refill"), request.reasons
    assert Dispatch.objects.get(request=request, kind="newrx").state == DispatchState.QUEUED


def test_a_released_request_is_not_the_duplicate_of_itself(practice):
    medication = rows.make_medication(practice)
    request = held(practice, medication)
    release(practice, request, medication)
    assert request.state != RequestState.DUPLICATE
    assert "open_request" not in request.reasons


def test_what_changed_in_the_chart_during_the_night_decides_the_release(practice):
    medication = rows.make_medication(practice)
    request = held(practice, medication)
    MirrorMedication.objects.filter(pk=medication.pk).update(is_active=False)
    medication.refresh_from_db()
    release(practice, request, medication)
    assert (request.state, request.reasons[0]) == (RequestState.IN_REVIEW, "stopped")


def test_the_prescription_after_a_hold_carries_the_entry_and_the_pharmacy_of_this_morning(practice):
    medication = rows.make_medication(practice)
    request = held(practice, medication)
    other = rows.make_pharmacy("9990002", name="Elm Pharmacy")
    release(practice, request, medication, pharmacy=other, snapshot=rows.snapshot(default_pharmacy="9990002"))
    newrx = Dispatch.objects.get(request=request, kind="newrx")
    assert newrx.target == "9990002"
    assert request.pharmacy_ncpdp == "9990002"


def test_a_release_keeps_what_the_decision_said(practice):
    medication = rows.make_medication(practice)
    request = held(practice, medication)
    odd = replace(rows.PLAIN, has_symptom=True)
    release(practice, request, medication, reading=odd)
    assert (request.state, request.kind, request.is_urgent) == (RequestState.IN_REVIEW, Kind.MESSAGE, True)
    assert request.recipe == "guard"


def test_before_opening_a_release_holds_on_and_says_nothing_twice(practice):
    medication = rows.make_medication(practice)
    request = held(practice, medication)
    assert release(practice, request, medication, now=MORNING - timedelta(seconds=1)) == 0
    assert request.state == RequestState.HELD
    assert Dispatch.objects.filter(request=request, purpose=ReplyPurpose.HELD).count() == 1


def test_a_second_release_finds_nothing_to_do(practice):
    medication = rows.make_medication(practice)
    request = held(practice, medication)
    release(practice, request, medication)
    assert release(practice, request, medication) == 0
    assert Dispatch.objects.filter(request=request, kind="newrx").count() == 1


def test_a_request_taken_up_in_the_night_is_not_released(practice):
    medication = rows.make_medication(practice)
    request = held(practice, medication)
    workflow.take_up(request_id=request.id, user=request.prescriber.user, version=request.version, now=EVENING)
    assert release(practice, request, medication) == 0
    assert request.state == RequestState.IN_REVIEW


def test_the_named_pharmacy_and_rival_entries_survive_the_hold(practice):
    """What the message said at night still counts in the morning: another pharmacy named means a person."""
    medication = rows.make_medication(practice)
    sealed = rows.kept(practice, pharmacy="Walgreens on Elm")
    request = held(practice, medication, reading_sealed=sealed, named_text="Walgreens on Elm")
    ask = timers.ask_again(request=request, now=MORNING)
    assert ask.named_text == "Walgreens on Elm"


# --- unresolved ---------------------------------------------------------------------------------------------------


def test_accepted_without_a_final_word_locks_after_24_hours_and_not_a_second_before(practice):
    request = rows.admit(practice)
    (newrx,) = rows.send(request, OutcomeKind.ACCEPTED, code="000")
    assert workflow.unresolved_ids(now=NOW + timedelta(hours=24) - timedelta(seconds=1)) == []
    assert workflow.unresolved_ids(now=NOW + timedelta(hours=24)) == [newrx.id]


def test_an_unresolved_prescription_has_a_task_a_lock_and_counts_as_supply(practice):
    request = rows.admit(practice)
    (newrx,) = rows.send(request, OutcomeKind.ACCEPTED, code="000")
    later = NOW + timedelta(hours=25)
    assert workflow.find_unresolved(dispatch_ids=[newrx.id], now=later) == 1
    request.refresh_from_db()
    assert (request.state, request.is_locked, request.is_urgent, request.reasons[0]) == (
        RequestState.IN_REVIEW,
        True,
        True,
        "unresolved",
    )
    assert Dispatch.objects.filter(request=request, kind=DispatchKind.TASK, purpose="unresolved").count() == 1
    assert Dispatch.objects.maybe_delivered().filter(pk=newrx.pk).exists()
    assert workflow.find_unresolved(dispatch_ids=[newrx.id], now=later) == 0


def test_while_locked_every_other_act_is_refused(practice):
    request = rows.admit(practice)
    (newrx,) = rows.send(request, OutcomeKind.ACCEPTED, code="000")
    workflow.find_unresolved(dispatch_ids=[newrx.id], now=NOW)
    request.refresh_from_db()
    user, version = request.prescriber.user, request.version
    common = {"request_id": request.id, "user": user, "version": version, "now": NOW}
    for refused in (
        lambda: workflow.approve(provider=request.prescriber, **common),
        lambda: workflow.deny(code="AM", **common),
        lambda: workflow.ask_visit(**common),
        lambda: workflow.tell(**common),
        lambda: workflow.hand_off(provider=request.prescriber, **common),
        lambda: workflow.cancel(reason="x", **common),
        lambda: workflow.answer(reason="x", **common),
    ):
        with pytest.raises(workflow.Locked):
            refused()


def test_late_news_settles_a_locked_request_by_itself(practice):
    request = rows.admit(practice)
    (newrx,) = rows.send(request, OutcomeKind.ACCEPTED, code="000")
    workflow.find_unresolved(dispatch_ids=[newrx.id], now=NOW + timedelta(hours=24))
    rows.settle(newrx, OutcomeKind.DELIVERED, code="010", is_late=True, now=NOW + timedelta(hours=25))
    request.refresh_from_db()
    assert (request.state, request.is_locked) == (RequestState.DONE, False)


def test_an_unknown_prescription_that_may_not_be_repeated_is_unresolved_after_half_an_hour(practice, settings):
    request = rows.admit(practice)
    (newrx,) = rows.send(request, OutcomeKind.UNKNOWN)
    newrx.refresh_from_db()
    assert newrx.may_be_repeated is False  # the default: no route promised to drop repeats
    limit = timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)
    assert workflow.unresolved_ids(now=NOW + limit - timedelta(seconds=1)) == []
    assert timers.settle_unresolved(now=NOW + limit) == 1
    request.refresh_from_db()
    assert request.is_locked


def test_a_repeatable_prescription_goes_once_more_byte_identical_and_never_a_third_time(practice, settings):
    request = rows.admit(practice)
    Dispatch.objects.filter(request=request).update(may_be_repeated=True)
    (newrx,) = rows.send(request, OutcomeKind.UNKNOWN)
    late = NOW + timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)
    assert workflow.unresolved_ids(now=late) == []
    (again,) = workflow.claim_repeats(now=late, limit=10)
    assert (again.id, again.document_sha256, again.message_id) == (newrx.id, newrx.document_sha256, newrx.message_id)
    rows.settle(again, OutcomeKind.UNKNOWN, now=late)
    even_later = late + timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)
    assert workflow.claim_repeats(now=even_later, limit=10) == []
    assert workflow.unresolved_ids(now=even_later) == [newrx.id]


def test_an_unresolved_reply_opens_an_item_and_leaves_the_request_where_it_is(practice):
    request = rows.admit(practice)
    rows.send(request, OutcomeKind.ACCEPTED, code="000", only="newrx")
    (sent,) = [d for d in rows.send(request, OutcomeKind.UNKNOWN) if d.kind == "reply"]
    workflow.find_unresolved(dispatch_ids=[sent.id], now=NOW)
    request.refresh_from_db()
    assert request.state == RequestState.SENT
    assert RefillRequest.objects.get(about=request).reasons == ["reply_unresolved"]


# --- back to a person ---------------------------------------------------------------------------------------------


def test_return_takes_back_what_is_queued_and_leaves_final_states_alone(practice):
    waiting = rows.admit(practice)
    assert workflow.return_to_person(request_ids=[waiting.id], reason="queued_too_long", now=NOW) == 1
    medication = rows.make_medication(practice, "70112346")
    done = rows.admit(practice, medication, patient_external_id="70112346", sender_id="pat_2")
    rows.send(done, OutcomeKind.DELIVERED, code="010")
    assert workflow.return_to_person(request_ids=[done.id], reason="x", now=NOW) == 0
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reasons[0]) == (RequestState.IN_REVIEW, "queued_too_long")
    assert Dispatch.objects.get(request=waiting, kind="newrx").state == DispatchState.TAKEN_BACK


# --- merges -------------------------------------------------------------------------------------------------------


def test_a_merge_moves_open_requests_and_their_later_news(practice):
    request = rows.admit(practice)
    assert workflow.merge_patient(practice=practice, old_sender="pat_1", new_sender="pat_9", now=NOW) == 1
    request.refresh_from_db()
    assert (request.sender_id, request.state) == ("pat_9", RequestState.APPROVED)
    rows.make_event(practice, progress="received", sender_id="pat_9")
    assert workflow.claim_due(now=NOW, limit=10) == []


def test_a_merge_of_two_chart_patients_is_a_persons(practice):
    one = rows.admit(practice)
    medication = rows.make_medication(practice, "70112346")
    two = rows.admit(practice, medication, patient_external_id="70112346", sender_id="pat_9")
    workflow.merge_patient(practice=practice, old_sender="pat_1", new_sender="pat_9", now=NOW)
    for request in (one, two):
        request.refresh_from_db()
        assert (request.state, request.reasons[0]) == (RequestState.IN_REVIEW, "patients_merged")
    assert workflow.claim_due(now=NOW, limit=10) == []


def test_a_merge_never_touches_another_practice(practice):
    other = rows.clinic(name="Elsewhere")
    request = rows.admit(other)
    assert workflow.merge_patient(practice=practice, old_sender="pat_1", new_sender="pat_9", now=NOW) == 0
    request.refresh_from_db()
    assert request.sender_id == "pat_1"


# --- who has it ---------------------------------------------------------------------------------------------------


def away(provider, stand_in=None, *, hours=4):
    return Coverage.objects.create(
        practice=provider.practice,
        provider=provider,
        stand_in=stand_in,
        starts_at=NOW - timedelta(hours=1),
        ends_at=NOW + timedelta(hours=hours),
    )


def in_review(practice):
    request = rows.admit(practice, reading=replace(rows.PLAIN, is_plain=False))
    assert request.state == RequestState.IN_REVIEW
    RefillRequest.objects.filter(pk=request.pk).update(queue=Queue.PRESCRIBER, assignee=request.prescriber)
    request.refresh_from_db()
    return request


def test_an_item_follows_the_chain_of_stand_ins(practice):
    request = in_review(practice)
    lind = rows.make_provider(practice, "Lind", doctor_id="302119")
    moss = rows.make_provider(practice, "Moss", doctor_id="302120")
    away(request.prescriber, lind)
    away(lind, moss)
    assert timers.escalate(now=NOW) == 1
    request.refresh_from_db()
    assert (request.assignee_id, request.queue, request.state) == (moss.id, Queue.PRESCRIBER, RequestState.IN_REVIEW)
    assert timers.escalate(now=NOW) == 0


def test_a_loop_of_stand_ins_ends_with_the_on_call(practice):
    request = in_review(practice)
    lind = rows.make_provider(practice, "Lind", doctor_id="302119")
    moss = rows.make_provider(practice, "Moss", doctor_id="302120", on_call_order=1)
    away(request.prescriber, lind)
    away(lind, request.prescriber)
    assert workflow.reroute(request_id=request.id, now=NOW) == 1
    request.refresh_from_db()
    assert request.assignee_id == moss.id


def test_nobody_at_all_is_the_administrator_and_an_alarm(practice):
    request = in_review(practice)
    away(request.prescriber)
    assert workflow.reroute(request_id=request.id, now=NOW) == 1
    request.refresh_from_db()
    assert (request.queue, request.assignee_id) == (Queue.ADMINISTRATOR, None)
    assert Alarm.objects.get().kind == "coverage_gap"


def test_the_end_of_an_absence_is_no_longer_away(practice):
    request = in_review(practice)
    lind = rows.make_provider(practice, "Lind", doctor_id="302119")
    away(request.prescriber, lind)
    assert workflow.reroute(request_id=request.id, now=NOW + timedelta(hours=4)) == 0


# --- with the prescriber in the chart ------------------------------------------------------------------------------


ZOLPIDEM = {
    "name": "Zolpidem tartrate 5 mg oral tablet",
    "rxcui": "854873",
    "dosage_units": "tablet",
    "sig": "Take 1 tablet by mouth at bedtime",
}


def with_ehr(practice):
    request = rows.admit(practice, rows.make_medication(practice, **ZOLPIDEM))
    rows.send(request, OutcomeKind.ACCEPTED, external_ref="771")
    request.refresh_from_db()
    assert request.state == RequestState.WITH_EHR
    return request


def seen(practice, **values):
    fields = {
        "external_id": "5512001",
        "patient_external_id": "70112345",
        "kind": "NewRx",
        "status": "Sent",
        "drug_name": "zolpidem tartrate 5 MG Oral Tablet",
        "written_at": NOW + timedelta(minutes=5),
        "seen_at": NOW,
    } | values
    return PrescriptionSeen.objects.create(practice=practice, **fields)


def test_the_prescription_seen_in_the_chart_ends_the_request_and_tells_the_patient(practice):
    request = with_ehr(practice)
    seen(practice)
    assert watching.ehr(now=NOW + timedelta(minutes=10)) == 1
    request.refresh_from_db()
    assert request.state == RequestState.DONE
    told = Dispatch.objects.get(request=request, kind=DispatchKind.REPLY, state=DispatchState.QUEUED)
    assert told.purpose != ReplyPurpose.WITH_DOCTOR


@pytest.mark.parametrize(
    "change",
    [
        {"written_at": NOW - timedelta(days=1)},
        {"drug_name": "omeprazole 20 MG Delayed Release Oral Capsule"},
        {"patient_external_id": "70112399"},
        {"status": "Error"},
    ],
)
def test_another_prescription_does_not_end_it(practice, change):
    request = with_ehr(practice)
    seen(practice, **change)
    assert watching.ehr(now=NOW + timedelta(minutes=10)) == 0
    request.refresh_from_db()
    assert request.state == RequestState.WITH_EHR


def test_a_prescriber_who_does_not_answer_within_a_day_loses_it_to_the_queue(practice):
    request = with_ehr(practice)
    watching.ehr(now=NOW + timedelta(hours=24))
    request.refresh_from_db()
    assert request.state == RequestState.WITH_EHR
    watching.ehr(now=NOW + timedelta(hours=24, seconds=1))
    request.refresh_from_db()
    assert (request.state, request.is_urgent, request.reasons[0]) == (
        RequestState.IN_REVIEW,
        True,
        "prescriber_did_not_answer",
    )
