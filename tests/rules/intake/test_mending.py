"""Everyday words are put right, words of danger and drugs never are, and the way back to the original holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.intake import danger, letters, lexicon, mending

LEXICON = lexicon.load()


def mended(text: str) -> letters.Folded:
    return mending.mended(folded=letters.fold(text=text), lexicon=LEXICON)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pls refil my perscription", "please refill my prescription"),
        ("need it tmrw thx", "need it tomorrow thanks"),
        ("nesesito mi reseta porfa", "necesito mi receta por favor"),
        ("runnin low on my pastiyas", "running low on my pastillas"),
        ("pleeease send", "please send"),
        ("prescripton refill", "prescription refill"),
    ],
)
def test_abbreviations_and_slips_of_an_ask_are_put_right(written: str, meant: str) -> None:
    assert mended(written).text == meant


@pytest.mark.parametrize("word", [*danger.DANGER_WORDS, "chset", "brething", "dizy", "vomting", "suicde"])
def test_no_word_of_danger_is_mended_into_a_harmless_one(word: str) -> None:
    assert mended(f"my {word} today").text.split()[1] == word


@pytest.mark.parametrize("word", "lisinopril lisinoprl metformn zoloft hydralazin water tight change".split())
def test_drugs_and_known_words_stay_as_they_are(word: str) -> None:
    assert mended(f"my {word} please").text.split()[1] == word


@given(st.text(max_size=80))
def test_every_mended_character_leads_back_into_the_original(text: str) -> None:
    found = mended(text)
    assert len(found.text) == len(found.at)
    assert all(0 <= index < max(len(text), 1) for index in found.at)
    assert list(found.at) == sorted(found.at)


def test_the_span_of_a_mended_word_is_the_word_as_written() -> None:
    written = "hey can u refil it"
    found = mended(written)
    start = found.text.index("refill")
    low, high = found.original(start=start, end=start + len("refill"))
    assert written[low:high] == "refil"
