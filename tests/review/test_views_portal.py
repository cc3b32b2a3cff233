"""The prescriber's pages: list, card, decisions by form, undo, the second post, and the second of two people."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from audit.models import Entry
from review import queries, queries_words, workflow
from review.models import Comment, Dispatch, DispatchKind, FormReceipt, Queue
from review.states import DispatchState, RequestState
from rules.models import DecisionRecord
from tests.review import scene as make
from tests.review.rows import NOW, TODAY
from tests.review.scene import fields

R = RequestState


def to(name, row):
    return reverse(f"review:{name}", args=[row.id])


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


# --- list ---------------------------------------------------------------------------------------------------------


def test_the_list_runs_by_what_runs_out_first_and_dangers_before_all(scene):
    later = make.waiting(scene, last="Later", days_left=12)
    unknown = make.waiting(scene, last="Unknown", days_left=None)
    today = make.waiting(scene, last="Today", days_left=0)
    soon = make.waiting(scene, last="Soon", days_left=2)
    locked = make.waiting(scene, last="Locked", days_left=9, is_locked=True)
    symptom = make.message(scene, queue=Queue.PRESCRIBER)
    found = queries.queue(practice=scene.practice, provider=scene.osei, now=NOW, today=TODAY)
    assert [row.request.id for row in found.rows[2:]] == [today.id, soon.id, unknown.id, later.id]
    assert {row.request.id for row in found.rows[:2]} == {locked.id, symptom.id}
    assert [row.group_name for row in found.rows[2:]] == ["Out today", "Within 3 days", "Supply unknown", "Later"]


def test_a_refill_the_patient_calls_pressing_counts_as_out_today(scene):
    row = make.waiting(scene, days_left=None, is_urgent=True)
    found = queries.queue(practice=scene.practice, provider=scene.osei, now=NOW, today=TODAY)
    assert found.rows[0].request.id == row.id
    assert found.rows[0].group_name == "Out today"


def test_filters_part_what_is_met_what_needs_judgment_and_what_is_controlled(scene):
    judged = make.waiting(scene)
    met = make.waiting(scene)
    controlled = make.waiting(scene, schedule="iv")
    unknown = make.waiting(scene, schedule="unknown")
    DecisionRecord.objects.filter(request_id__in=[met.id, controlled.id]).update(findings=[])

    def shown(show):
        found = queries.queue(practice=scene.practice, provider=scene.osei, now=NOW, today=TODAY, show=show)
        return {row.request.id for row in found.rows}

    assert shown("met") == {met.id}
    assert shown("judgment") == {judged.id}
    assert shown("controlled") == {controlled.id, unknown.id}
    assert shown("all") == {judged.id, met.id, controlled.id, unknown.id}


def test_an_item_without_a_decision_record_never_counts_as_all_met(scene):
    row = make.waiting(scene)
    DecisionRecord.objects.all().delete()
    found = queries.queue(practice=scene.practice, provider=scene.osei, now=NOW, today=TODAY)
    assert [one.is_all_met for one in found.rows if one.request.id == row.id] == [False]


def test_what_is_not_shown_is_counted(scene, monkeypatch):
    for _ in range(3):
        make.waiting(scene)
    monkeypatch.setattr(queries, "MOST_ROWS", 2)
    page = scene.client("osei").get(reverse("review:queue"))
    assert "1 more wait" in text_of(page)
    assert "Queue (3)" in text_of(page)


def test_the_part_that_refreshes_is_the_list_alone(scene):
    row = make.waiting(scene)
    page = scene.client("osei").get(reverse("review:queue_rows"), headers={"HX-Request": "true", "X-Refresh": "1"})
    assert b"<html" not in page.content
    assert f"r-{row.id}".encode() in page.content


# --- card ---------------------------------------------------------------------------------------------------------


def test_the_card_shows_who_which_drug_and_what_is_not_met_first(scene):
    row = make.waiting(scene)
    page = scene.client("osei").get(to("card", row))
    words = text_of(page)
    for part in (
        "Ana Reyes",
        "Mar 4, 1968",
        "(58 y)",
        "lisinopril 10 mg tablet",
        "Take 1 tablet by mouth once daily",
        "90 tablets",
        "Oak Street Pharmacy, 412 Oak Street",
        "2 days left",
        "by Dr. Osei",
        "None on file",
        "6 not met",
        "Potassium newer than 365 days.",
    ):
        assert part in words, part
    assert words.index("None on file") < words.index("1 exact match")
    assert page["Cache-Control"].count("no-store") == 1


def test_the_patients_words_are_marked_and_never_become_markup(scene):
    evil = "refill <script>alert(1)</script> <img src=x onerror=alert(1)> \"'&amp; {{ 7|add:7 }} </blockquote><b>x</b>"
    row = make.waiting(scene, text=evil, first="<b>Ana</b>", last="O'<script>")
    page = scene.client("osei").get(to("card", row)).content.decode()
    assert "<mark" in page
    assert ">refill</mark>" in page
    for bad in ("<script>alert", "<img src=x", "<b>x</b>", "<b>Ana</b>", "O'<script>"):
        assert bad not in page, bad
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7|add:7 }}" in page


def test_titles_addresses_and_headers_carry_no_name(scene):
    row = make.waiting(scene, first="Zenobia", last="Quartermaine")
    client = scene.client("osei")
    for address in (reverse("review:queue"), to("card", row), to("item", row), reverse("review:decided")):
        page = client.get(address)
        title = re.search(r"<title>(.*?)</title>", page.content.decode(), re.DOTALL).group(1)
        links = " ".join(re.findall(r'(?:href|action|hx-get)="([^"]*)"', page.content.decode()))
        for place in (title, links, str(page.headers)):
            assert "Quartermaine" not in place
            assert "lisinopril" not in place.lower()


def test_pages_hold_no_script_or_style_of_their_own(scene):
    row = make.waiting(scene)
    page = scene.client("osei").get(to("card", row))
    assert not re.search(r"<script(?![^>]*\bsrc=)", page.content.decode())
    assert not re.search(r"\sstyle=|\son\w+=|<style", page.content.decode())
    assert "script-src" in page["Content-Security-Policy"]
    assert "unsafe-inline" not in page["Content-Security-Policy"]


def test_exact_codes_of_the_network_stand_on_the_card(scene):
    row = make.waiting(scene, reasons=["transmission_failed"], last_code="900 / 1000", last_text="No such pharmacy")
    words = text_of(scene.client("osei").get(to("card", row)))
    assert "the network answered 900 / 1000" in words


def test_a_purged_patient_leaves_a_card_that_can_be_read(scene):
    row = make.waiting(scene, snapshot_sealed=None, reading_sealed=None)
    words = text_of(scene.client("osei").get(to("card", row)))
    assert "Name no longer kept" in words
    assert "The words are no longer kept." in words


def test_other_open_items_of_the_patient_are_named(scene):
    row = make.waiting(scene, patient="70119999")
    more = make.waiting(
        scene, patient="70119999", medication={"name": "Atorvastatin 40 mg oral tablet", "rxcui": "617311"}
    )
    page = scene.client("osei").get(to("card", row))
    assert to("card", more) in page.content.decode()


def test_spans_cut_the_words_without_losing_a_character():
    text = "Please refill my lisinopril to Oak"
    for spans in (
        [],
        [(7, 13, "a")],
        [(0, 6, "a"), (3, 13, "b")],
        [(30, 99, "a")],
        [(9, 9, "a")],
        [(5, 2, "a")],
        [(0, 34, "a"), (0, 34, "b")],
    ):
        assert "".join(part.text for part in queries_words.parts_of(text=text, spans=spans)) == text


# --- deciding -----------------------------------------------------------------------------------------------------


def test_approving_with_a_criterion_unmet_asks_once_more(scene):
    row = make.waiting(scene)
    client = scene.client("osei")
    page = client.post(to("approve", row), fields(row))
    assert page.status_code == 422
    assert "Approve although" in text_of(page)
    row.refresh_from_db()
    assert row.state == R.IN_REVIEW
    assert client.post(to("approve", row), fields(row, although="1")).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.decided_by) == (R.APPROVED, scene.osei.user)


def test_what_is_all_met_is_approved_at_once_and_leaves_after_the_undo_time(scene):
    row = make.waiting(scene)
    DecisionRecord.objects.update(findings=[])
    page = scene.client("osei").post(to("approve", row), fields(row), follow=True)
    sent = Dispatch.objects.get(request=row, kind=DispatchKind.NEWRX)
    assert (sent.state, sent.due_at) == (DispatchState.QUEUED, NOW + timedelta(seconds=30))
    assert "leaves in 0:30" in text_of(page)


def test_after_a_decision_the_next_item_opens(scene):
    first = make.waiting(scene, days_left=0)
    second = make.waiting(scene, days_left=1)
    third = make.waiting(scene, days_left=2)
    client = scene.client("osei")
    assert client.post(to("ask_visit", second), fields(second))["Location"] == to("card", third)
    assert client.post(to("ask_visit", third), fields(third))["Location"] == to("card", first)
    assert client.post(to("ask_visit", first), fields(first))["Location"] == reverse("review:queue")


def test_changes_are_taken_and_what_was_left_alone_stays(scene):
    row = make.waiting(scene)
    client = scene.client("osei")
    wrong = fields(row, although="1", quantity="30", days_supply="0", refills="", sig="", pharmacy_ncpdp="12")
    page = client.post(to("change", row), wrong)
    assert page.status_code == 422
    assert "Seven digits" in text_of(page)
    right = fields(row, although="1", quantity="30", days_supply="30", refills="0", sig=row.sig, pharmacy_ncpdp="")
    assert client.post(to("change", row), right).status_code == 302
    row.refresh_from_db()
    assert (row.quantity, row.days_supply, row.refills) == (30, 30, 0)
    assert row.sig == "Take 1 tablet by mouth once daily"
    entry = Entry.objects.get(request_id=row.id, event="request.approved")
    assert '"changed":["quantity","days_supply"]' in entry.body


def test_a_pharmacy_outside_the_directory_is_refused(scene):
    row = make.waiting(scene)
    page = scene.client("osei").post(to("change", row), fields(row, although="1", pharmacy_ncpdp="1234567"))
    assert page.status_code == 422
    assert "No pharmacy of the directory" in text_of(page)


def test_each_way_to_decide_does_what_it_says(scene):
    client = scene.client("osei")
    for name, more, state in (
        ("deny", {"code": "AD", "note": "See you soon"}, R.DENIED), ("ask_visit", {}, R.VISIT_ASKED),
        ("tell", {}, R.TOLD), ("hand_off", {}, R.HANDING_OFF), ("cancel", {"reason": "not_needed"}, R.CANCELLED),
    ):  # fmt: skip
        row = make.waiting(scene)
        assert client.post(to(name, row), fields(row, **more)).status_code == 302, name
        row.refresh_from_db()
        assert (row.state, row.decided_by) == (state, scene.osei.user), name


def test_denying_takes_a_listed_reason(scene):
    row = make.waiting(scene)
    for code in ("", "ZZ", "<x>"):
        assert scene.client("osei").post(to("deny", row), fields(row, code=code)).status_code == 422
    row.refresh_from_db()
    assert row.state == R.IN_REVIEW


def test_a_controlled_drug_never_becomes_a_dispatch_to_a_pharmacy(scene):
    row = make.waiting(scene, schedule="iv")
    page = scene.client("osei").get(to("card", row))
    assert "Approve as a task" in text_of(page)
    assert scene.client("osei").post(to("approve", row), fields(row, although="1")).status_code == 302
    row.refresh_from_db()
    assert row.state == R.HANDING_OFF
    assert not Dispatch.objects.filter(request=row, kind=DispatchKind.NEWRX).exists()


def test_rerouting_offers_who_is_in_and_refuses_strangers(scene):
    row = make.waiting(scene)
    client = scene.client("osei")
    assert client.post(to("reroute", row), fields(row, provider=scene.mallory.id)).status_code == 404
    assert client.post(to("reroute", row), fields(row, provider=scene.lind.id)).status_code == 302
    row.refresh_from_db()
    assert (row.assignee, row.state) == (scene.lind, R.IN_REVIEW)


def test_handing_to_the_assistants_keeps_the_question_sealed(scene):
    row = make.waiting(scene)
    answer = scene.client("osei").post(to("hand_over", row), fields(row, question="Call about the pharmacy"))
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.queue == Queue.ASSISTANT
    note = Comment.objects.get(request=row)
    assert b"pharmacy" not in bytes(note.text_sealed)
    assert "Call about the pharmacy" in text_of(scene.client("mia").get(to("item", row)))


def test_undo_brings_it_back_while_it_has_not_left_and_not_after(scene):
    row = make.waiting(scene)
    client = scene.client("osei")
    client.post(to("approve", row), fields(row, although="1"))
    row.refresh_from_db()
    assert client.post(to("take_back", row), fields(row)).status_code == 302
    row.refresh_from_db()
    assert row.state == R.IN_REVIEW
    client.post(to("approve", row), fields(row, although="1"))
    row.refresh_from_db()
    workflow.claim_due(now=NOW + timedelta(seconds=31), limit=5)
    page = client.post(to("take_back", row), fields(row))
    assert page.status_code == 422
    assert "already left" in text_of(page)


def test_what_came_back_after_a_decision_stays_on_the_decided_page(scene):
    row = make.waiting(scene)
    client = scene.client("osei")
    client.post(to("approve", row), fields(row, although="1"))
    row.refresh_from_db()
    client.post(to("take_back", row), fields(row))
    words = text_of(client.get(reverse("review:decided")))
    assert "Ana Reyes" in words
    assert "Back in review: Taken back before it left" in words
    assert "Just decided" not in text_of(client.get(reverse("review:queue")))


def test_stopped_sending_is_said_and_nothing_is_approved(scene):
    row = make.waiting(scene)
    scene.practice.sending_stopped_at, scene.practice.sending_stopped_by = NOW, scene.osei.user
    scene.practice.save()
    page = scene.client("osei").post(to("approve", row), fields(row, although="1"))
    assert page.status_code == 422
    assert "Sending is stopped" in text_of(page)


def test_a_prescriber_without_a_record_is_told_so(scene):
    row = make.waiting(scene)
    scene.osei.is_active = False
    scene.osei.save()
    page = scene.client("osei").post(to("approve", row), fields(row, although="1"))
    assert page.status_code == 422
    assert "no prescriber record" in text_of(page)


# --- locked -------------------------------------------------------------------------------------------------------


def test_a_locked_item_refuses_everything_until_a_person_recorded_the_call(scene):
    row = make.waiting(scene, is_locked=True, reasons=["unresolved"])
    client = scene.client("osei")
    page = client.get(to("card", row))
    assert "It may be at the pharmacy" in text_of(page)
    assert to("approve", row) not in page.content.decode()
    for name, more in (
        ("approve", {"although": "1"}),
        ("deny", {"code": "AM"}),
        ("ask_visit", {}),
        ("cancel", {"reason": "not_needed"}),
    ):
        assert client.post(to(name, row), fields(row, **more)).status_code == 409, name
    assert client.post(to("confirm", row), fields(row, arrived="no", pharmacy="", spoke_with="")).status_code == 422
    answer = client.post(to("confirm", row), fields(row, arrived="no", pharmacy="Oak Street", spoke_with="Jo"))
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.is_locked, row.state) == (False, R.IN_REVIEW)


def test_what_arrived_ends_the_request(scene):
    row = make.waiting(scene, is_locked=True)
    scene.client("mia").post(to("confirm", row), fields(row, arrived="yes", pharmacy="Oak Street", spoke_with="Jo"))
    row.refresh_from_db()
    assert (row.state, row.is_locked) == (R.DONE, False)


# --- twice, and two ------------------------------------------------------------------------------------------------


def test_the_same_form_posted_twice_answers_with_its_first_result(scene):
    row, _following = make.waiting(scene, days_left=0), make.waiting(scene, days_left=1)
    client = scene.client("osei")
    posted = fields(row, although="1")
    first = client.post(to("approve", row), posted)
    second = client.post(to("approve", row), posted)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first["Location"] == second["Location"]
    assert Dispatch.objects.filter(request=row, kind=DispatchKind.NEWRX).count() == 1
    assert FormReceipt.objects.filter(user=scene.osei.user).count() == 1


def test_a_stale_page_is_told_who_decided_and_when(scene):
    row = make.waiting(scene)
    scene.client("lind").post(to("deny", row), fields(row, code="AM"))
    page = scene.client("osei").post(to("approve", row), fields(row, although="1"))
    assert page.status_code == 409
    words = text_of(page)
    assert "Dr. Lind acted" in words
    assert "10:14 am" in words
    assert "Denied" in words
    assert not Dispatch.objects.filter(request=row, kind=DispatchKind.NEWRX).exists()


@pytest.mark.parametrize("bad", [{"version": "x"}, {"version": ""}, {"key": "no"}, {"key": ""}, {"version": "-1"}])
def test_a_form_without_version_or_key_does_nothing(scene, bad):
    row = make.waiting(scene)
    answer = scene.client("osei").post(to("approve", row), fields(row, although="1") | bad)
    assert answer.status_code == 422
    row.refresh_from_db()
    assert row.state == R.IN_REVIEW


# --- how many queries ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 40])
def test_pages_ask_the_database_a_fixed_number_of_times(scene, count, django_assert_max_num_queries):
    rows = [make.waiting(scene) for _ in range(count)]
    client = scene.client("osei")
    client.get(reverse("review:queue"))  # the first visit notes the session
    with django_assert_max_num_queries(9):
        client.get(reverse("review:queue"))
    with django_assert_max_num_queries(16):
        client.get(to("card", rows[0]))
    with django_assert_max_num_queries(7):
        client.get(reverse("review:decided"))
