"""What the requests list shows: requests by filter, newest first, in pages that neither skip nor repeat.

Reads only. Names are unsealed for the rows shown; compliance gets initials.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from refillhub.practices.models import Practice
from review import access, identity, queries_desk, states
from review.models import Kind, RefillRequest
from review.states import RequestState

R = RequestState


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the requests list, newest first; `after` continues it."""

    rows: tuple[tuple[RefillRequest, str], ...]
    after: str


def find(
    *, practice: Practice, now: datetime, today: date, state: str = "", queue: str = "", kind: str = "",
    text: str = "", after: str = "", by_initials: bool = False, limit: int = 50,
) -> Found:  # fmt: skip
    """Requests by filter. `after` is the cursor of the page before; an unreadable one begins anew."""
    found = access.requests_of(practice=practice).select_related("assignee").defer("reading_sealed")
    if state == "open":
        found = found.unfinished()
    elif state:
        found = found.filter(state=state)
    if queue:
        found = found.filter(queue=queue, state=R.IN_REVIEW)
    if kind == "returned":
        found = found.filter(Q(is_locked=True) | ~Q(last_code=""), state=R.IN_REVIEW)
    elif kind == "message":
        found = found.filter(kind=Kind.MESSAGE, state=R.IN_REVIEW)
    elif kind == "out":
        found = found.filter(run_out_on__lte=today, state__in=sorted(states.OPEN_REQUEST_STATES))
    elif kind == "late":
        found = found.filter(asked_at__lt=now - queries_desk.TARGET, state=R.IN_REVIEW)
    if text:
        found = found.annotate(id_text=Cast("id", TextField())).filter(id_text__startswith=text)
    at = _cursor(after)
    if at is not None:
        found = found.filter(Q(opened_at__lt=at[0]) | Q(opened_at=at[0], id__lt=at[1]))
    rows = list(found.order_by("-opened_at", "-id")[: limit + 1])
    more = f"{rows[limit - 1].opened_at.isoformat()}~{rows[limit - 1].id}" if len(rows) > limit else ""
    shown = []
    for row in rows[:limit]:
        row.practice = practice
        shown.append((row, _initials(row) if by_initials else queries_desk.name_of(row, practice=practice)))
    return Found(tuple(shown), more)


def _initials(row: RefillRequest) -> str:
    person = identity.unseal(sealed=row.snapshot_sealed, practice=row.practice)
    return person.initials if person else "–"


def _cursor(text: str) -> tuple[datetime, uuid.UUID] | None:
    moment, _, key = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        return (at, uuid.UUID(key)) if at.tzinfo else None
    except ValueError:
        return None
