"""Conditions an editor may use: a small typed tree over the facts of `rules.catalogue`; parse, evaluate, explain.

Three-valued logic (Kleene): a missing fact is unknown, and unknown is neither true nor false. Documents are bounded in
depth and size; an error names the path. No free expressions, no code in data.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rules import policy as policies
from rules.case import Case
from rules.catalogue import ALWAYS, CATALOGUE, OPERATORS, WORDS, Fact, Type, Value
from rules.findings import TraceStep
from rules.policy import Policy

__all__ = ["ALWAYS", "CATALOGUE", "OPERATORS", "WORDS", "Fact", "Type", "Value", "explain", "parse"]

MAX_DEPTH = 8
MAX_PARTS = 64
MAX_LIST = 100
MAX_KEPT = 1024
DECIMAL = r"^-?[0-9]{1,7}(?:\.[0-9]{1,4})?$"


class ConditionError(ValueError):
    """A condition document is wrong. `path` says where ("all[1].op"), the message says the mend."""

    def __init__(self, *, path: str, mend: str) -> None:
        super().__init__(f"{path or 'condition'}: {mend}")
        self.path = path
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Compare:
    fact: str
    op: str
    value: Value | None = None
    limit: str = ""
    """Name of a policy limit the value is taken from, "" for a fixed value."""
    kept: dict[tuple[Any, ...], TraceStep] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Steps made before, by node and what was seen: they are frozen and repeat from case to case."""


@dataclass(frozen=True, slots=True)
class Group:
    """`how`: all, any or not (exactly one part)."""

    how: str
    parts: tuple["Condition", ...]


Condition = Compare | Group


def parse(*, document: Any, path: str = "") -> Condition:
    """A condition from its JSON form. Raises ConditionError with path and mend; bounded by MAX_DEPTH and MAX_PARTS."""
    budget = [MAX_PARTS]
    return _parse(document, path, 0, budget)


def _parse(document: Any, path: str, depth: int, budget: list[int]) -> Condition:
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise ConditionError(path=path, mend=f"at most {MAX_DEPTH} levels and {MAX_PARTS} parts")
    if not isinstance(document, Mapping):
        raise ConditionError(path=path, mend="must be an object")
    for how in ("all", "any"):
        if how in document:
            parts = document[how]
            if set(document) != {how} or not isinstance(parts, list) or not parts:
                raise ConditionError(path=f"{path}.{how}".lstrip("."), mend="must stand alone with a list of parts")
            return Group(
                how, tuple(_parse(p, f"{path}.{how}[{i}]".lstrip("."), depth + 1, budget) for i, p in enumerate(parts))
            )
    if "not" in document:
        if set(document) != {"not"}:
            raise ConditionError(path=path, mend="'not' must stand alone")
        return Group("not", (_parse(document["not"], f"{path}.not".lstrip("."), depth + 1, budget),))
    return _parse_compare(document, path)


def _parse_compare(document: Mapping[str, Any], path: str) -> Compare:
    def at(name: str) -> str:
        return f"{path}.{name}".lstrip(".")

    name, op = document.get("fact"), document.get("op")
    if not isinstance(name, str) or name not in CATALOGUE:
        raise ConditionError(path=at("fact"), mend="must name a fact of the catalogue")
    fact = CATALOGUE[name]
    if not isinstance(op, str) or op not in OPERATORS[fact.type] | ALWAYS:
        allowed = ", ".join(sorted(OPERATORS[fact.type] | ALWAYS))
        raise ConditionError(path=at("op"), mend=f"must be one of {allowed}")
    extra = set(document) - {"fact", "op", "value"}
    if extra:
        raise ConditionError(path=at(sorted(map(str, extra))[0]), mend="is not a part of a comparison")
    if op in ALWAYS:
        if "value" in document:
            raise ConditionError(path=at("value"), mend="this operator takes no value")
        return Compare(name, op)
    value = document.get("value")
    if isinstance(value, Mapping):
        limit = value.get("policy")
        if set(value) != {"policy"} or limit not in policies.BOUNDS or fact.type is not Type.number:
            raise ConditionError(path=at("value"), mend="must name a limit of the policy, for a number")
        return Compare(name, op, None, str(limit))
    return Compare(name, op, _value(fact, op, value, at("value")))


def _value(fact: Fact, op: str, value: Any, path: str) -> Value:
    if fact.type is Type.number and isinstance(value, int) and not isinstance(value, bool):
        return value
    if fact.type is Type.decimal and isinstance(value, str | int) and not isinstance(value, bool):
        return _decimal(str(value), path)
    if fact.type is Type.truth and isinstance(value, bool):
        return value
    if op in ("in", "not_in", "contains_any"):
        if isinstance(value, list) and 0 < len(value) <= MAX_LIST and all(isinstance(one, str) for one in value):
            return frozenset(value)
        raise ConditionError(path=path, mend="must be a list of codes")
    if fact.type in (Type.code, Type.codes) and isinstance(value, str) and 0 < len(value) <= 100:
        return value
    raise ConditionError(path=path, mend=f"must be a {fact.type.value}")


def _decimal(text: str, path: str) -> Decimal:
    """A decimal written as text ("5.5"), so that no binary fraction stands in a rule."""
    if not re.fullmatch(DECIMAL, text):
        raise ConditionError(path=path, mend='must be a decimal as text, like "5.5"')
    return Decimal(text)


