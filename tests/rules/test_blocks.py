"""Conditions as rows: there and back without a change, edits that keep rows together, and errors beside their row."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import blocks, conditions
from rules.blocks import Block, BlockError

COMPARISONS: list[dict[str, Any]] = [
    {"fact": "entry.is_active", "op": "is", "value": True},
    {"fact": "visit.days_since", "op": "at_most", "value": {"policy": "visit_limit_days"}},
    {"fact": "visit.days_since", "op": "more_than", "value": 30},
    {"fact": "drug.schedule", "op": "in", "value": ["ii", "iii"]},
    {"fact": "drug.classes", "op": "contains", "value": "statin"},
    {"fact": "patient.age", "op": "known"},
]
TREES = st.recursive(
    st.sampled_from(COMPARISONS),
    lambda inner: (
        st.builds(
            lambda how, parts: {how: parts}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=2, max_size=3)
        )
        | inner.map(lambda one: {"not": one})
    ),
    max_leaves=8,
)
ROWS = st.lists(
    st.builds(
        Block,
        depth=st.integers(0, 5),
        how=st.sampled_from(["", "all", "any", "not"]),
        fact=st.sampled_from(["", "visit.days_since", "nonsense"]),
        op=st.sampled_from(["", "is", "at_most"]),
        value=st.text(max_size=3),
    ),
    max_size=9,
)


@given(TREES)
def test_a_condition_comes_back_as_it_was(document: dict[str, Any]) -> None:
    condition = conditions.parse(document=document)
    again = conditions.parse(document=blocks.to_document(blocks=blocks.of(condition=condition)))
    assert again == condition


@given(rows=ROWS, index=st.integers(-1, 10), by=st.sampled_from([-1, 1]))
def test_moving_keeps_every_row(rows: list[Block], index: int, by: int) -> None:
    before = blocks.tidy(blocks=rows)
    after = blocks.moved(blocks=rows, index=index, by=by)
    assert sorted(map(_plain, after)) == sorted(map(_plain, before))
    assert blocks.tidy(blocks=after) == after


@given(rows=ROWS, index=st.integers(-1, 10))
def test_edits_leave_possible_rows_and_saving_ends_in_a_condition_or_in_a_named_row(
    rows: list[Block], index: int
) -> None:
    for made in (
        blocks.removed(blocks=rows, index=index),
        blocks.added(blocks=rows, index=index),
        blocks.added(blocks=rows, index=index, how="any"),
    ):
        assert blocks.tidy(blocks=made) == made
        try:
            conditions.parse(document=blocks.to_document(blocks=made))
        except BlockError as error:
            named = error
        else:
            continue
        assert 0 <= named.index <= len(made)
        assert named.mend


def _plain(row: Block) -> tuple[str, ...]:
    return (row.how, row.fact, row.op, row.value, row.limit)


def three() -> tuple[Block, ...]:
    return (
        Block(0, how="all"), Block(1, fact="a"), Block(1, how="any"), Block(2, fact="b"), Block(2, fact="c"),
        Block(1, fact="d"),
    )  # fmt: skip


def facts(rows: tuple[Block, ...]) -> list[tuple[int, str]]:
    return [(row.depth, row.how or row.fact) for row in rows]


def test_a_group_moves_with_its_rows() -> None:
    moved = blocks.moved(blocks=three(), index=2, by=-1)
    assert facts(moved) == [(0, "all"), (1, "any"), (2, "b"), (2, "c"), (1, "a"), (1, "d")]


def test_the_first_row_of_a_group_moves_out_above_it_and_the_last_below() -> None:
    up = blocks.moved(blocks=three(), index=3, by=-1)
    assert facts(up) == [(0, "all"), (1, "a"), (1, "b"), (1, "any"), (2, "c"), (1, "d")]
    down = blocks.moved(blocks=three(), index=4, by=1)
    assert facts(down) == [(0, "all"), (1, "a"), (1, "any"), (2, "b"), (1, "c"), (1, "d")]


def test_removing_a_group_removes_what_belongs_to_it() -> None:
    assert facts(blocks.removed(blocks=three(), index=2)) == [(0, "all"), (1, "a"), (1, "d")]


def test_a_new_row_stands_inside_a_group_or_beside_a_comparison() -> None:
    inside = blocks.added(blocks=three(), index=2)
    assert facts(inside)[5] == (2, "")
    beside = blocks.added(blocks=three(), index=1, how="any")
    assert facts(beside)[2] == (1, "any")


@pytest.mark.parametrize(
    ("row", "mend"),
    [
        (Block(1, fact=""), "choose a fact"),
        (Block(1, fact="visit.days_since", op="at_most", value="ten"), "whole number of days"),
        (Block(1, fact="visit.days_since", op="is", value="10"), "must be one of"),
        (Block(1, fact="entry.is_active", op="is", value=""), "choose yes or no"),
        (Block(1, fact="drug.schedule", op="in", value=" , "), "enter codes"),
        (Block(1, fact="drug.schedule", op="is", value=""), "enter a code"),
        (Block(1, how="any"), "a group needs a condition"),
    ],
)
def test_a_wrong_row_is_named_with_its_mend(row: Block, mend: str) -> None:
    rows = (Block(0, how="all"), Block(1, fact="entry.is_active", op="is", value="yes"), row)
    with pytest.raises(BlockError, match=mend) as caught:
        blocks.to_document(blocks=rows)
    assert caught.value.index == 2


def test_operators_and_limits_offered_fit_the_fact() -> None:
    row = Block(1, fact="visit.days_since")
    assert ("at_most", "is at most") in blocks.choices_of(block=row)
    assert "visit_limit_days" in dict(blocks.limits_for(block=row))
    assert "mirror_max_age_minutes" not in dict(blocks.limits_for(block=row))
    assert blocks.choices_of(block=Block(1, fact="nonsense")) == ()
