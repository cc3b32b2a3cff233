"""Misspelt names: the measure that `make eval` prints, on a slice, and the single rules."""

from __future__ import annotations

import pytest

from rules.intake import lexicon, matching, sounds, spanish
from tests.intake_eval import misspelling, spelling

LEXICON = lexicon.load()


def test_no_misspelling_of_a_kind_never_tuned_on_is_read_as_another_drug() -> None:
    outcome = spelling.measure(kinds=misspelling.NEVER_SEEN, count=1_500, seed=7, lexicon=LEXICON)
    assert not outcome.wrong
    assert outcome.right > outcome.asked * 0.5


def test_no_slip_of_the_tuned_kinds_is_read_as_another_drug() -> None:
    outcome = spelling.measure(kinds=misspelling.TUNED_ON, count=700, seed=8, lexicon=LEXICON)
    assert not outcome.wrong
    assert outcome.right > outcome.asked * 0.5


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("metroprolol", "metoprolol"),
        ("sertralene", "sertraline"),
        ("gabbapenten", "gabapentin"),
        ("levothroxin", "levothyroxine"),
        ("atorvastain", "atorvastatin"),
        ("hydrochlorothyazide", "hydrochlorothiazide"),
        ("synthriod", "synthroid"),
    ],
)
def test_what_a_pharmacist_reads_without_hesitation_is_read(written: str, meant: str) -> None:
    found = matching.misspelt(word=written, lexicon=LEXICON)
    assert found is not None
    assert found.key == meant
    assert not found.near_rivals


@pytest.mark.parametrize(
    ("written", "rival"), [("quidine", "quinidine"), ("clonodine", "clonidine"), ("cetirzine", "cetirizine")]
)
def test_a_word_between_two_drugs_names_neither(written: str, rival: str) -> None:
    found = matching.misspelt(word=written, lexicon=LEXICON)
    assert found is None or found.near_rivals or found.key == rival


def test_a_worn_down_name_is_seen_by_its_letters_in_order() -> None:
    assert sounds.is_worn_down(word="quidine", name="quinidine")
    assert not sounds.is_worn_down(word="dinine", name="quinidine")


@pytest.mark.parametrize(
    ("english", "forms"),
    [
        ("hydroxychloroquine", "hidroxicloroquina"),
        ("levothyroxine", "levotiroxina"),
        ("metformin", "metformina"),
        ("folic acid", "acido folico"),
        ("amlodipine", "amlodipina"),
    ],
)
def test_an_ingredient_is_known_by_its_spanish_spelling(english: str, forms: str) -> None:
    assert forms in spanish.names_of(ingredient=english)
    assert LEXICON.names[forms].ingredient_sets == ((english,),)


def test_the_bound_is_the_rule_of_three_where_nothing_was_wrong() -> None:
    assert spelling.upper_bound(wrong=0, asked=10_000) == pytest.approx(3e-4, rel=0.01)
    assert spelling.upper_bound(wrong=1, asked=100) > 0.04
