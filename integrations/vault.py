"""The only place that opens secrets: stores, unseals, rotates; each unsealing and each display is audited.

A secret opens only for its own practice, stage and row, and only where the installation's stage (settings.STAGE) is the
secret's. An unsealed value stays in the process for at most five minutes and never reaches a log, an error or a repr.
Reading writes to the audit trail in a transaction of its own: read before opening a verb's transaction.
"""

import hashlib
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import log
from audit.events import Actor, Draft
from integrations.models import Connection, Secret, SecretKind, SecretState
from refillhub.practices import sealing

LONGEST_CACHE = timedelta(minutes=5)  # seed: every read of a secret is logged; issue: cached at most five minutes
RETIRING_FOR = timedelta(days=7)  # klara.md 4: at least 24 h retries + 300 s + 1 h margin
UNUSED_FOR = timedelta(hours=48)  # klara.md 4: a retiring secret is revoked once unused this long
USE_NOTED_EVERY = timedelta(minutes=1)
RECENT = timedelta(seconds=2)
MOST_LIVE = 4  # klara.md 4, step 5
LIFE = {  # seeds, requirements F029 to F032
    SecretKind.webhook_secret: timedelta(days=90),
    SecretKind.api_key: timedelta(days=365),
    SecretKind.client_secret: timedelta(days=365),
    SecretKind.certificate: timedelta(days=365),
}
REMIND_BEFORE = timedelta(days=15)


class NoSecret(LookupError):
    """The connection has no active secret of this kind."""


class WrongStage(PermissionError):
    """The secret belongs to another stage than this installation."""


class TooManyLive(ValueError):
    """The connection already has four live secrets of this kind; revoke one first."""


class WrongState(ValueError):
    """The secret is not in a state that allows this step."""


@dataclass(frozen=True, slots=True)
class LiveSecret:
    """An unsealed secret that is accepted at this moment."""

    secret_id: UUID
    state: SecretState
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Due:
    """A secret whose rotation is due or near. `overdue` is true once its life is over."""

    secret_id: UUID
    connection_id: UUID
    kind: SecretKind
    fingerprint: str
    due_on: datetime
    overdue: bool


# --- reading ---------------------------------------------------------------------------------------------------------


def read(*, connection: Connection, kind: SecretKind, now: datetime, actor: Actor) -> str:
    """The active secret of this kind. Raises NoSecret, WrongStage; sealing.SealBroken when the row was tampered with.

    Opens a transaction of its own when the value is not in the process yet, so never call it inside another.
    """
    secret = connection.secrets.filter(kind=kind, state=SecretState.active).first()
    if secret is None:
        raise NoSecret(f"no active {kind} for this {connection.vendor} connection")
    return _open(connection, [secret], now, actor)[0].value


def read_recent(*, connection: Connection, kind: SecretKind, now: datetime, actor: Actor) -> str:
    """As `read`, but a value this process read in the last two seconds is taken as it was, without asking the database.

    For tokens on the way out: one that was replaced meanwhile is refused by the vendor, and then `read` is asked.
    """
    key = (connection.pk, kind)
    found = _recent.get(key)
    if found is not None and timedelta(0) <= now - found.read_at < RECENT:
        return found.value
    value = read(connection=connection, kind=kind, now=now, actor=actor)
    with _cache_lock:
        _recent[key] = _Cached(sealed=b"", value=value, read_at=now)
    return value


def live(*, connection: Connection, kind: SecretKind, now: datetime, actor: Actor) -> list[LiveSecret]:
    """Every secret of this kind that is accepted now (pending, active, retiring), active ones first. May be empty."""
    found = list(connection.secrets.filter(kind=kind).live().order_by("state", "-created_at"))
    return _open(connection, found, now, actor)


def display(*, secret: Secret, now: datetime, actor: Actor) -> str:
    """The value for a person's eyes; audited each time, never cached. Raises WrongStage."""
    connection = secret.connection
    _check_stage(connection)
    with transaction.atomic(durable=True):
        value = _unseal(connection, secret)
        _audit("secret.displayed", connection, [secret], now, actor)
    return value


