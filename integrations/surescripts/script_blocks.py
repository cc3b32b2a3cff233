"""The shared blocks of a SCRIPT 2017071 message, each in the element order of the standard.

Every function writes one block as text and notes in its Fit what does not fit; none of them decides, cuts or fills in.
"""

from datetime import date

from integrations.surescripts import script_checks, script_codes
from integrations.surescripts.script_fit import Fit
from integrations.surescripts.script_model import (
    Address,
    Drug,
    Name,
    PatientRef,
    PharmacyRef,
    PrescriberRef,
    Prescription,
)


def content(
    fit: Fit, patient: PatientRef, pharmacy: PharmacyRef, prescriber: PrescriberRef, prescription: Prescription
) -> str:
    """The four blocks that NewRx and CancelRx share, in their order."""
    people = f"{_patient(fit, patient)}{_pharmacy(fit, pharmacy)}{_prescriber(fit, prescriber)}"
    return f"{people}{_medication(fit, prescription)}"


def _patient(fit: Fit, patient: PatientRef) -> str:
    """Patient; needs name, gender, date of birth, address and telephone."""
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
        f"{_address(fit, 'Patient/Address', patient.address)}"
        f"{_numbers(fit, 'Patient/CommunicationNumbers', patient.phone, '')}</HumanPatient></Patient>"
    )


def _pharmacy(fit: Fit, pharmacy: PharmacyRef) -> str:
    """Pharmacy, as the directory names it."""
    address = _address(fit, "Pharmacy/Address", pharmacy.address) if pharmacy.address else ""
    return (
        "<Pharmacy><Identification>"
        f"<NCPDPID>{fit.digits('Pharmacy/Identification/NCPDPID', pharmacy.ncpdp_id, lengths=(7,))}</NCPDPID>"
        f"<NPI>{fit.npi('Pharmacy/Identification/NPI', pharmacy.npi)}</NPI></Identification>"
        f"<BusinessName>{fit.text('Pharmacy/BusinessName', pharmacy.name, most=script_checks.MAX_BUSINESS_NAME)}"
        f"</BusinessName>{address}"
        f"{_numbers(fit, 'Pharmacy/CommunicationNumbers', pharmacy.phone, pharmacy.fax)}</Pharmacy>"
    )


def _prescriber(fit: Fit, prescriber: PrescriberRef) -> str:
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
    parts.append(_address(fit, "Prescriber/Address", prescriber.address))
    if prescriber.agent:
        parts.append(f"<PrescriberAgent>{_name(fit, 'Prescriber/PrescriberAgent', prescriber.agent)}</PrescriberAgent>")
    parts.append(_numbers(fit, "Prescriber/CommunicationNumbers", prescriber.phone, prescriber.fax))
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


def _address(fit: Fit, field: str, address: Address | None) -> str:
    if address is None:
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


def _numbers(fit: Fit, field: str, phone: str, fax: str) -> str:
    number = fit.phone(f"{field}/PrimaryTelephone", phone)
    second = f"<Fax><Number>{fit.phone(f'{field}/Fax', fax)}</Number></Fax>" if fax else ""
    return (
        f"<CommunicationNumbers><PrimaryTelephone><Number>{number}</Number></PrimaryTelephone>{second}"
        "</CommunicationNumbers>"
    )


