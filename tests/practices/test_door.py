"""Sign-in, second factor, idle lock: what opens and what stays shut."""

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import get_resolver
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import Entry
from refillhub.practices import kept_forms, middleware
from refillhub.practices.models import KeptForm, Membership, Practice, Role, User
from tests.practices.people import PASSWORD

Desk = Callable[[User], Client]
Clock = Callable[[datetime], None]


def code_of(device: TOTPDevice, *, steps: int = 0) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06d}"


def events(practice: Practice) -> list[str]:
    return list(Entry.objects.of(practice_id=practice.id).order_by("number").values_list("event", flat=True))


def every_path() -> list[str]:
    """Every route without arguments, and one of each with a made-up uuid or number."""
    found = []

    def walk(patterns: list, prefix: str) -> None:
        for one in patterns:
            if hasattr(one, "url_patterns"):
                walk(one.url_patterns, prefix + str(one.pattern))
            else:
                route = prefix + str(one.pattern)
                route = re.sub(r"<uuid:\w+>", "5f1d3a0e-0000-4000-8000-000000000009", route)
                route = re.sub(r"<(int:)?\w+>", "7", re.sub(r"<(str|slug|path):\w+>", "x", route))
                if not re.search(r"[\^$(\\]", route):
                    found.append("/" + route)

    walk(get_resolver().url_patterns, "")
    return found


@pytest.mark.django_db
def test_every_page_asks_for_both_factors(osei: User) -> None:
    nobody, half = Client(), Client()
    half.force_login(osei, backend="django.contrib.auth.backends.ModelBackend")
    paths = [path for path in every_path() if not middleware.is_open(path)]
    assert "/switches/" in paths
    assert "/admin/" in paths
    for path in [*paths, "/no-such-page/"]:
        for method in ("get", "post"):
            answer = getattr(nobody, method)(path)
            if path == "/sign-out/" and method == "get":
                continue
            assert answer.status_code in (302, 401), (method, path, answer.status_code)
            if answer.status_code == 302:
                assert answer["Location"].startswith("/sign-in/"), (method, path)
            if not path.startswith(("/sign-in/", "/sign-out/")):
                answer = getattr(half, method)(path)
                assert answer.status_code in (302, 401), (method, path, answer.status_code)
                if answer.status_code == 302:
                    assert answer["Location"].startswith("/sign-in/code/"), (method, path)


def test_only_the_door_static_webhooks_and_health_are_open() -> None:
    assert middleware.is_open("/webhooks/klara/abc/")
    assert middleware.is_open("/static/css/base.css")
    for path in ("/", "/metrics/", "/admin/", "/api/queue/", "/sign-in/code/", "/webhooks", "/healthz/x"):
        assert not middleware.is_open(path), path


def test_the_whole_way_in_from_password_to_page(practice: Practice, osei: User) -> None:
    client = Client()
    answer = client.get("/switches/")
    assert answer["Location"] == "/sign-in/?next=%2Fswitches%2F"
    answer = client.post(answer["Location"], {"email": osei.email.upper(), "password": PASSWORD})
    assert answer["Location"] == "/sign-in/code/?next=%2Fswitches%2F"
    page = client.get(answer["Location"])
    assert practice.name not in page.content.decode()
    answer = client.post(answer["Location"], {"code": code_of(TOTPDevice.objects.get(user=osei))})
    assert answer["Location"] == "/switches/"
    assert practice.name in client.get("/switches/").content.decode()
    assert events(practice)[-2:] == ["sign_in.succeeded", "sign_in.second_factor"]


def test_a_code_counts_once(osei: User) -> None:
    code = code_of(TOTPDevice.objects.get(user=osei))
    answers = []
    for _ in range(2):
        client = Client()
        client.post("/sign-in/", {"email": osei.email, "password": PASSWORD})
        answers.append(client.post("/sign-in/code/", {"code": code}).status_code)
    assert answers == [302, 422]


def test_wrong_codes_are_slowed_down(practice: Practice, osei: User) -> None:
    client = Client()
    client.post("/sign-in/", {"email": osei.email, "password": PASSWORD})
    assert client.post("/sign-in/code/", {"code": "000000"}).status_code == 422
    answer = client.post("/sign-in/code/", {"code": code_of(TOTPDevice.objects.get(user=osei))})
    assert answer.status_code == 429
    assert "Wait" in answer.content.decode()
    assert events(practice).count("sign_in.failed") == 2


def test_wrong_passwords_lock_the_account_for_this_address_and_say_nothing(practice: Practice, osei: User) -> None:
    client = Client()
    for _ in range(4):
        answer = client.post("/sign-in/", {"email": osei.email, "password": "wrong"})
        assert answer.status_code == 422
    unknown = client.post("/sign-in/", {"email": "nobody@nowhere.example", "password": "wrong"})
    assert "do not fit together" in unknown.content.decode()
    locked = client.post("/sign-in/", {"email": osei.email, "password": "wrong"})
    assert locked.status_code == 429
    assert "closed for 15 minutes" in locked.content.decode()
    assert client.post("/sign-in/", {"email": osei.email, "password": PASSWORD}).status_code == 429
    elsewhere = Client(REMOTE_ADDR="10.1.2.3")
    assert elsewhere.post("/sign-in/", {"email": osei.email, "password": PASSWORD}).status_code == 302
    assert events(practice).count("sign_in.locked_out") == 1
    assert events(practice).count("sign_in.failed") == 4


