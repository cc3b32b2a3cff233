"""Misspellings of drug names by kind, from a seed: the kinds thresholds were chosen on, and kinds they never saw.

A kind is a function of a word and dice that returns another word, or "" where it does not apply. Nothing here knows
the vocabulary.
"""

from __future__ import annotations

import random
from collections.abc import Callable

Kind = Callable[[str, random.Random], str]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# Spellings of one sound, as English ears write them.
ENGLISH_SOUNDS = (
    ("ph", "f"), ("f", "ph"), ("y", "i"), ("i", "y"), ("c", "k"), ("k", "c"), ("x", "ks"), ("x", "z"), ("z", "s"),
    ("s", "c"), ("qu", "kw"), ("th", "t"), ("t", "th"), ("ine", "een"), ("in", "an"), ("ole", "all"), ("ate", "ait"),
    ("tion", "shun"), ("ium", "eum"), ("ae", "e"), ("oe", "e"), ("eu", "u"), ("ou", "u"), ("ch", "k"), ("ce", "se"),
    ("ci", "si"), ("cy", "si"), ("ge", "je"), ("gi", "ji"), ("rr", "r"), ("ll", "l"), ("l", "ll"), ("mm", "m"),
    ("o", "u"), ("a", "o"), ("e", "a"), ("e", "i"), ("ur", "er"), ("or", "er"), ("ar", "er"), ("pril", "prill"),
    ("statin", "staten"), ("olol", "alol"), ("sartan", "sarten"), ("zole", "sole"), ("ide", "ied"), ("one", "own"),
)  # fmt: skip
# And as Spanish ears and keyboards write them.
SPANISH_SOUNDS = (
    ("v", "b"), ("b", "v"), ("h", ""), ("z", "s"), ("ce", "se"), ("ci", "si"), ("ll", "y"), ("y", "ll"), ("j", "g"),
    ("ph", "f"), ("th", "t"), ("x", "j"), ("mm", "m"), ("ss", "s"), ("tt", "t"), ("k", "qu"), ("ne", "na"),
    ("ate", "ato"), ("ide", "ida"), ("ium", "io"), ("m", "n"), ("n", "m"), ("c", "s"), ("y", "i"),
)  # fmt: skip
SHAPES = (
    ("rn", "m"),
    ("m", "rn"),
    ("cl", "d"),
    ("d", "cl"),
    ("l", "1"),
    ("o", "0"),
    ("vv", "w"),
    ("w", "vv"),
    ("ii", "u"),
)


def one_letter_less(word: str, dice: random.Random) -> str:
    """A letter left out, not the first."""
    at = dice.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def one_letter_more(word: str, dice: random.Random) -> str:
    """Any letter put in, not before the first."""
    at = dice.randrange(1, len(word) + 1)
    return word[:at] + dice.choice(LETTERS) + word[at:]


def one_letter_other(word: str, dice: random.Random) -> str:
    """A letter, not the first, exchanged for any other."""
    at = dice.randrange(1, len(word))
    return word[:at] + dice.choice(LETTERS.replace(word[at], "")) + word[at + 1 :]


def neighbours_swapped(word: str, dice: random.Random) -> str:
    """Two neighbouring letters exchanged."""
    places = [at for at in range(len(word) - 1) if word[at] != word[at + 1]]
    if not places:
        return ""
    at = dice.choice(places)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def two_edits(word: str, dice: random.Random) -> str:
    """Two of the four kinds of one edit."""
    singles = (one_letter_less, one_letter_more, one_letter_other, neighbours_swapped)
    return dice.choice(singles)(dice.choice(singles)(word, dice), dice)


def slipped_key(word: str, dice: random.Random) -> str:
    """A neighbouring key of the keyboard struck instead, or as well; the first letter included."""
    at = dice.randrange(len(word))
    row = next((row for row in KEYBOARD if word[at] in row), "")
    if not row:
        return ""
    place = row.index(word[at])
    near = [row[i] for i in (place - 1, place + 1) if 0 <= i < len(row)]
    instead = dice.choice(near)
    return word[:at] + instead + word[at + (1 if dice.random() < 0.7 else 0) :]


def one_key_twice(word: str, dice: random.Random) -> str:
    """A letter struck twice or three times."""
    at = dice.randrange(len(word))
    return word[:at] + word[at] * dice.choice((2, 2, 3)) + word[at + 1 :]


def a_double_letter_single(word: str, dice: random.Random) -> str:
    """A double letter written once."""
    places = [at for at in range(len(word) - 1) if word[at] == word[at + 1]]
    if not places:
        return ""
    at = dice.choice(places)
    return word[:at] + word[at + 1 :]


def _by_sound(word: str, dice: random.Random, table: tuple[tuple[str, str], ...], most: int) -> str:
    out = word
    for _ in range(dice.randint(1, most)):
        fitting = [(old, new) for old, new in table if old in out]
        if not fitting:
            break
        old, new = dice.choice(fitting)
        places = [at for at in range(len(out)) if out.startswith(old, at)]
        at = dice.choice(places)
        out = out[:at] + new + out[at + len(old) :]
    return out


def by_english_ear(word: str, dice: random.Random) -> str:
    """One to three sounds written another way."""
    return _by_sound(word, dice, ENGLISH_SOUNDS, 3)


