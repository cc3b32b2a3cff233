"""What a practice changes in the protocol table: the `protocols` part of a rule document, checked, applied, noticed.

{class: {"visit_within_days": 180, "route": "review", "labs": {"potassium": {"within_days": 180, "most": "5.2"}},
"by": "Dr Osei", "on": "2026-11-01", "note": "..."}}. Stricter at will, laxer only within bounds in code; a route only
lowered, an exclusion never removed, and no class switched on. Pure; errors name the path.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from rules import guards
from rules.policy import PolicyError
from rules.protocols import Protocol, Protocols, Route, Test

ROUTES = (Route.auto, Route.opt_in, Route.review, Route.never)
"""From most to least automatic; a practice may only go to the right."""
NUMBERS: Mapping[str, tuple[int, int, str]] = {
    "visit_within_days": (1, 730, "days"),
    "max_days_supply": (1, 90, "days"),
    "max_refills": (0, 11, "refills"),
    "min_stable_days": (90, 730, "days"),
    "min_age_years": (18, 120, "years"),
    "max_age_years": (18, 120, "years"),
}
WITHIN_DAYS = (1, 730)
SAFE: Mapping[str, tuple[str, str]] = {
    # Farthest a practice may widen a range, in the table's unit. G: to be confirmed by a clinician before go-live.
    "potassium": ("3.3", "5.7"), "sodium": ("128", "150"), "egfr": ("15", "200"), "a1c": ("5.0", "11.0"),
    "tsh": ("0.1", "10.0"), "ldl": ("0", "400"), "alt": ("0", "200"), "ast": ("0", "200"), "urate": ("0", "10"),
    "hgb": ("8", "20"), "plt": ("75", "600"), "wbc": ("3.0", "20"), "inr": ("1.5", "4.0"), "calcium": ("8.0", "11.0"),
    "vitd": ("10", "100"), "creatinine": ("0", "3.0"), "magnesium": ("1.4", "3.0"), "uacr": ("0", "3000"),
    "ck": ("0", "1000"), "lipid": ("0", "1000"), "sbp": ("85", "180"), "dbp": ("45", "110"), "pulse": ("45", "120"),
    "weight": ("20", "400"), "bmi": ("10", "80"),
}  # fmt: skip
MAY_BE_LEFT = frozenset({"alt", "ast", "ldl", "lipid", "urate", "vitd", "uacr", "magnesium", "ck", "weight", "bmi"})
"""Tests a practice may judge only when they are on file; the document itself doubts the routine ones."""
SIGNED = ("by", "on", "note")
FIELDS = frozenset({*NUMBERS, "route", "labs", *SIGNED})
LAB_FIELDS = frozenset({"within_days", "least", "most", "is_demanded"})
LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an editor says beside a value that is valid: `path` names the value, `sentence` is for people."""

    path: str
    sentence: str


def apply(*, document: Any, table: Protocols) -> Protocols:
    """The table with the practice's changes. `document` None or empty: the table itself. Raises PolicyError."""
    if document is None:
        return table
    if not isinstance(document, Mapping):
        raise PolicyError(field="protocols", rule="must be an object")
    changed: dict[str, Protocol] = {}
    for key in document:
        if key not in table.by_key:
            raise PolicyError(field=f"protocols.{key}"[:120], rule="is not a class of the table")
        changed[key] = _changed(table.by_key[key], document[key], f"protocols.{key}", table)
    if not changed:
        return table
    by_key = {key: changed.get(key, row) for key, row in table.by_key.items()}
    index = {name: tuple(by_key[row.key] for row in rows) for name, rows in table.by_ingredient.items()}
    return replace(table, by_key=by_key, by_ingredient=index)


def notices(*, table: Protocols, changed: Mapping[str, Any] | None = None) -> tuple[Notice, ...]:
    """Where a class allows more than a guard in code: the guard wins, and the editor says so. `table` as applied."""
    found: list[Notice] = []
    for key, row in table.by_key.items():
        if row.visit_within_days > guards.VISIT_FLOOR_DAYS and row.route in (Route.auto, Route.opt_in):
            found.append(
                Notice(
                    f"protocols.{key}.visit_within_days",
                    f"{row.name}: the class allows {row.visit_within_days} days since the last visit, but nothing is "
                    f"approved automatically after {guards.VISIT_FLOOR_DAYS} days (F075): the shorter limit applies.",
                )
            )
        supply = row.max_days_supply * (1 + row.max_refills)
        if key in (changed or {}) and supply > guards.VISIT_FLOOR_DAYS:
            found.append(
                Notice(
                    f"protocols.{key}.max_refills",
                    f"{row.name}: {row.max_days_supply} days with {row.max_refills} refills last {supply} days, but a "
                    f"supply must end within {guards.VISIT_FLOOR_DAYS} days of the last visit: fewer refills pass.",
                )
            )
    return tuple(found)


