"""Group commit: everyone is answered, in the right order, after the write; a failed write fails its whole group."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.group_commit import MOST_AT_ONCE, GroupCommit


def test_one_alone_is_written_at_once():
    groups = []
    group = GroupCommit(lambda items: groups.append(list(items)) or [item * 2 for item in items])
    assert group.submit(21) == 42
    assert groups == [[21]]


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 150), workers=st.integers(1, 24))
def test_every_item_is_written_once_and_everyone_gets_their_own_answer(count, workers):
    written, sizes, at_once = [], [], [0]

    def write(items):
        at_once[0] += 1
        assert at_once[0] == 1, "two writers at a time"
        sizes.append(len(items))
        written.extend(items)
        answers = [(item, "stored") for item in items]
        at_once[0] -= 1
        return answers

    group = GroupCommit(write)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        answers = list(pool.map(group.submit, range(count)))
    assert answers == [(item, "stored") for item in range(count)]
    assert sorted(written) == list(range(count))
    assert max(sizes) <= MOST_AT_ONCE


def test_those_who_come_during_a_write_go_together_in_the_next():
    first_is_in, may_go = threading.Event(), threading.Event()
    groups = []

    def write(items):
        groups.append(list(items))
        if len(groups) == 1:
            first_is_in.set()
            assert may_go.wait(10)
        return list(items)

    group = GroupCommit(write)
    with ThreadPoolExecutor(max_workers=6) as pool:
        first = pool.submit(group.submit, 0)
        assert first_is_in.wait(10)
        rest = [pool.submit(group.submit, number) for number in range(1, 6)]
        while len(group._waiting) < 5:
            assert not first.done()
        may_go.set()
        assert [one.result(10) for one in (first, *rest)] == list(range(6))
    assert groups[0] == [0]
    assert sorted(groups[1]) == [1, 2, 3, 4, 5]
    assert len(groups) == 2


def test_nobody_is_answered_before_the_write_returns():
    answered = []

    def write(items):
        assert answered == []
        return list(items)

    group = GroupCommit(write)
    answered.append(group.submit(1))
    assert answered == [1]


@pytest.mark.parametrize("fault", [RuntimeError("gone"), KeyboardInterrupt()])
def test_a_write_that_fails_fails_everyone_in_it_and_nobody_after(fault):
    faults = [fault]

    def write(items):
        if faults:
            raise faults.pop()
        return list(items)

    group = GroupCommit(write)
    with pytest.raises(type(fault)):
        group.submit(1)
    assert group.submit(2) == 2


def test_too_few_answers_are_a_fault_not_a_silence():
    with pytest.raises(ValueError, match="zip"):
        GroupCommit(lambda items: []).submit(1)
