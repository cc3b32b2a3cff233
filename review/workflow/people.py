"""What a person may do with a request: one verb each, guarded by the table, the version on the page and the lock.

Roles are checked by the pages; here every verb asks the row. Two people at once: one wins, the other is told who did.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from integrations import vault
from integrations.models import MirrorMedication, MirrorPatient, PharmacyEntry
from integrations.surescripts.script_checks import ControlledDrug, DoesNotFit
from refillhub.practices.models import Provider, User
from review import identity, orders, outbox, replies, states
from review.ledger import Ledger, person, verb
from review.models import (
    Comment,
    Dispatch,
    DispatchKind,
    InboundEvent,
    Kind,
    Progress,
    Queue,
    RefillRequest,
    ReplyPurpose,
)
from review.states import DispatchState, RequestState
from review.workflow import deciding, moves, notices

R = RequestState
COMMENT_PURPOSE = "comment"


class AlreadyDecided(Exception):
    """Somebody else acted since the page was shown. Carries the row as it is now."""

    def __init__(self, request: RefillRequest) -> None:
        super().__init__(f"request {request.id} is {request.state} at version {request.version}")
        self.request = request


class Locked(Exception):
    """The prescription may be at the pharmacy: first a person records whether it arrived."""


class NotPossible(Exception):
    """The facts of this moment forbid the act; `reason` is a code, the text a sentence for the person."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a prescriber changed before approving; None leaves the value. Days and quantity in the entry's unit."""

    quantity: Decimal | None = None
    days_supply: int | None = None
    refills: int | None = None
    sig: str | None = None
    pharmacy_ncpdp: str | None = None


def _act(
    *,
    request_id: uuid.UUID,
    user: User,
    version: int | None,
    now: datetime,
    act: Callable[[RefillRequest, Ledger], None],
) -> RefillRequest:
    """Lock, compare the version the person saw, act, save, all in one transaction."""
    with verb(now=now, actor=person(user.id)) as ledger:
        request = moves.lock_requests([request_id])[request_id]
        if version is not None and request.version != version:
            raise AlreadyDecided(request)
        act(request, ledger)
        moves.save([request])
    return request


def _decided(request: RefillRequest, user: User, now: datetime) -> None:
    request.decided_by = user
    request.decided_at = now
    request.is_automatic = False


def approve(
    *,
    request_id: uuid.UUID,
    user: User,
    provider: Provider,
    version: int,
    now: datetime,
    changes: Changes | None = None,
) -> RefillRequest:
    """Approve as shown, or with changes, in the approving provider's own name.

    A controlled or unknown drug becomes a task in DrChrono, never a dispatch. Raises AlreadyDecided, Locked, NotPossible,
    WrongState.
    """

    def act(request: RefillRequest, ledger: Ledger) -> None:
        if request.is_locked:
            raise Locked
        _check_now(request=request, now=now)
        _decided(request, user, now)
        if request.kind == Kind.PHARMACY_CHANGE:
            _approve_pharmacy(request, ledger, changes)
            return
        if request.kind != Kind.REFILL or not request.entry_external_id:
            raise NotPossible("nothing_to_approve", "This item has no medication to approve; answer it instead.")
        _change(request, changes)
        if request.schedule != "not_controlled":
            request.prescriber = request.prescriber or provider
            request.assignee = provider
            moves.move(request=request, verb="approve", to=R.HANDING_OFF, now=now)
            outbox.put(dispatches=[notices.task(request=request, why="controlled", now=now)], ledger=ledger)
            ledger.on_request(request, "request.handed_off", outcome=request.state)
        else:
            _send(request=request, provider=provider, ledger=ledger)
            ledger.on_request(request, "request.approved", outcome=request.state, data=_told(changes))
        deciding.end_shadow(request=request, ledger=ledger)

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def _told(changes: Changes | None) -> dict[str, object]:
    """Which fields a person changed, for the audit; numbers and codes only."""
    if changes is None:
        return {"changed": []}
    names = ("quantity", "days_supply", "refills", "sig", "pharmacy_ncpdp")
    return {"changed": [name for name in names if getattr(changes, name) is not None]}


def _change(request: RefillRequest, changes: Changes | None) -> None:
    if changes is None:
        return
    request.quantity = changes.quantity if changes.quantity is not None else request.quantity
    request.days_supply = changes.days_supply if changes.days_supply is not None else request.days_supply
    request.refills = changes.refills if changes.refills is not None else request.refills
    request.sig = changes.sig if changes.sig is not None else request.sig
    request.pharmacy_ncpdp = changes.pharmacy_ncpdp or request.pharmacy_ncpdp


