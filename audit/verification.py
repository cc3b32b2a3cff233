"""Verification of stored chains: streams a practice's entries from the database through `chain.verify`.

Reads only, from one snapshot, so that entries written meanwhile are not taken for faults. Recording that a
verification took place is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit import chain
from audit.chain import Row, Verified

_ROWS = """SELECT number, body, previous_hash, hash, practice_id::text,
                  to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  event, actor_kind, actor_id, request_id::text, patient_ref
           FROM audit_entry WHERE practice_id = %s ORDER BY number"""
_PRACTICES = "SELECT practice_id FROM audit_head UNION SELECT DISTINCT practice_id FROM audit_entry ORDER BY 1"
AT_ONCE = 5000  # rows per fetch


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one practice's chain."""

    practice_id: UUID
    verified: Verified


def verify_all() -> Iterator[Report]:
    """Every practice that has a head or an entry."""
    with connection.cursor() as cursor:
        cursor.execute(_PRACTICES)
        practices = [row[0] for row in cursor.fetchall()]
    for practice_id in practices:
        yield verify_one(practice_id=practice_id)


def verify_one(*, practice_id: UUID) -> Report:
    """One practice, to the first bad entry."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if is_outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT number, hash FROM audit_head WHERE practice_id = %s", [practice_id])
            head = cursor.fetchone()
        with connection.chunked_cursor() as cursor:
            cursor.execute(_ROWS, [practice_id])
            verified = chain.verify(
                rows=_stream(cursor), head_number=head[0] if head else None, head_hash=head[1] if head else "")
    return Report(practice_id, verified)


def _stream(cursor: Any) -> Iterator[Row]:
    while rows := cursor.fetchmany(AT_ONCE):
        yield from rows  # plain tuples in the order of Row; making them Rows would cost a third of the speed
