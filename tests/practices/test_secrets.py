"""Sealing, patient references and the clock."""

import base64
import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry
from refillhub.practices import clock, references, sealing
from refillhub.practices.models import Practice
from tests.practices.people import new_practice

ONE = {"practice_id": uuid.UUID(int=1), "stage": "dev", "purpose": "body"}


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_again_and_never_shows(plain: bytes) -> None:
    sealed = sealing.seal(plain, **ONE)
    assert sealing.unseal(sealed, **ONE) == plain
    assert len(plain) < 4 or plain not in sealed
    assert sealing.seal(plain, **ONE) != sealed


@pytest.mark.parametrize(
    "change",
    [
        {"practice_id": uuid.UUID(int=2)},
        {"stage": "production"},
        {"purpose": "secret"},
        {"stage": "devbody"},
    ],
)
def test_a_sealed_value_opens_only_for_its_practice_stage_and_purpose(change: dict) -> None:
    sealed = sealing.seal(b"secret", **ONE)
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(sealed, **{**ONE, **change})


def test_every_flipped_bit_and_cut_is_noticed() -> None:
    sealed = sealing.seal(b"secret", **ONE)
    for index in range(len(sealed)):
        altered = bytearray(sealed)
        altered[index] ^= 1
        with pytest.raises((sealing.SealBroken, sealing.UnknownKey)):
            sealing.unseal(bytes(altered), **ONE)
        with pytest.raises((sealing.SealBroken, sealing.UnknownKey)):
            sealing.unseal(sealed[:index], **ONE)


def test_keys_rotate_newest_first_and_an_old_value_opens_until_its_key_is_gone(settings: Any) -> None:
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    settings.SEALING_KEYS = [old]
    sealed = sealing.seal(b"secret", **ONE)
    settings.SEALING_KEYS = [new, old]
    assert sealing.unseal(sealed, **ONE) == b"secret"
    assert not sealing.is_current(sealed)
    again = sealing.seal(b"secret", **ONE)
    assert sealing.is_current(again)
    settings.SEALING_KEYS = [("named", base64.b64decode(new))]
    assert sealing.unseal(again, **ONE) == b"secret"
    with pytest.raises(sealing.UnknownKey):
        sealing.unseal(sealed, **ONE)


def reads(practice: Practice) -> int:
    return Entry.objects.of(practice_id=practice.id).filter(event="secret.read").count()


def test_a_reference_is_steady_per_practice_and_tells_nothing(practice: Practice, other: Practice) -> None:
    first = references.patient_ref(practice=practice, patient_id="4711")
    assert first == references.patient_ref(practice=practice, patient_id="4711")
    assert first != references.patient_ref(practice=other, patient_id="4711")
    assert first.startswith("p_")
    assert len(first) == 26
    assert reads(practice) == 1


@pytest.mark.django_db(transaction=True)
def test_each_unsealing_is_remembered_even_when_the_first_was_rolled_back(now: datetime) -> None:
    practice = new_practice(now, "lakeside")

    def use_and_fail() -> None:
        with transaction.atomic():
            references.patient_ref(practice=practice, patient_id="1")
            references.patient_ref(practice=practice, patient_id="2")
            assert reads(practice) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        use_and_fail()
    assert reads(practice) == 0
    references.patient_ref(practice=practice, patient_id="1")
    assert reads(practice) == 1
    with transaction.atomic():
        references.patient_ref(practice=practice, patient_id="1")
    assert reads(practice) == 1


def test_a_key_is_known_for_five_minutes_at_most(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    monkeypatch.setattr(references.time, "monotonic", lambda: moment[0])
    references.patient_ref(practice=practice, patient_id="1")
    moment[0] += 299
    references.patient_ref(practice=practice, patient_id="1")
    assert reads(practice) == 1
    references.warm([practice])
    assert reads(practice) == 2
    moment[0] += 301
    references.patient_ref(practice=practice, patient_id="1")
    assert reads(practice) == 3


def test_warming_many_practices_is_one_round(
    practice: Practice, other: Practice, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        references.warm([practice, other])
    with django_assert_max_num_queries(0):  # type: ignore[operator]
        references.patient_ref(practice=practice, patient_id="1")
        references.patient_ref(practice=other, patient_id="1")


def test_the_clock_is_shifted_only_while_every_vendor_is_pretended(settings: Any) -> None:
    settings.CLOCK_OFFSET_SECONDS = 86_400
    assert abs(clock.now() - datetime.now(UTC) - timedelta(days=1)) < timedelta(seconds=5)
    settings.KLARA_BASE_URL = "https://api.example.com"
    with pytest.raises(clock.ShiftedClockNearVendors):
        clock.now()
    settings.CLOCK_OFFSET_SECONDS = 0
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        ("http://127.0.0.1:9/v1", True),
        ("http://[::1]:9", True),
        ("http://localhost:1", True),
        ("", True),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost.evil.example", False),
        ("nonsense", False),
    ],
)
def test_loopback_means_this_machine(address: str, stays: bool) -> None:
    assert clock.is_loopback(address) is stays
