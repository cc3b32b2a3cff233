"""Delivery: takes claimed dispatches, calls the adapters side by side, settles what came back. The only caller of
writes.

No transaction is open while a vendor is called. A worker that dies here leaves rows in `sending`; their lease makes
them `unknown`, never `queued`.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime, timedelta

from django.db import connection as database

from integrations import single_flight
from integrations.models import Connection
from integrations.outcome import Outcome, OutcomeKind
from review import charts, identity, outbox, sending, side_by_side, workflow
from review.models import Dispatch, DispatchKind
from review.states import RequestState
from review.workflow import Result, door

THREADS = 16
# So many are claimed at once that the last of them still leaves well inside its lease.
MOST_AT_ONCE = 3 * THREADS
# Connect and read time-out of the slowest vendor, with a margin (surescripts 7.2).
LONGEST_CALL = timedelta(seconds=40)
Connections = dict[tuple[object, str], Connection]
# Rereading patients begins no further one after so long; who gave no answer is asked for again after so long.
REFRESH_FOR_S = 5.0
REFRESH_AGAIN_S = 60.0
log = logging.getLogger(__name__)
# Answers are settled in batches, but none waits longer than this for its fellows.
SETTLE_EVERY_S = 0.2
SETTLE_AT_ONCE = 50


def deliver_due(*, now: datetime, limit: int = 100) -> int:
    """Claim, send, settle one batch. Returns how many were sent."""
    sent = _deliver(now=now, limit=limit)
    # After, never before: a chart that hangs keeps no emergency's reply waiting. One process at a time asks.
    with single_flight.if_free(name="review.refresh_identities") as is_mine:
        renewed = refresh_identities(now=now) if is_mine else 0
    return sent + (_deliver(now=now, limit=limit) if renewed else 0)


def _deliver(*, now: datetime, limit: int) -> int:
    rows = workflow.claim_due(now=now, limit=min(limit, MOST_AT_ONCE))
    _send_all(rows=rows, now=now)
    return len(rows)


def refresh_identities(*, now: datetime, limit: int = 20) -> int:
    """Prescriptions that are due on an old reading of the patient: read again; if it changed, a person looks.

    Law 9: the snapshot is refreshed at approval. A page waits for no vendor, so it happens here; until it has, the door
    keeps the prescription for a moment (and its age limit sends it to a person). A chart that gives no answer is asked
    again after a minute, and no other patient is read there in this pass. Returns how many were read.
    """
    rows = list(
        Dispatch.objects.due(now=now + door.NEWS_WAIT)
        .select_related("request", "practice")
        .filter(kind=DispatchKind.NEWRX, request__state=RequestState.APPROVED)
        .exclude(request__snapshot_at__gt=now - timedelta(minutes=1))
        .defer("document_sealed")
        .order_by("due_at")[: limit * 5]
    )
    stale = [
        row
        for row in rows
        if not identity.is_fresh(
            snapshot_at=row.request.snapshot_at, now=now, limit_minutes=row.practice.mirror_max_age_minutes
        )
    ]
    began, renewed, silent = time.monotonic(), 0, set()
    for row in stale[:limit]:
        if time.monotonic() - began > REFRESH_FOR_S:
            break
        if row.practice_id in silent:
            continue
        wait_s = _refresh(row=row, now=now)
        renewed += wait_s == 0
        if wait_s:
            silent.add(row.practice_id)
        outbox.postpone(dispatches=[row], until=now + timedelta(seconds=wait_s))
    return renewed


def _refresh(*, row: Dispatch, now: datetime) -> float:
    """Seconds until the patient of one dispatch may be asked for again; 0 when the chart has told what it knows."""
    request = row.request
    try:
        chart = charts.read(
            practice=row.practice,
            connection=charts.connection_of(row.practice),
            patient_id=request.patient_external_id,
            now=now,
        )
        if chart.reason == "patient_not_in_chart":
            workflow.return_to_person(request_ids=[request.id], reason=chart.reason, now=now, urgent=True)
        elif chart.snapshot is None:
            return max(REFRESH_AGAIN_S, chart.retry_after or 0.0)
        else:
            workflow.renew_snapshot(request_id=request.id, snapshot=chart.snapshot, now=now)
    except Exception as error:  # one patient's fault keeps nobody else's prescription
        log.warning("a patient was not read again", extra={"error": type(error).__name__})
        return REFRESH_AGAIN_S
    return 0.0


def repeat_due(*, now: datetime, limit: int = 100) -> int:
    """Look again at unknown outcomes: repeat where the route drops repeats, else hand to a person. Returns the
    count.
    """
    chosen = workflow.claim_repeats(now=now, limit=min(limit, MOST_AT_ONCE))
    _send_all(rows=chosen, now=now)
    return len(chosen)


def _send_all(*, rows: Sequence[Dispatch], now: datetime) -> None:
    if not rows:
        return
    connections = connections_of(rows)
    started = time.monotonic()

    def moment() -> datetime:
        return now + timedelta(seconds=time.monotonic() - started)

    if len(rows) == 1 or database.in_atomic_block:
        for row in rows:
            _settle([_one(row, connections, moment)], moment())
        return
    jobs = [lambda row=row: _one(row, connections, moment) for row in rows]  # type: ignore[misc]
    with side_by_side.started(jobs=jobs, threads=THREADS) as futures:
        pending = set(futures)
        while pending:
            pending, results = _gather(pending)
            _settle(results, moment())


def _settle(results: Sequence[Result], now: datetime) -> None:
    """Settle a batch; if it fails, each by itself, so that one answer's fault loses no other answer."""
    try:
        workflow.settle(results=results, now=now)
    except Exception as error:
        log.warning("a batch of answers was not settled", extra={"error": type(error).__name__})
        for result in results:
            try:
                workflow.settle(results=[result], now=now)
            except Exception as inner:
                # Its lease runs out, it becomes unknown, and a person or a look at the network ends it.
                log.warning("an answer was not settled", extra={"error": type(inner).__name__})


