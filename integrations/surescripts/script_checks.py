"""Whether values fit SCRIPT 2017071: lengths, characters, identifiers and their check digits, code tables.

Pure answers about single values, the errors that say what is wrong, and the ids we make ourselves. `script_fit` applies
them to a whole message. Problems name fields, rules and lengths, never a patient's values.
"""

import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from integrations.surescripts.script_model import Drug, Schedule

MAX_ID = 35
MAX_DESCRIPTION = 105
MAX_SIG = 1000
MAX_NOTE = 210
MAX_NAME = 35
MAX_AFFIX = 10  # suffix, prefix
MAX_BUSINESS_NAME = 70
MAX_ADDRESS_LINE = 40
MAX_CITY = 35
MAX_QUANTITY = 11
MAX_REFILLS_III_IV = 5  # 21 CFR 1306.22
ADULT_FROM_YEARS = 19  # height and weight are required for patients aged 18 or under

_ORDER_PREFIX = "RH-"
_DEA = re.compile(r"[A-Z][A-Z9]\d{7}", re.ASCII)
NCI_CODE = re.compile(r"C\d{4,7}", re.ASCII)
ICD10_CODE = re.compile(r"[A-Z]\d[0-9A-Z]{1,5}", re.ASCII)
SNOMED_CODE = re.compile(r"\d{6,18}", re.ASCII)
WIRE_ID = re.compile(r"[0-9A-Za-z.-]{1,35}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """One value that does not fit.

    field: where, as a SCRIPT path below the body (for example `Patient/Name/LastName`). rule: missing, too_long,
    not_printable, malformed, check_digit, not_in_table, out_of_range, disagrees. value_hint: a length or a code, never
    health data. mend: what a person can do, one sentence.
    """

    field: str
    rule: str
    value_hint: str
    mend: str


class DoesNotFit(ValueError):
    """The message cannot be built as it stands; `problems` holds every reason."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.field}: {problem.rule}" for problem in problems))


class ControlledDrug(ValueError):
    """The routine lane was asked to carry a drug that is controlled or whose schedule is unknown."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        super().__init__(f"schedule {schedule.value}: the routine lane carries only drugs known not to be controlled")


def ten_digits(value: str) -> str | None:
    """A United States telephone number as ten digits, or None; letters and extensions are no part of one."""
    if not re.fullmatch(r"[0-9 ().+-]{10,20}", value):
        return None
    digits = re.sub(r"[^0-9]", "", value)
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    return digits if len(digits) == 10 and ("+" not in value or value.lstrip().startswith("+1")) else None


def ndc11(value: str) -> str | None:
    """A National Drug Code as the eleven digits of the wire, or None.

    With hyphens the short part is padded (4-4-2, 5-3-2, 5-4-1 become 5-4-2). Ten digits without hyphens could be any of
    the three, so they are None.
    """
    if re.fullmatch(r"[0-9]{11}", value):
        return value
    parts = value.split("-")
    if [len(part) for part in parts] not in ([4, 4, 2], [5, 3, 2], [5, 4, 1], [5, 4, 2]):
        return None
    joined = parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)
    return joined if re.fullmatch(r"[0-9]{11}", joined) else None


def is_npi(value: str) -> bool:
    """Ten digits whose Luhn sum over 80840 + NPI is right."""
    if not (len(value) == 10 and value.isascii() and value.isdigit()):
        return False
    total = 24  # the constant share of the prefix 80840
    for position, character in enumerate(reversed(value)):
        digit = int(character)
        total += digit if position % 2 == 0 else digit * 2 - (9 if digit > 4 else 0)
    return total % 10 == 0


def is_dea_number(value: str) -> bool:
    """Two letters (or a letter and 9) and seven digits, the last of which is the check digit."""
    if not _DEA.fullmatch(value):
        return False
    d = [int(character) for character in value[2:]]
    return (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


def is_spi(value: str) -> bool:
    """Thirteen digits: ten for the prescriber, three for the location."""
    return len(value) == 13 and value.isascii() and value.isdigit()


def is_ncpdp_id(value: str) -> bool:
    """Seven digits; leading zeros count, no check digit is enforced."""
    return len(value) == 7 and value.isascii() and value.isdigit()


def is_message_id(value: str) -> bool:
    """One to 35 characters that the wire carries without change."""
    return bool(WIRE_ID.fullmatch(value))


def number_text(value: Decimal) -> str:
    """A number as the wire wants it: no sign, no exponent, no needless zeros behind the point."""
    written = format(value, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return written


def age_in_years(*, born_on: date, on: date) -> int:
    """Full years of age on a day."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def most_refills(schedule: Schedule) -> int:
    """The most refills a prescription of this schedule may carry (21 CFR 1306.12, 1306.22; SCRIPT allows two digits).

    An unknown schedule may carry none.
    """
    if schedule in (Schedule.III, Schedule.IV):
        return MAX_REFILLS_III_IV
    return 99 if schedule in (Schedule.V, Schedule.NOT_CONTROLLED) else 0


def require_routine(drug: Drug) -> None:
    """Raise ControlledDrug unless the drug is known not to be controlled."""
    if drug.schedule is not Schedule.NOT_CONTROLLED:
        raise ControlledDrug(drug.schedule)


def new_message_id() -> str:
    """A fresh message id: 32 lower-case hex characters (a hyphenated UUID is one too long)."""
    return secrets.token_hex(16)


def order_number(prescription_id: uuid.UUID) -> str:
    """The PrescriberOrderNumber of one prescription, the same for its whole life and all its messages (35 characters).

    Derived from our own id, so that an answer which lost its message id still finds its prescription.
    """
    return f"{_ORDER_PREFIX}{prescription_id.hex}"


def prescription_id(number: str) -> uuid.UUID | None:
    """The id inside an order number of ours; None when it is somebody else's."""
    if not number.startswith(_ORDER_PREFIX) or not re.fullmatch(r"[0-9a-f]{32}", number[len(_ORDER_PREFIX) :]):
        return None
    return uuid.UUID(hex=number[len(_ORDER_PREFIX) :])
