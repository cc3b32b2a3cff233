"""The right to sign controlled prescriptions: one person asks, another, a DEA registrant, approves with both factors.

It ends the same day when the second factor is lost, the registration ends or the person leaves (21 CFR 1311.125(d)).
Ending is always allowed; giving never by one person alone.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from audit import log
from audit.events import Actor, ActorKind, Draft
from refillhub.practices import doors, roles
from refillhub.practices.factors import Proof
from refillhub.practices.models import Membership, Practice, Provider, SigningGrant, User

SYSTEM = Actor(kind=ActorKind.system, id="refill-hub")


class NotGranted(Exception):
    """The grant cannot be asked for or approved; the text says why and what to do."""


def standing(*, provider: Provider, today: date) -> SigningGrant | None:
    """The prescriber's right to sign on this day, if any. The number on it must be the one of their record."""
    found = SigningGrant.objects.standing(today).filter(provider=provider).first()
    return found if found is not None and found.dea_number == provider.dea_number else None


def request_grant(
    *, practice: Practice, provider_id: UUID, ends_on: date, evidence: str, by: User, now: datetime, today: date
) -> SigningGrant:
    """Ask for the right in a prescriber's name. Raises PermissionDenied, NotGranted, Provider.DoesNotExist.

    ends_on: last day of the DEA registration. evidence: where proofing and the look at the registers are filed.
    """
    with transaction.atomic(durable=True):
        provider = Provider.objects.select_for_update().get(pk=provider_id, practice=practice)
        _needs(practice=practice, by=by, action=roles.Action.manage_people)
        if not provider.is_active or provider.user_id is None or not provider.dea_number:
            raise NotGranted("The prescriber needs an account and a DEA number on their record first.")
        if ends_on < today:
            raise NotGranted("The registration has ended already.")
        if not evidence.strip():
            raise NotGranted("Say where the identity proofing and the look at the registers are filed.")
        try:
            with transaction.atomic():
                row = SigningGrant.objects.create(
                    practice=practice, provider=provider, dea_number=provider.dea_number, registration_ends_on=ends_on,
                    evidence=evidence.strip(), requested_by=by, requested_at=now)
        except IntegrityError as error:
            raise NotGranted("There is one already; end it first.") from error
        _record(row, doors.person(by), now, "grant.requested")
        return row


def approve_grant(*, practice: Practice, grant_id: UUID, by: User, proof: Proof, now: datetime, today: date) -> None:
    """The second person's yes: a registrant of this practice, with both factors given for this grant.

    Raises PermissionDenied, NotGranted, SigningGrant.DoesNotExist.
    """
    with transaction.atomic(durable=True):
        row = SigningGrant.objects.select_for_update(of=("self",)).select_related("provider").get(
            pk=grant_id, practice=practice)
        _needs(practice=practice, by=by, action=roles.Action.approve_signing)
        if proof.user_id != by.pk or proof.digest != digest(row) or proof.at != now:
            raise PermissionDenied("the factors were given for something else")
        if row.ended_at is not None or row.approved_at is not None:
            raise NotGranted("This one is not waiting for approval any more.")
        if row.requested_by_id == by.pk:
            raise NotGranted("Another person must approve: you asked for it.")
        own = Provider.objects.active().filter(practice=practice, user=by).exclude(dea_number="")
        if not own.exists():
            raise NotGranted("Only a DEA registrant of this practice may approve.")
        if row.registration_ends_on < today or row.dea_number != row.provider.dea_number or not row.provider.is_active:
            raise NotGranted("The prescriber's registration or record changed since; end this one and ask again.")
        row.approved_by, row.approved_at = by, now
        row.save(update_fields=["approved_by", "approved_at"])
        _record(row, doors.person(by), now, "grant.approved")


def end_grant(*, practice: Practice, grant_id: UUID, reason: str, by: User, now: datetime) -> None:
    """End a grant, with effect at once. The prescriber themselves, an administrator or any registrant may.

    Raises PermissionDenied, SigningGrant.DoesNotExist.
    """
    with transaction.atomic(durable=True):
        row = SigningGrant.objects.select_for_update(of=("self",)).select_related("provider").get(
            pk=grant_id, practice=practice)
        held = Membership.objects.roles_of(user_id=by.pk, practice_id=practice.pk)
        may = any(roles.may(roles=held, action=one) for one in (roles.Action.manage_people,
                                                                roles.Action.approve_signing))
        if not may:
            raise PermissionDenied("a prescriber or an administrator of the practice ends a grant")
        _end(row, reason=reason, by=by, actor=doors.person(by), now=now)


def end_expired(*, practice: Practice, now: datetime, today: date) -> list[SigningGrant]:
    """End grants whose registration ended, whose number changed, or whose prescriber or account is inactive."""
    with transaction.atomic(durable=True):
        rows = SigningGrant.objects.select_for_update(of=("self",)).select_related("provider__user").open()
        ended = []
        for row in rows.filter(practice=practice):
            who = row.provider
            left = not who.is_active or who.user is None or not who.user.is_active
            over = row.registration_ends_on < today or row.dea_number != who.dea_number
            if left or over:
                reason = SigningGrant.EndReason.left if left else SigningGrant.EndReason.registration_ended
                _end(row, reason=reason, by=None, actor=SYSTEM, now=now)
                ended.append(row)
        return ended


def digest(row: SigningGrant) -> str:
    """What the approving person's factors are given for."""
    return f"grant {row.pk} {row.dea_number} {row.registration_ends_on}"


def _end(row: SigningGrant, *, reason: str, by: User | None, actor: Actor, now: datetime) -> None:
    if row.ended_at is not None:
        return
    row.ended_at, row.ended_by, row.end_reason = now, by, reason
    row.save(update_fields=["ended_at", "ended_by", "end_reason"])
    _record(row, actor, now, "grant.ended", outcome=str(reason))


def _needs(*, practice: Practice, by: User, action: roles.Action) -> None:
    if not roles.may(roles=Membership.objects.roles_of(user_id=by.pk, practice_id=practice.pk), action=action):
        raise PermissionDenied(f"{action} is not this person's")


def _record(row: SigningGrant, actor: Actor, now: datetime, event: str, outcome: str = "") -> None:
    log.record(now=now, draft=Draft(
        practice_id=row.practice_id, event=event, actor=actor, trigger="page", outcome=outcome,
        clinician=str(row.provider_id), data={"grant": str(row.id), "provider": str(row.provider_id)}))
