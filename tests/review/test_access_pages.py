"""Every page of the review app x every role x a stranger: shown, sent to the door, or 404 as for strangers."""

import uuid

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from review import access
from review.models import Queue, RefillRequest
from tests.review import scene as make
from tests.review.scene import fields

P, M, C, A = "osei", "mia", "cora", "ada"
# Who may open it; everyone else gets 404.
PAGES = {
    "queue": {P}, "queue_rows": {P}, "card": {P}, "decided": {P}, "today": {M}, "report": {M},
    "requests": {P, M, C}, "item": {P, M}, "audit": {C}, "audit_export": {C}, "sign": {P, M}, "epcs": {P, C, A},
    "pharmacies": {P, M}, "together": {P}, "audit_exports": {C}, "audit_verifier": {C},
    "metrics": {P, C, A}, "metrics_csv": {P, C, A}, "coverage": {P, M, A},
    "timeline": {P, M, C, A}, "api_tokens": {P, M, C, A}, "api_docs": {P, M, C, A},
}  # fmt: skip
ACTS = {
    "approve": {P}, "change": {P}, "deny": {P}, "ask_visit": {P}, "tell": {P}, "hand_over": {P}, "hand_off": {P},
    "ask_cancel": {P}, "reroute": {P, M}, "answer": {P, M}, "cancel": {P, M}, "take_up": {P, M}, "take_back": {P, M},
    "confirm": {P, M}, "note": {P, M}, "audit_verify": {C}, "correct": {P, M}, "alias_confirm": {P},
    "alias_end": {P, M}, "prepare": {P, M}, "withdraw": {P}, "sign_now": {P}, "token_lost": {P},
    "incident_open": {C}, "incident_end": {C}, "epcs_review": {C}, "end_alarm": {M}, "together_approve": {P},
    "audit_export_ask": {C}, "audit_look_up": {C}, "metrics_minutes": {A}, "timeline_again": {P, M},
    "token_make": {A}, "token_accept": {P, M, C, A}, "token_end": {P, M, C, A},
    "coverage_preview": {P, M, A}, "coverage_arrange": {P, M, A}, "coverage_end": {P, M, A}, "coverage_on_call": {M, A},
}  # fmt: skip
WITHOUT_ROW = {
    "audit_verify", "incident_open", "epcs_review", "together_approve", "audit_export_ask", "audit_look_up",
    "metrics_minutes", "coverage_preview", "coverage_arrange", "coverage_on_call", "token_make",
}  # fmt: skip
OF_A_ROW = set(ACTS) - WITHOUT_ROW | {"card", "item", "sign", "timeline"}


def address(name, row_id):
    more = [uuid.uuid4()] if name.startswith(("alias_", "timeline_")) else []
    if name == "epcs_review":
        return reverse("review:epcs_review", args=["2026-11-16"])
    return reverse(f"review:{name}", args=[row_id, *more] if name in OF_A_ROW else [])


VIEWS = ("portal", "desk", "acting", "learning", "compliance", "signing", "epcs", "together", "metrics",
         "coverage", "inspector", "tokens")  # fmt: skip
OWN = {*(f"review.views.{name}" for name in VIEWS), "review.api.pages"}


def test_the_tables_name_every_page_of_the_app():
    names = {
        pattern.name for group in get_resolver().url_patterns if getattr(group, "app_name", "") == "review"
        for pattern in group.url_patterns if pattern.callback.__module__ in OWN
    }  # fmt: skip
    assert names == set(PAGES) | set(ACTS) | {"audit_export_download"}  # tested with the exports


@pytest.mark.parametrize("who", [P, M, C, A])
def test_a_role_opens_its_own_pages_and_no_others(scene, who):
    row = make.waiting(scene)
    client = scene.client(who)
    for name, may in PAGES.items():
        expected = 200 if who in may else 404
        assert client.get(address(name, row.id)).status_code == expected, name


