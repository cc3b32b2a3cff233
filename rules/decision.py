"""decide(facts, policy, recipes, protocols): the one place where the order of deciding is visible.

Pure: the same facts give the same decision for ever. It acts on nothing and can only answer.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rules import care, guards, nearest, results, safety
from rules import case as cases
from rules import recipes as graphs
from rules.case import Case
from rules.facts import Facts, Kind
from rules.findings import CAUTION, Decision, Finding, Outcome, Queue, Severity, TellKind, TraceStep
from rules.policy import Policy
from rules.protocols import Protocols
from rules.recipes import Match, Recipe

__all__ = ["CAUTION", "Decision", "Finding", "Outcome", "Queue", "Severity", "TellKind", "TraceStep", "decide"]

AUTO = frozenset({Outcome.auto_approve})
ANSWERS = frozenset({Outcome.auto_approve, Outcome.tell, Outcome.ask_visit, Outcome.pharmacy_change})
"""Whatever reaches the patient or a pharmacy without a person."""
ACTS = ANSWERS | {Outcome.controlled_task}
ALL_BUT_PERSON = frozenset(Outcome) - {Outcome.person}
PARKS = frozenset({Outcome.hold, Outcome.ask_visit})
NONE: frozenset[Outcome] = frozenset()


@dataclass(frozen=True, slots=True)
class Guard:
    """A check and the outcomes its finding bars. `is_clerical`: an assistant can clear it."""

    check: Callable[[Case], Finding | tuple[Finding, ...] | None]
    bars: frozenset[Outcome]
    is_clerical: bool = False
    shows: Callable[[Case], object] | None = None
    is_quiet: bool = False
    """Said only when it bars the outcome proposed."""
    name: str = field(init=False)
    passed: TraceStep = field(init=False)
    """The step of a guard that has no figure to show and no objection; one value for all cases."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.check.__name__)
        object.__setattr__(self, "passed", TraceStep("guard", self.name, "", "", True))


# 1. Looked at before everything else, hold included.
FIRST: tuple[Guard, ...] = (
    Guard(guards.emergency, ALL_BUT_PERSON),
    Guard(guards.symptom, ALL_BUT_PERSON),
    Guard(guards.not_a_request, ALL_BUT_PERSON, is_clerical=True),
)
# 3. After every recipe.
AFTER: tuple[Guard, ...] = (
    Guard(guards.not_plain, ACTS | {Outcome.duplicate}, is_clerical=True),
    Guard(guards.doubts, ACTS | {Outcome.duplicate}, True, lambda c: c.facts.reading.confidence_percent),
    Guard(guards.channel, ACTS | {Outcome.duplicate}, is_clerical=True),
    Guard(guards.author, ACTS | {Outcome.duplicate}, is_clerical=True),
    Guard(guards.identity, ACTS | {Outcome.duplicate}, is_clerical=True),
    Guard(guards.patient_status, ACTS, is_clerical=True),
    Guard(guards.newer_message, ANSWERS, is_clerical=True),
    Guard(guards.open_request, ACTS),
    Guard(guards.earlier_denied, ANSWERS | {Outcome.duplicate}),
    Guard(guards.automatic_stopped, AUTO),
    Guard(guards.sending_stopped, ANSWERS),
    Guard(guards.hours_unknown, ANSWERS),
    Guard(guards.named_pharmacy, frozenset({Outcome.pharmacy_change}), is_clerical=True),
    Guard(guards.not_a_refill, ACTS - {Outcome.pharmacy_change} | {Outcome.duplicate}, is_quiet=True),
    Guard(guards.not_a_pharmacy_change, frozenset({Outcome.pharmacy_change}), is_quiet=True),
    Guard(guards.not_closed, frozenset({Outcome.hold}), is_quiet=True),
    Guard(guards.no_fills_left, frozenset({Outcome.tell}), is_quiet=True),
)
REFILL: tuple[Guard, ...] = (
    Guard(guards.matched, ACTS, True, lambda c: c.facts.entries_matching),
    Guard(guards.schedule_unknown, ACTS, shows=lambda c: c.schedule.value),
    Guard(guards.controlled, ANSWERS, shows=lambda c: c.schedule.value),
    Guard(safety.controlled_visit, ANSWERS),
    Guard(safety.opioid_quantity, ANSWERS),
    Guard(safety.federal_refills, ANSWERS),
    Guard(safety.federal_supply, ANSWERS),
    Guard(guards.entry_active, ANSWERS),
    Guard(guards.entry_kind, ANSWERS),
    Guard(guards.prescriber_ours, ACTS),
    Guard(guards.prescriber_ready, AUTO),
    Guard(guards.mirror, ANSWERS, True, lambda c: c.facts.mirror_age_minutes),
    Guard(guards.name_and_code, AUTO | {Outcome.tell}),
    Guard(guards.asked_is_listed, AUTO | {Outcome.tell, Outcome.ask_visit}),
    Guard(guards.directions_agree, AUTO),
    Guard(guards.days_supply, AUTO, shows=lambda c: c.days_supply),
    Guard(guards.refills, AUTO),
    Guard(guards.authorised_time, AUTO),
    Guard(guards.visit, AUTO, shows=lambda c: c.days_since_visit),
    Guard(guards.fill_history, AUTO, shows=lambda c: c.standing.days_since),
    Guard(guards.supplies_known, AUTO),
    Guard(guards.too_early, AUTO, shows=lambda c: c.standing.least_used_percent),
    Guard(guards.too_late, AUTO),
    Guard(guards.pharmacy, AUTO, is_clerical=True),
    Guard(safety.drug_class, AUTO),
    Guard(results.labs, AUTO),
    Guard(results.copy_age, AUTO, shows=lambda c: c.facts.labs_age_minutes),
    Guard(results.changes, AUTO),
    Guard(safety.stops, AUTO),
    Guard(safety.age, AUTO, shows=lambda c: c.facts.patient.age_years),
    Guard(safety.pregnancy, AUTO),
    Guard(safety.allergy, AUTO),
    Guard(safety.other_drugs, AUTO),
    Guard(safety.interaction, AUTO),
    Guard(safety.therapeutic_duplicate, AUTO),
    Guard(safety.stable_time, AUTO),
    Guard(safety.gap_hurts, PARKS, is_quiet=True),
    Guard(safety.unchecked, NONE),
    Guard(care.visit_gap, NONE),
    Guard(care.lab_gaps, NONE),
    Guard(care.bridge, NONE),
)


