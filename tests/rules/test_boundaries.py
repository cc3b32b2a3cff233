"""Each limit on both sides, from a case that passes everything else."""

import dataclasses
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from rules import facts as f
from rules import protocols
from rules.decision import Outcome
from rules.policy import Policy, PolicyError

AUTO, REVIEW = Outcome.auto_approve, Outcome.review


def check(cast: Any, given: f.Facts, code: str, passes: bool, limits: Policy | None = None) -> None:
    made = cast.decide(given, limits)
    codes = {finding.code for finding in made.findings}
    if passes:
        assert made.outcome is AUTO, made.reasons
        assert code not in codes
    else:
        assert made.outcome is not AUTO
        assert code in codes


def test_the_plain_case_is_approved(cast: Any) -> None:
    made = cast.decide(cast.facts())
    assert made.outcome is AUTO
    assert made.findings == ()
    assert made.drug_class == "ppi_h2"
    assert all(step.result for step in made.trace if step.node == "guard")


def test_nothing_is_automatic_by_default(cast: Any) -> None:
    assert cast.decide(cast.facts(), Policy()).outcome is REVIEW


@pytest.mark.parametrize(("days", "passes"), [(275, True), (276, False)])
def test_supply_ends_within_365_days_of_the_visit(cast: Any, days: int, passes: bool) -> None:
    check(cast, cast.spoil("visit", last_qualifying_on=cast.ago(days)), "authorised_time", passes)


@pytest.mark.parametrize(("days", "held"), [(365, False), (366, True)])
def test_visit_limit_is_365_days(cast: Any, days: int, held: bool) -> None:
    made = cast.decide(cast.spoil("visit", last_qualifying_on=cast.ago(days)))
    assert ("visit" in {one.code for one in made.findings}) is held
    assert (made.outcome is Outcome.ask_visit) is held


@pytest.mark.parametrize(("days", "held"), [(180, False), (181, True)])
def test_a_practice_may_be_stricter_with_the_visit(cast: Any, days: int, held: bool) -> None:
    made = cast.decide(cast.spoil("visit", last_qualifying_on=cast.ago(days)), cast.policy(visit_limit_days=180))
    assert (made.outcome is Outcome.ask_visit) is held


@pytest.mark.parametrize(("days", "passes"), [(90, True), (91, False)])
def test_supply_of_at_most_90_days(cast: Any, days: int, passes: bool) -> None:
    changed = cast.entry(days_supply=days, dispense_quantity=Decimal(days))
    check(cast, cast.facts(entry=changed), "days_supply", passes)


@pytest.mark.parametrize(("days", "passes"), [(90, True), (91, False)])
def test_fill_history_of_at_most_90_days(cast: Any, days: int, passes: bool) -> None:
    check(cast, cast.facts(fills=(f.Fill(cast.ago(days), 90),)), "fill_history", passes)


@pytest.mark.parametrize(("days", "passes"), [(68, True), (67, False)])
def test_three_quarters_of_90_days_are_used(cast: Any, days: int, passes: bool) -> None:
    check(cast, cast.facts(fills=(f.Fill(cast.ago(days), 90),)), "too_early", passes)


@pytest.mark.parametrize(("days", "passes"), [(60, True), (61, False)])
def test_a_late_request_is_a_persons(cast: Any, days: int, passes: bool) -> None:
    check(cast, cast.facts(fills=(f.Fill(cast.ago(days), 30),)), "too_late", passes)


@pytest.mark.parametrize(("state", "passes"), [("sent", False), ("unresolved", False), ("surely_undelivered", True)])
def test_our_own_prescriptions_count_as_supply(cast: Any, state: str, passes: bool) -> None:
    supplies = (f.Supply(cast.ago(2), 90, 0, "ours", f.SupplyState(state)),)
    check(cast, cast.facts(supplies=supplies), "too_early", passes)


@pytest.mark.parametrize(("age", "passes"), [(18, True), (17, False), (None, False)])
def test_adults_only(cast: Any, age: int | None, passes: bool) -> None:
    check(cast, cast.spoil("patient", age_years=age), "age", passes)


@pytest.mark.parametrize(("minutes", "passes"), [(15, True), (16, False), (None, False)])
def test_a_stale_mirror_blocks(cast: Any, minutes: int | None, passes: bool) -> None:
    check(cast, cast.facts(mirror_age_minutes=minutes), "stale_mirror", passes)


