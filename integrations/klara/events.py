"""From Klara's bytes to a typed event, by the paths of the connection's profile.

Read only after the signature was verified. Refuses what cannot be read (Unreadable: the caller quarantines it); a
missing optional field is unknown, an unknown type is `ignored`. Evaluates paths with its own walker, never with eval.
"""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import orjson

from integrations.klara import profile as profiles
from integrations.klara.profile import Profile
from integrations.klara.types import (
    Author,
    ChannelRef,
    ClosedBy,
    Conversation,
    ConversationRef,
    Direction,
    EventKind,
    ExternalId,
    KlaraEvent,
    KlaraMessage,
    KlaraPatient,
    Origin,
    Source,
)

MAX_DEPTH = 20
MAX_ID = 128
_V = TypeVar("_V", Direction, Author, Source)


class Unreadable(ValueError):
    """Signed, but not an event we can read. `reason` is a code without content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(*, body: bytes, profile: Profile, header_event_id: str = "") -> KlaraEvent:
    """The event in a verified body. `header_event_id` is `signing.Verified.event_id`. Raises Unreadable."""
    raw = load(body=body)
    return _event(raw, profile, _event_id(raw, profile, header_event_id), Origin.webhook)


def load(*, body: bytes) -> Mapping[str, Any]:
    """The JSON object in the bytes: no NaN, at most twenty levels. Raises Unreadable."""
    try:
        raw = orjson.loads(body)
    except ValueError as error:
        raise Unreadable("not_json") from error
    if not isinstance(raw, Mapping):
        raise Unreadable("not_an_object")
    if _is_too_deep(raw):
        raise Unreadable("too_deep")
    return raw


def from_poll(
    *, conversation: Mapping[str, Any], patient: Mapping[str, Any], message: Mapping[str, Any], profile: Profile
) -> KlaraEvent:
    """The same event for a message that the poll found. Its id is `poll-<message id>`. Raises Unreadable."""
    message_id = _text(message.get("id"))
    raw = {
        "type": "message.created",
        "occurred_at": message.get("sent_at"),
        "data": {"patient": patient, "conversation": conversation, "message": message},
    }
    if not message_id or _is_too_deep(raw):
        raise Unreadable("poll_row")
    return _event(raw, _listed(profile), f"poll-{message_id}"[:MAX_ID], Origin.poll)


def conversation(*, raw: Mapping[str, Any], profile: Profile) -> Conversation:
    """A conversation as the listing gives it (assumed shape, section 3.2). Raises Unreadable without an id."""
    event = {"type": "", "data": {"conversation": raw, "patient": raw.get("patient") or {}}}
    shape = _listed(profile)
    ref = _conversation(event, shape)
    if ref is None:
        raise Unreadable("conversation_without_id")
    return Conversation(
        ref=ref, channel=_channel(event, shape), patient=_patient(event, shape), updated_at=_text(raw.get("updated_at"))
    )


def patient(*, raw: Mapping[str, Any]) -> KlaraPatient:
    """A patient as `GET /patients/{id}` gives one. Raises Unreadable without an id."""
    found = _patient({"data": {"patient": raw}}, profiles.builtin(name=profiles.DEFAULT))
    if found is None:
        raise Unreadable("patient_without_id")
    return found


def message(*, raw: Mapping[str, Any], profile: Profile) -> KlaraMessage:
    """A message as the listing gives it. Raises Unreadable without an id."""
    found = _message({"data": {"message": raw}}, _listed(profile))
    if found is None:
        raise Unreadable("message_without_id")
    return found


def walk(*, raw: object, path: str) -> object:
    """The value at a dotted path; `[]` spreads over a list and gives a list. None when a step is missing."""
    return _walk(raw, profiles.steps(path=path))


# --- below: how it is done -------------------------------------------------------------------------------------------


def _listed(profile: Profile) -> Profile:
    """How listings are read: REST answers have the assumed shape but the account's own words."""
    assumed = profiles.builtin(name=profiles.DEFAULT)
    return dataclasses.replace(
        assumed,
        value_map={**assumed.value_map, **profile.value_map},
        tag_map=profile.tag_map,
    )


def _walk(raw: object, steps: tuple[str, ...]) -> object:
    found = raw
    for number, step in enumerate(steps):
        if not isinstance(found, Mapping):
            return None
        if step.endswith("[]"):
            inner = found.get(step[:-2])
            if not isinstance(inner, list):
                return None
            rest = steps[number + 1 :]
            return [_walk(each, rest) if rest else each for each in inner]
        found = found.get(step)
    return found


def _at(raw: object, profile: Profile, name: str) -> object:
    path = profile.paths.get(name, "")
    return walk(raw=raw, path=path) if path else None


def _text_at(raw: object, profile: Profile, name: str) -> str:
    return _text(_at(raw, profile, name))


