"""Leaving shadow mode: four checks, and two people. One asks, another confirms within a day; both stand in the audit.

The ask is kept nowhere but in the audit trail, whose order is sealed: the last word on shadow mode is the one that
counts. Never switches while a check fails, never on one person's word.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from audit import log
from audit.events import ActorKind, Draft
from audit.models import Entry
from integrations import mirror_sweeps
from integrations.models import SweepKind
from refillhub.practices import doors, roles
from refillhub.practices.models import Membership, Practice, Provider, Spi, User

EVENT = "shadow.changed"
LIVES = timedelta(hours=24)
FRESH = timedelta(hours=24)  # pre-flight F014: the medication list synced in the last 24 hours


class Refused(ValueError):
    """Shadow mode stays; the message says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, and what was found."""

    sentence: str
    is_good: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A standing ask to go live."""

    by: UUID
    at: datetime


def checks(*, practice: Practice, now: datetime) -> tuple[Check, ...]:
    """The four checks, each from our own rows."""
    providers = list(Provider.objects.active().filter(practice=practice).order_by("last_name"))
    held = set(Spi.objects.filter(practice=practice, is_active=True).values_list("provider_id", flat=True))
    without = [str(provider) for provider in providers if provider.pk not in held]
    swept = mirror_swept_at(practice_id=practice.id)
    signed = practice.baa_signed_on
    spis = (
        "No prescriber is entered."
        if not providers
        else (f"Missing: {', '.join(without)}." if without else f"{len(providers)} of {len(providers)} prescribers.")
    )
    return (
        Check("The practice has a time zone", bool(practice.time_zone), practice.time_zone or "Not set."),
        Check(
            "The business associate agreement is recorded",
            signed is not None,
            f"Signed {signed:%b} {signed.day}, {signed.year}." if signed else "Not recorded.",
        ),
        Check("Every prescriber has an active SPI", bool(providers) and not without, spis),
        Check(
            "The medication lists were read whole within 24 hours",
            swept is not None and timedelta(0) <= now - swept <= FRESH,
            "Never read whole." if swept is None else f"{_ago(now - swept)} ago.",
        ),
    )


def mirror_swept_at(*, practice_id: UUID) -> datetime | None:
    """When a sweep over all medication lists last came to its end."""
    ends = (
        mirror_sweeps.last_complete_at(practice_id=practice_id, kind=kind)
        for kind in (SweepKind.rolling, SweepKind.nightly)
    )
    return max((end for end in ends if end is not None), default=None)


def standing(*, practice: Practice, now: datetime) -> Ask | None:
    """The ask that waits for a second person; None when there is none, or it was withdrawn, used or is a day old."""
    last = Entry.objects.of(practice_id=practice.id).filter(event=EVENT, at__gte=now - LIVES).newest_first().first()
    if last is None or not practice.is_shadow or json.loads(last.body).get("outcome") != "asked":
        return None
    return Ask(by=UUID(last.actor_id), at=last.at) if last.actor_kind == ActorKind.person else None


def ask(*, practice_id: UUID, by: User, now: datetime) -> None:
    """The first of two people. Raises PermissionDenied unless an administrator, Refused while a check fails."""
    with transaction.atomic(durable=True):
        practice = _locked(practice_id, by, roles.Action.manage_practice)
        _must_be_ready(practice, now)
        if standing(practice=practice, now=now) is not None:
            raise Refused("Going live was asked for already and waits for a second person.")
        _record(practice, by, now, "asked")


def withdraw(*, practice_id: UUID, by: User, now: datetime) -> None:
    """Take the standing ask back; anyone who could confirm may. Nothing happens when there is none."""
    with transaction.atomic(durable=True):
        practice = _locked(practice_id, by, roles.Action.see_shadow)
        if standing(practice=practice, now=now) is not None:
            _record(practice, by, now, "withdrawn")


def confirm(*, practice_id: UUID, by: User, now: datetime) -> None:
    """The second of two people: shadow mode ends now. Raises PermissionDenied, Refused (same person, a check fails)."""
    with transaction.atomic(durable=True):
        practice = _locked(practice_id, by, roles.Action.see_shadow)
        asked = standing(practice=practice, now=now)
        if asked is None:
            raise Refused("Nobody has asked to go live within the last day.")
        if asked.by == by.pk:
            raise Refused("Another person must confirm what you asked for.")
        if not _may(asked.by, practice_id, roles.Action.manage_practice):
            raise Refused("The person who asked is no longer an administrator of this practice.")
        _must_be_ready(practice, now)
        practice.is_shadow = False
        practice.save(update_fields=["is_shadow"])
        _record(practice, by, now, "live", asked_by=str(asked.by))


def _locked(practice_id: UUID, by: User, action: roles.Action) -> Practice:
    practice = Practice.objects.select_for_update().get(pk=practice_id)
    if not _may(by.pk, practice_id, action):
        raise PermissionDenied("this person may not change shadow mode here")
    return practice


def _may(user_id: UUID, practice_id: UUID, action: roles.Action) -> bool:
    held = Membership.objects.roles_of(user_id=user_id, practice_id=practice_id)
    return roles.may(roles=held, action=action)


def _must_be_ready(practice: Practice, now: datetime) -> None:
    if not practice.is_shadow:
        raise Refused("The practice is live already.")
    failing = [check.sentence for check in checks(practice=practice, now=now) if not check.is_good]
    if failing:
        raise Refused("Not yet so: " + "; ".join(failing) + ".")


def _record(practice: Practice, by: User, now: datetime, outcome: str, **data: str) -> None:
    log.record(
        now=now,
        draft=Draft(
            practice_id=practice.id, event=EVENT, actor=doors.person(by), trigger="page", outcome=outcome, data=data
        ),
    )


def _ago(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
