"""Puts everyday words right before phrases are looked for: texting abbreviations, common slips, misspelt courtesy.

Only words that no list knows are changed, only towards harmless words of an ask, and never one that stands as near to a
drug or to a word of danger: a misspelt symptom must stay what it is. The way back to the original characters is kept.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rules.intake import danger, everyday, letters, plain_words
from rules.intake.lexicon import Lexicon

MIN_LENGTH = 5


def mended(*, folded: letters.Folded, lexicon: Lexicon) -> letters.Folded:
    """The folded text with everyday words put right; `at` still leads to the original characters."""
    changes = [
        (word.start, word.end, right)
        for word in letters.tokens(text=folded.text)
        if (right := _right(word.text, lexicon)) and right != word.text
    ]
    if not changes:
        return folded
    text: list[str] = []
    at: list[int] = []
    here = 0
    for start, end, right in changes:
        text.append(folded.text[here:start])
        at += folded.at[here:start]
        text.append(right)
        at += [folded.at[min(start + step, end - 1)] for step in range(len(right) - 1)] + [folded.at[end - 1]]
        here = end
    text.append(folded.text[here:])
    at += folded.at[here:]
    return letters.Folded("".join(text), tuple(at), folded.odd, folded.symbols, folded.foreign)


@functools.lru_cache(maxsize=20_000)
def _right(word: str, lexicon: Lexicon) -> str:
    """The word put right; the word itself where it is known, short, or near to nothing harmless."""
    lists = everyday.load()
    if word in lists.short_forms:
        return lists.short_forms[word]
    squeezed = re.sub(r"(.)\1{2,}", r"\1", word)
    if squeezed != word and (squeezed in plain_words.ALL or squeezed in lists.benign):
        return squeezed
    if (
        len(word) < MIN_LENGTH
        or len(word) > 20
        or not word.isascii()
        or not word.isalpha()
        or word in lists.known
        or word in lists.names
        or word in plain_words.ALL
        or word in _drug_words(lexicon)
        or word in danger.DANGER_WORDS
    ):
        return word
    return _nearest(word, lexicon) or word


def _nearest(word: str, lexicon: Lexicon) -> str:
    allowed = 1 if len(word) < 9 else 2
    found = _within(word, _targets(), allowed)
    if not found:
        return ""
    best = found[0][1]
    if _within(word, danger.DANGER_WORDS, best + 1) or _within(word, _risky(), best):
        return ""
    if any(near.distance <= best for near in lexicon.near(word=word, limit=best)):
        return ""
    return found[0][0]


def _within(word: str, choices: Sequence[str], limit: int) -> list[tuple[str, int]]:
    near = process.extract(word, choices, scorer=OSA.distance, score_cutoff=limit, limit=None, processor=None)
    return sorted(((str(one), int(distance)) for one, distance, _ in near), key=lambda pair: (pair[1], pair[0]))


@functools.lru_cache(maxsize=4)
def _drug_words(lexicon: Lexicon) -> frozenset[str]:
    """Every word of every name, lay names included."""
    return frozenset(word for name in lexicon.names for word in name.split())


@functools.cache
def _targets() -> tuple[str, ...]:
    """Harmless words of an ask, long enough to be told when misspelt."""
    return tuple(sorted(one for one in plain_words.ALL if len(one) >= MIN_LENGTH and one.isalpha()))


@functools.cache
def _risky() -> tuple[str, ...]:
    """Known words that are not harmless: a slip may mean one of them."""
    lists = everyday.load()
    return tuple(sorted(one for one in lists.known - lists.benign if len(one) >= MIN_LENGTH - 1))


