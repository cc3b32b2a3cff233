"""From stored events to asks: takes whole conversations, matches the sender, reads chart and words, hands to admission.

The network is allowed here, never inside a transaction. Nothing outward happens before admission commits, so a reader
that dies loses nothing: its events are due again.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection

from integrations.klara import events as klara_events
from integrations.models import MirrorMedication, PharmacyEntry, Vendor
from refillhub.practices import references
from refillhub.practices.models import Practice
from refillhub.practices.sealing import SealBroken
from review import (
    aliases,
    charts,
    clinical,
    gathering,
    identity,
    matching,
    pharmacies,
    side_by_side,
    understanding,
    workflow,
)
from review.aliases import Names
from review.asks import Ask, Match
from review.charts import Chart
from review.gathering import ASK_AGAIN, MOST_TRIES, Burst
from review.models import EventKind, InboundEvent, Kind
from review.workflow import inbox
from review.workflow.admission import LostLease
from rules import facts as f
from rules import vocabulary
from rules.intake import read
from rules.intake import reading as r

# A chart that does not answer is asked again for so long; then the item goes to a person as it is.
PATIENCE = timedelta(minutes=2)
THREADS = 8
# Well inside a reader's lease: what has not had its turn by then is given back, so a slow chart keeps nobody else.
LONGEST_S = 45.0
# What has been read is admitted together, but none waits longer than this for its fellows.
ADMIT_EVERY_S = 0.25
log = logging.getLogger(__name__)


def glance(*, now: datetime, limit: int = 200) -> int:
    """Look at messages still in their quiet window for one thing: an emergency is read at once. Returns how many."""
    rows = inbox.not_glanced(limit=limit)
    accounts = {practice: charts.connection_of(practice, Vendor.klara) for practice in {row.practice for row in rows}}
    urgent = []
    for row in rows:
        try:
            event = gathering.parsed(row, accounts[row.practice])
            thread = understanding.thread_of(events=[event], medications=(), topics=frozenset(), pharmacies=())
            is_urgent = read.read(thread=thread, lexicon=vocabulary.current()).is_emergency
        except (klara_events.Unreadable, SealBroken):
            continue  # its turn comes when it is read, and then a person hears of it
        except Exception as error:  # nobody knows what it says: it waits for nothing, and holds up nobody else
            log.warning("a message was not glanced at", extra={"error": type(error).__name__})
            is_urgent = True
        if is_urgent:
            urgent.append(row)
    if rows:
        inbox.glanced(events=rows, urgent=urgent, now=now)
    if urgent:
        # Not behind the others' wait for the chart: an emergency needs none.
        _take(rows=inbox.claim(now=now, limit=limit, only=[row.id for row in urgent]), now=now)
    return len(urgent)


def take_in_due(*, now: datetime, limit: int = 100) -> int:
    """Read everything that is due, in one batch. Returns the number of events taken."""
    rows = inbox.claim(now=now, limit=limit)
    if rows:
        _take(rows=rows, now=now)
    return len(rows)


def _take(*, rows: Sequence[InboundEvent], now: datetime) -> None:
    messages = [row for row in rows if row.kind == EventKind.MESSAGE_IN]
    gathering.act_on_others(rows=[row for row in rows if row.kind != EventKind.MESSAGE_IN], now=now)
    bursts = gathering.gather(messages)
    gathering.note_swallowed(bursts=bursts, now=now)
    references.warm({burst.practice.id: burst.practice for burst in bursts}.values())
    if len(bursts) <= 1 or connection.in_atomic_block:
        _admit(bursts=bursts, read=[_guarded(burst, now) for burst in bursts], now=now)
    else:
        _read_and_admit(bursts=bursts, now=now)


def _admit(*, bursts: Sequence[Burst], read: Sequence[list[Ask]], now: datetime) -> None:
    """Admit the batch; if that fails, each burst by itself, so that one fault of ours holds up nobody else."""
    asks = [ask for made in read for ask in made]
    try:
        workflow.admit(asks=asks, now=now)
    except LostLease:
        # The batch took longer than its lease; the events are read afresh by whoever has them now.
        return
    except Exception as error:
        log.warning("a batch was not admitted", extra={"error": type(error).__name__})
        for burst, made in zip(bursts, read, strict=True):
            if made:
                _admit_alone(burst=burst, asks=made, now=now)


def _admit_alone(*, burst: Burst, asks: list[Ask], now: datetime) -> None:
    try:
        workflow.admit(asks=asks, now=now)
    except LostLease:
        return
    except Exception as error:
        log.warning("a burst was not admitted", extra={"error": type(error).__name__})
        workflow.admit(asks=_after_fault(burst, now), now=now)


def _after_fault(burst: Burst, now: datetime) -> list[Ask]:
    """A fault of ours: tried again a few times, then a person gets the message as it is. Nothing is lost."""
    if burst.rows[0].attempts < MOST_TRIES:
        inbox.give_back(events=burst.rows, due_at=now + ASK_AGAIN, note="fault")
        return []
    empty = r.Reading(primary=r.Intent.unclear)
    try:
        thread = understanding.thread_of(events=burst.events, medications=(), topics=frozenset(), pharmacies=())
    except Exception as error:  # the person reads it in Klara
        log.warning("a burst has no words", extra={"error": type(error).__name__})
        thread = r.Thread(messages=(r.Message(text=""),))
    return [_message(burst, Chart(), thread, empty, ("could_not_be_read",))]


def _guarded(burst: Burst, now: datetime) -> list[Ask]:
    try:
        return read_burst(burst=burst, now=now)
    except Exception as error:
        log.warning("a burst was not read", extra={"error": type(error).__name__})
        return _after_fault(burst, now)


def _read_and_admit(*, bursts: Sequence[Burst], now: datetime) -> None:
    """Read bursts side by side, as most of the time goes into waiting for the chart, and admit them as they come."""
    began = time.monotonic()

    def moment() -> datetime:
        # The shared limits count real time: a burst that waited its turn does not ask with the batch's clock.
        return now + timedelta(seconds=time.monotonic() - began)

    def job(burst: Burst) -> list[Ask]:
        if time.monotonic() - began < LONGEST_S:
            return _guarded(burst, moment())
        inbox.give_back(events=burst.rows, due_at=moment(), note="waited")
        return []

    jobs = [lambda burst=burst: job(burst) for burst in bursts]  # type: ignore[misc]
    with side_by_side.started(jobs=jobs, threads=THREADS) as futures:
        waiting = dict(zip(futures, bursts, strict=True))
        while waiting:
            done, _ = wait(waiting, timeout=ADMIT_EVERY_S)
            if not done:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            ready = [(waiting.pop(future), future.result()) for future in done]
            _admit(bursts=[burst for burst, _ in ready], read=[asks for _, asks in ready], now=moment())


def read_burst(*, burst: Burst, now: datetime) -> list[Ask]:
    """One conversation's asks. An empty list means that it was given back to be read later."""
    sender = next((event.patient for event in reversed(burst.events) if event.patient), None)
    linked = sender.drchrono_id if sender else ""
    held = (
        charts.known(practice=burst.practice, connection=burst.connection, patient_id=linked, now=now)
        if linked
        else Chart()
    )
    topics = _topics(burst)
    thread, reading = _read(burst, held, topics, "")
    if _needs_no_chart(reading) or sender is None:
        reasons: tuple[str, ...] = ("sender_unknown",) if sender is None else ()
        return [_message(burst, held, thread, reading, reasons)]
    if linked:
        chart = charts.read(practice=burst.practice, connection=burst.connection, patient_id=linked, now=now, held=held)
    else:
        chart = charts.find(practice=burst.practice, connection=burst.connection, sender=sender, now=now)
    if chart.reason == "chart_unreached" and now - burst.rows[0].received_at < PATIENCE:
        wait = max(ASK_AGAIN, timedelta(seconds=min(chart.retry_after or 0, PATIENCE.total_seconds())))
        inbox.give_back(events=burst.rows, due_at=now + wait, note=chart.reason)
        return []
    pharmacy = _default_pharmacy(burst, chart)
    if chart.medications != held.medications or not linked or pharmacy is not None:
        thread, reading = _read(burst, chart, topics, pharmacy.name if pharmacy else "")
    thread, reading = _with_own_names(burst, chart, topics, pharmacy.name if pharmacy else "", (thread, reading))
    if not chart.patient_external_id:
        return [_message(burst, chart, thread, reading, (chart.reason or "unmatched_sender",))]
    reasons = tuple(reason for reason in (chart.reason,) if reason)
    if chart.snapshot is not None and charts.differs(snapshot=chart.snapshot, sender=sender):
        return [_message(burst, chart, thread, reading, ("identity_differs",))]
    asks = _asks(burst, chart, thread, reading, pharmacy, reasons)
    try:
        return clinical.completed(asks=asks, connection=burst.connection, now=now)
    except charts.Busy as busy:
        if now - burst.rows[0].received_at >= PATIENCE:
            return asks
        inbox.give_back(events=burst.rows, due_at=now + timedelta(seconds=max(busy.seconds, 2)), note="chart_busy")
        return []


