"""Settlement: the only place where what the wire did becomes what people see.

Takes outcomes of attempts and late news of the network, in batches: one transaction, requests locked before dispatches.
A late worker cannot overwrite: the attempt number must match. Never sends.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from integrations.outcome import Outcome, OutcomeKind
from review import outbox, states
from review.ledger import verb
from review.models import SCRIPT_KINDS, Dispatch, DispatchKind, RefillRequest, ReplyPurpose, rewriting
from review.states import DispatchState
from review.workflow import chart_news, door, moves, rx_news
from review.workflow.settling import Settling

# While an answer is awaited (surescripts 7.2).
FINAL_WAIT = timedelta(hours=24)
CANCEL_WAIT = timedelta(hours=48)
FIRST_CHECK = timedelta(seconds=10)
# States in which nothing of a message should be anywhere.
DEAD = (DispatchState.REJECTED, DispatchState.TAKEN_BACK, DispatchState.QUEUED, DispatchState.RETRY_WAIT)
# What goes even while a practice has stopped sending: the alarm of its own people and the emergency text.
NEVER_STOPPED = Q(kind__in=[DispatchKind.PAGE, DispatchKind.TASK]) | Q(purpose=ReplyPurpose.EMERGENCY)
PUSH_WAIT = timedelta(minutes=2)
# Network looks for an unknown outcome: every 10 s for a minute, then every 5 min (surescripts 7.4).
OFTEN, SELDOM, OFTEN_TIMES = timedelta(seconds=10), timedelta(minutes=5), 6
# Writes that are safe to repeat (key, marker or same value) are repeated this often before a person is asked.
MOST_REPEATS = 5
# A repeat that is turned away each time (429) is a person's after so many.
MOST_ATTEMPTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one attempt. `attempt` None: late news of the vendor, not an answer to an attempt."""

    dispatch_id: uuid.UUID
    outcome: Outcome
    attempt: int | None = None


def claim_due(*, now: datetime, limit: int, skip_lanes: Sequence[str] = ()) -> list[Dispatch]:
    """Claim what is due, oldest first, after the checks at the door. Returns dispatches marked `sending`.

    What fails a check goes to a person instead (law 6). Other workers' claims are skipped, never waited for.
    """
    with verb(now=now) as ledger:
        outbox.requeue_waiting(now=now, limit=limit, ledger=ledger)
        # In turns between practices and lanes, so that a flood in one leaves the others' waiting time unchanged.
        turn = Window(RowNumber(), partition_by=[F("practice_id"), F("lane")], order_by=F("due_at").asc())
        pairs = list(
            Dispatch.objects.due(now=now)
            .filter(Q(practice__sending_stopped_at__isnull=True) | NEVER_STOPPED)
            .exclude(lane__in=list(skip_lanes))
            .annotate(turn=turn)
            .order_by("turn", "due_at")
            .values_list("id", "request_id")[: limit * 2]
        )
        # Lock order: request, then dispatch. Requests somebody else works on are skipped for this round.
        free = set(
            RefillRequest.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(id__in={request_id for _, request_id in pairs})
            .order_by("id")
            .values_list("id", flat=True)
        )
        ids = [dispatch_id for dispatch_id, request_id in pairs if request_id in free][:limit]
        rows = list(
            Dispatch.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related(
                "request", "practice", "signature", "request__practice", "request__prescriber", "request__location"
            )
            .filter(id__in=ids, state=DispatchState.QUEUED, due_at__lte=now)
            .order_by("due_at", "id")
        )
        # A person's switch may have come between choosing and locking.
        passed = door.check(dispatches=rows, ledger=ledger)
        outbox.claim(dispatches=passed, ledger=ledger)
        return passed


def claim_repeats(*, now: datetime, limit: int) -> list[Dispatch]:
    """Unknown outcomes whose next look is due: those that may be sent again are claimed, byte-identical.

    A prescription only where the route drops repeats, once, and after half an hour of looking; other writes carry
    their own key or marker. What can be neither found nor repeated becomes unresolved (`timed.find_unresolved`).
    """
    with verb(now=now) as ledger:
        rows = list(
            Dispatch.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("request", "practice", "request__practice")
            .filter(state=DispatchState.UNKNOWN, next_check_at__lte=now, practice__sending_stopped_at__isnull=True)
            .order_by("next_check_at")[:limit]
        )
        repeats, later = [], []
        for dispatch in rows:
            dispatch.checks += 1
            if _may_repeat(dispatch=dispatch, now=now):
                repeats.append(dispatch)
            else:
                dispatch.next_check_at = now + (OFTEN if dispatch.checks <= OFTEN_TIMES else SELDOM)
                later.append(dispatch)
        Dispatch.objects.bulk_update(later, ["checks", "next_check_at"])
        outbox.claim_again(dispatches=repeats, ledger=ledger)
        return repeats


