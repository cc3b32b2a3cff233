"""The drug vocabulary as one frozen value, loaded once from rules/data: names, products, NDC codes, DEA schedules.

Holds no patient data and takes no decision. What the vocabulary does not know is *unknown*, never "harmless".
"""

from __future__ import annotations

import array
import functools
import lzma
import sys
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rules.intake import letters, plain_words, spanish, tables

Ingredients = tuple[str, ...]
ProductRow = tuple[str, str, Ingredients, str, str]  # tty, name, ingredients, generic RxCUI, DEA


class Schedule(StrEnum):
    """Federal schedule of a drug; the same values as rules.facts.Schedule. Unknown counts as controlled."""

    not_controlled = "not_controlled"
    ii = "ii"
    iii = "iii"
    iv = "iv"
    v = "v"
    unknown = "unknown"


STRICTNESS = (Schedule.not_controlled, Schedule.v, Schedule.iv, Schedule.iii, Schedule.ii, Schedule.unknown)


class NameKind(StrEnum):
    """What kind of name a word is; `hint` names a class of drugs and is never a drug by itself."""

    ingredient = "ingredient"
    salt = "salt"
    combination = "combination"
    brand = "brand"
    alias = "alias"
    hint = "hint"


@dataclass(frozen=True, slots=True)
class Name:
    """One known drug name. `ingredient_sets`: the sets it may mean (one, unless a brand covers several products);
    for a hint, one-ingredient sets of the whole class. `salt` is the salt's word ("succinate") of a salt name."""

    text: str
    kind: NameKind
    ingredient_sets: tuple[Ingredients, ...]
    salt: str = ""
    rxcui: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """One RxNorm product (tty SCD, SBD, GPCK or BPCK); `name` is the SCD's name for an SBD, `brand` apart."""

    rxcui: str
    tty: str
    name: str
    ingredients: Ingredients
    brand: str
    generic_rxcui: str
    dea: str


@dataclass(frozen=True, slots=True)
class Near:
    """A known name near a misspelt word: edits with neighbouring transpositions counted as one (OSA)."""

    name: str
    distance: int


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """The whole vocabulary; treat as read-only."""

    names: Mapping[str, Name]
    starts: Mapping[str, tuple[tuple[str, ...], ...]]
    by_rxcui: Mapping[str, Name]
    products: Mapping[int, ProductRow]
    schedules: Mapping[str, Schedule]
    known_ingredients: frozenset[str]
    look_alikes: Mapping[Ingredients, frozenset[Ingredients]]
    combinations: frozenset[Ingredients]
    brand_products: Mapping[str, tuple[int, ...]]
    release: str
    _ndc_codes: array.array[int]
    _ndc_targets: array.array[int]
    _by_length: Mapping[int, tuple[str, ...]]

    def product(self, *, rxcui: str) -> Product | None:
        """The product of an RxCUI, or None when the vocabulary does not hold it."""
        if not rxcui.isascii() or not rxcui.isdigit() or len(rxcui) > 9:
            return None
        row = self.products.get(int(rxcui))
        if row is None:
            return None
        tty, name, ingredients, generic, dea = row
        if tty != "SBD":
            return Product(rxcui, tty, name, ingredients, "", generic, dea)
        scd = self.products[int(generic)]
        return Product(rxcui, tty, scd[1], scd[2], name, generic, dea)

    def rxcui_of_ndc(self, *, ndc11: str) -> str:
        """The RxCUI of an 11-digit NDC without hyphens; empty when unknown."""
        code = int(ndc11)
        index = bisect_left(self._ndc_codes, code)
        if index < len(self._ndc_codes) and self._ndc_codes[index] == code:
            return str(self._ndc_targets[index])
        return ""

    def schedule(self, *, ingredients: Iterable[str]) -> Schedule:
        """The strictest schedule of the ingredients; none at all or one not known: unknown."""
        found = [
            self.schedules.get(one, Schedule.not_controlled if one in self.known_ingredients else Schedule.unknown)
            for one in ingredients
        ]
        return max(found, key=STRICTNESS.index, default=Schedule.unknown)

    def near(self, *, word: str, limit: int) -> tuple[Near, ...]:
        """Every single-word drug name within `limit` edits of `word`, nearest first (never a hint)."""
        found: list[Near] = []
        for length in range(max(4, len(word) - limit), len(word) + limit + 1):
            choices = self._by_length.get(length, ())
            for name, distance, _ in process.extract(
                word, choices, scorer=OSA.distance, score_cutoff=limit, limit=None, processor=None
            ):
                found.append(Near(name, int(distance)))
        return tuple(sorted(found, key=lambda near: (near.distance, near.name)))


