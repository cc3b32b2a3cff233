"""Strengths and dose forms as comparable values: "100 mcg" equals "0.1 MG", "XR" equals "Extended Release".

Reads folded words of chart names, RxNorm names and patients' messages alike. What it cannot read it leaves out and
says so; it never guesses a unit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rules.intake import letters

# unit -> (canonical unit, factor)
UNITS: dict[str, tuple[str, Fraction]] = {
    "mg": ("mg", Fraction(1)),
    "mgs": ("mg", Fraction(1)),
    "milligram": ("mg", Fraction(1)),
    "milligrams": ("mg", Fraction(1)),
    "miligramos": ("mg", Fraction(1)),
    "mcg": ("mg", Fraction(1, 1000)),
    "mcgs": ("mg", Fraction(1, 1000)),
    "ug": ("mg", Fraction(1, 1000)),
    "microgram": ("mg", Fraction(1, 1000)),
    "micrograms": ("mg", Fraction(1, 1000)),
    "g": ("mg", Fraction(1000)),
    "gm": ("mg", Fraction(1000)),
    "gram": ("mg", Fraction(1000)),
    "grams": ("mg", Fraction(1000)),
    "unt": ("unt", Fraction(1)),
    "unit": ("unt", Fraction(1)),
    "units": ("unt", Fraction(1)),
    "iu": ("unt", Fraction(1)),
    "unidades": ("unt", Fraction(1)),
    "meq": ("meq", Fraction(1)),
    "meqs": ("meq", Fraction(1)),
    "mmol": ("mmol", Fraction(1)),
    "cells": ("cells", Fraction(1)),
}
PER = {
    "ml": ("ml", Fraction(1)),
    "l": ("ml", Fraction(1000)),
    "actuat": ("actuat", Fraction(1)),
    "actuation": ("actuat", Fraction(1)),
    "act": ("actuat", Fraction(1)),
    "puff": ("actuat", Fraction(1)),
    "inh": ("actuat", Fraction(1)),
    "inhalation": ("actuat", Fraction(1)),
    "spray": ("actuat", Fraction(1)),
    "hr": ("hr", Fraction(1)),
    "hour": ("hr", Fraction(1)),
    "h": ("hr", Fraction(1)),
    "mg": ("mg", Fraction(1)),
    "g": ("mg", Fraction(1000)),
    "gm": ("mg", Fraction(1000)),
    "dose": ("dose", Fraction(1)),
}
RELEASE = {
    "er": "er",
    "xr": "er",
    "xl": "er",
    "sr": "er",
    "la": "er",
    "cr": "er",
    "cd": "er",
    "xt": "er",
    "sa": "er",
    "extended": "er",
    "sustained": "er",
    "er24": "er",
    "24hr": "er",
    "dr": "dr",
    "ec": "dr",
    "delayed": "dr",
    "enteric": "dr",
    "disintegrating": "odt",
    "odt": "odt",
    "dispersible": "odt",
    "chewable": "chew",
    "chew": "chew",
    "chewables": "chew",
    "sublingual": "sl",
    "sl": "sl",
    "effervescent": "effervescent",
    "ir": "ir",
    "immediate": "ir",
    "liberacion": "",
}
SHAPE = {
    "tablet": "tablet",
    "tablets": "tablet",
    "tab": "tablet",
    "tabs": "tablet",
    "caplet": "tablet",
    "caplets": "tablet",
    "tableta": "tablet",
    "tabletas": "tablet",
    "capsule": "capsule",
    "capsules": "capsule",
    "cap": "capsule",
    "caps": "capsule",
    "capsula": "capsule",
    "capsulas": "capsule",
    "softgel": "capsule",
    "softgels": "capsule",
    "solution": "solution",
    "soln": "solution",
    "sol": "solution",
    "syrup": "solution",
    "liquid": "solution",
    "elixir": "solution",
    "suspension": "suspension",
    "susp": "suspension",
    "cream": "cream",
    "crema": "cream",
    "ointment": "ointment",
    "oint": "ointment",
    "gel": "gel",
    "lotion": "lotion",
    "foam": "foam",
    "patch": "patch",
    "patches": "patch",
    "parche": "patch",
    "parches": "patch",
    "system": "patch",
    "inhaler": "inhaler",
    "hfa": "inhaler",
    "mdi": "inhaler",
    "diskus": "inhaler",
    "inhalador": "inhaler",
    "respimat": "inhaler",
    "spray": "spray",
    "drops": "drops",
    "drop": "drops",
    "gtt": "drops",
    "gotas": "drops",
    "suppository": "suppository",
    "lozenge": "lozenge",
    "powder": "powder",
    "granules": "granules",
    "film": "film",
    "shampoo": "shampoo",
    "injection": "injection",
    "injectable": "injection",
    "injector": "pen",
    "pen": "pen",
    "pens": "pen",
    "flexpen": "pen",
    "kwikpen": "pen",
    "kwikpens": "pen",
    "flexpens": "pen",
    "solostars": "pen",
    "flextouch": "pen",
    "tempo": "pen",
    "autoinjector": "pen",
    "nebules": "solution",
    "pump": "inhaler",
    "solostar": "pen",
    "cartridge": "cartridge",
    "syringe": "syringe",
    "vial": "injection",
    "vials": "injection",
    "ring": "ring",
    "implant": "implant",
    "insert": "insert",
    "enema": "enema",
    "kit": "pack",
    "pack": "pack",
    "nebulizer": "solution",
    "neb": "solution",
    "pad": "pad",
    "mouthwash": "mouthwash",
    "wafer": "wafer",
    "gum": "gum",
    "device": "device",
    "insulin pen": "pen",
}
ROUTE = {
    "oral": "oral",
    "orally": "oral",
    "ophthalmic": "ophthalmic",
    "otic": "otic",
    "nasal": "nasal",
    "topical": "topical",
    "vaginal": "vaginal",
    "rectal": "rectal",
    "inhalation": "inhalation",
    "transdermal": "transdermal",
    "intravenous": "injection",
    "subcutaneous": "injection",
    "intramuscular": "injection",
    "buccal": "buccal",
    "eye": "ophthalmic",
    "ear": "otic",
}
ORAL_SHAPES = frozenset({"tablet", "capsule"})


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """One strength: a number of `unit` ("mg", "mg/ml", "unt/ml", "meq", "%")."""

    value: Fraction
    unit: str

    def text(self) -> str:
        """For people: "12.5 mg"."""
        number = f"{float(self.value):.6g}"
        return f"{number} {self.unit}" if self.unit != "%" else f"{number}%"

    def equals(self, other: Amount) -> bool:
        """Same unit and within one part in a hundred (labels round); per cent meets mg/ml and mg/mg."""
        if self.unit != other.unit:
            left, right = self._as_part(), other._as_part()
            return left is not None and right is not None and "%" in (self.unit, other.unit) and _close(left, right)
        return _close(self.value, other.value)

    def _as_part(self) -> Fraction | None:
        factor = {"%": Fraction(1, 100), "mg/ml": Fraction(1, 1000), "mg/mg": Fraction(1)}.get(self.unit)
        return None if factor is None else self.value * factor


def _close(left: Fraction, right: Fraction) -> bool:
    return abs(left - right) * 100 <= max(abs(left), abs(right))


def number(*, text: str) -> Fraction | None:
    """The value of a number token; a comma before three digits groups thousands, else it is a decimal comma."""
    _, comma, tail = text.partition(",")
    plain = text.replace(",", "") if comma and len(tail.split(",")[-1].split(".")[0]) == 3 else text.replace(",", ".")
    if plain.count(".") > 1 or len(plain) > 15:
        return None
    return Fraction(plain)


def amounts_at(*, words: Sequence[letters.Token], text: str, index: int) -> tuple[list[Amount], int]:
    """Strengths beginning at word `index` ("5-325 mg", "10 mg/5 ml", "0.1 %", "20 mg-12.5 mg"); and the next index.

    Returns an empty list and `index` when no number with a unit stands there.
    """
    values: list[Fraction] = []
    at = index
    while at < len(words) and words[at].is_number and len(values) < 4:
        value = number(text=words[at].text)
        if value is None:
            return [], index
        values.append(value)
        at += 1
        gap = text[words[at - 1].end : words[at].start] if at < len(words) else text[words[at - 1].end :]
        if gap.lstrip().startswith("%"):
            return [Amount(one, "%") for one in values], at
        if at < len(words) and words[at].is_number and gap.strip() not in ("-", "/"):
            break
    if not values or at >= len(words) or words[at].text not in UNITS or len(gap.strip("- ")) > 0:
        return [], index
    unit, factor = UNITS[words[at].text]
    values = [value * factor for value in values]
    at += 1
    per, at = _per_at(words=words, text=text, index=at)
    if per is not None:
        return [Amount(value / per[1], f"{unit}/{per[0]}") for value in values], at
    return [Amount(value, unit) for value in values], at


def _per_at(*, words: Sequence[letters.Token], text: str, index: int) -> tuple[tuple[str, Fraction] | None, int]:
    if index >= len(words):
        return None, index
    gap = text[words[index - 1].end : words[index].start].strip()
    if gap != "/" and words[index].text != "per":
        return None, index
    at = index + 1 if words[index].text == "per" else index
    count = Fraction(1)
    if at < len(words) and words[at].is_number:
        if at + 1 >= len(words) or words[at + 1].text not in PER:
            return None, index
        count = number(text=words[at].text) or Fraction(1)
        at += 1
    if at >= len(words) or words[at].text not in PER:
        return None, index
    unit, factor = PER[words[at].text]
    return (unit, factor * count), at + 1


_HOURS = re.compile(r"\b(12|24) ?-?(?:hr|hour|h)\b|\b(sr|xl)\b")


def hours_of(*, text: str) -> str:
    """ "12" or "24" where a folded text says how long one dose releases ("24 HR", "XL"; "12 HR", "SR"); else ""."""
    found = {match.group(1) or {"sr": "12", "xl": "24"}[match.group(2)] for match in _HOURS.finditer(text)}
    return found.pop() if len(found) == 1 else ""


def same_amounts(*, left: Sequence[Amount], right: Sequence[Amount]) -> bool:
    """Equal as multisets."""
    rest = list(right)
    for amount in left:
        match = next((one for one in rest if amount.equals(one)), None)
        if match is None:
            return False
        rest.remove(match)
    return not rest


def text_of(*, amounts: Sequence[Amount]) -> str:
    """For people and for comparing as text: "12.5 mg / 20 mg", smallest first."""
    return " / ".join(amount.text() for amount in sorted(amounts, key=lambda one: (one.unit, one.value)))
