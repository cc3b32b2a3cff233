"""Verification of a long audit chain, read from PostgreSQL by the command people use."""

import time
import uuid
from datetime import UTC, datetime
from typing import Any

from django.core.management import call_command
from django.db import transaction

from audit import log
from audit.events import Actor, ActorKind, Draft
from tests.bench.stack import Stack

ENTRIES = 200_000
BATCH = 2_000


def measure(*, stack: Stack, runs: int) -> list[dict[str, Any]]:
    """Entries per second of each run over the same chain."""
    practice = uuid.uuid4()
    actor = Actor(kind=ActorKind.system, id="bench")
    for _ in range(ENTRIES // BATCH):
        drafts = [
            Draft(
                practice_id=practice,
                event="request.decided",
                actor=actor,
                request_id=uuid.uuid4(),
                patient_ref=uuid.uuid4().hex,
                outcome="approved",
                decision_path=("recipe.routine", "guard.supply"),
                data={"version": 3, "findings": ["visit_recent"]},
            )
            for _ in range(BATCH)
        ]
        with transaction.atomic():
            log.record_many(now=datetime.now(UTC), drafts=drafts)
    results = []
    for _ in range(runs):
        began = time.perf_counter()
        call_command("verify_audit", verbosity=0)
        seconds = time.perf_counter() - began
        results.append({"entries": ENTRIES, "seconds": round(seconds, 2), "rate": round(ENTRIES / seconds)})
    return results
