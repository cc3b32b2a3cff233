"""The rows of previews: ask for a run, claim it, keep how far it is, end it, and who has looked at the result.

The work itself is done by `review.backtest`, which alone knows what people did with a request. Decides nothing.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from audit import log
from audit.events import Actor, ActorKind, Draft
from refillhub.practices.models import Practice, User
from rules import tallies, versions
from rules.models import DecisionRecord, PreviewLook, PreviewRun, RuleVersion
from rules.preview import Tally

State = PreviewRun.State
LEASE = timedelta(minutes=10)
DAYS = 28


@dataclass(frozen=True, slots=True)
class Standing:
    """What still stands between a version and its publishing, for one person."""

    run: PreviewRun | None
    """The newest finished run of exactly this document; None: there is none."""
    has_records: bool
    """Whether the practice has recorded decisions a preview could run on."""
    has_looked: bool

    @property
    def newly_automatic(self) -> int:
        return int(self.run.result["newly_automatic"]) if self.run is not None else 0

    @property
    def is_clear(self) -> bool:
        """A practice without records has nothing to look at; else a run, and a look where it makes new approvals."""
        if not self.has_records:
            return True
        return self.run is not None and (self.has_looked or not self.newly_automatic)


def fingerprint(*, document: Mapping[str, Any]) -> str:
    """SHA-256 of a rule document, the same however its keys are ordered."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def ask(*, version: RuleVersion, by: User | None, now: datetime, days: int = DAYS) -> PreviewRun:
    """A run of this draft on the decisions of the last `days` days. One that waits or runs already is kept."""
    sha = fingerprint(document=version.document)
    since = now - timedelta(days=days)
    with transaction.atomic(durable=True):
        Practice.objects.select_for_update().get(pk=version.practice_id)
        open_ones = PreviewRun.objects.filter(version=version, document_sha256=sha)
        found = open_ones.filter(state__in=[State.waiting, State.running], since__lte=since).first()
        if found is not None:
            return found
        run = PreviewRun.objects.create(
            practice_id=version.practice_id, version=version, document_sha256=sha, since=since, until=now, asked_by=by,
            against=versions.in_force(practice=version.practice, now=now), asked_at=now,
        )  # fmt: skip
        actor = Actor(ActorKind.person, str(by.pk)) if by is not None else Actor(ActorKind.system, "backtest")
        _note(run, "rules.preview_asked", actor, now, {"days": days})
    return run


def claim(*, now: datetime, run_id: uuid.UUID | None = None) -> PreviewRun | None:
    """The oldest run that waits, or whose worker died; it is this caller's until the lease ends."""
    due = Q(state=State.waiting) | Q(state=State.running, leased_until__lte=now)
    with transaction.atomic(durable=True):
        rows = PreviewRun.objects.filter(due) if run_id is None else PreviewRun.objects.filter(due, pk=run_id)
        run = rows.select_for_update(skip_locked=True, of=("self",)).select_related(
            "practice", "version", "against"
        ).order_by("asked_at").first()  # fmt: skip
        if run is None:
            return None
        run.state, run.started_at, run.leased_until = State.running, now, now + LEASE
        run.counted = 0 if not run.result else run.counted
        run.total = records_of(run=run).count()
        run.save(update_fields=["state", "started_at", "leased_until", "counted", "total"])
    return run


def records_of(*, run: PreviewRun) -> Any:
    """The recorded decisions a run is about, shadow days included."""
    return DecisionRecord.objects.filter(practice_id=run.practice_id, at__gte=run.since, at__lt=run.until)


def keep(*, run: PreviewRun, counted: int, now: datetime) -> bool:
    """How far the run is, and a longer lease. False: another worker has it now, and this one shall stop."""
    mine = PreviewRun.objects.filter(pk=run.pk, state=State.running, started_at=run.started_at)
    return bool(mine.update(counted=counted, leased_until=now + LEASE))


def pause(*, run: PreviewRun, tally: Tally, after: int, now: datetime) -> None:
    """Keep what is counted so far, up to the record `after`; whoever claims next goes on from there at once."""
    PreviewRun.objects.filter(pk=run.pk, state=State.running, started_at=run.started_at).update(
        result={"after": after, "tally": tallies.to_document(tally=tally)}, leased_until=now,
        counted=tally.counted + tally.unreadable,
    )  # fmt: skip


def so_far(*, run: PreviewRun) -> tuple[Tally, int]:
    """Where a claimed run goes on: the tally as it was paused and the last record it holds; at first empty, 0."""
    if not run.result:
        return Tally(), 0
    return tallies.from_document(document=run.result["tally"]), int(run.result["after"])


def finish(*, run: PreviewRun, tally: Tally, now: datetime) -> None:
    """running -> done, with the result."""
    with transaction.atomic(durable=True):
        mine = PreviewRun.objects.filter(pk=run.pk, state=State.running, started_at=run.started_at)
        done = mine.update(
            state=State.done, counted=tally.counted, finished_at=now, leased_until=None,
            result=tallies.to_document(tally=tally),
        )
        if done:
            figures = {"counted": tally.counted, "newly_automatic": tally.newly_automatic}
            _note(run, "rules.previewed", Actor(ActorKind.system, "backtest"), now, figures)


def fail(*, run: PreviewRun, error: str, now: datetime) -> None:
    """running -> failed, with the class of the error; a person asks again."""
    PreviewRun.objects.filter(pk=run.pk, state=State.running, started_at=run.started_at).update(
        state=State.failed, finished_at=now, leased_until=None, error=error[:200], result={}
    )


def look(*, run: PreviewRun, by: User, now: datetime) -> None:
    """This person has the finished result before them."""
    if run.state == State.done:
        PreviewLook.objects.get_or_create(run=run, person=by, defaults={"at": now})


def standing(*, version: RuleVersion, by: User | None, now: datetime) -> Standing:
    """What is still missing before this version may be published by this person."""
    sha = fingerprint(document=version.document)
    against = versions.in_force(practice=version.practice, now=now)
    runs = PreviewRun.objects.filter(version=version, document_sha256=sha, state=State.done, against=against)
    run = runs.order_by("-finished_at").first()
    recent = DecisionRecord.objects.filter(practice=version.practice, at__gte=now - timedelta(days=DAYS))
    looked = run is not None and by is not None and run.looks.filter(person=by).exists()
    return Standing(run=run, has_records=run is not None or recent.exists(), has_looked=looked)


def _note(run: PreviewRun, event: str, actor: Actor, now: datetime, data: Mapping[str, Any]) -> None:
    what = {"run": str(run.pk), "version": str(run.version_id), "sha256": run.document_sha256, **data}
    draft = Draft(practice_id=run.practice_id, event=event, actor=actor, trigger="rules", data=what)
    log.record(now=now, draft=draft)
