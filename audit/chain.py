"""The arithmetic of the chain: canonical bytes, the hash that links an entry to the one before, verification of a run.

Pure: no database, no clock, no Django. A body is JSON with sorted keys and without floats, so that the same
event always gives the same bytes; `hash = SHA-256(LABEL + previous hash + newline + body)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from audit.events import Draft

GENESIS = "0" * 64  # what the first entry of a practice links to
LABEL = b"refill-hub audit 1\n"  # keeps these hashes apart from any other use of SHA-256


class NotCanonical(TypeError):
    """A value that has no single spelling in JSON (a float, a key that is not text) or no time zone."""


class Row(NamedTuple):
    """One stored entry as verification reads it: link, body, and the columns as text."""

    number: int
    body: str
    previous_hash: str
    hash: str
    practice_id: str
    at: str
    event: str
    actor_kind: str
    actor_id: str
    request_id: str | None
    patient_ref: str


class FaultKind(StrEnum):
    """What kind of tampering the first bad entry shows."""

    changed = "changed"
    missing = "missing"
    cut_off = "cut_off"
    reordered = "reordered"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad entry of a run."""

    number: int
    kind: FaultKind
    detail: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a run amounted to: entries looked at, where it ended, and the first fault, if any."""

    entries: int
    number: int
    hash: str
    fault: Fault | None


def moment(at: datetime) -> str:
    """UTC with microseconds and Z. Raises NotCanonical for a naive moment."""
    if at.tzinfo is None:
        raise NotCanonical("a moment needs a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(*, draft: Draft, number: int, at: str) -> bytes:
    """The bytes that are hashed and stored. Raises NotCanonical for floats and keys that are not text."""
    if draft.data:
        _refuse_floats(draft.data)
    try:
        return orjson.dumps(
            {
                "actor_id": draft.actor.id,
                "actor_kind": draft.actor.kind.value,
                "at": at,
                "clinician": draft.clinician,
                "data": _plain(draft.data),
                "decision_path": draft.decision_path,
                "event": draft.event,
                "number": number,
                "outcome": draft.outcome,
                "patient_ref": draft.patient_ref,
                "practice_id": draft.practice_id,
                "request_id": draft.request_id,
                "trigger": draft.trigger,
            },
            option=orjson.OPT_SORT_KEYS,
        )
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error)) from error


def link(*, previous: str, body: bytes) -> str:
    """The hash of an entry, as 64 hexadecimal digits."""
    return hashlib.sha256(b"%b%b\n%b" % (LABEL, previous.encode("ascii"), body)).hexdigest()


def verify(
    *, rows: Iterable[Row], head_number: int | None, head_hash: str = "", after: int = 0, after_hash: str = GENESIS
) -> Verified:
    """Walk one practice's entries in order of number and name the first bad one.

    `head_number` is None where the practice has no head row; `after` and `after_hash` let a run start behind an
    entry already known to be good. Stops at the first fault.
    """
    number, previous, seen = after, after_hash, 0
    loads, sha256 = orjson.loads, hashlib.sha256
    for row in rows:
        seen += 1
        expected = number + 1
        raw = row[1].encode()
        own = sha256(b"%b%b\n%b" % (LABEL, row[2].encode(), raw)).hexdigest()
        if row[0] != expected:
            return Verified(seen, number, previous, _misnumbered(number=row[0], expected=expected))
        if own != row[3]:
            return Verified(seen, number, previous, Fault(expected, FaultKind.changed, "its hash does not fit it"))
        try:
            body = loads(raw)
            differs = (
                body["number"] != expected
                or body["event"] != row[6]
                or body["at"] != row[5]
                or body["patient_ref"] != row[10]
                or body["request_id"] != row[9]
                or body["actor_id"] != row[8]
                or body["actor_kind"] != row[7]
                or body["practice_id"] != row[4]
            )
        except (ValueError, KeyError, TypeError):
            return Verified(seen, number, previous, Fault(expected, FaultKind.changed, "its body cannot be read"))
        if differs:
            return Verified(seen, number, previous, _misfit(body=body, expected=expected))
        if row[2] != previous:
            return Verified(seen, number, previous, _unlinked(expected=expected))
        number, previous = expected, row[3]
    return Verified(seen, number, previous, _at_the_end(number, previous, head_number, head_hash))


def _misnumbered(*, number: int, expected: int) -> Fault:
    if number > expected:
        return Fault(expected, FaultKind.missing, f"the next entry present is {number}")
    return Fault(number, FaultKind.reordered, f"it stands where {expected} should")


def _misfit(*, body: Mapping[str, Any], expected: int) -> Fault:
    if body.get("number") != expected and isinstance(body.get("number"), int):
        return Fault(expected, FaultKind.reordered, f"what stands here was written as entry {body['number']}")
    return Fault(expected, FaultKind.changed, "its columns differ from what was hashed")


def _unlinked(*, expected: int) -> Fault:
    """The entry is whole but does not follow the one before: that one was rewritten together with its hash."""
    if expected == 1:
        return Fault(1, FaultKind.reordered, "the first entry does not start the chain")
    return Fault(expected - 1, FaultKind.changed, f"entry {expected} does not follow from it")


def _at_the_end(number: int, last_hash: str, head_number: int | None, head_hash: str) -> Fault | None:
    if head_number is None:
        return None if number == 0 else Fault(number, FaultKind.cut_off, "the practice's head is missing")
    if head_number > number:
        return Fault(number + 1, FaultKind.cut_off, f"the chain should reach {head_number}")
    if head_number < number:
        return Fault(head_number + 1, FaultKind.changed, "it was written past the head")
    if head_hash != last_hash:
        return Fault(max(number, 1), FaultKind.changed, "the head does not follow from it")
    return None


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise NotCanonical("floats have no single spelling; use whole units or text")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise NotCanonical(f"the key {key!r} is not text")
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)
    elif not isinstance(value, str | int | UUID | None):
        raise NotCanonical(f"{type(value).__name__} has no place in an entry")


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return data if isinstance(data, dict) else dict(data)
