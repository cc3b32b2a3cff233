"""Klara's client: one reply per key whatever gets lost, and a poll that misses nothing."""

from datetime import timedelta

import pytest
import redis
from django.conf import settings

from integrations import http, limits, vault
from integrations.klara import client, wire
from integrations.klara.types import Origin
from integrations.models import Connection, ConnectionStatus, SecretKind
from integrations.outcome import OutcomeKind
from tests.integrations.vendor_fake import JOB, NOW, Fake, connect, lose_answer, refuse_connection

pytestmark = pytest.mark.django_db
ADDRESS = "https://klara.test/v1"
MESSAGES = "/v1/conversations/c1/messages"


@pytest.fixture
def fake():
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    vault.forget()
    adapter = Fake()
    http.mount(ADDRESS, adapter)
    yield adapter
    http.unmount(ADDRESS)


@pytest.fixture
def line(fake):
    fake.on("POST", "/v1/oauth/token", (200, {"access_token": "k1", "expires_in": 3600}))
    return wire.Line(connection=connect("klara", address=ADDRESS), now=NOW, actor=JOB)


def reply(line, key="key-1"):
    return client.reply(line=line, conversation_id="c1", text="Sent to your pharmacy.", idempotency_key=key)


def sent(text="Sent to your pharmacy.", **more):
    return {"id": "m9", "direction": "outbound", "author": {"type": "integration"}, "body": text} | more


def test_a_reply_carries_its_key_and_gives_the_message_id(fake, line):
    fake.on("POST", MESSAGES, (201, {"id": "m9"}))
    outcome = reply(line)
    assert (outcome.kind, outcome.external_ref) == (OutcomeKind.ACCEPTED, "m9")
    asked = fake.asked[-1]
    assert asked.headers["Idempotency-Key"] == "key-1"
    assert asked.json == {"body": "Sent to your pharmacy.", "visibility": "patient"}
    assert fake.asked[0].form["grant_type"] == "client_credentials"


@pytest.mark.parametrize(
    ("answer", "kind", "transient"),
    [
        (lose_answer, OutcomeKind.UNKNOWN, True),
        ((502, b"<html>"), OutcomeKind.UNKNOWN, True),
        ((429, {}, {"Retry-After": "2"}), OutcomeKind.NOT_SENT, True),
        (refuse_connection, OutcomeKind.NOT_SENT, True),
        ((404, {"error": {"code": "not_found"}}), OutcomeKind.REJECTED, False),
        ((403, {"error": {"code": "forbidden"}}), OutcomeKind.REJECTED, False),
    ],
)
def test_a_reply_says_whether_it_may_have_arrived_and_is_made_once(fake, line, answer, kind, transient):
    fake.on("POST", MESSAGES, answer)
    outcome = reply(line)
    assert (outcome.kind, outcome.transient) == (kind, transient)
    assert fake.paths("POST").count(MESSAGES) == 1


@pytest.mark.parametrize("status", [409, 422])
def test_a_duplicate_answer_is_confirmed_by_listing(fake, line, status):
    fake.on("POST", MESSAGES, (status, {"error": {"code": "duplicate"}}))
    fake.on("GET", MESSAGES, (200, {"data": [sent("hello", direction="inbound"), sent()], "next_cursor": None}))
    outcome = reply(line)
    assert (outcome.kind, outcome.external_ref) == (OutcomeKind.ACCEPTED, "m9")
    assert fake.paths("POST").count(MESSAGES) == 1


def test_a_duplicate_not_yet_listed_stays_unknown(fake, line):
    fake.on("POST", MESSAGES, (422, {"error": {"code": "idempotency_key_reused"}}))
    fake.on("GET", MESSAGES, (200, {"data": [], "next_cursor": None}))
    assert reply(line).kind is OutcomeKind.UNKNOWN


def test_a_422_for_another_reason_is_a_refusal(fake, line):
    fake.on("POST", MESSAGES, (422, {"error": {"code": "body_too_long"}}))
    fake.on("GET", MESSAGES, (200, {"data": [], "next_cursor": None}))
    assert reply(line).kind is OutcomeKind.REJECTED


