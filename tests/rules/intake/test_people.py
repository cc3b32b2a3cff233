"""Names are taken for names only where names stand."""

from __future__ import annotations

import pytest

from rules.intake import letters, lexicon, people

LEXICON = lexicon.load()


def names(text: str, known: tuple[str, ...] = ()) -> list[str]:
    folded = letters.fold(text=text)
    words = letters.tokens(text=folded.text)
    written = [text[slice(*folded.original(start=one.start, end=one.end))] for one in words]
    found = people.name_tokens(
        text=folded.text, words=words, original=written, known_names=known, figures=(), lexicon=LEXICON
    )
    return [written[index] for index in sorted(found)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Please refill. Thanks, Bobby Ray", {"Bobby", "Ray"}),
        ("hi this is Gretchen Ohlsson, refill please", {"Gretchen", "Ohlsson"}),
        ("Hello Dr. Villarreal, refill please", {"Villarreal"}),
        ("Nilda Rosado aquí. Necesito", {"Nilda", "Rosado"}),
        ("refill lisinopril\nCarol P", {"Carol", "P"}),
        ("soy Altagracia Peña", {"Altagracia", "Peña"}),
    ],
)
def test_greetings_introductions_and_signatures_hold_names(text: str, wanted: set[str]) -> None:
    assert wanted <= set(names(text))


@pytest.mark.parametrize(
    "text",
    [
        "refill metformin for Gloria please",
        "send Gloria's metformin",
        "la metformina de Gloria por favor",
        "I need Gloria to have metformin",
    ],
)
def test_a_name_in_the_middle_of_an_ask_is_not_explained_away(text: str) -> None:
    assert not [one for one in names(text) if one.startswith("Gloria")]


@pytest.mark.parametrize("text", ["this is urgent", "it's swollen", "I'm dizzy", "soy alergica", "thanks, bleeding"])
def test_words_of_the_language_are_no_names(text: str) -> None:
    assert set(names(text)) & {"urgent", "swollen", "dizzy", "alergica", "bleeding"} == set()


def test_a_misspelt_drug_alone_on_a_line_is_no_signature() -> None:
    assert "Synthriod" not in names("refill please\nSynthriod")


def test_a_known_name_is_a_name_anywhere() -> None:
    assert names("xyl refill", known=("Xyl",)) == ["xyl"]
