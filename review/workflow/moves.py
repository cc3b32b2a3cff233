"""Moving a request along its table: the one function that writes `RefillRequest.state`, and what follows from a move.

Callers hold the row's lock. Never commits, never sends.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import connection

from integrations.models import PharmacyEntry
from review import outbox, replies, states
from review.ledger import Ledger
from review.models import Dispatch, DispatchKind, Kind, Queue, RefillRequest, ReplyPurpose, rewriting
from review.states import RequestState

CHANGED_FIELDS = (
    "state",
    "version",
    "queue",
    "assignee",
    "reasons",
    "outcome",
    "is_locked",
    "is_urgent",
    "is_automatic",
    "last_code",
    "last_text",
    "decided_by",
    "decided_at",
    "approved_at",
    "release_at",
    "remind_at",
    "changed_at",
    "ended_at",
    "answer_code",
    "quantity",
    "days_supply",
    "refills",
    "sig",
    "pharmacy_ncpdp",
    "snapshot_sealed",
    "snapshot_at",
    "needs_reread",
    "prescriber",
    "duplicate_of",
    "kind",
    "recipe",
    "run_out_on",
)


def move(*, request: RefillRequest, verb: str, to: RequestState, now: datetime) -> None:
    """Write the new state, when the table allows it. Raises WrongState."""
    request.state = states.next_request_state(state=request.state, verb=verb, to=to)
    request.version += 1
    request.changed_at = now
    request.ended_at = now if to in states.ENDED_REQUEST_STATES else None
    if to != RequestState.IN_REVIEW:
        request.is_locked = False
    if to not in (RequestState.IN_REVIEW, RequestState.HELD):
        request.queue = Queue.NOBODY


def to_person(
    *,
    request: RefillRequest,
    verb: str,
    reasons: Sequence[str],
    ledger: Ledger,
    queue: str = "",
    code: str = "",
    text: str = "",
    lock: bool = False,
    urgent: bool = False,
) -> None:
    """Back to `in_review`, with reason codes, the vendor's exact words if any, and the lock of an unknown outcome."""
    move(request=request, verb=verb, to=RequestState.IN_REVIEW, now=ledger.now)
    request.queue = queue or (Queue.PRESCRIBER if request.kind == Kind.REFILL else Queue.ASSISTANT)
    request.reasons = [*reasons, *(reason for reason in request.reasons if reason not in reasons)]
    request.is_locked = lock
    request.is_urgent = request.is_urgent or urgent
    request.last_code = code or request.last_code
    request.last_text = text[:500] or request.last_text
    ledger.on_request(
        request,
        "request.locked" if lock else "request.returned",
        outcome=request.state,
        decision_path=tuple(reasons),
        data={"code": code, "queue": request.queue},
    )


def save(requests: Iterable[RefillRequest]) -> None:
    """Store moved requests, all fields a verb may change."""
    rows = list(requests)
    if len(rows) == 1:
        rows[0].save(update_fields=[*CHANGED_FIELDS])
    elif rows:
        rewriting.rewrite(rows=rows, fields=CHANGED_FIELDS)


def lock_requests(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, RefillRequest]:
    """Lock requests in the order of their ids (no deadlocks) and return them by id."""
    rows = (
        RefillRequest.objects.select_for_update(of=("self",))
        .select_related("practice", "location", "prescriber", "assignee")
        .filter(id__in=set(ids))
        .order_by("id")
    )
    return {row.id: row for row in rows}


def lock_dispatches(requests: Iterable[RefillRequest]) -> list[Dispatch]:
    """Lock the dispatches of locked requests, each with its request set to the given object."""
    by_id = {request.id: request for request in requests}
    rows = list(Dispatch.objects.select_for_update().filter(request_id__in=by_id.keys()).order_by("id"))
    for row in rows:
        row.request = by_id[row.request_id]
        row.practice = row.request.practice
    return rows


def lock_patients(keys: Iterable[tuple[uuid.UUID, str]]) -> None:
    """Hold the named patients for the rest of the transaction, so that parallel admissions see each other.

    A key is (practice id, patient or sender id); taken in one order by all.
    """
    texts = sorted({f"{practice}|{patient}" for practice, patient in keys if patient})
    if texts:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended(t, 42) AS k "
                "FROM unnest(%s::text[]) AS t ORDER BY k) AS keys",
                [texts],
            )


def pharmacy_names(requests: Iterable[RefillRequest]) -> Mapping[tuple[str, str], PharmacyEntry]:
    """Directory rows of the requests' pharmacies by (stage, NCPDP id), in one query."""
    wanted = {request.pharmacy_ncpdp for request in requests if request.pharmacy_ncpdp}
    if not wanted:
        return {}
    return {(row.stage, row.ncpdp_id): row for row in PharmacyEntry.objects.filter(ncpdp_id__in=wanted)}


def reply(
    *,
    request: RefillRequest,
    purpose: ReplyPurpose,
    now: datetime,
    pharmacy_name: str = "",
    opening: str = "",
    note: str = "",
    language: str = "",
    due_at: datetime | None = None,
) -> Dispatch | None:
    """A message to the patient, frozen; None when there is no conversation to answer (a pharmacy's own ask)."""
    if not request.conversation_id:
        return None
    words = replies.text(
        purpose=purpose,
        practice=request.practice,
        drug_name=request.drug_name,
        pharmacy_name=pharmacy_name,
        opening=opening,
        note=note,
        language=language,
    )
    return outbox.freeze(
        request=request,
        kind=DispatchKind.REPLY,
        purpose=purpose,
        document={"conversation": request.conversation_id, "text": words},
        target=request.conversation_id,
        now=now,
        due_at=due_at,
    )
