"""Builds SCRIPT 2017071 messages: bytes in exactly the contract's element order, or DoesNotFit with every reason.

The routine lane only: a controlled or unknown schedule raises ControlledDrug before anything is built. The same values
give the same bytes. It never cuts, guesses or fills in.
"""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrations.surescripts import script_blocks, script_checks, script_codes, script_header, script_medication
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

VERSION = script_header.VERSION
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
    check_together(fit, envelope=envelope, patient=patient, prescription=prescription)
    content = shared_blocks(fit, patient, pharmacy, prescriber, prescription)
    head = script_header.outgoing(
        to=Party("P", pharmacy.ncpdp_id), sender=Party("D", prescriber.spi), envelope=numbered(fit, envelope)
    )
    document = script_header.document(fit, head, f"<NewRx>{content}</NewRx>")
    return Built(document=document, changes=tuple(fit.changes))


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
        f"<CancelRx><ChangeOfPrescriptionStatusFlag>{flag.value}</ChangeOfPrescriptionStatusFlag>"
        f"{shared_blocks(fit, patient, pharmacy, prescriber, prescription)}</CancelRx>"
    )
    if not relates_to:
        fit.refuse("Header/RelatesToMessageID", "missing", "", "Name the message that is withdrawn.")
    head = script_header.outgoing(
        to=Party("P", pharmacy.ncpdp_id),
        sender=Party("D", prescriber.spi),
        envelope=numbered(fit, envelope),
        relates_to=relates_to,
        rx_reference=rx_reference,
    )
    return script_header.document(fit, head, body)


def build_getmessage(
    *, from_spi: str, mailbox_id: str, message_id: str, sent_at: datetime, acknowledge: str | None = None
) -> bytes:
    """A poll of the mailbox; acknowledge is the DeliveredID of what the caller has stored. Raises DoesNotFit."""
    head = script_header.outgoing(
        to=Party("M", mailbox_id), sender=Party("D", from_spi), envelope=Envelope(message_id, sent_at)
    )
    head = dataclasses.replace(head, acknowledgement_id=acknowledge or "")
    return script_header.document(Fit(), head, "<GetMessage/>")


def build_status(
    *, to: Party, sender: Party, relates_to: str, message_id: str, sent_at: datetime, code: str = "000"
) -> bytes:
    """A Status that takes responsibility for the message relates_to. Raises DoesNotFit."""
    fit = Fit()
    if code not in script_codes.STATUS_CODES:
        fit.refuse("Status/Code", "not_in_table", code[:5], "Use a status code of the standard.")
    if not relates_to:
        fit.refuse("Header/RelatesToMessageID", "missing", "", "A status answers one message.")
    head = script_header.outgoing(
        to=to, sender=sender, envelope=Envelope(message_id, sent_at), relates_to=relates_to
    )
    return script_header.document(fit, head, f"<Status><Code>{code}</Code></Status>")


def shared_blocks(
    fit: Fit, patient: PatientRef, pharmacy: PharmacyRef, prescriber: PrescriberRef, prescription: Prescription
) -> str:
    """The four blocks that NewRx and CancelRx share, in their order."""
    people = script_blocks.people(fit, patient=patient, pharmacy=pharmacy, prescriber=prescriber)
    return f"{people}{script_medication.write(fit, prescription, script_medication.PRESCRIBED)}"


def numbered(fit: Fit, envelope: Envelope) -> Envelope:
    """The envelope of a prescription, which always names its order (contract 4.1)."""
    if not envelope.order_number:
        fit.refuse("Header/PrescriberOrderNumber", "malformed", "0 characters", "Every prescription has its number.")
    return envelope


def check_together(fit: Fit, *, envelope: Envelope, patient: PatientRef, prescription: Prescription) -> None:
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
