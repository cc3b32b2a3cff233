"""The REST calls of the pretended Klara behind the door: channels, patients, conversations, replies, macros, endpoints.

Each call does its work completely or raises Refused or Unknown before doing anything.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from integrations.sandbox import control
from integrations.sandbox import klara_signing as signing
from integrations.sandbox.klara_delivery import MINIMUM, Endpoint, Twist
from integrations.sandbox.klara_door import Refused
from integrations.sandbox.klara_store import Account, Conversation, Message, Unknown, seconds
from integrations.sandbox.wire import Answer, Request, empty_answer, json_answer

if TYPE_CHECKING:
    from integrations.sandbox.klara import Klara

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
INTEGRATION = "app_refill_hub"
LONGEST_KEY = 255
PAGE, LARGEST_PAGE = 50, 100


def answer(*, sim: "Klara", account: Account, request: Request, now: datetime) -> Answer:
    """Route one authenticated call."""
    match request.method, [unquote(part) for part in request.path.strip("/").split("/")]:
        case "GET", ["channels"]:
            return _page(request, account.channels.values(), lambda row: row["id"])
        case "GET", ["macros"]:
            return _page(request, [_macro(row) for row in account.macros], lambda row: row["id"])
        case "GET", ["patients"]:
            return _patients(account, request)
        case "GET", ["patients", name]:
            if name not in account.patients:
                raise Unknown(f"no patient {name!r}")
            return json_answer(200, account.patient_shown(account.patients[name], full=True))
        case "GET", ["conversations"]:
            return _conversations(sim, account, request, now)
        case "GET", ["conversations", name]:
            return json_answer(200, _shown(sim, account, account.conversation(name)))
        case "PATCH", ["conversations", name]:
            return _patch(sim, account, account.conversation(name), request, now)
        case "GET", ["conversations", name, "messages"]:
            return _messages(sim, account, account.conversation(name), request, now)
        case "POST", ["conversations", name, "messages"]:
            return _reply(sim, account, account.conversation(name), request, now)
        case "POST" | "DELETE", ["conversations", name, "tags", *rest] if len(rest) < 2:
            return _tags(sim, account, account.conversation(name), request, rest, now)
        case "POST", ["appointment_links"]:
            token = hashlib.sha256(request.body).hexdigest()[:16]
            return json_answer(201, {"url": f"https://booking.invalid/{account.id}/{token}"})
        case method, ["webhook_endpoints", *rest]:
            return _endpoints(sim, account, method, rest, request, now)
    raise Refused(404, "not_found", "No such resource or method.")


# reading -----------------------------------------------------------------------------------------------------------


def _page(request: Request, rows: Iterable[dict[str, Any]], place: Callable[[dict[str, Any]], Any]) -> Answer:
    """A keyset page: rows in the order of `place`, beginning after the cursor's place."""
    after = _cursor(request)
    ordered = sorted(((place(row), row) for row in rows), key=lambda pair: pair[0])
    if after is not None:
        try:
            ordered = [pair for pair in ordered if pair[0] > after]
        except TypeError:
            raise Refused(400, "invalid_cursor", "The cursor is not one of this list.") from None
    return _cut(request, ordered)


def _cut(request: Request, ordered: list[tuple[Any, dict[str, Any]]]) -> Answer:
    text = request.params.get("limit", str(PAGE))
    if not text.isdigit() or int(text) < 1:
        raise Refused(400, "invalid_parameter", "limit is a whole number from 1.")
    size = min(int(text), LARGEST_PAGE)
    shown = ordered[:size]
    following = None
    if len(ordered) > size:
        following = base64.urlsafe_b64encode(json.dumps(shown[-1][0]).encode()).decode().rstrip("=")
    return json_answer(200, {"data": [row for _, row in shown], "next_cursor": following})


def _cursor(request: Request) -> Any:
    text = request.params.get("cursor", "")
    if not text:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        raise Refused(400, "invalid_cursor", "The cursor is not one of ours.") from None
    return tuple(place) if isinstance(place, list) else place


def _since(request: Request, name: str) -> datetime | None:
    text = request.params.get(name, "")
    try:
        return control.moment(text) if text else None
    except ValueError:
        raise Refused(400, "invalid_parameter", f"{name} is an ISO 8601 moment.") from None


def _patients(account: Account, request: Request) -> Answer:
    since = _since(request, "updated_since")
    rows = [
        account.patient_shown(record, full=True)
        for name, record in account.patients.items()
        if since is None or account.touched[name] >= since
    ]
    return _page(request, rows, lambda row: (account.touched[row["id"]].isoformat(), row["id"]))


def _conversations(sim: "Klara", account: Account, request: Request, now: datetime) -> Answer:
    since, status = _since(request, "updated_since"), request.params.get("status", "open")
    if status not in ("open", "closed", "all"):
        raise Refused(400, "invalid_parameter", "status is open, closed or all.")
    channel, seen = request.params.get("channel_id", ""), _visible_until(sim, account, now)
    rows = [
        _shown(sim, account, each)
        for each in account.conversations.values()
        if (since is None or each.updated_at >= since)
        and status in ("all", each.status)
        and each.updated_at <= seen
        and channel in ("", each.channel["id"])
    ]
    return _page(request, rows, lambda row: (account.conversations[row["id"]].updated_at.isoformat(), row["id"]))


