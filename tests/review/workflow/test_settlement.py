"""Where the wire meets the request: every outcome of every kind, late news, successors, corrections."""

import itertools
import uuid
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from integrations.outcome import Outcome, OutcomeKind
from review import outbox, states, workflow
from review.models import Alarm, Dispatch, Queue, RefillRequest, ReplyPurpose
from review.states import DispatchState, RequestState
from review.workflow import Result, settlement
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
K, D, R = OutcomeKind, DispatchState, RequestState


@pytest.fixture
def practice():
    return rows.clinic()


def approved(practice, **values):
    request = rows.admit(practice, **values)
    assert request.state == R.APPROVED, request.reasons
    return request


def only(request, kind, **wanted):
    return Dispatch.objects.get(request=request, kind=kind, **wanted)


def kinds(request):
    return sorted(Dispatch.objects.filter(request=request).values_list("kind", "purpose"))


# --- a prescription ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "dispatch_state", "request_state"),
    [
        (K.ACCEPTED, D.ACCEPTED, R.SENT),
        (K.DELIVERED, D.DELIVERED, R.DONE),
        (K.REJECTED, D.REJECTED, R.IN_REVIEW),
        (K.NOT_SENT, D.REJECTED, R.IN_REVIEW),
        (K.UNKNOWN, D.UNKNOWN, R.APPROVED),
        (K.HANDED_OVER, D.ACCEPTED, R.SENT),
    ],
)
def test_what_each_outcome_makes_of_a_prescription(practice, kind, dispatch_state, request_state):
    request = approved(practice)
    rows.send(request, kind, code="x1")
    request.refresh_from_db()
    newrx = only(request, "newrx")
    assert (newrx.state, newrx.code, newrx.lease_until, request.state) == (dispatch_state, "x1", None, request_state)


def test_delivered_at_once_says_received_only_and_records_on_the_chart(practice):
    request = approved(practice)
    rows.send(request, K.DELIVERED, code="010")
    assert kinds(request) == [("chart", ""), ("newrx", ""), ("reply", "received")]


def test_received_takes_back_a_sent_that_has_not_left(practice):
    request = approved(practice)
    (newrx,) = rows.send(request, K.ACCEPTED, code="000")
    rows.settle(newrx, K.DELIVERED, code="010", is_late=True)
    assert only(request, "reply", purpose="sent").state == D.TAKEN_BACK
    assert only(request, "reply", purpose="received").state == D.QUEUED
    assert Dispatch.objects.filter(request=request, kind="chart").count() == 1


def test_surely_not_sent_waits_and_goes_again_with_the_same_bytes_five_times(practice):
    request = approved(practice)
    sums, now = set(), NOW
    for failures, seconds in enumerate((30, 60, 120, 240, 480), start=1):
        (newrx,) = rows.send(request, K.NOT_SENT, now=now, transient=True, code="no_route")
        newrx.refresh_from_db()
        assert (newrx.state, newrx.failures, newrx.due_at) == (D.RETRY_WAIT, failures, now + timedelta(seconds=seconds))
        assert workflow.claim_due(now=newrx.due_at - timedelta(seconds=1), limit=9) == []
        sums.add((newrx.document_sha256, newrx.message_id))
        now = newrx.due_at
    rows.send(request, K.NOT_SENT, now=now, transient=True, code="no_route")
    request.refresh_from_db()
    assert len(sums) == 1
    assert (only(request, "newrx").state, request.state, request.last_code) == (D.REJECTED, R.IN_REVIEW, "no_route")


def test_held_back_by_a_limit_is_no_failure_and_waits_what_was_asked(practice):
    request = approved(practice)
    (newrx,) = rows.send(request, K.NOT_SENT, transient=True, code="throttled", retry_after=7)
    newrx.refresh_from_db()
    assert (newrx.failures, newrx.due_at) == (0, NOW + timedelta(seconds=7))


@pytest.mark.parametrize(("failures", "seconds"), [(0, 30), (1, 30), (2, 60), (5, 480), (6, 900), (50, 900)])
def test_the_wait_doubles_up_to_a_quarter_of_an_hour(failures, seconds):
    assert settlement.backoff_seconds(failures) == seconds