def strictest(*schedules: Schedule) -> Schedule:
    """The strictest of several; unknown is the strictest of all."""
    return max(schedules, key=STRICTNESS.index, default=Schedule.unknown)


def _set(text: str, separator: str = "|") -> Ingredients:
    return tuple(sorted({sys.intern(part) for part in text.split(separator) if part}))


def _read_names(text: str) -> tuple[dict[str, Name], dict[str, Name], set[str]]:
    """Names by key, names by RxCUI, and every ingredient known; a plain ingredient wins over a brand of one key."""
    names: dict[str, Name] = {}
    by_rxcui: dict[str, Name] = {}
    ingredients: set[str] = set()
    kinds = {"IN": NameKind.ingredient, "PIN": NameKind.salt, "MIN": NameKind.combination, "BN": NameKind.brand}
    order = {"IN": 0, "PIN": 1, "MIN": 2, "BN": 3}
    for kind, written, rxcui, members, _flags in sorted(tables.rows(text=text), key=lambda row: order[row[0]]):
        base = _set(members)
        salt = ""
        if kind == "IN":
            ingredients.add(written)
        if kind == "PIN" and len(base) == 1:
            base_words = set(letters.key(text=base[0]).split())
            salt = " ".join(word for word in letters.key(text=written).split() if word not in base_words)
        name = Name(written, kinds[kind], (base,), salt, rxcui)
        if rxcui:
            by_rxcui[rxcui] = name
        key = letters.key(text=written)
        if key:
            names.setdefault(key, name)
    return names, by_rxcui, ingredients


def _add_lay_names(names: dict[str, Name], text: str) -> None:
    groups: dict[str, tuple[str, ...]] = {}
    for term, kind, members in tables.rows(text=text):
        if kind == "group":
            groups[term] = tuple(members.split("|"))
            continue
        key = letters.key(text=term)
        if kind == "class":
            parts = [one for part in members.split("|") for one in groups.get(part, (part,))]
            sets = tuple(dict.fromkeys((one,) for one in parts))
            for form in (key, f"{key}s"):
                if form not in names or form in plain_words.HINTS_OVER_NAMES:
                    names[form] = Name(term, NameKind.hint, sets)
        else:
            names.setdefault(key, Name(term, NameKind.alias, (_set(members, "+"),)))


def _add_spanish(names: dict[str, Name], ingredients: Iterable[str]) -> None:
    """Spanish spellings of ingredients; a form of two ingredients, or one that is a name already, is left out."""
    made: dict[str, set[str]] = {}
    for ingredient in ingredients:
        for form in spanish.names_of(ingredient=ingredient):
            made.setdefault(form, set()).add(ingredient)
    for form, owners in made.items():
        if len(owners) == 1 and form not in names:
            names[form] = Name(form, NameKind.alias, (tuple(owners),))


def _read_products(text: str) -> dict[int, ProductRow]:
    interned: dict[str, Ingredients] = {}
    products: dict[int, ProductRow] = {}
    for rxcui, tty, name, members, generic, dea in tables.rows(text=text):
        found = interned.get(members)
        if found is None:
            found = interned[members] = _set(members)
        products[int(rxcui)] = (sys.intern(tty), name, found, generic, sys.intern(dea))
    return products


