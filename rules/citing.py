"""Which clause of the practice's written policy each rule rests on (F079), and which clauses a decision cites. Pure.

A rule is named "recipe:auto_refill", "limit:visit_limit_days", "class:ppi_h2" or "guard:visit"; a clause by its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rules import decision
from rules import policy as policies
from rules.findings import Decision
from rules.policy import Policy, PolicyError
from rules.recipes import Recipe

MAX_LINKS = 500
MAX_CLAUSES = 20
KINDS = ("recipe", "limit", "class", "guard")


@dataclass(frozen=True, slots=True)
class Citations:
    """The links of one rule document: rule -> numbers of clauses of one written policy ("" for none attached)."""

    written_policy: str = ""
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NOTHING_CITED = Citations()


def parse(*, document: Any) -> Citations:
    """The "citations" part of a rule document. Raises PolicyError naming the place."""
    if not isinstance(document, Mapping) or set(document) - {"written_policy", "links"}:
        raise PolicyError(field="citations", rule="must hold 'written_policy' and 'links' only")
    written = document.get("written_policy", "")
    if written and not _is_uuid(written):
        raise PolicyError(field="citations.written_policy", rule="must be the id of an attached policy")
    rows = document.get("links", {})
    if not isinstance(rows, Mapping) or len(rows) > MAX_LINKS:
        raise PolicyError(field="citations.links", rule=f"must be an object of at most {MAX_LINKS} rules")
    if rows and not written:
        raise PolicyError(field="citations.written_policy", rule="must be named where rules are linked to its clauses")
    return Citations(written, {str(rule): _clauses(str(rule), numbers) for rule, numbers in rows.items()})


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _clauses(rule: str, numbers: Any) -> tuple[str, ...]:
    kind, colon, name = rule.partition(":")
    if kind not in KINDS or not colon or not name:
        raise PolicyError(field=f"citations.links.{rule}", rule=f"must be named as one of {', '.join(KINDS)}")
    if not isinstance(numbers, list) or len(numbers) > MAX_CLAUSES or not all(_is_number(one) for one in numbers):
        raise PolicyError(field=f"citations.links.{rule}", rule=f"must list at most {MAX_CLAUSES} clause numbers")
    return tuple(dict.fromkeys(numbers))


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 20


def to_document(*, citations: Citations) -> dict[str, Any]:
    """JSON form; `parse` reads it back to an equal value."""
    links = {rule: list(numbers) for rule, numbers in sorted(citations.links.items())}
    return {"written_policy": citations.written_policy, "links": links}


def rules_to_link(*, policy: Policy, recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Every rule a practice can be asked about: its recipes that are on, limits, adopted classes, and the guards."""
    on = [one.key for one in recipes if one.key not in policies.RECIPE_KEYS or one.key in policy.enabled_recipes]
    guards = [one.check.__name__ for one in (*decision.FIRST, *decision.AFTER, *decision.REFILL)]
    return (
        *(f"recipe:{key}" for key in on),
        *(f"limit:{name}" for name in policies.BOUNDS),
        *(f"class:{key}" for key in sorted(policy.adopted_classes)),
        *(f"guard:{name}" for name in guards),
    )


def unlinked(*, rules: Iterable[str], citations: Citations) -> tuple[str, ...]:
    """Rules that rest on no clause. Guards stand in code for the law's sake and need none."""
    return tuple(one for one in rules if not citations.links.get(one) and not one.startswith("guard:"))


def uncovered(*, clauses: Iterable[str], citations: Citations) -> tuple[str, ...]:
    """Clauses that no rule carries out: a person must."""
    carried = {number for numbers in citations.links.values() for number in numbers}
    return tuple(one for one in clauses if one not in carried)


def cited(*, made: Decision, citations: Citations) -> tuple[str, ...]:
    """The clauses behind a decision: of its recipe, its classes, and every guard that objected."""
    rules = [f"recipe:{made.recipe}", *(f"class:{key}" for key in made.drug_class.split("+") if key)]
    rules += [f"guard:{step.fact}" for step in made.trace if step.node == "guard" and step.result is False]
    return tuple(dict.fromkeys(number for rule in rules for number in citations.links.get(rule, ())))
