"""Builds SCRIPT 2017071 messages: bytes in exactly the contract's element order, or DoesNotFit with every reason.

The routine lane only: a controlled or unknown schedule raises ControlledDrug before anything is built. The same values
give the same bytes. It never cuts, guesses or fills in.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrations.surescripts import script_blocks, script_checks, script_codes
from integrations.surescripts.script_fit import Fit, TextChange
from integrations.surescripts.script_model import (
    CancelFlag,
    Envelope,
    Party,
    PatientRef,
    PharmacyRef,
    PrescriberRef,
    Prescription,
)

VERSION = "20170715"
SOFTWARE = ("Refill Hub", "Refill Hub", "1.0.0")  # developer, product, release

_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<Message DatatypesVersion="{VERSION}" TransportVersion="{VERSION}" TransactionDomain="SCRIPT" '
    f'TransactionVersion="{VERSION}" StructuresVersion="{VERSION}" ECLVersion="{VERSION}">'
)
_SOFTWARE = (
    f"<SenderSoftware><SenderSoftwareDeveloper>{SOFTWARE[0]}</SenderSoftwareDeveloper>"
    f"<SenderSoftwareProduct>{SOFTWARE[1]}</SenderSoftwareProduct>"
    f"<SenderSoftwareVersionRelease>{SOFTWARE[2]}</SenderSoftwareVersionRelease></SenderSoftware>"
)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Built:
    """A finished message and what was replaced in its texts, to be shown to the reviewer."""

    document: bytes
    changes: tuple[TextChange, ...]


def build_newrx(
    *,
    envelope: Envelope,
    patient: PatientRef,
    pharmacy: PharmacyRef,
    prescriber: PrescriberRef,
    prescription: Prescription,
) -> bytes:
    """A NewRx for a drug known not to be controlled. Raises ControlledDrug, DoesNotFit."""
    return prepare_newrx(
        envelope=envelope, patient=patient, pharmacy=pharmacy, prescriber=prescriber, prescription=prescription
    ).document


def prepare_newrx(
    *,
    envelope: Envelope,
    patient: PatientRef,
    pharmacy: PharmacyRef,
    prescriber: PrescriberRef,
    prescription: Prescription,
) -> Built:
    """As `build_newrx`, with the replacements made in texts. Raises ControlledDrug, DoesNotFit."""
    script_checks.require_routine(prescription.drug)
    fit = Fit()
    _check_together(fit, envelope=envelope, patient=patient, prescription=prescription)
    content = script_blocks.content(fit, patient, pharmacy, prescriber, prescription)
    body = f"<Body><NewRx>{content}</NewRx></Body></Message>"
    head = _header(
        fit, to=Party("P", pharmacy.ncpdp_id), sender=Party("D", prescriber.spi), envelope=envelope, numbered=True
    )
    fit.finish()
    return Built(document=f"{_OPEN}{head}{body}".encode("ascii"), changes=tuple(fit.changes))


def build_cancelrx(
    *,
    envelope: Envelope,
    relates_to: str,
    patient: PatientRef,
    pharmacy: PharmacyRef,
    prescriber: PrescriberRef,
    prescription: Prescription,
    flag: CancelFlag = CancelFlag.CANCEL,
    rx_reference: str = "",
) -> bytes:
    """A CancelRx that withdraws the NewRx whose message id is relates_to; the medication repeats what was prescribed.

    Raises ControlledDrug, DoesNotFit.
    """
    script_checks.require_routine(prescription.drug)
    fit = Fit()
    body = (
        f"<Body><CancelRx><ChangeOfPrescriptionStatusFlag>{flag.value}</ChangeOfPrescriptionStatusFlag>"
        f"{script_blocks.content(fit, patient, pharmacy, prescriber, prescription)}</CancelRx></Body></Message>"
    )
    if not relates_to:
        fit.refuse("Header/RelatesToMessageID", "missing", "", "Name the message that is withdrawn.")
    head = _header(
        fit,
        to=Party("P", pharmacy.ncpdp_id),
        sender=Party("D", prescriber.spi),
        envelope=envelope,
        relates_to=relates_to,
        rx_reference=rx_reference,
        numbered=True,
    )
    fit.finish()
    return f"{_OPEN}{head}{body}".encode("ascii")


def build_getmessage(
    *, from_spi: str, mailbox_id: str, message_id: str, sent_at: datetime, acknowledge: str | None = None
) -> bytes:
    """A poll of the mailbox; acknowledge is the DeliveredID of what the caller has stored. Raises DoesNotFit."""
    fit = Fit()
    head = _header(
        fit,
        to=Party("M", mailbox_id),
        sender=Party("D", from_spi),
        envelope=Envelope(message_id=message_id, sent_at=sent_at),
        acknowledge=acknowledge or "",
    )
    fit.finish()
    return f"{_OPEN}{head}<Body><GetMessage/></Body></Message>".encode("ascii")


def build_status(
    *, to: Party, sender: Party, relates_to: str, message_id: str, sent_at: datetime, code: str = "000"
) -> bytes:
    """A Status that takes responsibility for the message relates_to. Raises DoesNotFit."""
    fit = Fit()
    if code not in script_codes.STATUS_CODES:
        fit.refuse("Status/Code", "not_in_table", code[:5], "Use a status code of the standard.")
    if not relates_to:
        fit.refuse("Header/RelatesToMessageID", "missing", "", "A status answers one message.")
    head = _header(
        fit, to=to, sender=sender, envelope=Envelope(message_id=message_id, sent_at=sent_at), relates_to=relates_to
    )
    fit.finish()
    return f"{_OPEN}{head}<Body><Status><Code>{code}</Code></Status></Body></Message>".encode("ascii")


def _header(
    fit: Fit,
    *,
    to: Party,
    sender: Party,
    envelope: Envelope,
    relates_to: str = "",
    acknowledge: str = "",
    rx_reference: str = "",
    numbered: bool = False,
) -> str:
    parts = [
        f'<Header><To Qualifier="{to.qualifier}">{_party_id(fit, "Header/To", to)}</To>'
        f'<From Qualifier="{sender.qualifier}">{_party_id(fit, "Header/From", sender)}</From>'
        f"<MessageID>{fit.wire_id('Header/MessageID', envelope.message_id)}</MessageID>"
    ]
    if relates_to:
        answered = fit.text("Header/RelatesToMessageID", relates_to, most=script_checks.MAX_ID)
        parts.append(f"<RelatesToMessageID>{answered}</RelatesToMessageID>")
    parts.append(f"<SentTime>{fit.moment('Header/SentTime', envelope.sent_at)}</SentTime>{_SOFTWARE}")
    if acknowledge:
        key = fit.text("Header/Mailbox/AcknowledgementID", acknowledge, most=255)
        parts.append(f"<Mailbox><AcknowledgementID>{key}</AcknowledgementID></Mailbox>")
    if envelope.test:
        parts.append("<TestMessage>1</TestMessage>")
    if rx_reference:
        number = fit.text("Header/RxReferenceNumber", rx_reference, most=script_checks.MAX_ID)
        parts.append(f"<RxReferenceNumber>{number}</RxReferenceNumber>")
    if numbered:
        number = fit.wire_id("Header/PrescriberOrderNumber", envelope.order_number)
        parts.append(f"<PrescriberOrderNumber>{number}</PrescriberOrderNumber>")
    parts.append("</Header>")
    return "".join(parts)


def _party_id(fit: Fit, field: str, party: Party) -> str:
    if party.qualifier == "P":
        return fit.digits(field, party.id, lengths=(7,))
    if party.qualifier == "D":
        return fit.digits(field, party.id, lengths=(13,))
    if party.qualifier not in script_codes.PARTY_QUALIFIERS:
        fit.refuse(field, "not_in_table", "qualifier", "Use an address qualifier of the standard.")
    return fit.text(field, party.id, most=255)


def _check_together(fit: Fit, *, envelope: Envelope, patient: PatientRef, prescription: Prescription) -> None:
    """The rules that need more than one field."""
    written_on = prescription.written_on
    if written_on is None:
        return
    if envelope.sent_at.tzinfo is not None and abs(written_on - envelope.sent_at.astimezone(UTC).date()) > _DAY:
        mend = "The date of the prescription must be the day of its approval; approve it again."
        fit.refuse("MedicationPrescribed/WrittenDate", "disagrees", "not the day of sending", mend)
    if patient.born_on is None:
        return
    if patient.born_on > written_on or patient.born_on.year < 1890:
        fit.refuse("Patient/DateOfBirth", "out_of_range", "", "Correct the date of birth in the chart.")
    elif script_checks.age_in_years(born_on=patient.born_on, on=written_on) < script_checks.ADULT_FROM_YEARS:
        mend = "The network wants height and weight for patients aged 18 or under; send it from the chart."
        fit.refuse("Observation", "missing", "18 or under", mend)
