"""Vocabularies in the database: begun, kept piece by piece, made ready, put in force, retired. Each verb is one
transaction.

All but the readings are called under `alone`. A vocabulary that is ready never changes its tables; readers find them by
its id, so that they see one release whole or another, never half.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from rules.intake.tables import Tables
from rules.models import Vocabulary, VocabularyTable

State = Vocabulary.State
TEXTS = ("names", "products", "dea", "lay_names", "look_alikes")
TABLES = (*TEXTS, "ndc")
MOST_KEPT = 3
"""Vocabularies that keep their content: the one in force and the latest others."""
_LOCK = int.from_bytes(hashlib.sha256(b"rules.releases").digest()[:8], "big") & 0x7FFF_FFFF_FFFF_FFFF


class Busy(RuntimeError):
    """Another load is running."""


class Damaged(ValueError):
    """A table is missing or not the bytes that were kept."""


class NotKept(LookupError):
    """No retired vocabulary of this release has its content."""


@contextmanager
def alone() -> Iterator[None]:
    """Only one load at a time, on all hosts: a lock of the session, which ends with it. Raises Busy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise Busy("Another load_rxnorm is running, perhaps on another host; wait until it has ended.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def in_force() -> Vocabulary | None:
    """The current vocabulary; None: the shipped one is in force."""
    return Vocabulary.objects.filter(state=State.current).first()


def key_in_force() -> UUID | None:
    """The id of the current vocabulary: what every process asks once a minute."""
    return Vocabulary.objects.filter(state=State.current).values_list("pk", flat=True).first()


def tables_of(*, vocabulary: Vocabulary) -> Tables:
    """The tables as they were kept. Raises Damaged."""
    found = dict(VocabularyTable.objects.filter(vocabulary=vocabulary, kind__in=TABLES).values_list("kind", "data"))
    whole: dict[str, bytes] = {}
    for kind in TABLES:
        data = _plain(found.get(kind))
        if data is None or _hash(data) != vocabulary.sha256.get(kind):
            raise Damaged(f"table {kind} of the vocabulary of {vocabulary.released_on} is missing or damaged")
        whole[kind] = data
    texts = {kind: whole[kind].decode("utf-8") for kind in TEXTS}
    return Tables(release=vocabulary.released_on.isoformat(), ndc=whole["ndc"], **texts)


def begin(*, released_on: date, sources: Mapping[str, Any], by: str, now: datetime) -> tuple[Vocabulary, bool]:
    """The unfinished vocabulary of these files, or a new one in place of that of other files; True when it goes on."""
    unfinished = Vocabulary.objects.filter(state__in=[State.loading, State.ready])
    with transaction.atomic(durable=True):
        found = unfinished.select_for_update().filter(released_on=released_on, sources=dict(sources)).first()
        (unfinished.exclude(pk=found.pk) if found else unfinished).delete()
        if found is not None:
            return found, True
        made = Vocabulary.objects.create(
            released_on=released_on,
            sources=dict(sources),
            loaded_by=by,
            started_at=now,
            history=[_step(State.loading, by, now)],
        )
    return made, False


def keep(*, vocabulary: Vocabulary, kind: str, data: bytes, now: datetime) -> None:
    """What one source file came to, so that a load that is cut short goes on behind it."""
    with transaction.atomic(durable=True):
        _store(vocabulary, kind, data, now)


def kept(*, vocabulary: Vocabulary, kind: str) -> tuple[bytes, datetime] | None:
    """What was kept of one source file, and when; None when it must be read (again)."""
    row = VocabularyTable.objects.filter(vocabulary=vocabulary, kind=kind).first()
    data = _plain(row.data) if row is not None else None
    return (data, row.kept_at) if row is not None and data is not None and _hash(data) == row.sha256 else None


def finish(
    *,
    vocabulary: Vocabulary,
    tables: Tables,
    counts: Mapping[str, int],
    changes: Mapping[str, Any],
    notes: Mapping[str, int],
    by: str,
    now: datetime,
) -> None:
    """loading -> ready: the tables in place of what the files came to."""
    whole = {kind: getattr(tables, kind).encode("utf-8") for kind in TEXTS} | {"ndc": tables.ndc}
    with transaction.atomic(durable=True):
        VocabularyTable.objects.filter(vocabulary=vocabulary).delete()
        for kind, data in whole.items():
            _store(vocabulary, kind, data, now)
        vocabulary.sha256 = {kind: _hash(data) for kind, data in whole.items()}
        vocabulary.counts, vocabulary.changes, vocabulary.notes = dict(counts), dict(changes), dict(notes)
        vocabulary.loaded_at, vocabulary.loaded_by = now, by
        _move(vocabulary, State.ready, by=by, now=now)


def put_in_force(*, vocabulary: Vocabulary, by: str, now: datetime, why: str) -> Vocabulary:
    """ready or retired -> current, the present one -> retired; then the content of all but the latest goes.

    Raises Damaged when its tables are not what was kept.
    """
    tables_of(vocabulary=vocabulary)
    with transaction.atomic(durable=True):
        rows = {row.pk: row for row in Vocabulary.objects.select_for_update().order_by("pk")}
        for row in rows.values():
            if row.state == State.current:
                _move(row, State.retired, by=by, now=now, why=why)  # first: at most one may be current
        _move(rows[vocabulary.pk], State.current, by=by, now=now, why=why)
        others = [row for row in rows.values() if row.state == State.retired and row.loaded_at]
        others.sort(key=lambda row: row.loaded_at or now, reverse=True)
        VocabularyTable.objects.filter(vocabulary__in=others[MOST_KEPT - 1 :]).delete()
    return rows[vocabulary.pk]


def with_content() -> set[UUID]:
    """Ids of the vocabularies that have all their tables."""
    return set(VocabularyTable.objects.filter(kind="names").values_list("vocabulary_id", flat=True))


def retired(*, released_on: date) -> Vocabulary:
    """The latest retired vocabulary of a release that can be put in force again. Raises NotKept."""
    found = Vocabulary.objects.filter(state=State.retired, released_on=released_on, pk__in=with_content())
    row = found.order_by("-loaded_at").first()
    if row is None:
        raise NotKept(f"no retired release {released_on} is kept with its content")
    return row


def _move(row: Vocabulary, state: str, *, by: str, now: datetime, why: str = "") -> None:
    row.state = state
    row.history = [*row.history, _step(state, by, now, why)]
    row.save()


def _step(state: str, by: str, now: datetime, why: str = "") -> dict[str, str]:
    return {"state": str(state), "by": by, "at": now.isoformat(), "why": why}


def _store(vocabulary: Vocabulary, kind: str, data: bytes, now: datetime) -> None:
    VocabularyTable.objects.update_or_create(
        vocabulary=vocabulary, kind=kind, defaults={"data": zlib.compress(data), "sha256": _hash(data), "kept_at": now}
    )


def _plain(data: bytes | memoryview | None) -> bytes | None:
    try:
        return zlib.decompress(data) if data is not None else None
    except zlib.error:
        return None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
