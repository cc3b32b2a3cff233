"""The network's mail: stored before it is acknowledged, applied once, in order; what matches nothing is a person's."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from integrations import limits
from integrations.http import VendorError
from integrations.models import Connection
from integrations.outcome import OutcomeKind
from integrations.surescripts import script_read
from integrations.surescripts.types import FetchResult, UnreadableMail
from review import mailbox, sending, workflow
from review.models import Dispatch, FillReport, Kind, NetworkMail, RefillRequest, Source
from review.states import DispatchState, RequestState
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
LETTERS = Path(__file__).resolve().parent.parent / "fixtures" / "surescripts"
FIRST = "6f1c0f6b8f2e4c0e9a7d51c3e4b20a11"  # the message that the captured letters relate to
CANCEL = "18fd062fa37482bb07f63f4e2d1c0b07"


@pytest.fixture
def practice():
    return rows.clinic()


def letter(name, *, relates_to="", message_id="", replace=()):
    raw = (LETTERS / f"{name}.xml").read_bytes()
    for old, new in ((FIRST, relates_to), (CANCEL, relates_to)):
        if new:
            raw = raw.replace(f"<RelatesToMessageID>{old}".encode(), f"<RelatesToMessageID>{new}".encode())
    if message_id:
        old = raw.split(b"<MessageID>")[1].split(b"<")[0]
        raw = raw.replace(b"<MessageID>" + old, b"<MessageID>" + message_id.encode())
    for old, new in replace:
        assert old in raw
        raw = raw.replace(old, new)
    return script_read.read(raw)


def receive(practice, *messages, now=NOW):
    """Store and apply letters, as a poll that brought them does."""
    for message in messages:
        mailbox._store(practice, message, now)
    return mailbox.apply_new(practice=practice, now=now)


def sent(practice):
    request = rows.admit(practice)
    (newrx,) = rows.send(request, OutcomeKind.ACCEPTED, code="000", only="newrx")
    return request, newrx


def state(request):
    request.refresh_from_db()
    return request.state


# --- answers to a prescription ------------------------------------------------------------------------------------


def test_a_late_status_settles_its_prescription_once_however_often_it_comes(practice):
    request, newrx = sent(practice)
    message = letter("status_010", relates_to=newrx.message_id)
    assert receive(practice, message, message) == 1
    assert receive(practice, message) == 0
    assert state(request) == RequestState.DONE
    assert Dispatch.objects.filter(request=request, purpose="received").count() == 1


def test_a_verify_is_received_by_the_pharmacy(practice):
    request, newrx = sent(practice)
    receive(practice, letter("verify", relates_to=newrx.message_id))
    assert state(request) == RequestState.DONE


def test_a_late_error_returns_the_request_with_the_exact_code(practice):
    request, newrx = sent(practice)
    receive(practice, letter("error", relates_to=newrx.message_id))
    newrx.refresh_from_db()
    assert state(request) == RequestState.IN_REVIEW
    assert newrx.state == DispatchState.REJECTED
    assert newrx.code
    assert request.last_code.startswith(newrx.code)


def test_letters_are_applied_in_the_order_they_came(practice):
    request, newrx = sent(practice)
    mailbox._store(practice, letter("error", relates_to=newrx.message_id), NOW + timedelta(seconds=1))
    mailbox._store(practice, letter("verify", relates_to=newrx.message_id), NOW)
    mailbox.apply_new(practice=practice, now=NOW)
    assert state(request) == RequestState.IN_REVIEW


def test_another_practices_prescription_is_never_settled_by_our_mail(practice):
    other = rows.clinic(name="Elsewhere")
    request, newrx = sent(other)
    receive(practice, letter("verify", relates_to=newrx.message_id))
    assert state(request) == RequestState.SENT
    assert RefillRequest.objects.get(practice=practice).reasons == ["pharmacy_mail"]


def test_a_letter_stored_before_a_crash_is_applied_afterwards(practice):
    request, newrx = sent(practice)
    mailbox._store(practice, letter("verify", relates_to=newrx.message_id), NOW)
    assert state(request) == RequestState.SENT
    assert mailbox.apply_new(practice=practice, now=NOW + timedelta(minutes=1)) == 1
    assert state(request) == RequestState.DONE
    assert NetworkMail.objects.get().is_matched


def test_a_letter_that_cannot_be_applied_is_a_persons_and_stops_no_other(practice, monkeypatch):
    request, newrx = sent(practice)

    def broken(**values):
        raise ValueError("no")

    monkeypatch.setattr(workflow, "keep_fill", broken)
    fill, verify = (letter(name, relates_to=newrx.message_id) for name in ("rxfill_dispensed", "verify"))
    receive(practice, fill, verify)
    assert state(request) == RequestState.DONE
    assert RefillRequest.objects.filter(source=Source.PHARMACY, kind=Kind.MESSAGE).count() == 1
    assert not NetworkMail.objects.filter(applied_at__isnull=True).exists()


# --- what matches nothing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "status_010",
        "error",
        "verify",
        "rxfill_dispensed",
        "cancelrx_response_denied",
        "newrx",
    ],
)
def test_mail_that_matches_nothing_is_one_item_for_a_person_and_none_twice(practice, name):
    message = letter(name)
    receive(practice, message)
    receive(practice, message)
    (item,) = RefillRequest.objects.all()
    assert (item.state, item.kind, item.source, item.queue, item.reasons) == (
        RequestState.IN_REVIEW,
        Kind.MESSAGE,
        Source.PHARMACY,
        "assistant",
        ["pharmacy_mail"],
    )


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_renewal_request_nobody_in_the_chart_was_found_for_is_a_persons_and_opened_once(practice, is_ours):
    request, newrx = sent(practice)
    message = letter("rxrenewal_request", relates_to=newrx.message_id if is_ours else "f" * 32)
    receive(practice, message, message)
    assert state(request) == RequestState.SENT
    (asked,) = RefillRequest.objects.filter(source=Source.PHARMACY)
    assert (asked.kind, asked.state, asked.is_automatic) == (Kind.REFILL, RequestState.IN_REVIEW, False)
    assert NetworkMail.objects.get().request == asked


# --- fills --------------------------------------------------------------------------------------------------------


def test_a_fill_feeds_the_history_of_its_patient_and_drug_once(practice):
    _, newrx = sent(practice)
    message = letter("rxfill_dispensed", relates_to=newrx.message_id)
    receive(practice, message, message)
    (report,) = FillReport.objects.all()
    assert (report.patient_external_id, report.ingredient_key, report.kind) == ("70112345", "omeprazole", "Dispensed")
    assert report.filled_on is not None
    assert RefillRequest.objects.count() == 1


def test_a_fill_that_did_not_happen_is_a_persons_and_no_fill(practice):
    request, newrx = sent(practice)
    message = letter(
        "rxfill_dispensed",
        relates_to=newrx.message_id,
        replace=[(b"<Dispensed>", b"<NotDispensed>"), (b"</Dispensed>", b"</NotDispensed>")],
    )
    receive(practice, message)
    report = FillReport.objects.get()
    assert (report.filled_on, report.fills_left) == (None, None)
    assert RefillRequest.objects.get(about=request).reasons == ["not_dispensed"]


# --- cancellations ------------------------------------------------------------------------------------------------


def cancel_asked(practice):
    request, newrx = sent(practice)
    request.refresh_from_db()
    workflow.ask_cancel(request_id=request.id, user=request.prescriber.user, version=request.version, now=NOW)
    return request, newrx, Dispatch.objects.get(request=request, kind="cancelrx")


def test_a_granted_cancellation_ends_the_request_and_frees_the_drug(practice):
    request, newrx, cancel = cancel_asked(practice)
    receive(practice, letter("cancelrx_response_approved", relates_to=cancel.message_id))
    newrx.refresh_from_db()
    assert (state(request), newrx.is_void) == (RequestState.CANCELLED, True)
    assert not Dispatch.objects.maybe_delivered().filter(pk=newrx.pk).exists()


@pytest.mark.parametrize(("news", "expected"), [("", RequestState.SENT), ("status_010", RequestState.DONE)])
def test_a_refused_cancellation_goes_back_where_it_was_with_an_item(practice, news, expected):
    request, newrx, cancel = cancel_asked(practice)
    if news:
        receive(practice, letter(news, relates_to=newrx.message_id))
    receive(practice, letter("cancelrx_response_denied", relates_to=cancel.message_id))
    assert state(request) == expected
    assert RefillRequest.objects.get(about=request).reasons == ["cancel_denied"]


# --- the poll itself ----------------------------------------------------------------------------------------------


@pytest.fixture
def network(practice, monkeypatch):
    """A mailbox that keeps a letter until it is acknowledged, and says what was acknowledged when."""
    box = SimpleNamespace(letters=[], acknowledged=[], error=None, stored=[])

    def fetch(*, connection, acknowledge, now):
        if acknowledge:
            box.acknowledged.append(acknowledge)
            box.stored.append(NetworkMail.objects.filter(applied_at=None).count())
            box.letters = [one for one in box.letters if one.header.delivered_id != acknowledge]
        if box.error is not None:
            raise box.error
        return FetchResult(messages=tuple(box.letters[:1]), drained=len(box.letters) <= 1)

    monkeypatch.setattr(sending, "route_of", lambda **_: SimpleNamespace(fetch=fetch))
    monkeypatch.setattr(sending, "endpoint_of", lambda **_: None)
    monkeypatch.setattr(limits, "take", lambda **_: None)
    box.connection = Connection.objects.create(
        practice=practice, vendor="surescripts", stage="dev", status="active", account="x"
    )
    return box


def delivered(name, key, **values):
    """A letter as the mailbox hands it out, with the key that acknowledges it."""
    message = letter(name, **values)
    return dataclasses.replace(message, header=dataclasses.replace(message.header, delivered_id=key))


def test_each_letter_is_stored_before_it_is_acknowledged(practice, network):
    request, newrx = sent(practice)
    network.letters = [delivered("status_010", "1", relates_to=newrx.message_id), delivered("rxrenewal_request", "2")]
    assert mailbox.poll_one(connection=network.connection, now=NOW) == 2
    assert network.acknowledged == ["1", "2"]
    assert network.stored == [1, 2]
    assert state(request) == RequestState.DONE


def test_a_letter_delivered_again_after_a_lost_acknowledgement_changes_nothing(practice, network):
    request, newrx = sent(practice)
    again = delivered("status_010", "1", relates_to=newrx.message_id)
    for _ in range(2):
        network.letters = [again]
        mailbox.poll_one(connection=network.connection, now=NOW)
    assert NetworkMail.objects.count() == 1
    assert Dispatch.objects.filter(request=request, purpose="received").count() == 1


def test_a_mailbox_that_does_not_answer_is_noted_and_what_was_stored_is_still_applied(practice, network):
    request, newrx = sent(practice)
    mailbox._store(practice, letter("verify", relates_to=newrx.message_id), NOW)
    network.error = VendorError("down", vendor="surescripts", permanent=False, retry_after=None, status=503)
    assert mailbox.poll_one(connection=network.connection, now=NOW) == 0
    network.connection.refresh_from_db()
    assert network.connection.last_error_at == NOW
    assert state(request) == RequestState.DONE


def test_unreadable_mail_is_one_item_however_often_it_comes(practice):
    found = FetchResult(unreadable=(UnreadableMail(raw=b"<Message", reason="xml", delivered_id="1"),))
    connection = SimpleNamespace(practice=practice)
    for _ in range(2):
        mailbox._keep(connection=connection, found=found, now=NOW)
    (item,) = RefillRequest.objects.all()
    assert (item.state, item.last_text) == (RequestState.IN_REVIEW, "unreadable xml")
