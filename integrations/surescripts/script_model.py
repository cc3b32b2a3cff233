"""What a SCRIPT message says, free of any version of the standard.

Built from by `script_build`, filled by `script_read`. The values are the wire's (ASCII, codes as given); nothing here
decides whether they fit: that is `script_checks`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class MessageKind(StrEnum):
    """The body of a message; `other` is a SCRIPT message we have no use for."""

    STATUS = "status"
    ERROR = "error"
    VERIFY = "verify"
    GET_MESSAGE = "get_message"
    NEW_RX = "new_rx"
    RX_FILL = "rx_fill"
    RX_RENEWAL_REQUEST = "rx_renewal_request"
    RX_RENEWAL_RESPONSE = "rx_renewal_response"
    RX_CHANGE_REQUEST = "rx_change_request"
    RX_CHANGE_RESPONSE = "rx_change_response"
    CANCEL_RX = "cancel_rx"
    CANCEL_RX_RESPONSE = "cancel_rx_response"
    OTHER = "other"


class Schedule(StrEnum):
    """DEA schedule. `unknown` is treated as controlled everywhere (architecture, law 6)."""

    I = "1"  # noqa: E741 - the schedule's own name
    II = "2"
    III = "3"
    IV = "4"
    V = "5"
    NOT_CONTROLLED = "none"
    UNKNOWN = "unknown"


class Gender(StrEnum):
    """The three values of 2017071."""

    FEMALE = "F"
    MALE = "M"
    UNKNOWN = "U"


class CancelFlag(StrEnum):
    """What the pharmacy should do with a withdrawn prescription."""

    CANCEL = "C"  # not yet dispensed
    DISCONTINUE = "D"  # stop further fills


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a message: qualifier (P pharmacy, D prescriber, M mailbox, ...) and id."""

    qualifier: str
    id: str


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name; parts of 1 to 35 characters, suffix and prefix of 1 to 10."""

    last: str
    first: str
    middle: str = ""
    suffix: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address in the United States; postal_code is 5 or 9 digits."""

    line1: str
    city: str
    state: str
    postal_code: str
    line2: str = ""
    country: str = "US"


@dataclass(frozen=True, slots=True)
class PatientRef:
    """The patient as a prescription names them. phone: 10 digits. chart_id: our EHR's id of the patient."""

    name: Name
    gender: Gender
    born_on: date | None
    address: Address | None
    phone: str = ""
    chart_id: str = ""


@dataclass(frozen=True, slots=True)
class PharmacyRef:
    """The pharmacy as the directory names it. ncpdp_id: 7 digits, text."""

    ncpdp_id: str
    npi: str
    name: str
    phone: str
    fax: str = ""
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class PrescriberRef:
    """The prescriber as the directory names them at one location. spi: 13 digits. agent: who prepared the order."""

    spi: str
    npi: str
    name: Name
    phone: str
    fax: str = ""
    address: Address | None = None
    specialty: str = ""
    practice_name: str = ""
    dea_number: str = ""
    state_license: str = ""
    agent: Name | None = None
    place_of_service: str = ""


@dataclass(frozen=True, slots=True)
class Strength:
    """Strength as coded: value, NCI code of the form, NCI code of the unit."""

    value: str
    form_code: str
    unit_code: str


@dataclass(frozen=True, slots=True)
class Drug:
    """The drug as prescribed.

    rxcui with rxcui_qualifier (SCD, SBD, GPK, BPK). ndc: 11 digits of a representative product, or empty. In a message
    from outside the schedule is the sender's word (its code for "not controlled" also means "unspecified"): ask our own
    table before trusting it.
    """

    description: str
    schedule: Schedule
    rxcui: str = ""
    rxcui_qualifier: str = ""
    ndc: str = ""
    strength: Strength | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A diagnosis; ICD-10-CM (qualifier ABF) without its dot. stated_by: 1 prescriber, 2 inferred by the pharmacy."""

    code: str
    description: str
    qualifier: str = "ABF"
    stated_by: str = "1"


@dataclass(frozen=True, slots=True)
class Prescription:
    """One medication block: what is, was or should be prescribed or dispensed.

    quantity in units of unit_code (NCI). quantity_qualifier 38 = original quantity. days_supply in days. refills: fills
    after the first. requested_refills: what a pharmacy asks for. None means that the block does not say.
    """

    drug: Drug
    quantity: Decimal | None
    unit_code: str
    days_supply: int | None
    written_on: date | None
    refills: int | None
    sig: str
    substitution_allowed: bool = True
    note: str = ""
    diagnoses: tuple[Diagnosis, ...] = ()
    last_filled_on: date | None = None
    requested_refills: int | None = None
    quantity_qualifier: str = "38"
    wants_fill_status: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """What we choose for one outgoing message.

    message_id: 32 lower-case hex characters, never used before. sent_at: aware UTC. order_number: stable for the life
    of the prescription. test: marks a test message.
    """

    message_id: str
    sent_at: datetime
    order_number: str = ""
    test: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a message as received; empty text where an optional element is absent."""

    to: Party
    sender: Party
    message_id: str
    sent_at: datetime
    relates_to: str = ""
    order_number: str = ""
    rx_reference: str = ""
    delivered_id: str = ""
    acknowledgement_id: str = ""
    software: tuple[str, str, str] = ("", "", "")
    test: bool = False
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, Error or Verify. delivery_method: "1" electronic, "2" fax, or empty."""

    code: str
    description_codes: tuple[str, ...] = ()
    description: str = ""
    delivery_method: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The decision in a response or fill message.

    kind: the element's own name (Approved, ApprovedWithChanges, Denied, Replace, Validated, Dispensed,
    PartiallyDispensed, NotDispensed, Transferred, ...). text: denial reason or note, verbatim.
    """

    kind: str
    reason_codes: tuple[str, ...] = ()
    text: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class NetworkMessage:
    """One SCRIPT message, read.

    body_name: the body element's name. raw: the bytes as received. answer: for Status, Error, Verify. reply: for
    responses and RxFill. oddities: what was unusual yet readable, for a person (no health data in them).
    """

    kind: MessageKind
    body_name: str
    header: Header
    raw: bytes = field(repr=False)
    answer: Answer | None = None
    reply: Reply | None = None
    patient: PatientRef | None = None
    pharmacy: PharmacyRef | None = None
    prescriber: PrescriberRef | None = None
    prescribed: Prescription | None = None
    dispensed: Prescription | None = None
    requested: tuple[Prescription, ...] = ()
    change_code: str = ""
    change_sub_codes: tuple[str, ...] = ()
    change_text: str = ""
    cancel_flag: str = ""
    is_repeated_ask: bool = False
    oddities: tuple[str, ...] = ()
