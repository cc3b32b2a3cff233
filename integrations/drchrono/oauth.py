"""Tokens of DrChrono: authorise, exchange, refresh under one lock, revoke; in the vault before they are used.

Two workers never refresh at once (`single_flight`), and the row is read again after getting the lock. A dead refresh
token marks the connection `needs_authorisation`; it is never silent.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction

from audit import log
from audit.events import Actor, Draft
from integrations import http, limits, single_flight, vault
from integrations.models import Connection, ConnectionStatus, SecretKind, Vendor

SCOPES = (  # contract 3.1: always a list, never "all"
    "user:read patients:read patients:write clinical:read clinical:write calendar:read labs:read "
    "tasks:read tasks:write messages:read"
)
EXPIRY_BUFFER = timedelta(seconds=90)  # seed 000
REFRESH_AT_FRACTION = 0.5  # contract decision 1: beat refreshes when less than half the life is left
PROACTIVE = timedelta(days=5)  # seed 000: refresh at the five-day mark
DEFAULT_LIFE_S = 172_800  # vendor's help text: 48 h when `expires_in` is absent
STATE_LIFE = timedelta(minutes=15)
_STATE_SALT = "integrations.drchrono.oauth.state"
_TOKEN_KINDS = (SecretKind.access_token, SecretKind.refresh_token)


class NeedsAuthorisation(http.VendorError):
    """A person of the practice has to authorise again; nothing else helps."""


class BadState(ValueError):
    """The answer of the authorise page does not belong to a question we asked, or came too late."""


@dataclass(frozen=True, slots=True)
class _Pair:
    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_in: int


def authorise_url(*, connection: Connection, user_id: UUID, redirect_uri: str, now: datetime) -> str:
    """The page a person of the practice is sent to. The state is signed, bound to connection and user, 15 minutes."""
    state = signing.dumps([str(connection.pk), str(user_id), int(now.timestamp())], salt=_STATE_SALT)
    query = {
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "client_id": connection.client_id,
        "scope": SCOPES,
        "state": state,
    }
    return f"{connection.address}/o/authorize/?{urlencode(query)}"


def read_state(*, state: str, user_id: UUID, now: datetime) -> UUID:
    """The connection a returning state belongs to. Raises BadState."""
    try:
        connection_id, asked_by, asked_at = signing.loads(state, salt=_STATE_SALT)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadState("not ours") from error
    age = now.timestamp() - asked_at
    if asked_by != str(user_id) or not 0 <= age <= STATE_LIFE.total_seconds():
        raise BadState("another person's, or too old")
    return UUID(connection_id)


def exchange(*, connection: Connection, code: str, redirect_uri: str, now: datetime, actor: Actor) -> None:
    """Turn the code into tokens and make the connection active. Raises VendorError (permanent when refused)."""
    with single_flight.only_one(key=connection.pk, vendor="drchrono"):
        pair = _ask(
            connection, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}, now, actor
        )
        _save(connection, pair, "connection.authorized", now, actor)


def access_token(*, connection: Connection, now: datetime, actor: Actor) -> str:
    """A token with at least 90 s of life, refreshed first if need be. Raises NeedsAuthorisation, VendorError."""
    if connection.status == ConnectionStatus.needs_authorisation:
        connection.refresh_from_db(fields=["status", "token_expires_at", "last_refresh_at"])
        if connection.status == ConnectionStatus.needs_authorisation:
            raise _needs_authorisation()
    if connection.token_expires_at is None or connection.token_expires_at - now < EXPIRY_BUFFER:
        return refresh(connection=connection, failed="", now=now, actor=actor)
    try:
        return vault.read_recent(connection=connection, kind=SecretKind.access_token, now=now, actor=actor)
    except vault.NoSecret as error:
        raise _needs_authorisation() from error


def refresh(*, connection: Connection, failed: str, now: datetime, actor: Actor) -> str:
    """A fresh access token. `failed` is the token a call was just refused with, or empty when its time is near.

    Refreshes only if nobody else has since: with `failed`, when the stored token is still that one; without, when the
    stored expiry is still near. Raises NeedsAuthorisation, VendorError (temporary).
    """
    with single_flight.only_one(key=connection.pk, vendor="drchrono"):
        connection.refresh_from_db(fields=["status", "token_expires_at", "last_refresh_at", "client_id"])
        if connection.status == ConnectionStatus.needs_authorisation:
            raise _needs_authorisation()
        if failed:
            stored = _stored(connection, SecretKind.access_token, now, actor)
            if stored != failed:
                return stored
        elif connection.token_expires_at is not None and connection.token_expires_at - now >= EXPIRY_BUFFER:
            return _stored(connection, SecretKind.access_token, now, actor)
        return _renew(connection, now, actor)


def renew_if_due(*, connection: Connection, now: datetime, actor: Actor) -> bool:
    """Refresh ahead of time (half the life gone, or five days since the last). True when it did. Same errors."""
    if not is_refresh_due(connection=connection, now=now):
        return False
    with single_flight.only_one(key=connection.pk, vendor="drchrono"):
        connection.refresh_from_db(fields=["status", "token_expires_at", "last_refresh_at", "client_id"])
        if not is_refresh_due(connection=connection, now=now):
            return False
        _renew(connection, now, actor)
    return True


def is_refresh_due(*, connection: Connection, now: datetime) -> bool:
    if connection.vendor != Vendor.drchrono or connection.status != ConnectionStatus.active:
        return False
    expires, last = connection.token_expires_at, connection.last_refresh_at
    if expires is None or last is None or now - last >= PROACTIVE:
        return True
    return expires - now < (expires - last) * REFRESH_AT_FRACTION


def revoke(*, connection: Connection, now: datetime, actor: Actor) -> bool:
    """Give the tokens back and forget them, whatever the vendor says. True when the vendor confirmed."""
    told = False
    try:
        token = _stored(connection, SecretKind.access_token, now, actor)
        secret = vault.read(connection=connection, kind=SecretKind.client_secret, now=now, actor=actor)
        answer = http.request(
            vendor="drchrono",
            method="POST",
            url=f"{connection.address}/o/revoke_token/",
            data={"client_id": connection.client_id, "client_secret": secret, "token": token},
        )
        told = answer.ok
    except (http.VendorError, vault.NoSecret):
        told = False  # forgotten on our side all the same; the entry says that the vendor did not confirm
    with transaction.atomic():
        vault.revoke_all(connection=connection, kinds=_TOKEN_KINDS, now=now, actor=actor)
        Connection.objects.filter(pk=connection.pk).update(status=ConnectionStatus.new, token_expires_at=None)
        _audit("connection.revoked", connection, now, actor, "confirmed" if told else "unconfirmed")
    connection.status, connection.token_expires_at = ConnectionStatus.new, None
    return told


def give_up(*, connection: Connection, token: str, now: datetime, actor: Actor) -> None:
    """A fresh token was refused too (contract 3, rule 3): mark the connection, unless others have renewed meanwhile."""
    if _stored(connection, SecretKind.access_token, now, actor) == token:
        _fail(connection, "fresh_token_refused", ConnectionStatus.needs_authorisation, now, actor)


# --- below: how it is done -------------------------------------------------------------------------------------------


def _renew(connection: Connection, now: datetime, actor: Actor) -> str:
    used = _stored(connection, SecretKind.refresh_token, now, actor)
    try:
        pair = _ask(connection, {"grant_type": "refresh_token", "refresh_token": used}, now, actor)
    except NeedsAuthorisation as error:
        if _stored(connection, SecretKind.refresh_token, now, actor) != used:
            # Somebody authorised again meanwhile: theirs is the living pair.
            return _stored(connection, SecretKind.access_token, now, actor)
        _fail(connection, error.code, ConnectionStatus.needs_authorisation, now, actor)
        raise
    except http.VendorError as error:
        _fail(connection, error.code or type(error).__name__, None, now, actor)
        raise
    _save(connection, pair, "token.refreshed", now, actor)
    return pair.access


def _ask(connection: Connection, form: dict[str, str], now: datetime, actor: Actor) -> _Pair:
    """One call to the token address. Raises NeedsAuthorisation for 400 and 401 alike, else VendorError (temporary)."""
    secret = vault.read(connection=connection, kind=SecretKind.client_secret, now=now, actor=actor)
    limits.pass_through(lane=limits.drchrono_lane(client_id=connection.client_id), now=now)
    answer = http.request(
        vendor="drchrono",
        method="POST",
        url=f"{connection.address}/o/token/",
        data=form | {"client_id": connection.client_id, "client_secret": secret},
        headers={"Accept": "application/json"},
        timeout=(settings.VENDOR_CONNECT_TIMEOUT, settings.VENDOR_READ_TIMEOUT),
    )
    body = _object(answer)
    if answer.status in (400, 401):
        code = body.get("error")
        raise NeedsAuthorisation(
            "the authorisation was refused",
            vendor="drchrono",
            permanent=True,
            status=answer.status,
            code=code if isinstance(code, str) else "refused",
        )
    access = body.get("access_token")
    if not answer.ok or not isinstance(access, str) or not access:
        raise http.VendorError(
            "no token came back", vendor="drchrono", permanent=False, status=answer.status,
            retry_after=answer.retry_after, code="token_answer",
        )
    renewed = body.get("refresh_token")
    life = body.get("expires_in")
    if not isinstance(life, int) or isinstance(life, bool) or life <= 0:
        life = DEFAULT_LIFE_S
    return _Pair(
        access=access,
        refresh=renewed if isinstance(renewed, str) and renewed else None,
        expires_in=life,
    )


def _save(connection: Connection, pair: _Pair, event: str, now: datetime, actor: Actor) -> None:
    with transaction.atomic(durable=True):
        vault.replace_tokens(
            connection=connection,
            access=pair.access,
            refresh=pair.refresh,
            expires_at=now + timedelta(seconds=pair.expires_in),
            now=now,
        )
        Connection.objects.filter(pk=connection.pk).update(status=ConnectionStatus.active, last_error_code="")
        _audit(event, connection, now, actor, "ok")
    connection.status = ConnectionStatus.active


def _fail(
    connection: Connection, code: str, status: ConnectionStatus | None, now: datetime, actor: Actor
) -> None:
    changes: dict[str, Any] = {"last_error_at": now, "last_error_code": code[:64]}
    if status is not None:
        changes["status"] = status
    with transaction.atomic(durable=True):
        Connection.objects.filter(pk=connection.pk).update(**changes)
        _audit("token.refresh_failed", connection, now, actor, code)
    if status is not None:
        connection.status = status


def _stored(connection: Connection, kind: SecretKind, now: datetime, actor: Actor) -> str:
    try:
        return vault.read(connection=connection, kind=kind, now=now, actor=actor)
    except vault.NoSecret as error:
        raise _needs_authorisation() from error


def _needs_authorisation() -> NeedsAuthorisation:
    return NeedsAuthorisation(
        "this connection needs a new authorisation", vendor="drchrono", permanent=True, code="needs_authorisation"
    )


def _object(answer: http.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _audit(event: str, connection: Connection, now: datetime, actor: Actor, outcome: str) -> None:
    data = {"connection": str(connection.pk), "vendor": str(connection.vendor)}
    log.record(
        now=now,
        draft=Draft(practice_id=connection.practice_id, event=event, actor=actor, outcome=outcome[:64], data=data),
    )