def _send(*, request: RefillRequest, provider: Provider, ledger: Ledger) -> None:
    """The NewRx of a person's approval, due after the person's undo window."""
    now = ledger.now
    due = now + timedelta(seconds=request.practice.undo_seconds_person)
    snapshot = identity.unseal(sealed=request.snapshot_sealed, practice=request.practice)
    row = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
    if snapshot is None:
        raise NotPossible("identity_missing", "The patient's details were not read from the chart; read them again.")
    if row is None or not row.is_sendable(now):
        raise NotPossible("pharmacy_not_current", "The pharmacy is not active in the directory; choose another one.")
    try:
        made = orders.newrx(request=request, snapshot=snapshot, provider=provider, pharmacy=row, now=now, due_at=due)
    except (DoesNotFit, ControlledDrug, orders.NoSender) as error:
        raise NotPossible("does_not_fit", str(error)) from error
    moves.move(request=request, verb="approve", to=R.APPROVED, now=now)
    request.approved_at = now
    request.prescriber = provider
    outbox.put(dispatches=[made], ledger=ledger)


def _approve_pharmacy(request: RefillRequest, ledger: Ledger, changes: Changes | None) -> None:
    _change(request, changes)
    row = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
    if row is None or not row.is_sendable(ledger.now):
        raise NotPossible("pharmacy_not_current", "Choose a pharmacy that is active in the directory.")
    moves.move(request=request, verb="approve", to=R.APPROVED, now=ledger.now)
    request.approved_at = ledger.now
    made = deciding.pharmacy_dispatch(
        request=request, now=ledger.now, undo_seconds=request.practice.undo_seconds_person
    )
    outbox.put(dispatches=[made], ledger=ledger)
    ledger.on_request(request, "request.approved", outcome=request.state)


def _check_now(*, request: RefillRequest, now: datetime) -> None:
    """Checked again at approval (law 6): switch, news, entry, patient, supply."""
    if request.practice.is_sending_stopped:
        raise NotPossible("sending_stopped", "Sending is stopped for this practice.")
    if (
        request.sender_id
        and InboundEvent.objects.filter(
            practice_id=request.practice_id,
            sender_id=request.sender_id,
            progress__in=[Progress.RECEIVED, Progress.READING],
        ).exists()
    ):
        raise NotPossible("news_unread", "The patient has just written again; that message is being read first.")
    if request.kind != Kind.REFILL:
        return
    entry = MirrorMedication.objects.filter(
        practice_id=request.practice_id, external_id=request.entry_external_id
    ).first()
    if entry is None or entry.gone_at is not None or not entry.is_active:
        raise NotPossible("entry_gone", "The medication is no longer active on the list.")
    if request.entry_hash and entry.record_hash != request.entry_hash:
        raise NotPossible("entry_changed", "The list entry changed since this was read; open it again.")
    patient = MirrorPatient.objects.filter(
        practice_id=request.practice_id, external_id=request.patient_external_id
    ).first()
    if patient is None or patient.status not in ("", "A"):
        raise NotPossible("patient_not_active", "The chart says that the patient is not active.")
    twin = Dispatch.objects.maybe_delivered().filter(
        practice_id=request.practice_id,
        kind=DispatchKind.NEWRX,
        request__patient_external_id=request.patient_external_id,
        request__ingredient_key=request.ingredient_key,
        queued_at__gte=now - timedelta(hours=24),
    )
    if request.ingredient_key and twin.exclude(request=request).exists():
        raise NotPossible("supply_exists", "A prescription for this drug left within the last 24 hours.")


def deny(*, request_id: uuid.UUID, user: User, version: int, now: datetime, code: str, note: str = "") -> RefillRequest:
    """Deny with a coded reason (surescripts 6.4) and tell the patient after the undo window."""
    if code not in replies.DENIAL_NOTES:
        raise NotPossible("unknown_reason", "Choose one of the listed reasons.")

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _no_lock(request)
        _decided(request, user, now)
        request.answer_code = code
        words = f"{replies.DENIAL_NOTES[code]} {note}".strip()
        _tell(request, ledger, purpose=ReplyPurpose.DENIED, to=R.DENIED, verb_name="deny", note=words)
        ledger.on_request(request, "request.denied", outcome=request.state, data={"code": code})

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def ask_visit(*, request_id: uuid.UUID, user: User, version: int, now: datetime) -> RefillRequest:
    """Ask the patient to come first, with the practice's booking link."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _no_lock(request)
        _decided(request, user, now)
        _tell(request, ledger, purpose=ReplyPurpose.VISIT, to=R.VISIT_ASKED, verb_name="ask_visit")
        ledger.on_request(request, "request.visit_asked", outcome=request.state)

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def tell(*, request_id: uuid.UUID, user: User, version: int, now: datetime) -> RefillRequest:
    """Tell the patient that fills are left at the pharmacy."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _no_lock(request)
        _decided(request, user, now)
        _tell(request, ledger, purpose=ReplyPurpose.TOLD, to=R.TOLD, verb_name="tell")
        ledger.on_request(request, "request.told", outcome=request.state)

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def _no_lock(request: RefillRequest) -> None:
    if request.is_locked:
        raise Locked


