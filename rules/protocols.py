"""Refill protocols per drug class as frozen values, read once from `data/protocols.json`.

Every class is off until a practice adopts it (`Policy.adopted_classes`). The figures are starting points a medical
director must approve; `unchecked` names the exclusions no fact of ours can judge. Reads one shipped file, nothing else.
"""

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data" / "protocols.json"


class ProtocolError(ValueError):
    """The protocol table is broken; the message names the place."""


class Route(StrEnum):
    auto = "auto"
    opt_in = "opt_in"
    review = "review"
    never = "never"


class StopKind(StrEnum):
    ingredient = "ingredient"
    only_ingredient = "only_ingredient"
    """The product holds nothing but ingredients of the list."""
    other_drug = "other_drug"
    age_from = "age_from"
    rise_percent = "rise_percent"
    """A result above the one before by more than `most` percent."""
    rise_amount = "rise_amount"
    """A result above one of the last `within_days` by more than `most`."""


@dataclass(frozen=True, slots=True)
class Stop:
    """An exclusion our facts can judge. `ingredients` empty: any ingredient of the class."""

    code: str
    kind: StopKind
    sentence: str
    ingredients: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    other_classes: frozenset[str] = frozenset()
    age_years: int | None = None
    test_key: str = ""
    most: Decimal | None = None
    within_days: int | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """A laboratory value or vital sign to be on file, within days and bounds (inclusive), in `unit`."""

    __test__ = False  # not a test of ours: keeps the test runner away

    key: str
    kind: str
    unit: str
    within_days: int
    least: Decimal | None
    most: Decimal | None
    only: frozenset[str]
    excepted: frozenset[str]
    is_demanded: bool
    """False: judged only when a value is on file."""

    def concerns(self, ingredients: tuple[str, ...]) -> bool:
        named = frozenset(ingredients)
        return (not self.only or bool(named & self.only)) and not (self.excepted and named & self.excepted)


@dataclass(frozen=True, slots=True)
class Protocol:
    key: str
    name: str
    ingredients: frozenset[str]
    forms: tuple[str, ...]
    visit_within_days: int
    tests: tuple[Test, ...]
    max_days_supply: int
    max_refills: int
    min_stable_days: int
    min_age_years: int
    max_age_years: int | None
    is_pregnancy_flagged: bool
    route: Route
    is_never_hold: bool
    is_controlled: bool
    stops: tuple[Stop, ...]
    unchecked: tuple[str, ...]
    sources: tuple[str, ...]
    note: str = ""
    ingredient_forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def fits_form(self, *, ingredient: str, form: str) -> bool:
        """The product's form is one this protocol speaks of (nasal triamcinolone, not the cream)."""
        words = self.ingredient_forms.get(ingredient, self.forms)
        lowered = form.lower()
        return any(word in lowered for word in words)

    def group_of(self, ingredient: str) -> str:
        """Two active drugs of one group are therapeutic duplicates."""
        return self.groups.get(ingredient, self.key)


@dataclass(frozen=True, slots=True)
class Interaction:
    code: str
    one: frozenset[str]
    other: frozenset[str]


@dataclass(frozen=True, slots=True)
class Together:
    """What the protocols that cover one drug ask together: of every figure the strictest. None: none asks.

    `tests`: every test any of them asks of this drug, the strictest window first where two ask for the same.
    """

    applying: tuple[Protocol, ...]
    classes: tuple[str, ...]
    """Keys of every class any ingredient belongs to, whatever the form."""
    tests: tuple[Test, ...]
    visit_within_days: int | None
    max_days_supply: int | None
    max_refills: int
    min_stable_days: int
    min_age_years: int
    max_age_years: int | None
    is_pregnancy_flagged: bool
    unchecked: tuple[str, ...]


MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Protocols:
    """The whole table with its index by ingredient."""

    by_key: Mapping[str, Protocol]
    by_ingredient: Mapping[str, tuple[Protocol, ...]]
    never_hold_ingredients: frozenset[str]
    never_hold_prefixes: tuple[str, ...]
    opioids: frozenset[str]
    interactions: tuple[Interaction, ...]
    lab_units: Mapping[str, str]
    loinc: Mapping[str, str]
    """LOINC code -> lab key."""
    kept: dict[tuple[tuple[str, ...], str], Together] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """`together` of drugs asked for before; a table never changes."""

    def together(self, *, ingredients: tuple[str, ...], form: str) -> Together:
        """What is asked of a drug of these ingredients in this form."""
        found = self.kept.get((ingredients, form))
        if found is None:
            found = _together(self, ingredients, form)
            if len(self.kept) < MOST_KEPT:
                self.kept[ingredients, form] = found
        return found

    def classes_of(self, *, ingredients: Iterable[str]) -> tuple[str, ...]:
        """Keys of every class any ingredient belongs to, whatever the form."""
        return tuple(sorted({one.key for name in ingredients for one in self.by_ingredient.get(name, ())}))

    def applying(self, *, ingredients: tuple[str, ...], form: str) -> tuple[Protocol, ...]:
        """Protocols that together cover every ingredient in that form; () when any ingredient is uncovered."""
        found: dict[str, Protocol] = {}
        for name in ingredients:
            fitting = [one for one in self.by_ingredient.get(name, ()) if one.fits_form(ingredient=name, form=form)]
            if not fitting:
                return ()
            found.update((one.key, one) for one in fitting)
        return tuple(found[key] for key in sorted(found))

    def is_never_hold(self, *, ingredients: tuple[str, ...]) -> bool | None:
        """May a gap in this drug hurt at once? None when the ingredients are unknown."""
        if not ingredients:
            return None
        return any(
            name in self.never_hold_ingredients
            or name.startswith(self.never_hold_prefixes)
            or any(one.is_never_hold for one in self.by_ingredient.get(name, ()))
            for name in ingredients
        )


