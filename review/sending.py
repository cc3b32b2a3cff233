"""One dispatch to its adapter: the translation from frozen bytes to a vendor's write, and back to an Outcome.

Called only by `review.delivery`. Knows connections and documents, never states.
"""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings

from integrations import certificates, erx, limits, vault
from integrations.drchrono import client as drchrono
from integrations.drchrono import types as chart_types
from integrations.drchrono import wire as drchrono_wire
from integrations.klara import client as klara
from integrations.klara import wire as klara_wire
from integrations.models import Connection, SecretKind, Vendor
from integrations.outcome import Outcome, OutcomeKind
from integrations.surescripts import script_read
from integrations.surescripts.types import Endpoint
from refillhub.practices.models import Practice
from review import outbox, paging, signing
from review.ledger import SYSTEM
from review.models import SCRIPT_KINDS, Dispatch, DispatchKind, Lane

VENDOR_OF = {
    DispatchKind.NEWRX: Vendor.surescripts,
    DispatchKind.CANCELRX: Vendor.surescripts,
    DispatchKind.ANSWER: Vendor.surescripts,
    DispatchKind.REPLY: Vendor.klara,
    DispatchKind.CHART: Vendor.drchrono,
    DispatchKind.TASK: Vendor.drchrono,
    DispatchKind.PHARMACY: Vendor.drchrono,
}


def route_of(*, practice: Practice, connection: Connection) -> erx.ERxRoute:
    """The practice's route over this connection."""
    return erx.route_at(name=practice.erx_route, is_pretend=connection.is_pretend)


def endpoint_of(*, connection: Connection, spi: str, now: datetime) -> Endpoint:
    """Where and as whom to speak to the network. Raises vault.NoSecret, RefusedAddress."""
    secret = vault.read(connection=connection, kind=SecretKind.certificate, now=now, actor=SYSTEM)
    is_ours = certificates.is_pem(value=secret)
    return Endpoint(
        base_url=connection.address,
        # A stand-in is told the fingerprint, as by a TLS terminator; the network is shown the certificate itself.
        fingerprint="" if is_ours else secret,
        cert=certificates.files(pem=secret) if is_ours else None,
        account=connection.account,
        from_spi=spi,
        stage=connection.stage,
        read_timeout=settings.VENDOR_READ_TIMEOUT,
    )


def send(*, dispatch: Dispatch, connection: Connection | None, now: datetime) -> Outcome:
    """Send one claimed dispatch once. Never raises for what a vendor says; a fault of ours is `unknown` at worst."""
    outcome = _send(dispatch=dispatch, connection=connection, now=now)
    if dispatch.was_repeated and outcome.kind == OutcomeKind.NOT_SENT:
        # This attempt did not leave, but an earlier one may have: nothing is proved about that copy.
        return replace(outcome, kind=OutcomeKind.UNKNOWN, transient=False, turned_away=True)
    return outcome


def _send(*, dispatch: Dispatch, connection: Connection | None, now: datetime) -> Outcome:
    kind = DispatchKind(dispatch.kind)
    if kind == DispatchKind.PAGE:
        values = outbox.values_of(dispatch)
        return paging.page(event_id=dispatch.idempotency_key, values=values, practice=dispatch.practice, now=now)
    if connection is None:
        return Outcome(kind=OutcomeKind.NOT_SENT, code="not_connected", transient=False, configuration=True)
    try:
        if kind in SCRIPT_KINDS:
            return _script(dispatch=dispatch, connection=connection, now=now)
        if kind == DispatchKind.REPLY:
            values = outbox.values_of(dispatch)
            return klara.reply(
                line=klara_wire.Line(connection=connection, now=now, actor=SYSTEM),
                conversation_id=values["conversation"],
                text=values["text"],
                idempotency_key=dispatch.idempotency_key,
            )
        return _chart(dispatch=dispatch, connection=connection, now=now)
    except (vault.NoSecret, vault.WrongStage) as error:
        return Outcome(
            kind=OutcomeKind.NOT_SENT, code="no_secret", text=str(error), transient=False, configuration=True
        )


