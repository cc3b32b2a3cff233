"""How much a thread sounds like an emergency: weights of its words and pairs of words, learnt from labelled messages.

Beside the patterns of danger, never in their place, and only towards more caution: what weighs enough is an emergency,
what does not is left to everything else. The weights are a table in rules/data, made by tests/intake_eval/weights.py.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.intake import letters

MESSAGE, DRUG, NAME, SHOP = "<m>", "<drug>", "<name>", "<shop>"
SUPPORT = 3.0  # of words that speak for it; few words that say nothing are no emergency, whatever the sum
_STEM = 5  # letters of a longer word that stand for all its forms


@dataclass(frozen=True, slots=True)
class Weights:
    """The table: feature -> weight, the weight of every message, and the sum from which it is an emergency."""

    by_feature: Mapping[str, float]
    intercept: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """The sum of a thread, whether it is enough, and the place of the word that weighs most (None: no words)."""

    score: float
    is_enough: bool
    heaviest: int | None


@functools.cache
def load() -> Weights:
    """The shipped table, read once a process."""
    text = importlib.resources.files("rules").joinpath("data", "danger_weights.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    table = {feature: float(weight) for feature, weight in rows}
    return Weights(table, table.pop("<intercept>"), table.pop("<threshold>"))


def masked(
    *,
    words: Sequence[letters.Token],
    starts: Sequence[int],
    drugs: Sequence[tuple[int, int]],
    names: frozenset[int] | set[int],
    shops: Sequence[tuple[int, int]],
    manners: Sequence[tuple[int, int]],
) -> list[tuple[str, int]]:
    """The words with drugs, people and pharmacies blotted out, each with its place among `words`.

    `manners`: manners of speaking ("the price gave me a heart attack"), left out altogether.
    """
    found: list[tuple[str, int]] = []
    begins = set(starts)
    for place, word in enumerate(words):
        if word.start in begins:
            found.append((MESSAGE, place))
        if any(low <= word.start and word.end <= high for low, high in manners):
            continue
        text = word.text
        if any(low <= word.start and word.end <= high for low, high in drugs):
            text = DRUG
        elif place in names:
            text = NAME
        elif any(low <= word.start and word.end <= high for low, high in shops):
            text = SHOP
        elif text.isdigit():
            text = f"<n{min(len(text), 4)}>"
        if text in (DRUG, NAME, SHOP) and found and found[-1][0] == text:
            continue
        found.append((text, place))
    return found


def features(*, tokens: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each feature with the place of the token it begins at: words, stems, pairs up to three apart, and triples."""
    for at, token in enumerate(tokens):
        yield token, at
        if len(token) > _STEM and token[0] != "<":
            yield f"{token[:_STEM]}*", at
        if at + 1 < len(tokens):
            yield f"{token}_{tokens[at + 1]}", at
        for gap in (2, 3):
            if at + gap < len(tokens):
                yield f"{token}..{tokens[at + gap]}", at
        if at + 2 < len(tokens):
            yield f"{token}_{tokens[at + 1]}_{tokens[at + 2]}", at


def weigh(*, tokens: Sequence[tuple[str, int]], weights: Weights | None = None) -> Weighed:
    """Sum the weights of all features, each counted once."""
    table = weights or load()
    score, support, seen = table.intercept, 0.0, set()
    by_place: defaultdict[int, float] = defaultdict(float)
    for feature, at in features(tokens=[text for text, _ in tokens]):
        weight = table.by_feature.get(feature)
        if weight is None or feature in seen:
            continue
        seen.add(feature)
        score += weight
        support += max(weight, 0.0)
        by_place[tokens[at][1]] += weight
    heaviest = max(by_place, key=lambda place: (by_place[place], -place), default=None)
    return Weighed(score, score > table.threshold and support >= SUPPORT, heaviest)
