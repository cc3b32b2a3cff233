"""What people do at the pretended Klara: a patient writes, staff tag and close, macros swallow, records merge.

Called by the test desk only. Each changes the store, then sends the event, unless it is to be lost.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from integrations.sandbox import klara_desk as desk
from integrations.sandbox import klara_words as words
from integrations.sandbox.control import BadControl
from integrations.sandbox.klara_delivery import Delivery
from integrations.sandbox.klara_store import Account, Conversation, Message, Unknown, seconds

if TYPE_CHECKING:
    from integrations.sandbox.klara import Klara

AUTHORS = ("patient", "proxy", "staff", "macro", "integration", "system")
SOURCES = ("text", "voicemail_transcript", "form")
SAY = frozenset(
    {
        "practice",
        "patient",
        "text",
        "channel",
        "conversation",
        "tags",
        "reason",
        "author",
        "source",
        "sent_at",
        "unverified",
        "attachments",
        "lose",
        "repeat",
        "parallel",
        "delay",
        "wrong_secret",
        "alter_body",
        "event_id",
        "message_id",
        "macro",
        "signing",
        "retry",
        "headers",
        "shift",
        "to_url",
        "set",
        "drop",
        "wait",
        "direction",
        "assignee",
        "hold",
        "label",
        "author_id",
        "tag_after",
    }
)


def say(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Somebody writes; the answer names message, conversation, event and what became of each delivery."""
    if unknown := set(wish) - SAY:
        raise BadControl(f"unknown keys {sorted(unknown)}")
    account = desk.account_of(sim, wish)
    desk.check(sim, wish)
    author, source = wish.get("author", "patient"), wish.get("source", "text")
    if author not in AUTHORS or source not in SOURCES:
        raise BadControl(f"author is one of {', '.join(AUTHORS)}; source one of {', '.join(SOURCES)}")
    text = wish.get("text")
    if text is not None:
        str(text).encode()
    with sim.lock:
        now = sim.clock.now()
        patient = _patient_of(account, wish["patient"], now)
        if "unverified" in wish:
            patient["identity_verified"] = not wish["unverified"]
            account.touched[patient["id"]] = now
        channel = account.channel(wish.get("channel"))
        conversation, is_new = account.thread(
            patient=patient["id"], channel=channel, wish=wish.get("conversation"), now=now
        )
        _dress(account, conversation, wish, now)
        opened = is_new or conversation.status == "closed"
        account.reopen(conversation=conversation, now=now)
        more = {"direction": wish["direction"]} if "direction" in wish else {}
        message = account.post(
            conversation=conversation,
            now=now,
            author={"type": author, "id": wish.get("author_id") or _author_id(author, patient["id"])},
            body=text,
            id=wish.get("message_id"),
            sent_at=desk.moment_of(wish, "sent_at", sim),
            source=source,
            attachments=list(wish.get("attachments") or []),
            **more,
        )
        sim.journal.add(
            at=now,
            kind="message.said",
            practice=account.key,
            decision=author,
            data={"text": text},
            ids={
                "message": message.id,
                "conversation": conversation.id,
                "patient": patient["id"],
                "label": wish.get("label", ""),
            },
        )
        swallowed = bool(wish.get("macro"))
        event = sim.event(
            account=account,
            kind="message.created",
            now=now,
            conversation=conversation,
            message=message,
            event_id=str(wish.get("event_id") or ""),
        )
        around = (
            sim.event(
                account=account,
                kind="conversation.created" if is_new else "conversation.reopened",
                now=now,
                conversation=conversation,
            )
            if opened
            else None
        )
    if swallowed:
        wish = {"lose": True, **wish}
    if around is not None:
        with sim.lock:
            planned = sim.plan(account=account, event=around, lose=bool(wish.get("lose")))
        sim.start(deliveries=planned, wait=False)
    deliveries = desk.send(sim, account, event, wish)
    if swallowed:
        name = "" if wish["macro"] is True else str(wish["macro"])
        close(
            sim=sim,
            wish={"practice": account.key, "conversation": conversation.id, "macro": name, "lose": wish["lose"]},
        )
    if wish.get("tag_after"):
        _tag_later(sim, account, conversation, wish["tag_after"])
    return {
        "message_id": message.id,
        "conversation_id": conversation.id,
        "patient_id": patient["id"],
        "sent_at": seconds(message.sent_at),
        "message": message.id,
        "conversation": conversation.id,
        "patient": patient["id"],
        **_outcome(event, deliveries),
    }