def test_a_final_refusal_shows_the_exact_code_opens_a_task_and_is_urgent(practice):
    request = approved(practice)
    rows.send(request, K.REJECTED, code="900", description_codes=("1000", "2017"), text="Receiver not active")
    request.refresh_from_db()
    assert (request.state, request.queue, request.is_urgent, request.reasons[0]) == (
        R.IN_REVIEW,
        Queue.PRESCRIBER,
        True,
        "transmission_failed",
    )
    assert (request.last_code, request.last_text) == ("900 / 1000 / 2017", "Receiver not active")
    assert [kind for kind, _ in kinds(request)] == ["newrx", "task"]
    assert "900 / 1000 / 2017" in outbox.values_of(only(request, "task"))["note"]


def test_a_patient_who_was_told_nothing_gets_no_apology(practice):
    request = approved(practice)
    rows.send(request, K.REJECTED, code="900")
    assert not Dispatch.objects.filter(request=request, purpose=ReplyPurpose.CORRECTION).exists()
    assert not Entry.objects.filter(event="apology.queued").exists()


def test_a_late_refusal_takes_back_the_reply_and_the_record_that_have_not_left(practice):
    request = approved(practice)
    (newrx,) = rows.send(request, K.ACCEPTED, code="000")
    rows.settle(newrx, K.REJECTED, code="900", is_late=True)
    assert only(request, "reply").state == D.TAKEN_BACK
    assert only(request, "chart").state == D.TAKEN_BACK
    assert not Entry.objects.filter(event="apology.queued").exists()


@pytest.mark.parametrize("reply_state", [D.SENDING, D.ACCEPTED, D.DELIVERED, D.UNKNOWN, D.UNRESOLVED])
def test_whatever_the_patient_may_have_read_is_corrected_once(practice, reply_state):
    request = approved(practice)
    (newrx,) = rows.send(request, K.ACCEPTED, code="000")
    Dispatch.objects.filter(request=request, kind="reply").update(state=reply_state)
    rows.settle(newrx, K.REJECTED, code="900", is_late=True)
    rows.settle(newrx, K.REJECTED, code="900", is_late=True)
    assert Dispatch.objects.filter(request=request, purpose=ReplyPurpose.CORRECTION).count() == 1
    assert Entry.objects.filter(event="apology.queued", request_id=request.id).count() == 1


def test_a_done_prescription_refused_after_all_comes_back_corrected_on_chart_too(practice):
    request = approved(practice)
    (newrx,) = rows.send(request, K.DELIVERED, code="010")
    rows.send(request, K.DELIVERED)
    rows.settle(newrx, K.REJECTED, code="900", is_late=True, now=NOW + timedelta(days=2))
    request.refresh_from_db()
    assert (request.state, request.ended_at) == (R.IN_REVIEW, None)
    notes = [d for d in Dispatch.objects.filter(request=request, kind="chart", state=D.QUEUED)]
    assert [outbox.values_of(note)["how"] for note in notes] == ["note"]


def test_old_news_after_better_news_changes_nothing(practice):
    request = approved(practice)
    (newrx,) = rows.send(request, K.DELIVERED, code="010")
    before = Dispatch.objects.filter(request=request).count()
    rows.settle(newrx, K.ACCEPTED, code="000", is_late=True)
    rows.settle(newrx, K.DELIVERED, code="010", is_late=True)
    request.refresh_from_db()
    assert (request.state, only(request, "newrx").state) == (R.DONE, D.DELIVERED)
    assert Dispatch.objects.filter(request=request).count() == before


def test_the_networks_word_may_come_before_the_attempts_own_answer(practice):
    request = approved(practice)
    (newrx,) = workflow.claim_due(now=NOW, limit=9)
    rows.settle(newrx, K.DELIVERED, code="010", is_late=True)
    rows.settle(newrx, K.ACCEPTED, code="000")
    request.refresh_from_db()
    assert request.state == R.DONE
    assert Entry.objects.filter(event="dispatch.redue", request_id=request.id).count() == 1


@pytest.mark.parametrize("off", [-1, 1])
def test_the_answer_of_another_attempt_is_noted_and_changes_nothing(practice, off):
    request = approved(practice)
    (newrx,) = workflow.claim_due(now=NOW, limit=9)
    newrx.attempt += off
    rows.settle(newrx, K.REJECTED, code="900")
    assert only(request, "newrx").state == D.SENDING


