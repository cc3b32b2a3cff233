"""What "review together" shows: one line for each item that meets every criterion, with all that the card would say.

Reads only, in a fixed number of queries for a page.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from integrations.models import PharmacyEntry
from refillhub.practices.models import Practice
from review import identity, pharmacies, queries, queries_criteria
from review.models import RefillRequest
from review.states import RequestState


@dataclass(frozen=True, slots=True)
class Line:
    """One item. oldest: age of the oldest value in words; reason: why it stayed when it was to be approved."""

    row: queries.Row
    born_on: date | None
    pharmacy: PharmacyEntry | None
    met: int
    oldest: str
    reason: str


def rows(*, found: Sequence[queries.Row], practice: Practice, reasons: Mapping[uuid.UUID, str]) -> list[Line]:
    """The lines of these rows of a list; one query."""
    near = pharmacies.by_ncpdp(stage=practice.stage, ncpdp_ids=[one.request.pharmacy_ncpdp for one in found])
    lines = []
    for one in found:
        person = identity.unseal(sealed=one.request.snapshot_sealed, practice=practice)
        criteria = queries_criteria.criteria(one.record)
        ages = [int(text) for text in (each.age.split(" ")[0] for each in criteria) if text.isdecimal()]
        lines.append(
            Line(
                row=one,
                born_on=person.born_on() if person else None,
                pharmacy=near.get(one.request.pharmacy_ncpdp),
                met=sum(1 for each in criteria if each.kind != "fail"),
                oldest=f"oldest value {max(ages)} days" if ages else "",
                reason=reasons.get(one.request.id, ""),
            )
        )
    return lines


def still_meets_all(*, row: RefillRequest, now: datetime, today: date) -> bool:
    """Whether an item could be on the page at this moment, by its newest decision."""
    if row.state != RequestState.IN_REVIEW or row.is_locked:
        return False
    return queries.list_rows(requests=[row], practice=row.practice, now=now, today=today)[0].is_all_met