def test_first_time_enrolment_shows_picture_secret_and_codes_once(practice: Practice, osei: User) -> None:
    TOTPDevice.objects.filter(user=osei).delete()
    client = Client()
    client.post("/sign-in/", {"email": osei.email, "password": PASSWORD})
    assert client.get("/sign-in/code/")["Location"] == "/sign-in/enrol/"
    page = client.get("/sign-in/enrol/").content.decode()
    device = TOTPDevice.objects.get(user=osei, confirmed=False)
    assert 'src="data:image/svg+xml;base64,' in page
    assert client.get("/sign-in/enrol/").content.decode().count(page[page.index("data:image") :][:200]) == 1
    answer = client.post("/sign-in/enrol/", {"code": code_of(device)})
    codes = re.findall(r"<li>(\w{8})</li>", answer.content.decode())
    assert len(codes) == 10
    assert "device.enrolled" in events(practice)
    again = Client()
    again.post("/sign-in/", {"email": osei.email, "password": PASSWORD})
    assert again.get("/sign-in/enrol/")["Location"] == "/sign-in/code/"
    assert again.post("/sign-in/recovery/", {"code": codes[0].upper()}).status_code == 302
    assert "recovery_code.used" in events(practice)
    assert StaticToken.objects.filter(device__user=osei).count() == 9


def test_an_idle_session_locks_and_returns_to_the_same_place(
    now: datetime, osei: User, at_the_desk: Desk, set_clock: Clock, practice: Practice
) -> None:
    client = at_the_desk(osei)
    set_clock(now)
    assert client.get("/switches/").status_code == 200
    set_clock(now + timedelta(minutes=10))
    assert client.get("/switches/", headers={"X-Refresh": "1"}).status_code == 200
    set_clock(now + timedelta(minutes=10, seconds=1))
    answer = client.get("/switches/?a=1")
    assert answer["Location"] == "/unlock/?next=%2Fswitches%2F%3Fa%3D1"
    assert client.post(answer["Location"], {"password": "wrong"}).status_code == 422
    assert client.get("/switches/").status_code == 302
    assert client.post(answer["Location"], {"password": PASSWORD})["Location"] == "/switches/?a=1"
    assert client.get("/switches/").status_code == 200
    assert "sign_in.unlocked" in events(practice)


def test_a_form_posted_into_a_locked_session_is_kept_sealed_and_offered_again(
    now: datetime, osei: User, mia: User, at_the_desk: Desk, set_clock: Clock, practice: Practice
) -> None:
    client = at_the_desk(osei)
    set_clock(now)
    client.get("/switches/")
    set_clock(now + timedelta(minutes=11))
    answer = client.post("/switches/sending/stop/", {"why": "words of a patient", "csrfmiddlewaretoken": "x"})
    practice.refresh_from_db()
    assert not practice.is_sending_stopped
    kept = KeptForm.objects.get()
    assert b"words" not in bytes(kept.sealed)
    assert "words" not in str([session.get_decoded() for session in Session.objects.all()])
    assert client.get(f"/unlock/{kept.id}/").status_code == 302
    answer = client.post(answer["Location"], {"password": PASSWORD})
    assert answer["Location"] == f"/unlock/{kept.id}/"
    page = client.get(answer["Location"]).content.decode()
    assert 'name="why" value="words of a patient"' in page
    assert at_the_desk(mia).get(f"/unlock/{kept.id}/").status_code == 404
    client.post("/switches/sending/stop/", {"why": "words of a patient", kept_forms.FIELD: str(kept.id)})
    practice.refresh_from_db()
    assert practice.is_sending_stopped
    assert not KeptForm.objects.exists()


def test_a_part_of_a_locked_page_tells_the_browser_to_move(
    now: datetime, osei: User, at_the_desk: Desk, set_clock: Clock
) -> None:
    client = at_the_desk(osei)
    set_clock(now)
    client.get("/switches/")
    set_clock(now + timedelta(hours=1))
    answer = client.get("/switches/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/queue/"})
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/unlock/?next=%2Fqueue%2F"


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil"])
def test_no_way_back_leads_off_the_site(osei: User, place: str) -> None:
    client = Client()
    answer = client.post(f"/sign-in/?next={place}", {"email": osei.email, "password": PASSWORD})
    assert answer["Location"] == "/sign-in/code/"


def test_a_person_of_two_practices_chooses_and_never_a_third(
    osei: User, other: Practice, practice: Practice, at_the_desk: Desk
) -> None:
    client = at_the_desk(osei)
    assert client.post("/practice/", {"practice": str(other.id)}).status_code == 404
    Membership.objects.create(practice=other, user=osei, role=Role.assistant)
    assert client.get("/switches/")["Location"] == "/practice/?next=%2Fswitches%2F"
    assert client.post("/practice/?next=/switches/", {"practice": str(other.id)})["Location"] == "/switches/"
    assert client.get("/switches/").status_code == 404
    client.post("/practice/", {"practice": str(practice.id)})
    assert client.get("/switches/").status_code == 200


def test_signing_out_ends_the_session_and_needs_a_post(osei: User, at_the_desk: Desk, practice: Practice) -> None:
    client = at_the_desk(osei)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert client.get("/switches/")["Location"].startswith("/sign-in/")
    assert events(practice)[-1] == "sign_out"


def test_pages_carry_no_inline_script_or_style(osei: User, at_the_desk: Desk) -> None:
    for client, path in ((at_the_desk(osei), "/switches/"), (Client(), "/sign-in/")):
        answer = client.get(path)
        text = answer.content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)|javascript:", text), path
        assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_pages_speak_the_practices_own_time(now: datetime, osei: User, at_the_desk: Desk, set_clock: Clock) -> None:
    set_clock(now)
    page = at_the_desk(osei).get("/switches/").content.decode()
    assert "Tue, Nov 10, 2026 · 10:00 am Eastern" in page
    assert 'title="2026-11-10 15:00 UTC"' in page
