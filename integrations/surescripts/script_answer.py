"""Our answers to what a pharmacy asks: RxRenewalResponse and RxChangeResponse (contract 4.6, 4.7).

The routine lane only: an answer that lets a pharmacy dispense is a prescription, so a controlled or unknown drug raises
ControlledDrug before anything is built; a denial may name any drug. Same values, same bytes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from integrations.surescripts import script_checks, script_codes, script_header, script_write
from integrations.surescripts.script_checks import DoesNotFit, Problem
from integrations.surescripts.script_model import (
    Envelope,
    MessageKind,
    NetworkMessage,
    Party,
    PatientRef,
    PrescriberRef,
    Prescription,
    Reply,
)

GRANTS = frozenset({"Approved", "ApprovedWithChanges", "Replace"})
CHANGES = ("quantity", "unit_code", "days_supply", "sig", "substitution_allowed")
"""What makes an approval a Replace when it differs from what was dispensed (contract 4.6); the drug too."""


@dataclass(frozen=True, slots=True)
class NotAnswerable(ValueError):
    """The message is no request that is answered so."""

    kind: str


def outcome_of(*, asked: Prescription, granted: Prescription) -> str:
    """Approved, ApprovedWithChanges or Replace, by the table of contract 4.6.

    `asked`: MedicationDispensed of the request. `granted.refills` counts fills that may still be dispensed.
    """
    if _drug_differs(asked, granted) or any(getattr(asked, name) != getattr(granted, name) for name in CHANGES):
        return "Replace"
    if asked.requested_refills is not None and asked.requested_refills != granted.refills:
        return "ApprovedWithChanges"
    return "Approved"


def _drug_differs(asked: Prescription, granted: Prescription) -> bool:
    one, other = asked.drug, granted.drug
    if one.rxcui and other.rxcui:
        return one.rxcui != other.rxcui
    return " ".join(one.description.lower().split()) != " ".join(other.description.lower().split())


def build_renewal_response(
    *,
    envelope: Envelope,
    request: NetworkMessage,
    reply: Reply,
    patient: PatientRef,
    prescriber: PrescriberRef,
    prescription: Prescription,
) -> bytes:
    """The answer to a renewal request. `prescription`: what may be dispensed, or what was asked where it is denied.

    The pharmacy is the one that asked and cannot be changed. Raises ControlledDrug, DoesNotFit, NotAnswerable.
    """
    if request.kind is not MessageKind.RX_RENEWAL_REQUEST or request.pharmacy is None:
        raise NotAnswerable(request.body_name)
    if reply.kind in GRANTS:
        script_checks.require_routine(prescription.drug)
        if not prescription.refills and reply.kind != "Replace":
            raise DoesNotFit(
                (Problem("MedicationResponse/NumberOfRefills", "out_of_range", "0", "Grant at least one fill."),)
            )
    elif reply.kind == "Denied" and not reply.reason_codes:
        raise DoesNotFit((Problem("Response/ReasonCode", "missing", "", "Give the reason of the denial."),))
    made = _response(MessageKind.RX_RENEWAL_RESPONSE, "RxRenewalResponse", envelope, request, reply)
    made = dataclasses.replace(made, patient=patient, prescriber=prescriber, prescribed=_sendable(prescription))
    return script_write.write(made)


def build_change_response(
    *,
    envelope: Envelope,
    request: NetworkMessage,
    reply: Reply,
    prescriber: PrescriberRef,
    prescription: Prescription | None = None,
) -> bytes:
    """The answer to a change request; codes are echoed. Raises ControlledDrug, DoesNotFit, NotAnswerable."""
    if request.kind is not MessageKind.RX_CHANGE_REQUEST or request.pharmacy is None:
        raise NotAnswerable(request.body_name)
    prescribed = prescription or request.prescribed
    if reply.kind in GRANTS and prescribed is not None:
        script_checks.require_routine(prescribed.drug)
    made = _response(MessageKind.RX_CHANGE_RESPONSE, "RxChangeResponse", envelope, request, reply)
    made = dataclasses.replace(
        made,
        patient=request.patient,
        prescriber=prescriber,
        prescribed=None if prescribed is None else _sendable(prescribed),
        change_code=request.change_code,
        change_sub_codes=request.change_sub_codes,
    )
    return script_write.write(made)


def _response(
    kind: MessageKind, name: str, envelope: Envelope, request: NetworkMessage, reply: Reply
) -> NetworkMessage:
    """The frame: back to whom asked, from whom was asked, about that message (contract 3.3)."""
    asked = request.header
    head = script_header.outgoing(
        to=Party("P", asked.sender.id),
        sender=Party("D", asked.to.id),
        envelope=dataclasses.replace(envelope, order_number=number_of(request=request, own=envelope.order_number)),
        relates_to=asked.message_id,
        rx_reference=asked.rx_reference,
    )
    return NetworkMessage(kind=kind, body_name=name, header=head, raw=b"", reply=reply, pharmacy=request.pharmacy)


def number_of(*, request: NetworkMessage, own: str) -> str:
    """The order number an answer bears: that of the request, ours where it names none that can be sent."""
    asked = request.header.order_number
    return asked if script_checks.WIRE_ID.fullmatch(asked) else own


def _sendable(prescription: Prescription) -> Prescription:
    """The block as a prescriber sends it: an original quantity, nothing a pharmacy asks for."""
    return dataclasses.replace(prescription, quantity_qualifier="38", requested_refills=None)


def denial(*, code: str, text: str = "") -> Reply:
    """A denial with one reason of the table; `text` goes to the pharmacy, at most 70 characters."""
    if code not in script_codes.RENEWAL_DENIALS:
        raise DoesNotFit((Problem("Response/ReasonCode", "not_in_table", code[:5], "Use a reason of the table."),))
    return Reply(kind="Denied", reason_codes=(code,), text=text)