def _messages(sim: "Klara", account: Account, conversation: Conversation, request: Request, now: datetime) -> Answer:
    """In the order they came. `after` is a message id or a moment."""
    seen = _visible_until(sim, account, now)
    rows = [(place, each) for place, each in enumerate(conversation.messages) if each.created_at <= seen]
    after, start = request.params.get("after", ""), _cursor(request)
    if after in {each.id for _, each in rows}:
        first = next(place for place, each in rows if each.id == after)
        rows = [pair for pair in rows if pair[0] > first]
    elif after:
        since = _since(request, "after")
        rows = [pair for pair in rows if pair[1].sent_at > since]
    if start is not None and not isinstance(start, int):
        raise Refused(400, "invalid_cursor", "The cursor is not one of this list.")
    return _cut(request, [(place, each.listed()) for place, each in rows if start is None or place > start])


def _visible_until(sim: "Klara", account: Account, now: datetime) -> datetime:
    return now - timedelta(seconds=float(sim.switches.get("list_lag_seconds", account.key)))


def _shown(sim: "Klara", account: Account, conversation: Conversation) -> dict[str, Any]:
    full = sim.switches.get("conversation_patient", account.key) == "full"
    return account.conversation_listed(conversation, full=full)


def _macro(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "tags": [{"name": name} if isinstance(name, str) else name for name in row.get("tags", [])]}


# writing -----------------------------------------------------------------------------------------------------------


def _fields(request: Request) -> dict[str, Any]:
    fields = request.json() if request.body else {}
    if not isinstance(fields, dict):
        raise Refused(400, "invalid_json", "The body is an object.")
    return fields


def _reply(sim: "Klara", account: Account, conversation: Conversation, request: Request, now: datetime) -> Answer:
    """Only the first use of an idempotency key writes; a later one is answered by the switch `duplicate`."""
    fields, key = _fields(request), request.headers.get("idempotency-key", "")
    if len(key) > LONGEST_KEY:
        raise Refused(400, "invalid_parameter", f"Idempotency-Key has at most {LONGEST_KEY} characters.")
    used = account.keys.get(key) if key else None
    life = timedelta(seconds=float(sim.switches.get("key_ttl", account.key)))
    if used is not None and now - used[0] < life:
        return _again(sim, account, used[1], key, now)
    text, visibility = fields.get("body"), fields.get("visibility", "patient")
    if not isinstance(text, str) or not text.strip() or len(text) > sim.switches.get("longest_reply", account.key):
        raise Refused(422, "validation_failed", "body is a text that is neither empty nor too long.")
    if visibility not in ("patient", "internal"):
        raise Refused(422, "validation_failed", "visibility is patient or internal.")
    message = account.post(
        conversation=conversation,
        now=now,
        author={"type": "integration", "id": INTEGRATION},
        body=text,
        visibility=visibility,
        key=key,
        template_id=fields.get("template_id"),
    )
    if key:
        account.keys[key] = (now, message)
    _note_reply(sim, account, conversation, message, now, "applied")
    event = sim.event(account=account, kind="message.created", now=now, conversation=conversation, message=message)
    sim.own(account=account, event=event)
    return json_answer(201, message.listed())


def _again(sim: "Klara", account: Account, message: Message, key: str, now: datetime) -> Answer:
    way = sim.switches.get("duplicate", account.key)
    _note_reply(sim, account, account.conversation(message.conversation), message, now, "repeated")
    if way == "replay":
        return json_answer(201, message.listed())
    raise Refused(int(way), "duplicate_idempotency_key", "This Idempotency-Key was used already.")


def _note_reply(
    sim: "Klara", account: Account, conversation: Conversation, message: Message, now: datetime, decision: str
) -> None:
    sim.journal.add(
        at=now,
        practice=account.key,
        decision=decision,
        kind=f"{'reply' if message.visibility == 'patient' else 'note'}.{decision}",
        ids={
            "message": message.id,
            "conversation": conversation.id,
            "patient": conversation.patient,
            "key": message.key,
        },
        data={"text": message.body} if decision == "applied" else {},
    )


def _tags(
    sim: "Klara", account: Account, conversation: Conversation, request: Request, rest: list[str], now: datetime
) -> Answer:
    fields = _fields(request)
    name = rest[0] if rest else fields.get("name", request.params.get("name"))
    if not isinstance(name, str) or not name.strip() or len(name) > 100:
        raise Refused(422, "validation_failed", "name is the tag's text.")
    adds, has = request.method == "POST", name in conversation.tags
    if not adds and not has:
        raise Unknown(f"no tag {name!r}")
    if adds != has:
        conversation.tags = [*conversation.tags, name] if adds else [tag for tag in conversation.tags if tag != name]
        conversation.updated_at = now
        kind = "conversation.tagged" if adds else "conversation.untagged"
        sim.journal.add(
            at=now,
            kind=kind,
            practice=account.key,
            decision="integration",
            ids={"conversation": conversation.id, "patient": conversation.patient, "tag": name},
        )
        sim.own(account=account, event=sim.event(account=account, kind=kind, now=now, conversation=conversation))
    return json_answer(201 if adds else 200, _shown(sim, account, conversation))


