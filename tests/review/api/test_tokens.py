"""Tokens: what is kept of them, when they count no more, and that they never outgrow their person."""

import hashlib

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from refillhub.practices import clock
from refillhub.practices.models import Membership, Role
from review import tokens
from review.api.tokens import TokenThrottle
from review.models import ApiToken
from tests.review import scene as make
from tests.review.api.programs import LATER, Program, program, token
from tests.review.rows import NOW


def test_only_the_hash_of_a_token_is_in_the_database(scene):
    row, text = token(scene, "osei")
    row.refresh_from_db()
    assert row.hash == hashlib.sha256(text.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM review_apitoken t UNION ALL SELECT e::text FROM audit_entry e")
        stored = " ".join(one for (one,) in cursor.fetchall())
    assert text not in stored
    assert text[8:] not in stored


def test_a_live_token_says_whose_it_is_and_is_noted_at_most_once_a_minute(scene, monkeypatch):
    row, text = token(scene, "osei")
    found = Program(text).get("me/").json()
    assert (found["user_id"], found["roles"]) == (str(scene.osei.user_id), ["prescriber"])
    row.refresh_from_db()
    assert row.last_used_at == NOW
    monkeypatch.setattr(clock, "now", lambda: NOW + tokens.USED_EVERY / 2)
    Program(text).get("me/")
    row.refresh_from_db()
    assert row.last_used_at == NOW
    monkeypatch.setattr(clock, "now", lambda: NOW + tokens.USED_EVERY)
    Program(text).get("me/")
    row.refresh_from_db()
    assert row.last_used_at == NOW + tokens.USED_EVERY


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"revoked_at": NOW}, "token_ended"), ({"expires_at": NOW}, "token_expired"),
        ({"accepted_at": None}, "token_waiting"),
    ],
)  # fmt: skip
def test_a_token_that_ended_or_ran_out_or_was_not_agreed_to_opens_nothing(scene, values, code):
    caller = program(scene, "osei", **values)
    for path in ("me/", "queue/", "schema/", "audit/"):
        answer = caller.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, code), path
        assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer ", "Bearer rh_wrong", "Basic b3NlaTpwdw==", "Bearer é"])
def test_without_a_token_that_exists_every_path_answers_401(scene, shown):
    for path in ("me/", "queue/", "schema/", "audit/", "no/such/thing/", ""):
        answer = Client().get(f"/api/v1/{path}", headers={"Authorization": shown} if shown else {})
        assert answer.status_code == 401, path
        assert set(answer.json()) == {"code", "message"}


def test_a_token_opens_no_page_and_a_session_no_operation(scene):
    caller = program(scene, "osei")
    for page in ("queue", "requests", "api_tokens"):
        answer = caller.client.get(reverse(f"review:{page}"), headers=caller.headers())
        assert answer["Location"].startswith("/sign-in/"), page
    assert caller.get("docs/").status_code == 404
    row = make.waiting(scene)
    person = scene.client("osei")
    assert person.get("/api/v1/queue/").status_code == 401
    answer = person.post(f"/api/v1/requests/{row.id}/ask-visit/", {"version": row.version},
                         content_type="application/json", headers={"Idempotency-Key": "key-of-a-page"})  # fmt: skip
    assert answer.status_code == 401
    row.refresh_from_db()
    assert row.state == "in_review"


def test_a_role_taken_away_is_gone_from_the_token_at_once(scene):
    row = make.waiting(scene)
    caller = program(scene, "osei")
    Membership.objects.filter(user=scene.osei.user).update(role=Role.compliance)
    assert caller.act("deny", row).json()["code"] == "role_needed"
    assert caller.get(f"requests/{row.id}/").status_code == 403
    Membership.objects.filter(user=scene.osei.user).update(is_active=False)
    assert caller.get("me/").json()["code"] == "token_roleless"
    row.refresh_from_db()
    assert row.state == "in_review"


def test_a_person_who_may_not_sign_in_any_more_has_no_tokens_either(scene):
    caller = program(scene, "osei")
    scene.osei.user.is_active = False
    scene.osei.user.save()
    assert caller.get("me/").status_code == 401


