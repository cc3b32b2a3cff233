"""Units of laboratory values and vital signs: known ones are converted exactly, unknown ones refused. Pure.

Factors are molar masses or definitions, each with its source; a unit in no table is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

PLACES = Decimal("0.0001")

SAME: Mapping[str, str] = {
    # One unit under several names (UCUM, and as laboratories write it).
    "mmol/l": "mmol/L", "meq/l": "meq/L", "mg/dl": "mg/dL", "umol/l": "umol/L", "mcmol/l": "umol/L",
    "\u00b5mol/l": "umol/L", "\u03bcmol/l": "umol/L", "ml/min/1.73m2": "mL/min/1.73m2", "ml/min/1.73": "mL/min/1.73m2",
    "ml/min/{1.73_m2}": "mL/min/1.73m2", "ml/min/1.73m^2": "mL/min/1.73m2", "ml/min/1.73m\u00b2": "mL/min/1.73m2",
    "%": "%", "%hgb": "%", "%oftotalhgb": "%", "percent": "%", "mmol/mol": "mmol/mol", "miu/l": "mIU/L",
    "uiu/ml": "mIU/L",
    "\u00b5iu/ml": "mIU/L", "mu/l": "mIU/L", "u/l": "U/L", "iu/l": "U/L", "mg/g": "mg/g", "mg/gcreat": "mg/g",
    "ug/mg": "mg/g", "mcg/mg": "mg/g", "mcg/mgcreat": "mg/g", "mg/mmol": "mg/mmol", "g/dl": "g/dL", "g/l": "g/L",
    "10*3/ul": "10*3/uL", "10^3/ul": "10*3/uL", "x10e3/ul": "10*3/uL", "k/ul": "10*3/uL", "thousand/ul": "10*3/uL",
    "10*9/l": "10*3/uL", "ratio": "ratio", "inr": "ratio", "ng/ml": "ng/mL", "nmol/l": "nmol/L",
    "mm[hg]": "mm[Hg]", "mmhg": "mm[Hg]", "/min": "/min", "bpm": "/min", "beats/min": "/min", "kg": "kg", "lb": "lb",
    "lbs": "lb", "[lb_av]": "lb", "pounds": "lb", "kg/m2": "kg/m2", "kg/m^2": "kg/m2",
}  # fmt: skip

FACTORS: Mapping[tuple[str, str, str], Decimal] = {
    # (lab, from, to): multiply. Monovalent ions: one equivalent is one mole.
    ("potassium", "meq/L", "mmol/L"): Decimal(1),
    ("sodium", "meq/L", "mmol/L"): Decimal(1),
    ("creatinine", "umol/L", "mg/dL"): Decimal(1) / Decimal("88.42"),  # molar mass 113.12 g/mol
    ("ldl", "mmol/L", "mg/dL"): Decimal("38.67"),  # cholesterol, 386.65 g/mol
    ("urate", "umol/L", "mg/dL"): Decimal(1) / Decimal("59.48"),  # uric acid, 168.11 g/mol
    ("calcium", "mmol/L", "mg/dL"): Decimal("4.008"),  # calcium, 40.08 g/mol
    ("calcium", "meq/L", "mg/dL"): Decimal("2.004"),  # bivalent
    ("magnesium", "mmol/L", "mg/dL"): Decimal("2.431"),  # magnesium, 24.305 g/mol
    ("magnesium", "meq/L", "mg/dL"): Decimal("1.2153"),  # bivalent
    ("vitd", "nmol/L", "ng/mL"): Decimal(1) / Decimal("2.496"),  # 25-hydroxyvitamin D3, 400.64 g/mol
    ("hgb", "g/L", "g/dL"): Decimal("0.1"),
    ("uacr", "mg/mmol", "mg/g"): Decimal("8.84"),  # creatinine, 113.12 g/mol
    ("weight", "lb", "kg"): Decimal("0.45359237"),  # exact by definition (international avoirdupois pound)
}


def convert(*, key: str, value: Decimal, unit: str, to: str) -> Decimal | None:
    """The value in the unit wanted; None for a unit that is not known for this laboratory test."""
    known = SAME.get(re.sub(r"\s+", "", unit).lower())
    if known is None:
        return None
    if known == to:
        return value
    if (key, known, to) == ("a1c", "mmol/mol", "%"):
        # IFCC to NGSP, master equation of the IFCC-NGSP network (2010).
        return (Decimal("0.09148") * value + Decimal("2.152")).quantize(PLACES)
    factor = FACTORS.get((key, known, to))
    return None if factor is None else (value * factor).quantize(PLACES)