def test_the_same_words_from_the_patient_do_not_confirm_ours(fake, line):
    fake.on("POST", MESSAGES, (409, {"error": {"code": "duplicate"}}))
    echo = sent(direction="inbound", author={"type": "patient"})
    fake.on("GET", MESSAGES, (200, {"data": [echo], "next_cursor": None}))
    assert reply(line).kind is OutcomeKind.UNKNOWN


def test_a_token_expired_in_flight_is_renewed_once_and_the_reply_made_once(fake, line):
    tokens = iter(["k1", "k2"])
    fake.on("POST", "/v1/oauth/token", lambda _asked: (200, {"access_token": next(tokens), "expires_in": 3600}))
    fake.on("POST", MESSAGES, lambda asked: (201, {"id": "m1"}) if asked.token == "k2" else (401, {}))
    assert reply(line).kind is OutcomeKind.ACCEPTED
    assert fake.paths("POST") == ["/v1/oauth/token", MESSAGES, "/v1/oauth/token", MESSAGES]


def test_refused_credentials_mark_the_connection_and_nothing_was_sent(fake, line):
    fake.on("POST", "/v1/oauth/token", (401, {}))
    outcome = reply(line)
    assert (outcome.kind, outcome.configuration) == (OutcomeKind.NOT_SENT, True)
    assert Connection.objects.get().status == ConnectionStatus.needs_authorisation


def test_an_api_key_is_used_where_the_profile_says_so(fake):
    connection = connect(
        "klara",
        address=ADDRESS,
        profile={"auth": {"mode": "api_key", "api_key_header": "X-Api-Key", "api_key_prefix": ""}},
    )
    vault.store(connection=connection, kind=SecretKind.api_key, value="the-key", now=NOW, actor=JOB)
    fake.on("POST", MESSAGES, (201, {"id": "m9"}))
    assert reply(wire.Line(connection=connection, now=NOW, actor=JOB)).kind is OutcomeKind.ACCEPTED
    assert fake.asked[0].headers["X-Api-Key"] == "the-key"


def test_at_most_ten_calls_pass_in_any_second(fake, line):
    passed = sum(limits.take(lane=line.lane, now=NOW + timedelta(milliseconds=each)) is None for each in range(900))
    assert passed == 10


def test_the_poll_pages_through_and_leaves_old_messages_alone(fake, line):
    old, new = NOW - timedelta(hours=2), NOW - timedelta(minutes=4)

    def listing(asked):
        assert asked.query["status"] == "all"
        if asked.query.get("cursor") == "two":
            return 200, {"data": [{"id": "c2", "patient_id": "p2", "status": "closed"}], "next_cursor": None}
        return 200, {"data": [{"id": "c1", "patient": {"id": "p1", "last_name": "Reyes"}}], "next_cursor": "two"}

    fake.on("GET", "/v1/conversations", listing)
    fake.on("GET", "/v1/patients/p2", (200, {"id": "p2", "last_name": "Ito"}))
    for conversation, stamp in (("c1", old), ("c2", new)):
        message = {
            "id": f"m-{conversation}",
            "direction": "inbound",
            "author": {"type": "patient"},
            "body": "refill",
            "sent_at": stamp.isoformat(),
        }
        fake.on("GET", f"/v1/conversations/{conversation}/messages", (200, {"data": [message], "next_cursor": None}))
    found = list(client.events_since(line=line, since=NOW - timedelta(minutes=15)))
    assert [(each.message.id, each.patient.last_name, each.origin) for each in found] == [("m-c2", "Ito", Origin.poll)]


def test_a_list_that_goes_in_a_circle_is_an_error(fake, line):
    fake.on("GET", "/v1/channels", (200, {"data": [], "next_cursor": "same"}))
    with pytest.raises(http.VendorError):
        client.channels(line=line)


def test_macros_that_swallow_refills_are_named(fake, line):
    rows = [
        {"id": "1", "name": "Auto", "auto_reply": True, "closes": True, "tags": [{"name": "refill"}]},
        {"id": "2", "name": "Hi", "auto_reply": True, "closes": False, "tags": ["refill"]},
    ]
    fake.on("GET", "/v1/macros", (200, {"data": rows, "next_cursor": None}))
    assert [each.name for each in client.macros(line=line) if each.swallows_refills] == ["Auto"]