def used(*, secret_id: UUID, now: datetime, actor: Actor) -> None:
    """Note that a secret has verified something. The first hit of a pending one makes it the active one.

    At most one small statement a minute in each process.
    """
    noted_at = _noted.get(secret_id)
    if noted_at is not None and timedelta(0) <= now - noted_at < USE_NOTED_EVERY:
        return
    noted = Secret.objects.filter(pk=secret_id).values_list("state", "last_used_at").first()
    if noted is None:
        return
    state, last_used_at = noted
    if state == SecretState.pending:
        activate(secret_id=secret_id, now=now, actor=actor)
    if last_used_at is None or now - last_used_at >= USE_NOTED_EVERY:
        Secret.objects.filter(pk=secret_id).update(last_used_at=now)
    _noted[secret_id] = now


# --- adding and rotating ---------------------------------------------------------------------------------------------


def store(
    *,
    connection: Connection,
    kind: SecretKind,
    value: str,
    now: datetime,
    actor: Actor,
    expires_at: datetime | None = None,
) -> Secret:
    """Add a secret that is active at once. A former active one retires (webhook secrets) or is revoked (all others).

    expires_at: when a certificate itself ends.
    Raises TooManyLive: a fifth would never be looked at by the signature check.
    """
    with transaction.atomic():
        _lock(connection)
        _step_down(connection, kind, now, actor)
        return _insert(connection, kind, value, SecretState.active, now, actor, expires_at)


def add_pending(
    *,
    connection: Connection,
    kind: SecretKind,
    value: str,
    now: datetime,
    actor: Actor,
    expires_at: datetime | None = None,
) -> Secret:
    """Add a secret that is accepted already but becomes the active one only with its first hit. Raises TooManyLive."""
    with transaction.atomic():
        _lock(connection)
        return _insert(connection, kind, value, SecretState.pending, now, actor, expires_at)


def replace_tokens(
    *, connection: Connection, access: str, refresh: str | None, expires_at: datetime, now: datetime
) -> None:
    """Put a new pair of tokens in place of the old one. Demands an open transaction: caller writes the audit entry.

    `refresh` None keeps the refresh token that is there (the vendor sent none back).
    """
    _lock(connection)
    pairs = [(SecretKind.access_token, access)] + ([(SecretKind.refresh_token, refresh)] if refresh else [])
    for kind, value in pairs:
        secret = connection.secrets.filter(kind=kind, state=SecretState.active).first()
        if secret is None:
            secret = Secret(connection=connection, kind=kind, created_at=now)
        secret.sealed = _seal(connection, secret, value)
        secret.fingerprint = fingerprint(value=value)
        secret.state = SecretState.active
        secret.activated_at = now
        secret.save()
    Connection.objects.filter(pk=connection.pk).update(token_expires_at=expires_at, last_refresh_at=now)
    connection.token_expires_at, connection.last_refresh_at = expires_at, now


def activate(*, secret_id: UUID, now: datetime, actor: Actor) -> None:
    """Make a pending secret the active one; the former one steps down. Nothing happens if it is active already."""
    with transaction.atomic():
        secret = Secret.objects.select_related("connection").get(pk=secret_id)
        _lock(secret.connection)
        secret.refresh_from_db()
        if secret.state == SecretState.active:
            return
        if secret.state != SecretState.pending:
            raise WrongState(f"a {secret.state} secret cannot become active")
        _step_down(secret.connection, SecretKind(secret.kind), now, actor)
        secret.state = SecretState.active
        secret.activated_at = now
        secret.save(update_fields=["state", "activated_at"])
        _audit("secret.activated", secret.connection, [secret], now, actor)


def revoke(*, secret_id: UUID, now: datetime, actor: Actor) -> None:
    """Stop accepting a secret at once, in every process. The row stays, its sealed value is wiped."""
    with transaction.atomic():
        secret = Secret.objects.select_related("connection").get(pk=secret_id)
        _lock(secret.connection)
        _revoke(secret.connection, [secret], now, actor)


