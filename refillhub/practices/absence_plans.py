"""What a planned absence would mean: who does the work in each part of it, and why it cannot be so.

Pure on a board of people and absences; it saves nothing. The sentences are in `coverage_words`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from refillhub.practices import coverage
from refillhub.practices.models import Coverage, Provider


class Why(StrEnum):
    """Why an absence is refused."""

    over = "over"
    overlap = "overlap"
    loop = "loop"
    gap = "gap"
    no_spi = "no_spi"
    no_dea = "no_dea"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the absence in which one way leads to one person."""

    starts_at: datetime
    ends_at: datetime
    walk: coverage.Walk


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason, with whose work it is about, who is to blame for it, and when."""

    why: Why
    provider: Provider
    other: Provider | None = None
    part: Part | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of a planned absence and what speaks against it."""

    parts: tuple[Part, ...]
    refusals: tuple[Refusal, ...]

    @property
    def takers(self) -> tuple[Provider, ...]:
        """Everyone who would do the work at some time, in order of time, each once."""
        found = {part.walk.person.id: part.walk.person for part in self.parts if part.walk.person is not None}
        return tuple(found.values())


def make(
    *, board: coverage.Board, planned: Coverage, now: datetime, senders: Iterable[UUID], needs_dea: bool
) -> Plan:
    """The plan. `board` holds everyone and every absence of the span but the planned one; `senders` have an SPI."""
    provider = board.people[planned.provider_id]
    refusals = []
    if planned.ends_at <= now:
        refusals.append(Refusal(Why.over, provider))
    refusals += [
        Refusal(Why.overlap, provider, starts_at=row.starts_at, ends_at=row.ends_at)
        for row in board.rows
        if row.provider_id == provider.id and row.starts_at < planned.ends_at and row.ends_at > planned.starts_at
    ]
    parts = tuple(_parts(board=_with(board, planned), start=provider.id, planned=planned))
    refusals += _gaps_and_loops(board=board, planned=planned, parts=parts)
    plan = Plan(parts=parts, refusals=())
    able = set(senders)
    named = board.people.get(planned.stand_in_id) if planned.stand_in_id else None
    others = [one for one in (named, *plan.takers) if one is not None]
    for one in dict.fromkeys(others):
        if one.id not in able:
            refusals.append(Refusal(Why.no_spi, provider, other=one))
        if needs_dea and not one.dea_number:
            refusals.append(Refusal(Why.no_dea, provider, other=one))
    return replace(plan, refusals=tuple(refusals))


def _parts(*, board: coverage.Board, start: UUID, planned: Coverage) -> Iterator[Part]:
    """The planned span cut where anybody leaves or returns; neighbours with the same way are one."""
    last: Part | None = None
    for begins, ends in itertools.pairwise(_cuts(board=board, planned=planned)):
        walk = board.walk(start=start, at=begins)
        if last is not None and last.walk == walk:
            last = replace(last, ends_at=ends)
            continue
        if last is not None:
            yield last
        last = Part(begins, ends, walk)
    if last is not None:
        yield last


def _with(board: coverage.Board, planned: Coverage) -> coverage.Board:
    return replace(board, rows=(*board.rows, planned))


def _cuts(*, board: coverage.Board, planned: Coverage) -> list[datetime]:
    """The moments of the span at which anybody leaves or returns, its ends included."""
    edges = {at for row in board.rows for at in (row.starts_at, row.ends_at)}
    inside = {at for at in edges if planned.starts_at < at < planned.ends_at}
    return sorted(inside | {planned.starts_at, planned.ends_at})


def _gaps_and_loops(*, board: coverage.Board, planned: Coverage, parts: Iterable[Part]) -> list[Refusal]:
    """A chain that bites its tail is refused even where the roster would catch it; a gap where nobody would.

    Others who are away may have counted on the one who leaves now: their work is walked too, and refused where this
    absence opens the gap.
    """
    provider = board.people[planned.provider_id]
    found = []
    for part in parts:
        if part.walk.is_loop:
            found.append(Refusal(Why.loop, provider, part=part))
        elif part.walk.person is None:
            found.append(Refusal(Why.gap, provider, part=part))
    after = _with(board, planned)
    for other in sorted({row.provider_id for row in board.rows if row.provider_id != provider.id}):
        for begins, ends in itertools.pairwise(_cuts(board=after, planned=planned)):
            walk = after.walk(start=other, at=begins)
            if walk.person is None and board.walk(start=other, at=begins).person is not None and not walk.is_loop:
                found.append(Refusal(Why.gap, board.people[other], part=Part(begins, ends, walk)))
                break
    return found