def _may_repeat(*, dispatch: Dispatch, now: datetime) -> bool:
    if dispatch.kind in SCRIPT_KINDS:
        looked = (now - (dispatch.settled_at or dispatch.queued_at)).total_seconds()
        return _repeat_tells(dispatch) and looked >= settings.RECONCILE_AFTER_SECONDS
    return dispatch.checks <= MOST_REPEATS


def _repeat_tells(dispatch: Dispatch) -> bool:
    """Whether the same bytes once more can settle a doubt. Where the network itself answered with a doubtful code (602,
    900/008) it knows the id already: "duplicate" would then prove nothing about the pharmacy.
    """
    is_open = dispatch.may_be_repeated and not dispatch.was_repeated and dispatch.attempt <= MOST_ATTEMPTS
    return is_open and not dispatch.code.isdigit()


def unresolved_ids(*, now: datetime, limit: int = 200) -> list[uuid.UUID]:
    """Dispatches nobody could settle in time: unknown past every look, or accepted without a final word (24 h, 48
    h).
    """
    accepted = Dispatch.objects.filter(
        state=DispatchState.ACCEPTED,
        kind__in=[DispatchKind.NEWRX, DispatchKind.CANCELRX],
        next_check_at__lte=now,
    ).values_list("id", flat=True)[:limit]
    found = list(accepted)
    deadline = now - timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)
    unknown = Dispatch.objects.select_related("practice").filter(state=DispatchState.UNKNOWN, settled_at__lte=deadline)
    for dispatch in unknown.defer("document_sealed")[:limit]:
        is_script = dispatch.kind in SCRIPT_KINDS
        # A practice that has stopped sending repeats nothing: then a person must look at what is unknown.
        is_stopped = dispatch.practice.sending_stopped_at is not None
        if (
            is_stopped
            or (is_script and not _repeat_tells(dispatch))
            or (not is_script and dispatch.checks > MOST_REPEATS)
        ):
            found.append(dispatch.id)
    return found


def settle(*, results: Sequence[Result], now: datetime) -> None:
    """Write outcomes to their dispatches and requests, with everything that follows from them."""
    if not results:
        return
    with verb(now=now) as ledger:
        wanted = {result.dispatch_id for result in results}
        request_ids = Dispatch.objects.filter(id__in=wanted).values_list("request_id", flat=True)
        requests = moves.lock_requests(request_ids)
        work = Settling(ledger=ledger, dispatches=moves.lock_dispatches(requests.values()), requests=requests)
        by_id = {dispatch.id: dispatch for dispatch in work.dispatches}
        for result in results:
            dispatch = by_id.get(result.dispatch_id)
            if dispatch is not None:
                _apply(work=work, dispatch=dispatch, result=result)
        _write(work)


def _apply(*, work: Settling, dispatch: Dispatch, result: Result) -> None:
    """One result: the dispatch first, then its request."""
    late = result.attempt is None
    if not late and (dispatch.state != DispatchState.SENDING or dispatch.attempt != result.attempt):
        work.ledger.on_dispatch(dispatch, "dispatch.redue", ignored="late_answer", attempt=result.attempt)
        return
    before = dispatch.state
    if not _move(work=work, dispatch=dispatch, outcome=result.outcome):
        arrived = result.outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.DELIVERED)
        if arrived and dispatch.kind == DispatchKind.NEWRX and dispatch.state in DEAD:
            rx_news.contradicted(work=work, dispatch=dispatch, outcome=result.outcome)
        return
    work.touched.add(dispatch.id)
    handler = rx_news if dispatch.kind in (DispatchKind.NEWRX, DispatchKind.CANCELRX) else chart_news
    handler.follow(work=work, dispatch=dispatch, before=before, outcome=result.outcome)