def decide(*, facts: Facts, policy: Policy, recipes: Sequence[Recipe], protocols: Protocols) -> Decision:
    """What is to become of the request.

    1. emergency, symptom, not a request: a person, before any hold; 2. duplicate, else the most cautious recipe that
    matches (first of equals), else plain review; 3. the guards, each only more cautious; 4. queue and urgency.
    Never raises: a step that fails is a finding, and the request a person's.
    """
    try:
        case = cases.of(facts=facts, policy=policy, protocols=protocols)
    except Exception as error:  # law 6: a check that raises blocks approval
        return _failed("facts", error, facts)
    trace: list[TraceStep] = []
    hits = _run(FIRST, case, trace)
    if hits:
        return _for_person(case, hits, trace)
    match, broken = _propose(case, recipes, trace)
    checks = AFTER + REFILL if facts.reading.kind is Kind.refill else AFTER
    found = [*broken, *_run(checks, case, trace)]
    hits = [one for one in found if not one[0].is_quiet or match.action.outcome in one[0].bars]
    barred = [one for one in hits if match.action.outcome in one[0].bars]
    outcome = Outcome.review if barred else match.action.outcome
    return _compose(case, recipes, match, outcome, hits, barred, trace)


Hit = tuple[Guard, Finding]


def _run(checks: Sequence[Guard], case: Case, trace: list[TraceStep]) -> list[Hit]:
    hits: list[Hit] = []
    for guard in checks:
        name = guard.name
        try:
            said = guard.check(case)
        except Exception as error:  # law 6: a check that raises blocks approval
            guard, said = Guard(guard.check, ALL_BUT_PERSON - {Outcome.review}), _broken(name, error)
        if not said:
            shown = guard.shows(case) if guard.shows is not None else None
            trace.append(guard.passed if shown is None else _shown(name, str(shown)))
            continue
        for finding in said if isinstance(said, tuple) else (said,):
            if finding.severity is not Severity.notes:
                value, limit = finding.value, finding.limit
                trace.append(TraceStep("guard", name, value, limit, False, finding.source, finding.age_days))
            hits.append((guard, finding))
    return hits


@functools.lru_cache(maxsize=4096)
def _shown(guard: str, figure: str) -> TraceStep:
    """Steps repeat from case to case; they are frozen, so one will do for all."""
    return TraceStep("guard", guard, figure, "", True)


def _broken(name: str, error: Exception) -> Finding:
    return Finding(
        "check_failed", "A check could not be made.", Severity.blocks, f"{name}: {type(error).__name__}", source="law 6"
    )


def _propose(case: Case, recipes: Sequence[Recipe], trace: list[TraceStep]) -> tuple[Match, list[Hit]]:
    """The most cautious match of all recipes that are on; plain review when none matches."""
    broken: list[Hit] = []
    if _is_duplicate(case):
        return Match("duplicate", graphs.Act("then", Outcome.duplicate, Queue.assistant)), broken
    found: list[Match] = []
    for recipe in recipes:
        if not _is_on(case, recipe):
            continue
        try:
            match = graphs.walk(recipe=recipe, case=case, trace=trace)
        except Exception as error:  # law 6: a check that raises blocks approval
            broken.append((Guard(guards.not_plain, ALL_BUT_PERSON - {Outcome.review}), _broken(recipe.key, error)))
            continue
        if match is not None:
            found.append(match)
    if not found:
        return Match("review", graphs.Act("then", Outcome.review, Queue.prescriber)), broken
    chosen = max(found, key=lambda one: CAUTION[one.action.outcome])
    if len({one.action.outcome for one in found}) > 1:
        said = ", ".join(f"{one.recipe}: {one.action.outcome.value}" for one in found)
        trace.append(TraceStep("recipes", "disagreement", said, f"most cautious: {chosen.recipe}", True))
    return chosen, broken


