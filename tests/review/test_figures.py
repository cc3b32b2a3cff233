"""Tallies add, buckets stay within five percent, small groups are not split; all without a database."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review import figures, figures_drawn, figures_words
from review.figures import DispatchRow, Period, RequestRow, Stage, Tally

AT = datetime(2026, 11, 10, 15, tzinfo=UTC)
SECONDS = st.floats(min_value=1, max_value=60 * 86400)


def row(state="done", *, minutes=10.0, is_automatic=True, **values):
    at = AT + timedelta(minutes=minutes)
    fields = {
        "is_by_person": not is_automatic, "is_by_prescriber": False, "asked_at": AT, "release_at": None,
        "opened_at": AT + timedelta(seconds=90), "decided_at": at, "approved_at": at, "ended_at": at,
    } | values  # fmt: skip
    return RequestRow(state=state, is_automatic=is_automatic, **fields)


def tally_of(*rows):
    made = Tally()
    for one in rows:
        figures.count_request(made, one)
    return made


def days_of(*counts):
    first = date(2026, 11, 1)
    return [(first + timedelta(days=at), tally_of(*[row()] * n)) for at, n in enumerate(counts)]


@given(st.lists(SECONDS, min_size=1, max_size=80), st.sampled_from([0.5, 0.95]))
def test_a_quantile_from_buckets_is_within_five_percent_of_the_exact_one(times, share):
    tally = Tally()
    for one in times:
        tally.time(Stage.LATENCY, since=AT, until=AT + timedelta(seconds=one))
    exact = sorted(times)[max(1, math.ceil(share * len(times) - 1e-9)) - 1]
    assert figures.quantile(tally.times[Stage.LATENCY], share) == pytest.approx(exact, rel=0.05)


@given(st.lists(st.lists(SECONDS, max_size=20), max_size=6))
def test_the_sum_of_tallies_is_the_tally_of_the_sum_also_through_json(groups):
    parts = [tally_of(*[row(minutes=one / 60) for one in group]) for group in groups]
    whole = tally_of(*[row(minutes=one / 60) for group in groups for one in group])
    kept = [figures.from_document(part.document()) for part in parts]
    assert figures.total(kept).document() == whole.document()


@pytest.mark.parametrize("state", ["in_review", "held", "received", "awaiting_signature", "handing_off", "with_ehr",
                                   "duplicate", "cancelled"])  # fmt: skip
def test_what_is_not_decided_is_not_counted(state):
    assert figures.decided_moment(row(state)) is None
    assert tally_of(row(state)).document() == {"counts": {}, "times": {}}


@pytest.mark.parametrize(
    ("given_row", "way"),
    [
        (row("sent"), "automatic"),
        (row("done", is_automatic=False), "approved"),
        (row("denied", is_automatic=False), "otherwise"),
        (row("told", is_automatic=False, is_by_person=False), "by_rules"),
        (row("done", is_automatic=False, approved_at=None), "in_chart"),
    ],
)
def test_every_decided_request_has_one_way(given_row, way):
    assert figures.how(given_row) == way
    assert tally_of(given_row).counts == {"decided": 1, way: 1}


def test_an_approval_counts_from_asking_to_the_approval_though_more_came_later():
    found = tally_of(row("done", minutes=10, ended_at=AT + timedelta(hours=5)))
    assert figures.median_and_p95(found, Stage.LATENCY)[0] == pytest.approx(600, rel=0.05)


def test_the_wait_of_a_held_request_begins_at_opening_time():
    opening = AT + timedelta(hours=8)
    found = tally_of(row("denied", minutes=8 * 60 + 20, is_automatic=False, release_at=opening, is_by_prescriber=True))
    assert figures.median_and_p95(found, Stage.PRESCRIBER)[0] == pytest.approx(1200, rel=0.05)
    assert figures.median_and_p95(found, Stage.HELD)[0] == pytest.approx(8 * 3600 - 90, rel=0.05)
    assert Stage.ASSISTANT not in found.times


def test_a_prescription_on_its_way_is_neither_sent_nor_rejected():
    found = Tally()
    for state in ("queued", "unknown", "unresolved", "shadowed", "taken_back"):
        figures.count_dispatch(found, DispatchRow(False, state, AT, None, None))
    assert not +found.counts
    figures.count_dispatch(found, DispatchRow(False, "rejected", AT, AT, None))  # late: it was taken first
    figures.count_dispatch(found, DispatchRow(False, "delivered", AT, AT, AT))
    assert figures.figures(found, minutes_per_refill=5).nack_rate == 50


def test_hours_are_automatic_approvals_times_minutes_over_sixty():
    found = tally_of(*[row()] * 24, row(is_automatic=False))
    assert figures.figures(found, minutes_per_refill=5).hours_returned == 2


def test_an_empty_tally_has_no_rates_rather_than_zeros():
    found = figures.figures(Tally(), minutes_per_refill=5)
    assert (found.median, found.automatic_rate, found.nack_rate, found.hours_returned) == (None, None, None, 0)


def test_days_too_small_are_joined_until_large_enough_and_nothing_is_lost():
    joined = figures.joined(days_of(5, 7, 20, 3))
    assert [(first.day, last.day, tally.decided) for first, last, tally in joined] == [(1, 2, 12), (3, 4, 23)]
    assert figures.joined(days_of(5, 5)) == []


def test_weeks_begin_with_a_day_that_has_requests_and_a_large_rest_stands_by_itself():
    joined = figures.joined(days_of(0, 0, *[4] * 7, 0, 6, 6), least=7)
    assert [(first.day, last.day, tally.decided) for first, last, tally in joined] == [(3, 9, 28), (11, 12, 12)]


def test_groups_too_small_are_told_together_largest_group_first():
    groups = {"a": tally_of(*[row()] * 11), "b": tally_of(*[row()] * 10), "c": tally_of(*[row()] * 30)}
    shown, rest = figures.split(groups)
    assert [name for name, _ in shown] == ["c", "a"]
    assert rest.decided == 10


def test_the_period_before_ends_the_day_before_and_is_as_long():
    assert Period(date(2026, 11, 11), date(2026, 11, 17)).before == Period(date(2026, 11, 4), date(2026, 11, 10))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "–"), (0.5, "under 1 s"), (12, "12 s"), (264, "4 m 24 s"), (3480, "58 m"), (6300, "1 h 45 m"),
     (3599.9, "1 h"), (2 * 86400 + 3 * 3600, "2 d 3 h")],
)  # fmt: skip
def test_times_are_said_in_two_units_at_most(seconds, said):
    assert figures_words.span(seconds) == said


def test_a_change_within_the_width_of_a_bucket_is_none():
    assert figures_words.time_change(105, 100) == ("same", "about the same")
    assert figures_words.time_change(60, 191) == ("good", "2 m 11 s faster")
    assert figures_words.rate_change(46.3, 38.2, up_is_good=True) == ("good", "up 8.1 points")
    assert figures_words.rate_change(1.1, 0.8, up_is_good=False) == ("bad", "up 0.3 points")


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=60), st.sampled_from(["wide", "narrow"]))
def test_every_point_and_word_of_a_chart_is_inside_it(pairs, name):
    size = figures_drawn.WIDE if name == "wide" else figures_drawn.NARROW
    labels = [f"Nov {at}" for at in range(len(pairs))]
    series = [("p95", "viz-2", [max(one) for one in pairs]), ("median", "viz-1", [min(one) for one in pairs])]
    chart = figures_drawn.lines(size=size, title="", labels=labels, series=series)
    for line in chart.lines:
        for point in line.points.split():
            x, y = map(float, point.split(","))
            assert size.left <= x <= chart.plot_right
            assert 0 <= y <= size.height - 30
        assert 0 <= line.said_at <= size.height - 14
    assert abs(chart.lines[0].said_at - chart.lines[1].said_at) >= figures_drawn.APART - 0.01


def test_a_bar_is_as_long_as_its_share_of_the_longest():
    made = figures_drawn.bars(
        size=figures_drawn.BARS_WIDE, title="", rows=[("a", [("viz-1", 10), ("viz-2", 10)]), ("b", [("viz-1", 10)])]
    )
    room = 520 - 96 - 8
    assert made.bars[0].segments[1].x == pytest.approx(96 + room / 2)
    assert made.bars[1].segments[0].width == pytest.approx(room / 2 - 1.5)
