"""Care gaps and bridging: what is overdue or soon due beside the request, with a next step; and a short supply a person
may give meanwhile.

Notes only: they bar nothing and decide nothing, and stand also where the request is approved.
"""

from datetime import date, timedelta

from rules.case import Case
from rules.findings import Finding, Severity
from rules.results import shown, step

NOTES = Severity.notes
SOON_DAYS = 30
"""Due within this is worth saying now: our choice, one fill ahead."""
BRIDGE_EVERY_DAYS = 365
"""Clinical, "when criteria are not met": one bridge per drug per 365 days, only by a clinician."""


def lab_gaps(case: Case) -> tuple[Finding, ...]:
    """Results and vital signs that are overdue or fall due within 30 days; one note per step, the earliest first."""
    if case.facts.labs is None:
        return ()
    found: dict[str, tuple[date, Finding]] = {}
    for test in case.tests:
        known = case.results.get(test.key, ())
        newest = known[0].on if known else None
        if not test.is_demanded or (known and newest is None):
            continue
        due = case.facts.today if newest is None else newest + timedelta(days=test.within_days)
        if due > case.facts.today + timedelta(days=SOON_DAYS):
            continue
        age = None if newest is None else (case.facts.today - newest).days
        told = _told(step(test.key), newest, due, case.facts.today)
        made = Finding("care_gap_lab", "A result is overdue or soon due.", NOTES, test.key, str(test.within_days), age,
                       source="clinical: labs", next_step=told)  # fmt: skip
        if shown(test.key) not in found or due < found[shown(test.key)][0]:
            found[shown(test.key)] = (due, made)
    return tuple(made for _, made in sorted(found.values(), key=lambda one: one[0]))


def visit_gap(case: Case) -> Finding | None:
    """The visit is overdue or falls due within 30 days, by the strictest of practice and class."""
    last, limit = case.facts.visit.last_qualifying_on, case.visit_limit_days
    booked = case.facts.visit.upcoming_on
    due = case.facts.today if last is None else last + timedelta(days=limit)
    if due > case.facts.today + timedelta(days=SOON_DAYS):
        return None
    told = _told("book a visit", last, due, case.facts.today) if booked is None else (
        f"visit booked for {booked.isoformat()}")  # fmt: skip
    return Finding("care_gap_visit", "The visit is overdue or soon due.", NOTES,
                   "" if case.days_since_visit is None else str(case.days_since_visit), str(limit),
                   case.days_since_visit, source="clinical: visit", next_step=told)  # fmt: skip


def _told(act: str, last: date | None, due: date, today: date) -> str:
    """ "order potassium; last 2025-10-01, due now"."""
    since = "none on file" if last is None else f"last {last.isoformat()}"
    return f"{act}; {since}, {'due now' if due <= today else f'due {due.isoformat()}'}"


def bridge(case: Case) -> Finding | None:
    """A person may bridge: visit or a result lacks, the drug is surely not controlled, every class that covers it knows
    a supply that long, and no bridge was given in the last 365 days (on day 365 one may be given again)."""
    if case.is_controlled is not False or not case.applying or case.facts.bridges is None:
        return None
    days = case.policy.bridge_days
    if any(one.max_days_supply < days for one in case.applying):
        return None
    if not (_lacks_visit(case) or _lacks_result(case)):
        return None
    last = max(case.facts.bridges, default=None)
    since = None if last is None else (case.facts.today - last).days
    if since is not None and since < BRIDGE_EVERY_DAYS:
        return Finding("bridge_used", "A bridging supply was already given in the last 365 days.", NOTES, str(since),
                       str(BRIDGE_EVERY_DAYS), since, source="clinical: not met")  # fmt: skip
    told = "never given" if last is None else f"last given {last.isoformat()}"
    return Finding("bridge_possible", f"A person may bridge {days} days, once a year.", NOTES, str(days),
                   str(BRIDGE_EVERY_DAYS), since, source="clinical: not met",
                   next_step=f"bridge {days} days without refills; {told}")  # fmt: skip


def _lacks_visit(case: Case) -> bool:
    days = case.days_since_visit
    return days is None or not 0 <= days <= case.visit_limit_days


def _lacks_result(case: Case) -> bool:
    for test in case.tests:
        known = case.results.get(test.key, ())
        newest = known[0].on if known else None
        if test.is_demanded and (newest is None or (case.facts.today - newest).days > test.within_days):
            return True
    return False
