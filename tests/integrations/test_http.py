"""The one door to the network, tried on real loopback sockets that misbehave on purpose."""

import contextlib
import gzip
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests
from django.db import connection, transaction
from requests import adapters

from integrations import http, sockets

Handler = Callable[[socket.socket], None]


@contextmanager
def server(*handlers: Handler) -> Iterator[tuple[str, list[bytes]]]:
    """Accept one connection per handler, read one request each, then let the handler do its worst."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []

    def serve() -> None:
        for handler in handlers:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(5)
                seen.append(_read_request(peer))
                handler(peer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.close()
        thread.join(timeout=5)


def _read_request(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = peer.recv(65536)
        if not piece or piece.startswith(b"\x16"):  # a TLS greeting: this server speaks plain text only
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    wanted = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < wanted:
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> Handler:
    size = len(body) if length is None else length

    def handler(peer: socket.socket) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n{headers}\r\n"
        peer.sendall(head.encode() + body)

    return handler


def get(url: str, **more: object) -> http.Response:
    return http.request(vendor="test", method="GET", url=url, **more)  # type: ignore[arg-type]


def post(url: str, **more: object) -> http.Response:
    return http.request(vendor="test", method="POST", url=url, data=b"<x/>", **more)  # type: ignore[arg-type]


def test_an_answer_comes_back_whole_and_headers_ignore_case() -> None:
    with server(answering(b'{"a":1}', headers="X-Rate: 5\r\n")) as (url, seen):
        response = get(f"{url}/things", params={"since": "2026-11-10"}, headers={"Authorization": "Bearer t"})
    assert (response.status, response.ok, response.json(), response.headers["x-rate"]) == (200, True, {"a": 1}, "5")
    assert seen[0].startswith(b"GET /things?since=2026-11-10 HTTP/1.1\r\n")
    assert b"Authorization: Bearer t" in seen[0]


def test_any_status_is_a_value_and_no_error() -> None:
    with server(answering(b"<h1>no</h1>", status="503 Gone Fishing", headers="Retry-After: 7\r\n")) as (url, _):
        response = post(url)
    assert (response.status, response.ok, response.retry_after) == (503, False, 7.0)


def test_json_and_forms_and_bytes_are_sent_as_such() -> None:
    with server(answering(b""), answering(b""), answering(b"")) as (url, seen):
        http.request(vendor="t", method="POST", url=url, json={"q": "é"})
        http.request(vendor="t", method="POST", url=url, data={"grant_type": "refresh_token"})
        http.request(vendor="t", method="PUT", url=url, data=b"\x00\xff")
    assert b"application/json" in seen[0]
    assert seen[0].endswith('{"q":"é"}'.encode())
    assert b"application/x-www-form-urlencoded" in seen[1]
    assert seen[1].endswith(b"grant_type=refresh_token")
    assert seen[2].endswith(b"\x00\xff")


def test_json_and_data_together_are_refused() -> None:
    with pytest.raises(ValueError, match="exclude"):
        http.request(vendor="t", method="POST", url="http://127.0.0.1:9", json={}, data=b"x")


def test_a_refused_connection_is_surely_not_sent() -> None:
    with pytest.raises(http.NotSent) as caught:
        post("http://127.0.0.1:9/script")
    assert caught.value.permanent is False


def test_a_failed_handshake_is_surely_not_sent() -> None:
    with server(answering(b"plain text")) as (url, _), pytest.raises(http.NotSent):
        post(url.replace("http://", "https://"))


def test_a_connection_closed_after_the_request_may_have_delivered_it() -> None:
    with server(lambda peer: None) as (url, _), pytest.raises(http.NoAnswer):
        post(url)


def test_a_reset_connection_may_have_delivered_it() -> None:
    def reset(peer: socket.socket) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with server(reset) as (url, _), pytest.raises(http.NoAnswer):
        post(url)


def test_silence_after_the_request_may_have_delivered_it() -> None:
    done = threading.Event()
    with server(lambda peer: (done.wait(3), None)[1]) as (url, _):
        with pytest.raises(http.NoAnswer):
            post(url, timeout=(1.0, 0.2))
        done.set()


def test_a_body_cut_short_is_no_answer() -> None:
    with server(answering(b"<Message", length=5000)) as (url, _), pytest.raises(http.NoAnswer):
        post(url)


def test_an_answer_longer_than_allowed_is_no_answer() -> None:
    with server(answering(b"x" * 5000)) as (url, _), pytest.raises(http.NoAnswer):
        get(url, max_bytes=4999)
    with server(answering(b"x" * 5000)) as (url, _):
        assert len(get(url, max_bytes=5000).content) == 5000


def test_a_compressed_bomb_is_bounded_by_its_unpacked_size() -> None:
    bomb = gzip.compress(b"\x00" * 20_000_000)
    with server(answering(bomb, headers="Content-Encoding: gzip\r\n")) as (url, _), pytest.raises(http.NoAnswer):
        get(url)


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n", headers: str = "") -> Handler:
    def handler(peer: socket.socket) -> None:
        body = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
        peer.sendall(
            f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n{headers}\r\n".encode() + body + end
        )

    return handler


def test_a_body_in_chunks_is_read_to_its_end_compressed_or_not() -> None:
    packed = gzip.compress(b"<Message/>" * 5000)
    with server(
        chunked(b"<Mess", b"age/>"), chunked(packed[:30], packed[30:], headers="Content-Encoding: gzip\r\n")
    ) as (url, _):
        assert get(url).content == b"<Message/>"
        assert get(url).content == b"<Message/>" * 5000


def test_a_body_in_chunks_that_never_ends_is_no_answer() -> None:
    with server(chunked(b"<Mess", end=b"5\r\nag")) as (url, _), pytest.raises(http.NoAnswer):
        get(url)
    packed = gzip.compress(b"<Message/>" * 5000)
    cut = answering(packed[:-20], length=len(packed), headers="Content-Encoding: gzip\r\n")
    with server(cut) as (url, _), pytest.raises(http.NoAnswer):
        get(url)


def test_a_body_that_drips_past_its_time_is_no_answer() -> None:
    def drip(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(100):
                peer.sendall(b"x")
                threading.Event().wait(0.05)

    with server(drip) as (url, _), pytest.raises(http.NoAnswer, match="too slow"):
        get(url, timeout=(0.2, 0.3))


def test_garbage_instead_of_http_is_no_answer() -> None:
    with server(lambda peer: peer.sendall(b"hello\r\n\r\n")) as (url, _), pytest.raises(http.NoAnswer):
        post(url)


def test_errors_hold_neither_address_nor_content() -> None:
    with pytest.raises(http.VendorError) as caught:
        http.request(
            vendor="drchrono",
            method="GET",
            url="http://127.0.0.1:9/patients",
            params={"last_name": "Secretname"},
            headers={"Authorization": "Bearer secrettoken"},
        )
    shown = f"{caught.value!s} {caught.value!r}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert "Secret" not in shown
    assert "secrettoken" not in shown
    assert "127.0.0.1" not in shown
    assert caught.value.vendor == "drchrono"


def test_no_address_reaches_the_log_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with server(answering(b"ok", headers="Broken header\r\n")) as (url, _):
        get(f"{url}/patients", params={"last_name": "Secretname"})
    assert "Secretname" not in caplog.text


def test_a_write_never_follows_a_redirect() -> None:
    with server(answering(b"", status="302 Found", headers="Location: /elsewhere\r\n")) as (url, seen):
        assert post(url).status == 302
    assert len(seen) == 1
    with pytest.raises(ValueError, match="only reads"):
        post("http://127.0.0.1:9", allow_redirects=True)


def test_a_read_follows_a_redirect_and_keeps_its_token_from_another_host() -> None:
    with server(answering(b"here")) as (other, seen_there):
        moved = answering(b"", status="307 Moved", headers=f"Location: {other}/file\r\n")
        with server(moved) as (url, _):
            response = get(url, allow_redirects=True, headers={"Authorization": "Bearer t", "Accept": "text/csv"})
    assert response.content == b"here"
    assert b"Bearer" not in seen_there[0]
    assert b"text/csv" in seen_there[0]


def test_redirects_in_a_circle_end() -> None:
    moved = answering(b"", status="302 Found", headers="Location: /again\r\n")
    with server(*[moved] * (http.MAX_REDIRECTS + 1)) as (url, seen), pytest.raises(http.VendorError) as caught:
        get(url, allow_redirects=True)
    assert caught.value.permanent
    assert len(seen) == http.MAX_REDIRECTS + 1


@pytest.mark.parametrize("url", ["ftp://host/x", "file:///etc/passwd", "http://user:pw@host/", "host/path", "http://"])
def test_an_address_that_can_never_be_right_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        get(url)


def test_retry_after_reads_seconds_and_dates_counted_from_the_answer() -> None:
    def answer(**headers: str) -> float | None:
        return http.Response(status=429, headers=headers, content=b"", url="", elapsed=0.0).retry_after

    assert answer(**{"Retry-After": "12"}) == 12.0
    assert answer() is None
    assert answer(**{"Retry-After": "soon"}) is None
    dates = {"Retry-After": "Tue, 10 Nov 2026 15:01:30 GMT", "Date": "Tue, 10 Nov 2026 15:00:00 GMT"}
    assert answer(**dates) == 90.0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8000/x", True),
        ("https://LOCALHOST./", True),
        ("http://api.localhost", True),
        ("http://127.0.0.1", True),
        ("http://127.8.9.1:99", True),
        ("http://127.1/", True),
        ("http://2130706433/", True),
        ("http://0x7f000001/", True),
        ("http://0.0.0.0:1", True),
        ("http://[::1]:5/", True),
        ("http://[::ffff:127.0.0.1]/", True),
        ("no host at all", True),
        ("https://app.drchrono.com/api", False),
        ("https://10.0.0.5/", False),
        ("https://localhost.example.com", False),
    ],
)
def test_loopback_is_seen_in_every_spelling(url: str, expected: bool) -> None:
    assert http.is_loopback(url) is expected


class Recorder(adapters.BaseAdapter):
    """Answers without a socket, or raises what it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error
        self.calls = 0

    def send(self, request: requests.PreparedRequest, **_more: object) -> requests.Response:  # type: ignore[override]
        self.calls += 1
        if self.error:
            raise self.error
        response = requests.Response()
        response.status_code = 204
        response.request = request
        response._content = b""
        response._content_consumed = True
        return response


