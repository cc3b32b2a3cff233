"""The second factor: enrol and verify. The device row is locked while a code is tried and slowed down after failures.

A code counts once, also when two browsers send it at the same moment. Recovery codes are used up one by one.
It never tells which codes were near, and never keeps a code.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

import qrcode
import qrcode.image.svg
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from refillhub.practices import doors
from refillhub.practices.models import User

RECOVERY_CODES = 10
RECOVERY_NAME = "recovery codes"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a code: right or not, the device it belongs to, and seconds to wait before the next try."""

    is_right: bool
    device: Any = None
    wait_seconds: int = 0


def is_enrolled(*, user: User) -> bool:
    """Whether the person has a confirmed device."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def enrolment(*, user: User) -> TOTPDevice:
    """The device being enrolled; the same one until it is confirmed, so that a reload shows the same picture."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        device = TOTPDevice.objects.filter(user=user, confirmed=False).order_by("-pk").first()
        return device or TOTPDevice.objects.create(user=user, name="authenticator", confirmed=False)


def secret_text(device: TOTPDevice) -> str:
    """The secret for typing, in groups of four."""
    text = base64.b32encode(device.bin_key).decode()
    return " ".join(text[i:i + 4] for i in range(0, len(text), 4))


def picture(device: TOTPDevice) -> str:
    """The QR picture as a data: address (SVG)."""
    image = qrcode.make(device.config_url, image_factory=qrcode.image.svg.SvgPathFillImage, border=2)
    held = io.BytesIO()
    image.save(held)
    return "data:image/svg+xml;base64," + base64.b64encode(held.getvalue()).decode()


def confirm(*, user: User, code: str, now: datetime) -> tuple[Verdict, list[str]]:
    """Finish enrolment with a right code; returns the recovery codes, to be shown this once."""
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).order_by("-pk").first()
        if device is None or is_enrolled(user=user):
            return Verdict(False), []
        verdict = _try(device, _tidy(code))
        if not verdict.is_right:
            return verdict, []
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        codes = renew_recovery_codes(user=user)
        doors.note(user=user, event="device.enrolled", now=now)
        return verdict, codes


def renew_recovery_codes(*, user: User) -> list[str]:
    """Ten new codes in place of all older ones."""
    with transaction.atomic():
        device, _ = StaticDevice.objects.get_or_create(user=user, name=RECOVERY_NAME)
        device.token_set.all().delete()
        codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
        StaticToken.objects.bulk_create([StaticToken(device=device, token=code) for code in codes])
        return codes


def verify(*, user: User, code: str, now: datetime) -> Verdict:
    """Try a code of the authenticator (six digits) or a recovery code (anything else)."""
    code = _tidy(code)
    kind = TOTPDevice if code.isdigit() and len(code) == 6 else StaticDevice
    with transaction.atomic():
        device = kind.objects.select_for_update().filter(user=user, confirmed=True).order_by("pk").first()
        if device is None:
            return Verdict(False)
        verdict = _try(device, code)
        if verdict.is_right and kind is StaticDevice:
            doors.note(user=user, event="recovery_code.used", now=now, left=device.token_set.count())
        return verdict


def remove(*, user: User, by: User, now: datetime) -> int:
    """Remove every device of a person (lost telephone); they enrol again at the next sign-in."""
    with transaction.atomic():
        count = 0
        for kind in (TOTPDevice, StaticDevice):
            found = kind.objects.filter(user=user)
            count += found.count()
            found.delete()
        doors.note(user=user, event="device.removed", now=now, by=str(by.id))
        return count


def _try(device: Any, code: str) -> Verdict:
    allowed, why = device.verify_is_allowed()
    if not allowed:
        until = (why or {}).get("locked_until")
        return Verdict(False, wait_seconds=max(1, ceil((until - timezone.now()).total_seconds())) if until else 1)
    if device.verify_token(code):
        return Verdict(True, device)
    return Verdict(False)


def _tidy(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()
