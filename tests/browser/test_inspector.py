"""The timeline in a real browser: lanes on a desk, on a telephone what failed first and a list; one click anew."""

from datetime import timedelta

import pytest
from django.urls import reverse

from integrations.outcome import OutcomeKind
from review.models import Dispatch, EventLink, RefillRequest
from tests.browser.test_pages import outside
from tests.review import rows
from tests.review import scene as make
from tests.review.rows import NOW

pytestmark = pytest.mark.browser


def lived(scene):
    """A request approved by itself, taken by the network, its message to the patient refused."""
    event = rows.make_event(scene.practice, sent_at=NOW - timedelta(seconds=95),
                            received_at=NOW - timedelta(seconds=92), due_at=NOW - timedelta(seconds=2), read_at=NOW)
    type(scene.practice).objects.filter(pk=scene.practice.pk).update(undo_seconds_automatic=20)
    scene.practice.refresh_from_db()
    row = rows.admit(scene.practice, events=(event,), asked_at=NOW - timedelta(seconds=95))
    EventLink.objects.get_or_create(event=event, request=row)
    at = NOW + timedelta(seconds=21)
    rows.send(row, OutcomeKind.ACCEPTED, now=at, only="newrx")
    rows.send(row, OutcomeKind.REJECTED, now=at + timedelta(milliseconds=840), only="reply", code="422",
              text="conversation closed")
    Dispatch.objects.filter(request=row, kind="chart", state="sending").update(
        state="unknown", next_check_at=NOW + timedelta(minutes=6), settled_at=NOW)
    return row


def refused(scene):
    row = make.waiting(scene, last_code="900 / 1000", last_text="Unable to identify the receiver 1482203",
                       reasons=["transmission_failed"])
    Dispatch.objects.create(
        practice=scene.practice, request=row, kind="newrx", lane="routine", schedule="not_controlled",
        state="rejected", is_shadow=False, document_sealed=b"x", document_sha256="b" * 64, message_id="RH-1",
        order_number="RHO-1", idempotency_key="n1", due_at=NOW, queued_at=NOW, settled_at=NOW, code="900",
        description_codes=["1000"], text="Unable to identify the receiver 1482203", attempt=1)
    return row


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844), (320, 640)])
def test_the_timeline_sticks_out_nowhere_and_opens_its_details(scene, page_of, shot, width, height):
    done, back = lived(scene), refused(scene)
    for who, row, name in (("mia", done, "sent"), ("mia", back, "refused"), ("ada", back, "admin")):
        page = page_of(who, width=width, height=height)
        page.goto(reverse("review:timeline", args=[row.id]))
        shot(page, f"timeline-{name}-{width}")
        assert outside(page) == [], name
        for place in range(page.locator("details.shapes").count()):
            page.locator("details.shapes > summary").nth(place).click()
        assert outside(page) == [], f"{name} unfolded"
        page.evaluate("document.querySelector('.lanes').scrollIntoView()")
        shot(page, f"timeline-{name}-{width}-unfolded")
        if page.locator("#wy").count():
            page.evaluate("document.querySelector('#wy').scrollIntoView()")
            shot(page, f"timeline-{name}-{width}-why")


def test_on_a_telephone_what_failed_comes_first_and_vendors_stand_in_words(scene, page_of):
    row = refused(scene)
    page = page_of("mia", width=390, height=844)
    page.goto(reverse("review:timeline", args=[row.id]))
    top = {name: page.locator(f"#{name}").bounding_box()["y"] for name in ("wf", "tl")}
    assert top["wf"] < top["tl"]
    assert not page.locator(".lanes td.l").first.is_visible()
    assert page.locator(".lanes .who").first.is_visible()


def test_a_dead_message_goes_anew_by_one_click(scene, page_of, shot):
    row = lived(scene)
    page = page_of("mia")
    page.goto(reverse("review:timeline", args=[row.id]))
    page.get_by_role("button", name="Send this message anew").click()
    page.get_by_text("Queued anew").wait_for()
    shot(page, "timeline-anew")
    assert page.get_by_role("button", name="Send this message anew").count() == 0
    assert Dispatch.objects.filter(request=row, kind="reply", predecessor__isnull=False).count() == 1
    assert RefillRequest.objects.get(pk=row.pk).state in ("sent", "done")
