"""The one door to the network: every byte to a vendor leaves through `request`.

It never sends while a database transaction is open, never repeats a call, never turns a POST into a GET, and never puts
a URL, header or body into an error or a log line. It tells callers of writes the one thing they must know about a
failure: whether anything can have arrived (`NoAnswer`) or surely nothing has (`NotSent`).
"""

import ipaddress
import os
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import utils as email_dates
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit

import certifi
import orjson
import requests
from django.db import connections
from requests import adapters
from requests.structures import CaseInsensitiveDict
from urllib3 import exceptions as urllib3_errors
from urllib3 import response as urllib3_response

from integrations import sockets

MAX_BYTES = 2 * 1024 * 1024
MAX_REDIRECTS = 5
_CHUNK = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAFE_ELSEWHERE = frozenset({"accept", "accept-language", "user-agent"})  # headers another host may see
_USER_AGENT = "RefillHub"


class NetworkInsideTransaction(RuntimeError):
    """A call to a vendor was attempted while a database transaction was open (architecture, law 2)."""


class VendorError(Exception):
    """A vendor could not be read, or answered with a failure.

    permanent: the same call will fail again until a person changes something. retry_after: seconds, when named.
    status: the HTTP status if one came. code: the vendor's own code. The message never holds health data or secrets.
    """

    def __init__(
        self,
        message: str,
        *,
        vendor: str,
        permanent: bool,
        retry_after: float | None = None,
        status: int | None = None,
        code: str = "",
    ) -> None:
        super().__init__(f"{vendor}: {message}")
        self.vendor = vendor
        self.permanent = permanent
        self.retry_after = retry_after
        self.status = status
        self.code = code


class NotSent(VendorError):
    """Surely nothing has reached the vendor: no address, no connection, or no trusted one."""


class NoAnswer(VendorError):
    """Bytes have left and no usable answer has come: what was asked for may have happened."""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, read to its end. `elapsed` is in seconds; `headers` ignores case; any status is a value, no error."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = field(repr=False)
    elapsed: float

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become replacement marks, so use it for display only."""
        return self.content.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not JSON."""
        return orjson.loads(self.content)

    @property
    def retry_after(self) -> float | None:
        """Seconds from `Retry-After` (number, or a date counted from the answer's own `Date`); None when absent."""
        value = self.headers.get("Retry-After", "").strip()
        if not value:
            return None
        if value.isdigit():
            return float(value)
        try:
            wanted = email_dates.parsedate_to_datetime(value)
            answered = email_dates.parsedate_to_datetime(self.headers.get("Date", ""))
            return max(0.0, (wanted - answered).total_seconds())
        except (TypeError, ValueError):
            return None


def request(
    *,
    vendor: str,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    data: bytes | Mapping[str, str] | None = None,
    timeout: tuple[float, float] = (5.0, 30.0),
    allow_redirects: bool = False,
    cert: tuple[str, str] | None = None,
    ca_file: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> Response:
    """Send one request once and read the whole answer, whatever its status.

    vendor: name for errors. json: a value to send as JSON. data: bytes as they are, or a form. timeout: seconds to
    connect and seconds between received bytes. cert: files of a client certificate and its key. ca_file: a private
    certification authority in place of the public ones. max_bytes: a longer answer is no answer.

    Raises NetworkInsideTransaction, NotSent (surely nothing arrived), NoAnswer (it may have), ValueError for a URL or
    a combination of arguments that can never be right.
    """
    refuse_inside_transaction()
    method = method.upper()
    if allow_redirects and method not in ("GET", "HEAD"):
        raise ValueError("only reads may follow redirects")
    sent_headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "gzip, deflate"}
    body: bytes | Mapping[str, str] | None = data
    if json is not None:
        if data is not None:
            raise ValueError("json and data exclude each other")
        body = orjson.dumps(json)
        sent_headers["Content-Type"] = "application/json"
    if headers:
        sent_headers.update(headers)
    prepared = _prepare(method=method, url=url, headers=sent_headers, params=params, body=body)
    started = time.perf_counter()
    for _hop in range(MAX_REDIRECTS + 1):
        answer = _send_once(
            vendor=vendor, prepared=prepared, timeout=timeout, cert=cert, ca_file=ca_file, max_bytes=max_bytes
        )
        if not (allow_redirects and answer.status_code in _REDIRECTS and "Location" in answer.headers):
            return Response(
                status=answer.status_code,
                headers=MappingProxyType(answer.headers),
                content=answer.content,
                url=prepared.url or url,
                elapsed=time.perf_counter() - started,
            )
        following = urljoin(prepared.url or url, answer.headers["Location"])
        if not _same_origin(prepared.url or url, following):
            sent_headers = {name: value for name, value in sent_headers.items() if name.lower() in _SAFE_ELSEWHERE}
            cert = None
        prepared = _prepare(method=method, url=following, headers=sent_headers, params=None, body=None)
    raise VendorError("too many redirects", vendor=vendor, permanent=True)


