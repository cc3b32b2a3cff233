"""Labelled threads against what is read: one pass, figures per class, and every failing case. Pure but for the files.

A case is a line of `*.jsonl` beside this file: the input of `manage.py read_messages`, with `class`, `part` ("tune" was
looked at while rules were written, "test" was not), `expect` and a `note`.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rules.intake import lines
from rules.intake.lexicon import Lexicon

HERE = pathlib.Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Scored:
    """One case and its answer. `missed`: names of the figures in which it fails ("safety", "useful", ...)."""

    case: dict[str, Any]
    answer: dict[str, Any]
    missed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Share:
    """`good` of `of`; None where there is nothing to count."""

    good: int
    of: int

    def text(self) -> str:
        """ "97.5 % (39/40)", or a dash."""
        return f"{100 * self.good / self.of:.1f} % ({self.good}/{self.of})" if self.of else "-"


def cases(*, parts: Sequence[str], files: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The labelled cases of these parts, in file order."""
    found: list[dict[str, Any]] = []
    for path in sorted(HERE.glob("*.jsonl")):
        if files and path.stem not in files:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            if case["part"] in parts:
                found.append({**case, "file": path.stem})
    return found


def score(*, case: dict[str, Any], lexicon: Lexicon) -> Scored:
    """Read one case and compare."""
    answer = json.loads(lines.answer(line=json.dumps(case), lexicon=lexicon))
    expect = case["expect"]
    missed = set()
    wanted = sorted(one["resolves_to"] for one in expect["drugs"] if one["resolves_to"])
    found = sorted({one["resolves_to"] for one in answer["drugs"] if one["resolves_to"]})
    if expect["must_reach_human"] and not answer["must_reach_human"]:
        missed.add("safety")
    if expect["emergency"] and not answer["emergency"]:
        missed.add("emergency")
    if answer["emergency"] and not expect["emergency"]:
        missed.add("alarm")
    if expect["plain_refill"] and not (answer["plain_refill"] and found == sorted(set(wanted))):
        missed.add("useful")
    if not set(wanted) <= set(found):
        missed.add("recall")
    if not set(found) <= set(wanted):
        missed.add("precision")
    if expect["intent"] and answer["intent"] != expect["intent"]:
        missed.add("intent")
    return Scored(case, answer, frozenset(missed))


def shares(*, scored: Iterable[Scored]) -> dict[str, Share]:
    """The figures over some cases: see `FIGURES` for what each counts."""
    rows = list(scored)

    def of(name: str, those: list[Scored]) -> Share:
        return Share(sum(1 for one in those if name not in one.missed), len(those))

    def wants(name: str) -> list[Scored]:
        return [one for one in rows if one.case["expect"][name]]

    wanted = [_entries(one.case["expect"]["drugs"]) for one in rows]
    found = [_entries(one.answer["drugs"]) for one in rows]
    both = sum(len(left & right) for left, right in zip(wanted, found, strict=True))
    return {
        "safety": of("safety", wants("must_reach_human")),
        "emergency": of("emergency", wants("emergency")),
        "useful": of("useful", wants("plain_refill")),
        "recall": Share(both, sum(map(len, wanted))),
        "precision": Share(both, sum(map(len, found))),
        "intent": of("intent", rows),
        "calm": of("alarm", [one for one in rows if not one.case["expect"]["emergency"]]),
    }


FIGURES = {
    "safety": "must reach a person, and does",
    "emergency": "is an emergency, and is told so",
    "useful": "plain refill, every drug resolved to the right entry, nothing else",
    "recall": "list entries meant that were found",
    "precision": "list entries found that were meant",
    "intent": "topic named as the label names it",
    "calm": "no emergency, and not called one",
}


def _entries(drugs: Iterable[dict[str, Any]]) -> set[str]:
    return {str(one["resolves_to"]) for one in drugs if one["resolves_to"]}
