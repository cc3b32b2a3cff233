"""What the test desk reads of the pretended Klara: replies, deliveries, conversations; and the raw post.

It judges nothing and, but for the raw post, changes nothing.
"""

import base64
import hashlib
import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from integrations.sandbox import klara_desk as desk
from integrations.sandbox import klara_rest as rest
from integrations.sandbox import klara_signing as signing
from integrations.sandbox.control import BadControl, moment
from integrations.sandbox.klara_store import Account, Conversation, Message
from integrations.sandbox.wire import Answer, json_answer

if TYPE_CHECKING:
    from integrations.sandbox.klara import Klara


def answer(*, sim: "Klara", verb: str, params: dict[str, str]) -> Answer | None:
    """The GET calls; None for an unknown one."""
    with sim.lock:
        match verb:
            case "replies":
                return json_answer(200, {"replies": replies(sim=sim, params=params)})
            case "deliveries":
                return json_answer(200, {"deliveries": _deliveries(sim, params)})
            case "endpoints":
                rows = [
                    {**e.shown(), "practice": e.practice, "profile": e.scheme.name}
                    for account in sim.accounts.values()
                    for e in account.endpoints.values()
                ]
                return json_answer(200, {"endpoints": rows})
            case "conversation":
                (row,) = _conversations(sim, {**params, "conversation": params["id"]})
                return json_answer(200, {"conversation": row, "messages": row["messages"]})
            case "conversations":
                return json_answer(200, {"conversations": _conversations(sim, params)})
            case "settings":
                key = desk.account_of(sim, params).key if params.get("practice") else ""
                return json_answer(200, {"settings": sim.switches.shown(key)})
    return None


def replies(*, sim: "Klara", params: dict[str, str]) -> list[dict[str, Any]]:
    """Every message a patient can see that the integration wrote, oldest first. Filters: practice, patient (Klara id or
    chart id), conversation, after (moment); `visibility` internal or all; `author` any = macros and staff too."""
    visibility, author = params.get("visibility", "patient"), params.get("author", "integration")
    found = []
    for account, conversation in _threads(sim, params):
        for message in conversation.messages:
            if message.direction != "outbound" or visibility not in ("all", message.visibility):
                continue
            if author in ("any", message.author["type"]):
                found.append((message.created_at, _reply(account, conversation, message)))
    if params.get("after"):
        since = moment(params["after"])
        found = [pair for pair in found if pair[0] > since]
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def _reply(account: Account, conversation: Conversation, message: Message) -> dict[str, Any]:
    links = account.patients[conversation.patient].get("external_ids") or []
    return {
        "practice": account.key,
        "patient": conversation.patient,
        "chart": str(links[0]["value"]) if links else "",
        "conversation": conversation.id,
        "message_id": message.id,
        "text": message.body,
        "key": message.key,
        "at": message.created_at.isoformat(),
        "author": message.author["type"],
        "visibility": message.visibility,
    }


def _threads(sim: "Klara", params: dict[str, str]) -> list[tuple[Account, Conversation]]:
    accounts = [desk.account_of(sim, params)] if params.get("practice") else list(sim.accounts.values())
    found = []
    for account in accounts:
        owner = ""
        if params.get("patient"):
            known = params["patient"] in account.patients or params["patient"] in account.by_chart
            owner = account.patient(params["patient"])["id"] if known else "nobody"
        found += [
            (account, each)
            for each in account.conversations.values()
            if owner in ("", each.patient) and params.get("conversation", each.id) == each.id
        ]
    return found


def _conversations(sim: "Klara", params: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "practice": account.key,
            **account.conversation_listed(each, full=False),
            "messages": [{**message.listed(), "key": message.key} for message in each.messages],
        }
        for account, each in _threads(sim, params)
    ]


def _deliveries(sim: "Klara", params: dict[str, str]) -> list[dict[str, Any]]:
    """Filters: practice, event_id, type, state."""
    key = desk.account_of(sim, params).key if params.get("practice") else ""
    return [
        {**each.shown(), "practice": each.endpoint.practice, "url": each.endpoint.url}
        for each in list(sim.hooks.log)
        if key in ("", each.endpoint.practice)
        and params.get("event_id", each.event_id) == each.event_id
        and params.get("type", each.type) == each.type
        and params.get("state", each.state) == each.state
    ]


# the raw post --------------------------------------------------------------------------------------------------------


def raw(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Post any bytes with any headers: `body` (text, or JSON), `body_base64` or `fill` (so many bytes); `headers` an
    object or pairs, added last. Signed properly for the practice (`event_id`, `skew_seconds`, `secrets`) unless `sign`
    is false; `chunked` sends no length."""
    endpoints = sim.hooks.of(desk.account_of(sim, wish).key) if wish.get("practice") else []
    url = str(wish.get("url") or (endpoints[0].url if endpoints else ""))
    if not url or not rest.may_post_to(sim=sim, url=url):
        raise BadControl("needs a loopback url, or a practice with an endpoint")
    body = _bytes(wish)
    given = wish.get("headers") or {}
    pairs = [(str(name), str(value)) for name, value in (given.items() if isinstance(given, dict) else given)]
    if not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", "application/json"))
    event_id = str(wish.get("event_id") or f"evt_raw_{hashlib.sha256(body).hexdigest()[:16]}")
    if wish.get("sign", bool(endpoints)):
        if not endpoints:
            raise BadControl("only for a practice with an endpoint can we sign")
        made = signing.headers(
            scheme=endpoints[0].scheme,
            body=body,
            event_id=event_id,
            secrets=wish.get("secrets") or endpoints[0].secrets,
            unix=sim.clock.now().timestamp() + float(wish.get("skew_seconds", 0)),
            path=urlsplit(url).path,
        )
        pairs += [pair for pair in made.items() if pair[0].lower() not in {name.lower() for name, _ in pairs}]
    status, text = _post(sim, url, str(wish.get("method", "POST")), pairs, body, chunked=bool(wish.get("chunked")))
    sim.journal.add(at=sim.clock.now(), kind="webhook.raw", decision=str(status), data={"bytes": len(body)})
    return {"event": event_id, "status": status, "body": text}


def _bytes(wish: dict[str, Any]) -> bytes:
    if "body_base64" in wish:
        return base64.b64decode(wish["body_base64"], validate=True)
    body = wish.get("body", "")
    if not isinstance(body, str):
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return b"x" * int(wish["fill"]) if "fill" in wish else body.encode()


def _post(
    sim: "Klara", url: str, method: str, pairs: list[tuple[str, str]], body: bytes, *, chunked: bool
) -> tuple[int, str]:
    if sim.injected:
        joined: dict[str, str] = {}
        for name, value in pairs:  # a repeated header arrives joined, as a gateway would hand it on
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        if chunked:
            joined["Transfer-Encoding"] = "chunked"
        reply = sim.courier.send(url=url, headers=joined, body=body)
        return reply.status, reply.body.decode("utf-8", "replace")
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        link.putrequest(method, parts.path or "/", skip_accept_encoding=True)
        for name, value in pairs:
            link.putheader(name, value)
        link.putheader(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))))
        link.endheaders(message_body=body, encode_chunked=chunked)
        reply = link.getresponse()
        return reply.status, reply.read(65536).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as problem:
        return 0, str(problem)
    finally:
        link.close()