@pytest.mark.parametrize("who", [P, M, C, A])
def test_a_role_without_the_right_cannot_act_and_nothing_changes(scene, who):
    row = make.waiting(scene)
    client = scene.client(who)
    for name, may in ACTS.items():
        if who not in may:
            answer = client.post(address(name, row.id), fields(row, although="1", code="AM", reason="called"))
            assert answer.status_code == 404, name
    row.refresh_from_db()
    assert (row.state, row.version) == ("in_review", row.version)
    assert row.decided_by_id is None


def test_a_stranger_finds_nothing_of_another_practice(scene):
    row = make.waiting(scene, first="Zenobia", last="Quartermaine")
    held = make.waiting(scene, first="Zenobia", last="Quartermaine")
    RefillRequest.objects.filter(pk=held.pk).update(state="held", queue=Queue.NOBODY)
    client = scene.client("mallory")
    for name in OF_A_ROW & set(PAGES):
        assert client.get(address(name, row.id)).status_code == 404, name
    for name in OF_A_ROW & set(ACTS):
        assert client.post(address(name, row.id), fields(row, although="1", code="AM")).status_code == 404, name
        assert client.post(address(name, uuid.uuid4()), fields(row)).status_code == 404, name
    for name in set(PAGES) - OF_A_ROW:
        answer = client.get(address(name, row.id))
        if answer.status_code == 200 and not answer.streaming:
            assert b"Quartermaine" not in answer.content, name
    row.refresh_from_db()
    assert row.state == "in_review"


def test_nobody_sees_a_page_before_the_second_factor(scene):
    row = make.waiting(scene)
    half = Client()
    half.force_login(scene.osei.user, backend="django.contrib.auth.backends.ModelBackend")
    for client, door in ((Client(), "/sign-in/"), (half, "/sign-in/code/")):
        for name in PAGES:
            answer = client.get(address(name, row.id))
            assert answer.status_code == 302, name
            assert answer["Location"].startswith(door), name
        for name in ACTS:
            assert client.post(address(name, row.id), fields(row)).status_code == 302, name
    row.refresh_from_db()
    assert row.state == "in_review"


def test_an_act_is_posted_never_fetched(scene):
    row = make.waiting(scene)
    client = scene.client("osei")
    for name, may in ACTS.items():
        if P in may:
            assert client.get(address(name, row.id)).status_code == 405, name


def test_posts_need_the_token_of_the_page(scene):
    row = make.waiting(scene)
    client = scene.client("osei")
    client.handler.enforce_csrf_checks = True
    assert client.post(address("approve", row.id), fields(row, although="1")).status_code == 403
    row.refresh_from_db()
    assert row.state == "in_review"


def test_an_assistant_ends_what_is_on_the_assistants_list_only(scene):
    row = make.message(scene, queue=Queue.PRESCRIBER)
    client = scene.client("mia")
    assert client.post(address("answer", row.id), fields(row, reason="called")).status_code == 404
    RefillRequest.objects.filter(pk=row.pk).update(queue=Queue.ASSISTANT)
    assert client.post(address("answer", row.id), fields(row, reason="called")).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.answer_code, row.decided_by) == ("answered", "called", scene.mia)


def test_an_item_nobody_stands_in_for_shows_to_every_prescriber(scene):
    lost = make.waiting(scene, queue=Queue.ADMINISTRATOR, assignee=None)
    own = make.waiting(scene, assignee=scene.lind)
    for who, provider in (("osei", scene.osei), ("lind", scene.lind)):
        found = access.requests_of(practice=scene.practice).filter(access.mine(provider=provider))
        ids = {row.id for row in found}
        assert lost.id in ids, who
        assert (own.id in ids) == (who == "lind")


def test_an_emergency_shows_to_every_prescriber_whoever_has_it(scene):
    row = make.message(scene, reasons=("emergency",), queue=Queue.ASSISTANT)
    for who in ("osei", "lind"):
        page = scene.client(who).get(reverse("review:queue")).content.decode()
        assert f"r-{row.id}" in page
        assert page.index("Read first") < page.index(f"r-{row.id}")
