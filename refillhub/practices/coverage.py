"""Who stands in for whom at a given moment: one walk, used for routing, for plans and for the words on the page.

Two queries, whatever the length of the chain; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from refillhub.practices.models import Coverage, Practice, Provider


class Found(StrEnum):
    """What the walk found at one prescriber."""

    here = "here"
    away = "away"
    inactive = "inactive"
    loop = "loop"  # asked already: the chain comes back to them
    on_call = "on_call"  # reached by the roster, not by a name


@dataclass(frozen=True, slots=True)
class Step:
    """One prescriber asked on the way."""

    provider: Provider
    found: Found


@dataclass(frozen=True, slots=True)
class Walk:
    """The way from a prescriber to whoever does the work; `person` None means the administrator."""

    steps: tuple[Step, ...]
    person: Provider | None

    @property
    def is_loop(self) -> bool:
        """Whether the chain of names came back to someone asked already."""
        return any(step.found == Found.loop for step in self.steps)


@dataclass(frozen=True, slots=True)
class Board:
    """The prescribers of one practice and the absences that matter, oldest arranged first."""

    people: Mapping[UUID, Provider]
    rows: tuple[Coverage, ...]

    def walk(self, *, start: UUID, at: datetime) -> Walk:
        """Who does this prescriber's work at a moment, with the way there."""
        return walk(start=start, people=self.people, absences=absences_at(rows=self.rows, at=at))

    def absence_of(self, *, provider_id: UUID, at: datetime) -> Coverage | None:
        """The absence under way that counts for this prescriber."""
        mine = [row for row in self.rows if row.provider_id == provider_id and row.starts_at <= at < row.ends_at]
        named = [row for row in mine if row.stand_in_id is not None]
        return named[-1] if named else mine[0] if mine else None


def board(*, practice: Practice, since: datetime, until: datetime) -> Board:
    """Everything about a span of time; two queries."""
    people = {one.id: one for one in Provider.objects.filter(practice=practice)}
    rows = Coverage.objects.filter(practice=practice, starts_at__lt=until, ends_at__gt=since).order_by("created_at")
    return Board(people=people, rows=tuple(rows))


def is_away(*, provider: Provider, now: datetime) -> bool:
    """Whether an absence of the provider is under way. Inactive providers count as away for ever."""
    return not provider.is_active or Coverage.objects.during(now).filter(provider=provider).exists()


def stand_in_for(*, provider: Provider, now: datetime) -> Provider | None:
    """The one who does this provider's work now: the provider if in, else the stand-in of the stand-in and so on.

    A chain that ends nowhere or in a loop goes to the first of the on-call roster who is in; None means the
    administrator.
    """
    people = {one.id: one for one in Provider.objects.filter(practice_id=provider.practice_id)}
    rows = Coverage.objects.during(now).filter(practice_id=provider.practice_id).order_by("created_at")
    return follow(start=provider.id, people=people, absences=absences_at(rows=rows, at=now))


def absences_at(*, rows: Iterable[Coverage], at: datetime) -> dict[UUID, UUID | None]:
    """Who is away at a moment and who stands in. Of two absences at once the latest with a name counts."""
    absences: dict[UUID, UUID | None] = {}
    for row in rows:
        if row.starts_at <= at < row.ends_at and (row.stand_in_id is not None or row.provider_id not in absences):
            absences[row.provider_id] = row.stand_in_id
    return absences


def follow(
    *, start: UUID, people: Mapping[UUID, Provider], absences: Mapping[UUID, UUID | None]
) -> Provider | None:
    """Where the walk ends."""
    return walk(start=start, people=people, absences=absences).person


def walk(*, start: UUID, people: Mapping[UUID, Provider], absences: Mapping[UUID, UUID | None]) -> Walk:
    """The walk itself, pure: `absences` maps an absent provider to the stand-in, or to None where nobody is named."""
    at: UUID | None = start
    seen: set[UUID] = set()
    steps: list[Step] = []
    while at is not None and at in people:
        if at in seen:
            steps.append(Step(people[at], Found.loop))
            break
        seen.add(at)
        if people[at].is_active and at not in absences:
            return Walk((*steps, Step(people[at], Found.here)), people[at])
        steps.append(Step(people[at], Found.away if at in absences else Found.inactive))
        at = absences.get(at)
    roster = sorted(
        (one for one in people.values() if one.on_call_order is not None and one.is_active and one.id not in absences),
        key=lambda one: one.on_call_order or 0,
    )
    if not roster:
        return Walk(tuple(steps), None)
    return Walk((*steps, Step(roster[0], Found.on_call)), roster[0])
