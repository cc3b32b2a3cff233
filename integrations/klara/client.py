"""Klara's REST interface as assumed (contract 3.2): channels, patients, conversations, and the reply to a patient.

Reads return values or raise VendorError; writes return an Outcome. A reply carries an idempotency key, so a reply whose
outcome is unknown may be sent again with the same key and the same words (`DEDUPES`), and with no other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson

from integrations import http
from integrations.klara import events, wire
from integrations.klara.types import Channel, Conversation, Direction, KlaraEvent, KlaraMessage, KlaraPatient, Macro
from integrations.klara.wire import Line
from integrations.outcome import Outcome, OutcomeKind

DEDUPES = True  # an unknown reply is repeated with the same key; the vendor keeps only the first


# --- reads -----------------------------------------------------------------------------------------------------------


def channels(*, line: Line) -> list[Channel]:
    return [
        Channel(
            id=_text(row.get("id")),
            name=_text(row.get("name")),
            type=_text(row.get("type")),
            phone=_text(row.get("phone_number")),
            location_id=_text(row.get("location_id")),
            time_zone=_text(row.get("timezone")),
        )
        for row in wire.rows(line=line, path="/channels", params={})
    ]


def patient(*, line: Line, patient_id: str) -> KlaraPatient:
    """One patient; `merged_into` is set when the record was merged away. Raises NotFound, VendorError."""
    raw = wire.record(line=line, path=f"/patients/{wire.segment(value=patient_id)}")
    with _readable():
        return events.patient(raw=raw)


def patients_since(*, line: Line, since: datetime) -> Iterator[KlaraPatient]:
    for row in wire.rows(line=line, path="/patients", params={"updated_since": _stamp(since)}):
        with _readable():
            found = events.patient(raw=row)
        yield found


def conversations_since(*, line: Line, since: datetime) -> Iterator[Conversation]:
    """Every conversation changed since, closed ones too: a macro may have closed it without a webhook."""
    for row in _changed(line, since):
        with _readable():
            found = events.conversation(raw=row, profile=line.profile)
        yield found


def conversation(*, line: Line, conversation_id: str) -> Conversation:
    """The conversation as it is now, to be asked before acting on an older event."""
    raw = wire.record(line=line, path=f"/conversations/{wire.segment(value=conversation_id)}")
    with _readable():
        return events.conversation(raw=raw, profile=line.profile)


def messages(*, line: Line, conversation_id: str) -> list[KlaraMessage]:
    """Every message of a conversation, in the vendor's order."""
    with _readable():
        return [events.message(raw=row, profile=line.profile) for row in _listed(line, conversation_id)]


def events_since(*, line: Line, since: datetime) -> Iterator[KlaraEvent]:
    """The reconcile poll: each message sent since, as the event its webhook should have brought (origin `poll`).

    Costs one call per page of conversations and one per changed conversation. The caller skips known message ids.
    """
    patients: dict[str, Mapping[str, Any]] = {}
    for row in _changed(line, since):
        conversation_id = _text(row.get("id"))
        for raw in _listed(line, conversation_id):
            with _readable():
                found = events.message(raw=raw, profile=line.profile)
            if found.sent_at is not None and found.sent_at < since:
                continue
            who = _patient_of(line, row, patients)
            with _readable():
                event = events.from_poll(conversation=row, patient=who, message=raw, profile=line.profile)
            yield event


def macros(*, line: Line) -> list[Macro]:
    """Macros of the account; those that swallow refill messages are a set-up warning (seed: macro silence)."""
    found = []
    for row in wire.rows(line=line, path="/macros", params={}):
        tags = row.get("tags")
        names = [each.get("name") if isinstance(each, Mapping) else each for each in tags or []]
        found.append(
            Macro(
                id=_text(row.get("id")),
                name=_text(row.get("name")),
                auto_reply=row.get("auto_reply") is True,
                closes=row.get("closes") is True,
                tags=tuple(_text(name) for name in names),
            )
        )
    return found


# --- writes ----------------------------------------------------------------------------------------------------------


def reply(*, line: Line, conversation_id: str, text: str, idempotency_key: str) -> Outcome:
    """Write to the patient. accepted: Klara has the message (`external_ref` is its id).

    unknown: it may be there; repeat later with the same key and text. A duplicate answer (profile: 409, 422) means that
    an earlier attempt landed: it is confirmed by listing, never answered with a second message.
    """
    return _post_message(line, conversation_id, text, "patient", idempotency_key)


def note(*, line: Line, conversation_id: str, text: str, idempotency_key: str) -> Outcome:
    """Write an internal note for the staff; the patient does not see it."""
    return _post_message(line, conversation_id, text, "internal", idempotency_key)


def add_tag(*, line: Line, conversation_id: str, tag: str) -> Outcome:
    """Tag a conversation; may be repeated safely."""
    return _write(line, "POST", f"/conversations/{wire.segment(value=conversation_id)}/tags", {"name": tag}, {})


def register_webhook(*, line: Line, url: str, event_types: tuple[str, ...]) -> Outcome:
    """Ask Klara to deliver to our address, signed. `document` holds the answer with the new secret."""
    return _write(line, "POST", "/webhook_endpoints", {"url": url, "events": list(event_types)}, {})


