"""A sieve finds what the patterns themselves find, on real messages, on text made of their own words, on any text."""

import json
import pathlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.intake import cautions, classify, danger, letters, needles, phrases, sieve

HERE = pathlib.Path(__file__).resolve().parents[2]
TABLES = {str(intent): one for intent, _, one in phrases.TOPICS}
PATTERNS = [pattern.pattern for one in TABLES.values() for pattern in one.patterns]
WORDS = sorted({word for pattern in PATTERNS for word in re.findall(r"[a-z]{2,}", pattern)})
OWN_WORDS = st.lists(st.sampled_from([*WORDS, ",", "9-1-1", "b.p.", "40", "180/110"]), max_size=30).map(" ".join)


def messages() -> list[str]:
    """Folded messages of the tuned part of the labelled set."""
    found = []
    for path in sorted((HERE / "intake_eval").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            if case["part"] == "tune":
                found.append(letters.fold(text=" ".join(case["messages"])).text.replace("\n", " "))
    return found


def alternation(one: sieve.Sieve) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern.pattern})" for pattern in one.patterns))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_topic_is_shown_by_the_same_words_as_by_the_alternation_of_its_patterns(name: str) -> None:
    one, whole = TABLES[name], alternation(TABLES[name])
    for text in messages():
        assert [match.span() for match in one.finditer(text)] == [match.span() for match in whole.finditer(text)]


def test_fixed_phrases_are_found_as_each_pattern_alone_finds_them() -> None:
    for text in messages()[::3]:
        alone = [
            match.span()
            for pattern in classify.FIXED.patterns
            for match in pattern.finditer(text)
            if match.group().strip()
        ]
        assert classify.FIXED.spans(text) == alone


def test_a_table_shows_the_rows_that_their_patterns_show() -> None:
    table = cautions.CAUTIONS
    rows = [(row, table.patterns[number]) for number, row in enumerate(table.rows)]
    for text in messages()[::3]:
        alone = [(row, match.start()) for row, pattern in rows if (match := re.search(pattern, text))]
        assert [(row, match.start()) for row, match in table.shown(text=text)] == alone


@given(OWN_WORDS | st.text(max_size=120))
def test_no_words_of_danger_slip_through(text: str) -> None:
    whole = alternation(danger.EMERGENCY)
    assert [match.span() for match in danger.EMERGENCY.finditer(text)] == [
        match.span() for match in whole.finditer(text)
    ]


PIECES = st.recursive(
    st.sampled_from(["a", "bc", "dor", r"\b", r"\w*", "[ae]", "[^x]", r"\d{2,3}", ".{0,5}", " ", "(?!er)", "(?<=a)"]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4).map("".join)
        | st.lists(inner, min_size=1, max_size=3).map(lambda ways: f"(?:{'|'.join(ways)})")
        | inner.map(lambda one: f"(?:{one})?")
        | inner.map(lambda one: f"(?:{one})+")
    ),
    max_leaves=12,
)


@given(pattern=PIECES, text=st.text(alphabet="abcdeorx 12", max_size=30))
def test_every_match_holds_a_needle_of_each_set(pattern: str, text: str) -> None:
    match = re.search(pattern, text)
    if match is not None:
        assert all(any(needle in match.group() for needle in strings) for strings in needles.of(pattern=pattern))


@given(patterns=st.lists(PIECES, min_size=1, max_size=5), text=st.text(alphabet="abcdeorx 12", max_size=30))
def test_the_first_match_is_the_alternations(patterns: list[str], text: str) -> None:
    found, whole = sieve.any_of(*patterns).search(text), alternation(sieve.Sieve(patterns=patterns)).search(text)
    assert (found and found.span()) == (whole and whole.span())


def test_a_pattern_is_cut_at_its_outermost_bars_only() -> None:
    assert sieve.alternatives(pattern=r"a(?:b|c)|[|]d|\|e") == ("a(?:b|c)", "[|]d", r"\|e")


def test_a_pattern_that_names_its_own_groups_stays_whole() -> None:
    assert sieve.alternatives(pattern=r"(now|asap) \1|x") == (r"(now|asap) \1|x",)
