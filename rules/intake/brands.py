"""What a brand or a salt name tells without saying it: Concerta is extended release, Lopressor is tartrate.

Says so only when every product of the vocabulary under that name agrees; otherwise it stays silent.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from rules.intake import letters
from rules.intake.lexicon import Ingredients, Lexicon

# Salts that mark a different medicine, not only another spelling of the same one.
TELLING_SALTS = frozenset(
    {
        "succinate",
        "tartrate",
        "mononitrate",
        "dinitrate",
        "hyclate",
        "monohydrate",
        "pamoate",
        "furoate",
        "propionate",
        "sodium",
        "bicarbonate",
        "citrate",
        "chloride",
    }
)
# Of these, the ones a brand alone may tell.
BRAND_SALTS = TELLING_SALTS - {"sodium", "bicarbonate", "citrate", "chloride", "monohydrate"}


def release_of_brand(*, key: str, lexicon: Lexicon) -> str:
    """The release all products of a brand share, when its name does not say it (Concerta); else ""."""
    return shared_release_of_brand(key=key, lexicon=lexicon) or ""


@functools.lru_cache(maxsize=4096)
def shared_release_of_brand(*, key: str, lexicon: Lexicon) -> str | None:
    """As `release_of_brand`, but "" only when every product is of immediate release; None when mixed or unknown."""
    return _shared_release(lexicon.products[one][1] for one in lexicon.brand_products.get(key, ()))


@functools.lru_cache(maxsize=4096)
def release_of_salt(*, ingredients: Ingredients, salt: str, lexicon: Lexicon) -> str:
    """The release all oral solid products of one salt share (metoprolol succinate is always extended); else ""."""
    if salt not in TELLING_SALTS:
        return ""
    names = (row[1] for row in lexicon.products.values() if row[0] == "SCD" and row[2] == ingredients)
    return _shared_release(name for name in names if f" {salt} " in name) or ""


@functools.lru_cache(maxsize=4096)
def salt_of_brand(*, key: str, lexicon: Lexicon) -> str:
    """The telling salt all products of a brand share (Lopressor: tartrate); else ""."""
    names = [lexicon.products[one][1] for one in lexicon.brand_products.get(key, ())]
    found = {frozenset(letters.key(text=name).split()) & BRAND_SALTS for name in names}
    return " ".join(sorted(found.pop())) if len(found) == 1 else ""


@functools.lru_cache(maxsize=4096)
def products_of(*, key: str, lexicon: Lexicon) -> tuple[str, ...]:
    """The names of the products a brand has in the vocabulary."""
    keys = (
        [key] if key in lexicon.brand_products else [one for one in lexicon.brand_products if one.startswith(f"{key} ")]
    )
    return tuple(lexicon.products[one][1] for each in keys for one in lexicon.brand_products[each])


def _shared_release(names: Iterable[str]) -> str | None:
    found: set[str] = set()
    for name in names:
        if "Tablet" in name or "Capsule" in name:
            found.add("er" if "Extended Release" in name else "dr" if "Delayed Release" in name else "")
    return found.pop() if len(found) == 1 else None
