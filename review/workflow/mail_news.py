"""News from the network that is no answer to an attempt: fills, answers to a cancellation, mail nobody asked for."""

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime

from integrations.models import Connection
from integrations.surescripts.script_model import NetworkMessage
from refillhub.practices.models import Practice
from review import states
from review.ledger import Ledger, verb
from review.models import Dispatch, DispatchKind, FillReport, Kind, Queue, RefillRequest, Source
from review.states import DispatchState, RequestState
from review.workflow import deciding, moves, notices

R = RequestState
FILLED = ("Dispensed", "PartiallyDispensed")


def keep_fill(*, practice: Practice, dispatch: Dispatch | None, message: NetworkMessage, now: datetime) -> None:
    """A pharmacy's fill notice feeds the fill history; a fill that did not happen is a person's."""
    with verb(now=now) as ledger:
        request = RefillRequest.objects.filter(id=dispatch.request_id).first() if dispatch else None
        if request is None or message.reply is None:
            _stray(practice=practice, key=message.header.message_id, kind="RxFill", ledger=ledger)
            return
        filled = message.dispensed
        FillReport.objects.get_or_create(
            practice=practice,
            message_id=message.header.message_id[:64],
            defaults={
                "patient_external_id": request.patient_external_id,
                "ingredient_key": request.ingredient_key,
                "kind": message.reply.kind,
                "filled_on": (filled.last_filled_on or message.header.sent_at.date())
                if filled and message.reply.kind in FILLED
                else None,
                "days_supply": filled.days_supply if filled else None,
                "fills_left": filled.refills if filled and message.reply.kind in FILLED else None,
                "received_at": now,
            },
        )
        ledger.on_request(
            request, "message.read", outcome=message.reply.kind, data={"codes": list(message.reply.reason_codes)}
        )
        if message.reply.kind == "NotDispensed":
            item(practice=practice, about=request, reason="not_dispensed", text=message.reply.text, ledger=ledger)


def settle_cancel(
    *, dispatch_id: uuid.UUID, is_cancelled: bool, text: str, codes: Sequence[str], now: datetime
) -> None:
    """The pharmacy's answer to a CancelRx: cancelled for good, or back with its reason."""
    with verb(now=now) as ledger:
        request_id = Dispatch.objects.values_list("request_id", flat=True).get(id=dispatch_id)
        request = moves.lock_requests([request_id])[request_id]
        rows = moves.lock_dispatches([request])
        _answered(rows=rows, dispatch_id=dispatch_id, ledger=ledger)
        if request.state != R.CANCEL_ASKED:
            if is_cancelled:
                _void(rows)
            reason = "cancelled_late" if is_cancelled else "cancel_denied"
            item(practice=request.practice, about=request, reason=reason, text=text, ledger=ledger)
            return
        if is_cancelled:
            _void(rows)
            moves.move(request=request, verb="settle", to=R.CANCELLED, now=now)
            ledger.on_request(request, "request.cancelled", outcome=request.state)
        else:
            delivered = any(row.kind == DispatchKind.NEWRX and row.state == DispatchState.DELIVERED for row in rows)
            moves.move(request=request, verb="settle", to=R.DONE if delivered else R.SENT, now=now)
            request.last_code, request.last_text = " / ".join(codes)[:64], text[:500]
            ledger.on_request(request, "request.returned", outcome=request.state, data={"codes": list(codes)})
            item(practice=request.practice, about=request, reason="cancel_denied", text=text, ledger=ledger)
        moves.save([request])


def _void(rows: Sequence[Dispatch]) -> None:
    """What the pharmacy has cancelled is supply no more."""
    scripts = [row for row in rows if row.kind == DispatchKind.NEWRX]
    for row in scripts:
        row.is_void = True
    Dispatch.objects.bulk_update(scripts, ["is_void"])


