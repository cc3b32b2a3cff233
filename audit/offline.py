"""Offline verifier of a signed audit export: `python offline.py EXPORT.json [--key BASE64]`. One file, nothing of ours.

Needs Python 3.11 and the package `cryptography`. Says "valid", or what is wrong with which entry, and exits 0 or 1.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LABEL = b"refill-hub audit 1\n"
HEAD, FOOT = b'{"format":"refill-hub-audit-1","entries":[\n', b'\n],"signed":'


def check(*, content: bytes, key: str = "") -> list[str]:
    """Everything that is wrong with an export; empty when it is valid. `key`: the public key you were given before."""
    if not content.startswith(HEAD) or FOOT not in content:
        return ["This is no export of the format refill-hub-audit-1, or it was cut off."]
    lines, _, foot = content[len(HEAD):].rpartition(FOOT)
    try:
        signed = json.loads(foot.rstrip()[:-1])
        text, public = signed["summary"].encode(), base64.b64decode(signed["public_key"])
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signed["signature"]), text)
        summary = json.loads(text)
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return ["The signature does not fit the summary."]
    wrong = []
    if key and signed["public_key"] != key:
        wrong.append("It was signed with another key than the one you were given.")
    if hashlib.sha256(lines).hexdigest() != summary["sha256"]:
        wrong.append("The entries are not those that were signed.")
    try:
        entries = [_entry(one) for one in lines.split(b",\n")] if lines else []
    except (ValueError, KeyError, TypeError):
        return [*wrong, "An entry cannot be read."]
    if len(entries) != summary["count"]:
        wrong.append(f"{summary['count']} entries were signed, {len(entries)} are here.")
    before: dict[str, str] = {}
    for one in entries:
        linked = hashlib.sha256(LABEL + one["previous_hash"].encode() + b"\n" + one["body"].encode()).hexdigest()
        if linked != one["hash"]:
            wrong.append(f"Entry {one['number']}: its text does not give its hash.")
        follows = bool(before) and int(one["number"]) == int(before["number"]) + 1
        if follows and one["previous_hash"] != before["hash"]:
            wrong.append(f"Entry {one['number']}: it does not follow the entry before it.")
        before = one
    return wrong


def _entry(line: bytes) -> dict[str, str]:
    """One line. Raises ValueError, KeyError, TypeError when it is not as exports are written."""
    told = json.loads(line)
    return {name: str(told[name]) for name in ("number", "previous_hash", "hash", "body")}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Verify a signed audit export offline.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", default="", help="the public key you were given before, base64")
    given = parser.parse_args(arguments)
    wrong = check(content=given.file.read_bytes(), key=given.key)
    print("\n".join(wrong) if wrong else "valid")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