def test_a_prescription_confirmed_as_not_arrived_that_arrives_after_all_is_never_doubled(practice):
    """The person telephoned, we sent afresh; then the network says that the first one is there."""
    request = approved(practice)
    (first,) = rows.send(request, K.ACCEPTED, code="000")
    workflow.find_unresolved(dispatch_ids=[first.id], now=NOW + timedelta(hours=24))
    request.refresh_from_db()
    user = request.prescriber.user
    again = NOW + timedelta(hours=25)
    workflow.confirm_not_arrived(
        request_id=request.id, user=user, version=request.version, now=again, spoke_with="Jo", pharmacy="Oak Street"
    )
    request.refresh_from_db()
    workflow.approve(request_id=request.id, user=user, provider=request.prescriber, version=request.version, now=again)
    rows.settle(first, K.DELIVERED, code="010", is_late=True, now=again)
    second = Dispatch.objects.filter(request=request, kind="newrx").exclude(pk=first.pk).get()
    assert second.id not in {d.id for d in workflow.claim_due(now=again + timedelta(minutes=5), limit=20)}
    second.refresh_from_db()
    assert second.state == D.TAKEN_BACK
    request.refresh_from_db()
    items = RefillRequest.objects.filter(about=request)
    assert request.state in (R.IN_REVIEW, R.DONE)
    assert request.state == R.DONE or request.is_locked or items.exists()


def test_a_refusal_of_a_prescription_already_given_up_does_not_disturb_its_successor(practice):
    request = approved(practice)
    (first,) = rows.send(request, K.ACCEPTED, code="000")
    workflow.find_unresolved(dispatch_ids=[first.id], now=NOW + timedelta(hours=24))
    request.refresh_from_db()
    user, again = request.prescriber.user, NOW + timedelta(hours=25)
    workflow.confirm_not_arrived(
        request_id=request.id, user=user, version=request.version, now=again, spoke_with="Jo", pharmacy="Oak Street"
    )
    request.refresh_from_db()
    workflow.approve(request_id=request.id, user=user, provider=request.prescriber, version=request.version, now=again)
    rows.settle(first, K.REJECTED, code="900", is_late=True, now=again)
    request.refresh_from_db()
    second = Dispatch.objects.filter(request=request, kind="newrx").exclude(pk=first.pk).get()
    assert (request.state, second.state) == (R.APPROVED, D.QUEUED)


# --- successors ----------------------------------------------------------------------------------------------------


def test_three_successors_at_most_then_a_person(practice):
    request = approved(practice)
    ids, now = [], NOW
    for _ in range(4):
        (newrx,) = rows.send(request, K.REJECTED, now=now, code="600", transient=True)
        ids.append(newrx.message_id)
        now += timedelta(minutes=20)
    request.refresh_from_db()
    assert (len(set(ids)), request.state, request.last_code) == (4, R.IN_REVIEW, "600")
    assert Dispatch.objects.filter(request=request, kind="newrx", state=D.QUEUED).count() == 0


def test_a_message_refused_as_4000_goes_once_more_after_a_quarter_of_an_hour(practice):
    request = approved(practice)
    refusal = {"code": "601", "description_codes": ("4000",), "transient": True}
    (first,) = rows.send(request, K.REJECTED, **refusal)
    second = only(request, "newrx", state=D.QUEUED)
    assert (second.predecessor_id, second.due_at) == (first.id, NOW + timedelta(minutes=15))
    rows.send(request, K.REJECTED, now=second.due_at, **refusal)
    request.refresh_from_db()
    assert (request.state, request.last_code) == (R.IN_REVIEW, "601 / 4000")


def test_a_successor_is_the_same_prescription_in_every_byte_but_its_message_id(practice):
    request = approved(practice)
    (first,) = rows.send(request, K.REJECTED, code="600", transient=True)
    second = only(request, "newrx", state=D.QUEUED)
    same = outbox.document_of(second).replace(second.message_id.encode(), first.message_id.encode())
    assert same == outbox.document_of(first)
    assert (second.order_number, second.target) == (first.order_number, first.target)
    assert second.idempotency_key != first.idempotency_key


def test_a_late_transient_refusal_is_a_persons(practice):
    request = approved(practice)
    (newrx,) = rows.send(request, K.ACCEPTED, code="000")
    rows.settle(newrx, K.REJECTED, code="600", transient=True, is_late=True)
    request.refresh_from_db()
    assert request.state == R.IN_REVIEW
    assert Dispatch.objects.filter(request=request, kind="newrx").count() == 1


# --- replies, records, tasks, pages --------------------------------------------------------------------------------


def visit_asked(practice):
    request = rows.admit(practice, reading=rows.replace(rows.PLAIN, is_plain=False))
    workflow.ask_visit(request_id=request.id, user=request.prescriber.user, version=request.version, now=NOW)
    return request


