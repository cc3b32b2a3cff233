"""From a chart's results to the rules': a result of a known test is never lost, and never made better than it is."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import labs, protocols
from rules.labs import Alias, Result

TABLE = protocols.load()
DAY = date(2026, 10, 1)
NAMES = {"k serum": Alias("potassium", "mEq/L"), "lokal 7": Alias("potassium"), "odd": Alias("nothing")}


def read(**changes: Any) -> Any:
    plain = {"title": "Potassium", "loinc": "2823-3", "value": "4.4", "unit": "mmol/L", "on": DAY}
    found = labs.read(results=[Result(**(plain | changes))], aliases=NAMES, protocols=TABLE)
    return found[0] if found else None


def test_a_loinc_code_decides_whatever_the_title_says() -> None:
    assert read(title="Sodium").key == "potassium"
    assert read(loinc=" 2823-3 ").source == "loinc"


@pytest.mark.parametrize("title", ["K, serum", "k SERUM", "K-Serum"])
def test_a_practices_name_counts_where_there_is_no_code(title: str) -> None:
    found = read(loinc="", title=title, unit="")
    assert (found.key, found.unit, found.source) == ("potassium", "mmol/L", "alias")


def test_the_results_own_unit_stands_over_the_aliases() -> None:
    assert read(loinc="", title="K serum", unit="mg/dL").unit == "mg/dL"
    assert read(loinc="", title="Lokal 7", unit="").unit == ""


def test_a_local_code_may_stand_in_the_codes_field() -> None:
    assert read(loinc="LOKAL-7").key == "potassium"


def test_a_code_nobody_knows_is_not_looked_up_by_its_title() -> None:
    assert read(loinc="9999-9", title="K serum") is None  # potassium in urine may bear the same name


def test_tests_no_protocol_knows_are_left_out() -> None:
    assert read(loinc="", title="Potassium") is None
    assert read(loinc="", title="odd") is None


@pytest.mark.parametrize("value", ["<2.0", ">10", "4,4", "4.4 H", "hemolyzed", "", "NaN", "1e5", "٤"])
def test_what_is_not_a_plain_number_stays_as_a_result_without_a_value(value: str) -> None:
    assert read(value=value, status="Results Received").value is None


@pytest.mark.parametrize("status", ["Order Entered", "In Progress", "discontinued", "Paper Order"])
def test_an_order_without_a_value_is_no_result_yet(status: str) -> None:
    assert read(value="", status=status) is None
    assert read(value="4.4", status=status).value == Decimal("4.4")


def test_an_unknown_unit_leaves_the_value_as_it_is() -> None:
    assert (read(unit="mmol/24h").value, read(unit="mmol/24h").unit) == (Decimal("4.4"), "mmol/24h")


def test_flag_and_day_are_carried() -> None:
    assert (read(flag=" hh ").flag, read(on=None).on) == ("HH", None)


@given(
    row=st.builds(
        Result, title=st.text(max_size=40), loinc=st.sampled_from(["", "2823-3", "x"]), value=st.text(max_size=12),
        unit=st.text(max_size=12), on=st.none() | st.dates(), flag=st.text(max_size=4), status=st.text(max_size=12),
    )
)  # fmt: skip
def test_no_result_is_an_accident(row: Result) -> None:
    for lab in labs.read(results=[row], aliases=NAMES, protocols=TABLE):
        assert lab.value is None or lab.value.is_finite()
        assert lab.key in TABLE.lab_units
