"""One recipe: its graph and list of steps, and the chosen step as rows of conditions or as an action.

Buttons that only change the form answer with the form; "Save step" and the buttons on steps change the draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse

from rules import blocks, conditions, drawing, previewing, recipes, steps, versions
from rules.blocks import Block, BlockError
from rules.conditions import ConditionError
from rules.editor import desk, frame, rows
from rules.editor.desk import Desk
from rules.findings import Outcome, Queue, TellKind
from rules.policy import Policy, PolicyError
from rules.recipes import PASS, Act, Ask, Recipe, RecipeError


@dataclass
class Editing:
    """The chosen step while it is edited. `conflict`: what somebody else made of the step meanwhile."""

    node: Ask | Act
    blocks: tuple[Block, ...] = ()
    errors: dict[int, str] = field(default_factory=dict)
    focus: int | None = None
    conflict: str = ""


@desk.page()
def recipe(here: Desk, key: str) -> HttpResponse:
    """The page; a POST is one button."""
    found = here.recipe(key)
    node = _chosen(here, found)
    editing = Editing(node, blocks.of(condition=node.condition) if isinstance(node, Ask) else ())
    if here.request.method == "POST":
        if not here.is_draft:
            messages.error(here.request, "Only a draft can be changed.")
            return HttpResponseRedirect(here.request.get_full_path())
        target = _press(here, found, editing)
        if target is not None:
            return HttpResponseRedirect(_address(here, key, target))
        found = here.recipe(key)
    return render(here.request, "rules/recipe.html", _context(here, found, editing))


def _chosen(here: Desk, found: Recipe) -> Ask | Act:
    wanted = here.request.GET.get("step") or found.start
    node = found.nodes.get(wanted)
    if node is None:
        raise Http404
    return node


def _address(here: Desk, key: str, step: str) -> str:
    base = reverse("admin:rules_recipe", kwargs={"pk": here.one.pk, "key": key})
    query = QueryDict(mutable=True)
    query["step"] = step
    return f"{base}?{query.urlencode()}"


def _press(here: Desk, found: Recipe, editing: Editing) -> str | None:
    """Do what the button says. The step to show next, None when the form is to be shown again."""
    data = here.request.POST
    do = data.get("do", "save")
    if isinstance(editing.node, Ask) and "rows" in data:
        editing.blocks = rows.posted(data=data.dict())
    try:
        if do == "save":
            return _save(here, found, editing)
        what, _, detail = do.partition(":")
        if what == "step":
            return _change_step(here, found, editing.node.key, detail)
        if what == "rename":
            _keep(here, {**recipes.to_document(recipe=found), "name": data.get("name", "").strip()[:80] or found.name})
            return editing.node.key
        editing.blocks, editing.focus = rows.changed(rows=editing.blocks, do=do)
    except BlockError as error:
        editing.errors[error.index] = error.mend
    except (RecipeError, ConditionError, PolicyError) as error:
        messages.error(here.request, str(error))
    except versions.WrongState as error:
        messages.error(here.request, f"Someone was faster: {error}.")
    return None


def _save(here: Desk, found: Recipe, editing: Editing) -> str | None:
    """The step as the form says it; refused while somebody else's change of the same step was not seen."""
    node, data = editing.node, here.request.POST
    if data.get("seen") and data["seen"] != fingerprint(found, node.key):
        editing.conflict = words(found, found.nodes[node.key])
        return None
    document = recipes.to_document(recipe=found)
    kept = dict(document["nodes"][node.key])
    if isinstance(node, Ask):
        kept["if"] = blocks.to_document(blocks=editing.blocks)
        kept |= {name: data.get(name, kept[name]) for name in steps.EXITS}
    else:
        outcome = data.get("outcome", node.outcome.value)
        kept |= {"then": outcome, "queue": data.get("queue", node.queue.value)}
        kept["tell_kind"] = data.get("tell_kind", "") if outcome == Outcome.tell else ""
    _keep(here, steps.with_node(document=document, key=node.key, node=kept))
    messages.success(here.request, "The step is kept in the draft.")
    return node.key


def _change_step(here: Desk, found: Recipe, key: str, detail: str) -> str:
    document = recipes.to_document(recipe=found)
    what, _, exit_name = detail.partition(":")
    target = key
    if what == "add":
        document, target = steps.with_step_after(document=document, key=key)
    elif what == "action" and exit_name in steps.EXITS:
        document, target = steps.with_action(document=document, key=key, exit_name=exit_name)
    elif what in ("up", "down"):
        document = steps.swapped(document=document, key=key, by=-1 if what == "up" else 1)
    elif what == "remove":
        document = steps.without(document=document, key=key)
        target = document["start"]
    _keep(here, document)
    return target


def _keep(here: Desk, document: dict[str, Any]) -> None:
    whole = here.open_document()
    whole["recipes"] = [document if row["key"] == document["key"] else row for row in whole["recipes"]]
    here.keep(whole)


