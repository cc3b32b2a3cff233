"""From a decision to a state and what leaves with it: holds, emergencies, tasks, and everything that does not fit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from review import outbox, workflow
from review.models import Alarm, Dispatch, FillReport, Kind, Queue, RefillRequest
from review.states import DispatchState, RequestState
from rules import facts as f
from rules.models import DecisionRecord
from tests.review import rows
from tests.review.rows import NOW, TODAY

pytestmark = pytest.mark.django_db
R = RequestState
EVENING = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)  # Tuesday 7:00 pm Eastern


@pytest.fixture
def practice():
    return rows.clinic()


def kinds():
    return sorted(Dispatch.objects.values_list("kind", "purpose"))


def emergency(practice, **values):
    reading = replace(rows.PLAIN, kind=f.Kind.other, is_emergency=True, is_plain=False)
    return workflow.admit(asks=[rows.make_ask(practice, None, reading=reading, **values)], now=NOW).requests[0]


# --- approval -----------------------------------------------------------------------------------------------------


def test_an_automatic_approval_leaves_after_its_own_undo_window_in_the_entrys_prescribers_name(practice):
    practice.undo_seconds_automatic = 45
    request = rows.admit(practice)
    newrx = Dispatch.objects.get()
    assert (request.is_automatic, newrx.due_at, newrx.lane) == (True, NOW + timedelta(seconds=45), "routine")
    assert (request.approved_at, request.decided_by_id, request.outcome) == (NOW, None, "auto_approve")


def test_every_decision_keeps_its_facts_and_rule_version(practice):
    request = rows.admit(practice)
    record = DecisionRecord.objects.get(request_id=request.id)
    assert record.version_id is not None


def test_without_published_rules_nothing_is_automatic(practice):
    other = rows.make_practice(name="New")
    rows.make_provider(other)
    request = rows.admit(other)
    assert request.state == R.IN_REVIEW
    assert not Dispatch.objects.filter(kind="newrx").exists()


@pytest.mark.parametrize("change", [{"last_name": ""}, {"birth_date": ""}, {"last_name": "X" * 90}])
def test_an_approval_that_does_not_fit_the_message_is_a_persons_with_the_field_named(practice, change):
    request = rows.admit(practice, snapshot=rows.snapshot(**change))
    assert (request.state, request.is_automatic) == (R.IN_REVIEW, False)
    assert Dispatch.objects.count() == 0


def test_what_intake_found_wanting_keeps_an_approval_before_a_person(practice):
    request = rows.admit(practice, reasons=("chart_unreached",))
    assert (request.state, request.reasons[0]) == (R.IN_REVIEW, "chart_unreached")


@pytest.mark.parametrize(
    "change",
    [
        {"allergies": None},
        {"allergies": ("omeprazole",)},
        {"other_drugs": None},
        {"mirror_age_minutes": None},
        {"mirror_age_minutes": 10_000},
        {"pharmacy": None},
        {"snapshot": None},
        {"entries_matching": 2},
        {"named_text": "the other one"},
        {"patient_external_id": "70119999"},
    ],
)
def test_each_lack_alone_is_a_persons(practice, change):
    medication = rows.make_medication(practice)
    request = rows.admit(practice, medication, **change)
    assert request.state == R.IN_REVIEW, (request.state, request.reasons)
    assert not Dispatch.objects.filter(kind="newrx").exists()


# --- holds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent_at", "state"),
    [
        (EVENING - timedelta(seconds=1), R.APPROVED),
        (EVENING, R.HELD),
    ],
)
def test_the_border_of_the_hold(practice, sent_at, state):
    request = rows.admit(practice, now=sent_at, asked_at=sent_at)
    assert request.state == state, request.reasons


def test_a_hold_tells_the_patient_when_we_open_and_sends_nothing_else(practice):
    request = rows.admit(practice, now=EVENING, asked_at=EVENING)
    assert request.release_at == datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
    assert kinds() == [("reply", "held")]
    assert "Wednesday 7:00 am" in outbox.values_of(Dispatch.objects.get())["text"]


def test_a_drug_whose_gap_may_hurt_is_never_held_by_machine(practice):
    warfarin = rows.make_medication(
        practice,
        name="Warfarin sodium 5 mg oral tablet",
        rxcui="855332",
        dosage_units="tablet",
        sig="Take 1 tablet by mouth once daily",
    )
    request = rows.admit(practice, warfarin, now=EVENING, asked_at=EVENING)
    assert request.state == R.IN_REVIEW


# --- persons ------------------------------------------------------------------------------------------------------


def test_an_emergency_is_answered_at_once_paged_and_urgent(practice):
    provider = practice.providers.get()
    provider.on_call_order = 1
    provider.save()
    request = emergency(practice)
    assert (request.state, request.kind, request.is_urgent, request.reasons[0]) == (
        R.IN_REVIEW,
        Kind.MESSAGE,
        True,
        "emergency",
    )
    assert kinds() == [("page", "emergency"), ("reply", "emergency")]
    assert set(Dispatch.objects.values_list("due_at", flat=True)) == {NOW}


def test_an_emergency_with_nobody_on_call_is_an_alarm(practice):
    emergency(practice)
    assert kinds() == [("reply", "emergency")]
    assert Alarm.objects.filter(kind="coverage_gap").exists()


def test_an_emergency_is_answered_even_while_sending_is_stopped(practice):
    type(practice).objects.update(sending_stopped_at=NOW)
    practice.refresh_from_db()
    emergency(practice)
    assert [d.purpose for d in workflow.claim_due(now=NOW, limit=9)] == ["emergency"]


def test_a_symptom_beside_a_plain_refill_is_a_persons_and_keeps_the_drug_from_leaving(practice):
    request = rows.admit(practice, reading=replace(rows.PLAIN, has_symptom=True))
    assert (request.state, request.kind, request.is_urgent) == (R.IN_REVIEW, Kind.MESSAGE, True)
    assert Dispatch.objects.count() == 0


def test_a_plain_review_goes_to_the_entrys_prescriber(practice):
    request = rows.admit(practice, rows.make_medication(practice, number_refills=None))
    assert (request.queue, request.assignee_id) == (Queue.PRESCRIBER, request.prescriber_id)


# --- tasks, ends by telling ---------------------------------------------------------------------------------------


def test_a_controlled_drug_without_anybody_for_the_task_is_the_administrators(practice):
    practice.providers.update(drchrono_user_id="")
    zolpidem = rows.make_medication(
        practice,
        name="Zolpidem tartrate 5 mg oral tablet",
        rxcui="854873",
        dosage_units="tablet",
        sig="Take 1 tablet by mouth at bedtime",
    )
    request = rows.admit(practice, zolpidem)
    assert (request.state, request.reasons[0]) == (R.IN_REVIEW, "nobody_for_task")
    assert Dispatch.objects.count() == 0


def test_fills_left_by_the_pharmacys_own_report_are_told_and_nothing_is_prescribed(practice):
    medication = rows.make_medication(practice)
    FillReport.objects.create(
        practice=practice,
        message_id="m1",
        patient_external_id="70112345",
        ingredient_key="omeprazole",
        kind="Dispensed",
        filled_on=TODAY - timedelta(days=80),
        days_supply=90,
        fills_left=2,
        received_at=NOW - timedelta(days=80),
    )
    request = rows.admit(practice, medication)
    assert request.state == R.TOLD, request.reasons
    assert not Dispatch.objects.filter(kind="newrx").exists()


def test_fills_of_the_list_entry_alone_are_never_told_as_left(practice):
    request = rows.admit(practice, rows.make_medication(practice, number_refills=5))
    assert request.state != R.TOLD
    assert not Dispatch.objects.filter(purpose="told").exists()


# --- shadow -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [NOW, EVENING])
def test_in_shadow_every_message_is_born_unsendable(practice, at):
    practice.is_shadow = True
    practice.save()
    rows.admit(practice, now=at, asked_at=at)
    emergency(practice, sender_id="pat_2", patient_external_id="", snapshot=None)
    assert set(Dispatch.objects.values_list("state", flat=True)) == {DispatchState.SHADOWED}
    assert workflow.claim_due(now=at + timedelta(days=1), limit=9) == []


def test_a_shadow_request_never_swallows_a_real_one(practice):
    practice.is_shadow = True
    practice.save()
    medication = rows.make_medication(practice)
    rows.admit(practice, medication)
    type(practice).objects.update(is_shadow=False)
    practice.refresh_from_db()
    real = rows.admit(practice, medication, now=NOW + timedelta(hours=1), asked_at=NOW + timedelta(hours=1))
    assert real.state != R.DUPLICATE
    assert RefillRequest.objects.filter(is_shadow=False).count() == 1
