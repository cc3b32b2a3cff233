"""How an ingredient's English name is written in Spanish: "hydroxychloroquine" is "hidroxicloroquina". By rule only.

Every form is a further name of the same ingredient; one that is already another name is not added (the lexicon sees to
it). Salts and brands are left as they are.
"""

from __future__ import annotations

import re

_SPELLING = tuple(
    (re.compile(pattern), right)
    for pattern, right in (
        (r"ph", "f"),
        (r"th", "t"),
        (r"rh", "r"),
        (r"ch(?=[lr])", "c"),
        (r"ch(?=[ao])", "c"),
        (r"ch(?=[ei])", "qu"),
        (r"c(?:k)", "c"),
        (r"y", "i"),
        (r"(?<!^)ae", "e"),
        (r"oe", "e"),
        (r"([bdfgmnpstz])\1", r"\1"),
        (r"ll", "l"),
        (r"qu(?=[ao])", "cu"),
        (r"k(?=[ei])", "qu"),
        (r"^s(?=[ptc][^eiy])", "es"),
    )
)
_ENDINGS = (
    ("ine", "ina"),
    ("idine", "idina"),
    ("ide", "ida"),
    ("one", "ona"),
    ("ole", "ol"),
    ("ate", "ato"),
    ("ene", "eno"),
    ("ane", "ano"),
    ("ium", "io"),
    ("ose", "osa"),
    ("ime", "ima"),
    ("il", "ilo"),
    ("in", "ina"),
    ("am", "am"),
    ("ic acid", ""),
    ("xone", "xona"),
    ("tide", "tida"),
)


def names_of(*, ingredient: str) -> tuple[str, ...]:
    """Spanish spellings of a one-word lower-case ingredient, or of "... acid"; empty where they equal the English."""
    acid = re.fullmatch(r"([a-z]+ic) acid", ingredient)
    if acid:
        return (f"acido {_spelt(acid[1])}o",)
    if not re.fullmatch(r"[a-z]{5,}", ingredient):
        return ()
    found = [_spelt(ingredient)]
    for english, spanish in _ENDINGS:
        if ingredient.endswith(english):
            found.append(_spelt(ingredient[: -len(english)] + spanish))
            found.append(ingredient[: -len(english)] + spanish)
    return tuple(dict.fromkeys(one for one in found if one != ingredient and len(one) >= 5))


def _spelt(word: str) -> str:
    for pattern, right in _SPELLING:
        word = pattern.sub(right, word)
    return word
