"""Find pharmacies named in a message and compare them, by words alone, with the ones we know.

Which pharmacy the prescription goes to is never decided here.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from rules.intake import letters, plain_words
from rules.intake.reading import PharmacyMention, Span

_CHAIN_NAMES = (
    r"cvs|walgreen'?s?|wal-?\s?green'?s?|wags|rite ?aid|wal-?\s?mart'?s?|walmart neighborhood market|costco|kroger'?s?"
    r"|publix|target|safeway|albertson'?s?|h-?e-?b|meijer'?s?|sam'?s(?: club)?|bj'?s|optum ?rx|optum|express scripts"
    r"|caremark|amazon(?: pharmacy)?|pill ?pack|wegman'?s?|giant eagle|giant food|giant|stop (?:&|and) shop|stop n shop"
    r"|hy-?vee|winn-?dixie|shop ?rite|food lion|harris teeter|fred meyer|ralph'?s|vons|smith'?s|fry'?s|king soopers"
    r"|city market|dillons|duane reade|capsule pharmacy|humana|cost plus|mark cuban|medicine shoppe|good neighbor"
    r"|health mart|bartell(?: drugs)?|piggly wiggly|the pig|hannaford'?s?|kinney(?: drugs?)?|ingles|bi-?mart"
    r"|brookshire'?s?"
    r"|jewel(?:-| )?osco|osco|acme|mariano'?s|tom thumb|randalls|fiesta|navarro|price chopper|big y|weis|save mart"
    r"|raley'?s|lucky|stater bros|food city|market basket|shaws?|star market|shopko|pamida|thrifty white|longs(?:"
    r" drugs?)?"
    r"|drug emporium|fruth|alto|truepill|discount drug mart|marc'?s|county market|schnucks|homeland|reasor'?s|united"
    r" supermarkets?|market street|sedano'?s|sav-?on|thriftway|quality food|qfc|haggen|times supermarket"
)
CHAINS = re.compile(
    rf"(?<!my )(?<!la )\b(?:{_CHAIN_NAMES})(?: (?:pharmacy|drug ?stores?|drugs?|rx))?(?:,? ?(?:#|store|no\.?|number)"
    rf" ?\d{{1,6}})?"
    r"(?![a-z'])"
)
_WORD = r"[a-z][a-z'&.-]*"
# "to Birch Lane Pharmacy", "Heart of Texas Pharmacy", "Tombstone Drug", "la Farmacia San Judas"
NAMED = re.compile(
    rf"((?:{_WORD} ){{0,3}}{_WORD}) (?:pharmacy|pharm|drug ?stores?|drugs?|apothecary|chemists?|rx|botica)(?![a-z'])"
    rf"|\b(?:farmacia|botica|drogueria) ((?:{_WORD} ){{0,2}}{_WORD})"
)
PLACE = re.compile(
    r"[\s,]*(?:\(|- ?)?\s*(?:pharmacy |the one |location |store |located |over |down |right |up |out |que esta |que"
    r" queda "
    r"|ubicad[oa] )*(?:on|in|at|near|off|by|across from|next to|behind|en la calle|en la|en el|en|de la calle|de la"
    r"|de|del"
    r"|sobre la|cerca de) (?:the |la |el )?(?:corner of |esquina de |calle |avenida )?"
)
_ORDINAL = re.compile(r"\d{1,5}(?:st|nd|rd|th)?$")
STREETS = frozenset(
    "st street ave avenue rd road blvd boulevard dr drive ln lane hwy highway pkwy parkway pike plaza square sq way"
    " court ct"
    " circle cir mall center centre ctr loop trail terrace ter place pl route rt expressway expwy turnpike fwy"
    " freeway bypass"
    " crossing village heights hills mills park calle avenida centro".split()
)
NOT_A_PLACE = frozenset(
    "file record time hold that order this they them you and but also today tomorrow case general advance need pain"
    " please"
    " pls plz when for thanks thank so my me i we it is was if or because the which who stock can could would will when"
    " gracias porfa por favor y me mi que cuando si para no not with con as asap now soon have has want going gonna"
    " usual"
    " before after first monday tuesday wednesday thursday friday saturday sunday god bless hope morning"
    " afternoon".split()
)
NOT_A_NAME = frozenset(
    "the my your our their a this that same usual local new different another other old nearest any to at in on"
    " from which mail order regular preferred current what first second call calling said says told tell ask asked"
    " change"
    " switch and or of with is prescription illegal it i me send sent use using used contact need needs please el la"
    " mi su un"
    " una de del en por para que se le lo al esta otra nueva misma hi hey hello thanks for via through generic brand"
    " street"
    " dice dijo me te no ya".split()
)


@dataclass(frozen=True, slots=True)
class Found:
    """A pharmacy at characters [start, end) of the folded text."""

    start: int
    end: int
    name: str
    place: str


def find(*, text: str, known_drugs: Container[str] = ()) -> tuple[Found, ...]:
    """Every pharmacy named in a folded text, in order, a place after it included.

    `known_drugs`: words that are drug names; a place ends before one ("at CVS, lisinopril").
    """
    found = [
        _with_place(text=text, start=match.start(), end=match.end(), name=match.group(), drugs=known_drugs)
        for match in CHAINS.finditer(text)
    ]
    found = [one for one in found if not any(other.start < one.start < other.end for other in found)]
    for match in NAMED.finditer(text):
        group = 1 if match.group(1) else 2
        start, end = _name_bounds(
            text=text, start=match.start(group), end=match.end(group), is_before=group == 1, drugs=known_drugs
        )
        if start == end or any(one.start < match.end() and start < one.end for one in found):
            continue
        begin, stop = (start, match.end()) if group == 1 else (match.start(), end)
        found.append(
            _with_place(text=text, start=begin, end=stop, name=text[begin:stop], drugs=known_drugs, is_named=True)
        )
    return tuple(sorted(found, key=lambda one: one.start))


def _name_bounds(*, text: str, start: int, end: int, is_before: bool, drugs: Container[str]) -> tuple[int, int]:
    """Where a name of one to four words begins (or, in Spanish, ends): it stops at the first word that is none."""
    parts = [(match.start() + start, match.end() + start) for match in re.finditer(r"\S+", text[start:end])]
    kept: list[tuple[int, int]] = []
    for low, high in reversed(parts) if is_before else parts:
        word = text[low:high].strip(".")
        if is_before and text[low:high].endswith(".") and word not in ("st", "dr", "mt") and len(word) > 1:
            break
        is_joint = word in ("of", "de", "la", "los", "las", "el", "san", "santa", "and", "&") and kept
        if (word in NOT_A_NAME or word in NOT_A_PLACE or word in plain_words.ALL or word in drugs) and not is_joint:
            break
        kept.append((low, high))
    while kept and text[kept[-1][0] : kept[-1][1]] in NOT_A_NAME | {"de", "la", "los", "of", "and", "&"}:
        kept.pop()
    return (min(low for low, _ in kept), max(high for _, high in kept)) if kept else (start, start)


def _with_place(*, text: str, start: int, end: int, name: str, drugs: Container[str], is_named: bool = False) -> Found:
    """With the street or town after it: up to four words or numbers behind "on", "in", "at", or up to a street word."""
    lead = PLACE.match(text, end)
    begin = lead.end() if lead else end + len(re.match(r"[\s,]*", text[end:])[0])  # type: ignore[index]
    words = list(re.finditer(r"[a-z][a-z'.-]*|#?\d{1,5}(?:st|nd|rd|th)?", text[begin : begin + 80]))
    kept: list[re.Match[str]] = []
    for word in words[:5]:
        gap = text[begin + (kept[-1].end() if kept else 0) : begin + word.start()]
        plain = word.group().strip(".")
        is_street = plain in STREETS and (kept or not lead)
        if (
            gap.strip() not in ("", "&", "and")
            or "\n" in gap
            or (plain in NOT_A_PLACE and not is_street)
            or plain in drugs
        ):
            break
        if plain in plain_words.ALL and not is_street and plain not in _PLACE_WORDS:
            break
        kept.append(word)
        if (is_street and len(kept) > 1) or (word.group().endswith(".") and plain != "st"):
            break
    while kept and kept[-1].group() in ("and", "of", "de"):
        kept.pop()
    if not kept or (not lead and not any(word.group().strip(".") in STREETS for word in kept)):
        return Found(start, end, name, "")
    place = text[begin : begin + kept[-1].end()]
    return Found(start, begin + kept[-1].end(), name, place.strip(" ."))


_PLACE_WORDS = frozenset(
    "main street road avenue st ave rd blvd north south east west old new second third first end center town and of"
    " de la las"
    " los el san santa mi local calle avenida may march june".split()
)


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
