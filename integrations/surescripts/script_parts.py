"""Reads the elements and shared blocks of a SCRIPT message: strict where two readings are possible, lenient where a
value is merely missing or odd, and it says which.

Works on an already hardened tree; `script_read` is the only way in.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from integrations.surescripts import script_codes
from integrations.surescripts.script_model import (
    Address,
    Diagnosis,
    Drug,
    Gender,
    Name,
    PatientRef,
    PharmacyRef,
    PrescriberRef,
    Prescription,
    Schedule,
    Strength,
)

_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,9})?", re.ASCII)


class UnreadableDocument(ValueError):
    """This is no SCRIPT message that can be read in one way only."""


class Parts:
    """Reads parts of one message and collects its oddities."""

    __slots__ = ("oddities",)

    def __init__(self) -> None:
        self.oddities: list[str] = []

    def odd(self, what: str) -> None:
        """Note something unusual; the words must not come from the message."""
        self.oddities.append(what)

    # --- elements -----------------------------------------------------------------------------------------------

    def many(self, parent: Any, name: str) -> list[Any]:
        """All children of this name."""
        return [] if parent is None else parent.findall(name)

    def one(self, parent: Any, name: str) -> Any:
        """The only child of this name, or None. Raises UnreadableDocument for two."""
        found = self.many(parent, name)
        if len(found) > 1:
            raise UnreadableDocument(f"{name} stands more than once")
        return found[0] if found else None

    def need(self, parent: Any, name: str) -> Any:
        """As `one`. Raises UnreadableDocument when it is missing."""
        found = self.one(parent, name)
        if found is None:
            raise UnreadableDocument(f"no {name}")
        return found

    def own_text(self, element: Any) -> str:
        """The text of an element that must hold nothing but text."""
        if len(element):
            raise UnreadableDocument("elements where text belongs")
        return (element.text or "").strip()

    def text(self, parent: Any, path: str) -> str:
        """The text at a path of only children; empty when it is missing."""
        element = parent
        for name in path.split("/"):
            element = self.one(element, name)
            if element is None:
                return ""
        return self.own_text(element)

    def need_text(self, parent: Any, name: str) -> str:
        """As `text`. Raises UnreadableDocument when it is missing or empty."""
        value = self.own_text(self.need(parent, name))
        if not value:
            raise UnreadableDocument(f"{name} is empty")
        return value

    def texts(self, parent: Any, name: str) -> tuple[str, ...]:
        """The texts of all children of this name."""
        return tuple(self.own_text(element) for element in self.many(parent, name))

    def day(self, parent: Any, name: str) -> date | None:
        """A date element that holds Date or DateTime; the day as written."""
        holder = self.one(parent, name)
        written = self.text(holder, "Date") or self.text(holder, "DateTime") if holder is not None else ""
        if not written:
            return None
        try:
            return datetime.fromisoformat(written).date()
        except ValueError:
            self.odd(f"{name} is not a date")
            return None

    def number(self, parent: Any, path: str) -> Decimal | None:
        """A plain number."""
        written = self.text(parent, path)
        if not written:
            return None
        if not _NUMBER.fullmatch(written):
            self.odd(f"{path} is not a number")
            return None
        return Decimal(written)

    def whole(self, parent: Any, path: str) -> int | None:
        """A plain whole number."""
        found = self.number(parent, path)
        if found is not None and found != int(found):
            self.odd(f"{path} is not a whole number")
            return None
        return None if found is None else int(found)

    # --- blocks -------------------------------------------------------------------------------------------------

    def patient(self, element: Any) -> PatientRef | None:
        """The Patient block; an animal is noted and left out."""
        if element is None:
            return None
        human = self.one(element, "HumanPatient")
        if human is None:
            self.odd("the patient is not a person")
            return None
        gender = self.text(human, "Gender")
        if gender not in tuple(Gender):
            self.odd("Gender is not M, F or U")
        return PatientRef(
            name=self.name(self.need(human, "Name")),
            gender=Gender(gender) if gender in tuple(Gender) else Gender.UNKNOWN,
            born_on=self.day(human, "DateOfBirth"),
            address=self.address(self.one(human, "Address")),
            phone=self.text(human, "CommunicationNumbers/PrimaryTelephone/Number"),
            chart_id=self.text(human, "Identification/MedicalRecordIdentificationNumberEHR"),
        )

    def pharmacy(self, element: Any) -> PharmacyRef | None:
        """The Pharmacy block."""
        if element is None:
            return None
        return PharmacyRef(
            ncpdp_id=self.text(element, "Identification/NCPDPID"),
            npi=self.text(element, "Identification/NPI"),
            name=self.text(element, "BusinessName"),
            phone=self.text(element, "CommunicationNumbers/PrimaryTelephone/Number"),
            fax=self._first_fax(element),
            address=self.address(self.one(element, "Address")),
        )

    def prescriber(self, element: Any) -> PrescriberRef | None:
        """The Prescriber block; its SPI stands in the header alone, so it is empty here."""
        if element is None:
            return None
        person = self.need(element, "NonVeterinarian")
        agent = self.one(person, "PrescriberAgent")
        return PrescriberRef(
            spi="",
            npi=self.text(person, "Identification/NPI"),
            name=self.name(self.need(person, "Name")),
            phone=self.text(person, "CommunicationNumbers/PrimaryTelephone/Number"),
            fax=self._first_fax(person),
            address=self.address(self.one(person, "Address")),
            specialty=self.text(person, "Specialty"),
            practice_name=self.text(person, "PracticeLocation/BusinessName"),
            dea_number=self.text(person, "Identification/DEANumber"),
            state_license=self.text(person, "Identification/StateLicenseNumber"),
            agent=self.name(self.need(agent, "Name")) if agent is not None else None,
            place_of_service=self.text(person, "PrescriberPlaceOfService"),
        )

    def name(self, element: Any) -> Name:
        """A person's name."""
        return Name(
            last=self.text(element, "LastName"),
            first=self.text(element, "FirstName"),
            middle=self.text(element, "MiddleName"),
            suffix=self.text(element, "Suffix"),
            prefix=self.text(element, "Prefix"),
        )

    def address(self, element: Any) -> Address | None:
        """An address."""
        if element is None:
            return None
        return Address(
            line1=self.text(element, "AddressLine1"),
            line2=self.text(element, "AddressLine2"),
            city=self.text(element, "City"),
            state=self.text(element, "StateProvince"),
            postal_code=self.text(element, "PostalCode"),
            country=self.text(element, "CountryCode"),
        )

    def prescription(self, element: Any) -> Prescription | None:
        """Any medication block."""
        if element is None:
            return None
        substitutions = self.text(element, "Substitutions")
        if substitutions not in ("0", "1"):
            self.odd("Substitutions is not 0 or 1")
        return Prescription(
            drug=self._drug(element),
            quantity=self.number(element, "Quantity/Value"),
            unit_code=self.text(element, "Quantity/QuantityUnitOfMeasure/Code"),
            days_supply=self.whole(element, "DaysSupply"),
            written_on=self.day(element, "WrittenDate"),
            refills=self.whole(element, "NumberOfRefills"),
            sig=self.text(element, "Sig/SigText"),
            substitution_allowed=substitutions == "0",
            note=self.text(element, "Note"),
            diagnoses=tuple(self._diagnosis(each) for each in self.many(element, "Diagnosis")),
            last_filled_on=self.day(element, "LastFillDate"),
            requested_refills=self.whole(element, "PharmacyRequestedRefills"),
            quantity_qualifier=self.text(element, "Quantity/CodeListQualifier"),
            wants_fill_status=bool(self.text(element, "RxFillIndicator")),
        )

    def _drug(self, element: Any) -> Drug:
        coded = self.one(element, "DrugCoded")
        code = self.text(coded, "DEASchedule/Code")
        strength = self.one(coded, "Strength")
        product = self.text(coded, "ProductCode/Code")
        product_qualifier = self.text(coded, "ProductCode/Qualifier")
        return Drug(
            description=self.text(element, "DrugDescription"),
            schedule=script_codes.SCHEDULES.get(code, Schedule.UNKNOWN),
            rxcui=self.text(coded, "DrugDBCode/Code"),
            rxcui_qualifier=self.text(coded, "DrugDBCode/Qualifier"),
            ndc=product if product_qualifier == "ND" else "",
            strength=Strength(
                value=self.text(strength, "StrengthValue"),
                form_code=self.text(strength, "StrengthForm/Code"),
                unit_code=self.text(strength, "StrengthUnitOfMeasure/Code"),
            )
            if strength is not None
            else None,
        )

    def _diagnosis(self, element: Any) -> Diagnosis:
        return Diagnosis(
            code=self.text(element, "Primary/Code"),
            description=self.text(element, "Primary/Description"),
            qualifier=self.text(element, "Primary/Qualifier"),
            stated_by=self.text(element, "ClinicalInformationQualifier"),
        )

    def _first_fax(self, element: Any) -> str:
        faxes = self.many(self.one(element, "CommunicationNumbers"), "Fax")
        return self.text(faxes[0], "Number") if faxes else ""
