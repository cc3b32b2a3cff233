"""Changes told to a practice's own receiver: every one, in order, again until taken, given up aloud; pages likewise."""

import importlib
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from integrations import receivers
from integrations.outcome import Outcome, OutcomeKind
from review import paging, telling, workflow
from review.ledger import SYSTEM
from review.models import Alarm, ChangeEvent
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


def load(name):
    return importlib.import_module(name)


@pytest.fixture
def scene():
    return load("tests.review.scene").set_up()


@pytest.fixture
def told(monkeypatch):
    """What was told, and how it is answered next."""
    found = {"events": [], "answer": Outcome(kind=OutcomeKind.DELIVERED, code="200")}

    def tell(*, receiver, event_id, kind, data, now):
        found["events"].append((event_id, kind, data))
        return found["answer"]

    monkeypatch.setattr(receivers, "tell", tell)
    return found


def receiver(scene, **more):
    wish = {"url": "https://pager.test/", "wants_pages": True, "wants_changes": True, **more}
    return receivers.register(practice=scene.practice, now=NOW, actor=SYSTEM, **wish)[0]


def test_every_change_is_told_once_with_ids_only(scene, told):
    receiver(scene)
    row = load("tests.review.scene").waiting(scene)
    workflow.deny(request_id=row.id, user=scene.osei.user, version=row.version, now=NOW, code="AM")
    waiting = list(ChangeEvent.objects.order_by("at").values_list("event", flat=True))
    assert {"request.opened", "request.decided", "request.denied"} <= set(waiting)
    assert telling.tell_due(now=NOW) == len(waiting)
    assert telling.tell_due(now=NOW + timedelta(days=1)) == 0
    text = str(told["events"])
    assert "Reyes" not in text
    assert "isinopril" not in text
    assert {data["request"] for _, _, data in told["events"]} == {str(row.id)}
    assert "denied" in {data["state"] for _, _, data in told["events"]}


def test_nobody_is_told_who_did_not_ask(scene, told):
    receiver(scene, wants_changes=False)
    load("tests.review.scene").waiting(scene)
    assert not ChangeEvent.objects.exists()


def test_what_was_not_taken_is_told_again_under_the_same_id_until_it_is(scene, told):
    receiver(scene)
    load("tests.review.scene").waiting(scene)
    count = ChangeEvent.objects.count()
    told["answer"] = Outcome(kind=OutcomeKind.NOT_SENT, code="503", transient=True)
    assert telling.tell_due(now=NOW) == 0
    assert telling.tell_due(now=NOW + timedelta(seconds=29)) == 0
    first = {one[0] for one in told["events"]}
    told["events"].clear()
    told["answer"] = Outcome(kind=OutcomeKind.DELIVERED, code="200")
    assert telling.tell_due(now=NOW + timedelta(seconds=31)) == count
    assert {one[0] for one in told["events"]} == first


def test_it_is_given_up_after_a_day_and_said_so(scene, told):
    receiver(scene)
    load("tests.review.scene").waiting(scene)
    told["answer"] = Outcome(kind=OutcomeKind.UNKNOWN, code="no_answer")
    now, rounds = NOW, 0
    while ChangeEvent.objects.filter(given_up_at__isnull=True).exists() and rounds < 60:
        now, rounds = now + timedelta(hours=1), rounds + 1
        telling.tell_due(now=now)
    assert rounds == telling.MOST_ATTEMPTS
    assert Alarm.objects.filter(kind="receiver_failed").exists()
    assert telling.purge(now=now + telling.KEEP) > 0


def test_the_wait_doubles_up_to_an_hour():
    waits = [telling.wait_after(attempt).total_seconds() for attempt in range(1, 12)]
    assert waits[:4] == [30, 60, 120, 240]
    assert max(waits) == 3600


@pytest.mark.parametrize(("way", "mails", "hooks"), [("email", 1, 0), ("webhook", 0, 1), ("both", 1, 1)])
def test_a_page_goes_the_practices_way(scene, told, way, mails, hooks):
    receiver(scene)
    scene.practice.page_by = way
    values = {"provider": str(scene.osei.id), "why": "unresolved", "request": "5c10" * 8}
    outcome = paging.page(event_id="k1", values=values, practice=scene.practice, now=NOW)
    assert outcome.kind is OutcomeKind.DELIVERED
    assert (len(mail.outbox), len(told["events"])) == (mails, hooks)


def test_of_two_ways_one_that_works_is_enough_and_none_is_a_failure(scene, told):
    scene.practice.page_by = "both"
    values = {"provider": str(scene.osei.id), "why": "unresolved", "request": "5c10" * 8}
    assert paging.page(event_id="k1", values=values, practice=scene.practice, now=NOW).kind is OutcomeKind.DELIVERED
    scene.practice.page_by = "webhook"
    failed = paging.page(event_id="k1", values=values, practice=scene.practice, now=NOW)
    assert (failed.kind, failed.code) == (OutcomeKind.REJECTED, "no_receiver")


def test_an_administrator_sets_it_tests_it_and_sees_the_secret_once(scene, told):
    ada = scene.client("ada")
    bad = ada.post(reverse("review:receiver_register"), {"url": "http://pager.test"})
    assert bad.status_code == 422
    made = ada.post(reverse("review:receiver_register"), {"url": "https://pager.test/", "wants_pages": "on"})
    assert "whsec_" in made.content.decode()
    assert "whsec_" not in ada.get(reverse("review:receiver")).content.decode()
    assert ada.post(reverse("review:receiver_test")).status_code == 302
    assert [kind for _, kind, _ in told["events"]] == ["test"]
    assert "whsec_" in ada.post(reverse("review:receiver_rotate")).content.decode()
    assert ada.post(reverse("review:receiver_stop")).status_code == 302
    assert ada.post(reverse("review:receiver_test")).status_code == 404


@pytest.mark.parametrize("who", ["osei", "mia", "cora"])
def test_nobody_else_opens_it(scene, who):
    client = scene.client(who)
    assert client.get(reverse("review:receiver")).status_code == 404
    for name in ("receiver_register", "receiver_rotate", "receiver_stop", "receiver_test"):
        assert client.post(reverse(f"review:{name}"), {"url": "https://pager.test/"}).status_code == 404


def test_another_practices_receiver_is_out_of_reach(scene, told):
    receiver(scene)
    assert scene.client("mallory").get(reverse("review:receiver")).status_code == 404
