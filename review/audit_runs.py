"""Exports of the audit trail made in the background: in stretches, with progress, kept for a day, then removed.

The trail goes on meanwhile, so a run ends at the entry that was the last when it was asked for. No network.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from audit import export, log, signed
from audit.events import Draft, JsonValue
from audit.models import Entry
from refillhub.practices import doors
from refillhub.practices.models import Practice, User
from review import queries_audit
from review.models import AuditPiece, AuditRun
from review.queries_audit import Filter

AT_ONCE = 2000  # entries in a piece
SLICE = timedelta(seconds=60)
LEASE = timedelta(minutes=3)
KEEP = timedelta(hours=24)
_log = structlog.get_logger(__name__)


def ask(*, practice: Practice, user: User, kind: str, wanted: Filter, now: datetime) -> AuditRun:
    """Ask for an export; asking is an entry of the trail itself."""
    head = queries_audit.head(practice=practice)
    up_to = head.number if head is not None else 0
    told: dict[str, JsonValue] = {name: value.isoformat() if isinstance(value, datetime) else (value or "")
            for name, value in asdict(wanted).items()}  # fmt: skip
    total = queries_audit.matching(practice=practice, wanted=wanted).filter(number__lte=up_to).count()
    with transaction.atomic():
        run = AuditRun.objects.create(
            practice=practice, kind=kind, wanted=told, asked_by=user, asked_at=now, up_to=up_to, total=total
        )
        data: dict[str, JsonValue] = {
            "run": str(run.id), "format": kind, "rows": total, "up_to": up_to, "filter": told
        }  # fmt: skip
        log.record(now=now, draft=Draft(practice_id=practice.id, event="audit.exported", actor=doors.person(user),
                                        trigger="page", outcome="asked", data=data))  # fmt: skip
    return run


def run_due(*, clock: Callable[[], datetime]) -> int:
    """Work off one run that is due; how many were."""
    now = clock()
    with transaction.atomic():
        run = AuditRun.objects.due(now).select_for_update(skip_locked=True).order_by("asked_at").first()
        if run is None:
            return 0
        run.progress, run.lease_until = AuditRun.Progress.RUNNING, now + LEASE
        run.save(update_fields=["progress", "lease_until"])
    run = AuditRun.objects.select_related("practice").get(pk=run.pk)
    try:
        _work(run=run, clock=clock, until=now + SLICE)
    except Exception as error:
        _log.exception("audit_export_failed", run=str(run.pk))
        AuditRun.objects.filter(pk=run.pk).update(progress=AuditRun.Progress.FAILED, error=type(error).__name__)
    return 1


def _work(*, run: AuditRun, clock: Callable[[], datetime], until: datetime) -> None:
    """On from where it stands, to its end or to a pause. Piece 0 is kept free for what stands before the first line."""
    wanted = _filter(run)
    while True:
        found = queries_audit.matching(practice=run.practice, wanted=wanted)
        rows = list(found.filter(number__gt=run.last_number, number__lte=run.up_to).order_by("number")[:AT_ONCE])
        if not rows:
            _finish(run=run, now=clock())
            return
        with transaction.atomic():
            number = run.pieces.count()
            AuditPiece.objects.create(run=run, number=number + 1, body=zlib.compress(_body(run, rows, number)))
            run.done, run.last_number = run.done + len(rows), rows[-1].number
            run.first_number = run.first_number or rows[0].number
            run.save(update_fields=["done", "last_number", "first_number"])
        if clock() >= until:
            AuditRun.objects.filter(pk=run.pk).update(progress=AuditRun.Progress.WAITING, lease_until=None)
            return


def _body(run: AuditRun, rows: list[Entry], number: int) -> bytes:
    if run.kind == AuditRun.Kind.CSV:
        lines = list(export.csv_lines(found=rows))
        return "".join(lines if number == 0 else lines[1:]).encode()
    text = b",\n".join(signed.line(row) for row in rows)
    return text if number == 0 else b",\n" + text


def _finish(*, run: AuditRun, now: datetime) -> None:
    with transaction.atomic():
        if run.kind == AuditRun.Kind.JSON:
            digest = signed.digest_of(_pieces(run))
            end = signed.closing(
                practice_id=run.practice_id, wanted=run.wanted, made_at=now, count=run.done, digest=digest
            )
            AuditPiece.objects.create(run=run, number=run.pieces.count() + 1, body=zlib.compress(end))
            AuditPiece.objects.create(run=run, number=0, body=zlib.compress(signed.opening()))
        found = hashlib.sha256()
        for piece in _pieces(run):
            found.update(piece)
        AuditRun.objects.filter(pk=run.pk).update(
            progress=AuditRun.Progress.DONE, finished_at=now, expires_at=now + KEEP, sha256=found.hexdigest(),
            lease_until=None,
        )  # fmt: skip


def _pieces(run: AuditRun) -> Iterator[bytes]:
    for body in run.pieces.order_by("number").values_list("body", flat=True).iterator(chunk_size=8):
        yield zlib.decompress(bytes(body))


def download(*, run: AuditRun, user: User, now: datetime) -> Iterator[bytes]:
    """The finished export, in pieces; each download is an entry of the trail, written before the first byte leaves."""
    with transaction.atomic():
        data: dict[str, JsonValue] = {"run": str(run.id), "format": run.kind, "rows": run.done, "sha256": run.sha256}
        log.record(now=now, draft=Draft(practice_id=run.practice_id, event="audit.exported", actor=doors.person(user),
                                        trigger="page", outcome="downloaded", data=data))  # fmt: skip
    return _pieces(run)


def purge(*, now: datetime) -> int:
    """Exports whose day is over, with their pieces."""
    return AuditRun.objects.filter(expires_at__lt=now).delete()[0]


def _filter(run: AuditRun) -> Filter:
    values = dict(run.wanted)
    for name in ("since", "until"):
        values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
    return Filter(**values)
