"""A condition as rows a person can edit: groups and comparisons one below the other, indented by depth. Pure.

Rows hold what was typed, right or wrong; `to_document` turns them into a condition's JSON form or says which row to
mend. Moving, adding and removing always keep a row's own rows with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rules import conditions
from rules import policy as policies
from rules.conditions import CATALOGUE, Compare, Condition, Fact, Group, Type

TRUTHS = {"true": True, "false": False, "yes": True, "no": False}
SEVERAL = frozenset({"in", "not_in", "contains_any"})


class BlockError(ValueError):
    """A row cannot be part of a condition: `index` says which, the message how to mend it."""

    def __init__(self, *, index: int, mend: str) -> None:
        super().__init__(mend)
        self.index = index
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Block:
    """One row. `how` (all, any, not) for a group; else fact, operator and value as typed, or the name of a limit."""

    depth: int
    how: str = ""
    fact: str = ""
    op: str = ""
    value: str = ""
    limit: str = ""

    @property
    def is_group(self) -> bool:
        return bool(self.how)


def of(*, condition: Condition) -> tuple[Block, ...]:
    """The rows of a condition; the first one is always a group."""
    rows = _rows(condition, 0)
    if rows[0].is_group:
        return tuple(rows)
    return (Block(0, how="all"), *(replace(row, depth=row.depth + 1) for row in rows))


def _rows(condition: Condition, depth: int) -> list[Block]:
    if isinstance(condition, Group):
        inner = [row for part in condition.parts for row in _rows(part, depth + 1)]
        return [Block(depth, how=condition.how), *inner]
    return [_row(condition, depth)]


def _row(one: Compare, depth: int) -> Block:
    value = one.value
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, frozenset):
        text = ", ".join(sorted(value))
    else:
        text = "" if value is None else str(value)
    return Block(depth, fact=one.fact, op=one.op, value=text, limit=one.limit)


def to_document(*, blocks: Sequence[Block]) -> dict[str, Any]:
    """The condition's JSON form, checked. Raises BlockError for the row at fault."""
    rows = tidy(blocks=blocks)
    if not rows:
        raise BlockError(index=0, mend="add a condition")
    document, after = _document(rows, 0)
    if after != len(rows):
        raise BlockError(index=after, mend="belongs to no group")
    try:
        conditions.parse(document=document)
    except conditions.ConditionError as error:
        raise BlockError(index=0, mend=error.mend) from error
    return document


def _document(rows: Sequence[Block], index: int) -> tuple[dict[str, Any], int]:
    row = rows[index]
    if not row.is_group:
        return _comparison(row, index), index + 1
    parts, at = [], index + 1
    while at < len(rows) and rows[at].depth > row.depth:
        part, at = _document(rows, at)
        parts.append(part)
    if not parts:
        raise BlockError(index=index, mend="a group needs a condition inside; add one or remove the group")
    if row.how == "not":
        return {"not": parts[0] if len(parts) == 1 else {"any": parts}}, at
    return (parts[0] if len(parts) == 1 else {row.how: parts}), at


def _comparison(row: Block, index: int) -> dict[str, Any]:
    fact = CATALOGUE.get(row.fact)
    if fact is None:
        raise BlockError(index=index, mend="choose a fact")
    document: dict[str, Any] = {"fact": row.fact, "op": row.op}
    if row.op not in conditions.ALWAYS:
        document["value"] = {"policy": row.limit} if row.limit else _value(row, fact, index)
    try:
        conditions.parse(document=document)
    except conditions.ConditionError as error:
        raise BlockError(index=index, mend=error.mend) from error
    return document


def _value(row: Block, fact: Fact, index: int) -> Any:
    text = row.value.strip()
    if fact.type is Type.number:
        if not text.removeprefix("-").isdecimal():
            raise BlockError(index=index, mend=f"enter a whole number of {fact.unit or 'units'}")
        return int(text)
    if fact.type is Type.decimal:
        return text.replace(",", ".")
    if fact.type is Type.truth:
        if text.lower() not in TRUTHS:
            raise BlockError(index=index, mend="choose yes or no")
        return TRUTHS[text.lower()]
    if row.op in SEVERAL:
        codes = [one.strip() for one in text.split(",") if one.strip()]
        if not codes:
            raise BlockError(index=index, mend="enter codes with commas between them")
        return codes
    if not text:
        raise BlockError(index=index, mend="enter a code")
    return text


