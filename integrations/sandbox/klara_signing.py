"""How a pretended Klara account signs its webhooks: one scheme as data, several live secrets, one signature each."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

STANDARD: dict[str, Any] = {
    "headers": {"id": "X-Klara-Webhook-Id", "timestamp": "X-Klara-Webhook-Timestamp", "signature": "X-Klara-Webhook-Signature"},
    "canonical": "{id}.{timestamp}.{body}", "algorithm": "hmac-sha256", "encoding": "base64", "entry_separator": " ",
    "entry_prefix": "v1,", "secret_format": "whsec", "timestamp_unit": "s", "timestamp_semantics": "attempt", "timestamp_prefix": "",
}  # fmt: skip
SCHEMES: dict[str, dict[str, Any]] = {
    "klara-assumed-v1": STANDARD,
    "standard-webhooks": {**STANDARD, "headers": {"id": "webhook-id", "timestamp": "webhook-timestamp", "signature": "webhook-signature"}},
    "timestamp-hex-v1": {**STANDARD, "headers": {"id": "", "timestamp": "", "signature": "X-Klara-Signature"},
                         "canonical": "{timestamp}.{body}", "encoding": "hex", "entry_separator": ",", "entry_prefix": "v1=",
                         "timestamp_prefix": "t=", "secret_format": "utf8"},
    "body-hex-v1": {**STANDARD, "headers": {"id": "X-Klara-Delivery", "timestamp": "", "signature": "X-Klara-Signature-256"},
                    "canonical": "{body}", "encoding": "hex", "entry_prefix": "sha256=", "timestamp_semantics": "absent",
                    "secret_format": "utf8"},
    "body-base64-v1": {**STANDARD, "headers": {"id": "", "timestamp": "", "signature": "X-Klara-Signature"}, "canonical": "{body}",
                       "encoding": "base64", "entry_prefix": "", "timestamp_semantics": "absent", "secret_format": "utf8"},
}  # fmt: skip


def key_of(*, secret: str, form: str) -> bytes:
    """The key bytes of a secret; raises ValueError when it is not in that form."""
    if form == "whsec":
        return base64.b64decode(secret.removeprefix("whsec_"))
    if form == "base64":
        return base64.b64decode(secret)
    return bytes.fromhex(secret) if form == "hex" else secret.encode()


def headers_for(*, scheme: Mapping[str, Any], secrets: Sequence[str], event_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt, signed with every secret."""
    stamp = str(int(moment.timestamp() * (1000 if scheme["timestamp_unit"] == "ms" else 1)))
    signed = b""
    for part in _parts(scheme["canonical"]):
        signed += {"{id}": event_id.encode(), "{timestamp}": stamp.encode(), "{body}": body}.get(part, part.encode())
    digest = hashlib.sha512 if scheme["algorithm"] == "hmac-sha512" else hashlib.sha256
    entries = []
    for secret in secrets:
        mac = hmac.new(key_of(secret=secret, form=scheme["secret_format"]), signed, digest).digest()
        text = mac.hex() if scheme["encoding"] == "hex" else base64.b64encode(mac).decode()
        entries.append(scheme["entry_prefix"] + text)
    if scheme.get("timestamp_prefix"):
        entries.insert(0, scheme["timestamp_prefix"] + stamp)
    names = scheme["headers"]
    headers = {names["signature"]: scheme["entry_separator"].join(entries)}
    if names.get("id"):
        headers[names["id"]] = event_id
    if names.get("timestamp"):
        headers[names["timestamp"]] = stamp
    return headers


def _parts(canonical: str) -> list[str]:
    parts = [canonical]
    for mark in ("{id}", "{timestamp}", "{body}"):
        parts = [bit for part in parts for bit in _cut(part, mark)]
    return parts


def _cut(part: str, mark: str) -> list[str]:
    if part == mark or mark not in part:
        return [part]
    before, _, after = part.partition(mark)
    return [bit for bit in (before, mark, *_cut(after, mark)) if bit]
