"""The verbs of controlled prescriptions: prepare, sign, withdraw, and what the clock does with what nobody signs.

Signing takes a `Proof` of both factors given for exactly these bytes (21 CFR 1311.140); what was shown is what is
signed, and what is signed is what is sent, at once (1311.170(a)). Nothing else makes a dispatch of the controlled lane.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from refillhub.practices import coverage, roles
from refillhub.practices.factors import Proof
from refillhub.practices.models import Membership, Practice, Provider, User
from review import access, orders, outbox, routing, seals, signing
from review.ledger import Ledger, person, verb
from review.models import Dispatch, DispatchKind, Preparation, RefillRequest, Signature
from review.states import RequestState
from review.workflow import acts, answering, approving, deciding, moves, notices, preparing

R = RequestState
CHANGED = "Something about it changed since it was prepared; prepare it again, then look at it once more."


def prepare(
    *, request_id: uuid.UUID, user: User, provider: Provider, version: int, now: datetime
) -> RefillRequest:
    """Fill in a controlled prescription for this prescriber to sign. Anyone who works items may; nobody signs by it.

    Also how a stand-in takes one over: it is then a prescription of their own, in their own name.
    Raises AlreadyDecided, Locked, NotPossible, WrongState.
    """

    def act(request: RefillRequest, ledger: Ledger) -> None:
        acts.refuse_locked(request)
        approving.check_now(request=request, now=now)
        if not access.is_signed_here(request):
            raise acts.NotPossible("not_signed_here", "This one is not signed here; make a task in DrChrono.")
        preparing.put_forward(request=request, provider=provider, by=user, verb="prepare", ledger=ledger)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


def sign(
    *, practice: Practice, preparations: Sequence[uuid.UUID], user: User, proof: Proof, now: datetime
) -> list[RefillRequest]:
    """Sign the listed prescriptions of one patient, as their own prescriber, and let them leave at once.

    `proof` must be this person's, of this moment, for exactly the bytes of these preparations. Raises NotPossible,
    whose reason is a code; nothing is signed unless all are.
    """
    with verb(now=now, actor=person(user.id)) as ledger:
        ids = Preparation.objects.filter(practice=practice, id__in=preparations).values_list("request_id", flat=True)
        requests = moves.lock_requests(ids)
        rows = list(
            Preparation.objects.select_related("provider", "practice")
            .filter(practice=practice, id__in=preparations)
            .order_by("prepared_at", "id")
        )
        if not rows or len(rows) != len(set(preparations)):
            raise acts.NotPossible("nothing_chosen", "Tick at least one prescription that is ready to sign.")
        for row in rows:
            row.request = requests[row.request_id]
            row.practice = row.request.practice
        _may_sign(practice=practice, rows=rows, user=user, proof=proof, ledger=ledger)
        batch = uuid.uuid4()
        for row in rows:
            _sign_one(row=row, user=user, batch=batch, ledger=ledger)
        moves.save(requests.values())
        return list(requests.values())


def _may_sign(
    *, practice: Practice, rows: Sequence[Preparation], user: User, proof: Proof, ledger: Ledger
) -> None:
    """Everything that must hold for all of them. Raises NotPossible."""
    now = ledger.now
    held = Membership.objects.roles_of(user_id=user.pk, practice_id=practice.pk)
    if not roles.may(roles=held, action=roles.Action.sign):
        raise acts.NotPossible("not_the_signer", "Only a prescriber signs, in their own name.")
    if any(row.provider.user_id != user.pk for row in rows):
        raise acts.NotPossible("not_the_signer", f"{rows[0].provider} must sign this, in person.")
    if len({row.request.patient_external_id for row in rows}) != 1 or not rows[0].request.patient_external_id:
        raise acts.NotPossible("several_patients", "One act of signing is for one patient only.")
    if proof.user_id != user.pk or proof.at != now or proof.digest != signing.digest(
        [row.document_sha256 for row in rows]
    ):
        raise acts.NotPossible("factors_elsewhere", "Password and code were given for something else; give them again.")
    if not signing.is_here(practice=practice):
        raise acts.NotPossible("signing_not_here", "Signing here is switched off; make a task in DrChrono.")
    for row in rows:
        _check(row=row, now=now)


def _check(*, row: Preparation, now: datetime) -> None:
    """One of them as it is at this moment: unchanged, in time, allowed. Raises NotPossible."""
    request = row.request
    if request.state != R.AWAITING_SIGNATURE or request.version != row.version:
        raise acts.NotPossible("changed_since_prepared", CHANGED)
    # The date of issue is still today's at its place: dated as of the day it is signed (1306.05(a)).
    told = signing.shown(row) if now < row.expires_at else None
    if told is None or told.issued_on != signing.today(request, now):
        raise acts.NotPossible("prepared_too_long_ago", "Its time to be signed is over; prepare it again.")
    pharmacy = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
    refused = signing.objection(request=request, provider=row.provider, pharmacy=pharmacy, now=now)
    if refused is not None:
        raise acts.NotPossible(*refused)
    approving.check_now(request=request, now=now)
    is_same = (
        told.sha256 == row.document_sha256
        and told.prescriber.dea_number == row.provider.dea_number
        and told.pharmacy.ncpdp_id == request.pharmacy_ncpdp
        and row.schedule == request.schedule
    )
    if not is_same:
        raise acts.NotPossible("changed_since_prepared", CHANGED)


def _sign_one(*, row: Preparation, user: User, batch: uuid.UUID, ledger: Ledger) -> None:
    request, document = row.request, signing.document_of(row)
    seal = seals.sign(document=document)
    signature = Signature.objects.create(
        practice=row.practice,
        preparation=row,
        request=request,
        provider=row.provider,
        user=user,
        dea_number=row.provider.dea_number,
        document_sha256=row.document_sha256,
        batch=batch,
        signed_at=ledger.now,
        value=seal.value,
        public_key=seal.public_key,
    )
    acts.decided(request, user, ledger.now)
    moves.move(request=request, verb="sign", to=R.APPROVED, now=ledger.now)
    request.approved_at = ledger.now
    request.prescriber = row.provider
    made = _as_signed(row=row, document=document, signature=signature, now=ledger.now)
    ledger.on_request(
        request,
        "epcs.signed",
        outcome=request.state,
        data={
            "signature": str(signature.id),
            "batch": str(batch),
            "provider": str(row.provider_id),
            "sha256": row.document_sha256,
            "schedule": row.schedule,
        },
    )
    outbox.put(dispatches=[made], ledger=ledger)
    answering.dealt_with(request=request, text=answering.SENT, ledger=ledger)


def _as_signed(*, row: Preparation, document: bytes, signature: Signature, now: datetime) -> Dispatch:
    """The dispatch of exactly what was signed, due now: no undo, no hold (1311.170(a))."""
    return outbox.freeze(
        request=row.request,
        kind=DispatchKind.NEWRX,
        document=document,
        now=now,
        message_id=row.message_id,
        order_number=row.order_number,
        target=row.target,
        may_be_repeated=orders.drops_repeats(row.request),
        signature=signature,
    )


def withdraw(*, request_id: uuid.UUID, user: User, version: int, now: datetime) -> RefillRequest:
    """Take what waits for a signature back into review; it is void and is never sent."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        moves.move(request=request, verb="withdraw", to=R.IN_REVIEW, now=now)
        request.reasons = ["taken_back", *[reason for reason in request.reasons if reason != "taken_back"]]
        deciding.assign(request=request, queue="prescriber", ledger=ledger)
        ledger.on_request(request, "request.taken_back", outcome=request.state)

    return acts.act(request_id=request_id, user=user, version=version, now=now, do=act)


