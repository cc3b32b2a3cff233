"""Faults at random moments under a larger load, for hours if wanted: SOAK_KILLS says how many, the seed is printed.

A failure is repeated with SOAK_SEED.
"""

import os
import random

import pytest

from tests.soak import run

pytestmark = [pytest.mark.soak, pytest.mark.service, pytest.mark.slow, pytest.mark.xdist_group("processes")]
KILLS = int(os.environ.get("SOAK_KILLS", "10"))


def test_kills_at_random_moments_lose_nothing_and_send_nothing_twice() -> None:
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"\nSOAK_SEED={seed}")
    chance = random.Random(seed)
    stories = [f"kill:{chance.randrange(1_000_000)}" for _ in range(KILLS)]
    stories = [*stories, "redis", "cut"]
    found = run.played(stories=stories, practices=40, refills=200, seconds=300 + 300 * len(stories))
    assert sorted(found) == sorted(stories)
    wrong = {story: told for story, told in found.items() if run.harm(told)}
    assert wrong == {}, f"SOAK_SEED={seed}"
    assert all(told["resumed_after_s"] <= 60 for story, told in found.items() if story.startswith("kill"))
