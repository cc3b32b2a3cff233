"""The pages of the API in a real browser: nothing sticks out, and a token is made and agreed to by clicks alone."""

import pytest
from django.urls import reverse

from review.models import ApiToken
from tests.browser.test_pages import outside
from tests.review.api import programs

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_no_page_of_the_api_sticks_out(scene, page_of, shot, width):
    programs.token(scene, "osei")
    programs.token(scene, "mia", accepted_at=None, name="A program with a rather long name of forty-five")
    programs.token(scene, "cora", revoked_at=programs.NOW)
    page = page_of("ada", width=width)
    for name in ("api_tokens", "api_docs"):
        assert page.goto(reverse(f"review:{name}")).status == 200, name
        shot(page, f"{name}-{width}")
        assert outside(page) == [], name


def test_a_token_is_made_by_one_person_and_agreed_to_by_another(scene, page_of, shot):
    page, own = page_of("ada"), page_of("osei", width=390)
    page.goto(reverse("review:connections"))
    page.get_by_role("link", name="API tokens").click()
    page.get_by_label("The program’s name").fill("Dashboard")
    page.get_by_label("Acts in the name of").select_option(label="Dr. Osei")
    page.get_by_label("Decide on requests").check()
    page.get_by_role("button", name="Make the token").click()
    text = page.locator("code.mono").inner_text()
    assert text.startswith("rh_")
    for width in (1440, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert outside(page) == [], width
        shot(page, f"api_token_made-{width}")
    page.set_viewport_size({"width": 1440, "height": 900})
    own.goto(reverse("review:api_tokens"))
    shot(own, "api_token_own-390")
    own.get_by_role("button", name="Let it act in my name").click()
    own.get_by_text("may now act in your name").wait_for()
    assert ApiToken.objects.get().accepted_at is not None
    page.goto(reverse("review:api_tokens"))
    assert text not in page.content()
    page.get_by_role("button", name="End Dashboard").click()
    page.get_by_text("of no use any more").wait_for()
    assert ApiToken.objects.get().revoked_at is not None
