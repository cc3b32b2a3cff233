"""Klara's own control calls: endpoint, say, say_many, macro, tag, merge, raw, redeliver, settings, conversation. See docs/sandbox.md."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from integrations.sandbox import klara_rest as rest
from integrations.sandbox import klara_signing as signing
from integrations.sandbox import klara_store as store
from integrations.sandbox.klara_delivery import TROUBLES, Delivery
from integrations.sandbox.klara_store import Account
from integrations.sandbox.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from integrations.sandbox.klara import Klara

AUTHORS = ("patient", "proxy", "staff", "macro", "integration", "system")


def answer(*, sim: "Klara", verb: str, request: Request) -> Answer | None:
    """One control call; None when there is no such call."""
    if request.method == "GET" and verb == "conversation":
        account = sim.accounts[request.params["practice"]]
        key = request.params["id"]
        return json_answer(200, {"conversation": account.conversations[key], "messages": account.messages[key]})
    if request.method == "GET" and verb == "deliveries":
        return json_answer(200, {"deliveries": [d.shown() for d in sim.post.deliveries.values()]})
    calls = {"endpoint": _endpoint, "say": say, "say_many": _say_many, "macro": _macro, "tag": _tag, "merge": _merge, "raw": _raw,
             "redeliver": _redeliver, "settings": _settings, "test": _test, "close": _close, "token": _token}  # fmt: skip
    call = calls.get(verb)
    if request.method != "POST" or call is None:
        return None
    wish = request.json() if request.body else {}
    return json_answer(200, call(sim, wish))


def extend(*, sim: "Klara", document: dict[str, Any]) -> dict[str, int]:
    """Take {"practices": [{"key", "patients": [...], "channels": [...]}]}."""
    added = {"patients": 0, "channels": 0}
    for part in document.get("practices", []):
        account = sim.accounts[part["key"]]
        added["patients"] += store.add_patients(into=account, patients=part.get("patients", []), moment=sim.clock.now())
        for channel in part.get("channels", []):
            account.channels[channel["id"]] = channel
            added["channels"] += 1
    return added


def say(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Somebody writes: store the message, tell the endpoints."""
    _trouble(wish)
    author = "proxy" if wish.get("proxy") else wish.get("author", "patient")
    if author not in AUTHORS:
        raise ValueError(f"author must be one of {', '.join(AUTHORS)}")
    with sim.lock:
        account, now = sim.accounts[wish["practice"]], sim.clock.now()
        patient = account.patients[wish["patient"]]
        if "unverified" in wish:
            patient["identity_verified"] = not wish["unverified"]
        channel = store.channel_of(into=account, wished=wish.get("channel", ""))
        conversation = account.conversations[wish["conversation"]] if wish.get("conversation") else None
        if conversation is None and not wish.get("new_conversation"):
            conversation = store.latest_conversation(into=account, patient=patient["id"], channel=channel["id"])
        conversation = conversation or store.open_conversation(
            into=account, ids=sim.ids, patient=patient["id"], channel=channel, reason=wish.get("reason"), moment=now)  # fmt: skip
        inbound = author in ("patient", "proxy")
        tags = conversation["tags"] + [{"name": n} for n in wish.get("tags", []) if {"name": n} not in conversation["tags"]]
        changes: dict[str, Any] = {"tags": tags, "reason": wish.get("reason", conversation["reason"])}
        if inbound:
            changes |= {"status": "open", "closed_by": None}  # a later patient message re-opens
        store.touch(conversation, now, **changes)
        source = wish.get("source", "voicemail_transcript" if channel["type"] == "voicemail" else "text")
        message = store.add_message(
            into=account, ids=sim.ids, conversation=conversation, moment=now, sent_at=wish.get("sent_at") or store.stamp(now),
            direction=wish.get("direction", "inbound" if inbound else "outbound"),
            author={"type": author, "id": wish.get("author_id", patient["id"] if author == "patient" else f"{author}_1")},
            body=wish["text"], source=source, attachments=wish.get("attachments", []),
        )  # fmt: skip
        sim.journal.add(at=now, kind="message.said", practice=account.key, decision=author,
                        ids={"message": message["id"], "conversation": conversation["id"], "patient": patient["id"],
                             "label": wish.get("label", "")})  # fmt: skip
        snapshot = json.loads(json.dumps(conversation))
    event, deliveries = sim.tell(account=account, kind="message.created", conversation=snapshot, message=message,
                                 trouble=wish.get("webhook", "send"), delay=float(wish.get("delay_seconds", 0)),
                                 wait=wish.get("wait", True))  # fmt: skip
    for extra in range(int(wish.get("times", 1)) - 1):
        for delivery in deliveries:
            sim.post.attempt(delivery, retry=extra < 0)
    if wish.get("tag_after"):
        later = wish["tag_after"]
        sim.clock.call_later(seconds=float(later["seconds"]), name="tag", job=lambda: sim.courier.later(
            lambda: _tag(sim, {"practice": account.key, "conversation": conversation["id"], "tag": later["tag"]})))  # fmt: skip
    return {"message": message["id"], "conversation": conversation["id"], "patient": patient["id"], "event": event["id"],
            "sent_at": message["sent_at"], **_delivered(deliveries)}  # fmt: skip


