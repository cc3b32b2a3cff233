"""Many patterns tried as one, fast: only those whose letters are in the text at all are run.

Finds exactly what the alternation of the same patterns finds, or what each of them finds alone. A table of danger may
so grow without making every harmless message slower.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from rules.intake import needles

_GRAM = 3
_SHORTEST = 2  # letters of a needle worth looking for
Row = TypeVar("Row")


class Sieve:
    """Patterns in order, with an index of the letters each of them needs."""

    def __init__(self, *, patterns: Iterable[str]) -> None:
        self.patterns = tuple(re.compile(one) for one in patterns)
        self._sets = tuple(needles.of(pattern=one.pattern) for one in self.patterns)
        self._always = tuple(
            index for index, sets in enumerate(self._sets) if not sets or min(map(len, sets[0])) < _SHORTEST
        )
        self._needles, self._needing = _index(self._sets, frozenset(self._always))
        self._grams = frozenset(self._needles)
        self._short = tuple(gram for gram in self._needles if len(gram) < _GRAM)

    def candidates(self, *, text: str) -> list[int]:
        """Numbers of the patterns that may match, in order; each other one surely does not."""
        maybe: set[int] = set(self._always)
        for gram in (*(self._grams & _grams(text)), *self._short):
            for needle in self._needles[gram]:
                if needle in text:
                    maybe.update(self._needing[needle])
        return sorted(index for index in maybe if self._may_match(index, text))

    def _may_match(self, index: int, text: str) -> bool:
        """Whether the text holds a needle of the pattern's second set too; the first one was looked for already."""
        return all(_holds(text, strings) for strings in self._sets[index][1:3])

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """What the alternation of all patterns finds: leftmost, of equals the first pattern, never overlapping."""
        tried = [(one, one.search(text)) for one in map(self.patterns.__getitem__, self.candidates(text=text))]
        at = 0
        while True:
            best: re.Match[str] | None = None
            for place, (pattern, match) in enumerate(tried):
                if match is not None and match.start() < at:
                    match = pattern.search(text, at)
                    tried[place] = (pattern, match)
                if match is not None and (best is None or match.start() < best.start()):
                    best = match
            if best is None:
                return
            yield best
            at = max(best.end(), best.start() + 1)

    def search(self, text: str) -> re.Match[str] | None:
        """The first match of the alternation, None when nothing matches."""
        return next(self.finditer(text), None)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """What each pattern finds by itself, in order of patterns; matches without letters left out."""
        return [
            match.span()
            for index in self.candidates(text=text)
            for match in self.patterns[index].finditer(text)
            if match.group().strip()
        ]


class Table(Generic[Row]):
    """Rows, each known by a pattern: which of them does a text show? One look at the text serves all rows."""

    def __init__(self, *, rows: Iterable[tuple[Row, str]]) -> None:
        self.rows, self.patterns = zip(*rows, strict=True)
        cut = [(number, one) for number, each in enumerate(self.patterns) for one in alternatives(pattern=each)]
        self._owners = [number for number, _ in cut]
        self._sieve = Sieve(patterns=[one for _, one in cut])

    def shown(self, *, text: str) -> list[tuple[Row, re.Match[str]]]:
        """Each row that the text shows, in order, with the leftmost words that show it."""
        found: dict[int, re.Match[str]] = {}
        for index in self._sieve.candidates(text=text):
            match = self._sieve.patterns[index].search(text)
            owner = self._owners[index]
            if match is not None and (owner not in found or match.start() < found[owner].start()):
                found[owner] = match
        return [(self.rows[owner], found[owner]) for owner in sorted(found)]


def any_of(*parts: str) -> Sieve:
    """The alternation of all parts, each cut at its own outermost bars."""
    return Sieve(patterns=[one for part in parts for one in alternatives(pattern=part)])


def alternatives(*, pattern: str) -> Sequence[str]:
    """The outermost alternatives of a pattern; a pattern that refers to its own groups stays whole."""
    if re.search(r"\\[1-9]|\(\?P", pattern):
        return (pattern,)
    found, depth, start, index, is_class = [], 0, 0, 0, False
    while index < len(pattern):
        char = pattern[index]
        if char == "\\":
            index += 1
        elif is_class:
            is_class = char != "]"
        elif char == "[":
            is_class = True
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and not depth:
            found.append(pattern[start:index])
            start = index + 1
        index += 1
    return (*found, pattern[start:])


def _holds(text: str, strings: frozenset[str]) -> bool:
    for one in strings:  # noqa: SIM110 - a plain loop is twice as fast in the hottest line of all reading
        if one in text:
            return True
    return False


def _index(
    all_sets: Sequence[tuple[frozenset[str], ...]], always: frozenset[int]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[int, ...]]]:
    """(gram -> needles known by it: of each needle the gram that the fewest others share; needle -> patterns)."""
    needing: dict[str, list[int]] = {}
    for index, sets in enumerate(all_sets):
        for one in sets[0] if index not in always else ():
            needing.setdefault(one, []).append(index)
    common = Counter(gram for one in needing for gram in _grams_of(one))
    by_gram: dict[str, list[str]] = {}
    for one in sorted(needing):
        by_gram.setdefault(min(_grams_of(one), key=lambda each: (common[each], each)), []).append(one)
    return {gram: tuple(each) for gram, each in by_gram.items()}, {one: tuple(each) for one, each in needing.items()}


def _grams_of(needle: str) -> list[str]:
    return [needle[at : at + _GRAM] for at in range(max(1, len(needle) - _GRAM + 1))]


@functools.lru_cache(maxsize=8)
def _grams(text: str) -> frozenset[str]:
    """Every piece of three letters; kept for the few texts of the message that is being read."""
    return frozenset(text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1))
