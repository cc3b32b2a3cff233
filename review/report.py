"""The morning report: what the night brought, short supply first. The page shows it; the mail holds counts and a link
only.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core import mail
from django.db import IntegrityError, transaction

from refillhub.practices.models import Membership, Practice, Role
from review import facts
from review.models import MorningReport, RefillRequest
from review.states import RequestState
from rules import hours


@dataclass(frozen=True, slots=True)
class Report:
    """Requests of one practice that came while it was closed, pressing ones first; and the day it is for."""

    practice: Practice
    day: date
    overnight: tuple[RefillRequest, ...]
    still_held: tuple[RefillRequest, ...]

    def counts(self) -> dict[str, int]:
        """Figures without names."""
        return {
            "overnight": len(self.overnight),
            "still_held": len(self.still_held),
            "waiting": sum(1 for row in self.overnight if row.state == RequestState.IN_REVIEW),
            "pressing": sum(1 for row in (*self.overnight, *self.still_held) if row.is_urgent),
        }


def build(*, practice: Practice, now: datetime) -> Report:
    """The report of this practice-local day: everything opened since the last closing."""
    office = facts.office_of(practice=practice, location=None)
    day = hours.local_date(moment=now, time_zone=office.time_zone)
    since = _last_closing(office=office, now=now)
    rows = (
        RefillRequest.objects.select_related("prescriber", "assignee", "location")
        .filter(practice=practice, opened_at__gte=since)
        .order_by("-is_urgent", "run_out_on", "asked_at")
    )
    overnight = tuple(
        row
        for row in rows
        if not hours.is_open(at=row.asked_at, office=facts.office_of(practice=practice, location=row.location))
    )
    held = RefillRequest.objects.filter(practice=practice, state=RequestState.HELD).order_by(
        "-is_urgent", "run_out_on", "asked_at"
    )
    return Report(practice=practice, day=day, overnight=overnight, still_held=tuple(held))


def _last_closing(*, office: hours.OfficeHours, now: datetime) -> datetime:
    """When the practice closed last, to the quarter of an hour: after a weekend the report reaches back to Friday."""
    moment, step = now, timedelta(minutes=15)
    earliest = now - timedelta(days=7)
    while moment > earliest and hours.is_open(at=moment, office=office):
        moment -= step
    while moment > earliest and not hours.is_open(at=moment, office=office):
        moment -= step
    return moment


def send_due(*, now: datetime) -> int:
    """Mail the report to the assistants of each practice that has opened today, once a day."""
    sent = 0
    for practice in Practice.objects.exclude(time_zone=""):
        office = facts.office_of(practice=practice, location=None)
        day = hours.local_date(moment=now, time_zone=office.time_zone)
        if (
            not hours.is_open(at=now, office=office)
            or MorningReport.objects.filter(practice=practice, day=day).exists()
        ):
            continue
        sent += _send(practice=practice, now=now)
    return sent


def _send(*, practice: Practice, now: datetime) -> int:
    made = build(practice=practice, now=now)
    try:
        with transaction.atomic(durable=True):
            MorningReport.objects.create(practice=practice, day=made.day, made_at=now, counts=made.counts())
    except IntegrityError:
        return 0
    people = Membership.objects.current().filter(practice=practice, role=Role.assistant)
    addresses = list(people.values_list("user__email", flat=True))
    if addresses:
        counts = made.counts()
        mail.send_mail(
            subject=f"Refill Hub: morning report, {counts['overnight']} overnight, {counts['pressing']} pressing",
            message=f"{counts['waiting']} wait for a person. Open the report: {settings.PUBLIC_URL}/today/report/",
            from_email=None,
            recipient_list=addresses,
            fail_silently=True,
        )
    return 1
