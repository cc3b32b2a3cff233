"""Klara's REST interface as assumed (contract 3.2): one function per resource; the simulator routes to them."""

import base64
import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from integrations.sandbox import klara_signing as signing
from integrations.sandbox import klara_store as store
from integrations.sandbox.klara_store import Account, Endpoint, Record
from integrations.sandbox.wire import Answer, BadBody, Request, empty_answer, json_answer

if TYPE_CHECKING:
    from integrations.sandbox.klara import Klara

KEY_LIFE = timedelta(hours=24)
MOST = 100
LONGEST_TEXT = 10_000


def trouble(sim: "Klara", status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    """An error as Klara words it."""
    return json_answer(status, {"error": {"code": code, "message": message, "request_id": sim.ids.new("req")}}, headers)


def route(*, sim: "Klara", account: Account, request: Request, parts: list[str], now: datetime) -> Answer:
    """Answer one authorised call."""
    match request.method, parts:
        case "GET", ["channels"]:
            return _page(request, list(account.channels.values()))
        case "GET", ["macros"]:
            return _page(request, account.macros)
        case "GET", ["patients"]:
            return _page(request, _since(list(account.patients.values()), request))
        case "GET", ["patients", key] if key in account.patients:
            return json_answer(200, account.patients[key])
        case "GET", ["conversations"]:
            return _page(request, _conversations(account, request))
        case _, ["conversations", key, *rest] if key in account.conversations:
            return _conversation(sim, account, account.conversations[key], request, rest, now)
        case _, ["webhook_endpoints", *rest]:
            return _endpoints(sim, account, request, rest)
        case "POST", ["appointment_links"]:
            return json_answer(201, {"id": sim.ids.new("link"), "url": f"https://book.example/{sim.ids.new('l')}"})
    known = {"channels", "macros", "patients", "conversations", "appointment_links"}
    if parts and parts[0] in known and len(parts) == 1:
        return trouble(sim, 405, "method_not_allowed", f"{request.method} is not offered here")
    return trouble(sim, 404, "not_found", "no such resource")


def _since(rows: list[Record], request: Request) -> list[Record]:
    wished = request.params.get("updated_since", "")
    if not wished:
        return rows
    moment = datetime.fromisoformat(wished.replace("Z", "+00:00"))
    return [row for row in rows if datetime.fromisoformat(row["updated_at"].replace("Z", "+00:00")) >= moment]


def _conversations(account: Account, request: Request) -> list[Record]:
    status, channel = request.params.get("status", "open"), request.params.get("channel_id", "")
    rows = _since(list(account.conversations.values()), request)
    return [
        row for row in rows if status in ("all", row["status"]) and (not channel or row["channel"]["id"] == channel)
    ]


def _page(request: Request, rows: list[Record]) -> Answer:
    limit, cursor = request.params.get("limit", ""), request.params.get("cursor", "")
    size = max(1, min(int(limit), MOST)) if limit.isdigit() and int(limit) else 50
    start = 0
    if cursor:
        start = next((i + 1 for i, row in enumerate(rows) if row["id"] == cursor), len(rows))
    page = rows[start : start + size]
    return json_answer(200, {"data": page, "next_cursor": page[-1]["id"] if start + size < len(rows) else None})


def _conversation(sim: "Klara", account: Account, conversation: Record, request: Request, rest: list[str], now: datetime) -> Answer:
    match request.method, rest:
        case "GET", []:
            return json_answer(200, conversation)
        case "PATCH", []:
            body = _object(request)
            if body.get("status", "open") not in ("open", "closed"):
                return trouble(sim, 422, "invalid", "status must be open or closed")
            closing = body.get("status") == "closed"
            store.touch(conversation, now, **{k: v for k, v in body.items() if k in ("status", "assignee")},
                        closed_by={"type": "integration"} if closing else conversation["closed_by"])  # fmt: skip
            return json_answer(200, conversation)
        case "GET", ["messages"]:
            rows, after = account.messages[conversation["id"]], request.params.get("after", "")
            if after:
                rows = rows[next((i + 1 for i, row in enumerate(rows) if row["id"] == after), len(rows)) :]
            return _page(request, rows)
        case "POST", ["messages"]:
            return _post_message(sim, account, conversation, request, now)
        case "POST" | "DELETE", ["tags", *named]:
            return _tags(sim, account, conversation, request, named, now)
    return trouble(sim, 404, "not_found", "no such resource")


def _post_message(sim: "Klara", account: Account, conversation: Record, request: Request, now: datetime) -> Answer:
    body = _object(request)
    text, visibility = body.get("body"), body.get("visibility", "patient")
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT:
        return trouble(sim, 422, "invalid_body", f"body must be text of 1 to {LONGEST_TEXT} characters")
    if visibility not in ("patient", "internal"):
        return trouble(sim, 422, "invalid_visibility", "visibility must be patient or internal")
    key = request.headers.get("idempotency-key", "")
    if len(key) > 255:
        return trouble(sim, 422, "invalid_idempotency_key", "at most 255 characters")
    digest = hashlib.sha256(json.dumps([conversation["id"], body], sort_keys=True).encode()).hexdigest()
    known = account.keys.get(key) if key else None
    if known is not None and now - known[2] < KEY_LIFE:
        return _repeated(sim, account, conversation, known, digest, key, now)
    message = store.add_message(
        into=account, ids=sim.ids, conversation=conversation, moment=now, sent_at=store.stamp(now), direction="outbound",
        author={"type": "integration", "id": "refill-hub"}, body=text, visibility=visibility,
    )  # fmt: skip
    if key:
        account.keys[key] = (digest, message, now)
    kind = "reply.applied" if visibility == "patient" else "note.applied"
    sim.journal.add(at=now, kind=kind, practice=account.key, decision="applied",
                    ids={"message": message["id"], "conversation": conversation["id"], "patient": conversation["patient_id"], "key": key},
                    data={"text": text})  # fmt: skip
    if sim.knobs["echo_replies"] and visibility == "patient":
        sim.after_answer(lambda: sim.tell(account=account, kind="message.created", conversation=conversation, message=message, wait=False))
    return json_answer(201, message)


def _repeated(sim: "Klara", account: Account, conversation: Record, known: tuple[str, Record, datetime], digest: str, key: str,
              now: datetime) -> Answer:  # fmt: skip
    same = known[0] == digest
    sim.journal.add(at=now, kind="reply.repeated", practice=account.key, decision="same" if same else "different",
                    ids={"message": known[1]["id"], "conversation": conversation["id"], "key": key})  # fmt: skip
    if same and sim.knobs["duplicate"] == "replay":
        return json_answer(201, known[1])
    status = 409 if sim.knobs["duplicate"] == "409" else 422
    code = "duplicate_idempotency_key" if same else "idempotency_key_reused"
    return trouble(sim, status, code, "this idempotency key was used before")


def _tags(sim: "Klara", account: Account, conversation: Record, request: Request, named: list[str], now: datetime) -> Answer:
    name = named[0] if named else str(_object(request).get("name", "")) if request.body else request.params.get("name", "")
    if not name:
        return trouble(sim, 422, "invalid", "a tag needs a name")
    tags = [tag for tag in conversation["tags"] if tag["name"] != name]
    if request.method == "POST":
        tags.append({"name": name})
    store.touch(conversation, now, tags=tags)
    sim.journal.add(at=now, kind="tag.added" if request.method == "POST" else "tag.removed", practice=account.key,
                    ids={"conversation": conversation["id"]}, data={"tag": name})  # fmt: skip
    return json_answer(201, {"data": tags}) if request.method == "POST" else empty_answer()


def _endpoints(sim: "Klara", account: Account, request: Request, rest: list[str]) -> Answer:
    match request.method, rest:
        case "GET", []:
            return _page(request, [_shown(e) for e in account.endpoints.values()])
        case "POST", []:
            body = _object(request)
            if not str(body.get("url", "")).startswith(("http://", "https://")):
                return trouble(sim, 422, "invalid_url", "url must be http or https")
            endpoint = add_endpoint(sim=sim, account=account, url=body["url"], events=tuple(body.get("events") or ()))
            return json_answer(201, {**_shown(endpoint), "secret": endpoint.secrets[0]})
        case method, [key, *more] if key in account.endpoints:
            return _endpoint(sim, account, account.endpoints[key], method, more)
    return trouble(sim, 404, "not_found", "no such endpoint")


def _endpoint(sim: "Klara", account: Account, endpoint: Endpoint, method: str, more: list[str]) -> Answer:
    mine = [d for d in sim.post.deliveries.values() if d.endpoint.id == endpoint.id]
    match method, more:
        case "GET", []:
            return json_answer(200, _shown(endpoint))
        case "DELETE", []:
            del account.endpoints[endpoint.id]
            return empty_answer()
        case "POST", ["test"]:
            sim.after_answer(lambda: sim.test_event(account=account))
            return json_answer(202, {"queued": True})
        case "POST", ["rotate_secret"]:
            endpoint.secrets.insert(0, new_secret(sim=sim, form=endpoint.scheme["secret_format"]))
            return json_answer(200, {**_shown(endpoint), "secret": endpoint.secrets[0]})
        case "GET", ["deliveries"]:
            return json_answer(200, {"data": [d.shown() for d in mine], "next_cursor": None})
        case "POST", ["deliveries", key, "redeliver"] if any(d.id == key for d in mine):
            sim.after_answer(lambda: sim.post.attempt(sim.post.deliveries[key], retry=False))
            return json_answer(202, {"queued": True})
    return trouble(sim, 404, "not_found", "no such resource")


def add_endpoint(*, sim: "Klara", account: Account, url: str, events: tuple[str, ...] = (), secrets: list[str] | None = None,
                 scheme: dict[str, Any] | None = None) -> Endpoint:  # fmt: skip
    """Register an endpoint; without secrets one is made."""
    chosen = scheme or signing.STANDARD
    endpoint = Endpoint(sim.ids.new("whe"), account.key, url, list(secrets or [new_secret(sim=sim, form=chosen["secret_format"])]), chosen,
                        events)  # fmt: skip
    account.endpoints[endpoint.id] = endpoint
    return endpoint


def new_secret(*, sim: "Klara", form: str) -> str:
    """A fresh signing secret of 32 bytes in the wanted form."""
    raw = sim.random.randbytes(32)
    text = base64.b64encode(raw).decode()
    return {"whsec": f"whsec_{text}", "base64": text}.get(form, raw.hex())


def _shown(endpoint: Endpoint) -> Record:
    return {"id": endpoint.id, "url": endpoint.url, "events": list(endpoint.events), "active": endpoint.active,
            "secrets": len(endpoint.secrets)}  # fmt: skip


def _object(request: Request) -> Record:
    body = request.json() if request.body else {}
    if not isinstance(body, dict):
        raise BadBody("expected an object")
    return body
