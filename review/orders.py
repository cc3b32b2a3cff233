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
from integrations.surescripts import script_build, script_checks, script_model, script_read
from refillhub.practices.models import Provider
from review import outbox, parties
from review.identity import Snapshot
from review.models import Dispatch, DispatchKind, RefillRequest
from rules import hours

# Chart states after our prescription was taken by the network (drchrono 7.2).
ELECTRONIC = "Electronic eRx Sent"


def order_number(*, request: RefillRequest, revision: int) -> str:
    """PrescriberOrderNumber: stable for the life of the prescription, at most 35 characters."""
    return f"RH-{request.id.hex[:20]}-{revision:02d}"


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
    return frozen(
        request=request, document=document, message_id=message_id, number=number, target=pharmacy.ncpdp_id, now=now,
        due_at=due_at,
    )  # fmt: skip


def frozen(
    *,
    request: RefillRequest,
    document: bytes,
    message_id: str,
    number: str,
    target: str,
    now: datetime,
    due_at: datetime,
) -> Dispatch:
    """The dispatch of a prescription's bytes, whatever message carries them."""
    return outbox.freeze(
        request=request,
        kind=DispatchKind.NEWRX,
        document=document,
        now=now,
        due_at=due_at,
        message_id=message_id,
        order_number=number,
        target=target,
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
    spi = parties.spi_for(provider=provider, request=request)
    return script_build.build_newrx(
        envelope=script_model.Envelope(message_id=message_id, sent_at=now, order_number=number),
        patient=parties.patient(snapshot=snapshot),
        pharmacy=parties.pharmacy(row=pharmacy),
        prescriber=parties.prescriber(spi=spi, provider=provider, practice_name=request.practice.name),
        prescription=parties.prescription(request=request, now=now),
    )


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
    written = hours.local_date(moment=now, time_zone=parties.zone_of(request)).isoformat()
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
    day = hours.local_date(moment=now, time_zone=parties.zone_of(request)).isoformat()
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