def _topics(burst: Burst) -> frozenset[str]:
    """Tags and reason of the conversation, over the whole burst and tag events that came apart from it."""
    found: frozenset[str] = frozenset()
    for event in burst.events:
        if event.conversation is not None:
            found |= event.conversation.topics
    conversation = burst.rows[0].conversation_id
    if conversation and not found:
        rows = list(
            InboundEvent.objects.select_related("practice")
            .filter(practice=burst.practice, conversation_id=conversation, kind=EventKind.TAG, purged_at__isnull=True)
            .order_by("received_at")
        )
        account = charts.connection_of(burst.practice, Vendor.klara) if rows else None
        for row in rows:
            event = gathering.parsed(row, account)
            found = event.conversation.topics if event.conversation else found
    return found


def _with_own_names(
    burst: Burst, chart: Chart, topics: frozenset[str], pharmacy: str, plain: tuple[r.Thread, r.Reading]
) -> tuple[r.Thread, r.Reading]:
    """The reading with the patient's own names for entries, unless that hides anything read without them.

    One query, once the chart was read and its list is not empty; for most patients there are no names and it is all.
    """
    names = aliases.of_patient(
        practice=burst.practice, patient_id=chart.patient_external_id, medications=chart.medications
    )
    if not names:
        return plain
    thread, reading = _read(burst, chart, topics, pharmacy, names)
    return (thread, reading) if aliases.hides_nothing(before=plain[1], after=reading) else plain


