"""What a chart entry says: its free-text name and its RxCUI or NDC, read separately and compared.

Never fills a gap of one with the other and never calls an unrecognised drug uncontrolled: a guard decides what to do
with a difference, a person with an unknown.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from rules.intake import brands, dose_forms, letters
from rules.intake.lexicon import (
    Ingredients,
    Lexicon,
    Name,
    NameKind,
    Product,
    Schedule,
    strictest,
)

QUALIFIERS = {"SCD": "SCD", "SBD": "SBD", "GPCK": "GPK", "BPCK": "BPK"}
SALTS = frozenset(
    """
    hydrochloride hcl hci besylate calcium sodium potassium maleate tartrate succinate mesylate fumarate sulfate
    phosphate acetate citrate bromide hydrobromide hbr nitrate tromethamine magnesium monohydrate dihydrate trihydrate
    hemihydrate anhydrous medoxomil axetil hyclate erbumine arginine mononitrate dinitrate propionate furoate
    dipropionate valerate disoproxil alafenamide etexilate proxetil pivalate besilate malate pamoate bitartrate
    bisulfate disodium dipotassium xinafoate nitrite oxalate decanoate palmitate monosodium sesquihydrate cilexetil
    camsylate tosylate ethanolate
    """.split()
)
# Salts as Spanish writes them.
SPANISH_SALTS = {
    "tartrato": "tartrate", "succinato": "succinate", "clorhidrato": "hydrochloride", "sodico": "sodium",
    "potasico": "potassium", "calcico": "calcium", "mononitrato": "mononitrate", "dinitrato": "dinitrate",
    "maleato": "maleate", "besilato": "besylate", "sulfato": "sulfate", "fosfato": "phosphate", "hiclato": "hyclate",
    "succ": "succinate", "tart": "tartrate",
}  # fmt: skip
FILLER = frozenset(
    """
    by mouth po usp and with for of the a an release acting long coated strength generic brand rx otc daily hr hour
    once twice day film dose metered dry aerosol prefilled auto regular adult equivalent base as human recombinant
    unit in per each
    """.split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one side (name or code) says. Empty text or tuple: it does not say.

    `amounts` are comparable strengths, `strength` the same for people; `release` is "" for immediate or not stated
    (`has_form` tells whether any form was stated); `hours` is "12" or "24" where a release says so. `unread` are words
    of the name nobody could place.
    """

    ingredients: Ingredients = ()
    ingredient_choices: tuple[Ingredients, ...] = ()
    salt: str = ""
    amounts: tuple[dose_forms.Amount, ...] = ()
    strength: str = ""
    shape: str = ""
    release: str = ""
    hours: str = ""
    route: str = ""
    form: str = ""
    brand: str = ""
    rxcui: str = ""
    tty: str = ""
    unread: tuple[str, ...] = ()
    schedule: Schedule = Schedule.unknown

    @property
    def has_form(self) -> bool:
        """True when a dose form was stated."""
        return bool(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """Name and code side by side. The plain fields hold what both say, else what the code says, else the name.

    `agree`: True when ingredients, strength and form are stated by both and equal; False when anything stated by
    both differs (listed in `differs_in`) or RxCUI and NDC name different drugs; None when one side is silent
    (`not_compared` lists the parts). `schedule` is the strictest of both sides, unknown when either is unknown.
    """

    ingredients: Ingredients
    strength: str
    form: str
    rxcui: str
    tty: str
    qualifier: str
    scd_name: str
    schedule: Schedule
    by_name: Said | None
    by_code: Said | None
    agree: bool | None
    differs_in: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()


def ndc11(*, text: str) -> str:
    """The 11-digit form of an NDC: hyphenated 4-4-2, 5-3-2, 5-4-1, 5-4-2 or 11 plain digits; else "".

    Ten plain digits are ambiguous (the short part is not known) and give "".
    """
    stripped = text.strip()
    parts = stripped.split("-")
    if not stripped.isascii() or not all(part.isdigit() for part in parts):
        return ""
    if len(parts) == 1:
        return stripped if len(stripped) == 11 and stripped.strip("0") else ""
    if len(parts) == 3 and tuple(map(len, parts)) in {(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)}:
        padded = parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)
        return padded if padded.strip("0") else ""
    return ""


