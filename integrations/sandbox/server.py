"""A small threaded HTTP/1.1 server with keep-alive that carries a simulator's answers.

It parses by hand for speed, sends each answer in one write, waits out `delay`, honours `cut`, and closes the socket
without an answer on ConnectionDropped. For loopback use only.
"""

import socket
import socketserver
import threading
import time
import traceback
from typing import Any, Protocol

from integrations.sandbox.clock import Clock
from integrations.sandbox.frame import REASONS
from integrations.sandbox.wire import Answer, ConnectionDropped, Request, json_answer

MAX_BODY = 16 * 1024 * 1024
MAX_HEADERS = 200


class Handler(Protocol):
    """Anything that answers requests and owns a clock."""

    clock: Clock

    def handle(self, request: Request) -> Answer: ...


class BadRequest(Exception):
    """Bytes that are not an HTTP request we understand."""


class Connection(socketserver.StreamRequestHandler):
    """One client connection: requests one after another until either side closes."""

    server: "Server"
    disable_nagle_algorithm = True
    rbufsize = 65536

    def handle(self) -> None:
        """Serve until the connection ends."""
        try:
            while self._serve_one():
                pass
        except (ConnectionError, TimeoutError, BadRequest):
            self.close_connection = True  # the client went away or spoke no HTTP: nothing to answer

    def _serve_one(self) -> bool:
        request, keep = self._read()
        if request is None:
            return False
        try:
            answer = self.server.simulator.handle(request)
        except ConnectionDropped:
            return self._drop()
        except Exception:
            traceback.print_exc()
            answer = json_answer(500, {"error": "the sandbox itself failed; see its output"})
        if answer.delay > 0:
            time.sleep(answer.delay)
        return self._send(answer, keep=keep, head_only=request.method == "HEAD") and keep

    def _drop(self) -> bool:
        self.connection.shutdown(socket.SHUT_RDWR)
        return False

    def _send(self, answer: Answer, *, keep: bool, head_only: bool) -> bool:
        head = f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Answer')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        if answer.status not in (204, 304):
            head += f"Content-Length: {len(answer.body)}\r\n"
        head += "Connection: keep-alive\r\n\r\n" if keep and answer.cut is None else "Connection: close\r\n\r\n"
        body = b"" if head_only or answer.status in (204, 304) else answer.body
        self.connection.sendall(head.encode("latin-1") + (body if answer.cut is None else body[: answer.cut]))
        return answer.cut is None

    def _read(self) -> tuple[Request | None, bool]:
        line = self.rfile.readline(65537)
        while line in (b"\r\n", b"\n"):
            line = self.rfile.readline(65537)
        if not line:
            return None, False
        parts = line.decode("latin-1").split()
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest(line[:80])
        headers = self._headers()
        keep = headers.get("connection", "").lower() != "close" and parts[2] != "HTTP/1.0"
        if headers.get("expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        path, _, query = parts[1].partition("?")
        if path.startswith("http"):
            path = "/" + path.split("/", 3)[3] if path.count("/") > 2 else "/"
        host = headers.get("host") or "{}:{}".format(*self.server.server_address[:2])
        request = Request(method=parts[0], path=path, query=query, headers=headers, body=self._body(headers),
                          base_url=f"http://{host}")  # fmt: skip
        return request, keep

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(MAX_HEADERS):
            line = self.rfile.readline(65537)
            if line in (b"\r\n", b"\n", b""):
                return headers
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        raise BadRequest("too many headers")

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks()
        length = int(headers.get("content-length") or 0)
        if length > MAX_BODY:
            raise BadRequest("body too large")
        return self.rfile.read(length) if length else b""

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while size := int(self.rfile.readline(65537).split(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline(65537) not in (b"\r\n", b"\n", b""):
            continue
        return b"".join(parts)


class Server(socketserver.ThreadingTCPServer):
    """Listens for one simulator; `tick` also runs the clock's due jobs from a background thread."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, *, simulator: Handler, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), Connection)
        self.simulator = simulator
        self._stop = threading.Event()

    @property
    def url(self) -> str:
        """Base address, http://host:port."""
        return "http://{}:{}".format(*self.server_address[:2])

    def start(self, *, tick_seconds: float = 0.05) -> None:
        """Serve and tick in daemon threads; returns at once."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        threading.Thread(target=self._tick, args=(tick_seconds,), daemon=True).start()

    def stop(self) -> None:
        """Stop serving and close the socket."""
        self._stop.set()
        self.shutdown()
        self.server_close()

    def _tick(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                self.simulator.clock.run_due()
            except Exception:
                traceback.print_exc()  # one failing job must not stop the vendor's clock

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that vanished is normal here; anything else is printed."""
        traceback.print_exc()
