"""DrChrono's webhooks: the handshake, the check of a delivery, and its reading.

The signature header is the secret token itself, not an HMAC of the body (contract 6): it proves who sent, not what. So
a delivery is a hint for the mirror; before a clinical decision the record is read again. Never stores, never answers.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

EVENT_HEADER = "X-drchrono-event"
SIGNATURE_HEADER = "X-drchrono-signature"
DELIVERY_HEADER = "X-drchrono-delivery"
MAX_HEADER = 512
MAX_DEPTH = 20


class Reason(StrEnum):
    missing_header = "missing_header"
    duplicate_header = "duplicate_header"
    header_too_long = "header_too_long"
    no_secret = "no_secret"  # noqa: S105 (a reason code)
    no_match = "no_match"
    unreadable = "unreadable"


class Refused(Exception):
    """The delivery did not prove its origin, or (reason `unreadable`) is not what it should be."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Matter(StrEnum):
    """What a delivery is about, as far as we care."""

    ping = "ping"
    patient = "patient"
    medication = "medication"
    appointment = "appointment"
    task = "task"
    other = "other"


_MATTERS = {
    "PING": Matter.ping,
    "PATIENT_CREATE": Matter.patient,
    "PATIENT_MODIFY": Matter.patient,
    "PATIENT_MEDICATION_CREATE": Matter.medication,
    "PATIENT_MEDICATION_MODIFY": Matter.medication,
    "APPOINTMENT_CREATE": Matter.appointment,
    "APPOINTMENT_MODIFY": Matter.appointment,
    "APPOINTMENT_DELETE": Matter.appointment,
    "TASK_CREATE": Matter.task,
    "TASK_MODIFY": Matter.task,
    "TASK_DELETE": Matter.task,
}


@dataclass(frozen=True, slots=True)
class Verified:
    """`secret_index` points into the sequence given to `verify`; `delivery_id` is the key against duplicates."""

    event: str
    matter: Matter
    delivery_id: str
    secret_index: int


def answer_handshake(*, message: str, secret: str) -> dict[str, str]:
    """The JSON to answer `GET <callback>?msg=...` with."""
    return {"secret_token": hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()}


def verify(*, headers: Sequence[tuple[str, str]], secrets: Sequence[str]) -> Verified:
    """Check a delivery's headers against every live secret in constant time. Raises Refused."""
    event = _one(headers, EVENT_HEADER)
    delivery_id = _one(headers, DELIVERY_HEADER)
    given = _one(headers, SIGNATURE_HEADER).encode()
    usable = [(index, secret.encode()) for index, secret in enumerate(secrets) if secret]
    if not usable:
        raise Refused(Reason.no_secret)
    matched: int | None = None
    for index, secret in usable:
        if hmac.compare_digest(hashlib.sha256(secret).digest(), hashlib.sha256(given).digest()) and matched is None:
            matched = index
    if matched is None:
        raise Refused(Reason.no_match)
    return Verified(
        event=event, matter=_MATTERS.get(event, Matter.other), delivery_id=delivery_id, secret_index=matched
    )


def record(*, body: bytes) -> Mapping[str, Any]:
    """The pushed record (`object`) of a verified delivery. Raises Refused with reason `unreadable`."""
    try:
        envelope = orjson.loads(body)
    except ValueError as error:
        raise Refused(Reason.unreadable) from error
    found = envelope.get("object") if isinstance(envelope, Mapping) else None
    if not isinstance(found, Mapping) or _depth(found) > MAX_DEPTH:
        raise Refused(Reason.unreadable)
    return found


def _depth(value: object) -> int:
    """Nesting depth; the JSON parser itself has bounded it, so this cannot run away."""
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        each, level = waiting.pop()
        deepest = max(deepest, level)
        if isinstance(each, Mapping):
            waiting += [(inner, level + 1) for inner in each.values()]
        elif isinstance(each, list):
            waiting += [(inner, level + 1) for inner in each]
    return deepest


def _one(headers: Sequence[tuple[str, str]], name: str) -> str:
    found = [value for key, value in headers if key.lower() == name.lower()]
    if len(found) > 1:
        raise Refused(Reason.duplicate_header)
    if not found or not found[0]:
        raise Refused(Reason.missing_header)
    if len(found[0]) > MAX_HEADER:
        raise Refused(Reason.header_too_long)
    return found[0]