def ndc11_choices(*, text: str) -> tuple[str, ...]:
    """Every 11-digit form an NDC may have: one as by `ndc11`, or three for ten plain digits, or none."""
    one = ndc11(text=text)
    if one:
        return (one,)
    digits = text.strip()
    if len(digits) == 10 and digits.isascii() and digits.isdigit():
        return (f"0{digits}", f"{digits[:5]}0{digits[5:]}", f"{digits[:9]}0{digits[9:]}")
    return ()


def identify(*, name: str, rxcui: str = "", ndc: str = "", lexicon: Lexicon) -> Identified:
    """Read a chart entry's name and codes; never raises, whatever the text."""
    return _identify(name, rxcui.strip(), ndc.strip(), lexicon)


@functools.lru_cache(maxsize=4096)
def _identify(name: str, rxcui: str, ndc: str, lexicon: Lexicon) -> Identified:
    by_name = read_name(name=name, lexicon=lexicon)
    codes = [said for said in (_of_rxcui(rxcui=rxcui, lexicon=lexicon), _of_ndc(ndc=ndc, lexicon=lexicon)) if said]
    by_code = codes[0] if codes else None
    differs, silent = compare(by_name=by_name, by_code=by_code)
    if len(codes) == 2 and (codes[0].rxcui != codes[1].rxcui):
        more, _ = compare(by_name=codes[1], by_code=codes[0])
        differs = tuple(dict.fromkeys((*differs, *(f"codes_{part}" for part in more))))
    if differs:
        agree: bool | None = False
    else:
        agree = None if silent else True
    first = by_code or by_name or Said()
    product = lexicon.product(rxcui=by_code.rxcui) if by_code else None
    return Identified(
        ingredients=first.ingredients,
        strength=first.strength,
        form=first.form,
        rxcui=by_code.rxcui if by_code else "",
        tty=by_code.tty if by_code else "",
        qualifier=QUALIFIERS.get(by_code.tty, "") if by_code else "",
        scd_name=product.name if product and product.tty in ("SCD", "SBD") else "",
        schedule=_schedule(by_name=by_name, codes=codes, has_code=bool(rxcui or ndc.strip("0-"))),
        by_name=by_name,
        by_code=by_code,
        agree=agree,
        differs_in=differs,
        not_compared=silent,
    )


def _schedule(*, by_name: Said | None, codes: list[Said], has_code: bool) -> Schedule:
    """Strictest of all sides; a name with unread words counts only where a code names the same ingredients."""
    sides = [said.schedule for said in codes]
    if by_name is not None and by_name.ingredients:
        vouched = any(said.ingredients == by_name.ingredients for said in codes)
        sides.append(Schedule.unknown if by_name.unread and not vouched else by_name.schedule)
    elif by_name is not None and by_name.unread:
        sides.append(Schedule.unknown)
    if has_code and not codes:
        sides.append(Schedule.unknown)  # a code we cannot place may be any drug
    known = [one for one in sides if one is not Schedule.unknown]
    if any(one is not Schedule.not_controlled for one in known):
        return strictest(*known)  # controlled for certain says more than unknown and is as cautious
    return strictest(*sides)


def _of_ndc(*, ndc: str, lexicon: Lexicon) -> Said | None:
    found = {lexicon.rxcui_of_ndc(ndc11=one) for one in ndc11_choices(text=ndc)} - {""}
    return _of_rxcui(rxcui=found.pop(), lexicon=lexicon) if len(found) == 1 else None


def _of_rxcui(*, rxcui: str, lexicon: Lexicon) -> Said | None:
    product = lexicon.product(rxcui=rxcui)
    if product is not None:
        return _of_product(product=product, lexicon=lexicon)
    name = lexicon.by_rxcui.get(rxcui)
    if name is None:
        return None
    kinds = {NameKind.ingredient: "IN", NameKind.salt: "PIN", NameKind.combination: "MIN", NameKind.brand: "BN"}
    plain = name.ingredient_sets[0] if len(name.ingredient_sets) == 1 else ()
    return Said(
        ingredients=plain,
        ingredient_choices=name.ingredient_sets,
        salt=name.salt,
        rxcui=rxcui,
        tty=kinds.get(name.kind, ""),
        brand=name.text if name.kind is NameKind.brand else "",
        schedule=strictest(*(lexicon.schedule(ingredients=one) for one in name.ingredient_sets)),
    )


