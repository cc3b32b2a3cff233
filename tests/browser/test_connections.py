"""The administrator's pages in a real browser: set up a vendor by hand, leave for DrChrono, two people go live."""

from datetime import timedelta

import pytest
from django.urls import reverse

from integrations.models import Connection, SweepState, Vendor
from refillhub.practices.models import Practice
from tests.browser.test_pages import outside
from tests.review import scene as make

pytestmark = pytest.mark.browser


def vendors(scene):
    made = {
        vendor: Connection.objects.create(practice=scene.practice, vendor=vendor, stage="dev",
                                          base_url=f"https://{vendor}.test")
        for vendor in Vendor
    }  # fmt: skip
    Connection.objects.filter(vendor="klara").update(last_error_code="http_401", last_error_at=make.NOW)
    SweepState.objects.create(practice=scene.practice, kind="nightly", completed_at=make.NOW - timedelta(hours=3))
    return made


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_no_page_of_the_administrator_sticks_out(scene, page_of, shot, width):
    made = vendors(scene)
    Practice.objects.update(is_shadow=True)
    places = {name: reverse(f"review:{name}") for name in ("connections", "going_live")}
    places |= {vendor: reverse("review:connection", args=[row.pk]) for vendor, row in made.items()}
    places |= {"profile": reverse("review:connection_profile", args=[made[Vendor.klara].pk])}
    places |= {name: reverse(f"practices:{name}") for name in ("account", "agreement")}
    page = page_of("ada", width=width)
    for name, address in places.items():
        assert page.goto(address).status == 200, name
        shot(page, f"{name}-{width}")
        assert outside(page) == [], name


def test_a_vendor_is_set_up_and_left_for_with_clicks_alone(scene, page_of):
    page = page_of("ada")
    page.goto(reverse("review:connections"))
    page.get_by_role("button", name="Set up DrChrono").click()
    row = Connection.objects.get(practice=scene.practice, vendor="drchrono")
    Connection.objects.filter(pk=row.pk).update(base_url="https://drchrono.test")
    page.get_by_label("Client id").fill("client-1")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Value").fill("a-client-secret-of-drchrono")
    page.get_by_role("button", name="Store").click()
    assert "a-client-secret-of-drchrono" not in page.content()
    left_for = []
    page.route("https://drchrono.test/**", lambda route: (left_for.append(route.request.url),
                                                          route.fulfill(body="<h1>DrChrono</h1>")))  # fmt: skip
    page.get_by_role("link", name="Connect", exact=True).click()
    page.get_by_role("heading", name="DrChrono").wait_for()
    assert "client_id=client-1" in left_for[0]
    assert "state=" in left_for[0]


def test_two_people_go_live_one_after_the_other(scene, page_of):
    vendors(scene)
    Practice.objects.filter(pk=scene.practice.pk).update(is_shadow=True)
    first, second = page_of("ada"), page_of("osei", width=390)
    first.goto(reverse("review:going_live"))
    first.get_by_role("button", name="Ask to go live").click()
    assert first.get_by_role("button", name="Confirm: go live").count() == 0
    second.goto(reverse("review:going_live"))
    second.get_by_role("button", name="Confirm: go live").click()
    second.get_by_text("The practice is live").first.wait_for()
    scene.practice.refresh_from_db()
    assert not scene.practice.is_shadow
