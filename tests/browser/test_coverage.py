"""The coverage page in a real browser: two steps without scripts, nothing sticks out, at desk and phone widths."""

from datetime import timedelta

import pytest

from refillhub.practices.models import Coverage, Provider
from tests.browser.test_pages import outside
from tests.review import rows
from tests.review import scene as make

pytestmark = pytest.mark.browser
SIZES = [(1440, 900), (390, 844), (320, 640)]


def fill(scene):
    moss = rows.make_provider(scene.practice, "Moss-Featherstone", doctor_id="302120")
    for number, one in enumerate((moss, scene.osei), start=1):
        Provider.objects.filter(pk=one.pk).update(on_call_order=number)
    for who, minutes in ((scene.osei, 125), (scene.osei, 40), (scene.lind, 70)):
        make.waiting(scene, prescriber=who, assignee=who, minutes=minutes, days_left=0 if minutes > 100 else 5)
    for who, stand_in, start, hours in ((moss, None, -20, 30), (scene.lind, moss, 100, 30)):
        Coverage.objects.create(
            practice=scene.practice, provider=who, stand_in=stand_in, starts_at=make.NOW + timedelta(hours=start),
            ends_at=make.NOW + timedelta(hours=start + hours), note="Conference",
        )  # fmt: skip


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_an_absence_is_arranged_in_two_steps_without_scripts(scene, page_of, shot, width, height):
    fill(scene)
    page = page_of("mia", width=width, height=height, java_script_enabled=width == 1440)
    page.goto("/coverage/")

    def look(name):
        page.evaluate("window.scrollTo(0, 0)")
        shot(page, f"coverage-{name}-{width}")
        assert outside(page) == [], f"{name} at {width}"

    look("page")
    page.locator("#id_provider").select_option(label="Dr. Moss-Featherstone")
    page.locator("#id_starts_at").fill("2026-11-17T12:00")
    page.get_by_role("button", name="Preview").click()
    assert "Dr. Moss-Featherstone is away already" in page.locator(".errors").inner_text()
    assert not Coverage.objects.filter(provider=scene.osei).exists()
    look("refused")
    page.goto("/coverage/")
    page.locator("#id_provider").select_option(label="Dr. Osei")
    page.locator("#id_stand_in").select_option(label="Dr. Lind")
    page.get_by_role("button", name="Preview").click()
    assert "2 waiting requests" in page.locator(".sentence").inner_text()
    assert not Coverage.objects.filter(provider=scene.osei).exists()
    look("preview")
    page.get_by_role("button", name="Arrange the absence").click()
    assert "The absence is arranged." in page.locator("[role=status]").first.inner_text()
    assert Coverage.objects.get(provider=scene.osei).stand_in == scene.lind
    page.locator("#id_who").select_option(label="Dr. Moss-Featherstone")
    page.get_by_role("button", name="Show the way").click()
    assert "Dr. Osei would get it" in page.locator(".answer").inner_text()
    look("who")
    if width == 1440:
        page.emulate_media(color_scheme="dark")
        look("dark")
        page.set_viewport_size({"width": 1440, "height": 2000})
        look("whole")
    if width == 390:
        page.set_viewport_size({"width": 390, "height": 3600})
        look("whole")