def _of_product(*, product: Product, lexicon: Lexicon) -> Said:
    by_table = Schedule(product.dea.lower()) if product.dea else Schedule.not_controlled
    by_parts = lexicon.schedule(ingredients=product.ingredients)
    # The product's own mark holds the exceptions (codeine with acetaminophen is III, not II).
    schedule = by_table if product.dea else by_parts
    if product.tty in ("GPCK", "BPCK"):
        return Said(
            ingredients=product.ingredients,
            ingredient_choices=(product.ingredients,),
            shape="pack",
            form="pack",
            rxcui=product.rxcui,
            tty=product.tty,
            schedule=schedule,
        )
    read = _read(text=product.name, lexicon=lexicon)
    return Said(
        ingredients=product.ingredients,
        ingredient_choices=(product.ingredients,),
        salt=read.salt,
        amounts=read.amounts,
        strength=read.strength,
        shape=read.shape,
        release=read.release,
        hours=read.hours,
        route=read.route,
        form=read.form,
        brand=product.brand,
        rxcui=product.rxcui,
        tty=product.tty,
        schedule=schedule,
    )


def read_name(*, name: str, lexicon: Lexicon) -> Said | None:
    """What a free-text drug name says; None when it is blank."""
    return _read(text=name, lexicon=lexicon) if name.strip() else None


@functools.lru_cache(maxsize=8192)
def read_product(*, name: str, lexicon: Lexicon) -> Said:
    """What an RxNorm product name says."""
    return _read(text=name, lexicon=lexicon)


def _read(*, text: str, lexicon: Lexicon) -> Said:
    folded = letters.fold(text=text[:600])
    words = letters.tokens(text=folded.text)
    names: list[Name] = []
    amounts: list[dose_forms.Amount] = []
    salts: list[str] = []
    marks = {"shape": "", "release": "", "route": ""}
    unread: list[str] = []
    at = 0
    while at < len(words):
        found, after = name_at(words=words, index=at, lexicon=lexicon)
        if found is not None and not (found.kind is NameKind.hint or _is_only_salt(found, words[at].text, names)):
            names.append(found)
            at = after
            continue
        read, after = dose_forms.amounts_at(words=words, text=folded.text, index=at)
        if read:
            amounts.extend(read)
            at = after
            continue
        at = _mark(words=words, at=at, marks=marks, salts=salts, unread=unread)
    said = _said(names=names, amounts=amounts, salts=salts, marks=marks, unread=unread, lexicon=lexicon)
    return replace(said, hours=dose_forms.hours_of(text=folded.text))


def _is_only_salt(found: Name, word: str, names: list[Name]) -> bool:
    return bool(names) and word in SALTS and letters.key(text=found.text) == word


def _mark(
    *, words: tuple[letters.Token, ...], at: int, marks: dict[str, str], salts: list[str], unread: list[str]
) -> int:
    """Place one word that is neither a name nor a strength; returns the next index."""
    word = words[at].text
    following = words[at + 1].text if at + 1 < len(words) else ""
    if word.isdigit() and following in ("hr", "hour", "h"):
        marks["release"] = marks["release"] or ("er" if word in ("12", "24") else "")
        return at + 2
    if words[at].is_number and following in ("ml", "actuat"):
        return at + 2
    if word in dose_forms.RELEASE:
        marks["release"] = marks["release"] or dose_forms.RELEASE[word]
    elif word in dose_forms.ROUTE and not (word == "inhalation" and marks["route"]):
        marks["route"] = marks["route"] or dose_forms.ROUTE[word]
    elif word in dose_forms.SHAPE:
        shape = dose_forms.SHAPE[word]
        # "Respimat ... solution for inhalation" is an inhaler; what is in it is not its form.
        marks["shape"] = "inhaler" if marks["shape"] == "inhaler" and shape in ("solution", "suspension") else shape
    elif word in SALTS:
        salts.append(word)
    elif word not in FILLER:
        unread.append(word)
    return at + 1


