"""Admission: what was read becomes requests, decided by the rules, in one transaction for a whole batch.

Patients are locked first, so that two messages read at the same time see each other (Klara contract, duplicate layer
c). News first (law 6): a new message of a patient with unsent approvals brings these back to a person. No network.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError

from review import facts as facts_of
from review.asks import Ask
from review.context import Context
from review.ledger import Ledger, verb
from review.models import Dispatch, EventLink, InboundEvent, Kind, Progress, RefillRequest
from review.states import ENDED_REQUEST_STATES, MESSAGE_BOUND_STATES, DispatchState, RequestState
from review.workflow import deciding, moves, notices

R = RequestState
THANKS_BELONG_WITHIN = timedelta(days=7)
UNSENT = (DispatchState.QUEUED, DispatchState.RETRY_WAIT)


@dataclass(slots=True)
class Admitted:
    """What an admission made: requests, in the order of the asks (None where a burst only said thanks)."""

    requests: list[RefillRequest]
    dispatches: list[Dispatch]


def admit(*, asks: Sequence[Ask], now: datetime) -> Admitted:
    """Open and decide requests for a batch of asks; all or none. A clash over one drug is settled one by one."""
    if not asks:
        return Admitted([], [])
    try:
        return _admit(asks=asks, now=now)
    except IntegrityError:
        if len({ask.events[0].id for ask in asks}) == 1:
            raise
    # Somebody else opened one of them: take each burst alone, so that one clash does not hold up the others.
    together = Admitted([], [])
    for burst in _bursts(asks):
        made = _admit(asks=burst, now=now)
        together.requests += made.requests
        together.dispatches += made.dispatches
    return together


def _bursts(asks: Sequence[Ask]) -> list[list[Ask]]:
    by_event: dict[uuid.UUID, list[Ask]] = {}
    for ask in asks:
        by_event.setdefault(ask.events[0].id, []).append(ask)
    return list(by_event.values())


def _admit(*, asks: Sequence[Ask], now: datetime) -> Admitted:
    with verb(now=now) as ledger:
        moves.lock_patients(
            (ask.practice.id, key) for ask in asks for key in (ask.patient_external_id, f"sender:{ask.sender_id}")
        )
        _still_ours(asks)
        context = facts_of.load(asks=asks, now=now)
        made = Admitted([], [])
        moved: dict[uuid.UUID, RefillRequest] = {}
        links: list[EventLink] = []
        for burst in _bursts(asks):
            _news(burst=burst, context=context, moved=moved, ledger=ledger)
            for ask in burst:
                request = _open(ask=ask, context=context, ledger=ledger, made=made)
                links += [EventLink(event=event, request=request) for event in ask.events]
        deciding.store(requests=made.requests, dispatches=made.dispatches, context=context, ledger=ledger)
        moves.save(moved.values())
        EventLink.objects.bulk_create(links, ignore_conflicts=True)
        _close_events(asks=asks, now=now, ledger=ledger)
        return made


class LostLease(Exception):
    """Another worker took these events over; nothing was written."""


def _still_ours(asks: Sequence[Ask]) -> None:
    """Lock the events; nobody may have read them meanwhile. Raises LostLease."""
    wanted = {event.id for ask in asks for event in ask.events}
    rows = InboundEvent.objects.select_for_update().filter(id__in=wanted).order_by("id")
    # Recovered to RECEIVED after a slow chart, and locked here before anyone else took it: still ours to finish.
    ours = (Progress.READING, Progress.RECEIVED)
    if any(row.progress not in ours for row in rows.only("id", "progress")):
        raise LostLease


def _news(*, burst: list[Ask], context: Context, moved: dict[uuid.UUID, RefillRequest], ledger: Ledger) -> None:
    """A new message of a patient with open work: unless plain thanks, all that is unsent comes back to a person."""
    first = burst[0]
    if first.is_thanks:
        return
    for request in context.open_of(first.practice.id, first.patient_external_id, first.sender_id):
        if request.id in moved:
            continue
        if all(_is_repeat(ask=ask, request=request, context=context) for ask in burst):
            continue
        unsent = [d for d in context.dispatches_of(request) if d.state in UNSENT]
        waits = request.state in (R.HELD, R.AWAITING_SIGNATURE)
        brought = request.state in (R.APPROVED, *MESSAGE_BOUND_STATES) and deciding.is_unsent(
            context.dispatches_of(request)
        )
        if brought:
            deciding.bring_back(request=request, dispatches=unsent, reason="news_from_patient", ledger=ledger)
        elif waits:
            moves.to_person(request=request, verb="return", reasons=["news_from_patient"], ledger=ledger)
        elif request.state == R.IN_REVIEW and request.kind != Kind.MESSAGE:
            request.reasons = ["news_from_patient", *[r for r in request.reasons if r != "news_from_patient"]]
            request.version += 1
            request.changed_at = ledger.now
        else:
            continue
        moved[request.id] = request
        if brought or waits:
            # Something was about to leave by itself: the new ask is read by a person beside it.
            context.pulled.add(request.id)
        for event in first.events:
            EventLink.objects.get_or_create(event=event, request=request)
        ledger.on_request(request, "request.reread", data={"events": [str(event.id) for event in first.events]})


def _is_repeat(*, ask: Ask, request: RefillRequest, context: Context) -> bool:
    """A second plain request for the same drug, strength and pharmacy while the first is active or sent."""
    earlier = facts_of.earlier_of(ask=ask, context=context)
    return (
        ask.kind == Kind.REFILL
        and request.kind == Kind.REFILL
        and ask.reading.is_plain is True
        and earlier.is_same_open is True
        and earlier.is_same_in_every_point is True
        and facts_of.same_drug(ask=ask, request=request)
    )


def _open(*, ask: Ask, context: Context, ledger: Ledger, made: Admitted) -> RefillRequest:
    """One request of one ask: thanks join what they thank for, the rest is opened and decided."""
    if ask.is_thanks:
        latest = context.latest_of(ask.practice.id, ask.patient_external_id, ask.sender_id, ledger.now)
        if latest is not None and ledger.now - latest.opened_at <= THANKS_BELONG_WITHIN:
            ledger.on_request(latest, "message.read", outcome="thanks")
            return latest
    request = deciding.new_request(ask=ask, now=ledger.now)
    ledger.on_request(
        request, "request.opened", data={"kind": request.kind, "events": [str(event.id) for event in ask.events]}
    )
    deciding.decide(request=request, ask=ask, context=context, ledger=ledger, dispatches=made.dispatches)
    made.requests.append(request)
    context.remember(request, [d for d in made.dispatches if d.request_id == request.id])
    return request


def _close_events(*, asks: Sequence[Ask], now: datetime, ledger: Ledger) -> None:
    events = {event.id: (event, ask) for ask in asks for event in ask.events}
    InboundEvent.objects.filter(id__in=events.keys()).update(progress=Progress.READ, read_at=now, lease_until=None)
    for event, ask in events.values():
        ledger.note(
            event="message.read",
            practice_id=ask.practice.id,
            patient_ref=ask.patient_ref,
            trigger=event.origin,
            outcome=str(ask.reading.kind),
            data={"event": str(event.id), "doubts": list(ask.reading.doubts)},
        )
        if not ask.patient_external_id:
            notices_reason = ask.reasons[0] if ask.reasons else "unmatched_sender"
            ledger.note(
                event="message.unmatched_sender",
                practice_id=ask.practice.id,
                data={"event": str(event.id), "reason": notices_reason},
            )


def is_closed(request: RefillRequest) -> bool:
    """Whether a request takes no more news."""
    return request.state in ENDED_REQUEST_STATES or notices.is_ended(request)
