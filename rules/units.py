"""Units of laboratory values and vital signs: known spellings, known conversions, everything else refused.

Exact decimals, one direction only (into the unit the protocols compare in). It never guesses a unit from a value.
Sources: UCUM 2.1 (spellings); NIST SP 811 and the 1959 pound (mass); molar masses of PubChem; NGSP master equation
(HbA1c); the rest is a change of prefix or, for ions of one charge, mEq = mmol.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

STEP = Decimal("0.0001")
"""Converted values are kept to this step: finer than any laboratory reports, coarse enough to read."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """value x `times` / `over` + `plus`, and where the figures come from."""

    times: Decimal
    over: Decimal
    source: str
    plus: Decimal = Decimal(0)

    def of(self, value: Decimal) -> Decimal:
        with localcontext() as context:
            context.prec = 28
            found = value * self.times / self.over + self.plus
            return found.quantize(STEP, rounding=ROUND_HALF_EVEN).normalize()


_SPELLINGS: Mapping[str, str] = {
    "mmol/L": "mmol/l",
    "mEq/L": "meq/l",
    "umol/L": "umol/l micromol/l mcmol/l",
    "nmol/L": "nmol/l",
    "mg/dL": "mg/dl mg/100ml mg%",
    "g/dL": "g/dl gm/dl g/100ml",
    "g/L": "g/l",
    "ng/mL": "ng/ml ug/l mcg/l",
    "mIU/L": "miu/l mu/l uiu/ml uu/ml mciu/ml m[iu]/l u[iu]/ml",
    "U/L": "u/l iu/l [iu]/l units/l unit/l",
    "ukat/L": "ukat/l",
    "mL/min/1.73m2": "ml/min/1.73m2 ml/min/1.73m^2 ml/min/{1.73_m2} ml/min/{1.73m2} ml/min/1.73sqm ml/min/1.73_m2 "
    "ml/min/1.73",
    "%": "% %hgb %ofhgb %{hgb} percent %oftotalhgb",
    "mmol/mol": "mmol/mol",
    "mg/g": "mg/g mg/g{creat} mg/gcreat mg/gcr mcg/mg ug/mg mcg/mgcreat mg/gcreatinine",
    "mg/mmol": "mg/mmol",
    "10*3/uL": "10*3/ul 10^3/ul 10e3/ul x10*3/ul x10^3/ul x10e3/ul x103/ul k/ul k/mm3 thou/ul thousand/ul thous/mcl "
    "10*9/l 10^9/l 10e9/l x10*9/l x10^9/l x10e9/l x109/l k/mcl 10*3/mm3 thou/mm3",
    "/uL": "/ul cells/ul /mm3 cells/mm3 cells/mcl /mcl",
    "ratio": "ratio inr {inr} 1 {ratio}",
    "mm[Hg]": "mm[hg] mmhg",
    "/min": "/min bpm beats/min beats/minute {beats}/min permin",
    "kg": "kg kgs kilogram kilograms",
    "g": "g gm grams",
    "[lb_av]": "[lb_av] lb lbs pound pounds",
    "[oz_av]": "[oz_av] oz ounces",
    "kg/m2": "kg/m2 kg/m^2",
}
_CODES: Mapping[str, str] = {word: code for code, words in _SPELLINGS.items() for word in words.split()}
_SIGNS = str.maketrans({"µ": "u", "μ": "u", "²": "2", "³": "3", "⁹": "9", "×": "x", "∗": "*"})
UNITLESS = frozenset({"inr"})
"""Analytes that are pure numbers: no unit at all is their unit."""


def _molar(times: str, over: str, name: str) -> Conversion:
    return Conversion(Decimal(times), Decimal(over), f"PubChem molar mass of {name}")


_ION = Conversion(Decimal(1), Decimal(1), "one charge: 1 mEq = 1 mmol")
_SMALLER = Conversion(Decimal(1), Decimal(1000), "a change of prefix")
CONVERSIONS: Mapping[tuple[str, str, str], Conversion] = {
    # (analyte, from, into). Molar: mmol/L x g/mol / 10 = mg/dL; umol/L x g/mol / 10,000 = mg/dL.
    ("potassium", "mEq/L", "mmol/L"): _ION,
    ("sodium", "mEq/L", "mmol/L"): _ION,
    ("creatinine", "umol/L", "mg/dL"): _molar("113.12", "10000", "creatinine, 113.12 g/mol"),
    ("creatinine", "mmol/L", "mg/dL"): _molar("113.12", "10", "creatinine, 113.12 g/mol"),
    ("glucose", "mmol/L", "mg/dL"): _molar("180.16", "10", "glucose, 180.16 g/mol"),
    ("ldl", "mmol/L", "mg/dL"): _molar("386.65", "10", "cholesterol, 386.65 g/mol"),
    ("urate", "umol/L", "mg/dL"): _molar("168.11", "10000", "uric acid, 168.11 g/mol"),
    ("urate", "mmol/L", "mg/dL"): _molar("168.11", "10", "uric acid, 168.11 g/mol"),
    ("calcium", "mmol/L", "mg/dL"): _molar("40.08", "10", "calcium, 40.08 g/mol"),
    ("calcium", "mEq/L", "mg/dL"): _molar("40.08", "20", "calcium, 40.08 g/mol, two charges"),
    ("magnesium", "mmol/L", "mg/dL"): _molar("24.305", "10", "magnesium, 24.305 g/mol"),
    ("magnesium", "mEq/L", "mg/dL"): _molar("24.305", "20", "magnesium, 24.305 g/mol, two charges"),
    ("vitd", "nmol/L", "ng/mL"): _molar("400.6", "1000", "25-hydroxyvitamin D3, 400.6 g/mol"),
    ("uacr", "mg/mmol", "mg/g"): Conversion(Decimal(1000), Decimal("113.12"), "creatinine, 113.12 g/mol"),
    ("a1c", "mmol/mol", "%"): Conversion(
        Decimal("0.09148"), Decimal(1), "NGSP master equation: NGSP = 0.09148 x IFCC + 2.152", Decimal("2.152")
    ),
    ("hgb", "g/L", "g/dL"): Conversion(Decimal(1), Decimal(10), "a change of prefix"),
    ("plt", "/uL", "10*3/uL"): _SMALLER,
    ("wbc", "/uL", "10*3/uL"): _SMALLER,
    ("alt", "ukat/L", "U/L"): Conversion(Decimal(60), Decimal(1), "1 kat = 1 mol/s, 1 U = 1 umol/min"),
    ("ast", "ukat/L", "U/L"): Conversion(Decimal(60), Decimal(1), "1 kat = 1 mol/s, 1 U = 1 umol/min"),
    ("weight", "[lb_av]", "kg"): Conversion(Decimal("0.45359237"), Decimal(1), "NIST SP 811: exact"),
    ("weight", "[oz_av]", "kg"): Conversion(Decimal("0.45359237"), Decimal(16), "NIST SP 811: exact"),
    ("weight", "g", "kg"): _SMALLER,
}


def code_of(*, text: str) -> str | None:
    """Our code for a unit as somebody wrote it; None when the spelling is not known."""
    plain = "".join(text.translate(_SIGNS).lower().split())
    return _CODES.get(plain)


def is_known(*, key: str, unit: str, into: str) -> bool:
    """Whether values of this analyte in this unit can be converted."""
    return convert(key=key, value=Decimal(1), unit=unit, into=into) is not None


def convert(*, key: str, value: Decimal, unit: str, into: str) -> Decimal | None:
    """`value` in the unit `into`; None when the unit is not known or not one of this analyte.

    `key` is a lab key of the protocol table, `unit` as the source wrote it, `into` a unit of the protocol table.
    """
    code = code_of(text=unit)
    if code is None and not unit.strip() and key in UNITLESS:
        code = "ratio"
    if code == into:
        return value
    known = CONVERSIONS.get((key, code or "", into))
    return known.of(value) if known is not None else None
