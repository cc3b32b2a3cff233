"""The verbs of an absence: a waiting item goes to whoever is here, and back to the one who has returned.

Only what waits for a decision moves; a signature never does. Which item moved is remembered in the same transaction.
"""

import uuid
from datetime import datetime

from refillhub.practices.models import Coverage
from review import states
from review.ledger import Ledger, verb
from review.models import CoverageMove, MoveEnd, Queue, RefillRequest
from review.workflow import deciding, moves

R = states.RequestState
COVERED = (Queue.PRESCRIBER, Queue.ON_CALL, Queue.ADMINISTRATOR, Queue.NOBODY)


def reroute(*, request_id: uuid.UUID, now: datetime) -> int:
    """Give a waiting item to whoever is here now; 1 when it moved."""
    with verb(now=now) as ledger:
        request = moves.lock_requests([request_id])[request_id]
        if request.state != R.IN_REVIEW:
            return 0
        before, queue = request.assignee, request.queue
        moves.move(request=request, verb="reassign", to=R.IN_REVIEW, now=now)
        deciding.assign(request=request, queue=request.queue or Queue.PRESCRIBER, ledger=ledger)
        if request.assignee == before:
            return 0
        moves.save([request])
        _remember(request=request, left_id=before.pk if before else None, queue=queue, now=now)
        _note(request=request, ledger=ledger)
        return 1


def give_back(*, move_id: uuid.UUID, now: datetime) -> int:
    """The absence is over: the item goes back, or stays, as chosen when it was arranged. 1 when it went back."""
    with verb(now=now) as ledger:
        found = CoverageMove.objects.standing().filter(pk=move_id).first()
        if found is None:
            return 0
        request = moves.lock_requests([found.request_id])[found.request_id]
        # Read again under the request's lock: another worker may have settled it meanwhile.
        move = CoverageMove.objects.due(now=now).select_related("coverage", "left").filter(pk=move_id).first()
        if move is None:
            return 0
        end = _end_of(move=move, request=request)
        move.end, move.ended_at = end, now
        move.save(update_fields=["end", "ended_at"])
        if end != MoveEnd.RETURNED or request.assignee_id == move.left_id:
            return 0
        moves.move(request=request, verb="reassign", to=R.IN_REVIEW, now=now)
        request.queue = move.left_queue or Queue.PRESCRIBER
        request.assignee = move.left
        moves.save([request])
        _follow(request=request, now=now)
        _note(request=request, ledger=ledger)
        return 1


def _end_of(*, move: CoverageMove, request: RefillRequest) -> MoveEnd:
    if request.state != R.IN_REVIEW:
        return MoveEnd.DECIDED
    if request.assignee_id == move.left_id:
        return MoveEnd.RETURNED
    if request.assignee_id != move.taken_by_id or request.queue not in COVERED:
        return MoveEnd.ELSEWHERE
    if not move.left.is_active:
        return MoveEnd.STAYED
    # With nobody at all it goes back whatever was chosen: nothing is left without an owner.
    is_wanted = move.coverage is None or move.coverage.returns_waiting or move.taken_by_id is None
    return MoveEnd.RETURNED if is_wanted else MoveEnd.STAYED


def _remember(*, request: RefillRequest, left_id: uuid.UUID | None, queue: str, now: datetime) -> None:
    """Which absence took it from whom."""
    if _follow(request=request, now=now) or left_id is None:
        return
    absence = Coverage.objects.during(now).filter(provider_id=left_id).order_by("created_at").last()
    if absence is None:
        return
    CoverageMove.objects.update_or_create(
        request=request,
        left_id=left_id,
        ended_at=None,
        defaults={
            "practice": request.practice,
            "coverage": absence,
            "left_queue": queue,
            "taken_by": request.assignee,
            "moved_at": now,
        },
    )


def _follow(*, request: RefillRequest, now: datetime) -> bool:
    """Earlier moves of the item learn who has it now. True when that is its own prescriber: it is home, all end."""
    others = CoverageMove.objects.standing().filter(request=request)
    if request.assignee_id is None or request.assignee_id != request.prescriber_id:
        others.update(taken_by=request.assignee)
        return False
    others.update(taken_by=request.assignee, ended_at=now, end=MoveEnd.ELSEWHERE)
    return True


def _note(*, request: RefillRequest, ledger: Ledger) -> None:
    ledger.on_request(
        request,
        "request.reassigned",
        outcome=request.state,
        data={"queue": request.queue, "provider": str(request.assignee_id or "")},
    )
