"""A RuleVersion's document: policy + recipes + adoptions + protocol changes, checked as a whole. Pure; errors name the
path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules import citing, labs, protocol_changes, protocols, recipes
from rules import policy as policies
from rules.citing import NOTHING_CITED, Citations
from rules.labs import LabName
from rules.policy import Policy, PolicyError
from rules.protocol_changes import Notice
from rules.protocols import Protocols
from rules.recipes import Recipe

FORMAT = "refill-hub rules, version 1"
MAX_RECIPES = 50
PARTS = frozenset({"policy", "recipes", "adoptions", "citations", "lab_names", "protocols"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What a document says, ready for `decision.decide`."""

    policy: Policy
    recipes: tuple[Recipe, ...]
    protocols: Protocols
    """The shipped table with the practice's changes."""
    notices: tuple[Notice, ...] = ()
    """What an editor says beside values that are valid: where a guard in code is stricter than the class."""
    citations: Citations = NOTHING_CITED
    lab_names: tuple[LabName, ...] = ()


def check(*, document: Any) -> Rules:
    """The rules of a document. No "recipes" part means the shipped ones.

    Raises PolicyError, recipes.RecipeError or conditions.ConditionError, each naming field or path.
    """
    if not isinstance(document, Mapping):
        raise PolicyError(field="document", rule="must be an object")
    extra = sorted(set(map(str, document)) - PARTS)
    if extra:
        raise PolicyError(field=extra[0], rule="is not a part of a rule document")
    limits = document.get("policy", {})
    if not isinstance(limits, Mapping):
        raise PolicyError(field="policy", rule="must be an object")
    policy = policies.from_document(document=limits)
    changed = document.get("protocols")
    table = protocol_changes.apply(document=changed, table=protocols.load())
    notices = protocol_changes.notices(table=table, changed=changed)
    _check_adoptions(policy, document.get("adoptions", []), table)
    citations = citing.parse(document=document.get("citations", {}))
    names = labs.parse(document=document.get("lab_names", []), known=table.lab_units)
    rows = document.get("recipes")
    if rows is None:
        return Rules(policy, recipes.ready_made(), table, notices, citations, names)
    if not isinstance(rows, list) or len(rows) > MAX_RECIPES:
        raise PolicyError(field="recipes", rule=f"must be a list of at most {MAX_RECIPES}")
    graphs = tuple(recipes.parse(document=row, path=f"recipes[{i}]") for i, row in enumerate(rows))
    if len({graph.key for graph in graphs}) != len(graphs):
        raise PolicyError(field="recipes", rule="each key may stand once")
    return Rules(policy, graphs, table, notices, citations, names)


def _check_adoptions(policy: Policy, rows: Any, table: Protocols) -> None:
    """Each adopted class was adopted by somebody, on a day (medical director: name, date, note)."""
    known = table.by_key
    if not isinstance(rows, list):
        raise PolicyError(field="adoptions", rule="must be a list")
    adopted: set[str] = set()
    for row in rows:
        wanted = ("class", "by", "on")
        if not isinstance(row, Mapping) or not all(isinstance(row.get(key), str) and row[key] for key in wanted):
            raise PolicyError(field="adoptions", rule="each names class, by and on")
        try:
            date.fromisoformat(row["on"])
        except ValueError as error:
            raise PolicyError(field="adoptions", rule="'on' must be a date, YYYY-MM-DD") from error
        adopted.add(row["class"])
    for key in sorted(policy.adopted_classes):
        if key not in known:
            raise PolicyError(field="adopted_classes", rule=f"unknown class {key!r}")
        if key not in adopted:
            raise PolicyError(field="adopted_classes", rule=f"class {key!r} has no adoption by name and date")
        if known[key].route in (protocols.Route.review, protocols.Route.never):
            raise PolicyError(field="adopted_classes", rule=f"class {key!r} always goes to a clinician")