def revoke_all(*, connection: Connection, kinds: Iterable[SecretKind], now: datetime, actor: Actor) -> int:
    """Revoke every live secret of these kinds; returns how many."""
    with transaction.atomic():
        _lock(connection)
        found = list(connection.secrets.filter(kind__in=list(kinds)).live())
        _revoke(connection, found, now, actor)
    return len(found)


def retire_due(*, now: datetime, actor: Actor) -> list[UUID]:
    """Revoke retiring secrets whose time is over and which nobody used for 48 h.

    Returns the ids of those still in use after their time: an alarm, for the vendor was never switched over.
    """
    still_used = []
    over = Secret.objects.filter(state=SecretState.retiring, retires_at__lte=now).select_related("connection")
    for secret in over:
        if secret.last_used_at is not None and now - secret.last_used_at < UNUSED_FOR:
            still_used.append(secret.pk)
        else:
            revoke(secret_id=secret.pk, now=now, actor=actor)
    return still_used


def due(*, practice_id: UUID, now: datetime) -> list[Due]:
    """Secrets of a practice to be rotated now or within fifteen days, the most urgent first."""
    found = []
    rows = Secret.objects.filter(connection__practice_id=practice_id, state=SecretState.active, kind__in=list(LIFE))
    for secret in rows:
        kind = SecretKind(secret.kind)
        due_on = ends_on(secret=secret) or now
        if now >= due_on - REMIND_BEFORE:
            found.append(
                Due(secret.pk, secret.connection_id, kind, secret.fingerprint, due_on, overdue=now >= due_on)
            )
    return sorted(found, key=lambda item: item.due_on)


def ends_on(*, secret: Secret) -> datetime | None:
    """When a secret is to be replaced: after its life, or when the certificate itself ends; None where neither is."""
    life = LIFE.get(SecretKind(secret.kind))
    moments = [(secret.activated_at or secret.created_at) + life] if life is not None else []
    return min([*moments, *([secret.expires_at] if secret.expires_at else [])], default=None)


# --- payloads --------------------------------------------------------------------------------------------------------


def seal_payload(*, plain: bytes, practice_id: UUID, stage: str, purpose: str) -> bytes:
    """Seal a stored body or snapshot; it opens only for the same practice, stage and purpose."""
    return sealing.seal(plain, practice_id=practice_id, stage=stage, purpose=f"payload:{purpose}")


def open_payload(*, sealed: bytes, practice_id: UUID, stage: str, purpose: str) -> bytes:
    """Open what `seal_payload` sealed. Raises sealing.SealBroken, sealing.UnknownKey."""
    return sealing.unseal(sealed, practice_id=practice_id, stage=stage, purpose=f"payload:{purpose}")


def fingerprint(*, value: str) -> str:
    """Eight characters by which people tell secrets apart."""
    return hashlib.sha256(b"refill-hub secret fingerprint\n" + value.encode()).hexdigest()[:8]


# --- below: how it is done -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cached:
    sealed: bytes = field(repr=False)
    value: str = field(repr=False)
    read_at: datetime


_cache: dict[UUID, _Cached] = {}
_recent: dict[tuple[UUID, SecretKind], _Cached] = {}
_noted: dict[UUID, datetime] = {}  # when this process last noted the use of a secret
_cache_lock = threading.Lock()


def forget() -> None:
    """Drop every unsealed value of this process."""
    with _cache_lock:
        _cache.clear()
        _recent.clear()
        _noted.clear()


os.register_at_fork(after_in_child=forget)


def _open(connection: Connection, secrets: list[Secret], now: datetime, actor: Actor) -> list[LiveSecret]:
    _check_stage(connection)
    missing = [secret for secret in secrets if _remembered(secret, now) is None]
    if missing:
        with transaction.atomic(durable=True):
            opened = [(secret, _unseal(connection, secret)) for secret in missing]
            _audit("secret.read", connection, missing, now, actor)
        with _cache_lock:
            for secret, value in opened:
                _cache[secret.pk] = _Cached(sealed=bytes(secret.sealed), value=value, read_at=now)
    found = ((secret, _remembered(secret, now)) for secret in secrets)
    return [
        LiveSecret(secret_id=secret.pk, state=SecretState(secret.state), value=value)
        for secret, value in found
        if value is not None
    ]


