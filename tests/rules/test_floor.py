"""Whatever recipes and limits say, nothing unsafe is approved by a machine: random patients against an oracle.

50,000 states with every run of the tests, a million in the long run (F071 asks for it).
"""

import random
from collections import Counter

import pytest

from rules import decision, protocols, recipes
from rules.findings import Outcome
from tests.rules import wards

TABLE = protocols.load()


def run(*, seed: int, states: int) -> Counter[str]:
    """Decide so many random states; every fifth by the shipped recipes, the others by random ones."""
    dice = random.Random(seed)
    seen: Counter[str] = Counter()
    graphs: tuple[recipes.Recipe, ...] = ()
    for number in range(states):
        if number % 20 == 0:
            limits = wards.limits(dice)
            graphs = tuple(wards.graph(dice, at) for at in range(dice.randint(1, 3)))
        known = wards.patient(dice)
        on = recipes.ready_made() if number % 5 == 0 else graphs
        made = decision.decide(facts=known, policy=limits, recipes=on, protocols=TABLE)
        seen[made.outcome.value] += 1
        assert "check_failed" not in made.reasons, (seed, number, made.findings)
        if made.outcome is Outcome.auto_approve:
            against = wards.unsafe(known, limits)
            assert not against, f"seed {seed}, state {number}: approved, but {against}"
    return seen


@pytest.mark.parametrize("seed", range(5))
def test_nothing_unsafe_is_approved_in_ten_thousand_states(seed: int) -> None:
    seen = run(seed=seed, states=10_000)
    assert seen["auto_approve"] > 100  # else the test would prove nothing


@pytest.mark.soak
def test_nothing_unsafe_is_approved_in_a_million_states() -> None:
    seed = random.SystemRandom().randrange(10**9)
    seen = run(seed=seed, states=1_000_000)
    print(f"seed {seed}: {dict(seen)}")
    assert seen["auto_approve"] > 10_000
