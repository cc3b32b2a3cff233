"""Bursts: the unread messages of whole conversations with what the practice has configured around them.

Also the events that are no messages (merges, a macro that closes). What cannot be read any more is set aside for a
person.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.klara import events as klara_events
from integrations.klara import profile as profiles
from integrations.klara.types import KlaraEvent
from integrations.models import Connection, Vendor
from refillhub.practices.models import Channel, Location, Practice, Provider
from refillhub.practices.sealing import SealBroken
from review import charts, workflow
from review.models import EventKind, InboundEvent, Origin
from review.workflow import inbox

# After a fault of ours an event is read again so often, so long apart; then a person gets it.
MOST_TRIES = 3
ASK_AGAIN = timedelta(seconds=15)
# A close this old can have swallowed no message that is read now.
CLOSE_MATTERS = timedelta(days=2)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """The unread messages of one conversation, with what the practice has configured around them."""

    practice: Practice
    rows: tuple[InboundEvent, ...]
    events: tuple[KlaraEvent, ...]
    connection: Connection | None
    location: Location | None
    providers: dict[str, Provider]


def gather(rows: Sequence[InboundEvent]) -> list[Burst]:
    """Group messages by conversation, oldest first, and load what belongs to their practices."""
    if not rows:
        return []
    practices = {row.practice_id: row.practice for row in rows}
    connections: dict[tuple[object, str], Connection] = {}
    for account in Connection.objects.select_related("practice").filter(practice_id__in=practices.keys()):
        if account.stage == practices[account.practice_id].stage:
            connections[(account.practice_id, account.vendor)] = account
    channels = {
        (channel.practice_id, channel.external_id): channel.location
        for channel in Channel.objects.select_related("location").filter(practice_id__in=practices.keys())
    }
    providers: dict[object, dict[str, Provider]] = {}
    for provider in Provider.objects.filter(practice_id__in=practices.keys()).prefetch_related("spis__location"):
        if provider.drchrono_doctor_id:
            providers.setdefault(provider.practice_id, {})[provider.drchrono_doctor_id] = provider
    groups: dict[tuple[object, str], list[InboundEvent]] = {}
    for row in rows:
        groups.setdefault((row.practice_id, row.conversation_id or str(row.id)), []).append(row)
    made = []
    for group in groups.values():
        practice = practices[group[0].practice_id]
        parsed = sorted(_readable(group, connections.get((practice.id, Vendor.klara))), key=lambda pair: _order(*pair))
        if not parsed:
            continue
        channel = next((row.channel_id for row, _ in reversed(parsed) if row.channel_id), "")
        made.append(
            Burst(
                practice=practice,
                rows=tuple(row for row, _ in parsed),
                events=tuple(event for _, event in parsed),
                connection=connections.get((practice.id, Vendor.drchrono)),
                location=channels.get((practice.id, channel)),
                providers=providers.get(practice.id, {}),
            )
        )
    return made


def _readable(rows: Sequence[InboundEvent], account: Connection | None) -> list[tuple[InboundEvent, KlaraEvent]]:
    """Rows with their events; what cannot be read any more (the profile was changed) is set aside for a person."""
    found = []
    for row in rows:
        try:
            found.append((row, parsed(row, account)))
        except (klara_events.Unreadable, SealBroken) as error:
            inbox.set_aside(event=row, note=str(error))
        except Exception as error:  # one row's fault (a key that is gone, a profile) keeps no other from being read
            after_fault(row=row, error=error, now=row.lease_until or row.due_at)
    return found


def after_fault(*, row: InboundEvent, error: Exception, now: datetime) -> None:
    """A fault of ours at one event: tried again a few times, then set aside with an alarm. Its words stay unlogged."""
    log.warning("an event was not read", extra={"error": type(error).__name__})
    if row.attempts < MOST_TRIES:
        inbox.give_back(events=[row], due_at=now + ASK_AGAIN, note="fault")
    else:
        inbox.set_aside(event=row, note=type(error).__name__)


def parsed(row: InboundEvent, account: Connection | None) -> KlaraEvent:
    # What our own look found is stored in the assumed shape, whatever the account's own is.
    if account is None or row.origin == Origin.POLL:
        profile = profiles.builtin(name=profiles.DEFAULT)
    else:
        profile = profiles.of(raw=account.profile)
    return klara_events.parse(body=inbox.body_of(row), profile=profile, header_event_id=row.event_id)


def _order(row: InboundEvent, event: KlaraEvent) -> tuple[datetime, int, datetime]:
    """Arrival order proves nothing: the patient's own order is when they wrote, then the vendor's sequence."""
    return (row.sent_at or row.occurred_at or row.received_at, row.sequence or 0, row.received_at)


def act_on_others(*, rows: Sequence[InboundEvent], now: datetime) -> None:
    """Events that are not messages: merges move requests, a macro that closes is an alarm."""
    for row in rows:
        for _, event in _readable([row], charts.connection_of(row.practice, Vendor.klara)):
            try:
                _act(row=row, event=event, now=now)
            except Exception as error:
                after_fault(row=row, error=error, now=now)


def _act(*, row: InboundEvent, event: KlaraEvent, now: datetime) -> None:
    if row.kind == EventKind.MERGED and event.patient and event.patient.merged_into:
        workflow.merge_patient(
            practice=row.practice, old_sender=event.patient.id, new_sender=event.patient.merged_into, now=now
        )
    if row.kind == EventKind.CLOSED:
        _macro(row=row, event=event, now=now)
    inbox.ignore(events=[row], now=now, note=str(row.kind))


def _macro(*, row: InboundEvent, event: KlaraEvent, now: datetime) -> None:
    """A macro that closes a conversation within a minute of a message swallows refills (K13, K14)."""
    closed_by = event.conversation.closed_by if event.conversation else None
    if closed_by is None or closed_by.type != "macro" or not row.conversation_id:
        return
    moment = row.occurred_at or row.received_at
    near = InboundEvent.objects.filter(
        practice=row.practice,
        conversation_id=row.conversation_id,
        kind=EventKind.MESSAGE_IN,
        sent_at__gte=moment - timedelta(seconds=60),
        sent_at__lte=moment + timedelta(seconds=1),
    )
    if near.exists():
        workflow.raise_alarm(practice=row.practice, kind="macro_closed", key=closed_by.name or closed_by.id, now=now)


def note_swallowed(*, bursts: Sequence[Burst], now: datetime) -> None:
    """A macro's close that came before its message (K12), or that only our own look saw (K13).

    An alarm about others: a close that cannot be read (purged, another profile) must never keep a message unread.
    """
    by_conversation = {
        (burst.practice.id, row.conversation_id): burst for burst in bursts for row in burst.rows if row.conversation_id
    }
    closes = InboundEvent.objects.select_related("practice").filter(
        kind=EventKind.CLOSED,
        practice_id__in={practice_id for practice_id, _ in by_conversation},
        conversation_id__in={conversation for _, conversation in by_conversation},
        received_at__gte=now - CLOSE_MATTERS,
        purged_at__isnull=True,
    )
    for row in closes:
        if (row.practice_id, row.conversation_id) in by_conversation:
            try:
                event = parsed(row, charts.connection_of(row.practice, Vendor.klara))
            except Exception as error:
                log.warning("a close was not read", extra={"error": type(error).__name__})
            else:
                _macro(row=row, event=event, now=now)
    for burst in bursts:
        for row, event in zip(burst.rows, burst.events, strict=True):
            by = event.conversation.closed_by if event.conversation and row.origin == Origin.POLL else None
            if by is not None and by.type == "macro":
                workflow.raise_alarm(practice=burst.practice, kind="macro_closed", key=by.name or by.id, now=now)