def _answered(*, rows: Sequence[Dispatch], dispatch_id: uuid.UUID, ledger: Ledger) -> None:
    """The CancelRx itself has its answer and is looked for no more."""
    for row in rows:
        if row.id == dispatch_id and row.state in (DispatchState.ACCEPTED, DispatchState.UNKNOWN):
            row.state = states.next_dispatch_state(state=row.state, verb="settle", to=DispatchState.DELIVERED)
            row.next_check_at, row.settled_at = None, ledger.now
            row.save(update_fields=["state", "next_check_at", "settled_at"])
            ledger.on_dispatch(row, "dispatch.delivered", patient_ref=row.request.patient_ref)


def keep_stray(*, practice: Practice, mail_id: uuid.UUID, kind: str, now: datetime) -> None:
    """Mail that matches nothing of ours, or that always needs a person."""
    with verb(now=now) as ledger:
        _stray(practice=practice, key=str(mail_id), kind=kind, ledger=ledger)


def keep_unreadable_mail(*, practice: Practice, raw: bytes, reason: str, now: datetime) -> None:
    """Mail we could not read: an item for a person, named by its hash."""
    with verb(now=now) as ledger:
        _stray(practice=practice, key=hashlib.sha256(raw).hexdigest()[:32], kind=f"unreadable {reason}", ledger=ledger)


def _stray(*, practice: Practice, key: str, kind: str, ledger: Ledger) -> None:
    known = RefillRequest.objects.filter(practice=practice, source=Source.PHARMACY, last_code=key[:64])
    if known.exists():
        return
    row = item(practice=practice, about=None, reason="pharmacy_mail", text=kind, ledger=ledger)
    RefillRequest.objects.filter(id=row.id).update(last_code=key[:64])


def item(*, practice: Practice, about: RefillRequest | None, reason: str, text: str, ledger: Ledger) -> RefillRequest:
    """An item for a person about something a pharmacy sent, with the patient and drug of the request it is about."""
    row = RefillRequest.objects.create(
        practice=practice,
        location=about.location if about else None,
        kind=Kind.MESSAGE,
        source=Source.PHARMACY,
        state=R.IN_REVIEW,
        queue=Queue.ASSISTANT,
        patient_external_id=about.patient_external_id if about else "",
        patient_ref=about.patient_ref if about else "",
        sender_id=about.sender_id if about else "",
        snapshot_sealed=about.snapshot_sealed if about else None,
        snapshot_at=about.snapshot_at if about else None,
        drug_name=about.drug_name if about else "",
        prescriber=about.prescriber if about else None,
        assignee=about.assignee if about else None,
        about=about,
        reasons=[reason],
        last_text=text[:500],
        is_shadow=practice.is_shadow,
        asked_at=ledger.now,
        opened_at=ledger.now,
        changed_at=ledger.now,
    )
    ledger.on_request(row, "request.opened", data={"reason": reason})
    return row


def ask_about_sent(*, request_id: uuid.UUID, reason: str, now: datetime) -> bool:
    """A drug was stopped or changed after it was sent: an item for its prescriber, once. Nothing is cancelled by
    itself. False when it was asked before, or there is nothing at a pharmacy any more.
    """
    with verb(now=now) as ledger:
        request = moves.lock_requests([request_id])[request_id]
        known = RefillRequest.objects.filter(about=request, reasons__contains=[reason])
        if request.state not in (R.SENT, R.DONE) or known.exists():
            return False
        row = item(practice=request.practice, about=request, reason=reason, text="", ledger=ledger)
        deciding.assign(request=row, queue=Queue.PRESCRIBER, ledger=ledger)
        row.source = request.source
        row.save(update_fields=["queue", "assignee", "source"])
        return True


def note_vendor_error(*, connection: Connection, code: str, now: datetime) -> None:
    """Remember that a vendor could not be asked, for the status line of the pages."""
    Connection.objects.filter(pk=connection.pk).update(last_error_at=now, last_error_code=code[:64])
    if code in ("http_401", "http_403"):
        notices.raise_alarm(practice=connection.practice, kind="connection_lost", key=connection.vendor, now=now)
