"""Results of the chart's flow sheet: by code, by the practice's own name, and only what can be told."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from rules import documents, labs, protocols
from rules.facts import Lab
from rules.labs import LabName, Reported
from rules.policy import PolicyError

DAY = date(2026, 10, 1)


def row(**changes: Any) -> Reported:
    plain = {"title": "Potassium", "loinc": "2823-3", "value": "4.4", "unit": "mmol/L", "status": "Results Received",
             "on": DAY}  # fmt: skip
    return Reported(**{**plain, **changes})


def read(*rows: Reported, names: tuple[LabName, ...] = ()) -> tuple[Lab, ...]:
    return labs.read(rows=rows, names=names, protocols=protocols.load())


def test_a_result_is_known_by_its_code_whatever_it_is_called() -> None:
    assert read(row(title="K SERUM")) == (Lab("potassium", Decimal("4.4"), "mmol/L", DAY),)


def test_without_a_code_only_the_practices_own_name_tells() -> None:
    assert read(row(loinc="")) == ()
    assert read(row(loinc="", title=" k  Serum "), names=(LabName("K Serum", "potassium"),))[0].key == "potassium"


def test_a_code_wins_over_an_own_name() -> None:
    assert read(row(title="K"), names=(LabName("K", "sodium"),))[0].key == "potassium"
    assert read(row(loinc="9999-9", title="K"), names=(LabName("K", "potassium"),)) == ()


def test_a_unit_the_laboratory_leaves_out_comes_from_the_practice() -> None:
    own = (LabName("Weight in", "weight", "lb"),)
    (found,) = read(row(loinc="", title="Weight in", value="220.462", unit=""), names=own)
    assert (found.unit, round(found.value, 2)) == ("kg", Decimal("100.00"))


def test_an_unknown_unit_stays_what_it_is() -> None:
    assert read(row(unit="mg/dL"))[0].unit == "mg/dL"
    assert read(row(unit=""))[0].unit == "no unit"


@pytest.mark.parametrize("value", ["", "pending", "see note", "4.4.1", "-2", "NaN", "1e5", "4,4"])
def test_a_value_that_is_no_number_stays_on_file_as_unreadable(value: str) -> None:
    assert read(row(value=value)) == (Lab("potassium", Decimal(0), "unreadable", DAY),)


def test_a_result_of_no_day_counts_as_the_newest_and_is_unreadable() -> None:
    newest, older = read(row(), row(on=None))
    assert (newest.on, newest.unit, older.unit) == (date.max, "unreadable", "mmol/L")


@pytest.mark.parametrize(("value", "bound"), [(">60", ">"), (">= 60", ">"), ("<0.1", "<"), ("60 H", ""), ("60", "")])
def test_a_bound_is_kept_as_one(value: str, bound: str) -> None:
    (found,) = read(row(loinc="48642-3", value=value, unit="mL/min/1.73m2"))
    assert found.bound == bound


@pytest.mark.parametrize("status", ["Order Entered", "Discontinued", " in progress"])
def test_what_was_not_done_is_no_fact(status: str) -> None:
    assert read(row(status=status)) == ()


def test_the_newest_stands_first() -> None:
    assert [lab.on.year for lab in read(row(on=date(2025, 1, 1)), row())] == [2026, 2025]


def test_own_names_come_back_from_a_document() -> None:
    rows = [{"title": "K Serum", "key": "potassium", "unit": "mEq/L"}]
    found = documents.check(document={"lab_names": rows}).lab_names
    assert labs.to_document(names=found) == rows


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ({}, "lab_names"),
        ([{"title": "K"}], "lab_names[0].key"),
        ([{"title": "", "key": "potassium"}], "lab_names[0].title"),
        ([{"title": "K", "key": "moon"}], "lab_names[0].key"),
        ([{"title": "K", "key": "potassium", "unit": "lb"}], "lab_names[0].unit"),
        ([{"title": "K", "key": "potassium"}, {"title": " k", "key": "sodium"}], "lab_names[1].title"),
        ([{"title": "K", "key": "potassium", "colour": 1}], "lab_names[0]"),
    ],
)
def test_a_wrong_name_is_refused_by_its_place(rows: Any, place: str) -> None:
    with pytest.raises(PolicyError) as caught:
        documents.check(document={"lab_names": rows})
    assert caught.value.field == place


LAB_CASES = [
    ({}, None),
    ({"value": Decimal("3.5")}, None),
    ({"value": Decimal("3.49")}, "lab_out_of_range"),
    ({"value": Decimal("5.5")}, None),
    ({"value": Decimal("5.51")}, "lab_out_of_range"),
    ({"days": 365}, None),
    ({"days": 366}, "lab_old"),
    ({"days": -1}, "lab_old"),
    ({"unit": "mg/dL"}, "lab_unit"),
    ({"value": Decimal("5.4"), "bound": ">"}, "lab_bound"),
    ({"value": Decimal("3.6"), "bound": "<"}, "lab_bound"),
]


@pytest.mark.parametrize(("changes", "code"), LAB_CASES)
def test_potassium_is_judged_at_its_limits(
    cast: Any, changes: dict[str, Any], code: str | None
) -> None:
    kept = {"value": Decimal("4.4"), "unit": "mmol/L", "days": 30, "bound": "", **changes}
    asked = cast.drug(ingredients=("lisinopril",), form="Oral Tablet", name="lisinopril 10 MG Oral Tablet")
    others = {
        "creatinine": ("0.9", "mg/dL"), "egfr": ("80", "mL/min/1.73m2"), "sbp": ("120", "mm[Hg]"),
        "dbp": ("80", "mm[Hg]"),
    }  # fmt: skip
    known = tuple(Lab(key, Decimal(value), unit, cast.ago(30)) for key, (value, unit) in others.items())
    mine = Lab("potassium", kept["value"], kept["unit"], cast.ago(kept["days"]), kept["bound"])
    given = cast.facts(drug=asked, entry=cast.entry(as_named=asked, as_coded=asked), labs=(*known, mine))
    found = {one.code for one in cast.decide(given).findings if one.code.startswith("lab")} - {"lab_due_soon"}
    assert found == ({code} if code else set())


def test_values_that_were_not_looked_up_are_unknown_not_missing(cast: Any) -> None:
    asked = cast.drug(ingredients=("lisinopril",), form="Oral Tablet")
    entry = cast.entry(as_named=asked, as_coded=asked)
    for given, code in ((None, "labs_unknown"), ((), "lab_missing")):
        found = cast.decide(cast.facts(drug=asked, entry=entry, labs=given)).findings
        assert code in [one.code for one in found]
