"""The structure of every SCRIPT 2017071 message the pretended network reads: order, cardinality, lengths.

Written by hand from the facts of our vendor notes (sections 3 and 4); nothing here is a schema or generated from one.
Elements the notes name without describing them are taken as they come, in printable ASCII.
"""

import re
import xml.etree.ElementTree as ElementTree
from typing import Final

from integrations.sandbox import surescripts_codes as codes
from integrations.sandbox.surescripts_grammar import (
    Anything,
    Group,
    Node,
    check,
    choice,
    digits,
    form,
    group,
    number,
    one_of,
    optional,
    text,
)

ANY = Anything()
_VERSION = re.compile(r"201707(?:12|14|15)")
_DAY = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_MOMENT = _DAY + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
DATE, MOMENT, FLAG, REFILLS, DAYS = form(_DAY), form(_MOMENT), digits(1), digits(2), digits(3)
WHEN = choice(("Date", DATE), ("DateTime", MOMENT))
CODED = group(("Code", text(15)))
BOOLEAN = one_of("true", "false", "1", "0")

NAME = group(
    ("LastName", text(35)),
    ("FirstName", text(35)),
    ("MiddleName?", text(35)),
    ("Suffix?", text(10)),
    ("Prefix?", text(10)),
)
ADDRESS = group(
    ("AddressLine1", text(40)), ("AddressLine2?", text(40)), ("City", text(35)), ("StateProvince", text(9)),
    ("PostalCode", text(15)), ("CountryCode", form("[A-Z]{2}")),
)  # fmt: skip
PHONE = group(("Number", digits(10)), ("Extension?", digits(8)), ("SupportsSMS?", text(5)))
NUMBERS = group(
    ("PrimaryTelephone", PHONE), ("Beeper*", PHONE), ("ElectronicMail*", text(80)), ("Fax*", PHONE),
    ("HomeTelephone*", PHONE), ("WorkTelephone*", PHONE), ("OtherTelephone*", PHONE), ("DirectAddress?", text(254)),
)  # fmt: skip

_PATIENT_IDS = group(*optional(
    ["MedicareNumber", "MedicaidNumber", "MedicalRecordIdentificationNumberEHR", "PatientAccountNumber",
    "SocialSecurity",
     "MutuallyDefined"], text(35),
))  # fmt: skip
_PHARMACY_IDS = group(
    ("NCPDPID", form("[0-9]{7}")),
    *optional(["StateLicenseNumber", "MedicareNumber", "MedicaidNumber", "UPIN", "DEANumber", "HIN"], text(35)),
    ("NPI", form("[0-9]{10}")), ("MutuallyDefined?", text(35)),
)  # fmt: skip
_PRESCRIBER_IDS = group(
    *optional(
        ["StateLicenseNumber", "MedicareNumber", "MedicaidNumber", "UPIN", "DEANumber", "HIN", "SocialSecurity"],
        text(35)
    ),
    ("NPI", form("[0-9]{10}")),
    *optional(
        ["CertificateToPrescribe", "Data2000WaiverID", "MutuallyDefined", "REMSHealthcareProviderEnrollmentID",
         "StateControlSubstanceNumber"], text(35),
    ),
)  # fmt: skip


def _patient(*, address: str) -> Node:
    return group(("HumanPatient", group(
        ("Identification?", _PATIENT_IDS), ("Name", NAME), ("FormerName?", NAME), ("Gender", one_of("M", "F", "U")),
        ("DateOfBirth", group(("Date", DATE))), (address, ADDRESS), ("CommunicationNumbers?", NUMBERS),
        *optional(["PatientLocation", "LanguageNameCode", "SubstanceUse", "AlternateContact", "GestationalAge",
                   "HospiceIndicator"], ANY),
    )))  # fmt: skip


def _pharmacy(*, address: str) -> Node:
    return group(
        ("Identification", _PHARMACY_IDS), ("Specialty?", text(35)), ("Pharmacist?", ANY), ("BusinessName", text(70)),
        (address, ADDRESS), ("CommunicationNumbers", NUMBERS),
    )  # fmt: skip


def _prescriber(*, address: str) -> Node:
    return group(("NonVeterinarian", group(
        ("Identification", _PRESCRIBER_IDS), ("Specialty?", text(10)),
        ("PracticeLocation?", group(("Identification?", ANY), ("BusinessName?", text(70)))),
        ("Name", NAME), ("FormerName?", NAME), (address, ADDRESS),
        ("PrescriberAgent?", group(("Name", NAME))), ("CommunicationNumbers", NUMBERS),
        ("PrescriberPlaceOfService?", form("[0-9]{2}")),
    )))  # fmt: skip


