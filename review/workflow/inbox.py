"""The inbox verbs: store a verified event once, claim what is due to be read, give back what could not be read yet.

Three layers keep an event from being worked twice: its id, its message id, and (at admission) the drug. Never reads
words.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection, transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from audit import log
from audit.events import Actor, ActorKind, Draft
from integrations import vault
from integrations.klara.types import EventKind as KlaraKind
from integrations.klara.types import KlaraEvent
from integrations.models import Connection, Secret, SecretState, Vendor
from refillhub.practices.models import Practice
from review.ledger import SYSTEM, verb
from review.models import EventKind, InboundEvent, Origin, Progress
from review.workflow import notices

PURPOSE = "event"
# Reading a burst takes well under this; a worker that died gives its events back after it.
READ_LEASE = timedelta(seconds=60)
# However long a patient keeps typing, reading starts (Klara contract, burst coalescing).
LONGEST_QUIET = timedelta(minutes=5)


_KINDS = {
    KlaraKind.tag: EventKind.TAG,
    KlaraKind.closed: EventKind.CLOSED,
    KlaraKind.patient_merged: EventKind.MERGED,
    KlaraKind.test: EventKind.TEST,
}


TAKEN = "webhook.accepted"
_STORED = {Progress.QUARANTINED: "webhook.quarantined", Progress.IGNORED: "webhook.ignored"}


class Taken(StrEnum):
    """What became of a delivery at the door."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One verified event, as the way in understood it; ids only, the body as received."""

    practice: Practice
    vendor: str
    origin: str = Origin.WEBHOOK
    event_id: str
    vendor_type: str = ""
    kind: str = EventKind.OTHER
    body: bytes
    conversation_id: str = ""
    message_id: str = ""
    sender_id: str = ""
    channel_id: str = ""
    sequence: int | None = None
    occurred_at: datetime | None = None
    sent_at: datetime | None = None
    is_quarantined: bool = False
    note: str = ""
    verified_by: uuid.UUID | None = None


def arrival_of(
    *, event: KlaraEvent, connection: Connection, body: bytes, verified_by: uuid.UUID | None = None
) -> Arrival:
    """The inbox's view of an event; only a patient's or proxy's own message starts work (loop guard)."""
    kind = EventKind.MESSAGE_IN if event.starts_work else _KINDS.get(event.kind, EventKind.OTHER)
    message = event.message
    return Arrival(
        practice=connection.practice,
        vendor=Vendor.klara,
        origin=str(event.origin),
        event_id=event.id,
        vendor_type=event.type,
        kind=kind,
        body=body,
        conversation_id=event.conversation.id if event.conversation else "",
        message_id=message.id if message and kind == EventKind.MESSAGE_IN else "",
        sender_id=event.patient.id if event.patient else "",
        channel_id=event.channel.id if event.channel else "",
        sequence=event.sequence,
        occurred_at=event.occurred_at,
        sent_at=message.sent_at if message else None,
        verified_by=verified_by,
    )


def store(*, arrival: Arrival, now: datetime) -> Taken:
    """Insert one event and its audit entry in one transaction; see `store_many`."""
    return store_many(arrivals=[arrival], now=now)[0]


def store_many(*, arrivals: Sequence[Arrival], now: datetime) -> list[Taken]:
    """Insert events and their audit entries in one transaction; the unique ids decide what is a repeat.

    All or none is durable when this returns. Answers in the order given. Raises what the database raises.
    """
    rows = [_row(arrival, now) for arrival in arrivals]
    with transaction.atomic(durable=True):
        revoked = _revoked(arrivals)
        stored = _insert(
            [row for row, arrival in zip(rows, arrivals, strict=True) if arrival.verified_by not in revoked]
        )
        fresh = [row for row in rows if row.id in stored]
        _extend_quiet([row for row in fresh if row.due_at > now and row.conversation_id])
        for row in fresh:
            if row.progress == Progress.QUARANTINED:
                notices.alarm(practice=row.practice, kind="event_quarantined", key=row.event_id, now=now)
        log.record_many(now=now, drafts=[_draft(row, _STORED.get(Progress(row.progress), TAKEN)) for row in fresh])
    answers = []
    for row, arrival in zip(rows, arrivals, strict=True):
        if row.id in stored:
            answers.append(Taken.STORED)
        elif arrival.verified_by in revoked:
            answers.append(Taken.REVOKED)
        else:
            answers.append(_repeated(arrival=arrival, row=row, now=now))
    return answers


def _revoked(arrivals: Sequence[Arrival]) -> set[uuid.UUID | None]:
    """Secrets that verified one of these, yet were revoked since a process last looked: revoking works at once."""
    used = {arrival.verified_by for arrival in arrivals if arrival.verified_by is not None}
    if not used:
        return set()
    return set(Secret.objects.filter(id__in=used, state=SecretState.revoked).values_list("id", flat=True))


