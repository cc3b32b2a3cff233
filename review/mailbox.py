"""Mail of the prescription network: fetch, store, acknowledge, apply. Late news enters at `workflow.settle` like any
other.

At-least-once: a message is stored and committed before it is acknowledged, and dropped when it comes again. What
matches nothing is an item for a person.
"""

import logging
from datetime import datetime

from django.db import IntegrityError, transaction

from integrations import limits, vault
from integrations.http import VendorError
from integrations.models import Connection, ConnectionStatus, RefusedAddress, Vendor
from integrations.surescripts import client, script_read
from integrations.surescripts.script_model import MessageKind, NetworkMessage
from integrations.surescripts.types import FetchResult
from refillhub.practices.models import Practice, Spi
from review import renewals, sending, workflow
from review.answers import MAIL_PURPOSE
from review.asks import Renewal
from review.models import Dispatch, NetworkMail
from review.workflow import Result

MOST_AT_ONCE = 200
RENEWAL = "RxRenewalRequest"
log = logging.getLogger(__name__)


def poll(*, now: datetime) -> int:
    """Drain the mailbox of every practice that speaks to the network. Returns the number of new messages."""
    connections = (
        Connection.objects.select_related("practice")
        .filter(vendor=Vendor.surescripts, status=ConnectionStatus.active)
        .exclude(practice__erx_route=Practice.ErxRoute.ehr_handoff)
    )
    taken = 0
    for row in connections:
        if row.stage != row.practice.stage:
            continue
        try:
            taken += poll_one(connection=row, now=now)
        except (vault.NoSecret, vault.WrongStage, RefusedAddress, limits.LimiterGone) as error:
            # One practice's trouble is not the others'.
            workflow.note_vendor_error(connection=row, code=type(error).__name__, now=now)
    return taken


def poll_one(*, connection: Connection, now: datetime) -> int:
    """Drain one practice's mailbox and apply what came."""
    spi = Spi.objects.filter(practice=connection.practice, is_active=True).order_by("spi").first()
    if spi is None:
        return 0
    route = sending.route_of(practice=connection.practice, connection=connection)
    endpoint = sending.endpoint_of(connection=connection, spi=spi.spi, now=now)
    acknowledge: str | None = None
    taken = 0
    for _ in range(MOST_AT_ONCE):
        if limits.take(lane=limits.routine_lane(practice_id=connection.practice_id), now=now) is not None:
            break
        try:
            found = route.fetch(connection=endpoint, acknowledge=acknowledge, now=now)
        except VendorError as error:
            workflow.note_vendor_error(connection=connection, code=error.code or "mailbox", now=now)
            break
        taken += _keep(connection=connection, found=found, now=now)
        acknowledge = found.acknowledge or None
        if acknowledge is None:
            break
    apply_new(practice=connection.practice, now=now)
    return taken


def _keep(*, connection: Connection, found: FetchResult, now: datetime) -> int:
    """Store what one poll brought; a repeat changes nothing."""
    stored = 0
    for message in found.messages:
        stored += _store(connection.practice, message, now)
    for letter in found.unreadable:
        workflow.keep_unreadable_mail(practice=connection.practice, raw=letter.raw, reason=letter.reason, now=now)
    return stored


def _store(practice: Practice, message: NetworkMessage, now: datetime) -> int:
    sealed = vault.seal_payload(plain=message.raw, practice_id=practice.id, stage=practice.stage, purpose=MAIL_PURPOSE)
    try:
        with transaction.atomic():
            NetworkMail.objects.create(
                practice=practice,
                sender=f"{message.header.sender.qualifier}:{message.header.sender.id}"[:64],
                message_id=message.header.message_id,
                relates_to=message.header.relates_to,
                body_name=message.body_name[:40],
                document_sealed=sealed,
                received_at=now,
            )
    except IntegrityError:
        return 0
    return 1


def apply_new(*, practice: Practice, now: datetime) -> int:
    """Apply stored mail that was not applied yet, in the order of arrival. Safe to run again after a crash."""
    rows = list(
        NetworkMail.objects.filter(practice=practice, applied_at__isnull=True).order_by("received_at", "id")[:500]
    )
    if not rows:
        return 0
    by_message = {
        row.message_id: row
        for row in Dispatch.objects.filter(
            practice=practice, message_id__in={row.relates_to for row in rows if row.relates_to}
        ).defer("document_sealed")
    }
    # What tells of our own messages first: a chart that hangs keeps no confirmation waiting, nor is it asked for each.
    rows.sort(key=lambda row: row.body_name == RENEWAL)
    is_silent = False
    for row in rows:
        if is_silent and row.body_name == RENEWAL and renewals.is_patient(mail=row, now=now):
            continue
        plain = vault.open_payload(
            sealed=bytes(row.document_sealed), practice_id=practice.id, stage=practice.stage, purpose=MAIL_PURPOSE
        )
        dispatch = by_message.get(row.relates_to)
        try:
            _apply(practice=practice, mail=row, message=script_read.read(plain), dispatch=dispatch, now=now)
        except renewals.ChartSilent:
            is_silent = True
            continue
        except Exception as error:
            # A letter we cannot apply must not stop those behind it; a person gets it.
            log.warning("mail could not be applied", extra={"error": type(error).__name__})
            workflow.keep_stray(practice=practice, mail_id=row.id, kind=f"{row.body_name} not applied", now=now)
        NetworkMail.objects.filter(id=row.id).update(applied_at=now, is_matched=dispatch is not None)
    return len(rows)


def _apply(
    *, practice: Practice, mail: NetworkMail, message: NetworkMessage, dispatch: Dispatch | None, now: datetime
) -> None:
    if message.kind in (MessageKind.STATUS, MessageKind.ERROR, MessageKind.VERIFY):
        if dispatch is None:
            workflow.keep_stray(practice=practice, mail_id=mail.id, kind=message.body_name, now=now)
            return
        workflow.settle(results=[Result(dispatch_id=dispatch.id, outcome=client.outcome_of(message))], now=now)
    elif message.kind == MessageKind.CANCEL_RX_RESPONSE and dispatch is not None and message.reply is not None:
        workflow.settle_cancel(
            dispatch_id=dispatch.id,
            is_cancelled=message.reply.kind == "Approved",
            text=message.reply.text,
            codes=message.reply.reason_codes,
            now=now,
        )
    elif message.kind == MessageKind.RX_RENEWAL_REQUEST:
        renewals.take_in(practice=practice, renewal=Renewal(mail=mail, message=message), now=now)
    elif message.kind == MessageKind.RX_CHANGE_REQUEST:
        workflow.take_in_change(
            mail_id=mail.id,
            about=renewals.ours(practice=practice, message=message),
            said=renewals.change_said(message),
            now=now,
        )
    elif message.kind == MessageKind.RX_FILL:
        workflow.keep_fill(practice=practice, dispatch=dispatch, message=message, now=now)
    else:
        # Whatever we do not know: a person looks (surescripts 7.3, rule 6).
        workflow.keep_stray(practice=practice, mail_id=mail.id, kind=message.body_name, now=now)