def _medication(fit: Fit, prescription: Prescription) -> str:
    """MedicationPrescribed; each line in the order of the standard."""
    at = "MedicationPrescribed"
    if prescription.quantity_qualifier != "38":
        fit.refuse(f"{at}/Quantity/CodeListQualifier", "not_in_table", "", "Only an original quantity (38) is sent.")
    if prescription.written_on is None:
        fit.refuse(f"{at}/WrittenDate", "missing", "", "Give the date of approval.")
    refills = script_checks.most_refills(prescription.drug.schedule)
    parts = [
        f"<{at}>{_drug(fit, prescription.drug)}"
        f"<Quantity><Value>{fit.quantity(f'{at}/Quantity/Value', prescription.quantity)}</Value>"
        "<CodeListQualifier>38</CodeListQualifier><QuantityUnitOfMeasure>"
        f"<Code>{fit.unit(f'{at}/Quantity/QuantityUnitOfMeasure', prescription.unit_code)}</Code>"
        "</QuantityUnitOfMeasure></Quantity>"
        f"<DaysSupply>{fit.whole(f'{at}/DaysSupply', prescription.days_supply, least=1, most=999)}</DaysSupply>"
        f"<WrittenDate>{_date(prescription.written_on)}</WrittenDate>"
    ]
    if prescription.last_filled_on:
        parts.append(f"<LastFillDate>{_date(prescription.last_filled_on)}</LastFillDate>")
    parts.append(
        f"<Substitutions>{'0' if prescription.substitution_allowed else '1'}</Substitutions><NumberOfRefills>"
        f"{fit.whole(f'{at}/NumberOfRefills', prescription.refills, least=0, most=refills)}</NumberOfRefills>"
    )
    parts.append(_diagnoses(fit, prescription))
    if prescription.note:
        parts.append(f"<Note>{fit.text(f'{at}/Note', prescription.note, most=script_checks.MAX_NOTE)}</Note>")
    sig = fit.text(f"{at}/Sig/SigText", prescription.sig, most=script_checks.MAX_SIG)
    parts.append(f"<Sig><SigText>{sig}</SigText></Sig>")
    if prescription.wants_fill_status:
        parts.append("<RxFillIndicator>All Fill Statuses</RxFillIndicator>")
    parts.append(f"</{at}>")
    return "".join(parts)


def _drug(fit: Fit, drug: Drug) -> str:
    at = "MedicationPrescribed/DrugCoded"
    description = fit.text("MedicationPrescribed/DrugDescription", drug.description, most=script_checks.MAX_DESCRIPTION)
    parts = [f"<DrugDescription>{description}</DrugDescription><DrugCoded>"]
    if drug.ndc:
        code = fit.ndc(f"{at}/ProductCode", drug.ndc)
        parts.append(f"<ProductCode><Code>{code}</Code><Qualifier>ND</Qualifier></ProductCode>")
    if drug.strength:
        strength = drug.strength
        parts.append(
            f"<Strength><StrengthValue>{fit.strength_value(f'{at}/Strength/StrengthValue', strength.value)}"
            "</StrengthValue><StrengthForm>"
            f"<Code>{fit.nci_code(f'{at}/Strength/StrengthForm', strength.form_code)}</Code></StrengthForm>"
            "<StrengthUnitOfMeasure>"
            f"<Code>{fit.nci_code(f'{at}/Strength/StrengthUnitOfMeasure', strength.unit_code)}</Code>"
            "</StrengthUnitOfMeasure></Strength>"
        )
    if drug.rxcui_qualifier not in script_codes.DRUG_QUALIFIERS.values():
        hint, mend = drug.rxcui_qualifier[:5], "Choose a drug with strength and form, not an ingredient."
        fit.refuse(f"{at}/DrugDBCode/Qualifier", "not_in_table", hint, mend)
    rxcui = fit.digits(f"{at}/DrugDBCode/Code", drug.rxcui, lengths=(1, 2, 3, 4, 5, 6, 7, 8))
    schedule = script_codes.SCHEDULE_CODES[drug.schedule]
    parts.append(
        f"<DrugDBCode><Code>{rxcui}</Code><Qualifier>{drug.rxcui_qualifier}</Qualifier></DrugDBCode>"
        f"<DEASchedule><Code>{schedule}</Code></DEASchedule></DrugCoded>"
    )
    return "".join(parts)


def _diagnoses(fit: Fit, prescription: Prescription) -> str:
    field = "MedicationPrescribed/Diagnosis"
    if len(prescription.diagnoses) > 2:
        fit.refuse(field, "out_of_range", str(len(prescription.diagnoses)), "Give at most two diagnoses.")
    parts = []
    for diagnosis in prescription.diagnoses:
        if diagnosis.stated_by not in ("1", "2"):
            fit.refuse(field, "not_in_table", "", "Say who states the diagnosis.")
        code = fit.diagnosis_code(f"{field}/Primary/Code", diagnosis.code, diagnosis.qualifier)
        parts.append(
            f"<Diagnosis><ClinicalInformationQualifier>{diagnosis.stated_by}</ClinicalInformationQualifier><Primary>"
            f"<Code>{code}</Code><Qualifier>{diagnosis.qualifier}</Qualifier>"
            f"<Description>{fit.text(f'{field}/Primary/Description', diagnosis.description, most=100)}</Description>"
            "</Primary></Diagnosis>"
        )
    return "".join(parts)


def _date(value: date | None) -> str:
    return f"<Date>{value.isoformat() if value else ''}</Date>"
