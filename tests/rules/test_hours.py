"""Office hours to the second, and both nights on which the clock changes."""

from datetime import UTC, date, datetime, time

import pytest

from rules import hours

OFFICE = hours.OfficeHours("US/Eastern")


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-17T18:59:59", True),
        ("2026-11-17T19:00:00", False),
        ("2026-11-18T06:59:59", False),
        ("2026-11-18T07:00:00", True),
    ],
)
def test_open_from_seven_to_seven(at: str, is_open: bool) -> None:
    moment = datetime.fromisoformat(at + "-05:00")
    assert hours.is_open(at=moment, office=OFFICE) is is_open


@pytest.mark.parametrize(
    ("after", "opening"),
    [
        ("2026-03-07T23:30:00-05:00", "2026-03-08T07:00:00-04:00"),  # spring: the night is an hour shorter
        ("2026-03-08T01:59:59-05:00", "2026-03-08T07:00:00-04:00"),
        ("2026-10-31T23:30:00-04:00", "2026-11-01T07:00:00-05:00"),  # autumn: an hour longer
        ("2026-11-01T01:30:00-04:00", "2026-11-01T07:00:00-05:00"),
        ("2026-11-17T12:00:00-05:00", "2026-11-18T07:00:00-05:00"),
        ("2026-11-17T07:00:00-05:00", "2026-11-18T07:00:00-05:00"),
    ],
)
def test_the_next_opening_keeps_to_the_wall_clock(after: str, opening: str) -> None:
    found = hours.next_opening(after=datetime.fromisoformat(after), office=OFFICE)
    assert found == datetime.fromisoformat(opening)
    assert found.utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize(
    ("day", "offsets"), [("2026-03-08", ("-05:00", "-04:00")), ("2026-11-01", ("-04:00", "-05:00"))]
)
def test_on_the_nights_of_change_both_limits_stand(day: str, offsets: tuple[str, str]) -> None:
    before, after = datetime.fromisoformat(f"{day}T00:30:00{offsets[0]}"), offsets[1]
    assert not hours.is_open(at=before, office=OFFICE)
    assert not hours.is_open(at=datetime.fromisoformat(f"{day}T06:59:59{after}"), office=OFFICE)
    assert hours.is_open(at=datetime.fromisoformat(f"{day}T07:00:00{after}"), office=OFFICE)


def test_closed_days_are_skipped() -> None:
    weekdays = hours.OfficeHours(
        "US/Eastern", open_weekdays=frozenset(range(5)), closed_dates=frozenset({date(2026, 11, 23)})
    )
    friday_night = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    assert hours.next_opening(after=friday_night, office=weekdays) == datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_the_hours_of_a_message() -> None:
    sent, now = datetime(2026, 11, 18, 3, 0, tzinfo=UTC), datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
    told = hours.hours_at(sent_at=sent, now=now, office=OFFICE)
    assert (told.was_closed_when_sent, told.is_closed_now) == (True, False)
    assert hours.hours_at(sent_at=None, now=now, office=OFFICE).was_closed_when_sent is None


def test_the_local_day_is_the_practices() -> None:
    assert hours.local_date(moment=datetime(2026, 11, 18, 4, 59, tzinfo=UTC), time_zone="US/Eastern") == date(
        2026, 11, 17
    )


def test_impossible_hours_are_refused() -> None:
    with pytest.raises(hours.HoursError):
        hours.OfficeHours("Mars/Base")
    with pytest.raises(hours.HoursError):
        hours.OfficeHours("US/Eastern", opens=time(19), closes=time(7))
    with pytest.raises(hours.HoursError):
        hours.OfficeHours("US/Eastern", open_weekdays=frozenset())
    with pytest.raises(hours.HoursError):
        hours.is_open(at=datetime(2026, 11, 18), office=OFFICE)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-17T10:14:00-05:00", "2026-11-18T00:00:00-05:00"),
        ("2026-11-17T23:59:59-05:00", "2026-11-18T00:00:00-05:00"),
        ("2026-11-01T00:30:00-04:00", "2026-11-02T00:00:00-05:00"),  # a day of 25 hours
        ("2026-03-08T00:30:00-05:00", "2026-03-09T00:00:00-04:00"),  # a day of 23
    ],
)
def test_a_day_ends_at_midnight_of_the_wall_clock(moment: str, end: str) -> None:
    found = hours.end_of_day(moment=datetime.fromisoformat(moment), time_zone="US/Eastern")
    assert found == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    ("moment", "days", "later"),
    [
        ("2026-11-17T10:14:00-05:00", 1, "2026-11-18T10:14:00-05:00"),
        ("2026-11-20T18:00:00-05:00", 1, "2026-11-23T18:00:00-05:00"),  # Friday to Monday
        ("2026-11-21T09:00:00-05:00", 1, "2026-11-23T09:00:00-05:00"),  # found on a Saturday
        ("2026-11-19T09:00:00-05:00", 3, "2026-11-24T09:00:00-05:00"),
        ("2026-10-30T09:00:00-04:00", 1, "2026-11-02T09:00:00-05:00"),  # over the change of the clock
    ],
)
def test_business_days_skip_the_weekend(moment: str, days: int, later: str) -> None:
    found = hours.business_days_after(moment=datetime.fromisoformat(moment), days=days, time_zone="US/Eastern")
    assert found == datetime.fromisoformat(later)
