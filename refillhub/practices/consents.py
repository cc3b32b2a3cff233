"""A prescriber's own agreement to automatic approval in their name: given and revoked in person, dated, audited."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from audit import log
from audit.events import Draft
from refillhub.practices import doors
from refillhub.practices.models import AutoApprovalConsent, Provider, User


def standing(*, provider: Provider) -> AutoApprovalConsent | None:
    """The agreement in force, if any."""
    return AutoApprovalConsent.objects.standing().filter(provider=provider).first()


def give(*, provider: Provider, by: User, now: datetime) -> None:
    """Agree. Raises PermissionDenied unless the person is this active provider. The caller checked a fresh code."""
    with transaction.atomic(durable=True):
        locked = _own(provider=provider, by=by)
        if not locked.is_active:
            raise PermissionDenied("an inactive provider cannot agree")
        if standing(provider=locked) is None:
            AutoApprovalConsent.objects.create(
                practice_id=locked.practice_id, provider=locked, given_at=now, given_by=by)
            _record(locked, by, now, "consent.given")


def revoke(*, provider: Provider, by: User, now: datetime) -> None:
    """Withdraw, with effect at once. Raises PermissionDenied unless the person is this provider."""
    with transaction.atomic(durable=True):
        locked = _own(provider=provider, by=by)
        if AutoApprovalConsent.objects.standing().filter(provider=locked).update(revoked_at=now, revoked_by=by):
            _record(locked, by, now, "consent.revoked")


def _own(*, provider: Provider, by: User) -> Provider:
    locked = Provider.objects.select_for_update().get(pk=provider.pk)
    if locked.user_id is None or locked.user_id != by.pk:
        raise PermissionDenied("agreement is given and revoked by the prescriber in person")
    return locked


def _record(provider: Provider, by: User, now: datetime, event: str) -> None:
    log.record(now=now, draft=Draft(
        practice_id=provider.practice_id, event=event, actor=doors.person(by), clinician=str(provider.id),
        trigger="page", data={"provider": str(provider.id)}))