@contextmanager
def mounted(adapter: adapters.BaseAdapter, prefix: str = "https://vendor.test") -> Iterator[None]:
    http.mount(prefix, adapter)
    try:
        yield
    finally:
        http.unmount(prefix)


def test_a_mounted_adapter_answers_its_prefix_and_nothing_that_only_looks_like_it() -> None:
    recorder = Recorder()
    with mounted(recorder):
        assert get("https://vendor.test/a?b=1").status == 204
        assert get("https://vendor.test:8443/").status == 204
        with pytest.raises(RuntimeError, match="may not"):
            get("https://vendor.test.evil.invalid/")
    assert recorder.calls == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectTimeout(), http.NotSent),
        (requests.exceptions.SSLError(), http.NotSent),
        (ConnectionRefusedError(), http.NotSent),
        (requests.ReadTimeout(), http.NoAnswer),
        (requests.ConnectionError("dropped"), http.NoAnswer),
        (requests.exceptions.ChunkedEncodingError(), http.NoAnswer),
        (ConnectionResetError(), http.NoAnswer),
    ],
)
def test_a_mounted_adapter_fails_the_way_a_socket_would(error: Exception, kind: type[http.VendorError]) -> None:
    with mounted(Recorder(error)), pytest.raises(http.VendorError) as caught:
        post("https://vendor.test/script")
    assert type(caught.value) is kind


