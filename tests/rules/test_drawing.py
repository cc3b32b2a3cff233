"""The picture of a recipe: every step in it, no two boxes on one another, nothing unescaped, ids of its own."""

import itertools
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import drawing, recipes, steps
from rules.recipes import Recipe, RecipeError

EDITS = st.lists(st.tuples(st.sampled_from(["add", "drop", "no", "unknown", "up"]), st.integers(0, 9)), max_size=12)


def edited(edits: list[tuple[str, int]]) -> Recipe:
    document: dict[str, Any] = steps.new(key="own", name="Own <recipe> & more", trigger="refill")
    for what, at in edits:
        key = list(document["nodes"])[at % len(document["nodes"])]
        try:
            if what == "add":
                document, _ = steps.with_step_after(document=document, key=key)
            elif what == "drop":
                document = steps.without(document=document, key=key)
            elif what == "up":
                document = steps.swapped(document=document, key=key, by=-1)
            elif "if" in document["nodes"][key]:
                document, _ = steps.with_action(document=document, key=key, exit_name=what)
        except RecipeError:
            continue
    return recipes.parse(document=document)


@given(EDITS)
def test_no_two_boxes_lie_on_one_another_and_every_step_is_drawn_once(edits: list[tuple[str, int]]) -> None:
    recipe = edited(edits)
    picture = drawing.lay_out(recipe=recipe)
    for one, other in itertools.combinations(picture.boxes, 2):
        apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
        apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
        assert apart_x or apart_y
    assert sorted(box.key for box in picture.boxes if box.key) == sorted(recipe.nodes)
    assert all(box.x + box.width <= drawing.WIDTH and box.y + box.height <= picture.height for box in picture.boxes)


@given(EDITS, st.text(max_size=12))
def test_the_picture_is_well_formed_and_holds_no_script(edits: list[tuple[str, int]], name: str) -> None:
    recipe = edited(edits)
    svg = drawing.draw(recipe=recipe, prefix="g1", links={key: '"><script>' + "x" for key in recipe.nodes})
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own text
    assert not [one for one in root.iter() if one.tag.endswith("script")]
    assert "Own <recipe> & more as a graph" in (root.findtext("title") or "")


@pytest.mark.parametrize("recipe", recipes.ready_made(), ids=lambda one: one.key)
def test_two_pictures_on_a_page_share_no_id(recipe: Recipe) -> None:
    one, other = drawing.draw(recipe=recipe, prefix="a"), drawing.draw(recipe=recipe, prefix="b")
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_the_way_a_decision_took_is_lit_and_the_chosen_step_marked() -> None:
    recipe = recipes.ready_made()[0]
    svg = drawing.draw(recipe=recipe, prefix="a", selected="then", lit={"when"}, links={"then": "?step=then"})
    assert 'class="node cond lit"' in svg
    assert '<a href="?step=then" aria-current="step"><g class="node rev sel">' in svg