def test_calls_beyond_the_rate_are_told_when_to_come_again(scene, monkeypatch):
    monkeypatch.setattr(TokenThrottle, "rate", "3/min")
    caller, other = program(scene, "osei"), program(scene, "osei")
    assert [caller.get("me/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert int(caller.get("me/")["Retry-After"]) > 0
    assert other.get("me/").status_code == 200


# --- the page -----------------------------------------------------------------------------------------------------


def form(scene, who, *scopes, **more):
    return {"name": "Dashboard", "user": scene.users()[who].pk, "scopes": scopes, "days": "90", **more}


def test_an_administrator_makes_a_token_that_is_shown_once_and_waits_for_its_person(scene):
    page = scene.client("ada").post(reverse("review:token_make"), form(scene, "osei", "read", "decide"))
    text = page.content.decode().split('<code class="mono">')[1].split("<")[0]
    assert text.startswith("rh_")
    assert text not in scene.client("ada").get(reverse("review:api_tokens")).content.decode()
    row = ApiToken.objects.get()
    assert Program(text).get("me/").json()["code"] == "token_waiting"
    # Nobody can agree for another, the administrator who made it least of all.
    for who in ("ada", "mia", "lind", "mallory"):
        assert scene.client(who).post(reverse("review:token_accept", args=[row.pk])).status_code == 404, who
    assert scene.client("osei").post(reverse("review:token_accept", args=[row.pk])).status_code == 302
    assert Program(text).get("me/").status_code == 200
    assert scene.client("ada").post(reverse("review:token_end", args=[row.pk])).status_code == 302
    assert Program(text).get("me/").json()["code"] == "token_ended"
    told = Entry.objects.filter(event__startswith="token.").order_by("number").values_list("event", flat=True)
    assert list(told) == ["token.made", "token.accepted", "token.ended"]


def test_a_person_ends_a_token_in_their_own_name_and_no_other(scene):
    row, _ = token(scene, "osei")
    for who in ("lind", "mia", "mallory"):
        assert scene.client(who).post(reverse("review:token_end", args=[row.pk])).status_code == 404, who
        assert row.prefix not in scene.client(who).get(reverse("review:api_tokens")).content.decode()
    assert scene.client("osei").post(reverse("review:token_end", args=[row.pk])).status_code == 302
    assert scene.client("osei").post(reverse("review:token_end", args=[row.pk])).status_code == 404


@pytest.mark.parametrize(
    ("who", "scopes", "more", "words"),
    [
        ("mia", ["audit"], {}, "do not allow: audit"), ("cora", ["decide"], {}, "do not allow: decide"),
        ("ada", ["read"], {}, "do not allow: read"), ("osei", [], {}, "Choose at least one"),
        ("osei", ["read"], {"days": "366"}, "1 to 365 days"), ("osei", ["read"], {"days": "x"}, "1 to 365 days"),
        ("osei", ["sign"], {}, "Choose at least one"), ("osei", ["read"], {"name": " "}, "what the program is called"),
    ],
)  # fmt: skip
def test_a_token_that_would_mean_nothing_is_not_made(scene, who, scopes, more, words):
    page = scene.client("ada").post(reverse("review:token_make"), form(scene, who, *scopes, **more))
    assert page.status_code == 422
    assert words in page.content.decode()
    assert not ApiToken.objects.exists()


def test_no_token_is_made_for_a_person_of_another_practice(scene):
    page = scene.client("ada").post(reverse("review:token_make"), form(scene, "mallory", "read"))
    assert page.status_code == 404
    assert not ApiToken.objects.exists()


def test_a_token_counts_in_its_own_practice_whatever_else_its_person_belongs_to(scene):
    row = make.waiting(scene)
    Membership.objects.create(practice=scene.practice, user=scene.mallory.user, role=Role.prescriber)
    caller = program(scene, "mallory")
    assert caller.get(f"requests/{row.id}/").status_code == 404
    assert caller.act("deny", row).status_code == 404


def test_a_token_runs_out_by_itself(scene, monkeypatch):
    caller = program(scene, "osei")
    assert caller.get("me/").status_code == 200
    monkeypatch.setattr(clock, "now", lambda: LATER)
    assert caller.get("me/").json()["code"] == "token_expired"
