"""From any text to the wire's ASCII: meaning kept, or refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.surescripts import script_text


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("Take 1 tablet by mouth once daily.", "Take 1 tablet by mouth once daily."),
        ("José Muñoz-Ærø", "Jose Munoz-AEro"),
        ("Groß, Łukasz, Đặng, Þór", "Gross, Lukasz, Dang, Thor"),
        ("O’Brien “Jo”", 'O\'Brien "Jo"'),
        ("1–2 tablets", "1-2 tablets"),
        ("Take 1½ tablets", "Take 1 1/2 tablets"),
        ("Take 1 ½ tablets", "Take 1 1/2 tablets"),
        ("Take ½ tablet", "Take 1/2 tablet"),
        ("levothyroxine 50 µg", "levothyroxine 50 mcg"),
        ("levothyroxine 50 \u03bcg", "levothyroxine 50 mcg"),
        ("Lipitor® 10 mg", "Lipitor 10 mg"),
        ("line one\r\nline two\tend", "line one line two end"),
        ("no\u00a0break", "no break"),
        ("zero\u200bwidth", "zerowidth"),
        ("BP ≥ 140", "BP >= 140"),
        ("  padded  ", "padded"),
        ("e\u0301", "e"),
        ("ﬁlm", "film"),
    ],
)
def test_what_has_one_meaning_is_written_plainly(given_text: str, expected: str) -> None:
    assert script_text.transliterate(given_text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "10² units",  # would become 102
        "1\u20442 tablet",  # 11/2 and 1 1/2 look alike
        "1-½ tablets",  # one to a half, or one and a half
        "½5",
        "0.½",
        "5°",
        "1·5 mg",  # a decimal point in some countries
        "日本",
        "Иван",
        "50 µ",
        "１０ mg",  # full-width digits
        "take 🙂",
        "a\x00b",
        "a\x1bb",
        "①",
    ],
)
def test_what_could_be_misread_is_refused_and_named(text: str) -> None:
    with pytest.raises(script_text.CannotTransliterate) as caught:
        script_text.transliterate(text)
    assert caught.value.character
    assert text not in str(caught.value)


def test_changes_are_reported_once_each() -> None:
    done = script_text.transliterate_with_changes("é é ½ ’")
    assert done.text == "e e 1/2 '"
    assert done.changes == (("é", "e"), ("½", "1/2"), ("’", "'"))
    assert script_text.transliterate_with_changes("plain").changes == ()


@settings(deadline=None)
@given(st.text(max_size=80))
def test_the_result_is_always_printable_ascii_on_one_line_and_stable(text: str) -> None:
    try:
        done = script_text.transliterate(text)
    except script_text.CannotTransliterate:
        return
    assert script_text.is_wire_text(done)
    assert done == done.strip(" ")
    assert script_text.transliterate(done) == done


@settings(deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=80))
def test_plain_ascii_is_never_altered(text: str) -> None:
    assert script_text.transliterate(text) == text.strip(" ")


@settings(deadline=None)
@given(st.text(alphabet="0123456789½¼¾ .-/", max_size=12))
def test_no_digit_is_ever_added_removed_or_joined(text: str) -> None:
    """The digits outside fractions keep their groups: "1½" never reads as eleven halves."""
    try:
        done = script_text.transliterate(text)
    except script_text.CannotTransliterate:
        return
    for sign, written in (("½", "1/2"), ("¼", "1/4"), ("¾", "3/4")):
        text = text.replace(sign, f" {written} ")
    assert done.split() == text.split() or "".join(done.split()) == "".join(text.split())
    for number in done.replace("-", " ").replace("/", " ").replace(".", " ").split():
        assert number in text.replace("-", " ").replace("/", " ").replace(".", " ").split()
