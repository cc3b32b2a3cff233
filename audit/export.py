"""Audit entries as CSV, streamed: one line per entry, in order of number, safe to open in a spreadsheet.

A cell that a spreadsheet could take for a formula gets an apostrophe in front; the `body` column stays the exact text
that was hashed only in its JSON form, which always begins with a brace. It filters and never changes entries.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

import orjson

from audit.models import Entry, EntryQuerySet

COLUMNS = ("number", "at", "event", "actor_kind", "actor_id", "request_id", "patient_ref", "trigger", "decision_path",
           "outcome", "clinician", "data", "previous_hash", "hash", "body")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def entries(
    *, practice_id: UUID, since: datetime | None = None, until: datetime | None = None, event: str = ""
) -> EntryQuerySet:
    """The entries of one practice, `since` included, `until` not."""
    found = Entry.objects.of(practice_id=practice_id)
    if since is not None:
        found = found.filter(at__gte=since)
    if until is not None:
        found = found.filter(at__lt=until)
    if event:
        found = found.filter(event=event)
    return found.order_by("number")


def csv_lines(*, found: Iterable[Entry]) -> Iterator[str]:
    """A head line, then a line per entry."""
    yield _line(COLUMNS)
    for entry in found:
        body = orjson.loads(entry.body)
        yield _line((
            str(entry.number), body["at"], entry.event, entry.actor_kind, safe(entry.actor_id),
            str(entry.request_id or ""), safe(entry.patient_ref), safe(body["trigger"]),
            safe(" > ".join(body["decision_path"])), safe(body["outcome"]), safe(body["clinician"]),
            safe(orjson.dumps(body["data"]).decode()), entry.previous_hash, entry.hash, entry.body,
        ))


def safe(cell: str) -> str:
    """A cell no spreadsheet runs (OWASP: CSV injection)."""
    return "'" + cell if cell.lstrip(" ").startswith(_DANGEROUS) else cell


def _line(cells: Iterable[str]) -> str:
    held = io.StringIO()
    csv.writer(held, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return held.getvalue()