def _remembered(secret: Secret, now: datetime) -> str | None:
    found = _cache.get(secret.pk)
    if found is None or found.sealed != bytes(secret.sealed):
        return None
    allowed = min(LONGEST_CACHE, timedelta(seconds=settings.SECRET_CACHE_SECONDS))
    if timedelta(0) <= now - found.read_at < allowed or now == found.read_at:
        return found.value
    return None


def _check_stage(connection: Connection) -> None:
    if connection.stage != settings.STAGE:
        raise WrongStage(f"a {settings.STAGE} installation may not open secrets of stage {connection.stage}")


def _purpose(secret: Secret) -> str:
    # Bound to the row, so a sealed value copied to another row or kind does not open there.
    return f"secret:{secret.kind}:{secret.pk}"


def _seal(connection: Connection, secret: Secret, value: str) -> bytes:
    return sealing.seal(
        value.encode(), practice_id=connection.practice_id, stage=connection.stage, purpose=_purpose(secret)
    )


def _unseal(connection: Connection, secret: Secret) -> str:
    return sealing.unseal(
        bytes(secret.sealed),
        practice_id=connection.practice_id,
        stage=connection.stage,
        purpose=_purpose(secret),
    ).decode()


def _insert(
    connection: Connection,
    kind: SecretKind,
    value: str,
    state: SecretState,
    now: datetime,
    actor: Actor,
    expires_at: datetime | None,
) -> Secret:
    if connection.secrets.filter(kind=kind).live().count() >= MOST_LIVE:
        raise TooManyLive(f"at most {MOST_LIVE} live secrets of a kind")
    secret = Secret(connection=connection, kind=kind, state=state, created_at=now, expires_at=expires_at)
    secret.sealed = _seal(connection, secret, value)
    secret.fingerprint = fingerprint(value=value)
    secret.activated_at = now if state == SecretState.active else None
    secret.save(force_insert=True)
    _audit("secret.added", connection, [secret], now, actor)
    return secret


def _step_down(connection: Connection, kind: SecretKind, now: datetime, actor: Actor) -> None:
    former = connection.secrets.filter(kind=kind, state=SecretState.active).first()
    if former is None:
        return
    if kind != SecretKind.webhook_secret:
        _revoke(connection, [former], now, actor)
        return
    former.state = SecretState.retiring
    former.retires_at = now + RETIRING_FOR
    former.save(update_fields=["state", "retires_at"])
    _audit("secret.retired", connection, [former], now, actor)


def _revoke(connection: Connection, secrets: list[Secret], now: datetime, actor: Actor) -> None:
    for secret in secrets:
        secret.state = SecretState.revoked
        secret.sealed = b""
        secret.save(update_fields=["state", "sealed"])
        with _cache_lock:
            _cache.pop(secret.pk, None)
    _audit("secret.revoked", connection, secrets, now, actor)


def _lock(connection: Connection) -> None:
    """Every change of a connection's secrets passes here."""
    with _cache_lock:
        for kind in SecretKind:
            _recent.pop((connection.pk, kind), None)
    Connection.objects.select_for_update().only("pk").get(pk=connection.pk)


def _audit(event: str, connection: Connection, secrets: list[Secret], now: datetime, actor: Actor) -> None:
    log.record_many(
        now=now,
        drafts=[
            Draft(
                practice_id=connection.practice_id,
                event=event,
                actor=actor,
                data={
                    "secret": str(secret.pk),
                    "kind": str(secret.kind),
                    "vendor": str(connection.vendor),
                    "stage": str(connection.stage),
                    "fingerprint": secret.fingerprint,
                },
            )
            for secret in secrets
        ],
    )
