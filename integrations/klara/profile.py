"""How one account of Klara talks: header names, signed string, field paths, limits, all as checked configuration.

Klara publishes no developer contract, so nothing of it is code: a profile is a frozen value made by `parse` from the
JSON kept on the connection. `parse` is the guard rail: it refuses what could weaken the signature check. Never reads
the database or a secret.
"""

import copy
import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from integrations.klara import presets

MAX_DEPTH = 8  # contract 3.1: dotted keys plus [], at most eight steps
DEFAULT = presets.DEFAULT
CANONICAL_FIELDS = frozenset({"id", "timestamp", "body", "method", "path"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
E = TypeVar("E", bound=StrEnum)
_PATH_STEP = re.compile(r"[A-Za-z0-9_-]{1,64}(\[\])?")


class InvalidProfile(ValueError):
    """The configuration is refused; `field` names the offending key."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class AuthMode(StrEnum):
    oauth2 = "oauth2"
    api_key = "api_key"


class Semantics(StrEnum):
    """What the timestamp header means: each attempt re-signed, the event's own time, or no timestamp at all."""

    attempt = "attempt"
    event = "event"
    absent = "absent"


class Encoding(StrEnum):
    base64 = "base64"
    hex = "hex"


class SecretFormat(StrEnum):
    whsec = "whsec"
    base64 = "base64"
    hex = "hex"
    utf8 = "utf8"


class Algorithm(StrEnum):
    hmac_sha256 = "hmac-sha256"
    hmac_sha512 = "hmac-sha512"


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature scheme. Header names are empty where the scheme has none; `timestamp_prefix` is set where the
    time travels inside the signature header (`t=...`)."""

    id_header: str
    timestamp_header: str
    signature_header: str
    canonical: str
    algorithm: Algorithm
    encoding: Encoding
    entry_separator: str
    entry_prefix: str
    timestamp_prefix: str
    secret_format: SecretFormat
    timestamp_unit: str  # "s" or "ms"
    timestamp_semantics: Semantics
    tolerance_s: int

    @property
    def signs_id(self) -> bool:
        return "{id}" in self.canonical

    @property
    def signs_timestamp(self) -> bool:
        return "{timestamp}" in self.canonical


@dataclass(frozen=True, slots=True)
class Auth:
    mode: AuthMode
    token_url: str
    grant: str
    api_key_header: str
    api_key_prefix: str


@dataclass(frozen=True, slots=True)
class Limits:
    calls_per_s: int
    burst: int
    max_body_bytes: int
    ack_timeout_s: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One account's way of talking, checked. `paths` maps our field name to a dotted path."""

    name: str
    auth: Auth
    signature: Signature
    event_id_sources: tuple[str, ...]  # "header:id", "body:<path>"; a header id is used only when it is signed
    outbound_header: str
    duplicate_statuses: frozenset[int]
    paths: Mapping[str, str]
    event_map: Mapping[str, str]
    value_map: Mapping[str, tuple[str, ...]]
    tag_map: Mapping[str, tuple[str, ...]]
    limits: Limits


BUILT_IN = tuple(presets.OVERRIDES)


@lru_cache(maxsize=8)
def builtin(*, name: str) -> Profile:
    """A profile that ships with the product. Raises InvalidProfile for an unknown name."""
    return parse(raw={"profile": name})


def parse(*, raw: Mapping[str, Any]) -> Profile:
    """The profile described by `raw`: a built-in one (`raw["profile"]`, default klara-assumed-v1) with overrides.

    An empty mapping is the default profile. Raises InvalidProfile naming the field.
    """
    name = raw.get("profile", DEFAULT)
    if name not in presets.OVERRIDES:
        raise InvalidProfile("profile", f"unknown, choose one of {', '.join(presets.OVERRIDES)}")
    merged = _merge(_merge(copy.deepcopy(presets.ASSUMED), presets.OVERRIDES[name], ""), raw, "")
    return Profile(
        name=name,
        auth=_auth(merged["auth"]),
        signature=_signature(merged["signature"]),
        event_id_sources=_event_id_sources(merged["idempotency"]["event_id"], merged["signature"]["canonical"]),
        outbound_header=_header("idempotency.outbound_header", merged["idempotency"]["outbound_header"]),
        duplicate_statuses=_statuses(merged["idempotency"]["duplicate_statuses"]),
        paths=_paths(merged["paths"]),
        event_map=_texts("event_map", merged["event_map"]),
        value_map=_lists("value_map", merged["value_map"]),
        tag_map=_lists("tag_map", merged["tag_map"]),
        limits=_limits(merged["limits"]),
    )


def of(*, raw: Mapping[str, Any]) -> Profile:
    """`parse`, remembered by content: a webhook must not pay for checking an unchanged profile."""
    return _remembered(json.dumps(raw, sort_keys=True))


@lru_cache(maxsize=512)
def _remembered(text: str) -> Profile:
    return parse(raw=json.loads(text))


@lru_cache(maxsize=1024)
def steps(*, path: str) -> tuple[str, ...]:
    """The steps of a dotted path, `[]` kept on its step. Raises InvalidProfile when it is malformed or too deep."""
    parts = tuple(path.split("."))
    if len(parts) > MAX_DEPTH or not all(_PATH_STEP.fullmatch(part) for part in parts):
        raise InvalidProfile("paths", f"{path!r} is not a dotted path of at most {MAX_DEPTH} steps")
    return parts


# Keys a connection may add beside the built-in ones: names of messages, tags and fields differ per account.
_OPEN = frozenset({"paths", "event_map", "value_map", "tag_map"})
_EXTRA = frozenset({"base_url"})


def _merge(base: dict[str, Any], over: Mapping[str, Any], where: str) -> dict[str, Any]:
    for key, value in over.items():
        name = f"{where}{key}"
        if key not in base:
            if where.rstrip(".") in _OPEN or (not where and key in _EXTRA):
                base[key] = value
                continue
            raise InvalidProfile(name, "unknown key")
        if isinstance(base[key], dict):
            if not isinstance(value, Mapping):
                raise InvalidProfile(name, "must be an object")
            _merge(base[key], value, f"{name}.")
        else:
            base[key] = value
    return base


def _signature(raw: Mapping[str, Any]) -> Signature:
    headers = raw["headers"]
    canonical = raw["canonical"]
    _check_canonical(canonical)
    semantics = _choice("signature.timestamp_semantics", Semantics, raw["timestamp_semantics"])
    prefix = _text("signature.timestamp_prefix", raw["timestamp_prefix"], 8)
    signature = Signature(
        id_header=_header("signature.headers.id", headers["id"], may_be_empty=True),
        timestamp_header=_header("signature.headers.timestamp", headers["timestamp"], may_be_empty=True),
        signature_header=_header("signature.headers.signature", headers["signature"]),
        canonical=canonical,
        algorithm=_choice("signature.algorithm", Algorithm, raw["algorithm"]),
        encoding=_choice("signature.encoding", Encoding, raw["encoding"]),
        entry_separator=_text("signature.entry_separator", raw["entry_separator"], 2),
        entry_prefix=_text("signature.entry_prefix", raw["entry_prefix"], 16),
        timestamp_prefix=prefix,
        secret_format=_choice("signature.secret_format", SecretFormat, raw["secret_format"]),
        timestamp_unit=raw["timestamp_unit"],
        timestamp_semantics=semantics,
        tolerance_s=_number("signature.tolerance_s", raw["tolerance_s"], 1, 900),
    )
    if signature.timestamp_unit not in ("s", "ms"):
        raise InvalidProfile("signature.timestamp_unit", "must be s or ms")
    if not signature.entry_separator:
        raise InvalidProfile("signature.entry_separator", "must not be empty")
    if signature.signs_id and not signature.id_header:
        raise InvalidProfile("signature.headers.id", "the signed string needs it")
    has_time = bool(signature.timestamp_header or prefix)
    if signature.signs_timestamp and not has_time:
        raise InvalidProfile("signature.headers.timestamp", "the signed string needs it")
    if semantics is not Semantics.absent and not signature.signs_timestamp:
        # An unsigned timestamp proves nothing: anybody replaying a capture could set it to now.
        raise InvalidProfile("signature.timestamp_semantics", "must be absent when the timestamp is not signed")
    if semantics is Semantics.absent and signature.signs_timestamp:
        raise InvalidProfile("signature.timestamp_semantics", "a signed timestamp must be checked")
    return signature


def _check_canonical(canonical: object) -> None:
    if not isinstance(canonical, str):
        raise InvalidProfile("signature.canonical", "must be text")
    try:
        parsed = list(string.Formatter().parse(canonical))
    except ValueError as error:
        raise InvalidProfile("signature.canonical", "unbalanced braces") from error
    fields = [field for _literal, field, _spec, _conversion in parsed if field is not None]
    decorated = any(spec or conversion for _literal, _field, spec, conversion in parsed)
    if decorated or not set(fields) <= CANONICAL_FIELDS:
        raise InvalidProfile("signature.canonical", "may use only {id} {timestamp} {body} {method} {path}")
    if fields.count("body") != 1:
        raise InvalidProfile("signature.canonical", "must contain {body} exactly once")
    if "{{" in canonical or "}}" in canonical:
        raise InvalidProfile("signature.canonical", "doubled braces are not supported")


def _auth(raw: Mapping[str, Any]) -> Auth:
    token_url = _text("auth.token_url", raw["token_url"], 200)
    if not token_url.startswith("/") or token_url.startswith("//"):
        raise InvalidProfile("auth.token_url", "must be a path below the base address")
    if raw["grant"] not in ("client_credentials", "refresh_token"):
        raise InvalidProfile("auth.grant", "must be client_credentials or refresh_token")
    return Auth(
        mode=_choice("auth.mode", AuthMode, raw["mode"]),
        token_url=token_url,
        grant=raw["grant"],
        api_key_header=_header("auth.api_key_header", raw["api_key_header"]),
        api_key_prefix=_text("auth.api_key_prefix", raw["api_key_prefix"], 32),
    )


def _limits(raw: Mapping[str, Any]) -> Limits:
    return Limits(
        calls_per_s=_number("limits.calls_per_s", raw["calls_per_s"], 1, 1000),
        burst=_number("limits.burst", raw["burst"], 1, 1000),
        max_body_bytes=_number("limits.max_body_bytes", raw["max_body_bytes"], 1024, 5_000_000),
        ack_timeout_s=_number("limits.ack_timeout_s", raw["ack_timeout_s"], 1, 60),
    )


def _event_id_sources(raw: object, canonical: str) -> tuple[str, ...]:
    if not isinstance(raw, Sequence) or isinstance(raw, str) or not raw:
        raise InvalidProfile("idempotency.event_id", "must be a list such as header:id, body:id")
    for source in raw:
        if source != "header:id" and not str(source).startswith("body:"):
            raise InvalidProfile("idempotency.event_id", f"{source!r} is neither header:id nor body:<path>")
        if str(source).startswith("body:"):
            steps(path=str(source).removeprefix("body:"))
    if "{id}" not in canonical and all(source == "header:id" for source in raw):
        raise InvalidProfile("idempotency.event_id", "an unsigned header id cannot protect against replays")
    return tuple(raw)


def _paths(raw: Mapping[str, Any]) -> dict[str, str]:
    checked = _texts("paths", raw)
    for path in checked.values():
        if path:
            steps(path=path)
    for needed in ("type", "conversation_id", "message_id", "text", "patient_id", "direction", "author_type"):
        if not checked.get(needed):
            raise InvalidProfile(f"paths.{needed}", "is required")
    return checked


def _statuses(raw: object) -> frozenset[int]:
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise InvalidProfile("idempotency.duplicate_statuses", "must be a list")
    return frozenset(_number("idempotency.duplicate_statuses", item, 400, 499) for item in raw)


def _header(field: str, value: object, *, may_be_empty: bool = False) -> str:
    if value in ("", None) and may_be_empty:
        return ""
    if not isinstance(value, str) or not _HEADER_NAME.fullmatch(value):
        raise InvalidProfile(field, "is not a header name")
    return value


def _text(field: str, value: object, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or "\r" in value or "\n" in value:
        raise InvalidProfile(field, f"must be one line of at most {longest} characters")
    return value


def _number(field: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidProfile(field, f"must be a whole number from {low} to {high}")
    return value


def _choice(field: str, kind: type[E], value: object) -> E:
    try:
        return kind(str(value))
    except ValueError as error:
        raise InvalidProfile(field, f"must be one of {', '.join(kind)}") from error


def _texts(field: str, raw: Mapping[str, Any]) -> dict[str, str]:
    if not all(isinstance(value, str) for value in raw.values()):
        raise InvalidProfile(field, "values must be text")
    return dict(raw)


def _lists(field: str, raw: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    for value in raw.values():
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(v, str) for v in value):
            raise InvalidProfile(field, "values must be lists of text")
    return {key: tuple(value) for key, value in raw.items()}
