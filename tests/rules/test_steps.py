"""Edits of a recipe's graph: each gives a recipe that parses, and nothing else of it changes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import recipes, steps
from rules.recipes import PASS, RecipeError

ASK = {"if": {"fact": "entry.is_active", "op": "is", "value": True}, "no": PASS, "unknown": PASS}


def chain(*keys: str) -> dict[str, Any]:
    """Conditions in a row, then a review."""
    after = [*keys[1:], "then"]
    nodes: dict[str, Any] = {key: {**ASK, "yes": follows} for key, follows in zip(keys, after, strict=True)}
    nodes["then"] = {"then": "review", "queue": "prescriber"}
    return {"key": "own", "name": "Own", "trigger": "refill", "start": keys[0], "nodes": nodes}


def order(document: dict[str, Any]) -> list[str]:
    return [node.key for node in steps.in_order(recipe=recipes.parse(document=document))]


def test_steps_come_in_the_order_of_yes() -> None:
    assert order(chain("a", "b", "c")) == ["a", "b", "c", "then"]


def test_a_new_step_stands_behind_a_condition_and_before_an_action() -> None:
    behind, fresh = steps.with_step_after(document=chain("a", "b"), key="a")
    assert order(behind) == ["a", fresh, "b", "then"]
    before, fresh = steps.with_step_after(document=chain("a"), key="then")
    assert order(before) == ["a", fresh, "then"]


def test_a_step_that_goes_leaves_no_gap() -> None:
    assert order(steps.without(document=chain("a", "b", "c"), key="b")) == ["a", "c", "then"]
    assert order(steps.without(document=chain("a", "b"), key="a")) == ["b", "then"]


def test_an_action_at_a_side_exit_is_reachable_and_goes_again() -> None:
    made, fresh = steps.with_action(document=chain("a"), key="a", exit_name="no")
    assert made["nodes"]["a"]["no"] == fresh
    gone = steps.without(document=made, key=fresh)
    assert gone["nodes"]["a"]["no"] == PASS


def test_a_recipe_keeps_a_first_step() -> None:
    document = {
        "key": "own",
        "name": "Own",
        "trigger": "refill",
        "start": "then",
        "nodes": {"then": {"then": "review"}},
    }
    with pytest.raises(RecipeError, match="first step"):
        steps.without(document=document, key="then")


def test_what_moves_takes_its_side_exits_along() -> None:
    document, fresh = steps.with_action(document=chain("a", "b"), key="a", exit_name="no")
    made = steps.swapped(document=document, key="a", by=1)
    assert made["nodes"]["b"]["no"] == fresh
    assert made["nodes"]["a"]["no"] == PASS
    assert steps.swapped(document=made, key="b", by=-1) == document


def test_at_either_end_nothing_moves() -> None:
    document = chain("a", "b")
    assert steps.swapped(document=document, key="a", by=-1) == document
    assert steps.swapped(document=document, key="b", by=1) == document
    assert steps.swapped(document=document, key="then", by=1) == document


def test_a_node_nothing_leads_to_is_listed() -> None:
    document = chain("a")
    document["nodes"]["lost"] = {"then": "review"}
    assert steps.unreachable(recipe=recipes.parse(document=document)) == ("lost",)
    assert order(document)[-1] == "lost"


@pytest.mark.parametrize("shipped", recipes.ready_made(), ids=lambda one: one.key)
def test_every_shipped_recipe_can_be_edited(shipped: recipes.Recipe) -> None:
    document = recipes.to_document(recipe=shipped)
    made, fresh = steps.with_step_after(document=document, key=shipped.start)
    assert steps.without(document=made, key=fresh) == document


@given(st.lists(st.tuples(st.sampled_from(["add", "drop", "up", "down", "act"]), st.integers(0, 6)), max_size=12))
def test_any_row_of_edits_leaves_a_recipe_that_parses(edits: list[tuple[str, int]]) -> None:
    document = steps.new(key="own", name="Own", trigger="refill")
    for what, at in edits:
        key = list(document["nodes"])[at % len(document["nodes"])]
        try:
            if what == "add":
                document, _ = steps.with_step_after(document=document, key=key)
            elif what == "drop":
                document = steps.without(document=document, key=key)
            elif what == "act" and "if" in document["nodes"][key]:
                document, _ = steps.with_action(document=document, key=key, exit_name="no")
            else:
                document = steps.swapped(document=document, key=key, by=-1 if what == "up" else 1)
        except RecipeError:
            continue
        recipes.parse(document=document)