def _changed(row: Protocol, document: Any, path: str, table: Protocols) -> Protocol:
    if not isinstance(document, Mapping):
        raise PolicyError(field=path, rule="must be an object")
    _known(document, FIELDS, path)
    _signed(document, path)
    values: dict[str, Any] = {}
    for name, (least, most, unit) in NUMBERS.items():
        if name in document:
            values[name] = _whole(document[name], f"{path}.{name}", least, most, unit)
    if values.get("max_days_supply", 0) > row.max_days_supply:
        raise PolicyError(field=f"{path}.max_days_supply", rule=f"must be at most the table's {row.max_days_supply}")
    if row.is_controlled and values.get("max_refills", 0) > row.max_refills:
        raise PolicyError(field=f"{path}.max_refills", rule="a controlled class takes no more refills")
    if "route" in document:
        values["route"] = _route(document["route"], row.route, f"{path}.route")
    if "labs" in document:
        values["tests"] = _tests(row, document["labs"], f"{path}.labs", table)
    made = replace(row, **values)
    if made.max_age_years is not None and made.max_age_years < made.min_age_years:
        raise PolicyError(field=f"{path}.max_age_years", rule="must not be below min_age_years")
    return made


def _signed(document: Mapping[str, Any], path: str) -> None:
    """A change of the table is the medical director's: name, day, and why."""
    for name in SIGNED:
        value = document.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT:
            raise PolicyError(field=f"{path}.{name}", rule=f"must be a text of at most {LONGEST_TEXT} characters")
    try:
        date.fromisoformat(document["on"])
    except ValueError as error:
        raise PolicyError(field=f"{path}.on", rule="must be a date, YYYY-MM-DD") from error


def _route(value: Any, shipped: Route, path: str) -> Route:
    if not isinstance(value, str) or value not in tuple(ROUTES):
        raise PolicyError(field=path, rule=f"must be one of {', '.join(ROUTES)}")
    route = Route(value)
    if ROUTES.index(route) < ROUTES.index(shipped):
        raise PolicyError(field=path, rule=f"may only be lowered: the table says {shipped.value}")
    return route


def _tests(row: Protocol, document: Any, path: str, table: Protocols) -> tuple[Test, ...]:
    if not isinstance(document, Mapping):
        raise PolicyError(field=path, rule="must be an object")
    tests = list(row.tests)
    for key in document:
        if key not in SAFE or key not in table.lab_units:
            raise PolicyError(field=f"{path}.{key}"[:120], rule="is not a test of the table")
        mine = [test for test in tests if test.key == key]
        if not mine:
            kind = "vital" if key in ("sbp", "dbp", "pulse", "weight", "bmi") else "lab"
            mine = [Test(key, kind, table.lab_units[key], 365, None, None, frozenset(), frozenset(), True)]
            tests += mine
        for test in mine:
            tests[tests.index(test)] = _test(test, document[key], f"{path}.{key}")
    return tuple(tests)


def _test(test: Test, document: Any, path: str) -> Test:
    if not isinstance(document, Mapping):
        raise PolicyError(field=path, rule="must be an object")
    _known(document, LAB_FIELDS, path)
    values: dict[str, Any] = {}
    if "within_days" in document:
        values["within_days"] = _whole(document["within_days"], f"{path}.within_days", *WITHIN_DAYS, "days")
    safe = [Decimal(one) for one in SAFE[test.key]]
    for name in ("least", "most"):
        if name in document:
            values[name] = _bound(document[name], f"{path}.{name}", safe[0], safe[1])
    if "is_demanded" in document:
        if not isinstance(document["is_demanded"], bool):
            raise PolicyError(field=f"{path}.is_demanded", rule="must be true or false")
        if not document["is_demanded"] and test.key not in MAY_BE_LEFT:
            raise PolicyError(field=f"{path}.is_demanded", rule="this test must stay demanded")
        values["is_demanded"] = document["is_demanded"]
    made = replace(test, **values)
    if made.least is not None and made.most is not None and made.least > made.most:
        raise PolicyError(field=f"{path}.least", rule="must not be above most")
    return made


def _known(document: Mapping[str, Any], names: frozenset[str], path: str) -> None:
    extra = sorted(str(name) for name in document if name not in names)
    if extra:
        raise PolicyError(field=f"{path}.{extra[0]}"[:120], rule="is not something a practice may change")


def _whole(value: Any, path: str, least: int, most: int, unit: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise PolicyError(field=path, rule=f"must be a whole number from {least} to {most} {unit}")
    return value


def _bound(value: Any, path: str, least: Decimal, most: Decimal) -> Decimal:
    """A bound written as text ("5.2"), so that no float rounds it; a range is moved, never removed."""
    try:
        found = Decimal(value) if isinstance(value, str) and len(value) <= 12 else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite() or not least <= found <= most:
        raise PolicyError(field=path, rule=f"must be a number as text from {least} to {most}")
    return found
