"""Orders: turns an approved request into the exact messages that carry it: NewRx, chart record, chart correction.

Values that do not fit raise `script_checks.DoesNotFit` for a person; nothing is shortened. Reads no clock, sends
nothing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from integrations.models import Connection, PharmacyEntry, Vendor
from integrations.surescripts import script_build, script_checks, script_codes, script_model, script_read
from refillhub.practices.models import Provider, Spi
from review import outbox
from review.identity import Snapshot
from review.models import Dispatch, DispatchKind, RefillRequest
from rules import hours

_GENDERS = {"male": script_model.Gender.MALE, "female": script_model.Gender.FEMALE}
# Chart states after our prescription was taken by the network (drchrono 7.2).
ELECTRONIC = "Electronic eRx Sent"


class NoSender(Exception):
    """The prescriber has no active SPI at a place from which this request may be sent (requirement F045)."""


def order_number(*, request: RefillRequest, revision: int) -> str:
    """PrescriberOrderNumber: stable for the life of the prescription, at most 35 characters."""
    return f"RH-{request.id.hex[:20]}-{revision:02d}"


def spi_for(*, provider: Provider, request: RefillRequest) -> Spi:
    """The provider's SPI at the request's location, else at the home location, else the only one. Raises NoSender."""
    active = [row for row in provider.spis.all() if row.is_active]
    for location_id in (request.location_id, provider.location_id):
        for row in active:
            if location_id and row.location_id == location_id:
                return row
    if len(active) == 1:
        return active[0]
    raise NoSender(f"{provider.id} has no active SPI for this location")


def zone_of(request: RefillRequest) -> str:
    """Time zone of the request's place."""
    return (request.location.time_zone if request.location else "") or request.practice.time_zone or "UTC"


def newrx(
    *,
    request: RefillRequest,
    snapshot: Snapshot,
    provider: Provider,
    pharmacy: PharmacyEntry,
    now: datetime,
    due_at: datetime,
) -> Dispatch:
    """The NewRx of a request, frozen. Raises DoesNotFit, ControlledDrug (script), NoSender."""
    message_id = script_checks.new_message_id()
    number = order_number(request=request, revision=request.version)
    document = newrx_document(
        request=request,
        snapshot=snapshot,
        provider=provider,
        pharmacy=pharmacy,
        now=now,
        message_id=message_id,
        number=number,
    )
    return outbox.freeze(
        request=request,
        kind=DispatchKind.NEWRX,
        document=document,
        now=now,
        due_at=due_at,
        message_id=message_id,
        order_number=number,
        target=pharmacy.ncpdp_id,
        may_be_repeated=drops_repeats(request),
    )


def drops_repeats(request: RefillRequest) -> bool:
    """Whether the route promises never to deliver a byte-identical repeat twice (sandbox yes, default no)."""
    connection = Connection.objects.filter(
        practice_id=request.practice_id, vendor=Vendor.surescripts, stage=request.practice.stage
    ).first()
    return connection is not None and connection.is_pretend


def newrx_document(
    *,
    request: RefillRequest,
    snapshot: Snapshot,
    provider: Provider,
    pharmacy: PharmacyEntry,
    now: datetime,
    message_id: str,
    number: str,
) -> bytes:
    """The bytes of the NewRx, checked against every table of the contract."""
    spi = spi_for(provider=provider, request=request)
    place = spi.location
    return script_build.build_newrx(
        envelope=script_model.Envelope(message_id=message_id, sent_at=now, order_number=number),
        patient=script_model.PatientRef(
            name=script_model.Name(last=snapshot.last_name, first=snapshot.first_name, middle=snapshot.middle_name),
            gender=_GENDERS.get(snapshot.sex.lower(), script_model.Gender.UNKNOWN),
            born_on=snapshot.born_on(),
            address=script_model.Address(
                line1=snapshot.address, city=snapshot.city, state=snapshot.state, postal_code=snapshot.zip_code
            ),
            phone=snapshot.phone,
            chart_id=f"DRC-{snapshot.patient_external_id}",
        ),
        pharmacy=script_model.PharmacyRef(
            ncpdp_id=pharmacy.ncpdp_id,
            npi=pharmacy.npi,
            name=pharmacy.name,
            phone=pharmacy.phone,
            fax=pharmacy.fax,
            address=script_model.Address(
                line1=pharmacy.address_line_1,
                line2=pharmacy.address_line_2,
                city=pharmacy.city,
                state=pharmacy.state,
                postal_code=pharmacy.zip_code,
            ),
        ),
        prescriber=script_model.PrescriberRef(
            spi=spi.spi,
            npi=provider.npi,
            name=script_model.Name(last=provider.last_name, first=provider.first_name, suffix=provider.suffix),
            phone=place.phone,
            fax=place.fax,
            practice_name=request.practice.name,
            place_of_service="11",
            address=script_model.Address(
                line1=place.address_line_1,
                line2=place.address_line_2,
                city=place.city,
                state=place.state,
                postal_code=place.zip,
            ),
        ),
        prescription=script_model.Prescription(
            drug=script_model.Drug(
                description=request.drug_name,
                schedule=_schedule(request.schedule),
                rxcui=request.rxcui,
                rxcui_qualifier=request.rxcui_qualifier,
                ndc=request.ndc,
            ),
            quantity=request.quantity,
            unit_code=script_codes.unit_code(request.quantity_unit) or "",
            days_supply=request.days_supply,
            written_on=hours.local_date(moment=now, time_zone=zone_of(request)),
            refills=request.refills,
            sig=request.sig,
        ),
    )


