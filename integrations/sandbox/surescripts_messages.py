"""What the pretended network and its pharmacies write: Status, Error, Verify, fills, renewal and change requests.

Blocks about people and drugs are copied from the NewRx they follow; the pharmacy's own block comes from the directory.
"""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from datetime import date
from typing import Any
from xml.sax import saxutils

from integrations.sandbox import surescripts_xml as xml
from integrations.sandbox.surescripts_registry import Pharmacy, Place, Spi


@dataclass(slots=True)
class Blocks:
    """The parts of a prescription that later messages repeat, as XML text; `parts` are the medication's children."""

    patient: str
    pharmacy: str
    prescriber: str
    parts: dict[str, str]


def status(*, code: str, method: str = "") -> str:
    """The body of a Status."""
    return f"<Status><Code>{code}</Code>{xml.element('PrescriptionDeliveryMethod', method)}</Status>"


def error(*, code: str, description_code: str, text: str) -> str:
    """The body of an Error; the text is cut to printable ASCII."""
    plain = "".join(character if " " <= character <= "~" else "?" for character in text)[:1000]
    coded = xml.element("DescriptionCode", description_code)
    return f"<Error><Code>{code}</Code>{coded}{xml.element('Description', plain)}</Error>"


def verify(*, method: str = "") -> str:
    """The body of a Verify."""
    way = xml.element("PrescriptionDeliveryMethod", method)
    return f"<Verify><VerifyStatus><Code>010</Code>{way}</VerifyStatus></Verify>"


def cancel_response(*, denied: str, text: str) -> str:
    """The body of a CancelRxResponse; `denied` is the reason code or empty."""
    if denied:
        inside = f"<Denied><ReasonCode>{denied}</ReasonCode>{xml.element('DenialReason', text)}</Denied>"
    else:
        inside = f"<Approved>{xml.element('Note', text)}</Approved>"
    return f"<CancelRxResponse><Response>{inside}</Response></CancelRxResponse>"


def fill(*, blocks: Blocks, kind: str, reason: str, note: str, on: date) -> str:
    """The body of an RxFill."""
    said = xml.element("ReasonCode", reason) + xml.element("Note", note)
    dispensed = (
        f"<MedicationDispensed>{_pick(blocks, 'DrugDescription', 'DrugCoded', 'Quantity', 'DaysSupply', 'WrittenDate')}"
        f"<LastFillDate><Date>{on.isoformat()}</Date></LastFillDate>"
        f"{_pick(blocks, 'Substitutions', 'NumberOfRefills', 'Sig')}"
        "</MedicationDispensed>"
    )
    people = blocks.patient + blocks.pharmacy + blocks.prescriber
    return f"<RxFill><FillStatus><{kind}>{said}</{kind}></FillStatus>{people}{dispensed}</RxFill>"


def renewal_request(*, blocks: Blocks, last_fill: date, requested: int | None, follow_up: bool = False) -> str:
    """The body of an RxRenewalRequest."""
    asked = f"<PharmacyRequestedRefills>{requested}</PharmacyRequestedRefills>" if requested is not None else ""
    head = "<FollowUpRequest>1</FollowUpRequest>" if follow_up else ""
    dispensed = (
        f"<MedicationDispensed>{_pick(blocks, 'DrugDescription', 'DrugCoded', 'Quantity', 'DaysSupply', 'WrittenDate')}"
        f"<LastFillDate><Date>{last_fill.isoformat()}</Date></LastFillDate>"
        f"{_pick(blocks, 'Substitutions', 'Sig')}{asked}"
        "</MedicationDispensed>"
    )
    people = blocks.patient + blocks.pharmacy + blocks.prescriber
    return f"<RxRenewalRequest>{head}{people}{dispensed}{_prescribed(blocks)}</RxRenewalRequest>"


def change_request(*, blocks: Blocks, code: str, sub_codes: list[str], reason: str) -> str:
    """The body of an RxChangeRequest; codes P and U carry no requested medication."""
    subs = "".join(f"<MessageRequestSubCode>{sub}</MessageRequestSubCode>" for sub in sub_codes)
    wanted = ""
    if code not in ("P", "U"):
        names = ("DrugDescription", "DrugCoded", "Quantity", "DaysSupply", "Substitutions", "NumberOfRefills", "Sig")
        wanted = f"<MedicationRequested>{_pick(blocks, *names)}</MedicationRequested>"
    people = blocks.patient + blocks.pharmacy + blocks.prescriber
    return (
        f"<RxChangeRequest><MessageRequestCode>{code}</MessageRequestCode>{subs}{people}{_prescribed(blocks)}{wanted}"
        f"{xml.element('ChangeReasonText', reason)}</RxChangeRequest>"
    )


def blocks_of(*, root: ElementTree.Element, pharmacy: Pharmacy) -> Blocks:
    """The blocks of a NewRx (or any message with a patient and a medication)."""
    body = root.find("Body")
    inside = body[0] if body is not None and len(body) else root
    med = next(
        (found for tag in ("MedicationPrescribed", "MedicationResponse") if (found := inside.find(tag)) is not None),
        None,
    )
    return Blocks(
        patient=xml.inner(source=inside.find("Patient")),
        pharmacy=_pharmacy(pharmacy),
        prescriber=xml.inner(source=inside.find("Prescriber")),
        parts={part.tag: xml.inner(source=part) for part in med} if med is not None else {},
    )


