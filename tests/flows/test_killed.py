"""Real processes, really hurt under load: killed, their Redis emptied, their database connections cut.

One stack for all stories (tests/soak/run.py), beside the test run's own servers; what left the house is counted in the
vendors' journals. Random moments and a larger load: `make soak`.
"""

from typing import Any

import pytest

from tests.soak import run

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.xdist_group("processes")]
SEEDS = (11, 23, 47)
REFILLS = 30


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    """What came of every story, played one after another."""
    stories = [*(f"kill:{seed}" for seed in SEEDS), "redis", "cut"]
    return run.played(stories=stories, practices=10, refills=REFILLS, seconds=900)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kill_of_every_process_under_load_loses_nothing_and_sends_nothing_twice(
    found: dict[str, dict[str, Any]], seed: int
) -> None:
    told = found[f"kill:{seed}"]
    assert run.harm(told) == {}, told
    assert told["on_its_way_when_killed"] > 0, "the kill came too late to hurt anything"
    assert told["new_work_taken"], told
    assert told["resumed_after_s"] <= 60


def test_a_redis_emptied_killed_and_started_again_under_load_loses_nothing(found: dict[str, dict[str, Any]]) -> None:
    told = found["redis"]
    assert run.harm(told) == {}, told
    assert told["on_its_way_when_emptied"] > 0, "Redis was emptied when there was nothing to lose"
    assert set(told["statuses"]) <= {"202", "503"}


def test_what_was_accepted_while_database_connections_were_cut_is_kept_and_done_once(
    found: dict[str, dict[str, Any]],
) -> None:
    told = found["cut"]
    assert run.harm(told) == {}, told
    assert told["cut"] > 0
    assert told["statuses"].get("202", 0) > 0


def test_a_cut_database_connection_is_answered_with_503_and_nothing_else(found: dict[str, dict[str, Any]]) -> None:
    told = found["cut"]
    assert set(told["statuses"]) <= {"202", "503"}, told
