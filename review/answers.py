"""Answers to a pharmacy's renewal request: an RxRenewalResponse that grants it or denies it with a code (contract 4.6).

A grant is a prescription and travels as one (kind `newrx`): it counts as supply, is looked for when its outcome is
unknown, and the door checks it. A denial travels as `answer`. Builds; decides and sends nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from integrations import vault
from integrations.surescripts import script_answer, script_checks, script_model, script_read
from refillhub.practices.models import Provider, Spi
from review import orders, outbox, parties
from review.asks import Renewal
from review.identity import Snapshot
from review.models import Dispatch, DispatchKind, NetworkMail, RefillRequest
from review.states import DispatchState
from rules import hours

MAIL_PURPOSE = "network_mail"
ASKED = ("RxRenewalRequest", "RxChangeRequest")
"""Letters a pharmacy waits for an answer to."""
ELSEWHERE = "AP"  # request already answered by other means
VISIT_FIRST = "AM"  # patient needs appointment
# An answer that was taken back or refused by the network is none.
NO_ANSWER = (DispatchState.TAKEN_BACK, DispatchState.REJECTED)


def pending(*, request: RefillRequest) -> list[Renewal]:
    """Letters that wait for an answer by this request: its own and those of requests joined to it."""
    rows = (
        NetworkMail.objects.select_related("practice")
        .filter(practice_id=request.practice_id, body_name__in=ASKED)
        .filter(Q(request_id=request.id) | Q(request__duplicate_of_id=request.id))
        .filter(Q(answered_by__isnull=True) | Q(answered_by__state__in=NO_ANSWER))
        .exclude(document_sealed=b"")
        .order_by("received_at", "id")
    )
    return [Renewal(mail=row, message=script_read.read(open_mail(row))) for row in rows]


def open_mail(row: NetworkMail) -> bytes:
    """The bytes of a stored letter."""
    return vault.open_payload(
        sealed=bytes(row.document_sealed),
        practice_id=row.practice_id,
        stage=row.practice.stage,
        purpose=MAIL_PURPOSE,
    )


def grantable(*, waiting: Sequence[Renewal], provider: Provider, request: RefillRequest) -> Renewal | None:
    """The renewal request this provider may grant: asked of their own SPI, by the pharmacy it is to go to.

    Anybody else's yes is a prescription of its own, and the request is answered as dealt with otherwise.
    """
    own = {row.spi for row in provider.spis.all() if row.is_active}
    for one in waiting:
        asked = one.message.header
        if one.message.kind is not script_model.MessageKind.RX_RENEWAL_REQUEST:
            continue
        if asked.to.id in own and asked.sender.id == request.pharmacy_ncpdp:
            return one
    return None


def grant(
    *,
    renewal: Renewal,
    request: RefillRequest,
    snapshot: Snapshot,
    provider: Provider,
    now: datetime,
    due_at: datetime,
) -> Dispatch:
    """The granting answer, frozen. Raises DoesNotFit, ControlledDrug (script), NoSender.

    The number in a renewal counts fills that may still be dispensed, so it is one more than the refills of a new
    prescription; on a Replace it is a new prescription's (contract 4.6, open point of the implementation guide).
    """
    asked, message_id = renewal.message, script_checks.new_message_id()
    spi = _spi(asked, request)
    made = parties.prescription(request=request, now=now)
    fills = None if made.refills is None else made.refills + 1
    granted = replace(made, refills=fills)
    kind = script_answer.outcome_of(asked=asked.dispensed, granted=granted) if asked.dispensed else "Replace"
    number = orders.order_number(request=request, revision=request.version)
    document = script_answer.build_renewal_response(
        envelope=script_model.Envelope(message_id=message_id, sent_at=now, order_number=number),
        request=asked,
        reply=script_model.Reply(kind=kind),
        patient=parties.patient(snapshot=snapshot),
        prescriber=parties.prescriber(spi=spi, provider=provider, practice_name=request.practice.name),
        prescription=made if kind == "Replace" else granted,
    )
    return orders.frozen(
        request=request,
        document=document,
        message_id=message_id,
        number=script_answer.number_of(request=asked, own=number),
        target=request.pharmacy_ncpdp,
        now=now,
        due_at=due_at,
    )


def deny(
    *, renewal: Renewal, request: RefillRequest, code: str, text: str, now: datetime, due_at: datetime, place: int
) -> Dispatch:
    """The denial of one renewal or change request, frozen. `place` tells several of one request apart.

    Raises DoesNotFit, NoSender.
    """
    asked, message_id = renewal.message, script_checks.new_message_id()
    spi = _spi(asked, request)
    envelope = script_model.Envelope(
        message_id=message_id,
        sent_at=now,
        order_number=orders.order_number(request=request, revision=request.version),
    )
    prescriber = parties.prescriber(spi=spi, provider=spi.provider, practice_name=request.practice.name)
    if asked.kind is script_model.MessageKind.RX_CHANGE_REQUEST:
        document = script_answer.build_change_response(
            envelope=envelope,
            request=asked,
            reply=script_model.Reply(kind="Denied", reason_codes=(code,), text=text),
            prescriber=prescriber,
        )
    else:
        if asked.patient is None or asked.dispensed is None:
            raise ValueError("a renewal request without patient or drug was kept")
        day = hours.local_date(moment=now, time_zone=parties.zone_of(request))
        document = script_answer.build_renewal_response(
            envelope=envelope,
            request=asked,
            reply=script_answer.denial(code=code, text=text),
            patient=asked.patient,
            prescriber=prescriber,
            prescription=replace(asked.dispensed, refills=0, written_on=day),
        )
    return outbox.freeze(
        request=request,
        kind=DispatchKind.ANSWER,
        document=document,
        now=now,
        due_at=due_at,
        message_id=message_id,
        target=asked.header.sender.id,
        revision=request.version * 100 + place,
        may_be_repeated=orders.drops_repeats(request),
    )


def _spi(asked: script_model.NetworkMessage, request: RefillRequest) -> Spi:
    """The SPI that was asked, of this practice. Raises NoSender."""
    row = (
        Spi.objects.select_related("provider", "location")
        .filter(practice_id=request.practice_id, spi=asked.header.to.id)
        .first()
    )
    if row is None:
        raise parties.NoSender("the request was sent to an SPI that is not ours")
    return row
