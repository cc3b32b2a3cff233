"""How many decisions a second one core makes with every recipe, protocol and guard and a full trace.

And how fast a draft is tried on recorded decisions: opened, read and judged.
"""

import random
import time
import uuid
from typing import Any

import orjson

from refillhub.practices import sealing
from rules import decision, documents, preview, protocols, recipes, recording, transcript
from rules.facts import Drug, Facts, Schedule
from rules.findings import Outcome
from rules.policy import Policy
from tests.bench.stack import Stack
from tests.rules import wards

PATIENTS = 2_000
ROUNDS = 5  # long enough that a busy machine's moods even out
TABLE = protocols.load()
OTHERS = ("amlodipine", "metformin", "sertraline", "cetirizine", "allopurinol", "montelukast", "losartan")


def measure(*, stack: Stack, runs: int) -> list[dict[str, Any]]:
    """Decisions per CPU second over varied patients with eight drugs; preview seconds for 100,000 records."""
    dice = random.Random(1)
    patients = [_with_eight_drugs(wards.patient(dice)) for _ in range(PATIENTS)]
    on = recipes.ready_made()
    policy = Policy(adopted_classes=frozenset(TABLE.by_key))
    results = []
    for _ in range(runs):
        began = time.process_time()
        for known in patients * ROUNDS:
            decision.decide(facts=known, policy=policy, recipes=on, protocols=TABLE)
        rate = PATIENTS * ROUNDS / (time.process_time() - began)
        results.append({"rate": round(rate), "preview_s": round(_preview_seconds(patients), 1)})
    return results


def _with_eight_drugs(known: Facts) -> Facts:
    others = tuple(Drug(name, "", (name,), "10 mg", "Oral Tablet", Schedule.not_controlled) for name in OTHERS)
    values = {name: getattr(known, name) for name in known.__slots__}
    named = known.drug.ingredients if known.drug else ()
    asked = {test.key for key in TABLE.classes_of(ingredients=named) for test in TABLE.by_key[key].tests}
    labs = None if known.labs is None else tuple(lab for lab in known.labs if lab.key in asked)  # as a chart has them
    return Facts(**{**values, "other_drugs": others, "labs": labs})


def _outcome(known: Facts, rules: documents.Rules) -> Outcome:
    return decision.decide(
        facts=known, policy=rules.policy, recipes=rules.recipes, protocols=protocols.load()
    ).outcome


def _preview_seconds(patients: list[Facts]) -> float:
    """CPU seconds for 100,000 recorded decisions: unsealed, parsed, judged by the draft."""
    practice = uuid.UUID(int=1)
    sealed = [
        sealing.seal(
            orjson.dumps(transcript.to_document(facts=known)),
            practice_id=practice,
            stage="dev",
            purpose=recording.PURPOSE,
        )
        for known in patients
    ]
    rules, tally = documents.check(document={}), preview.Tally()
    outcomes = [_outcome(known, rules) for known in patients]  # a draft changes few: most are decided once
    began = time.process_time()
    for number, body in enumerate(sealed):
        plain = sealing.unseal(body, practice_id=practice, stage="dev", purpose=recording.PURPOSE)
        case = preview.Case(
            record_id=number,
            request_id=practice,
            facts=transcript.from_document(document=orjson.loads(plain)),
            outcome=outcomes[number],
            recipe="review",
        )
        preview.judge(case=case, draft=rules, in_force=rules, tally=tally)
    return (time.process_time() - began) * 100_000 / len(sealed)
