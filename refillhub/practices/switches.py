"""The stop switches of a practice: all sending, or automatic approval alone. One verb each, at once, audited.

They never touch a request or a dispatch; delivery and deciding look at the switches at the door.
Pulling a switch that is already pulled changes nothing and leaves no second entry.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from audit import log
from audit.events import Draft
from refillhub.practices import doors, roles
from refillhub.practices.models import Membership, Practice, User


def stop_sending(*, practice_id: UUID, by: User, now: datetime) -> None:
    """Nothing leaves from now on. Raises PermissionDenied unless the person may stop."""
    _switch(practice_id=practice_id, by=by, now=now, what="sending", stop=True, event="sending.stopped")


def resume_sending(*, practice_id: UUID, by: User, now: datetime) -> None:
    """Sending goes on. Raises PermissionDenied unless the person may stop."""
    _switch(practice_id=practice_id, by=by, now=now, what="sending", stop=False, event="sending.resumed")


def stop_automatic(*, practice_id: UUID, by: User, now: datetime) -> None:
    """Every request goes to a person. Raises PermissionDenied unless the person may stop."""
    _switch(practice_id=practice_id, by=by, now=now, what="automatic", stop=True, event="auto_approval.stopped")


def resume_automatic(*, practice_id: UUID, by: User, now: datetime) -> None:
    """Automatic approval goes on. Raises PermissionDenied unless the person may stop."""
    _switch(practice_id=practice_id, by=by, now=now, what="automatic", stop=False, event="auto_approval.resumed")


def _switch(*, practice_id: UUID, by: User, now: datetime, what: str, stop: bool, event: str) -> None:
    with transaction.atomic(durable=True):
        held = Membership.objects.roles_of(user_id=by.pk, practice_id=practice_id)
        if not roles.may(roles=held, action=roles.Action.stop):
            raise PermissionDenied("only a prescriber or an administrator of the practice may stop or resume")
        practice = Practice.objects.select_for_update().get(pk=practice_id)
        if (getattr(practice, f"{what}_stopped_at") is not None) == stop:
            return
        setattr(practice, f"{what}_stopped_at", now if stop else None)
        setattr(practice, f"{what}_stopped_by", by if stop else None)
        practice.save(update_fields=[f"{what}_stopped_at", f"{what}_stopped_by"])
        log.record(now=now, draft=Draft(practice_id=practice_id, event=event, actor=doors.person(by), trigger="page"))
