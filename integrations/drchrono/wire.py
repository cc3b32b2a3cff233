"""One call to DrChrono's API: token, budget, one request, 401 once more, errors in the classes of contract 4.7.

Never sleeps longer than about two seconds; what must wait longer is a VendorError with `retry_after`, and the caller's
row is due again then. Repeats reads once after a gateway hiccup, writes never.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from audit.events import Actor
from integrations import http, limits
from integrations.drchrono import oauth
from integrations.drchrono.types import Calls
from integrations.models import Connection

VERSION = "v4"
PAGE_SIZE = 250
MOST_PAGES = 4000  # a million rows; more is a loop, and a loop is an error, never a silent end
_GATEWAY = frozenset({502, 503, 504})
_HICCUP_PAUSE_S = 0.25
_SECONDS_HINT = re.compile(r"available in (\d+) second")
_NOTE_EVERY = timedelta(minutes=1)


class NotFound(http.VendorError):
    """No such record, or not one that this authorisation may see."""


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of work on one practice's connection: when, who, how urgent, and what it has cost so far."""

    connection: Connection
    now: datetime
    actor: Actor
    priority: limits.Priority = limits.Priority.interactive
    calls: Calls = field(default_factory=Calls)
    began: float = field(default_factory=time.monotonic, compare=False)  # so that a long piece of work keeps its pace

    @property
    def lane(self) -> limits.Lane:
        return limits.drchrono_lane(client_id=self.connection.client_id)


def get(*, line: Line, path: str, params: Mapping[str, str] | None = None) -> Any:
    """One record or one page, as JSON. Raises VendorError, NotFound; repeats once after a gateway hiccup."""
    url = f"{line.connection.address}{path}"
    try:
        answer = send(line=line, method="GET", url=url, params=params)
        hiccup = answer.status in _GATEWAY
    except (http.NoAnswer, http.NotSent) as error:
        if isinstance(error, (limits.Throttled, limits.LimiterGone)):
            raise
        hiccup = True
    if hiccup:
        time.sleep(_HICCUP_PAUSE_S)
        answer = send(line=line, method="GET", url=url, params=params)
    raise_for(line=line, answer=answer)
    return body(answer=answer)


def pages(*, line: Line, path: str, params: Mapping[str, str]) -> Iterator[list[Any]]:
    """All pages of a list. Raises VendorError; a `next` outside our address or a circle is a permanent one."""
    cursor = ""
    for _ in range(MOST_PAGES):
        rows, cursor = page(line=line, path=path, params=params, cursor=cursor)
        yield rows
        if not cursor:
            return
    raise http.VendorError("the list does not end", vendor="drchrono", permanent=True, code="endless_list")


def page(*, line: Line, path: str, params: Mapping[str, str], cursor: str = "") -> tuple[list[Any], str]:
    """One page and the cursor (the opaque `next` address) of the following one, empty at the end."""
    if cursor:
        check_same_host(base=line.connection.address, url=cursor)
        answer = send(line=line, method="GET", url=cursor)
        raise_for(line=line, answer=answer)
        envelope = body(answer=answer)
    else:
        envelope = get(line=line, path=path, params={"page_size": str(PAGE_SIZE), **params})
    if not isinstance(envelope, dict):
        raise http.VendorError("a list without its envelope", vendor="drchrono", permanent=False, code="unreadable")
    rows = envelope["results"] if "results" in envelope else envelope.get("data")
    if not isinstance(rows, list):
        raise http.VendorError("a list without results", vendor="drchrono", permanent=False, code="unreadable")
    following = envelope.get("next")
    if not following:
        return rows, ""
    if not isinstance(following, str) or following == cursor:
        raise http.VendorError("the list goes in a circle", vendor="drchrono", permanent=True, code="endless_list")
    check_same_host(base=line.connection.address, url=following)
    return rows, following