# --- the clock -------------------------------------------------------------------------------------------------------


def watch(*, preparation_id: uuid.UUID, now: datetime) -> str:
    """What is due for one unsigned prescription: "lapsed", "reminded", "escalated", "on_call", or "".

    The prescriber is reminded; then the stand-in is told, who signs as themselves or not at all; then the on-call.
    """
    with verb(now=now) as ledger:
        row = Preparation.objects.select_related("provider").filter(id=preparation_id).first()
        if row is None:
            return ""
        request = moves.lock_requests([row.request_id])[row.request_id]
        row = Preparation.objects.select_for_update(of=("self",)).select_related("provider").get(id=preparation_id)
        if request.state != R.AWAITING_SIGNATURE or request.version != row.version:
            return ""
        if now >= row.expires_at:
            return _lapse(request=request, ledger=ledger)
        waited, practice = now - row.prepared_at, request.practice
        escalate = timedelta(minutes=practice.sign_escalate_minutes)
        told = [row.provider_id, *([row.told_id] if row.told_id else [])]
        if row.on_call_at is None and waited >= 2 * escalate:
            who = routing.on_call(practice=practice, now=now)
            if who is None:
                notices.alarm(practice=practice, kind="coverage_gap", key="on_call", now=now)
            row.on_call_at, row.told = now, who or row.told
            return _tell(row=row, request=request, who=None if who and who.id in told else who, what="on_call",
                         ledger=ledger)  # fmt: skip
        if row.escalated_at is None and waited >= escalate:
            who = _stand_in(row=row, now=now)
            row.escalated_at, row.told = now, who
            return _tell(row=row, request=request, who=who, what="escalated", ledger=ledger)
        if row.reminded_at is None and waited >= timedelta(minutes=practice.sign_remind_minutes):
            row.reminded_at = now
            return _tell(row=row, request=request, who=row.provider, what="reminded", ledger=ledger)
        return ""


def _stand_in(*, row: Preparation, now: datetime) -> Provider | None:
    """Who stands in for the prescriber; while they are in, whoever is on call first."""
    who = coverage.stand_in_for(provider=row.provider, now=now)
    return who if who is not None and who.id != row.provider_id else routing.on_call(practice=row.practice, now=now)


def _tell(*, row: Preparation, request: RefillRequest, who: Provider | None, what: str, ledger: Ledger) -> str:
    row.save(update_fields=["reminded_at", "escalated_at", "on_call_at", "told"])
    event = "epcs.reminded" if what == "reminded" else "epcs.escalated"
    ledger.on_request(request, event, outcome=what, data={"provider": str(who.id) if who else "", "to": what})
    if who is not None:
        page = notices.page_to(request=request, provider=who, why=f"sign_{what}"[:16], now=ledger.now)
        outbox.put(dispatches=[page], ledger=ledger)
    return what


def _lapse(*, request: RefillRequest, ledger: Ledger) -> str:
    moves.move(request=request, verb="lapse", to=R.IN_REVIEW, now=ledger.now)
    request.reasons = ["signature_lapsed", *[one for one in request.reasons if one != "signature_lapsed"]]
    request.is_urgent = True
    deciding.assign(request=request, queue="prescriber", ledger=ledger)
    moves.save([request])
    ledger.on_request(request, "epcs.lapsed", outcome=request.state)
    return "lapsed"
