"""Only one worker at a time may renew a connection's tokens, across all processes and machines.

A PostgreSQL session lock: it needs no open transaction, so the network call under it keeps law 2, and it dies with its
session. Never waits longer than about two seconds.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection as database

from integrations import http

PATIENCE_S = 2.0
_POLL_S = 0.05


@contextmanager
def only_one(*, key: UUID, vendor: str) -> Iterator[None]:
    """Hold the lock of `key`. Raises VendorError (temporary) when another worker keeps it, NetworkInsideTransaction."""
    http.refuse_inside_transaction()
    number = key.int & 0x7FFF_FFFF_FFFF_FFFF
    deadline = time.monotonic() + PATIENCE_S
    while not _try(number):
        if time.monotonic() > deadline:
            raise http.VendorError(
                "another worker is renewing the tokens", vendor=vendor, permanent=False, retry_after=5.0,
                code="renewing",
            )
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


@contextmanager
def if_free(*, name: str) -> Iterator[bool]:
    """True while nobody else holds `name`, False at once when somebody does; never waits. Dies with the session."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") & 0x7FFF_FFFF_FFFF_FFFF
    is_mine = _try(number)
    try:
        yield is_mine
    finally:
        if is_mine:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _try(number: int) -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        return bool(cursor.fetchone()[0])
