"""DecisionRecords: each decision with its facts, trace and rule version, so that it can be explained years later (law
11).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from review.context import Context
from review.models import RefillRequest
from rules import recording
from rules.decision import Decision
from rules.facts import Facts


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision on one request."""

    request: RefillRequest
    facts: Facts
    decision: Decision


def store(*, decided: Sequence[Decided], now: datetime, context: Context) -> None:
    """Write the records of a batch in the decisions' own transaction."""
    recording.store(
        rows=[
            recording.Recorded(
                practice=one.request.practice,
                request_id=one.request.id,
                version_id=context.rules[one.request.practice_id].version_id,
                citations=context.rules[one.request.practice_id].citations,
                facts=one.facts,
                decision=one.decision,
            )
            for one in decided
        ],
        now=now,
    )
