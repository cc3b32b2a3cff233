"""Signed exports: entries as JSON whose summary is signed (Ed25519), and the check that anyone can repeat offline.

Each line holds an entry's number, links and the exact text that was hashed. The signature covers practice, filter,
count and the SHA-256 of all lines, so that a changed, missing or added entry shows. `offline.py` is the check as one
file of its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audit.models import Entry

FORMAT = "refill-hub-audit-1"


class NoKey(Exception):
    """EXPORT_SIGNING_KEY is missing or is no key."""


def line(entry: Entry) -> bytes:
    """One entry as a line of the export."""
    shown = {"number": entry.number, "previous_hash": entry.previous_hash, "hash": entry.hash, "body": entry.body}
    return orjson.dumps(shown)


def opening() -> bytes:
    """What stands before the first line."""
    return b'{"format":"%b","entries":[\n' % FORMAT.encode()


def closing(
    *, practice_id: UUID, wanted: Mapping[str, str], made_at: datetime, count: int, digest: str
) -> bytes:
    """What stands after the last line: the summary and its signature. Raises NoKey.

    digest: SHA-256 (hex) of all lines joined by a comma and a newline, as they stand in the file.
    """
    summary = {
        "format": FORMAT, "practice": str(practice_id), "filter": dict(wanted), "made_at": made_at.isoformat(),
        "count": count, "sha256": digest,
    }  # fmt: skip
    text = orjson.dumps(summary, option=orjson.OPT_SORT_KEYS)
    signed = {
        "summary": text.decode(), "signature": base64.b64encode(_key().sign(text)).decode(),
        "public_key": public_key(),
    }  # fmt: skip
    return b'\n],"signed":%b}\n' % orjson.dumps(signed)


def digest_of(parts: Iterable[bytes]) -> str:
    """SHA-256 of pieces in their order."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def public_key() -> str:
    """The public key an auditor keeps, base64. Raises NoKey."""
    raw = _key().public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def _key() -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.EXPORT_SIGNING_KEY)[:32])
    except (binascii.Error, ValueError) as error:
        raise NoKey("EXPORT_SIGNING_KEY is base64 of 32 bytes") from error
