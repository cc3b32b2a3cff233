"""The network's checks of a message whose structure is right: steps 3 to 12 of our notes (10.2), in their order.

Pure: a letter, the registry and the moment in, nothing or a Refused out. What a pharmacy then does is not decided here.
"""

import hashlib
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from integrations.sandbox import surescripts_codes as codes
from integrations.sandbox import surescripts_xml as xml
from integrations.sandbox.surescripts_registry import Account, Pharmacy, Registry, Spi

MEDICATION: Final[dict[str, str]] = {
    "NewRx": "MedicationPrescribed", "CancelRx": "MedicationPrescribed", "RxRenewalResponse": "MedicationResponse",
    "RxChangeResponse": "MedicationPrescribed",
}  # fmt: skip
LEVEL: Final[dict[str, str]] = {
    "NewRx": "New", "CancelRx": "Cancel", "RxRenewalResponse": "Renewal", "RxChangeResponse": "Change",
}  # fmt: skip
UTILITY: Final[frozenset[str]] = frozenset({"Status", "Error", "Verify"})
GRANTS: Final[frozenset[str]] = frozenset({"Approved", "ApprovedWithChanges", "Replace"})
MOST_DRIFT: Final[timedelta] = timedelta(hours=24)


class Refused(Exception):
    """The network refuses a message: code, description code and text with the XPath."""

    def __init__(self, code: str, description_code: str, text: str, path: str = "") -> None:
        super().__init__(text)
        self.code, self.description_code = code, description_code
        self.text = f"{text}. XPath {path}" if path else text

    @property
    def decision(self) -> str:
        return f"{self.code}/{self.description_code}" if self.description_code else self.code


@dataclass(slots=True)
class Letter:
    """One message as received, with what the checks and the pharmacies need of it."""

    root: ElementTree.Element
    raw: bytes
    kind: str
    to: tuple[str, str]
    sender: tuple[str, str]
    message_id: str
    relates_to: str
    body: ElementTree.Element | None
    med: ElementTree.Element | None
    drug: str = ""
    rxcui: str = ""
    schedule_code: str = ""
    answer: str = ""
    order: str = ""
    patient: str = ""
    is_test: bool = False
    digest: str = field(default="")

    @property
    def schedule(self) -> str:
        return codes.SCHEDULES.get(self.schedule_code, "")

    @property
    def is_controlled_order(self) -> bool:
        """Whether it goes by the lane of controlled substances."""
        return bool(self.schedule) and self.kind in ("NewRx", "RxRenewalResponse")

    @property
    def creates(self) -> bool:
        """Whether it puts a prescription at a pharmacy."""
        return self.kind == "NewRx" or (
            self.kind in ("RxRenewalResponse", "RxChangeResponse") and self.answer in GRANTS
        )


def open_letter(*, root: ElementTree.Element, raw: bytes) -> Letter:
    """Read what is needed of a document, whether its structure is right or not."""
    header = root.find("Header")
    holder = root.find("Body")
    body = holder[0] if holder is not None and len(holder) else None
    kind = body.tag if body is not None else ""
    med = body.find(MEDICATION[kind]) if body is not None and kind in MEDICATION else None
    coded = med.find("DrugCoded") if med is not None else None
    response = body.find("Response") if body is not None else None
    return Letter(
        root=root, raw=raw, kind=kind, to=_address(header, "To"), sender=_address(header, "From"),
        message_id=xml.text_at(header, "MessageID")[:35], relates_to=xml.text_at(header, "RelatesToMessageID")[:35],
        body=body, med=med, drug=xml.text_at(med, "DrugDescription"), rxcui=xml.text_at(coded, "DrugDBCode", "Code"),
        schedule_code=xml.text_at(coded, "DEASchedule", "Code"),
        answer=response[0].tag if response is not None and len(response) else "",
        order=xml.text_at(header, "PrescriberOrderNumber"),
        patient=xml.text_at(body, "Patient", "HumanPatient", "Identification", "MedicalRecordIdentificationNumberEHR"),
        is_test=xml.text_at(header, "TestMessage") == "1", digest=hashlib.sha256(raw).hexdigest(),
    )  # fmt: skip


def _address(header: ElementTree.Element | None, tag: str) -> tuple[str, str]:
    found = header.find(tag) if header is not None else None
    if found is None:
        return "ZZZ", "UNKNOWN"
    return found.get("Qualifier") or "ZZZ", (found.text or "").strip() or "UNKNOWN"


def sender(*, letter: Letter, registry: Registry, account: Account | None, now: datetime) -> Spi:
    """Steps 3 and 4: the SPI in From is known, belongs to the certificate's account, and is active."""
    qualifier, number = letter.sender
    if qualifier == "P" and number in registry.pharmacies:
        raise Refused("900", "1000", "Authentication Failed - No account matches certificate information", _FROM)
    spi = registry.spis.get(number) if qualifier == "D" else None
    if spi is None:
        raise Refused("900", "1000", "Sender ID not on file", _FROM)
    if account is None or spi.account != account.key:
        raise Refused("900", "1000", "Authentication Failed - No account matches certificate information", _FROM)
    if spi.active_end <= now:
        raise Refused("900", "1000", "Sender ID not active", _FROM)
    return spi