def _schedule(schedule: str) -> script_model.Schedule:
    return {
        "not_controlled": script_model.Schedule.NOT_CONTROLLED,
        "ii": script_model.Schedule.II,
        "iii": script_model.Schedule.III,
        "iv": script_model.Schedule.IV,
        "v": script_model.Schedule.V,
    }.get(schedule, script_model.Schedule.UNKNOWN)


def successor(*, dispatch: Dispatch, due_at: datetime, now: datetime) -> Dispatch:
    """A linked successor of a surely undelivered NewRx: the same prescription under a new MessageID (contract 7.3)."""
    message_id = script_checks.new_message_id()
    old = outbox.document_of(dispatch)
    document = old.replace(
        f"<MessageID>{dispatch.message_id}</MessageID>".encode(), f"<MessageID>{message_id}</MessageID>".encode()
    )
    if document == old:
        raise ValueError("the frozen message does not hold its own MessageID")
    fresh = outbox.freeze(
        request=dispatch.request,
        kind=DispatchKind.NEWRX,
        document=document,
        now=now,
        due_at=due_at,
        message_id=message_id,
        order_number=dispatch.order_number,
        target=dispatch.target,
        predecessor=dispatch,
        may_be_repeated=dispatch.may_be_repeated,
    )
    # The key of the first one is taken; the successor's own id makes it another message.
    fresh.idempotency_key = uuid.uuid5(dispatch.id, message_id).hex
    return fresh


def chart_record(*, request: RefillRequest, now: datetime) -> Mapping[str, Any]:
    """What the chart entry is to say once the network has taken the prescription (drchrono 7.2, PATCH)."""
    written = hours.local_date(moment=now, time_zone=zone_of(request)).isoformat()
    patch: dict[str, Any] = {"date_prescribed": written, "order_status": ELECTRONIC}
    if request.quantity is not None:
        patch["dispense_quantity"] = float(request.quantity)
    if request.refills is not None:
        patch["number_refills"] = request.refills
    note = f"Refill Hub {request.short_id}: prescription sent {written} to pharmacy {request.pharmacy_ncpdp}."
    return {"how": "patch", "entry": request.entry_external_id, "patch": patch, "note": note}


def chart_dispatch(*, request: RefillRequest, now: datetime) -> Dispatch:
    """The chart record as a dispatch."""
    return outbox.freeze(
        request=request,
        kind=DispatchKind.CHART,
        document=chart_record(request=request, now=now),
        target=request.entry_external_id,
        now=now,
    )


def chart_correction(*, request: RefillRequest, now: datetime) -> Mapping[str, Any]:
    """What the chart entry is to say when that prescription was rejected after all."""
    day = hours.local_date(moment=now, time_zone=zone_of(request)).isoformat()
    note = f"Refill Hub {request.short_id}: the prescription recorded above was rejected on {day}; it was not filled."
    return {"how": "note", "entry": request.entry_external_id, "note": note}


def cancelrx(*, request: RefillRequest, sent: Dispatch, now: datetime) -> Dispatch:
    """A CancelRx that withdraws a NewRx; patient, pharmacy, prescriber and drug repeat what was sent (contract 4.8)."""
    told = script_read.read(outbox.document_of(sent))
    if told.patient is None or told.pharmacy is None or told.prescriber is None or told.prescribed is None:
        raise ValueError("the frozen NewRx cannot be read back")
    message_id = script_checks.new_message_id()
    document = script_build.build_cancelrx(
        envelope=script_model.Envelope(message_id=message_id, sent_at=now, order_number=sent.order_number),
        relates_to=sent.message_id,
        patient=told.patient,
        pharmacy=told.pharmacy,
        # The SPI stands in the header of what was sent, not in its prescriber block.
        prescriber=replace(told.prescriber, spi=told.header.sender.id),
        prescription=told.prescribed,
    )
    return outbox.freeze(
        request=request,
        kind=DispatchKind.CANCELRX,
        document=document,
        now=now,
        message_id=message_id,
        order_number=sent.order_number,
        target=sent.target,
        may_be_repeated=sent.may_be_repeated,
    )
