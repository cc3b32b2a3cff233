"""Find pharmacies named in a message and compare them, by words alone, with the ones we know.

Which pharmacy the prescription goes to is never decided here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rules.intake import letters, plain_words
from rules.intake.reading import PharmacyMention, Span

CHAINS = re.compile(
    r"\b(?:cvs|walgreen'?s?|wal-?\s?green'?s?|rite ?aid|wal-?\s?mart'?s?|costco|kroger'?s?|publix|target|safeway"
    r"|albertson'?s?|h-?e-?b|meijer"
    r"|sam'?s(?: club)?|optum ?rx|optum|express scripts|caremark|amazon(?: pharmacy)?|pill ?pack|wegman'?s?"
    r"|giant eagle|stop (?:&|and) shop"
    r"|hy-?vee|winn-?dixie|shop ?rite|food lion|harris teeter|fred meyer|ralphs|vons|smith'?s|fry'?s|duane reade"
    r"|capsule pharmacy|humana"
    r"|cost plus|mark cuban|medicine shoppe|good neighbor|health mart|bartell(?: drugs)?)(?: (?:pharmacy"
    r"|drug ?store|drugs?))?\b"
)
NAMED = re.compile(r"\b([a-z][a-z'&-]{2,}) (pharmacy|drug ?store|drugs|apothecary)\b|\bfarmacia ([a-z][a-z'&-]{2,})\b")
# "to Birch Lane Pharmacy": the words between the preposition and the last word of the name belong to it.
BEFORE = re.compile(r"\b(?:to|at|from|use|using|with|is)(?: the)? ((?:[a-z][a-z'&-]+ ){1,2})$")
PLACE = re.compile(
    r"^[\s,]*(?:\(|-)?\s*(?:located )?(?:on|in|at|near|off|by|en la calle|en la|en el|en|de la"
    r"|de) (?:the )?(?:corner of )?"
    r"((?:(?:\d{1,5}(?:st|nd|rd|th)?|[nsew]|north|south|east|west|old|new) )?[a-z][a-z'.-]{2,}"
    r"(?: (?:st|street|ave|avenue|rd|road|blvd|boulevard|dr|drive|ln|lane|hwy|highway|pkwy|parkway|pike|plaza"
    r"|square|way|court|ct|circle|mall))?\.?)"
)
SUFFIX_PLACE = re.compile(
    r"^[\s,]*((?:[a-z][a-z'-]{2,} )(?:st|street|ave|avenue|rd|road|blvd|hwy|highway|pkwy|pike|plaza))\b\.?"
)
NOT_A_PLACE = frozenset(
    "file record time hold that this order they them you and but also today tomorrow case general advance need"
    " pain".split()
)
NOT_A_NAME = frozenset(
    "the my your our their a this that same usual local new different another other old nearest any to at in on"
    " from which mail order regular"
    " preferred current your what another first second call calling"
    " tell told ask change switch and or of with is prescription illegal".split()
)


@dataclass(frozen=True, slots=True)
class Found:
    """A pharmacy at characters [start, end) of the folded text."""

    start: int
    end: int
    name: str
    place: str


def find(*, text: str) -> tuple[Found, ...]:
    """Every pharmacy named in a folded text, in order, a place after it included."""
    found: list[Found] = []
    found += [
        _with_place(text=text, start=match.start(), end=match.end(), name=match.group())
        for match in CHAINS.finditer(text)
    ]
    for match in NAMED.finditer(text):
        name = match.group(1) or match.group(3)
        if name in NOT_A_NAME or any(one.start <= match.start() < one.end for one in found):
            continue
        if name in plain_words.ALL:
            continue
        start = _first_word(text=text, start=match.start())
        found.append(_with_place(text=text, start=start, end=match.end(), name=text[start : match.end()]))
    return tuple(sorted(found, key=lambda one: one.start))


def _first_word(*, text: str, start: int) -> int:
    """Where a name of two or three words begins; half a name would fit another pharmacy."""
    before = BEFORE.search(text[:start])
    if before is None or any(word in NOT_A_NAME or word in plain_words.ALL for word in before.group(1).split()):
        return start
    return before.start(1)


def _with_place(*, text: str, start: int, end: int, name: str) -> Found:
    after = text[end : end + 80]
    match = PLACE.match(after) or SUFFIX_PLACE.match(after)
    if match is None or match.group(1).split()[-1] in NOT_A_PLACE or match.group(1).split()[0] in NOT_A_PLACE:
        return Found(start, end, name, "")
    return Found(start, end + match.end(), name, match.group(1).strip(" ."))


def mentions_of(
    *, found: Sequence[Found], known: Sequence[str], spans: Sequence[tuple[Span, str]]
) -> tuple[PharmacyMention, ...]:
    """As values for the Reading, with the index of the one known pharmacy whose words fit, if exactly one does."""
    result = []
    for one, (span, words) in zip(found, spans, strict=True):
        result.append(
            PharmacyMention(span=span, words=words, name=one.name, place=one.place, matches_known=_which(one, known))
        )
    return tuple(result)


def _which(one: Found, known: Sequence[str]) -> int | None:
    name = {word.replace("'", "") for word in _words(one.name)} - {"pharmacy", "farmacia", "drugstore", "drug", "store"}
    place = set(_words(one.place)) - {"st", "street", "ave", "avenue", "rd", "road", "blvd"}
    fitting = []
    for index, text in enumerate(known):
        words = {word.replace("'", "") for word in _words(text)}
        is_named = all(any(word.rstrip("s") == have.rstrip("s") for have in words) for word in name)
        if name and is_named and place <= words:
            fitting.append(index)
    return fitting[0] if len(fitting) == 1 else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.text for token in letters.tokens(text=letters.fold(text=text).text))
