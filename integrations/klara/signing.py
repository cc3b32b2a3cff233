"""Is this webhook really from Klara? Verification over the raw bytes, contract section 4 steps 3 to 5.

Evaluates every live secret against every signature entry without an early exit; malformed entries are skipped, no
live secret means refusal. Never parses the body, never reads a clock, a setting or the database.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integrations.klara import profile as profiles

MAX_HEADER = 4096
MAX_ENTRIES = 8
MAX_SECRETS = 4
MIN_SECRET_BYTES = 16  # contract 3.1: 24 wanted, 16 to 23 with a warning, below refused
ADVISED_SECRET_BYTES = 24
RETRY_WINDOW_S = 24 * 3600  # seed: Klara repeats for up to 24 hours

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SECONDS = re.compile(r"[0-9]{10}")
_MILLISECONDS = re.compile(r"[0-9]{13}")
_DIGESTS = {
    profiles.Algorithm.hmac_sha256: hashlib.sha256,
    profiles.Algorithm.hmac_sha512: hashlib.sha512,
}


class Reason(StrEnum):
    """Why a request was refused. For audit and metrics only; the sender gets a constant answer."""

    missing_header = "missing_header"
    duplicate_header = "duplicate_header"
    header_too_long = "header_too_long"
    too_many_entries = "too_many_entries"
    id_format = "id_format"
    timestamp_format = "timestamp_format"
    timestamp_old = "timestamp_old"
    timestamp_future = "timestamp_future"
    no_secret = "no_secret"  # noqa: S105 (a reason code)
    no_match = "no_match"


class Refused(Exception):
    """The request did not prove its origin. `signature_good` is true when only its time was wrong: the account may
    sign the event's time instead of the attempt's (contract 4, step 4)."""

    def __init__(self, reason: Reason, *, signature_good: bool = False) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.signature_good = signature_good


class BadSecret(ValueError):
    """A secret cannot be decoded in the profile's format, or is shorter than 16 bytes. Never carries the secret."""


@dataclass(frozen=True, slots=True)
class Verified:
    """`event_id` is the header's id when the scheme signs it, else empty (take it from the body by the profile's
    `event_id_sources`). `secret_index` points into the sequence given to `verify`."""

    event_id: str
    secret_index: int


def verify(
    *,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    secrets: Sequence[str],
    profile: profiles.Profile,
    now: datetime,
    method: str = "POST",
    path: str = "",
) -> Verified:
    """Verify one request. `headers` are the (name, value) pairs as received, `body` the raw bytes.

    Raises Refused with a reason code; returns which secret matched (the first in order when several do).
    """
    scheme = profile.signature
    signature = _one(headers, scheme.signature_header)
    entries = signature.split(scheme.entry_separator)
    if len(entries) > MAX_ENTRIES + bool(scheme.timestamp_prefix):
        raise Refused(Reason.too_many_entries)
    event_id = _event_id(headers, scheme)
    timestamp = _timestamp(headers, entries, scheme)
    late = _out_of_window(timestamp, scheme, now)
    keys = _keys(secrets, scheme)
    if not keys:
        raise Refused(late or Reason.no_secret)
    message = _canonical(
        scheme=scheme, event_id=event_id, timestamp=timestamp, body=body, method=method, path=path
    )
    matched = _match(keys, entries, message, scheme)
    if late is not None:
        raise Refused(late, signature_good=matched is not None)
    if matched is None:
        raise Refused(Reason.no_match)
    return Verified(event_id=event_id if scheme.signs_id else "", secret_index=matched)


def sign(
    *,
    body: bytes,
    secrets: Sequence[str],
    profile: profiles.Profile,
    event_id: str,
    now: datetime,
    method: str = "POST",
    path: str = "",
) -> list[tuple[str, str]]:
    """The headers a sender would add, one signature entry per secret. For the connection test and for tests.

    Raises BadSecret.
    """
    scheme = profile.signature
    factor = 1000 if scheme.timestamp_unit == "ms" else 1
    timestamp = str(int(now.timestamp() * factor)) if scheme.signs_timestamp else ""
    message = _canonical(
        scheme=scheme, event_id=event_id, timestamp=timestamp, body=body, method=method, path=path
    )
    entries = [f"{scheme.timestamp_prefix}{timestamp}"] if scheme.timestamp_prefix else []
    for secret in secrets:
        digest = hmac.new(decode_secret(secret=secret, scheme=scheme), message, _DIGESTS[scheme.algorithm]).digest()
        entries.append(scheme.entry_prefix + _encode(digest, scheme.encoding))
    headers = [(scheme.signature_header, scheme.entry_separator.join(entries))]
    if scheme.id_header:
        headers.append((scheme.id_header, event_id))
    if scheme.timestamp_header and timestamp:
        headers.append((scheme.timestamp_header, timestamp))
    return headers


