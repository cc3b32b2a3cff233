"""A draft of the rules run on recorded decisions, beside what people did with each request. Changes no request.

In batches by record number, with progress kept as it goes. A long run pauses and goes on with the next wake-up; one
whose worker died goes on from its last pause. A record that cannot be opened is counted, never skipped in silence.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from refillhub.practices.sealing import SealBroken, UnknownKey
from review.models import RefillRequest
from review.states import RequestState
from rules import preview, previewing, recording, versions
from rules.findings import Outcome
from rules.models import DecisionRecord, PreviewRun
from rules.preview import Tally
from rules.transcript import TranscriptError

BATCH = 1000
SLICE = timedelta(seconds=120)
"""Longest stretch of one go: well under a task's time limit, so that a year of records needs no longer one."""
DRAFT_CHANGED = "the draft was changed while it waited"
_log = structlog.get_logger(__name__)

_ENDED = {
    RequestState.DENIED: "denied",
    RequestState.VISIT_ASKED: "visit_asked",
    RequestState.ANSWERED: "answered",
    RequestState.CANCELLED: "cancelled",
    RequestState.TOLD: "told",
    RequestState.DUPLICATE: "duplicate",
}


def run_due(*, clock: Callable[[], datetime]) -> int:
    """Work off one run that is due; how many were."""
    run = previewing.claim(now=clock())
    if run is None:
        return 0
    work_off(run=run, clock=clock)
    return 1


def work_off(*, run: PreviewRun, clock: Callable[[], datetime], longest: timedelta | None = SLICE) -> None:
    """Run a claimed preview on, to its end or, after `longest`, a pause.

    What goes wrong is the run's, with the class of the error.
    """
    if previewing.fingerprint(document=run.version.document) != run.document_sha256:
        previewing.fail(run=run, error=DRAFT_CHANGED, now=clock())  # else it would vouch for a draft it never saw
        return
    try:
        tally = tally_of(run=run, clock=clock, longest=longest)
    except Exception as error:
        _log.exception("preview_failed", run=str(run.pk))
        previewing.fail(run=run, error=type(error).__name__, now=clock())
        return
    if tally is not None:
        previewing.finish(run=run, tally=tally, now=clock())


def tally_of(*, run: PreviewRun, clock: Callable[[], datetime], longest: timedelta | None = SLICE) -> Tally | None:
    """Judge the records of the run; None when it paused, or another worker has taken it over."""
    draft = preview.rules_of(document=run.version.document)
    in_force = versions.rules_of(version=run.against) if run.against else preview.rules_of(document=None)
    began = clock()
    tally, after = previewing.so_far(run=run)
    for records in _batches(run, after):
        people = _people(records)
        for record in records:
            try:
                facts = recording.facts_of(record=record)
            except (SealBroken, UnknownKey, TranscriptError):
                tally.unreadable += 1
                continue
            case = preview.Case(
                record_id=record.pk,
                request_id=record.request_id,
                facts=facts,
                outcome=Outcome(record.outcome),
                recipe=record.recipe,
                people=people.get(record.request_id, ""),
            )
            preview.judge(case=case, draft=draft, in_force=in_force, tally=tally)
        now = clock()
        if longest is not None and now - began >= longest:
            previewing.pause(run=run, tally=tally, after=records[-1].pk, now=now)
            return None
        if not previewing.keep(run=run, counted=tally.counted + tally.unreadable, now=now):
            return None
    return tally


def _batches(run: PreviewRun, last: int) -> Iterator[Sequence[DecisionRecord]]:
    rows = previewing.records_of(run=run).select_related("practice").order_by("pk")
    rows = rows.only("id", "request_id", "facts_sealed", "outcome", "recipe", "practice__id", "practice__stage")
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].pk


def _people(records: Sequence[DecisionRecord]) -> dict[uuid.UUID, str]:
    """What became of each request, as a code: by its state, and whether a person approved it."""
    rows = RefillRequest.objects.filter(pk__in=[record.request_id for record in records])
    found = rows.values_list("pk", "state", "is_automatic", "approved_at", "decided_by")
    return {pk: _done(RequestState(state), auto, approved, by) for pk, state, auto, approved, by in found}


def _done(state: RequestState, is_automatic: bool, approved_at: datetime | None, decided_by: uuid.UUID | None) -> str:
    if state in _ENDED:
        return _ENDED[state] if decided_by else f"{_ENDED[state]}_by_rules"
    if approved_at is not None:
        return "approved" if decided_by and not is_automatic else "automatic"
    return "open"