def tidy(*, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Rows whose depth is possible: each at most one below the row it can belong to."""
    rows: list[Block] = []
    for block in blocks:
        if not rows:
            rows.append(replace(block, depth=0) if block.is_group else Block(0, how="all"))
            if not block.is_group:
                rows.append(replace(block, depth=1))
            continue
        last = rows[-1]
        deepest = last.depth + 1 if last.is_group else last.depth
        rows.append(replace(block, depth=min(max(1, block.depth), deepest)))
    return tuple(rows)


def _end(rows: Sequence[Block], index: int) -> int:
    """The index after a row and everything that belongs to it."""
    at = index + 1
    while at < len(rows) and rows[at].depth > rows[index].depth:
        at += 1
    return at


def moved(*, blocks: Sequence[Block], index: int, by: int) -> tuple[Block, ...]:
    """The row one up (-1) or down (+1) among its neighbours, out of its group where it is the first or last in it."""
    rows = list(tidy(blocks=blocks))
    if not 0 < index < len(rows):
        return tuple(rows)
    end = _end(rows, index)
    mine = rows[index:end]
    if by < 0:
        above = next((at for at in range(index - 1, -1, -1) if rows[at].depth <= mine[0].depth), 0)
        if rows[above].depth == mine[0].depth:
            return tidy(blocks=[*rows[:above], *mine, *rows[above:index], *rows[end:]])
        return _out(rows, index, end, at=above) if above else tuple(rows)
    if end < len(rows) and rows[end].depth == mine[0].depth:
        below = _end(rows, end)
        return tidy(blocks=[*rows[:index], *rows[end:below], *mine, *rows[below:]])
    return _out(rows, index, end, at=None)


def _out(rows: list[Block], index: int, end: int, *, at: int | None) -> tuple[Block, ...]:
    """One level up, before the group (`at`) or behind it."""
    if rows[index].depth < 2:
        return tuple(rows)
    mine = [replace(row, depth=row.depth - 1) for row in rows[index:end]]
    if at is not None:
        return tidy(blocks=[*rows[:at], *mine, *rows[at:index], *rows[end:]])
    return tidy(blocks=[*rows[:index], *mine, *rows[end:]])


def removed(*, blocks: Sequence[Block], index: int) -> tuple[Block, ...]:
    """Without the row and everything that belongs to it; the outermost group stays."""
    rows = tidy(blocks=blocks)
    if not 0 < index < len(rows):
        return rows
    return tidy(blocks=[*rows[:index], *rows[_end(rows, index) :]])


def added(*, blocks: Sequence[Block], index: int, how: str = "") -> tuple[Block, ...]:
    """With a new row behind row `index`: inside it where it is a group, else beside it. `how`: a group of this kind."""
    rows = tidy(blocks=blocks) or (Block(0, how="all"),)
    here = rows[min(max(index, 0), len(rows) - 1)]
    depth = here.depth + 1 if here.is_group else here.depth
    end = _end(rows, min(max(index, 0), len(rows) - 1))
    fresh = Block(depth, how=how) if how else Block(depth)
    return tidy(blocks=[*rows[:end], fresh, *rows[end:]])


def choices_of(*, block: Block) -> tuple[tuple[str, str], ...]:
    """The operators a row's fact allows, as (value, words)."""
    fact = CATALOGUE.get(block.fact)
    if fact is None:
        return ()
    allowed = conditions.OPERATORS[fact.type] | conditions.ALWAYS
    return tuple((op, words) for op, words in conditions.WORDS.items() if op in allowed)


def limits_for(*, block: Block) -> tuple[tuple[str, str], ...]:
    """Limits of the policy a number may be held against, as (name, words with the unit)."""
    fact = CATALOGUE.get(block.fact)
    if fact is None or fact.type is not Type.number:
        return ()
    fitting = [name for name, bound in policies.BOUNDS.items() if bound.unit == fact.unit]
    return tuple((name, name.replace("_", " ")) for name in fitting)
