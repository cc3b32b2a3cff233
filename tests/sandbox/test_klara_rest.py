"""The pretended Klara's REST: credentials, limits, paging, and a reply that is applied once per idempotency key."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.sandbox import klara, seeding
from integrations.sandbox.clock import Clock
from integrations.sandbox.wire import Answer, ConnectionDropped, Request
from integrations.sandbox.world import World

NOW = datetime(2026, 6, 2, 14, 0, tzinfo=UTC)
KEY = {"authorization": "Bearer klara-key-1-0123456789abcdef"}
OTHER = {"authorization": "Bearer klara-key-2-0123456789abcdef"}
CLIENT = {"client_id": "klara-client-1", "client_secret": "klara-secret-1-0123456789abcdef"}


class Caller:
    """One caller of the REST interface."""

    def __init__(self) -> None:
        self.clock = Clock.frozen(at=NOW)
        document = seeding.generate(seed=1, now=NOW, practices=2, patients=12, doctors=2)
        self.posted: list[bytes] = []
        self.sim = klara.build(world=World(document=document), clock=self.clock, seed=7, deliver=self._take)

    def _take(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        self.posted.append(body)
        return 202, {}

    def raw(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        path, _, query = path.partition("?")
        given = {"content-type": "application/json", **(KEY if headers is None else headers)}
        sent = b"" if body is None else json.dumps(body).encode()
        return self.sim.handle(Request(method=method, path=path, query=query, headers=given, body=sent))

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        answer = self.raw(method, path, body, headers)
        return answer.status, json.loads(answer.body) if answer.body else None

    def do(self, verb: str, **wish: Any) -> Any:
        status, told = self.call("POST", f"/__sim__/{verb}", wish)
        assert status < 300, told
        return told

    def thread(self, text: str = "Hello", **wish: Any) -> str:
        return str(self.do("say", practice="p1", patient="pat_10000", text=text, **wish)["conversation_id"])

    def reply(self, thread: str, text: str, key: str = "k1", **more: Any) -> tuple[int, Any]:
        body = {"body": text, **more}
        return self.call("POST", f"/v1/conversations/{thread}/messages", body, KEY | {"idempotency-key": key})

    def replies(self, **params: str) -> list[str]:
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return [row["text"] for row in self.call("GET", f"/__sim__/replies?{query}")[1]["replies"]]


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_a_client_gets_a_token_that_opens_the_door_until_it_expires(caller: Caller, prefix: str) -> None:
    status, token = caller.call("POST", f"{prefix}/oauth/token", {"grant_type": "client_credentials", **CLIENT}, {})
    assert (status, token["expires_in"]) == (200, 3600)
    shown = {"authorization": f"Bearer {token['access_token']}"}
    assert caller.call("GET", f"{prefix}/channels", None, shown)[0] == 200
    caller.clock.advance(seconds=3600)
    status, told = caller.call("GET", f"{prefix}/channels", None, shown)
    assert (status, told["error"]["code"]) == (401, "token_expired")
    again = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"], **CLIENT}
    assert caller.call("POST", "/oauth/token", again, {})[0] == 200
    assert caller.call("POST", "/oauth/token", again, {})[0] == 400


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nonsense"}, {"x-api-key": "nonsense"}])
def test_without_a_known_credential_all_is_401_in_the_error_shape(caller: Caller, headers: dict[str, str]) -> None:
    status, told = caller.call("GET", "/v1/channels", None, headers)
    assert status == 401
    assert set(told["error"]) == {"code", "message", "request_id"}
    assert caller.call("POST", "/oauth/token", {**CLIENT, "client_secret": "x"}, {})[0] == 401


def test_the_desk_can_make_every_token_old(caller: Caller) -> None:
    shown = {"authorization": f"Bearer {caller.do('token', practice='p1')['access_token']}"}
    assert caller.call("GET", "/channels", None, shown)[0] == 200
    caller.do("tokens/expire", practice="p1")
    assert caller.call("GET", "/channels", None, shown)[0] == 401


def test_another_practice_sees_nothing(caller: Caller) -> None:
    thread = caller.thread()
    assert caller.call("GET", f"/conversations/{thread}", None, OTHER)[0] == 404
    assert caller.call("GET", "/patients/pat_10000", None, OTHER)[0] == 404
    assert caller.call("GET", "/conversations?status=all", None, OTHER)[1]["data"] == []


def test_lists_are_walked_to_the_end_by_cursor(caller: Caller) -> None:
    seen, cursor = [], ""
    while True:
        page = caller.call("GET", f"/v1/patients?limit=5&cursor={cursor}")[1]
        seen += [row["id"] for row in page["data"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 12
    assert caller.call("GET", "/v1/patients?cursor=!!")[0] == 400
    assert caller.call("GET", "/v1/patients?limit=none")[0] == 400


def test_conversations_are_listed_by_time_status_and_channel(caller: Caller) -> None:
    first = caller.thread(channel="sms")
    caller.do("close", practice="p1", conversation=first, lose=True)
    caller.clock.advance(seconds=60)
    second = caller.thread(channel="web")

    def ids(query: str) -> list[str]:
        return [row["id"] for row in caller.call("GET", f"/v1/conversations?{query}")[1]["data"]]

    assert ids("status=all") == [first, second]
    assert ids("") == ids("status=open") == ids("channel_id=chan_1_web") == [second]
    assert ids("status=closed") == [first]
    assert ids("status=all&updated_since=2026-06-02T14:00:01Z") == [second]
    caller.do("settings", list_lag_seconds=30)
    assert ids("status=all") == [first]


def test_messages_are_listed_in_order_after_a_message_or_a_moment(caller: Caller) -> None:
    thread = caller.thread("one")
    caller.clock.advance(seconds=10)
    caller.thread("two")
    rows = caller.call("GET", f"/v1/conversations/{thread}/messages?limit=1")[1]
    assert [row["body"] for row in rows["data"]] == ["one"]
    rest = caller.call("GET", f"/v1/conversations/{thread}/messages?cursor={rows['next_cursor']}")[1]
    after = caller.call("GET", f"/v1/conversations/{thread}/messages?after={rows['data'][0]['id']}")[1]
    since = caller.call("GET", f"/v1/conversations/{thread}/messages?after=2026-06-02T14:00:00Z")[1]
    assert [row["body"] for row in rest["data"]] == ["two"]
    assert rest["data"] == after["data"] == since["data"]


@pytest.mark.parametrize(("way", "status"), [("409", 409), (422, 422), ("replay", 201)])
def test_a_key_applies_once_and_its_repeat_is_answered_as_switched(caller: Caller, way: Any, status: int) -> None:
    caller.do("settings", duplicate=way)
    thread = caller.thread()
    assert caller.reply(thread, "Sent")[0] == 201
    answer, told = caller.reply(thread, "Sent")
    assert answer == status
    assert caller.replies() == ["Sent"]
    if status != 201:
        assert "duplicate" in told["error"]["code"]
    caller.clock.advance(seconds=86400)
    assert caller.reply(thread, "Sent")[0] == 201  # a vendor forgets keys after a day


def test_a_reply_whose_answer_is_lost_was_applied_once(caller: Caller) -> None:
    thread = caller.thread()
    caller.do("faults", kind="drop", path="/v1/conversations/*/messages", method="POST", after_commit=True)
    with pytest.raises(ConnectionDropped):
        caller.reply(thread, "Sent")
    assert caller.reply(thread, "Sent")[0] == 409
    assert caller.replies(patient="70010000") == ["Sent"]


def test_a_reply_that_never_arrived_was_not_applied(caller: Caller) -> None:
    thread = caller.thread()
    caller.do("faults", kind="drop", path="/conversations/*/messages", method="POST")
    with pytest.raises(ConnectionDropped):
        caller.reply(thread, "Sent")
    assert caller.replies() == []
    assert caller.reply(thread, "Sent")[0] == 201


@pytest.mark.parametrize(
    "fields", [{"body": ""}, {"body": 7}, {"body": "x" * 10001}, {"body": "x", "visibility": "all"}]
)
def test_a_senseless_reply_is_422_and_keeps_no_key(caller: Caller, fields: dict[str, Any]) -> None:
    thread = caller.thread()
    status, told = caller.call("POST", f"/conversations/{thread}/messages", fields, KEY | {"idempotency-key": "k1"})
    assert (status, told["error"]["code"]) == (422, "validation_failed")
    assert caller.reply(thread, "Good")[0] == 201


def test_the_oracle_lists_what_patients_see_and_the_journal_agrees(caller: Caller) -> None:
    thread = caller.thread()
    caller.reply(thread, "For the patient", "k1")
    caller.reply(thread, "For the staff", "k2", visibility="internal")
    assert caller.replies(practice="p1") == ["For the patient"]
    assert caller.replies(visibility="internal") == ["For the staff"]
    assert caller.replies(practice="p2") == []
    (row,) = caller.sim.journal.read(kind="reply.applied", ids={"patient": "pat_10000", "key": "k1"})
    assert row["data"]["text"] == "For the patient"


def test_own_changes_are_events_only_when_switched_on_and_echo_makes_one(caller: Caller) -> None:
    caller.do("endpoint", practice="p1", url="https://hub.test/x/")
    thread = caller.thread()
    caller.reply(thread, "Your refill was sent")
    assert len(caller.posted) == 1
    caller.do("echo", practice="p1", conversation=thread)
    caller.do("settings", own_events=True)
    caller.call("POST", f"/conversations/{thread}/tags", {"name": "done"})
    echoed, tagged = (json.loads(body) for body in caller.posted[1:])
    assert echoed["data"]["message"]["author"]["type"] == "integration"
    assert echoed["data"]["message"]["direction"] == "outbound"
    assert tagged["type"] == "conversation.tagged"


def test_tags_status_and_assignee_are_changed_and_seen(caller: Caller) -> None:
    thread = caller.thread()
    assert caller.call("POST", f"/conversations/{thread}/tags", {"name": "refill"})[0] == 201
    assert caller.call("DELETE", f"/conversations/{thread}/tags/refill")[0] == 200
    assert caller.call("DELETE", f"/conversations/{thread}/tags/refill")[0] == 404
    shown = caller.call("PATCH", f"/conversations/{thread}", {"status": "closed", "assignee": "staff_1"})[1]
    assert (shown["status"], shown["assignee"], shown["closed_by"]["type"]) == ("closed", "staff_1", "integration")
    assert caller.call("PATCH", f"/conversations/{thread}", {"status": "gone"})[0] == 422


def test_macros_channels_and_patients_have_the_fields_the_contract_names(caller: Caller) -> None:
    macro = caller.call("GET", "/macros")[1]["data"][0]
    assert (macro["auto_reply"], macro["closes"], macro["tags"]) == (True, True, [{"name": "refill"}])
    channel = caller.call("GET", "/channels")[1]["data"][0]
    assert set(channel) == {"id", "name", "type", "phone_number", "location_id", "timezone"}
    patient = caller.call("GET", "/patients/pat_10000")[1]
    assert patient["external_ids"] == [{"system": "drchrono", "value": "70010000"}]
    assert {"merged_into", "identity_verified", "phones", "updated_at"} <= set(patient)


@pytest.mark.parametrize(("way", "shown"), [
    ("seconds", "1"), ("date", "Tue, 02 Jun 2026 14:00:01 GMT"), ("absent", None)
])  # fmt: skip
def test_the_eleventh_call_within_a_second_is_429_as_switched(caller: Caller, way: str, shown: str | None) -> None:
    caller.do("settings", calls_per_second=10, retry_after=way)
    assert [caller.raw("GET", "/v1/channels").status for _ in range(11)] == [200] * 10 + [429]
    answer = caller.raw("GET", "/v1/channels")
    assert answer.headers.get("Retry-After") == shown
    assert json.loads(answer.body)["error"]["code"] == "rate_limited"
    assert caller.raw("GET", "/v1/channels", headers=OTHER).status == 200
    caller.clock.advance(seconds=0.1)
    assert [caller.raw("GET", "/v1/channels").status for _ in range(2)] == [200, 429]
    caller.do("settings", calls_per_second=0)
    assert {caller.raw("GET", "/v1/channels").status for _ in range(50)} == {200}


def test_endpoints_are_registered_tested_rotated_and_deliveries_repeated(caller: Caller) -> None:
    status, made = caller.call("POST", "/v1/webhook_endpoints", {"url": "https://hub.test/x/"})
    assert (status, made["secret"][:6]) == (201, "whsec_")
    path = f"/v1/webhook_endpoints/{made['id']}"
    assert caller.call("POST", f"{path}/test")[0] == 202
    assert json.loads(caller.posted[0])["type"] == "webhook.test"
    rotated = caller.call("POST", f"{path}/rotate_secret")[1]
    assert rotated["secret"] != made["secret"]
    caller.thread()
    assert "secret" not in caller.call("GET", "/v1/webhook_endpoints")[1]["data"][0]
    rows = caller.call("GET", f"{path}/deliveries")[1]["data"]
    assert {row["event_type"] for row in rows} == {"webhook.test", "message.created"}
    wanted = next(row for row in rows if row["event_type"] == "message.created")
    assert caller.call("POST", f"{path}/deliveries/{wanted['id']}/redeliver")[0] == 202
    assert caller.posted[-1] == caller.posted[-2]
    assert caller.call("GET", path, None, OTHER)[0] == 404


def test_without_an_injected_carrier_only_loopback_is_posted_to() -> None:
    document = seeding.generate(seed=1, now=NOW, practices=1, patients=2, doctors=2)
    sim = klara.build(world=World(document=document), clock=Clock.frozen(at=NOW), seed=1)
    body = json.dumps({"practice": "p1", "url": "https://somewhere.example/x/"}).encode()
    assert sim.handle(Request(method="POST", path="/control/endpoint", body=body)).status == 400


def test_what_is_not_there_is_404_and_bad_json_400(caller: Caller) -> None:
    assert caller.call("GET", "/v1/nothing")[0] == 404
    assert caller.call("GET", "/v1/conversations/conv_x/messages")[0] == 404
    thread = caller.thread()
    request = Request(method="POST", path=f"/v1/conversations/{thread}/messages", headers=KEY, body=b"{")
    assert caller.sim.handle(request).status == 400
