"""What the compliance page shows of the audit trail: entries by filter, in pages by number; the last verification.

Reads entries only, of one practice. Patients are keyed references here; names of patients never appear.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from audit import events
from audit.models import Entry, EntryQuerySet, Head
from refillhub.practices.models import Membership, Practice
from review import wording

PAGE = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; empty means any. `since` included, `until` not; `reference` a request's id or p_..."""

    since: datetime | None = None
    until: datetime | None = None
    event: str = ""
    who: str = ""
    outcome: str = ""
    branch: str = ""
    """A code on the decision's path: a recipe ("auto_refill") or a reason (F078)."""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as shown."""

    number: int
    at: datetime
    event: str
    sentence: str
    who: str
    request_id: uuid.UUID | None
    patient_ref: str
    outcome: str
    path: tuple[str, ...]
    trigger: str
    clinician: str
    data: str
    hash: str
    previous_hash: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, newest first; `before` is the number to go on from, None at the end."""

    lines: tuple[Line, ...]
    before: int | None


def matching(*, practice: Practice, wanted: Filter) -> EntryQuerySet:
    """Entries of this practice that fit the filter, unordered."""
    found = Entry.objects.of(practice_id=practice.id)
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(at__lt=wanted.until)
    if wanted.event:
        found = found.filter(event=wanted.event)
    if wanted.who:
        kinds = {"system", "vendor", "person"}
        found = found.filter(actor_kind=wanted.who) if wanted.who in kinds else found.filter(actor_id=wanted.who)
    if wanted.outcome:
        found = found.filter(body__contains=f'"outcome":"{wanted.outcome}"')
    if wanted.branch:
        # The column is exact canonical JSON, without spaces: a list without "]" until its end.
        found = found.filter(body__regex=rf'"decision_path":\[[^]]*"{re.escape(wanted.branch)}"')
    if wanted.reference.startswith("p_"):
        found = found.filter(patient_ref__startswith=wanted.reference)
    elif wanted.reference:
        found = found.filter(request_id=uuid.UUID(wanted.reference))
    return found


def entries(*, practice: Practice, wanted: Filter, before: int | None, people: dict[str, str]) -> Found:
    """One page; one query."""
    found = matching(practice=practice, wanted=wanted)
    if before is not None:
        found = found.filter(number__lt=before)
    rows = list(found.newest_first()[: PAGE + 1])
    shown = tuple(_line(row, people) for row in rows[:PAGE])
    return Found(shown, shown[-1].number if len(rows) > PAGE else None)


def entry(*, practice: Practice, number: int, people: dict[str, str]) -> Line | None:
    """One entry with all its fields, None when there is none of that number."""
    row = Entry.objects.of(practice_id=practice.id).filter(number=number).first()
    return _line(row, people) if row is not None else None


def _line(row: Entry, people: dict[str, str]) -> Line:
    body: dict[str, Any] = orjson.loads(row.body)
    return Line(
        number=row.number, at=row.at, event=row.event, sentence=events.CATALOGUE.get(row.event, row.event),
        who=_who(row, people),
        request_id=row.request_id, patient_ref=row.patient_ref, outcome=str(body.get("outcome", "")),
        path=tuple(map(str, body.get("decision_path", ()))), trigger=str(body.get("trigger", "")),
        clinician=people.get(str(body.get("clinician", "")), str(body.get("clinician", ""))),
        data=orjson.dumps(body.get("data", {}), option=orjson.OPT_INDENT_2).decode() if body.get("data") else "",
        hash=row.hash, previous_hash=row.previous_hash,
    )  # fmt: skip


def _who(row: Entry, people: dict[str, str]) -> str:
    if row.actor_kind == "person":
        return people.get(row.actor_id, row.actor_id)
    return "System" if row.actor_id == "refill-hub" else f"{wording.spoken(row.actor_kind)}: {row.actor_id}"


def people(*, practice: Practice) -> dict[str, str]:
    """Names of the practice's own people by id."""
    rows = Membership.objects.filter(practice=practice).values_list("user_id", "user__full_name").distinct()
    return {str(user_id): name for user_id, name in rows}


def head(*, practice: Practice) -> Head | None:
    """Where the chain ends."""
    return Head.objects.filter(practice_id=practice.id).first()


def last_verification(*, practice: Practice) -> Line | None:
    """The newest entry of a verification, None when it was never verified."""
    found = Entry.objects.of(practice_id=practice.id).filter(event="audit.verified").newest_first().first()
    return _line(found, {}) if found is not None else None
