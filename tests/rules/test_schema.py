"""The published schema of rule files: current, a real schema, and of one mind with the code."""

import json
import pathlib
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import conditions, documents, files, recipes, schema, steps
from rules.catalogue import ALWAYS, CATALOGUE, OPERATORS, Type
from rules.conditions import ConditionError
from rules.policy import PolicyError

PUBLISHED = pathlib.Path(__file__).resolve().parents[2] / "docs" / "rules.schema.json"
WHOLE = schema.whole()
JUDGE = jsonschema.Draft202012Validator(WHOLE)
CONDITION = jsonschema.Draft202012Validator({"$defs": WHOLE["$defs"], "$ref": "#/$defs/condition"})

GOOD: dict[Type, st.SearchStrategy[Any]] = {
    Type.number: st.integers(-10, 1000) | st.just({"policy": "visit_limit_days"}),
    Type.decimal: st.sampled_from(["5.5", "-1", "0.0001", 3]),
    Type.truth: st.booleans(),
    Type.code: st.sampled_from(["refill", "ii"]),
    Type.codes: st.sampled_from(["statin"]),
}
ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 500),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: not one.is_integer()),
    st.text(max_size=5),
    st.lists(st.text(max_size=3), max_size=3),
)


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly right, sometimes with another type's operator or value."""
    fact = CATALOGUE[draw(st.sampled_from(sorted(CATALOGUE)))]
    op = draw(st.sampled_from(sorted(OPERATORS[fact.type] | ALWAYS | {"at_most", "contains"})))
    document: dict[str, Any] = {"fact": fact.name, "op": op}
    if op not in ALWAYS:
        several = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=3)
        document["value"] = draw((several if op in schema.SEVERAL else GOOD[fact.type]) | ANY)
    return document


TREES = st.recursive(
    comparisons(),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: {"all": parts})
        | st.lists(inner, max_size=3).map(lambda parts: {"any": parts})
        | inner.map(lambda one: {"not": one})
    ),
    max_leaves=5,
)


def test_the_published_schema_is_the_one_the_code_makes() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == WHOLE, "write it again: manage.py rules schema"


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(WHOLE)


@given(TREES)
def test_schema_and_code_agree_on_conditions(document: dict[str, Any]) -> None:
    try:
        conditions.parse(document=document)
    except ConditionError:
        assert not CONDITION.is_valid(document)
    else:
        assert CONDITION.is_valid(document)


@pytest.mark.parametrize("shipped", recipes.ready_made(), ids=lambda one: one.key)
def test_shipped_recipes_fit_the_schema(shipped: recipes.Recipe) -> None:
    text = files.dump(document={"recipes": [recipes.to_document(recipe=shipped)]})
    JUDGE.validate(json.loads(text))


WRONG: list[dict[str, Any]] = [
    {"policy": {"visit_limit_days": 366}},
    {"policy": {"visit_limit_days": "180"}},
    {"policy": {"colour": 1}},
    {"policy": {"enabled_recipes": ["nonsense"]}},
    {"recipes": {}},
    {"recipes": [{"key": "a"}]},
    {"recipes": [{**steps.new(key="a", name="A", trigger="refill"), "trigger": "moon"}]},
    {"recipes": [{**steps.new(key="a", name="A", trigger="refill"), "nodes": {}}]},
    {"recipes": [{**steps.new(key="a", name="A", trigger="refill"), "nodes": {"step_1": {"then": "duplicate"}}}]},
    {"recipes": [{**steps.new(key="a", name="A", trigger="refill"), "nodes": {"step_1": {"then": "tell"}}}]},
    {"citations": {"links": {"colour:red": ["1"]}}},
    {"extra": 1},
]


@pytest.mark.parametrize("rules", WRONG)
def test_what_the_schema_refuses_the_code_refuses_too(rules: dict[str, Any]) -> None:
    assert not JUDGE.is_valid({"format": documents.FORMAT, "rules": rules})
    with pytest.raises((PolicyError, ValueError)):
        documents.check(document=rules)
