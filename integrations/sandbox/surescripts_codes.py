"""Code tables the pretended network enforces: states, schedules, units, qualifiers, denial reasons, controlled names.

Written from the facts of our vendor notes (section 6); the schema itself accepts nonsense in most of these places,
so the network has to look. Never a list of the whole drug world: controlled names are the common ones only.
"""

import re
from collections.abc import Mapping
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STATES: Final[frozenset[str]] = _words(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR VI AA AE AP"
)

# DEASchedule/Code (NCI Thesaurus) -> schedule; an empty value means "not controlled or unspecified".
SCHEDULES: Final[Mapping[str, str]] = {
    "C48672": "I",
    "C48675": "II",
    "C48676": "III",
    "C48677": "IV",
    "C48679": "V",
    "C38046": "",
}
MOST_REFILLS: Final[Mapping[str, int]] = {"II": 0, "III": 5, "IV": 5}  # 21 CFR 1306.12, 1306.22

UNITS: Final[frozenset[str]] = _words(
    "C48542 C48480 C64696 C28254 C48155 C64933 C48524 C48539 C48506 C48548 C48521 C48504 C54564 C62412 C53499 C62276 "
    "C62609 C48538 C120263 C120216 C65032 C53504 C53502 C53503 C69124 C48499 C48552 C38046 C62413"
)
QUANTITY_QUALIFIERS: Final[frozenset[str]] = _words("38 40 87 QS CF UQ QT")
PRODUCT_QUALIFIERS: Final[frozenset[str]] = _words("ND UP NH UN RT DI GMP GPI GSP")
RXCUI_QUALIFIERS: Final[frozenset[str]] = _words("SCD SBD GPK BPK")
ADDRESS_QUALIFIERS: Final[frozenset[str]] = _words("P D C M CF ZZZ PY DIRECT REMS")

STATUS_CODES: Final[tuple[str, ...]] = ("000", "001", "002", "003", "005", "010")
ERROR_CODES: Final[tuple[str, ...]] = ("600", "601", "602", "700", "900")
DESCRIPTION_CODES: Final[frozenset[str]] = _words("008 103 134 144 210 220 500 1000 2000 3000 4000 4010 4020 4030 4040")

DENIAL_REASONS: Final[Mapping[str, frozenset[str]]] = {
    "RxRenewalResponse": _words("AA AB AC AD AE AF AG AM AN AP BE CZ DA"),
    "RxChangeResponse": _words("AA AB AC AE AF AL AM AN AO AP BE"),
    "CancelRxResponse": _words("AA AB AC AP AR"),
    "NotDispensed": _words("AA AB AC AD AG AO BF BG BP FS BQ BT CS DB DC DD DE"),
}
CHANGE_CODES: Final[tuple[str, ...]] = ("G", "P", "T", "D", "S", "OS", "U")
CHANGE_SUB_CODES: Final[tuple[str, ...]] = tuple("ABCDEFGHIJKLM")

HEIGHT_CODES: Final[frozenset[str]] = frozenset({"8302-2", "8306-3", "3137-7"})  # LOINC
WEIGHT_CODES: Final[frozenset[str]] = frozenset({"29463-7", "3141-9", "3142-7"})  # LOINC

# Names whose every ordinary prescription form is federally controlled (21 CFR 1308). Exempted mixtures are left out.
CONTROLLED_NAMES: Final[frozenset[str]] = _words("""
    alfentanil alprazolam amobarbital amphetamine armodafinil benzphetamine brivaracetam buprenorphine butorphanol
    carisoprodol cenobamate chlordiazepoxide clobazam clonazepam clorazepate codeine daridorexant dexmethylphenidate
    dextroamphetamine diazepam diethylpropion dihydrocodeine diphenoxylate dronabinol eluxadoline estazolam
    eszopiclone fentanyl fluoxymesterone flurazepam hydrocodone hydromorphone ketamine lacosamide lemborexant
    levorphanol lisdexamfetamine lorazepam meperidine meprobamate methadone methamphetamine methylphenidate
    methyltestosterone midazolam modafinil morphine nabilone opium oxandrolone oxazepam oxycodone oxymorphone
    pentazocine pentobarbital perampanel phendimetrazine phenobarbital phentermine pregabalin
    quazepam remifentanil secobarbital serdexmethylphenidate solriamfetol sufentanil suvorexant tapentadol temazepam
    testosterone tramadol triazolam zaleplon zolpidem
    adderall ambien ativan belsomra klonopin lyrica norco nucynta percocet provigil restoril ritalin soma suboxone
    ultram valium vicodin vyvanse xanax xtampza
    """)

_LETTERS = re.compile(r"[a-z]+")


def controlled_words(*, drug: str) -> frozenset[str]:
    """Return the words of a drug description that name a federally controlled drug."""
    return CONTROLLED_NAMES.intersection(_LETTERS.findall(drug.lower()))


def is_dea_number(*, text: str) -> bool:
    """Tell whether a DEA number is well-formed: two letters (or letter and 9), seven digits, right check digit."""
    if len(text) != 9 or not text.isascii() or not text[0].isalpha() or not text[1].isalnum():
        return False
    digits = text[2:]
    if not digits.isdigit():
        return False
    d = [int(character) for character in digits]
    return (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


def is_npi(*, text: str) -> bool:
    """Tell whether an NPI is ten digits with a right check digit (Luhn over 80840 and the number)."""
    if len(text) != 10 or not text.isascii() or not text.isdigit():
        return False
    total = 0
    for place, character in enumerate(reversed("80840" + text)):
        value = int(character) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def npi_from(*, nine: str) -> str:
    """Complete nine digits to a well-formed NPI."""
    return next(nine + last for last in "0123456789" if is_npi(text=nine + last))


def dea_from(*, letters: str, six: str) -> str:
    """Complete two letters and six digits to a well-formed DEA number."""
    return next(letters + six + last for last in "0123456789" if is_dea_number(text=letters + six + last))