def _together(table: Protocols, ingredients: tuple[str, ...], form: str) -> Together:
    rows = table.applying(ingredients=ingredients, form=form) if ingredients else ()
    tests = [test for row in rows for test in row.tests if test.concerns(ingredients)]
    return Together(
        applying=rows,
        classes=table.classes_of(ingredients=ingredients),
        tests=tuple(sorted(tests, key=lambda test: (test.key, test.within_days))),
        visit_within_days=min((row.visit_within_days for row in rows), default=None),
        max_days_supply=min((row.max_days_supply for row in rows), default=None),
        max_refills=min((row.max_refills for row in rows), default=0),
        min_stable_days=max((row.min_stable_days for row in rows), default=0),
        min_age_years=max((row.min_age_years for row in rows), default=0),
        max_age_years=min((row.max_age_years for row in rows if row.max_age_years is not None), default=None),
        is_pregnancy_flagged=any(row.is_pregnancy_flagged for row in rows),
        unchecked=tuple(one for row in rows for one in row.unchecked),
    )


def parse(*, document: Mapping[str, Any]) -> Protocols:
    """The table from its JSON document. Raises ProtocolError."""
    try:
        rows = [_protocol(row) for row in document["protocols"]]
        index: dict[str, list[Protocol]] = {}
        for row in rows:
            for name in row.ingredients:
                index.setdefault(name, []).append(row)
        return Protocols(
            by_key={row.key: row for row in rows},
            by_ingredient={name: tuple(found) for name, found in index.items()},
            never_hold_ingredients=frozenset(document["never_hold_ingredients"]),
            never_hold_prefixes=tuple(document["never_hold_prefixes"]),
            opioids=frozenset(document["opioids"]),
            interactions=tuple(
                Interaction(code=row["code"], one=frozenset(row["one"]), other=frozenset(row["other"]))
                for row in document["interactions"]
            ),
            lab_units={key: row["unit"] for key, row in document["labs"].items()},
            loinc={code: key for key, row in document["labs"].items() for code in row["loinc"]},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"protocol table: {error!r}") from error


def _protocol(row: Mapping[str, Any]) -> Protocol:
    names = row["ingredients"]
    return Protocol(
        key=row["key"],
        name=row["name"],
        ingredients=frozenset(one["name"] for one in names),
        forms=tuple(row["forms"]),
        visit_within_days=int(row["visit_within_days"]),
        tests=tuple(_test(test) for test in row["tests"]),
        max_days_supply=int(row["max_days_supply"]),
        max_refills=int(row["max_refills"]),
        min_stable_days=int(row["min_stable_days"]),
        min_age_years=int(row["min_age_years"]),
        max_age_years=row["max_age_years"],
        is_pregnancy_flagged=bool(row["is_pregnancy_flagged"]),
        route=Route(row["route"]),
        is_never_hold=bool(row["is_never_hold"]),
        is_controlled=bool(row["is_controlled"]),
        stops=tuple(_stop(stop) for stop in row["stops"]),
        unchecked=tuple(row["unchecked"]),
        sources=tuple(row["sources"]),
        note=row["note"],
        ingredient_forms={one["name"]: tuple(one["forms"]) for one in names if "forms" in one},
        groups={one["name"]: one["group"] for one in names if "group" in one},
    )


def _test(row: Mapping[str, Any]) -> Test:
    return Test(
        key=row["key"],
        kind=row["kind"],
        unit=row["unit"],
        within_days=int(row["within_days"]),
        least=None if row["least"] is None else Decimal(row["least"]),
        most=None if row["most"] is None else Decimal(row["most"]),
        only=frozenset(row["only"]),
        excepted=frozenset(row["except"]),
        is_demanded=not row["if_on_file"],
    )


def _stop(row: Mapping[str, Any]) -> Stop:
    return Stop(
        code=row["code"],
        kind=StopKind(row["kind"]),
        sentence=row["sentence"],
        ingredients=frozenset(row["ingredients"]),
        others=frozenset(row.get("others", ())),
        other_classes=frozenset(row.get("other_classes", ())),
        age_years=row.get("age_years"),
        test_key=row.get("test", ""),
        most=None if row.get("most") is None else Decimal(row["most"]),
        within_days=row.get("within_days"),
    )


@functools.cache
def load() -> Protocols:
    """The table that ships with the product, parsed once a process."""
    return parse(document=json.loads(DATA.read_text(encoding="utf-8")))
