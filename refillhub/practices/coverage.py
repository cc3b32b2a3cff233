"""Who stands in for whom at a given moment. Two queries, whatever the length of the chain; it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from refillhub.practices.models import Coverage, Provider


def is_away(*, provider: Provider, now: datetime) -> bool:
    """Whether an absence of the provider is under way. Inactive providers count as away for ever."""
    return not provider.is_active or Coverage.objects.during(now).filter(provider=provider).exists()


def stand_in_for(*, provider: Provider, now: datetime) -> Provider | None:
    """The one who does this provider's work now: the provider if in, else the stand-in of the stand-in and so on.

    A chain that ends nowhere or in a loop goes to the first of the on-call roster who is in; None means the
    administrator.
    """
    people = {one.id: one for one in Provider.objects.filter(practice_id=provider.practice_id)}
    absences: dict[UUID, UUID | None] = {}
    rows = Coverage.objects.during(now).filter(practice_id=provider.practice_id).order_by("created_at")
    for absent, stand_in in rows.values_list("provider_id", "stand_in_id"):
        if stand_in is not None or absent not in absences:  # of two absences at once the latest with a name counts
            absences[absent] = stand_in
    return follow(start=provider.id, people=people, absences=absences)


def follow(
    *, start: UUID, people: Mapping[UUID, Provider], absences: Mapping[UUID, UUID | None]
) -> Provider | None:
    """The walk itself, pure: `absences` maps an absent provider to the stand-in, or to None where nobody is named."""
    at: UUID | None = start
    seen: set[UUID] = set()
    while at is not None and at in people and at not in seen:
        seen.add(at)
        if people[at].is_active and at not in absences:
            return people[at]
        at = absences.get(at)
    roster = sorted(
        (one for one in people.values() if one.on_call_order is not None and one.is_active and one.id not in absences),
        key=lambda one: one.on_call_order or 0,
    )
    return roster[0] if roster else None
