"""Facts in, a decision out, one JSON line each: for measuring the rules against another judge, never for acting. Pure.

The shapes are described in docs/facts.md.
"""

from __future__ import annotations

import json
from typing import Any

from rules import decision, transcript
from rules.documents import Rules
from rules.findings import Decision


class BadLine(ValueError):
    """A line is no case; the message names the path and the mend."""


def answer(*, line: str, rules: Rules) -> str:
    """The decision on `{"id": ..., "facts": {...}}` as one JSON line. Raises BadLine."""
    try:
        case = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadLine(f"is no JSON: {error}") from error
    if not isinstance(case, dict) or set(case) - {"id", "facts", "note"} or "facts" not in case:
        raise BadLine("must be an object with 'facts', and 'id' or 'note' beside it")
    try:
        facts = transcript.from_document(document=case["facts"])
    except transcript.TranscriptError as error:
        raise BadLine(str(error)) from error
    made = decision.decide(facts=facts, policy=rules.policy, recipes=rules.recipes, protocols=rules.protocols)
    return json.dumps({"id": case.get("id"), **to_document(made=made)}, ensure_ascii=False)


def to_document(*, made: Decision) -> dict[str, Any]:
    """A decision as JSON, whole."""
    return {
        "outcome": made.outcome.value,
        "proposed": made.proposed.value,
        "recipe": made.recipe,
        "queue": made.queue.value,
        "drug_class": made.drug_class,
        "tell_kind": made.tell_kind.value,
        "is_pressing": made.is_pressing,
        "reasons": list(made.reasons),
        "what_would_change_it": list(made.what_would_change_it),
        "findings": [
            {
                "code": one.code, "sentence": one.sentence, "severity": one.severity.value, "value": one.value,
                "limit": one.limit, "age_days": one.age_days, "source": one.source, "mend": one.mend,
            }
            for one in made.findings
        ],
        "trace": [
            {
                "node": one.node, "fact": one.fact, "value": one.value, "threshold": one.threshold,
                "result": one.result, "source": one.source, "age_days": one.age_days,
            }
            for one in made.trace
        ],
    }  # fmt: skip
