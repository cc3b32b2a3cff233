"""The metrics page and its CSV: the figures in words, small groups kept together, own times seen by oneself alone."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from audit.models import Entry
from refillhub.practices.models import Location
from review import metrics
from tests.review import counted
from tests.review.rows import NOW

PAGE, CSV, MINUTES = "/metrics/", "/metrics/figures.csv", "/metrics/minutes/"


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def lines_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def month(scene, *, practice=None):
    """Thirty refills of the last week: 18 automatic, 12 by Dr. Osei; one of 18 refused, one apology."""
    practice = practice or scene.practice
    for at in range(30):
        asked_at = NOW - timedelta(days=at % 6 + 1, hours=2)
        if at < 18:
            row = counted.refill(practice, asked_at=asked_at, minutes=4)
            counted.dispatch(row, queued_at=row.approved_at, state="rejected" if at == 0 else "delivered")
        else:
            row = counted.refill(
                practice, asked_at=asked_at, minutes=61.5, how="person", decided_by=scene.osei.user,
                drug_class="statin",
            )  # fmt: skip
    counted.correction(row, queued_at=row.decided_at)


def test_figures_start_after_the_first_twenty(scene):
    counted.refills(scene.practice, 19, asked_at=NOW - timedelta(days=1), minutes=4)
    page = text_of(scene.client("ada").get(PAGE))
    assert "Figures start after the first 20 ended requests. So far 19." in page
    assert "Median latency" not in page
    assert lines_of(scene.client("ada").get(CSV)) == []
    counted.refill(scene.practice, asked_at=NOW - timedelta(days=1), minutes=4)
    assert "Median latency" in text_of(scene.client("ada").get(PAGE))


def test_the_page_says_the_figures_and_how_they_changed(scene):
    month(scene)
    counted.refills(scene.practice, 20, asked_at=NOW - timedelta(days=9), minutes=4)
    metrics.count_due(now=NOW)
    page = text_of(scene.client("ada").get(PAGE, {"period": "week"}))
    for said in ("Nov 11 to 17", "30 refill requests decided", "60.0 %", "down 40.0 points", "40.0 %", "up 40.0 points",
                 "5.6 %", "1 of 18", "nothing to compare with", "1 more",
                 "1.5 hours = 18 automatic approvals × 5"):  # fmt: skip
        assert said in page, said


def test_every_figure_has_its_definition_on_the_page_and_every_chart_a_table(scene):
    month(scene)
    answer = scene.client("ada").get(PAGE, {"period": "week"})
    html = answer.content.decode()
    for said in ("95 of 100 decided", "of those it answered", "÷ 60", "at most 5 % from the exact one"):
        assert said in text_of(answer), said
    assert html.count('role="img"') == html.count("<title id=") == 4
    assert html.count("<details class=\"met-table\">") == 2
    assert "style=" not in html.partition("<main")[2]


def test_the_csv_has_the_same_figures(scene):
    month(scene)
    whole, before, *rest = lines_of(scene.client("cora").get(CSV, {"period": "week"}))
    assert (whole["group"], whole["decided"], whole["automatic"], whole["approved"]) == ("all", "30", "18", "12")
    assert (whole["automatic_rate"], whole["review_rate"], whole["nack_rate"]) == ("60.0", "40.0", "5.56")
    assert (whole["apologies"], whole["minutes_per_refill"], whole["hours_returned"]) == ("1", "5", "1.5")
    assert float(whole["latency_median_seconds"]) == pytest.approx(240, rel=0.05)
    assert float(whole["prescriber_median_seconds"]) == pytest.approx(3600, rel=0.05)
    assert (before["group"], before["decided"], before["latency_median_seconds"]) == ("before", "0", "")
    assert sum(int(one["decided"]) for one in rest if one["group"] == "days") == 30
    assert {one["name"] for one in rest if one["group"] == "drug_class"} == {"PPI and H2 blockers", "Statins"}


def test_a_class_or_place_chosen_narrows_every_figure(scene):
    month(scene)
    lines = lines_of(scene.client("ada").get(CSV, {"period": "week", "class": "statin"}))
    assert (lines[0]["decided"], lines[0]["automatic"], lines[0]["sent"]) == ("12", "0", "0")
    east = Location.objects.create(practice=scene.practice, name="East")
    counted.refills(scene.practice, 11, asked_at=NOW - timedelta(days=1), minutes=4, location=east)
    lines = lines_of(scene.client("ada").get(CSV, {"period": "week", "location": str(east.pk)}))
    assert lines[0]["decided"] == "11"
    page = text_of(scene.client("ada").get(PAGE, {"period": "week"}))
    assert "By location Location" in page
    assert "East 11 4 m" in page


def test_a_place_of_another_practice_is_no_place(scene):
    month(scene)
    other = scene.other.locations.get()
    for address in (PAGE, CSV):
        assert scene.client("ada").get(address, {"location": str(other.pk)}).status_code == 404
        assert scene.client("ada").get(address, {"location": "everywhere"}).status_code == 404


def test_a_group_under_eleven_is_not_shown_by_itself(scene):
    month(scene)
    counted.refills(scene.practice, 10, asked_at=NOW - timedelta(days=1), minutes=9, drug_class="thyroid")
    narrowed = scene.client("ada").get(PAGE, {"class": "thyroid"})
    assert "Fewer than 11 decided requests: a group this small is not shown by itself." in text_of(narrowed)
    assert "Median latency" not in text_of(narrowed)
    assert lines_of(scene.client("ada").get(CSV, {"class": "thyroid"})) == []
    lines = lines_of(scene.client("ada").get(CSV))
    assert [one["decided"] for one in lines if one["group"] == "drug_class"] == ["18", "12"]
    assert "Classes with fewer than 11" in text_of(scene.client("ada").get(PAGE))


def test_another_practices_requests_are_on_no_page(scene):
    month(scene)
    month(scene, practice=scene.other)
    metrics.count_due(now=NOW)
    assert lines_of(scene.client("ada").get(CSV))[0]["decided"] == "30"


def test_a_prescriber_sees_own_times_and_nobody_elses(scene):
    month(scene)
    assert "12 refill requests you decided: median 1 h" in text_of(scene.client("osei").get(PAGE))
    for who in ("lind", "ada", "cora"):
        assert "you decided" not in text_of(scene.client(who).get(PAGE)), who
    for who in ("osei", "lind", "ada", "cora"):
        for address in (PAGE, CSV):
            words = scene.client(who).get(address).content.decode().partition("<main")[2]
            assert "Osei" not in words, (who, address)
            assert "Lind" not in words, (who, address)


def test_live_and_shadow_stand_side_by_side_and_are_never_mixed(scene):
    month(scene)
    counted.refills(scene.practice, 12, asked_at=NOW - timedelta(days=2), minutes=4, is_shadow=True)
    assert lines_of(scene.client("ada").get(CSV, {"mode": "live"}))[0]["decided"] == "30"
    assert lines_of(scene.client("ada").get(CSV, {"mode": "shadow"}))[0]["decided"] == "12"
    assert "Live and shadow" in text_of(scene.client("ada").get(PAGE))


def test_the_administrator_sets_the_minutes_and_the_trail_remembers(scene):
    month(scene)
    client = scene.client("ada")
    assert client.post(MINUTES, {"minutes": "7"}).status_code == 302
    scene.practice.refresh_from_db()
    assert scene.practice.minutes_per_refill == 7
    entry = Entry.objects.filter(practice_id=scene.practice.id).latest("number")
    assert (entry.event, entry.actor_id) == ("practice.changed", str(scene.ada.id))
    assert '"after":7' in str(entry.body).replace(" ", "").replace("'", '"')
    assert "2.1 hours = 18 automatic approvals × 7" in text_of(client.get(PAGE))
    number = entry.number
    client.post(MINUTES, {"minutes": "7"})
    assert Entry.objects.filter(practice_id=scene.practice.id).latest("number").number == number


@pytest.mark.parametrize("wrong", ["0", "121", "five", ""])
def test_minutes_that_are_none_change_nothing(scene, wrong):
    page = scene.client("ada").post(MINUTES, {"minutes": wrong}, follow=True)
    assert "Nothing was changed" in text_of(page)
    scene.practice.refresh_from_db()
    assert scene.practice.minutes_per_refill == 5


def test_only_the_administrator_has_the_form(scene):
    month(scene)
    assert MINUTES in scene.client("ada").get(PAGE).content.decode()
    for who in ("osei", "cora"):
        assert MINUTES not in scene.client(who).get(PAGE).content.decode()


@pytest.mark.parametrize("count", [1, 8])
def test_the_page_asks_the_database_ten_times_at_most(scene, count, django_assert_max_num_queries):
    for _ in range(count):
        month(scene)
    metrics.count_due(now=NOW)
    for who in ("osei", "ada"):
        client = scene.client(who)
        client.get(PAGE)
        with django_assert_max_num_queries(10):
            assert client.get(PAGE, {"period": "quarter"}).status_code == 200
        with django_assert_max_num_queries(10):
            assert client.get(CSV, {"period": "quarter"}).status_code == 200


def test_days_that_nobody_counted_are_said_on_the_page(scene):
    month(scene)
    assert "are not counted yet" in text_of(scene.client("ada").get(PAGE))
    metrics.count_due(now=NOW)
    assert "are not counted yet" not in text_of(scene.client("ada").get(PAGE))


def test_the_bar_leads_to_the_page(scene):
    assert f'href="{reverse("review:metrics")}"' in scene.client("ada").get(PAGE).content.decode()
