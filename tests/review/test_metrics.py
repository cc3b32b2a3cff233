"""The figures of a hand-made week are exactly right, roll-ups equal a recount, and nobody else's requests count."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as fast
from hypothesis import strategies as st

from refillhub.practices.models import Location
from review import figures, metrics
from review.figures import Key, Period, Stage
from review.models import DayFigures, Dispatch, RefillRequest
from tests.review import counted
from tests.review.rows import NOW, TODAY

EASTERN = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 11, 9, 9, tzinfo=EASTERN)
WEEK = Period(date(2026, 11, 9), date(2026, 11, 15))


def whole(practice, days=WEEK, *, is_shadow=False):
    made = metrics.count(practice=practice, days=days)
    return figures.total(tally for key, tally in made.items() if key.is_shadow == is_shadow)


def plain(tallies):
    return {key: tally.document() for key, tally in tallies.items() if tally.counts}


def hand_made_week(scene):
    """Ten refills: six automatic, one told by the rules, two by Dr. Osei, one by Mia; two of seven refused."""
    practice, sent = scene.practice, []
    for at, minutes in enumerate((2, 2, 4, 4, 8, 8)):
        sent.append(counted.refill(practice, asked_at=MONDAY + timedelta(days=at), minutes=minutes))
    counted.refill(practice, asked_at=MONDAY, minutes=2, state="told", how="rules")
    sent.append(counted.refill(practice, asked_at=MONDAY, minutes=61.5, how="person", decided_by=scene.osei.user))
    counted.refill(practice, asked_at=MONDAY, minutes=121.5, state="denied", how="person", decided_by=scene.osei.user)
    counted.refill(practice, asked_at=MONDAY, minutes=31.5, state="visit_asked", how="person", decided_by=scene.mia)
    for at, request in enumerate(sent):
        state = "rejected" if at < 2 else "delivered"
        counted.dispatch(request, queued_at=request.approved_at, state=state)
    counted.correction(sent[0], queued_at=sent[0].approved_at + timedelta(hours=1))
    # none of these is a decision of this week
    counted.refill(practice, asked_at=MONDAY, minutes=5, state="in_review", how="person")
    counted.refill(practice, asked_at=MONDAY, minutes=5, state="duplicate", how="rules")
    counted.refill(practice, asked_at=MONDAY - timedelta(days=7), minutes=5)
    counted.refill(practice, asked_at=MONDAY, minutes=5, kind="message", state="answered", how="person")


def test_the_figures_of_a_small_hand_made_week_are_exactly_right(scene):
    hand_made_week(scene)
    found = whole(scene.practice)
    made = figures.figures(found, minutes_per_refill=5)
    assert found.counts == {
        "decided": 10, "automatic": 6, "by_rules": 1, "approved": 1, "otherwise": 2, "sent": 7, "rejected": 2,
        "apologies": 1,
    }  # fmt: skip
    assert (made.automatic_rate, made.review_rate, made.protocol_rate) == (60, 30, 70)
    assert made.nack_rate == pytest.approx(200 / 7)
    assert made.hours_returned == 0.5
    # in minutes: 2 2 2 4 4 8 8 31.5 61.5 121.5
    assert made.median == pytest.approx(4 * 60, rel=0.05)
    assert made.p95 == pytest.approx(121.5 * 60, rel=0.05)
    assert sum(found.times[Stage.PRESCRIBER].values()) == 2
    assert sum(found.times[Stage.ASSISTANT].values()) == 1
    assert figures.median_and_p95(found, Stage.ASSISTANT)[0] == pytest.approx(30 * 60, rel=0.05)
    assert figures.median_and_p95(found, Stage.PRESCRIBER)[0] == pytest.approx(60 * 60, rel=0.05)
    assert figures.median_and_p95(found, Stage.TRANSMISSION)[0] == pytest.approx(2, rel=0.05)
    assert figures.median_and_p95(found, Stage.PHARMACY)[0] == pytest.approx(40, rel=0.05)
    assert sum(found.times[Stage.READING].values()) == 10


def test_a_day_is_the_practices_own_and_ends_at_its_midnight(scene):
    late = datetime(2026, 11, 9, 23, 50, tzinfo=EASTERN)  # already the tenth in UTC
    assert late.astimezone(UTC).day == 10
    counted.refill(scene.practice, asked_at=late, minutes=9)
    counted.refill(scene.practice, asked_at=late, minutes=10)
    days = sorted(key.day.day for key in metrics.count(practice=scene.practice, days=WEEK))
    assert days == [9, 10]


def test_another_practices_requests_never_count(scene):
    row = counted.refill(scene.other, asked_at=MONDAY, minutes=3)
    counted.dispatch(row, queued_at=row.approved_at)
    assert metrics.count(practice=scene.practice, days=WEEK) == {}
    assert whole(scene.other).counts == {"decided": 1, "automatic": 1, "sent": 1, "rejected": 0}
    metrics.recount(practice=scene.practice, days=WEEK, now=NOW)
    assert not DayFigures.objects.filter(practice=scene.other).exists()
    metrics.recount(practice=scene.other, days=WEEK, now=NOW)
    read = metrics.read(practice=scene.practice, days=WEEK, today=TODAY)
    assert plain(read.tallies) == {}


def test_shadow_and_live_are_counted_apart(scene):
    counted.refill(scene.practice, asked_at=MONDAY, minutes=3, is_shadow=True)
    assert whole(scene.practice).decided == 0
    assert whole(scene.practice, is_shadow=True).decided == 1


def test_roll_ups_say_what_a_recount_of_the_events_says(scene):
    hand_made_week(scene)
    metrics.recount(practice=scene.practice, days=WEEK, now=NOW)
    read = metrics.read(practice=scene.practice, days=WEEK, today=TODAY)
    assert plain(read.tallies) == plain(metrics.count(practice=scene.practice, days=WEEK))
    assert {row.day for row in DayFigures.objects.all()} == set(WEEK.days)


EVENTS = st.tuples(
    st.integers(0, 6 * 24 * 60), st.floats(0, 3000), st.sampled_from(["done", "sent", "denied", "told", "in_review"]),
    st.sampled_from(["automatic", "person", "rules"]), st.booleans(), st.sampled_from(["", "ppi_h2", "statin"]),
    st.sampled_from(["", "delivered", "accepted", "rejected", "unknown"]), st.booleans(),
)  # fmt: skip


@fast(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, max_size=12))
def test_roll_ups_equal_a_recount_whatever_happened(scene, events):
    Dispatch.objects.all().delete()
    RefillRequest.objects.all().delete()
    DayFigures.objects.all().delete()
    second = Location.objects.get_or_create(practice=scene.practice, name="East")[0]
    for minute, minutes, state, how, is_shadow, drug_class, sent, is_east in events:
        place = {"location": second} if is_east else {}
        row = counted.refill(
            scene.practice, asked_at=MONDAY + timedelta(minutes=minute), minutes=minutes, state=state, how=how,
            is_shadow=is_shadow, drug_class=drug_class, **place,
            decided_by=scene.osei.user if how == "person" else None,
        )  # fmt: skip
        if sent and not is_shadow:
            counted.dispatch(row, queued_at=row.changed_at, state=sent)
    days = Period(WEEK.first, TODAY - timedelta(days=1))
    fresh = metrics.count(practice=scene.practice, days=days)
    metrics.recount(practice=scene.practice, days=days, now=NOW)
    assert plain(metrics.read(practice=scene.practice, days=days, today=TODAY).tallies) == plain(fresh)


def test_late_news_changes_the_day_it_is_about_at_the_next_count(scene):
    row = counted.refill(scene.practice, asked_at=MONDAY, minutes=3)
    sent = counted.dispatch(row, queued_at=row.approved_at)
    metrics.recount(practice=scene.practice, days=WEEK, now=NOW)
    Dispatch.objects.filter(pk=sent.pk).update(state="rejected")
    metrics.recount(practice=scene.practice, days=WEEK, now=NOW)
    kept = DayFigures.objects.exclude(tally__counts={}).get()
    assert (kept.tally["counts"]["sent"], kept.tally["counts"]["rejected"]) == (1, 1)


def test_the_night_counts_yesterday_once_and_reaches_back_where_nothing_was_counted(scene):
    counted.refill(scene.practice, asked_at=NOW - timedelta(days=100), minutes=3)
    counted.refill(scene.practice, asked_at=NOW, minutes=3)
    assert metrics.count_due(now=NOW) == 2  # both practices
    assert metrics.count_due(now=NOW + timedelta(minutes=15)) == 0
    mine = DayFigures.objects.filter(practice=scene.practice)
    assert mine.exclude(tally__counts={}).count() == 1
    assert max(mine.values_list("day", flat=True)) == TODAY - timedelta(days=1)
    assert metrics.count_due(now=NOW + timedelta(days=1)) == 2
    assert mine.filter(day=TODAY).get().tally["counts"]["decided"] == 1


def test_todays_requests_show_before_the_night_has_counted_them(scene):
    metrics.count_due(now=NOW)
    counted.refill(scene.practice, asked_at=NOW - timedelta(minutes=9), minutes=3)
    read = metrics.read(practice=scene.practice, days=Period(TODAY - timedelta(days=6), TODAY), today=TODAY)
    key = Key(TODAY, scene.practice.locations.get().pk, "ppi_h2", False)
    assert read.tallies[key].decided == 1
    assert read.uncounted is None


def test_days_that_nobody_counted_are_named_rather_than_missed(scene):
    read = metrics.read(practice=scene.practice, days=Period(TODAY - timedelta(days=27), TODAY), today=TODAY)
    assert read.uncounted == Period(TODAY - timedelta(days=27), TODAY - timedelta(days=metrics.LIVE_DAYS))


def test_the_command_recounts_the_days_it_is_given_and_no_day_that_is_not_over(scene):
    hand_made_week(scene)
    out = StringIO()
    slug = scene.practice.slug
    call_command("recount_metrics", "--from", "2026-11-09", "--to", "2026-11-15", "--practice", slug, stdout=out)
    assert f"{slug}: 7 roll-ups" in out.getvalue()
    assert sum(row.tally["counts"].get("decided", 0) for row in DayFigures.objects.all()) == 10
    with pytest.raises(CommandError, match="not over yet"):
        call_command("recount_metrics", "--from", "2026-11-09", "--to", TODAY.isoformat(), "--practice", slug)


def test_own_times_are_of_one_person_only(scene):
    hand_made_week(scene)
    own = metrics.own_times(practice=scene.practice, user=scene.osei.user, days=WEEK)
    assert own.counts["decided"] == 2
    assert metrics.own_times(practice=scene.practice, user=scene.lind.user, days=WEEK).counts["decided"] == 0
    assert metrics.own_times(practice=scene.other, user=scene.osei.user, days=WEEK).counts["decided"] == 0
