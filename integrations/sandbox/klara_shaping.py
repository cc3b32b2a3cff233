"""Changes to an event's document or bytes: other field paths, other words, a byte changed on the way.

Pure; it returns new values and never touches what it was given.
"""

import copy
import json
from typing import Any


def shaped(document: dict[str, Any], *, moves: dict[str, str], words: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Another vendor's field names and words: `words` first (at our paths), then `moves` (our path -> theirs)."""
    if not moves and not words:
        return document
    made = copy.deepcopy(document)
    for path, table in words.items():
        found = read(made, path)
        if isinstance(found, str) and found in table:
            put(made, path, table[found])
    taken = [(target, take(made, path)) for path, target in moves.items() if read(made, path) is not None]
    for target, value in taken:
        put(made, target, value)
    return made


def changed(document: dict[str, Any], *, put_at: dict[str, Any], drop: list[str]) -> dict[str, Any]:
    """Values set at dotted paths (null too), then paths dropped."""
    made = copy.deepcopy(document)
    for path, value in put_at.items():
        put(made, path, value)
    for path in drop:
        take(made, path)
    return made


def read(document: Any, path: str) -> Any:
    """The value at a dotted path, None when a step is missing."""
    for step in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(step)
    return document


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set a value, making the objects on the way."""
    *steps, last = path.split(".")
    for step in steps:
        inner = document.get(step)
        if not isinstance(inner, dict):
            inner = document[step] = {}
        document = inner
    document[last] = value


def take(document: dict[str, Any], path: str) -> Any:
    """Remove and return a value; None when it is not there."""
    *steps, last = path.split(".")
    inner = read(document, ".".join(steps)) if steps else document
    return inner.pop(last, None) if isinstance(inner, dict) else None


def altered(body: bytes, *, how: str) -> bytes:
    """The bytes as they arrive: unchanged, with one byte changed, or the same JSON written again otherwise."""
    if how == "byte":
        place = body.rfind(b'"') - 1
        return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    if how == "reserialise":
        return json.dumps(json.loads(body)).encode()
    return body
