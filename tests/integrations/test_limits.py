"""The shared rate limits against a real Redis: exact windows, reserve, warning, and no way through without Redis."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from integrations import http, limits

START = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)


def lane(*windows, key="test:lane", reserve=0.1):
    return limits.Lane(vendor="klara", key=key, windows=windows, reserve=reserve)


@pytest.fixture(autouse=True)
def _fresh():
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


def drain(line, at, wanted=10_000, priority=limits.Priority.interactive):
    return limits.take_up_to(lane=line, now=at, wanted=wanted, priority=priority).count


def test_the_routine_lane_never_passes_more_than_600_in_any_minute():
    line = limits.routine_lane(practice_id="p1")
    asked = range(0, 200_000, 37)  # about 27 a second for 200 seconds
    passed = [step for step in asked if limits.take(lane=line, now=START + timedelta(milliseconds=step)) is None]
    assert len(passed) > 1800
    worst = max(sum(1 for other in passed if each <= other < each + 60_000) for each in passed[::50])
    assert worst == 600


def test_a_burst_of_200_controlled_prescriptions_passes_60_and_names_the_wait():
    line = limits.controlled_lane(practice_id="p1", spi="1234567890001")
    granted = limits.take_up_to(lane=line, now=START, wanted=200)
    assert granted.count == 60
    assert 60.4 <= granted.wait_seconds <= 60.6  # a minute, and half a second for what bunches up on the way
    assert drain(line, START + timedelta(seconds=59.9)) == 0
    assert drain(line, START + timedelta(seconds=60.5)) == 60


def test_flooding_the_routine_lane_leaves_the_controlled_lane_alone():
    drain(limits.routine_lane(practice_id="p1"), START)
    assert limits.take(lane=limits.controlled_lane(practice_id="d1", spi="1234567890001"), now=START) is None


def test_one_practice_flooding_does_not_slow_another():
    drain(limits.routine_lane(practice_id="p1"), START)
    assert limits.take(lane=limits.routine_lane(practice_id="p2"), now=START) is None


def test_drchrono_never_reaches_ten_calls_in_any_second():
    line = limits.drchrono_lane(client_id="app")
    asked = range(0, 20_000, 20)
    passed = [step for step in asked if limits.take(lane=line, now=START + timedelta(milliseconds=step)) is None]
    assert max(sum(1 for other in passed if each <= other < each + 1000) for each in passed) <= 9
    assert len(passed) >= 3 * 19


def test_the_clock_hour_is_counted_from_its_top_and_keeps_a_tenth_for_people():
    line = lane(limits.ClockHour(limit=500))
    assert drain(line, START, priority=limits.Priority.background) == 450
    refused = limits.take(lane=line, now=START, priority=limits.Priority.background)
    assert refused is not None
    assert refused.seconds == 3600
    assert drain(line, START) == 50
    assert drain(line, START + timedelta(minutes=59, seconds=59)) == 0
    assert drain(line, START + timedelta(hours=1)) == 500


def test_when_one_window_refuses_no_other_window_is_charged():
    line = lane(limits.Sliding(limit=2, seconds=60), limits.ClockHour(limit=100))
    assert drain(line, START) == 2
    assert drain(line, START) == 0
    assert limits.usage(lane=line, now=START)[1].used == 2


def test_many_workers_asking_at_once_never_pass_more_than_the_limit():
    line = lane(limits.Sliding(limit=100, seconds=60), limits.ClockHour(limit=90))
    passed, together = [], threading.Barrier(8)

    def work():
        together.wait()
        passed.extend(1 for _ in range(30) if limits.take(lane=line, now=START) is None)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert len(passed) == 90
    assert [each.used for each in limits.usage(lane=line, now=START)] == [90, 90]


def test_after_a_429_nobody_calls_until_the_time_is_over():
    line = lane(limits.Sliding(limit=10, seconds=1))
    limits.block(lane=line, now=START, seconds=2)
    waiting = limits.take(lane=line, now=START + timedelta(seconds=1))
    assert waiting is not None
    assert 0 < waiting.seconds <= 1
    assert limits.take(lane=line, now=START + timedelta(seconds=2)) is None


def test_a_worker_whose_clock_is_behind_cannot_pass_more():
    line = lane(limits.Sliding(limit=5, seconds=10))
    assert drain(line, START) == 5
    assert drain(line, START - timedelta(seconds=30)) == 0


def test_usage_and_the_warning_after_five_minutes_above_seventy_percent():
    line = limits.routine_lane(practice_id="p1")

    def is_warned_after(seconds):
        limits.forget(lane=line)
        for second in range(seconds):
            calls = (421 * (second + 1)) // 60 - (421 * second) // 60
            assert limits.take_up_to(lane=line, now=START + timedelta(seconds=second), wanted=calls).count == calls
        return limits.is_sustained(lane=line, now=START + timedelta(seconds=seconds - 1))

    assert not is_warned_after(299)
    assert is_warned_after(301)


def test_a_short_burst_is_no_warning():
    line = limits.routine_lane(practice_id="p1")
    for minute in range(4):
        drain(line, START + timedelta(minutes=1 + minute))
    assert not limits.is_sustained(lane=line, now=START + timedelta(minutes=5))


def test_without_redis_nothing_passes_and_the_error_says_nothing_was_sent(monkeypatch):
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(limits.LimiterGone) as caught:
        limits.take(lane=limits.routine_lane(practice_id="p1"), now=START)
    assert isinstance(caught.value, http.NotSent)
    assert caught.value.retry_after


def test_pass_through_waits_a_little_and_then_gives_up_with_the_wait():
    line = lane(limits.Sliding(limit=1, seconds=60))
    limits.pass_through(lane=line, now=START)
    with pytest.raises(limits.Throttled) as caught:
        limits.pass_through(lane=line, now=START, patience=0.0)
    assert 59 <= caught.value.retry_after <= 61


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 8),
    seconds=st.integers(1, 5),
    asks=st.lists(st.tuples(st.integers(0, 1500), st.integers(1, 4)), min_size=1, max_size=60),
)
def test_the_sliding_window_equals_a_plain_model(limit, seconds, asks):
    line = lane(limits.Sliding(limit=limit, seconds=seconds), key="model")
    limits.forget(lane=line)
    log: list[int] = []
    at = 0
    for pause, wanted in asks:
        at += pause
        free = limit - sum(1 for each in log if each > at - seconds * 1000)
        expected = min(free, wanted)
        granted = limits.take_up_to(lane=line, now=START + timedelta(milliseconds=at), wanted=wanted)
        assert granted.count == expected
        log += [at] * expected
        if expected == 0:
            later = START + timedelta(milliseconds=at) + timedelta(seconds=granted.wait_seconds)
            assert limits.take_up_to(lane=line, now=later, wanted=1).count == 1
            at += round(granted.wait_seconds * 1000)
            log.append(at)
