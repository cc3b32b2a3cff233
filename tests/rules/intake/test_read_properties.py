"""What must hold for any text at all: reading never raises, and tricks of writing never make it bolder."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.intake import lexicon, read
from rules.intake.reading import Author, ListItem, Message, Reading, Source, Thread

LEXICON = lexicon.load()
LIST = (
    ListItem(entry_id="lis", name="Lisinopril 10 mg oral tablet", rxcui="314076"),
    ListItem(entry_id="met", name="Metformin HCl 500 mg tablet", rxcui="861007"),
    ListItem(entry_id="hyx", name="Hydroxyzine HCl 25 mg tablet"),
    ListItem(entry_id="mts", name="Metoprolol succinate ER 50 mg tablet", rxcui="866436"),
)
PLAIN = ("Please refill my lisinopril 10 mg", "I need my metformin", "refill metroprolol please, send to CVS on Main")
CAREFUL = (
    "refill lisinopril, I feel dizzy",
    "stop lisinopril",
    "refill hydralazine",
    "refill lisinopril 20 mg",
    "my chest hurts",
    "refill all my meds",
    "did you send my metformin",
    "lost my metformin, refill",
    "don't refill metformin",
    "my wife needs metformin refilled",
    "refill lisinopril or metformin",
    "I am pregnant, refill metformin",
)
UNRELATED = (
    "Thanks!",
    "Have a great day.",
    "My cat is cute.",
    "Please refill metformin 500 mg.",
    "Hope you are well.",
    "See you Friday.",
    "It is raining.",
    "Send it to CVS on Main.",
    "gracias",
    "Hi Dr. Osei,",
    "Please and thank you",
)
WORDS = st.sampled_from(
    [
        "refill",
        "lisinopril",
        "metformin",
        "10",
        "mg",
        "please",
        "not",
        "chest",
        "pain",
        "CVS",
        "on",
        "Main",
        "\u200b",
        "\x00",
        "#30",
        "hctz",
        "-",
        "/",
        "90 day supply",
        "never mind",
        "all my meds",
        "\U0001f600",
        "\u0440",
        "%",
        "1,000,000",
        "5/325",
        "..",
        "(",
        "insulin",
        "\ud800",
        "\u202e",
        "e\u0301",
        "every 8 hours",
        "per ml",
        "0",
        "1.2.3",
        "dr",
        "la",
        "er",
    ]
)


def reading(*texts: str, author: Author = Author.patient, source: Source = Source.text) -> Reading:
    messages = tuple(Message(text=text, author=author, source=source) for text in texts)
    return read.read(thread=Thread(messages=messages, medications=LIST), lexicon=LEXICON)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=4))
def test_no_text_raises(texts: list[str]) -> None:
    found = reading(*texts)
    assert 0 <= found.confidence <= 100
    assert found.must_reach_person or found.is_plain_refill or found.is_plain_thanks or found.is_cancel


@settings(max_examples=600, deadline=None)
@given(st.lists(WORDS, max_size=25), st.sampled_from([" ", "", "\n", ". "]))
def test_no_mixture_of_telling_words_raises_and_spans_stay_inside(words: list[str], gap: str) -> None:
    text = gap.join(words)
    found = reading(text)
    for span in [one.span for one in (*found.intents, *found.mentions, *found.pharmacies)]:
        assert 0 <= span.start <= span.end <= len(text)
    for mention in found.mentions:
        assert mention.words == text[mention.span.start : mention.span.end]


def test_very_long_and_strange_texts_are_read_in_bounded_time() -> None:
    for text in (
        "a" * 10_000,
        "lisinopril " * 2_000,
        "\u0301" * 10_000,
        "(" * 10_000,
        "9" * 10_000,
        "1/" * 5_000,
        "zqxvw " * 2_000,
    ):
        assert reading(text).must_reach_person


@pytest.mark.parametrize("careful", CAREFUL)
@pytest.mark.parametrize("added", UNRELATED)
def test_an_unrelated_sentence_never_makes_a_careful_case_plain(careful: str, added: str) -> None:
    for texts in ((f"{careful}. {added}",), (f"{added} {careful}",), (careful, added), (added, careful)):
        found = reading(*texts)
        assert not found.is_plain_refill, texts
        assert not found.is_plain_thanks, texts
        assert found.must_reach_person or found.is_cancel


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(CAREFUL), st.text(max_size=60))
def test_no_added_text_makes_a_careful_case_plain(careful: str, added: str) -> None:
    assert not reading(f"{careful}. {added}").is_plain_refill


def _disguises(text: str) -> list[str]:
    look_alike = str.maketrans(
        {"a": "\u0430", "e": "\u0435", "o": "\u043e", "p": "\u0440", "c": "\u0441", "i": "\u0456"}
    )
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)
    return [
        text.upper(),
        text.title(),
        text.swapcase(),
        text.replace(" ", "   "),
        text.replace(" ", "\n"),
        text.replace(" ", "\u00a0"),
        f"\U0001f60a {text} \U0001f64f",
        text.translate(look_alike),
        wide,
        "\u200b".join(text),
        f"{text}!!!",
        f"\u202e{text}",
        "".join(char + "\u0301" if char in "aeiou" else char for char in text),
    ]


@pytest.mark.parametrize("text", [*CAREFUL, "I want to die", "overdose", "no puedo respirar"])
def test_no_disguise_makes_a_careful_case_bolder(text: str) -> None:
    plain = reading(text)
    for disguised in _disguises(text):
        found = reading(disguised)
        assert found.must_reach_person, disguised
        assert found.is_emergency >= plain.is_emergency, disguised


@pytest.mark.parametrize("text", PLAIN)
def test_case_and_spacing_do_not_change_what_a_plain_ask_resolves_to(text: str) -> None:
    expected = [mention.resolves_to for mention in reading(text).mentions]
    assert expected
    assert all(expected)
    for disguised in (text.upper(), text.lower(), text.replace(" ", "  "), f"{text} \U0001f64f"):
        found = reading(disguised)
        assert found.is_plain_refill, disguised
        assert [mention.resolves_to for mention in found.mentions] == expected


@pytest.mark.parametrize("source", [Source.voicemail_transcript, Source.attachment_only, Source.unknown])
def test_no_doubtful_source_is_ever_plain(source: Source) -> None:
    assert all(reading(text, source=source).must_reach_person for text in (*PLAIN, "thanks", "never mind"))


def test_a_reading_is_the_same_whatever_was_read_before() -> None:
    first = reading(PLAIN[0])
    read.read(thread=Thread(messages=(Message(text=PLAIN[0]),), medications=()), lexicon=LEXICON)
    assert reading(PLAIN[0]) == first


COMMON = (
    "lisinopril metformin atorvastatin amlodipine metoprolol omeprazole losartan gabapentin hydrochlorothiazide"
    " sertraline simvastatin"
    " montelukast escitalopram furosemide levothyroxine trazodone pravastatin pantoprazole prednisone citalopram"
    " hydroxyzine"
    " hydralazine tramadol glipizide glimepiride glyburide clonazepam clonidine lorazepam alprazolam warfarin"
    " bupropion buspirone"
    " lamotrigine lamivudine fluoxetine paroxetine duloxetine famotidine tamsulosin carvedilol atenolol"
    " meloxicam cyclobenzaprine"
    " allopurinol spironolactone rosuvastatin venlafaxine quetiapine topiramate zolpidem cetirizine propranolol"
).split()


def _misspelt(word: str, edits: int, dice: random.Random) -> str:
    letters = list(word)
    for _ in range(edits):
        at = dice.randrange(1, len(letters))
        kind = dice.randrange(4)
        if kind == 0 and len(letters) > 5:
            del letters[at]
        elif kind == 1:
            letters.insert(at, dice.choice("aeioulrnst"))
        elif kind == 2:
            letters[at] = dice.choice("aeioulrnstmpcdz")
        elif at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def test_a_misspelt_drug_never_resolves_to_another_drug_of_the_list() -> None:
    """3,000 seeded misspellings of one or two edits; the list holds every other common drug but not the one meant."""
    dice = random.Random(20260101)
    wrong, resolved_right, asked = [], 0, 0
    for _ in range(3_000):
        meant = dice.choice(COMMON)
        written = _misspelt(meant, dice.choice((1, 1, 2)), dice)
        if written in LEXICON.names and written != meant:
            continue  # by chance the exact name of another drug: nothing in the word can tell
        others = tuple(ListItem(entry_id=name, name=name) for name in COMMON if name != meant)
        asked += 1
        without = read.read(
            thread=Thread(messages=(Message(text=f"refill {written}"),), medications=others), lexicon=LEXICON
        )
        wrong += [(meant, written, one.resolves_to) for one in without.mentions if one.resolves_to]
        own = (*others, ListItem(entry_id=meant, name=meant))
        found = read.read(
            thread=Thread(messages=(Message(text=f"refill {written}"),), medications=own), lexicon=LEXICON
        )
        wrong += [(meant, written, one.resolves_to) for one in found.mentions if one.resolves_to not in (None, meant)]
        resolved_right += any(one.resolves_to == meant for one in found.mentions)
    assert not wrong
    assert resolved_right > asked * 0.6


def test_a_look_alike_on_the_list_is_never_taken_for_the_exact_name_written() -> None:
    for names, partners in LEXICON.look_alikes.items():
        for partner in partners:
            if len(names) != 1 or len(partner) != 1 or "," in names[0] or "(" in names[0]:
                continue
            meds = (ListItem(entry_id="other", name=f"{partner[0]} 10 mg tablet"),)
            text = f"please refill {names[0]}"
            found = read.read(thread=Thread(messages=(Message(text=text),), medications=meds), lexicon=LEXICON)
            assert not any(one.resolves_to for one in found.mentions), (names, partner)
            assert found.must_reach_person
