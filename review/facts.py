"""Request + mirror + now -> rules.Facts: the only translation table, and so the most dangerous file of the house.

A wrong line here passes every rule test; the flow tests start from vendor payloads for that reason. Decides nothing.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from integrations.models import MirrorPatient
from refillhub.practices.models import Location, Practice
from review import bridges, states, supplies
from review import context as contexts
from review.asks import Ask
from review.context import Context
from review.models import Dispatch, Kind, RefillRequest
from review.states import DispatchState, RequestState
from rules import decision, hours, supply
from rules import facts as f
from rules.decision import Decision

STATUS = {"A": f.PatientStatus.active, "I": f.PatientStatus.inactive, "D": f.PatientStatus.deceased}
SEX = {"male": f.Sex.male, "female": f.Sex.female}
SUPPLY_STATES = {
    DispatchState.QUEUED: f.SupplyState.approved,
    DispatchState.RETRY_WAIT: f.SupplyState.approved,
    DispatchState.SENDING: f.SupplyState.sent,
    DispatchState.UNKNOWN: f.SupplyState.sent,
    DispatchState.ACCEPTED: f.SupplyState.sent,
    DispatchState.DELIVERED: f.SupplyState.delivered,
    DispatchState.UNRESOLVED: f.SupplyState.unresolved,
}
# A native prescription counts as supply unless the chart says that it surely failed.
SURELY_FAILED = frozenset({"Error", "Cancelled", "Canceled", "Failed", "Rejected"})
# A pharmacy's word on fills left is old news after this.
REPORT_HOLDS = timedelta(days=365)
# Requests that swallow a repeat: active, or sent within the practice's duplicate window.
ACTIVE = states.OPEN_REQUEST_STATES
SENT = frozenset({RequestState.SENT, RequestState.DONE, RequestState.VISIT_ASKED, RequestState.TOLD})
DEAD_ENDS = frozenset({RequestState.DENIED, RequestState.CANCELLED})


def office_of(*, practice: Practice, location: Location | None) -> hours.OfficeHours:
    """Office hours of the place a message reached: the location's own where they differ."""
    zone = (location.time_zone if location else "") or practice.time_zone
    return hours.OfficeHours(
        time_zone=zone or "UTC",
        opens=(location.opens_at if location and location.opens_at else practice.opens_at),
        closes=(location.closes_at if location and location.closes_at else practice.closes_at),
        open_weekdays=frozenset(practice.open_days),
    )


def load(*, asks: Sequence[Ask], now: datetime) -> Context:
    """The context of a batch of asks; see `review.context.load`."""
    practices = {ask.practice.id: ask.practice for ask in asks}
    providers = {ask.match.prescriber.id: ask.match.prescriber for ask in asks if ask.match and ask.match.prescriber}
    return contexts.load(
        practices=practices,
        patients={(ask.practice.id, ask.patient_external_id) for ask in asks},
        senders={(ask.practice.id, ask.sender_id) for ask in asks},
        providers=list(providers.values()),
        now=now,
    )


def build(*, ask: Ask, request: RefillRequest, context: Context, now: datetime) -> f.Facts:
    """The facts of one ask at this moment. What is not surely known stays None."""
    practice = ask.practice
    office = office_of(practice=practice, location=ask.location)
    today = hours.local_date(moment=now, time_zone=office.time_zone)
    match = ask.match
    patient = context.patients.get((practice.id, ask.patient_external_id))
    known = f.Facts(
        now=now,
        today=today,
        reading=ask.reading,
        patient=_patient(ask=ask, status=patient.status if patient else "", today=today),
        drug=match.drug if match else None,
        entry=match.entry if match else None,
        entries_matching=ask.entries_matching,
        visit=f.Visit(
            last_qualifying_on=patient.last_visit_on if patient else None,
            **_ahead(ask=ask, patient=patient, context=context, today=today),
        ),
        fills=_fills(ask=ask, context=context),
        supplies=_supplies(ask=ask, request=request, context=context, zone=office.time_zone),
        fills_left=_fills_left(ask=ask, context=context),
        labs=ask.labs,
        labs_age_minutes=ask.labs_age_minutes,
        bridges=bridges.days_given(ask=ask, context=context, zone=office.time_zone),
        prescriber=_prescriber(ask=ask, context=context),
        pharmacy=_pharmacy(ask=ask, now=now),
        other_drugs=ask.other_drugs,
        allergies=ask.allergies,
        mirror_age_minutes=ask.mirror_age_minutes,
        hours=hours.hours_at(sent_at=ask.asked_at, now=now, office=office),
        switches=f.Switches(
            is_automatic_stopped=practice.is_automatic_stopped,
            is_sending_stopped=practice.is_sending_stopped,
            is_shadow=request.is_shadow,
        ),
        earlier=earlier_of(ask=ask, context=context, own=request),
    )
    days = match.days_supply if match else None
    run_out = supply.standing(facts=known, entry_days_supply=days).run_out_on
    context.run_outs[request.id] = run_out
    return _with_run_out(known, run_out)


