"""Controlled prescriptions by the clock: reminders and escalation, expired rights, the daily report, overdue incidents.

Every function takes `now` and may run twice without harm. No network.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Q

from audit.models import Entry
from refillhub.practices import grants
from refillhub.practices.models import Practice, SigningGrant
from review import workflow
from review.models import Dispatch, EpcsDay, Incident, Lane, Preparation
from review.states import DispatchState
from rules import hours

# Audit events of a day, by the name under which the report counts them.
COUNTED = {
    "epcs.prepared": "prepared",
    "epcs.signed": "signed",
    "epcs.refused": "refused",
    "epcs.lapsed": "lapsed",
    "epcs.reminded": "reminded",
    "epcs.escalated": "escalated",
    "factor.refused": "wrong_factors",
    "grant.requested": "rights_asked",
    "grant.approved": "rights_given",
    "grant.ended": "rights_ended",
    "incident.opened": "incidents",
}
# Signed prescriptions by where they are, for the report.
WIRE = {
    DispatchState.DELIVERED: "received",
    DispatchState.ACCEPTED: "taken",
    DispatchState.REJECTED: "failed",
    DispatchState.UNRESOLVED: "failed",
    DispatchState.UNKNOWN: "unknown",
    DispatchState.TAKEN_BACK: "not_sent",
}
# A signed prescription leaves as soon as possible (1311.170(a)); surescripts 2.1 allows two minutes for its lane.
MOST_HOLD = timedelta(minutes=2)
# Days that are made up for, when the program stood still.
MOST_DAYS = 7


def watch_signatures(*, now: datetime, limit: int = 500) -> int:
    """Remind, escalate or lapse what waits for a signature; how many something happened to."""
    rows = Preparation.objects.current().order_by("prepared_at").values_list("id", flat=True)[:limit]
    done = sum(1 for one in rows if workflow.watch(preparation_id=one, now=now))
    waiting = Dispatch.objects.filter(
        lane=Lane.EPCS, state__in=[DispatchState.QUEUED, DispatchState.RETRY_WAIT], queued_at__lt=now - MOST_HOLD
    )
    for dispatch in waiting.select_related("practice").defer("document_sealed")[:100]:
        workflow.raise_alarm(practice=dispatch.practice, kind="signed_waits", key=str(dispatch.request_id), now=now)
    return done


def practices_that_sign() -> Iterable[Practice]:
    """Practices with anything to report: they sign here, or somebody has or had the right."""
    asked = SigningGrant.objects.values("practice_id")
    return Practice.objects.filter(
        Q(controlled_route=Practice.ControlledRoute.sign_here) | Q(pk__in=asked)
    ).order_by("pk")


def make_days(*, now: datetime) -> int:
    """Yesterday's report of each practice, and of days missed before it; rights that ended; late incidents."""
    made = 0
    for practice in practices_that_sign():
        today = hours.local_date(moment=now, time_zone=practice.time_zone or "UTC")
        grants.end_expired(practice=practice, now=now, today=today)
        last = EpcsDay.objects.filter(practice=practice).order_by("-day").values_list("day", flat=True).first()
        start = max(today - timedelta(days=MOST_DAYS), last + timedelta(days=1)) if last else today - timedelta(days=1)
        for offset in range((today - start).days):
            day = start + timedelta(days=offset)
            made += workflow.make_day(practice=practice, day=day, counts=counts(practice=practice, day=day), now=now)
        _late(practice=practice, today=today, now=now)
    return made


def counts(*, practice: Practice, day: date) -> dict[str, int]:
    """What happened on one practice-local day, from the audit entries and the wire."""
    zone = practice.time_zone or "UTC"
    since = hours.start_of_day(day=day, time_zone=zone)
    until = hours.start_of_day(day=day + timedelta(days=1), time_zone=zone)
    events = Entry.objects.of(practice_id=practice.id).filter(at__gte=since, at__lt=until, event__in=COUNTED)
    found = Counter(COUNTED[event] for event in events.values_list("event", flat=True))
    sent = Dispatch.objects.filter(practice=practice, lane=Lane.EPCS, signed_at__gte=since, signed_at__lt=until)
    for state in sent.values_list("state", flat=True):
        found[WIRE.get(DispatchState(state), "under_way")] += 1
    names = [*dict.fromkeys([*COUNTED.values(), *WIRE.values(), "under_way"])]
    return {name: found.get(name, 0) for name in names}


def _late(*, practice: Practice, today: date, now: datetime) -> None:
    for row in Incident.objects.filter(practice=practice, reported_at__isnull=True, report_by__lt=now):
        workflow.raise_alarm(practice=practice, kind="incident_late", key=str(row.id), now=now)
    overdue = EpcsDay.objects.filter(practice=practice, reviewed_at__isnull=True, day__lt=today - timedelta(days=1))
    for late in overdue.order_by("day")[:MOST_DAYS]:
        workflow.raise_alarm(practice=practice, kind="epcs_day_late", key=late.day.isoformat(), now=now)
