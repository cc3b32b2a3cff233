"""What a draft of the rules would have decided: recorded facts in, a tally out. Pure; reads no row and acts on nothing.

Old is what was decided at the time. Where today's rules in force would no longer decide so either, the change is not
the draft's and is counted apart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from rules import bounds, decision, documents
from rules.documents import Rules
from rules.facts import Facts
from rules.findings import CAUTION, Decision, Outcome

SHOWN = 500  # changed cases kept one by one, the unsafe ones first; all are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recorded decision. `people`: what people did with the request afterwards, as a code ("" unknown)."""

    record_id: int
    request_id: UUID
    facts: Facts
    outcome: Outcome
    recipe: str
    people: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A case the draft decides otherwise. Age as a band, codes and figures only: never a name."""

    record_id: int
    request_id: UUID
    before: Outcome
    after: Outcome
    recipe: str
    reasons: tuple[str, ...]
    before_reasons: tuple[str, ...]
    age_band: str
    drug_class: str
    is_shadow: bool
    people: str

    @property
    def is_newly_automatic(self) -> bool:
        """A prescription would leave without a person where none did."""
        return self.after is Outcome.auto_approve

    @property
    def is_less_cautious(self) -> bool:
        return CAUTION[self.after] < CAUTION[self.before]


@dataclass(slots=True)
class Tally:
    """The confusion matrix and the changed cases of a run; grows case by case."""

    counted: int = 0
    shadow: int = 0
    unreadable: int = 0
    matrix: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    agreement: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(recipe, drug class, "agree" | "differ" | "left" | "open"): the draft beside what people did (F129)."""
    by_people: Counter[str] = field(default_factory=Counter)
    """What people had done with the newly automatic ones."""
    newly_automatic: int = 0
    less_cautious: int = 0
    changed: int = 0
    not_the_drafts: int = 0
    """Cases today's rules in force decide otherwise than was decided then."""
    changes: list[Change] = field(default_factory=list)

    def bound(self) -> float | None:
        """Upper 95 % limit of the unsafe share of the newly automatic ones, as far as people's own answers tell."""
        unsafe = sum(count for people, count in self.by_people.items() if people in UNSAFE)
        return bounds.upper(bad=unsafe, of=self.newly_automatic)


AGREES = {
    Outcome.auto_approve: "approved", Outcome.ask_visit: "visit_asked", Outcome.tell: "told",
    Outcome.duplicate: "duplicate",
}  # fmt: skip
"""What a person does who agrees with an outcome that needs none. All others are left to people by the rules."""
DECIDED = frozenset({"approved", "denied", "visit_asked", "changed", "cancelled", "answered", "told", "duplicate"})
UNSAFE = frozenset({"denied", "visit_asked", "changed", "cancelled", "answered"})
"""What people did that an automatic approval would have got wrong."""


def judge(*, case: Case, draft: Rules, in_force: Rules, tally: Tally) -> None:
    """Decide one case by the draft and count it. Never raises on facts: `decision.decide` does not."""
    made = _decide(case.facts, draft)
    tally.counted += 1
    tally.shadow += case.facts.switches.is_shadow
    tally.matrix[case.outcome, made.outcome] += 1
    tally.agreement[made.recipe, made.drug_class, _answer(made.outcome, case.people)] += 1
    if made.outcome is case.outcome:
        return
    now = _decide(case.facts, in_force)
    if now.outcome is made.outcome:
        tally.not_the_drafts += 1
        return
    change = _change(case, made, now)
    tally.changed += 1
    tally.less_cautious += change.is_less_cautious
    if change.is_newly_automatic:
        tally.newly_automatic += 1
        tally.by_people[case.people] += 1
    _keep(tally, change)


def _answer(outcome: Outcome, people: str) -> str:
    """How the outcome stands beside what people did; "left" where the rules leave it to them."""
    if outcome not in AGREES:
        return "left"
    if people not in DECIDED:
        return "open"
    return "agree" if people == AGREES[outcome] else "differ"


def _decide(facts: Facts, rules: Rules) -> Decision:
    return decision.decide(facts=facts, policy=rules.policy, recipes=rules.recipes, protocols=rules.protocols)


def _change(case: Case, made: Decision, now: Decision) -> Change:
    return Change(
        record_id=case.record_id,
        request_id=case.request_id,
        before=case.outcome,
        after=made.outcome,
        recipe=made.recipe,
        reasons=made.reasons,
        before_reasons=now.reasons,
        age_band=_band(case.facts.patient.age_years),
        drug_class=made.drug_class,
        is_shadow=case.facts.switches.is_shadow,
        people=case.people,
    )


def _keep(tally: Tally, change: Change) -> None:
    """Unsafe ones are always kept in preference; what is not kept is still counted."""
    if len(tally.changes) < SHOWN:
        tally.changes.append(change)
    elif change.is_less_cautious:
        for index in range(len(tally.changes) - 1, -1, -1):
            if rank(tally.changes[index]) > rank(change):
                tally.changes[index] = change
                return


def rank(change: Change) -> tuple[bool, bool, bool]:
    """Newly automatic first, of these the ones people did not simply approve; then whatever is less cautious."""
    return (not change.is_newly_automatic, change.people not in UNSAFE, not change.is_less_cautious)


def _band(age: int | None) -> str:
    """ "40 to 49"; ages from 90 are one band (45 CFR 164.514(b)(2)(i)(C))."""
    if age is None:
        return "unknown"
    return "90 or more" if age >= 90 else f"{age // 10 * 10} to {age // 10 * 10 + 9}"


def rules_of(*, document: object) -> Rules:
    """The rules of a document, None: the safe defaults. Raises as `documents.check`."""
    return documents.check(document={} if document is None else document)
