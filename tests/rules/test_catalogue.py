"""The catalogue: every fact can be read off any case, says what it means, and unknown never counts as true."""

from decimal import Decimal
from typing import Any

import pytest

from rules import case as cases
from rules import conditions, protocols
from rules import facts as f
from rules.catalogue import CATALOGUE, OPERATORS, Fact, Type
from rules.conditions import ConditionError

KINDS = {Type.number: int, Type.decimal: Decimal, Type.truth: bool, Type.code: str, Type.codes: frozenset}


def case(cast: Any, **changes: Any) -> cases.Case:
    return cases.of(facts=cast.facts(**changes), policy=cast.policy(), protocols=protocols.load())


def potassium(cast: Any, value: str, days: int, unit: str = "mmol/L") -> f.Lab:
    return f.Lab("potassium", Decimal(value), unit, cast.ago(days))


@pytest.mark.parametrize("fact", CATALOGUE.values(), ids=lambda one: one.name)
def test_a_fact_is_of_its_type_or_unknown_and_says_what_it_means(cast: Any, fact: Fact) -> None:
    value = fact.read(case(cast))
    assert value is None or type(value) is KINDS[fact.type]
    assert fact.meaning
    assert bool(fact.denied) is (fact.type is Type.truth)
    assert fact.type in OPERATORS


@pytest.mark.parametrize("fact", CATALOGUE.values(), ids=lambda one: one.name)
def test_of_nothing_known_nothing_is_read(cast: Any, fact: Fact) -> None:
    bare = f.Facts(now=cast.facts().now, today=cast.today, reading=f.Reading(), patient=f.Patient())
    value = fact.read(cases.of(facts=bare, policy=cast.policy(), protocols=protocols.load()))
    assert value in (None, "unknown", False)
    if value is False:
        assert fact.name in ("message.has_doubts", "pharmacy.is_named_found", "drug.is_class_automatic")


def test_the_newest_value_counts_with_its_age(cast: Any) -> None:
    held = case(cast, labs=(potassium(cast, "5.9", 300), potassium(cast, "4.1", 20)))
    assert CATALOGUE["lab.potassium"].read(held) == Decimal("4.1")
    assert CATALOGUE["lab.potassium.age"].read(held) == 20


def test_a_value_in_another_unit_is_unknown(cast: Any) -> None:
    held = case(cast, labs=(potassium(cast, "16", 20, "mg/dL"),))
    assert CATALOGUE["lab.potassium"].read(held) is None


@pytest.mark.parametrize(("value", "passes"), [("5.5", True), ("5.51", False)])
def test_a_decimal_is_compared_exactly_and_its_age_stands_in_the_trace(cast: Any, value: str, passes: bool) -> None:
    condition = conditions.parse(document={"fact": "lab.potassium", "op": "at_most", "value": "5.5"})
    trace: list[Any] = []
    held = case(cast, labs=(potassium(cast, value, 40),))
    assert conditions.evaluate(condition=condition, case=held, node="n", trace=trace) is passes
    assert (trace[0].value, trace[0].threshold, trace[0].age_days) == (value, "at_most 5.5", 40)
    assert conditions.to_document(condition=condition)["value"] == "5.5"


@pytest.mark.parametrize("value", [5.5, "5,5", "5.55555", "lots", True, "1e3"])
def test_a_decimal_is_written_as_text(value: Any) -> None:
    with pytest.raises(ConditionError, match="decimal"):
        conditions.parse(document={"fact": "lab.potassium", "op": "at_most", "value": value})


def test_conditions_read_as_english() -> None:
    document = {
        "all": [
            {"fact": "entry.is_active", "op": "is", "value": True},
            {"fact": "drug.is_controlled", "op": "is", "value": False},
            {"fact": "visit.days_since", "op": "at_most", "value": {"policy": "visit_limit_days"}},
            {
                "any": [
                    {"fact": "lab.potassium", "op": "less_than", "value": "5.5"},
                    {"fact": "lab.tsh", "op": "unknown"},
                ]
            },
        ]
    }
    condition = conditions.parse(document=document)
    assert conditions.explain(condition=condition) == (
        "the drug is active on the list and the drug is in no schedule and days since the last qualifying visit is at"
        " most the practice's visit limit days and (the newest potassium is less than 5.5 mmol/L or the newest TSH is"
        " unknown)"
    )
