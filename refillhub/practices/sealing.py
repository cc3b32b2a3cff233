"""Sealing of secrets and stored bodies: AES-256-GCM under a ring of keys, newest first.

A sealed value opens only for the practice, stage and purpose it was sealed for: a key of its own is derived for each
(HKDF-SHA-256) and the same three stand in the associated data. It keeps nothing and logs nothing.
Layout: b"RH1" + key id (4 bytes) + nonce (12) + ciphertext and tag.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MARK = b"RH1"
_ID, _NONCE, _TAG = 4, 12, 16


class SealBroken(ValueError):
    """The value was altered, cut, or sealed for another practice, stage or purpose."""


class UnknownKey(ValueError):
    """The value was sealed under a key that is no longer in the ring."""


def seal(plain: bytes, *, practice_id: UUID, stage: str, purpose: str) -> bytes:
    """Seal under the newest key. Raises ImproperlyConfigured without keys."""
    key = _ring(tuple(settings.SEALING_KEYS))[0]
    nonce = os.urandom(_NONCE)
    bound = _bound(practice_id, stage, purpose)
    return MARK + _key_id(key) + nonce + _cipher(key, bound).encrypt(nonce, plain, bound)


def unseal(sealed: bytes, *, practice_id: UUID, stage: str, purpose: str) -> bytes:
    """Open a sealed value. Raises SealBroken or UnknownKey; never tells which of the bound parts was wrong."""
    sealed = bytes(sealed)
    if not sealed.startswith(MARK) or len(sealed) < len(MARK) + _ID + _NONCE + _TAG:
        raise SealBroken("not a sealed value")
    at = len(MARK)
    key_id, nonce, rest = sealed[at:at + _ID], sealed[at + _ID:at + _ID + _NONCE], sealed[at + _ID + _NONCE:]
    bound = _bound(practice_id, stage, purpose)
    for key in _ring(tuple(settings.SEALING_KEYS)):
        if _key_id(key) == key_id:
            try:
                return _cipher(key, bound).decrypt(nonce, rest, bound)
            except InvalidTag:
                raise SealBroken("altered, or sealed for something else") from None
    raise UnknownKey("sealed under a key that is not in the ring")


def is_current(sealed: bytes) -> bool:
    """Whether a value is sealed under the newest key; if not, seal it again at the next chance."""
    return bytes(sealed[len(MARK):len(MARK) + _ID]) == _key_id(_ring(tuple(settings.SEALING_KEYS))[0])


def _bound(practice_id: UUID, stage: str, purpose: str) -> bytes:
    return b"\x1f".join((practice_id.bytes.hex().encode(), stage.encode(), purpose.encode()))


@lru_cache(maxsize=8)
def _ring(entries: tuple[str | tuple[str, bytes], ...]) -> tuple[bytes, ...]:
    """The keys, newest first; an entry is base64 text or a pair of a name (for people) and the key."""
    if not entries:
        raise ImproperlyConfigured("SEALING_KEYS is empty")
    try:
        keys = tuple(
            base64.b64decode(entry, validate=True) if isinstance(entry, str) else entry[1] for entry in entries)
    except binascii.Error:
        raise ImproperlyConfigured("SEALING_KEYS: each key is 32 bytes in base64") from None
    if any(len(key) != 32 for key in keys):
        raise ImproperlyConfigured("SEALING_KEYS: each key is 32 bytes in base64")
    return keys


@lru_cache(maxsize=32)
def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"refill-hub key id\n" + key).digest()[:_ID]


@lru_cache(maxsize=2048)
def _cipher(key: bytes, bound: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=b"refill-hub seal\n" + bound).derive(key))
