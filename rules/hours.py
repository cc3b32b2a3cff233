"""Office hours in the practice's own time: open, closed, next opening, local date; daylight saving included.

The only place, with the templates, where a moment becomes practice-local. Reads no clock: every moment is an argument.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rules.facts import Hours

EVERY_DAY: frozenset[int] = frozenset(range(7))
"""Monday = 0 ... Sunday = 6, as `date.weekday()` counts."""


class HoursError(ValueError):
    """Office hours that cannot be: unknown zone, closing before opening, no open day, a naive moment."""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """One location's hours. Open from `opens` (included) to `closes` (excluded) on `open_weekdays`."""

    time_zone: str
    opens: time = time(7, 0)
    closes: time = time(19, 0)
    open_weekdays: frozenset[int] = EVERY_DAY
    closed_dates: frozenset[date] = frozenset()
    """Holidays, practice-local."""

    def __post_init__(self) -> None:
        if not self.opens < self.closes:
            raise HoursError("closing time must be after opening time on the same day")
        if not self.open_weekdays or not self.open_weekdays <= EVERY_DAY:
            raise HoursError("at least one open weekday, 0 (Monday) to 6 (Sunday)")
        _zone(self.time_zone)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise HoursError(f"unknown time zone {name!r}") from error


def local(*, moment: datetime, time_zone: str) -> datetime:
    """`moment` on the practice's wall clock. Raises HoursError for a naive moment or an unknown zone."""
    if moment.tzinfo is None:
        raise HoursError("a moment must carry its zone")
    return moment.astimezone(_zone(time_zone))


def local_date(*, moment: datetime, time_zone: str) -> date:
    """The practice's calendar day at `moment`."""
    return local(moment=moment, time_zone=time_zone).date()


def end_of_day(*, moment: datetime, time_zone: str) -> datetime:
    """The coming midnight of the practice's wall clock, aware UTC; on a day of 23 or 25 hours as the clock shows it."""
    after = local_date(moment=moment, time_zone=time_zone) + timedelta(days=1)
    return start_of_day(day=after, time_zone=time_zone)


def start_of_day(*, day: date, time_zone: str) -> datetime:
    """Midnight at which the practice's day begins, aware UTC."""
    return datetime.combine(day, time.min, tzinfo=_zone(time_zone)).astimezone(UTC)


def business_days_after(*, moment: datetime, days: int, time_zone: str) -> datetime:
    """The same wall-clock time so many weekdays (Monday to Friday) later, aware UTC; holidays count as weekdays."""
    here = local(moment=moment, time_zone=time_zone)
    day = here.date()
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return datetime.combine(day, here.time(), tzinfo=_zone(time_zone)).astimezone(UTC)


def _is_open_day(day: date, office: OfficeHours) -> bool:
    return day.weekday() in office.open_weekdays and day not in office.closed_dates


def is_open(*, at: datetime, office: OfficeHours) -> bool:
    """Open at that moment? 07:00:00 is open, 19:00:00 is closed (seed: messages from 7 pm to 7 am are held)."""
    here = local(moment=at, time_zone=office.time_zone)
    return _is_open_day(here.date(), office) and office.opens <= here.time() < office.closes


def next_opening(*, after: datetime, office: OfficeHours) -> datetime:
    """First opening strictly after that moment, aware UTC. Raises HoursError when none comes within a year."""
    day = local_date(moment=after, time_zone=office.time_zone)
    for offset in range(367):
        candidate = day + timedelta(days=offset)
        if not _is_open_day(candidate, office):
            continue
        opening = _at(candidate, office)
        if opening > after:
            return opening
    raise HoursError("no opening within a year")


def _at(day: date, office: OfficeHours) -> datetime:
    """Opening moment of a local day, UTC. An opening inside the hour skipped in spring falls on the first moment
    after."""
    zone = _zone(office.time_zone)
    return datetime.combine(day, office.opens, tzinfo=zone).astimezone(UTC)


def hours_at(*, sent_at: datetime | None, now: datetime, office: OfficeHours) -> Hours:
    """The Hours part of Facts. An unknown sending time stays unknown."""
    opening = next_opening(after=now, office=office)
    return Hours(
        was_closed_when_sent=None if sent_at is None else not is_open(at=sent_at, office=office),
        is_closed_now=not is_open(at=now, office=office),
        next_opening_at=opening,
        next_opening_on=local_date(moment=opening, time_zone=office.time_zone),
    )
