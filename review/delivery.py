"""Delivery: takes claimed dispatches, calls the adapters side by side, settles what came back. The only caller of
writes.

No transaction is open while a vendor is called. A worker that dies here leaves rows in `sending`; their lease makes
them `unknown`, never `queued`.
"""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from django.db import connection as database

from integrations.models import Connection
from integrations.outcome import Outcome, OutcomeKind
from review import sending, workflow
from review.models import Dispatch, DispatchKind
from review.workflow import Result

THREADS = 16
# Answers are settled in batches, but none waits longer than this for its fellows.
SETTLE_EVERY_S = 0.2
SETTLE_AT_ONCE = 50


def deliver_due(*, now: datetime, limit: int = 100) -> int:
    """Claim, send, settle one batch. Returns how many were sent."""
    rows = workflow.claim_due(now=now, limit=limit)
    _send_all(rows=rows, now=now)
    return len(rows)


def repeat_due(*, now: datetime, limit: int = 100) -> int:
    """Look again at unknown outcomes: repeat where the route drops repeats, else hand to a person. Returns the
    count.
    """
    chosen = workflow.claim_repeats(now=now, limit=limit)
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
            result = _one(row, connections, moment())
            workflow.settle(results=[result], now=moment())
        return
    with ThreadPoolExecutor(max_workers=min(THREADS, len(rows))) as pool:
        pending = {pool.submit(_in_thread, row, connections, moment()) for row in rows}
        while pending:
            pending, results = _gather(pending)
            workflow.settle(results=results, now=moment())


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


def _in_thread(row: Dispatch, connections: dict[tuple[object, str], Connection], now: datetime) -> Result:
    try:
        return _one(row, connections, now)
    finally:
        database.close()


def _one(row: Dispatch, connections: dict[tuple[object, str], Connection], now: datetime) -> Result:
    vendor = sending.VENDOR_OF.get(DispatchKind(row.kind), "")
    try:
        outcome = sending.send(dispatch=row, connection=connections.get((row.practice_id, vendor)), now=now)
    except Exception as error:
        # A fault of our own after the claim: it may have left, so it is unknown, never sent again blindly.
        outcome = Outcome(kind=OutcomeKind.UNKNOWN, code="internal", text=type(error).__name__)
    return Result(dispatch_id=row.id, attempt=row.attempt, outcome=outcome)


def connections_of(rows: Sequence[Dispatch]) -> dict[tuple[object, str], Connection]:
    """The connections of the rows' practices, each of the practice's own stage."""
    practices = {row.practice_id: row.practice for row in rows}
    found = Connection.objects.select_related("practice").filter(practice_id__in=practices.keys())
    return {(row.practice_id, row.vendor): row for row in found if row.stage == practices[row.practice_id].stage}
