"""Refills end to end: signed webhooks in; decided, audited, NewRx out, chart recorded, patient told; counted outside.

The vendors answer at once; limiters, signatures, encryption and audit are on. A run begins with the first post and
ends when nothing is on its way any more. The vendors' own journals say what really happened, the audit is verified.
"""

import os
import time
from collections import Counter
from datetime import datetime
from typing import Any

from django.core.management import call_command
from django.db import connection as database

from refillhub.practices import clock
from review import states
from review.management import clinic_day
from review.models import Dispatch, InboundEvent, Progress, RefillRequest
from tests.bench import clinics, machine
from tests.bench.stack import Stack

PRACTICES = int(os.environ.get("BENCH_PRACTICES", "200"))
REFILLS = int(os.environ.get("BENCH_REFILLS", "500"))  # per run and number of connections
WARM_UP = min(200, REFILLS)
CONNECTIONS = (16, 64)
LONGEST = 150.0  # seconds; what is not through by then is counted as not through
UNDER_WAY = (states.DispatchState.QUEUED, states.DispatchState.SENDING, states.DispatchState.RETRY_WAIT)
UNREAD = (Progress.RECEIVED, Progress.READING)


def clinics_of(stack: Stack, *, runs: int) -> list[clinics.Clinic]:
    """The bench's clinics, opened once per run of the bench, with patients enough for every measure."""
    found: list[clinics.Clinic] = getattr(stack, "clinics", [])
    if not found:
        stack.start_vendors()
        wanted = (WARM_UP + (runs + 3) * len(CONNECTIONS) * REFILLS) // PRACTICES + 1
        found = stack.clinics = clinics.seed(now=clock.now(), practices=PRACTICES, patients=wanted)
    return found


def start(stack: Stack) -> None:
    """Web, worker and beat, where they do not run yet."""
    if "web" not in stack.children:
        stack.start_web()
    if "worker" not in stack.children:
        stack.start_workers()


def measure(*, stack: Stack, runs: int) -> list[dict[str, Any]]:
    """Each run's figures. Raises RuntimeError if a journal disagrees with what was asked."""
    stack.rest()
    found = clinics_of(stack, runs=runs)
    start(stack)
    play(stack=stack, asked=clinics.ask(clinics=found, count=WARM_UP, now=clock.now()), connections=16)
    results = []
    for _ in range(runs):
        result: dict[str, Any] = {}
        for connections in CONNECTIONS:
            clinics.age_mirror(now=clock.now())
            asked = clinics.ask(clinics=found, count=REFILLS, now=clock.now())
            told = play(stack=stack, asked=asked, connections=connections)
            result |= {f"{name}_{connections}": value for name, value in told.items()}
        results.append(result)
    began = time.perf_counter()
    call_command("verify_audit", verbosity=0)
    results[-1]["audit_verified_in_s"] = round(time.perf_counter() - began, 2)
    return results


def play(*, stack: Stack, asked: list[bytes], connections: int) -> dict[str, Any]:
    """Post, wait until nothing is on its way, count."""
    before, since = oracle(), clock.now()
    spent, ours = machine.processor_seconds(stack.ours()), time.perf_counter()
    vendors = machine.processor_seconds(stack.vendors())
    told = stack.load(requests=asked, connections=connections)
    quiet = wait_until_quiet(count=len(asked), since=since)
    seconds = quiet - ours
    spent = machine.processor_seconds(stack.ours()) - spent
    vendors = machine.processor_seconds(stack.vendors()) - vendors
    found = judged(before=before, count=len(asked))
    ended = RefillRequest.objects.filter(opened_at__gte=since)
    done = ended.filter(state=states.RequestState.DONE).count()
    others = ended.exclude(state=states.RequestState.DONE).values_list("state", "drug_name", "reasons")
    others_found = Counter(" ".join(map(str, row)) for row in others)
    return {
        "rate": round(done / seconds, 1),
        "done": done,
        "seconds": round(seconds, 1),
        "cpu_s_per_1000": round(spent * 1000 / max(done, 1), 1),
        "vendor_cpu_s": round(vendors, 1),
        "accept_p95_ms": told["p95_ms"],
        "accept_rate": told["rate"],
        "statuses": told["statuses"],
        "not_done": dict(others_found),
        **found,
    }


def wait_until_quiet(*, count: int, since: datetime) -> float:
    """Wait until every event is read and no dispatch is on its way; the moment (perf_counter) that was seen."""
    until = time.perf_counter() + LONGEST
    while True:
        seen = time.perf_counter()
        waiting = InboundEvent.objects.filter(progress__in=UNREAD).exists()
        if not waiting and not Dispatch.objects.filter(state__in=UNDER_WAY).exists():
            return seen
        if seen > until:
            return seen
        database.close()
        time.sleep(0.25)


# what really happened -----------------------------------------------------------------------------------------------


def oracle() -> dict[str, Counter[str]]:
    """By patient: prescriptions at pharmacies, chart records in DrChrono, replies in Klara."""
    desks = clinic_day.desks()
    rows = desks["surescripts"].get("prescriptions")["prescriptions"]
    replies = desks["klara"].get("replies")["replies"]
    changed = desks["drchrono"].get("journal", kind="medication.*")["entries"]
    return {
        "prescriptions": Counter(f"{row['patient']}" for row in rows),
        "replies": Counter(f"{row['practice']}/{row['conversation']}/{row['text']}" for row in replies),
        "chart": Counter(str(row["data"]["record"]["patient"]) for row in changed),
    }


def judged(*, before: dict[str, Counter[str]], count: int) -> dict[str, Any]:
    """Counts of this run, and how many patients got anything twice, ever."""
    now = oracle()
    new = {name: sum(now[name].values()) - sum(before[name].values()) for name in now}
    doubled = {f"{name}_doubled": sum(1 for times in rows.values() if times > 1) for name, rows in now.items()}
    return new | doubled | {"asked": count}
