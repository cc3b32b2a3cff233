"""Conditions an editor may use: named facts with type and unit, operators, a small typed tree; parse, evaluate,
explain.

Three-valued logic (Kleene): a missing fact is unknown, and unknown is neither true nor false. Documents are bounded in
depth and size; an error names the path. No free expressions, no code in data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rules import policy as policies
from rules.case import Case
from rules.findings import TraceStep

MAX_DEPTH = 8
MAX_PARTS = 64
MAX_LIST = 100

Value = int | bool | str | frozenset[str]


class ConditionError(ValueError):
    """A condition document is wrong. `path` says where ("all[1].op"), the message says the mend."""

    def __init__(self, *, path: str, mend: str) -> None:
        super().__init__(f"{path or 'condition'}: {mend}")
        self.path = path
        self.mend = mend


class Type(StrEnum):
    number = "number"
    truth = "truth"
    code = "code"
    codes = "codes"


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of the catalogue."""

    name: str
    type: Type
    unit: str
    meaning: str
    example: str
    read: Callable[[Case], Value | None]
    source: str = ""


OPERATORS: Mapping[Type, frozenset[str]] = {
    Type.number: frozenset({"equals", "at_most", "at_least", "less_than", "more_than"}),
    Type.truth: frozenset({"is"}),
    Type.code: frozenset({"is", "is_not", "in", "not_in"}),
    Type.codes: frozenset({"contains", "contains_any"}),
}
ALWAYS = frozenset({"known", "unknown"})
WORDS = {
    "equals": "is", "at_most": "is at most", "at_least": "is at least", "less_than": "is less than",
    "more_than": "is more than", "is": "is", "is_not": "is not", "in": "is one of", "not_in": "is none of",
    "contains": "contains", "contains_any": "contains any of", "known": "is known", "unknown": "is unknown",
}  # fmt: skip


def _list(*rows: Fact) -> Mapping[str, Fact]:
    return {row.name: row for row in rows}


T, N, C, S = Type.truth, Type.number, Type.code, Type.codes
CATALOGUE: Mapping[str, Fact] = _list(
    Fact("message.kind", C, "", "what the patient asks for", "refill", lambda c: c.facts.reading.kind.value, "klara"),
    Fact("message.tag", C, "", "the Klara tag", "refill", lambda c: c.facts.reading.tag.value, "klara"),
    Fact(
        "message.is_tagged", T, "", "the message carries the tag of its recipe", "true", lambda c: c.is_tagged, "klara"
    ),
    Fact("message.is_plain", T, "", "the message asks for one thing only", "true", lambda c: c.facts.reading.is_plain),
    Fact("message.has_doubts", T, "", "reading left doubts", "false", lambda c: bool(c.facts.reading.doubts)),
    Fact(
        "message.confidence",
        N,
        "percent",
        "how sure the reading is",
        "95",
        lambda c: c.facts.reading.confidence_percent,
    ),
    Fact("message.channel", C, "", "how the message came", "text", lambda c: c.facts.reading.channel.value, "klara"),
    Fact("drug.is_controlled", T, "", "the drug is in schedule II to V", "false", lambda c: c.is_controlled, "dea"),
    Fact("drug.schedule", C, "", "the drug's schedule", "iv", lambda c: c.schedule.value, "dea"),
    Fact("drug.classes", S, "", "the drug's protocol classes", "statin", lambda c: frozenset(c.classes) or None),
    Fact(
        "drug.ingredients", S, "", "the drug's ingredients", "atorvastatin", lambda c: frozenset(c.ingredients) or None
    ),
    Fact("drug.is_never_hold", T, "", "a gap in this drug may hurt at once", "false", lambda c: c.is_never_hold),
    Fact(
        "drug.is_class_automatic",
        T,
        "",
        "the class may be automatic and is adopted",
        "true",
        lambda c: c.is_class_automatic,
    ),
    Fact(
        "entry.is_active",
        T,
        "",
        "the drug is active on the list",
        "true",
        lambda c: _is_active(c),
        "drchrono",
    ),
    Fact(
        "entry.matches",
        N,
        "entries",
        "active list entries that fit",
        "1",
        lambda c: c.facts.entries_matching,
        "drchrono",
    ),
    Fact("entry.days_supply", N, "days", "days one fill lasts", "90", lambda c: c.days_supply, "drchrono"),
    Fact(
        "visit.days_since",
        N,
        "days",
        "days since the last qualifying visit",
        "120",
        lambda c: c.days_since_visit,
        "drchrono",
    ),
    Fact(
        "visit.is_overdue",
        T,
        "",
        "the last visit is over the practice's limit",
        "false",
        lambda c: c.is_visit_overdue,
        "drchrono",
    ),
    Fact("visit.has_upcoming", T, "", "a visit is booked", "false", lambda c: _upcoming(c), "drchrono"),
    Fact("supply.days_since", N, "days", "days since the last known supply", "60", lambda c: c.standing.days_since),
    Fact(
        "supply.used_percent",
        N,
        "percent",
        "part of the last supply used",
        "90",
        lambda c: c.standing.least_used_percent,
    ),
    Fact(
        "pharmacy.fills_left",
        N,
        "fills",
        "fills left as a pharmacy reported",
        "2",
        lambda c: c.facts.fills_left,
        "pharmacy",
    ),
    Fact(
        "pharmacy.is_named_found",
        T,
        "",
        "the named pharmacy is one directory entry",
        "true",
        lambda c: bool(c.facts.pharmacy.named_ncpdp),
    ),
    Fact(
        "hours.was_closed_when_sent",
        T,
        "",
        "closed when the message was sent",
        "false",
        lambda c: c.facts.hours.was_closed_when_sent,
    ),
    Fact("hours.is_closed_now", T, "", "closed now", "false", lambda c: c.facts.hours.is_closed_now),
    Fact("patient.age", N, "years", "the patient's age", "54", lambda c: c.facts.patient.age_years, "drchrono"),
    Fact("patient.status", C, "", "the patient's status", "active", lambda c: c.facts.patient.status.value, "drchrono"),
    Fact("mirror.age", N, "minutes", "age of our copy of the chart", "5", lambda c: c.facts.mirror_age_minutes),
)