def _event(raw: Mapping[str, Any], profile: Profile, event_id: str, origin: Origin) -> KlaraEvent:
    kind_name = _text_at(raw, profile, "type")
    if not kind_name:
        raise Unreadable("no_type")
    sequence = _at(raw, profile, "sequence")
    return KlaraEvent(
        id=event_id,
        type=kind_name,
        kind=_kind(profile.event_map.get(kind_name, "")),
        origin=origin,
        occurred_at=_moment(_at(raw, profile, "occurred_at")),
        sequence=sequence if isinstance(sequence, int) and not isinstance(sequence, bool) else None,
        practice_id=_text_at(raw, profile, "practice_id"),
        patient=_patient(raw, profile),
        conversation=_conversation(raw, profile),
        channel=_channel(raw, profile),
        message=_message(raw, profile),
    )


def _event_id(raw: Mapping[str, Any], profile: Profile, from_header: str) -> str:
    for source in profile.event_id_sources:
        if source == "header:id":
            if from_header:
                return from_header
            continue
        found = _text(walk(raw=raw, path=source.removeprefix("body:")))
        if found:
            if len(found) > MAX_ID:
                raise Unreadable("event_id_too_long")
            return found
    raise Unreadable("no_event_id")


def _kind(name: str) -> EventKind:
    return EventKind(name) if name in EventKind._value2member_map_ else EventKind.ignored


def _patient(raw: object, profile: Profile) -> KlaraPatient | None:
    patient_id = _text_at(raw, profile, "patient_id")
    if not patient_id:
        return None
    links = _at(raw, profile, "external_ids")
    return KlaraPatient(
        id=patient_id,
        first_name=_text_at(raw, profile, "first_name"),
        last_name=_text_at(raw, profile, "last_name"),
        date_of_birth=_day(_at(raw, profile, "date_of_birth")),
        phone=_text_at(raw, profile, "phone"),
        is_verified=_at(raw, profile, "identity_verified") is True,
        external_ids=tuple(
            ExternalId(_text(each.get("system")), _text(each.get("value")))
            for each in (links if isinstance(links, list) else [])
            if isinstance(each, Mapping)
        ),
        merged_into=_text_at(raw, profile, "merged_into"),
    )


def _conversation(raw: object, profile: Profile) -> ConversationRef | None:
    conversation_id = _text_at(raw, profile, "conversation_id")
    if not conversation_id:
        return None
    given = _at(raw, profile, "tags")
    tags = tuple(t for each in given if (t := _text(each))) if isinstance(given, list) else ()
    reason = _text_at(raw, profile, "reason")
    closer = _text_at(raw, profile, "closed_by")
    return ConversationRef(
        id=conversation_id,
        status=_text_at(raw, profile, "status"),
        reason=reason,
        tags=tags,
        topics=_topics((*tags, reason), profile),
        closed_by=ClosedBy(
            type=closer,
            id=_text_at(raw, profile, "closed_by_id"),
            name=_text_at(raw, profile, "closed_by_name"),
        )
        if closer
        else None,
    )


def _topics(words: tuple[str, ...], profile: Profile) -> frozenset[str]:
    given = {word.strip().casefold() for word in words if word}
    return frozenset(
        topic for topic, names in profile.tag_map.items() if given & {name.strip().casefold() for name in names}
    )


def _channel(raw: object, profile: Profile) -> ChannelRef | None:
    channel_id = _text_at(raw, profile, "channel_id")
    if not channel_id:
        return None
    return ChannelRef(
        id=channel_id,
        type=_text_at(raw, profile, "channel_type"),
        phone=_text_at(raw, profile, "channel_phone"),
        location_id=_text_at(raw, profile, "location_id"),
    )


def _message(raw: object, profile: Profile) -> KlaraMessage | None:
    message_id = _text_at(raw, profile, "message_id")
    if not message_id:
        return None
    attachments = _at(raw, profile, "attachments")
    return KlaraMessage(
        id=message_id,
        direction=_mapped(Direction, "direction", _text_at(raw, profile, "direction"), profile),
        author=_mapped(Author, "author", _text_at(raw, profile, "author_type"), profile),
        text=_text_at(raw, profile, "text"),
        sent_at=_moment(_at(raw, profile, "sent_at")),
        source=_mapped(Source, "source", _text_at(raw, profile, "source"), profile),
        attachment_count=len(attachments) if isinstance(attachments, list) else 0,
    )


def _mapped(kind: type[_V], prefix: str, given: str, profile: Profile) -> _V:
    """Our value for theirs by the profile's value map; anything else is `unknown`, never a guess."""
    for ours in kind:
        if given and given.casefold() in (word.casefold() for word in profile.value_map.get(f"{prefix}.{ours}", ())):
            return ours
    return kind["unknown"]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def _moment(value: object) -> datetime | None:
    """An aware moment in UTC; a text without a zone is unknown."""
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(_text(value)[:10])
    except ValueError:
        return None


def _is_too_deep(raw: object) -> bool:
    waiting: list[tuple[object, int]] = [(raw, 1)]
    while waiting:
        each, level = waiting.pop()
        if level > MAX_DEPTH:
            return True
        if isinstance(each, Mapping):
            waiting += [(inner, level + 1) for inner in each.values() if isinstance(inner, (Mapping, list))]
        elif isinstance(each, list):
            waiting += [(inner, level + 1) for inner in each if isinstance(inner, (Mapping, list))]
    return False