PATIENT, PHARMACY, PRESCRIBER = (
    _patient(address="Address?"),
    _pharmacy(address="Address?"),
    _prescriber(address="Address?"),
)
PATIENT_AT_HOME = _patient(address="Address")
PHARMACY_AT_PLACE = _pharmacy(address="Address")
PRESCRIBER_AT_PLACE = _prescriber(address="Address")
SUPERVISOR = PRESCRIBER
OBSERVATION = group(
    ("Measurement*10", group(
        ("VitalSign", text(15)), ("LOINCVersion", text(10)), ("Value", number(30)), ("UnitOfMeasure", text(15)),
        ("UCUMVersion", text(10)), ("ObservationDate", WHEN),
    )),
    ("ObservationNotes?", text(210)),
)  # fmt: skip
DRUG = group(
    ("ProductCode?", group(("Code", text(35)), ("Qualifier", text(3)))),
    ("Strength?", group(("StrengthValue?", text(70)), ("StrengthForm?", CODED), ("StrengthUnitOfMeasure?", CODED))),
    ("DrugDBCode?", group(("Code", text(15)), ("Qualifier", text(3)))),
    ("DEASchedule?", CODED),
)
QUANTITY = group(("Value", number(11)), ("CodeListQualifier", text(2)), ("QuantityUnitOfMeasure", CODED))
SIG = group(("SigText", text(1000)), ("CodeSystem?", ANY), ("Instruction*", ANY))
_ILLNESS = group(("Code", text(15)), ("Qualifier", text(3)), ("Description?", text(255)))
DIAGNOSIS = group(("ClinicalInformationQualifier", one_of("1", "2")), ("Primary", _ILLNESS), ("Secondary?", _ILLNESS))
_OTHER_DATE = group(("OtherMedicationDate", WHEN), ("OtherMedicationDateQualifier", text(35)))


def _medication(*, written: str, last_fill: str, refills: str) -> Group:
    """A medication block; `refills` is how NumberOfRefills stands there ("" = it may not)."""
    return group(
        ("DrugDescription", text(105)), ("DrugCoded?", DRUG), ("Quantity", QUANTITY), ("DaysSupply?", DAYS),
        (written, WHEN), (last_fill, WHEN), ("Substitutions", one_of("0", "1")),
        *([(refills, REFILLS)] if refills else []),
        ("Diagnosis*2", DIAGNOSIS), ("PriorAuthorization?", text(35)), ("Note?", text(210)), ("DrugUseEvaluation*5",
        ANY),
        ("DrugCoverageStatusCode*5", text(2)), ("PriorAuthorizationStatus?", text(1)), ("Sig", SIG),
        *([] if refills else [("PharmacyRequestedRefills?", REFILLS)]), ("DoNotFill?", text(1)), ("TimeZone?", ANY),
        ("OrderCaptureMethod?", text(35)),
        ("ReasonForSubstitutionCodeUsed?", text(35)), ("SplitScript?", text(35)), ("RxFillIndicator?", text(50)),
        ("OtherMedicationDate*", _OTHER_DATE),
    )  # fmt: skip


PRESCRIBED = _medication(written="WrittenDate", last_fill="LastFillDate?", refills="NumberOfRefills")
DISPENSED_FOR_RENEWAL = _medication(written="WrittenDate?", last_fill="LastFillDate", refills="")
DISPENSED = _medication(written="WrittenDate?", last_fill="LastFillDate?", refills="NumberOfRefills")
REQUESTED = _medication(written="WrittenDate?", last_fill="LastFillDate?", refills="NumberOfRefills?")

