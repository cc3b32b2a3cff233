"""The rule editor in a real browser: a recipe built by mouse alone and by keyboard alone, tried, published, cited."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from integrations.models import MirrorPatient
from refillhub.practices import clock
from review import backtest
from rules import recipes
from rules.models import DecisionRecord, RuleVersion
from tests.browser.test_pages import SIZES, outside
from tests.review import rows

pytestmark = pytest.mark.browser

BUILT = {
    "all": [
        {"fact": "entry.is_active", "op": "is", "value": True},
        {"fact": "visit.days_since", "op": "more_than", "value": {"policy": "visit_limit_days"}},
    ]
}


def home() -> str:
    return reverse("admin:rules_ruleversion_changelist")


def draft_of(scene: Any) -> RuleVersion:
    return RuleVersion.objects.filter(practice=scene.practice).latest("number")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_page_of_the_editor_sticks_out_at_any_width(
    scene: Any, page_of: Any, shot: Any, width: int, height: int
) -> None:
    page = page_of("ada", width=width, height=height)
    page.goto(home())
    shot(page, f"rules-home-{width}")
    page.get_by_role("button", name="Start a draft").click()
    version = draft_of(scene)
    for name in ("version", "limits", "classes", "floor", "preview", "citations", "labs"):
        page.goto(reverse(f"admin:rules_{name}", kwargs={"pk": version.pk}))
        assert outside(page) == [], name
        shot(page, f"rules-{name}-{width}")
    page.goto(reverse("admin:rules_recipe", kwargs={"pk": version.pk, "key": "auto_refill"}))
    assert outside(page) == []
    shot(page, f"rules-recipe-{width}")
    page.goto(reverse("admin:rules_protocol", kwargs={"pk": version.pk, "key": "acei_arb"}) + "?add=uacr")
    assert outside(page) == []
    shot(page, f"rules-protocol-{width}")
    page.goto(reverse("admin:rules_written"))
    assert outside(page) == []
    shot(page, f"rules-written-{width}")


def choose(page: Any, label: str, row: int, text: str) -> None:
    """Take an option of a row's list, and wait for the form to come back."""
    group = page.get_by_role("group", name=f"Row {row}", exact=True)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        group.get_by_label(label, exact=True).select_option(label=text)
    page.wait_for_load_state("networkidle")


def build_by_mouse(page: Any) -> None:
    page.get_by_role("button", name="Switch Needs a visit off").click()
    page.get_by_role("button", name="Add recipe").click()
    page.get_by_role("link", name="Own recipe 1").first.click()
    page.get_by_role("group", name="Row 1", exact=True).get_by_role("button", name="Add a condition").click()
    page.get_by_role("group", name="Row 3", exact=True).wait_for()
    choose(page, "Fact", 3, "days since the last qualifying visit (days)")
    choose(page, "Comparison", 3, "is more than")
    choose(page, "Value or limit", 3, "the practice's limit: visit limit days")
    page.get_by_role("button", name="Move row 3 up").click()
    page.get_by_text("Goes on when days since").wait_for()
    page.get_by_role("button", name="Move row 2 down").click()
    page.get_by_text("Goes on when the drug is active").wait_for()
    page.locator("#step-form").get_by_role("button", name="Save step").last.click()
    page.get_by_text("The step is kept in the draft.").wait_for()
    page.get_by_role("link", name="Review by a person, with the prescriber").click()
    page.get_by_label("What happens").select_option(label="Ask the patient for a visit")
    page.locator("#step-form").get_by_role("button", name="Save step").last.click()
    page.get_by_text("The step is kept in the draft.").wait_for()


