"""SIGKILL to every process of ours under load, three times at moments fixed by a seed; then a count of what was lost.

What was accepted (202) must end exactly once: one prescription, one confirmation, or an item a person sees. The time
until new work is taken in again counts from the restart of the processes.
"""

import random
import time
from typing import Any

from refillhub.practices import clock
from review import states
from review.models import Dispatch, InboundEvent, Progress, RefillRequest
from tests.bench import clinics, refills
from tests.bench.stack import Stack

SEEDS = (11, 23, 47)
ASKED = min(400, refills.REFILLS)
LONGEST = 150.0


def measure(*, stack: Stack, runs: int) -> list[dict[str, Any]]:
    """One result per seed, as many as there are runs."""
    found = refills.clinics_of(stack, runs=runs)
    return [_one(stack, found, seed) for seed in SEEDS[:runs]]


def _one(stack: Stack, found: list[clinics.Clinic], seed: int) -> dict[str, Any]:
    refills.start(stack)
    time.sleep(2)
    before, since = refills.oracle(), clock.now()
    client = stack.begin_load(requests=clinics.ask(clinics=found, count=ASKED, now=clock.now()), connections=16)
    moment = random.Random(seed).uniform(1.0, 5.0)
    time.sleep(moment)
    stack.kill_ours()
    told = stack.report(client)
    accepted = dict(told["statuses"]).get("202", 0)  # type: ignore[call-overload]
    resumed = _resume(stack, found)
    _settled(since)
    after = refills.oracle()
    # Klara would repeat what was not answered; here only what was acknowledged counts, plus the probes of `_resume`.
    events = InboundEvent.objects.filter(received_at__gte=since)
    people = RefillRequest.objects.filter(opened_at__gte=since).exclude(state=states.RequestState.DONE)
    prescriptions = sum(after["prescriptions"].values()) - sum(before["prescriptions"].values())
    return {
        "killed_after_s": round(moment, 2),
        "accepted": accepted,
        "stored": events.count() - 1,
        "lost": max(0, accepted + 1 - events.count()) + events.exclude(progress=Progress.READ).count(),
        "prescriptions": prescriptions,
        "to_a_person": people.count(),
        "without_end": Dispatch.objects.filter(queued_at__gte=since, state__in=refills.UNDER_WAY).count(),
        "prescribed_twice": sum(1 for times in after["prescriptions"].values() if times > 1),
        "confirmed_twice": sum(1 for times in after["replies"].values() if times > 1),
        "charted_twice": sum(1 for times in after["chart"].values() if times > 1),
        "resumed_after_s": resumed,
    }


def _resume(stack: Stack, found: list[clinics.Clinic]) -> float:
    """Start everything again and post one message; seconds until it is a request."""
    began, since = time.perf_counter(), clock.now()
    refills.start(stack)
    clinic = found[0]
    sender = f"pat_{clinic.patients[-1]}"
    stack.load(requests=clinics.ask(clinics=[clinic], count=1, now=clock.now()), connections=1)
    while time.perf_counter() - began < LONGEST:
        if RefillRequest.objects.filter(practice=clinic.practice, sender_id=sender, opened_at__gte=since).exists():
            break
        time.sleep(0.1)
    return round(time.perf_counter() - began, 1)


def _settled(since: Any) -> None:
    """Wait for leases to run out and what is unknown to be looked at, within bounds."""
    until = time.perf_counter() + LONGEST
    while time.perf_counter() < until:
        waiting = InboundEvent.objects.filter(progress__in=refills.UNREAD).exists()
        open_ends = Dispatch.objects.filter(
            queued_at__gte=since, state__in=(*refills.UNDER_WAY, states.DispatchState.UNKNOWN)
        )
        if not waiting and not open_ends.exists():
            return
        time.sleep(1)
