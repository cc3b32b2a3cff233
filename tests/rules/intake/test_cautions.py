"""What makes a plain-looking ask not plain, and danger in people's own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.intake import lexicon, read
from rules.intake.reading import DoubtCode, ListItem, Message, Reading, Thread

LEXICON = lexicon.load()
LIST = (
    ListItem(entry_id="1", name="lisinopril 10 mg tablet"),
    ListItem(entry_id="2", name="metformin 500 mg tablet"),
    ListItem(entry_id="3", name="buspirone 10 mg tablet"),
    ListItem(entry_id="4", name="bupropion XL 150 mg tablet"),
)


def _read(text: str) -> Reading:
    return read.read(thread=Thread(messages=(Message(text=text),), medications=LIST, tags=("refill",)), lexicon=LEXICON)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Please refill lisinopril, been a month", DoubtCode.past_tense),
        ("refill my lisinopril please, two weeks worth", DoubtCode.quantity_differs),
        ("refill lisinopril please, 20 pills left", DoubtCode.lost_or_early),
        ("please refill lisinopril and the other one", DoubtCode.all_medications),
        ("lisinopril for mrs garcia please", DoubtCode.for_someone_else),
        ("refill lisinopril, call me please", DoubtCode.not_a_refill),
        ("lisinopril refill please, second request", DoubtCode.refill_status),
        ("i am done with lisinopril, refill metformin", DoubtCode.stop_or_not_needed),
    ],
)
def test_a_caution_in_a_plain_ask_brings_a_person_and_names_itself(text: str, code: DoubtCode) -> None:
    found = _read(text)
    assert found.must_reach_person
    assert code in {doubt.code for doubt in found.doubts}


@pytest.mark.parametrize(
    "text", ["Please refill my lisinopril", "hi can i get my metformin refilled, thank you", "lisinopril 10 mg please"]
)
def test_an_ask_without_any_stays_plain(text: str) -> None:
    assert not _read(text).must_reach_person


def test_a_slip_that_may_come_from_either_of_two_listed_drugs_is_not_read_as_one() -> None:
    found = _read("bupirone refill plz")
    assert found.must_reach_person
    assert [one.resolves_to for one in found.mentions] == [None]


@pytest.mark.parametrize(
    "text",
    [
        "me dieron tres convulsiones ayer",
        "my grandson got into my pills and he is real floppy",
        "sugar is 38 and i feel shaky",
        "i cant get him to wake up",
        "tengo la lengua hinchada",
    ],
)
def test_danger_in_peoples_own_words_is_an_emergency(text: str) -> None:
    assert _read(text).is_emergency


@pytest.mark.parametrize(
    "text", ["my phone died, refill lisinopril please", "almost had a heart attack when i saw the price of lisinopril"]
)
def test_a_manner_of_speaking_is_none(text: str) -> None:
    assert not _read(text).is_emergency


TOLD = (Path(__file__).parents[2] / "fixtures" / "intake" / "danger_told.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("text", TOLD)
def test_danger_once_told_stays_told(text: str) -> None:
    """Messages of one writer, blunt and buried, English and Spanish."""
    assert _read(text).is_emergency