def _widen_brands(names: dict[str, Name], products: Mapping[int, ProductRow]) -> dict[str, tuple[int, ...]]:
    """Give each brand every ingredient set its products have; add the first word of brand families ("Toprol").

    Returns the SCDs of every brand."""
    made: dict[str, list[int]] = {}
    for tty, brand, _, generic, _ in products.values():
        if tty == "SBD":
            made.setdefault(letters.key(text=brand), []).append(int(generic))
    families: dict[str, dict[Ingredients, None]] = {}
    for key, name in list(names.items()):
        if name.kind is not NameKind.brand:
            continue
        known = tuple(dict.fromkeys((*name.ingredient_sets, *(products[one][2] for one in made.get(key, ())))))
        if len(known) > 1:
            names[key] = Name(name.text, name.kind, known, "", name.rxcui)
        first, _, rest = key.partition(" ")
        if rest and len(first) >= 5 and first.isalpha():
            families.setdefault(first, {}).update(dict.fromkeys(known))
    for first, found in families.items():
        if first not in names and first not in plain_words.ALL:
            names[first] = Name(first, NameKind.brand, tuple(found))
    return {key: tuple(found) for key, found in made.items()}


def _read_ndc(data: bytes) -> tuple[array.array[int], array.array[int]]:
    raw = lzma.decompress(data)
    count = len(raw) // 12
    codes, targets = array.array("Q"), array.array("I")
    codes.frombytes(raw[: count * 8])
    targets.frombytes(raw[count * 8 :])
    if sys.byteorder == "big":
        codes.byteswap()
        targets.byteswap()
    return codes, targets


def _read_look_alikes(names: Mapping[str, Name], text: str) -> dict[Ingredients, frozenset[Ingredients]]:
    pairs: dict[Ingredients, set[Ingredients]] = {}
    for first, second in tables.rows(text=text):
        one, two = names.get(letters.key(text=first)), names.get(letters.key(text=second))
        if one is None or two is None:
            continue
        for left in one.ingredient_sets:
            for right in two.ingredient_sets:
                if left != right:
                    pairs.setdefault(left, set()).add(right)
                    pairs.setdefault(right, set()).add(left)
    return {key: frozenset(found) for key, found in pairs.items()}


@functools.cache
def load() -> Lexicon:
    """The shipped vocabulary; the second call returns the same value."""
    return build(source=tables.shipped())


def build(*, source: tables.Tables) -> Lexicon:
    """A vocabulary out of its tables: about 0.4 s and 35 MB; raises ValueError where a table is malformed."""
    names, by_rxcui, ingredients = _read_names(source.names)
    products = _read_products(source.products)
    brand_products = _widen_brands(names, products)
    _add_lay_names(names, source.lay_names)
    _add_spanish(names, ingredients)
    for word in plain_words.NEVER_A_DRUG:
        names.pop(word, None)
    starts: dict[str, list[tuple[str, ...]]] = {}
    by_length: dict[int, list[str]] = {}
    for key, name in names.items():
        words = tuple(key.split())
        starts.setdefault(words[0], []).append(words)
        if len(words) == 1 and len(key) >= 4 and key.isalpha() and name.kind is not NameKind.hint:
            by_length.setdefault(len(key), []).append(key)
    schedules = {name: Schedule(schedule.lower()) for name, schedule, _ in tables.rows(text=source.dea)}
    codes, targets = _read_ndc(source.ndc)
    return Lexicon(
        names=names,
        starts={first: tuple(sorted(found, key=len, reverse=True)) for first, found in starts.items()},
        by_rxcui=by_rxcui,
        products=products,
        schedules=schedules,
        known_ingredients=frozenset(ingredients | set(schedules)),
        brand_products=brand_products,
        look_alikes=_read_look_alikes(names, source.look_alikes),
        combinations=frozenset(row[2] for row in products.values() if len(row[2]) > 1),
        release=source.release,
        _ndc_codes=codes,
        _ndc_targets=targets,
        _by_length={length: tuple(found) for length, found in by_length.items()},
    )
