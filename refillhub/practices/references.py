"""The patient as the audit trail knows them: a keyed hash per practice, never the chart's own id.

A practice's key is unsealed at most once in five minutes per process, and each unsealing is an audit entry
(`secret.read`). Outside a transaction that entry is committed at once; inside one it is written with the caller's
change, and the key counts as known only while that transaction stands. Since the audit head is the last lock to take,
callers that hold other locks, and all batch callers, call `warm` before they open their transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from audit import log
from audit.events import Actor, ActorKind, Draft
from refillhub.practices import clock, sealing
from refillhub.practices.models import Practice

PURPOSE = "patient_reference_key"
KNOWN_FOR = 300.0  # seconds a key stays known to a process
RENEW_BEFORE = 60.0  # `warm` renews a key with less than this left
ACTOR = Actor(ActorKind.system, "practices.references")


class NoHashKey(RuntimeError):
    """The practice has no key yet; `provide_key` makes one."""


@dataclass(slots=True)
class _Known:
    key: bytes
    until: float
    pending: Callable[[], None] | None  # the on-commit mark of a transaction that has not ended yet


_known: dict[UUID, _Known] = {}


def patient_ref(*, practice: Practice, patient_id: str) -> str:
    """The reference of a patient: "p_" and 24 hexadecimal digits. Raises NoHashKey, sealing errors."""
    return "p_" + keyed(practice=practice, text=patient_id)[:24]


def keyed(*, practice: Practice, text: str) -> str:
    """A text under the practice's key, 64 hexadecimal digits: equal texts are equal, and nobody else can guess one.

    Raises NoHashKey, sealing errors.
    """
    key = _fresh(practice.id, margin=0.0)
    if key is None:
        warm([practice], margin=0.0)
        key = _known[practice.id].key
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def warm(practices: Iterable[Practice], *, margin: float = RENEW_BEFORE) -> None:
    """Unseal what is not known yet, or not for long, with one audit entry per practice. Call before a transaction."""
    wanted = {practice.id: practice for practice in practices if _fresh(practice.id, margin=margin) is None}
    if not wanted:
        return
    keys = {practice.id: _unsealed(practice) for practice in wanted.values()}
    drafts = [Draft(practice_id=p, event="secret.read", actor=ACTOR, data={"secret": PURPOSE}) for p in wanted]
    now = clock.now()
    if connection.in_atomic_block:
        log.record_many(now=now, drafts=drafts)
        _remember(keys, pending=True)
    else:
        with transaction.atomic():
            log.record_many(now=now, drafts=drafts)
        _remember(keys, pending=False)


def provide_key(*, practice: Practice) -> None:
    """Give a practice its key, once. The practice is not saved here."""
    if not practice.hash_key_sealed:
        practice.hash_key_sealed = sealing.seal(
            os.urandom(32), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE)


def forget() -> None:
    """Forget every key this process knows."""
    _known.clear()


def _unsealed(practice: Practice) -> bytes:
    if not practice.hash_key_sealed:
        raise NoHashKey(f"practice {practice.id} has no hash key")
    return sealing.unseal(
        bytes(practice.hash_key_sealed), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE)


def _remember(keys: dict[UUID, bytes], *, pending: bool) -> None:
    until = time.monotonic() + KNOWN_FOR

    def committed() -> None:
        for practice_id in keys:
            known = _known.get(practice_id)
            if known is not None and known.pending is committed:
                known.pending = None

    for practice_id, key in keys.items():
        _known[practice_id] = _Known(key, until, committed if pending else None)
    if pending:
        transaction.on_commit(committed)


def _fresh(practice_id: UUID, *, margin: float) -> bytes | None:
    known = _known.get(practice_id)
    if known is None or known.until - time.monotonic() <= margin:
        return None
    if known.pending is not None and not any(known.pending is waiting[1] for waiting in connection.run_on_commit):
        return None  # the transaction that was to remember the unsealing was rolled back
    return known.key
