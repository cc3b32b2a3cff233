"""Carries webhooks from a pretended vendor to the hub: one POST or GET, its status, never a retry.

How bytes travel is injectable; by default over kept-alive HTTP connections, one set per thread. Retries are the
vendor's.
"""

import http.client
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """What the hub answered. Status 0 = no answer (refused, dropped, timed out)."""

    status: int
    body: bytes = b""
    retry_after: str | None = None

    @property
    def ok(self) -> bool:
        """2xx, the only success."""
        return 200 <= self.status < 300


Deliver = Callable[[str, Mapping[str, str], bytes], "int | Reply"]
Fetch = Callable[[str], Reply]


class Courier:
    """`send` posts and waits; `later` runs a job on a worker thread, or at once when there are no workers."""

    def __init__(
        self, *, deliver: Deliver | None = None, fetch: Fetch | None = None, workers: int = 0, timeout: float = 10.0
    ) -> None:
        self._deliver = deliver
        self._fetch = fetch
        self._timeout = timeout
        self._kept = threading.local()
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="courier") if workers else None

    def later(self, job: Callable[[], object]) -> None:
        """Run a delivery job without holding up the caller."""
        if self._pool is None:
            job()
        else:
            self._pool.submit(job)

    def send(self, *, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """POST; never raises for network trouble."""
        if self._deliver is not None:
            answer = self._deliver(url, headers, body)
            return answer if isinstance(answer, Reply) else Reply(status=answer)
        return self._exchange("POST", url, headers, body)

    def get(self, *, url: str) -> Reply:
        """GET (the webhook handshake); never raises for network trouble."""
        return self._fetch(url) if self._fetch is not None else self._exchange("GET", url, {}, b"")

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        for attempt in (1, 2):
            link, fresh = self._link(parts.scheme, parts.netloc)
            try:
                link.request(method, target or "/", body=body if method == "POST" else None, headers=dict(headers))
                answer = link.getresponse()
                return Reply(answer.status, answer.read(), answer.getheader("Retry-After"))
            except (OSError, http.client.HTTPException) as problem:
                self._forget(parts.netloc)
                # a kept connection the other side had closed: once more on a fresh one, as any sender does
                stale = isinstance(problem, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError)
                if fresh or attempt == 2 or not stale:
                    return Reply(status=0, body=str(problem).encode())
        return Reply(status=0)

    def _link(self, scheme: str, netloc: str) -> tuple[http.client.HTTPConnection, bool]:
        links: dict[str, http.client.HTTPConnection] = self._kept.__dict__.setdefault("links", {})
        if netloc in links:
            return links[netloc], False
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        links[netloc] = kind(netloc, timeout=self._timeout)
        return links[netloc], True

    def _forget(self, netloc: str) -> None:
        link = self._kept.links.pop(netloc, None)
        if link is not None:
            link.close()
