"""A scripted reviewer clears a queue by keyboard alone: one key for each plain approval, the next item opens by itself.

ITEMS of them (10 here; `ITEMS=50 make test ARGS=tests/browser/test_fifty.py -s` prints the figure of the whole queue).
"""

import os
import time
from typing import Any

import pytest
from django.urls import reverse

from review.models import RefillRequest
from review.states import RequestState
from rules.models import DecisionRecord
from tests.review import scene as make

pytestmark = pytest.mark.browser
ITEMS = int(os.environ.get("ITEMS", "10"))


def test_one_key_for_each_plain_approval(scene: Any, page_of: Any) -> None:
    rows = [make.waiting(scene, first=f"Pat{n}", last=f"Vale{n}", days_left=n % 9) for n in range(ITEMS)]
    DecisionRecord.objects.filter(request_id__in=[row.id for row in rows]).update(findings=[])
    page = page_of("osei")
    page.goto(reverse("review:queue"))
    keys, began = 0, time.monotonic()
    page.keyboard.press("Enter")
    keys += 1
    page.wait_for_url("**/queue/*-*/")
    for left in range(ITEMS, 0, -1):
        before = page.url
        page.wait_for_timeout(650)  # decision keys are dead for 600 ms after a card is shown
        page.keyboard.press("a")
        keys += 1
        page.wait_for_url(lambda address, before=before: address != before)
        waiting = RefillRequest.objects.filter(state=RequestState.IN_REVIEW).count()
        assert waiting == left - 1, (left, page.url)
    seconds = time.monotonic() - began
    print(f"{ITEMS} items: {keys} keys, {(keys - 1) / ITEMS:.2f} an item, {seconds / ITEMS:.2f} s an item")
    assert keys == ITEMS + 1
    assert RefillRequest.objects.filter(state=RequestState.APPROVED).count() == ITEMS
    assert "Your queue is clear" in page.locator("main").inner_text()
