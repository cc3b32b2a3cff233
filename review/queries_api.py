"""What programs are told of requests and of the audit trail, as plain values; pages of lists by key.

Reads only. A patient's name is unsealed only where the caller says that the token may see it.
"""

import base64
import binascii
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db.models import Q

from audit import events
from audit.models import Entry
from refillhub.practices.models import Practice
from review import access, identity, queries, queries_criteria, wording
from review.models import Dispatch, Kind, RefillRequest
from review.states import RequestState
from rules.models import DecisionRecord

R = RequestState
WAITING = (R.IN_REVIEW, R.AWAITING_SIGNATURE, R.HELD)
MOST = 100
# The groups of the prescriber's list (`queries.GROUPS`), as codes.
URGENCY = ("read_first", "out_today", "within_3_days", "supply_unknown", "message", "this_week", "later")
# What `access.May` offers, by the name of the operation.
OPERATIONS = {
    "approve": "approve", "deny": "decide", "ask-visit": "decide", "answer": "answer", "take-back": "take_back",
}  # fmt: skip


class BadCursor(ValueError):
    """A cursor that no page of ours has given."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why it is with a person: the code and its words."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Item:
    """One waiting request."""

    id: uuid.UUID
    state: str
    version: int
    kind: str
    source: str
    drug_name: str
    schedule: str
    is_controlled: bool
    days_left: int | None
    run_out_on: date | None
    reasons: tuple[Reason, ...]
    urgency: str
    is_urgent: bool
    is_locked: bool
    is_shadow: bool
    queue: str
    assignee_id: uuid.UUID | None
    asked_at: datetime
    opened_at: datetime
    age_minutes: int


@dataclass(frozen=True, slots=True)
class Items:
    """A page of waiting requests, oldest first; `next` continues it, None at the end."""

    items: tuple[Item, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a decision's trace."""

    node: str
    fact: str
    value: str
    threshold: str
    result: str


@dataclass(frozen=True, slots=True)
class Decided:
    """The newest decision of the rules on a request."""

    at: datetime
    outcome: str
    recipe: str
    drug_class: str
    version: int | None
    criteria: tuple[queries_criteria.Criterion, ...]
    what_would_change_it: tuple[str, ...]
    trace: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom it is for; only for tokens that may decide."""

    name: str
    birth_date: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One request with everything a program may know of it."""

    request: Item
    quantity: Decimal | None
    quantity_unit: str
    days_supply: int | None
    refills: int | None
    sig: str
    rxcui: str
    pharmacy_ncpdp: str
    decided_at: datetime | None
    decided_by: uuid.UUID | None
    last_code: str
    duplicate_of: uuid.UUID | None
    question: str
    may: tuple[str, ...]
    decision: Decided | None
    dispatches: tuple[Dispatch, ...]
    patient: Patient | None


def waiting(
    *, practice: Practice, now: datetime, today: date, state: str = "", cursor: str = "", limit: int = MOST
) -> Items:
    """A page of what waits, by the moment it was opened; one query. Raises BadCursor."""
    found = access.requests_of(practice=practice).filter(state__in=[state] if state else WAITING)
    if cursor:
        at, last = _read(cursor)
        found = found.filter(Q(opened_at__gt=at) | Q(opened_at=at, id__gt=last))
    found = found.defer("reading_sealed", "snapshot_sealed").order_by("opened_at", "id")
    rows = list(found[: limit + 1])
    more = _cursor(rows[limit - 1]) if len(rows) > limit else None
    return Items(tuple(_item(row, now, today) for row in rows[:limit]), more)


def detail(*, request: RefillRequest, now: datetime, today: date, may: Sequence[str], sees_patient: bool) -> Detail:
    """One request; two queries beside the row."""
    record = queries.latest_records(request_ids=[request.id], practice=request.practice).get(request.id)
    criteria = queries_criteria.criteria(record)
    person = identity.unseal(sealed=request.snapshot_sealed, practice=request.practice) if sees_patient else None
    return Detail(
        request=_item(request, now, today), quantity=request.quantity, quantity_unit=request.quantity_unit,
        days_supply=request.days_supply, refills=request.refills, sig=request.sig, rxcui=request.rxcui,
        pharmacy_ncpdp=request.pharmacy_ncpdp, decided_at=request.decided_at, decided_by=request.decided_by_id,
        last_code=request.last_code, duplicate_of=request.duplicate_of_id,
        question=queries_criteria.question_of(request, criteria), may=tuple(may),
        decision=_decided(record, criteria) if record is not None else None,
        dispatches=tuple(access.dispatches_of(request=request)),
        patient=Patient(person.name, person.birth_date[:10]) if person is not None else None,
    )  # fmt: skip


