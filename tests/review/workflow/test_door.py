"""The last look before anything leaves: each check alone, at its border; what waits, what goes back, what goes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from integrations.models import MirrorMedication, MirrorPatient, PrescriptionSeen
from integrations.outcome import OutcomeKind
from refillhub.practices.models import Practice
from review import workflow
from review.models import Dispatch, RefillRequest
from review.states import DispatchState, RequestState
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.clinic()


@pytest.fixture
def request_(practice):
    return rows.admit(practice)


def claimed(now=NOW):
    return workflow.claim_due(now=now, limit=20)


def stopped(request, reason, *, now=NOW):
    """Nothing left, and a person has it with the reason."""
    assert [d for d in claimed(now) if d.kind == "newrx"] == []
    request.refresh_from_db()
    assert (request.state, request.reasons[0]) == (RequestState.IN_REVIEW, reason)
    assert Dispatch.objects.get(request=request, kind="newrx").state == DispatchState.TAKEN_BACK


def test_what_has_no_objection_leaves(request_):
    (newrx,) = claimed()
    assert (newrx.state, newrx.attempt) == (DispatchState.SENDING, 1)


def test_nothing_leaves_before_its_moment(practice):
    practice.undo_seconds_automatic = 30
    request = rows.admit(practice)
    assert claimed(NOW + timedelta(seconds=29)) == []
    assert [d.request_id for d in claimed(NOW + timedelta(seconds=30))] == [request.id]


def test_a_stopped_entry_keeps_it(request_):
    MirrorMedication.objects.update(is_active=False)
    stopped(request_, "entry_gone")


def test_an_entry_gone_from_the_list_keeps_it(request_):
    MirrorMedication.objects.update(gone_at=NOW)
    stopped(request_, "entry_gone")


def test_a_changed_entry_keeps_it(request_):
    MirrorMedication.objects.update(record_hash="another")
    stopped(request_, "entry_changed")


@pytest.mark.parametrize("status", ["I", "D", "X"])
def test_a_patient_not_active_any_more_keeps_it(request_, status):
    MirrorPatient.objects.update(status=status)
    stopped(request_, "patient_not_active")


def test_the_stop_switch_for_automatic_approval_keeps_what_no_person_approved(practice, request_):
    Practice.objects.update(automatic_stopped_at=NOW, automatic_stopped_by=request_.prescriber.user)
    stopped(request_, "automatic_stopped")


def test_the_stop_switch_for_automatic_approval_lets_a_persons_approval_pass(practice):
    request = rows.admit(practice, reading=replace(rows.PLAIN, is_plain=False))
    workflow.approve(
        request_id=request.id,
        user=request.prescriber.user,
        provider=request.prescriber,
        version=request.version,
        now=NOW,
    )
    Practice.objects.update(automatic_stopped_at=NOW, automatic_stopped_by=request.prescriber.user)
    assert [d.kind for d in claimed()] == ["newrx"]


def test_the_stop_switch_for_sending_leaves_all_in_place(practice, request_):
    Practice.objects.update(sending_stopped_at=NOW, sending_stopped_by=request_.prescriber.user)
    assert claimed() == []
    request_.refresh_from_db()
    assert request_.state == RequestState.APPROVED
    Practice.objects.update(sending_stopped_at=None, sending_stopped_by=None)
    assert len(claimed()) == 1


def test_queued_longer_than_the_practice_allows_goes_back_at_the_second_after(practice, request_):
    limit = timedelta(minutes=practice.queue_max_age_minutes)
    RefillRequest.objects.update(snapshot_at=NOW + limit)
    stopped(request_, "queued_too_long", now=NOW + limit + timedelta(seconds=1))


def test_queued_exactly_as_long_as_allowed_still_leaves(practice, request_):
    limit = timedelta(minutes=practice.queue_max_age_minutes)
    RefillRequest.objects.update(snapshot_at=NOW + limit)
    assert len(claimed(NOW + limit)) == 1


def test_a_patient_read_too_long_ago_waits_to_be_read_again(practice, request_):
    limit = timedelta(minutes=practice.mirror_max_age_minutes)
    assert claimed(NOW + limit + timedelta(minutes=1)) == []
    request_.refresh_from_db()
    assert request_.state == RequestState.APPROVED
    RefillRequest.objects.update(snapshot_at=NOW + limit)
    assert len(claimed(NOW + limit + timedelta(minutes=2))) == 1


def test_unread_news_of_the_patient_postpones_and_read_news_does_not(practice, request_):
    event = rows.make_event(practice, progress="received")
    assert claimed() == []
    assert claimed(NOW + timedelta(seconds=30)) == []
    event.progress = "read"
    event.save()
    assert len(claimed(NOW + timedelta(seconds=60))) == 1


def test_unread_news_of_somebody_else_or_elsewhere_does_not_wait(practice, request_):
    rows.make_event(practice, progress="received", sender_id="pat_2")
    rows.make_event(rows.make_practice(name="Elsewhere"), progress="received", sender_id="pat_1")
    assert len(claimed()) == 1


def test_unread_news_holds_decisions_told_to_the_patient_but_not_what_has_happened(practice):
    asked = rows.admit(practice, reading=replace(rows.PLAIN, is_plain=False))
    workflow.ask_visit(request_id=asked.id, user=asked.prescriber.user, version=asked.version, now=NOW)
    done = rows.admit(
        practice, rows.make_medication(practice, "70112346"), patient_external_id="70112346", sender_id="pat_2"
    )
    rows.send(done, OutcomeKind.ACCEPTED, code="000", only="newrx")
    Dispatch.objects.filter(state="sending").update(state="queued", lease_until=None)
    rows.make_event(practice, progress="received", sender_id="pat_1")
    rows.make_event(practice, progress="received", sender_id="pat_2")
    assert {(d.request_id, d.kind) for d in claimed()} == {(done.id, "reply"), (done.id, "chart")}


def test_a_prescription_of_ours_for_the_same_drug_within_a_day_keeps_it(practice, request_):
    twin = rows.admit(
        practice, rows.make_medication(practice, "70112346"), patient_external_id="70112346", sender_id="pat_2"
    )
    rows.send(twin, OutcomeKind.DELIVERED, code="010", only="newrx")
    Dispatch.objects.filter(request=request_).update(state="queued", lease_until=None)
    RefillRequest.objects.filter(pk=twin.pk).update(patient_external_id="70112345")
    stopped(request_, "supply_exists")


@pytest.mark.parametrize("name", ["Omeprazole 40 mg DR capsule", "omeprazole"])
def test_a_native_prescription_since_the_approval_keeps_it(practice, request_, name):
    PrescriptionSeen.objects.create(
        practice=practice,
        external_id="1",
        patient_external_id="70112345",
        kind="NewRx",
        status="Sent",
        drug_name=name,
        written_at=NOW,
        seen_at=NOW,
    )
    stopped(request_, "prescribed_in_chart")


@pytest.mark.parametrize(
    "change",
    [
        {"drug_name": "lisinopril"},
        {"patient_external_id": "70119999"},
        {"kind": "RefillRequest"},
        {"written_at": NOW - timedelta(days=30), "seen_at": NOW - timedelta(days=30)},
    ],
)
def test_another_native_prescription_does_not(practice, request_, change):
    PrescriptionSeen.objects.create(
        **{
            "practice": practice,
            "external_id": "1",
            "patient_external_id": "70112345",
            "kind": "NewRx",
            "status": "Sent",
            "drug_name": "omeprazole",
            "written_at": NOW,
            "seen_at": NOW,
            **change,
        }
    )
    assert len(claimed()) == 1


@pytest.mark.parametrize("state", sorted(s.value for s in RequestState if s is not RequestState.APPROVED))
def test_a_prescription_leaves_only_while_its_request_is_approved(request_, state):
    RefillRequest.objects.filter(pk=request_.pk).update(state=state)
    assert claimed() == []
    assert Dispatch.objects.get(request=request_, kind="newrx").state in (
        DispatchState.TAKEN_BACK,
        DispatchState.QUEUED,
    )


def test_one_that_goes_back_does_not_hold_up_another(practice, request_):
    medication = rows.make_medication(practice, "70112346")
    other = rows.admit(practice, medication, patient_external_id="70112346", sender_id="pat_2")
    MirrorMedication.objects.filter(pk=medication.pk).update(is_active=False)
    assert [d.request_id for d in claimed()] == [request_.id]
    other.refresh_from_db()
    assert other.state == RequestState.IN_REVIEW


def test_a_flood_of_one_practice_does_not_make_the_other_wait(practice):
    for number in range(6):
        patient = f"7{number}"
        rows.admit(practice, rows.make_medication(practice, patient), patient_external_id=patient, sender_id=patient)
    other = rows.clinic(name="Elsewhere")
    theirs = rows.admit(other, now=NOW)
    first = workflow.claim_due(now=NOW + timedelta(seconds=1), limit=2)
    assert theirs.id in {d.request_id for d in first}