def _patch(sim: "Klara", account: Account, conversation: Conversation, request: Request, now: datetime) -> Answer:
    fields = _fields(request)
    if set(fields) - {"status", "assignee"} or fields.get("status", "open") not in ("open", "closed"):
        raise Refused(422, "validation_failed", "Only status (open, closed) and assignee may be changed.")
    kinds = []
    if "assignee" in fields and fields["assignee"] != conversation.assignee:
        conversation.assignee, conversation.updated_at = fields["assignee"], now
        kinds.append("conversation.assigned")
    status = fields.get("status", conversation.status)
    if status != conversation.status and status == "closed":
        account.close(conversation=conversation, by={"type": "integration", "id": INTEGRATION}, now=now)
        kinds.append("conversation.closed")
    elif status != conversation.status:
        account.reopen(conversation=conversation, now=now)
        kinds.append("conversation.reopened")
    for kind in kinds:
        sim.journal.add(
            at=now,
            kind=kind,
            practice=account.key,
            decision="integration",
            ids={"conversation": conversation.id, "patient": conversation.patient},
        )
        sim.own(account=account, event=sim.event(account=account, kind=kind, now=now, conversation=conversation))
    return json_answer(200, _shown(sim, account, conversation))


# endpoints ---------------------------------------------------------------------------------------------------------


def _endpoints(sim: "Klara", account: Account, method: str, rest: list[str], request: Request, now: datetime) -> Answer:
    if not rest:
        return _register(sim, account, method, request)
    endpoint = account.endpoints.get(rest[0])
    if endpoint is None:
        raise Unknown(f"no webhook endpoint {rest[0]!r}")
    match method, rest[1:]:
        case "GET", []:
            return json_answer(200, endpoint.shown())
        case "PATCH", []:
            return _change(endpoint, _fields(request))
        case "DELETE", []:
            endpoint.status = "removed"
            del account.endpoints[endpoint.id]
            return empty_answer(204)
        case "POST", ["test"]:
            event = sim.event(account=account, kind="webhook.test", now=now)
            planned = sim.plan(account=account, event=event, only=endpoint)
            sim.start(deliveries=planned, wait=False)
            return json_answer(202, {"event_id": event["id"], "delivery_ids": [each.id for each in planned]})
        case "POST", ["rotate_secret"]:
            secret = sim.hooks.rotate(endpoint=endpoint)
            return json_answer(
                200, {"secret": secret, "previous_secret_valid_until": seconds(endpoint.old_until or now)}
            )
        case "GET", ["deliveries"]:
            mine = [each for each in sim.hooks.log if each.endpoint is endpoint]
            return _page(request, [each.shown() for each in mine], lambda row: (row["created_at"], row["id"]))
        case "POST", ["deliveries", name, "redeliver"]:
            for delivery in sim.hooks.log:
                if delivery.id == name and delivery.endpoint is endpoint:
                    made = sim.hooks.again(delivery=delivery, twist=Twist())
                    sim.start(deliveries=[made], wait=False)
                    return json_answer(202, made.shown())
            raise Unknown(f"no delivery {name!r}")
    raise Refused(404, "not_found", "No such resource or method.")


def _register(sim: "Klara", account: Account, method: str, request: Request) -> Answer:
    if method == "GET":
        return _page(request, [each.shown() for each in sim.hooks.of(account.key)], lambda row: row["id"])
    if method != "POST":
        raise Refused(405, "method_not_allowed", "Use GET or POST.", {"Allow": "GET, POST"})
    fields = _fields(request)
    events = fields.get("events", list(MINIMUM))
    if not isinstance(events, list) or not may_post_to(sim=sim, url=str(fields.get("url", ""))):
        raise Refused(422, "validation_failed", "url is an address this sandbox may post to; events is a list.")
    try:
        endpoint = sim.hooks.register(
            practice=account.key,
            url=str(fields["url"]),
            secrets=[],
            events=tuple(str(each) for each in events),
            scheme=signing.ASSUMED,
        )
    except signing.BadScheme as problem:
        raise Refused(422, "validation_failed", str(problem)) from problem
    return json_answer(201, {**endpoint.shown(), "secret": endpoint.secrets[0]})


def _change(endpoint: Endpoint, fields: dict[str, Any]) -> Answer:
    if set(fields) - {"status", "events"} or fields.get("status", "enabled") not in ("enabled", "paused"):
        raise Refused(422, "validation_failed", "Only status (enabled, paused) and events may be changed.")
    endpoint.status = fields.get("status", endpoint.status)
    endpoint.events = tuple(fields.get("events", endpoint.events))
    return json_answer(200, endpoint.shown())


def may_post_to(*, sim: "Klara", url: str) -> bool:
    """Loopback only, unless the bytes are carried by a test."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and (sim.injected or parts.hostname in LOOPBACK)
