"""The digital signature under a controlled prescription: ECDSA over P-256 with SHA-256 (FIPS 186, FIPS 180).

Signs bytes and checks them; knows no request. The key is this program's own (21 CFR 1311.120(b)(15)) and is not kept in
a certified module: one more reason why it signs only against the sandbox (docs/epcs.md).
"""

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

_ALGORITHM = ec.ECDSA(hashes.SHA256())


class NoKey(Exception):
    """No usable signing key is configured; the text names the setting."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature (DER) and the public key (DER, SubjectPublicKeyInfo) it verifies by."""

    value: bytes
    public_key: bytes


def sign(*, document: bytes) -> Seal:
    """Sign exactly these bytes. Raises NoKey."""
    key = _key()
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Seal(value=key.sign(document, _ALGORITHM), public_key=public)


def is_intact(*, document: bytes, seal: Seal) -> bool:
    """Whether the signature is one of these bytes by that key."""
    try:
        key = serialization.load_der_public_key(seal.public_key)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(seal.value, document, _ALGORITHM)
    except (InvalidSignature, ValueError):
        return False
    return True


def _key() -> ec.EllipticCurvePrivateKey:
    try:
        raw = base64.b64decode(settings.EPCS_SIGNING_KEY, validate=True)
    except binascii.Error as error:
        raise NoKey("EPCS_SIGNING_KEY is not base64") from error
    if len(raw) != 32:
        raise NoKey("EPCS_SIGNING_KEY is base64 of exactly 32 bytes")
    try:
        return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    except ValueError as error:
        raise NoKey("EPCS_SIGNING_KEY is not a key of P-256") from error
