"""The client certificate of the prescription network: checked when it is handed over, written to files to be shown.

One PEM text: our certificate, those that vouch for it, and its key. What is wrong names the certificate it is wrong
with, never the key. Nothing here trusts a certificate; the network decides whom it lets in (contract 2).
"""

from __future__ import annotations

import atexit
import hashlib
import itertools
import re
import shutil
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class BadCertificate(ValueError):
    """What was handed over cannot be shown to the network; the message names the certificate and what to do."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A certificate that may be used. `subjects`: ours first, then who vouches for it. `expires_at`: the earliest end.

    fingerprint: SHA-256 of our certificate, as hexadecimal digits.
    """

    subjects: tuple[str, ...]
    fingerprint: str
    expires_at: datetime


def is_pem(*, value: str) -> bool:
    """Whether a secret is a certificate with its key, not the fingerprint a stand-in is content with."""
    return "-----BEGIN " in value


def check(*, pem: str, now: datetime) -> Checked:
    """Look through everything that can be wrong with it. Raises BadCertificate."""
    certificates, key = _read(pem)
    ours = certificates[0]
    if _public(ours.public_key()) != _public(key.public_key()):  # type: ignore[attr-defined]
        raise BadCertificate(
            f"The key does not belong to {_name(ours)}: our own certificate must stand first, then those that vouch "
            "for it."
        )
    for one in certificates:
        if now < one.not_valid_before_utc:
            raise BadCertificate(f"{_name(one)} is valid only from {one.not_valid_before_utc:%Y-%m-%d}.")
        if now >= one.not_valid_after_utc:
            raise BadCertificate(f"{_name(one)} has expired on {one.not_valid_after_utc:%Y-%m-%d}: renew it.")
    for one, issuer in itertools.pairwise(certificates):
        _vouches(one, issuer)
    _for_clients(ours)
    return Checked(
        subjects=tuple(_name(one) for one in certificates),
        fingerprint=hashlib.sha256(ours.public_bytes(serialization.Encoding.DER)).hexdigest(),
        expires_at=min(one.not_valid_after_utc for one in certificates),
    )


def _read(pem: str) -> tuple[list[x509.Certificate], object]:
    certificates: list[x509.Certificate] = []
    keys: list[object] = []
    for found in _BLOCK.finditer(pem):
        kind, block = found.group(1), found.group(0).encode()
        if kind == "CERTIFICATE":
            certificates.append(_certificate(block, len(certificates) + 1))
        elif kind.endswith("PRIVATE KEY"):
            keys.append(_key(block, kind))
        else:
            raise BadCertificate(f"A block {kind} does not belong here: only certificates and one key.")
    if not certificates:
        raise BadCertificate("There is no certificate in it: paste the whole PEM text, BEGIN and END lines included.")
    if len(keys) != 1:
        raise BadCertificate("Exactly one private key belongs to it." if keys else "The private key is missing.")
    return certificates, keys[0]


def _certificate(block: bytes, place: int) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block)
    except ValueError as error:
        raise BadCertificate(f"Certificate {place} cannot be read: it was not copied whole.") from error


def _key(block: bytes, kind: str) -> object:
    try:
        return serialization.load_pem_private_key(block, password=None)
    except TypeError as error:
        raise BadCertificate("The private key is locked by a password: hand over an unlocked one.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCertificate("The private key cannot be read: it was not copied whole.") from error


def _vouches(one: x509.Certificate, issuer: x509.Certificate) -> None:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise BadCertificate(
            f"{_name(one)} was not issued by {_name(issuer)}, which stands behind it: the chain is broken there."
        ) from error


def _for_clients(ours: x509.Certificate) -> None:
    try:
        usage = ours.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise BadCertificate(f"{_name(ours)} may not be used by a client: ask for one with client authentication.")


def _public(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _name(one: x509.Certificate) -> str:
    return f"\u201c{one.subject.rfc4514_string() or 'a certificate without a name'}\u201d"


# --- files -----------------------------------------------------------------------------------------------------------

_lock = threading.Lock()
_written: dict[str, tuple[str, str]] = {}
_folders: list[str] = []


def files(*, pem: str) -> tuple[str, str]:
    """Files of the certificates and of the key, as TLS wants them: readable by this process alone, gone at its end."""
    key = hashlib.sha256(pem.encode()).hexdigest()
    with _lock:
        found = _written.get(key)
        if found is None or not Path(found[1]).exists():
            found = _written[key] = _write(pem, key[:16])
        return found


def _write(pem: str, name: str) -> tuple[str, str]:
    if not _folders:
        _folders.append(tempfile.mkdtemp(prefix="refillhub-"))  # 0700
        atexit.register(_forget)
    folder = Path(_folders[0])
    blocks = [(found.group(1), found.group(0)) for found in _BLOCK.finditer(pem)]
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    for path, wanted in zip(paths, (True, False), strict=True):
        path.touch(mode=0o600)
        path.write_text(_joined(block for kind, block in blocks if (kind == "CERTIFICATE") is wanted))
    return str(paths[0]), str(paths[1])


def _joined(blocks: Iterable[str]) -> str:
    return "\n".join(blocks) + "\n"


def _forget() -> None:
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
    _folders.clear()
    _written.clear()
