"""The shared blocks of a SCRIPT 2017071 message, each in the element order of the standard.

Every function writes one block as text and notes in its Fit what does not fit; none of them decides, cuts or fills in.
"""

from integrations.surescripts import script_checks
from integrations.surescripts.script_fit import Fit
from integrations.surescripts.script_model import (
    Address,
    Name,
    PatientRef,
    PharmacyRef,
    PrescriberRef,
)

OUR_PEOPLE = frozenset(
    {
        "Patient", "Pharmacy", "Prescriber", "Patient/Address", "Prescriber/Address",
        "Patient/CommunicationNumbers", "Pharmacy/CommunicationNumbers", "Prescriber/CommunicationNumbers",
    }
)  # fmt: skip
"""What a message of ours always names, more than the schema asks (contract 4.1)."""


def people(
    fit: Fit,
    *,
    patient: PatientRef | None,
    pharmacy: PharmacyRef | None,
    prescriber: PrescriberRef | None,
    needs: frozenset[str] = OUR_PEOPLE,
) -> str:
    """The three blocks all business messages share, in their order. `needs`: parts that may not be missing."""
    found = []
    for name, value in (("Patient", patient), ("Pharmacy", pharmacy), ("Prescriber", prescriber)):
        if value is None and name in needs:
            fit.refuse(name, "missing", "", "Fill this in.")
    if patient is not None:
        found.append(_patient(fit, patient, needs))
    if pharmacy is not None:
        found.append(_pharmacy(fit, pharmacy, needs))
    if prescriber is not None:
        found.append(_prescriber(fit, prescriber, needs))
    return "".join(found)


def _patient(fit: Fit, patient: PatientRef, needs: frozenset[str]) -> str:
    """Patient; always needs name, gender and date of birth."""
    chart = ""
    if patient.chart_id:
        number = fit.text("Patient/Identification", patient.chart_id, most=script_checks.MAX_ID)
        chart = (
            f"<Identification><MedicalRecordIdentificationNumberEHR>{number}"
            "</MedicalRecordIdentificationNumberEHR></Identification>"
        )
    born = patient.born_on.isoformat() if patient.born_on else ""
    if not born:
        fit.refuse("Patient/DateOfBirth", "missing", "", "Add the date of birth to the chart.")
    return (
        f"<Patient><HumanPatient>{chart}{_name(fit, 'Patient/Name', patient.name)}"
        f"<Gender>{patient.gender.value}</Gender><DateOfBirth><Date>{born}</Date></DateOfBirth>"
        f"{_address(fit, 'Patient/Address', patient.address, needs)}"
        f"{_numbers(fit, 'Patient/CommunicationNumbers', patient.phone, '', needs)}</HumanPatient></Patient>"
    )


def _pharmacy(fit: Fit, pharmacy: PharmacyRef, needs: frozenset[str]) -> str:
    """Pharmacy, as the directory names it."""
    address = _address(fit, "Pharmacy/Address", pharmacy.address, needs)
    return (
        "<Pharmacy><Identification>"
        f"<NCPDPID>{fit.digits('Pharmacy/Identification/NCPDPID', pharmacy.ncpdp_id, lengths=(7,))}</NCPDPID>"
        f"<NPI>{fit.npi('Pharmacy/Identification/NPI', pharmacy.npi)}</NPI></Identification>"
        f"<BusinessName>{fit.text('Pharmacy/BusinessName', pharmacy.name, most=script_checks.MAX_BUSINESS_NAME)}"
        f"</BusinessName>{address}"
        f"{_numbers(fit, 'Pharmacy/CommunicationNumbers', pharmacy.phone, pharmacy.fax, needs)}</Pharmacy>"
    )