def _tell(
    request: RefillRequest, ledger: Ledger, *, purpose: ReplyPurpose, to: RequestState, verb_name: str, note: str = ""
) -> None:
    row = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
    moves.move(request=request, verb=verb_name, to=to, now=ledger.now)
    answer_ = moves.reply(
        request=request,
        purpose=purpose,
        now=ledger.now,
        due_at=ledger.now + timedelta(seconds=request.practice.undo_seconds_person),
        pharmacy_name=row.name if row else "",
        note=note,
        language=notices.language_of(request),
    )
    if answer_ is None:
        raise NotPossible("nobody_to_answer", "There is no conversation to answer in.")
    outbox.put(dispatches=[answer_], ledger=ledger)


def answer(
    *, request_id: uuid.UUID, user: User, version: int, now: datetime, reason: str, text: str = ""
) -> RefillRequest:
    """End an item for a person with a reason and, if given, words to the patient."""
    if not reason.strip():
        raise NotPossible("reason_needed", "Say how this was answered.")

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _no_lock(request)
        _decided(request, user, now)
        request.answer_code = reason.strip()[:40]
        moves.move(request=request, verb="answer", to=R.ANSWERED, now=now)
        if text.strip():
            made = moves.reply(request=request, purpose=ReplyPurpose.ANSWER, now=now, note=text.strip())
            outbox.put(dispatches=[made] if made else [], ledger=ledger)
        ledger.on_request(request, "request.answered", outcome=request.state, data={"reason": request.answer_code})

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def hand_off(*, request_id: uuid.UUID, user: User, provider: Provider, version: int, now: datetime) -> RefillRequest:
    """Hand the request to a prescriber as a task in DrChrono."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _no_lock(request)
        _decided(request, user, now)
        request.assignee = provider
        moves.move(request=request, verb="hand_off", to=R.HANDING_OFF, now=now)
        outbox.put(dispatches=[notices.task(request=request, why="hand_off", now=now)], ledger=ledger)
        ledger.on_request(request, "request.handed_off", outcome=request.state)
        deciding.end_shadow(request=request, ledger=ledger)

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def reassign(
    *,
    request_id: uuid.UUID,
    user: User,
    version: int,
    now: datetime,
    queue: str,
    provider: Provider | None = None,
) -> RefillRequest:
    """Give the item to another queue or a named prescriber; it stays in review."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        moves.move(request=request, verb="reassign", to=R.IN_REVIEW, now=now)
        request.queue = queue or Queue.PRESCRIBER
        request.assignee = provider
        ledger.on_request(
            request,
            "request.reassigned",
            outcome=request.state,
            data={"queue": request.queue, "provider": str(provider.id) if provider else ""},
        )

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def cancel(*, request_id: uuid.UUID, user: User, version: int, now: datetime, reason: str) -> RefillRequest:
    """End a request that needs nothing more, with a reason."""
    if not reason.strip():
        raise NotPossible("reason_needed", "Say why this is cancelled.")

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _no_lock(request)
        _decided(request, user, now)
        request.answer_code = reason.strip()[:40]
        moves.move(request=request, verb="cancel", to=R.CANCELLED, now=now)
        ledger.on_request(request, "request.cancelled", outcome=request.state, data={"reason": request.answer_code})

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def take_up(*, request_id: uuid.UUID, user: User, version: int, now: datetime) -> RefillRequest:
    """A person takes a held request up before the practice opens."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        moves.move(request=request, verb="take_up", to=R.IN_REVIEW, now=now)
        request.queue = Queue.PRESCRIBER
        request.assignee = request.prescriber
        ledger.on_request(request, "request.taken_up", outcome=request.state)

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def take_back(*, request_id: uuid.UUID, user: User, version: int | None, now: datetime) -> RefillRequest:
    """Undo within the window: possible only while nothing has left. Claim and undo exclude each other by the row lock."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        rows = moves.lock_dispatches([request])
        live = [d for d in rows if d.state not in (DispatchState.TAKEN_BACK, DispatchState.SHADOWED)]
        decisive = [
            d
            for d in live
            if d.kind in (DispatchKind.NEWRX, DispatchKind.PHARMACY)
            or (
                d.kind == DispatchKind.REPLY
                and d.purpose in (ReplyPurpose.DENIED, ReplyPurpose.VISIT, ReplyPurpose.TOLD)
            )
        ]
        current = [d for d in decisive if d.state != DispatchState.REJECTED]
        if not current or any(d.state != DispatchState.QUEUED for d in current):
            raise NotPossible("already_left", "It has already left and cannot be taken back.")
        outbox.take_back(dispatches=current, ledger=ledger)
        moves.move(request=request, verb="take_back", to=R.IN_REVIEW, now=now)
        request.queue = Queue.PRESCRIBER if request.kind == Kind.REFILL else Queue.ASSISTANT
        request.is_automatic = False
        request.reasons = ["taken_back", *[reason for reason in request.reasons if reason != "taken_back"]]
        ledger.on_request(request, "request.taken_back", outcome=request.state)

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def confirm_arrived(
    *, request_id: uuid.UUID, user: User, version: int, now: datetime, spoke_with: str, pharmacy: str
) -> RefillRequest:
    """A person confirmed by telephone that the pharmacy has the prescription."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _was_locked(request, spoke_with, pharmacy)
        _note(request, user, now, f"Arrived, confirmed with {spoke_with} at {pharmacy}.")
        _decided(request, user, now)
        moves.move(request=request, verb="confirm_arrived", to=R.DONE, now=now)
        ledger.on_request(request, "request.arrival_confirmed", outcome=request.state)

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def confirm_not_arrived(
    *, request_id: uuid.UUID, user: User, version: int, now: datetime, spoke_with: str, pharmacy: str
) -> RefillRequest:
    """A person confirmed that nothing arrived: unlocks, and the dead message no longer counts as supply."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _was_locked(request, spoke_with, pharmacy)
        _note(request, user, now, f"Not arrived, confirmed with {spoke_with} at {pharmacy}.")
        rows = [d for d in moves.lock_dispatches([request]) if d.kind == DispatchKind.NEWRX]
        for row in rows:
            row.is_void = True
        Dispatch.objects.bulk_update(rows, ["is_void"])
        moves.move(request=request, verb="confirm_not_arrived", to=R.IN_REVIEW, now=now)
        request.is_locked = False
        ledger.on_request(request, "request.arrival_denied", outcome=request.state)

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)


