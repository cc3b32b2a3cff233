"""A person's acts: what each does to the row and to what leaves, when it is refused, and that each is on the record."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from audit.models import Entry
from integrations.models import MirrorMedication, MirrorPatient
from integrations.outcome import OutcomeKind
from integrations.surescripts import script_read
from refillhub.practices.models import Practice
from review import outbox, workflow
from review.models import Comment, Dispatch, Kind, Queue, RefillRequest
from review.states import DispatchState, RequestState, WrongState
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
R, D = RequestState, DispatchState


@pytest.fixture
def practice():
    return rows.clinic(undo_seconds_person=30)


@pytest.fixture
def waiting(practice):
    request = rows.admit(practice, reading=replace(rows.PLAIN, is_plain=False))
    assert request.state == R.IN_REVIEW
    return request


def do(verb, request, *, now=NOW, **values):
    request.refresh_from_db()
    values.setdefault("version", request.version)
    made = verb(request_id=request.id, user=request.prescriber.user, now=now, **values)
    request.refresh_from_db()
    return made


def approve(request, **values):
    return do(workflow.approve, request, provider=request.prescriber, **values)


def texts(request):
    return [outbox.values_of(d)["text"] for d in Dispatch.objects.filter(request=request, kind="reply")]


def refused(reason, work):
    with pytest.raises(workflow.NotPossible) as caught:
        work()
    assert caught.value.reason == reason
    assert Dispatch.objects.count() == 0


# --- approving ----------------------------------------------------------------------------------------------------


def test_an_approval_is_in_the_approving_providers_own_name_and_leaves_after_the_undo_window(practice, waiting):
    lind = rows.make_provider(practice, "Lind", doctor_id="302119")
    do(workflow.approve, waiting, provider=lind)
    newrx = Dispatch.objects.get(request=waiting, kind="newrx")
    assert (waiting.state, waiting.is_automatic, waiting.prescriber_id, newrx.due_at) == (
        R.APPROVED,
        False,
        lind.id,
        NOW + timedelta(seconds=30),
    )
    said = script_read.read(outbox.document_of(newrx))
    assert said.prescriber.npi == lind.npi
    assert said.header.sender.id == lind.spis.get().spi
    assert Entry.objects.get(event="request.approved").request_id == waiting.id


def test_changes_are_what_is_prescribed_and_their_names_are_on_the_record(practice, waiting):
    changes = workflow.Changes(quantity=Decimal(30), days_supply=30, refills=1, sig="Take 1 capsule daily")
    approve(waiting, changes=changes)
    said = script_read.read(outbox.document_of(Dispatch.objects.get(kind="newrx"))).prescribed
    assert (said.quantity, said.days_supply, said.refills, said.sig) == (30, 30, 1, "Take 1 capsule daily")
    entry = json.loads(Entry.objects.get(event="request.approved").body)
    assert entry["data"]["changed"] == ["quantity", "days_supply", "refills", "sig"]


def test_what_does_not_fit_is_refused_and_nothing_is_written(practice, waiting):
    refused("does_not_fit", lambda: approve(waiting, changes=workflow.Changes(sig="x" * 2000)))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.sig) == (R.IN_REVIEW, "Take 1 capsule by mouth once daily")
    assert not Entry.objects.filter(event="request.approved").exists()


def test_a_pharmacy_that_takes_nothing_is_refused(practice, waiting):
    rows.make_pharmacy("9990077", directory_state="missing")
    for number in ("9990077", "9999999"):
        refused("pharmacy_not_current", lambda n=number: approve(waiting, changes=workflow.Changes(pharmacy_ncpdp=n)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda: Practice.objects.update(sending_stopped_at=NOW), "sending_stopped"),
        (lambda: MirrorMedication.objects.update(is_active=False), "entry_gone"),
        (lambda: MirrorMedication.objects.update(gone_at=NOW), "entry_gone"),
        (lambda: MirrorMedication.objects.update(record_hash="z"), "entry_changed"),
        (lambda: MirrorPatient.objects.update(status="D"), "patient_not_active"),
        (lambda: MirrorPatient.objects.all()[0].medications.update(external_id="1"), "entry_gone"),
        (lambda: RefillRequest.objects.update(snapshot_sealed=None), "identity_missing"),
    ],
)
def test_each_check_at_the_moment_of_approval_alone(practice, waiting, change, reason):
    change()
    refused(reason, lambda: approve(waiting))


def test_news_not_read_yet_is_read_first(practice, waiting):
    event = rows.make_event(practice, progress="received")
    refused("news_unread", lambda: approve(waiting))
    event.progress = "read"
    event.save()
    approve(waiting)


def test_a_prescription_for_the_drug_within_a_day_refuses_and_a_day_later_no_more(practice, waiting):
    other = rows.admit(
        practice, rows.make_medication(practice, "70112346"), patient_external_id="70112346", sender_id="pat_2"
    )
    rows.send(other, OutcomeKind.DELIVERED, code="010", only="newrx")
    RefillRequest.objects.filter(pk=other.pk).update(patient_external_id="70112345")
    with pytest.raises(workflow.NotPossible) as caught:
        approve(waiting, now=NOW + timedelta(hours=24))
    assert caught.value.reason == "supply_exists"
    approve(waiting, now=NOW + timedelta(hours=24, seconds=1))
    assert waiting.state == R.APPROVED


@pytest.mark.parametrize("schedule", ["ii", "iii", "iv", "v", "unknown"])
def test_a_drug_not_surely_uncontrolled_becomes_a_task_never_a_prescription(practice, waiting, schedule):
    RefillRequest.objects.update(schedule=schedule)
    approve(waiting)
    assert (waiting.state, waiting.assignee_id) == (R.HANDING_OFF, waiting.prescriber_id)
    assert list(Dispatch.objects.values_list("kind", flat=True)) == ["task"]


def test_a_message_has_nothing_to_approve(practice):
    item = workflow.admit(asks=[rows.make_ask(practice, None)], now=NOW).requests[0]
    provider = practice.providers.get()
    refused(
        "nothing_to_approve",
        lambda: workflow.approve(
            request_id=item.id, user=provider.user, provider=provider, version=item.version, now=NOW
        ),
    )


def test_a_shadow_approval_ends_at_once_and_stays(practice):
    practice.is_shadow = True
    practice.save()
    request = rows.admit(practice, reading=replace(rows.PLAIN, is_plain=False))
    approve(request)
    assert request.state == R.DONE
    assert set(Dispatch.objects.values_list("state", flat=True)) == {D.SHADOWED}


# --- telling ------------------------------------------------------------------------------------------------------


def test_a_denial_needs_a_listed_reason_and_tells_it_after_the_undo_window(practice, waiting):
    with pytest.raises(workflow.NotPossible):
        do(workflow.deny, waiting, code="XX")
    do(workflow.deny, waiting, code="AM", note="Please call.")
    (reply,) = Dispatch.objects.filter(kind="reply")
    assert (waiting.state, waiting.answer_code, reply.due_at) == (R.DENIED, "AM", NOW + timedelta(seconds=30))
    assert "We would like to see you first. Please call." in texts(waiting)[0]


@pytest.mark.parametrize(
    ("verb", "state", "word"),
    [
        (workflow.ask_visit, R.VISIT_ASKED, "book.example.org"),
        (workflow.tell, R.TOLD, "refills left"),
    ],
)
def test_asking_for_a_visit_and_telling_of_fills_left(practice, waiting, verb, state, word):
    do(verb, waiting)
    assert waiting.state == state
    assert word in texts(waiting)[0]


def test_without_a_conversation_nothing_is_ended_by_telling(practice, waiting):
    RefillRequest.objects.update(conversation_id="")
    refused("nobody_to_answer", lambda: do(workflow.deny, waiting, code="AM"))
    waiting.refresh_from_db()
    assert waiting.state == R.IN_REVIEW


def test_an_answer_needs_a_reason_and_sends_words_only_where_given(practice, waiting):
    refused("reason_needed", lambda: do(workflow.answer, waiting, reason="  "))
    do(workflow.answer, waiting, reason="phoned", text="")
    assert (waiting.state, waiting.answer_code) == (R.ANSWERED, "phoned")
    assert texts(waiting) == []


def test_an_answer_with_words_reaches_the_patient_verbatim(practice, waiting):
    do(workflow.answer, waiting, reason="told", text="Please call us.")
    assert texts(waiting) == ["Please call us."]


# --- undo ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        approve,
        lambda request: do(workflow.deny, request, code="AM"),
        lambda request: do(workflow.ask_visit, request),
        lambda request: do(workflow.tell, request),
    ],
)
def test_each_decision_can_be_undone_while_it_is_queued_and_not_after_the_claim(practice, waiting, act):
    act(waiting)
    do(workflow.take_back, waiting, version=None)
    assert (waiting.state, waiting.reasons[0]) == (R.IN_REVIEW, "taken_back")
    assert set(Dispatch.objects.values_list("state", flat=True)) == {D.TAKEN_BACK}
    act(waiting)
    assert workflow.claim_due(now=NOW + timedelta(seconds=30), limit=9)
    with pytest.raises(workflow.NotPossible):
        do(workflow.take_back, waiting, version=None)


def test_what_ended_for_good_cannot_be_undone(practice, waiting):
    do(workflow.answer, waiting, reason="x")
    with pytest.raises(workflow.NotPossible):
        do(workflow.take_back, waiting, version=None)


# --- locks, comments, queues --------------------------------------------------------------------------------------


def locked(practice):
    request = rows.admit(practice)
    (newrx,) = rows.send(request, OutcomeKind.ACCEPTED, code="000")
    workflow.find_unresolved(dispatch_ids=[newrx.id], now=NOW)
    return request, newrx


@pytest.mark.parametrize("verb", [workflow.confirm_arrived, workflow.confirm_not_arrived])
def test_a_confirmation_needs_a_lock(practice, waiting, verb):
    with pytest.raises(WrongState):
        do(verb, waiting, spoke_with="Jo", pharmacy="Oak")


def test_arrived_ends_it_and_keeps_who_said_so_sealed(practice):
    request, newrx = locked(practice)
    for names in ({"spoke_with": " ", "pharmacy": "Oak"}, {"spoke_with": "Jo", "pharmacy": ""}):
        with pytest.raises(workflow.NotPossible):
            do(workflow.confirm_arrived, request, **names)
    do(workflow.confirm_arrived, request, spoke_with="Jo Smith", pharmacy="Oak")
    assert (request.state, request.is_locked) == (R.DONE, False)
    assert b"Jo Smith" not in bytes(Comment.objects.get().text_sealed)
    assert Dispatch.objects.maybe_delivered().filter(pk=newrx.pk).exists()


def test_not_arrived_unlocks_and_frees_the_supply(practice):
    request, newrx = locked(practice)
    do(workflow.confirm_not_arrived, request, spoke_with="Jo", pharmacy="Oak")
    assert (request.state, request.is_locked) == (R.IN_REVIEW, False)
    assert not Dispatch.objects.maybe_delivered().filter(pk=newrx.pk).exists()
    approve(request)
    assert Dispatch.objects.filter(request=request, kind="newrx", state=D.QUEUED).count() == 1


def test_reassigning_keeps_it_in_review_with_its_new_owner(practice, waiting):
    do(workflow.reassign, waiting, queue=Queue.ASSISTANT)
    assert (waiting.state, waiting.queue, waiting.assignee_id) == (R.IN_REVIEW, Queue.ASSISTANT, None)


def test_a_hand_off_is_a_task_for_the_named_prescriber(practice, waiting):
    lind = rows.make_provider(practice, "Lind", doctor_id="302119")
    do(workflow.hand_off, waiting, provider=lind)
    task = Dispatch.objects.get(kind="task")
    assert (waiting.state, task.target) == (R.HANDING_OFF, lind.drchrono_user_id)


def test_cancelling_needs_a_reason_and_sends_nothing(practice, waiting):
    refused("reason_needed", lambda: do(workflow.cancel, waiting, reason=""))
    do(workflow.cancel, waiting, reason="asked_twice")
    assert waiting.state == R.CANCELLED
    assert Dispatch.objects.count() == 0


@pytest.mark.parametrize("levels", [["New"], []])
def test_a_cancellation_the_pharmacy_does_not_take_is_refused(practice, levels):
    request = rows.admit(practice)
    rows.send(request, OutcomeKind.ACCEPTED, code="000", only="newrx")
    row = rows.make_pharmacy()
    row.service_levels = levels
    row.save()
    with pytest.raises(workflow.NotPossible):
        do(workflow.ask_cancel, request)
    request.refresh_from_db()
    assert request.state == R.SENT


def test_a_cancellation_names_the_prescription_it_withdraws(practice):
    request = rows.admit(practice)
    (newrx,) = rows.send(request, OutcomeKind.ACCEPTED, code="000", only="newrx")
    do(workflow.ask_cancel, request)
    cancel = Dispatch.objects.get(kind="cancelrx")
    said = script_read.read(outbox.document_of(cancel))
    assert (said.header.relates_to, said.header.order_number) == (newrx.message_id, newrx.order_number)
    assert (request.state, cancel.state) == (R.CANCEL_ASKED, D.QUEUED)


@pytest.mark.parametrize(
    "work",
    [
        lambda request: do(workflow.deny, request, code="AM", version=0),
        lambda request: approve(request, version=0),
        lambda request: do(workflow.answer, request, reason="x", version=0),
        lambda request: do(workflow.reassign, request, queue="assistant", version=0),
        lambda request: do(workflow.cancel, request, reason="x", version=0),
    ],
)
def test_a_page_shown_before_somebody_else_acted_changes_nothing(practice, waiting, work):
    with pytest.raises(workflow.AlreadyDecided) as caught:
        work(waiting)
    assert caught.value.request.id == waiting.id
    waiting.refresh_from_db()
    assert waiting.state == R.IN_REVIEW
    assert Dispatch.objects.count() == 0


def test_a_comment_changes_no_state_and_is_sealed(practice, waiting):
    before = waiting.version
    workflow.comment(request_id=waiting.id, user=waiting.prescriber.user, now=NOW, text="Called Ana")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.version) == (R.IN_REVIEW, before)
    assert b"Ana" not in bytes(Comment.objects.get().text_sealed)


def test_a_pharmacy_change_is_approved_to_a_current_pharmacy_only(practice):
    reading = replace(rows.PLAIN, kind=rows.facts.Kind.pharmacy_change, is_plain=False)
    ask = replace(rows.make_ask(practice, None, reading=reading), kind=Kind.PHARMACY_CHANGE)
    request = workflow.admit(asks=[ask], now=NOW).requests[0]
    provider = practice.providers.get()
    rows.make_pharmacy("9990002", name="Elm")
    workflow.approve(
        request_id=request.id,
        user=provider.user,
        provider=provider,
        version=request.version,
        now=NOW,
        changes=workflow.Changes(pharmacy_ncpdp="9990002"),
    )
    made = Dispatch.objects.get(kind="pharmacy")
    assert outbox.values_of(made) == {"patient": "70112345", "ncpdp": "9990002"}
