"""Checked again at the door (law 6): the last look before anything is claimed for sending.

Bulk look-ups for the whole batch; what fails goes back to a person, what must wait for unread news waits. No network.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from integrations.models import MirrorMedication, MirrorPatient, PrescriptionSeen
from review import identity, outbox, seals, states, supplies
from review.ledger import Ledger
from review.models import (
    Dispatch,
    DispatchKind,
    InboundEvent,
    Incident,
    Lane,
    Progress,
    RefillRequest,
    ReplyPurpose,
)
from review.states import DispatchState, RequestState
from review.workflow import incidents, moves

# Unread news of the patient is read within this; then we look again.
NEWS_WAIT = timedelta(seconds=5)
# What tells a patient a decision waits for their news; what tells a fact that has happened does not.
DECISIONS = (ReplyPurpose.VISIT, ReplyPurpose.DENIED, ReplyPurpose.TOLD)
# An earlier message of the same request that is on its way or in doubt goes first, so that the patient reads them in
# order; help in an emergency waits for nothing.
ON_THE_WAY = (DispatchState.SENDING, DispatchState.UNKNOWN, DispatchState.RETRY_WAIT)
Key = tuple[uuid.UUID, str]


@dataclass(slots=True)
class Seen:
    """What the batch's bulk look-ups found."""

    entries: dict[Key, MirrorMedication] = field(default_factory=dict)
    patients: dict[Key, MirrorPatient] = field(default_factory=dict)
    unread: set[Key] = field(default_factory=set)
    others: dict[Key, list[Dispatch]] = field(default_factory=dict)
    native: dict[Key, list[PrescriptionSeen]] = field(default_factory=dict)
    on_the_way: dict[uuid.UUID, list[Dispatch]] = field(default_factory=dict)


def check(*, dispatches: Sequence[Dispatch], ledger: Ledger) -> list[Dispatch]:
    """The dispatches that may go now. The rest was postponed or taken back with its request in review."""
    if not dispatches:
        return []
    seen = _look_up(dispatches)
    passed: list[Dispatch] = []
    waiting: list[Dispatch] = []
    returned: dict[uuid.UUID, RefillRequest] = {}
    for dispatch in dispatches:
        request = dispatch.request
        if request.id in returned:
            continue
        if dispatch.kind == DispatchKind.NEWRX and not identity.is_fresh(
            snapshot_at=request.snapshot_at,
            now=ledger.now,
            limit_minutes=request.practice.mirror_max_age_minutes,
        ):
            # The patient was read too long ago: delivery reads again first (law 9).
            waiting.append(dispatch)
            continue
        if _waits_for_news(dispatch) and (request.practice_id, request.sender_id) in seen.unread:
            waiting.append(dispatch)
            continue
        if _waits_its_turn(dispatch, seen):
            waiting.append(dispatch)
            continue
        reason = _objection(dispatch=dispatch, seen=seen, ledger=ledger)
        if not reason:
            passed.append(dispatch)
            continue
        returned[request.id] = request
        open_ones = Dispatch.objects.select_for_update().filter(
            request=request, state__in=[DispatchState.QUEUED, DispatchState.RETRY_WAIT]
        )
        rows = list(open_ones)
        for row in rows:
            row.request = request
        outbox.take_back(dispatches=rows, ledger=ledger)
        if states.allows(state=request.state, verb="return"):
            moves.to_person(request=request, verb="return", reasons=[reason], ledger=ledger)
    outbox.postpone(dispatches=waiting, until=ledger.now + NEWS_WAIT)
    moves.save(returned.values())
    return [dispatch for dispatch in passed if dispatch.request_id not in returned]


def _waits_for_news(dispatch: Dispatch) -> bool:
    if dispatch.kind == DispatchKind.REPLY:
        return dispatch.purpose in DECISIONS
    return dispatch.kind in (DispatchKind.NEWRX, DispatchKind.PHARMACY)


def _waits_its_turn(dispatch: Dispatch, seen: Seen) -> bool:
    if dispatch.kind != DispatchKind.REPLY or dispatch.purpose == ReplyPurpose.EMERGENCY:
        return False
    return any(other.queued_at < dispatch.queued_at for other in seen.on_the_way.get(dispatch.request_id, ()))