@pytest.mark.parametrize(("days", "passes"), [(90, True), (89, False)])
def test_stable_for_90_days(cast: Any, days: int, passes: bool) -> None:
    check(cast, cast.facts(entry=cast.entry(changed_on=cast.ago(days))), "stable_time", passes)


@pytest.mark.parametrize(("days", "passes"), [(180, True), (179, False)])
def test_antidepressants_are_stable_for_180_days(cast: Any, days: int, passes: bool) -> None:
    drug = cast.drug(ingredients=("sertraline",), form="Oral Tablet", strength="50 mg")
    changed = cast.entry(
        as_named=drug,
        as_coded=drug,
        changed_on=cast.ago(days),
        dispense_unit="tablet",
        directions=None,
        sig_text="Take 1 tablet by mouth once daily",
    )
    pressure = (f.Lab("sbp", Decimal(120), "mm[Hg]", cast.ago(120)),)
    check(cast, cast.facts(drug=drug, entry=changed, labs=pressure), "stable_time", passes)


@pytest.mark.parametrize(
    ("value", "age", "passes"),
    [
        ("0.4", 365, True),
        ("0.39", 365, False),
        ("4.5", 10, True),
        ("4.6", 10, False),
        ("2", 366, False),
        (None, 0, False),
    ],
)
def test_a_lab_must_be_on_file_recent_and_in_range(cast: Any, value: str | None, age: int, passes: bool) -> None:
    drug = cast.drug(ingredients=("levothyroxine",), form="Oral Tablet", strength="50 mcg")
    entry = cast.entry(
        as_named=drug,
        as_coded=drug,
        dispense_unit="tablet",
        directions=None,
        sig_text="Take 1 tablet by mouth once daily",
    )
    labs = () if value is None else (f.Lab("tsh", Decimal(value), "mIU/L", cast.ago(age)),)
    patient = f.Patient(54, f.PatientStatus.active, False, f.Sex.female)
    made = cast.decide(cast.facts(drug=drug, entry=entry, labs=labs, patient=patient))
    assert (made.outcome is AUTO) is passes


@pytest.mark.parametrize(("seconds", "outcome"), [(24 * 3600, Outcome.duplicate), (24 * 3600 + 1, REVIEW)])
def test_a_second_plain_request_is_a_duplicate_for_24_hours(cast: Any, seconds: int, outcome: Outcome) -> None:
    earlier = f.Earlier(True, True, seconds, False, False)
    assert cast.decide(cast.facts(earlier=earlier)).outcome is outcome


@pytest.mark.parametrize(
    "changes",
    [
        {"is_ours": None},
        {"is_active": False},
        {"has_spi": False},
        {"is_away": True},
        {"is_away": None},
        {"agreed_to_automatic": False},
    ],
)
def test_only_in_the_name_of_a_ready_and_willing_prescriber(cast: Any, changes: dict[str, Any]) -> None:
    assert cast.decide(cast.spoil("prescriber", **changes)).outcome is REVIEW


def test_shadow_does_not_change_a_decision(cast: Any) -> None:
    assert cast.decide(cast.spoil("switches", is_shadow=True)) == cast.decide(cast.facts())


@pytest.mark.parametrize("field", ["ingredients", "strength", "form"])
def test_name_and_code_must_agree(cast: Any, field: str) -> None:
    other = dataclasses.replace(cast.drug(), **{field: ("x",) if field == "ingredients" else "x"})
    check(cast, cast.facts(entry=cast.entry(as_named=other)), "name_and_code_differ", False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("visit_limit_days", 366),
        ("max_days_supply", 91),
        ("early_used_percent", 74),
        ("visit_limit_days", 0),
        ("max_days_supply", True),
        ("fill_history_days", "9"),
    ],
)
def test_a_policy_cannot_be_laxer_than_the_floor(name: str, value: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(**{name: value})
    assert caught.value.field == name


def test_every_shipped_class_is_off(cast: Any) -> None:
    assert Policy().adopted_classes == frozenset()
    assert len(protocols.load().by_key) == 41


def test_dates_in_the_future_are_not_trusted(cast: Any) -> None:
    ahead = date(2027, 1, 1)
    assert cast.decide(cast.spoil("visit", last_qualifying_on=ahead)).outcome is REVIEW
    assert cast.decide(cast.facts(fills=(f.Fill(ahead, 90),))).outcome is REVIEW
