"""Telling a practice's own receiver: one signed POST at a time, by the same rules as we ask of webhooks ourselves.

Headers name the event, the second of this attempt, and a signature over `id.second.body` for each live secret
(docs/webhooks.md). It is called, never calls by itself, and never follows a redirect.
"""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.core.exceptions import ValidationError
from django.db import transaction

from audit import log
from audit.events import Actor, Draft
from integrations import http, vault
from integrations.klara import profile, signing
from integrations.models import Receiver, receivers
from integrations.outcome import Outcome, OutcomeKind
from refillhub.practices.models import Practice

PURPOSE = "receiver"
# Standard Webhooks: any receiver has a library that verifies it.
SCHEME = "standard-webhooks"
# The secret before a new one goes on signing beside it for so long.
OVERLAP = timedelta(hours=24)
TIMEOUT = (5.0, 10.0)
_TURNED_AWAY = frozenset({408, 425, 429, 500, 502, 503, 504})


class BadAddress(ValueError):
    """The address cannot be used; the text says why."""


def register(
    *, practice: Practice, url: str, wants_pages: bool, wants_changes: bool, now: datetime, actor: Actor
) -> tuple[Receiver, str]:
    """The practice's receiver from now on, in place of any before it; returns its secret, to be shown this once.

    Raises BadAddress.
    """
    try:
        receivers.check_address(url)
    except ValidationError as error:
        raise BadAddress(error.messages[0]) from error
    secret = _new_secret()
    with transaction.atomic(durable=True):
        Practice.objects.select_for_update().get(pk=practice.pk)
        Receiver.objects.active().filter(practice=practice).update(is_active=False)
        row = Receiver.objects.create(
            practice=practice, url=url, wants_pages=wants_pages, wants_changes=wants_changes, created_at=now,
            secret_sealed=_seal(secret, practice),
        )  # fmt: skip
        _record(row, actor, now, "registered")
    return row, secret


def rotate(*, receiver: Receiver, now: datetime, actor: Actor) -> str:
    """A new secret; the one before it goes on signing beside it for a day. Returns it, to be shown this once."""
    secret = _new_secret()
    with transaction.atomic(durable=True):
        row = Receiver.objects.select_for_update(of=("self",)).select_related("practice").get(pk=receiver.pk)
        row.former_sealed, row.former_until = row.secret_sealed, now + OVERLAP
        row.secret_sealed = _seal(secret, row.practice)
        row.save(update_fields=["former_sealed", "former_until", "secret_sealed"])
        _record(row, actor, now, "rotated")
    return secret


def stop(*, receiver: Receiver, now: datetime, actor: Actor) -> None:
    """Tell it nothing more."""
    with transaction.atomic(durable=True):
        Receiver.objects.filter(pk=receiver.pk).update(is_active=False)
        _record(receiver, actor, now, "stopped")


def of(*, practice_id: UUID) -> Receiver | None:
    """The practice's receiver, if it has one."""
    return Receiver.objects.active().select_related("practice").filter(practice_id=practice_id).first()


def tell(*, receiver: Receiver, event_id: str, kind: str, data: dict[str, Any], now: datetime) -> Outcome:
    """One attempt. The receiver drops repeats by the event's id, so what is not known to have arrived may go again.

    Never raises for what the other side says or fails to say. Raises http.NetworkInsideTransaction.
    """
    body = orjson.dumps({"id": event_id, "type": kind, "at": now.isoformat(), "data": data})
    live = [_open(bytes(receiver.secret_sealed), receiver.practice)]
    if receiver.has_former(now) and receiver.former_sealed:
        live.append(_open(bytes(receiver.former_sealed), receiver.practice))
    scheme = profile.builtin(name=SCHEME)
    signed = signing.sign(body=body, secrets=live, profile=scheme, event_id=event_id, now=now)
    headers = {"Content-Type": "application/json", **dict(signed)}
    try:
        answer = http.request(
            vendor="receiver", method="POST", url=receiver.url, headers=headers, data=body, timeout=TIMEOUT,
            max_bytes=65_536,
        )  # fmt: skip
    except http.NotSent as error:
        outcome = Outcome(kind=OutcomeKind.NOT_SENT, code="not_reached", text=type(error).__name__, transient=True)
    except http.NoAnswer as error:
        outcome = Outcome(kind=OutcomeKind.UNKNOWN, code="no_answer", text=type(error).__name__)
    else:
        outcome = _outcome(answer.status)
    is_good = outcome.kind is OutcomeKind.DELIVERED
    Receiver.objects.filter(pk=receiver.pk).update(
        **({"last_ok_at": now, "last_error_code": ""} if is_good else {"last_error_at": now,
                                                                       "last_error_code": outcome.code[:64]})
    )  # fmt: skip
    return outcome


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(kind=OutcomeKind.DELIVERED, code=str(status))
    if status in _TURNED_AWAY:
        return Outcome(kind=OutcomeKind.NOT_SENT, code=str(status), transient=True)
    return Outcome(kind=OutcomeKind.REJECTED, code=str(status), text="The receiver refused it.")


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _seal(secret: str, practice: Practice) -> bytes:
    return vault.seal_payload(plain=secret.encode(), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE)


def _open(sealed: bytes, practice: Practice) -> str:
    plain = vault.open_payload(sealed=sealed, practice_id=practice.id, stage=practice.stage, purpose=PURPOSE)
    return plain.decode()


def _record(row: Receiver, actor: Actor, now: datetime, outcome: str) -> None:
    log.record(now=now, draft=Draft(
        practice_id=row.practice_id, event="receiver.changed", actor=actor, trigger="page", outcome=outcome,
        data={"receiver": str(row.id)}))  # fmt: skip
