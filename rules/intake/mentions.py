"""Find drugs in folded text: names, misspellings, split and joined words, with strength, form, quantity and days.

Knows nothing of intent. Every token it explains is reported as covered, so that the reader can ask about the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from rules.intake import danger, dose_forms, everyday, letters, matching, normalise, plain_words
from rules.intake.lexicon import Ingredients, Lexicon, Name, NameKind

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
LINKS = frozenset("of de the my mi for on a supply pills tablets tabs capsules pill tablet strength".split())
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

PieceKind = Literal["amounts", "bare", "quantity", "days", "shape", "release", "salt", "directions", "filler"]


@dataclass(slots=True)
class Piece:
    """Something written about a drug, at token positions [first, last)."""

    kind: PieceKind
    first: int
    last: int
    amounts: tuple[dose_forms.Amount, ...] = ()
    number: Fraction | None = None
    text: str = ""
    hours: str = ""


@dataclass(slots=True)
class Found:
    """A named drug at token positions [first, last) with its pieces; `alias_of` is a list entry's own extra name."""

    first: int
    last: int
    named: matching.Named
    alias_of: str = ""
    pieces: list[Piece] = field(default_factory=list)

    def stated(self) -> matching.Stated:
        """The pieces as one value."""
        amounts: tuple[dose_forms.Amount, ...] = ()
        bare: list[Fraction] = []
        shape = release = salt = hours = ""
        for piece in self.pieces:
            amounts += piece.amounts
            if piece.kind == "bare" and piece.number is not None:
                bare.append(piece.number)
            shape = piece.text if piece.kind == "shape" else shape
            release = piece.text if piece.kind == "release" else release
            hours = piece.hours or hours
            salt = f"{salt} {piece.text}".strip() if piece.kind == "salt" else salt
        return matching.Stated(amounts=amounts, bare=tuple(bare), shape=shape, release=release, salt=salt, hours=hours)

    def number_of(self, kind: PieceKind) -> int | None:
        """The whole number of the first piece of a kind, or None."""
        for piece in self.pieces:
            if piece.kind == kind and piece.number is not None and piece.number.denominator == 1:
                return int(piece.number)
        return None

    def text_of(self, kind: PieceKind) -> str:
        """The text of the first piece of a kind, or empty."""
        return next((piece.text for piece in self.pieces if piece.kind == kind), "")


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
    found, was_cut = _names(words=tokens, harmless=harmless | set(directions), aliases=aliases, lexicon=lexicon)
    taken = {index for one in found for index in range(one.first, one.last)}
    pieces = _pieces(text=text, words=tokens, taken=taken, harmless=harmless | set(directions))
    pieces += [
        Piece("directions", span[0], span[1], text=text[tokens[span[0]].start : tokens[span[1] - 1].end])
        for span in sorted(set(directions.values()))
    ]
    covered = taken | _attach(text=text, words=tokens, found=found, pieces=pieces)
    return Finds(
        _joined(text=text, words=tokens, found=found, entry_sets=entry_sets, lexicon=lexicon), covered, was_cut
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
    *, words: tuple[letters.Token, ...], harmless: set[int], aliases: dict[str, str], lexicon: Lexicon
) -> tuple[list[Found], bool]:
    found: list[Found] = []
    searched: dict[str, matching.Named | None] = {}
    was_cut = False
    at = 0
    while at < len(words):
        if _is_broken_word(words=words, at=at):
            at += 1
            continue
        exact = _exact_at(words=words, at=at, aliases=aliases, lexicon=lexicon)
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


def _exact_at(*, words: tuple[letters.Token, ...], at: int, aliases: dict[str, str], lexicon: Lexicon) -> Found | None:
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
    return Found(at, after, matching.Named(name=known, key=key))


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
    if word in MESSAGE_RELEASE:
        last = at + (2 if following == "release" else 1)
        return Piece("release", at, last, text=dose_forms.RELEASE[word], hours=dose_forms.hours_of(text=word))
    if word in ("la", "cd") and (at + 1 == len(words) or words[at + 1].is_number) and at and at - 1 in taken:
        return Piece("release", at, at + 1, text="er")
    if word in dose_forms.SHAPE and word not in ("system", "pack", "device", "insert", "kit"):
        return Piece("shape", at, at + 1, text=dose_forms.SHAPE[word])
    if word in normalise.SALTS:
        return Piece("salt", at, at + 1, text=word)
    if word in ("oral", "generic", "brand", "mg", "mcg", "miligramos"):
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
        if owner is None:
            owner = _drug_after(text=text, words=words, found=found, piece=piece)
        if owner is None and piece.kind != "bare":
            owner = _drug_before(text=text, words=words, found=found, piece=piece)
        if owner is None and len(found) == 1 and _belongs_to_the_only(words=words, piece=piece):
            owner = found[0]
        if owner is None:
            continue
        owner.pieces.append(piece)
        covered.update(range(piece.first, piece.last))
        if ends[id(owner)] == piece.first:
            ends[id(owner)] = piece.last
    return covered


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


