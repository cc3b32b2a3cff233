"""The seven branches and what comes before them."""

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest

from rules import decision, recipes
from rules import facts as f
from rules.decision import Outcome, Queue, TellKind

NIGHT = f.Hours(True, True, datetime(2026, 11, 18, 12, 0, tzinfo=UTC), date(2026, 11, 18))


def listed(cast: Any, ingredient: str, schedule: f.Schedule = f.Schedule.not_controlled, **more: Any) -> f.Facts:
    drug = cast.drug(ingredients=(ingredient,), schedule=schedule, form="Oral Tablet")
    return cast.facts(drug=drug, entry=cast.entry(as_named=drug, as_coded=drug), **more)


@pytest.mark.parametrize("schedule", ["ii", "iii", "iv", "v"])
def test_controlled_goes_to_the_ehr_task_day_and_night(cast: Any, schedule: str) -> None:
    for hours in (cast.facts().hours, NIGHT):
        made = cast.decide(listed(cast, "zolpidem", f.Schedule(schedule), hours=hours))
        assert made.outcome is Outcome.controlled_task
        assert made.queue is Queue.prescriber


def test_controlled_without_a_visit_says_so(cast: Any) -> None:
    made = cast.decide(listed(cast, "zolpidem", f.Schedule.iv, visit=f.Visit(cast.ago(400), None, True)))
    assert made.outcome is Outcome.controlled_task
    assert "controlled_needs_visit" in {one.code for one in made.findings}


def test_an_unclear_message_about_a_controlled_drug_goes_to_a_person(cast: Any) -> None:
    whole = listed(cast, "zolpidem", f.Schedule.iv)
    made = cast.decide(dataclasses.replace(whole, reading=dataclasses.replace(whole.reading, is_plain=False)))
    assert made.outcome is Outcome.review


def test_an_unknown_schedule_is_reviewed_and_never_handed_on(cast: Any) -> None:
    made = cast.decide(listed(cast, "omeprazole", f.Schedule.unknown))
    assert made.outcome is Outcome.review
    assert "schedule_unknown" in made.reasons


def test_a_controlled_class_called_not_controlled_counts_as_unknown(cast: Any) -> None:
    assert "schedule_unknown" in cast.decide(listed(cast, "oxycodone")).reasons


@pytest.mark.parametrize("hours", ["day", "night"])
@pytest.mark.parametrize(("said", "queue"), [("is_emergency", Queue.on_call), ("has_symptom", Queue.prescriber)])
def test_emergency_and_symptom_come_before_any_hold(cast: Any, said: str, queue: Queue, hours: str) -> None:
    whole = cast.spoil("reading", **{said: True})
    made = cast.decide(dataclasses.replace(whole, hours=NIGHT) if hours == "night" else whole)
    assert made.outcome is Outcome.person
    assert made.queue is queue
    assert made.is_pressing


def test_closed_when_sent_and_closed_now_is_held(cast: Any) -> None:
    assert cast.decide(cast.facts(hours=NIGHT)).outcome is Outcome.hold


@pytest.mark.parametrize(("sent", "now"), [(True, False), (False, True)])
def test_closed_at_one_end_only_is_not_held(cast: Any, sent: bool, now: bool) -> None:
    hours = dataclasses.replace(NIGHT, was_closed_when_sent=sent, is_closed_now=now)
    assert cast.decide(cast.facts(hours=hours)).outcome is Outcome.auto_approve


def test_unknown_hours_are_never_automatic(cast: Any) -> None:
    assert cast.decide(cast.facts(hours=f.Hours())).outcome is Outcome.review


def test_a_short_supply_at_night_goes_to_the_on_call_where_enabled(cast: Any) -> None:
    night = cast.facts(hours=NIGHT, run_out_on=cast.today)
    assert cast.decide(night).is_pressing
    made = cast.decide(night, cast.policy(is_on_call_enabled=True))
    assert (made.outcome, made.queue) == (Outcome.review, Queue.on_call)


GAP_HURTS = [
    "insulin glargine",
    "apixaban",
    "warfarin",
    "clopidogrel",
    "lamotrigine",
    "quetiapine",
    "clonidine",
    "metoprolol",
    "prednisone",
    "tacrolimus",
    "albuterol",
]


@pytest.mark.parametrize("ingredient", GAP_HURTS)
def test_where_a_gap_hurts_there_is_no_automatic_hold_or_needs_visit(cast: Any, ingredient: str) -> None:
    assert cast.decide(listed(cast, ingredient, hours=NIGHT)).outcome is Outcome.review
    overdue = f.Visit(cast.ago(400), None, True)
    assert cast.decide(listed(cast, ingredient, visit=overdue)).outcome is Outcome.review


