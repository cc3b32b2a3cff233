"""/metrics: only with its token, a fixed number of queries, ids in the labels and never a name."""

from datetime import timedelta

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from integrations import limits
from integrations.models import Connection, MirrorPatient
from refillhub.practices import clock
from review.models import Alarm
from tests.review import counted, rows

pytestmark = pytest.mark.django_db
TOKEN = "a-long-token-of-the-scraper"


@pytest.fixture(autouse=True)
def _set_token(settings, monkeypatch):
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(clock, "now", lambda: rows.NOW)


def ask(token=TOKEN):
    return Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})


def read():
    found = {}
    for family in text_string_to_metric_families(ask().content.decode()):
        for sample in family.samples:
            found[sample.name, *(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def test_without_a_token_set_the_page_does_not_exist(settings):
    settings.METRICS_TOKEN = ""
    assert ask("").status_code == 404
    assert Client().get("/metrics").status_code == 404


@pytest.mark.parametrize("given", ["", "wrong", TOKEN + "x", TOKEN[:-1], "täuschend"])
def test_a_wrong_token_gets_nothing(given):
    answer = ask(given)
    assert (answer.status_code, answer.content) == (401, b"")
    assert Client().get("/metrics").status_code == 401
    assert Client().get("/metrics", {"token": TOKEN}).status_code == 401


def test_it_is_read_only():
    assert Client().post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_every_gauge_says_what_the_rows_say():
    practice = rows.make_practice(name="Lakeside Internal Medicine")
    old = counted.refill(practice, asked_at=rows.NOW - timedelta(hours=2), minutes=5, state="in_review", how="person")
    auto = counted.refill(practice, asked_at=rows.NOW - timedelta(minutes=30), minutes=5)
    counted.refill(practice, asked_at=rows.NOW - timedelta(hours=30), minutes=5)  # yesterday
    counted.dispatch(auto, queued_at=rows.NOW, state="queued")
    counted.dispatch(old, queued_at=rows.NOW, state="delivered")
    rows.make_event(practice, progress="received")
    MirrorPatient.objects.create(
        practice=practice, external_id="1", medications_read_at=rows.NOW - timedelta(minutes=10)
    )
    Alarm.objects.create(
        practice=practice, kind="lane_busy", sentence="Busy", opened_at=rows.NOW, last_seen_at=rows.NOW
    )
    Connection.objects.create(practice=practice, vendor="surescripts", stage="dev", status="active")
    lane = limits.routine_lane(practice_id=practice.id)
    limits.take_up_to(lane=lane, now=rows.NOW, wanted=60)
    found, mine = read(), str(practice.id)
    assert found["refillhub_requests_open", mine, "in_review"] == 1
    assert found["refillhub_oldest_waiting_seconds", mine] == 7200
    assert found["refillhub_dispatches", "routine", mine, "queued"] == 1
    assert ("refillhub_dispatches", "routine", mine, "delivered") not in found
    assert found["refillhub_requests_decided_today", "automatic", mine] == 1
    assert found["refillhub_mirror_age_seconds", mine] == 600
    assert found["refillhub_events_unread", mine] == 1
    assert found["refillhub_alarms_open", "lane_busy", mine] == 1
    assert found["refillhub_lane_used_share", "routine", mine] == pytest.approx(0.1)
    assert found["refillhub_lanes_busy", "routine", mine] == 0
    assert found[("refillhub_limiter_up",)] == 1
    assert b"Lakeside" not in ask().content


def test_a_lane_above_seventy_percent_for_five_minutes_shows():
    practice = rows.make_practice()
    Connection.objects.create(practice=practice, vendor="surescripts", stage="dev", status="active")
    lane = limits.routine_lane(practice_id=practice.id)
    for second in range(299, 0, -1):
        limits.take_up_to(lane=lane, now=rows.NOW - timedelta(seconds=second), wanted=9)
    assert read()["refillhub_lanes_busy", "routine", str(practice.id)] == 1


def test_a_lost_limiter_is_told_and_the_rest_still_answers(settings):
    practice = rows.make_practice()
    Connection.objects.create(practice=practice, vendor="surescripts", stage="dev", status="active")
    rows.make_event(practice, progress="received")
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    found = read()
    assert found[("refillhub_limiter_up",)] == 0
    assert ("refillhub_lane_used_share", "routine", str(practice.id)) not in found
    assert found["refillhub_events_unread", str(practice.id)] == 1


@pytest.mark.parametrize("count", [1, 12])
def test_it_asks_the_database_a_fixed_number_of_times(count, django_assert_max_num_queries):
    for _ in range(count):
        practice = rows.make_practice()
        counted.refill(practice, asked_at=rows.NOW - timedelta(hours=1), minutes=5)
        Connection.objects.create(practice=practice, vendor="surescripts", stage="dev", status="active")
    with django_assert_max_num_queries(11):
        assert ask().status_code == 200
