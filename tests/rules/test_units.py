"""Units: the same unit under other names, exact factors, and nothing guessed."""

from decimal import Decimal

import pytest

from rules import protocols, units


@pytest.mark.parametrize(
    ("key", "value", "unit", "to", "wanted"),
    [
        ("potassium", "4.4", "mEq/L", "mmol/L", "4.4"),
        ("potassium", "4.4", "mmol / L", "mmol/L", "4.4"),
        ("creatinine", "88.42", "umol/L", "mg/dL", "1"),
        ("creatinine", "88.42", "\u00b5mol/L", "mg/dL", "1"),
        ("ldl", "2.6", "mmol/L", "mg/dL", "100.542"),
        ("urate", "356.88", "umol/L", "mg/dL", "6"),
        ("a1c", "53", "mmol/mol", "%", "7.0004"),
        ("tsh", "2.1", "uIU/mL", "mIU/L", "2.1"),
        ("egfr", "61", "mL/min/1.73", "mL/min/1.73m2", "61"),
        ("weight", "220.462", "lbs", "kg", "100"),
        ("plt", "240", "K/uL", "10*3/uL", "240"),
        ("vitd", "74.88", "nmol/L", "ng/mL", "30"),
    ],
)
def test_a_known_unit_is_converted(key: str, value: str, unit: str, to: str, wanted: str) -> None:
    found = units.convert(key=key, value=Decimal(value), unit=unit, to=to)
    assert found is not None
    assert abs(found - Decimal(wanted)) < Decimal("0.001")


@pytest.mark.parametrize(
    ("key", "unit", "to"),
    [
        ("potassium", "mg/dL", "mmol/L"),  # of another kind
        ("calcium", "umol/L", "mg/dL"),
        ("creatinine", "furlongs", "mg/dL"),
        ("creatinine", "", "mg/dL"),
        ("ldl", "meq/L", "mg/dL"),
        ("creatinine", "mmol/L", "mg/dL"),  # the factor of another test is never borrowed
    ],
)
def test_an_unknown_unit_is_refused(key: str, unit: str, to: str) -> None:
    assert units.convert(key=key, value=Decimal(1), unit=unit, to=to) is None


def test_every_unit_of_ours_is_known() -> None:
    for key, unit in protocols.load().lab_units.items():
        if key != "hcg":  # present or not: no number
            assert units.convert(key=key, value=Decimal("1.5"), unit=unit, to=unit) == Decimal("1.5")
