"""The figures of a practice: counted from requests and dispatches, kept as daily roll-ups, read for a period.

Roll-ups are only a shorter way to the same sums: `count` alone says what a day's figures are. Nothing here sends.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from refillhub.practices.models import Membership, Practice, Role, User
from review import figures
from review.figures import DispatchRow, Key, Period, RequestRow, Stage, Tally
from review.models import DayFigures, Dispatch, DispatchKind, Kind, RefillRequest, ReplyPurpose

AGAIN_DAYS = 28
"""Every night so many days are counted anew: a pharmacy's late rejection changes the day it belongs to."""

LONGEST_BACK = 184
"""How far back the first count of a practice reaches: two quarters."""

LIVE_DAYS = 7
"""Days that a page counts by itself, where the night's count has not come yet."""

MOST_OWN = 5000
PERIODS: Mapping[str, int] = {"week": 7, "4-weeks": 28, "quarter": 91}


def period(*, name: str, today: date) -> Period:
    """The period of a name, ending today; 4 weeks for a name nobody knows."""
    return Period(today - timedelta(days=PERIODS.get(name, PERIODS["4-weeks"]) - 1), today)


def zone_of(practice: Practice) -> ZoneInfo:
    """The practice's time zone; UTC until it has one."""
    return ZoneInfo(practice.time_zone or "UTC")


# --- counting --------------------------------------------------------------------------------------------------------


def count(*, practice: Practice, days: Period) -> dict[Key, Tally]:
    """The figures of each day, place, class and mode, from the requests and dispatches; two queries.

    A request counts on the day of its last decision, a prescription and a correction on the day it was queued.
    """
    made: dict[Key, Tally] = {}
    zone = zone_of(practice)
    begins = datetime.combine(days.first, time(0), tzinfo=zone)
    ends = datetime.combine(days.last + timedelta(days=1), time(0), tzinfo=zone)
    for location_id, drug_class, is_shadow, row in _requests(practice, since=begins):
        at = figures.decided_moment(row)
        if at is not None and begins <= at < ends:
            key = Key(at.astimezone(zone).date(), location_id, drug_class, is_shadow)
            figures.count_request(made.setdefault(key, Tally()), row)
    for location_id, drug_class, is_shadow, dispatch in _dispatches(practice, since=begins, until=ends):
        key = Key(dispatch.queued_at.astimezone(zone).date(), location_id, drug_class, is_shadow)
        figures.count_dispatch(made.setdefault(key, Tally()), dispatch)
    return made


def _requests(practice: Practice, *, since: datetime) -> Iterator[tuple[uuid.UUID | None, str, bool, RequestRow]]:
    """Decided refills that changed since a moment: no decision of a day is older than the row's last change."""
    rows = _decided(RefillRequest.objects.filter(practice=practice, changed_at__gte=since))
    for _, place, drug_class, is_shadow, row in rows:
        yield place, drug_class, is_shadow, row


def _decided(
    rows: QuerySet[RefillRequest],
) -> Iterator[tuple[uuid.UUID, uuid.UUID | None, str, bool, RequestRow]]:
    found = (
        rows.filter(kind=Kind.REFILL, state__in=figures.DECIDED_STATES)
        .annotate(by_prescriber=_is_prescriber())
        .values_list(
            "practice_id", "location_id", "drug_class", "is_shadow", "state", "is_automatic", "decided_by_id",
            "by_prescriber", "asked_at", "opened_at", "release_at", "decided_at", "approved_at", "ended_at",
        )
    )  # fmt: skip
    for practice, place, of, shadow, state, auto, by, prescriber, asked, opened, *later in found.iterator(5000):
        row = RequestRow(state, auto, by is not None, prescriber, asked, opened, *later)
        yield practice, place, of, shadow, row


def _is_prescriber() -> Exists:
    found = Membership.objects.filter(
        practice_id=OuterRef("practice_id"), user_id=OuterRef("decided_by_id"), role=Role.prescriber
    )
    return Exists(found)


def _dispatches(
    practice: Practice, *, since: datetime, until: datetime
) -> Iterator[tuple[uuid.UUID | None, str, bool, DispatchRow]]:
    counted = Q(kind=DispatchKind.NEWRX) | Q(kind=DispatchKind.REPLY, purpose=ReplyPurpose.CORRECTION)
    rows = Dispatch.objects.filter(counted, practice=practice, queued_at__gte=since, queued_at__lt=until).values_list(
        "request__location_id", "request__drug_class", "is_shadow", "kind", "state", "queued_at", "accepted_at",
        "delivered_at",
    )  # fmt: skip
    for place, drug_class, is_shadow, kind, state, queued, accepted, delivered in rows.iterator(5000):
        is_correction = kind == DispatchKind.REPLY
        yield place, drug_class, is_shadow, DispatchRow(is_correction, state, queued, accepted, delivered)