def decode_secret(*, secret: str, scheme: profiles.Signature) -> bytes:
    """The key bytes of a signing secret. Raises BadSecret when undecodable or under 16 bytes."""
    try:
        match scheme.secret_format:
            case profiles.SecretFormat.whsec:
                if not secret.startswith("whsec_"):
                    raise BadSecret("the secret does not begin with whsec_")
                key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
            case profiles.SecretFormat.base64:
                key = base64.b64decode(secret, validate=True)
            case profiles.SecretFormat.hex:
                key = bytes.fromhex(secret)
            case profiles.SecretFormat.utf8:
                key = secret.encode()
    except (binascii.Error, ValueError) as error:
        raise BadSecret(f"the secret is not in the format {scheme.secret_format}") from error
    if len(key) < MIN_SECRET_BYTES:
        raise BadSecret(f"the secret has fewer than {MIN_SECRET_BYTES} bytes")
    return key


def _one(headers: Sequence[tuple[str, str]], name: str) -> str:
    found = [value for key, value in headers if key.lower() == name.lower()]
    if len(found) > 1:
        raise Refused(Reason.duplicate_header)
    if not found or not found[0]:
        raise Refused(Reason.missing_header)
    if len(found[0]) > MAX_HEADER:
        raise Refused(Reason.header_too_long)
    return found[0]


def _event_id(headers: Sequence[tuple[str, str]], scheme: profiles.Signature) -> str:
    if not scheme.signs_id:
        return ""
    event_id = _one(headers, scheme.id_header)
    if not _ID.fullmatch(event_id):
        raise Refused(Reason.id_format)
    return event_id


def _timestamp(headers: Sequence[tuple[str, str]], entries: Sequence[str], scheme: profiles.Signature) -> str:
    if not scheme.signs_timestamp:
        return ""
    if scheme.timestamp_prefix:
        stamps = [e.removeprefix(scheme.timestamp_prefix) for e in entries if e.startswith(scheme.timestamp_prefix)]
        if not stamps:
            raise Refused(Reason.missing_header)
        if len(stamps) > 1:
            raise Refused(Reason.duplicate_header)
        timestamp = stamps[0]
    else:
        timestamp = _one(headers, scheme.timestamp_header)
    shape = _MILLISECONDS if scheme.timestamp_unit == "ms" else _SECONDS
    if not shape.fullmatch(timestamp):
        raise Refused(Reason.timestamp_format)
    return timestamp


def _out_of_window(timestamp: str, scheme: profiles.Signature, now: datetime) -> Reason | None:
    if scheme.timestamp_semantics is profiles.Semantics.absent:
        return None
    sent = int(timestamp) // (1000 if scheme.timestamp_unit == "ms" else 1)
    age = int(now.timestamp()) - sent
    oldest = scheme.tolerance_s
    if scheme.timestamp_semantics is profiles.Semantics.event:
        oldest += RETRY_WINDOW_S
    if age > oldest:
        return Reason.timestamp_old
    if age < -scheme.tolerance_s:
        return Reason.timestamp_future
    return None


def _keys(secrets: Sequence[str], scheme: profiles.Signature) -> list[tuple[int, bytes]]:
    """The usable keys with their index. An undecodable secret is left out: alone it means no secret, so refusal."""
    if len(secrets) > MAX_SECRETS:
        raise ValueError(f"at most {MAX_SECRETS} live secrets, got {len(secrets)}")
    keys = []
    for index, secret in enumerate(secrets):
        try:
            keys.append((index, decode_secret(secret=secret, scheme=scheme)))
        except BadSecret:
            continue
    return keys


def _canonical(
    *, scheme: profiles.Signature, event_id: str, timestamp: str, body: bytes, method: str, path: str
) -> bytes:
    before, after = scheme.canonical.split("{body}")
    values = {"{id}": event_id, "{timestamp}": timestamp, "{method}": method, "{path}": path}

    def fill(part: str) -> bytes:
        return re.sub(r"\{[a-z]+\}", lambda found: values[found.group()], part).encode()

    return fill(before) + body + fill(after)


def _match(
    keys: Sequence[tuple[int, bytes]], entries: Sequence[str], message: bytes, scheme: profiles.Signature
) -> int | None:
    digest = _DIGESTS[scheme.algorithm]
    given = [decoded for entry in entries if (decoded := _decode(entry, scheme, digest().digest_size)) is not None]
    matched: int | None = None
    for index, key in keys:
        wanted = hmac.new(key, message, digest).digest()
        for candidate in given:
            good = hmac.compare_digest(wanted, candidate)
            if good and matched is None:
                matched = index
    return matched


def _decode(entry: str, scheme: profiles.Signature, size: int) -> bytes | None:
    """The digest of one entry, or None when it is of another version or malformed."""
    if not entry.startswith(scheme.entry_prefix):
        return None
    text = entry.removeprefix(scheme.entry_prefix)
    try:
        if scheme.encoding is profiles.Encoding.hex:
            value = bytes.fromhex(text) if re.fullmatch(r"[0-9a-fA-F]+", text) else b""
        else:
            value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return value if len(value) == size else None


def _encode(digest: bytes, encoding: profiles.Encoding) -> str:
    if encoding is profiles.Encoding.hex:
        return digest.hex()
    return base64.b64encode(digest).decode()
