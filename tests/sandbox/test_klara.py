"""The pretended Klara's desk and webhooks: signatures as the vectors have them, retries as the contract plans them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations.sandbox import klara, klara_signing, seeding
from integrations.sandbox.clock import Clock
from integrations.sandbox.klara_delivery import SCHEDULE
from integrations.sandbox.wire import Request
from integrations.sandbox.world import World

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VECTORS = json.loads((Path(__file__).parent.parent / "fixtures" / "klara" / "webhook_vectors.json").read_text())
S1, S2 = VECTORS["secrets"]["s1"], VECTORS["secrets"]["s2"]
URL = "https://hub.test/webhooks/klara/x/"


class Hub:
    """What the hub got, and what it answers."""

    def __init__(self) -> None:
        self.clock = Clock.frozen(at=NOW)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        document = seeding.generate(seed=1, now=NOW, practices=2, patients=4, doctors=2)
        self.sim = klara.build(world=World(document=document), clock=self.clock, seed=7, deliver=self.take)

    def take(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        self.got.append((url, headers, body))
        return self.answers.pop(0) if self.answers else (202, {})

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        path, _, query = path.partition("?")
        raw = b"" if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        answer = self.sim.handle(Request(method=method, path=path, query=query, headers=given, body=raw))
        return answer.status, json.loads(answer.body) if answer.body else None

    def do(self, verb: str, **wish: Any) -> Any:
        status, told = self.call("POST", f"/__sim__/{verb}", {"practice": "p1", **wish})
        assert status == 200, told
        return told

    def read(self, verb: str) -> Any:
        return self.call("GET", f"/__sim__/{verb}")[1]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.got]


@pytest.fixture
def hub() -> Hub:
    made = Hub()
    made.do("endpoint", url=URL, secrets=[S1])
    return made


def good(headers: dict[str, str], body: bytes, *secrets: str) -> bool:
    wanted = klara_signing.headers(
        scheme=klara_signing.ASSUMED, body=body, secrets=secrets, event_id=headers["X-Klara-Webhook-Id"],
        unix=int(headers["X-Klara-Webhook-Timestamp"]),
    )  # fmt: skip
    return wanted.items() <= headers.items()


@pytest.mark.parametrize("name", VECTORS["expected"])
def test_every_scheme_reproduces_the_expected_signature(name: str) -> None:
    scheme, secret, *body = name.split("/")
    text = VECTORS[body[0] if body else "body_utf8"]
    found = klara_signing.headers(
        scheme=klara_signing.scheme(scheme), body=text.encode(), secrets=[VECTORS["secrets"][secret]],
        event_id=VECTORS["id"], unix=VECTORS["timestamp"],
    )  # fmt: skip
    assert VECTORS["expected"][name] in found.values()


def test_the_published_vector_of_standard_webhooks_is_reproduced() -> None:
    vector = VECTORS["published"][0]
    found = klara_signing.headers(
        scheme=klara_signing.scheme("standard-webhooks"), body=vector["body"].encode(), secrets=[vector["secret"]],
        event_id=vector["id"], unix=vector["timestamp"],
    )  # fmt: skip
    assert found["webhook-signature"] == vector["signature"]


def test_a_message_arrives_signed_and_in_exactly_the_contracts_shape(hub: Hub) -> None:
    said = hub.do("say", patient="70010000", text="Hi, my café pills", tags=["refill"], reason="Refills")
    (url, headers, body), event = hub.got[0], hub.bodies[0]
    assert url == URL
    assert good(headers, body, S1)
    assert not good(headers, body, S2)
    assert headers["X-Klara-Delivery-Attempt"] == "1"
    assert "café".encode() in body
    assert list(event) == ["id", "type", "api_version", "occurred_at", "sequence", "practice_id", "data"]
    assert set(event["data"]["patient"]) == {
        "id", "first_name", "last_name", "date_of_birth", "phone", "identity_verified", "external_ids",
    }  # fmt: skip
    assert set(event["data"]["conversation"]) == {"id", "status", "reason", "tags", "channel", "assignee", "closed_by"}
    assert set(event["data"]["message"]) == {"id", "direction", "author", "body", "sent_at", "attachments", "source"}
    assert event["data"]["message"]["id"] == said["message_id"]
    assert event["data"]["conversation"]["tags"] == [{"name": "refill"}]
    assert said["deliveries"][0]["status"] == 202


def test_the_same_seed_and_moment_give_the_same_bytes() -> None:
    def run() -> list[Any]:
        made = Hub()
        made.do("endpoint", url=URL)
        made.do("say", patient="pat_10000", text="Hello")
        return made.got

    assert run() == run()


def test_a_failing_hub_is_tried_fourteen_times_and_each_attempt_is_signed_anew(hub: Hub) -> None:
    hub.answers = [(503, {})] * 20
    said = hub.do("say", patient="pat_10000", text="Hello")
    hub.clock.advance(seconds=25 * 3600)
    stamps = [int(headers["X-Klara-Webhook-Timestamp"]) for _, headers, _ in hub.got]
    assert [stamp - int(NOW.timestamp()) for stamp in stamps] == list(SCHEDULE)
    assert all(good(headers, body, S1) for _, headers, body in hub.got)
    assert {headers["X-Klara-Webhook-Id"] for _, headers, _ in hub.got} == {said["event_id"]}
    assert hub.read("deliveries?practice=p1")["deliveries"][-1]["state"] == "exhausted"


def test_a_hub_that_recovers_is_not_tried_again(hub: Hub) -> None:
    hub.answers = [(503, {}), (0, {}), (302, {})]
    hub.do("say", patient="pat_10000", text="Hello")
    hub.clock.advance(seconds=25 * 3600)
    assert len(hub.got) == 4


def test_retry_after_is_honoured_and_410_disables(hub: Hub) -> None:
    hub.answers = [(503, {"Retry-After": "600"})]
    hub.do("say", patient="pat_10000", text="Hello")
    hub.clock.advance(seconds=599)
    assert len(hub.got) == 1
    hub.clock.advance(seconds=1)
    assert len(hub.got) == 2
    hub.answers = [(410, {})]
    hub.do("say", patient="pat_10000", text="Hello")
    hub.do("say", patient="pat_10000", text="Hello")
    hub.clock.advance(seconds=25 * 3600)
    assert len(hub.got) == 3


def test_an_account_may_sign_the_events_own_time(hub: Hub) -> None:
    hub.do("settings", timestamp="event")
    hub.answers = [(503, {})]
    hub.do("say", patient="pat_10000", text="Hello")
    hub.clock.advance(seconds=30)
    assert {headers["X-Klara-Webhook-Timestamp"] for _, headers, _ in hub.got} == {str(int(NOW.timestamp()))}


@pytest.mark.parametrize(("signing", "secrets"), [("both", (S2, S1)), ("new", (S2,)), ("old", (S1,))])
def test_while_a_secret_rotates_one_or_both_sign(hub: Hub, signing: str, secrets: tuple[str, ...]) -> None:
    hub.do("secrets", new=S2, signing=signing)
    hub.do("say", patient="pat_10000", text="Hello")
    assert good(*hub.got[0][1:], *secrets)


def test_the_old_secret_stops_signing_after_the_overlap(hub: Hub) -> None:
    hub.do("secrets", new=S2)
    hub.clock.advance(seconds=86400)
    hub.do("say", patient="pat_10000", text="Hello")
    assert good(*hub.got[0][1:], S2)


@pytest.mark.parametrize("harm", [{"wrong_secret": True}, {"alter_body": True}, {"alter_body": "reserialise"}])
def test_a_forged_delivery_does_not_verify_and_is_not_repeated(hub: Hub, harm: dict[str, Any]) -> None:
    hub.answers = [(401, {})]
    hub.do("say", patient="pat_10000", text="Hello", **harm)
    assert not good(*hub.got[0][1:], S1)
    hub.clock.advance(seconds=25 * 3600)
    assert len(hub.got) == 1


def test_a_captured_request_is_replayed_byte_for_byte(hub: Hub) -> None:
    said = hub.do("say", patient="pat_10000", text="Hello")
    hub.clock.advance(seconds=301)
    hub.do("redeliver", event=said["event_id"], same_headers=True)
    assert hub.got[0] == hub.got[1]
    hub.do("redeliver", event=said["event_id"])
    assert hub.got[2][2] == hub.got[0][2]
    assert hub.got[2][1] != hub.got[0][1]


def test_repeats_share_one_event_and_a_given_id_is_kept(hub: Hub) -> None:
    said = hub.do("say", patient="pat_10000", text="Hello", repeat=50, parallel=True, event_id="evt_mine")
    assert len(said["deliveries"]) == len(hub.got) == 50
    assert {event["id"] for event in hub.bodies} == {"evt_mine"}
    hub.do("say", patient="pat_10000", text="Something else", event_id="evt_mine")
    assert hub.bodies[-1]["id"] == "evt_mine"
    assert good(*hub.got[-1][1:], S1)


def test_a_lost_message_leaves_a_gap_in_the_sequence_and_is_in_the_listing(hub: Hub) -> None:
    hub.do("say", patient="pat_10000", text="one", lose=True)
    hub.do("say", patient="pat_10000", text="two")
    assert hub.bodies[0]["sequence"] > 1
    assert len(hub.got) == 1
    assert [m["body"] for m in hub.read("conversations?practice=p1")["conversations"][0]["messages"]] == ["one", "two"]


def test_a_late_message_comes_when_its_time_has_come(hub: Hub) -> None:
    hub.do("say", patient="pat_10000", text="late", delay=1800)
    hub.clock.advance(seconds=1799)
    assert hub.got == []
    hub.clock.advance(seconds=1)
    assert len(hub.got) == 1


def test_a_held_message_comes_after_the_next_one(hub: Hub) -> None:
    hub.do("say", patient="pat_10000", text="first", webhook="reordered")
    hub.do("say", patient="pat_10000", text="second")
    assert [event["data"]["message"]["body"] for event in hub.bodies] == ["second", "first"]


def test_a_macro_swallows_a_message_without_any_webhook(hub: Hub) -> None:
    said = hub.do("say", patient="pat_10000", text="refill please", macro=True)
    assert hub.got == []
    (row,) = hub.read("conversations?practice=p1")["conversations"]
    assert row["closed_by"] == {"type": "macro", "id": "mac_1_1", "name": "Refill auto-reply"}
    assert [m["author"]["type"] for m in row["messages"]] == ["patient", "macro"]
    hub.do("say", patient="pat_10000", text="hello?")
    assert hub.bodies[-1]["data"]["conversation"]["id"] == said["conversation_id"]
    assert hub.bodies[-1]["data"]["conversation"]["status"] == "open"


def test_staff_tag_close_and_merge_with_their_events(hub: Hub) -> None:
    said = hub.do("say", patient="pat_10000", text="Hello")
    hub.do("tag", conversation=said["conversation_id"], tag="refill")
    hub.do("close", conversation=said["conversation_id"])
    hub.do("merge", gone="pat_10000", survivor="70010001")
    kinds = [event["type"] for event in hub.bodies]
    assert kinds == ["message.created", "conversation.tagged", "conversation.closed", "patient.merged"]
    assert hub.bodies[2]["data"]["conversation"]["closed_by"]["type"] == "staff"
    assert hub.bodies[3]["data"]["patient"]["merged_into"] == "pat_10001"
    assert hub.do("say", patient="70010000", text="again")["patient_id"] == "pat_10001"


def test_voicemail_proxy_unverified_and_attachment_reach_the_event(hub: Hub) -> None:
    hub.do("say", patient="pat_10000", text=None, attachments=[{"id": "att_1"}], author="proxy", unverified=True,
           source="voicemail_transcript", channel="voicemail", sent_at="2026-01-01T23:59:59Z")  # fmt: skip
    data = hub.bodies[0]["data"]
    assert data["patient"]["identity_verified"] is False
    assert data["conversation"]["channel"]["type"] == "voicemail"
    assert (data["message"]["body"], data["message"]["author"]["type"]) == (None, "proxy")
    assert (data["message"]["source"], data["message"]["sent_at"]) == ("voicemail_transcript", "2026-01-01T23:59:59Z")


def test_any_event_can_be_made_and_any_field_set_or_dropped(hub: Hub) -> None:
    hub.do("endpoint", url=URL, secrets=[S1], events=[])
    hub.do("event", type="moon.phase", data={"x": 1}, extra={"more": True})
    assert (hub.bodies[0]["type"], hub.bodies[0]["more"]) == ("moon.phase", True)
    hub.do("say", patient="pat_10000", text="Hi", set={"data.conversation.tags": None}, drop=["data.message.source"])
    assert hub.bodies[-1]["data"]["conversation"]["tags"] is None
    assert "source" not in hub.bodies[-1]["data"]["message"]


def test_another_profile_signs_otherwise_and_moves_fields(hub: Hub) -> None:
    profile = {"profile": "body-hex-v1", "moves": {"data.message.body": "payload.words"},
               "words": {"data.message.direction": {"inbound": "incoming"}}}  # fmt: skip
    hub.do("endpoint", url=URL, secrets=[S1], profile=profile)
    hub.do("say", patient="pat_10000", text="Hi")
    (_, headers, _), event = hub.got[0], hub.bodies[0]
    assert headers["X-Klara-Signature-256"].startswith("sha256=")
    assert "X-Klara-Webhook-Id" not in headers
    assert event["payload"]["words"] == "Hi"
    assert event["data"]["message"]["direction"] == "incoming"
    assert "body" not in event["data"]["message"]


@pytest.mark.parametrize("wish", [
    {"patient": "nobody", "text": "x"}, {"patient": "pat_10000", "text": "x", "author": "ghost"},
    {"patient": "pat_10000", "text": "x", "colour": "red"}, {"patient": "pat_10000", "text": "x", "webhook": "eaten"},
    {"patient": "pat_10000", "text": "x", "repeat": 0}, {"patient": "pat_10000", "text": "\ud800"},
])  # fmt: skip
def test_senseless_wishes_are_400_and_post_nothing(hub: Hub, wish: dict[str, Any]) -> None:
    assert hub.call("POST", "/control/say", {"practice": "p1", **wish})[0] == 400
    assert hub.got == []
    assert hub.read("conversations") == {"conversations": []}


def test_reset_forgets_messages_and_endpoints_and_nothing_more_is_posted(hub: Hub) -> None:
    hub.answers = [(503, {})]
    hub.do("say", patient="pat_10000", text="Hello")
    hub.call("POST", "/__sim__/reset", {})
    hub.clock.advance(seconds=timedelta(hours=25).total_seconds())
    assert len(hub.got) == 1
    assert hub.read("conversations") == {"conversations": []}
