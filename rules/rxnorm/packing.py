"""What was read from one source file as bytes and back: a line of JSON, then arrays of numbers, little-endian."""

from __future__ import annotations

import array
import json
import sys
from collections.abc import Mapping
from typing import Any

Arrays = dict[str, "array.array[int]"]


def pack(*, head: Mapping[str, Any], arrays: Mapping[str, array.array[int]]) -> bytes:
    """`head` must be JSON; arrays are of any integer type of fixed size (I, Q)."""
    shape = [(name, one.typecode, len(one)) for name, one in arrays.items()]
    first = json.dumps({"head": head, "arrays": shape}, sort_keys=True).encode() + b"\n"
    return first + b"".join(_little(one).tobytes() for one in arrays.values())


def unpack(*, data: bytes) -> tuple[dict[str, Any], Arrays]:
    """Head and arrays as they were packed. Raises ValueError where the bytes are not whole."""
    first, _, rest = data.partition(b"\n")
    whole = json.loads(first)
    arrays: Arrays = {}
    at = 0
    for name, kind, length in whole["arrays"]:
        one = array.array(kind)
        size = one.itemsize * length
        if at + size > len(rest):
            raise ValueError("packed numbers are cut off")
        one.frombytes(rest[at : at + size])
        arrays[name] = _little(one)
        at += size
    return whole["head"], arrays


def _little(numbers: array.array[int]) -> array.array[int]:
    if sys.byteorder == "little":
        return numbers
    turned = numbers[:]
    turned.byteswap()
    return turned
