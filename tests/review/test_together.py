"""Review together: only what meets everything, ticked by a person, each decided by itself and checked again."""

import importlib

import pytest
from django.urls import reverse

from audit.models import Entry
from review.models import Dispatch, RefillRequest
from review.states import RequestState
from rules.models import DecisionRecord

pytestmark = pytest.mark.django_db
R = RequestState
make = importlib.import_module


@pytest.fixture
def scene(monkeypatch):
    moment = make("tests.review.rows").NOW
    monkeypatch.setattr(make("refillhub.practices.clock"), "now", lambda: moment)
    return make("tests.review.scene").set_up()


def met(scene, first, **values):
    """An item whose criteria are all met and whose class is not on automatic."""
    row = make("tests.review.scene").waiting(scene, first=first, **values)
    DecisionRecord.objects.filter(request_id=row.id).update(findings=[])
    return row


def page(scene, who="osei"):
    return scene.client(who).get(reverse("review:together")).content.decode()


def post(scene, *rows, who="osei", version=None):
    form = {"tick": [str(row.id) for row in rows]}
    form |= {f"version-{row.id}": version or row.version for row in rows}
    return scene.client(who).post(reverse("review:together_approve"), form)


def state(row):
    return RefillRequest.objects.get(pk=row.pk).state


def test_it_lists_only_what_meets_everything_and_ticks_nothing(scene):
    met(scene, "Ana")
    met(scene, "Devon", schedule="iv", drug_name="zolpidem 10 mg tablet")
    met(scene, "Rosa", last_code="900 / 1000")
    make("tests.review.scene").waiting(scene, first="Ruth")  # with unmet criteria
    text = page(scene)
    assert "Ana Reyes" in text
    assert "born Mar 4, 1968" in text
    for other in ("Devon", "Rosa", "Ruth"):
        assert other not in text, other
    assert " checked" not in text


def test_what_is_ticked_is_approved_one_by_one(scene):
    rows = [met(scene, first) for first in ("Ana", "Ruth", "Grace")]
    answer = post(scene, *rows[:2])
    assert answer.status_code == 302
    assert [state(row) for row in rows] == [R.APPROVED, R.APPROVED, R.IN_REVIEW]
    assert Dispatch.objects.filter(kind="newrx").count() == 2
    assert Entry.objects.filter(event="request.approved").count() == 2


def test_one_that_changed_meanwhile_stays_with_its_reason_and_the_others_go(scene):
    first, second, third = met(scene, "Ana"), met(scene, "Ruth"), met(scene, "Grace")
    RefillRequest.objects.filter(pk=second.pk).update(version=second.version + 1)
    DecisionRecord.objects.filter(request_id=third.id).update(
        findings=[{"code": "labs_old", "severity": "blocks", "value": "1", "limit": "2", "age_days": 3}]
    )
    answer = post(scene, first, second, third)
    assert answer.status_code == 409
    assert [state(row) for row in (first, second, third)] == [R.APPROVED, R.IN_REVIEW, R.IN_REVIEW]
    assert "changed or was decided meanwhile" in answer.content.decode()


def test_a_controlled_item_cannot_be_slipped_in(scene):
    row = met(scene, "Devon", schedule="iv")
    assert post(scene, row).status_code == 409
    assert state(row) == R.IN_REVIEW
    assert not Dispatch.objects.exists()


def test_nothing_ticked_or_an_unreadable_tick_does_nothing(scene):
    row = met(scene, "Ana")
    assert post(scene).status_code == 422
    answer = scene.client("osei").post(reverse("review:together_approve"), {"tick": ["x"], "version-x": "1"})
    assert answer.status_code == 422
    assert state(row) == R.IN_REVIEW


def test_another_practices_item_is_not_found(scene):
    row = met(scene, "Ana")
    assert post(scene, row, who="mallory").status_code == 404
    assert state(row) == R.IN_REVIEW


def test_two_people_on_one_card_see_each_other(scene):
    make("django.core.cache").cache.clear()
    row = met(scene, "Ana")
    address = reverse("review:card", args=[row.id])
    assert "open too" not in scene.client("osei").get(address).content.decode()
    text = scene.client("lind").get(address).content.decode()
    assert "Dr. Osei has this open too" in text
    assert "open too" not in scene.client("mallory").get(reverse("review:queue")).content.decode()


def test_the_order_of_the_list_is_the_persons_own_choice(scene):
    make("tests.review.scene").waiting(scene, first="Old", last="Asked", days_left=9, minutes=300)
    make("tests.review.scene").waiting(scene, first="Soon", last="Out", days_left=1, minutes=20)
    osei = scene.client("osei")

    def order(query=""):
        text = osei.get(reverse("review:queue") + query).content.decode()
        return text.index("Old Asked") < text.index("Soon Out")

    assert not order()
    assert order("?order=asked")
    assert order()
    assert not order("?order=supply")
    assert not order("?order=nonsense")
