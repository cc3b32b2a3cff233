"""Writes and reads DecisionRecords: facts sealed, trace and findings as codes and numbers. Decides nothing.

`store` belongs into the transaction of the decision's own change; it opens none.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from refillhub.practices import sealing
from refillhub.practices.models import Practice
from rules import citing, transcript
from rules.citing import NOTHING_CITED, Citations
from rules.facts import Facts
from rules.findings import Decision, Finding, TraceStep
from rules.models import DecisionRecord

PURPOSE = "decision-facts"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One decision to be kept. `version_id` None: the safe defaults."""

    practice: Practice
    request_id: uuid.UUID
    version_id: uuid.UUID | None
    facts: Facts
    decision: Decision
    citations: Citations = NOTHING_CITED


def store(*, rows: Sequence[Recorded], now: datetime) -> None:
    """Add the records of a batch with one insert."""
    DecisionRecord.objects.bulk_create([_record(row, now) for row in rows])


def _record(row: Recorded, now: datetime) -> DecisionRecord:
    plain = orjson.dumps(transcript.to_document(facts=row.facts))
    made = row.decision
    return DecisionRecord(
        practice=row.practice,
        request_id=row.request_id,
        at=now,
        version_id=row.version_id,
        facts_sealed=sealing.seal(plain, practice_id=row.practice.id, stage=row.practice.stage, purpose=PURPOSE),
        outcome=made.outcome.value,
        recipe=made.recipe,
        drug_class=made.drug_class[:200],
        reasons=list(made.reasons),
        findings=[_finding(one) for one in made.findings],
        trace=[_step(one) for one in made.trace],
        clauses=list(citing.cited(made=made, citations=row.citations)),
    )


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "code": one.code, "severity": one.severity.value, "value": one.value, "limit": one.limit,
        "age_days": one.age_days, "source": one.source, "next_step": one.next_step,
    }  # fmt: skip


def _step(one: TraceStep) -> list[Any]:
    return [one.node, one.fact, one.value, one.threshold, one.result, one.source, one.age_days]


def facts_of(*, record: DecisionRecord) -> Facts:
    """The facts of a kept decision. Raises sealing.SealBroken, transcript.TranscriptError."""
    practice = record.practice
    plain = sealing.unseal(bytes(record.facts_sealed), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE)
    return transcript.from_document(document=orjson.loads(plain))