def to_document(*, condition: Condition) -> dict[str, Any]:
    """JSON form of a condition; `parse` reads it back to an equal value."""
    if isinstance(condition, Group):
        parts = [to_document(condition=part) for part in condition.parts]
        return {"not": parts[0]} if condition.how == "not" else {condition.how: parts}
    document: dict[str, Any] = {"fact": condition.fact, "op": condition.op}
    if condition.limit:
        document["value"] = {"policy": condition.limit}
    elif condition.value is not None:
        value = condition.value
        document["value"] = _plain(value)
    return document


def _plain(value: Value) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value) if isinstance(value, Decimal) else value


def evaluate(*, condition: Condition, case: Case, node: str, trace: list[TraceStep]) -> bool | None:
    """True, false or None (unknown). Every comparison looked at is appended to `trace`."""
    if isinstance(condition, Compare):
        step = _look(condition, case, node)
        trace.append(step)
        return step.result
    results = [evaluate(condition=part, case=case, node=node, trace=trace) for part in condition.parts]
    if condition.how == "not":
        return None if results[0] is None else not results[0]
    return all_of(results) if condition.how == "all" else any_of(results)


def all_of(results: Sequence[bool | None]) -> bool | None:
    if False in results:
        return False
    return None if None in results else True


def any_of(results: Sequence[bool | None]) -> bool | None:
    if True in results:
        return True
    return None if None in results else False


def _look(compare: Compare, case: Case, node: str) -> TraceStep:
    """What the comparison says of this case, as a step of the trace."""
    fact = CATALOGUE[compare.fact]
    value = fact.read(case)
    limit = wanted(compare=compare, policy=case.policy)
    age = fact.age(case) if fact.age is not None else None
    if fact.type is Type.decimal:  # 5.5 and 5.50 are equal and not written alike
        return _step(compare, fact, node, value, limit, age)
    key = (node, value, limit, age)
    step = compare.kept.get(key)
    if step is None:
        step = _step(compare, fact, node, value, limit, age)
        if len(compare.kept) < MAX_KEPT:
            compare.kept[key] = step
    return step


def _step(
    compare: Compare, fact: Fact, node: str, value: Value | None, limit: Value | None, age: int | None
) -> TraceStep:
    if _is_unknown(fact, value):
        value = None
    threshold = f"{compare.op} {_written(limit)}".rstrip()
    return TraceStep(node, fact.name, _written(value), threshold, _holds(compare, value, limit), fact.source, age)


def truth(*, compare: Compare, case: Case) -> bool | None:
    """What the comparison says of this case, without a trace."""
    return _look(compare, case, "").result


def holds(*, compare: Compare, value: Value | None, policy: Policy) -> bool | None:
    """Whether the comparison is true of this value; None where it is not known."""
    if _is_unknown(CATALOGUE[compare.fact], value):
        value = None
    return _holds(compare, value, wanted(compare=compare, policy=policy))


def _holds(compare: Compare, value: Value | None, limit: Value | None) -> bool | None:
    if compare.op in ALWAYS:
        return (value is not None) is (compare.op == "known")
    return None if value is None else _OPS[compare.op](value, limit)


def wanted(*, compare: Compare, policy: Policy) -> Value | None:
    """What the fact is held against: the practice's limit or the fixed value."""
    found: Value | None = getattr(policy, compare.limit) if compare.limit else compare.value
    return found


def _is_unknown(fact: Fact, value: Value | None) -> bool:
    return value is None or (fact.type is Type.code and value == "unknown")


_OPS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda a, b: a == b,
    "at_most": lambda a, b: a <= b,
    "at_least": lambda a, b: a >= b,
    "less_than": lambda a, b: a < b,
    "more_than": lambda a, b: a > b,
    "is": lambda a, b: a == b,
    "is_not": lambda a, b: a != b,
    "in": lambda a, b: a in b,
    "not_in": lambda a, b: a not in b,
    "contains": lambda a, b: b in a,
    "contains_any": lambda a, b: bool(a & b),
}


def _written(value: Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def explain(*, condition: Condition, limits: Policy | None = None) -> str:
    """The condition in plain English; with `limits` the practice's own figures stand in it."""
    text = _sentence(condition, limits)
    return text[1:-1] if isinstance(condition, Group) and condition.how != "not" and len(condition.parts) > 1 else text


def _sentence(condition: Condition, limits: Policy | None) -> str:
    if isinstance(condition, Group):
        parts = [_sentence(part, limits) for part in condition.parts]
        if condition.how == "not":
            return f"not {parts[0]}" if parts[0].startswith("(") else f"not ({parts[0]})"
        joined = (" and " if condition.how == "all" else " or ").join(parts)
        return f"({joined})" if len(parts) > 1 else parts[0]
    fact = CATALOGUE[condition.fact]
    if fact.type is Type.truth and condition.op == "is":
        return fact.meaning if condition.value else fact.denied
    words = [fact.meaning, WORDS[condition.op]]
    if condition.limit:
        name = condition.limit.replace("_", " ")
        figure = f"{getattr(limits, condition.limit)} {fact.unit} ({name})" if limits else f"the practice's {name}"
        words.append(figure)
    elif condition.value is not None:
        words.append(_written(condition.value))
        if fact.unit:
            words.append(fact.unit)
    return " ".join(words)
