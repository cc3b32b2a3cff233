"""The two state tables as data: every state reachable, finals closed, every verb known, wrong moves refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review import states
from review.states import DispatchState, RequestState

START = {RequestState.RECEIVED}
# An item for a person is born in review, by `notices.item` and by network mail nobody asked for.
BORN_IN_REVIEW = {RequestState.IN_REVIEW}
VERBS = {
    "decide", "release", "take_up", "cancel", "approve", "deny", "ask_visit", "tell", "hand_off", "reassign", "answer",
    "confirm_arrived", "confirm_not_arrived", "settle", "sign", "lapse", "take_back", "return", "ask_cancel",
    "see_prescription", "correct", "prepare", "withdraw",
}  # fmt: skip


def reachable(moves, start):
    seen = set(start)
    waiting = list(start)
    while waiting:
        state = waiting.pop()
        for (source, _), targets in moves.items():
            if source == state:
                waiting += [target for target in targets if target not in seen]
                seen |= targets
    return seen


def test_every_request_state_can_be_reached_from_received():
    assert reachable(states.REQUEST_MOVES, START) == set(RequestState)


def test_every_dispatch_state_but_shadowed_can_be_reached_from_queued_and_shadowed_never():
    found = reachable(states.DISPATCH_MOVES, {DispatchState.QUEUED})
    assert found == set(DispatchState) - {DispatchState.SHADOWED}


@pytest.mark.parametrize("state", sorted(states.FINAL_REQUEST_STATES))
def test_nothing_leaves_a_final_request_state(state):
    assert not [verb for (source, verb) in states.REQUEST_MOVES if source == state]


@pytest.mark.parametrize("state", sorted(states.FINAL_DISPATCH_STATES))
def test_nothing_leaves_a_final_dispatch_state(state):
    assert not [verb for (source, verb) in states.DISPATCH_MOVES if source == state]


def test_every_verb_of_the_table_is_known():
    assert {verb for _, verb in states.REQUEST_MOVES} == VERBS


def test_an_open_request_always_has_a_way_on():
    for state in states.OPEN_REQUEST_STATES:
        assert [verb for (source, verb) in states.REQUEST_MOVES if source == state], state


def test_a_dispatch_that_may_have_left_never_goes_back_to_the_queue():
    for state in (DispatchState.SENDING, DispatchState.UNKNOWN, DispatchState.ACCEPTED, DispatchState.DELIVERED):
        for (source, _), targets in states.DISPATCH_MOVES.items():
            if source == state:
                assert DispatchState.QUEUED not in targets


def test_only_a_retry_wait_returns_to_the_queue():
    back = {source for (source, _), targets in states.DISPATCH_MOVES.items() if DispatchState.QUEUED in targets}
    assert back == {DispatchState.RETRY_WAIT}


def test_what_counts_as_supply_is_all_that_is_not_surely_undelivered():
    surely_not = {DispatchState.REJECTED, DispatchState.TAKEN_BACK, DispatchState.SHADOWED}
    assert set(DispatchState) - surely_not == states.MAYBE_DELIVERED_STATES


@given(st.sampled_from(list(RequestState)), st.sampled_from(sorted(VERBS)), st.sampled_from(list(RequestState)))
def test_a_move_is_refused_exactly_when_the_table_lacks_it(state, verb, to):
    allowed = to in states.REQUEST_MOVES.get((state, verb), frozenset())
    if allowed:
        assert states.next_request_state(state=state, verb=verb, to=to) == to
    else:
        with pytest.raises(states.WrongState):
            states.next_request_state(state=state, verb=verb, to=to)


@given(st.lists(st.tuples(st.sampled_from(sorted(VERBS)), st.integers(0, 10)), max_size=40))
def test_any_walk_along_the_table_stays_inside_it(steps):
    state = RequestState.RECEIVED
    for verb, choice in steps:
        targets = sorted(states.REQUEST_MOVES.get((state, verb), frozenset()))
        if not targets:
            continue
        state = states.next_request_state(state=state, verb=verb, to=targets[choice % len(targets)])
        assert state in RequestState