def _said(
    *,
    names: list[Name],
    amounts: list[dose_forms.Amount],
    salts: list[str],
    marks: dict[str, str],
    unread: list[str],
    lexicon: Lexicon,
) -> Said:
    # "Lisinopril (Zestril) 10 mg" and "atorvastatin 20 MG Oral Tablet [Lipitor]" name one drug twice.
    branded = [name for name in names if name.kind is NameKind.brand]
    others = [name for name in names if name.kind is not NameKind.brand]
    joined = tuple(sorted({one for name in others for one in name.ingredient_sets[0]}))
    choices: tuple[Ingredients, ...] = (joined,) if joined else ()
    for brand in branded:
        if not choices:
            choices = brand.ingredient_sets
        elif any(one in brand.ingredient_sets for one in choices):
            choices = tuple(one for one in choices if one in brand.ingredient_sets)
        else:
            merged = tuple(sorted({part for one in (*choices, *brand.ingredient_sets) for part in one}))
            choices = (merged,)
    plain = choices[0] if len(choices) == 1 else ()
    salt = next((name.salt for name in others if name.salt), "") or " ".join(salts)
    brand_text = branded[0].text if branded else ""
    release = "" if marks["release"] == "ir" else marks["release"]
    if brand_text and not marks["release"]:
        release = brands.release_of_brand(key=letters.key(text=brand_text), lexicon=lexicon)
    elif not marks["release"] and plain and salt:
        release = brands.release_of_salt(ingredients=plain, salt=salt.split()[0], lexicon=lexicon)
    shape, route = marks["shape"], marks["route"]
    if shape in dose_forms.ORAL_SHAPES and not route and release != "sl":
        route = "oral"
    schedule = strictest(*(lexicon.schedule(ingredients=one) for one in choices)) if choices else Schedule.unknown
    return Said(
        ingredients=plain,
        ingredient_choices=choices,
        salt=salt,
        amounts=tuple(amounts),
        strength=dose_forms.text_of(amounts=amounts),
        shape=shape,
        release=release,
        route=route,
        form=" ".join(part for part in (shape, release) if part),
        brand=brand_text,
        unread=tuple(unread),
        schedule=schedule,
    )


def name_at(*, words: tuple[letters.Token, ...], index: int, lexicon: Lexicon) -> tuple[Name | None, int]:
    """The longest known name that begins at word `index`, and the index after it."""
    for candidate in lexicon.starts.get(words[index].text, ()):
        size = len(candidate)
        if index + size <= len(words) and all(
            words[index + offset].text == candidate[offset] for offset in range(1, size)
        ):
            return lexicon.names[" ".join(candidate)], index + size
    return None, index


def compare(*, by_name: Said | None, by_code: Said | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(parts that differ, parts that could not be compared) of "ingredients", "strength", "form", "salt"."""
    if by_name is None or by_code is None:
        return (), ("ingredients", "strength", "form")
    differs: list[str] = []
    silent: list[str] = []
    if not by_name.ingredient_choices or not by_code.ingredient_choices:
        silent.append("ingredients")
    elif not set(by_name.ingredient_choices) & set(by_code.ingredient_choices):
        differs.append("ingredients")
    if not by_name.amounts or not by_code.amounts:
        silent.append("strength")
    elif not _same_strength(by_name.amounts, by_code.amounts):
        differs.append("strength")
    if not by_name.has_form or not by_code.has_form:
        silent.append("form")
    elif not same_form(left=by_name, right=by_code):
        differs.append("form")
    if by_name.release and by_code.has_form and by_name.release != by_code.release and "form" not in differs:
        differs.append("form")
    salts = set(by_name.salt.split()) & brands.TELLING_SALTS, set(by_code.salt.split()) & brands.TELLING_SALTS
    if salts[0] and salts[1] and not salts[0] & salts[1]:
        differs.append("salt")
    return tuple(differs), tuple(silent)


def _same_strength(left: tuple[dose_forms.Amount, ...], right: tuple[dose_forms.Amount, ...]) -> bool:
    return dose_forms.same_amounts(left=left, right=right)


SHAPES_ALIKE = (
    frozenset({"injection", "pen", "syringe", "cartridge", "solution"}),
    frozenset({"vial", "injection", "solution"}),
    frozenset({"drops", "solution"}),
    frozenset({"drops", "suspension"}),
    frozenset({"inhaler", "powder"}),
    frozenset({"inhaler", "spray"}),
    frozenset({"spray", "suspension"}),
    frozenset({"spray", "solution"}),
)


def same_form(*, left: Said, right: Said) -> bool:
    """Shape, release and route agree as far as both state them; names of devices for one thing count as alike."""
    if left.release != right.release:
        return False
    if left.route and right.route and left.route != right.route:
        return False
    if left.shape == right.shape:
        return True
    return any(left.shape in group and right.shape in group for group in SHAPES_ALIKE)
