"""Every page against axe-core's rules for WCAG 2.2 AA, in a wide and a narrow window, light and dark: no violation."""

import importlib
from typing import Any

import pytest
from django.urls import reverse

from tests.browser.test_pages import fill

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = pytest.mark.browser
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def places(scene: Any) -> dict[str, list[str]]:
    """Each role's pages; those of one item with an item of each kind."""
    _, main, lost, back, item = fill(scene)
    importlib.import_module("review.workflow").raise_alarm(
        practice=scene.practice, kind="task_failed", key="x", now=importlib.import_module("tests.review.rows").NOW
    )
    cards = [reverse("review:card", args=[row.id]) for row in (main, lost, back)]
    return {
        "osei": [reverse("review:queue"), *cards, reverse("review:together"), reverse("review:decided"),
                 reverse("practices:signers"), reverse("practices:switches"), reverse("practices:consent"),
                 reverse("practices:account"), reverse("review:coverage"),
                 reverse("review:metrics"), reverse("review:timeline", args=[lost.id]), reverse("review:api_tokens"),
                 reverse("review:api_docs")],
        "mia": [reverse("review:today"), reverse("review:item", args=[item.id]), reverse("review:requests"),
                reverse("review:report"), reverse("review:pharmacies") + "?find=oak"],
        "cora": [reverse("review:audit") + "?entry=3", reverse("review:audit_exports"), reverse("review:epcs")],
        "ada": [reverse("review:connections"), reverse("review:receiver"), reverse("review:going_live")],
    }  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_no_page_breaks_a_rule_of_wcag(scene: Any, page_of: Any, width: int, scheme: str) -> None:
    checker, found = axe.Axe(), []
    for who, addresses in places(scene).items():
        page = page_of(who, width=width, height=900, color_scheme=scheme)
        for address in addresses:
            page.goto(address)
            for details in page.locator("details.act").all():
                details.evaluate("one => { one.removeAttribute('name'); one.open = false; }")
            result = checker.run(page, options={"runOnly": TAGS})
            found += [
                f"{address} {one['id']}: {one['nodes'][0]['target']} {one['nodes'][0].get('failureSummary', '')[:160]}"
                for one in result.response["violations"]
            ]
    assert not found, "\n".join(found)


def test_the_door_breaks_none_either(scene: Any, page_of: Any) -> None:
    page = page_of(None)
    page.goto(reverse("practices:sign_in"))
    assert axe.Axe().run(page, options={"runOnly": TAGS}).response["violations"] == []
