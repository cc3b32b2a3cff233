"""The right to sign: two people, one of them a registrant with both factors; it ends when anything behind it ends."""

import importlib
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse

from audit.models import Entry
from refillhub.practices import grants
from refillhub.practices.models import SigningGrant
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 17)
ENDS = "2028-01-31"
RIGHT = "pass-word-12345"


def load(name):
    return importlib.import_module(name)


@pytest.fixture
def scene():
    made = load("tests.review.scene").set_up()
    for provider, number in ((made.osei, "AO1234563"), (made.lind, "BL1234563")):
        provider.dea_number = number
        provider.save()
    return made


def ask(scene, who="ada", provider=None, **more):
    form = {"provider": (provider or scene.osei).pk, "registration_ends_on": ENDS, "evidence": "binder 4", **more}
    return scene.client(who).post(reverse("practices:ask_signer"), form)


def approve(scene, row, who="lind", password=RIGHT, code=None):
    user = scene.users()[who]
    signers = load("tests.signers")
    form = {"password": password, "code": signers.code_of(user) if code is None else code}
    return scene.client(who).post(reverse("practices:approve_signer", args=[row.pk]), form)


def standing(scene):
    return grants.standing(provider=scene.osei, today=TODAY)


def test_one_asks_and_a_registrant_approves(scene):
    assert ask(scene).status_code == 302
    assert standing(scene) is None
    row = SigningGrant.objects.get()
    assert approve(scene, row).status_code == 302
    assert standing(scene) == row
    assert set(Entry.objects.values_list("event", flat=True)) >= {"grant.requested", "grant.approved"}
    page = scene.client("cora").get(reverse("practices:signers"))
    assert "may sign" in page.content.decode()


def test_who_asked_does_not_approve_and_the_database_says_so_too(scene):
    load("refillhub.practices.models").Membership.objects.create(
        practice=scene.practice, user=scene.osei.user, role="administrator"
    )
    assert ask(scene, who="osei").status_code == 302
    row = SigningGrant.objects.get()
    assert approve(scene, row, who="osei").status_code == 409
    with pytest.raises(IntegrityError), transaction.atomic():
        SigningGrant.objects.update(approved_by=row.requested_by, approved_at=NOW)
    assert standing(scene) is None


@pytest.mark.parametrize(("password", "code"), [("wrong", None), (RIGHT, "000000"), (RIGHT, "x")])
def test_without_both_factors_nothing_is_given(scene, password, code):
    ask(scene)
    answer = approve(scene, SigningGrant.objects.get(), password=password, code=code)
    assert answer.status_code == 422
    assert standing(scene) is None


def test_somebody_without_a_registration_cannot_approve(scene):
    ask(scene)
    scene.lind.dea_number = ""
    scene.lind.save()
    assert approve(scene, SigningGrant.objects.get()).status_code == 409
    assert approve(scene, SigningGrant.objects.get(), who="mia").status_code == 404
    assert approve(scene, SigningGrant.objects.get(), who="mallory").status_code == 404
    assert standing(scene) is None


def test_a_proof_for_something_else_is_refused(scene):
    ask(scene)
    row = SigningGrant.objects.get()
    factors = load("refillhub.practices.factors")
    elsewhere = factors.Proof(user_id=scene.lind.user.pk, digest="something else", at=NOW)
    with pytest.raises(PermissionDenied):
        grants.approve_grant(practice=scene.practice, grant_id=row.pk, by=scene.lind.user, proof=elsewhere, now=NOW,
                             today=TODAY)  # fmt: skip


@pytest.mark.parametrize("who", ["mia", "cora", "lind", "mallory"])
def test_only_an_administrator_asks(scene, who):
    assert ask(scene, who=who).status_code == 404
    assert not SigningGrant.objects.exists()


def test_a_request_says_what_lacks(scene):
    scene.osei.dea_number = ""
    scene.osei.save()
    answer = ask(scene)
    assert answer.status_code == 422
    assert "DEA number on their record first" in answer.content.decode()
    assert ask(scene, provider=scene.lind, evidence="").status_code == 422
    assert "ended already" in ask(scene, provider=scene.lind, registration_ends_on="2020-01-01").content.decode()
    assert ask(scene, provider=scene.mallory).status_code == 422


def test_it_ends_at_once_by_one_person(scene):
    ask(scene)
    row = SigningGrant.objects.get()
    approve(scene, row)
    answer = scene.client("osei").post(reverse("practices:end_signer", args=[row.pk]), {"reason": "token_lost"})
    assert answer.status_code == 302
    assert standing(scene) is None
    assert scene.client("mallory").post(reverse("practices:end_signer", args=[row.pk]), {}).status_code == 404


def test_it_ends_with_the_registration_the_number_or_the_person(scene):
    ask(scene)
    approve(scene, SigningGrant.objects.get())
    assert grants.end_expired(practice=scene.practice, now=NOW, today=TODAY) == []
    assert grants.standing(provider=scene.osei, today=date(2028, 2, 1)) is None
    scene.osei.dea_number = "AO7654321"
    assert standing(scene) is None
    scene.osei.save()
    (ended,) = grants.end_expired(practice=scene.practice, now=NOW + timedelta(days=1), today=TODAY)
    assert ended.end_reason == "registration_ended"


def test_one_who_left_signs_no_more(scene):
    ask(scene)
    approve(scene, SigningGrant.objects.get())
    user = scene.osei.user
    user.is_active = False
    user.save()
    (ended,) = grants.end_expired(practice=scene.practice, now=NOW, today=TODAY)
    assert ended.end_reason == "left"