def decided_today(*, now: datetime) -> Counter[tuple[uuid.UUID, str]]:
    """Live refills decided today, by practice and how; every practice's own day, two queries in all."""
    zones = {practice.pk: zone_of(practice) for practice in Practice.objects.only("id", "time_zone")}
    made: Counter[tuple[uuid.UUID, str]] = Counter()
    recent = RefillRequest.objects.filter(
        practice_id__in=list(zones), is_shadow=False, changed_at__gte=now - timedelta(hours=25)
    )
    for practice_id, _, _, _, row in _decided(recent):
        zone, at = zones[practice_id], figures.decided_moment(row)
        if at is not None and at.astimezone(zone).date() == now.astimezone(zone).date():
            made[practice_id, figures.how(row)] += 1
    return made


# --- roll-ups --------------------------------------------------------------------------------------------------------


def recount(*, practice: Practice, days: Period, now: datetime) -> int:
    """Replace the roll-ups of these days by a fresh count; returns how many were written.

    A day without any figure keeps one empty row, so that everyone sees that it was counted.
    """
    with transaction.atomic():
        Practice.objects.select_for_update(no_key=True).get(pk=practice.pk)  # two counts never mix their rows
        made = count(practice=practice, days=days)
        for day in set(days.days) - {key.day for key in made}:
            made[Key(day, None, "", practice.is_shadow)] = Tally()
        DayFigures.objects.filter(practice=practice, day__range=(days.first, days.last)).delete()
        DayFigures.objects.bulk_create(
            (
                DayFigures(
                    practice=practice, day=key.day, location_id=key.location_id, drug_class=key.drug_class,
                    is_shadow=key.is_shadow, tally=tally.document(), counted_at=now,
                )
                for key, tally in made.items()
            ),
            batch_size=1000,
        )  # fmt: skip
    return len(made)


def count_due(*, now: datetime) -> int:
    """Count every practice whose yesterday is not counted yet; returns how many were."""
    done = 0
    for practice in Practice.objects.all():
        yesterday = now.astimezone(zone_of(practice)).date() - timedelta(days=1)
        latest = DayFigures.objects.filter(practice=practice).aggregate(day=Max("day"))["day"]
        if latest is not None and latest >= yesterday:
            continue
        first = yesterday - timedelta(days=LONGEST_BACK)
        if latest is not None:
            first = max(first, min(latest + timedelta(days=1), yesterday - timedelta(days=AGAIN_DAYS - 1)))
        recount(practice=practice, days=Period(first, yesterday), now=now)
        done += 1
    return done


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """The figures of a period; `uncounted` names the days that nobody has counted yet."""

    tallies: Mapping[Key, Tally]
    uncounted: Period | None


def read(*, practice: Practice, days: Period, today: date) -> Read:
    """Roll-ups where the night has counted, and a fresh count of the days since; three queries."""
    made = {
        Key(day, location_id, drug_class, is_shadow): figures.from_document(tally)
        for day, location_id, drug_class, is_shadow, tally in _kept(practice, days)
    }
    counted = max((key.day for key in made), default=None)
    since = days.first if counted is None else counted + timedelta(days=1)
    live = Period(max(since, today - timedelta(days=LIVE_DAYS - 1)), min(today, days.last))
    if live.first <= live.last:
        made |= count(practice=practice, days=live)
    return Read(made, Period(since, live.first - timedelta(days=1)) if since < live.first else None)


def _kept(practice: Practice, days: Period) -> QuerySet[DayFigures, tuple[date, uuid.UUID | None, str, bool, dict]]:
    rows = DayFigures.objects.filter(practice=practice, day__range=(days.first, days.last)).order_by("day", "id")
    return rows.values_list("day", "location_id", "drug_class", "is_shadow", "tally")


def own_times(*, practice: Practice, user: User, days: Period) -> Tally:
    """One person's own times from opening to their decision; nobody else's are ever read. One query."""
    zone, made = zone_of(practice), Tally()
    begins = datetime.combine(days.first, time(0), tzinfo=zone)
    rows = RefillRequest.objects.filter(
        practice=practice, decided_by=user, kind=Kind.REFILL, decided_at__gte=begins, is_automatic=False,
        state__in=figures.DECIDED_STATES,
    ).order_by("-decided_at")  # fmt: skip
    for opened_at, release_at, decided_at in rows.values_list("opened_at", "release_at", "decided_at")[:MOST_OWN]:
        if decided_at is None:
            continue
        since = max(opened_at, release_at) if release_at is not None and release_at <= decided_at else opened_at
        made.counts["decided"] += 1
        made.time(Stage.PRESCRIBER, since=since, until=decided_at)
    return made
