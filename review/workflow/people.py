"""What a person may do with a request: one verb each, guarded by the table, the version on the page and the lock.

Roles are checked by the pages; here every verb asks the row. Two people at once: one wins, the other is told who did.
"""

import uuid
from datetime import datetime, timedelta

from integrations import vault
from integrations.models import PharmacyEntry
from refillhub.practices.models import Provider, User
from review import answers, orders, outbox, replies, states
from review.ledger import Ledger
from review.models import (
    Comment,
    Dispatch,
    DispatchKind,
    Kind,
    Queue,
    RefillRequest,
    ReplyPurpose,
)
from review.states import DispatchState, RequestState
from review.workflow import acts, answering, deciding, moves, notices

R = RequestState
COMMENT_PURPOSE = "comment"


def deny(*, request_id: uuid.UUID, user: User, version: int, now: datetime, code: str, note: str = "") -> RefillRequest:
    """Deny with a coded reason (surescripts 6.4) and tell the patient after the undo window."""
    if code not in replies.DENIAL_NOTES:
        raise acts.NotPossible("unknown_reason", "Choose one of the listed reasons.")

    def act(request: RefillRequest, ledger: Ledger) -> None:
        acts.refuse_locked(request)
        acts.decided(request, user, now)
        request.answer_code = code
        words = f"{replies.DENIAL_NOTES[code]} {note}".strip()
        _tell(request, ledger, purpose=ReplyPurpose.DENIED, to=R.DENIED, verb_name="deny", note=words)
        ledger.on_request(request, "request.denied", outcome=request.state, data={"code": code})

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def ask_visit(*, request_id: uuid.UUID, user: User, version: int, now: datetime) -> RefillRequest:
    """Ask the patient to come first, with the practice's booking link."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        acts.refuse_locked(request)
        acts.decided(request, user, now)
        _tell(request, ledger, purpose=ReplyPurpose.VISIT, to=R.VISIT_ASKED, verb_name="ask_visit")
        ledger.on_request(request, "request.visit_asked", outcome=request.state)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def tell(*, request_id: uuid.UUID, user: User, version: int, now: datetime) -> RefillRequest:
    """Tell the patient that fills are left at the pharmacy."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        acts.refuse_locked(request)
        acts.decided(request, user, now)
        _tell(request, ledger, purpose=ReplyPurpose.TOLD, to=R.TOLD, verb_name="tell")
        ledger.on_request(request, "request.told", outcome=request.state)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def _tell(
    request: RefillRequest, ledger: Ledger, *, purpose: ReplyPurpose, to: RequestState, verb_name: str, note: str = ""
) -> None:
    row = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
    waiting = answers.pending(request=request)
    moves.move(request=request, verb=verb_name, to=to, now=ledger.now)
    due_at = ledger.now + timedelta(seconds=request.practice.undo_seconds_person)
    answering.deny(
        request=request,
        waiting=waiting,
        code={ReplyPurpose.VISIT: answers.VISIT_FIRST, ReplyPurpose.TOLD: answers.ELSEWHERE}.get(
            purpose, request.answer_code
        ),
        text={ReplyPurpose.TOLD: answering.FILLS_LEFT}.get(purpose, ""),
        due_at=due_at,
        ledger=ledger,
    )
    answer_ = moves.reply(
        request=request,
        purpose=purpose,
        now=ledger.now,
        due_at=due_at,
        pharmacy_name=row.name if row else "",
        note=note,
        language=notices.language_of(request),
    )
    if answer_ is None and waiting:
        return  # the pharmacy alone has asked, and is answered
    if answer_ is None:
        raise acts.NotPossible("nobody_to_answer", "There is no conversation to answer in.")
    outbox.put(dispatches=[answer_], ledger=ledger)