def test_an_unmatched_drug_at_night_is_a_persons(cast: Any) -> None:
    assert cast.decide(cast.facts(hours=NIGHT, drug=None, entry=None, entries_matching=0)).outcome is Outcome.review


def test_an_overdue_visit_is_asked_for_unless_one_is_booked(cast: Any) -> None:
    assert cast.decide(cast.facts(visit=f.Visit(cast.ago(400), None, True))).outcome is Outcome.ask_visit
    booked = f.Visit(cast.ago(400), date(2026, 12, 1), True)
    assert cast.decide(cast.facts(visit=booked)).outcome is Outcome.review
    assert cast.decide(cast.facts(visit=f.Visit(cast.ago(400), None, False))).outcome is Outcome.review


def test_fills_left_are_told_only_when_a_pharmacy_reported_them(cast: Any) -> None:
    made = cast.decide(cast.facts(fills_left=2))
    assert (made.outcome, made.tell_kind) == (Outcome.tell, TellKind.fills_left)
    assert cast.decide(cast.facts(fills_left=0)).outcome is Outcome.auto_approve


def change(cast: Any, **pharmacy: Any) -> f.Facts:
    whole = cast.spoil("reading", kind=f.Kind.pharmacy_change, tag=f.Tag.pharmacy_change)
    return dataclasses.replace(
        whole, drug=None, entry=None, pharmacy=f.Pharmacy("1234567", True, "x", False, **pharmacy)
    )


def test_a_pharmacy_change_needs_exactly_one_pharmacy(cast: Any) -> None:
    assert cast.decide(change(cast, named_ncpdp="7654321")).outcome is Outcome.pharmacy_change
    assert cast.decide(change(cast)).outcome is Outcome.review


def test_a_recipe_switched_off_leaves_the_request_to_a_person(cast: Any) -> None:
    for key, given in {
        "auto_refill": cast.facts(),
        "pharmacy_change": change(cast, named_ncpdp="7654321"),
        "controlled": listed(cast, "zolpidem", f.Schedule.iv),
        "needs_visit": cast.facts(visit=f.Visit(cast.ago(400), None, True)),
    }.items():
        limits = cast.policy(enabled_recipes=frozenset(cast.policy().enabled_recipes - {key}))
        assert cast.decide(given, limits).outcome is Outcome.review


def test_an_untagged_refill_is_reviewed_unless_the_practice_says_otherwise(cast: Any) -> None:
    untagged = cast.spoil("reading", tag=f.Tag.none)
    assert cast.decide(untagged).outcome is Outcome.review
    assert cast.decide(untagged, cast.policy(untagged_refill_may_be_automatic=True)).outcome is Outcome.auto_approve


@pytest.mark.parametrize("switch", ["is_automatic_stopped", "is_sending_stopped"])
def test_stop_switches_leave_it_to_a_person(cast: Any, switch: str) -> None:
    assert cast.decide(cast.spoil("switches", **{switch: True})).outcome is Outcome.review
    assert cast.decide(cast.spoil("switches", **{switch: None})).outcome is Outcome.review


def test_a_guard_that_raises_blocks_approval(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(case: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(decision, "REFILL", (decision.Guard(broken, decision.AUTO),))
    made = cast.decide(cast.facts())
    assert made.outcome is Outcome.review
    assert "check_failed" in made.reasons


def test_facts_that_cannot_be_worked_out_are_a_persons(cast: Any) -> None:
    made = cast.decide(cast.facts(fills=(object(),)))
    assert made.outcome is Outcome.review
    assert made.reasons == ("check_failed",)


def test_two_recipes_that_disagree_resolve_to_the_more_cautious(cast: Any) -> None:
    always = recipes.parse(
        document={
            "key": "mine",
            "name": "All to review",
            "trigger": "refill",
            "start": "r",
            "nodes": {"r": {"then": "review"}},
        }
    )
    made = cast.decide(cast.facts(), None, (*recipes.SHIPPED, always))
    assert (made.outcome, made.recipe) == (Outcome.review, "mine")


def test_what_would_change_it_names_the_visit(cast: Any) -> None:
    made = cast.decide(cast.spoil("visit", last_qualifying_on=cast.ago(290)))
    assert made.what_would_change_it == ("a more recent visit or fewer refills",)


def test_every_guard_cites_its_reason() -> None:
    listed_guards = (*decision.FIRST, *decision.AFTER, *decision.REFILL)
    assert len(listed_guards) > 45
    assert all(guard.check.__doc__ for guard in listed_guards)
