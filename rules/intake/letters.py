"""Fold any text to plain lower-case letters without losing the way back to the original characters.

Case, accents, compatibility forms, look-alike letters, invisible characters and emoji are brought to one form, so
that tricks of writing cannot change what is understood. Never raises and never drops the place of a character.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

# Letters of other alphabets drawn like Latin ones (Cyrillic, Greek, Armenian and a few symbols).
LOOK_ALIKES = {
    "а": "a",
    "в": "b",
    "г": "r",
    "е": "e",
    "ё": "e",
    "з": "3",
    "и": "u",
    "і": "i",
    "ї": "i",
    "к": "k",
    "л": "n",
    "м": "m",
    "н": "h",
    "о": "o",
    "п": "n",
    "р": "p",
    "с": "c",
    "т": "t",
    "у": "y",
    "х": "x",
    "ь": "b",
    "ѕ": "s",
    "ј": "j",
    "һ": "h",
    "ԁ": "d",
    "ԛ": "q",
    "ԝ": "w",
    "ѵ": "v",
    "ӏ": "l",
    "α": "a",
    "β": "b",
    "γ": "y",
    "ε": "e",
    "η": "n",
    "ι": "i",
    "κ": "k",
    "ν": "v",
    "ο": "o",
    "ρ": "p",
    "τ": "t",
    "υ": "u",
    "χ": "x",
    "ω": "w",
    "ϲ": "c",
    "ϳ": "j",
    "ց": "g",
    "հ": "h",
    "ո": "n",
    "օ": "o",
    "ս": "u",
    "ℓ": "l",
    "ı": "i",
    "ɡ": "g",
    "ɑ": "a",
    "ɪ": "i",
    "ø": "o",
    "đ": "d",
    "ł": "l",
    "æ": "ae",
    "œ": "oe",
    "ß": "ss",
}
PUNCTUATION = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201b": "'",
    "\u02bc": "'",
    "\u2032": "'",
    "\u0060": "'",
    "\u00b4": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u00ab": '"',
    "\u00bb": '"',
    "\u2010": "-",
    "\u2011": "-",
    "\u2012": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "\u2044": "/",
    "\u2215": "/",
    "\u00d7": "x",
    "\u00b5": "u",
    "\u03bc": "u",
    "\u2022": "-",
    "\u00b7": ".",
    "\u00bf": " ",
    "\u00a1": " ",
}
FRIENDLY = frozenset(
    "😅😂🤣😆😉😎🙃🤞🤠🤓😘😌🥳😺🌞☀☁🌈🍀🎄🎁🦃🎃⛄❄🌺🌼💐🌻🌱🍁🍂"
    "🐾👵👴🙋🙇👏💪🤝🙌🫶🤍🖤🩷⭐🌟💫🕊🇲🇽🇺🇸🇵🇷📲💬✌👀☕🙏👍😊❤"
    "💊🙂☺😀😁👋💕💜💙💚🧡💛🤗😃😄👌✅🌸🌷🌹🌻✨🎉😇🥰♥💗💖🏥📞☎📱"
)
BLANK = {"\t", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"}
_RUN = re.compile(r"[ \n]{2,}")
WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; `at[i]` is the index in the original text of folded character i.

    `odd`: invisible or look-alike characters stood inside words, control characters, or piled-up accents.
    `symbols`: emoji and other pictures outside the friendly few, with their original index.
    `foreign`: how many letters belong to an alphabet we cannot read.
    """

    text: str
    at: tuple[int, ...] | range
    odd: bool
    symbols: tuple[tuple[str, int], ...]
    foreign: int

    def original(self, *, start: int, end: int) -> tuple[int, int]:
        """The original [start, end) of the folded [start, end); an empty range stays empty."""
        if end <= start or not self.at:
            return (0, 0)
        return (self.at[start], self.at[end - 1] + 1)


@dataclass(frozen=True, slots=True)
class Token:
    """One word or number of a folded text."""

    text: str
    start: int
    end: int

    @property
    def is_number(self) -> bool:
        """True for digits, with decimal point or comma."""
        return self.text[0].isdigit()


def fold(*, text: str) -> Folded:
    """Fold `text`; see the class for what is kept."""
    if text.isascii():
        odd = any(char < " " and char not in BLANK for char in text) or "\x7f" in text
        plain = "".join(map(_blank, text)) if min(text, default=" ") < " " else text
        return _squeezed(Folded(plain.lower().replace("`", "'"), range(len(text)), odd, (), 0))
    return _squeezed(_fold_wide(text=text))


