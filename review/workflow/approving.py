"""Approving: a person's yes, checked again at that moment, in the approving provider's own name (law 6).

A controlled or unknown drug becomes a task in DrChrono, or waits for its signature; never a dispatch.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q

from integrations.models import MirrorMedication, MirrorPatient
from integrations.surescripts.script_checks import ControlledDrug, DoesNotFit
from refillhub.practices.models import Provider, User
from review import access, answers, identity, orders, outbox, parties
from review.ledger import Ledger
from review.models import Dispatch, DispatchKind, InboundEvent, Kind, Progress, RefillRequest
from review.states import DispatchState, RequestState
from review.workflow import acts, answering, deciding, moves, notices, preparing

R = RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a prescriber changed before approving; None leaves the value. Days and quantity in the entry's unit."""

    quantity: Decimal | None = None
    days_supply: int | None = None
    refills: int | None = None
    sig: str | None = None
    pharmacy_ncpdp: str | None = None


def approve(
    *,
    request_id: uuid.UUID,
    user: User,
    provider: Provider,
    version: int,
    now: datetime,
    changes: Changes | None = None,
) -> RefillRequest:
    """Approve as shown, or with changes, in the approving provider's own name.

    A controlled or unknown drug becomes a task in DrChrono, or waits for the signature where it is signed here; never a
    dispatch. Raises AlreadyDecided, Locked,
    NotPossible, WrongState.
    """

    def act(request: RefillRequest, ledger: Ledger) -> None:
        if provider.practice_id != request.practice_id or not provider.is_active:
            raise acts.NotPossible("not_yours", "This provider may not prescribe for this practice.")
        if request.is_locked:
            raise acts.Locked
        check_now(request=request, now=now)
        acts.decided(request, user, now)
        if request.kind == Kind.PHARMACY_CHANGE:
            _approve_pharmacy(request, ledger, changes)
            return
        if request.kind != Kind.REFILL or not request.entry_external_id:
            raise acts.NotPossible("nothing_to_approve", "This item has no medication to approve; answer it instead.")
        _change(request, changes)
        if access.is_signed_here(request):
            preparing.put_forward(request=request, provider=provider, by=user, verb="approve", ledger=ledger)
        elif request.schedule != "not_controlled":
            request.prescriber = request.prescriber or provider
            request.assignee = provider
            moves.move(request=request, verb="approve", to=R.HANDING_OFF, now=now)
            outbox.put(dispatches=[notices.task(request=request, why="controlled", now=now)], ledger=ledger)
            ledger.on_request(request, "request.handed_off", outcome=request.state)
        else:
            _send(request=request, provider=provider, ledger=ledger)
            ledger.on_request(request, "request.approved", outcome=request.state, data=_told(changes))
        deciding.end_shadow(request=request, ledger=ledger)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def _told(changes: Changes | None) -> dict[str, object]:
    """Which fields a person changed, for the audit; numbers and codes only."""
    if changes is None:
        return {"changed": []}
    names = ("quantity", "days_supply", "refills", "sig", "pharmacy_ncpdp")
    return {"changed": [name for name in names if getattr(changes, name) is not None]}


def _change(request: RefillRequest, changes: Changes | None) -> None:
    if changes is None:
        return
    request.quantity = changes.quantity if changes.quantity is not None else request.quantity
    request.days_supply = changes.days_supply if changes.days_supply is not None else request.days_supply
    request.refills = changes.refills if changes.refills is not None else request.refills
    request.sig = changes.sig if changes.sig is not None else request.sig
    request.pharmacy_ncpdp = changes.pharmacy_ncpdp or request.pharmacy_ncpdp


