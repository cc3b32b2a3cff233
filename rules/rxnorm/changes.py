"""How two vocabularies differ: counts by kind, and what came, went or changed, most dangerous first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.intake import tables
from rules.intake.tables import Tables
from rules.rxnorm import ndc, schedules

MOST_EXAMPLES = 20
UNKNOWN = "unknown"
KINDS = ("IN", "IN by name only", "PIN", "MIN", "BN", "SCD", "SBD", "GPCK", "BPCK", "NDC")
TITLES = {
    "ingredient_schedules": "ingredients of another schedule",
    "product_schedules": "products of another DEA mark",
    "ingredients_gone": "ingredients gone (kept by name)",
    "ingredients_renamed": "ingredients renamed",
    "ingredients_coded": "ingredients that got their code",
    "ingredients_added": "ingredients added",
    "names_gone": "salts, combinations and brands gone",
    "names_renamed": "salts, combinations and brands renamed",
    "names_added": "salts, combinations and brands added",
    "products_gone": "products gone",
    "products_renamed": "products renamed",
    "products_added": "products added",
    "ndc_moved": "NDC codes of another product",
    "ndc_gone": "NDC codes gone",
    "ndc_added": "NDC codes added",
}


@dataclass(frozen=True, slots=True)
class Change:
    """How many, and at most MOST_EXAMPLES of them in words."""

    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A vocabulary's tables as look-ups."""

    names: dict[str, tuple[str, str]]  # RxCUI -> kind, name; coded names only
    ingredients: dict[str, str]  # ingredient -> RxCUI or ""
    products: dict[str, tuple[str, str, str]]  # RxCUI -> tty, name, mark
    schedules: dict[str, str]  # ingredient -> mark
    ndc: dict[int, int]


def counts(*, source: Tables) -> dict[str, int]:
    """Rows by kind: IN (with a code), IN by name only, PIN, MIN, BN, SCD, SBD, GPCK, BPCK, NDC."""
    found = Counter(
        "IN by name only" if row[0] == "IN" and not row[2] else row[0] for row in tables.rows(text=source.names)
    )
    found.update(row[1] for row in tables.rows(text=source.products))
    found["NDC"] = len(ndc.unpack(data=source.ndc))
    return {kind: found[kind] for kind in KINDS}


def differences(*, old: Tables, new: Tables) -> dict[str, Change]:
    """By key of TITLES, in its order."""
    before, after = _read(old), _read(new)
    found = {
        "ingredient_schedules": _schedules(before, after),
        "product_schedules": _marks(before, after),
        **_ingredients(before, after),
        **_names(before, after),
        **_products(before, after),
        **_ndc(before.ndc, after.ndc),
    }
    return {key: found[key] for key in TITLES}


def ingredients(*, source: Tables) -> dict[str, str]:
    """Every ingredient of the table of names, with its RxCUI or ""."""
    return {row[1]: row[2] for row in tables.rows(text=source.names) if row[0] == "IN"}


def _read(source: Tables) -> _Read:
    names = {row[2]: (row[0], row[1]) for row in tables.rows(text=source.names) if row[2]}
    products: dict[str, tuple[str, str, str]] = {}
    marks = {name: mark for name, mark, _ in tables.rows(text=source.dea)}
    plain = ingredients(source=source)
    for rxcui, tty, name, members, _, mark in tables.rows(text=source.products):
        products[rxcui] = (tty, name, mark)
        if mark and tty == "SCD" and members in plain:  # a product of one ingredient speaks for it
            marks[members] = schedules.strictest(marks=(mark, marks.get(members, "")))
    return _Read(names, plain, products, marks, ndc.unpack(data=source.ndc))


def _schedules(before: _Read, after: _Read) -> Change:
    def schedule(one: str, of: _Read) -> str:
        return of.schedules.get(one) or ("not controlled" if one in of.ingredients else UNKNOWN)

    both = [one for one in before.ingredients if one in after.ingredients or one in after.schedules]
    found = [(one, schedule(one, before), schedule(one, after)) for one in both]
    return _change(f"{one}: {was} -> {now}" for one, was, now in found if was != now)


def _marks(before: _Read, after: _Read) -> Change:
    return _change(
        f"{rxcui} {now[1]}: {was[2] or 'no mark'} -> {now[2] or 'no mark'}"
        for rxcui, was in before.products.items()
        if (now := after.products.get(rxcui)) and now[2] != was[2]
    )


def _ingredients(before: _Read, after: _Read) -> dict[str, Change]:
    old, new = before.ingredients, after.ingredients
    renamed = {code for code, name in _coded(before, "IN").items() if _coded(after, "IN").get(code, name) != name}
    return {
        "ingredients_gone": _change(
            f"{one} ({code})" for one, code in old.items() if code and not new.get(one) and code not in renamed
        ),
        "ingredients_renamed": _change(f"{before.names[one][1]} -> {after.names[one][1]} ({one})" for one in renamed),
        "ingredients_coded": _change(f"{one} ({new[one]})" for one, code in old.items() if not code and new.get(one)),
        "ingredients_added": _change(f"{one} ({code})" for one, code in new.items() if code and one not in old),
    }


def _coded(of: _Read, kind: str) -> dict[str, str]:
    return {code: name for code, (its, name) in of.names.items() if its == kind}


def _names(before: _Read, after: _Read) -> dict[str, Change]:
    old = {code: pair for code, pair in before.names.items() if pair[0] != "IN"}
    new = {code: pair for code, pair in after.names.items() if pair[0] != "IN"}
    return {
        "names_gone": _change(f"{kind} {name} ({code})" for code, (kind, name) in old.items() if code not in new),
        "names_renamed": _change(
            f"{kind} {name} -> {new[code][1]} ({code})"
            for code, (kind, name) in old.items()
            if code in new and new[code][1] != name
        ),
        "names_added": _change(f"{kind} {name} ({code})" for code, (kind, name) in new.items() if code not in old),
    }


def _products(before: _Read, after: _Read) -> dict[str, Change]:
    old, new = before.products, after.products
    return {
        "products_gone": _change(f"{one} {tty} {name}" for one, (tty, name, _) in old.items() if one not in new),
        "products_renamed": _change(
            f"{one} {name} -> {new[one][1]}" for one, (_, name, _) in old.items() if one in new and new[one][1] != name
        ),
        "products_added": _change(f"{one} {tty} {name}" for one, (tty, name, _) in new.items() if one not in old),
    }


def _ndc(old: Mapping[int, int], new: Mapping[int, int]) -> dict[str, Change]:
    return {
        "ndc_moved": _change(f"{one:011}: {was} -> {new[one]}" for one, was in old.items() if new.get(one, was) != was),
        "ndc_gone": _change(f"{one:011}: {was}" for one, was in old.items() if one not in new),
        "ndc_added": _change(f"{one:011}: {now}" for one, now in new.items() if one not in old),
    }


def _change(found: Iterable[str]) -> Change:
    count, examples = 0, []
    for one in found:
        count += 1
        if count <= MOST_EXAMPLES:
            examples.append(one)
    return Change(count, tuple(examples))
