"""Laboratory results as a chart reports them, read into facts: by LOINC, else by the practice's own names. Pure.

A result whose test cannot be told is no fact. One whose test is known but whose value, day or unit is not stays on file
as unreadable or in its own unit, so that no older good value stands in for it.
"""

from __future__ import annotations

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

MAX_NAMES = 200
_VALUE = re.compile(r"\s*(<=?|>=?)?\s*(\d{1,7}(?:\.\d{1,4})?)\s*(?:[HL]{1,2}|\([HL]\)|\*)?\s*")
_NOT_DONE = frozenset({"order entered", "discontinued", "in progress"})


@dataclass(frozen=True, slots=True)
class Reported:
    """One row of the chart's flow sheet, words as given. `on` None: no day is told."""

    title: str
    loinc: str
    value: str
    unit: str
    status: str
    on: date | None


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
        if not isinstance(title, str) or not 0 < len(title.strip()) <= 100:
            raise PolicyError(field=f"{place}.title", rule="must be the name the laboratory writes")
        if not isinstance(key, str) or key not in known:
            raise PolicyError(field=f"{place}.key", rule=f"must be one of {', '.join(sorted(known))}")
        if not isinstance(unit, str) or (unit and not _is_known(key, unit, known[key])):
            raise PolicyError(field=f"{place}.unit", rule=f"is not known for {key}; {known[key]} is")
        if _plain(title) in found:
            raise PolicyError(field=f"{place}.title", rule="stands there twice")
        found[_plain(title)] = LabName(title.strip(), key, unit)
    return tuple(found.values())


def _is_known(key: str, unit: str, to: str) -> bool:
    return units.convert(key=key, value=Decimal(1), unit=unit, to=to) is not None


def to_document(*, names: Iterable[LabName]) -> list[dict[str, str]]:
    """JSON form; `parse` reads it back to an equal value."""
    return [{"title": one.title, "key": one.key, "unit": one.unit} for one in names]


def read(*, rows: Iterable[Reported], names: Iterable[LabName], protocols: Protocols) -> tuple[Lab, ...]:
    """The results that can be told, in our units where those are known, newest first."""
    own = {_plain(one.title): one for one in names}
    found = [lab for row in rows if (lab := _one(row, own, protocols)) is not None]
    return tuple(sorted(found, key=lambda lab: (lab.on, lab.key), reverse=True))


def _one(row: Reported, own: Mapping[str, LabName], protocols: Protocols) -> Lab | None:
    name = own.get(_plain(row.title))
    key = protocols.loinc.get(row.loinc.strip()) if row.loinc.strip() else (name.key if name else None)
    match = _VALUE.fullmatch(row.value)
    if key is None or row.status.strip().lower() in _NOT_DONE:
        return None
    if match is None or row.on is None:
        # It may be the newest one and a bad one: an older good value must not stand in for it.
        return Lab(key=key, value=Decimal(0), unit="unreadable", on=row.on or date.max)
    unit = row.unit.strip() or (name.unit if name and name.key == key else "")
    value, wanted = Decimal(match[2]), protocols.lab_units[key]
    converted = units.convert(key=key, value=value, unit=unit, to=wanted) if unit else None
    bound = (match[1] or "")[:1]
    if converted is None:
        return Lab(key=key, value=value, unit=unit or "no unit", on=row.on, bound=bound)
    return Lab(key=key, value=converted, unit=wanted, on=row.on, bound=bound)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
