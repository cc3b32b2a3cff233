"""Tokens of DrChrono: the 90-second buffer, one refresher, one repeat, and never silence."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import connection as database

from audit.models import Entry
from integrations import http, vault
from integrations.drchrono import client, oauth, wire
from integrations.models import Connection, ConnectionStatus, SecretKind
from tests.integrations.vendor_fake import ADDRESS, JOB, NOW, Fake, connect, lose_answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake():
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    vault.forget()
    adapter = Fake()
    http.mount(ADDRESS, adapter)
    yield adapter
    http.unmount(ADDRESS)


def pair(number, **more):
    return 200, {"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": 172800} | more


def authorised(fake, **more):
    line = connect(**more)
    fake.on("POST", "/o/token/", pair(1))
    oauth.exchange(connection=line, code="c", redirect_uri="https://hub.test/back", now=NOW, actor=JOB)
    fake.asked.clear()
    return line


def stored(line, kind=SecretKind.access_token):
    return vault.read(connection=line, kind=kind, now=NOW, actor=JOB)


def test_the_authorise_address_asks_for_named_scopes_and_a_signed_state():
    line, user = connect(), uuid4()
    url = oauth.authorise_url(connection=line, user_id=user, redirect_uri="https://hub.test/back", now=NOW)
    assert url.startswith(f"{ADDRESS}/o/authorize/?")
    assert "clinical%3Awrite" in url
    state = url.split("state=")[1].replace("%3A", ":")
    assert oauth.read_state(state=state, user_id=user, now=NOW) == line.pk
    for who, when in ((uuid4(), NOW), (user, NOW + timedelta(minutes=16))):
        with pytest.raises(oauth.BadState):
            oauth.read_state(state=state, user_id=who, now=when)
    with pytest.raises(oauth.BadState):
        oauth.read_state(state=state + "x", user_id=user, now=NOW)


def test_the_code_becomes_a_stored_pair_and_an_audit_entry(fake):
    line = authorised(fake)
    assert stored(line) == "a1"
    assert stored(line, SecretKind.refresh_token) == "r1"
    assert Connection.objects.get().status == ConnectionStatus.active
    assert Entry.objects.filter(event="connection.authorized").count() == 1


def test_89_seconds_of_life_refresh_first_and_91_do_not(fake):
    line = authorised(fake)
    fake.on("POST", "/o/token/", pair(2))
    end = line.token_expires_at
    assert oauth.access_token(connection=line, now=end - timedelta(seconds=91), actor=JOB) == "a1"
    assert not fake.asked
    assert oauth.access_token(connection=line, now=end - timedelta(seconds=89), actor=JOB) == "a2"
    assert fake.asked[0].form["refresh_token"] == "r1"
    assert "redirect_uri" not in fake.asked[0].form


def test_a_missing_refresh_token_in_the_answer_keeps_the_old_one_and_a_missing_life_is_48_hours(fake):
    line = authorised(fake)
    fake.on("POST", "/o/token/", (200, {"access_token": "a2"}))
    oauth.refresh(connection=line, failed="a1", now=NOW, actor=JOB)
    assert stored(line, SecretKind.refresh_token) == "r1"
    assert line.token_expires_at == NOW + timedelta(hours=48)


def test_the_beat_refreshes_at_half_life_and_after_five_days(fake):
    line = authorised(fake)
    assert not oauth.is_refresh_due(connection=line, now=NOW + timedelta(hours=23))
    assert oauth.is_refresh_due(connection=line, now=NOW + timedelta(hours=25))
    line.token_expires_at = NOW + timedelta(days=60)
    assert not oauth.is_refresh_due(connection=line, now=NOW + timedelta(days=4, hours=23))
    assert oauth.is_refresh_due(connection=line, now=NOW + timedelta(days=5))


@pytest.mark.parametrize("status", [400, 401])
def test_a_dead_refresh_token_marks_the_connection_and_leaves_an_entry(fake, status):
    line = authorised(fake)
    fake.on("POST", "/o/token/", (status, {"error": "invalid_grant"}))
    with pytest.raises(oauth.NeedsAuthorisation):
        oauth.refresh(connection=line, failed="a1", now=NOW, actor=JOB)
    assert Connection.objects.get().status == ConnectionStatus.needs_authorisation
    assert Entry.objects.filter(event="token.refresh_failed").count() == 1
    fake.asked.clear()
    with pytest.raises(oauth.NeedsAuthorisation):
        oauth.access_token(connection=Connection.objects.get(), now=NOW, actor=JOB)
    assert not fake.asked


@pytest.mark.parametrize("answer", [(503, b"<html>"), (200, b"not json"), lose_answer])
def test_a_vendor_fault_while_refreshing_is_temporary_and_on_record(fake, answer):
    line = authorised(fake)
    fake.on("POST", "/o/token/", answer)
    with pytest.raises(http.VendorError) as caught:
        oauth.refresh(connection=line, failed="a1", now=NOW, actor=JOB)
    assert not caught.value.permanent
    assert Connection.objects.get().status == ConnectionStatus.active
    assert Entry.objects.filter(event="token.refresh_failed").count() == 1


def test_a_refused_token_is_refreshed_once_and_the_call_repeated_once(fake):
    line = authorised(fake)
    fake.on("POST", "/o/token/", pair(2))
    fake.on(
        "GET",
        "/api/users/current",
        lambda asked: (200, {"id": "7", "is_doctor": True}) if asked.token == "a2" else (401, {}),
    )
    found = client.current_user(line=wire.Line(connection=line, now=NOW, actor=JOB))
    assert found.id == "7"
    assert fake.paths() == ["/api/users/current"] * 2
    assert fake.paths("POST") == ["/o/token/"]


def test_if_another_worker_has_refreshed_meanwhile_its_token_is_used_and_nothing_asked(fake):
    line = authorised(fake)
    assert oauth.refresh(connection=line, failed="an-older-token", now=NOW, actor=JOB) == "a1"
    assert not fake.asked


def test_a_fresh_token_refused_too_marks_the_connection(fake):
    line = authorised(fake)
    fake.on("POST", "/o/token/", pair(2))
    fake.on("GET", "/api/users/current", (401, {}))
    with pytest.raises(http.VendorError):
        client.current_user(line=wire.Line(connection=line, now=NOW, actor=JOB))
    assert fake.paths() == ["/api/users/current"] * 2
    assert Connection.objects.get().status == ConnectionStatus.needs_authorisation


def test_revoking_tells_the_vendor_and_wipes_the_tokens(fake):
    line = authorised(fake)
    fake.on("POST", "/o/revoke_token/", (200, None))
    assert oauth.revoke(connection=line, now=NOW, actor=JOB)
    assert fake.asked[0].form["token"] == "a1"
    with pytest.raises(oauth.NeedsAuthorisation):
        oauth.access_token(connection=line, now=NOW, actor=JOB)


@pytest.mark.django_db(transaction=True)
def test_two_workers_refreshing_at_once_end_with_one_valid_pair(fake):
    line = authorised(fake)
    counted = []

    def rotate(asked):
        counted.append(asked.form["refresh_token"])
        return pair(len(counted) + 1)

    fake.on("POST", "/o/token/", rotate)
    got, together = [], threading.Barrier(4)

    def work():
        try:
            mine = Connection.objects.get(pk=line.pk)
            together.wait()
            got.append(oauth.refresh(connection=mine, failed="a1", now=NOW, actor=JOB))
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert counted == ["r1"]
    assert got == ["a2"] * 4


def test_no_secret_stands_in_an_error(fake):
    line = authorised(fake)
    fake.on("POST", "/o/token/", (401, {"error": "invalid_grant", "detail": "client-secret r1"}))
    with pytest.raises(oauth.NeedsAuthorisation) as caught:
        oauth.refresh(connection=line, failed="a1", now=NOW, actor=JOB)
    assert "client-secret" not in repr(caught.value) + str(caught.value)
