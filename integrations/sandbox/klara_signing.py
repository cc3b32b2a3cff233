"""How the pretended Klara signs: the assumed scheme and its four relatives, by name or as a document of differences.

Written from the contract (sections 2 and 3.1) alone; it knows nothing of how anybody verifies.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

DIGESTS = {"hmac-sha256": hashlib.sha256, "hmac-sha512": hashlib.sha512}
ENCODINGS = ("base64", "hex")
FORMATS = ("whsec", "base64", "hex", "utf8")
MEANINGS = ("attempt", "event")


class BadScheme(ValueError):
    """A signing document, or a secret, that makes no sense."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to sign. Empty header names: that header is not sent. `moves` renames fields of the body (dotted path ->
    dotted path), `words` changes values at a path; both are applied before signing."""

    name: str = "klara-assumed-v1"
    id_header: str = "X-Klara-Webhook-Id"
    timestamp_header: str = "X-Klara-Webhook-Timestamp"
    signature_header: str = "X-Klara-Webhook-Signature"
    canonical: str = "{id}.{timestamp}.{body}"
    algorithm: str = "hmac-sha256"
    encoding: str = "base64"
    entry_separator: str = " "
    entry_prefix: str = "v1,"
    timestamp_prefix: str = ""
    key_format: str = "whsec"
    timestamp_unit: str = "s"
    timestamp_semantics: str = "attempt"
    moves: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)


ASSUMED = Scheme()
PRESETS: dict[str, Scheme] = {
    "klara-assumed-v1": ASSUMED,
    "standard-webhooks": replace(
        ASSUMED,
        name="standard-webhooks",
        id_header="webhook-id",
        timestamp_header="webhook-timestamp",
        signature_header="webhook-signature",
    ),
    "timestamp-hex-v1": replace(
        ASSUMED,
        name="timestamp-hex-v1",
        id_header="",
        timestamp_header="",
        signature_header="X-Klara-Signature",
        canonical="{timestamp}.{body}",
        encoding="hex",
        entry_separator=",",
        entry_prefix="v1=",
        timestamp_prefix="t=",
    ),
    "body-hex-v1": replace(
        ASSUMED,
        name="body-hex-v1",
        id_header="",
        timestamp_header="",
        signature_header="X-Klara-Signature-256",
        canonical="{body}",
        encoding="hex",
        entry_prefix="sha256=",
    ),
    "body-base64-v1": replace(
        ASSUMED,
        name="body-base64-v1",
        id_header="",
        timestamp_header="",
        signature_header="X-Klara-Signature",
        canonical="{body}",
        entry_prefix="",
    ),
}


def scheme(document: str | dict[str, Any] | None) -> Scheme:
    """The scheme a name or a document {"profile", "signature": {as contract 3.1}, "moves", "words"} asks for."""
    if document is None:
        return ASSUMED
    wish = {"profile": document} if isinstance(document, str) else dict(document)
    name = wish.pop("profile", ASSUMED.name)
    if name not in PRESETS:
        raise BadScheme(f"profile must be one of {', '.join(PRESETS)}")
    signature = dict(wish.pop("signature", {}))
    headers = signature.pop("headers", {})
    changes: dict[str, Any] = {f"{part}_header": str(value or "") for part, value in headers.items()}
    changes |= {"key_format" if name == "secret_format" else name: value for name, value in signature.items()}
    changes |= {part: dict(wish.pop(part)) for part in ("moves", "words") if part in wish}
    if wish:
        raise BadScheme(f"unknown keys {sorted(wish)}")
    try:
        made = replace(PRESETS[name], **changes)
    except TypeError as problem:
        raise BadScheme(str(problem)) from problem
    return _checked(made)


def _checked(made: Scheme) -> Scheme:
    if made.canonical.count("{body}") != 1 or made.algorithm not in DIGESTS or made.encoding not in ENCODINGS:
        raise BadScheme("canonical needs {body} once; algorithm and encoding must be known")
    if made.key_format not in FORMATS or made.timestamp_unit not in ("s", "ms"):
        raise BadScheme("unknown key_format or timestamp_unit")
    if made.timestamp_semantics not in (*MEANINGS, "absent"):
        raise BadScheme("timestamp_semantics is attempt, event or absent")
    return made


def key_of(*, secret: str, scheme: Scheme) -> bytes:
    """The key bytes of a secret; raises BadScheme."""
    try:
        if scheme.key_format == "whsec":
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        if scheme.key_format == "base64":
            return base64.b64decode(secret, validate=True)
        return bytes.fromhex(secret) if scheme.key_format == "hex" else secret.encode()
    except ValueError as problem:
        raise BadScheme(f"the secret is not in the format {scheme.key_format}") from problem


def make_secret(*, raw: bytes, scheme: Scheme) -> str:
    """A secret of these bytes, written in the scheme's format."""
    if scheme.key_format in ("hex", "utf8"):
        return raw.hex()
    return ("whsec_" if scheme.key_format == "whsec" else "") + base64.b64encode(raw).decode()


def headers(
    *,
    scheme: Scheme,
    body: bytes,
    secrets: Sequence[str],
    event_id: str,
    unix: float,
    method: str = "POST",
    path: str = "",
) -> dict[str, str]:
    """The signature headers: one entry per secret. `unix` = the moment to sign, in seconds."""
    stamp = str(int(unix * 1000) if scheme.timestamp_unit == "ms" else int(unix))
    message = _canonical(scheme, event_id=event_id, stamp=stamp, body=body, method=method, path=path)
    entries = [scheme.timestamp_prefix + stamp] if scheme.timestamp_prefix else []
    for secret in secrets:
        digest = hmac.new(key_of(secret=secret, scheme=scheme), message, DIGESTS[scheme.algorithm]).digest()
        text = digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()
        entries.append(scheme.entry_prefix + text)
    made = {scheme.signature_header: scheme.entry_separator.join(entries)}
    if scheme.id_header:
        made[scheme.id_header] = event_id
    if scheme.timestamp_header:
        made[scheme.timestamp_header] = stamp
    return made


def _canonical(scheme: Scheme, *, event_id: str, stamp: str, body: bytes, method: str, path: str) -> bytes:
    before, after = scheme.canonical.split("{body}")
    values = {"{id}": event_id, "{timestamp}": stamp, "{method}": method, "{path}": path}

    def filled(part: str) -> bytes:
        for name, value in values.items():
            part = part.replace(name, value)
        return part.encode()

    return filled(before) + body + filled(after)
