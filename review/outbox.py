"""The outbox: freezes one outgoing message to sealed bytes beside the change that caused it, with its due moment.

Shadow rows are born unsendable and stay so (law 7). Claims what is due, in batches, with the last checks at the door
(law 6). Runs inside a verb's transaction; never talks to anyone. Besides the verbs, the only writer of a dispatch's
`state`.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db.models import F

from integrations import vault
from review import states
from review.ledger import Ledger
from review.models import Dispatch, DispatchKind, Lane, RefillRequest, ReplyPurpose, Signature

PURPOSE = "dispatch"
LANES: Mapping[str, Lane] = {
    DispatchKind.NEWRX: Lane.ROUTINE,
    DispatchKind.CANCELRX: Lane.ROUTINE,
    DispatchKind.ANSWER: Lane.ROUTINE,
    DispatchKind.REPLY: Lane.KLARA,
    DispatchKind.CHART: Lane.DRCHRONO,
    DispatchKind.TASK: Lane.DRCHRONO,
    DispatchKind.PHARMACY: Lane.DRCHRONO,
    DispatchKind.PAGE: Lane.PAGE,
}
# Longer than connect + read time-out (5 s + 30 s, surescripts 7.2) and the wait for a token.
LEASE = timedelta(seconds=90)
# A message surely not sent goes again by itself this often (surescripts 7.2).
MOST_NOT_SENT = 5
# A refused one has at most this many linked successors (architecture section 5).
MOST_SUCCESSORS = 3


def idempotency_key(*, request: RefillRequest, kind: str, purpose: str, revision: int) -> str:
    """The stable key of one message: practice, request, kind and revision (Klara contract 3.2)."""
    text = f"{request.practice_id}|{request.id}|{kind}|{purpose}|{revision}"
    return hashlib.sha256(text.encode()).hexdigest()


def freeze(
    *,
    request: RefillRequest,
    kind: DispatchKind,
    document: bytes | Mapping[str, Any],
    now: datetime,
    due_at: datetime | None = None,
    purpose: str = ReplyPurpose.NOTHING,
    target: str = "",
    message_id: str = "",
    order_number: str = "",
    revision: int | None = None,
    predecessor: Dispatch | None = None,
    may_be_repeated: bool = True,
    signature: Signature | None = None,
) -> Dispatch:
    """A new dispatch, not yet saved: `queued`, or `shadowed` for ever when the request is a shadow.

    `document` is the exact bytes to send (SCRIPT XML), or the values the adapter needs, frozen as JSON. `revision`
    distinguishes later messages of one kind (default: the request's version). `may_be_repeated` False: the route does
    not promise to drop repeats, so an unknown outcome is only looked for, never sent again. `signature`: the
    prescriber's own, under exactly these bytes; only with one does a prescription go by the lane of controlled drugs.
    """
    plain = document if isinstance(document, bytes) else orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    count = request.version if revision is None else revision
    return Dispatch(
        id=uuid.uuid4(),
        practice_id=request.practice_id,
        request=request,
        kind=kind,
        purpose=purpose,
        lane=Lane.EPCS if signature is not None else LANES[kind],
        state=states.DispatchState.SHADOWED if request.is_shadow else states.DispatchState.QUEUED,
        is_shadow=request.is_shadow,
        schedule=request.schedule if kind in (DispatchKind.NEWRX, DispatchKind.CANCELRX) else "",
        document_sealed=vault.seal_payload(
            plain=plain, practice_id=request.practice_id, stage=request.practice.stage, purpose=PURPOSE
        ),
        document_sha256=hashlib.sha256(plain).hexdigest(),
        message_id=message_id,
        order_number=order_number,
        idempotency_key=idempotency_key(request=request, kind=kind, purpose=purpose, revision=count),
        target=target,
        signature=signature,
        signed_by=signature.user if signature is not None else None,
        signed_at=signature.signed_at if signature is not None else None,
        may_be_repeated=may_be_repeated,
        predecessor=predecessor,
        due_at=due_at or now,
        queued_at=now,
    )


def document_of(dispatch: Dispatch) -> bytes:
    """The frozen bytes of a dispatch."""
    return vault.open_payload(
        sealed=bytes(dispatch.document_sealed),
        practice_id=dispatch.practice_id,
        stage=dispatch.practice.stage,
        purpose=PURPOSE,
    )


def values_of(dispatch: Dispatch) -> dict[str, Any]:
    """The frozen values of a dispatch that is not XML."""
    values: dict[str, Any] = orjson.loads(document_of(dispatch))
    return values


def put(*, dispatches: Sequence[Dispatch], ledger: Ledger, patient_refs: Mapping[uuid.UUID, str] | None = None) -> None:
    """Store new dispatches in the verb's transaction, each with its audit entry."""
    if not dispatches:
        return
    Dispatch.objects.bulk_create(dispatches)
    for dispatch in dispatches:
        event = "dispatch.shadowed" if dispatch.is_shadow else "dispatch.queued"
        ref = (patient_refs or {}).get(dispatch.request_id, dispatch.request.patient_ref)
        ledger.on_dispatch(dispatch, event, patient_ref=ref, due_at=dispatch.due_at.isoformat())


def take_back(*, dispatches: Iterable[Dispatch], ledger: Ledger) -> list[Dispatch]:
    """Take back what is still queued, of rows locked by the caller. Returns what was taken back."""
    taken = []
    for dispatch in dispatches:
        if dispatch.state in (states.DispatchState.QUEUED, states.DispatchState.RETRY_WAIT):
            dispatch.state = states.next_dispatch_state(
                state=dispatch.state, verb="take_back", to=states.DispatchState.TAKEN_BACK
            )
            dispatch.settled_at = ledger.now
            taken.append(dispatch)
            ledger.on_dispatch(dispatch, "dispatch.taken_back", patient_ref=dispatch.request.patient_ref)
    if taken:
        Dispatch.objects.bulk_update(taken, ["state", "settled_at"])
    return taken


def claim(*, dispatches: Sequence[Dispatch], ledger: Ledger) -> None:
    """Mark locked, queued rows as being sent: a new attempt with a lease, committed before anything leaves."""
    for dispatch in dispatches:
        dispatch.state = states.next_dispatch_state(state=dispatch.state, verb="claim", to=states.DispatchState.SENDING)
        dispatch.attempt += 1
        dispatch.lease_until = ledger.now + LEASE
        ledger.on_dispatch(
            dispatch, "dispatch.sending", patient_ref=dispatch.request.patient_ref, attempt=dispatch.attempt
        )
    if dispatches:
        Dispatch.objects.filter(id__in=[d.id for d in dispatches], state=states.DispatchState.QUEUED).update(
            state=states.DispatchState.SENDING, attempt=F("attempt") + 1, lease_until=ledger.now + LEASE
        )


def claim_again(*, dispatches: Sequence[Dispatch], ledger: Ledger) -> None:
    """Mark locked rows of unknown outcome as being sent once more, the same bytes under the same ids."""
    for dispatch in dispatches:
        dispatch.state = states.next_dispatch_state(
            state=dispatch.state, verb="repeat", to=states.DispatchState.SENDING
        )
        dispatch.attempt += 1
        dispatch.was_repeated = True
        dispatch.lease_until = ledger.now + LEASE
        ledger.on_dispatch(
            dispatch,
            "dispatch.sending",
            patient_ref=dispatch.request.patient_ref,
            attempt=dispatch.attempt,
            repeat=True,
        )
    if dispatches:
        Dispatch.objects.bulk_update(dispatches, ["state", "attempt", "was_repeated", "lease_until", "checks"])


def postpone(*, dispatches: Sequence[Dispatch], until: datetime) -> None:
    """Move the due moment of rows that stay queued (a token is missing, the patient's news is unread)."""
    if dispatches:
        Dispatch.objects.filter(id__in=[d.id for d in dispatches], state=states.DispatchState.QUEUED).update(
            due_at=until
        )


def requeue_waiting(*, now: datetime, limit: int, ledger: Ledger) -> int:
    """Rows surely not sent whose waiting time is over: the same bytes are due again."""
    rows = list(
        Dispatch.objects.select_for_update(skip_locked=True)
        .filter(state=states.DispatchState.RETRY_WAIT, due_at__lte=now)
        .order_by("due_at")[:limit]
    )
    for dispatch in rows:
        dispatch.state = states.next_dispatch_state(
            state=dispatch.state, verb="requeue", to=states.DispatchState.QUEUED
        )
    if rows:
        Dispatch.objects.bulk_update(rows, ["state"])
    return len(rows)


def lose_leases(*, now: datetime, limit: int, ledger: Ledger) -> list[Dispatch]:
    """Rows whose sender died: they become `unknown`, never `queued` (architecture section 5)."""
    rows = list(
        Dispatch.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("request")
        .filter(state=states.DispatchState.SENDING, lease_until__lt=now)
        .order_by("lease_until")[:limit]
    )
    for dispatch in rows:
        dispatch.state = states.next_dispatch_state(
            state=dispatch.state, verb="lease_lost", to=states.DispatchState.UNKNOWN
        )
        dispatch.next_check_at = now
        dispatch.settled_at = now
        dispatch.lease_until = None
        ledger.on_dispatch(dispatch, "dispatch.unknown", patient_ref=dispatch.request.patient_ref, reason="lease_lost")
    if rows:
        Dispatch.objects.bulk_update(rows, ["state", "next_check_at", "lease_until", "settled_at"])
    return rows