def receiver(*, letter: Letter, registry: Registry, spi: Spi, now: datetime) -> Pharmacy:
    """Steps 5 and 6: the SPI may send this type; the pharmacy is known, active and takes this type."""
    level = LEVEL[letter.kind]
    if level not in spi.levels:
        raise Refused("900", "4030", f"Sender not allowed to send this transaction type: no service level {level}")
    qualifier, number = letter.to
    pharmacy = registry.pharmacies.get(number) if qualifier == "P" else None
    if pharmacy is None or not pharmacy.listed:
        raise Refused("900", "1000", f"Receiver NCPDPID {number} not active in directory", "/Message/Header/To")
    if pharmacy.active_end <= now:
        raise Refused("900", "4000", f"Unable to deliver to the recipient: {number} is closed")
    if level not in pharmacy.levels:
        raise Refused("900", "4040", f"Receiver does not support this transaction type: no service level {level}")
    return pharmacy


def sent_time(*, letter: Letter, now: datetime) -> None:
    """Step 8: SentTime has a zone and lies within 24 hours of now."""
    text = xml.text_at(letter.root, "Header", "SentTime")
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as fault:
        raise Refused("900", "2000", "SentTime is no moment", _SENT) from fault
    if moment.tzinfo is None:
        raise Refused("900", "2000", "SentTime has no time zone", _SENT)
    if abs(moment.astimezone(UTC) - now) > MOST_DRIFT:
        raise Refused("900", "2000", "SentTime is more than 24 hours from now", _SENT)


def contents(
    *, letter: Letter, spi: Spi, pharmacy: Pharmacy, now: datetime, state_controlled: Callable[[str, str], bool]
) -> None:
    """Steps 9 to 12: ids, code tables, children's height and weight, controlled substances."""
    base = f"/Message/Body/{letter.kind}"
    _ids(letter, spi, pharmacy, base)
    _code_tables(letter, base)
    if letter.kind == "NewRx":
        _measured(letter, now, base)
    if letter.creates or letter.kind == "CancelRx":
        _medication_codes(letter, base)
    if letter.creates:
        _controlled(letter, spi, pharmacy, base, state_controlled)


def _ids(letter: Letter, spi: Spi, pharmacy: Pharmacy, base: str) -> None:
    ids = xml.find(letter.body, "Pharmacy", "Identification")
    path = f"{base}/Pharmacy/Identification"
    if ids is not None and xml.text_at(ids, "NCPDPID") != pharmacy.ncpdp:
        raise Refused("900", "2000", "NCPDPID differs from the header", f"{path}/NCPDPID")
    if ids is not None and xml.text_at(ids, "NPI") != pharmacy.npi:
        raise Refused("900", "2000", "Pharmacy NPI differs from the directory", f"{path}/NPI")
    npi = xml.text_at(letter.body, "Prescriber", "NonVeterinarian", "Identification", "NPI")
    if npi != spi.npi:
        path = f"{base}/Prescriber/NonVeterinarian/Identification/NPI"
        raise Refused("900", "2000", "Prescriber NPI differs from the directory", path)


def _code_tables(letter: Letter, base: str) -> None:
    for tags in (("Patient", "HumanPatient"), ("Pharmacy",), ("Prescriber", "NonVeterinarian")):
        state = xml.text_at(letter.body, *tags, "Address", "StateProvince")
        if state and state not in codes.STATES:
            path = "/".join((base, *tags, "Address/StateProvince"))
            raise Refused("900", "2000", f"Unknown state {state}", path)
    if letter.answer == "Denied":
        for reason in letter.body.findall("Response/Denied/ReasonCode") if letter.body is not None else []:
            if reason.text not in codes.DENIAL_REASONS[letter.kind]:
                path = f"{base}/Response/Denied/ReasonCode"
                raise Refused("900", "2000", f"Reason {reason.text} not allowed in this message", path)