def send(
    *,
    line: Line,
    method: str,
    url: str,
    params: Mapping[str, str] | None = None,
    json: Any = None,
) -> http.Response:
    """One request with a living token; after a 401 one refresh and one repeat (a refused call has done nothing).

    Any status but 401 and 429 comes back as it is. Raises NeedsAuthorisation, Throttled, LimiterGone, NotSent, NoAnswer
    (only when this very request may have arrived), and TooManyCalls (`retry_after` in seconds) for 429.
    """
    token = _token(line, "")
    answer = _once(line, method, url, params, json, token)
    if answer.status == 401:
        token = _token(line, token)
        answer = _once(line, method, url, params, json, token)
        if answer.status == 401:
            oauth.give_up(connection=line.connection, token=token, now=line.now, actor=line.actor)
            raise http.VendorError(
                "refused with a fresh token", vendor="drchrono", permanent=False, status=401, code="unauthorised"
            )
    if answer.status == 429:
        seconds = _hint(answer, line.now)
        limits.block(lane=line.lane, now=line.now, seconds=seconds)
        raise TooManyCalls(
            "too many calls", vendor="drchrono", permanent=False, status=429, retry_after=seconds, code="throttled"
        )
    return answer


class TooManyCalls(http.VendorError):
    """The vendor answered 429: it has done nothing, and says when it will listen again."""


def raise_for(*, line: Line, answer: http.Response) -> None:
    """Turn a failed answer into its error and note it on the connection; a good one notes that all is well."""
    if answer.ok:
        _note_ok(line)
        return
    _note_error(line, f"http_{answer.status}")
    if answer.status == 404:
        raise NotFound("no such record", vendor="drchrono", permanent=True, status=404, code="not_found")
    raise http.VendorError(
        f"answered {answer.status}",
        vendor="drchrono",
        permanent=answer.status < 500 and answer.status != 408,
        status=answer.status,
        retry_after=answer.retry_after,
        code=f"http_{answer.status}",
    )


def body(*, answer: http.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise http.VendorError(
            "the answer is not JSON", vendor="drchrono", permanent=False, status=answer.status, code="unreadable"
        ) from error


def check_same_host(*, base: str, url: str) -> None:
    """A token goes only to the address it was given for. Raises VendorError."""
    ours, theirs = urlsplit(base), urlsplit(url)
    if (ours.scheme, ours.hostname, ours.port) != (theirs.scheme, theirs.hostname, theirs.port):
        raise http.VendorError("a page at a foreign host", vendor="drchrono", permanent=True, code="foreign_next")


def _token(line: Line, failed: str) -> str:
    """A living token. A refresh without an answer is NotSent here: the request itself has not been made."""
    try:
        if failed:
            return oauth.refresh(connection=line.connection, failed=failed, now=line.now, actor=line.actor)
        return oauth.access_token(connection=line.connection, now=line.now, actor=line.actor)
    except http.NoAnswer as error:
        raise http.NotSent(
            "no answer while renewing the token", vendor="drchrono", permanent=False, code="token_no_answer"
        ) from error


def _once(
    line: Line, method: str, url: str, params: Mapping[str, str] | None, json: Any, token: str
) -> http.Response:
    moment = line.now + timedelta(seconds=time.monotonic() - line.began)
    limits.pass_through(lane=line.lane, now=moment, priority=line.priority)
    line.calls.count += 1
    return http.request(
        vendor="drchrono",
        method=method,
        url=url,
        params=params,
        json=json,
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "X-DRC-API-Version": VERSION,
        },
        timeout=(settings.VENDOR_CONNECT_TIMEOUT, settings.VENDOR_READ_TIMEOUT),
        allow_redirects=method == "GET",
        max_bytes=16 * 1024 * 1024,
    )


def _hint(answer: http.Response, now: datetime) -> float:
    """Seconds to wait after a 429: the header, else the body's words, else the top of the hour (decision 5)."""
    if answer.retry_after is not None:
        return max(1.0, answer.retry_after)
    try:
        detail = answer.json().get("detail", "")
    except (ValueError, AttributeError):
        detail = ""
    found = _SECONDS_HINT.search(detail) if isinstance(detail, str) else None
    if found:
        return max(1.0, float(found.group(1)))
    return float(3600 - int(now.timestamp()) % 3600)


def _note_ok(line: Line) -> None:
    connection = line.connection
    if connection.last_ok_at is not None and line.now - connection.last_ok_at < _NOTE_EVERY:
        return
    Connection.objects.filter(pk=connection.pk).update(last_ok_at=line.now)
    connection.last_ok_at = line.now


def _note_error(line: Line, code: str) -> None:
    Connection.objects.filter(pk=line.connection.pk).update(last_error_at=line.now, last_error_code=code)