_COLUMNS = {
    "id": "uuid", "practice_id": "uuid", "vendor": "text", "origin": "text", "event_id": "text", "vendor_type": "text",
    "kind": "text", "progress": "text", "body_sealed": "bytea", "body_hash": "text", "conversation_id": "text",
    "message_id": "text", "sender_id": "text", "channel_id": "text", "sequence": "bigint", "occurred_at": "timestamptz",
    "sent_at": "timestamptz", "received_at": "timestamptz", "due_at": "timestamptz", "attempts": "smallint",
    "is_glanced": "boolean", "note": "text",
}  # fmt: skip
_NAMES, _ARRAYS = ", ".join(_COLUMNS), ", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())
# Our own column names only.
_INSERT = f"""
    INSERT INTO review_inboundevent ({_NAMES}) SELECT * FROM unnest({_ARRAYS}) ON CONFLICT DO NOTHING RETURNING id
"""  # noqa: S608


def _insert(rows: Sequence[InboundEvent]) -> set[uuid.UUID]:
    """Insert in one statement; the ids of those that were new."""
    if not rows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [[getattr(row, name) for row in rows] for name in _COLUMNS])
        return {row[0] for row in cursor.fetchall()}


def _row(arrival: Arrival, now: datetime) -> InboundEvent:
    practice = arrival.practice
    quiet = timedelta(seconds=practice.quiet_seconds) if arrival.kind == EventKind.MESSAGE_IN else timedelta()
    progress = Progress.IGNORED
    if arrival.is_quarantined:
        progress = Progress.QUARANTINED
    elif arrival.kind in (EventKind.MESSAGE_IN, EventKind.MERGED, EventKind.CLOSED):
        progress = Progress.RECEIVED
    return InboundEvent(
        practice=practice,
        vendor=arrival.vendor,
        origin=arrival.origin,
        event_id=_plain(arrival.event_id, 160),
        vendor_type=_plain(arrival.vendor_type, 64),
        kind=arrival.kind,
        progress=progress,
        body_sealed=vault.seal_payload(
            plain=arrival.body, practice_id=practice.id, stage=practice.stage, purpose=PURPOSE
        ),
        body_hash=hashlib.sha256(arrival.body).hexdigest(),
        conversation_id=_plain(arrival.conversation_id, 128),
        message_id=_plain(arrival.message_id, 128),
        sender_id=_plain(arrival.sender_id, 128),
        channel_id=_plain(arrival.channel_id, 128),
        sequence=arrival.sequence if arrival.sequence is not None and abs(arrival.sequence) < 2**62 else None,
        occurred_at=arrival.occurred_at,
        sent_at=arrival.sent_at,
        received_at=now,
        due_at=now + quiet,
        is_glanced=not quiet,
        note=_plain(arrival.note, 200),
    )


def _plain(text: str, most: int) -> str:
    """An id as a column takes it: no NUL, no longer than the column (the body itself is kept whole)."""
    return text.replace("\x00", "")[:most]


def _draft(row: InboundEvent, event: str) -> Draft:
    return Draft(
        practice_id=row.practice_id,
        event=event,
        actor=Actor(kind=ActorKind.vendor, id=row.vendor),
        trigger=row.origin,
        outcome=row.progress,
        data={"event": str(row.id), "vendor_event": row.event_id, "sha256": row.body_hash, "kind": row.kind},
    )


_EXTEND = """
    WITH arrived AS (
        SELECT * FROM unnest(%(practices)s::uuid[], %(conversations)s::text[], %(due)s::timestamptz[])
                 AS arrived(practice_id, conversation_id, due)
    ), waiting AS (
        SELECT event.id, max(arrived.due) OVER whole AS due, min(event.received_at) OVER whole AS first,
               count(*) OVER whole AS together
        FROM review_inboundevent AS event JOIN arrived USING (practice_id, conversation_id)
        WHERE event.progress = 'received'
        WINDOW whole AS (PARTITION BY event.practice_id, event.conversation_id)
    )
    UPDATE review_inboundevent AS event
    SET due_at = LEAST(waiting.due, waiting.first + %(longest)s * interval '1 second')
    FROM waiting WHERE event.id = waiting.id AND waiting.together > 1
        -- What a glance found urgent is due already and stays so.
        AND event.due_at > %(now)s
"""


