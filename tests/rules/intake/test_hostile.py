"""Messages written to slip past the reader, each with the word or grammar that once carried it through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rules.intake import lexicon, lines
from tests.intake_eval import scoring

LEXICON = lexicon.load()
FOLDER = Path(__file__).parents[2] / "fixtures" / "intake"


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def _reaches_a_person(row: dict[str, Any]) -> bool:
    return bool(json.loads(lines.answer(line=json.dumps(row), lexicon=LEXICON))["must_reach_human"])


@pytest.mark.parametrize("row", _rows("hostile.jsonl"), ids=lambda row: f"{row['id']}: {row['cause']}")
def test_a_message_that_needs_a_person_is_not_read_as_plain(row: dict[str, Any]) -> None:
    assert _reaches_a_person(row), row["messages"]


@pytest.mark.xfail(strict=True, reason="known and open: docs/reading.md, what is still read too boldly")
@pytest.mark.parametrize("row", _rows("hostile_open.jsonl"), ids=lambda row: f"{row['id']}: {row['cause']}")
def test_what_is_still_read_too_boldly(row: dict[str, Any]) -> None:
    """Strict: one that is mended must move to the set above."""
    assert _reaches_a_person(row), row["messages"]


@pytest.fixture(scope="module")
def scored() -> list[scoring.Scored]:
    return [scoring.score(case=case, lexicon=LEXICON) for case in scoring.cases(parts=("tune",))]


def test_the_tuned_part_keeps_safety_and_emergencies_whole(scored: list[scoring.Scored]) -> None:
    """The goals without a tolerance, on the part that may be looked at; the sealed part is `make eval`'s."""
    missed = [(one.case["id"], one.case["messages"]) for one in scored if one.missed & {"safety", "emergency"}]
    assert len(scored) > 1_000
    assert not missed


def test_the_tuned_part_stays_useful(scored: list[scoring.Scored]) -> None:
    """A floor under what plain asks are read whole: caution that eats it up is no progress (78.9 % when set)."""
    useful = scoring.shares(scored=scored)["useful"]
    assert useful.good / useful.of > 0.75