def _read(
    burst: Burst, chart: Chart, topics: frozenset[str], pharmacy: str, own_names: Mapping[str, Names] | None = None
) -> tuple[r.Thread, r.Reading]:
    thread = understanding.thread_of(
        events=burst.events,
        medications=chart.medications,
        topics=topics,
        pharmacies=(pharmacy,) if pharmacy else (),
        names=_names(burst),
        own_names=own_names,
    )
    return thread, read.read(thread=thread, lexicon=vocabulary.current())


def _names(burst: Burst) -> tuple[str, ...]:
    """Names that say nothing about the ask: the sender's own and the practice's providers'."""
    sender = next((event.patient for event in reversed(burst.events) if event.patient), None)
    own = (sender.first_name, sender.last_name) if sender else ()
    return tuple(name for name in (*own, *(row.last_name for row in burst.providers.values())) if name)


def _needs_no_chart(reading: r.Reading) -> bool:
    """An emergency is a person's at once; thanks and a bare "never mind" ask nothing of the chart."""
    return reading.is_emergency or reading.is_plain_thanks or (reading.is_cancel and not reading.mentions)


def _default_pharmacy(burst: Burst, chart: Chart) -> PharmacyEntry | None:
    if chart.snapshot is None or not chart.snapshot.default_pharmacy:
        return None
    ncpdp = chart.snapshot.default_pharmacy
    return pharmacies.by_ncpdp(stage=burst.practice.stage, ncpdp_ids=[ncpdp]).get(ncpdp)


def _asks(
    burst: Burst,
    chart: Chart,
    thread: r.Thread,
    reading: r.Reading,
    pharmacy: PharmacyEntry | None,
    reasons: tuple[str, ...],
) -> list[Ask]:
    """One ask per drug; a pharmacy change; or one item for a person."""
    named = pharmacies.named(mentions=reading.pharmacies, stage=burst.practice.stage, default=pharmacy)
    if reading.is_plain_pharmacy_change:
        return [_ask(burst, chart, thread, reading, Kind.PHARMACY_CHANGE, None, pharmacy, named, reasons)]
    wants_drug = any(seen.intent == r.Intent.refill for seen in reading.intents) or reading.is_plain_refill
    resolved = {one.resolves_to: one for one in reading.mentions if one.resolves_to}
    by_id = {row.external_id: row for row in chart.medications}
    if not (wants_drug and resolved) or reading.has_symptom:
        return [_message(burst, chart, thread, reading, reasons)]
    asks = [
        _ask(burst, chart, thread, reading, Kind.REFILL, (mention, by_id[entry]), pharmacy, named, reasons)
        for entry, mention in resolved.items()
        if entry in by_id
    ]
    return asks or [_message(burst, chart, thread, reading, reasons)]


