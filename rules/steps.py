"""A recipe's graph as the steps a person edits: in order along "yes", side exits behind. Pure; documents in and out.

Every edit gives a whole recipe document back, which `recipes.parse` checks; what it refuses is never kept.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from rules import recipes
from rules.findings import Outcome, Queue
from rules.recipes import PASS, Act, Ask, Recipe

EXITS = ("yes", "no", "unknown")
NEW_CONDITION: Mapping[str, Any] = {"fact": "entry.is_active", "op": "is", "value": True}


def in_order(*, recipe: Recipe) -> tuple[Ask | Act, ...]:
    """Nodes as they are walked while every answer is yes, then those only side exits lead to, nearest first."""
    found: dict[str, Ask | Act] = {}
    waiting = [recipe.start]
    while waiting:
        key = waiting.pop(0)
        while key in recipe.nodes and key not in found:
            node = recipe.nodes[key]
            found[key] = node
            if isinstance(node, Act):
                break
            waiting += [exit_ for exit_ in (node.no, node.unknown) if exit_ != PASS]
            key = node.yes
    left = [node for key, node in recipe.nodes.items() if key not in found]  # nothing leads there any more
    return (*found.values(), *left)


def unreachable(*, recipe: Recipe) -> tuple[str, ...]:
    """Keys of nodes that no walk can reach."""
    reached, waiting = set(), [recipe.start]
    while waiting:
        key = waiting.pop()
        node = recipe.nodes.get(key)
        if node is None or key in reached:
            continue
        reached.add(key)
        if isinstance(node, Ask):
            waiting += [node.yes, node.no, node.unknown]
    return tuple(key for key in recipe.nodes if key not in reached)


def new(*, key: str, name: str, trigger: str) -> dict[str, Any]:
    """A recipe that does nothing but send to review: the safe beginning of one's own."""
    then = {"then": Outcome.review.value, "queue": Queue.prescriber.value}
    nodes = {"step_1": {"if": dict(NEW_CONDITION), "yes": "then", "no": PASS, "unknown": PASS}, "then": then}
    return {"key": key, "name": name, "trigger": trigger, "start": "step_1", "nodes": nodes}


def with_node(*, document: Mapping[str, Any], key: str, node: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe with one node replaced."""
    made = copy.deepcopy(dict(document))
    made["nodes"][key] = dict(node)
    return _checked(made)


def with_step_after(*, document: Mapping[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """The recipe with a new condition behind node `key` (before it, where it is an action), and the new one's key."""
    made = copy.deepcopy(dict(document))
    fresh = _free_key(made["nodes"], "step")
    node = made["nodes"][key]
    if "if" in node:
        made["nodes"][fresh] = {"if": dict(NEW_CONDITION), "yes": node["yes"], "no": PASS, "unknown": PASS}
        node["yes"] = fresh
    else:
        _relink(made, key, fresh)
        made["nodes"][fresh] = {"if": dict(NEW_CONDITION), "yes": key, "no": PASS, "unknown": PASS}
    return _checked(made), fresh


def with_action(*, document: Mapping[str, Any], key: str, exit_name: str) -> tuple[dict[str, Any], str]:
    """The recipe with a new review at one exit of a condition, and its key."""
    made = copy.deepcopy(dict(document))
    fresh = _free_key(made["nodes"], "action")
    made["nodes"][fresh] = {"then": Outcome.review.value, "queue": Queue.prescriber.value}
    made["nodes"][key][exit_name] = fresh
    return _checked(made), fresh


def without(*, document: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The recipe without a node; what led to it leads on to where its yes led (an action: to nothing)."""
    made = copy.deepcopy(dict(document))
    node = made["nodes"].pop(key)
    _relink(made, key, node.get("yes", PASS))
    if made["start"] not in made["nodes"]:
        raise recipes.RecipeError(path="start", mend="a recipe needs a first step; add another one before")
    return _checked(made)


def swapped(*, document: Mapping[str, Any], key: str, by: int) -> dict[str, Any]:
    """The recipe with a condition one earlier (-1) or later (+1) along "yes"; unchanged at either end."""
    recipe = recipes.parse(document=document)
    chain = _chain(recipe)
    at = chain.index(key) if key in chain else -1
    if at < 0 or not 0 <= at + by < len(chain):
        return dict(document)
    made = copy.deepcopy(dict(document))
    one, other = made["nodes"][key], made["nodes"][chain[at + by]]
    one_yes, other_yes = one["yes"], other["yes"]
    made["nodes"][key], made["nodes"][chain[at + by]] = {**other, "yes": one_yes}, {**one, "yes": other_yes}
    return _checked(made)


def _chain(recipe: Recipe) -> list[str]:
    """Keys of the conditions along "yes"."""
    found: list[str] = []
    key = recipe.start
    while isinstance(node := recipe.nodes.get(key), Ask) and key not in found:
        found.append(key)
        key = node.yes
    return found


def _relink(document: dict[str, Any], old: str, new_key: str) -> None:
    if document["start"] == old:
        document["start"] = new_key
    for node in document["nodes"].values():
        for exit_name in EXITS:
            if node.get(exit_name) == old:
                node[exit_name] = new_key


def _free_key(nodes: Mapping[str, Any], stem: str) -> str:
    return next(f"{stem}_{n}" for n in range(1, len(nodes) + 2) if f"{stem}_{n}" not in nodes)


def _checked(document: dict[str, Any]) -> dict[str, Any]:
    """The document again, once it parses. Raises recipes.RecipeError or conditions.ConditionError."""
    recipes.parse(document=document)
    return document