def _joined(
    *,
    text: str,
    words: tuple[letters.Token, ...],
    found: list[Found],
    entry_sets: frozenset[Ingredients],
    lexicon: Lexicon,
) -> list[Found]:
    """Join names that stand together: "losartan-hctz" is one combination, "Zestril (lisinopril)" one drug."""
    result: list[Found] = []
    for one in found:
        last = result[-1] if result else None
        if last is not None and _is_its_device(left=last, right=one, words=words):
            last.pieces.append(Piece("shape", one.first, one.last, text="inhaler"))
            continue
        if last is None or last.pieces or last.alias_of or one.alias_of or last.last != one.first:
            result.append(one)
            continue
        gap = text[words[last.last - 1].end : words[one.first].start]
        left, right = last.named.name, one.named.name
        is_same = bool(set(left.ingredient_sets) & set(right.ingredient_sets)) and left.kind is not NameKind.hint
        if is_same and right.kind is not NameKind.hint and re.fullmatch(r"[\s(/,\[-]*", gap):
            better = right if right.kind is NameKind.salt or len(right.ingredient_sets) == 1 else left
            rivals = last.named.near_rivals + one.named.near_rivals
            distance = max(last.named.distance, one.named.distance)
            named = matching.Named(name=better, key=one.named.key, distance=distance, near_rivals=rivals)
            result[-1] = Found(last.first, one.last, named, pieces=one.pieces)
        elif union := _union(left=left, right=right, gap=gap, entry_sets=entry_sets, lexicon=lexicon):
            name = Name(f"{left.text} / {right.text}", NameKind.combination, (union,))
            named = matching.Named(
                name=name,
                key=f"{last.named.key} {one.named.key}",
                distance=max(last.named.distance, one.named.distance),
                near_rivals=last.named.near_rivals + one.named.near_rivals,
            )
            result[-1] = Found(last.first, one.last, named, pieces=one.pieces)
        else:
            result.append(one)
    return result


def _is_its_device(*, left: Found, right: Found, words: tuple[letters.Token, ...]) -> bool:
    """ "albuterol inhaler", "salbutamol en inhalador": a lay name that only says the form of the drug before it."""
    if right.named.name.kind is not NameKind.hint or left.alias_of or left.named.name.kind is NameKind.hint:
        return False
    end = max([left.last, *(piece.last for piece in left.pieces)])
    if right.named.key not in ("inhaler", "inhalador", "puffer", "inhalers") or right.first - end > 2:
        return False
    members = {part for choice in right.named.name.ingredient_sets for part in choice}
    between = (words[index].text for index in range(end, right.first))
    is_linked = all(word in LINKS | {"en", "rescue", "de"} for word in between)
    return is_linked and any(set(choice) & members for choice in left.named.name.ingredient_sets)


def _union(*, left: Name, right: Name, gap: str, entry_sets: frozenset[Ingredients], lexicon: Lexicon) -> Ingredients:
    """The combination two names that stand together mean, or () when they are two drugs of a list."""
    if NameKind.hint in (left.kind, right.kind) or not re.fullmatch(r"\s*[-/+&]\s*|\s+", gap):
        return ()
    if len(left.ingredient_sets) != 1 or len(right.ingredient_sets) != 1:
        return ()
    one, two = left.ingredient_sets[0], right.ingredient_sets[0]
    union = tuple(sorted({*one, *two}))
    if union in entry_sets:
        return union
    are_listed_apart = one in entry_sets and two in entry_sets
    is_known = union in lexicon.combinations
    return union if is_known and (gap.strip() or not are_listed_apart) else ()
