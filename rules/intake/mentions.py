"""Find drugs in folded text: names, misspellings, split and joined words, with strength, form, quantity and days.

Knows nothing of intent. Every token it explains is reported as covered, so that the reader can ask about the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rules.intake import danger, dose_forms, everyday, joining, letters, matching, normalise, plain_words
from rules.intake.lexicon import Ingredients, Lexicon, Name, NameKind
from rules.intake.pieces import LINKS, Found, Piece

MAX_SEARCHED_WORDS = 40
COUNT_UNITS = frozenset(
    "pill pills tablet tablets tab tabs capsule capsules cap caps count ct pastillas pastilla tabletas capsulas"
    " softgels patches inhaler inhalers pens pen vials bottle bottles".split()
)
DAY_UNITS = {
    "day": 1,
    "days": 1,
    "dia": 1,
    "dias": 1,
    "week": 7,
    "weeks": 7,
    "semanas": 7,
    "month": 30,
    "months": 30,
    "mes": 30,
    "meses": 30,
    "mth": 30,
    "mo": 30,
}
WORD_NUMBERS = {"one": 1, "two": 2, "three": 3, "six": 6, "thirty": 30, "sixty": 60, "ninety": 90, "tres": 3, "dos": 2}
MESSAGE_RELEASE = frozenset(dose_forms.RELEASE) - {"la", "dr", "cd", "sa", "liberacion"}
DIRECTIONS = re.compile(
    r"\b(?:i )?(?:take |taking |tomo )?(?:(?:1|2|3|one|two|una?|dos) (?:tablets?|pills?|tabs?|capsules?"
    r"|pastillas?|puffs?) )?"
    r"(?:by mouth )?(?:(?:once|twice|one time|two times|three times|1x|2x|3x|1 time|2 times|3 times)(?: a| per"
    r"| each| every)?(?: day| daily)"
    r"|as needed|prn|when needed|daily|every day|every (?:morning|night|evening|\d+ hours)"
    r"|each (?:day|morning|night)|nightly|at (?:bedtime|night)|in the (?:morning|evening)"
    r"|b\.?i\.?d|t\.?i\.?d|q\.?h\.?s|\bqd|a day|(?:una vez|dos veces|tres veces) (?:al|por) dia|cada (?:dia|noche"
    r"|manana|\d+ horas)|diari\w+)\b"
)
RATES = (
    (re.compile(r"three times|3 times|3x|t\.?i\.?d|tres veces"), 3),
    (re.compile(r"twice|two times|2 times|2x|b\.?i\.?d|dos veces"), 2),
    (
        re.compile(
            r"once|one time|1x|1 time|daily|every day|every (?:morning|night|evening)|each|nightly|at (?:bedtime|night)"
            r"|in the|qd|q\.?h\.?s|una vez|cada (?:dia|noche|manana)|diari"
        ),
        1,
    ),
)


@dataclass(slots=True)
class Finds:
    """All drugs found, the tokens they explain, and whether the search was cut short."""

    found: list[Found]
    covered: set[int]
    was_cut: bool = False


def find(
    *,
    text: str,
    words: Sequence[letters.Token],
    harmless: set[int],
    aliases: dict[str, str],
    entry_sets: frozenset[Ingredients],
    lexicon: Lexicon,
) -> Finds:
    """Every drug named in `words` of the folded `text`.

    `harmless`: tokens already explained by fixed phrases (no misspelling is looked for there). `aliases`: looked-up
    form of an entry's extra names -> entry id. `entry_sets`: ingredient sets of the active list.
    """
    tokens = tuple(words)
    directions = _directions_at(text=text, words=tokens)
    found, was_cut = _names(
        text=text, words=tokens, harmless=harmless | set(directions), aliases=aliases, lexicon=lexicon
    )
    taken = {index for one in found for index in range(one.first, one.last)}
    pieces = _pieces(text=text, words=tokens, taken=taken, harmless=harmless | set(directions))
    pieces += [
        Piece("directions", span[0], span[1], text=text[tokens[span[0]].start : tokens[span[1] - 1].end])
        for span in sorted(set(directions.values()))
    ]
    covered = taken | _attach(text=text, words=tokens, found=found, pieces=pieces)
    return Finds(
        joining.joined(text=text, words=tokens, found=found, entry_sets=entry_sets, lexicon=lexicon), covered, was_cut
    )


def rate_of(*, directions: str) -> int | None:
    """Times a day that plain directions say, or None when they are not plain."""
    folded = letters.fold(text=directions).text
    found = {times for pattern, times in RATES if pattern.search(folded)}
    if re.search(
        r"\b(?:every \d+ hours|cada \d+ horas|needed|prn|or|to \d|half|2 (?:tab|pill|cap)|two (?:tab|pill|cap))", folded
    ):
        return None
    return max(found) if found else None


def _directions_at(*, text: str, words: tuple[letters.Token, ...]) -> dict[int, tuple[int, int]]:
    """Token index -> token span of the directions it belongs to."""
    spans: dict[int, tuple[int, int]] = {}
    for match in DIRECTIONS.finditer(text):
        inside = [index for index, word in enumerate(words) if match.start() <= word.start and word.end <= match.end()]
        if inside:
            spans.update(dict.fromkeys(inside, (inside[0], inside[-1] + 1)))
    return spans


def _names(
    *, text: str, words: tuple[letters.Token, ...], harmless: set[int], aliases: dict[str, str], lexicon: Lexicon
) -> tuple[list[Found], bool]:
    found: list[Found] = []
    searched: dict[str, matching.Named | None] = {}
    was_cut = False
    at = 0
    while at < len(words):
        if _is_broken_word(words=words, at=at):
            at += 1
            continue
        exact = _exact_at(text=text, words=words, at=at, aliases=aliases, lexicon=lexicon)
        if exact is not None:
            found.append(exact)
            at = exact.last
            continue
        split = _split_at(words=words, at=at, harmless=harmless, lexicon=lexicon)
        if split is not None:
            found.append(split)
            at = split.last
            continue
        word = words[at].text
        if at not in harmless and _may_be_misspelt(word=word):
            if word not in searched and len(searched) >= MAX_SEARCHED_WORDS:
                was_cut = True
            elif word not in searched:
                searched[word] = matching.misspelt(word=word, lexicon=lexicon)
            named = searched.get(word)
            if named is not None:
                found.append(Found(at, at + 1, named))
        at += 1
    return found, was_cut


def _is_broken_word(*, words: tuple[letters.Token, ...], at: int) -> bool:
    """The tail of a word that a digit breaks ("des1oratadine"): what stands before the digit would be lost."""
    if at < 2 or not words[at - 1].is_number or words[at].text in dose_forms.UNITS:
        return False
    is_glued = words[at - 2].end == words[at - 1].start and words[at - 1].end == words[at].start
    return is_glued and not words[at - 2].is_number and len(words[at - 1].text) == 1


def _exact_at(
    *, text: str, words: tuple[letters.Token, ...], at: int, aliases: dict[str, str], lexicon: Lexicon
) -> Found | None:
    for size in range(min(5, len(words) - at), 0, -1) if aliases else ():
        key = " ".join(word.text for word in words[at : at + size])
        if key in aliases:
            name = Name(key, NameKind.alias, ())
            return Found(at, at + size, matching.Named(name=name, key=key), aliases[key])
    known, after = normalise.name_at(words=words, index=at, lexicon=lexicon)
    if known is None or (after == at + 1 and words[at].text in plain_words.ALL and known.kind is not NameKind.hint):
        return None
    if after == at + 1 and words[at].text in normalise.SALTS and known.kind is not NameKind.hint:
        return None
    key = " ".join(word.text for word in words[at:after])
    if known.kind is NameKind.combination and _is_parted(text=text, words=words, first=at, last=after):
        alone = lexicon.names.get(words[at].text)  # "glimepiride, pioglitazone": two drugs of a list
        return Found(at, at + 1, matching.Named(name=alone, key=words[at].text)) if alone is not None else None
    return Found(at, after, matching.Named(name=known, key=key))


def _is_parted(*, text: str, words: tuple[letters.Token, ...], first: int, last: int) -> bool:
    gaps = (text[words[index].end : words[index + 1].start] for index in range(first, last - 1))
    return any(re.search(r"[,;\n]", gap) for gap in gaps)


def _split_at(*, words: tuple[letters.Token, ...], at: int, harmless: set[int], lexicon: Lexicon) -> Found | None:
    """ "metro prolol", "lisino pril": two words that together are a known name."""
    if at + 1 >= len(words) or at in harmless or at + 1 in harmless:
        return None
    left, right = words[at].text, words[at + 1].text
    if words[at].is_number or words[at + 1].is_number or (left in plain_words.ALL and right in plain_words.ALL):
        return None
    name = lexicon.names.get(left + right)
    if name is None or len(left + right) < 7 or min(len(left), len(right)) < 2:
        return None
    return Found(at, at + 2, matching.Named(name=name, key=left + right, distance=1))


def _may_be_misspelt(*, word: str) -> bool:
    return (
        len(word) >= 5
        and word.isascii()
        and word.isalpha()
        and word not in plain_words.ALL
        and word not in dose_forms.SHAPE
        and word not in dose_forms.UNITS
        and word not in dose_forms.RELEASE
        and word not in dose_forms.ROUTE
        and word not in normalise.SALTS
        and word not in danger.DANGER_WORDS
        and word not in everyday.load().known
    )


def _pieces(*, text: str, words: tuple[letters.Token, ...], taken: set[int], harmless: set[int]) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    while at < len(words):
        piece = None if at in taken or at in harmless else _piece_at(text=text, words=words, at=at, taken=taken)
        if piece is None:
            at += 1
        else:
            pieces.append(piece)
            at = piece.last
    return pieces


def _piece_at(*, text: str, words: tuple[letters.Token, ...], at: int, taken: set[int]) -> Piece | None:
    word = words[at].text
    following = words[at + 1].text if at + 1 < len(words) and at + 1 not in taken else ""
    counted = _count_at(text=text, words=words, at=at, following=following)
    if counted is not None:
        return counted
    amounts, after = dose_forms.amounts_at(words=words, text=text, index=at)
    if amounts:
        return Piece("amounts", at, after, amounts=tuple(amounts))
    if words[at].is_number:
        return Piece("bare", at, at + 1, number=dose_forms.number(text=word))
    if word in ("plain", "regular") and (at + 1 in taken or at - 1 in taken):
        return Piece("release", at, at + 1, text="ir")  # "plain metformin, not the ER"
    if word in ("pill", "pills", "pastilla", "pastillas") and at - 1 in taken:
        return Piece("shape", at, at + 1, text="tablet")
    if word in MESSAGE_RELEASE:
        last = at + (2 if following == "release" else 1)
        return Piece("release", at, last, text=dose_forms.RELEASE[word], hours=dose_forms.hours_of(text=word))
    if word in ("la", "cd", "dr", "sa") and (at + 1 == len(words) or words[at + 1].is_number) and at - 1 in taken:
        return Piece("release", at, at + 1, text=dose_forms.RELEASE[word])
    if word in dose_forms.SHAPE and word not in ("system", "pack", "device", "insert", "kit"):
        return Piece("shape", at, at + 1, text=dose_forms.SHAPE[word])
    if word in normalise.SALTS or word in normalise.SPANISH_SALTS:
        return Piece("salt", at, at + 1, text=normalise.SPANISH_SALTS.get(word, word))
    if word in ("oral", "mg", "mcg", "miligramos"):
        return Piece("filler", at, at + 1, text=word)
    return None


def _count_at(*, text: str, words: tuple[letters.Token, ...], at: int, following: str) -> Piece | None:
    """Quantities ("#30", "90 tablets", "qty 30") and days ("90 day supply", "3 months")."""
    word = words[at].text
    if word in ("qty", "quantity", "cantidad"):
        number_at = at + 2 if following in ("of", "de") else at + 1
        if number_at < len(words) and words[number_at].text.isdigit():
            return Piece("quantity", at, number_at + 1, number=Fraction(words[number_at].text))
        return None
    plain = WORD_NUMBERS.get(word)
    value = Fraction(plain) if plain else Fraction(word) if word.isdigit() and len(word) < 6 else None
    if value is None:
        return None
    if text[: words[at].start].rstrip().endswith("#"):
        return Piece("quantity", at, at + 1, number=value)
    if following in COUNT_UNITS and not (plain and value < 10):
        return Piece("quantity", at, at + 2, number=value)
    if following in DAY_UNITS:
        last = at + 2
        while last < len(words) and words[last].text in ("supply", "worth"):
            last += 1
        return Piece("days", at, last, number=value * DAY_UNITS[following])
    return None


def _attach(*, text: str, words: tuple[letters.Token, ...], found: list[Found], pieces: list[Piece]) -> set[int]:
    """Give every piece to a drug: the one it directly follows, else the one it directly precedes; days and quantity
    to the only drug there is. What cannot be given stays uncovered."""
    covered: set[int] = set()
    ends = {id(one): one.last for one in found}
    for piece in sorted(pieces, key=lambda one: one.first):
        owner = next((one for one in found if ends[id(one)] == piece.first), None)
        if owner is None and piece.first and words[piece.first - 1].text in ("de", "en"):
            owner = next((one for one in found if ends[id(one)] == piece.first - 1), None)  # "metformina de 500"
        if owner is None:
            owner = _drug_after(text=text, words=words, found=found, piece=piece)
        if owner is None and piece.kind != "bare":
            owner = _drug_before(text=text, words=words, found=found, piece=piece)
        if owner is None:  # "the tartrate 50": the number follows a piece that has its owner
            owner = next((one for one in found if any(own.last == piece.first for own in one.pieces)), None)
        if owner is None and len(found) == 1 and _stands_alone(text=text, words=words, piece=piece):
            owner = found[0]
        if owner is None and len(found) == 1 and _belongs_to_the_only(words=words, piece=piece):
            owner = found[0]
        if owner is None:
            continue
        owner.pieces.append(piece)
        covered.update(range(piece.first, piece.last))
        if ends[id(owner)] == piece.first:
            ends[id(owner)] = piece.last
    return covered


def _stands_alone(*, text: str, words: tuple[letters.Token, ...], piece: Piece) -> bool:
    """Whether a strength or form is all there is on its line ("the 20 mg", "the pens", "50s")."""
    if piece.kind not in ("amounts", "bare", "shape", "release"):
        return False
    start, end = words[piece.first].start, words[piece.last - 1].end
    before, after = text[:start].rpartition("\n")[2], text[end:].partition("\n")[0]
    return re.fullmatch(r"[\s(]*(?:(?:it'?s|the|las?|los|el|de|son|in) )*", before) is not None and (
        re.fullmatch(r"[\s).,!]*(?:s|ones?|please|thanks)?[\s).,!]*", after) is not None
    )


def _belongs_to_the_only(*, words: tuple[letters.Token, ...], piece: Piece) -> bool:
    """Whether a piece that stands apart can only belong to the one drug named ("it's the tartrate", "el de 12.5")."""
    if piece.kind in ("days", "quantity", "directions", "salt"):
        return True
    before = words[piece.first - 1].text if piece.first else ""
    return piece.kind in ("bare", "amounts") and before in ("de", "the", "el", "of")


def _drug_after(*, text: str, words: tuple[letters.Token, ...], found: list[Found], piece: Piece) -> Found | None:
    for one in found:
        between = range(piece.last, one.first)
        if one.first >= piece.last and len(between) <= 3 and all(words[index].text in LINKS for index in between):
            gap = text[words[piece.last - 1].end : words[one.first].start]
            return one if not re.search(r"[.,;:!?\n()]", gap) else None
    return None


def _drug_before(*, text: str, words: tuple[letters.Token, ...], found: list[Found], piece: Piece) -> Found | None:
    before = [one for one in found if one.last <= piece.first]
    if not before:
        return None
    one = before[-1]
    end = max([one.last, *(own.last for own in one.pieces if own.last <= piece.first)])
    return one if piece.first - end <= 2 and "\n" not in text[words[end - 1].end : words[piece.first].start] else None
