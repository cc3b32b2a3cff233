"""Delivery: each claimed dispatch is sent once; a fault of ours is unknown; one fault stops no other."""

from datetime import timedelta

import pytest

from integrations.outcome import Outcome, OutcomeKind
from refillhub.practices import sealing
from review import charts, delivery, sending, workflow
from review.models import Dispatch
from review.states import DispatchState, RequestState
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.clinic()


@pytest.fixture
def wire(monkeypatch):
    """What was sent, in order; `answers` by kind, an exception is raised."""

    class Wire(list):
        answers: dict = {}

    box = Wire()
    box.answers = {}

    def send(*, dispatch, connection, now):
        box.append((dispatch.kind, str(dispatch.id)))
        answer = box.answers.get(dispatch.kind, Outcome(kind=OutcomeKind.ACCEPTED, code="000"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(sending, "send", send)
    return box


def test_what_is_due_is_sent_once_and_settled(practice, wire):
    request = rows.admit(practice)
    assert delivery.deliver_due(now=NOW) == 1
    assert [kind for kind, _ in wire] == ["newrx"]
    request.refresh_from_db()
    assert request.state == RequestState.SENT
    assert delivery.deliver_due(now=NOW + timedelta(seconds=1)) == 2
    assert sorted(kind for kind, _ in wire[1:]) == ["chart", "reply"]
    assert delivery.deliver_due(now=NOW + timedelta(seconds=2)) == 0
    assert len(set(wire)) == len(wire) == 3


def test_a_fault_of_our_own_after_the_claim_is_unknown_and_not_sent_again(practice, wire):
    rows.admit(practice)
    wire.answers["newrx"] = RuntimeError("bug")
    delivery.deliver_due(now=NOW)
    newrx = Dispatch.objects.get(kind="newrx")
    assert (newrx.state, newrx.code) == (DispatchState.UNKNOWN, "internal")
    assert delivery.deliver_due(now=NOW + timedelta(minutes=10)) == 0
    assert len(wire) == 1


def test_one_that_fails_leaves_the_others_alone(practice, wire):
    rows.admit(practice)
    rows.admit(practice, rows.make_medication(practice, "70112346"), patient_external_id="70112346", sender_id="pat_2")
    calls = iter([RuntimeError("bug"), Outcome(kind=OutcomeKind.ACCEPTED)])
    wire.answers = type("Answers", (), {"get": staticmethod(lambda kind, default: next(calls))})
    delivery.deliver_due(now=NOW)
    assert sorted(Dispatch.objects.filter(kind="newrx").values_list("state", flat=True)) == ["accepted", "unknown"]


def test_a_repeat_that_did_not_leave_proves_nothing_of_the_first_copy(practice, monkeypatch):
    rows.admit(practice)
    dispatch = Dispatch.objects.get()
    dispatch.was_repeated = True
    outcome = sending.send(dispatch=dispatch, connection=None, now=NOW)
    assert (outcome.kind, outcome.transient) == (OutcomeKind.UNKNOWN, False)


def test_without_a_connection_nothing_leaves_and_a_person_gets_it(practice):
    request = rows.admit(practice)
    delivery.deliver_due(now=NOW)
    request.refresh_from_db()
    assert (request.state, request.last_code) == (RequestState.IN_REVIEW, "not_connected")


def test_an_empty_line_costs_nothing(practice, wire):
    assert delivery.deliver_due(now=NOW) == 0
    assert delivery.repeat_due(now=NOW) == 0
    assert wire == []


@pytest.fixture
def stale(practice):
    """An approved prescription whose patient was read an hour ago."""
    request = rows.admit(practice)
    type(request).objects.update(snapshot_at=NOW - timedelta(hours=1))
    return request


def test_what_is_due_leaves_before_any_patient_is_read_again(practice, wire, stale, monkeypatch):
    fresh = rows.admit(
        practice, rows.make_medication(practice, "70112346"), patient_external_id="70112346", sender_id="pat_2"
    )
    sent_at_reading = []

    def read(**_given):
        sent_at_reading.append(len(wire))
        return charts.Chart(reason="chart_unreached")

    monkeypatch.setattr(charts, "read", read)
    assert delivery.deliver_due(now=NOW) == 1
    assert sent_at_reading == [1]
    fresh.refresh_from_db()
    assert fresh.state == RequestState.SENT


def test_a_patient_whose_chart_gives_no_answer_is_asked_for_once_a_minute(stale, wire, monkeypatch):
    asked = []
    monkeypatch.setattr(charts, "read", lambda **given: asked.append(given["now"]) or charts.Chart(reason="any"))
    for seconds in range(0, 600, 2):
        delivery.deliver_due(now=NOW + timedelta(seconds=seconds))
    assert 8 <= len(asked) <= 11  # a wait of a minute ends a door's wait early
    assert wire == []


def test_a_fault_while_a_patient_is_read_again_stops_no_delivery(practice, wire, stale, monkeypatch):
    def read(**_given):
        raise sealing.UnknownKey("k")

    monkeypatch.setattr(charts, "read", read)
    rows.admit(practice, rows.make_medication(practice, "70112346"), patient_external_id="70112346", sender_id="pat_2")
    delivery.deliver_due(now=NOW)
    assert [kind for kind, _ in wire] == ["newrx"]
    assert Dispatch.objects.get(request=stale).state == DispatchState.QUEUED


def test_a_patient_who_is_no_longer_in_the_chart_brings_the_prescription_back_at_once(stale, wire, monkeypatch):
    monkeypatch.setattr(charts, "read", lambda **_given: charts.Chart(reason="patient_not_in_chart"))
    delivery.deliver_due(now=NOW)
    stale.refresh_from_db()
    assert (stale.state, stale.reasons[0], stale.is_urgent) == (RequestState.IN_REVIEW, "patient_not_in_chart", True)
    assert wire == []


def test_a_patient_read_again_lets_the_prescription_leave_in_the_same_pass(stale, wire, monkeypatch):
    monkeypatch.setattr(charts, "read", lambda **_given: charts.Chart(snapshot=object()))

    def renew(*, request_id, snapshot, now):
        type(stale).objects.filter(id=request_id).update(snapshot_at=now)

    monkeypatch.setattr(workflow, "renew_snapshot", renew)
    assert delivery.deliver_due(now=NOW) == 1
    assert [kind for kind, _ in wire] == ["newrx"]
