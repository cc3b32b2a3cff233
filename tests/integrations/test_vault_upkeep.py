"""A round over all connections: one that is broken is named and stops no other."""

from datetime import timedelta

import pytest
import redis
from django.conf import settings

from audit.models import Entry
from integrations import http, limits, upkeep, vault
from integrations.drchrono import oauth
from integrations.models import Connection, SecretKind
from tests.integrations.vendor_fake import ADDRESS, JOB, NOW, Fake, connect

pytestmark = pytest.mark.django_db
SIGNING = "whsec_cmVmaWxsaHViLXRlc3Qtc2VjcmV0LW51bWJlci0x"


@pytest.fixture
def fake():
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    vault.forget()
    adapter = Fake()
    http.mount(ADDRESS, adapter)
    yield adapter
    http.unmount(ADDRESS)


def authorised(fake, slug):
    line = connect(slug=slug)
    fake.on("POST", "/o/token/", (200, {"access_token": f"a-{slug}", "refresh_token": f"r-{slug}", "expires_in": 9999}))
    oauth.exchange(connection=line, code="c", redirect_uri="x", now=NOW, actor=JOB)
    return line


def test_tokens_are_renewed_for_all_and_the_dead_one_is_named(fake):
    good, dead = authorised(fake, "elm"), authorised(fake, "oak")
    fake.on(
        "POST",
        "/o/token/",
        lambda asked: (
            (401, {"error": "invalid_grant"})
            if asked.form["refresh_token"] == "r-oak"
            else (200, {"access_token": "a2", "expires_in": 9999})
        ),
    )
    later = NOW + timedelta(seconds=6000)
    assert [each.connection_id for each in upkeep.renew_tokens(now=later, actor=JOB)] == [dead.pk]
    assert vault.read(connection=good, kind=SecretKind.access_token, now=later, actor=JOB) == "a2"
    assert [each.code for each in upkeep.renew_tokens(now=later, actor=JOB)] == ["needs_authorisation"]


def test_a_lane_above_seventy_percent_of_its_hour_is_named(fake):
    line = authorised(fake, "elm")
    lane = limits.drchrono_lane(client_id=line.client_id)
    assert upkeep.busy_lanes(now=NOW) == ()
    for second in range(120):
        limits.take_up_to(lane=lane, now=NOW + timedelta(seconds=second), wanted=3)
    assert [each.connection_id for each in upkeep.busy_lanes(now=NOW + timedelta(seconds=120))] == [line.pk]


def test_the_ids_that_tasks_need_are_kept_with_the_connection(fake):
    line = authorised(fake, "elm")
    statuses = [{"id": 2, "status_category": "O"}, {"id": 3, "status_category": "C"}]
    fake.on("GET", "/api/task_statuses", (200, {"results": statuses, "next": None}))
    fake.on("GET", "/api/task_categories", (200, {"results": [{"id": 5, "name": "Refill"}], "next": None}))
    upkeep.save_set_up(connection=line, now=NOW, actor=JOB)
    assert Connection.objects.get().facts == {"task_status_open": "2", "task_status_closed": "3", "task_category": "5"}


def test_a_connection_test_is_one_read_and_one_entry(fake):
    line = authorised(fake, "elm")
    fake.on("GET", "/api/users/current", (200, {"id": 7}))
    assert upkeep.try_connection(connection=line, now=NOW, actor=JOB).is_good
    fake.on("GET", "/api/users/current", (403, {}))
    failed = upkeep.try_connection(connection=line, now=NOW, actor=JOB)
    assert (failed.is_good, failed.code) == (False, "http_403")
    bodies = [entry.body for entry in Entry.objects.filter(event="connection.tested").order_by("number")]
    assert ["passed" in body for body in bodies] == [True, False]
    assert "http_403" in bodies[1]


def test_klaras_test_goes_round_with_a_signature(fake):
    line = connect("klara")
    assert upkeep.try_connection(connection=line, now=NOW, actor=JOB).code == "no_webhook_secret"
    vault.store(connection=line, kind=SecretKind.webhook_secret, value=SIGNING, now=NOW, actor=JOB)
    fake.on("POST", "/oauth/token", (200, {"access_token": "k", "expires_in": 3600}))
    fake.on("GET", "/channels", (200, {"data": [], "next_cursor": None}))
    assert upkeep.try_connection(connection=line, now=NOW, actor=JOB).is_good
