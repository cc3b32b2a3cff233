"""From results as a chart gives them to `facts.Lab`: by LOINC first, then by the practice's own aliases.

A result of a known test is never dropped because it cannot be used: without a readable value, a known unit or a day it
still counts as the newest, so that a person looks. Results of tests no protocol asks for are left out. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rules import units
from rules.facts import Lab
from rules.policy import PolicyError
from rules.protocols import Protocols

# Ordered, given up or under way: without a value there is no result yet (DrChrono contract 7.6, lab_order_status).
NOT_YET = frozenset({"order entered", "in progress", "discontinued", "paper order"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,6})?")
LONGEST = 120


@dataclass(frozen=True, slots=True)
class Result:
    """One line of a chart's flow sheet, as given. `on` is the practice-local day of the test, None when not said."""

    title: str
    loinc: str
    value: str
    unit: str
    on: date | None
    flag: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """A practice's own name or code of a test. `unit` stands in where the result has none; "" leaves it unknown."""

    key: str
    unit: str = ""


MAX_NAMES = 200


@dataclass(frozen=True, slots=True)
class LabName:
    """The practice's own name of a test, and the unit its laboratory leaves out ("" when it writes one)."""

    title: str
    key: str
    unit: str = ""


def parse(*, document: Any, known: Mapping[str, str]) -> tuple[LabName, ...]:
    """The "lab_names" part of a rule document. `known`: lab key -> unit. Raises PolicyError naming the row."""
    if not isinstance(document, list) or len(document) > MAX_NAMES:
        raise PolicyError(field="lab_names", rule=f"must be a list of at most {MAX_NAMES}")
    found: dict[str, LabName] = {}
    for index, row in enumerate(document):
        place = f"lab_names[{index}]"
        if not isinstance(row, Mapping) or set(row) - {"title", "key", "unit"}:
            raise PolicyError(field=place, rule="must hold 'title', 'key' and perhaps 'unit'")
        title, key, unit = row.get("title"), row.get("key"), row.get("unit", "")
        if not isinstance(title, str) or not 0 < len(title.strip()) <= 100 or not folded(title):
            raise PolicyError(field=f"{place}.title", rule="must be the name the laboratory writes")
        if not isinstance(key, str) or key not in known:
            raise PolicyError(field=f"{place}.key", rule=f"must be one of {', '.join(sorted(known))}")
        if not isinstance(unit, str) or (unit and not _is_known(key, unit, known[key])):
            raise PolicyError(field=f"{place}.unit", rule=f"is not known for {key}; {known[key]} is")
        if folded(title) in found:
            raise PolicyError(field=f"{place}.title", rule="stands there twice")
        found[folded(title)] = LabName(title.strip(), key, unit)
    return tuple(found.values())


def _is_known(key: str, unit: str, into: str) -> bool:
    return units.convert(key=key, value=Decimal(1), unit=unit, into=into) is not None


def to_document(*, names: Iterable[LabName]) -> list[dict[str, str]]:
    """JSON form; `parse` reads it back to an equal value."""
    return [{"title": one.title, "key": one.key, "unit": one.unit} for one in names]


def aliases_of(*, names: Iterable[LabName]) -> dict[str, Alias]:
    """The practice's own names of tests, by folded name."""
    return {folded(one.title): Alias(key=one.key, unit=one.unit) for one in names}


def folded(text: str) -> str:
    """A local name as it is compared: case, spaces and punctuation do not count."""
    return " ".join(re.sub(r"[^0-9a-z%+]+", " ", text.lower()[:LONGEST]).split())


def read(*, results: Iterable[Result], aliases: Mapping[str, Alias], protocols: Protocols) -> tuple[Lab, ...]:
    """Labs of the tests the protocol table knows, in its units; newest first. `aliases` by folded name or code."""
    found = [lab for result in results if (lab := _lab(result, aliases, protocols)) is not None]
    return tuple(sorted(found, key=lambda lab: (lab.key, -(lab.on or date.max).toordinal())))


def key_of(*, result: Result, aliases: Mapping[str, Alias], protocols: Protocols) -> tuple[str, str, str]:
    """(lab key, unit to read it in, how it was known); three empty texts when nobody knows the test.

    A LOINC code decides by itself: a name never overrules it, and a code no protocol knows is not looked up by name.
    An alias may name a local code that stands in the LOINC field.
    """
    code = result.loinc.strip()
    if code in protocols.loinc:
        return protocols.loinc[code], result.unit, "loinc"
    alias = aliases.get(folded(code)) if code else aliases.get(folded(result.title))
    if alias is None or alias.key not in protocols.lab_units:
        return "", "", ""
    return alias.key, result.unit if result.unit.strip() else alias.unit, "alias"


def _lab(result: Result, aliases: Mapping[str, Alias], protocols: Protocols) -> Lab | None:
    if not result.value.strip() and result.status.strip().lower() in NOT_YET:
        return None
    key, unit, source = key_of(result=result, aliases=aliases, protocols=protocols)
    if not key:
        return None
    into = protocols.lab_units[key]
    value = number(text=result.value)
    converted = None if value is None else units.convert(key=key, value=value, unit=unit, into=into)
    if converted is not None:
        value, unit = converted, into
    elif units.code_of(text=unit) == into:
        unit = into
    return Lab(key=key, value=value, unit=unit, on=result.on, flag=result.flag.strip().upper(), source=source)


def number(*, text: str) -> Decimal | None:
    """A plain number; "<5", "1,200", "5.2 H" and words are not one: what is left out could be what matters."""
    plain = text.strip()
    return Decimal(plain) if _NUMBER.fullmatch(plain) else None
