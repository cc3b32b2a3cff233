"""The reading explained and corrected in a real browser: marks that can be seen, keys alone, and narrow screens."""

import re

import pytest
from django.urls import reverse

from review.models import EntryAlias, Kind, ReadingCorrection
from tests.browser.test_pages import outside
from tests.review import scene as make
from tests.review import taught
from tests.review.taught import LISINOPRIL, METOPROLOL_S, METOPROLOL_T

pytestmark = pytest.mark.browser
ASK = "Good morning! Please refill my metoprolol and the heart helper if you can, to Oak Street Pharmacy"


@pytest.fixture
def item(scene):
    entries = taught.listed(scene.practice, METOPROLOL_S, METOPROLOL_T, LISINOPRIL)
    return taught.item(scene.practice, ASK, entries, queue="prescriber"), entries


def named(scene, entries):
    """A name of the same patient, proposed on another message."""
    other = taught.item(scene.practice, "please refill the heart helper", entries)
    said = make.fields(other, entry=entries[0].external_id, words="heart helper", is_alias="1")
    assert scene.client("mia").post(reverse("review:correct", args=[other.id]), said).status_code == 302
    return EntryAlias.objects.get()


def card(row):
    return reverse("review:card", args=[row.id])


LOOKS = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (rgb) => { const [r, g, b] = rgb.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92
    : Math.pow((v + 0.055) / 1.055, 2.4); }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05); };
  return [...document.querySelectorAll(".words blockquote mark")].map((one) => {
    const style = getComputedStyle(one), back = parse(style.backgroundColor).slice(0, 3);
    const sign = one.querySelector("svg");
    return { kind: one.className.trim(), text: one.lastChild.textContent, line: style.textDecorationStyle,
      under: style.borderBottomStyle, ratio: ratio(parse(style.color).slice(0, 3), back),
      dots: ratio(parse(style.textDecorationColor).slice(0, 3), back),
      sign: sign ? sign.getBoundingClientRect().width : 0,
      said: [...one.querySelectorAll(".vh")].map((label) => label.textContent).join("") };
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_can_be_seen_and_told_apart_in_both_themes(scene, page_of, shot, item, scheme):
    row, entries = item
    named(scene, entries)
    page = page_of("osei", color_scheme=scheme)
    page.goto(card(row))
    shot(page, f"learn-card-{scheme}")
    marks = page.evaluate(LOOKS)
    assert all(mark["ratio"] >= 4.5 for mark in marks), marks
    drug = next(mark for mark in marks if mark["text"] == "metoprolol")
    assert "doubt" in drug["kind"]
    assert drug["line"] == "dotted"
    assert drug["dots"] >= 3
    assert drug["sign"] >= 10
    assert "[doubt: More than one entry of the list fits]" in drug["said"]
    assert "[drug: metoprolol]" in drug["said"]
    plain = next(mark for mark in marks if mark["kind"] == "seen")
    assert plain["line"] != "dotted"
    assert plain["under"] == "solid"
    whole = page.locator(".words blockquote").evaluate(
        "one => { const copy = one.cloneNode(true); copy.querySelectorAll('.vh').forEach((v) => v.remove());"
        " return copy.textContent; }")  # fmt: skip
    assert whole == ASK
    page.locator(".scroll").evaluate("one => one.scrollTo(0, 400)")
    shot(page, f"learn-card-more-{scheme}")


def test_a_reading_is_corrected_by_keyboard_alone(scene, page_of, shot, item):
    row, (_, _, right) = item
    page = page_of("osei")
    page.goto(card(row))
    page.wait_for_timeout(700)  # decision keys are dead for 600 ms
    page.keyboard.press("l")
    assert page.evaluate("document.activeElement.id") == "id_intent"
    shot(page, "learn-correct-1440")
    page.keyboard.press("Tab")  # the drugs: one stop, arrows within
    assert page.evaluate("document.activeElement.name") == "entry"
    for _ in range(6):
        if page.evaluate("document.activeElement.value") == right.external_id:
            break
        page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.value") == right.external_id
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "id_words":
            break
    page.keyboard.type("heart helper")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "id_is_alias"
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "id_rewritten"
    page.keyboard.press("Tab")
    focus = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert focus == "solid"
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    page.get_by_text("now a refill of the entry you chose").wait_for()
    row.refresh_from_db()
    assert (row.kind, row.entry_external_id, row.state) == (Kind.REFILL, right.external_id, "in_review")
    assert EntryAlias.objects.get().confirmed_at is None
    shot(page, "learn-corrected-1440")


def test_one_press_chooses_between_two_entries_without_scripts(scene, page_of, item):
    row, (_, right, _) = item
    page = page_of("osei", java_script_enabled=False)
    page.goto(card(row))
    page.get_by_role("button", name=re.compile("This one.*tartrate")).press("Enter")
    page.wait_for_load_state()
    row.refresh_from_db()
    assert (row.kind, row.entry_external_id) == (Kind.REFILL, right.external_id)
    assert ReadingCorrection.objects.get().drug_words == "metoprolol"


def test_a_refusal_opens_the_form_again_with_what_was_typed(scene, page_of, shot, item):
    row, _ = item
    page = page_of("osei")
    page.goto(card(row))
    page.locator("details[data-key=l] summary").click()
    page.locator("#id_rewritten").fill("Ana needs it")
    page.locator("#id_intent").select_option("lab")
    page.get_by_role("button", name="Correct for").click()
    page.locator("#id_rewritten_wrong").wait_for()
    assert page.locator("#id_rewritten").input_value() == "Ana needs it"
    assert page.locator("details[data-key=l]").evaluate("one => one.open")
    assert page.title().startswith("Error:")
    shot(page, "learn-refused-1440")


@pytest.mark.parametrize("width", [1024, 390, 320])
def test_nothing_sticks_out_and_every_target_can_be_hit(scene, page_of, shot, item, width):
    row, entries = item
    named(scene, entries)
    for who, address in (("osei", card(row)), ("mia", reverse("review:item", args=[row.id]))):
        page = page_of(who, width=width, height=844)
        page.goto(address)
        assert outside(page) == [], who
        shot(page, f"learn-{who}-{width}")
        page.locator(".words").scroll_into_view_if_needed()
        shot(page, f"learn-{who}-words-{width}")
        page.locator(".own-card").scroll_into_view_if_needed()
        shot(page, f"learn-{who}-names-{width}")
        page.locator("details[data-key=l] summary").click()
        assert outside(page) == [], who
        shot(page, f"learn-{who}-correct-{width}")
        small = page.evaluate("""() => [...document.querySelectorAll("main :is(button, summary, .btn, select, .check)")]
          .map((one) => [one, one.getBoundingClientRect()])
          .filter(([one, box]) => box.width && (box.width < 24 || box.height < 24))
          .map(([one, box]) => `${one.outerHTML.slice(0, 60)} ${box.width}x${box.height}`)""")
        assert small == [], who
        page.locator("#id_rewritten").scroll_into_view_if_needed()
        button = page.get_by_role("button", name="Correct for")
        button.scroll_into_view_if_needed()
        assert button.is_visible()


def test_a_prescriber_confirms_a_name_and_an_assistant_cannot(scene, page_of, item):
    row, entries = item
    alias = named(scene, entries)
    page = page_of("mia")
    page.goto(reverse("review:item", args=[row.id]))
    assert page.get_by_role("button", name="Confirm").count() == 0
    assert page.get_by_role("button", name="End “heart helper”").count() == 1
    page = page_of("osei")
    page.goto(card(row))
    page.get_by_role("button", name="Confirm “heart helper”").press("Enter")
    page.get_by_text("Confirmed by Dr. Osei").wait_for()
    alias.refresh_from_db()
    assert alias.confirmed_by == scene.osei.user
