"""The only writer of the audit trail: it numbers, links and stores entries inside the caller's transaction.

It never opens a transaction: an event is remembered in the same commit as the change it tells of, or not at all.
Locks: the heads of the practices concerned, in order of practice id, held until the caller commits; so a
verb takes every other lock first (request, dispatch, then audit head).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from audit import chain, events
from audit.events import Draft


class NoTransaction(RuntimeError):
    """Raised when no transaction is open: the entry could be kept while its change is lost, or the reverse."""


class UnknownEvent(ValueError):
    """Raised for an event name that is not in the catalogue."""


_BEGUN = "SELECT practice_id FROM audit_head WHERE practice_id = ANY(%s)"
_LOCK = "SELECT practice_id, number, hash FROM audit_head WHERE practice_id = ANY(%s) ORDER BY practice_id FOR UPDATE"
_BEGIN = """INSERT INTO audit_head (practice_id, number, hash)
            SELECT practice_id, 0, %s FROM unnest(%s::uuid[]) AS practice_id ORDER BY practice_id
            ON CONFLICT DO NOTHING"""
_COPY = """COPY audit_entry (practice_id, number, at, event, actor_kind, actor_id, request_id, patient_ref,
                             body, previous_hash, hash) FROM STDIN"""
_ADVANCE = """UPDATE audit_head SET number = new.number, hash = new.hash
              FROM unnest(%s::uuid[], %s::bigint[], %s::text[]) AS new(practice_id, number, hash)
              WHERE audit_head.practice_id = new.practice_id"""


def record(*, now: datetime, draft: Draft) -> None:
    """Append one entry. Raises NoTransaction, UnknownEvent, chain.NotCanonical."""
    record_many(now=now, drafts=(draft,))


def record_many(*, now: datetime, drafts: Sequence[Draft]) -> None:
    """Append entries in the order given, over one practice or many: one lock, one insert, one update of heads.

    Raises NoTransaction, UnknownEvent, chain.NotCanonical; then nothing has been written.
    """
    if not connection.in_atomic_block:
        raise NoTransaction("an audit entry is written in the transaction of the change it tells of")
    for draft in drafts:
        if draft.event not in events.CATALOGUE:
            raise UnknownEvent(draft.event)
    if not drafts:
        return
    at = chain.moment(now)
    with connection.cursor() as cursor:
        heads = _locked_heads(cursor, {draft.practice_id for draft in drafts})
        rows = []
        for draft in drafts:
            number, previous = heads[draft.practice_id]
            number += 1
            body = chain.canonical(draft=draft, number=number, at=at)
            own = chain.link(previous=previous, body=body)
            heads[draft.practice_id] = (number, own)
            rows.append(
                (draft.practice_id, number, at, draft.event, draft.actor.kind.value, draft.actor.id,
                 draft.request_id, draft.patient_ref, body.decode(), previous, own)
            )
        # Django wraps the call but not the block: a connection cut in here would leave as psycopg's own error.
        with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row(row)
        ids = list(heads)
        cursor.execute(_ADVANCE, [ids, [heads[i][0] for i in ids], [heads[i][1] for i in ids]])


def _locked_heads(cursor, practice_ids: set[UUID]) -> dict[UUID, tuple[int, str]]:  # type: ignore[no-untyped-def]
    """Lock the heads in order of practice id; chains that have none are begun first.

    Beginning comes before locking, never between locks: whoever waits for a head being begun holds none that is older,
    so two writers cannot wait for each other.
    """
    wanted = list(practice_ids)
    cursor.execute(_BEGUN, [wanted])
    missing = practice_ids - {row[0] for row in cursor.fetchall()}
    if missing:
        cursor.execute(_BEGIN, [chain.GENESIS, list(missing)])
    cursor.execute(_LOCK, [wanted])
    return {practice: (number, own) for practice, number, own in cursor.fetchall()}