def _medication_codes(letter: Letter, base: str) -> None:
    path = f"{base}/{MEDICATION[letter.kind]}"
    if letter.med is None:
        raise Refused("900", "2000", "An approval must carry its medication", path)
    quantity = letter.med.find("Quantity")
    unit = xml.text_at(quantity, "QuantityUnitOfMeasure", "Code")
    if unit not in codes.UNITS:
        raise Refused("900", "2000", f"Unknown unit {unit}", f"{path}/Quantity/QuantityUnitOfMeasure/Code")
    qualifier = xml.text_at(quantity, "CodeListQualifier")
    if qualifier not in codes.QUANTITY_QUALIFIERS:
        raise Refused("900", "2000", f"Unknown qualifier {qualifier}", f"{path}/Quantity/CodeListQualifier")
    if qualifier == "QS" and float(xml.text_at(quantity, "Value")) == 0:
        raise Refused("900", "134", "Quantity sufficient with quantity 0")
    coded = letter.med.find("DrugCoded")
    if not letter.rxcui.isdigit():
        raise Refused("900", "2000", "RxCUI missing or no number", f"{path}/DrugCoded/DrugDBCode/Code")
    if xml.text_at(coded, "DrugDBCode", "Qualifier") not in codes.RXCUI_QUALIFIERS:
        raise Refused("900", "2000", "Unknown qualifier of the RxCUI", f"{path}/DrugCoded/DrugDBCode/Qualifier")
    product = coded.find("ProductCode") if coded is not None else None
    if product is not None:
        ndc, kind = xml.text_at(product, "Code"), xml.text_at(product, "Qualifier")
        if kind not in codes.PRODUCT_QUALIFIERS:
            raise Refused("900", "2000", "Unknown qualifier", f"{path}/DrugCoded/ProductCode/Qualifier")
        if kind == "ND" and not re.fullmatch(r"[0-9]{11}", ndc):
            raise Refused("900", "2000", "An NDC has 11 digits", f"{path}/DrugCoded/ProductCode/Code")
    if letter.schedule_code and letter.schedule_code not in codes.SCHEDULES:
        raise Refused("900", "2000", "Unknown DEA schedule", f"{path}/DrugCoded/DEASchedule/Code")


def _measured(letter: Letter, now: datetime, base: str) -> None:
    path = f"{base}/Patient/HumanPatient/DateOfBirth/Date"
    try:
        born = date.fromisoformat(xml.text_at(letter.body, "Patient", "HumanPatient", "DateOfBirth", "Date"))
    except ValueError as fault:
        raise Refused("900", "2000", "Date of birth is no date", path) from fault
    today = now.date()
    if born > today + timedelta(days=1):
        raise Refused("900", "2000", "Date of birth lies in the future", path)
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if age > 18:
        return
    signs = {sign.text for sign in letter.root.iter("VitalSign")}
    if not (signs & codes.HEIGHT_CODES and signs & codes.WEIGHT_CODES):
        raise Refused("900", "2000", "Height and weight are required at 18 years or under", f"{base}/Observation")


def _controlled(
    letter: Letter, spi: Spi, pharmacy: Pharmacy, base: str, state_controlled: Callable[[str, str], bool]
) -> None:
    schedule, path = letter.schedule, f"{base}/{MEDICATION[letter.kind]}"
    if not schedule:
        if codes.controlled_words(drug=letter.drug) or state_controlled(pharmacy.place.state, letter.drug):
            raise Refused("900", "2000", "No DEA schedule", f"{path}/DrugCoded/DEASchedule")
        _granted_refills(letter, schedule)
        return
    if "ControlledSubstance" not in spi.levels:
        raise Refused("900", "4030", "Sender not allowed to send this transaction type: EPCS not enabled")
    if "ControlledSubstance" not in pharmacy.levels:
        raise Refused("900", "4040", "Receiver does not support this transaction type: controlled substances")
    ids = f"{base}/Prescriber/NonVeterinarian/Identification"
    dea = xml.text_at(letter.body, "Prescriber", "NonVeterinarian", "Identification", "DEANumber")
    if not codes.is_dea_number(text=dea):
        raise Refused("900", "2000", "DEA number missing or not well-formed", f"{ids}/DEANumber")
    if spi.dea and dea != spi.dea:
        raise Refused("900", "2000", "DEA number differs from the directory", f"{ids}/DEANumber")
    signed = xml.text_at(letter.root, "Header", "DigitalSignature", "DigitalSignatureIndicator")
    if signed not in ("true", "1"):
        raise Refused("900", "2000", "Controlled substance without signature", "/Message/Header/DigitalSignature")
    if schedule == "I":
        raise Refused("900", "2000", "Schedule I cannot be prescribed", f"{path}/DrugCoded/DEASchedule/Code")
    if letter.kind == "RxRenewalResponse" and schedule == "II" and letter.answer != "Replace":
        raise Refused("900", "2000", "A Schedule II renewal cannot be approved", f"{base}/Response")
    _granted_refills(letter, schedule)


def _granted_refills(letter: Letter, schedule: str) -> None:
    refills = int(xml.text_at(letter.med, "NumberOfRefills") or 0)
    renewal = letter.kind == "RxRenewalResponse" and letter.answer != "Replace"
    if refills > codes.MOST_REFILLS.get(schedule, 99) or (renewal and refills == 0):
        raise Refused("900", "144", f"Number of refills invalid: {refills}")


_FROM: Final[str] = "/Message/Header/From"
_SENT: Final[str] = "/Message/Header/SentTime"
