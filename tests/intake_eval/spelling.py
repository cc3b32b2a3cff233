"""Seeded misspellings against hostile lists: how often a misspelt name is read as the drug meant, another, or none.

Each word is read twice: on a list that holds the drug meant among the names spelt most like it, and on one that holds
only those. "Wrong" is any entry but the one meant, on either list.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rules.intake import read, tables
from rules.intake.lexicon import Lexicon, NameKind
from rules.intake.reading import ListItem, Message, Thread
from tests.intake_eval import misspelling
from tests.intake_eval.misspelling import Kind

SEED = 20261127
NEVER_SEEN = misspelling.NEVER_SEEN
NEIGHBOURS = 7


@dataclass(slots=True)
class Outcome:
    """Counts by kind; `wrong` keeps (meant, written, read as); `renamed` are words that by chance are another name."""

    asked: int = 0
    right: int = 0
    renamed: int = 0
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    by_kind: dict[str, Counter[str]] = field(default_factory=dict)


@functools.lru_cache(maxsize=2)
def pool(lexicon: Lexicon) -> tuple[str, ...]:
    """One-word names, generic and brand, of drugs that lay names and groups of the vocabulary speak of."""
    spoken: set[str] = set()
    for _, kind, members in tables.rows(text=tables.shipped().lay_names):
        spoken.update(members.replace("+", "|").split("|") if kind != "class" else ())
    return tuple(
        sorted(
            key
            for key, name in lexicon.names.items()
            if len(key) >= 5
            and key.isalpha()
            and name.kind in (NameKind.ingredient, NameKind.brand)
            and any(part in spoken for choice in name.ingredient_sets for part in choice)
        )
    )


def measure(*, kinds: Mapping[str, Kind], count: int, seed: int, lexicon: Lexicon) -> Outcome:
    """`count` misspellings, the kinds in turn, from one seed."""
    dice = random.Random(seed)
    names, order = pool(lexicon), list(kinds)
    outcome = Outcome(by_kind={name: Counter() for name in order})
    while outcome.asked < count:
        kind = order[outcome.asked % len(order)]
        meant = dice.choice(names)
        written = kinds[kind](meant, dice)
        if not written or written == meant:
            continue
        if written in lexicon.names:
            outcome.renamed += 1  # nothing in the word can tell
            continue
        _ask(meant=meant, written=written, kind=kind, outcome=outcome, lexicon=lexicon)
    return outcome


def _ask(*, meant: str, written: str, kind: str, outcome: Outcome, lexicon: Lexicon) -> None:
    outcome.asked += 1
    outcome.by_kind[kind]["asked"] += 1
    near = _neighbours(meant, lexicon)
    with_it, without = (_read(written, (meant, *near), lexicon), _read(written, near, lexicon))
    wrong = [one for one in (*with_it, *without) if one != meant]
    outcome.wrong += [(meant, written, one) for one in dict.fromkeys(wrong)]
    outcome.by_kind[kind]["wrong"] += bool(wrong)
    if with_it == {meant}:
        outcome.right += 1
        outcome.by_kind[kind]["right"] += 1


def _read(written: str, listed: Iterable[str], lexicon: Lexicon) -> set[str]:
    thread = Thread(
        messages=(Message(text=f"please refill {written}"),),
        medications=tuple(ListItem(entry_id=name, name=name) for name in listed),
    )
    return {one.resolves_to for one in read.read(thread=thread, lexicon=lexicon).mentions if one.resolves_to}


@functools.lru_cache(maxsize=4096)
def _neighbours(meant: str, lexicon: Lexicon) -> tuple[str, ...]:
    """The names of the pool spelt most like the one meant, of other ingredients and of each ingredient once."""
    own = set(lexicon.names[meant].ingredient_sets)
    found: list[str] = []
    for name, _, _ in process.extract(meant, pool(lexicon), scorer=OSA.distance, limit=40):
        sets = set(lexicon.names[str(name)].ingredient_sets)
        if not sets & own and all(not sets & set(lexicon.names[one].ingredient_sets) for one in found):
            found.append(str(name))
    return tuple(found[:NEIGHBOURS])


def upper_bound(*, wrong: int, asked: int) -> float:
    """The share that is not exceeded with 95 % confidence (exact binomial; 3/n where none was wrong)."""
    if wrong >= asked:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(wrong, asked, middle) > 0.05 else (low, middle)
    return high


def _at_most(wrong: int, asked: int, share: float) -> float:
    """The chance of at most `wrong` of `asked` at this share."""
    term = (1 - share) ** asked
    total = term
    for k in range(1, wrong + 1):
        term *= (asked - k + 1) / k * share / (1 - share) if share < 1 else 0.0
        total += term
    return total


def report(*, outcome: Outcome) -> list[str]:
    """Lines for people: the bound, recall, each kind, and what went wrong."""
    bound = upper_bound(wrong=len(outcome.wrong), asked=outcome.asked)
    lines = [
        f"read as another drug: {len(outcome.wrong)} of {outcome.asked} (95 % bound {100 * bound:.3f} %)",
        f"read as the drug meant: {100 * outcome.right / outcome.asked:.1f} %; the rest reaches a person",
        f"left out, as the slip is another drug's exact name: {outcome.renamed}",
    ]
    for kind, counts in outcome.by_kind.items():
        share = 100 * counts["right"] / counts["asked"] if counts["asked"] else 0.0
        lines.append(f"  {kind:24} {share:5.1f} % of {counts['asked']}")
    return lines + [f"  WRONG: {meant} written {word!r} read as {name}" for meant, word, name in outcome.wrong[:20]]
