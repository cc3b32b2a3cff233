"""How a drug's name sounds, as one spelling: "zithromacks" and "Zithromax" become one. For comparing, never for naming.

English and Spanish ears together: ph is f, soft c is s, y is i, v is b, a doubled letter is one, a final e is mute.
"""

from __future__ import annotations

import functools
import re

_RULES = tuple(
    (re.compile(pattern), right)
    for pattern, right in (
        (r"ph", "f"),
        (r"ck", "k"),
        (r"qu", "k"),
        (r"ch", "k"),
        (r"c(?=[eiy])", "s"),
        (r"[cq]", "k"),
        (r"x", "ks"),
        (r"z", "s"),
        (r"th", "t"),
        (r"y", "i"),
        (r"v", "b"),
        (r"j", "g"),
        (r"(?<=.)h", ""),
        (r"[ao]e", "e"),
        (r"e$", ""),
        (r"(.)\1+", r"\1"),
    )
)


@functools.lru_cache(maxsize=20_000)
def key(word: str) -> str:
    """The sound of a folded word."""
    for pattern, right in _RULES:
        word = pattern.sub(right, word)
    return word


def is_worn_down(*, word: str, name: str) -> bool:
    """Whether `word` is `name` with one to four letters lost in a piece or two: a swallowed syllable, a cut end."""
    lost = len(name) - len(word)
    if not 1 <= lost <= 4 or word[:1] != name[:1]:
        return False
    letters = iter(name)
    return all(letter in letters for letter in word)
