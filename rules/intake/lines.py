"""Reading as JSON lines: one thread in, one reading out, for measuring against labelled sets. Pure.

A line that is not a thread raises BadLine with what is wrong; nothing is guessed into place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rules.intake import read
from rules.intake.lexicon import Lexicon
from rules.intake.reading import Author, ListItem, Mention, Message, Reading, Source, Thread

SOURCES = {
    "sms": Source.text,
    "text": Source.text,
    "app": Source.text,
    "web": Source.form,
    "form": Source.form,
    "voicemail": Source.voicemail_transcript,
}
AUTHORS = {"patient": Author.patient, "proxy": Author.proxy, "staff": Author.staff}


class BadLine(ValueError):
    """The line is not a thread of the documented shape."""


def answer(*, line: str, lexicon: Lexicon) -> str:
    """One JSON line for one JSON line; raises BadLine.

    In: {"id", "messages": [text or {"text", ...}], "channel", "author", "tags", "med_list": [{"name", "rxnorm",
    "status"}]}. Out: {"id", "intent", "plain_refill", "must_reach_human", "emergency", "drugs", "reasons", ...}.
    """
    try:
        value = json.loads(line)
    except ValueError as error:
        raise BadLine(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadLine("not an object")
    thread = thread_of(value=value)
    return json.dumps(_out(value=value, thread=thread, reading=read.read(thread=thread, lexicon=lexicon)))


def thread_of(*, value: Mapping[str, Any]) -> Thread:
    """The thread of a parsed line; raises BadLine."""
    source = SOURCES.get(_text(value.get("channel", "sms"), "channel").lower(), Source.unknown)
    author = AUTHORS.get(_text(value.get("author", "patient"), "author").lower(), Author.unknown)
    messages = value.get("messages")
    items = value.get("med_list") or []
    tags = value.get("tags") or []
    if not isinstance(messages, list) or not isinstance(items, list) or not isinstance(tags, list):
        raise BadLine("messages, med_list and tags must be lists")
    return Thread(
        messages=tuple(_message(one=one, author=author, source=source) for one in messages),
        medications=tuple(_item(one=one, index=index) for index, one in enumerate(items)),
        tags=tuple(_tag(_text(tag, "tag")) for tag in tags),
    )


def _message(*, one: Any, author: Author, source: Source) -> Message:
    if isinstance(one, str):
        return Message(text=one, author=author, source=source)
    if not isinstance(one, dict):
        raise BadLine("a message is neither text nor an object")
    text = one.get("text", one.get("body", ""))
    return Message(
        text=_text(text, "text"),
        author=AUTHORS.get(str(one["author"]).lower(), Author.unknown) if one.get("author") else author,
        source=source,
        has_attachment=bool(one.get("attachments")),
    )


def _item(*, one: Any, index: int) -> ListItem:
    if not isinstance(one, dict):
        raise BadLine("a med_list entry is not an object")
    return ListItem(
        entry_id=str(index),
        name=_text(one.get("name") or "", "name"),
        rxcui=str(one.get("rxnorm") or ""),
        ndc=str(one.get("ndc") or ""),
        is_active=str(one.get("status") or "").lower() == "active",
        quantity=str(one.get("quantity") or ""),
        directions=str(one.get("directions") or one.get("sig") or ""),
    )


def _tag(text: str) -> str:
    plain = text.strip().lower().replace(" ", "_")
    return "refill" if plain in ("refill", "refills", "prescriptions_/_refills") else plain


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise BadLine(f"{name} is not text")
    return value


def _out(*, value: Mapping[str, Any], thread: Thread, reading: Reading) -> dict[str, Any]:
    names = {item.entry_id: item for item in thread.medications}
    return {
        "id": value.get("id"),
        "intent": str(reading.primary),
        "intents": sorted({str(one.intent) for one in reading.intents}),
        "plain_refill": reading.is_plain_refill,
        "must_reach_human": reading.must_reach_person,
        "emergency": reading.is_emergency,
        "confidence": reading.confidence,
        "drugs": [
            {
                "mention": one.words,
                "ingredient": " / ".join(one.ingredients),
                "rxnorm": names[entry].rxcui if entry else "",
                "resolves_to": names[entry].name if entry else None,
                "score": one.score,
            }
            for one, entry in ((each, _entry_of(each)) for each in reading.mentions)
        ],
        "reasons": [f"{doubt.code}: {doubt.sentence}" for doubt in reading.doubts],
    }


def _entry_of(mention: Mention) -> str | None:
    """The entry a mention resolves to; none where what is written is not what the entry is (strength, form,"
    " release)."""
    return None if mention.strength_differs or mention.form_differs else mention.resolves_to
