"""The metrics page in a real browser: nothing sticks out, the charts are drawn, no style or script is refused."""

import random
from datetime import timedelta

import pytest
from django.urls import reverse

from refillhub.practices.models import Location
from review import metrics
from tests.browser.test_pages import outside
from tests.review import counted
from tests.review.rows import NOW

pytestmark = pytest.mark.browser
PAGE = "/metrics/"


def fill(scene):
    """Two months of an ordinary practice."""
    luck = random.Random(7)
    practice = scene.practice
    east = Location.objects.create(practice=practice, name="East Side Family Medicine and Pediatrics")
    for day in range(1, 56):
        at = NOW - timedelta(days=day)
        if at.weekday() > 4:
            continue
        for _ in range(14):
            asked_at = at + timedelta(minutes=luck.randint(-120, 200))
            place = {"location": east} if luck.random() < 0.3 else {}
            drug_class = luck.choice(["ppi_h2", "statin", "thyroid"])
            draw = luck.random()
            if draw < 0.48:
                row = counted.refill(practice, asked_at=asked_at, minutes=3 + 3 * luck.random(),
                                     drug_class=drug_class, **place)  # fmt: skip
                counted.dispatch(row, queued_at=row.approved_at,
                                 state="rejected" if luck.random() < 0.02 else "delivered")  # fmt: skip
            else:
                person = luck.choice([scene.osei.user, scene.lind.user, scene.mia])
                state = "done" if draw < 0.8 else "denied" if draw < 0.9 else "told"
                counted.refill(
                    practice, asked_at=asked_at, minutes=luck.lognormvariate(3.2, 0.8), state=state,
                    how="rules" if state == "told" else "person", drug_class=drug_class,
                    decided_by=None if state == "told" else person, **place,
                )  # fmt: skip
    metrics.count_due(now=NOW)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844), (320, 640)])
def test_the_page_sticks_out_nowhere_and_its_charts_are_drawn(scene, page_of, shot, width, height):
    fill(scene)
    page = page_of("ada", width=width, height=height)
    for period in ("week", "4-weeks", "quarter"):
        page.goto(f"{reverse('review:metrics')}?period={period}")
        assert page.locator("svg.chart:visible").count() == 2
        assert page.locator("svg.chart:visible polyline").first.bounding_box()["width"] > 100
        assert outside(page) == [], f"{period} at {width}"
        page.set_viewport_size({"width": width, "height": 2600})
        shot(page, f"metrics-{period}-{width}")
        page.set_viewport_size({"width": width, "height": height})
    for table in page.locator("details.met-table summary").all():
        table.click()
    assert outside(page) == [], f"tables at {width}"


def test_the_page_in_the_dark_and_the_empty_one(scene, page_of, shot):
    page = page_of("ada", width=390, height=844)
    page.goto(PAGE)
    assert page.get_by_text("Figures start after the first 20 ended requests.").is_visible()
    shot(page, "metrics-empty-390")
    fill(scene)
    page = page_of("osei", width=1440, height=1500, color_scheme="dark")
    page.goto(PAGE)
    fill_of = "getComputedStyle(document.querySelector('.chart .viz-1 rect')).fill"
    assert page.evaluate(fill_of) == "rgb(111, 201, 184)"
    shot(page, "metrics-dark-1440")