def _gather(pending: set[Future[Result]]) -> tuple[set[Future[Result]], list[Result]]:
    """What has come back within a moment, and what is still out."""
    until = time.monotonic() + SETTLE_EVERY_S
    results: list[Result] = []
    while pending and len(results) < SETTLE_AT_ONCE:
        left = until - time.monotonic()
        if left <= 0 and results:
            break
        done, pending = wait(pending, timeout=max(left, 0.01), return_when=FIRST_COMPLETED)
        results += [future.result() for future in done]
    return pending, results


def _one(row: Dispatch, connections: Connections, moment: Callable[[], datetime]) -> Result:
    now = moment()
    if row.lease_until is not None and now > row.lease_until - LONGEST_CALL:
        # It waited so long for its turn that its lease could end while it is out: not sent, and due again.
        late = Outcome(kind=OutcomeKind.NOT_SENT, code="lease", transient=True, retry_after=1.0)
        return Result(dispatch_id=row.id, attempt=row.attempt, outcome=late)
    vendor = sending.VENDOR_OF.get(DispatchKind(row.kind), "")
    try:
        outcome = sending.send(dispatch=row, connection=connections.get((row.practice_id, vendor)), now=now)
    except Exception as error:
        # A fault of our own after the claim: it may have left, so it is unknown, never sent again blindly.
        outcome = Outcome(kind=OutcomeKind.UNKNOWN, code="internal", text=type(error).__name__)
    return Result(dispatch_id=row.id, attempt=row.attempt, outcome=outcome)


def connections_of(rows: Sequence[Dispatch]) -> Connections:
    """The connections of the rows' practices, each of the practice's own stage."""
    practices = {row.practice_id: row.practice for row in rows}
    found = Connection.objects.select_related("practice").filter(practice_id__in=practices.keys())
    return {(row.practice_id, row.vendor): row for row in found if row.stage == practices[row.practice_id].stage}
