"""The outbox: frozen bytes, stable keys, shadow unsendable for ever, leases that end in unknown."""

import hashlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from integrations.outcome import OutcomeKind
from review import outbox, workflow
from review.ledger import Ledger
from review.models import Dispatch, DispatchKind, ReplyPurpose
from review.states import DispatchState
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_():
    return rows.admit(rows.clinic())


def frozen(request, **values):
    return outbox.freeze(
        **{
            "request": request,
            "kind": DispatchKind.REPLY,
            "document": {"b": 1, "a": "ñ"},
            "now": NOW,
            "purpose": ReplyPurpose.ANSWER,
            **values,
        }
    )


def test_what_is_frozen_comes_back_byte_for_byte_and_is_sealed(request_):
    made = frozen(request_, document=b"<Message>Ana</Message>")
    assert outbox.document_of(made) == b"<Message>Ana</Message>"
    assert made.document_sha256 == hashlib.sha256(b"<Message>Ana</Message>").hexdigest()
    assert b"Ana" not in made.document_sealed
    assert outbox.values_of(frozen(request_)) == {"a": "ñ", "b": 1}


def test_the_key_is_the_same_for_the_same_message_and_another_for_any_other(request_):
    key = frozen(request_).idempotency_key
    assert frozen(request_, document={"other": 1}).idempotency_key == key
    others = [
        frozen(request_, purpose=ReplyPurpose.SENT),
        frozen(request_, revision=99),
        frozen(request_, kind=DispatchKind.TASK),
    ]
    assert len({key, *(one.idempotency_key for one in others)}) == 4


def test_one_message_cannot_be_queued_twice(request_):
    ledger = Ledger(now=NOW)
    outbox.put(dispatches=[frozen(request_)], ledger=ledger)
    with pytest.raises(IntegrityError), transaction.atomic():
        outbox.put(dispatches=[frozen(request_)], ledger=ledger)


def test_two_live_prescriptions_of_one_request_cannot_exist(request_):
    first = Dispatch.objects.get(kind="newrx")
    second = outbox.freeze(
        request=request_, kind=DispatchKind.NEWRX, document=b"x", now=NOW, message_id="m2", revision=77
    )
    with pytest.raises(IntegrityError, match="one_live_newrx_per_request"), transaction.atomic():
        outbox.put(dispatches=[second], ledger=Ledger(now=NOW))
    Dispatch.objects.filter(pk=first.pk).update(state=DispatchState.REJECTED)
    outbox.put(dispatches=[second], ledger=Ledger(now=NOW))


@pytest.mark.parametrize("schedule", ["ii", "iii", "iv", "v", "unknown", ""])
def test_the_database_refuses_a_controlled_or_unknown_drug_on_the_routine_lane(request_, schedule):
    Dispatch.objects.filter(kind="newrx").update(state=DispatchState.REJECTED)
    request_.schedule = schedule
    made = outbox.freeze(
        request=request_, kind=DispatchKind.NEWRX, document=b"x", now=NOW, message_id="m3", revision=78
    )
    with pytest.raises(IntegrityError, match="controlled_is_signed"), transaction.atomic():
        outbox.put(dispatches=[made], ledger=Ledger(now=NOW))


@pytest.mark.parametrize("state", [one for one in DispatchState if one is not DispatchState.SHADOWED])
def test_the_database_refuses_to_make_a_shadow_sendable(request_, state):
    request_.is_shadow = True
    made = frozen(request_)
    outbox.put(dispatches=[made], ledger=Ledger(now=NOW))
    with pytest.raises(IntegrityError, match="shadow_is_unsendable"), transaction.atomic():
        Dispatch.objects.filter(pk=made.pk).update(state=state)


@pytest.mark.parametrize("state", list(DispatchState))
def test_only_what_has_not_left_is_taken_back(request_, state):
    if state is DispatchState.SHADOWED:
        Dispatch.objects.update(is_shadow=True, state=state)
    Dispatch.objects.update(state=state)
    dispatch = Dispatch.objects.get()
    taken = outbox.take_back(dispatches=[dispatch], ledger=Ledger(now=NOW))
    dispatch.refresh_from_db()
    left = state not in (DispatchState.QUEUED, DispatchState.RETRY_WAIT)
    assert (dispatch.state, len(taken)) == ((state, 0) if left else (DispatchState.TAKEN_BACK, 1))


def test_a_claim_has_a_lease_and_ends_unknown_not_queued_at_the_moment_after(request_):
    (claimed,) = workflow.claim_due(now=NOW, limit=9)
    claimed.refresh_from_db()
    assert claimed.lease_until == NOW + outbox.LEASE
    assert workflow.lose_leases(now=NOW + outbox.LEASE) == []
    assert workflow.lose_leases(now=NOW + outbox.LEASE + timedelta(seconds=1)) == [claimed.id]
    claimed.refresh_from_db()
    assert (claimed.state, claimed.lease_until) == (DispatchState.UNKNOWN, None)


def test_the_lease_is_longer_than_the_longest_call():
    assert outbox.LEASE.total_seconds() > 5 + 30


def test_a_repeat_keeps_message_id_key_and_bytes(request_, settings):
    before = Dispatch.objects.get()
    Dispatch.objects.update(may_be_repeated=True)
    rows.send(request_, OutcomeKind.UNKNOWN)
    (again,) = workflow.claim_repeats(now=NOW + timedelta(seconds=settings.RECONCILE_AFTER_SECONDS), limit=9)
    again.refresh_from_db()
    same = ("message_id", "idempotency_key", "document_sha256", "order_number")
    assert [getattr(again, one) for one in same] == [getattr(before, one) for one in same]
    assert (again.state, again.attempt, again.was_repeated) == (DispatchState.SENDING, 2, True)
