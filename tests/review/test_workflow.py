"""The verbs on real rows: admission, claim, settlement, a person's acts. The wire is an Outcome given by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.models import Entry
from integrations.outcome import Outcome, OutcomeKind
from review import outbox, workflow
from review.models import Dispatch, DispatchKind, RefillRequest, ReplyPurpose
from review.states import DispatchState, RequestState
from review.workflow import Result
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    practice = rows.make_practice()
    rows.make_provider(practice)
    rows.make_rules(practice)
    return practice


def admitted(practice, **values):
    ask = rows.make_ask(practice, values.pop("medication", None) or rows.make_medication(practice), **values)
    made = workflow.admit(asks=[ask], now=NOW)
    return made.requests[0]


def settle(dispatch, kind, *, now=NOW, **values):
    workflow.settle(
        results=[Result(dispatch_id=dispatch.id, attempt=dispatch.attempt, outcome=Outcome(kind=kind, **values))],
        now=now,
    )


def send(request, kind, *, now=NOW, **values):
    claimed = [d for d in workflow.claim_due(now=now, limit=50) if d.request_id == request.id]
    for dispatch in claimed:
        settle(dispatch, kind, now=now, **values)
    return claimed


def test_a_plain_refill_of_an_adopted_class_is_approved_and_its_newrx_waits_for_its_moment(practice):
    request = admitted(practice)
    request.refresh_from_db()
    assert (request.state, request.recipe) == (RequestState.APPROVED, "auto_refill")
    newrx = Dispatch.objects.get(request=request)
    assert (newrx.kind, newrx.state, newrx.lane) == (DispatchKind.NEWRX, DispatchState.QUEUED, "routine")
    assert b"<DrugDescription>omeprazole 20 MG" in outbox.document_of(newrx)


def test_accepted_then_delivered_tells_the_patient_twice_and_records_on_the_chart(practice):
    request = admitted(practice)
    (newrx,) = send(request, OutcomeKind.ACCEPTED, code="000")
    request.refresh_from_db()
    assert request.state == RequestState.SENT
    kinds = set(Dispatch.objects.filter(request=request).values_list("kind", "purpose"))
    assert {("reply", "sent"), ("chart", "")} <= kinds
    send(request, OutcomeKind.ACCEPTED)
    workflow.settle(
        results=[Result(dispatch_id=newrx.id, outcome=Outcome(kind=OutcomeKind.DELIVERED, code="010"))], now=NOW
    )
    request.refresh_from_db()
    assert request.state == RequestState.DONE
    purposes = list(Dispatch.objects.filter(request=request, kind="reply").values_list("purpose", flat=True))
    assert sorted(purposes) == [ReplyPurpose.RECEIVED, ReplyPurpose.SENT]


def test_a_rejection_returns_to_a_person_with_the_exact_code_and_a_task(practice):
    request = admitted(practice)
    send(request, OutcomeKind.REJECTED, code="900", description_codes=("1000",), text="Receiver not active")
    request.refresh_from_db()
    assert (request.state, request.last_code) == (RequestState.IN_REVIEW, "900 / 1000")
    task = Dispatch.objects.get(request=request, kind=DispatchKind.TASK)
    assert "900 / 1000" in outbox.values_of(task)["note"]


def test_a_late_rejection_corrects_the_patient_who_was_told(practice):
    request = admitted(practice)
    (newrx,) = send(request, OutcomeKind.ACCEPTED, code="000")
    send(request, OutcomeKind.ACCEPTED)
    workflow.settle(
        results=[
            Result(
                dispatch_id=newrx.id,
                outcome=Outcome(kind=OutcomeKind.REJECTED, code="900", description_codes=("2000",)),
            )
        ],
        now=NOW + timedelta(minutes=10),
    )
    request.refresh_from_db()
    assert request.state == RequestState.IN_REVIEW
    assert Dispatch.objects.filter(request=request, purpose=ReplyPurpose.CORRECTION).count() == 1
    assert Entry.objects.filter(event="apology.queued", request_id=request.id).count() == 1


def test_a_transient_refusal_gets_a_linked_successor_under_a_new_message_id(practice):
    request = admitted(practice)
    (first,) = send(request, OutcomeKind.REJECTED, code="600", transient=True)
    request.refresh_from_db()
    successor = Dispatch.objects.get(predecessor=first)
    assert request.state == RequestState.APPROVED
    assert successor.message_id != first.message_id
    assert outbox.document_of(successor).replace(successor.message_id.encode(), b"") == outbox.document_of(
        first
    ).replace(first.message_id.encode(), b"")


def test_no_answer_is_unknown_and_never_sent_again_by_itself_before_its_time(practice):
    request = admitted(practice)
    (newrx,) = send(request, OutcomeKind.UNKNOWN)
    newrx.refresh_from_db()
    assert newrx.state == DispatchState.UNKNOWN
    assert workflow.claim_due(now=NOW + timedelta(minutes=5), limit=10) == []
    assert [d for d in workflow.claim_repeats(now=NOW + timedelta(minutes=5), limit=10) if d.kind == "newrx"] == []


def test_an_unresolved_prescription_locks_its_request_until_a_person_has_telephoned(practice):
    request = admitted(practice)
    (newrx,) = send(request, OutcomeKind.ACCEPTED, code="000")
    later = NOW + timedelta(hours=24, seconds=1)
    assert newrx.id in workflow.unresolved_ids(now=later)
    workflow.find_unresolved(dispatch_ids=[newrx.id], now=later)
    request.refresh_from_db()
    assert request.state == RequestState.IN_REVIEW
    assert request.is_locked
    provider = request.prescriber
    with pytest.raises(workflow.Locked):
        workflow.approve(
            request_id=request.id, user=provider.user, provider=provider, version=request.version, now=later
        )
    workflow.confirm_not_arrived(
        request_id=request.id,
        user=provider.user,
        version=request.version,
        now=later,
        spoke_with="Jo",
        pharmacy="Oak Street",
    )
    request.refresh_from_db()
    assert not request.is_locked


def test_a_lease_that_ran_out_is_unknown_never_queued(practice):
    request = admitted(practice)
    (newrx,) = workflow.claim_due(now=NOW, limit=10)
    workflow.lose_leases(now=NOW + timedelta(minutes=3))
    newrx.refresh_from_db()
    assert newrx.state == DispatchState.UNKNOWN
    settle(newrx, OutcomeKind.ACCEPTED, code="000", now=NOW + timedelta(minutes=4))
    newrx.refresh_from_db()
    request.refresh_from_db()
    assert newrx.state == DispatchState.UNKNOWN  # the late worker's attempt no longer counts


def test_a_second_plain_request_for_the_same_drug_joins_the_first(practice):
    medication = rows.make_medication(practice)
    first = admitted(practice, medication=medication)
    ask = rows.make_ask(practice, medication, events=(rows.make_event(practice),))
    second = workflow.admit(asks=[ask], now=NOW + timedelta(hours=1)).requests[0]
    second.refresh_from_db()
    assert (second.state, second.duplicate_of_id) == (RequestState.DUPLICATE, first.id)
    assert Dispatch.objects.filter(kind="newrx").count() == 1


def test_news_of_the_patient_brings_unsent_work_back_to_a_person(practice):
    request = admitted(practice)
    odd = replace(rows.PLAIN, is_plain=False, kind=rows.facts.Kind.other)
    ask = rows.make_ask(practice, None, reading=odd, reasons=("stop_or_not_needed",))
    workflow.admit(asks=[ask], now=NOW + timedelta(seconds=30))
    request.refresh_from_db()
    assert request.state == RequestState.IN_REVIEW
    assert request.reasons[0] == "news_from_patient"
    assert Dispatch.objects.get(request=request, kind="newrx").state == DispatchState.TAKEN_BACK


def test_an_unread_message_of_the_patient_holds_the_prescription_at_the_door(practice):
    request = admitted(practice)
    rows.make_event(practice, progress="received")
    assert workflow.claim_due(now=NOW, limit=10) == []
    assert Dispatch.objects.get(request=request).due_at > NOW


def test_a_changed_list_entry_stops_the_prescription_at_the_door(practice):
    medication = rows.make_medication(practice)
    request = admitted(practice, medication=medication)
    type(medication).objects.filter(pk=medication.pk).update(record_hash="other")
    assert workflow.claim_due(now=NOW, limit=10) == []
    request.refresh_from_db()
    assert (request.state, request.reasons[0]) == (RequestState.IN_REVIEW, "entry_changed")


def test_shadow_is_decided_once_and_nothing_is_ever_sendable(practice):
    practice.is_shadow = True
    practice.save()
    request = admitted(practice)
    request.refresh_from_db()
    assert request.state == RequestState.DONE
    assert set(Dispatch.objects.filter(request=request).values_list("state", flat=True)) == {DispatchState.SHADOWED}
    type(practice).objects.filter(pk=practice.pk).update(is_shadow=False)
    assert workflow.claim_due(now=NOW, limit=10) == []


def test_a_controlled_drug_becomes_a_task_and_never_a_prescription(practice):
    medication = rows.make_medication(
        practice,
        name="Zolpidem tartrate 5 mg oral tablet",
        rxcui="854873",
        dosage_units="tablet",
        sig="Take 1 tablet by mouth at bedtime",
    )
    request = admitted(practice, medication=medication)
    request.refresh_from_db()
    assert request.state == RequestState.HANDING_OFF, request.reasons
    assert set(Dispatch.objects.filter(request=request).values_list("kind", flat=True)) == {"task", "reply"}
    send(request, OutcomeKind.ACCEPTED, external_ref="771")
    request.refresh_from_db()
    assert request.state == RequestState.WITH_EHR


def test_undo_is_possible_until_the_claim_and_not_after(practice):
    request = admitted(practice)
    user = request.prescriber.user
    workflow.take_back(request_id=request.id, user=user, version=None, now=NOW)
    request.refresh_from_db()
    assert request.state == RequestState.IN_REVIEW
    workflow.approve(request_id=request.id, user=user, provider=request.prescriber, version=request.version, now=NOW)
    workflow.claim_due(now=NOW, limit=10)
    with pytest.raises(workflow.NotPossible):
        workflow.take_back(request_id=request.id, user=user, version=None, now=NOW)


def test_a_stale_page_is_told_that_somebody_else_decided(practice):
    request = admitted(practice, reading=replace(rows.PLAIN, is_plain=False))
    request.refresh_from_db()
    assert request.state == RequestState.IN_REVIEW
    user = request.prescriber.user
    workflow.ask_visit(request_id=request.id, user=user, version=request.version, now=NOW)
    with pytest.raises(workflow.AlreadyDecided):
        workflow.deny(request_id=request.id, user=user, version=request.version, now=NOW, code="AM")


def test_everything_is_in_the_chain(practice):
    request = admitted(practice)
    send(request, OutcomeKind.ACCEPTED, code="000")
    events = list(Entry.objects.filter(request_id=request.id).order_by("number").values_list("event", flat=True))
    assert events[:5] == [
        "request.opened",
        "request.decided",
        "request.approved",
        "dispatch.queued",
        "dispatch.sending",
    ]
    assert RefillRequest.objects.get().patient_ref.startswith("p_")
