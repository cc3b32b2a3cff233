"""Why a request went the way it went: the recipe's graph of the version that decided, with the taken path lit.

Reads the record given; where its version or recipe can no longer be drawn, the trace alone tells it.
"""

from dataclasses import dataclass

from review import queries_criteria, wording
from rules import conditions, drawing, recipes, steps, versions
from rules.conditions import ConditionError
from rules.models import DecisionRecord
from rules.policy import Policy, PolicyError
from rules.recipes import Act, Ask, Recipe, RecipeError


@dataclass(frozen=True, slots=True)
class Node:
    """One step of the recipe in words; `is_lit`: the decision went through it."""

    words: str
    is_lit: bool


@dataclass(frozen=True, slots=True)
class Why:
    """The decision as recorded. `graph` is SVG of ours, "" when no recipe can be drawn."""

    record: DecisionRecord
    outcome: str
    recipe: str
    rules: str
    reasons: tuple[str, ...]
    graph: str
    nodes: tuple[Node, ...]
    trace: tuple[tuple[str, str, str, str], ...]


def why(record: DecisionRecord | None) -> Why | None:
    """The newest decision of a request; None when the rules never decided on it."""
    if record is None:
        return None
    found, policy = _recipe_of(record)
    lit = taken(recipe=found, record=record) if found is not None else frozenset()
    nodes = steps.in_order(recipe=found) if found is not None else ()
    return Why(
        record=record,
        outcome=drawing.ACTIONS.get(record.outcome, wording.spoken(record.outcome)),  # type: ignore[call-overload]
        recipe=_name(found, record),
        rules=f"rules {record.version.number}" if record.version is not None else "the safe defaults",
        reasons=tuple(wording.reason(str(code)) for code in record.reasons[:8] if code != record.recipe),
        graph=drawing.draw(recipe=found, prefix="why", lit=lit, limits=policy) if found is not None else "",
        nodes=tuple(Node(_words(node, policy), node.key in lit) for node in nodes),
        trace=queries_criteria.trace(record),
    )


def _name(found: Recipe | None, record: DecisionRecord) -> str:
    if found is None:
        return wording.spoken(record.recipe)
    return found.name if found.key == record.recipe else f"no recipe led to it; the last one asked was {found.name}"


def _recipe_of(record: DecisionRecord) -> tuple[Recipe | None, Policy | None]:
    try:
        rules = versions.rules_of(version=record.version) if record.version is not None else None
    except (PolicyError, RecipeError, ConditionError):
        return None, None
    every = rules.recipes if rules is not None else recipes.ready_made()
    looked_at = [str(step[0]).partition(".")[0] for step in record.trace]
    # Where no recipe matched, the last one that was walked shows how far it came.
    by_key = {one.key: one for one in every}
    last = next((key for key in reversed(looked_at) if key in by_key), "")
    found = by_key.get(record.recipe) or by_key.get(last)
    return found, rules.policy if rules is not None else None


def taken(*, recipe: Recipe, record: DecisionRecord) -> frozenset[str]:
    """The nodes the decision went through: the conditions of the trace, and the action they led to."""
    results: dict[str, list[bool | None]] = {}
    for step in record.trace:
        name, _, place = str(step[0]).partition(".")
        if name == recipe.key and place in recipe.nodes:
            results.setdefault(place, []).append(step[4])
    lit = set(results)
    if record.recipe != recipe.key:
        return frozenset(lit)
    key = recipe.start
    for _ in recipe.nodes:
        node = recipe.nodes.get(key)
        if not isinstance(node, Ask):
            break
        exits = {node.yes, node.no, node.unknown} - {recipes.PASS}
        later = [one for one in exits if one in results]
        acts = [one for one in exits if isinstance(recipe.nodes.get(one), Act)]
        if later:
            key = later[0]
        elif len(acts) == 1:
            key = acts[0]
        else:
            key = _exit(node, results.get(node.key, []))
    last = recipe.nodes.get(key)
    return frozenset(lit | {last.key}) if isinstance(last, Act) else frozenset(lit)


def _exit(node: Ask, seen: list[bool | None]) -> str:
    """The exit that all of a node's parts agree on; "" when they do not."""
    if not seen or len(set(seen)) > 1:
        return ""
    return node.unknown if seen[0] is None else node.yes if seen[0] else node.no


def _words(node: Ask | Act, policy: Policy | None) -> str:
    if isinstance(node, Ask):
        return conditions.explain(condition=node.condition, limits=policy)
    return drawing.ACTIONS.get(node.outcome, node.outcome.value)
