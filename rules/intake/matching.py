"""Which entry of the patient's own list a named drug is: exactly one, or none with the reason and the rivals.

Exact names are never bent towards another drug; a combination is never one of its parts; a misspelt word counts only
when no other known drug is near. When two entries fit, neither is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from rules.intake import brands, dose_forms, letters, normalise, products, sounds
from rules.intake.lexicon import Ingredients, Lexicon, Name, NameKind, Near
from rules.intake.reading import DoubtCode, ListItem, Rival

MARGIN = 2  # edits by which the best drug must beat every other known drug; with it k <= 2 edits cannot cross over
LOOK_ALIKE_MARGIN = 3
TWIN_LIKENESS = 0.88
TWIN_MARGIN = 4  # of look-alikes that begin alike
LOW_DOSE = frozenset({"baby aspirin", "low dose aspirin"})
# One ingredient to RxNorm, two medicines to the patient.
APART = (frozenset({"divalproex", "depakote"}), frozenset({"valproic", "valproate", "depakene"}))
# Where only one edit parts the two: how far apart they must be by Jaro-Winkler (0-1) and by rapidfuzz's ratio (0-100).
BEGINNINGS_MARGIN = 0.08
RATIO_MARGIN = 8.0
SCORES = {
    NameKind.ingredient: 100,
    NameKind.salt: 100,
    NameKind.combination: 100,
    NameKind.brand: 97,
    NameKind.alias: 95,
    NameKind.hint: 75,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A list item with what its name and code say."""

    item: ListItem
    said: tuple[normalise.Said, ...]

    @property
    def choices(self) -> frozenset[Ingredients]:
        """Every ingredient set the entry may be (name and code may disagree: both count)."""
        return frozenset(one for said in self.said for one in said.ingredient_choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A drug as named in a message, before it is matched."""

    name: Name
    key: str
    distance: int = 0
    near_rivals: tuple[str, ...] = ()
    written: str = ""  # the word as written, where it is misspelt


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What was written beside the name: `bare` numbers had no unit. `hours` and `brand`: see `_form_differs`."""

    amounts: tuple[dose_forms.Amount, ...] = ()
    bare: tuple[Fraction, ...] = ()
    shape: str = ""
    release: str = ""
    salt: str = ""
    hours: str = ""
    brand: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The outcome: `entry` or doubts; the flags compare with the entry."""

    entry: Entry | None = None
    score: int = 0
    rivals: tuple[Rival, ...] = ()
    doubts: tuple[DoubtCode, ...] = ()
    strength_differs: bool = False
    form_differs: bool = False


def entries_of(*, medications: Sequence[ListItem], lexicon: Lexicon) -> tuple[Entry, ...]:
    """The list with each name and code read; `extra_names` are kept as alternatives of the entry's own name."""
    found = []
    for item in medications:
        both = normalise.identify(name=item.name, rxcui=item.rxcui, ndc=item.ndc, lexicon=lexicon)
        said = [one for one in (both.by_name, both.by_code) if one is not None]
        found.append(Entry(item, tuple(said)))
    return tuple(found)


def misspelt(*, word: str, lexicon: Lexicon) -> Named | None:
    """The drug a misspelt word stands nearest to, with every other drug that is too near; None when none is near.

    Thresholds and what each measure adds: docs/reading.md, from `python -m tests.intake_eval.curves`.
    """
    allowed = 0 if len(word) < 5 else 1 if len(word) < 8 else 2 if len(word) < 12 else 3
    if not allowed or len(word) > 40:
        return None
    if not lexicon.near(word=word, limit=allowed):
        return None  # most words are near no drug: the narrow search is the quick one
    near = lexicon.near(word=word, limit=allowed + LOOK_ALIKE_MARGIN)
    # Of names equally near, the one that sounds alike comes first.
    heard = sounds.key(word)
    first = min(near, key=lambda one: (one.distance, OSA.distance(heard, sounds.key(one.name)), one.name))
    best = lexicon.names[first.name]
    rivals = [
        other.name
        for other in near
        if not set(lexicon.names[other.name].ingredient_sets) & set(best.ingredient_sets)
        and _is_too_near(word=word, best=first, other=other, lexicon=lexicon)
    ]
    return Named(name=best, key=first.name, distance=first.distance, near_rivals=tuple(rivals), written=word)


def _is_too_near(*, word: str, best: Near, other: Near, lexicon: Lexicon) -> bool:
    """Whether the other drug may be meant as well."""
    distance = other.distance
    is_worn = sounds.is_worn_down(word=word, name=other.name)
    if is_worn:
        distance = min(distance, 2)  # a lost syllable is one slip, however many letters it took
    gap = distance - best.distance
    mine, theirs = lexicon.names[best.name].ingredient_sets, lexicon.names[other.name].ingredient_sets
    is_pair = any(one in lexicon.look_alikes.get(each, ()) for each in mine for one in theirs)
    if is_pair and word[:2] == other.name[:2] and JaroWinkler.similarity(word, other.name) >= TWIN_LIKENESS:
        return gap < TWIN_MARGIN  # "bupirone" may be bupropion to the one who writes it
    if (is_pair and best.distance > 1) or OSA.distance(sounds.key(best.name), sounds.key(other.name)) <= 1:
        return gap < LOOK_ALIKE_MARGIN  # of names that sound alike a slip of the ear may have led to either
    if gap == 1 and not is_pair and not is_worn:
        return not _is_clearly_apart(word=word, best=best.name, other=other.name)
    return gap < MARGIN


def _is_clearly_apart(*, word: str, best: str, other: str) -> bool:
    """Whether all other measures part two names that one edit alone would not: beginnings, share of letters, sound."""
    heard = sounds.key(word)
    return (
        JaroWinkler.similarity(word, best) - JaroWinkler.similarity(word, other) >= BEGINNINGS_MARGIN
        and fuzz.ratio(word, best) - fuzz.ratio(word, other) >= RATIO_MARGIN
        and OSA.distance(heard, sounds.key(best)) < OSA.distance(heard, sounds.key(other))
    )


def resolve(*, named: Named, stated: Stated, entries: Sequence[Entry], lexicon: Lexicon) -> Match:
    """Match a named drug against the list; see the module for the rules."""
    score = max(0, SCORES[named.name.kind] - (4 + 6 * named.distance if named.distance else 0))
    active = [entry for entry in entries if entry.item.is_active]
    if named.near_rivals:
        shown = tuple(Rival(name=one, entry_id=None, score=score - 5) for one in named.near_rivals[:5])
        return Match(score=score, doubts=(DoubtCode.sound_alike,), rivals=shown)
    if named.name.kind is NameKind.hint:
        return _resolve_hint(named=named, stated=stated, active=active, score=score)
    wanted = set(named.name.ingredient_sets)
    fitting = [entry for entry in active if entry.choices & wanted]
    twins = _twins(named=named, lexicon=lexicon)
    if any(entry.choices & twins for entry in active):
        # Misspelt, and a drug often taken for it is on the list too: a slip may have led from either.
        shown = _rivals([entry for entry in active if entry.choices & (twins | wanted)], twins | wanted, score)
        return Match(score=score, doubts=(DoubtCode.sound_alike,), rivals=shown)
    if not fitting:
        return _no_entry(wanted=wanted, entries=entries, score=score)
    if len(wanted) > 1:
        fitting = [entry for entry in fitting if _carries_brand(entry=entry, key=named.key)]
        if not fitting:
            return Match(score=score, doubts=(DoubtCode.two_entries_fit,), rivals=_rivals(active, wanted, score))
    apart = [one for one in fitting if not _is_set_apart(key=named.key, name=one.item.name)]
    if not apart:
        return Match(score=score, doubts=(DoubtCode.form_differs,), rivals=_rivals(fitting, wanted, score))
    fitting = apart
    stated = _with_name(named=named, stated=stated, lexicon=lexicon)
    if named.name.kind is NameKind.brand:
        kept = [entry for entry in fitting if _may_be_brand(entry=entry, key=named.key, lexicon=lexicon)]
        if not kept:
            return replace(
                _matched(entry=fitting[0], others=fitting[1:], stated=stated, score=score - 20),
                doubts=(DoubtCode.form_differs,),
                form_differs=True,
            )
        fitting = kept
    fitting_exactly = [entry for entry in fitting if not any(_differences(entry=entry, stated=stated))]
    chosen = fitting_exactly if len(fitting) > 1 else fitting
    if len(fitting) > 1 and not _tells_apart(stated):
        chosen = fitting
    if len(chosen) != 1:
        return Match(score=score, doubts=(DoubtCode.two_entries_fit,), rivals=_rivals(fitting, wanted, score))
    return _matched(
        entry=chosen[0], others=[one for one in fitting if one is not chosen[0]], stated=stated, score=score
    )


def _twins(*, named: Named, lexicon: Lexicon) -> set[Ingredients]:
    """Drugs often taken for the one a misspelt word was read as, which the word resembles as well."""
    if not named.written:
        return set()
    wanted = set(named.name.ingredient_sets)
    found = {twin for one in wanted for twin in lexicon.look_alikes.get(one, ())} - wanted
    return {one for one in found if JaroWinkler.similarity(named.written, " ".join(one)) >= TWIN_LIKENESS}


def _is_set_apart(*, key: str, name: str) -> bool:
    said, listed = set(key.split()), set(letters.key(text=name).split())
    return any(said & one and listed & two for one, two in (APART, APART[::-1]))


def _may_be_brand(*, entry: Entry, key: str, lexicon: Lexicon) -> bool:
    """Whether the entry may be the product a brand names: the same brand, or a generic of a strength, form, release and
    route the brand has. Wegovy is not Ozempic, Flonase no inhaler, though the ingredient is one."""
    named = [said for said in entry.said if said.brand]
    if named:
        return any(products.same_brand(key, said.brand) for said in named)
    made = brands.products_of(key=key, lexicon=lexicon)
    if not made:  # a pack, or long off the market: nothing to hold a combination or a release against
        return all(len(choice) == 1 for choice in entry.choices) and not any(said.release for said in entry.said)
    return any(
        products.is_product(said=said, product=normalise.read_product(name=name, lexicon=lexicon))
        for said in entry.said
        for name in made
    )


def _tells_apart(stated: Stated) -> bool:
    return bool(stated.amounts or stated.bare or stated.shape or stated.release or stated.salt)


def _matched(*, entry: Entry, others: Sequence[Entry], stated: Stated, score: int) -> Match:
    strength, form = _differences(entry=entry, stated=stated)
    doubts = [DoubtCode.strength_differs] if strength else []
    doubts += [DoubtCode.form_differs] if form else []
    rivals = tuple(Rival(name=one.item.name, entry_id=one.item.entry_id, score=score - 20) for one in others)
    return Match(
        entry=entry, score=score, rivals=rivals, doubts=tuple(doubts), strength_differs=strength, form_differs=form
    )


def of_alias(*, entry: Entry, stated: Stated, score: int) -> Match:
    """The entry an alias belongs to; what stands beside the alias is compared as beside any other name."""
    return _matched(entry=entry, others=(), stated=stated, score=score)


def _resolve_hint(*, named: Named, stated: Stated, active: Sequence[Entry], score: int) -> Match:
    sets = named.name.ingredient_sets
    first = {one for choice in sets[: named.name.primary] for one in choice}
    if first and sum(1 for entry in active if any(set(choice) & first for choice in entry.choices)) == 1:
        sets = sets[: named.name.primary]
    members = {one for choice in sets for one in choice}
    fitting = [
        entry
        for entry in active
        if any(set(choice) & members for choice in entry.choices) and _may_be_of(entry=entry, words=named.key.split())
    ]
    dim = [entry for entry in active if not entry.choices]
    # A combination that only partly belongs to the class may be what is meant, or not: a person looks.
    is_whole = len(fitting) == 1 and all(set(choice) <= members for choice in fitting[0].choices)
    if is_whole and not dim:
        if "inhaler" in named.key.split() and not stated.shape:
            stated = replace(stated, shape="inhaler")
        return _matched(entry=fitting[0], others=(), stated=stated, score=score)
    rivals = tuple(
        Rival(name=one.item.name, entry_id=one.item.entry_id, score=score - 5) for one in (*fitting, *dim)[:6]
    )
    return Match(score=score, doubts=(DoubtCode.hint_not_unique,), rivals=rivals)


def _may_be_of(*, entry: Entry, words: Sequence[str]) -> bool:
    """Whether the form that a lay name tells ("pill", "inhaler") may be the entry's; an unknown form may be any."""
    shapes = {said.shape for said in entry.said if said.shape}
    routes = {said.route for said in entry.said if said.route}
    if not shapes:
        return True
    if {"drops", "gotas"} & set(words):
        return bool(shapes & {"drops", "solution", "suspension"}) and not routes & {
            "oral",
            "inhalation",
            "otic",
            "nasal",
        }
    if "spray" in words:
        return bool(shapes & {"spray", "suspension", "solution"}) and not routes & {"oral", "ophthalmic", "inhalation"}
    for word, forms in SAID_FORMS.items():
        if word in words:
            return bool(shapes & forms)
    if PILL_WORDS & set(words):
        return not shapes <= NOT_PILLS
    if "inhaler" in words or "inhalador" in words or "puffer" in words:
        return bool(shapes & {"inhaler", "powder"}) and not routes & {"nasal"}
    # "Allergy med": taken by mouth or inhaled, unless the name says otherwise.
    return not shapes <= TOPICAL


SAID_FORMS = {
    "cream": frozenset({"cream", "ointment"}),
    "crema": frozenset({"cream", "ointment"}),
    "ointment": frozenset({"ointment"}),
    "patch": frozenset({"patch"}),
    "patches": frozenset({"patch"}),
    "parche": frozenset({"patch"}),
    "shampoo": frozenset({"shampoo"}),
    "insulin": frozenset({"pen", "injection", "cartridge", "vial", "solution", "suspension"}),
}
TOPICAL = frozenset("cream ointment gel lotion foam shampoo drops spray enema suppository".split())


PILL_WORDS = frozenset(
    "pill pills tablet tablets tab tabs pastilla pastillas pildora pildoras capsule capsules".split()
)
NOT_PILLS = frozenset(
    "pen injection syringe cartridge inhaler powder spray cream ointment gel lotion foam patch drops shampoo ring"
    " implant"
    " suppository enema solution suspension".split()
)


def _no_entry(*, wanted: set[Ingredients], entries: Sequence[Entry], score: int) -> Match:
    stopped = [entry for entry in entries if not entry.item.is_active and entry.choices & wanted]
    if stopped:
        return Match(score=score, doubts=(DoubtCode.entry_not_active,), rivals=_rivals(stopped, wanted, score))
    parts = {one for choice in wanted for one in choice}
    partly = [
        entry for entry in entries if entry.item.is_active and any(set(choice) & parts for choice in entry.choices)
    ]
    if partly:
        shown = tuple(Rival(name=one.item.name, entry_id=one.item.entry_id, score=50) for one in partly)
        return Match(score=score, doubts=(DoubtCode.combination,), rivals=shown)
    return Match(score=score, doubts=(DoubtCode.not_on_list,))


def _rivals(entries: Sequence[Entry], wanted: set[Ingredients], score: int) -> tuple[Rival, ...]:
    return tuple(
        Rival(name=entry.item.name, entry_id=entry.item.entry_id, score=score)
        for entry in entries
        if entry.choices & wanted
    )[:6]


def _carries_brand(*, entry: Entry, key: str) -> bool:
    return any(letters.key(text=said.brand) == key for said in entry.said if said.brand)


def _with_name(*, named: Named, stated: Stated, lexicon: Lexicon) -> Stated:
    """Add what the name itself tells: the salt of a salt name, the release a brand always has (Glucotrol XL)."""
    salt = stated.salt or named.name.salt
    release = stated.release
    if named.name.kind is NameKind.brand:
        salt = salt or brands.salt_of_brand(key=named.key, lexicon=lexicon)
        shared = brands.shared_release_of_brand(key=named.key, lexicon=lexicon)
        release = release or ("ir" if shared == "" else shared or "")
    if not release and salt and len(named.name.ingredient_sets) == 1:
        plain = named.name.ingredient_sets[0]
        release = brands.release_of_salt(ingredients=plain, salt=salt.split()[0], lexicon=lexicon)
    brand = named.key if named.name.kind is NameKind.brand else ""
    if named.key in LOW_DOSE and not stated.amounts and not stated.bare:
        stated = replace(stated, amounts=(dose_forms.Amount(Fraction(81), "mg"),))
    return replace(stated, release=release, salt=salt, brand=brand)


def _differences(*, entry: Entry, stated: Stated) -> tuple[bool, bool]:
    """(strength differs or cannot be confirmed, form, release or salt differs or cannot be confirmed)."""
    return _strength_differs(entry=entry, stated=stated), _form_differs(entry=entry, stated=stated)


def _strength_differs(*, entry: Entry, stated: Stated) -> bool:
    if not stated.amounts and not stated.bare:
        return False
    known = [said.amounts for said in entry.said if said.amounts]
    if not known and entry.item.strength:
        folded = letters.fold(text=entry.item.strength)
        words = letters.tokens(text=folded.text)
        read, _ = dose_forms.amounts_at(words=words, text=folded.text, index=0) if words else ([], 0)
        known = [tuple(read)] if read else []
    if not known:
        return True
    if stated.amounts and not stated.bare and _is_printed(amounts=stated.amounts, name=entry.item.name):
        return False
    for amounts in known:
        if stated.amounts and not _amounts_fit(stated=stated.amounts, known=amounts):
            return True
        if stated.bare and not _bare_fit(bare=stated.bare, known=amounts):
            return True
    return False


def _is_printed(*, amounts: Sequence[dose_forms.Amount], name: str) -> bool:
    """Whether the one strength written stands in the entry's name as it is ("1.5 mg" of "1.5 mg/0.5 mL pen"), or is the
    whole of one container ("0.5 ML dulaglutide 3 MG/ML")."""
    folded = letters.fold(text=name).text
    if len(amounts) != 1 or amounts[0].unit != "mg":
        return False
    value = float(amounts[0].value)
    if re.search(rf"(?<![\d.]){re.escape(f'{value:g}')} ?mg/\d*\.?\d* ?ml", folded):
        return True
    whole = re.match(r"(\d*\.?\d+) ml .*?(?<![\d.])(\d*\.?\d+) mg/ml", folded)
    return whole is not None and abs(float(whole[1]) * float(whole[2]) - value) < 0.005 * value


def _amounts_fit(*, stated: Sequence[dose_forms.Amount], known: Sequence[dose_forms.Amount]) -> bool:
    if dose_forms.same_amounts(left=stated, right=known):
        return True
    # "albuterol 90 mcg" for 90 mcg/actuat: the patient leaves out the "per".
    heads = [dose_forms.Amount(one.value, one.unit.split("/")[0]) for one in known if one.unit.endswith("/actuat")]
    return bool(heads) and dose_forms.same_amounts(left=stated, right=heads)


def _bare_fit(*, bare: Sequence[Fraction], known: Sequence[dose_forms.Amount]) -> bool:
    """A number without unit fits when it is the printed number in mg, mcg, g, units or mEq."""
    rest = list(known)
    for value in bare:
        match = next((one for one in rest if value in _printed(one)), None)
        if match is None:
            return False
        rest.remove(match)
    return not rest


def _printed(amount: dose_forms.Amount) -> tuple[Fraction, ...]:
    if amount.unit in ("mg", "mg/actuat", "mg/hr"):
        return (amount.value, amount.value * 1000) if amount.value < 1 else (amount.value,)
    return (amount.value,)


def _form_differs(*, entry: Entry, stated: Stated) -> bool:
    for said in entry.said:
        if stated.release and stated.release != "ir" and said.release != stated.release:
            return True
        if stated.release == "ir" and said.release == "er":
            return True
        if stated.shape and said.shape and not products.shape_fits(stated=stated.shape, known=said.shape):
            return True
        # Twelve hours are not twenty-four (bupropion SR is not XL); insulins of two brands are two devices.
        if stated.hours and said.hours and stated.hours != said.hours:
            return True
        if stated.brand and said.brand and _is_insulin(said) and not products.same_brand(stated.brand, said.brand):
            return True
        told = set(stated.salt.split()) & brands.TELLING_SALTS
        is_named_alike = bool(stated.brand and said.brand) and products.same_brand(stated.brand, said.brand)
        if told and not told & set(said.salt.split()) and not (is_named_alike and not said.salt):
            return True
    return False


def _is_insulin(said: normalise.Said) -> bool:
    return any("insulin" in one for choice in said.ingredient_choices for one in choice)
