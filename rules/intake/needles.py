"""Which letters a text must hold before a pattern can match it: sets of needles, one of each set is in every match.

Read off the pattern itself, never kept by hand, so that they cannot go stale. Sound, not sharp: a pattern of which
nothing can be said has no set and must always be tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import product
from re import _constants, _parser  # type: ignore[attr-defined]  # the standard parser: ours could read otherwise
from typing import Any

MOST = 48  # strings in one set; a larger one costs more than it saves
Strings = frozenset[str]
EMPTY: Strings = frozenset({""})


def of(*, pattern: str) -> tuple[Strings, ...]:
    """The sets, the one with the longest shortest needle first. A match holds a needle of every set."""
    found = _sequence(_parser.parse(pattern))[1]
    return tuple(sorted(map(_bare, found), key=lambda one: (-_shortest(one), len(one))))


def _bare(strings: Strings) -> Strings:
    """Without strings that hold another one of the set."""
    return frozenset(one for one in strings if not any(other != one and other in one for other in strings))


def _shortest(strings: AbstractSet[str]) -> int:
    return min(len(one) for one in strings)


def _sequence(items: Iterable[tuple[Any, Any]]) -> tuple[Strings | None, tuple[Strings, ...]]:
    """(every string it can be, or None), and its sets."""
    sets: list[Strings] = []
    run, is_exact = EMPTY, True
    for op, value in items:
        exact, inner = _one(op, value)
        longer = None if exact is None else frozenset("".join(pair) for pair in product(run, exact))
        if longer is not None and len(longer) <= MOST:
            run = longer
            continue
        is_exact = False
        sets += [run] if "" not in run else []
        sets += inner
        run = exact if exact is not None and len(exact) <= MOST else EMPTY
    sets += [run] if "" not in run else []
    return (run if is_exact else None), tuple(sets)


def _one(op: Any, value: Any) -> tuple[Strings | None, tuple[Strings, ...]]:
    if op is _constants.LITERAL:
        return frozenset({chr(value)}), ()
    if op in (_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT):
        return EMPTY, ()
    if op is _constants.IN:
        if all(kind is _constants.LITERAL for kind, _ in value) and len(value) <= 6:
            return frozenset(chr(char) for _, char in value), ()
        return None, ()
    if op is _constants.SUBPATTERN:
        return _sequence(value[-1])
    if op is _constants.BRANCH:
        return _branch([_sequence(one) for one in value[1]])
    if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        least, most, body = value
        exact, sets = _sequence(body)
        if (least, most) == (0, 1):
            return (None if exact is None else exact | EMPTY), ()
        return None, ((*sets, exact) if exact is not None and "" not in exact else sets) if least else ()
    return None, ()


def _branch(ways: list[tuple[Strings | None, tuple[Strings, ...]]]) -> tuple[Strings | None, tuple[Strings, ...]]:
    exact: Strings | None = EMPTY - EMPTY
    best: Strings | None = EMPTY - EMPTY
    for strings, sets in ways:
        exact = None if exact is None or strings is None else exact | strings
        choices = [*sets, *([strings] if strings is not None and "" not in strings else [])]
        if best is not None:
            best = best | max(choices, key=lambda one: (_shortest(one), -len(one))) if choices else None
    if exact is not None and len(exact) > MOST:
        exact = None
    if exact is not None:
        return exact, ()
    return None, (best,) if best and len(best) <= 4 * MOST else ()