@pytest.mark.django_db
def test_the_tests_own_wrapping_transaction_is_no_obstacle() -> None:
    assert connection.in_atomic_block
    with mounted(Recorder()):
        assert post("https://vendor.test/").status == 204


@pytest.mark.django_db
def test_nothing_is_sent_while_a_transaction_is_open() -> None:
    recorder = Recorder()
    with mounted(recorder):
        with transaction.atomic(), pytest.raises(http.NetworkInsideTransaction):
            post("https://vendor.test/")
        assert recorder.calls == 0
        assert post("https://vendor.test/").status == 204


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_inside_a_transaction_opened_by_hand() -> None:
    recorder = Recorder()
    with mounted(recorder):
        transaction.set_autocommit(False)
        try:
            with pytest.raises(http.NetworkInsideTransaction):
                post("https://vendor.test/")
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)
        with transaction.atomic(durable=True), pytest.raises(http.NetworkInsideTransaction):
            post("https://vendor.test/")
        assert recorder.calls == 0
        assert post("https://vendor.test/").status == 204


def test_a_connection_that_has_rested_is_not_trusted_with_another_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep_open(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with server(keep_open, keep_open) as (url, seen):
        assert post(url).content == b"ok"
        monkeypatch.setattr(sockets, "MAX_REST_SECONDS", 0.0)
        assert post(url).content == b"ok"
    assert len(seen) == 2


def test_connections_are_kept_and_used_again() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    accepted = []

    def serve() -> None:
        peer, _ = listener.accept()
        accepted.append(peer)
        for _ in range(3):
            _read_request(peer)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    try:
        assert [get(url).content for _ in range(3)] == [b"ok"] * 3
    finally:
        listener.close()
        thread.join(timeout=5)
        for peer in accepted:
            peer.close()
    assert len(accepted) == 1