def _prescriber(fit: Fit, prescriber: PrescriberRef, needs: frozenset[str]) -> str:
    """Prescriber at one location; an agent prepared the order and never signs it."""
    ids = []
    if prescriber.state_license:
        number = fit.text("Prescriber/Identification/StateLicenseNumber", prescriber.state_license, most=35)
        ids.append(f"<StateLicenseNumber>{number}</StateLicenseNumber>")
    if prescriber.dea_number:
        number = fit.dea_number("Prescriber/Identification/DEANumber", prescriber.dea_number)
        ids.append(f"<DEANumber>{number}</DEANumber>")
    ids.append(f"<NPI>{fit.npi('Prescriber/Identification/NPI', prescriber.npi)}</NPI>")
    parts = [f"<Prescriber><NonVeterinarian><Identification>{''.join(ids)}</Identification>"]
    if prescriber.specialty:
        parts.append(f"<Specialty>{fit.text('Prescriber/Specialty', prescriber.specialty, most=10)}</Specialty>")
    if prescriber.practice_name:
        field = "Prescriber/PracticeLocation/BusinessName"
        name = fit.text(field, prescriber.practice_name, most=script_checks.MAX_BUSINESS_NAME)
        parts.append(f"<PracticeLocation><BusinessName>{name}</BusinessName></PracticeLocation>")
    parts.append(_name(fit, "Prescriber/Name", prescriber.name))
    parts.append(_address(fit, "Prescriber/Address", prescriber.address, needs))
    if prescriber.agent:
        parts.append(f"<PrescriberAgent>{_name(fit, 'Prescriber/PrescriberAgent', prescriber.agent)}</PrescriberAgent>")
    parts.append(_numbers(fit, "Prescriber/CommunicationNumbers", prescriber.phone, prescriber.fax, needs))
    if prescriber.place_of_service:
        place = fit.digits("Prescriber/PrescriberPlaceOfService", prescriber.place_of_service, lengths=(2,))
        parts.append(f"<PrescriberPlaceOfService>{place}</PrescriberPlaceOfService>")
    parts.append("</NonVeterinarian></Prescriber>")
    return "".join(parts)


def _name(fit: Fit, field: str, name: Name) -> str:
    most = script_checks.MAX_NAME
    parts = [
        f"<Name><LastName>{fit.text(f'{field}/LastName', name.last, most=most)}</LastName>"
        f"<FirstName>{fit.text(f'{field}/FirstName', name.first, most=most)}</FirstName>"
    ]
    if name.middle:
        parts.append(f"<MiddleName>{fit.text(f'{field}/MiddleName', name.middle, most=most)}</MiddleName>")
    if name.suffix:
        parts.append(f"<Suffix>{fit.text(f'{field}/Suffix', name.suffix, most=script_checks.MAX_AFFIX)}</Suffix>")
    if name.prefix:
        parts.append(f"<Prefix>{fit.text(f'{field}/Prefix', name.prefix, most=script_checks.MAX_AFFIX)}</Prefix>")
    parts.append("</Name>")
    return "".join(parts)


def _address(fit: Fit, field: str, address: Address | None, needs: frozenset[str]) -> str:
    if address is None:
        if field in needs:
            fit.refuse(field, "missing", "", "Add the address.")
        return ""
    if address.country != "US":
        fit.refuse(f"{field}/CountryCode", "not_in_table", "", "Only addresses in the United States can be sent.")
    most = script_checks.MAX_ADDRESS_LINE
    line2 = ""
    if address.line2:
        line2 = f"<AddressLine2>{fit.text(f'{field}/AddressLine2', address.line2, most=most)}</AddressLine2>"
    return (
        f"<Address><AddressLine1>{fit.text(f'{field}/AddressLine1', address.line1, most=most)}</AddressLine1>{line2}"
        f"<City>{fit.text(f'{field}/City', address.city, most=script_checks.MAX_CITY)}</City>"
        f"<StateProvince>{fit.state(f'{field}/StateProvince', address.state)}</StateProvince>"
        f"<PostalCode>{fit.postal_code(f'{field}/PostalCode', address.postal_code)}</PostalCode>"
        "<CountryCode>US</CountryCode></Address>"
    )


def _numbers(fit: Fit, field: str, phone: str, fax: str, needs: frozenset[str]) -> str:
    if not phone and not fax and field not in needs:
        return ""
    number = fit.phone(f"{field}/PrimaryTelephone", phone)
    second = f"<Fax><Number>{fit.phone(f'{field}/Fax', fax)}</Number></Fax>" if fax else ""
    return (
        f"<CommunicationNumbers><PrimaryTelephone><Number>{number}</Number></PrimaryTelephone>{second}"
        "</CommunicationNumbers>"
    )
