"""The table of NDC codes: 11-digit codes as u64, sorted, then their RxCUIs as u32, little-endian, packed with xz."""

from __future__ import annotations

import array
import lzma
import sys
from collections.abc import Mapping


def pack(*, codes: Mapping[int, int]) -> bytes:
    """RxCUI by NDC as the vocabulary reads it."""
    ordered = sorted(codes)
    left, right = array.array("Q", ordered), array.array("I", (codes[one] for one in ordered))
    if sys.byteorder == "big":
        left.byteswap()
        right.byteswap()
    return lzma.compress(left.tobytes() + right.tobytes(), preset=6)


def unpack(*, data: bytes) -> dict[int, int]:
    """RxCUI by NDC."""
    raw = lzma.decompress(data)
    count = len(raw) // 12
    left, right = array.array("Q"), array.array("I")
    left.frombytes(raw[: count * 8])
    right.frombytes(raw[count * 8 :])
    if sys.byteorder == "big":
        left.byteswap()
        right.byteswap()
    return dict(zip(left, right, strict=True))
