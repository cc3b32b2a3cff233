"""The rows of a condition between a posted form and `rules.blocks`, and what each row's fields offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rules import blocks, conditions
from rules.blocks import Block
from rules.conditions import CATALOGUE

MAX_ROWS = 80


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the page shows it."""

    index: int
    block: Block
    operators: tuple[tuple[str, str], ...]
    limits: tuple[tuple[str, str], ...]
    codes: tuple[str, ...]
    kind: str
    """A `catalogue.Type`, or "" where no value is asked."""
    unit: str
    meaning: str
    example: str
    error: str
    was: str
    is_focused: bool


def posted(*, data: Mapping[str, str]) -> tuple[Block, ...]:
    """The rows of a form, in order; numbers that are none count as 0."""
    count = min(_number(data.get("rows", "0")), MAX_ROWS)
    found = []
    for index in range(count):
        fact = data.get(f"{index}-fact", "")
        op = data.get(f"{index}-op", "")
        limit = data.get(f"{index}-limit", "")
        block = Block(
            depth=min(_number(data.get(f"{index}-depth", "1")), conditions.MAX_DEPTH),
            how=data.get(f"{index}-how", "") if data.get(f"{index}-how") in ("all", "any", "not") else "",
            fact=fact if fact in CATALOGUE else "",
            op=op,
            value=data.get(f"{index}-value", "")[:2000],
            limit=limit,
        )
        found.append(_fitting(block))
    return blocks.tidy(blocks=found)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _fitting(block: Block) -> Block:
    """The row with an operator its fact allows: another fact was chosen, and nothing stays that cannot be meant."""
    if block.is_group or not block.fact:
        return block
    allowed = [op for op, _ in blocks.choices_of(block=block)]
    op = block.op if block.op in allowed else allowed[0]
    limit = block.limit if block.limit in dict(blocks.limits_for(block=block)) else ""
    return Block(block.depth, fact=block.fact, op=op, value=block.value, limit=limit)


def changed(*, rows: Sequence[Block], do: str) -> tuple[tuple[Block, ...], int]:
    """The rows after one button ("up:2", "add:0", "group:1"), and the row the focus belongs to."""
    what, _, place = do.partition(":")
    index = _number(place)
    if what in ("up", "down"):
        made = blocks.moved(blocks=rows, index=index, by=-1 if what == "up" else 1)
        return made, _found(made, rows, index)
    if what == "remove":
        return blocks.removed(blocks=rows, index=index), max(index - 1, 0)
    if what in ("add", "group"):
        made = blocks.added(blocks=rows, index=index, how="any" if what == "group" else "")
        fresh = next((at for at, (new, old) in enumerate(zip(made, rows, strict=False)) if new != old), len(rows))
        return made, fresh
    return tuple(rows), index


def _found(made: Sequence[Block], rows: Sequence[Block], index: int) -> int:
    """Where a row is after it moved: the nearest row that says the same."""
    if not 0 <= index < len(rows):
        return 0
    mine = rows[index]
    alike = [
        at
        for at, one in enumerate(made)
        if (one.how, one.fact, one.op, one.value, one.limit) == (mine.how, mine.fact, mine.op, mine.value, mine.limit)
    ]
    return min(alike, key=lambda at: abs(at - index), default=index)


def shown(*, rows: Sequence[Block], errors: Mapping[int, str], before: Sequence[Block], focus: int | None) -> list[Row]:
    """The rows with what each field offers. `before`: the rows in force, to say what a value was."""
    old = {(one.fact, one.op): one for one in before}
    found = []
    for index, block in enumerate(rows):
        fact = CATALOGUE.get(block.fact)
        asks = bool(fact) and block.op not in conditions.ALWAYS
        was = old.get((block.fact, block.op))
        is_new_value = was is not None and (was.value, was.limit) != (block.value, block.limit)
        found.append(
            Row(
                index=index,
                block=block,
                operators=blocks.choices_of(block=block),
                limits=blocks.limits_for(block=block) if asks else (),
                codes=fact.codes if fact else (),
                kind=str(fact.type) if fact and asks else "",
                unit=fact.unit if fact else "",
                meaning=fact.meaning if fact else "",
                example=fact.example if fact else "",
                error=errors.get(index, ""),
                was=(was.limit.replace("_", " ") or was.value) if was is not None and is_new_value else "",
                is_focused=index == focus,
            )
        )
    return found


def facts_offered() -> list[tuple[str, list[tuple[str, str]]]]:
    """The catalogue for a list to choose from, grouped by what it is about."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, fact in CATALOGUE.items():
        group = name.partition(".")[0].capitalize()
        groups.setdefault(group, []).append((name, fact.meaning + (f" ({fact.unit})" if fact.unit else "")))
    return sorted(groups.items())
