"""Rules as one readable JSON file, for a practice's own version control: written whole, read strictly. Pure.

Everything that counts is written out, defaults too, so that a file says the same after a later release. What is read is
checked like any draft; nothing is published by a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rules import citing, documents, labs, recipes
from rules import policy as policies
from rules.conditions import ConditionError
from rules.documents import Rules
from rules.policy import PolicyError
from rules.recipes import RecipeError

MAX_BYTES = 2_000_000


class NotRules(ValueError):
    """The file holds no rules: `path` says where, `mend` what would be right."""

    def __init__(self, *, path: str, mend: str) -> None:
        super().__init__(f"{path}: {mend}")
        self.path = path
        self.mend = mend


def dump(*, document: Mapping[str, Any]) -> str:
    """The file of a version's document. Raises as `documents.check`."""
    rules = documents.check(document=document)
    whole = {
        "policy": policies.to_document(policy=rules.policy),
        "adoptions": list(document.get("adoptions", [])),
        "recipes": [recipes.to_document(recipe=one) for one in rules.recipes],
        "lab_names": labs.to_document(names=rules.lab_names),
        "protocols": dict(document.get("protocols") or {}),
        "citations": citing.to_document(citations=rules.citations),
    }
    return json.dumps({"format": documents.FORMAT, "rules": whole}, indent=2, ensure_ascii=False) + "\n"


def load(*, text: str) -> tuple[dict[str, Any], Rules]:
    """The document in a file's text, and what it says. Raises NotRules with path and mend."""
    if len(text.encode()) > MAX_BYTES:
        raise NotRules(path="file", mend=f"must be at most {MAX_BYTES} bytes")
    try:
        whole = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise NotRules(path=f"line {error.lineno}, column {error.colno}", mend=f"is no JSON: {error.msg}") from error
    except RecursionError as error:
        raise NotRules(path="file", mend="is nested too deeply") from error
    if not isinstance(whole, dict) or set(whole) != {"format", "rules"}:
        raise NotRules(path="file", mend="must hold 'format' and 'rules', nothing else")
    if whole["format"] != documents.FORMAT:
        raise NotRules(path="format", mend=f"must be {documents.FORMAT!r}")
    try:
        return whole["rules"], documents.check(document=whole["rules"])
    except (RecipeError, ConditionError) as error:
        raise NotRules(path=f"rules.{error.path}", mend=error.mend) from error
    except PolicyError as error:
        raise NotRules(path=f"rules.{error.field}", mend=error.rule) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand once: of two limits of one name nobody could say which counts."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NotRules(path=name, mend="stands twice in one object")
        found[name] = value
    return found