def _blank(char: str) -> str:
    return char if char >= " " else "\n" if char in "\n\r\x0b\x0c" else " "


def _squeezed(folded: Folded) -> Folded:
    """Runs of blanks as one blank, or one line end, so that spacing cannot hide a phrase."""
    if not _RUN.search(folded.text):
        return folded
    lines = {match.start() for match in _RUN.finditer(folded.text) if "\n" in match.group()}
    kept = [
        index
        for index, char in enumerate(folded.text)
        if char not in " \n" or index == 0 or folded.text[index - 1] not in " \n"
    ]
    return Folded(
        "".join("\n" if index in lines else folded.text[index] for index in kept),
        tuple(folded.at[index] for index in kept),
        folded.odd,
        folded.symbols,
        folded.foreign,
    )


def _fold_wide(*, text: str) -> Folded:
    out: list[str] = []
    at: list[int] = []
    symbols: list[tuple[str, int]] = []
    odd = False
    marks = foreign = 0
    for index, char in enumerate(text):
        if char in PUNCTUATION:
            pieces = PUNCTUATION[char]
        elif char < "\x7f":
            if char < " ":
                odd = odd or char not in BLANK
                char = _blank(char)
            pieces = char.lower()
        else:
            category = unicodedata.category(char)
            if category in ("Mn", "Me", "Cf"):
                marks = marks + 1 if category == "Mn" and not 0xFE00 <= ord(char) <= 0xFE0F else marks
                odd = odd or (category == "Cf" and _is_inside_word(text=text, index=index)) or marks > 2
                continue
            pieces, looked_alike = _plain(char=char, category=category)
            in_latin = looked_alike and _touches_latin(text=text, index=index)
            odd = odd or in_latin
            foreign += looked_alike and not in_latin
            if category in ("So", "Sk", "Co", "Cn", "Cs", "Cc") or (category == "Sm" and not pieces.strip()):
                pieces = " "
                odd = odd or category == "Cc"
                if char not in FRIENDLY and not _is_part_of_emoji(char=char):
                    symbols.append((char, index))
        marks = 0
        for piece in pieces:
            out.append(piece)
            at.append(index)
    folded = "".join(out)
    foreign += sum(1 for char in folded if char > "\x7f" and char.isalpha())
    return Folded(folded, tuple(at), odd, tuple(symbols), foreign)


def _plain(*, char: str, category: str) -> tuple[str, bool]:
    lower = char.lower()
    if lower in LOOK_ALIKES:
        return LOOK_ALIKES[lower], lower not in "øđłæœß"
    if category == "Zs":
        return " ", False
    pieces = [piece for piece in unicodedata.normalize("NFKD", char).casefold() if not unicodedata.combining(piece)]
    plain = "".join(LOOK_ALIKES.get(piece, PUNCTUATION.get(piece, piece)) for piece in pieces)
    # Full-width, mathematical and circled letters are letters in disguise; accents are not.
    disguised = plain.isascii() and plain.isalpha() and ord(char) > 0x2000
    return plain or " ", disguised or plain != "".join(pieces)


def _is_part_of_emoji(*, char: str) -> bool:
    return 0x1F3FB <= ord(char) <= 0x1F3FF or char in "♀♂"


def _is_inside_word(*, text: str, index: int) -> bool:
    before = text[index - 1] if index else " "
    after = text[index + 1] if index + 1 < len(text) else " "
    return before.isalnum() and (after.isalnum() or unicodedata.category(after) == "Cf")


def _touches_latin(*, text: str, index: int) -> bool:
    left, right = index, index
    while left > 0 and text[left - 1].isalpha() and index - left < 20:
        left -= 1
    while right + 1 < len(text) and text[right + 1].isalpha() and right - index < 20:
        right += 1
    return any("a" <= char.lower() <= "z" for char in text[left : right + 1]) or ord(text[index]) > 0x2000


def tokens(*, text: str) -> tuple[Token, ...]:
    """Words and numbers of a folded text; letters and digits that touch are separate tokens ("10mg")."""
    return tuple(Token(match.group(), match.start(), match.end()) for match in WORDS.finditer(text))


@functools.lru_cache(maxsize=8192)
def key(*, text: str) -> str:
    """The form under which names are looked up: folded words and numbers with single spaces."""
    return " ".join(token.text for token in tokens(text=fold(text=text).text))
