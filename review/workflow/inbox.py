"""The inbox verbs: store a verified event once, claim what is due to be read, give back what could not be read yet.

Three layers keep an event from being worked twice: its id, its message id, and (at admission) the drug. Never reads
words.
"""

import hashlib
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
from integrations.models import Connection, Vendor
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


def arrival_of(*, event: KlaraEvent, connection: Connection, body: bytes) -> Arrival:
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
        InboundEvent.objects.bulk_create(rows, ignore_conflicts=True)
        stored = set(InboundEvent.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
        fresh = [(row, arrival) for row, arrival in zip(rows, arrivals, strict=True) if row.id in stored]
        for row, arrival in fresh:
            if row.kind == EventKind.MESSAGE_IN and row.conversation_id and arrival.practice.quiet_seconds:
                _extend_quiet(row)
            if row.progress == Progress.QUARANTINED:
                notices.alarm(practice=arrival.practice, kind="event_quarantined", key=row.event_id, now=now)
        log.record_many(now=now, drafts=[_draft(row, _STORED.get(Progress(row.progress), TAKEN)) for row, _ in fresh])
    return [
        Taken.STORED if row.id in stored else _repeated(arrival=arrival, row=row, now=now)
        for row, arrival in zip(rows, arrivals, strict=True)
    ]


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
    WITH waiting AS (
        SELECT id, min(received_at) OVER () AS first FROM review_inboundevent
        WHERE practice_id = %(practice)s AND conversation_id = %(conversation)s AND progress = 'received'
    )
    UPDATE review_inboundevent AS event SET due_at = LEAST(%(due)s, waiting.first + %(longest)s)
    FROM waiting WHERE event.id = waiting.id AND (SELECT count(*) FROM waiting) > 1
"""


def _extend_quiet(row: InboundEvent) -> None:
    """A new message of a conversation starts the quiet window afresh for what waits there, up to the cap."""
    with connection.cursor() as cursor:
        cursor.execute(
            _EXTEND,
            {
                "practice": row.practice_id,
                "conversation": row.conversation_id,
                "due": row.due_at,
                "longest": LONGEST_QUIET,
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


def claim(*, now: datetime, limit: int) -> list[InboundEvent]:
    """Claim whole conversations whose quiet time is over, oldest first. Other workers' rows are skipped."""
    with transaction.atomic(durable=True):
        # In turns between practices, so that a flood in one leaves the others' waiting time unchanged.
        turn = Window(RowNumber(), partition_by=F("practice_id"), order_by=F("due_at").asc())
        waiting = InboundEvent.objects.filter(progress=Progress.RECEIVED, due_at__lte=now)
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
