"""Leaving shadow mode: four checks and two people, neither of them alone, each word in the audit trail."""

import importlib
import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from audit.models import Entry
from integrations.models import SweepState
from refillhub.practices.models import Practice, Spi
from review import going_live

PAGE = "review:going_live"


@pytest.fixture
def ready(scene):
    """In shadow, with everything so."""
    Practice.objects.update(is_shadow=True)
    scene.practice.refresh_from_db()
    swept(scene, importlib.import_module("tests.review.scene").NOW - timedelta(hours=3))
    return scene


def swept(scene, at):
    SweepState.objects.update_or_create(practice=scene.practice, kind="nightly", defaults={"completed_at": at})


def now():
    return importlib.import_module("tests.review.scene").NOW


def outcomes(scene):
    rows = Entry.objects.of(practice_id=scene.practice.id).filter(event="shadow.changed").order_by("number")
    return [json.loads(row.body)["outcome"] for row in rows]


def is_shadow(scene):
    scene.practice.refresh_from_db()
    return scene.practice.is_shadow


def test_one_asks_another_confirms_and_the_practice_is_live(ready):
    ada, osei = ready.client("ada"), ready.client("osei")
    assert "Ask to go live" in ada.get(reverse(PAGE)).text
    assert "Asked." in ada.post(reverse("review:going_live_ask"), follow=True).text
    assert is_shadow(ready)
    assert "Confirm: go live" not in ada.get(reverse(PAGE)).text
    assert "Confirm: go live" in osei.get(reverse(PAGE)).text
    assert "is live" in osei.post(reverse("review:going_live_confirm"), follow=True).text
    assert not is_shadow(ready)
    assert outcomes(ready) == ["asked", "live"]


def test_nobody_confirms_what_they_asked_for(ready):
    ada = ready.client("ada")
    ada.post(reverse("review:going_live_ask"))
    assert "Another person must confirm" in ada.post(reverse("review:going_live_confirm"), follow=True).text
    assert is_shadow(ready)
    assert outcomes(ready) == ["asked"]


def test_a_confirmation_without_an_ask_or_after_a_day_or_a_withdrawal_changes_nothing(ready):
    practice, osei = ready.practice, ready.osei.user
    with pytest.raises(going_live.Refused):
        going_live.confirm(practice_id=practice.id, by=osei, now=now())
    going_live.ask(practice_id=practice.id, by=ready.ada, now=now())
    with pytest.raises(going_live.Refused, match="already"):
        going_live.ask(practice_id=practice.id, by=ready.ada, now=now())
    late = now() + timedelta(hours=24, seconds=1)
    swept(ready, late)
    with pytest.raises(going_live.Refused):
        going_live.confirm(practice_id=practice.id, by=osei, now=late)
    swept(ready, now())
    going_live.withdraw(practice_id=practice.id, by=osei, now=now())
    with pytest.raises(going_live.Refused):
        going_live.confirm(practice_id=practice.id, by=osei, now=now())
    assert is_shadow(ready)
    assert outcomes(ready) == ["asked", "withdrawn"]


@pytest.mark.parametrize("missing", ["time zone", "agreement", "SPI", "sweep", "old sweep"])
def test_each_check_holds_back_both_the_ask_and_the_confirmation(ready, missing):
    practice = ready.practice
    going_live.ask(practice_id=practice.id, by=ready.ada, now=now())
    if missing == "time zone":
        Practice.objects.filter(pk=practice.pk).update(time_zone="")
    elif missing == "agreement":
        Practice.objects.filter(pk=practice.pk).update(baa_signed_on=None)
    elif missing == "SPI":
        Spi.objects.filter(provider=ready.lind).update(is_active=False)
    elif missing == "sweep":
        SweepState.objects.all().delete()
    else:
        swept(ready, now() - timedelta(hours=24, seconds=1))
    practice.refresh_from_db()
    assert [check.is_good for check in going_live.checks(practice=practice, now=now())].count(False) == 1
    for verb, by in ((going_live.confirm, ready.osei.user), (going_live.ask, ready.ada)):
        with pytest.raises(going_live.Refused, match="Not yet so"):
            verb(practice_id=practice.id, by=by, now=now())
    assert is_shadow(ready)


def test_an_ask_counts_only_while_its_person_is_still_an_administrator(ready):
    going_live.ask(practice_id=ready.practice.id, by=ready.ada, now=now())
    ready.ada.memberships.update(is_active=False)
    with pytest.raises(going_live.Refused, match="no longer"):
        going_live.confirm(practice_id=ready.practice.id, by=ready.osei.user, now=now())
    assert is_shadow(ready)


def test_roles_and_practices_are_kept_apart(ready):
    practice_id = ready.practice.id
    going_live.ask(practice_id=practice_id, by=ready.ada, now=now())
    for who in ("mia", "cora"):
        client = ready.client(who)
        assert client.get(reverse(PAGE)).status_code == 404
        assert client.post(reverse("review:going_live_confirm")).status_code == 404
    assert ready.client("osei").post(reverse("review:going_live_ask")).status_code == 404
    mallory = ready.client("mallory")
    assert "asked on" not in mallory.get(reverse(PAGE)).text
    mallory.post(reverse("review:going_live_confirm"))
    for verb in (going_live.ask, going_live.confirm, going_live.withdraw):
        with pytest.raises(PermissionDenied):
            verb(practice_id=practice_id, by=ready.mallory.user, now=now())
    assert is_shadow(ready)
    assert outcomes(ready) == ["asked"]
