"""Where the time went: whatever went on at once, the parts add up to the total, and each moment is counted once."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review import queries_timeline, timespans
from review.timespans import Share, Span

START = datetime(2026, 11, 17, 15, 0, tzinfo=UTC)


def at(seconds):
    return START + timedelta(seconds=seconds)


MOMENTS = st.floats(-50, 500, allow_nan=False).map(at)
SPANS = st.lists(st.builds(Span, st.sampled_from(list(Share)), MOMENTS, MOMENTS), max_size=12)


@given(length=st.floats(0, 400, allow_nan=False), spans=SPANS)
def test_the_parts_add_up_to_the_total_to_the_microsecond(length, spans):
    spent = timespans.spend(start=START, end=at(length), spans=spans)
    assert sum((part for _, part in spent.parts), timedelta()) == spent.total == at(length) - START
    assert all(part > timedelta() for _, part in spent.parts)


@given(spans=SPANS)
def test_the_drawn_bar_is_full_and_no_part_is_invisible(spans):
    parts = queries_timeline.parts_of(timespans.spend(start=START, end=at(100), spans=spans))
    assert sum(part.width for part in parts) == queries_timeline.BAR
    assert all(part.width >= queries_timeline.LEAST for part in parts)
    assert [part.x for part in parts] == [sum(one.width for one in parts[:n]) for n in range(len(parts))]


def test_a_vendors_answer_counts_before_the_person_who_waits_with_us():
    spent = timespans.spend(
        start=START, end=at(10), spans=[Span(Share.PEOPLE, at(0), at(10)), Span(Share.SURESCRIPTS, at(2), at(5))]
    )
    assert dict(spent.parts) == {Share.PEOPLE: timedelta(seconds=7), Share.SURESCRIPTS: timedelta(seconds=3)}


def test_what_nothing_explains_is_our_own():
    spent = timespans.spend(start=START, end=at(10), spans=[])
    assert spent.parts == ((Share.OWN, timedelta(seconds=10)),)


def test_states_tell_what_is_waited_for():
    moves = [(at(0), "held"), (at(60), "in_review"), (at(90), "approved"), (at(95), "sent"), (at(99), "done")]
    spans = timespans.of_states(moves=moves, end=at(200))
    assert [(one.share, (one.end - one.start).seconds) for one in spans] == [
        (Share.HOLD, 60), (Share.PEOPLE, 30), (Share.SURESCRIPTS, 4)
    ]  # fmt: skip


@pytest.mark.parametrize(("micros", "told"), [
    (38_000, "38 ms"), (2_400_000, "2.4 s"), (211_000_000, "3 m 31 s"), (3_900_000_000, "1 h 05 m"),
    (183_600_000_000, "2 d 3 h"),
])  # fmt: skip
def test_a_length_of_time_in_words(micros, told):
    assert timespans.words(timedelta(microseconds=micros)) == told
