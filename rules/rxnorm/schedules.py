"""The DEA schedule of a product: the strictest of its ingredients by our table, with the exceptions of 21 CFR 1308.

An exception lowers one ingredient's share in one product and needs everything it asks for; in doubt the ingredient's
own schedule stands. Marks are "II" to "V", "" where nothing is marked (which says nothing by itself).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

ORDER = ("", "V", "IV", "III", "II")
LABEL = re.compile(r"C-?(IV|V|I{1,3})N?")  # CII, and the forms C-II and CIIN of other registers
# With these, codeine is III in liquids too, however thin.
CODEINE_PARTNERS = frozenset({"acetaminophen", "aspirin", "butalbital", "carisoprodol", "ibuprofen"})
MOST_MG = 90.0  # per dosage unit, 21 CFR 1308.13(e)(1)
MOST_MG_ML = 18.0  # 1.8 g per 100 mL, 21 CFR 1308.13(e)(1)
COUGH_MG_ML = 2.0  # 200 mg per 100 mL, 21 CFR 1308.15(c)(1)


def strictest(*, marks: Iterable[str]) -> str:
    """The strictest mark; "" where there is none."""
    return max(marks, key=ORDER.index, default="")


def of_label(*, text: str) -> str:
    """The mark of a label's value (CII to CV); "" for anything else. CI has no mark of its own: II bars as much."""
    found = LABEL.fullmatch(text.strip().upper())
    return {"I": "II"}.get(found[1], found[1]) if found else ""


def of_product(*, name: str, ingredients: Iterable[str], table: Mapping[str, str]) -> str:
    """The mark of a clinical drug by its RxNorm name and ingredients; `table`: ingredient -> mark."""
    found = tuple(ingredients)
    return strictest(marks=(_share(one, name=name, beside=frozenset(found) - {one}, table=table) for one in found))


def _share(ingredient: str, *, name: str, beside: frozenset[str], table: Mapping[str, str]) -> str:
    own = table.get(ingredient, "")
    if ingredient == "codeine" and beside:
        return _of_codeine(name, beside=beside) or own
    if ingredient == "dihydrocodeine" and beside:
        # 21 CFR 1308.13(e)(1): in limited amounts with active ingredients that are not narcotic.
        return "III" if _is_within(name, "dihydrocodeine") else own
    if ingredient == "diphenoxylate" and "atropine" in beside:
        # 21 CFR 1308.15(c)(4): at most 2.5 mg with at least 25 micrograms of atropine per unit (a unit is 5 mL).
        amount = _amount(name, "diphenoxylate")
        return "V" if amount in ((2.5, "MG"), (0.5, "MG/ML")) else own
    if ingredient == "dronabinol" and "Capsule" not in name:
        return "II"  # 21 CFR 1308.12(f)(2): the oral solution; the capsule is III by 1308.13(g)(1)
    return own


def _of_codeine(name: str, *, beside: frozenset[str]) -> str:
    """With another ingredient: V as a thin liquid (1308.15(c)(1)), else III in limited amounts (1308.13(e)(1))."""
    if not _is_within(name, "codeine"):
        return ""
    amount = _amount(name, "codeine")
    is_thin = amount is not None and amount[1] == "MG/ML" and amount[0] <= COUGH_MG_ML
    return "V" if is_thin and not beside & CODEINE_PARTNERS else "III"


def _is_within(name: str, ingredient: str) -> bool:
    amount = _amount(name, ingredient)
    if amount is None:
        return False
    return amount[0] <= (MOST_MG if amount[1] == "MG" else MOST_MG_ML)


def _amount(name: str, ingredient: str) -> tuple[float, str] | None:
    """(amount, "MG" or "MG/ML") of an ingredient in a clinical drug's name; None when it is not said like that."""
    for part in name.split(" / "):
        found = re.search(rf"(?i)(?:^|\s){ingredient}\b.*?\s(\d+(?:\.\d+)?) (MG/ML|MG)(?=\s|$)", part)
        if found:
            return float(found[1]), found[2].upper()
    return None