@pytest.mark.parametrize("kind", [K.REJECTED, K.NOT_SENT])
def test_an_end_that_consists_in_telling_is_none_when_the_patient_was_not_told(practice, kind):
    request = visit_asked(practice)
    rows.send(request, kind, code="404", text="conversation gone")
    request.refresh_from_db()
    assert (request.state, request.queue, request.last_code, request.reasons[0]) == (
        R.IN_REVIEW,
        Queue.ASSISTANT,
        "404",
        "reply_failed",
    )


@pytest.mark.parametrize("kind", [K.ACCEPTED, K.DELIVERED, K.HANDED_OVER])
def test_a_told_end_stays_ended(practice, kind):
    request = visit_asked(practice)
    rows.send(request, kind)
    request.refresh_from_db()
    assert request.state == R.VISIT_ASKED


def test_a_confirmation_that_cannot_be_delivered_is_an_item_and_an_alarm(practice):
    request = approved(practice)
    rows.send(request, K.ACCEPTED, code="000")
    rows.send(request, K.REJECTED, code="404")
    request.refresh_from_db()
    assert request.state == R.SENT
    assert RefillRequest.objects.get(about=request, reasons=["reply_failed"]).queue == Queue.ASSISTANT
    assert Alarm.objects.filter(kind="reply_failed").exists()


def test_a_refused_chart_record_becomes_a_note_and_a_refused_note_a_task(practice):
    request = approved(practice)
    rows.send(request, K.ACCEPTED, code="000")
    Dispatch.objects.filter(request=request, kind="reply").update(state=D.ACCEPTED)
    rows.send(request, K.REJECTED, code="http_403")
    note = only(request, "chart", state=D.QUEUED)
    assert outbox.values_of(note)["how"] == "note"
    rows.send(request, K.REJECTED, code="http_403")
    task = only(request, "task")
    assert outbox.values_of(note)["note"] in outbox.values_of(task)["note"]
    request.refresh_from_db()
    assert request.state == R.SENT


def test_two_refused_notes_of_one_request_are_two_tasks_not_a_clash(practice):
    """A record and its correction both refused as notes: each reaches a person, and nothing blocks the settlement."""
    request = approved(practice)
    (newrx,) = rows.send(request, K.DELIVERED, code="010")
    Dispatch.objects.filter(request=request, kind="reply").update(state=D.ACCEPTED)
    (record,) = [d for d in workflow.claim_due(now=NOW, limit=9) if d.kind == "chart"]
    rows.settle(newrx, K.REJECTED, code="900", is_late=True)
    rows.settle(record, K.REJECTED, code="http_403")
    notes = [d for d in workflow.claim_due(now=NOW, limit=9) if d.kind == "chart"]
    assert len(notes) == 2
    workflow.settle(
        results=[
            Result(dispatch_id=d.id, attempt=d.attempt, outcome=Outcome(kind=K.REJECTED, code="http_403"))
            for d in notes
        ],
        now=NOW,
    )
    assert Dispatch.objects.filter(request=request, kind="task", purpose="chart_record").count() == 2


ZOLPIDEM = {
    "name": "Zolpidem tartrate 5 mg oral tablet",
    "rxcui": "854873",
    "dosage_units": "tablet",
    "sig": "Take 1 tablet by mouth at bedtime",
}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (K.ACCEPTED, R.WITH_EHR),
        (K.DELIVERED, R.WITH_EHR),
        (K.REJECTED, R.IN_REVIEW),
        (K.NOT_SENT, R.IN_REVIEW),
        (K.UNKNOWN, R.HANDING_OFF),
    ],
)
def test_a_controlled_request_follows_its_task(practice, kind, state):
    request = rows.admit(practice, rows.make_medication(practice, **ZOLPIDEM))
    rows.send(request, kind, only="task", code="t")
    request.refresh_from_db()
    assert request.state == state
    assert Alarm.objects.filter(kind="task_failed").exists() is (state == R.IN_REVIEW)


def test_a_page_that_does_not_leave_is_an_alarm_and_an_item(practice):
    provider = practice.providers.get()
    type(provider).objects.update(on_call_order=1)
    odd = rows.replace(rows.PLAIN, is_emergency=True, kind=rows.facts.Kind.other)
    ask = rows.make_ask(practice, None, reading=odd)
    request = workflow.admit(asks=[ask], now=NOW).requests[0]
    rows.send(request, K.REJECTED, only="page", code="no_address")
    assert Alarm.objects.filter(kind="page_failed").exists()
    assert RefillRequest.objects.filter(about=request, reasons=["page_failed"]).exists()


