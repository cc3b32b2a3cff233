"""Whether values fit SCRIPT 2017071: lengths, characters, identifiers and their check digits, code tables.

Everything wrong is collected and raised at once as `DoesNotFit`, so that a person can mend it in one go. Nothing is
ever cut to fit. Problems name fields, rules and lengths, never a patient's values.
"""

import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from integrations.surescripts import script_codes, script_text
from integrations.surescripts.script_model import Drug, Schedule

MAX_ID = 35
MAX_DESCRIPTION = 105
MAX_SIG = 1000
MAX_NOTE = 210
MAX_NAME = 35
MAX_BUSINESS_NAME = 70
MAX_ADDRESS_LINE = 40
MAX_CITY = 35
MAX_QUANTITY = 11
MAX_REFILLS_III_IV = 5  # 21 CFR 1306.22
ADULT_FROM_YEARS = 19  # height and weight are required for patients aged 18 or under

_ORDER_PREFIX = "RH-"
_DEA = re.compile(r"[A-Z][A-Z9]\d{7}", re.ASCII)
_NCI = re.compile(r"C\d{4,7}", re.ASCII)
_ICD10 = re.compile(r"[A-Z]\d[0-9A-Z]{1,5}", re.ASCII)
_SNOMED = re.compile(r"\d{6,18}", re.ASCII)
_WIRE_ID = re.compile(r"[0-9A-Za-z.-]{1,35}", re.ASCII)


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


@dataclass(frozen=True, slots=True)
class TextChange:
    """One replacement made to fit a text into ASCII, to be shown to the reviewer before sending."""

    field: str
    before: str
    after: str


class Fit:
    """Collects problems and changes while a message is put together; one per message."""

    __slots__ = ("changes", "problems")

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.changes: list[TextChange] = []

    def refuse(self, field: str, rule: str, value_hint: str, mend: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(field=field, rule=rule, value_hint=value_hint, mend=mend))

    def finish(self) -> None:
        """Raise DoesNotFit when anything was noted."""
        if self.problems:
            raise DoesNotFit(tuple(self.problems))

    def text(self, field: str, value: str, *, most: int, required: bool = True) -> str:
        """The value as escaped printable ASCII of at most `most` characters; empty with a problem when it is not."""
        if not script_text.is_wire_text(value):
            try:
                changed = script_text.transliterate_with_changes(value)
            except script_text.CannotTransliterate as error:
                self.refuse(field, "not_printable", error.character, "Write this in plain letters, digits and marks.")
                return ""
            self.changes.extend(TextChange(field, before, after) for before, after in changed.changes)
            value = changed.text
        value = value.strip(" ")
        if not value:
            if required:
                self.refuse(field, "missing", "", "Fill this in.")
            return ""
        if len(value) > most:
            hint = f"{len(value)} characters, {most} allowed"
            self.refuse(field, "too_long", hint, "Shorten this without changing its meaning; it is never cut for you.")
            return ""
        if "&" in value or "<" in value or ">" in value:
            value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return value

    def digits(self, field: str, value: str, *, lengths: tuple[int, ...], required: bool = True) -> str:
        """A value of ASCII digits with one of these lengths."""
        if not value and not required:
            return ""
        if not value:
            self.refuse(field, "missing", "", "Fill this in.")
        elif not (value.isascii() and value.isdigit() and len(value) in lengths):
            wanted = " or ".join(str(length) for length in lengths)
            self.refuse(field, "malformed", f"{len(value)} characters", f"This must be {wanted} digits.")
        else:
            return value
        return ""

    def npi(self, field: str, value: str) -> str:
        """A National Provider Identifier with a right check digit."""
        found = self.digits(field, value, lengths=(10,))
        if found and not is_npi(found):
            self.refuse(field, "check_digit", "", "This is not a valid NPI; compare it with the registry.")
        return found

    def dea_number(self, field: str, value: str) -> str:
        """A DEA number with a right check digit; empty stays empty."""
        if value and not is_dea_number(value):
            self.refuse(field, "check_digit", "", "This is not a valid DEA number.")
        return value

    def state(self, field: str, value: str) -> str:
        """A two-letter state or territory."""
        if value not in script_codes.STATES:
            self.refuse(field, "not_in_table", f"{len(value)} characters", "Use the two-letter code of the state.")
            return ""
        return value

    def wire_id(self, field: str, value: str) -> str:
        """A message or order id of 1 to 35 letters, digits, full stops and hyphens."""
        if not _WIRE_ID.fullmatch(value):
            self.refuse(field, "malformed", f"{len(value)} characters", "Ids have 1 to 35 letters, digits or hyphens.")
            return ""
        return value

    def moment(self, field: str, value: datetime) -> str:
        """An aware moment as UTC with `Z`, to the second."""
        if value.tzinfo is None:
            self.refuse(field, "malformed", "no time zone", "The time must name its zone.")
            return ""
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def nci_code(self, field: str, value: str) -> str:
        """A concept code of the NCI Thesaurus by its form."""
        if not _NCI.fullmatch(value):
            self.refuse(field, "malformed", f"{len(value)} characters", "This must be an NCI code such as C42998.")
            return ""
        return value

    def unit(self, field: str, value: str) -> str:
        """A unit of measure from our table; unspecified is refused."""
        if value not in script_codes.UNITS:
            hint = value if _NCI.fullmatch(value) else "no code"
            self.refuse(field, "not_in_table", hint, "Choose the unit in which the pharmacy counts this drug.")
            return ""
        return value

    def quantity(self, field: str, value: Decimal | None) -> str:
        """An amount above zero in at most 11 characters."""
        if value is None or not value.is_finite() or value <= 0:
            self.refuse(field, "missing" if value is None else "out_of_range", "", "Give a quantity above zero.")
            return ""
        written = number_text(value)
        if len(written) > MAX_QUANTITY:
            hint = f"{len(written)} characters, {MAX_QUANTITY} allowed"
            self.refuse(field, "too_long", hint, "Give the quantity with fewer digits.")
            return ""
        return written

    def whole(self, field: str, value: int | None, *, least: int, most: int) -> str:
        """A whole number within bounds."""
        if value is None:
            self.refuse(field, "missing", "", "Fill this in.")
            return ""
        if not least <= value <= most:
            self.refuse(field, "out_of_range", str(value), f"This must lie between {least} and {most}.")
            return ""
        return str(value)

    def diagnosis_code(self, field: str, value: str, qualifier: str) -> str:
        """An ICD-10-CM code without its dot, or a SNOMED CT code, by its form."""
        pattern = {"ABF": _ICD10, "LD": _SNOMED}.get(qualifier)
        if pattern is None:
            self.refuse(field, "not_in_table", qualifier[:5], "Use ICD-10-CM (ABF) or SNOMED CT (LD).")
            return ""
        if not pattern.fullmatch(value):
            self.refuse(field, "malformed", f"{len(value)} characters", "Give the code without its dot.")
            return ""
        return value

    def strength_value(self, field: str, value: str) -> str:
        """A plain number as text."""
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value):
            self.refuse(field, "malformed", f"{len(value)} characters", "The strength must be one plain number.")
            return ""
        return value


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
    return bool(_WIRE_ID.fullmatch(value))


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