def _extend_quiet(rows: Sequence[InboundEvent]) -> None:
    """A new message of a conversation starts the quiet window afresh for what waits there, up to the cap."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _EXTEND,
            {
                "practices": [row.practice_id for row in rows],
                "conversations": [row.conversation_id for row in rows],
                "due": [row.due_at for row in rows],
                "now": min(row.received_at for row in rows),
                "longest": LONGEST_QUIET.total_seconds(),
            },
        )


def _repeated(*, arrival: Arrival, row: InboundEvent, now: datetime) -> Taken:
    """The ids are known already: the same body is a duplicate, another body under one id is a conflict."""
    known = InboundEvent.objects.filter(practice=arrival.practice, vendor=arrival.vendor, event_id=row.event_id).first()
    is_conflict = known is not None and known.body_hash != row.body_hash
    event = "webhook.conflict" if is_conflict else "webhook.duplicate"
    with transaction.atomic(durable=True):
        if is_conflict:
            notices.alarm(practice=arrival.practice, kind="event_conflict", key=row.event_id, now=now)
        log.record(now=now, draft=_draft(known or row, event))
    return Taken.CONFLICT if is_conflict else Taken.DUPLICATE


def claim(*, now: datetime, limit: int, only: Sequence[uuid.UUID] | None = None) -> list[InboundEvent]:
    """Claim whole conversations whose quiet time is over, oldest first. Other workers' rows are skipped.

    `only`: just the conversations of these events.
    """
    with transaction.atomic(durable=True):
        # In turns between practices, so that a flood in one leaves the others' waiting time unchanged.
        turn = Window(RowNumber(), partition_by=F("practice_id"), order_by=F("due_at").asc())
        waiting = InboundEvent.objects.filter(progress=Progress.RECEIVED, due_at__lte=now)
        if only is not None:
            waiting = waiting.filter(id__in=only)
        chosen = list(waiting.annotate(turn=turn).order_by("turn", "due_at").values_list("id", flat=True)[:limit])
        due = list(
            InboundEvent.objects.select_for_update(skip_locked=True)
            .filter(id__in=chosen, progress=Progress.RECEIVED)
            .values_list("id", "practice_id", "conversation_id")
        )
        ids = {event_id for event_id, _, _ in due}
        conversations = {(practice, conversation) for _, practice, conversation in due if conversation}
        if conversations:
            # Their fellow messages that are not due by themselves are read with them.
            fellows = InboundEvent.objects.select_for_update(skip_locked=True).filter(
                progress=Progress.RECEIVED,
                practice_id__in={practice for practice, _ in conversations},
                conversation_id__in={conversation for _, conversation in conversations},
            )
            ids |= {
                event_id
                for event_id, practice, conversation in fellows.values_list("id", "practice_id", "conversation_id")
                if (practice, conversation) in conversations
            }
        if not ids:
            return []
        InboundEvent.objects.filter(id__in=ids, progress=Progress.RECEIVED).update(
            progress=Progress.READING, lease_until=now + READ_LEASE, attempts=F("attempts") + 1
        )
    return list(
        InboundEvent.objects.select_related("practice")
        .filter(id__in=ids, progress=Progress.READING)
        .order_by("received_at")
    )


def not_glanced(*, limit: int) -> list[InboundEvent]:
    """Messages in their quiet window that nobody has glanced at yet."""
    return list(
        InboundEvent.objects.select_related("practice")
        .filter(progress=Progress.RECEIVED, kind=EventKind.MESSAGE_IN, is_glanced=False)
        .order_by("received_at")[:limit]
    )


def glanced(*, events: Sequence[InboundEvent], urgent: Sequence[InboundEvent], now: datetime) -> None:
    """The glance is done; an emergency waits for no quiet window."""
    waiting = InboundEvent.objects.filter(progress=Progress.RECEIVED)
    waiting.filter(id__in=[event.id for event in events]).update(is_glanced=True)
    waiting.filter(id__in=[event.id for event in urgent]).update(due_at=now)


def give_back(*, events: Sequence[InboundEvent], due_at: datetime, note: str) -> None:
    """Could not be read yet (the chart does not answer): due again later, nothing lost."""
    InboundEvent.objects.filter(id__in=[event.id for event in events], progress=Progress.READING).update(
        progress=Progress.RECEIVED, due_at=due_at, lease_until=None, note=note[:200]
    )


def set_aside(*, event: InboundEvent, note: str) -> None:
    """An event that cannot be read any more: kept, with an alarm for a person."""
    with transaction.atomic(durable=True):
        InboundEvent.objects.filter(id=event.id).update(
            progress=Progress.QUARANTINED, lease_until=None, note=note[:200]
        )
        notices.alarm(
            practice=event.practice, kind="event_quarantined", key=event.event_id, now=event.lease_until or event.due_at
        )
        log.record(now=event.lease_until or event.due_at, draft=_draft(event, "webhook.quarantined"))


def recover(*, now: datetime) -> int:
    """Events whose reader died: back to the line. Nothing had been written, so nothing is done twice."""
    return InboundEvent.objects.filter(progress=Progress.READING, lease_until__lt=now).update(
        progress=Progress.RECEIVED, lease_until=None, due_at=now
    )


def ignore(*, events: Sequence[InboundEvent], now: datetime, note: str) -> None:
    """Events that ask for nothing more; each with its audit entry."""
    with verb(now=now, actor=SYSTEM) as ledger:
        InboundEvent.objects.filter(id__in=[event.id for event in events]).update(
            progress=Progress.IGNORED, read_at=now, lease_until=None, note=note[:200]
        )
        for event in events:
            ledger.note(
                event="webhook.ignored", practice_id=event.practice_id, data={"event": str(event.id), "why": note}
            )


def body_of(event: InboundEvent) -> bytes:
    """The raw body as received; empty after its purge date."""
    if not event.body_sealed:
        return b""
    return vault.open_payload(
        sealed=bytes(event.body_sealed), practice_id=event.practice_id, stage=event.practice.stage, purpose=PURPOSE
    )