def fingerprint(found: Recipe, key: str) -> str:
    """A mark of one step as it stands, to notice that somebody else changed it."""
    return previewing.fingerprint(document=recipes.to_document(recipe=found)["nodes"].get(key, {}))[:16]


def words(found: Recipe, node: Ask | Act, limits: Policy | None = None) -> str:
    """A step in a sentence."""
    if isinstance(node, Ask):
        sides = (("no", node.no), ("unknown", node.unknown))
        exits = [f"{name}: {target(found, to)}" for name, to in sides if to != PASS]
        return "; ".join([conditions.explain(condition=node.condition, limits=limits), *exits])
    return f"{drawing.ACTIONS.get(node.outcome, node.outcome.value)}, with the {node.queue.value.replace('_', ' ')}"


def target(found: Recipe, key: str) -> str:
    """Where an exit leads, in words."""
    node = found.nodes.get(key)
    if node is None:
        return "not this recipe"
    return drawing.ACTIONS.get(node.outcome, "") if isinstance(node, Act) else f"step {number(found, key)}"


def number(found: Recipe, key: str) -> int:
    """A step's number on the page, from 1."""
    return [one.key for one in steps.in_order(recipe=found)].index(key) + 1


def sentence(found: Recipe, limits: Policy) -> str:
    """The way through all yes as one sentence: "A refill message: when ..., approve and send."."""
    parts, key = [], found.start
    while isinstance(node := found.nodes.get(key), Ask):
        parts.append(conditions.explain(condition=node.condition, limits=limits))
        key = node.yes
    end = drawing.ACTIONS.get(node.outcome, "").lower() if isinstance(node, Act) else "leave it to the other recipes"
    when = " and ".join(parts)
    return f"{drawing.TRIGGERS[found.trigger]}: " + (f"when {when}, {end}." if when else f"{end}.")


def _context(here: Desk, found: Recipe, editing: Editing) -> dict[str, Any]:
    in_force = next((one for one in here.base.recipes if one.key == found.key), None)
    changed = {one.step: one.sentence for one in here.differences if one.rule == f"recipe:{found.key}" and one.step}
    old = in_force.nodes.get(editing.node.key) if in_force else None
    before = blocks.of(condition=old.condition) if isinstance(old, Ask) else ()
    lost = steps.unreachable(recipe=found)
    nodes = steps.in_order(recipe=found)
    listed: list[dict[str, Any]] = [
        {"key": one.key, "words": words(found, one, here.rules.policy), "is_action": isinstance(one, Act),
         "change": changed.get(one.key, ""), "is_lost": one.key in lost, "is_current": one.key == editing.node.key,
         "address": _address(here, found.key, one.key)}
        for one in nodes
    ]  # fmt: skip
    others = [one for one in nodes if one is not editing.node]
    exits = [(one.key, f"{number(found, one.key)}. {words(found, one)[:60]}") for one in others]
    return frame.context(
        here,
        current=f"recipe:{found.key}",
        recipe=found,
        sentence=sentence(found, here.rules.policy),
        trigger=drawing.TRIGGERS[found.trigger],
        steps=listed,
        graph=drawing.draw(
            recipe=found,
            prefix="recipe",
            limits=here.rules.policy,
            selected=editing.node.key,
            links={one["key"]: one["address"] for one in listed},
        ),
        step=editing.node,
        step_number=number(found, editing.node.key),
        is_action=isinstance(editing.node, Act),
        is_changed=editing.node.key in changed,
        rows=rows.shown(rows=editing.blocks, errors=editing.errors, before=before, focus=editing.focus),
        facts=rows.facts_offered(),
        exits=exits,
        exit_fields=_exit_fields(here, editing),
        outcomes=[(one.value, text) for one, text in drawing.ACTIONS.items()],
        queues=[(one.value, one.value.replace("_", " ")) for one in Queue],
        tell_kinds=[(one.value, one.value.replace("_", " ")) for one in TellKind if one.value],
        seen=fingerprint(found, editing.node.key),
        conflict=editing.conflict,
        preview=_sentence_of(here, editing),
    )


def _exit_fields(here: Desk, editing: Editing) -> list[tuple[str, str, str]]:
    """The exits of a condition as (name, label, where it leads), as typed where the form comes back."""
    node = editing.node
    if not isinstance(node, Ask):
        return []
    labels = {"yes": "If so, go on with", "no": "If not", "unknown": "If it is not known"}
    typed = here.request.POST
    return [(name, labels[name], typed.get(name, getattr(node, name))) for name in steps.EXITS]


def _sentence_of(here: Desk, editing: Editing) -> str:
    """The rows as they stand in plain English, "" while a row is to be mended."""
    if not editing.blocks:
        return ""
    try:
        document = blocks.to_document(blocks=editing.blocks)
        return conditions.explain(condition=conditions.parse(document=document), limits=here.rules.policy)
    except (BlockError, ConditionError):
        return ""