def _move(*, work: Settling, dispatch: Dispatch, outcome: Outcome) -> bool:
    """Move the dispatch by its table; False when the news changes nothing (a repeat, or older than what we know)."""
    now = work.ledger.now
    to = _target(dispatch=dispatch, outcome=outcome)
    if to is None or (dispatch.state, "settle") not in states.DISPATCH_MOVES:
        return False
    if to not in states.DISPATCH_MOVES[(DispatchState(dispatch.state), "settle")]:
        return False
    dispatch.state = states.next_dispatch_state(state=dispatch.state, verb="settle", to=to)
    dispatch.lease_until = None
    dispatch.code = outcome.code[:16] or dispatch.code
    dispatch.description_codes = list(outcome.description_codes) or dispatch.description_codes
    dispatch.text = outcome.text or dispatch.text
    dispatch.external_ref = outcome.external_ref[:128] or dispatch.external_ref
    dispatch.next_check_at = None
    if to == DispatchState.RETRY_WAIT:
        # Held back by a limit is no failure: it may wait as long as it must.
        dispatch.failures += 0 if outcome.retry_after is not None else 1
        dispatch.due_at = now + timedelta(seconds=outcome.retry_after or backoff_seconds(dispatch.failures))
    elif to == DispatchState.UNKNOWN:
        dispatch.next_check_at = now + FIRST_CHECK
        # A repeat that was turned away at the door is still to be made.
        dispatch.was_repeated = dispatch.was_repeated and not outcome.turned_away
    elif to == DispatchState.ACCEPTED:
        dispatch.accepted_at = dispatch.accepted_at or now
        if dispatch.kind in (DispatchKind.NEWRX, DispatchKind.CANCELRX):
            wait = CANCEL_WAIT if dispatch.kind == DispatchKind.CANCELRX else FINAL_WAIT
            dispatch.next_check_at = dispatch.accepted_at + wait
        elif dispatch.kind == DispatchKind.CHART:
            # Not read back: the vendor's own push must show it, else we look (drchrono, decision 7).
            dispatch.next_check_at = now + PUSH_WAIT
    elif to == DispatchState.DELIVERED:
        dispatch.delivered_at = now
        dispatch.accepted_at = dispatch.accepted_at or now
    dispatch.settled_at = now
    event = "dispatch.retry" if to == DispatchState.RETRY_WAIT else f"dispatch.{to.value}"
    work.ledger.on_dispatch(
        dispatch,
        event,
        patient_ref=dispatch.request.patient_ref,
        code=dispatch.code,
        descriptions=list(dispatch.description_codes),
        ref=dispatch.external_ref,
    )
    return True


def _target(*, dispatch: Dispatch, outcome: Outcome) -> DispatchState | None:
    """The state an outcome leads to."""
    if outcome.kind == OutcomeKind.NOT_SENT:
        if outcome.transient and dispatch.failures < outbox.MOST_NOT_SENT:
            return DispatchState.RETRY_WAIT
        return DispatchState.REJECTED
    return {
        OutcomeKind.ACCEPTED: DispatchState.ACCEPTED,
        OutcomeKind.DELIVERED: DispatchState.DELIVERED,
        OutcomeKind.REJECTED: DispatchState.REJECTED,
        OutcomeKind.UNKNOWN: DispatchState.UNKNOWN,
        OutcomeKind.HANDED_OVER: DispatchState.ACCEPTED,
    }[outcome.kind]


def backoff_seconds(failures: int) -> float:
    """30 s doubling, at most 15 min (surescripts 7.2); the jitter is the beat's own."""
    return min(30.0 * 2.0 ** max(0, failures - 1), 900.0)


def _write(work: Settling) -> None:
    """Everything gathered, in one go; the audit follows when the verb closes."""
    changed = [dispatch for dispatch in work.dispatches if dispatch.id in work.touched]
    if changed:
        rewriting.rewrite(
            rows=changed,
            fields=[
                "state",
                "lease_until",
                "code",
                "description_codes",
                "text",
                "external_ref",
                "next_check_at",
                "failures",
                "due_at",
                "accepted_at",
                "delivered_at",
                "settled_at",
                "is_void",
                "was_repeated",
            ],
        )
    moves.save(work.requests[request_id] for request_id in sorted(work.moved))
    if work.items:
        RefillRequest.objects.bulk_create(work.items)
    outbox.put(dispatches=work.new, ledger=work.ledger)
