"""A case = facts plus what plainly follows from them (daily amount, schedule, classes, days since ...), worked out
once.

Recipes and guards read it; it judges nothing. What cannot be worked out stays None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from rules import directions, supply
from rules.facts import Drug, Facts, Kind, Lab, Schedule, Tag
from rules.policy import Policy
from rules.protocols import Protocol, Protocols, Test, Together

CONTROLLED = frozenset({Schedule.ii, Schedule.iii, Schedule.iv, Schedule.v})
_STRICTEST_FIRST = (Schedule.ii, Schedule.iii, Schedule.iv, Schedule.v, Schedule.unknown, Schedule.not_controlled)


@dataclass(frozen=True, slots=True)
class Case:
    facts: Facts
    policy: Policy
    protocols: Protocols
    ingredients: tuple[str, ...]
    """Of the entry as coded, else as named, else of the drug asked for; () unknown."""
    asked: frozenset[str]
    """The same ingredients as a set."""
    beside: frozenset[str]
    """Ingredients of the patient's other active drugs, as far as they were read."""
    form: str
    schedule: Schedule
    """The strictest any reading of the drug gives; unknown when one of them is unknown and none controlled."""
    together: Together
    """What the protocols that cover the drug ask together."""
    applying: tuple[Protocol, ...]
    classes: tuple[str, ...]
    is_never_hold: bool | None
    days_since_visit: int | None
    visit_limit_days: int
    """The stricter of the policy and every protocol that applies."""
    sig: directions.Daily
    structured: directions.Daily
    days_supply: int | None
    """Per fill: the chart's figure, else exact from quantity and daily amount; None when they differ or neither is
    known."""
    days_supply_computed: int | None
    standing: supply.Standing
    run_out_on: date | None
    tests: tuple[Test, ...] = ()
    """Every test the classes ask of this drug, the strictest window first where two ask for the same."""
    results: Mapping[str, tuple[Lab, ...]] = field(default_factory=dict)
    """Results by test key, newest first; undated ones before all others, as they might be the newest."""

    @property
    def is_controlled(self) -> bool | None:
        if self.schedule is Schedule.unknown:
            return None
        return self.schedule in CONTROLLED

    @property
    def is_tagged(self) -> bool | None:
        """The message carries the tag its recipe triggers on (F057), or the practice does not insist."""
        reading = self.facts.reading
        if reading.tag is Tag.unknown:
            return None
        if reading.kind is Kind.pharmacy_change:
            return reading.tag is Tag.pharmacy_change
        return reading.tag is Tag.refill or (reading.tag is Tag.none and self.policy.untagged_refill_may_be_automatic)

    @property
    def is_visit_overdue(self) -> bool | None:
        """Beyond the *policy's* limit (a class may ask for more often; that is a finding, not this)."""
        if self.days_since_visit is None:
            return None
        return self.days_since_visit > self.policy.visit_limit_days

    @property
    def is_class_automatic(self) -> bool:
        """Every class that applies is routed automatic or opted in, and adopted by the practice."""
        return bool(self.applying) and all(
            one.route in ("auto", "opt_in") and one.key in self.policy.adopted_classes for one in self.applying
        )


def of(*, facts: Facts, policy: Policy, protocols: Protocols) -> Case:
    """Work out everything that follows. May raise on impossible facts; `decision.decide` turns that into a person."""
    readings = _readings(facts)
    first = readings[0] if readings else None
    ingredients = first.ingredients if first is not None else ()
    form = first.form if first is not None else ""
    together = protocols.together(ingredients=ingredients, form=form)
    within = together.visit_within_days
    sig, structured, days, computed = _amounts(facts)
    standing = supply.standing(facts=facts, entry_days_supply=days)
    visit_on = facts.visit.last_qualifying_on
    return Case(
        facts=facts,
        policy=policy,
        protocols=protocols,
        ingredients=ingredients,
        asked=frozenset(ingredients),
        beside=frozenset([name for drug in facts.other_drugs or () for name in drug.ingredients]),
        form=form,
        schedule=_schedule(readings, ingredients, protocols),
        together=together,
        applying=together.applying,
        classes=together.classes,
        is_never_hold=_never_hold(facts, readings, protocols),
        days_since_visit=None if visit_on is None else (facts.today - visit_on).days,
        visit_limit_days=policy.visit_limit_days if within is None else min(policy.visit_limit_days, within),
        sig=sig,
        structured=structured,
        days_supply=days,
        days_supply_computed=computed,
        standing=standing,
        run_out_on=facts.run_out_on or standing.run_out_on,
        tests=together.tests,
        results=_results(facts.labs) if facts.labs else {},
    )


def _results(labs: tuple[Lab, ...]) -> dict[str, tuple[Lab, ...]]:
    found: dict[str, list[Lab]] = {}
    for lab in labs:
        found.setdefault(lab.key, []).append(lab)
    return {
        key: tuple(sorted(rows, key=lambda lab: lab.on or date.max, reverse=True)) if len(rows) > 1 else tuple(rows)
        for key, rows in found.items()
    }


def _readings(facts: Facts) -> tuple[Drug, ...]:
    """Every reading of the drug we hold, the entry's code first."""
    entry = facts.entry
    found = (entry.as_coded, entry.as_named, facts.drug) if entry is not None else (facts.drug,)
    return tuple(one for one in found if one is not None)


def _schedule(readings: tuple[Drug, ...], ingredients: tuple[str, ...], protocols: Protocols) -> Schedule:
    """Strictest reading wins; a controlled class whose reading says otherwise is a contradiction, hence unknown."""
    held = {one.schedule for one in readings} or {Schedule.unknown}
    if not ingredients:
        held.add(Schedule.unknown)
    strictest = next(one for one in _STRICTEST_FIRST if one in held)
    if strictest is Schedule.not_controlled:
        names = {name for one in readings for name in one.ingredients}
        if any(protocols.by_key[key].is_controlled for key in protocols.classes_of(ingredients=names)):
            return Schedule.unknown
    return strictest


def _never_hold(facts: Facts, readings: tuple[Drug, ...], protocols: Protocols) -> bool | None:
    """False only when drug asked for, name and code were all read and none is such a drug; else it may be one."""
    answers = [protocols.is_never_hold(ingredients=named) for named in {one.ingredients for one in readings}]
    if any(answers):
        return True
    entry = facts.entry
    if facts.drug is None or entry is None or entry.as_named is None or entry.as_coded is None:
        return None
    return None if None in answers else False


def _amounts(facts: Facts) -> tuple[directions.Daily, directions.Daily, int | None, int | None]:
    entry = facts.entry
    if entry is None:
        unknown = directions.Daily(reason="absent")
        return unknown, unknown, None, None
    sig = directions.read_sig(text=entry.sig_text)
    structured = directions.read_structured(directions=entry.directions)
    computed = directions.days_supply(quantity=entry.dispense_quantity, unit=entry.dispense_unit, daily=sig)
    given = entry.days_supply
    if given is not None and computed is not None and given != computed:
        return sig, structured, None, computed
    return sig, structured, given if given is not None else computed, computed
