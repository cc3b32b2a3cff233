"""Weighed words: the table is whole, features count once, only caution comes of them, and they are shown."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.intake import lexicon, read, weighing
from rules.intake.reading import DoubtCode, Intent, ListItem, Message, Thread
from rules.intake.weighing import Weights

TOKENS = st.lists(st.sampled_from(["<m>", "<drug>", "my", "chest", "heavy", "please", "<n3>"]), max_size=12)


def thread(*texts: str) -> Thread:
    listed = (ListItem(entry_id="1", name="lisinopril 10 MG Oral Tablet"),)
    return Thread(messages=tuple(Message(text=text) for text in texts), medications=listed)


def test_the_table_is_whole() -> None:
    table = weighing.load()
    assert len(table.by_feature) > 5_000
    assert not {"<intercept>", "<threshold>"} & set(table.by_feature)


@given(TOKENS)
def test_each_feature_counts_once_and_the_heaviest_word_is_one_of_them(tokens: list[str]) -> None:
    table = Weights({"chest": 4.0, "my_chest": 1.0, "please": -1.0}, -1.0, 0.5)
    found = weighing.weigh(tokens=[(text, at) for at, text in enumerate(tokens)], weights=table)
    pairs = {f"{one}_{two}" for one, two in itertools.pairwise(tokens)}
    wanted = -1.0 + 4.0 * ("chest" in tokens) - 1.0 * ("please" in tokens) + 1.0 * ("my_chest" in pairs)
    assert found.score == pytest.approx(wanted)
    assert found.is_enough is (wanted > 0.5 and "chest" in tokens)
    if found.is_enough and found.heaviest is not None:
        assert tokens[found.heaviest] in ("my", "chest")


def test_drugs_people_and_numbers_weigh_as_what_they_are() -> None:
    looked = read.look(thread=thread("Lisinopril 10 mg please, 1234567", "thanks"), lexicon=lexicon.load())
    texts = [text for text, _ in looked.tokens()]
    assert texts[:2] == ["<m>", "<drug>"]
    assert "<n4>" in texts
    assert texts.count("<m>") == 2
    assert "lisinopril" not in texts


def test_what_weighs_like_an_emergency_is_one_and_its_heaviest_word_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weighing, "load", lambda: Weights({"flibber": 9.0}, -1.0, 0.0))
    found = read.read(thread=thread("My flibber again. Please refill lisinopril"), lexicon=lexicon.load())
    assert found.is_emergency
    assert found.must_reach_person
    (seen,) = [one for one in found.intents if one.intent is Intent.emergency]
    assert seen.words == "flibber"
    assert DoubtCode.emergency in {one.code for one in found.doubts}


@pytest.mark.parametrize(
    "text",
    [
        "Please refill my lisinopril 10 mg, thank you",
        "Necesito lisinopril por favor",
        "never mind",
        "great, thanks!",
        "ok",
        "",
    ],
)
def test_a_plain_ask_does_not_weigh(text: str) -> None:
    assert not read.read(thread=thread(text), lexicon=lexicon.load()).is_emergency
