"""The compliance page: filters, pages by number, verification, export. Never a patient's name."""

import csv
import io
import re
import uuid

import pytest
from django.db import connection, transaction
from django.urls import reverse

from audit import log
from audit.events import Actor, ActorKind, Draft
from audit.models import Entry
from tests.review import scene as make
from tests.review.rows import NOW

AUDIT = "/audit/"


def note(scene, event="request.approved", **values):
    practice = values.pop("practice", scene.practice)
    with transaction.atomic():
        log.record(
            now=values.pop("now", NOW),
            draft=Draft(
                practice_id=practice.id,
                event=event,
                actor=values.pop("actor", Actor(ActorKind.system, "refill-hub")),
                **values,
            ),
        )
    return Entry.objects.filter(practice_id=practice.id).latest("number")


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def numbers(page):
    return [int(one.replace(",", "")) for one in re.findall(r'entry=\d+">([\d,]+)</a>', page.content.decode())]


def rows_of(page):
    return list(csv.DictReader(io.StringIO(b"".join(page.streaming_content).decode())))


def test_no_name_and_no_word_of_a_patient_on_the_page_or_in_the_export(scene):
    make.waiting(scene, first="Zenobia", last="Quartermaine", text="Please refill, it burns")
    client = scene.client("cora")
    for page in (client.get(AUDIT), client.get(AUDIT + "?entry=1")):
        assert b"Quartermaine" not in page.content
        assert b"burns" not in page.content
    exported = str(rows_of(client.get(reverse("review:audit_export"))))
    assert "Quartermaine" not in exported
    assert "1968" not in exported


def test_each_branch_of_the_routing_is_found_by_its_own_name(scene):
    made = make.waiting(scene)
    note(scene, "request.denied", outcome="denied", data={"text": '"decision_path":["lab_missing"]'})
    client = scene.client("cora")
    found = client.get("/audit/?branch=lab_missing").context["found"].lines
    assert found
    assert {line.request_id for line in found} == {made.id}
    assert all("lab_missing" in line.path for line in found)
    assert client.get("/audit/?branch=lab").context["found"].lines == ()
    assert client.get("/audit/?branch=.*").status_code == 422


def test_filters_find_by_event_person_outcome_reference_and_day(scene):
    person = Actor(ActorKind.person, str(scene.osei.user.id))
    request_id = uuid.uuid4()
    wanted = note(
        scene, "request.denied", actor=person, outcome="denied", request_id=request_id, patient_ref="p_8c04aa"
    )
    note(scene, "request.held", outcome="held")
    client = scene.client("cora")
    for query in (
        "?event=request.denied",
        f"?who={scene.osei.user.id}",
        "?outcome=denied",
        f"?reference={request_id}",
        "?reference=p_8c04",
    ):
        assert wanted.number in numbers(client.get(AUDIT + query)), query
        assert numbers(client.get(AUDIT + query + "&event=dispatch.queued")) == [], query
    assert numbers(client.get(AUDIT + "?since=2026-11-18")) == []
    assert wanted.number in numbers(client.get(AUDIT + "?since=2026-11-17&until=2026-11-17"))


def test_days_are_days_of_the_practice(scene):
    late = note(scene, now=NOW.replace(day=18, hour=4, minute=59))  # 11:59 pm Eastern on the 17th
    client = scene.client("cora")
    assert late.number in numbers(client.get(AUDIT + "?since=2026-11-17&until=2026-11-17"))
    assert late.number not in numbers(client.get(AUDIT + "?since=2026-11-18"))


@pytest.mark.parametrize(
    "query", ["?reference=zzz", "?outcome=%27;--", "?since=2026-11-18&until=2026-11-17", "?event=nonsense", "?before=0"]
)
def test_a_wrong_filter_is_said_not_guessed(scene, query):
    page = scene.client("cora").get(AUDIT + query)
    assert page.status_code == 422
    assert b"<title>Error" in page.content


def test_pages_go_on_by_number_without_gap(scene):
    for _ in range(120):
        note(scene)
    client, query, seen = scene.client("cora"), "?event=request.approved", []
    while query:
        page = client.get(AUDIT + query)
        seen += numbers(page)
        more = re.search(r'href="(\?[^"]*before=\d+)">Older', page.content.decode())
        query = more.group(1).replace("&amp;", "&") if more else ""
    assert seen == sorted(
        Entry.objects.filter(practice_id=scene.practice.id, event="request.approved").values_list("number", flat=True),
        reverse=True,
    )


def test_another_practices_entries_are_not_there(scene):
    other = note(scene, "request.approved", practice=scene.other, patient_ref="p_other")
    client = scene.client("cora")
    assert b"p_other" not in client.get(AUDIT + f"?entry={other.number}").content
    assert numbers(client.get(AUDIT + "?reference=p_other")) == []
    assert "p_other" not in str(rows_of(client.get(reverse("review:audit_export"))))


def test_verifying_says_whole_and_leaves_an_entry(scene):
    note(scene)
    page = scene.client("cora").post(reverse("review:audit_verify"), follow=True)
    assert "The chain is whole" in text_of(page)
    entry = Entry.objects.filter(event="audit.verified").latest("number")
    assert '"outcome":"whole"' in entry.body
    assert entry.actor_id == str(scene.cora.id)


def test_verifying_finds_a_changed_entry(scene):
    entry = note(scene)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_entry SET body = replace(body, 'approved', 'denied') WHERE id = %s", [entry.id])
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    page = scene.client("cora").post(reverse("review:audit_verify"), follow=True)
    assert f"broken at entry {entry.number}" in text_of(page)
    assert "The chain is broken" in text_of(page)


def test_the_export_holds_the_filter_is_safe_to_open_and_is_an_entry_itself(scene):
    note(scene, "request.held", outcome="held", trigger="=cmd|' /C calc'!A0")
    note(scene, "request.denied")
    page = scene.client("cora").get(reverse("review:audit_export") + "?event=request.held")
    assert page["Content-Type"].startswith("text/csv")
    assert page["Content-Disposition"] == 'attachment; filename="audit-2026-11-17.csv"'
    rows = rows_of(page)
    assert [row["event"] for row in rows] == ["request.held"]
    assert rows[0]["trigger"] == "'=cmd|' /C calc'!A0"
    entry = Entry.objects.filter(event="audit.exported").latest("number")
    assert '"rows":1' in entry.body
    assert entry.actor_id == str(scene.cora.id)


def test_what_is_in_an_entry_never_becomes_markup(scene):
    entry = note(scene, trigger="<script>alert(1)</script>", data={"x": "</pre><img src=x>"})
    page = scene.client("cora").get(AUDIT + f"?entry={entry.number}").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("count", [1, 60])
def test_the_page_asks_a_fixed_number_of_times(scene, count, django_assert_max_num_queries):
    for _ in range(count):
        note(scene)
    client = scene.client("cora")
    client.get(AUDIT)
    with django_assert_max_num_queries(9):
        client.get(AUDIT + "?entry=1")
