"""The JSON Schema of rule documents, made from the catalogue, the limits and the shipped keys: published and tested.

It says what `documents.check` accepts as far as a schema can; adoption by name, clauses and loops in a graph are
checked by the code alone. Pure.
"""

from __future__ import annotations

from typing import Any

from rules import citing, conditions, documents, labs, protocols, recipes
from rules import policy as policies
from rules.catalogue import ALWAYS, CATALOGUE, OPERATORS, Type
from rules.findings import Outcome, Queue, TellKind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SEVERAL = frozenset({"in", "not_in", "contains_any"})
CODE = {"type": "string", "minLength": 1, "maxLength": 100}


def whole() -> dict[str, Any]:
    """The schema of a rule file: the format's mark and the rules."""
    return {
        "$schema": DIALECT,
        "title": "Rules of a practice",
        "type": "object",
        "properties": {"format": {"const": documents.FORMAT}, "rules": {"$ref": "#/$defs/rules"}},
        "required": ["format", "rules"],
        "additionalProperties": False,
        "$defs": {
            "rules": _rules(),
            "recipe": _recipe(),
            "node": {"anyOf": [_ask(), _act()]},
            "condition": _condition(),
            "comparison": {"anyOf": [way for kind in Type for way in _ways(kind)]},
        },
    }


def _rules() -> dict[str, Any]:
    limits: dict[str, Any] = {
        name: {"type": "integer", "minimum": bound.least, "maximum": bound.most, "description": bound.meaning}
        for name, bound in policies.BOUNDS.items()
    }
    for name in ("is_on_call_enabled", "untagged_refill_may_be_automatic"):
        limits[name] = {"type": "boolean"}
    limits["enabled_recipes"] = {"type": "array", "items": {"enum": list(policies.RECIPE_KEYS)}}
    limits["adopted_classes"] = {"type": "array", "items": {"enum": sorted(protocols.load().by_key)}}
    filled = {"type": "string", "minLength": 1}
    adoption = {
        "type": "object",
        "properties": {"class": filled, "by": filled, "on": {**filled, "format": "date"}, "note": {"type": "string"}},
        "required": ["class", "by", "on"],
    }
    clauses = {"type": "array", "maxItems": citing.MAX_CLAUSES, "items": {**filled, "maxLength": 20}}
    links = {
        "type": "object",
        "propertyNames": {"pattern": f"^(?:{'|'.join(citing.KINDS)}):.+$"},
        "additionalProperties": clauses,
        "maxProperties": citing.MAX_LINKS,
    }
    lab_name = {
        "type": "object",
        "properties": {
            "title": {**filled, "maxLength": 100},
            "key": {"enum": sorted(protocols.load().lab_units)},
            "unit": {"type": "string"},
        },
        "required": ["title", "key"],
        "additionalProperties": False,
    }
    parts: dict[str, Any] = {
        "policy": {"type": "object", "properties": limits, "additionalProperties": False},
        "recipes": {"type": "array", "maxItems": documents.MAX_RECIPES, "items": {"$ref": "#/$defs/recipe"}},
        "adoptions": {"type": "array", "items": adoption},
        "protocols": {"type": "object", "propertyNames": {"enum": sorted(protocols.load().by_key)}},
        "lab_names": {"type": "array", "maxItems": labs.MAX_NAMES, "items": lab_name},
        "citations": {
            "type": "object",
            "properties": {"written_policy": {"type": "string"}, "links": links},
            "additionalProperties": False,
        },
    }
    return {"type": "object", "properties": parts, "additionalProperties": False}


def _recipe() -> dict[str, Any]:
    filled = {"type": "string", "minLength": 1}
    nodes = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": recipes.MAX_NODES,
        "additionalProperties": {"$ref": "#/$defs/node"},
    }
    return {
        "type": "object",
        "properties": {
            "key": filled,
            "name": filled,
            "start": filled,
            "trigger": {"enum": [one.value for one in recipes.Trigger]},
            "nodes": nodes,
        },
        "required": ["key", "name", "trigger", "start", "nodes"],
    }


def _ask() -> dict[str, Any]:
    exits = {name: {"type": "string", "description": "a node, or pass"} for name in ("yes", "no", "unknown")}
    return {
        "type": "object",
        "properties": {"if": {"$ref": "#/$defs/condition"}, **exits},
        "required": ["if"],
    }


def _act() -> dict[str, Any]:
    outcomes = [one.value for one in Outcome if one not in (Outcome.duplicate, Outcome.tell)]
    queue = {"enum": [one.value for one in Queue]}
    told = [one.value for one in TellKind if one.value]
    return {
        "not": {"required": ["if"]},
        "anyOf": [
            {
                "type": "object",
                "properties": {"then": {"enum": outcomes}, "queue": queue, "tell_kind": {"const": ""}},
                "required": ["then"],
            },
            {
                "type": "object",
                "properties": {"then": {"const": "tell"}, "queue": queue, "tell_kind": {"enum": told}},
                "required": ["then", "tell_kind"],
            },
        ],
    }


def _condition() -> dict[str, Any]:
    here = {"$ref": "#/$defs/condition"}
    groups = [
        {
            "type": "object",
            "properties": {how: {"type": "array", "minItems": 1, "items": here}},
            "required": [how],
            "additionalProperties": False,
        }
        for how in ("all", "any")
    ]
    none = {"type": "object", "properties": {"not": here}, "required": ["not"], "additionalProperties": False}
    said = f"at most {conditions.MAX_DEPTH} levels and {conditions.MAX_PARTS} parts"
    return {"description": said, "anyOf": [*groups, none, {"$ref": "#/$defs/comparison"}]}


def _ways(kind: Type) -> list[dict[str, Any]]:
    """What may be said of the facts of one type: operators with the value they take."""
    names = sorted(fact.name for fact in CATALOGUE.values() if fact.type is kind)
    several = sorted(OPERATORS[kind] & SEVERAL)
    codes = {"type": "array", "minItems": 1, "maxItems": conditions.MAX_LIST, "items": {"type": "string"}}
    ways = [_way(names, sorted(ALWAYS), None), _way(names, sorted(OPERATORS[kind] - SEVERAL), _value(kind))]
    return [*ways, _way(names, several, codes)] if several else ways


def _way(names: list[str], operators: list[str], value: dict[str, Any] | None) -> dict[str, Any]:
    properties: dict[str, Any] = {"fact": {"enum": names}, "op": {"enum": operators}}
    required = ["fact", "op"]
    if value is not None:
        properties["value"] = value
        required.append("value")
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _value(kind: Type) -> dict[str, Any]:
    if kind is Type.number:
        limit = {
            "type": "object",
            "properties": {"policy": {"enum": list(policies.BOUNDS)}},
            "required": ["policy"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "integer"}, limit]}
    if kind is Type.decimal:
        bounds = {"type": "integer", "minimum": -9_999_999, "maximum": 9_999_999}
        return {"anyOf": [{"type": "string", "pattern": conditions.DECIMAL}, bounds]}
    return {"type": "boolean"} if kind is Type.truth else dict(CODE)
