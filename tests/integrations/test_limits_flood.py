"""The shared limiter under a flood from four processes: never past the allowance, and the allowance is used.

A call counts where the limiter counted it, plus up to half a second on its way: that is what the network sees. The
moment of asking would be wrong: time runs here hundreds of times faster than outside, so a process that the machine
stops for two milliseconds asks "half a second" late.
"""

import bisect
import multiprocessing
import random
from collections.abc import Callable
from ctypes import c_longlong
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings

from integrations import limits

START = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)
PROCESSES = 4
BEGAN = int(START.timestamp() * 1000)
ON_THE_WAY_MS = 500
LANES: dict[str, tuple[Callable[[], limits.Lane], int, int]] = {
    # lane, calls a minute, most milliseconds from one call to the next (so that the backlog never ends)
    "routine": (lambda: limits.routine_lane(practice_id="flood"), 600, 20),
    "controlled": (lambda: limits.controlled_lane(practice_id="flood", spi="1234567890001"), 60, 100),
}


def flood(name: str, calls: int, seed: int, clock: Any, passed: Any) -> None:
    """One process: asks again and again, at the moment all processes share; keeps when calls reached the network."""
    line, step, dice, mine = LANES[name][0](), LANES[name][2], random.Random(seed), []
    for _ in range(calls):
        with clock.get_lock():
            clock.value += dice.randrange(step + 1)
            at = clock.value
        granted = limits.take_up_to(lane=line, now=START + timedelta(milliseconds=at), wanted=1)
        if granted.count:
            mine.append(granted.at_ms - BEGAN + dice.randrange(ON_THE_WAY_MS))
    passed.put(mine)


def played(name: str, calls: int) -> tuple[list[int], int]:
    """Moments (ms) of the calls that passed, in order, and how long it all lasted."""
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    made = multiprocessing.get_context("fork")
    clock, passed = made.Value(c_longlong, 0), made.Queue()
    workers = [
        made.Process(target=flood, args=(name, calls // PROCESSES, seed, clock, passed)) for seed in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    found = sorted(moment for _ in workers for moment in passed.get(timeout=1800))
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    return found, clock.value


def check(name: str, calls: int) -> None:
    allowance = LANES[name][1]
    found, lasted = played(name, calls)
    worst = max(bisect.bisect_left(found, one + 60_000) - index for index, one in enumerate(found))
    # Whole windows only: what a window in its middle has let pass says nothing about its end.
    whole = lasted // 60_000
    used = bisect.bisect_left(found, whole * 60_000) / (whole * allowance)
    print(f"{name}: {calls} calls, {len(found)} passed, worst minute {worst}, {used:.1%} of the allowance used")
    assert worst <= allowance
    assert whole >= 2
    assert used >= 0.97


@pytest.mark.parametrize("name", LANES)
def test_20_000_calls_from_four_processes_never_pass_the_allowance_and_use_it(name: str) -> None:
    check(name, 20_000)


@pytest.mark.soak
@pytest.mark.parametrize("name", LANES)
def test_a_million_calls_from_four_processes(name: str) -> None:
    check(name, 1_000_000)