_RECEIPT = optional(["ReturnReceipt"], text(3))
_START: list[tuple[str, Node]] = [
    *_RECEIPT, ("RequestReferenceNumber?", text(70)), ("UrgencyIndicatorCode?", text(1)),
]  # fmt: skip
_GRANT = group(("ReferenceNumber?", text(35)), ("Note?", text(70)))
_DENIAL = group(("ReasonCode*10", text(3)), ("ReferenceNumber?", text(35)), ("DenialReason?", text(70)))
_CANCEL_DENIAL = group(
    ("ReasonCode*10", text(3)), ("ReferenceNumber?", text(35)), ("DenialReason?", text(70)), ("Pharmacy?", PHARMACY)
)
_FILL = group(("ReasonCode?", text(3)), ("ReferenceNumber?", text(35)), ("Note?", text(70)))
_VALIDATED = group(
    ("ReasonCode*10", text(3)), *optional(["ReferenceNumber"], text(35)), *optional(["Identification", "Supervisor"],
    ANY),
    ("Note?", text(70)), ("Date?", ANY), ("Specialty?", text(35)),
)  # fmt: skip
_RENEWAL_ANSWER = choice(
    ("Approved", _GRANT), ("ApprovedWithChanges", _GRANT), ("Denied", _DENIAL), ("Replace", _GRANT),
    ("DeniedNewPrescriptionToFollow", _DENIAL),
)  # fmt: skip
_CHANGE_ANSWER = choice(
    ("Approved", _GRANT), ("ApprovedWithChanges", _GRANT), ("Denied", _DENIAL), ("Validated", _VALIDATED)
)
_CHANGE_START: list[tuple[str, Node]] = [
    ("MessageRequestCode", one_of(*codes.CHANGE_CODES)), ("MessageRequestSubCode*10",
    one_of(*codes.CHANGE_SUB_CODES)), *_START,
]  # fmt: skip
_CANCEL_START: list[tuple[str, Node]] = [
    ("MessageRequestCode?", text(2)), *_START, ("ChangeOfPrescriptionStatusFlag?", one_of("C", "D")),
]  # fmt: skip
_DELIVERY = ("PrescriptionDeliveryMethod?", one_of("1", "2"))

BODIES: Final[dict[str, Node]] = {
    "NewRx": group(
        ("MessageRequestCode?", text(2)), *_START, ("AllergyOrAdverseEvent?", ANY), ("BenefitsCoordination*4", ANY),
        ("Facility?", ANY), ("Patient", PATIENT_AT_HOME), ("Pharmacy?", PHARMACY), ("Prescriber", PRESCRIBER_AT_PLACE),
        ("Observation?", OBSERVATION), ("MedicationPrescribed", PRESCRIBED), ("Supervisor?", SUPERVISOR),
        ("ProhibitRenewalRequest?", text(5)), ("FollowUpPrescriber?", ANY),
    ),
    "CancelRx": group(
        *_CANCEL_START, ("Facility?", ANY), ("Patient", PATIENT), ("Pharmacy?", PHARMACY), ("Prescriber", PRESCRIBER),
        ("MedicationPrescribed", PRESCRIBED), ("Supervisor?", SUPERVISOR),
    ),
    "CancelRxResponse": group(
        *_CANCEL_START, ("Response", choice(("Approved", group(("Note?", text(70)))), ("Denied", _CANCEL_DENIAL))),
    ),
    "RxRenewalRequest": group(
        *_START, ("FollowUpRequest?", FLAG), ("BenefitsCoordination*4", ANY), ("Facility?", ANY), ("Patient", PATIENT),
        ("Pharmacy", PHARMACY_AT_PLACE), ("Prescriber", PRESCRIBER), ("Observation?", OBSERVATION),
        ("MedicationDispensed", DISPENSED_FOR_RENEWAL), ("MedicationPrescribed?", PRESCRIBED), ("Supervisor?",
        SUPERVISOR),
        ("FollowUpPrescriber?", ANY),
    ),
    "RxRenewalResponse": group(
        *_START, ("Response", _RENEWAL_ANSWER), ("AllergyOrAdverseEvent?", ANY), ("Facility?", ANY), ("Patient",
        PATIENT),
        ("Pharmacy", PHARMACY), ("Prescriber", PRESCRIBER), ("Observation?", OBSERVATION), ("Supervisor?", SUPERVISOR),
        ("MedicationResponse", PRESCRIBED), ("FollowUpPrescriber?", ANY),
    ),
    "RxChangeRequest": group(
        *_CHANGE_START, ("FollowUpRequest?", FLAG), ("AllergyOrAdverseEvent?", ANY), ("BenefitsCoordination*4", ANY),
        ("Facility?", ANY), ("Patient", PATIENT), ("Pharmacy", PHARMACY), ("Prescriber", PRESCRIBER),
        ("Observation?", OBSERVATION), ("MedicationPrescribed", PRESCRIBED), ("MedicationRequested*9", REQUESTED),
        ("Supervisor?", SUPERVISOR), ("ChangeReasonText?", text(260)), ("FollowUpPrescriber?", ANY),
    ),
    "RxChangeResponse": group(
        *_CHANGE_START, ("Response", _CHANGE_ANSWER), ("AllergyOrAdverseEvent?", ANY), ("Facility?", ANY),
        ("Patient", PATIENT), ("Pharmacy", PHARMACY), ("Prescriber", PRESCRIBER), ("Observation?", OBSERVATION),
        ("Supervisor?", SUPERVISOR), ("MedicationPrescribed?", PRESCRIBED), ("FollowUpPrescriber?", ANY),
    ),
    "RxFill": group(
        *_RECEIPT, ("RequestReferenceNumber?", text(70)), ("Facility?", ANY),
        ("FillStatus", choice(*[(kind, _FILL) for kind in ("Dispensed", "PartiallyDispensed", "NotDispensed",
        "Transferred")])),
        ("Patient", PATIENT), ("Pharmacy", PHARMACY_AT_PLACE), ("Prescriber", PRESCRIBER),
        ("MedicationDispensed?", DISPENSED), ("MedicationPrescribed?", PRESCRIBED), ("Supervisor?", SUPERVISOR),
    ),
    "Status": group(
        ("Code", one_of(*codes.STATUS_CODES)), ("DescriptionCode*10", one_of(*sorted(codes.DESCRIPTION_CODES))),
        ("Description?", text(70)), _DELIVERY,
    ),
    "Error": group(
        ("Code", one_of(*codes.ERROR_CODES)), ("DescriptionCode*10", one_of(*sorted(codes.DESCRIPTION_CODES))),
        ("Description?", text(4000)),
    ),
    "Verify": group(("VerifyStatus", group(("Code", one_of("010")), ("Description?", text(70)), _DELIVERY))),
    "GetMessage": group(*_RECEIPT, ("RequestReferenceNumber?", text(70))),
}  # fmt: skip

