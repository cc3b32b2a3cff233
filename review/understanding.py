"""Between the patient's words and the rest: builds the Thread to read, and turns a Reading into asks' parts.

Keeps what the review card shows of a reading (spans, doubts) as sealed JSON. Pure translation; no queries, no
decisions.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from integrations import vault
from integrations.klara import types as klara
from integrations.models import MirrorMedication
from refillhub.practices.models import Practice
from review import evidence
from review.aliases import NONE, Names
from rules import facts as f
from rules.intake import reading as r

PURPOSE = "reading"
TAGS = {"refill": f.Tag.refill, "pharmacy_change": f.Tag.pharmacy_change}
# Shown on the card and given to the rules: the patient says that it has run out.
_OUT = re.compile(
    r"\b(ran out|run out|running out|all out|am out|i'?m out|out of (it|my|them|the)|no more left|none left|"
    r"last (one|pill|tablet|dose)|se me acab|ya no tengo|sin medic)",
    re.IGNORECASE,
)


def thread_of(
    *,
    events: Sequence[klara.KlaraEvent],
    medications: Sequence[MirrorMedication],
    topics: frozenset[str],
    pharmacies: tuple[str, ...],
    names: tuple[str, ...] = (),
    own_names: Mapping[str, Names] | None = None,
) -> r.Thread:
    """The burst as the reader wants it, oldest first. `own_names`: the patient's names of entries, by entry id."""
    own = own_names or {}
    messages = tuple(message_of(event) for event in events)
    reason = next((event.conversation.reason for event in reversed(events) if event.conversation), "")
    return r.Thread(
        messages=messages,
        medications=tuple(
            r.ListItem(
                entry_id=row.external_id,
                name=row.name,
                rxcui=row.rxcui,
                ndc=row.ndc,
                is_active=row.is_active and row.gone_at is None,
                extra_names=own.get(row.external_id, NONE).confirmed,
                proposed_names=own.get(row.external_id, NONE).proposed,
                directions=row.sig,
                quantity=f"{row.dispense_quantity.normalize():f}" if row.dispense_quantity is not None else "",
            )
            for row in medications
        ),
        tags=tuple(sorted(topics)),
        reason=reason,
        known_pharmacies=pharmacies,
        known_names=names,
    )


def message_of(event: klara.KlaraEvent) -> r.Message:
    """One message; a transcript, a proxy and a picture are named as such."""
    message = event.message
    if message is None:
        return r.Message(text="", author=r.Author.unknown, source=r.Source.unknown)
    authors = {klara.Author.patient: r.Author.patient, klara.Author.proxy: r.Author.proxy}
    sources = {
        klara.Source.text: r.Source.text,
        klara.Source.form: r.Source.form,
        klara.Source.voicemail_transcript: r.Source.voicemail_transcript,
    }
    source = sources.get(message.source, r.Source.unknown)
    if message.attachment_count and not message.text.strip():
        source = r.Source.attachment_only
    if event.channel is not None and event.channel.type == "voicemail":
        source = r.Source.voicemail_transcript
    return r.Message(
        text=message.text,
        author=authors.get(message.author, r.Author.unknown),
        source=source,
        sent_at=message.sent_at,
        has_attachment=bool(message.attachment_count),
    )


