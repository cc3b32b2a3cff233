"""A recipe = one node graph as a frozen value: trigger -> conditions -> action. Walk it, leaving a trace.

Six recipes of the documents (the sixth is taken by the workflow when a transmission fails), "fills left" and, where
nothing matches, plain review. A recipe proposes; the guards in code decide how far it may go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rules import conditions
from rules.case import Case
from rules.conditions import Condition
from rules.facts import Kind
from rules.findings import Outcome, Queue, TellKind, TraceStep

MAX_NODES = 32
PASS = "pass"  # noqa: S105 - the name of an exit
"""The exit of a recipe that does not concern the case."""


class RecipeError(ValueError):
    """A recipe document is wrong; `path` says where."""

    def __init__(self, *, path: str, mend: str) -> None:
        super().__init__(f"{path}: {mend}")
        self.path = path
        self.mend = mend


class Trigger(StrEnum):
    refill = "refill"
    pharmacy_change = "pharmacy_change"
    any_request = "any_request"
    transmission_failed = "transmission_failed"


@dataclass(frozen=True, slots=True)
class Ask:
    """A condition node; each answer names the next node, or `pass`."""

    key: str
    condition: Condition
    yes: str
    no: str = PASS
    unknown: str = PASS


@dataclass(frozen=True, slots=True)
class Act:
    """An action node."""

    key: str
    outcome: Outcome
    queue: Queue = Queue.prescriber
    tell_kind: TellKind = TellKind.none


@dataclass(frozen=True, slots=True)
class Recipe:
    """One graph. `nodes` by key; `start` is walked first."""

    key: str
    name: str
    trigger: Trigger
    start: str
    nodes: Mapping[str, Ask | Act]
    ways: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    """Walks that end in an approval, as `rules.nearest` found them once; a graph never changes."""


@dataclass(frozen=True, slots=True)
class Match:
    recipe: str
    action: Act


_TRIGGERS: Mapping[Kind, frozenset[Trigger]] = {
    Kind.refill: frozenset({Trigger.refill, Trigger.any_request}),
    Kind.pharmacy_change: frozenset({Trigger.pharmacy_change, Trigger.any_request}),
}


def is_for(*, recipe: Recipe, case: Case) -> bool:
    """Whether the recipe is for what is asked."""
    return recipe.trigger in _TRIGGERS.get(case.facts.reading.kind, ())


def walk(*, recipe: Recipe, case: Case, trace: list[TraceStep]) -> Match | None:
    """The action the graph leads to, None when it passes. Bounded by the number of nodes: a loop ends as a pass."""
    if not is_for(recipe=recipe, case=case):
        return None
    key = recipe.start
    for _ in range(len(recipe.nodes)):
        node = recipe.nodes.get(key)
        if node is None:
            return None
        if isinstance(node, Act):
            return Match(recipe=recipe.key, action=node)
        name = f"{recipe.key}.{node.key}"
        result = conditions.evaluate(condition=node.condition, case=case, node=name, trace=trace)
        key = node.unknown if result is None else (node.yes if result else node.no)
    last = recipe.nodes.get(key)
    return Match(recipe=recipe.key, action=last) if isinstance(last, Act) else None


def parse(*, document: Any, path: str = "recipe") -> Recipe:
    """A recipe from its JSON document. Raises RecipeError or conditions.ConditionError naming the path."""
    if not isinstance(document, Mapping):
        raise RecipeError(path=path, mend="must be an object")
    rows = document.get("nodes")
    if not isinstance(rows, Mapping) or not 0 < len(rows) <= MAX_NODES:
        raise RecipeError(path=f"{path}.nodes", mend=f"must hold 1 to {MAX_NODES} nodes")
    for name in ("key", "name", "start"):
        if not isinstance(document.get(name), str) or not document[name]:
            raise RecipeError(path=f"{path}.{name}", mend="must be a text")
    try:
        trigger = Trigger(str(document.get("trigger")))
    except ValueError as error:
        raise RecipeError(path=f"{path}.trigger", mend=f"must be one of {', '.join(Trigger)}") from error
    nodes = {str(key): _node(str(key), row, f"{path}.nodes.{key}") for key, row in rows.items()}
    recipe = Recipe(key=document["key"], name=document["name"], trigger=trigger, start=document["start"], nodes=nodes)
    _check_edges(recipe, path)
    return recipe


def _node(key: str, row: Any, path: str) -> Ask | Act:
    if not isinstance(row, Mapping):
        raise RecipeError(path=path, mend="must be an object")
    if "if" in row:
        exits = {name: row.get(name, PASS) for name in ("yes", "no", "unknown")}
        if not all(isinstance(one, str) for one in exits.values()):
            raise RecipeError(path=path, mend="yes, no and unknown must name nodes")
        return Ask(key=key, condition=conditions.parse(document=row["if"], path=f"{path}.if"), **exits)
    try:
        act = Act(
            key=key,
            outcome=Outcome(str(row.get("then"))),
            queue=Queue(row.get("queue", Queue.prescriber)),
            tell_kind=TellKind(row.get("tell_kind", TellKind.none)),
        )
    except ValueError as error:
        raise RecipeError(path=path, mend="must have 'if', or 'then' with a known outcome and queue") from error
    if act.outcome is Outcome.duplicate or (act.outcome is Outcome.tell) is (act.tell_kind is TellKind.none):
        raise RecipeError(path=path, mend="'duplicate' is never a recipe's; 'tell' and only 'tell' has a tell_kind")
    return act


def _check_edges(recipe: Recipe, path: str) -> None:
    for node in recipe.nodes.values():
        if isinstance(node, Ask):
            for target in (node.yes, node.no, node.unknown):
                if target != PASS and target not in recipe.nodes:
                    raise RecipeError(path=f"{path}.nodes.{node.key}", mend=f"leads to unknown node {target!r}")
    if recipe.start not in recipe.nodes:
        raise RecipeError(path=f"{path}.start", mend="must name a node")
    _check_loops(recipe, recipe.start, (), path, set())


def _check_loops(recipe: Recipe, key: str, before: tuple[str, ...], path: str, done: set[str]) -> None:
    """Depth first, each node once, so that a hostile graph costs no more than its nodes."""
    if key in before:
        raise RecipeError(path=f"{path}.nodes.{key}", mend="is part of a loop")
    if key in done:
        return
    done.add(key)
    node = recipe.nodes.get(key)
    if isinstance(node, Ask):
        for target in (node.yes, node.no, node.unknown):
            if target != PASS:
                _check_loops(recipe, target, (*before, key), path, done)


def to_document(*, recipe: Recipe) -> dict[str, Any]:
    """JSON form; `parse` reads it back to an equal value."""
    nodes: dict[str, Any] = {}
    for key, node in recipe.nodes.items():
        if isinstance(node, Ask):
            condition = conditions.to_document(condition=node.condition)
            nodes[key] = {"if": condition, "yes": node.yes, "no": node.no, "unknown": node.unknown}
        else:
            nodes[key] = {
                "then": node.outcome.value, "queue": node.queue.value, "tell_kind": node.tell_kind.value,
            }  # fmt: skip
    return {
        "key": recipe.key, "name": recipe.name, "trigger": recipe.trigger.value, "start": recipe.start, "nodes": nodes,
    }  # fmt: skip


def _shipped(key: str, name: str, trigger: str, wanted: list[dict[str, Any]], action: dict[str, Any]) -> Recipe:
    """All conditions true -> action; anything else passes."""
    nodes = {"when": {"if": {"all": wanted}, "yes": "then"}, "then": action}
    return parse(document={"key": key, "name": name, "trigger": trigger, "start": "when", "nodes": nodes})


def _fact(name: str, op: str, value: Any) -> dict[str, Any]:
    return {"fact": name, "op": op, "value": value}


SHIPPED: tuple[Recipe, ...] = (
    # Order = precedence among equally cautious matches (F083-F088).
    _shipped("controlled", "Controlled drug", "refill", [_fact("drug.is_controlled", "is", True)],
             {"then": "controlled_task", "queue": "prescriber"}),
    _shipped("after_hours", "After hours", "any_request",
             [_fact("hours.was_closed_when_sent", "is", True), _fact("hours.is_closed_now", "is", True)],
             {"then": "hold", "queue": "assistant"}),
    _shipped("pharmacy_change", "Pharmacy change", "pharmacy_change",
             [_fact("message.is_tagged", "is", True), _fact("pharmacy.is_named_found", "is", True)],
             {"then": "pharmacy_change", "queue": "assistant"}),
    _shipped("fills_left", "Fills left at the pharmacy", "refill",
             [_fact("entry.is_active", "is", True), _fact("pharmacy.fills_left", "at_least", 1)],
             {"then": "tell", "tell_kind": "fills_left", "queue": "assistant"}),
    _shipped("needs_visit", "Needs a visit", "refill",
             [_fact("message.is_tagged", "is", True), _fact("entry.is_active", "is", True),
              _fact("visit.days_since", "more_than", {"policy": "visit_limit_days"}),
              _fact("visit.has_upcoming", "is", False)],
             {"then": "ask_visit", "queue": "assistant"}),
    _shipped("auto_refill", "Automatic refill", "refill",
             [_fact("message.is_tagged", "is", True), _fact("entry.is_active", "is", True),
              _fact("visit.days_since", "at_most", {"policy": "visit_limit_days"}),
              _fact("drug.is_controlled", "is", False), _fact("drug.is_class_automatic", "is", True)],
             {"then": "auto_approve", "queue": "prescriber"}),
    _shipped("failed_transmission", "Failed transmission", "transmission_failed",
             [{"fact": "message.kind", "op": "known"}],
             {"then": "review", "queue": "prescriber"}),
)  # fmt: skip

SHIPPED_KEYS: frozenset[str] = frozenset(recipe.key for recipe in SHIPPED)


def ready_made() -> tuple[Recipe, ...]:
    """The recipes that ship with the product, in order of precedence; `Policy.enabled_recipes` switches them."""
    return SHIPPED
