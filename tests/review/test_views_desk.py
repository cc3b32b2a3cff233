"""The assistant's pages: figures, what to do now, every message counted, held items taken up, the list."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from integrations.models import Connection
from refillhub.practices.models import Coverage
from review import queries_desk, queries_requests
from review.models import Alarm, EventLink, InboundEvent, Progress, Queue, RefillRequest
from review.states import RequestState
from tests.review import rows
from tests.review import scene as make
from tests.review.rows import NOW, TODAY
from tests.review.scene import fields

R = RequestState
MIDNIGHT = datetime(2026, 11, 17, tzinfo=ZoneInfo("America/New_York"))


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def desk(scene):
    return queries_desk.desk(practice=scene.practice, now=NOW, midnight=MIDNIGHT, today=TODAY)


def held(scene, **values):
    row = make.waiting(scene, **values)
    RefillRequest.objects.filter(pk=row.pk).update(state=R.HELD, queue=Queue.NOBODY, reasons=[])
    row.refresh_from_db()
    return row


def test_the_five_figures_count_what_they_say(scene):
    make.waiting(scene, days_left=0)
    make.waiting(scene, last_code="900 / 1000")
    make.waiting(scene, is_locked=True)
    make.message(scene)
    held(scene)
    found = desk(scene)
    assert (found.open_count, found.failed, found.people, found.out_today, found.held_count) == (5, 2, 1, 1, 1)


def test_danger_comes_first_then_failures_then_what_an_assistant_can_do(scene):
    mine = make.waiting(scene, queue=Queue.ASSISTANT, days_left=0)
    failed = make.waiting(scene, last_code="900 / 4040", days_left=4)
    locked = make.waiting(scene, is_locked=True, days_left=9)
    symptom = make.message(scene)
    make.waiting(scene)  # with the prescriber: not the assistant's to do
    assert [one.request.id for one in desk(scene).todo] == [symptom.id, locked.id, failed.id, mine.id]


def test_the_page_shows_names_codes_and_the_words_for_each(scene):
    make.waiting(
        scene,
        first="Rosa",
        last="Quint",
        last_code="900 / 4040",
        reasons=["transmission_failed"],
        last_text="Takes no electronic prescriptions",
    )
    page = scene.client("mia").get(reverse("review:today"))
    words = text_of(page)
    for part in ("Rosa Quint", "900 / 4040", "Rejected by the network", "Takes no electronic prescriptions", "1 open"):
        assert part in words, part
    assert "<title>Today" in page.content.decode()


def test_waiting_is_counted_by_owner_and_age(scene):
    for minutes in (10, 70, 130, 300):
        make.waiting(scene, minutes=minutes)
    make.waiting(scene, assignee=scene.lind, minutes=10, days_left=0)
    make.waiting(scene, queue=Queue.ADMINISTRATOR, assignee=None, minutes=10)
    found = {one.name: one for one in desk(scene).owners}
    assert found["Dr. Osei"].ages == (1, 1, 1, 1)
    assert (found["Dr. Lind"].total, found["Dr. Lind"].out) == (1, 1)
    assert found["Nobody yet"].total == 1
    assert desk(scene).late == 1


def test_every_message_is_counted_to_one_end_and_a_lost_one_is_said(scene):
    make.waiting(scene)
    make.message(scene)
    twin = make.waiting(scene)
    RefillRequest.objects.filter(pk=twin.pk).update(state=R.DUPLICATE)
    rows.make_event(scene.practice, progress=Progress.RECEIVED)
    rows.make_event(scene.practice, progress=Progress.QUARANTINED)
    rows.make_event(scene.practice, progress=Progress.IGNORED)
    rows.make_event(scene.practice, progress=Progress.READ, received_at=MIDNIGHT - timedelta(seconds=1))
    found = desk(scene).accounting
    assert (found.messages, found.unowned) == (6, 0)
    assert (found.requests, found.people, found.duplicates) == (1, 1, 1)
    assert (found.reading, found.set_aside, found.noted) == (1, 1, 1)
    rows.make_event(scene.practice, progress=Progress.READ)
    assert desk(scene).accounting.unowned == 1
    assert "1 message without an owner" in text_of(scene.client("mia").get(reverse("review:today")))


def test_a_message_for_two_drugs_is_one_message(scene):
    first, second = make.waiting(scene), make.waiting(scene)
    event = InboundEvent.objects.filter(links__request=first).get()
    EventLink.objects.create(event=event, request=second)
    assert desk(scene).accounting.messages == 2
    assert desk(scene).accounting.unowned == 0


def test_a_held_item_is_taken_up_from_the_page(scene):
    row = held(scene)
    client = scene.client("mia")
    page = client.get(reverse("review:today"))
    address = reverse("review:take_up", args=[row.id])
    assert address in page.content.decode()
    answer = client.post(address, fields(row, place="desk"))
    assert answer["Location"] == reverse("review:today")
    row.refresh_from_db()
    assert (row.state, row.queue, row.assignee) == (R.IN_REVIEW, Queue.PRESCRIBER, scene.osei)


def test_alarms_vendors_and_absences_stand_on_the_page(scene):
    Alarm.objects.create(
        practice=scene.practice,
        kind="coverage_gap",
        sentence="Nobody covers Dr. Osei.",
        opened_at=NOW,
        last_seen_at=NOW,
    )
    Alarm.objects.create(
        practice=scene.practice, kind="old", sentence="Long over.", opened_at=NOW, last_seen_at=NOW, closed_at=NOW
    )
    Connection.objects.create(
        practice=scene.practice,
        vendor="klara",
        stage="dev",
        status="active",
        last_webhook_at=NOW - timedelta(minutes=3),
    )
    Connection.objects.create(
        practice=scene.practice,
        vendor="surescripts",
        stage="dev",
        status="active",
        last_error_at=NOW,
        last_error_code="503",
    )
    Coverage.objects.create(
        practice=scene.practice,
        provider=scene.osei,
        stand_in=scene.lind,
        starts_at=NOW + timedelta(days=1),
        ends_at=NOW + timedelta(days=2),
    )
    words = text_of(scene.client("mia").get(reverse("review:today")))
    assert "Nobody covers Dr. Osei." in words
    assert "Long over." not in words
    assert "last sign of life 3 m ago" in words
    assert "last call failed 0 m ago (503)" in words
    assert "Dr. Lind" in words


def test_the_part_that_refreshes_has_no_frame_and_counts_as_idle(scene):
    client = scene.client("mia")
    page = client.get(reverse("review:today"), headers={"X-Refresh": "1", "HX-Request": "true"})
    assert b"<html" not in page.content
    assert b"At a glance" in page.content
    assert "seen_at" not in client.session


def test_the_morning_report_puts_pressing_ones_first(scene):
    night = NOW - timedelta(hours=5)
    calm = make.waiting(scene, last="Calm")
    pressing = make.waiting(scene, last="Pressing")
    RefillRequest.objects.filter(pk__in=[calm.pk, pressing.pk]).update(asked_at=night)
    RefillRequest.objects.filter(pk=pressing.pk).update(is_urgent=True)
    words = text_of(scene.client("mia").get(reverse("review:report")))
    assert words.index("Ana Pressing") < words.index("Ana Calm")
    assert "2 came while the office was closed" in words


def test_requests_are_found_by_state_problem_and_id_and_nothing_else(scene):
    row = make.waiting(scene, last="Wanted")
    make.waiting(scene, last="Other", last_code="900 / 1000")
    client = scene.client("mia")

    def shown(query):
        return text_of(client.get(reverse("review:requests") + query))

    assert "Ana Wanted" in shown("")
    assert "Ana Wanted" not in shown("?kind=returned")
    assert "Ana Other" in shown("?kind=returned")
    assert "Ana Wanted" in shown(f"?find={row.short_id}")
    assert "Ana Other" not in shown(f"?find={row.id}")
    assert "No requests match" in shown("?state=done")
    for strange in ("?find=%27%3B--%25", "?state=nonsense", "?after=2026~x", "?after=~", "?queue=zzz"):
        assert client.get(reverse("review:requests") + strange).status_code == 200


def test_pages_of_the_list_follow_each_other_without_gap_or_repeat(scene):
    made = {make.waiting(scene).id for _ in range(7)}
    seen, after = [], ""
    while True:
        found = queries_requests.find(practice=scene.practice, now=NOW, today=TODAY, after=after, limit=3)
        seen += [row.id for row, _ in found.rows]
        after = found.after
        if not after:
            break
    assert len(seen) == 7
    assert set(seen) == made


def test_compliance_sees_initials_and_no_links_to_cards(scene):
    row = make.waiting(scene, first="Zenobia", last="Quartermaine")
    page = scene.client("cora").get(reverse("review:requests")).content.decode()
    assert "Z.Q." in page
    assert "Quartermaine" not in page
    assert f'href="{reverse("review:item", args=[row.id])}"' not in page


def test_an_answer_reaches_the_patient_and_ends_the_item(scene):
    row = make.message(scene, queue=Queue.ASSISTANT)
    client = scene.client("mia")
    page = client.get(reverse("review:item", args=[row.id]))
    assert "My leg is swollen" in text_of(page)
    answer = client.post(
        reverse("review:answer", args=[row.id]), fields(row, place="desk", reason="wrote", text="Please call us today.")
    )
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.state, row.dispatches.filter(kind="reply", purpose="answer").count()) == (R.ANSWERED, 1)


@pytest.mark.parametrize("count", [1, 40])
def test_the_dashboard_asks_a_fixed_number_of_times(scene, count, django_assert_max_num_queries):
    for _ in range(count):
        make.waiting(scene, queue=Queue.ASSISTANT)
    client = scene.client("mia")
    client.get(reverse("review:today"))
    with django_assert_max_num_queries(12):
        client.get(reverse("review:today"))
    with django_assert_max_num_queries(6):
        client.get(reverse("review:requests"))
