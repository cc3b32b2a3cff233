"""The pages in a real browser: decided by keyboard alone, nothing outside the page, nothing against the policy."""

import time

import pytest
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from review.models import Queue, RefillRequest
from review.states import RequestState
from tests.review import scene as make

pytestmark = pytest.mark.browser

SIZES = [(1440, 900), (1024, 768), (390, 844), (320, 640)]
PEOPLE = (
    ("Ruth", "Feldman", 0, 125), ("Imani", "Brooks", 3, 52), ("Leonard", "Shaw", 5, 44), ("Grace", "Kim", 6, 151),
    ("Walter", "Boone", 11, 194), ("June", "Whitaker", 12, 26), ("Devon", "Clarke", None, 48),
)  # fmt: skip


def fill(scene):
    rows = [
        make.waiting(scene, first=first, last=last, days_left=days, minutes=minutes)
        for first, last, days, minutes in PEOPLE
    ]
    main = make.waiting(
        scene,
        first="Ana",
        last="Reyes",
        days_left=2,
        text="Good morning! I have 2 lisinopril left. Could you please send my refill to Oak Street Pharmacy?",
    )
    lost = make.waiting(scene, first="Hanna", last="Moss", days_left=1, reasons=["unresolved"], is_locked=True)
    back = make.waiting(
        scene,
        first="Rosa",
        last="Quint",
        days_left=4,
        reasons=["transmission_failed"],
        last_code="900 / 4040",
        last_text="Pharmacy takes no electronic prescriptions",
    )
    item = make.message(scene, queue=Queue.ASSISTANT)
    return rows, main, lost, back, item


def outside(page):
    """Elements that stick out of the page to the right, unless something around them scrolls."""
    return page.evaluate("""() => {
      const wide = document.documentElement.clientWidth, found = [];
      if (document.documentElement.scrollWidth > wide + 1) found.push("page " + document.documentElement.scrollWidth);
      for (const one of document.querySelectorAll("main *")) {
        const box = one.getBoundingClientRect();
        if (!box.width || !box.height || box.right <= wide + 1) continue;
        let scrolls = false;
        for (let up = one.parentElement; up; up = up.parentElement)
          if (/auto|scroll|hidden/.test(getComputedStyle(up).overflowX)) { scrolls = true; break; }
        if (!scrolls) found.push(one.tagName + "." + one.className + " " + Math.round(box.right));
      }
      return found.slice(0, 8);
    }""")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_page_sticks_out_at_any_width(scene, page_of, shot, width, height):
    _, main, lost, back, item = fill(scene)
    seen = {
        "osei": [("queue", reverse("review:queue")), ("card", reverse("review:card", args=[main.id])),
                 ("locked", reverse("review:card", args=[lost.id])), ("back", reverse("review:card", args=[back.id])),
                 ("decided", reverse("review:decided")), ("together", reverse("review:together")),
                 ("switches", reverse("practices:switches"))],
        "mia": [("today", reverse("review:today")), ("item", reverse("review:item", args=[item.id])),
                ("requests", reverse("review:requests")),
                ("pharmacies", reverse("review:pharmacies") + "?find=oak"), ("report", reverse("review:report"))],
        "cora": [("audit", reverse("review:audit") + "?entry=3"), ("exports", reverse("review:audit_exports"))],
    }  # fmt: skip
    for who, places in seen.items():
        page = page_of(who, width=width, height=height)
        for name, address in places:
            page.goto(address)
            assert page.locator("main h1:visible, main h2:visible").count(), name
            shot(page, f"{name}-{width}")
            assert outside(page) == [], f"{name} at {width}"
            if name in ("card", "item") and width in (1440, 390):
                for key in ("d", "c", "e"):
                    panel = page.locator(f"details.act[data-key={key}]")
                    if panel.count() and panel.locator("summary").is_visible():
                        panel.locator("summary").click()
                        shot(page, f"{name}-{key}-{width}")
                        assert outside(page) == [], f"{name} {key} at {width}"
                        panel.locator("summary").click()


def test_from_sign_in_to_a_decision_without_a_mouse(scene, page_of, shot):
    _, main, *_ = fill(scene)
    page = page_of(None)
    page.goto("/queue/")
    page.wait_for_function("document.activeElement.name !== undefined")
    page.keyboard.type(scene.osei.user.email)
    page.keyboard.press("Tab")
    page.keyboard.type("pass-word-12345")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/code/**")
    page.wait_for_function("document.activeElement.name !== undefined")  # the field has its focus only after load
    device = TOTPDevice.objects.get(user=scene.osei.user)
    page.keyboard.type(f"{TOTP(device.bin_key, device.step, device.t0, device.digits).token():06d}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue/")
    for _ in range(12):
        page.keyboard.press("j")
        if page.evaluate("document.activeElement.id") == f"r-{main.id}":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/queue/{main.id}/")
    page.wait_for_timeout(700)  # decision keys are dead for 600 ms
    page.keyboard.press("a")
    question = page.locator("details.act[data-key=a] .ask")
    assert question.is_visible()
    shot(page, "question-1440")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: str(main.id) not in address)
    main.refresh_from_db()
    assert main.state == RequestState.APPROVED
    assert "leaves in" in page.locator(".tray").inner_text()
    shot(page, "tray-1440")
    page.wait_for_timeout(700)
    page.keyboard.press("z")
    page.wait_for_url(f"**/queue/{main.id}/")
    main.refresh_from_db()
    assert main.state == RequestState.IN_REVIEW


