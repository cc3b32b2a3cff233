"""Signing in a real browser: by keyboard alone, the bytes' own fields shown, and what a wrong factor says."""

import importlib
from typing import Any

import pytest
from django.urls import reverse

from review.models import Dispatch, RefillRequest, Signature
from review.states import RequestState
from tests.browser.test_pages import outside

pytestmark = pytest.mark.browser


def load(name: str) -> Any:
    return importlib.import_module(name)


@pytest.fixture
def controlled(scene: Any, settings: Any) -> RefillRequest:
    """Zolpidem for Devon Clarke, in review with Dr. Osei, in a practice that signs here."""
    make, rows, signers = load("tests.review.scene"), load("tests.review.rows"), load("tests.signers")
    models = load("integrations.models")
    for provider, number in ((scene.osei, "AO1234563"), (scene.lind, "BL1234563")):
        provider.dea_number = number
    signers.signs_here(settings, scene.practice, scene.osei, scene.lind, asked_by=scene.ada)
    models.Connection.objects.create(
        practice=scene.practice, vendor="surescripts", stage="dev", status="active", base_url="http://127.0.0.1:9"
    )
    rows.make_pharmacy(service_levels=["New", "Cancel", "ControlledSubstance"])
    return make.waiting(
        scene, first="Devon", last="Clarke", days_left=0, text="Please refill my zolpidem",
        medication={"name": "zolpidem tartrate 10 mg oral tablet", "rxcui": "854873", "dispense_quantity": 30,
                    "sig": "Take 1 tablet by mouth at bedtime as needed for sleep"},
        drug_name="zolpidem tartrate 10 mg oral tablet", schedule="iv", rxcui="854873", rxcui_qualifier="SCD",
        quantity=30, quantity_unit="tablet", days_supply=30, refills=0, pharmacy_ncpdp="9990001",
        sig="Take 1 tablet by mouth at bedtime as needed for sleep",
    )  # fmt: skip


def test_signed_by_keyboard_alone(scene, controlled, page_of, shot):
    page = page_of("osei")
    page.goto(reverse("review:card", args=[controlled.id]))
    shot(page, "controlled-card-1440")
    page.wait_for_timeout(700)  # decision keys are dead for 600 ms
    page.keyboard.press("a")
    if page.locator("details.act[data-key=a] .ask").count():
        page.keyboard.press("Enter")
    page.wait_for_url("**/sign/")
    text = page.locator(".sign-page").inner_text()
    for told in ("zolpidem", "30 tablet", "AO1234563", "Devon", "12 Elm St", "at bedtime", "legally signing"):
        assert told in text, told
    assert not page.locator("input[name=ready]").is_checked()
    shot(page, "sign-1440")
    page.locator("input[name=ready]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("pass-word-12345")
    page.keyboard.press("Tab")
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    alert = page.locator("[role=alert]")
    alert.wait_for()
    assert "do not fit together" in alert.inner_text()
    shot(page, "sign-refused-1440")
    assert page.locator("input[name=ready]").is_checked()
    assert Signature.objects.count() == 0
    page.locator("#id_password").focus()
    page.keyboard.type("pass-word-12345")
    page.keyboard.press("Tab")
    page.keyboard.type(load("tests.signers").code_of(scene.osei.user))
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue/")
    assert "Signed: 1 prescription" in page.locator("main").inner_text()
    shot(page, "signed-1440")
    controlled.refresh_from_db()
    assert controlled.state == RequestState.APPROVED
    assert Dispatch.objects.get(kind="newrx").signature == Signature.objects.get()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844), (320, 640)])
def test_its_pages_stick_out_nowhere(scene, controlled, page_of, shot, width, height):
    workflow = load("review.workflow")
    workflow.prepare(
        request_id=controlled.id, user=scene.mia, provider=scene.osei, version=controlled.version,
        now=load("tests.review.rows").NOW,
    )  # fmt: skip
    workflow.report_found(practice=scene.practice, user=scene.cora, kind="other", words="A token lay on a desk",
                          now=load("tests.review.rows").NOW)  # fmt: skip
    workflow.make_day(practice=scene.practice, day=load("tests.review.rows").TODAY, counts={"signed": 2, "refused": 1},
                      now=load("tests.review.rows").NOW)  # fmt: skip
    sign = reverse("review:sign", args=[controlled.id])
    places = (
        ("osei", "sign", sign), ("lind", "sign-other", sign), ("mia", "sign-assistant", sign),
        ("osei", "sign-queue", reverse("review:queue")),
        ("osei", "sign-card", reverse("review:card", args=[controlled.id])),
        ("cora", "epcs", reverse("review:epcs")), ("ada", "signers", reverse("practices:signers")),
        ("osei", "signers-osei", reverse("practices:signers")),
    )  # fmt: skip
    for who, name, address in places:
        page = page_of(who, width=width, height=height)
        page.goto(address)
        assert page.locator("main h1:visible, main h2:visible").count(), name
        shot(page, f"{name}-{width}")
        assert outside(page) == [], f"{name} at {width}"