def _with_run_out(known: f.Facts, run_out: date | None) -> f.Facts:
    values = {name: getattr(known, name) for name in known.__slots__}
    values["run_out_on"] = run_out
    return f.Facts(**values)


def _patient(*, ask: Ask, status: str, today: date) -> f.Patient:
    snapshot = ask.snapshot
    return f.Patient(
        age_years=snapshot.age_years(today=today) if snapshot else None,
        status=STATUS.get(snapshot.status if snapshot and snapshot.status else status, f.PatientStatus.unknown),
        is_pregnant=ask.is_pregnant,
        sex=SEX.get(snapshot.sex.lower(), f.Sex.unknown) if snapshot else f.Sex.unknown,
    )


def _ahead(*, ask: Ask, patient: MirrorPatient | None, context: Context, today: date) -> dict[str, Any]:
    """The calendar ahead: as just read, else as the mirror was told of it while its look for changes is recent."""
    if ask.ahead is not None:
        return {"upcoming_on": ask.ahead.next_on, "is_upcoming_known": True}
    booked = patient.next_visit_on if patient is not None else None
    known = patient is not None and (booked is not None or ask.practice.id in context.calendars)
    return {"upcoming_on": booked if booked and booked >= today else None, "is_upcoming_known": known}


def _prescriber(*, ask: Ask, context: Context) -> f.Prescriber | None:
    match = ask.match
    if match is None:
        return None
    provider = match.prescriber
    if provider is None:
        # The doctor of the entry is nobody of this practice's providers.
        return f.Prescriber(provider_ref=match.entry.prescriber_ref, is_ours=False)
    return f.Prescriber(
        provider_ref=str(provider.id),
        is_ours=True,
        is_active=provider.is_active,
        has_spi=provider.id in context.with_spi,
        is_away=context.away.get(provider.id),
        agreed_to_automatic=provider.id in context.consents,
    )


def _pharmacy(*, ask: Ask, now: datetime) -> f.Pharmacy:
    matches = None
    if ask.named_text and ask.named_pharmacy is not None and ask.pharmacy is not None:
        matches = ask.named_pharmacy.ncpdp_id == ask.pharmacy.ncpdp_id
    return f.Pharmacy(
        default_ncpdp=ask.pharmacy.ncpdp_id if ask.pharmacy else "",
        is_current=ask.pharmacy.is_sendable(now) if ask.pharmacy else None,
        named_text=ask.named_text,
        named_matches_default=matches,
        named_ncpdp=ask.named_pharmacy.ncpdp_id if ask.named_pharmacy else "",
    )


def _fills(*, ask: Ask, context: Context) -> tuple[f.Fill, ...] | None:
    """Fills pharmacies reported; None when nobody reported any, so that the prescriptions stand in."""
    if ask.match is None:
        return None
    reports = context.reports.get((ask.practice.id, ask.patient_external_id), [])
    fills = tuple(
        f.Fill(on=row.filled_on, days_supply=row.days_supply, source="pharmacy")
        for row in reports
        if row.ingredient_key == ask.match.ingredient_key and row.filled_on is not None
    )
    return fills or None


def _fills_left(*, ask: Ask, context: Context) -> int | None:
    """Only what a pharmacy reported last (glossary: fills left)."""
    if ask.match is None:
        return None
    rows = [
        row
        for row in context.reports.get((ask.practice.id, ask.patient_external_id), [])
        if row.ingredient_key == ask.match.ingredient_key and row.fills_left is not None
    ]
    latest = max(rows, key=lambda row: row.received_at, default=None)
    if latest is None or context.now - latest.received_at > REPORT_HOLDS:
        return None
    for earlier in context.of_patient(ask.practice.id, ask.patient_external_id):
        # A prescription that left after the report has made it old news.
        sent = contexts.live_newrx(context.dispatches_of(earlier))
        if earlier.ingredient_key == ask.match.ingredient_key and any(d.queued_at > latest.received_at for d in sent):
            is_of_it = any(d.message_id and d.accepted_at and d.accepted_at <= latest.received_at for d in sent)
            if not is_of_it:
                return None
    return latest.fills_left


