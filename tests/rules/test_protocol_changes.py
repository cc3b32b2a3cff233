"""A practice's changes of the protocol table: stricter at will, laxer within bounds, refused by path."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import documents, protocol_changes, protocols
from rules.facts import Visit
from rules.policy import PolicyError

TABLE = protocols.load()
SIGNED = {"by": "Dr Osei", "on": "2026-11-01", "note": "our policy of November"}


def changed(key: str = "acei_arb", **values: Any) -> protocols.Protocol:
    return protocol_changes.apply(document={key: SIGNED | values}, table=TABLE).by_key[key]


def test_nothing_changed_is_the_table_itself() -> None:
    assert protocol_changes.apply(document=None, table=TABLE) is TABLE
    assert protocol_changes.apply(document={}, table=TABLE) is TABLE


def test_limits_tests_and_route_are_changed_and_nothing_else() -> None:
    row = changed(
        visit_within_days=180, max_refills=1, route="review",
        labs={"potassium": {"within_days": 180, "most": "5.2"}, "a1c": {"most": "9.0"}},
    )  # fmt: skip
    assert (row.visit_within_days, row.max_refills, row.route) == (180, 1, protocols.Route.review)
    potassium, a1c = row.tests[0], row.tests[-1]
    assert (potassium.within_days, potassium.least, potassium.most) == (180, Decimal("3.5"), Decimal("5.2"))
    assert (a1c.key, a1c.unit, a1c.within_days, a1c.is_demanded) == ("a1c", "%", 365, True)
    assert row.stops == TABLE.by_key["acei_arb"].stops
    assert TABLE.by_key["acei_arb"].visit_within_days == 365


def test_the_changed_row_is_found_by_its_ingredients_too() -> None:
    table = protocol_changes.apply(document={"acei_arb": SIGNED | {"visit_within_days": 90}}, table=TABLE)
    (row,) = table.applying(ingredients=("lisinopril",), form="Oral Tablet")
    assert row.visit_within_days == 90


@pytest.mark.parametrize(
    ("key", "values", "path"),
    [
        ("nothing", {}, "protocols.nothing"),
        ("acei_arb", {"by": ""}, "protocols.acei_arb.by"),
        ("acei_arb", {"on": "yesterday"}, "protocols.acei_arb.on"),
        ("acei_arb", {"note": " "}, "protocols.acei_arb.note"),
        ("acei_arb", {"colour": 1}, "protocols.acei_arb.colour"),
        ("acei_arb", {"stops": []}, "protocols.acei_arb.stops"),
        ("acei_arb", {"visit_within_days": 0}, "protocols.acei_arb.visit_within_days"),
        ("acei_arb", {"visit_within_days": 731}, "protocols.acei_arb.visit_within_days"),
        ("acei_arb", {"visit_within_days": True}, "protocols.acei_arb.visit_within_days"),
        ("acei_arb", {"max_days_supply": 91}, "protocols.acei_arb.max_days_supply"),
        ("inhaler_rescue", {"max_days_supply": 31}, "protocols.inhaler_rescue.max_days_supply"),
        ("c3_c5", {"max_refills": 1}, "protocols.c3_c5.max_refills"),
        ("acei_arb", {"min_stable_days": 89}, "protocols.acei_arb.min_stable_days"),
        ("acei_arb", {"min_age_years": 17}, "protocols.acei_arb.min_age_years"),
        ("acei_arb", {"min_age_years": 60, "max_age_years": 50}, "protocols.acei_arb.max_age_years"),
        ("warfarin", {"route": "review"}, "protocols.warfarin.route"),
        ("mra", {"route": "auto"}, "protocols.mra.route"),
        ("acei_arb", {"route": "sometimes"}, "protocols.acei_arb.route"),
        ("acei_arb", {"labs": {"potassium": {"most": "5.8"}}}, "protocols.acei_arb.labs.potassium.most"),
        ("acei_arb", {"labs": {"potassium": {"least": "3.2"}}}, "protocols.acei_arb.labs.potassium.least"),
        ("acei_arb", {"labs": {"potassium": {"most": None}}}, "protocols.acei_arb.labs.potassium.most"),
        ("acei_arb", {"labs": {"potassium": {"most": 5.2}}}, "protocols.acei_arb.labs.potassium.most"),
        ("acei_arb", {"labs": {"potassium": {"most": "3.4"}}}, "protocols.acei_arb.labs.potassium.least"),
        ("acei_arb", {"labs": {"potassium": {"most": "NaN"}}}, "protocols.acei_arb.labs.potassium.most"),
        ("acei_arb", {"labs": {"potassium": {"unit": "mg"}}}, "protocols.acei_arb.labs.potassium.unit"),
        ("acei_arb", {"labs": {"potassium": {"is_demanded": False}}}, "protocols.acei_arb.labs.potassium.is_demanded"),
        ("acei_arb", {"labs": {"magic": {}}}, "protocols.acei_arb.labs.magic"),
        ("acei_arb", {"labs": []}, "protocols.acei_arb.labs"),
    ],
)
def test_a_change_out_of_bounds_is_refused_by_its_path(key: str, values: dict[str, Any], path: str) -> None:
    with pytest.raises(PolicyError) as caught:
        changed(key, **values)
    assert caught.value.field == path
    assert caught.value.rule


def test_routine_tests_may_be_judged_only_when_on_file() -> None:
    alt = next(test for test in changed("statin", labs={"alt": {"is_demanded": False}}).tests if test.key == "alt")
    assert not alt.is_demanded
    assert alt.most == 120


def test_a_document_carries_changed_rows_to_the_decision(cast: Any) -> None:
    rules = documents.check(document={"protocols": {"ppi_h2": SIGNED | {"visit_within_days": 100}}})
    assert rules.protocols.by_key["ppi_h2"].visit_within_days == 100
    visit = Visit(cast.ago(101), None, True)
    decide = cast.decide.__globals__["decision"].decide
    made = decide(facts=cast.facts(visit=visit), policy=cast.policy(), recipes=rules.recipes, protocols=rules.protocols)
    assert "visit" in made.reasons


def test_a_class_lowered_to_review_cannot_be_adopted() -> None:
    adopted = {
        "policy": {"adopted_classes": ["ppi_h2"]},
        "adoptions": [{"class": "ppi_h2", "by": "Dr Osei", "on": "2026-11-01", "note": ""}],
    }
    assert documents.check(document=adopted).policy.adopted_classes == {"ppi_h2"}
    with pytest.raises(PolicyError) as caught:
        documents.check(document=adopted | {"protocols": {"ppi_h2": SIGNED | {"route": "review"}}})
    assert caught.value.field == "adopted_classes"


def test_where_a_class_allows_more_than_a_guard_the_editor_says_so(cast: Any) -> None:
    shipped = {one.path for one in documents.check(document={}).notices}
    assert shipped == {f"protocols.{key}.visit_within_days" for key in ("ppi_h2", "allergy", "antiviral")}
    rules = documents.check(document={"protocols": {"statin": SIGNED | {"visit_within_days": 400, "max_refills": 4}}})
    found = {one.path: one.sentence for one in rules.notices}
    assert "365 days (F075)" in found["protocols.statin.visit_within_days"]
    assert "450 days" in found["protocols.statin.max_refills"]
    made = cast.decide(cast.facts(visit=Visit(cast.ago(366), None, True)))
    assert "visit" in {one.code for one in made.findings}  # 545 days of the class, 365 of the guard


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 800) | st.text(max_size=6) | st.sampled_from(["5.2", "2026-11-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["acei_arb", "statin", "labs", "potassium", "route", "by", "on", "note", "most",
                         "max_refills"]),
        inner, max_size=5),
    max_leaves=14,
)  # fmt: skip


@settings(max_examples=400)
@given(document=JSON)
def test_a_hostile_document_is_refused_or_applied_and_never_more_automatic(document: Any) -> None:
    try:
        table = protocol_changes.apply(document=document, table=TABLE)
    except PolicyError as error:
        assert error.field  # noqa: PT017 - a refusal is one of two right answers
        return
    for key, row in table.by_key.items():
        shipped = TABLE.by_key[key]
        assert protocol_changes.ROUTES.index(row.route) >= protocol_changes.ROUTES.index(shipped.route)
        assert row.stops == shipped.stops
        assert row.max_days_supply <= shipped.max_days_supply
        assert dataclasses.replace(row, tests=shipped.tests).ingredients == shipped.ingredients
