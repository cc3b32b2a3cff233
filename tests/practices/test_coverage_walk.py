"""The walk from an absent prescriber to whoever is in, for any absences and stand-ins: pure, no database."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from refillhub.practices import coverage
from refillhub.practices.coverage import Board, Found
from refillhub.practices.models import Coverage, Provider

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


@st.composite
def boards(draw):
    """Up to six people, some gone, some on call, with absences that may overlap and name anyone but oneself."""
    count = draw(st.integers(1, 6))
    orders = draw(st.permutations([*range(1, count + 1)]))
    people = [
        Provider(id=uuid.UUID(int=n + 1), last_name=f"P{n}", is_active=draw(st.booleans()) or draw(st.booleans()),
                 on_call_order=orders[n] if draw(st.booleans()) else None)
        for n in range(count)
    ]  # fmt: skip
    rows = []
    for _ in range(draw(st.integers(0, 8))):
        who = draw(st.integers(0, count - 1))
        others = [n for n in range(count) if n != who]
        stand_in = draw(st.sampled_from([None, *others]))
        starts = NOON + timedelta(hours=draw(st.integers(-5, 3)))
        rows.append(
            Coverage(provider_id=people[who].id, stand_in_id=None if stand_in is None else people[stand_in].id,
                     starts_at=starts, ends_at=starts + timedelta(hours=draw(st.integers(1, 8))))
        )  # fmt: skip
    return Board(people={one.id: one for one in people}, rows=tuple(rows))


def is_in(board, person, at=NOON):
    away = any(row.provider_id == person.id and row.starts_at <= at < row.ends_at for row in board.rows)
    return person.is_active and not away


@settings(max_examples=400, deadline=None)
@given(boards())
def test_the_owner_is_never_absent_never_gone_and_none_only_when_nobody_can_be_found(board):
    for start, first in board.people.items():
        walk = board.walk(start=start, at=NOON)
        if is_in(board, first):
            assert walk.person == first
        if walk.person is not None:
            assert is_in(board, walk.person)
            assert walk.steps[-1].provider == walk.person
        else:
            on_call = [one for one in board.people.values() if one.on_call_order is not None]
            assert not any(is_in(board, one) for one in on_call), "someone of the roster is in"
            assert not any(is_in(board, step.provider) for step in walk.steps), "someone of the chain is in"


@settings(max_examples=400, deadline=None)
@given(boards())
def test_nobody_is_asked_twice_and_a_loop_ends_the_chain(board):
    for start in board.people:
        walk = board.walk(start=start, at=NOON)
        named = [step.provider.id for step in walk.steps if step.found in (Found.away, Found.inactive, Found.here)]
        assert len(named) == len(set(named))
        loops = [number for number, step in enumerate(walk.steps) if step.found == Found.loop]
        assert len(loops) <= 1
        if loops:
            assert walk.steps[loops[0]].provider.id in named
            assert all(step.found == Found.on_call for step in walk.steps[loops[0] + 1 :])


@settings(max_examples=200, deadline=None)
@given(boards())
def test_the_way_shown_ends_where_routing_ends(board):
    absences = coverage.absences_at(rows=board.rows, at=NOON)
    for start in board.people:
        follow = coverage.follow(start=start, people=board.people, absences=absences)
        assert board.walk(start=start, at=NOON).person == follow
