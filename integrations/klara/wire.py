"""One call to Klara: credential, budget, one request, 401 once more, every failure as the error it is.

Works in both ways to authenticate (OAuth client or API key). Never sleeps longer than about
two seconds, never repeats a call that may have arrived.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import transaction

from audit import log
from audit.events import Actor, Draft
from integrations import http, limits, single_flight, vault
from integrations.klara import events
from integrations.klara import profile as profiles
from integrations.klara.profile import AuthMode, Profile
from integrations.models import Connection, ConnectionStatus, SecretKind

EXPIRY_BUFFER = timedelta(seconds=90)
DEFAULT_LIFE_S = 3600
MOST_PAGES = 2000
PAGE_LIMIT = 100
_NOTE_EVERY = timedelta(minutes=1)


class NotFound(http.VendorError):
    """No such record."""


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of work on one practice's Klara account: when, who, and how urgent."""

    connection: Connection
    now: datetime
    actor: Actor
    priority: limits.Priority = limits.Priority.interactive

    @property
    def profile(self) -> Profile:
        return profiles.of(raw=self.connection.profile)

    @property
    def lane(self) -> limits.Lane:
        return limits.klara_lane(connection_id=self.connection.pk, calls_per_s=self.profile.limits.calls_per_s)


def record(*, line: Line, path: str, params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """One JSON object. Raises NotFound, VendorError."""
    answer = send(line=line, method="GET", path=path, params=params)
    if not answer.ok:
        note_error(line=line, code=f"http_{answer.status}")
        kind = NotFound if answer.status == 404 else http.VendorError
        raise kind(
            f"answered {answer.status}",
            vendor="klara",
            permanent=answer.status < 500 and answer.status != 408,
            status=answer.status,
            retry_after=answer.retry_after,
            code=f"http_{answer.status}",
        )
    note_ok(line=line)
    try:
        return events.load(body=answer.content)
    except events.Unreadable as error:
        raise unreadable(reason=error.reason) from error


def rows(*, line: Line, path: str, params: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Every row of a cursor-paged list. A list that does not end is an error, never a silent stop."""
    cursor = ""
    for _ in range(MOST_PAGES):
        asked = {"limit": str(PAGE_LIMIT), **params} | ({"cursor": cursor} if cursor else {})
        envelope = record(line=line, path=path, params=asked)
        found = envelope.get("data")
        if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
            raise unreadable(reason="no_data")
        yield from found
        following = envelope.get("next_cursor")
        if not following:
            return
        if not isinstance(following, str) or following == cursor:
            raise unreadable(reason="circle")
        cursor = following
    raise unreadable(reason="endless_list")


def send(
    *,
    line: Line,
    method: str,
    path: str,
    params: Mapping[str, str] | None = None,
    fields: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> http.Response:
    """One request; after a 401 one new token and one repeat. Raises Throttled on 429 (nothing was done)."""
    url, headers = f"{line.connection.address}{path}", headers or {}
    token = _credential(line, "")
    answer = _once(line, method, url, params, fields, headers, token)
    if answer.status == 401 and line.profile.auth.mode is AuthMode.oauth2:
        token = _credential(line, token)
        answer = _once(line, method, url, params, fields, headers, token)
    if answer.status == 401:
        _give_up(line)
        raise NeedsAuthorisation(
            "the credentials were refused", vendor="klara", permanent=True, status=401, code="needs_authorisation"
        )
    if answer.status == 429:
        seconds = max(1.0, answer.retry_after or 1.0)
        limits.block(lane=line.lane, now=line.now, seconds=seconds)
        raise limits.Throttled(
            "too many calls", vendor="klara", permanent=False, status=429, retry_after=seconds, code="throttled"
        )
    return answer


class NeedsAuthorisation(http.VendorError):
    """Klara refuses our key or client secret; a person has to renew it. Nothing was done."""


def _once(
    line: Line,
    method: str,
    url: str,
    params: Mapping[str, str] | None,
    fields: Mapping[str, Any] | None,
    headers: Mapping[str, str],
    token: str,
) -> http.Response:
    limits.pass_through(lane=line.lane, now=line.now, priority=line.priority)
    auth = line.profile.auth
    name, prefix = ("Authorization", "Bearer ") if auth.mode is AuthMode.oauth2 else (
        auth.api_key_header, auth.api_key_prefix
    )
    return http.request(
        vendor="klara",
        method=method,
        url=url,
        params=params,
        json=fields,
        headers={name: f"{prefix}{token}", "Accept": "application/json", **headers},
        timeout=(settings.VENDOR_CONNECT_TIMEOUT, settings.VENDOR_READ_TIMEOUT),
    )


def _credential(line: Line, failed: str) -> str:
    """The API key, or an access token with 90 s of life that is not `failed`. NoAnswer becomes NotSent."""
    connection = line.connection
    try:
        if line.profile.auth.mode is AuthMode.api_key:
            return vault.read_recent(connection=connection, kind=SecretKind.api_key, now=line.now, actor=line.actor)
        if not failed and _is_fresh(line):
            return vault.read_recent(
                connection=connection, kind=SecretKind.access_token, now=line.now, actor=line.actor
            )
        with single_flight.only_one(key=connection.pk, vendor="klara"):
            connection.refresh_from_db(fields=["token_expires_at"])
            if _is_fresh(line):
                stored = vault.read(
                    connection=connection, kind=SecretKind.access_token, now=line.now, actor=line.actor
                )
                if stored != failed:
                    return stored
            return _new_token(line)
    except vault.NoSecret as error:
        raise NeedsAuthorisation(
            "no credentials are stored", vendor="klara", permanent=True, code="needs_authorisation"
        ) from error
    except http.NoAnswer as error:
        raise http.NotSent(
            "no answer while renewing the token", vendor="klara", permanent=False, code="token_no_answer"
        ) from error


def _is_fresh(line: Line) -> bool:
    expires = line.connection.token_expires_at
    return expires is not None and expires - line.now >= EXPIRY_BUFFER


def _new_token(line: Line) -> str:
    connection, auth = line.connection, line.profile.auth
    secret = vault.read(connection=connection, kind=SecretKind.client_secret, now=line.now, actor=line.actor)
    form = {"grant_type": auth.grant, "client_id": connection.client_id, "client_secret": secret}
    if auth.grant == "refresh_token":
        form["refresh_token"] = vault.read(
            connection=connection, kind=SecretKind.refresh_token, now=line.now, actor=line.actor
        )
    limits.pass_through(lane=line.lane, now=line.now, priority=line.priority)
    answer = http.request(
        vendor="klara",
        method="POST",
        url=f"{connection.address}{auth.token_url}",
        data=form,
        headers={"Accept": "application/json"},
        timeout=(settings.VENDOR_CONNECT_TIMEOUT, settings.VENDOR_READ_TIMEOUT),
    )
    if answer.status in (400, 401, 403):
        _give_up(line)
        raise NeedsAuthorisation(
            "the credentials were refused", vendor="klara", permanent=True, status=answer.status,
            code="needs_authorisation",
        )
    try:
        given = events.load(body=answer.content) if answer.ok else {}
    except events.Unreadable:
        given = {}
    access, life = given.get("access_token"), given.get("expires_in")
    if not isinstance(access, str) or not access:
        raise http.VendorError(
            "no token came back", vendor="klara", permanent=False, status=answer.status,
            retry_after=answer.retry_after, code="token_answer",
        )
    renewed = given.get("refresh_token")
    seconds = life if isinstance(life, int) and not isinstance(life, bool) and life > 0 else DEFAULT_LIFE_S
    with transaction.atomic(durable=True):
        vault.replace_tokens(
            connection=connection,
            access=access,
            refresh=renewed if isinstance(renewed, str) and renewed else None,
            expires_at=line.now + timedelta(seconds=seconds),
            now=line.now,
        )
        _audit(line, "token.refreshed", "ok")
    return access


def _give_up(line: Line) -> None:
    """Mark the connection, once, and leave an entry: the page shows it and the alarm looks for it."""
    with transaction.atomic(durable=True):
        changed = (
            Connection.objects.filter(pk=line.connection.pk)
            .exclude(status=ConnectionStatus.needs_authorisation)
            .update(
                status=ConnectionStatus.needs_authorisation, last_error_at=line.now, last_error_code="refused"
            )
        )
        if changed:
            _audit(line, "token.refresh_failed", "refused")
    line.connection.status = ConnectionStatus.needs_authorisation


def unreadable(*, reason: str) -> http.VendorError:
    return http.VendorError("the answer cannot be read", vendor="klara", permanent=False, code=reason)


def segment(*, value: str) -> str:
    """An id as one path segment. Raises ValueError for an empty one."""
    if not value or value in (".", ".."):
        raise ValueError("not an id of this vendor")
    return quote(value, safe="")


def note_ok(*, line: Line) -> None:
    """The account answers: note it at most once a minute; a connection that had been given up is active again."""
    connection = line.connection
    if connection.status == ConnectionStatus.needs_authorisation:
        Connection.objects.filter(pk=connection.pk).update(status=ConnectionStatus.active)
        connection.status = ConnectionStatus.active
    if connection.last_ok_at is not None and line.now - connection.last_ok_at < _NOTE_EVERY:
        return
    Connection.objects.filter(pk=connection.pk).update(last_ok_at=line.now)
    connection.last_ok_at = line.now


def note_error(*, line: Line, code: str) -> None:
    Connection.objects.filter(pk=line.connection.pk).update(last_error_at=line.now, last_error_code=code)


def _audit(line: Line, event: str, outcome: str) -> None:
    data = {"connection": str(line.connection.pk), "vendor": "klara"}
    draft = Draft(
        practice_id=line.connection.practice_id, event=event, actor=line.actor, outcome=outcome, data=data
    )
    log.record(now=line.now, draft=draft)