def blocks_from(*, wish: dict[str, Any], spi: Spi, pharmacy: Pharmacy) -> Blocks:
    """Blocks from plain values of the test desk: patient{...} and drug{...}; what is absent has a made-up value."""
    patient, drug = wish.get("patient") or {}, wish.get("drug") or {}
    return Blocks(
        patient=_patient(patient), pharmacy=_pharmacy(pharmacy), prescriber=_prescriber(spi), parts=_medication(drug)
    )


def _pick(blocks: Blocks, *names: str) -> str:
    return "".join(blocks.parts.get(name, "") for name in names)


def _prescribed(blocks: Blocks) -> str:
    names = (
        "DrugDescription",
        "DrugCoded",
        "Quantity",
        "DaysSupply",
        "WrittenDate",
        "Substitutions",
        "NumberOfRefills",
        "Sig",
    )
    return f"<MedicationPrescribed>{_pick(blocks, *names)}</MedicationPrescribed>"


def _place(place: Place) -> str:
    return (
        f"<Address><AddressLine1>{xml.escape(place.line1)}</AddressLine1>{xml.element('AddressLine2', place.line2)}"
        f"<City>{xml.escape(place.city)}</City><StateProvince>{place.state}</StateProvince>"
        f"<PostalCode>{place.postal}</PostalCode><CountryCode>US</CountryCode></Address>"
    )


def _numbers(place: Place) -> str:
    return (
        f"<CommunicationNumbers><PrimaryTelephone><Number>{place.phone}</Number></PrimaryTelephone>"
        f"<Fax><Number>{place.fax}</Number></Fax></CommunicationNumbers>"
    )


def _pharmacy(pharmacy: Pharmacy) -> str:
    return (
        f"<Pharmacy><Identification><NCPDPID>{pharmacy.ncpdp}</NCPDPID><NPI>{pharmacy.npi}</NPI></Identification>"
        f"<BusinessName>{xml.escape(pharmacy.name)}</BusinessName>{_place(pharmacy.place)}{_numbers(pharmacy.place)}</Pharmacy>"
    )


def _prescriber(spi: Spi) -> str:
    return (
        f"<Prescriber><NonVeterinarian><Identification><NPI>{spi.npi}</NPI></Identification>"
        f"<Name><LastName>{xml.escape(spi.last)}</LastName><FirstName>{xml.escape(spi.first)}</FirstName></Name>"
        f"{_place(spi.place)}{_numbers(spi.place)}</NonVeterinarian></Prescriber>"
    )


def _patient(wish: dict[str, Any]) -> str:
    def value(name: str, default: str) -> str:
        return saxutils.escape(str(wish.get(name) or default))

    chart = str(wish.get("chart_id") or "")
    number = xml.element("MedicalRecordIdentificationNumberEHR", chart)
    return (
        f"<Patient><HumanPatient>{f'<Identification>{number}</Identification>' if number else ''}"
        f"<Name><LastName>{value('last', 'Testpatient')}</LastName>"
        f"<FirstName>{value('first', 'Marisol')}</FirstName></Name>"
        f"<Gender>{value('gender', 'U')}</Gender>"
        f"<DateOfBirth><Date>{value('born_on', '1961-08-14')}</Date></DateOfBirth>"
        f"<Address><AddressLine1>{value('line1', '412 Alder Street')}</AddressLine1>"
        f"<City>{value('city', 'Nashville')}</City>"
        f"<StateProvince>{value('state', 'TN')}</StateProvince><PostalCode>{value('postal', '37203')}</PostalCode>"
        f"<CountryCode>US</CountryCode></Address><CommunicationNumbers><PrimaryTelephone>"
        f"<Number>{value('phone', '6152210147')}</Number></PrimaryTelephone></CommunicationNumbers>"
        "</HumanPatient></Patient>"
    )


def _medication(wish: dict[str, Any]) -> dict[str, str]:
    def value(name: str, default: str) -> str:
        return saxutils.escape(str(default if wish.get(name) is None else wish[name]))

    ndc = (
        f"<ProductCode><Code>{value('ndc', '')}</Code><Qualifier>ND</Qualifier></ProductCode>"
        if wish.get("ndc")
        else ""
    )
    return {
        "DrugDescription": f"<DrugDescription>{value('description', 'lisinopril 10 mg oral tablet')}</DrugDescription>",
        "DrugCoded": f"<DrugCoded>{ndc}<DrugDBCode><Code>{value('rxcui', '314076')}</Code>"
        f"<Qualifier>{value('qualifier', 'SCD')}</Qualifier></DrugDBCode>"
        f"<DEASchedule><Code>{value('schedule_code', 'C38046')}</Code></DEASchedule></DrugCoded>",
        "Quantity": f"<Quantity><Value>{value('quantity', '30')}</Value><CodeListQualifier>38</CodeListQualifier>"
        f"<QuantityUnitOfMeasure><Code>{value('unit', 'C48542')}</Code></QuantityUnitOfMeasure></Quantity>",
        "DaysSupply": f"<DaysSupply>{value('days_supply', '30')}</DaysSupply>",
        "WrittenDate": f"<WrittenDate><Date>{value('written_on', '2026-01-15')}</Date></WrittenDate>",
        "Substitutions": f"<Substitutions>{value('substitutions', '0')}</Substitutions>",
        "NumberOfRefills": f"<NumberOfRefills>{value('refills', '0')}</NumberOfRefills>",
        "Sig": f"<Sig><SigText>{value('sig', 'Take 1 tablet by mouth once daily.')}</SigText></Sig>",
    }