def answer(
    *, request_id: uuid.UUID, user: User, version: int, now: datetime, reason: str, text: str = ""
) -> RefillRequest:
    """End an item for a person with a reason and, if given, words to the patient."""
    if not reason.strip():
        raise acts.NotPossible("reason_needed", "Say how this was answered.")

    def act(request: RefillRequest, ledger: Ledger) -> None:
        acts.refuse_locked(request)
        acts.decided(request, user, now)
        request.answer_code = reason.strip()[:40]
        moves.move(request=request, verb="answer", to=R.ANSWERED, now=now)
        # What a person dealt with by telephone is told to have been; an answer that cannot be built is theirs already.
        answering.dealt_with(request=request, text=answering.BY_A_PERSON, ledger=ledger)
        if text.strip():
            made = moves.reply(request=request, purpose=ReplyPurpose.ANSWER, now=now, note=text.strip())
            outbox.put(dispatches=[made] if made else [], ledger=ledger)
        ledger.on_request(request, "request.answered", outcome=request.state, data={"reason": request.answer_code})

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def hand_off(*, request_id: uuid.UUID, user: User, provider: Provider, version: int, now: datetime) -> RefillRequest:
    """Hand the request to a prescriber as a task in DrChrono."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        acts.refuse_locked(request)
        acts.decided(request, user, now)
        request.assignee = provider
        moves.move(request=request, verb="hand_off", to=R.HANDING_OFF, now=now)
        outbox.put(dispatches=[notices.task(request=request, why="hand_off", now=now)], ledger=ledger)
        ledger.on_request(request, "request.handed_off", outcome=request.state)
        deciding.end_shadow(request=request, ledger=ledger)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


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

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def cancel(*, request_id: uuid.UUID, user: User, version: int, now: datetime, reason: str) -> RefillRequest:
    """End a request that needs nothing more, with a reason."""
    if not reason.strip():
        raise acts.NotPossible("reason_needed", "Say why this is cancelled.")

    def act(request: RefillRequest, ledger: Ledger) -> None:
        acts.refuse_locked(request)
        acts.decided(request, user, now)
        if answers.pending(request=request):
            raise acts.NotPossible("pharmacy_waits", "The pharmacy waits for an answer: deny it, or mark it answered.")
        request.answer_code = reason.strip()[:40]
        moves.move(request=request, verb="cancel", to=R.CANCELLED, now=now)
        ledger.on_request(request, "request.cancelled", outcome=request.state, data={"reason": request.answer_code})

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def take_up(*, request_id: uuid.UUID, user: User, version: int, now: datetime) -> RefillRequest:
    """A person takes a held request up before the practice opens."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        moves.move(request=request, verb="take_up", to=R.IN_REVIEW, now=now)
        request.queue = Queue.PRESCRIBER
        request.assignee = request.prescriber
        ledger.on_request(request, "request.taken_up", outcome=request.state)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def take_back(*, request_id: uuid.UUID, user: User, version: int | None, now: datetime) -> RefillRequest:
    """Undo within the window: possible only while nothing has left. Claim and undo exclude each other by the row
    lock.
    """

    def act(request: RefillRequest, ledger: Ledger) -> None:
        rows = moves.lock_dispatches([request])
        live = [d for d in rows if d.state not in (DispatchState.TAKEN_BACK, DispatchState.SHADOWED)]
        decisive = [
            d
            for d in live
            if d.kind in (DispatchKind.NEWRX, DispatchKind.PHARMACY, DispatchKind.ANSWER)
            or (
                d.kind == DispatchKind.REPLY
                and d.purpose in (ReplyPurpose.DENIED, ReplyPurpose.VISIT, ReplyPurpose.TOLD)
            )
        ]
        current = [d for d in decisive if d.state != DispatchState.REJECTED]
        if any(d.signed_at is not None for d in current):
            raise acts.NotPossible("signed", "It is signed and leaves at once; a signature is not taken back.")
        if not current or any(d.state != DispatchState.QUEUED for d in current):
            raise acts.NotPossible("already_left", "It has already left and cannot be taken back.")
        outbox.take_back(dispatches=current, ledger=ledger)
        moves.move(request=request, verb="take_back", to=R.IN_REVIEW, now=now)
        request.queue = Queue.PRESCRIBER if request.kind == Kind.REFILL else Queue.ASSISTANT
        request.is_automatic = False
        request.reasons = ["taken_back", *[reason for reason in request.reasons if reason != "taken_back"]]
        ledger.on_request(request, "request.taken_back", outcome=request.state)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def confirm_arrived(
    *, request_id: uuid.UUID, user: User, version: int, now: datetime, spoke_with: str, pharmacy: str
) -> RefillRequest:
    """A person confirmed by telephone that the pharmacy has the prescription."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _was_locked(request, spoke_with, pharmacy)
        _note(request, user, now, f"Arrived, confirmed with {spoke_with} at {pharmacy}.")
        acts.decided(request, user, now)
        moves.move(request=request, verb="confirm_arrived", to=R.DONE, now=now)
        row = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
        told = moves.reply(
            request=request,
            purpose=ReplyPurpose.RECEIVED,
            now=now,
            pharmacy_name=row.name if row else "",
            language=notices.language_of(request),
        )
        chart = [] if _has_chart_record(request) else [orders.chart_dispatch(request=request, now=now)]
        outbox.put(dispatches=[*chart, *([told] if told else [])], ledger=ledger)
        ledger.on_request(request, "request.arrival_confirmed", outcome=request.state)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def _has_chart_record(request: RefillRequest) -> bool:
    """Whether the chart was told of this prescription already."""
    rows = Dispatch.objects.filter(request=request, kind=DispatchKind.CHART)
    return rows.exclude(state__in=[DispatchState.TAKEN_BACK, DispatchState.REJECTED]).exists()


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

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def _was_locked(request: RefillRequest, spoke_with: str, pharmacy: str) -> None:
    if not request.is_locked:
        raise states.WrongState(state=request.state, verb="confirm")
    if not spoke_with.strip() or not pharmacy.strip():
        raise acts.NotPossible("names_needed", "Enter the pharmacy and the person you spoke with.")


def _note(request: RefillRequest, user: User, now: datetime, text: str) -> None:
    sealed = vault.seal_payload(
        plain=text.encode(), practice_id=request.practice_id, stage=request.practice.stage, purpose=COMMENT_PURPOSE
    )
    Comment.objects.create(practice=request.practice, request=request, author=user, text_sealed=sealed, at=now)


def comment(*, request_id: uuid.UUID, user: User, now: datetime, text: str) -> RefillRequest:
    """Add a note for colleagues."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        _note(request, user, now, text.strip())

    return acts.act(request_id=request_id, user=user, version=None, now=now, do=act)


def ask_cancel(*, request_id: uuid.UUID, user: User, version: int, now: datetime) -> RefillRequest:
    """Ask the pharmacy to cancel what it has: a CancelRx, only where its service levels include it (surescripts
    4.8).
    """

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
            raise acts.NotPossible("no_cancel", "This pharmacy does not take cancellations; please telephone.")
        try:
            made = orders.cancelrx(request=request, sent=sent[-1], now=now)
        except ValueError as error:
            raise acts.NotPossible("does_not_fit", str(error)) from error
        moves.move(request=request, verb="ask_cancel", to=R.CANCEL_ASKED, now=now)
        outbox.put(dispatches=[made], ledger=ledger)
        ledger.on_request(request, "request.cancel_asked", outcome=request.state)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)