def _is_duplicate(case: Case) -> bool:
    """F050, law 6: a second plain request for the same drug, strength and pharmacy, at most 24 hours after the first,
    while that is active or sent. Everything else about an open request is a person's."""
    earlier = case.facts.earlier
    seconds = earlier.opened_seconds_ago
    return (
        case.facts.reading.kind is Kind.refill
        and earlier.is_same_open is True
        and earlier.is_same_in_every_point is True
        and seconds is not None
        and 0 <= seconds <= case.policy.duplicate_hours * 3600
    )


def _for_person(case: Case, hits: list[Hit], trace: list[TraceStep]) -> Decision:
    codes = tuple(finding.code for _, finding in hits)
    clinical = any(not guard.is_clerical for guard, _ in hits)
    is_emergency = case.facts.reading.is_emergency is not False
    closed = case.facts.hours.is_closed_now is not False
    if is_emergency or (clinical and closed and case.policy.is_on_call_enabled):
        queue = Queue.on_call
    else:
        queue = Queue.prescriber if clinical else Queue.assistant
    return Decision(
        outcome=Outcome.person, recipe="guard", queue=queue, reasons=codes, findings=tuple(f for _, f in hits),
        trace=tuple(trace), is_pressing=clinical, proposed=Outcome.person,
    )  # fmt: skip


def _compose(
    case: Case,
    recipes: Sequence[Recipe],
    match: Match,
    outcome: Outcome,
    hits: list[Hit],
    barred: list[Hit],
    trace: list[TraceStep],
) -> Decision:
    pressing = _is_pressing(case, outcome)
    reasons = [finding.code for _, finding in barred]
    queue = match.action.queue
    if outcome is Outcome.review:
        relevant = barred or [one for one in hits if one[1].severity is not Severity.notes]
        clerical = any(guard.is_clerical for guard, _ in relevant)
        queue = Queue.assistant if clerical else Queue.prescriber
        reasons = reasons or [finding.code for _, finding in relevant] or ["plain_review"]
        gap_at_night = match.action.outcome is Outcome.hold or case.facts.hours.is_closed_now is True
        if gap_at_night and pressing and case.policy.is_on_call_enabled:
            queue = Queue.on_call
    elif outcome is Outcome.hold and pressing and case.policy.is_on_call_enabled:
        # C11: a drug that runs out, or may run out, before we open goes to the on-call where enabled.
        outcome, queue = Outcome.review, Queue.on_call
        reasons = ["runs_out_before_opening"]
    return Decision(
        outcome=outcome,
        recipe=match.recipe,
        queue=queue,
        reasons=tuple(dict.fromkeys(reasons or [match.recipe])),
        findings=tuple(finding for _, finding in hits),
        trace=tuple(trace),
        what_would_change_it=_mends(case, recipes, hits) if outcome is not Outcome.auto_approve else (),
        tell_kind=match.action.tell_kind if outcome is Outcome.tell else TellKind.none,
        is_pressing=pressing,
        proposed=match.action.outcome,
        drug_class="+".join(one.key for one in case.applying),
    )


def _is_pressing(case: Case, outcome: Outcome) -> bool:
    """Runs out (or may) before anyone looks. Held and never-hold drugs: an unknown end counts as pressing."""
    if case.facts.reading.kind is not Kind.refill:
        return False
    if case.facts.reading.is_out_of_drug:
        return True
    end, days = case.run_out_on, timedelta(days=case.policy.short_supply_days)
    if end is None:
        return outcome is Outcome.hold or case.is_never_hold is not False or case.facts.hours.is_closed_now is True
    opening = case.facts.hours.next_opening_on if case.facts.hours.is_closed_now else None
    return end <= (opening or case.facts.today) + days


def _mends(case: Case, recipes: Sequence[Recipe], hits: list[Hit]) -> tuple[str, ...]:
    """The fewest changes that would have let it pass automatically; see `rules.nearest`."""
    if case.facts.reading.kind is not Kind.refill:
        return ()
    needed = [finding for guard, finding in hits if Outcome.auto_approve in guard.bars]
    return nearest.mends(case=case, recipes=[one for one in recipes if _is_on(case, one)], needed=needed)


def _is_on(case: Case, recipe: Recipe) -> bool:
    return recipe.key not in graphs.SHIPPED_KEYS or recipe.key in case.policy.enabled_recipes


def _failed(step: str, error: Exception, facts: Facts) -> Decision:
    """Nothing could be worked out: an emergency still is one, all else is a review."""
    urgent = facts.reading.is_emergency is not False or facts.reading.has_symptom is not False
    finding = _broken(step, error)
    return Decision(
        outcome=Outcome.person if urgent else Outcome.review,
        recipe="guard",
        queue=Queue.on_call if facts.reading.is_emergency is not False else Queue.prescriber,
        reasons=(finding.code,),
        findings=(finding,),
        trace=(TraceStep("guard", step, "", "", None),),
        is_pressing=True,
        proposed=Outcome.review,
    )