def _message(burst: Burst, chart: Chart, thread: r.Thread, reading: r.Reading, reasons: tuple[str, ...]) -> Ask:
    codes = tuple(dict.fromkeys((*reasons, *(str(doubt.code) for doubt in reading.doubts))))
    return _ask(burst, chart, thread, reading, Kind.MESSAGE, None, None, None, codes or (str(reading.primary),))


def _ask(
    burst: Burst,
    chart: Chart,
    thread: r.Thread,
    reading: r.Reading,
    kind: Kind,
    drug: tuple[r.Mention, MirrorMedication] | None,
    pharmacy: PharmacyEntry | None,
    named: PharmacyEntry | None,
    reasons: tuple[str, ...],
) -> Ask:
    practice = burst.practice
    sender = next((event.patient for event in reversed(burst.events) if event.patient), None)
    mention = drug[0] if drug else None
    match: Match | None = None
    if drug is not None:
        match = matching.match(medication=drug[1], practice=practice, providers=burst.providers)
    kinds = {Kind.REFILL: f.Kind.refill, Kind.PHARMACY_CHANGE: f.Kind.pharmacy_change}
    summary = understanding.facts_reading(
        reading=reading,
        thread=thread,
        mention=mention,
        kind=kinds.get(kind, f.Kind.other),
        is_verified=bool(sender and sender.is_verified),
        is_plain=reading.is_plain_refill or reading.is_plain_pharmacy_change,
    )
    snapshot = chart.snapshot or (charts.snapshot_of_sender(sender) if sender else None)
    now_read = burst.rows[-1].received_at
    return Ask(
        practice=practice,
        events=burst.rows,
        location=burst.location,
        kind=kind,
        sender_id=burst.rows[-1].sender_id,
        conversation_id=burst.rows[-1].conversation_id,
        patient_external_id=chart.patient_external_id,
        patient_ref=references.patient_ref(practice=practice, patient_id=chart.patient_external_id)
        if chart.patient_external_id
        else "",
        snapshot=snapshot,
        snapshot_at=now_read if snapshot else None,
        snapshot_sealed=identity_sealed(snapshot, practice, pharmacy),
        reading=summary,
        reading_sealed=understanding.keep(
            reading=reading,
            thread=thread,
            summary=summary,
            mention=mention,
            practice=practice,
            entries=_entries(mention, match),
        ),
        match=match,
        entries_matching=_entries(mention, match),
        pharmacy=pharmacy,
        named_pharmacy=named,
        named_text=reading.pharmacies[0].words if reading.pharmacies else "",
        asked_at=burst.rows[-1].sent_at or burst.rows[-1].received_at,
        channel_source=str(thread.messages[-1].source),
        mirror_age_minutes=chart.age_minutes,
        other_drugs=_others_of(chart, match),
        reasons=reasons if kind != Kind.REFILL else tuple(x for x in reasons if x),
        is_thanks=reading.is_plain_thanks,
        is_cancel=reading.is_cancel and bool(reading.mentions),
    )


def _entries(mention: r.Mention | None, match: Match | None) -> int | None:
    if mention is None or match is None:
        return None
    return 1 + sum(
        1
        for rival in mention.rivals
        if rival.entry_id and rival.entry_id != mention.resolves_to and rival.score >= mention.score
    )


def _others_of(chart: Chart, match: Match | None) -> tuple[f.Drug, ...] | None:
    """The other active drugs of the list; None when no list was read."""
    if chart.age_minutes is None:
        return None
    own = match.medication.external_id if match else ""
    return tuple(
        matching.drug_of(medication=row)
        for row in chart.medications
        if row.external_id != own and row.is_active and row.gone_at is None
    )


def identity_sealed(
    snapshot: identity.Snapshot | None, practice: Practice, pharmacy: PharmacyEntry | None
) -> bytes | None:
    """The snapshot with its pharmacy's name for the card, sealed; None when there is none."""
    if snapshot is None:
        return None
    if pharmacy is not None:
        snapshot = replace(snapshot, pharmacy_name=pharmacy.name, pharmacy_street=pharmacy.address_line_1)
    return identity.seal(snapshot=snapshot, practice=practice)