def offered(*, request: RefillRequest, held: Sequence[str] | frozenset[str]) -> tuple[str, ...]:
    """The operations that this item and these roles allow now."""
    may = access.what_may(request=request, held=held)
    return tuple(name for name, flag in OPERATIONS.items() if getattr(may, flag))


def _item(row: RefillRequest, now: datetime, today: date) -> Item:
    days = wording.days_left(row.run_out_on, today) if row.kind == Kind.REFILL else None
    return Item(
        id=row.id, state=row.state, version=row.version, kind=row.kind, source=row.source, drug_name=row.drug_name,
        schedule=row.schedule, is_controlled=row.kind == Kind.REFILL and row.schedule != "not_controlled",
        days_left=days, run_out_on=row.run_out_on,
        reasons=tuple(Reason(code, wording.reason(code)) for code in row.reasons),
        urgency=URGENCY[queries.group_of(row, days)], is_urgent=row.is_urgent, is_locked=row.is_locked,
        is_shadow=row.is_shadow, queue=row.queue, assignee_id=row.assignee_id, asked_at=row.asked_at,
        opened_at=row.opened_at, age_minutes=max(0, int((now - row.asked_at).total_seconds() // 60)),
    )  # fmt: skip


def _decided(record: DecisionRecord, criteria: tuple[queries_criteria.Criterion, ...]) -> Decided:
    return Decided(
        at=record.at, outcome=record.outcome, recipe=record.recipe, drug_class=record.drug_class,
        version=record.version.number if record.version is not None else None, criteria=criteria,
        what_would_change_it=queries_criteria.mends(record),
        trace=tuple(
            Step(str(node), str(fact), str(value), str(threshold), queries_criteria.RESULTS.get(result, str(result)))
            for node, fact, value, threshold, result, _source, _age in record.trace
        ),
    )  # fmt: skip


def _cursor(row: RefillRequest) -> str:
    return base64.urlsafe_b64encode(f"{row.opened_at.isoformat()}~{row.id}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        moment, _, key = text.partition("~")
        at, last = datetime.fromisoformat(moment), uuid.UUID(key)
    except (ValueError, binascii.Error) as error:
        raise BadCursor from error
    if at.tzinfo is None or at.utcoffset() is None or not 1900 < at.year < 9000:
        raise BadCursor
    return at, last


@dataclass(frozen=True, slots=True)
class Written:
    """One entry of the audit trail; `body` is the exact text that was hashed."""

    number: int
    at: datetime
    event: str
    sentence: str
    actor_kind: str
    actor_id: str
    request_id: uuid.UUID | None
    patient_ref: str
    trigger: str
    outcome: str
    decision_path: tuple[str, ...]
    clinician: str
    data: dict[str, Any]
    previous_hash: str
    hash: str
    body: str


@dataclass(frozen=True, slots=True)
class Trail:
    """Entries in order of number; `next` is the number to go on after, None at the end."""

    entries: tuple[Written, ...]
    next: int | None


def trail(*, practice: Practice, after: int, event: str = "", limit: int = MOST) -> Trail:
    """A page of the audit trail; one query."""
    found = Entry.objects.of(practice_id=practice.id).filter(number__gt=after)
    if event:
        found = found.filter(event=event)
    rows = list(found.order_by("number")[: limit + 1])
    return Trail(tuple(map(_written, rows[:limit])), rows[limit - 1].number if len(rows) > limit else None)


def _written(row: Entry) -> Written:
    body: dict[str, Any] = orjson.loads(row.body)
    return Written(
        number=row.number, at=row.at, event=row.event, sentence=events.CATALOGUE.get(row.event, row.event),
        actor_kind=row.actor_kind, actor_id=row.actor_id, request_id=row.request_id, patient_ref=row.patient_ref,
        trigger=str(body.get("trigger", "")), outcome=str(body.get("outcome", "")),
        decision_path=tuple(map(str, body.get("decision_path", ()))), clinician=str(body.get("clinician", "")),
        data=dict(body.get("data", {})), previous_hash=row.previous_hash, hash=row.hash, body=row.body,
    )  # fmt: skip
