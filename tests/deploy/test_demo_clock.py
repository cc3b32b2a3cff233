"""The demo's clock begins on the same kind of morning, whatever the date."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy import demo


@given(st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_it_is_always_a_tuesday_at_two_minutes_to_ten_in_new_york(real: datetime) -> None:
    offset = demo.clock_offset(real=real)
    local = (real + timedelta(seconds=offset)).astimezone(ZoneInfo("America/New_York"))
    assert (local.weekday(), local.hour, local.minute, local.second) == (1, 9, 58, 0)
    assert offset >= 0
    assert (local.month, local.day) not in demo.CLOSED_DAYS


@pytest.mark.parametrize("on", [datetime(2026, 3, 8, 6, 30), datetime(2026, 11, 1, 5, 30)])  # noqa: DTZ001
def test_the_nights_when_the_clocks_change_do_not_move_it(on: datetime) -> None:
    real = on.replace(tzinfo=UTC)
    local = (real + timedelta(seconds=demo.clock_offset(real=real))).astimezone(ZoneInfo("America/New_York"))
    assert (local.hour, local.minute) == (9, 58)
