"""How much of the last supply is used and when it ends, from fills and from prescriptions of ours or the EHR's own.

Law 6: whatever is not surely undelivered counts as supply from the moment of approval. A supply whose length is
unknown makes the answer unknown, never "none".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from rules.facts import Facts, ListEntry, SupplyState


@dataclass(frozen=True, slots=True)
class Stretch:
    """One supply on the calendar. `days` None: length unknown."""

    on: date
    days: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the patient's supply stands. `last` None: nothing is known of any supply."""

    last: Stretch | None
    stretches: tuple[Stretch, ...]
    days_since: int | None
    least_used_percent: int | None
    """Rounded down; of the supply used least. None when any length is unknown or there is none."""
    run_out_on: date | None


def total_days(*, days_supply: int | None, number_refills: int | None) -> int | None:
    """Days per fill x (1 + refills), None when either is unknown or not possible."""
    if days_supply is None or number_refills is None or days_supply <= 0 or number_refills < 0:
        return None
    return days_supply * (1 + number_refills)


def is_used_enough(*, stretch: Stretch, today: date, percent: int) -> bool | None:
    """At least `percent` of this supply used? Exact in whole numbers: 75 % of 90 days is day 67.5, so day 68 passes."""
    if stretch.days is None or stretch.days <= 0:
        return None
    return (today - stretch.on).days * 100 >= percent * stretch.days


def standing(*, facts: Facts, entry_days_supply: int | None) -> Standing:
    """Fills and supplies put together. Without either, the list entry's own prescription stands in.

    `entry_days_supply` is the entry's days per fill as far as it is surely known.
    """
    stretches = [*_fills(facts), *_supplies(facts)]
    if not stretches and facts.entry is not None:
        stretches = list(_of_entry(facts.entry, entry_days_supply))
    if not stretches:
        return Standing(last=None, stretches=(), days_since=None, least_used_percent=None, run_out_on=None)
    last = max(stretches, key=lambda stretch: (stretch.on, stretch.days is None, stretch.days or 0))
    return Standing(
        last=last,
        stretches=tuple(stretches),
        days_since=(facts.today - last.on).days,
        least_used_percent=_least_used(stretches, facts.today),
        run_out_on=_run_out(stretches),
    )


def _fills(facts: Facts) -> Iterable[Stretch]:
    """Only the latest fill counts: earlier ones are used up by it."""
    if not facts.fills:
        return ()
    fill = max(facts.fills, key=lambda one: one.on)
    return (Stretch(on=fill.on, days=fill.days_supply, source=fill.source or "fill"),)


def _supplies(facts: Facts) -> Iterable[Stretch]:
    return tuple(
        Stretch(
            on=supply.on,
            days=total_days(days_supply=supply.days_supply, number_refills=supply.number_refills),
            source=supply.source or "prescription",
        )
        for supply in facts.supplies or ()
        if supply.state is not SupplyState.surely_undelivered
    )


def _of_entry(entry: ListEntry, days: int | None) -> Iterable[Stretch]:
    if entry.prescribed_on is None:
        return ()
    total = total_days(days_supply=days, number_refills=entry.number_refills)
    return (Stretch(on=entry.prescribed_on, days=total, source="list_entry"),)


def _least_used(stretches: list[Stretch], today: date) -> int | None:
    used: list[int] = []
    for stretch in stretches:
        if stretch.days is None or stretch.days <= 0:
            return None
        used.append((today - stretch.on).days * 100 // stretch.days)
    return min(used)


def _run_out(stretches: list[Stretch]) -> date | None:
    ends = [stretch.on + timedelta(days=stretch.days) for stretch in stretches if stretch.days]
    return max(ends) if ends and len(ends) == len(stretches) else None
