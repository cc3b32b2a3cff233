"""Turns any text into the printable ASCII that SCRIPT carries, or refuses.

Only what keeps the meaning is changed, by an explicit table: a blanket compatibility mapping would turn "1½ tablets"
into "11/2 tablets". Whatever could be read in two ways raises; nothing is dropped in silence except marks that print
nothing.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


class CannotTransliterate(ValueError):
    """The text holds a character without a safe ASCII form. `character` names it by its Unicode name."""

    def __init__(self, character: str) -> None:
        self.character = unicodedata.name(character, f"U+{ord(character):04X}")
        super().__init__(self.character)


@dataclass(frozen=True, slots=True)
class Transliteration:
    """The ASCII text and what was replaced, each as (before, after) in order of first appearance."""

    text: str
    changes: tuple[tuple[str, str], ...] = ()


_LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D",
    "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ł": "l", "Ł": "L", "\u0131": "i", "ħ": "h", "Ħ": "H",
    "ŋ": "ng", "Ŋ": "Ng", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl",
}  # fmt: skip
_MARKS = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u02bc": "'", "\u02bb": "'", "\u2032": "'",
    "\u00b4": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u2033": '"', "\u00ab": '"',
    "\u00bb": '"', "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": " - ", "\u2212": "-",
    "\u2026": "...", "\u00d7": "x", "\u2264": "<=", "\u2265": ">=", "\u00b1": "+/-",
    "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2007": " ", "\u2009": " ", "\u200a": " ", "\u202f": " ",
    "\u3000": " ", "\u2028": " ", "\u2029": " ", "\u0085": " ", "\t": " ", "\n": " ", "\r": " ", "\v": " ", "\f": " ",
}  # fmt: skip
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\u00ae\u2122")  # no width, or marks of ownership
_FRACTIONS = {
    "½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip
_MICRO = frozenset("\u00b5\u03bc")
_TABLE: Mapping[str, str] = MappingProxyType({**_LETTERS, **_MARKS})


def is_wire_text(text: str) -> bool:
    """True when every character is printable ASCII (0x20 to 0x7E)."""
    return text.isascii() and text.isprintable()


def transliterate(text: str) -> str:
    """The text in printable ASCII on one line, surrounding space removed. Raises CannotTransliterate."""
    if is_wire_text(text):
        return text.strip(" ")
    return transliterate_with_changes(text).text


def transliterate_with_changes(text: str) -> Transliteration:
    """As `transliterate`, and what was replaced, so that a person can be shown it. Raises CannotTransliterate."""
    if is_wire_text(text):
        return Transliteration(text=text.strip(" "))
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    pieces: list[str] = []
    changes: dict[str, str] = {}
    for position, character in enumerate(composed):
        if " " <= character <= "~":
            pieces.append(character)
            continue
        before = pieces[-1][-1:] if pieces and pieces[-1] else ""
        following = composed[position + 1 : position + 2]
        replacement = _replace(character, before=before, following=following)
        changes.setdefault(character, replacement)
        if replacement:
            pieces.append(replacement)
    return Transliteration(text="".join(pieces).strip(" "), changes=tuple(changes.items()))


def _replace(character: str, *, before: str, following: str) -> str:
    """The ASCII form of one character between its neighbours. Raises CannotTransliterate."""
    if character in _FRACTIONS:
        if following.isdigit() or following in (".", "/") or before in (".", "/", "-"):
            raise CannotTransliterate(character)
        return f" {_FRACTIONS[character]}" if before.isdigit() else _FRACTIONS[character]
    if character in _MICRO:
        if following in ("g", "L", "l") and not before.isalpha():
            return "mc"  # "ug" has been misread as "mg"; "mcg" has not
        raise CannotTransliterate(character)
    if character in _INVISIBLE:
        return ""
    if character in _TABLE:
        return _TABLE[character]
    base = unicodedata.normalize("NFD", character)
    if len(base) > 1 and "A" <= base[0].upper() <= "Z" and all(unicodedata.combining(mark) for mark in base[1:]):
        return base[0]
    raise CannotTransliterate(character)