_ADDRESS_OF = text(255, attributes={"Qualifier": re.compile("|".join(sorted(codes.ADDRESS_QUALIFIERS)))})
_ORDER_GROUP = group(
    ("OrderGroupNumber", text(35)), ("ItemCountInOrderGroup", digits(3)), ("TotalCountForOrderGroup", digits(3)),
    ("OrderGroupReason?", text(50)),
)  # fmt: skip
_SIGNATURE_PARTS: list[tuple[str, Node]] = [
    ("DigitalSignatureIndicator?", BOOLEAN), ("DigestMethod*2", ANY), ("DigestValue*2", ANY), ("SignatureValue*2", ANY),
    ("X509Data*2", ANY),
]  # fmt: skip
HEADER: Final[Group] = group(
    ("To", _ADDRESS_OF), ("From", _ADDRESS_OF), ("MessageID", text(35)), ("RelatesToMessageID?", text(35)),
    ("SentTime", MOMENT), ("Security?", ANY),
    ("SenderSoftware", group(
        ("SenderSoftwareDeveloper", text(35)), ("SenderSoftwareProduct", text(35)), ("SenderSoftwareVersionRelease",
        text(50)),
    )),
    ("Mailbox?", group(
        ("MailboxID?", text(35)), ("DeliveredID?", text(35)), ("AdditionalTraceNumber?", text(3)),
        ("AcknowledgementID?", text(35)),
    )),
    ("TestMessage?", FLAG), ("RxReferenceNumber?", text(35)), ("TertiaryIdentifier?", text(3)),
    ("PrescriberOrderNumber?", text(35)), ("DigitalSignature?", group(*_SIGNATURE_PARTS, attributes={"Version": None})),
    ("PrescriberOrderGroup?", _ORDER_GROUP), ("RxReferenceOrderGroup?", _ORDER_GROUP),
)  # fmt: skip

MESSAGE: Final[Group] = group(
    ("Header", HEADER), ("Body", choice(*BODIES.items())),
    attributes={
        "DatatypesVersion": _VERSION, "TransportVersion": _VERSION, "TransactionDomain": re.compile("SCRIPT"),
        "TransactionVersion": _VERSION, "StructuresVersion": _VERSION, "ECLVersion": _VERSION,
    },
)  # fmt: skip


def check_message(*, root: ElementTree.Element) -> None:
    """Check a whole document; raises surescripts_grammar.StructureFault with the XPath of the first breach."""
    check(element=root, node=MESSAGE)
