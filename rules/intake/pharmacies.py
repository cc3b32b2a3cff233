"""Find pharmacies named in a message and compare them, by words alone, with the ones we know.

Which pharmacy the prescription goes to is never decided here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from rules.intake import everyday, letters, plain_words
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
    r" supermarkets?|market street|sedano'?s|sav-?on|thriftway|fred'?s|bartell'?s|eckerd'?s?"
    r"|quality food|qfc|haggen|times supermarket"
)
CHAINS = re.compile(
    rf"\b(?:{_CHAIN_NAMES})(?: (?:pharmacy|drug ?stores?|drugs?|rx))?(?:,? ?(?:#|store|no\.?|number)"
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


TOWNS = re.compile(
    r"\b(?:cedar|sioux|wichita|twin|great|niagara|idaho|chippewa|klamath|menomonee|river|fergus|little|glens|black"
    r" river"
    r"|international|thief river|seneca|cuyahoga|chagrin) falls\b|\b(?:hot|sulphur|coral|palm) springs\b"
)


def find(*, text: str, known_drugs: Container[str] = (), capitals: Container[int] | None = None) -> tuple[Found, ...]:
    """Every pharmacy named in a folded text, in order, a place after it included.

    `known_drugs`: words that are drug names; a place ends before one ("at CVS, lisinopril"). `capitals`: where words
    written with a capital begin; a word that the language knows belongs to a place only if it is one of them (None:
    unknown, any word may).
    """
    may_be_place = _Places(known_drugs, capitals)
    found = [
        _with_place(text=text, start=match.start(), end=match.end(), name=match.group(), allowed=may_be_place)
        for match in CHAINS.finditer(text)
    ]
    found = _merged(found, text)
    for match in NAMED.finditer(text):
        group = 1 if match.group(1) else 2
        start, end = _name_bounds(
            text=text, start=match.start(group), end=match.end(group), is_before=group == 1, drugs=known_drugs
        )
        if start == end or any(one.start < match.end() and start < one.end for one in found):
            continue
        begin, stop = (start, match.end()) if group == 1 else (match.start(), end)
        found.append(_with_place(text=text, start=begin, end=stop, name=text[begin:stop], allowed=may_be_place))
    return tuple(sorted(found, key=lambda one: one.start))


def _merged(found: list[Found], text: str) -> list[Found]:
    """One pharmacy where two chains stand together ("the CVS in Target", "Target CVS")."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda each: each.start):
        last = kept[-1] if kept else None
        if last is not None and one.start < last.end:
            continue
        if (
            last is not None
            and not last.place
            and re.fullmatch(r" (?:in |at |inside )?(?:the )?", text[last.end : one.start])
        ):
            kept[-1] = Found(last.start, one.end, text[last.start : one.end], one.place)
        else:
            kept.append(one)
    return kept


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


@dataclass(frozen=True, slots=True)
class _Places:
    """Which words may belong to a place: none that could be the next thing the patient says."""

    drugs: Container[str]
    capitals: Container[int] | None

    def allow(self, *, word: str, start: int) -> bool:
        """Whether the word at `start` may be a part of a street's or town's name."""
        if word in self.drugs or word in NOT_A_PLACE:
            return False
        if word in NEVER_A_PLACE:
            return False
        if word in STREETS or word in _PLACE_WORDS or word.startswith("#") or (word[-1] in "htd" and word[0].isdigit()):
            return True
        if word[0].isdigit():
            return False  # a number alone may be the strength that is asked for
        if self.capitals is None:
            return word not in plain_words.ALL
        lists = everyday.load()
        return start in self.capitals or word not in lists.known or word in lists.neutral


def _with_place(*, text: str, start: int, end: int, name: str, allowed: _Places) -> Found:
    """With the street or town after it: up to four words behind "on", "in", "at" or a comma, or up to a street word."""
    lead = PLACE.match(text, end)
    begin = lead.end() if lead else end + len(_GAP.match(text, end).group())  # type: ignore[union-attr]
    kept: list[tuple[int, int, str]] = []
    for match in itertools.islice(_PLACE_WORD.finditer(text, begin, begin + 80), 5):
        gap = text[kept[-1][1] if kept else begin : match.start()]
        word = match.group().strip(".")
        is_joint = gap.strip(" ") in ("", "&", "and", "/") and "\n" not in gap
        if _ADDRESS.match(text, match.start()) and not kept:
            kept.append((match.start(), match.end(), word))
            continue
        if _NUMBER_OF_DRUG.match(text, match.start()):
            break
        if not is_joint or not allowed.allow(word=word, start=match.start()):
            break
        kept.append((match.start(), match.end(), word))
        if (word in STREETS and len(kept) > 1) or (match.group().endswith(".") and word != "st"):
            break
    while kept and kept[-1][2] in ("and", "of", "de", "the"):
        kept.pop()
    is_ended = bool(kept) and (
        text[kept[-1][1] - 1] == "." or re.match(r" ?(?:$|[.,;!?\n])", text[kept[-1][1] :]) is not None
    )
    is_told = bool(lead) or (
        allowed.capitals is not None and (text[end:begin].strip() == "," or (is_ended and text[end:begin] == " "))
    )
    is_told = is_told and all(low in (allowed.capitals or ()) or lead for low, _, _ in kept)
    if not kept or not (is_told or any(word in STREETS for _, _, word in kept)):
        return Found(start, end, name, "")
    place = text[begin : kept[-1][1]]
    return Found(start, kept[-1][1], name, place.strip(" ."))


NEVER_A_PLACE = frozenset(
    "double half extra more less tab tabs tablet tablets mg mcg dose doses stop no not never none"
    " twice daily without only units"
    " capsules caps pills pill strength increase lower".split()
)
_ADDRESS = re.compile(
    r"#?\d{1,5} (?:[nsew]\.? |north |south |east |west )?[a-z]+ (?:st|street|ave|avenue|rd|road"
    r"|blvd|dr|drive|ln|lane|hwy|pkwy|pike|way|ct)\b"
)
_NUMBER_OF_DRUG = re.compile(
    r"\d+(?:\.\d+)? ?(?:mg|mcg|units?|ml|tab|pill|caps|count|days?)|\d+ [a-z]*(?:in|ol|ine|pril"
    r"|statin|sartan)\b"
)
_GAP = re.compile(r"[\s,]*")
_PLACE_WORD = re.compile(r"[a-z][a-z'.-]*|#?\d{1,5}(?:st|nd|rd|th)?")
_PLACE_WORDS = frozenset(
    "exit main street road avenue st ave rd blvd north south east west old new second third first end center town and"
    " of"
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