def say_all(*, sim: "Klara", wishes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Many at once, in this order in the store; over the network they travel side by side."""
    if sim.injected or not sim.clock.time_factor:
        return [say(sim=sim, wish=words.full(wish)) for wish in wishes]
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(lambda wish: say(sim=sim, wish=words.full(wish)), wishes))


def tag(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Staff put a tag on a conversation, or take one off (`remove`)."""
    account = desk.account_of(sim, wish)
    names = wish.get("tags") or [wish["tag"]]
    removes = bool(wish.get("remove"))
    with sim.lock:
        now, conversation = sim.clock.now(), _conversation_of(account, wish)
        kept = [name for name in conversation.tags if name not in names]
        conversation.tags = kept if removes else [*kept, *names]
        conversation.updated_at = now
        kind = "conversation.untagged" if removes else "conversation.tagged"
        event = _event(sim, account, kind, conversation, wish, now)
    return _sent(sim, account, event, wish, conversation_id=conversation.id, tags=list(conversation.tags))


def close(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """A macro (`macro`: id, name or "" = the first that closes) or staff closes a conversation.

    `reply` false leaves out the macro's own words; `lose` and `delay` make the webhook never or late.
    """
    account = desk.account_of(sim, wish)
    by = wish.get("by", "macro" if "macro" in wish else "staff")
    if by not in ("macro", "staff", "system"):
        raise BadControl("by is macro, staff or system")
    with sim.lock:
        now, conversation = sim.clock.now(), _conversation_of(account, wish)
        closer: dict[str, Any] = {
            "type": by,
            "id": str(wish.get("id", f"{by}_1")),
            "name": str(wish.get("name", by.title())),
        }
        if by == "macro":
            macro = _macro_of(account, str(wish.get("macro") or ""))
            closer = {"type": "macro", "id": macro["id"], "name": macro["name"]}
            if wish.get("reply", macro.get("auto_reply")):
                account.post(
                    conversation=conversation,
                    now=now,
                    author={"type": "macro", "id": macro["id"]},
                    body=macro.get("body") or "",
                )
        account.close(conversation=conversation, by=closer, now=now)
        sim.journal.add(
            at=now,
            kind="conversation.closed",
            practice=account.key,
            decision=by,
            ids={"conversation": conversation.id, "patient": conversation.patient},
        )
        event = _event(sim, account, "conversation.closed", conversation, wish, now)
    return _sent(sim, account, event, wish, conversation_id=conversation.id, closed_by=closer)


def macro(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """A macro replies and closes; `macro` as in close."""
    return close(sim=sim, wish={"macro": "", **wish, "by": "macro"})


def merge(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """`gone` is merged into `survivor` (Klara ids or chart ids)."""
    account = desk.account_of(sim, wish)
    with sim.lock:
        now = sim.clock.now()
        gone, survivor = wish.get("gone") or wish["from"], wish.get("survivor") or wish["into"]
        lost = account.merge(gone=str(gone), survivor=str(survivor), now=now)
        event = _event(sim, account, "patient.merged", None, wish, now, patient=lost)
    return _sent(sim, account, event, wish, gone=lost["id"], survivor=lost["merged_into"])


def patient(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Change or add a patient (`record`), with a patient.updated event."""
    account = desk.account_of(sim, wish)
    with sim.lock:
        now, record = sim.clock.now(), dict(wish["record"])
        known = account.patients.get(str(record.get("id", "")), {})
        made = account.put_patient(record={**known, **record}, now=now)
        event = _event(sim, account, "patient.updated", None, wish, now, patient=made)
    return _sent(sim, account, event, wish, patient_id=made["id"])


def echo(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Our own reply comes back as an event: `message` or the last one the integration wrote in `conversation`."""
    account = desk.account_of(sim, wish)
    with sim.lock:
        now = sim.clock.now()
        if wish.get("message"):
            conversation, message = account.find_message(str(wish["message"]))
        else:
            conversation = _conversation_of(account, wish)
            message = _last_own(conversation)
        event = _event(sim, account, str(wish.get("type", "message.created")), conversation, wish, now, message=message)
    return _sent(sim, account, event, wish, conversation_id=conversation.id, message_id=message.id)


def event(*, sim: "Klara", wish: dict[str, Any]) -> dict[str, Any]:
    """Any event: `type`, and optionally conversation, message, patient, data (whole), then `set` and `drop`."""
    account = desk.account_of(sim, wish)
    with sim.lock:
        now = sim.clock.now()
        message, conversation, record = None, None, None
        if wish.get("message"):
            conversation, message = account.find_message(str(wish["message"]))
        if wish.get("conversation"):
            conversation = account.conversation(str(wish["conversation"]))
        elif wish.get("patient"):
            record = account.patient(str(wish["patient"]))
        made = _event(sim, account, str(wish["type"]), conversation, wish, now, message=message, patient=record)
        if "data" in wish:
            made["data"] = wish["data"]
        made.update(wish.get("extra") or {})
    return _sent(sim, account, made, wish)


# below: how it is done -----------------------------------------------------------------------------------------------


def _event(
    sim: "Klara",
    account: Account,
    kind: str,
    conversation: Conversation | None,
    wish: dict[str, Any],
    now: datetime,
    **more: Any,
) -> dict[str, Any]:
    return sim.event(
        account=account, kind=kind, now=now, conversation=conversation, event_id=str(wish.get("event_id") or ""), **more
    )


def _sent(sim: "Klara", account: Account, event: dict[str, Any], wish: dict[str, Any], **told: Any) -> dict[str, Any]:
    deliveries = desk.send(sim, account, event, wish)
    return {**told, **_outcome(event, deliveries)}


def _outcome(event: dict[str, Any], deliveries: list[Delivery]) -> dict[str, Any]:
    """The event's id and what became of it; `status` is the first delivery's."""
    rows = desk.told(deliveries)
    return {
        "event_id": event["id"],
        "event": event["id"],
        "deliveries": rows,
        "status": rows[0]["status"] if rows else None,
    }


def _tag_later(sim: "Klara", account: Account, conversation: Conversation, wish: dict[str, Any]) -> None:
    """{"seconds", "tag"}: the tag comes after the message."""
    wanted = {"practice": account.key, "conversation": conversation.id, "tag": wish["tag"]}
    sim.clock.call_later(
        seconds=float(wish["seconds"]), name="tag", job=lambda: sim.hooks.carry(lambda: tag(sim=sim, wish=wanted))
    )


def _patient_of(account: Account, wish: Any, now: datetime) -> dict[str, Any]:
    """By Klara id or chart id; an object makes a new patient."""
    if not isinstance(wish, dict):
        return account.patient(str(wish))
    known = account.patients.get(str(wish.get("id", "")))
    return known or account.put_patient(record=wish, now=now)


def _conversation_of(account: Account, wish: dict[str, Any]) -> Conversation:
    """By id, or the last one of a patient."""
    if wish.get("conversation"):
        return account.conversation(str(wish["conversation"]))
    owner = account.patient(str(wish["patient"]))["id"]
    mine = [each for each in account.conversations.values() if each.patient == owner]
    if not mine:
        raise Unknown("this patient has no conversation")
    return max(mine, key=lambda each: each.updated_at)


def _dress(account: Account, conversation: Conversation, wish: dict[str, Any], now: datetime) -> None:
    for name in wish.get("tags") or []:
        if name not in conversation.tags:
            conversation.tags.append(name)
    if "reason" in wish:
        conversation.reason = wish["reason"]
    if "assignee" in wish:
        conversation.assignee = wish["assignee"]


def _author_id(author: str, patient: str) -> str:
    return {"patient": patient, "proxy": f"{patient}_proxy", "integration": "app_refill_hub"}.get(author, f"{author}_1")


def _macro_of(account: Account, name: str) -> dict[str, Any]:
    for macro in account.macros:
        if name in (macro["id"], macro["name"]) or (not name and macro.get("closes")):
            return macro
    raise Unknown(f"no macro {name!r}")


def _last_own(conversation: Conversation) -> Message:
    for message in reversed(conversation.messages):
        if message.author["type"] == "integration":
            return message
    raise Unknown("the integration has written nothing here")
