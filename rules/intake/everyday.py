"""Everyday words and people's names: what a harmless sentence may be made of, and how a name is told from a word.

`benign`: words that no sentence made of them alone could turn into a symptom, a change, a refusal, a condition or
another topic. `known`: words of the language, benign or not; a word in neither list may be a name. `short_forms`: what
a texting abbreviation or common slip always means. English and Spanish, folded. Kept by hand in rules/data
(everyday.tsv, names.txt, short_forms.tsv); pure reading of the package's own files.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass

from rules.intake import plain_words, tables


@dataclass(frozen=True, slots=True)
class Everyday:
    """The lists; see the module."""

    benign: frozenset[str]
    known: frozenset[str]
    names: frozenset[str]
    short_forms: Mapping[str, str]


@functools.cache
def load() -> Everyday:
    """The shipped lists; the second call returns the same value."""
    folder = importlib.resources.files("rules").joinpath("data")
    benign: set[str] = set()
    known: set[str] = set()
    for line in folder.joinpath("everyday.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        kind, _, words = line.partition("\t")
        (benign if kind == "benign" else known).update(words.split())
    names = frozenset(folder.joinpath("names.txt").read_text(encoding="utf-8").split())
    rows = tables.rows(text=folder.joinpath("short_forms.tsv").read_text(encoding="utf-8"))
    return Everyday(
        benign=frozenset(benign - plain_words.CARRIES),
        known=frozenset(known | benign),
        names=names,
        short_forms={written: meant for written, meant in rows},
    )

