"""Collects, while one message is put together, everything that does not fit SCRIPT 2017071, and raises it at once.

So a person can mend it in one go. Each method returns the value as the wire wants it, or an empty text and a noted
problem. Nothing is ever cut to fit; what is replaced to reach ASCII is noted for the reviewer.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from integrations.surescripts import script_checks, script_codes, script_text
from integrations.surescripts.script_checks import DoesNotFit, Problem

_MISSING = ("missing", "Fill this in.")


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

    def phone(self, field: str, value: str) -> str:
        """A telephone number of the United States as ten digits; the usual marks and a leading 1 are left out."""
        found = script_checks.ten_digits(value)
        if found is None:
            rule, mend = ("malformed", "This must be a telephone number of ten digits.") if value else _MISSING
            self.refuse(field, rule, f"{len(value)} characters" if value else "", mend)
        return found or ""

    def postal_code(self, field: str, value: str) -> str:
        """A ZIP code of five or nine digits; the hyphen of the nine is left out."""
        if re.fullmatch(r"[0-9]{5}-[0-9]{4}", value):
            value = value.replace("-", "")
        return self.digits(field, value, lengths=(5, 9))

    def ndc(self, field: str, value: str) -> str:
        """A National Drug Code in its eleven digits."""
        found = script_checks.ndc11(value)
        if found is None:
            hint, mend = f"{len(value)} characters", "Give the NDC as 11 digits or with its hyphens, or leave it out."
            self.refuse(field, "malformed", hint, mend)
        return found or ""

    def npi(self, field: str, value: str) -> str:
        """A National Provider Identifier with a right check digit."""
        found = self.digits(field, value, lengths=(10,))
        if found and not script_checks.is_npi(found):
            self.refuse(field, "check_digit", "", "This is not a valid NPI; compare it with the registry.")
        return found

    def dea_number(self, field: str, value: str) -> str:
        """A DEA number with a right check digit; empty stays empty."""
        if value and not script_checks.is_dea_number(value):
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
        if not script_checks.WIRE_ID.fullmatch(value):
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
        if not script_checks.NCI_CODE.fullmatch(value):
            self.refuse(field, "malformed", f"{len(value)} characters", "This must be an NCI code such as C42998.")
            return ""
        return value

    def unit(self, field: str, value: str) -> str:
        """A unit of measure from our table; unspecified is refused."""
        if value not in script_codes.UNITS:
            hint = value if script_checks.NCI_CODE.fullmatch(value) else "no code"
            self.refuse(field, "not_in_table", hint, "Choose the unit in which the pharmacy counts this drug.")
            return ""
        return value

    def quantity(self, field: str, value: Decimal | None) -> str:
        """An amount above zero in at most 11 characters."""
        if value is None or not value.is_finite() or value <= 0:
            self.refuse(field, "missing" if value is None else "out_of_range", "", "Give a quantity above zero.")
            return ""
        written = script_checks.number_text(value)
        if len(written) > script_checks.MAX_QUANTITY:
            hint = f"{len(written)} characters, {script_checks.MAX_QUANTITY} allowed"
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
        pattern = {"ABF": script_checks.ICD10_CODE, "LD": script_checks.SNOMED_CODE}.get(qualifier)
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