def _say_many(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    with ThreadPoolExecutor(max_workers=int(wish.get("workers", 8))) as pool:
        return {"results": list(pool.map(lambda one: say(sim, one), wish["messages"]))}


def _delivered(deliveries: list[Delivery]) -> dict[str, Any]:
    return {"status": deliveries[0].shown()["status"] if deliveries else None, "deliveries": [d.shown() for d in deliveries]}


def _trouble(wish: dict[str, Any]) -> None:
    if wish.get("webhook", "send") not in TROUBLES:
        raise ValueError(f"webhook must be one of {', '.join(TROUBLES)}")


def _endpoint(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Register, or change with {"endpoint": id}: url, secrets, profile, signature, active."""
    account = sim.accounts[wish["practice"]]
    scheme = {**signing.SCHEMES[wish.get("profile", "klara-assumed-v1")], **wish.get("signature", {})}
    with sim.lock:
        if wish.get("endpoint"):
            endpoint = account.endpoints[wish["endpoint"]]
            endpoint.url, endpoint.active = wish.get("url", endpoint.url), wish.get("active", endpoint.active)
            endpoint.secrets = list(wish.get("secrets", endpoint.secrets))
            endpoint.scheme = scheme if "profile" in wish or "signature" in wish else endpoint.scheme
        else:
            if not wish.get("keep_others"):
                account.endpoints.clear()
            secrets = wish.get("secrets") or account.practice["klara"].get("webhook_secrets")
            endpoint = rest.add_endpoint(sim=sim, account=account, url=wish["url"], events=tuple(wish.get("events", ())), secrets=secrets,
                                         scheme=scheme)  # fmt: skip
    return {"endpoint": endpoint.id, "secrets": endpoint.secrets, "headers": endpoint.scheme["headers"]}


def _macro(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """A macro replies and closes."""
    _trouble(wish)
    with sim.lock:
        account, now = sim.accounts[wish["practice"]], sim.clock.now()
        conversation = account.conversations[wish["conversation"]]
        macro = next((m for m in account.macros if m["id"] == wish.get("macro")), account.macros[0])
        store.add_message(into=account, ids=sim.ids, conversation=conversation, moment=now, sent_at=store.stamp(now), direction="outbound",
                          author={"type": "macro", "id": macro["id"]}, body=macro["body"])  # fmt: skip
        store.touch(conversation, now, status="closed", closed_by={"type": "macro", "id": macro["id"], "name": macro["name"]})
    return _told(sim, account, "conversation.closed", conversation, wish)


def _close(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    _trouble(wish)
    account = sim.accounts[wish["practice"]]
    conversation = account.conversations[wish["conversation"]]
    store.touch(conversation, sim.clock.now(), status="closed", closed_by={"type": "staff", "id": "staff_1", "name": "Front desk"})
    return _told(sim, account, "conversation.closed", conversation, wish)


def _tag(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    _trouble(wish)
    account = sim.accounts[wish["practice"]]
    conversation = account.conversations[wish["conversation"]]
    others = [tag for tag in conversation["tags"] if tag["name"] != wish["tag"]]
    store.touch(conversation, sim.clock.now(), tags=others if wish.get("remove") else [*others, {"name": wish["tag"]}])
    return _told(sim, account, "conversation.untagged" if wish.get("remove") else "conversation.tagged", conversation, wish)


def _told(sim: "Klara", account: Account, kind: str, conversation: dict[str, Any], wish: dict[str, Any]) -> dict[str, Any]:
    event, deliveries = sim.tell(account=account, kind=kind, conversation=conversation, trouble=wish.get("webhook", "send"),
                                 delay=float(wish.get("delay_seconds", 0)), wait=wish.get("wait", True))  # fmt: skip
    return {"event": event["id"], "conversation": conversation["id"], **_delivered(deliveries)}


def _merge(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Patient `from` is merged into `into`; conversations follow."""
    _trouble(wish)
    with sim.lock:
        account, now = sim.accounts[wish["practice"]], sim.clock.now()
        gone, kept = account.patients[wish["from"]], account.patients[wish["into"]]
        store.touch(gone, now, merged_into=kept["id"])
        for conversation in account.conversations.values():
            if conversation["patient_id"] == gone["id"]:
                store.touch(conversation, now, patient_id=kept["id"])
    event, deliveries = sim.tell(account=account, kind="patient.merged", patient=gone, more={"into": kept, "merged_into": kept["id"]},
                                 trouble=wish.get("webhook", "send"))  # fmt: skip
    return {"event": event["id"], **_delivered(deliveries)}


def _raw(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Any bytes to the endpoint: body (text or JSON) or body_base64; signed unless sign is false; headers added last."""
    account = sim.accounts[wish["practice"]]
    endpoint = next(iter(account.endpoints.values()))
    if "body_base64" in wish:
        body = base64.b64decode(wish["body_base64"])
    else:
        body = wish["body"].encode() if isinstance(wish["body"], str) else json.dumps(wish["body"], ensure_ascii=False).encode()
    event_id = wish.get("event_id") or sim.ids.new("evt")
    headers = {"Content-Type": "application/json", "X-Klara-Delivery-Attempt": "1"}
    if wish.get("sign", True):
        moment = sim.clock.now() + timedelta(seconds=float(wish.get("skew_seconds", 0)))
        secrets = wish.get("secrets") or endpoint.secrets
        headers |= signing.headers_for(scheme=endpoint.scheme, secrets=secrets, event_id=event_id, moment=moment, body=body)
    reply = sim.courier.send(url=wish.get("url", endpoint.url), headers={**headers, **wish.get("headers", {})}, body=body)
    return {"event": event_id, "status": reply.status, "body": reply.body.decode("utf-8", "replace")[:2000]}


def _redeliver(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """The deliveries of an event once more: `times`, at once with `parallel`; `same_headers` replays the captured request."""
    found = [d for d in sim.post.deliveries.values() if wish.get("event") == d.event_id or wish.get("delivery") == d.id]
    if not found:
        raise KeyError("no such delivery")

    def again(_: int) -> int:
        return sim.post.attempt(found[0], retry=False, headers=found[0].last_headers if wish.get("same_headers") else None)

    times = int(wish.get("times", 1))
    with ThreadPoolExecutor(max_workers=min(times, 50) if wish.get("parallel") else 1) as pool:
        return {"statuses": list(pool.map(again, range(times)))}


def _settings(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    for name, value in wish.items():
        if name not in sim.knobs:
            raise ValueError(f"no setting {name!r}")
        if name == "duplicate" and str(value) not in ("409", "422", "replay"):
            raise ValueError("duplicate must be 409, 422 or replay")
        if name == "retry_after" and value not in ("seconds", "date", "absent"):
            raise ValueError("retry_after must be seconds, date or absent")
    sim.knobs.update({name: str(value) if name == "duplicate" else value for name, value in wish.items()})
    return {"settings": sim.knobs}


def _test(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    return _delivered(sim.test_event(account=sim.accounts[wish["practice"]]))


def _token(sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Expire every access token of a practice now."""
    gone = [token for token, (practice, _) in sim.tokens.items() if practice == wish["practice"]]
    for token in gone:
        del sim.tokens[token]
    return {"expired": len(gone)}
