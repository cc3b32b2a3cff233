"""The verbs of coverage: plan, arrange and end an absence, change the on-call roster. One transaction each, audited.

They move nothing that waits: `review.timers.escalate` does, by what was chosen here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from audit import log
from audit.events import Draft
from refillhub.practices import absence_plans, coverage, doors, roles
from refillhub.practices.models import Coverage, Membership, Practice, Provider, Spi, User


class BadStandIn(ValueError):
    """The stand-in is the absent one, of another practice, or no longer works here."""


class Refused(ValueError):
    """The absence would leave a loop, a gap or someone who may not do the work; holds the plan."""

    def __init__(self, plan: absence_plans.Plan) -> None:
        super().__init__("refused")
        self.plan = plan


@dataclass(frozen=True, slots=True)
class Wish:
    """An absence as asked for. `needs_dea`: controlled requests would reach the stand-in."""

    provider_id: UUID
    starts_at: datetime
    ends_at: datetime
    stand_in_id: UUID | None
    note: str = ""
    moves_waiting: bool = True
    returns_waiting: bool = False
    needs_dea: bool = False


def plan(*, practice: Practice, wish: Wish, by: User, now: datetime) -> absence_plans.Plan:
    """What it would mean; saves nothing. Raises PermissionDenied, BadStandIn, Provider.DoesNotExist."""
    row = _row(practice=practice, wish=wish, by=by, now=now)
    return _plan(practice=practice, row=row, wish=wish, now=now)


def arrange(*, practice: Practice, wish: Wish, by: User, now: datetime) -> Coverage:
    """A new absence. Raises Refused, PermissionDenied, BadStandIn, Provider.DoesNotExist."""
    with transaction.atomic(durable=True):
        # Everyone of the practice in one order: two absences arranged at once must not make a loop between them.
        list(Provider.objects.select_for_update(no_key=True).filter(practice=practice).order_by("id"))
        row = _row(practice=practice, wish=wish, by=by, now=now)
        made = _plan(practice=practice, row=row, wish=wish, now=now)
        if made.refusals:
            raise Refused(made)
        row.save(force_insert=True)
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


def change_on_call(*, practice: Practice, provider_id: UUID, move: str, by: User, now: datetime) -> None:
    """Move one prescriber "up" or "down" the roster, "add" or "remove" them. Raises Provider.DoesNotExist."""
    with transaction.atomic(durable=True):
        _check_anyone(practice=practice, by=by)
        people = list(Provider.objects.select_for_update(no_key=True).filter(practice=practice).order_by("id"))
        one = next((each for each in people if each.pk == provider_id and each.is_active), None)
        if one is None:
            raise Provider.DoesNotExist
        roster = sorted((each for each in people if each.on_call_order is not None and each.is_active),
                        key=lambda each: each.on_call_order or 0)
        after = _moved(roster=roster, one=one, move=move)
        if after == roster:
            return
        Provider.objects.filter(practice=practice).update(on_call_order=None)  # one place is one person's
        for number, each in enumerate(after, start=1):
            Provider.objects.filter(pk=each.pk).update(on_call_order=number)
        log.record(now=now, draft=Draft(
            practice_id=practice.pk, event="coverage.changed", actor=doors.person(by), trigger="page",
            outcome="on_call", data={"provider": str(one.pk), "move": move, "order": [str(each.pk) for each in after]}))


def _moved(*, roster: list[Provider], one: Provider, move: str) -> list[Provider]:
    others = [each for each in roster if each != one]
    if move == "add":
        return roster if one in roster else [*roster, one]
    if one not in roster or move not in ("up", "down", "remove"):
        return roster
    if move == "remove":
        return others
    place = roster.index(one) + (-1 if move == "up" else 1)
    place = min(max(place, 0), len(others))
    return [*others[:place], one, *others[place:]]


def _row(*, practice: Practice, wish: Wish, by: User, now: datetime) -> Coverage:
    """The row as it would be, unsaved, after the rights."""
    provider = Provider.objects.active().get(pk=wish.provider_id, practice=practice)
    _check(provider=provider, by=by)
    if wish.stand_in_id is not None:
        known = Provider.objects.active().filter(pk=wish.stand_in_id, practice=practice).exists()
        if not known or wish.stand_in_id == provider.pk:
            raise BadStandIn
    return Coverage(practice=practice, provider=provider, starts_at=wish.starts_at, ends_at=wish.ends_at,
                    stand_in_id=wish.stand_in_id, note=wish.note, created_by=by, created_at=now,
                    moves_waiting=wish.moves_waiting, returns_waiting=wish.returns_waiting)


def _plan(*, practice: Practice, row: Coverage, wish: Wish, now: datetime) -> absence_plans.Plan:
    board = coverage.board(practice=practice, since=row.starts_at, until=row.ends_at)
    senders = Spi.objects.filter(practice=practice, is_active=True).values_list("provider_id", flat=True)
    return absence_plans.make(board=board, planned=row, now=now, senders=set(senders), needs_dea=wish.needs_dea)


def _check(*, provider: Provider, by: User) -> None:
    held = Membership.objects.roles_of(user_id=by.pk, practice_id=provider.practice_id)
    is_own = provider.user_id == by.pk and roles.may(roles=held, action=roles.Action.cover_self)
    if not is_own and not roles.may(roles=held, action=roles.Action.cover_anyone):
        raise PermissionDenied("coverage is for the absent one, an assistant or an administrator")


def _check_anyone(*, practice: Practice, by: User) -> None:
    held = Membership.objects.roles_of(user_id=by.pk, practice_id=practice.pk)
    if not roles.may(roles=held, action=roles.Action.cover_anyone):
        raise PermissionDenied("the on-call roster is for an assistant or an administrator")


def _record(*, row: Coverage, by: User, now: datetime, outcome: str) -> None:
    log.record(now=now, draft=Draft(
        practice_id=row.practice_id, event="coverage.changed", actor=doors.person(by), trigger="page", outcome=outcome,
        data={"provider": str(row.provider_id), "stand_in": str(row.stand_in_id or ""),
              "from": row.starts_at.isoformat(), "to": row.ends_at.isoformat(),
              "moves_waiting": row.moves_waiting, "returns_waiting": row.returns_waiting}))
