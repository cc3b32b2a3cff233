"""The verbs of coverage: arrange an absence with a stand-in, and end one. One transaction each, audited.

They move nothing that waits already; routing asks `coverage.stand_in_for` when it acts.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from audit import log
from audit.events import Draft
from refillhub.practices import doors, roles
from refillhub.practices.models import Coverage, Membership, Practice, Provider, User


class BadStandIn(ValueError):
    """The stand-in is the absent one, of another practice, or no longer works here."""


def arrange(
    *, practice: Practice, provider_id: UUID, starts_at: datetime, ends_at: datetime, stand_in_id: UUID | None,
    note: str, by: User, now: datetime,
) -> Coverage:
    """A new absence. Raises PermissionDenied, BadStandIn, Provider.DoesNotExist for another practice's provider."""
    with transaction.atomic(durable=True):
        provider = Provider.objects.select_for_update().get(pk=provider_id, practice=practice)
        _check(provider=provider, by=by)
        stand_in = None
        if stand_in_id is not None:
            stand_in = Provider.objects.active().filter(pk=stand_in_id, practice=practice).first()
            if stand_in is None or stand_in.pk == provider.pk:
                raise BadStandIn
        row = Coverage.objects.create(practice=practice, provider=provider, starts_at=starts_at, ends_at=ends_at,
                                      stand_in=stand_in, note=note, created_by=by, created_at=now)
        _record(row=row, by=by, now=now, outcome="arranged")
        return row


def end(*, practice: Practice, coverage_id: UUID, by: User, now: datetime) -> None:
    """The absence is over now, or never begins. Raises PermissionDenied, Coverage.DoesNotExist."""
    with transaction.atomic(durable=True):
        row = Coverage.objects.select_for_update(of=("self",)).select_related("provider").get(
            pk=coverage_id, practice=practice)
        _check(provider=row.provider, by=by)
        if row.ends_at <= now:
            return
        _record(row=row, by=by, now=now, outcome="ended" if row.starts_at < now else "withdrawn")
        if row.starts_at < now:
            row.ends_at = now
            row.save(update_fields=["ends_at"])
        else:
            row.delete()


def _check(*, provider: Provider, by: User) -> None:
    held = set(Membership.objects.current().filter(user=by, practice_id=provider.practice_id)
               .values_list("role", flat=True))
    is_own = provider.user_id == by.pk and roles.may(roles=held, action=roles.Action.cover_self)
    if not is_own and not roles.may(roles=held, action=roles.Action.cover_anyone):
        raise PermissionDenied("coverage is for the absent one, an assistant or an administrator")


def _record(*, row: Coverage, by: User, now: datetime, outcome: str) -> None:
    log.record(now=now, draft=Draft(
        practice_id=row.practice_id, event="coverage.changed", actor=doors.person(by), trigger="page", outcome=outcome,
        data={"provider": str(row.provider_id), "stand_in": str(row.stand_in_id or ""),
              "from": row.starts_at.isoformat(), "to": row.ends_at.isoformat()}))