def test_a_fax_instead_of_a_message_is_an_alarm(practice):
    request = approved(practice)
    rows.send(request, K.ACCEPTED, code="000", fax_fallback=True)
    assert Alarm.objects.filter(kind="fax_fallback").exists()


# --- cancellations -------------------------------------------------------------------------------------------------


def cancel_asked(practice):
    request = approved(practice)
    rows.send(request, K.ACCEPTED, code="000", only="newrx")
    request.refresh_from_db()
    workflow.ask_cancel(request_id=request.id, user=request.prescriber.user, version=request.version, now=NOW)
    return request


def test_a_cancellation_refused_at_the_network_is_locked_for_a_person(practice):
    request = cancel_asked(practice)
    rows.send(request, K.REJECTED, only="cancelrx", code="900")
    request.refresh_from_db()
    assert (request.state, request.is_locked, request.reasons[0]) == (R.IN_REVIEW, True, "cancel_failed")


@pytest.mark.parametrize("kind", [K.ACCEPTED, K.DELIVERED])
def test_a_cancellation_on_its_way_waits_for_the_pharmacys_own_answer(practice, kind):
    request = cancel_asked(practice)
    rows.send(request, kind, only="cancelrx", code="010")
    request.refresh_from_db()
    assert request.state == R.CANCEL_ASKED


def test_news_of_the_prescription_while_its_cancellation_is_out_moves_nothing(practice):
    request = cancel_asked(practice)
    rows.settle(only(request, "newrx"), K.DELIVERED, code="010", is_late=True)
    request.refresh_from_db()
    assert request.state == R.CANCEL_ASKED


def test_a_refusal_of_the_prescription_while_its_cancellation_is_out_is_an_item(practice):
    request = cancel_asked(practice)
    rows.settle(only(request, "newrx"), K.REJECTED, code="900", is_late=True)
    request.refresh_from_db()
    assert request.state == R.CANCEL_ASKED
    assert RefillRequest.objects.filter(about=request, reasons=["late_rejection"]).exists()


# --- batches and the table -----------------------------------------------------------------------------------------


def test_a_batch_settles_every_practice_and_skips_what_is_gone(practice):
    other = rows.clinic(name="Elsewhere")
    one, two = approved(practice), approved(other)
    claimed = workflow.claim_due(now=NOW, limit=9)

    results = [Result(dispatch_id=d.id, attempt=d.attempt, outcome=Outcome(kind=K.ACCEPTED)) for d in claimed]
    workflow.settle(results=[Result(dispatch_id=uuid.uuid4(), outcome=Outcome(kind=K.ACCEPTED)), *results], now=NOW)
    for request in (one, two):
        request.refresh_from_db()
        assert request.state == R.SENT


NEWS = st.lists(
    st.tuples(
        st.sampled_from([*K, "claim", "repeat", "lost", "unresolved"]),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["", "600", "900"]),
    ),
    max_size=9,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(news=NEWS)
def test_no_sequence_of_outcomes_moves_a_request_against_its_table(practice, news):
    """Whatever the wire says in whatever order: only moves of the table, never two live prescriptions."""
    patient = f"7{next(_number)}"
    medication = rows.make_medication(practice, patient)
    request = rows.admit(practice, medication, patient_external_id=patient, sender_id=f"pat_{patient}")
    Dispatch.objects.filter(request=request).update(may_be_repeated=True)
    now, before = NOW, request.state
    for kind, is_late, transient, code in news:
        now += timedelta(minutes=31)
        mine = list(Dispatch.objects.filter(request=request, kind="newrx"))
        if kind == "claim":
            workflow.claim_due(now=now, limit=50)
        elif kind == "repeat":
            workflow.claim_repeats(now=now, limit=50)
        elif kind == "lost":
            workflow.lose_leases(now=now)
        elif kind == "unresolved":
            workflow.find_unresolved(dispatch_ids=[d.id for d in mine], now=now)
        else:
            rows.settle(mine[-1], kind, now=now, is_late=is_late, transient=transient, code=code)
        request.refresh_from_db()
        moved = {to for (state, _), tos in states.REQUEST_MOVES.items() if state == before for to in tos}
        assert request.state == before or request.state in moved
        live = [
            d
            for d in Dispatch.objects.filter(request=request, kind="newrx", is_void=False)
            if d.state not in (D.REJECTED, D.TAKEN_BACK, D.SHADOWED)
        ]
        assert len(live) <= 1
        before = request.state


_number = itertools.count(1000000)