def _objection(*, dispatch: Dispatch, seen: Seen, ledger: Ledger) -> str:
    """The reason code that keeps this dispatch here, or ""."""
    request = dispatch.request
    if dispatch.kind != DispatchKind.NEWRX:
        return ""
    if dispatch.lane == Lane.EPCS and not _is_as_signed(dispatch):
        incidents.open_incident(
            practice=request.practice, kind=Incident.Kind.SIGNATURE_BROKEN, key=dispatch.id.hex, ledger=ledger
        )
        return "signature_broken"
    if request.state != RequestState.APPROVED:
        return "not_approved"
    if request.is_automatic and request.practice.is_automatic_stopped:
        return "automatic_stopped"
    limit = timedelta(minutes=request.practice.queue_max_age_minutes)
    if ledger.now - (request.approved_at or dispatch.queued_at) > limit:
        return "queued_too_long"
    entry = seen.entries.get((request.practice_id, request.entry_external_id))
    if entry is None or entry.gone_at is not None or not entry.is_active:
        return "entry_gone"
    if request.entry_hash and entry.record_hash != request.entry_hash:
        return "entry_changed"
    patient = seen.patients.get((request.practice_id, request.patient_external_id))
    if patient is None or patient.status not in ("", "A"):
        return "patient_not_active"
    key = (request.practice_id, request.patient_external_id)
    since = request.approved_at or dispatch.queued_at
    for other in seen.others.get(key, ()):
        is_other = other.request_id != request.id and other.request.ingredient_key == request.ingredient_key
        if is_other and other.queued_at >= since - timedelta(hours=24) and not other.is_void:
            return "supply_exists"
    for native in seen.native.get(key, ()):
        is_newer = native.seen_at >= since or (native.written_at and native.written_at >= since - timedelta(hours=24))
        if is_newer and supplies.is_same_drug(name=native.drug_name, ingredient_key=request.ingredient_key):
            return "prescribed_in_chart"
    return ""


def _is_as_signed(dispatch: Dispatch) -> bool:
    """Whether the bytes about to leave are the very ones under the prescriber's signature (21 CFR 1311.120(b)(18))."""
    signature = dispatch.signature
    if signature is None or signature.document_sha256 != dispatch.document_sha256:
        return False
    seal = seals.Seal(value=bytes(signature.value), public_key=bytes(signature.public_key))
    return seals.is_intact(document=outbox.document_of(dispatch), seal=seal)


def _look_up(dispatches: Sequence[Dispatch]) -> Seen:
    """A handful of queries for the whole batch."""
    seen = Seen()
    requests = [dispatch.request for dispatch in dispatches]
    practices = {request.practice_id for request in requests}
    senders = {request.sender_id for request in requests if request.sender_id}
    if senders:
        events = InboundEvent.objects.filter(
            practice_id__in=practices, sender_id__in=senders, progress__in=[Progress.RECEIVED, Progress.READING]
        )
        seen.unread = set(events.values_list("practice_id", "sender_id"))
    replies = {dispatch.request_id for dispatch in dispatches if dispatch.kind == DispatchKind.REPLY}
    if replies:
        for earlier in Dispatch.objects.filter(
            request_id__in=replies, kind=DispatchKind.REPLY, state__in=ON_THE_WAY
        ).defer("document_sealed"):
            seen.on_the_way.setdefault(earlier.request_id, []).append(earlier)
    scripts = [dispatch.request for dispatch in dispatches if dispatch.kind == DispatchKind.NEWRX]
    if not scripts:
        return seen
    patients = {request.patient_external_id for request in scripts}
    for entry in MirrorMedication.objects.filter(
        practice_id__in=practices, external_id__in={request.entry_external_id for request in scripts}
    ):
        seen.entries[(entry.practice_id, entry.external_id)] = entry
    for patient in MirrorPatient.objects.filter(practice_id__in=practices, external_id__in=patients):
        seen.patients[(patient.practice_id, patient.external_id)] = patient
    others = (
        Dispatch.objects.maybe_delivered()
        .select_related("request")
        .filter(practice_id__in=practices, kind=DispatchKind.NEWRX, request__patient_external_id__in=patients)
    )
    for other in others.defer("document_sealed"):
        seen.others.setdefault((other.practice_id, other.request.patient_external_id), []).append(other)
    oldest = min((request.approved_at or request.opened_at) for request in scripts)
    for native in PrescriptionSeen.objects.filter(
        practice_id__in=practices,
        patient_external_id__in=patients,
        kind__in=["NewRx", "RefillResponse"],
        written_at__gte=oldest - timedelta(days=2),
    ):
        seen.native.setdefault((native.practice_id, native.patient_external_id), []).append(native)
    return seen