def _supplies(*, ask: Ask, request: RefillRequest, context: Context, zone: str) -> tuple[f.Supply, ...] | None:
    """Ours counts as supply, and so do prescriptions written natively and the entry's own (law 6)."""
    match = ask.match
    if match is None:
        return None
    found: list[f.Supply] = []
    for earlier in context.of_patient(ask.practice.id, ask.patient_external_id):
        if earlier.ingredient_key != match.ingredient_key or not match.ingredient_key:
            continue
        found += [
            f.Supply(
                on=hours.local_date(moment=earlier.approved_at or row.queued_at, time_zone=zone),
                days_supply=earlier.days_supply,
                number_refills=earlier.refills,
                source="refill_hub",
                state=SUPPLY_STATES[DispatchState(row.state)],
            )
            for row in contexts.live_newrx(context.dispatches_of(earlier))
        ]
    for seen in context.native.get((ask.practice.id, ask.patient_external_id), []):
        if seen.written_at is None or seen.status in SURELY_FAILED:
            continue
        if supplies.is_same_drug(name=seen.drug_name, ingredient_key=match.ingredient_key):
            found.append(
                f.Supply(
                    on=hours.local_date(moment=seen.written_at, time_zone=zone),
                    days_supply=seen.days_supply or _same_quantity_days(ask, seen.quantity),
                    number_refills=seen.number_refills,
                    source="chart",
                    state=f.SupplyState.delivered,
                )
            )
    if match.entry.prescribed_on is not None:
        # Beside a shorter one of a later day too: a bridging supply does not use up the entry's own.
        found.append(
            f.Supply(
                on=match.entry.prescribed_on,
                days_supply=match.days_supply,
                number_refills=match.entry.number_refills,
                source="list_entry",
                state=f.SupplyState.delivered,
            )
        )
    return tuple(found)


def _same_quantity_days(ask: Ask, quantity: object) -> int | None:
    """Days of a native prescription that states only a quantity: known when it is the entry's own quantity."""
    match = ask.match
    return match.days_supply if match and quantity is not None and quantity == match.entry.dispense_quantity else None


def earlier_of(*, ask: Ask, context: Context, own: RefillRequest | None = None) -> f.Earlier:
    """Other requests of this patient for the same ingredient set."""
    match = ask.match
    if ask.kind == Kind.PHARMACY_CHANGE:
        return f.Earlier(is_same_open=False, was_denied_or_failed_in_24_h=False, has_newer_message=False)
    if match is None or not ask.patient_external_id:
        return f.Earlier(is_same_open=False if match is None else None)
    first = same_request(ask=ask, context=context, own=own)
    rows = [
        row
        for row in context.of_patient(ask.practice.id, ask.patient_external_id)
        if row.kind == Kind.REFILL
        and row.ingredient_key == match.ingredient_key
        and not _is_own(row, own)
        and (ask.practice.is_shadow or not row.is_shadow)
    ]
    failed = any(
        RequestState(row.state) in DEAD_ENDS or "transmission_failed" in row.reasons
        for row in rows
        if context.now - (row.ended_at or row.changed_at) <= timedelta(hours=24)
    )
    return f.Earlier(
        is_same_open=first is not None,
        is_same_in_every_point=None if first is None else same_drug(ask=ask, request=first),
        opened_seconds_ago=None if first is None else math.ceil((context.now - first.opened_at).total_seconds()),
        was_denied_or_failed_in_24_h=failed,
        has_newer_message=False,
    )


def same_request(*, ask: Ask, context: Context, own: RefillRequest | None = None) -> RefillRequest | None:
    """The earlier request for the same ingredients that is active, or was sent within a day (duplicate layer c)."""
    if ask.match is None:
        return None
    for row in reversed(context.of_patient(ask.practice.id, ask.patient_external_id)):
        if row.is_shadow and not ask.practice.is_shadow:
            continue  # nothing of a shadow request ever left
        if _is_own(row, own) or row.kind != Kind.REFILL or row.ingredient_key != ask.match.ingredient_key:
            continue
        state = RequestState(row.state)
        if state in ACTIVE or (state in SENT and context.now - row.opened_at <= timedelta(hours=24)):
            return row
    return None


def _is_own(row: RefillRequest, own: RefillRequest | None) -> bool:
    """A held request is loaded twice at its release; it is never its own earlier one."""
    return own is not None and row.id == own.id


def same_drug(*, ask: Ask, request: RefillRequest) -> bool:
    """Same drug, strength, form and pharmacy."""
    if ask.match is None or request.drug_key != ask.match.drug_key:
        return False
    if ask.named_text and ask.named_pharmacy is None:
        return False
    named = ask.named_pharmacy.ncpdp_id if ask.named_pharmacy else ""
    wanted = named or (ask.pharmacy.ncpdp_id if ask.pharmacy else "")
    return not ask.named_text or wanted == request.pharmacy_ncpdp


def decide(*, context: Context, practice: Practice, known: f.Facts) -> Decision:
    """The rules in force at this practice, asked about these facts."""
    rules = context.rules[practice.id]
    return decision.decide(facts=known, policy=rules.policy, recipes=rules.recipes, protocols=rules.protocols)


def is_open_supply(dispatch: Dispatch) -> bool:
    """Whether a dispatch counts as supply."""
    return bool(contexts.live_newrx([dispatch]))
