"""Known units are converted exactly, unknown ones refused; a value never changes its meaning."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import protocols, units

TABLE = protocols.load()


@pytest.mark.parametrize(
    ("key", "value", "unit", "found"),
    [
        ("potassium", "4.4", "mEq/L", "4.4"),
        ("potassium", "4.4", "MEQ / L", "4.4"),
        ("sodium", "140", "meq/l", "140"),
        ("creatinine", "88.4", "umol/L", "1"),  # textbook: 88.4 umol/L is 1 mg/dL
        ("creatinine", "80", "µmol/L", "0.905"),
        ("ldl", "2.6", "mmol/L", "100.529"),
        ("calcium", "2.5", "mmol/L", "10.02"),
        ("calcium", "5", "mEq/L", "10.02"),
        ("urate", "416", "umol/L", "6.9934"),
        ("a1c", "53", "mmol/mol", "7.0004"),  # NGSP: 53 mmol/mol is 7.0 %
        ("a1c", "48", "mmol/mol", "6.543"),  # and 48 is 6.5 %
        ("hgb", "125", "g/L", "12.5"),
        ("plt", "150000", "/uL", "150"),
        ("plt", "150", "K/uL", "150"),
        ("plt", "150", "x10³/µL", "150"),
        ("wbc", "4.2", "10*9/L", "4.2"),
        ("tsh", "2.1", "uIU/mL", "2.1"),
        ("vitd", "50", "nmol/L", "20.03"),
        ("uacr", "3.4", "mg/mmol", "30.0566"),
        ("weight", "172", "lbs", "78.0179"),
        ("weight", "2880", "oz", "81.6466"),
        ("egfr", "84", "mL/min/{1.73_m2}", "84"),
        ("egfr", "84", "mL/min/1.73 m²", "84"),
        ("inr", "2.4", "", "2.4"),
        ("sbp", "120", "mmHg", "120"),
        ("pulse", "64", "bpm", "64"),
    ],
)
def test_a_known_unit_is_converted(key: str, value: str, unit: str, found: str) -> None:
    made = units.convert(key=key, value=Decimal(value), unit=unit, into=TABLE.lab_units[key])
    assert made == Decimal(found)


def test_glucose_is_converted_too() -> None:
    assert units.convert(key="glucose", value=Decimal("5.5"), unit="mmol/L", into="mg/dL") == Decimal("99.088")


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("potassium", ""),
        ("potassium", "mg/dL"),
        ("potassium", "mmol/24h"),
        ("potassium", "constructor"),
        ("egfr", "mL/min"),  # not normalised to body surface
        ("creatinine", "mg/24h"),
        ("lipid", "mmol/L"),  # cholesterol and triglycerides weigh differently
        ("sodium", "umol/L"),
        ("weight", "stone"),
        ("a1c", ""),
        ("tsh", "ng/dL"),
    ],
)
def test_an_unknown_unit_or_one_of_another_analyte_is_refused(key: str, unit: str) -> None:
    assert units.convert(key=key, value=Decimal(4), unit=unit, into=TABLE.lab_units[key]) is None


@given(value=st.decimals(0, 10_000, places=2), row=st.sampled_from(sorted(units.CONVERSIONS)))
def test_conversion_keeps_the_order_of_values(value: Decimal, row: tuple[str, str, str]) -> None:
    key, unit, into = row
    one = units.convert(key=key, value=value, unit=unit, into=into)
    more = units.convert(key=key, value=value + 10, unit=unit, into=into)
    assert one is not None
    assert more is not None
    assert one < more


def test_every_conversion_names_its_source() -> None:
    assert all(one.source for one in units.CONVERSIONS.values())


@given(unit=st.text(max_size=30), value=st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=9999))
def test_any_text_is_a_unit_or_refused_never_an_accident(unit: str, value: Decimal) -> None:
    units.convert(key="potassium", value=value, unit=unit, into="mmol/L")