def facts_reading(
    *,
    reading: r.Reading,
    thread: r.Thread,
    mention: r.Mention | None,
    kind: f.Kind,
    is_verified: bool,
    is_plain: bool,
) -> f.Reading:
    """The summary the rules decide on, of the whole burst and one mention."""
    doubts = [str(doubt.code) for doubt in reading.doubts]
    if mention is not None:
        doubts += [str(doubt.code) for doubt in mention.doubts]
    if kind == f.Kind.pharmacy_change and is_plain:
        # A sole pharmacy change is no refill, and that is no doubt about it.
        doubts = [code for code in doubts if code != r.DoubtCode.not_a_refill]
    confidence = reading.confidence
    if kind == f.Kind.pharmacy_change and is_plain and not doubts:
        # Nor does it make the words that ask for it less sure.
        confidence = max((one.weight for one in reading.intents if one.intent == r.Intent.pharmacy_change), default=0)
    sources = {message.source for message in thread.messages}
    authors = {message.author for message in thread.messages}
    channel = f.Channel.unknown
    if sources == {r.Source.text}:
        channel = f.Channel.text
    elif sources == {r.Source.form}:
        channel = f.Channel.form
    elif r.Source.voicemail_transcript in sources:
        channel = f.Channel.voicemail
    tag = next((TAGS[name] for name in ("pharmacy_change", "refill") if name in thread.tags), f.Tag.none)
    return f.Reading(
        kind=kind,
        tag=tag,
        is_plain=is_plain,
        doubts=tuple(dict.fromkeys(doubts)),
        strength_differs=mention.strength_differs if mention else None,
        form_differs=mention.form_differs if mention else None,
        quantity_differs=mention.quantity_differs if mention else None,
        directions_differ=str(r.DoubtCode.directions_in_message) in doubts if mention else None,
        channel=channel,
        author=f.Author.patient
        if authors == {r.Author.patient}
        else (f.Author.proxy if r.Author.proxy in authors else f.Author.unknown),
        is_identity_verified=is_verified,
        is_emergency=reading.is_emergency,
        has_symptom=reading.has_symptom,
        is_out_of_drug=any(_OUT.search(message.text) for message in thread.messages),
        confidence_percent=confidence,
    )


def keep(
    *,
    reading: r.Reading,
    thread: r.Thread,
    summary: f.Reading,
    mention: r.Mention | None,
    practice: Practice,
    entries: int | None,
) -> bytes:
    """What the card shows of this reading, and the summary to decide again with, sealed."""
    values: dict[str, Any] = {
        "messages": [
            {
                "text": message.text,
                "sent_at": message.sent_at.isoformat() if message.sent_at else "",
                "author": str(message.author),
                "source": str(message.source),
            }
            for message in thread.messages
        ],
        "spans": evidence.spans_of(reading=reading),
        "mentions": evidence.mentions_of(reading=reading, thread=thread, own=mention),
        "doubts": evidence.doubts_of(reading=reading, mention=mention),
        "release": reading.release,
        "intent": str(reading.primary),
        "language": reading.language,
        "confidence": reading.confidence,
        "mention": {
            "words": mention.words,
            "strength": mention.strength,
            "form": mention.form,
            "quantity": mention.quantity,
            "days": mention.days,
            "rivals": [{"name": rival.name, "score": rival.score} for rival in mention.rivals],
        }
        if mention
        else None,
        "pharmacy": reading.pharmacies[0].words if reading.pharmacies else "",
        "entries": entries,
        "summary": values_of(summary),
    }
    return seal(kept=values, practice=practice)


def seal(*, kept: Mapping[str, Any], practice: Practice) -> bytes:
    """A kept reading as sealed bytes of this practice."""
    return vault.seal_payload(
        plain=orjson.dumps(dict(kept)), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE
    )


def open_kept(*, sealed: bytes | memoryview | None, practice: Practice) -> dict[str, Any]:
    """What `keep` stored; an empty mapping when it was purged."""
    if not sealed:
        return {}
    plain = vault.open_payload(sealed=bytes(sealed), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE)
    values: dict[str, Any] = orjson.loads(plain)
    return values


def values_of(summary: f.Reading) -> dict[str, Any]:
    """A summary as plain values; `summary_of` takes them back."""
    return {name: getattr(summary, name) for name in summary.__slots__}


def summary_of(kept: dict[str, Any]) -> f.Reading:
    """The summary stored with a reading; unknown in every point when it was purged."""
    values = dict(kept.get("summary") or {})
    if not values:
        return f.Reading()
    values["kind"] = f.Kind(values["kind"])
    values["tag"] = f.Tag(values["tag"])
    values["channel"] = f.Channel(values["channel"])
    values["author"] = f.Author(values["author"])
    values["doubts"] = tuple(values["doubts"])
    return f.Reading(**values)