def send_test(*, line: Line, endpoint_id: str) -> Outcome:
    """Ask Klara to post a signed test event to a registered endpoint."""
    return _write(line, "POST", f"/webhook_endpoints/{wire.segment(value=endpoint_id)}/test", {}, {})


# --- below: how it is done -------------------------------------------------------------------------------------------


def _post_message(line: Line, conversation_id: str, text: str, visibility: str, key: str) -> Outcome:
    if not key or len(key) > 255:
        raise ValueError("a message to Klara needs an idempotency key of at most 255 characters")
    path = f"/conversations/{wire.segment(value=conversation_id)}/messages"
    written = _write(
        line, "POST", path, {"body": text, "visibility": visibility}, {line.profile.outbound_header: key}
    )
    status = int(written.code.removeprefix("http_")) if written.code.startswith("http_") else 0
    if written.kind is OutcomeKind.REJECTED and status in line.profile.duplicate_statuses:
        return _confirmed(line, conversation_id, text, written)
    return written


def _confirmed(line: Line, conversation_id: str, text: str, refused: Outcome) -> Outcome:
    """Whether an earlier attempt with this key landed. Listings lag, so "not seen" is not yet "not there"."""
    try:
        sent = messages(line=line, conversation_id=conversation_id)
    except http.VendorError as error:
        return Outcome(
            kind=OutcomeKind.UNKNOWN, code="duplicate_unconfirmed", transient=True, retry_after=error.retry_after
        )
    for each in reversed(sent):
        if each.direction is not Direction.inbound and each.text == text:
            return Outcome(kind=OutcomeKind.ACCEPTED, code="duplicate", external_ref=each.id)
    if _speaks_of_duplicate(refused.document):
        return Outcome(kind=OutcomeKind.UNKNOWN, code="duplicate_unconfirmed", transient=True)
    return refused  # 422 for another reason: the message itself was refused


def _speaks_of_duplicate(document: bytes) -> bool:
    words = document.decode("utf-8", errors="replace").lower()
    return "duplicate" in words or "idempoten" in words


def _write(line: Line, method: str, path: str, fields: Mapping[str, Any], headers: Mapping[str, str]) -> Outcome:
    try:
        answer = wire.send(line=line, method=method, path=path, fields=fields, headers=headers)
    except http.NoAnswer as error:
        return Outcome(kind=OutcomeKind.UNKNOWN, code=error.code or "no_answer", transient=True)
    except http.VendorError as error:
        return Outcome(
            kind=OutcomeKind.NOT_SENT,
            code=error.code or "not_sent",
            retry_after=error.retry_after,
            transient=not error.permanent,
            configuration=error.permanent,
        )
    if answer.ok:
        wire.note_ok(line=line)
        return Outcome(kind=OutcomeKind.ACCEPTED, external_ref=_made_id(answer), document=answer.content)
    wire.note_error(line=line, code=f"http_{answer.status}")
    code = f"http_{answer.status}"
    if answer.status >= 500 or answer.status == 408:
        return Outcome(kind=OutcomeKind.UNKNOWN, code=code, transient=True, retry_after=answer.retry_after)
    return Outcome(
        kind=OutcomeKind.REJECTED,
        code=code,
        text=answer.text[:2000],
        document=answer.content,
        configuration=answer.status == 403,
    )


def _patient_of(line: Line, row: Mapping[str, Any], known: dict[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The patient inside a listed conversation, or fetched by `patient_id`; an unknown one is empty (a person's)."""
    inside = row.get("patient")
    if isinstance(inside, Mapping) and inside.get("last_name"):
        return inside
    patient_id = _text(inside.get("id")) if isinstance(inside, Mapping) else _text(row.get("patient_id"))
    if not patient_id:
        return {}
    if patient_id not in known:
        try:
            known[patient_id] = wire.record(line=line, path=f"/patients/{wire.segment(value=patient_id)}")
        except wire.NotFound:
            known[patient_id] = {"id": patient_id}
    return known[patient_id]


def _changed(line: Line, since: datetime) -> Iterator[Mapping[str, Any]]:
    return wire.rows(line=line, path="/conversations", params={"updated_since": _stamp(since), "status": "all"})


def _listed(line: Line, conversation_id: str) -> Iterator[Mapping[str, Any]]:
    return wire.rows(line=line, path=f"/conversations/{wire.segment(value=conversation_id)}/messages", params={})


@contextmanager
def _readable() -> Iterator[None]:
    """What cannot be read from an answer is the vendor's error."""
    try:
        yield
    except events.Unreadable as error:
        raise wire.unreadable(reason=error.reason) from error


def _made_id(answer: http.Response) -> str:
    try:
        made = orjson.loads(answer.content) if answer.content else {}
    except ValueError:
        return ""
    if not isinstance(made, Mapping):
        return ""
    inner = made.get("data")
    return _text(made.get("id")) or (_text(inner.get("id")) if isinstance(inner, Mapping) else "")


def _text(value: object) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


