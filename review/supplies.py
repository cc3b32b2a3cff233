"""Ours counts as supply (law 6): what may be at a pharmacy already, ours or written natively in DrChrono.

Matches by ingredient set only, so that another strength of the same drug counts too. Pure comparisons and one bulk
read.
"""

import re

_WORD = re.compile(r"[a-z]+")


def ingredient_key(ingredients: tuple[str, ...]) -> str:
    """The key of an ingredient set: sorted, lower case, joined; "" when unknown."""
    return "+".join(sorted(ingredients))


def is_same_drug(*, name: str, ingredient_key: str) -> bool:
    """Whether a free-text drug name holds every ingredient of the key. An empty key is never the same."""
    if not ingredient_key:
        return False
    words = set(_WORD.findall(name.lower()))
    return all(set(_WORD.findall(part)) <= words for part in ingredient_key.split("+"))
