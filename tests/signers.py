"""Helpers of the tests that sign: a house that signs here, fresh codes, signing through the page as a person does."""

import base64
import time
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from integrations.sandbox import drugs
from refillhub.practices.models import Practice, Provider, SigningGrant, User
from review.models import Preparation, RefillRequest
from tests.practices import people

PASSWORD = "pass-word-12345"  # of every person of `tests.review.rows`
KEY = base64.b64encode(b"a key of the tests, 32 bytes lon").decode()
ZOLPIDEM = next(drug for drug in drugs.CONTROLLED if drug.name.startswith("zolpidem"))


def signs_here(settings: Any, practice: Practice, *providers: Provider, asked_by: User) -> None:
    """The practice signs in this program, and these prescribers may, by two people."""
    settings.EPCS_NATIVE_SIGNING, settings.EPCS_SIGNING_KEY = True, KEY
    practice_that_signs(practice, *providers, asked_by=asked_by)


def practice_that_signs(practice: Practice, *providers: Provider, asked_by: User) -> None:
    """The rows of it, without the program's own switch."""
    practice.controlled_route = Practice.ControlledRoute.sign_here
    practice.save(update_fields=["controlled_route"])
    for provider in providers:
        provider.epcs_enabled = True
        provider.save(update_fields=["dea_number", "epcs_enabled"])
        TOTPDevice.objects.get_or_create(user=provider.user, name="authenticator", confirmed=True)
        may_sign(provider, asked_by=asked_by)


def may_sign(provider: Provider, *, asked_by: User) -> SigningGrant:
    """A standing right."""
    at = provider.practice.created_at
    return SigningGrant.objects.create(
        practice=provider.practice, provider=provider, dea_number=provider.dea_number,
        registration_ends_on=(at + timedelta(days=3000)).date(), evidence="binder 4, page 2", requested_by=asked_by,
        requested_at=at, approved_by=provider.user, approved_at=at,
    )  # fmt: skip


def clinic_that_signs(clinic: Any, settings: Any) -> Any:
    """The stage with a house that signs here, and a program that may."""
    settings.EPCS_NATIVE_SIGNING, settings.EPCS_SIGNING_KEY = True, KEY
    return house_that_signs(clinic)


def house_that_signs(clinic: Any) -> Any:
    """The stage's house signs here: its doctors bear the DEA numbers of the network's own directory."""
    house = clinic.house
    for provider, doctor in zip((house.osei, house.lind), clinic.network.world.practice("p1")["doctors"], strict=True):
        provider.dea_number = doctor["dea"]
    practice_that_signs(house.practice, house.osei, house.lind, asked_by=house.pat)
    return clinic


def code_of(user: User) -> str:
    """A code that the person's authenticator shows now and that was not used yet."""
    unused = {"last_t": -1, "throttling_failure_count": 0, "throttling_failure_timestamp": None}
    TOTPDevice.objects.filter(user=user).update(**unused)
    device = TOTPDevice.objects.get(user=user, confirmed=True)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time()
    return f"{totp.token():06d}"


def browser(user: User) -> Client:
    """A person who has signed in with both factors."""
    TOTPDevice.objects.get_or_create(user=user, name="authenticator", confirmed=True)
    return people.at_the_desk(user)


def ticked(*rows: Preparation) -> dict[str, Any]:
    """The form with these ticked, as they were shown."""
    shown = {f"seen-{row.id}": row.document_sha256 for row in rows}
    return {"ready": [str(row.id) for row in rows], **shown}


def sign(
    request: RefillRequest, user: User, *, rows: Any = None, password: str = PASSWORD, code: str = "", **more: Any
) -> Any:
    """Post the signing page as this person; the answer."""
    rows = rows or list(Preparation.objects.current().filter(request=request))
    form = {**ticked(*rows), "password": password, "code": code or code_of(user), **more}
    return browser(user).post(reverse("review:sign_now", args=[request.id]), form)
