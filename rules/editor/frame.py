"""What all pages of a version show around their matter: the list of recipes with change marks, steps, who and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rules import citing, decision, policy, protocols
from rules.editor.desk import Desk


@dataclass(frozen=True, slots=True)
class RecipeLink:
    """A recipe in the list at the side."""

    key: str
    name: str
    is_on: bool
    changes: int


def context(here: Desk, *, current: str = "", **more: Any) -> dict[str, Any]:
    """The template context of a page of this version. `current`: the side link that is this page."""
    marks: dict[str, int] = {}
    for one in here.differences:
        marks[one.rule] = marks.get(one.rule, 0) + 1
    on = here.rules.policy.enabled_recipes
    links = [
        RecipeLink(
            key=one.key,
            name=one.name,
            is_on=one.key in on or one.key not in policy.RECIPE_KEYS,
            changes=marks.get(f"recipe:{one.key}", 0),
        )
        for one in here.rules.recipes
    ]
    return {
        "here": here,
        "version": here.one,
        "is_draft": here.is_draft,
        "base": here.in_force,
        "recipe_links": links,
        "current": current,
        "counts": {
            "limits": len(policy.BOUNDS),
            "classes": len(protocols.load().by_key),
            "adopted": len(here.rules.policy.adopted_classes),
            "guards": sum(1 for one in (*decision.FIRST, *decision.AFTER, *decision.REFILL) if one.bars),
            "lab_names": len(here.rules.lab_names),
            "limits_changed": sum(count for rule, count in marks.items() if rule.startswith("limit:")),
            "classes_changed": sum(count for rule, count in marks.items() if rule.startswith("class:")),
            "unlinked": len(citing.unlinked(rules=rules_to_link(here), citations=here.rules.citations)),
        },
        **more,
    }


def rules_to_link(here: Desk) -> tuple[str, ...]:
    """Every rule of the version that may rest on a clause."""
    return citing.rules_to_link(policy=here.rules.policy, recipes=here.rules.recipes)