def _script(*, dispatch: Dispatch, connection: Connection, now: datetime) -> Outcome:
    route = route_of(practice=dispatch.practice, connection=connection)
    if not route.capabilities().transmits:
        return Outcome(kind=OutcomeKind.NOT_SENT, code="route_sends_nothing", transient=False, configuration=True)
    document = outbox.document_of(dispatch)
    if dispatch.lane == Lane.EPCS and not signing.is_here(practice=dispatch.practice):
        # A vendor's address changed between signing and now: what was signed here may not go out into the world.
        return Outcome(kind=OutcomeKind.NOT_SENT, code="signing_not_here", transient=False, configuration=True)
    try:
        wait = limits.take(lane=_lane(dispatch=dispatch, document=document), now=now)
    except limits.LimiterGone as error:
        return Outcome(kind=OutcomeKind.NOT_SENT, code="limiter_gone", text=str(error), transient=True, retry_after=5)
    if wait is not None:
        return Outcome(kind=OutcomeKind.NOT_SENT, code="throttled", transient=True, retry_after=wait.seconds)
    return route.submit(
        connection=endpoint_of(connection=connection, spi="", now=now),
        document=document,
        message_id=dispatch.message_id,
        is_repeat=dispatch.was_repeated,
    )


def _lane(*, dispatch: Dispatch, document: bytes) -> limits.Lane:
    """Whose allowance a message to the network spends: the practice's, or the signing prescriber's own."""
    if dispatch.lane != Lane.EPCS:
        return limits.routine_lane(practice_id=dispatch.practice_id)
    sender = script_read.read(document).header.sender
    return limits.controlled_lane(practice_id=dispatch.practice_id, spi=sender.id)


def _chart(*, dispatch: Dispatch, connection: Connection, now: datetime) -> Outcome:
    line = drchrono_wire.Line(connection=connection, now=now, actor=SYSTEM)
    values = outbox.values_of(dispatch)
    first_tried = dispatch.queued_at if dispatch.attempt > 1 else None
    if dispatch.kind == DispatchKind.TASK:
        return drchrono.create_task(
            line=line,
            task=chart_types.NewTask(
                marker=values["marker"],
                title=values["title"],
                note=values["note"],
                patient_id=values["patient"],
                assignee_user_id=values["assignee_user"],
                priority="40" if values["is_urgent"] else "30",
            ),
            first_tried_at=first_tried,
        )
    if dispatch.kind == DispatchKind.PHARMACY:
        return drchrono.set_default_pharmacy(line=line, patient_id=values["patient"], ncpdp_id=values["ncpdp"])
    if values["how"] == "note":
        return drchrono.append_note(
            line=line, medication_id=values["entry"], text=values["note"], first_tried_at=first_tried
        )
    return drchrono.patch_medication(
        line=line,
        medication_id=values["entry"],
        change=change_of(values["patch"]),
        read_back=not proves_by_push(practice=dispatch.practice, connection=connection, now=now),
    )


def proves_by_push(*, practice: Practice, connection: Connection, now: datetime) -> bool:
    """Whether the vendor's own push will show the write, so that it need not be read back with another call."""
    seen = connection.push_seen_at
    limit = practice.mirror_max_age_minutes * 60
    return practice.trusts_vendor_push and seen is not None and (now - seen).total_seconds() <= limit


def change_of(patch: dict[str, object]) -> chart_types.MedicationChange:
    """The frozen patch as the adapter's value."""
    quantity = patch.get("dispense_quantity")
    refills = patch.get("number_refills")
    return chart_types.MedicationChange(
        date_prescribed=date.fromisoformat(str(patch["date_prescribed"])),
        order_status=str(patch["order_status"]),
        dispense_quantity=Decimal(str(quantity)) if quantity is not None else None,
        number_refills=int(str(refills)) if refills is not None else None,
    )