def _was_locked(request: RefillRequest, spoke_with: str, pharmacy: str) -> None:
    if not request.is_locked:
        raise states.WrongState(state=request.state, verb="confirm")
    if not spoke_with.strip() or not pharmacy.strip():
        raise NotPossible("names_needed", "Enter the pharmacy and the person you spoke with.")


def _note(request: RefillRequest, user: User, now: datetime, text: str) -> None:
    sealed = vault.seal_payload(
        plain=text.encode(), practice_id=request.practice_id, stage=request.practice.stage, purpose=COMMENT_PURPOSE
    )
    Comment.objects.create(practice=request.practice, request=request, author=user, text_sealed=sealed, at=now)


def comment(*, request_id: uuid.UUID, user: User, now: datetime, text: str) -> RefillRequest:
    """Add a note for colleagues."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _note(request, user, now, text.strip())

    return _act(request_id=request_id, user=user, version=None, now=now, act=act)


def ask_cancel(*, request_id: uuid.UUID, user: User, version: int, now: datetime) -> RefillRequest:
    """Ask the pharmacy to cancel what it has: a CancelRx, only where its service levels include it (surescripts 4.8)."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        rows = moves.lock_dispatches([request])
        sent = [
            d
            for d in rows
            if d.kind == DispatchKind.NEWRX and d.state in (DispatchState.ACCEPTED, DispatchState.DELIVERED)
        ]
        row: PharmacyEntry | None = moves.pharmacy_names([request]).get(
            (request.practice.stage, request.pharmacy_ncpdp)
        )
        if not sent or row is None or "Cancel" not in row.service_levels:
            raise NotPossible("no_cancel", "This pharmacy does not take cancellations; please telephone.")
        made = orders.cancelrx(request=request, sent=sent[-1], now=now)
        moves.move(request=request, verb="ask_cancel", to=R.CANCEL_ASKED, now=now)
        outbox.put(dispatches=[made], ledger=ledger)
        ledger.on_request(request, "request.cancel_asked", outcome=request.state)

    return _act(request_id=request_id, user=user, version=version, now=now, act=act)