def _is_active(case: Case) -> bool | None:
    entry = case.facts.entry
    return None if entry is None else entry.is_active


def _upcoming(case: Case) -> bool | None:
    visit = case.facts.visit
    return True if visit.upcoming_on is not None else (False if visit.is_upcoming_known else None)


@dataclass(frozen=True, slots=True)
class Compare:
    fact: str
    op: str
    value: Value | None = None
    limit: str = ""
    """Name of a policy limit the value is taken from, "" for a fixed value."""


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
    if fact.type is Type.truth and isinstance(value, bool):
        return value
    if op in ("in", "not_in", "contains_any"):
        if isinstance(value, list) and 0 < len(value) <= MAX_LIST and all(isinstance(one, str) for one in value):
            return frozenset(value)
        raise ConditionError(path=path, mend="must be a list of codes")
    if fact.type in (Type.code, Type.codes) and isinstance(value, str) and 0 < len(value) <= 100:
        return value
    raise ConditionError(path=path, mend=f"must be a {fact.type.value}")


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
        document["value"] = sorted(value) if isinstance(value, frozenset) else value
    return document


def evaluate(*, condition: Condition, case: Case, node: str, trace: list[TraceStep]) -> bool | None:
    """True, false or None (unknown). Every comparison looked at is appended to `trace`."""
    if isinstance(condition, Compare):
        return _compare(condition, case, node, trace)
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


def _compare(condition: Compare, case: Case, node: str, trace: list[TraceStep]) -> bool | None:
    fact = CATALOGUE[condition.fact]
    value = fact.read(case)
    if fact.type is Type.code and value == "unknown":
        value = None
    wanted = getattr(case.policy, condition.limit) if condition.limit else condition.value
    if condition.op in ALWAYS:
        result: bool | None = (value is not None) is (condition.op == "known")
    elif value is None:
        result = None
    else:
        result = _OPS[condition.op](value, wanted)
    trace.append(
        TraceStep(
            node=node,
            fact=fact.name,
            value=_written(value),
            threshold=f"{condition.op} {_written(wanted)}".rstrip(),
            result=result,
            source=fact.source,
        )
    )
    return result


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


def explain(*, condition: Condition) -> str:
    """The condition in plain English."""
    if isinstance(condition, Group):
        parts = [explain(condition=part) for part in condition.parts]
        if condition.how == "not":
            return f"not ({parts[0]})"
        joined = (" and " if condition.how == "all" else " or ").join(parts)
        return f"({joined})" if len(parts) > 1 else parts[0]
    fact = CATALOGUE[condition.fact]
    words = [fact.meaning, WORDS[condition.op]]
    if condition.limit:
        words.append(f"the practice's limit ({condition.limit})")
    elif condition.value is not None:
        words.append(_written(condition.value))
        if fact.unit:
            words.append(fact.unit)
    return " ".join(words)
