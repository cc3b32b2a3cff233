"""Mounts a sandbox simulator on a requests.Session: the real client code, no sockets.

A dropped connection becomes ConnectionError, a delay longer than the read timeout becomes ReadTimeout (without
waiting), and a cut body breaks off while it is read, exactly as over a socket.
"""

import io
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse

from integrations.sandbox.wire import Answer, ConnectionDropped, Request


class Simulator(Protocol):
    """Anything that answers sandbox requests."""

    def handle(self, request: Request) -> Answer: ...


class WsgiAdapter(HTTPAdapter):
    """`session.mount("https://klara.test", WsgiAdapter(simulator))`; `prefix` is taken off the path first."""

    def __init__(self, simulator: Simulator, *, prefix: str = "") -> None:
        super().__init__()
        self.simulator = simulator
        self.prefix = prefix

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        parts = urlsplit(request.url or "")
        body = request.body or b""
        path = (parts.path or "/").removeprefix(self.prefix)
        sent = Request(
            method=request.method or "GET",
            path=path or "/",
            query=parts.query,
            headers={name.lower(): value for name, value in request.headers.items()} | {"host": parts.netloc},
            body=body.encode() if isinstance(body, str) else bytes(body),
            base_url=f"{parts.scheme}://{parts.netloc}{self.prefix}",
        )
        read_timeout = timeout[1] if isinstance(timeout, tuple) else timeout
        try:
            answer = self.simulator.handle(sent)
        except ConnectionDropped as dropped:
            raise requests.exceptions.ConnectionError(str(dropped), request=request) from dropped
        if read_timeout is not None and answer.delay > read_timeout:
            raise requests.exceptions.ReadTimeout(f"no answer within {read_timeout} s", request=request)
        return self.build_response(request, self._carried(answer, request.method or "GET"))

    def _carried(self, answer: Answer, method: str) -> HTTPResponse:
        body = answer.body if answer.cut is None else answer.body[: answer.cut]
        headers = dict(answer.headers)
        if answer.status not in (204, 304):
            headers["Content-Length"] = str(len(answer.body))
        return HTTPResponse(
            body=io.BytesIO(body),
            headers=headers,
            status=answer.status,
            preload_content=False,
            decode_content=False,
            request_method=method,
        )
