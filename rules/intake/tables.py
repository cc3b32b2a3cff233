"""The tables a vocabulary is built from, as text and bytes: what is shipped in rules/data, or what a load has made.

Reads the package's own files and nothing else; where a loaded release is kept is the shell's matter.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Tab-separated texts with a header line, and the packed NDC table (xz: u64 codes sorted, then u32 targets).

    names: kind, name, rxcui, ingredients, flags. products: rxcui, tty, name, ingredients, generic, dea. dea:
    ingredient, schedule, basis. lay_names and look_alikes are kept by hand and come with every release. `release` is
    the date of the RxNorm release (ISO).
    """

    release: str
    names: str
    products: str
    ndc: bytes
    dea: str
    lay_names: str
    look_alikes: str


def rows(*, text: str) -> Iterator[list[str]]:
    """The cells of each line after the header; empty lines are left out."""
    lines = iter(text.splitlines())
    next(lines, None)
    return (line.split("\t") for line in lines if line)


@functools.cache
def shipped() -> Tables:
    """What this version of the product carries."""
    folder = importlib.resources.files("rules").joinpath("data")

    def text(name: str) -> str:
        return folder.joinpath(name).read_text(encoding="utf-8")

    return Tables(
        release=str(json.loads(text("MANIFEST.json"))["release"]),
        names=text("lexicon_names.tsv"),
        products=text("lexicon_products.tsv"),
        ndc=folder.joinpath("lexicon_ndc.bin.xz").read_bytes(),
        dea=text("dea.tsv"),
        lay_names=text("lay_names.tsv"),
        look_alikes=text("look_alikes.tsv"),
    )
