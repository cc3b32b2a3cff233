"""The frame every pretended vendor stands in: faults, journal, control calls, and the WSGI callable.

A vendor subclasses Simulator and writes `answer`; everything under /__sim__/ is the test desk's and never reaches it.
`handle` may raise ConnectionDropped: whoever carries the bytes then closes the connection without an answer.
"""

import random
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from integrations.sandbox import control
from integrations.sandbox.clock import Clock
from integrations.sandbox.faults import Fault, Faults
from integrations.sandbox.journal import Journal
from integrations.sandbox.wire import (
    Answer,
    BadBody,
    ConnectionDropped,
    Request,
    empty_answer,
    html_answer,
    json_answer,
)
from integrations.sandbox.world import World

__all__ = [
    "Answer",
    "BadBody",
    "ConnectionDropped",
    "Request",
    "Simulator",
    "empty_answer",
    "html_answer",
    "json_answer",
]

REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class Simulator:
    """One pretended vendor. Subclasses set `vendor`, write `answer`, and as needed `load`, `practice_of`, `control`."""

    vendor = "nobody"

    def __init__(
        self, *, world: World, clock: Clock, journal: Journal | None = None, faults: Faults | None = None, seed: int = 0
    ) -> None:
        self.clock = clock
        self.journal = journal or Journal(vendor=self.vendor)
        self.journal.vendor = self.vendor
        self.faults = faults or Faults(seed=seed)
        self.seed = seed
        self.random = random.Random(seed)
        self.lock = threading.RLock()
        self.world = world
        self.load()

    # what a vendor writes ------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Build the vendor's own store from `self.world` (called at the start, after a reset and after a new world)."""

    def answer(self, request: Request) -> Answer:
        """The vendor's answer; called with `self.lock` held. Must do its work completely or not at all."""
        raise NotImplementedError

    def practice_of(self, request: Request) -> str:
        """Key of the practice that calls ("" = unknown); used to aim faults and to label the journal."""
        return ""

    def control(self, verb: str, request: Request) -> Answer | None:
        """The vendor's own control call /__sim__/<verb>; None = no such call. Called without the lock."""
        return None

    def extend(self, *, document: dict[str, Any]) -> dict[str, int]:
        """Take more records into the running store (POST /__sim__/world/add); returns how many of each kind."""
        raise NotImplementedError

    # the frame -----------------------------------------------------------------------------------------------------

    def reset(self, *, world: World | None = None) -> None:
        """Back to the start: store rebuilt; jobs, faults, journal forgotten; randomness re-seeded. The clock stays."""
        with self.lock:
            if world is not None:
                self.world = world
            self.clock.clear()
            self.faults.clear()
            self.journal.clear()
            self.random = random.Random(self.seed)
            self.load()

    def handle(self, request: Request) -> Answer:
        """Answer one request; raises ConnectionDropped when the connection must die without an answer."""
        if request.path.startswith("/__sim__/"):
            return control.answer(desk=self, request=request)
        practice = self.practice_of(request)
        fault, latency = self.faults.take(method=request.method, path=request.path, practice=practice)
        if fault is not None and not _works_first(fault):
            return self._refuse(request, practice, fault, latency)
        with self.lock:
            answer = self.answer(request)
        self._note(request, practice, answer.status, fault)
        if fault is not None:
            answer = self._spoil(answer, fault)
        answer.delay += latency
        return answer

    def _refuse(self, request: Request, practice: str, fault: Fault, latency: float) -> Answer:
        """The fault strikes before the vendor does anything."""
        if fault.kind == "drop":
            self._note(request, practice, 0, fault)
            raise ConnectionDropped(after_commit=False)
        answer = self._throttled(fault) if fault.kind == "throttle" else _plain(fault)
        if fault.kind == "hang":
            answer = html_answer(504, "<html><body><h1>Gateway Timeout</h1></body></html>")
            answer.delay = fault.seconds
        answer.delay += latency
        self._note(request, practice, answer.status, fault)
        return answer

    def _spoil(self, answer: Answer, fault: Fault) -> Answer:
        """The fault strikes after the vendor has done the work."""
        if fault.kind == "drop":
            raise ConnectionDropped(after_commit=True)
        if fault.kind == "hang":
            answer.delay += fault.seconds
        elif fault.kind == "truncate":
            answer.cut = min(fault.keep, len(answer.body))
        else:
            answer = _plain(fault)
        return answer

    def _throttled(self, fault: Fault) -> Answer:
        headers = dict(fault.headers)
        if fault.retry_after == "date":
            headers["Retry-After"] = format_datetime(self.clock.now() + timedelta(seconds=fault.seconds), usegmt=True)
        elif fault.retry_after is not None:
            headers["Retry-After"] = fault.retry_after
        return self.throttle_answer(seconds=int(fault.seconds), headers=headers)

    def throttle_answer(self, *, seconds: int, headers: dict[str, str]) -> Answer:
        """The vendor's 429 body; vendors override the wording."""
        return json_answer(429, {"detail": f"Request was throttled. Expected available in {seconds} seconds."}, headers)

    def _note(self, request: Request, practice: str, status: int, fault: Fault | None) -> None:
        if not self.journal.keeps_requests:
            self.journal.count_only(kind="request")
            return
        self.journal.add(
            at=self.clock.now(),
            kind="request",
            practice=practice,
            decision=str(status) if status else "dropped",
            request={
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "bytes": len(request.body),
            },
            data={"fault": fault.kind, "after_commit": _works_first(fault)} if fault else None,
        )

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI. A dropped connection surfaces as the exception; `delay` and `cut` are left to real servers."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        headers = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        host = headers.get("host") or f"{environ.get('SERVER_NAME', 'sandbox')}:{environ.get('SERVER_PORT', '80')}"
        request = Request(
            method=environ["REQUEST_METHOD"],
            path=environ.get("PATH_INFO", "/"),
            query=environ.get("QUERY_STRING", ""),
            headers=headers,
            body=environ["wsgi.input"].read(length) if length else b"",
            base_url=f"{environ.get('wsgi.url_scheme', 'http')}://{host}",
        )
        answer = self.handle(request)
        start_response(
            f"{answer.status} {REASONS.get(answer.status, 'Answer')}",
            [*answer.headers.items(), ("Content-Length", str(len(answer.body)))],
        )
        return [answer.body]


def _works_first(fault: Fault) -> bool:
    return fault.after_commit or fault.kind in ("truncate", "body")


def _plain(fault: Fault) -> Answer:
    status = 200 if fault.kind == "body" and fault.status == 503 else fault.status
    return Answer(
        status=status, body=fault.body.encode(), headers={"Content-Type": fault.content_type, **fault.headers}
    )
