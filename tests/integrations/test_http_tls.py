"""The door to the network over TLS: whom it trusts, what it refuses, and whose certificate it shows to whom."""

import datetime
import ipaddress
import os
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integrations import http


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Files of a self-signed certificate for 127.0.0.1 and its key."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "network")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


@contextmanager
def server(pair: tuple[str, str], *, count: int = 1, oldest_only: bool = False) -> Iterator[tuple[str, list[object]]]:
    """Answers `count` TLS connections with 200; the list holds each peer's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.load_verify_locations(pair[0])
    context.verify_mode = ssl.CERT_OPTIONAL
    if oldest_only:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that they are deprecated is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    listener = socket.create_server(("127.0.0.1", 0))
    peers: list[object] = []

    def serve() -> None:
        for _ in range(count):
            try:
                raw, _ = listener.accept()
                raw.settimeout(5)
                with context.wrap_socket(raw, server_side=True) as peer:
                    data = b""
                    while piece := peer.recv(65536):
                        data += piece
                        if data.endswith(b"\r\n\r\nx"):
                            break
                    if data:
                        peers.append(peer.getpeercert())
                        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/", peers
    finally:
        listener.close()
        thread.join(timeout=5)


def test_a_private_authority_is_trusted_only_where_it_is_named(pair: tuple[str, str]) -> None:
    with server(pair, count=2) as (url, _):
        assert http.request(vendor="t", method="POST", url=url, data=b"x", ca_file=pair[0]).content == b"ok"
        with pytest.raises(http.NotSent):
            http.request(vendor="t", method="POST", url=url, data=b"x")


def test_nothing_older_than_tls_1_2_is_spoken(pair: tuple[str, str]) -> None:
    with server(pair, oldest_only=True) as (url, peers), pytest.raises(http.NotSent):
        http.request(vendor="t", method="POST", url=url, data=b"x", ca_file=pair[0])
    assert peers == []


def test_our_certificate_is_shown_only_by_the_call_that_names_it(pair: tuple[str, str]) -> None:
    with server(pair, count=2) as (url, peers):
        http.request(vendor="t", method="POST", url=url, data=b"x", ca_file=pair[0], cert=pair)
        http.request(vendor="t", method="POST", url=url, data=b"x", ca_file=pair[0])
    assert [bool(peer) for peer in peers] == [True, False]


def test_a_forked_worker_does_not_speak_on_its_parents_sockets() -> None:
    before = http._wired
    child = os.fork()
    if child == 0:
        os._exit(0 if http._wired is not before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert http._wired is before