def mount(prefix: str, adapter: adapters.BaseAdapter) -> None:
    """Answer every URL beginning with `prefix` through `adapter` instead of a socket (tests, simulators in process)."""
    _mounted[prefix.rstrip("/")] = adapter


def unmount(prefix: str) -> None:
    """Take back `mount`; an unknown prefix raises KeyError."""
    del _mounted[prefix.rstrip("/")]


def is_loopback(url: str) -> bool:
    """True when the URL's host can only be this machine (localhost, 127/8, ::1, 0.0.0.0, and other spellings of them).

    Looks at the text only, never at a name server. A URL without a host counts as loopback: it must not go out.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(host))  # 127.1, 0x7f000001, 2130706433
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return address.is_loopback or address.is_unspecified


def refuse_inside_transaction() -> None:
    """Raise NetworkInsideTransaction while a database transaction is open, the test's own wrapping ones excepted."""
    for database in connections.all(initialized_only=True):
        if database.in_atomic_block:
            if all(getattr(block, "_from_testcase", False) for block in database.atomic_blocks):
                continue
        elif database.connection is None or database.autocommit:
            continue
        raise NetworkInsideTransaction("a vendor call was attempted inside a database transaction")


# --- below: how it is done ------------------------------------------------------------------------------------------

_mounted: dict[str, adapters.BaseAdapter] = {}
_wired = sockets.new_adapter()


def _forget_connections() -> None:
    """After a fork the child must not speak on the parent's sockets."""
    global _wired
    _wired = sockets.new_adapter()


os.register_at_fork(after_in_child=_forget_connections)


@dataclass(slots=True)
class _Answer:
    status_code: int
    headers: CaseInsensitiveDict[str]
    content: bytes


def _prepare(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    params: Mapping[str, Any] | None,
    body: bytes | Mapping[str, str] | None,
) -> requests.PreparedRequest:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ValueError("a vendor's address is http or https, has a host, and no user name in it")
    prepared = requests.PreparedRequest()
    prepared.prepare_method(method)
    prepared.prepare_url(url, params)
    prepared.prepare_headers(headers)
    prepared.prepare_body(body, None)
    prepared.hooks = {"response": []}
    return prepared


def _send_once(
    *,
    vendor: str,
    prepared: requests.PreparedRequest,
    timeout: tuple[float, float],
    cert: tuple[str, str] | None,
    ca_file: str | None,
    max_bytes: int,
) -> _Answer:
    adapter = _adapter_for(prepared.url or "")
    sockets.wire.touched = False
    try:
        response = adapter.send(
            prepared, stream=True, timeout=timeout, verify=ca_file or certifi.where(), cert=cert, proxies={}
        )
        content = _read(vendor=vendor, response=response, max_bytes=max_bytes, seconds=sum(timeout))
        return _Answer(status_code=response.status_code, headers=response.headers, content=content)
    except (requests.RequestException, urllib3_errors.HTTPError, OSError) as error:
        surely_unsent = not sockets.wire.touched if adapter is _wired else _never_connected(error)
        fault = type(error).__name__
    # Raised out here so that the library's exception, which holds the URL, hangs on nothing that may be printed.
    raise (NotSent if surely_unsent else NoAnswer)(fault, vendor=vendor, permanent=False)


def _read(*, vendor: str, response: requests.Response, max_bytes: int, seconds: float) -> bytes:
    """The whole body, at most max_bytes and at most seconds after the headers; else the connection is closed."""
    size = 0
    chunks: list[bytes] = []
    deadline = time.monotonic() + seconds
    for chunk in _pieces(response):
        size += len(chunk)
        if size > max_bytes or time.monotonic() > deadline:
            response.close()
            fault = "too long" if size > max_bytes else "too slow"
            raise NoAnswer(f"the answer is {fault}", vendor=vendor, permanent=False, status=response.status_code)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """The unpacked body as it arrives, so that a vendor dripping bytes cannot hold a worker past its deadline."""
    raw = response.raw
    if not isinstance(raw, urllib3_response.HTTPResponse):
        yield from response.iter_content(_CHUNK)
        return
    while piece := raw.read1(_CHUNK, decode_content=True):
        yield piece
    raw.release_conn()


def _adapter_for(url: str) -> adapters.BaseAdapter:
    best = ""
    for prefix in _mounted:
        longer = len(prefix) > len(best)
        if longer and url.startswith(prefix) and (len(url) == len(prefix) or url[len(prefix)] in "/?#:"):
            best = prefix
    return _mounted[best] if best else _wired


def _never_connected(error: Exception) -> bool:
    """For a mounted adapter, which has no socket to watch: the errors that only an unmade connection can raise."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.SSLError, ConnectionRefusedError)):
        return True
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    return isinstance(reason, (urllib3_errors.NewConnectionError, ConnectionRefusedError))


def _same_origin(one: str, other: str) -> bool:
    a, b = urlsplit(one), urlsplit(other)
    return (a.scheme, a.hostname, a.port) == (b.scheme, b.hostname, b.port)
