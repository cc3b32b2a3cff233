"""What would have let it pass: applied to the facts it does, and fewer changes do not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import case as cases
from rules import facts as f
from rules import nearest, protocols, recipes
from rules.findings import Outcome
from tests.rules import conftest as cast

TAG = {"fact": "message.is_tagged", "op": "is", "value": True}
RECENT = {"fact": "visit.days_since", "op": "at_most", "value": 100}
BOOKED = {"fact": "visit.has_upcoming", "op": "is", "value": True}
FRESH = {"fact": "mirror.age", "op": "less_than", "value": 10}
ADULT = {"fact": "patient.age", "op": "at_least", "value": 18}
OLD = {"fact": "visit.days_since", "op": "more_than", "value": 200}
CONDITIONS = st.recursive(
    st.sampled_from([TAG, RECENT, BOOKED, FRESH, ADULT, OLD]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts})
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts})
        | inner.map(lambda one: {"not": one})
    ),
    max_leaves=5,
)
OUTCOMES = st.sampled_from(["auto_approve", "ask_visit", "review"])


@st.composite
def graphs(draw: st.DrawFn) -> tuple[recipes.Recipe, ...]:
    """One to three recipes of one condition each, the first of which may approve."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        then = "auto_approve" if number == 0 else draw(OUTCOMES)
        nodes = {"when": {"if": draw(CONDITIONS), "yes": "then"}, "then": {"then": then}}
        document = {"key": f"r{number}", "name": "R", "trigger": "refill", "start": "when", "nodes": nodes}
        found.append(recipes.parse(document=document))
    return tuple(found)


@st.composite
def situations(draw: st.DrawFn) -> f.Facts:
    visit = f.Visit(cast.ago(draw(st.integers(0, 400))), draw(st.sampled_from([None, cast.ago(-10)])), True)
    plain = cast.facts(visit=visit, mirror_age_minutes=draw(st.integers(0, 15)))
    tag = draw(st.sampled_from([f.Tag.refill, f.Tag.none]))
    return cast.facts(visit=visit, mirror_age_minutes=plain.mirror_age_minutes, reading=_with(plain.reading, tag=tag))


def _with(value: Any, **changes: Any) -> Any:
    return type(value)(**{**{name: getattr(value, name) for name in value.__slots__}, **changes})


def case(given_facts: f.Facts) -> cases.Case:
    return cases.of(facts=given_facts, policy=cast.policy(), protocols=protocols.load())


def applied(given_facts: f.Facts, change: nearest.Change) -> f.Facts:
    """The facts with one change made."""
    visit, value = given_facts.visit, change.value
    if change.fact == "visit.days_since":
        return _with(given_facts, visit=_with(visit, last_qualifying_on=cast.ago(int(str(value)))))
    if change.fact == "visit.has_upcoming":
        return _with(given_facts, visit=_with(visit, upcoming_on=cast.ago(-5) if value else None))
    if change.fact == "mirror.age":
        return _with(given_facts, mirror_age_minutes=value)
    if change.fact == "message.is_tagged":
        return _with(given_facts, reading=_with(given_facts.reading, tag=f.Tag.refill if value else f.Tag.none))
    raise AssertionError(change.fact)


def approves(given_facts: f.Facts, on: tuple[recipes.Recipe, ...]) -> bool:
    """Whether the graphs alone lead to an approval: an independent walk."""
    held = case(given_facts)
    met = [recipes.walk(recipe=one, case=held, trace=[]) for one in on]
    outcomes = {match.action.outcome for match in met if match is not None}
    return outcomes == {Outcome.auto_approve}


@given(graphs(), situations())
def test_what_is_named_lets_it_pass_and_nothing_needed_is_left_out(
    on: tuple[recipes.Recipe, ...], known: f.Facts
) -> None:
    found = nearest.changes(case=case(known), recipes=on)
    if approves(known, on):
        assert found == ()
        return
    if found is None:
        return
    assert found
    after = known
    for change in found:
        after = applied(after, change)
    assert approves(after, on), found
    for left_out in found if len(found) > 1 else ():
        fewer = known
        for change in found:
            fewer = fewer if change is left_out else applied(fewer, change)
        if approves(fewer, on):
            pytest.fail(f"{left_out.sentence} was not needed")


def test_a_visit_is_what_an_overdue_patient_lacks() -> None:
    made = cast.decide(cast.facts(visit=f.Visit(cast.ago(400), None, True)))
    assert made.outcome is Outcome.ask_visit
    assert "a visit within the last 365 days" in made.what_would_change_it
    assert not any("days since" in one for one in made.what_would_change_it)  # said once


def test_a_missing_tag_is_named() -> None:
    known = cast.facts()
    untagged = _with(known, reading=_with(known.reading, tag=f.Tag.none))
    assert cast.decide(untagged).what_would_change_it == ("the message carries the tag of its recipe",)


def test_a_class_that_is_not_adopted_is_the_directors_to_change() -> None:
    made = cast.decide(cast.facts(), cast.policy(adopted_classes=frozenset()))
    assert made.what_would_change_it == ("adoption of the class by the medical director",)


def test_nobody_can_change_what_the_drug_is() -> None:
    known = cast.facts(
        drug=cast.drug(schedule=f.Schedule.iv), entry=cast.entry(as_named=cast.drug(schedule=f.Schedule.iv))
    )
    assert cast.decide(known).what_would_change_it == ()


def test_two_recipes_that_disagree_stand_in_the_trace() -> None:
    always = recipes.parse(
        document={"key": "mine", "name": "M", "trigger": "refill", "start": "r", "nodes": {"r": {"then": "review"}}}
    )
    made = cast.decide(cast.facts(), None, (*recipes.SHIPPED, always))
    (step,) = [one for one in made.trace if one.fact == "disagreement"]
    assert step.value == "auto_refill: auto_approve, mine: review"
    assert step.threshold == "most cautious: mine"
    assert made.what_would_change_it == ()