def test_a_held_down_key_decides_one_card_not_ten(scene, page_of):
    # Emptied of criteria, one key approves at once: the worst case for a held key.
    rows = [make.waiting(scene, days_left=days) for days in range(5)]
    from rules.models import DecisionRecord

    DecisionRecord.objects.update(findings=[])
    page = page_of("osei")
    page.goto(reverse("review:card", args=[rows[0].id]))
    page.wait_for_timeout(700)
    page.keyboard.down("a")
    until = time.monotonic() + 3
    while time.monotonic() < until:  # a held key: the browser repeats it
        page.keyboard.down("a")
        page.wait_for_timeout(40)
    page.keyboard.up("a")
    decided = RefillRequest.objects.exclude(state=RequestState.IN_REVIEW).count()
    assert decided == 1


def test_without_scripts_the_same_decision_takes_tab_and_enter(scene, page_of):
    main = make.waiting(scene)
    page = page_of("osei", java_script_enabled=False)
    page.goto(reverse("review:queue"))
    page.locator(f"#r-{main.id}").press("Enter")
    page.locator("details.act[data-key=a] summary").press("Enter")
    page.locator("details.act[data-key=a] button").press("Enter")
    page.wait_for_url("**/queue/")
    main.refresh_from_db()
    assert main.state == RequestState.APPROVED
    page.locator(".tray button").press("Enter")
    page.wait_for_url(f"**/queue/{main.id}/")
    main.refresh_from_db()
    assert main.state == RequestState.IN_REVIEW


def test_a_reason_is_chosen_by_its_number(scene, page_of):
    main = make.waiting(scene)
    page = page_of("osei")
    page.goto(reverse("review:card", args=[main.id]))
    page.wait_for_timeout(700)
    page.keyboard.press("d")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue/")
    main.refresh_from_db()
    assert (main.state, main.answer_code) == (RequestState.DENIED, "AD")


def test_decision_keys_are_dead_just_after_a_card_is_shown_and_while_typing(scene, page_of):
    main = make.waiting(scene)
    page = page_of("osei")
    page.goto(reverse("review:card", args=[main.id]))
    page.keyboard.press("a")
    assert not page.locator("details.act[data-key=a]").evaluate("one => one.open")
    page.locator("#id_note_text").focus()
    page.wait_for_timeout(700)
    page.keyboard.type("added")
    assert page.locator("#id_note_text").input_value() == "added"
    assert page.locator("details.act[open]").count() == 0


def test_a_refresh_brings_new_rows_but_never_moves_the_focus(scene, page_of):
    first = make.waiting(scene, days_left=5)
    page = page_of("osei")
    page.goto(reverse("review:queue"))
    second = make.waiting(scene, days_left=0)
    refresh = "htmx.ajax('GET', '/queue/list/', {source: '#list-part', target: '#list-part', swap: 'outerHTML'})"
    page.locator(f"#r-{first.id}").focus()
    page.evaluate(refresh)
    page.wait_for_timeout(400)
    assert page.locator(f"#r-{second.id}").count() == 0
    assert page.evaluate("document.activeElement.id") == f"r-{first.id}"
    page.evaluate("document.activeElement.blur()")
    page.evaluate(refresh)
    page.locator(f"#r-{second.id}").wait_for()
    assert page.locator("#rows .row").first.get_attribute("id") == f"r-{second.id}"


def test_the_countdown_runs_and_text_of_a_patient_runs_nothing(scene, page_of):
    row = make.waiting(scene, text='refill <img src=x onerror="window.hurt=1"><script>window.hurt=1</script>')
    make.waiting(scene)
    page = page_of("osei")
    page.goto(reverse("review:card", args=[row.id]))
    assert page.evaluate("window.hurt") is None
    assert page.locator(".words blockquote mark").evaluate("one => one.lastChild.textContent") == "refill"
    page.wait_for_timeout(700)
    page.keyboard.press("v")
    page.keyboard.press("Enter")
    clock = page.locator(".tray .clock")
    before = clock.inner_text()
    page.wait_for_timeout(2100)
    assert clock.inner_text() < before


def test_targets_are_large_enough_to_hit(scene, page_of):
    _, main, *_ = fill(scene)
    for who, address in (
        ("osei", reverse("review:card", args=[main.id])),
        ("mia", reverse("review:today")),
        ("cora", reverse("review:audit")),
    ):
        page = page_of(who, width=390, height=844)
        page.goto(address)
        small = page.evaluate("""() => [...document.querySelectorAll("main :is(button, summary, .btn, select)")]
          .map(one => [one, one.getBoundingClientRect()])
          .filter(([one, box]) => box.width && (box.width < 24 || box.height < 24))
          .map(([one, box]) => `${one.outerHTML.slice(0, 60)} ${box.width}x${box.height}`)""")
        assert small == [], who


def test_a_bridge_is_given_with_two_keys(scene, page_of, shot):
    row = make.waiting(scene, quantity=90, days_supply=90, refills=1)
    page = page_of("osei")
    page.goto(reverse("review:card", args=[row.id]))
    page.wait_for_timeout(700)  # decision keys are dead for 600 ms
    page.keyboard.press("c")
    shot(page, "bridge")
    page.get_by_role("button", name="Bridge 30 days").wait_for()
    page.keyboard.press("1")
    page.get_by_text("Approved; it leaves in").wait_for()
    row.refresh_from_db()
    assert (row.state, row.quantity, row.days_supply, row.refills) == ("approved", 30, 30, 0)
