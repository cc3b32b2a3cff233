"""Absences, walks and refusals as sentences in the practice's own time. It decides nothing and reads nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from refillhub.practices import coverage
from refillhub.practices.absence_plans import Part, Plan, Refusal, Why
from refillhub.practices.coverage import Found
from refillhub.practices.models import Provider

NOBODY = "Nobody is in: it goes to the administrator, shows to every prescriber, and an alarm is raised."


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A moment as people say it: Nov 18, 8:00 am; midnight is only the day."""
    local = at.astimezone(zone)
    day = f"{local:%b} {local.day}"
    return day if (local.hour, local.minute) == (0, 0) else f"{day}, {clock(local)}"


def clock(local: datetime) -> str:
    """The time of a local moment: 8:00 am, noon as 12:00 pm."""
    return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"


def span(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> str:
    """From one moment until another."""
    return f"{moment(starts_at, zone)} until {moment(ends_at, zone)}"


def way(*, walk: coverage.Walk, board: coverage.Board, at: datetime, zone: ZoneInfo) -> list[str]:
    """Each step of a walk as one sentence, in order."""
    said = []
    for number, step in enumerate(walk.steps):
        name = str(step.provider)
        who = name if number == 0 else f"Stand-in {name}"
        if step.found == Found.here:
            said.append(f"{who} is in.")
        elif step.found == Found.inactive:
            said.append(f"{who} no longer works here.")
        elif step.found == Found.loop:
            said.append(f"That leads back to {name}, who was asked already.")
        elif step.found == Found.on_call:
            said.append(f"Then the on-call roster: {name} is the first of it who is in.")
        else:
            row = board.absence_of(provider_id=step.provider.id, at=at)
            until = f" until {moment(row.ends_at, zone)}" if row else ""
            named = "" if row is None or row.stand_in_id else "; nobody is named to stand in"
            said.append(f"{who} is away{'' if number == 0 else ' too'}{until}{named}.")
    if walk.person is None:
        said.append("Then the on-call roster: nobody of it is in.")
    return said


def covers(plan: Plan, zone: ZoneInfo) -> list[str]:
    """Who does the work when; and where only the roster closes a gap, that it does so."""
    return [f"{span(part.starts_at, part.ends_at, zone)}: {_taker(part)}" for part in plan.parts]


def _taker(part: Part) -> str:
    person = part.walk.person
    if person is None:
        return "nobody."
    if part.walk.steps[-1].found != Found.on_call:
        through = [str(step.provider) for step in part.walk.steps[1:-1]]
        return f"{person}{', as ' + _list(through) + _is_are(through) + ' away too' if through else ''}."
    away = [str(step.provider) for step in part.walk.steps[1:-1]]
    why = f"{_list(away)}{_is_are(away)} away too" if away else "nobody is named"
    return f"{person} by the on-call roster, as {why}."


def refusal(one: Refusal, zone: ZoneInfo) -> str:
    """Why not, in words."""
    if one.why == Why.over:
        return "This absence is over already: choose an end that is still to come."
    if one.why == Why.overlap:
        when = span(one.starts_at, one.ends_at, zone) if one.starts_at and one.ends_at else ""
        return f"{one.provider} is away already, {when}. End that absence first, or choose other days."
    if one.why == Why.no_spi:
        return f"{one.other} has no active SPI and could not send prescriptions. Choose another stand-in."
    if one.why == Why.no_dea:
        return (f"{one.provider} has controlled requests, and {one.other} has no DEA number. "
                "Choose a stand-in with a DEA number.")
    return _nobody_left(one, zone)


def _nobody_left(one: Refusal, zone: ZoneInfo) -> str:
    part = one.part
    if part is None:
        return "Nobody is left."
    steps = part.walk.steps
    when = span(part.starts_at, part.ends_at, zone)
    if one.why == Why.loop:
        chain = [str(step.provider) for step in steps if step.found != Found.on_call]
        pairs = [f"{after} stands in for {before}" for before, after in itertools.pairwise(chain[1:])]
        return f"{chain[1]} is away too, {when}; then {', and '.join(pairs)}: nobody is left."
    gone = [str(step.provider) for step in steps[1:]]
    away = f"{_list(gone)}{_is_are(gone)} away too" if gone else "nobody is named to stand in"
    return (f"Nobody is left for {one.provider}, {when}: {away}, and nobody of the on-call roster is in. "
            "Choose another stand-in or add someone to the roster.")


def _list(names: Iterable[Provider | str]) -> str:
    words = [str(one) for one in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _is_are(names: list[str]) -> str:
    return " are" if len(names) > 1 else " is"