def tab_to(page: Any, name: str, *, inside: str = "") -> None:
    """Press Tab until the element of this name has the focus."""
    for _ in range(150):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const one = document.activeElement, label = one.labels && one.labels[0];
               const row = one.closest('[role=group]');
               return [one.getAttribute('aria-label') || (label ? label.textContent : one.textContent).trim(),
                       row ? row.getAttribute('aria-label') : '']; }"""
        )
        if found[0] == name and (not inside or found[1] == inside):
            return
    pytest.fail(f"no Tab leads to {name!r}")


def pick(page: Any, label: str, row: str, text: str) -> None:
    """Choose in a list by typing."""
    tab_to(page, label, inside=row)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.type(text, delay=20)
    page.wait_for_load_state("networkidle")


def build_by_keyboard(page: Any) -> None:
    tab_to(page, "Add recipe")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Own recipe 1").first.wait_for()
    tab_to(page, "Own recipe 1")
    page.keyboard.press("Enter")
    page.get_by_role("group", name="Row 1", exact=True).wait_for()
    tab_to(page, "Add a condition", inside="Row 1")
    page.keyboard.press("Enter")
    page.get_by_role("group", name="Row 3", exact=True).wait_for()
    pick(page, "Fact", "Row 3", "days since the last q")
    pick(page, "Comparison", "Row 3", "is more")
    pick(page, "Value or limit", "Row 3", "the practice's limit: visit")
    page.get_by_text("is more than 365 days (visit limit days)").first.wait_for()
    tab_to(page, "Save step")
    page.keyboard.press("Enter")
    page.get_by_text("The step is kept in the draft.").wait_for()


def code_of(user: Any) -> str:
    device = TOTPDevice.objects.get(user=user)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time()
    return f"{totp.token():06d}"


def test_a_recipe_built_by_mouse_is_tried_published_by_a_second_person_and_cited(
    scene: Any, page_of: Any, shot: Any
) -> None:
    rows.admit(scene.practice)
    page = page_of("ada")
    page.goto(home())
    page.get_by_role("button", name="Start a draft").click()
    version = draft_of(scene)
    build_by_mouse(page)
    version.refresh_from_db()
    own = next(row for row in version.document["recipes"] if row["key"] == "own_1")
    assert own["nodes"]["step_1"]["if"] == BUILT
    assert own["nodes"]["then"]["then"] == "ask_visit"
    shot(page, "rules-built")

    page.get_by_role("link", name="Preview").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("0 of 0").wait_for()
    assert backtest.run_due(clock=clock.now) == 1
    page.get_by_text("1 recorded decisions").wait_for()
    shot(page, "rules-previewed")
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("button", name="Propose for publishing").click()

    second = page_of("osei")
    second.goto(reverse("admin:rules_version", kwargs={"pk": version.pk}))
    second.get_by_text("Tried: nothing would become automatic.").wait_for()
    second.get_by_label("Your code").fill("000000")
    second.get_by_role("button", name="Publish").click()
    second.get_by_text("This code is not right").first.wait_for()
    TOTPDevice.objects.filter(user=scene.osei.user).update(
        throttling_failure_count=0, throttling_failure_timestamp=None
    )
    second.get_by_label("Your code").fill(code_of(scene.osei.user))
    second.get_by_role("button", name="Publish").click()
    second.get_by_text("Published and in force.").wait_for()
    shot(second, "rules-published")

    medication = rows.make_medication(scene.practice, "70119999")
    MirrorPatient.objects.filter(external_id="70119999").update(last_visit_on=rows.TODAY - timedelta(days=400))
    rows.admit(scene.practice, medication, now=clock.now(), patient_external_id="70119999", sender_id="pat_2")
    record = DecisionRecord.objects.latest("pk")
    assert record.version_id == version.pk
    assert record.recipe == "own_1"
    assert ["own_1.step_1", "visit.days_since", "400", "more_than 365", True] in [step[:5] for step in record.trace]


def test_the_same_recipe_is_built_by_keyboard_alone(scene: Any, page_of: Any) -> None:
    page = page_of("ada")
    page.goto(home())
    tab_to(page, "Start a draft")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Propose for publishing").wait_for()
    version = draft_of(scene)
    build_by_keyboard(page)
    version.refresh_from_db()
    own = next(row for row in version.document["recipes"] if row["key"] == "own_1")
    assert own["nodes"]["step_1"]["if"] == BUILT
    assert len(version.document["recipes"]) == len(recipes.ready_made()) + 1


def test_without_scripts_the_editor_still_works(scene: Any, page_of: Any) -> None:
    page = page_of("ada", java_script_enabled=False)
    page.goto(home())
    page.get_by_role("button", name="Start a draft").click()
    version = draft_of(scene)
    page.goto(reverse("admin:rules_recipe", kwargs={"pk": version.pk, "key": "needs_visit"}))
    page.get_by_role("group", name="Row 1", exact=True).get_by_role("button", name="Add a condition").click()
    row = page.get_by_role("group", name="Row 6", exact=True)
    row.get_by_label("Fact").select_option("patient.age")
    row.get_by_role("button", name="Show choices").click()
    row = page.get_by_role("group", name="Row 6", exact=True)
    row.get_by_label("Comparison").select_option("at_least")
    row.get_by_label("Value", exact=True).fill("65")
    page.locator("#step-form").get_by_role("button", name="Save step").last.click()
    version.refresh_from_db()
    found = next(one for one in version.document["recipes"] if one["key"] == "needs_visit")
    assert found["nodes"]["when"]["if"]["all"][-1] == {"fact": "patient.age", "op": "at_least", "value": 65}
