"""Value types of a decision: Outcome, Queue, Finding, TraceStep, Decision.

Codes are for ever and go to audit and trace; sentences are for people. Nothing here holds a name or a patient's words.
`rules.decision` re-exports all of it; readers outside the package import from there.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What is to become of the request. Values are for ever."""

    auto_approve = "auto_approve"
    tell = "tell"
    pharmacy_change = "pharmacy_change"
    ask_visit = "ask_visit"
    duplicate = "duplicate"
    hold = "hold"
    controlled_task = "controlled_task"
    """Handed to the prescriber in the EHR (`handing_off`)."""
    review = "review"
    """In a queue of ours, as a refill request."""
    person = "person"
    """An item for a person (`kind=message`): no drug decision is made."""


CAUTION: dict[Outcome, int] = {
    Outcome.auto_approve: 0,
    Outcome.tell: 1,
    Outcome.pharmacy_change: 1,
    Outcome.ask_visit: 1,
    Outcome.duplicate: 1,
    Outcome.hold: 1,
    Outcome.controlled_task: 2,
    Outcome.review: 2,
    Outcome.person: 3,
}
"""Higher is more cautious: 0 a prescription leaves, 1 something happens without a person, 2 a person decides,
3 a person reads before anything else."""


class Queue(StrEnum):
    prescriber = "prescriber"
    assistant = "assistant"
    on_call = "on_call"
    administrator = "administrator"


class Severity(StrEnum):
    blocks = "blocks"
    """Never automatic, and a prescriber's matter."""
    needs_person = "needs_person"
    """Not automatic until a person has looked."""
    notes = "notes"
    """Shown beside the request; bars nothing."""


class TellKind(StrEnum):
    none = ""
    fills_left = "fills_left"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's objection. `value` and `limit` are plain text of numbers and codes ("366", "365"); no names."""

    code: str
    sentence: str
    severity: Severity
    value: str = ""
    limit: str = ""
    age_days: int | None = None
    """How old the fact is that the rule looked at, where it has a date."""
    source: str = ""
    """Law or document the rule rests on."""
    mend: str = ""
    """What would have let it pass, as a sentence; "" when nothing would."""
    clause: str = ""
    """Clause of the practice's written policy the rule is linked to (F079); filled by a later version."""
    next_step: str = ""
    """What a person may do about it ("order potassium; last 2025-10-01, due now"); tests, dates and numbers only."""


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One condition looked at. `result` None = unknown. Codes and numbers only."""

    node: str
    fact: str
    value: str
    threshold: str
    result: bool | None
    source: str = ""
    age_days: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Outcome + why. `reasons` are the codes that led to it, most important first."""

    outcome: Outcome
    recipe: str
    """Key of the recipe whose branch was taken ("review" for plain review, "guard" when a guard alone led there)."""
    queue: Queue
    """Who owns it when a person is needed now or if the automatic step fails."""
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    trace: tuple[TraceStep, ...] = ()
    what_would_change_it: tuple[str, ...] = ()
    tell_kind: TellKind = TellKind.none
    is_pressing: bool = False
    """Runs out before anyone looks, or may: top of the queue and of the morning report."""
    proposed: Outcome = Outcome.review
    """What the recipe alone would have done, before the guards."""
    drug_class: str = ""
    """Protocol row that was applied, "" for none."""
