"""Bridging supplies already given: short prescriptions of a person where the full one could not be given.

Reads the requests of the context; decides nothing. Counting one too many only withholds an offer.
"""

from datetime import date

from review import context as contexts
from review.asks import Ask
from review.context import Context
from review.models import RefillRequest
from rules import hours

MOST_DAYS = 30
"""Clinical, "when criteria are not met": one short fill of 30 days."""
LACKED = frozenset({"visit", "visit_unknown", "lab_missing", "lab_old", "authorised_time", "bridged"})


def days_given(*, ask: Ask, context: Context, zone: str) -> tuple[date, ...] | None:
    """Days on which this ingredient set was bridged as far as the context looks back; None when the drug is unknown."""
    match = ask.match
    if match is None or not match.ingredient_key or not ask.patient_external_id:
        return None
    found = [
        hours.local_date(moment=earlier.approved_at or row.queued_at, time_zone=zone)
        for earlier in context.of_patient(ask.practice.id, ask.patient_external_id)
        if earlier.ingredient_key == match.ingredient_key and _is_bridge(earlier, match.days_supply)
        for row in contexts.live_newrx(context.dispatches_of(earlier))
    ]
    return tuple(sorted(found))


def _is_bridge(request: RefillRequest, usual_days: int | None) -> bool:
    """A person approved at most 30 days without refills: shorter than usual, or where visit or results lacked."""
    days = request.days_supply
    if request.is_automatic or request.refills not in (0, None) or days is None or days > MOST_DAYS:
        return False
    return usual_days is None or days < usual_days or not LACKED.isdisjoint(request.reasons)