def by_spanish_ear(word: str, dice: random.Random) -> str:
    """One to three sounds written as in Spanish."""
    return _by_sound(word, dice, SPANISH_SOUNDS, 3)


def by_shape(word: str, dice: random.Random) -> str:
    """Letters misread by eye or camera."""
    return _by_sound(word, dice, SHAPES, 1)


def vowels_confused(word: str, dice: random.Random) -> str:
    """One to three vowels exchanged for others."""
    places = [at for at, letter in enumerate(word) if letter in "aeiou" and at]
    out = list(word)
    for at in dice.sample(places, min(len(places), dice.randint(1, 3))):
        out[at] = dice.choice("aeiou".replace(out[at], ""))
    return "".join(out)


def a_syllable_lost(word: str, dice: random.Random) -> str:
    """A consonant with its vowel left out of the middle."""
    places = [at for at in range(1, len(word) - 2) if word[at] not in "aeiouy" and word[at + 1] in "aeiouy"]
    if not places:
        return ""
    at = dice.choice(places)
    return word[:at] + word[at + 2 :]


def a_syllable_twice(word: str, dice: random.Random) -> str:
    """A consonant with its vowel written twice."""
    places = [at for at in range(1, len(word) - 1) if word[at] not in "aeiouy" and word[at + 1] in "aeiouy"]
    if not places:
        return ""
    at = dice.choice(places)
    return word[: at + 2] + word[at:]


def letters_far_swapped(word: str, dice: random.Random) -> str:
    """Two letters one apart exchanged."""
    if len(word) < 4:
        return ""
    at = dice.randrange(len(word) - 2)
    return word[:at] + word[at + 2] + word[at + 1] + word[at] + word[at + 3 :]


def the_end_cut(word: str, dice: random.Random) -> str:
    """One to three letters of the end left out."""
    return word[: -dice.randint(1, 3)]


def ear_and_thumb(word: str, dice: random.Random) -> str:
    """A sound written another way and a key slipped."""
    heard = by_english_ear(word, dice)
    return slipped_key(heard, dice) if heard else ""


def hand_displaced(word: str, dice: random.Random) -> str:
    """Two or three letters in a row typed one key too far to the same side."""
    if len(word) < 6:
        return ""
    at, step = dice.randrange(1, len(word) - 3), dice.choice((-1, 1))
    out = list(word)
    for index in range(at, at + dice.choice((2, 3))):
        row = next((row for row in KEYBOARD if out[index] in row), "")
        place = row.index(out[index]) + step if row else -1
        if 0 <= place < len(row):
            out[index] = row[place]
    return "".join(out)


def vowels_left_out(word: str, dice: random.Random) -> str:
    """One or two vowels left out, as in texting."""
    places = [at for at, letter in enumerate(word) if letter in "aeiou" and at]
    drop = set(dice.sample(places, min(len(places), dice.randint(1, 2))))
    return "".join(letter for at, letter in enumerate(word) if at not in drop)


def cluster_simplified(word: str, dice: random.Random) -> str:
    """One consonant of a cluster left out."""
    places = [at for at in range(1, len(word) - 1) if word[at] not in "aeiouy" and word[at + 1] not in "aeiouy"]
    if not places:
        return ""
    at = dice.choice(places)
    return word[:at] + word[at + 1 :]


def cluster_opened(word: str, dice: random.Random) -> str:
    """A vowel put into a cluster of consonants."""
    places = [at for at in range(1, len(word) - 1) if word[at] not in "aeiouy" and word[at + 1] not in "aeiouy"]
    if not places:
        return ""
    at = dice.choice(places)
    return word[: at + 1] + dice.choice("aeiou") + word[at + 1 :]


def syllables_swapped(word: str, dice: random.Random) -> str:
    """Two neighbouring consonants exchanged across their vowel ("tamsolusin")."""
    places = [
        at
        for at in range(1, len(word) - 2)
        if word[at] not in "aeiouy"
        and word[at + 1] in "aeiouy"
        and word[at + 2] not in "aeiouy"
        and word[at] != word[at + 2]
    ]
    if not places:
        return ""
    at = dice.choice(places)
    return word[:at] + word[at + 2] + word[at + 1] + word[at] + word[at + 3 :]


TUNED_ON: dict[str, Kind] = {
    "one letter less": one_letter_less,
    "one letter more": one_letter_more,
    "one letter other": one_letter_other,
    "neighbours swapped": neighbours_swapped,
    "two edits": two_edits,
    "syllable lost": a_syllable_lost,
    "end cut": the_end_cut,
}
NEVER_SEEN: dict[str, Kind] = {
    "slipped key": slipped_key,
    "one key twice": one_key_twice,
    "double letter single": a_double_letter_single,
    "by an English ear": by_english_ear,
    "by a Spanish ear": by_spanish_ear,
    "misread shape": by_shape,
    "vowels confused": vowels_confused,
    "syllable twice": a_syllable_twice,
    "letters far swapped": letters_far_swapped,
    "ear and thumb": ear_and_thumb,
    "hand displaced": hand_displaced,
    "vowels left out": vowels_left_out,
    "cluster simplified": cluster_simplified,
    "cluster opened": cluster_opened,
    "syllables swapped": syllables_swapped,
}
