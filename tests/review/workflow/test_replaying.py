"""A dead message goes anew by a click, once; never what may have arrived, is the card's, or is no longer true."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from audit.models import Entry
from integrations.outcome import OutcomeKind
from refillhub.practices.models import Role
from review import outbox, workflow
from review.models import Dispatch, RefillRequest
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def sent_with_dead_reply(practice=None):
    """A request taken by the network whose message to the patient was refused."""
    practice = practice or rows.clinic()
    request = rows.admit(practice)
    rows.send(request, OutcomeKind.ACCEPTED, only="newrx")
    rows.send(request, OutcomeKind.REJECTED, only="reply", code="422", text="conversation closed")
    request.refresh_from_db()
    return request, Dispatch.objects.get(request=request, kind="reply")


def mia_of(request):
    return rows.make_user(request.practice, Role.assistant, "Mia")


def refused(request, dispatch, user=None):
    with pytest.raises(workflow.NotPossible) as caught:
        workflow.replay(request_id=request.id, dispatch_id=dispatch.id, user=user or mia_of(request), now=LATER)
    return caught.value.reason


def test_a_dead_reply_goes_anew_with_the_same_bytes_and_is_linked_and_audited():
    request, dead = sent_with_dead_reply()
    user = mia_of(request)
    made = workflow.replay(request_id=request.id, dispatch_id=dead.id, user=user, now=LATER)
    made.refresh_from_db()
    dead.refresh_from_db()
    assert (dead.state, made.state, made.predecessor_id) == ("rejected", "queued", dead.id)
    assert (made.document_sha256, made.target, made.purpose) == (dead.document_sha256, dead.target, dead.purpose)
    assert outbox.document_of(made) == outbox.document_of(dead)
    assert made.idempotency_key != dead.idempotency_key
    entry = Entry.objects.get(event="dispatch.replayed", request_id=request.id)
    assert entry.actor_id == str(user.id)
    assert str(made.id) in entry.body
    assert str(dead.id) in entry.body


def test_the_new_one_really_leaves_and_may_be_delivered():
    request, dead = sent_with_dead_reply()
    made = workflow.replay(request_id=request.id, dispatch_id=dead.id, user=mia_of(request), now=LATER)
    assert [one.id for one in rows.send(request, OutcomeKind.DELIVERED, now=LATER)] == [made.id]
    made.refresh_from_db()
    assert made.state == "delivered"


def test_a_double_click_makes_one():
    request, dead = sent_with_dead_reply()
    user = mia_of(request)
    workflow.replay(request_id=request.id, dispatch_id=dead.id, user=user, now=LATER)
    assert refused(request, dead, user) == "has_successor"
    assert Dispatch.objects.filter(request=request, kind="reply").count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_make_one_because_the_second_waits_for_the_row():
    request, dead = sent_with_dead_reply()
    people = [mia_of(request), mia_of(request)]
    gate, said = threading.Barrier(2), []

    def press(user):
        gate.wait()
        try:
            workflow.replay(request_id=request.id, dispatch_id=dead.id, user=user, now=LATER)
            said.append("made")
        except workflow.NotPossible as no:
            said.append(no.reason)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(user,)) for user in people]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=20)
    assert sorted(said) == ["has_successor", "made"]
    assert Dispatch.objects.filter(predecessor=dead).count() == 1


def test_the_request_is_locked_before_its_dispatches(django_assert_max_num_queries):
    request, dead = sent_with_dead_reply()
    user = mia_of(request)
    with django_assert_max_num_queries(20) as caught:
        workflow.replay(request_id=request.id, dispatch_id=dead.id, user=user, now=LATER)
    locks = [one["sql"] for one in caught.captured_queries if "FOR UPDATE" in one["sql"]]
    assert "review_refillrequest" in locks[0]
    assert "review_dispatch" in locks[1]
    assert "audit_head" in locks[-1]
    assert connection.in_atomic_block  # only the test's own


@pytest.mark.parametrize("state", ["queued", "sending", "retry_wait", "accepted", "delivered", "unknown", "unresolved",
                                   "taken_back"])
def test_only_what_was_surely_refused_goes_anew(state):
    request, dead = sent_with_dead_reply()
    Dispatch.objects.filter(pk=dead.pk).update(state=state)
    assert refused(request, dead) == "not_dead"


@pytest.mark.parametrize("values", [{"was_repeated": True}, {"accepted_at": NOW}])
def test_what_may_have_arrived_by_an_earlier_attempt_never_goes_anew(values):
    request, dead = sent_with_dead_reply()
    Dispatch.objects.filter(pk=dead.pk).update(**values)
    assert refused(request, dead) == "may_have_arrived"


@pytest.mark.parametrize("kind", ["newrx", "cancelrx", "answer"])
def test_what_goes_to_a_pharmacy_is_the_cards_only(kind):
    request = rows.admit(rows.clinic())
    rows.send(request, OutcomeKind.REJECTED, only="newrx", code="900")
    dead = Dispatch.objects.get(request=request, kind="newrx")
    Dispatch.objects.filter(pk=dead.pk).update(kind=kind)
    assert refused(request, dead) == "card_only"
    assert not Dispatch.objects.filter(predecessor=dead).exists()


@pytest.mark.parametrize("purpose", ["controlled", "hand_off"])
def test_a_task_to_prescribe_is_the_cards_for_two_tasks_are_two_prescriptions(purpose):
    request, dead = sent_with_dead_reply()
    Dispatch.objects.filter(pk=dead.pk).update(kind="task", lane="drchrono", purpose=purpose)
    assert refused(request, dead) == "card_only"


def test_a_task_that_asks_for_no_prescription_goes_anew():
    request, dead = sent_with_dead_reply()
    Dispatch.objects.filter(pk=dead.pk).update(kind="task", lane="drchrono", purpose="chart_record")
    made = workflow.replay(request_id=request.id, dispatch_id=dead.id, user=mia_of(request), now=LATER)
    assert (made.kind, made.lane) == ("task", "drchrono")


@pytest.mark.parametrize(("purpose", "state", "may"), [
    ("sent", "in_review", False), ("sent", "done", True), ("denied", "in_review", False), ("visit", "approved", False),
    ("received", "sent", False), ("emergency", "in_review", True), ("correction", "done", False), ("", "done", False),
])  # fmt: skip
def test_a_patient_is_never_told_what_is_no_longer_true(purpose, state, may):
    request, dead = sent_with_dead_reply()
    Dispatch.objects.filter(pk=dead.pk).update(purpose=purpose)
    RefillRequest.objects.filter(pk=request.pk).update(state=state)
    if may:
        assert workflow.replay(request_id=request.id, dispatch_id=dead.id, user=mia_of(request), now=LATER).purpose
    else:
        assert refused(request, dead) == "no_longer_true"


def test_a_chart_record_of_what_came_back_is_not_written():
    request, dead = sent_with_dead_reply()
    Dispatch.objects.filter(pk=dead.pk).update(kind="chart", lane="drchrono", purpose="")
    RefillRequest.objects.filter(pk=request.pk).update(state="in_review")
    assert refused(request, dead) == "no_longer_true"


def test_a_later_message_of_its_kind_takes_its_place():
    request, dead = sent_with_dead_reply()
    Dispatch.objects.create(
        practice=request.practice, request=request, kind="reply", purpose=dead.purpose, lane="klara", state="queued",
        is_shadow=False, document_sealed=b"x", document_sha256="0" * 64, idempotency_key="later", due_at=LATER,
        queued_at=LATER,
    )  # fmt: skip
    assert refused(request, dead) == "later_one"


def test_after_three_successors_a_person_uses_the_telephone():
    request, dead = sent_with_dead_reply()
    for count in range(3):
        at = LATER + timedelta(minutes=count)
        dead = workflow.replay(request_id=request.id, dispatch_id=dead.id, user=mia_of(request), now=at)
        rows.send(request, OutcomeKind.REJECTED, now=at, only="reply")
    assert refused(request, dead) == "too_often"


def test_a_stranger_is_refused():
    request, dead = sent_with_dead_reply()
    mallory = rows.make_user(rows.make_practice(name="Elsewhere Clinic"), Role.assistant, "Mallory")
    assert refused(request, dead, mallory) == "not_yours"