def _send(*, request: RefillRequest, provider: Provider, ledger: Ledger) -> None:
    """The NewRx of a person's approval, due after the person's undo window."""
    now = ledger.now
    due = now + timedelta(seconds=request.practice.undo_seconds_person)
    snapshot = identity.unseal(sealed=request.snapshot_sealed, practice=request.practice)
    row = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
    if snapshot is None:
        raise acts.NotPossible(
            "identity_missing", "The patient's details were not read from the chart; read them again."
        )
    if row is None or not row.is_sendable(now):
        raise acts.NotPossible(
            "pharmacy_not_current", "The pharmacy is not active in the directory; choose another one."
        )
    waiting = answers.pending(request=request)
    renewal = answers.grantable(waiting=waiting, provider=provider, request=request)
    try:
        if renewal is not None:
            made = answers.grant(
                renewal=renewal, request=request, snapshot=snapshot, provider=provider, now=now, due_at=due
            )
        else:
            made = orders.newrx(
                request=request, snapshot=snapshot, provider=provider, pharmacy=row, now=now, due_at=due
            )
    except (DoesNotFit, ControlledDrug, parties.NoSender) as error:
        raise acts.NotPossible("does_not_fit", str(error)) from error
    moves.move(request=request, verb="approve", to=R.APPROVED, now=now)
    request.approved_at = now
    request.prescriber = provider
    made.predecessor = _refused_before(request)
    outbox.put(dispatches=[made], ledger=ledger)
    if renewal is not None:
        answering.note(renewal=renewal, dispatch=made)
    others = [one for one in waiting if one is not renewal]
    answering.other_means(request=request, waiting=others, due_at=made.due_at, ledger=ledger)


def _refused_before(request: RefillRequest) -> Dispatch | None:
    """The refused or not arrived message that this one follows; it stays as it was."""
    rows = Dispatch.objects.filter(request=request, kind=DispatchKind.NEWRX)
    gone = rows.filter(Q(state=DispatchState.REJECTED) | Q(is_void=True))
    return gone.defer("document_sealed").order_by("-queued_at").first()


def _approve_pharmacy(request: RefillRequest, ledger: Ledger, changes: Changes | None) -> None:
    _change(request, changes)
    row = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
    if row is None or not row.is_sendable(ledger.now):
        raise acts.NotPossible("pharmacy_not_current", "Choose a pharmacy that is active in the directory.")
    moves.move(request=request, verb="approve", to=R.APPROVED, now=ledger.now)
    request.approved_at = ledger.now
    made = deciding.pharmacy_dispatch(
        request=request, now=ledger.now, undo_seconds=request.practice.undo_seconds_person
    )
    outbox.put(dispatches=[made], ledger=ledger)
    ledger.on_request(request, "request.approved", outcome=request.state)


def check_now(*, request: RefillRequest, now: datetime) -> None:
    """Checked again at approval (law 6): switch, news, entry, patient, supply."""
    if request.practice.is_sending_stopped:
        raise acts.NotPossible("sending_stopped", "Sending is stopped for this practice.")
    if (
        request.sender_id
        and InboundEvent.objects.filter(
            practice_id=request.practice_id,
            sender_id=request.sender_id,
            progress__in=[Progress.RECEIVED, Progress.READING],
        ).exists()
    ):
        raise acts.NotPossible("news_unread", "The patient has just written again; that message is being read first.")
    if request.kind != Kind.REFILL:
        return
    entry = MirrorMedication.objects.filter(
        practice_id=request.practice_id, external_id=request.entry_external_id
    ).first()
    if entry is None or entry.gone_at is not None or not entry.is_active:
        raise acts.NotPossible("entry_gone", "The medication is no longer active on the list.")
    if request.entry_hash and entry.record_hash != request.entry_hash:
        raise acts.NotPossible("entry_changed", "The list entry changed since this was read; open it again.")
    patient = MirrorPatient.objects.filter(
        practice_id=request.practice_id, external_id=request.patient_external_id
    ).first()
    if patient is None or patient.status not in ("", "A"):
        raise acts.NotPossible("patient_not_active", "The chart says that the patient is not active.")
    twin = Dispatch.objects.maybe_delivered().filter(
        practice_id=request.practice_id,
        kind=DispatchKind.NEWRX,
        request__patient_external_id=request.patient_external_id,
        request__ingredient_key=request.ingredient_key,
        queued_at__gte=now - timedelta(hours=24),
    )
    if request.ingredient_key and twin.exclude(request=request).exists():
        raise acts.NotPossible("supply_exists", "A prescription for this drug left within the last 24 hours.")
