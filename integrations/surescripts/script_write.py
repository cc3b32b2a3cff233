"""Writes any SCRIPT 2017071 message from the version-neutral model: the inverse of `script_read`.

Structure, lengths, characters and code tables only. Whether a message may be sent at all (lane, signature, what is
answered) is for `script_build` and `script_answer`, which alone write what leaves this product.
"""

from collections.abc import Callable

from integrations.surescripts import script_blocks, script_codes, script_header, script_medication
from integrations.surescripts.script_fit import Fit
from integrations.surescripts.script_medication import Block
from integrations.surescripts.script_model import MessageKind, NetworkMessage, Prescription, Reply

M = MessageKind
_ALL = frozenset({"Patient", "Pharmacy", "Prescriber"})
_NEEDS = {
    M.NEW_RX: frozenset({"Patient", "Prescriber", "Patient/Address", "Prescriber/Address",
                         "Prescriber/CommunicationNumbers", "Pharmacy/CommunicationNumbers"}),
    M.CANCEL_RX: frozenset({"Patient", "Prescriber"}),
    M.RX_RENEWAL_REQUEST: _ALL | {"Pharmacy/Address"},
    M.RX_FILL: _ALL | {"Pharmacy/Address"},
}  # fmt: skip
_GRANTS = ("Approved", "ApprovedWithChanges")
REPLIES = {
    M.RX_RENEWAL_RESPONSE: (*_GRANTS, "Denied", "Replace"),
    M.RX_CHANGE_RESPONSE: (*_GRANTS, "Denied", "Validated"),
    M.CANCEL_RX_RESPONSE: ("Approved", "Denied"),
    M.RX_FILL: ("Dispensed", "PartiallyDispensed", "NotDispensed", "Transferred"),
}
_REASONS = {
    M.RX_RENEWAL_RESPONSE: script_codes.RENEWAL_DENIALS,
    M.RX_CHANGE_RESPONSE: script_codes.CHANGE_DENIALS,
    M.CANCEL_RX_RESPONSE: script_codes.CANCEL_DENIALS,
    M.RX_FILL: script_codes.NOT_DISPENSED,
}
UNRELATED = frozenset({M.NEW_RX, M.GET_MESSAGE})
"""May stand without the message it relates to; all others answer or concern one (contract 3.3)."""


def write(message: NetworkMessage) -> bytes:
    """The bytes of this message; `raw` and `oddities` are not looked at. Raises DoesNotFit with every reason."""
    fit = Fit()
    if not message.header.relates_to and message.kind not in UNRELATED:
        fit.refuse("Header/RelatesToMessageID", "missing", "", "Name the message this one answers or concerns.")
    writer = _WRITERS.get(message.kind)
    if writer is None:
        fit.refuse("Body", "not_in_table", message.kind.value, "This kind of message cannot be written.")
        fit.finish()
        raise AssertionError  # finish has raised
    return script_header.document(fit, message.header, writer(fit, message))


def _answer(fit: Fit, message: NetworkMessage) -> str:
    """Status, Error, and the inside of Verify."""
    answer, kind = message.answer, message.kind
    if answer is None:
        fit.refuse("Body", "missing", "answer", "Give the code.")
        return ""
    codes = script_codes.ERROR_CODES if kind is M.ERROR else script_codes.STATUS_CODES
    if answer.code not in codes or (kind is M.VERIFY and answer.code != "010"):
        fit.refuse(f"{kind.value}/Code", "not_in_table", answer.code[:5], "Use a code of the standard.")
    if any(code not in script_codes.DESCRIPTION_CODES for code in answer.description_codes):
        fit.refuse(f"{kind.value}/DescriptionCode", "not_in_table", "", "Use description codes of the standard.")
    parts = [f"<Code>{answer.code}</Code>"]
    if kind is not M.VERIFY:
        parts += [f"<DescriptionCode>{code}</DescriptionCode>" for code in answer.description_codes]
    if answer.description:
        said = fit.text(f"{kind.value}/Description", answer.description, most=4000 if kind is M.ERROR else 70)
        parts.append(f"<Description>{said}</Description>")
    if answer.delivery_method:
        if kind is M.ERROR or answer.delivery_method not in ("1", "2"):
            fit.refuse(f"{kind.value}/PrescriptionDeliveryMethod", "not_in_table", "", "1 electronic or 2 fax.")
        parts.append(f"<PrescriptionDeliveryMethod>{answer.delivery_method}</PrescriptionDeliveryMethod>")
    inside = "".join(parts)
    if kind is M.VERIFY:
        return f"<Verify><VerifyStatus>{inside}</VerifyStatus></Verify>"
    name = "Error" if kind is M.ERROR else "Status"
    return f"<{name}>{inside}</{name}>"


def _get_message(fit: Fit, message: NetworkMessage) -> str:
    return "<GetMessage/>"


def _new_rx(fit: Fit, message: NetworkMessage) -> str:
    block = _medication(fit, message.prescribed, script_medication.PRESCRIBED)
    return f"<NewRx>{people(fit, message)}{block}</NewRx>"


def _cancel_rx(fit: Fit, message: NetworkMessage) -> str:
    flag = ""
    if message.cancel_flag:
        if message.cancel_flag not in ("C", "D"):
            fit.refuse("CancelRx/ChangeOfPrescriptionStatusFlag", "not_in_table", "", "C cancel or D discontinue.")
        flag = f"<ChangeOfPrescriptionStatusFlag>{message.cancel_flag}</ChangeOfPrescriptionStatusFlag>"
    block = _medication(fit, message.prescribed, script_medication.PRESCRIBED)
    return f"<CancelRx>{flag}{people(fit, message)}{block}</CancelRx>"


def _cancel_response(fit: Fit, message: NetworkMessage) -> str:
    return f"<CancelRxResponse><Response>{reply(fit, message)}</Response></CancelRxResponse>"


def _renewal_request(fit: Fit, message: NetworkMessage) -> str:
    again = "<FollowUpRequest>1</FollowUpRequest>" if message.is_repeated_ask else ""
    dispensed = _medication(fit, message.dispensed, script_medication.DISPENSED_FOR_RENEWAL)
    prescribed = _optional(fit, message.prescribed, script_medication.THEIRS_PRESCRIBED)
    return f"<RxRenewalRequest>{again}{people(fit, message)}{dispensed}{prescribed}</RxRenewalRequest>"


def _renewal_response(fit: Fit, message: NetworkMessage) -> str:
    is_denied = message.reply is not None and message.reply.kind == "Denied"
    shape = script_medication.DENIED if is_denied else script_medication.RESPONSE
    block = _medication(fit, message.prescribed, shape)
    decided = f"<Response>{reply(fit, message)}</Response>"
    return f"<RxRenewalResponse>{decided}{people(fit, message)}{block}</RxRenewalResponse>"


def _change_request(fit: Fit, message: NetworkMessage) -> str:
    again = "<FollowUpRequest>1</FollowUpRequest>" if message.is_repeated_ask else ""
    if message.requested and message.change_code in ("P", "U"):
        fit.refuse("MedicationRequested", "disagrees", message.change_code, "Codes P and U ask for no other drug.")
    if len(message.requested) > 9:
        fit.refuse("MedicationRequested", "out_of_range", str(len(message.requested)), "Give at most nine.")
    blocks = _medication(fit, message.prescribed, script_medication.THEIRS_PRESCRIBED) + "".join(
        script_medication.write(fit, one, script_medication.REQUESTED) for one in message.requested
    )
    why = ""
    if message.change_text:
        text = fit.text("RxChangeRequest/ChangeReasonText", message.change_text, most=260)
        why = f"<ChangeReasonText>{text}</ChangeReasonText>"
    return f"<RxChangeRequest>{_change_codes(fit, message)}{again}{people(fit, message)}{blocks}{why}</RxChangeRequest>"


def _change_response(fit: Fit, message: NetworkMessage) -> str:
    if message.reply is not None and (message.reply.kind == "Validated") and message.change_code != "U":
        fit.refuse("RxChangeResponse/Response", "disagrees", "Validated", "Only code U is answered so.")
    decided = f"<Response>{reply(fit, message)}</Response>"
    block = _optional(fit, message.prescribed, script_medication.PRESCRIBED)
    return (
        f"<RxChangeResponse>{_change_codes(fit, message)}{decided}{people(fit, message)}{block}</RxChangeResponse>"
    )


def _fill(fit: Fit, message: NetworkMessage) -> str:
    status = f"<FillStatus>{reply(fit, message)}</FillStatus>"
    blocks = _optional(fit, message.dispensed, script_medication.DISPENSED) + _optional(
        fit, message.prescribed, script_medication.THEIRS_PRESCRIBED
    )
    return f"<RxFill>{status}{people(fit, message)}{blocks}</RxFill>"


def _change_codes(fit: Fit, message: NetworkMessage) -> str:
    if message.change_code not in script_codes.CHANGE_CODES:
        fit.refuse("MessageRequestCode", "not_in_table", message.change_code[:5], "Use a code of the standard.")
    if any(code not in script_codes.CHANGE_SUB_CODES for code in message.change_sub_codes):
        fit.refuse("MessageRequestSubCode", "not_in_table", "", "Use a sub-code of the standard.")
    subs = "".join(f"<MessageRequestSubCode>{code}</MessageRequestSubCode>" for code in message.change_sub_codes)
    return f"<MessageRequestCode>{message.change_code}</MessageRequestCode>{subs}"


def people(fit: Fit, message: NetworkMessage) -> str:
    """Patient, pharmacy and prescriber as this kind of message must name them."""
    return script_blocks.people(
        fit,
        patient=message.patient,
        pharmacy=message.pharmacy,
        prescriber=message.prescriber,
        needs=_NEEDS.get(message.kind, _ALL),
    )


def reply(fit: Fit, message: NetworkMessage) -> str:
    """The one decision of a response or a fill message."""
    made, allowed = message.reply, REPLIES[message.kind]
    if made is None or made.kind not in allowed:
        fit.refuse("Response", "not_in_table", made.kind[:30] if made else "", f"One of {', '.join(allowed)}.")
        return ""
    known = _REASONS[message.kind] if made.kind in ("Denied", "NotDispensed") else frozenset(script_codes.REASON_CODES)
    if any(code not in known for code in made.reason_codes) or len(made.reason_codes) > 10:
        fit.refuse("Response/ReasonCode", "not_in_table", "", "Use a reason code of the standard for this answer.")
    reasons = "".join(f"<ReasonCode>{code}</ReasonCode>" for code in made.reason_codes)
    if made.reason_codes and made.kind in (*_GRANTS, "Replace"):
        fit.refuse("Response/ReasonCode", "out_of_range", made.kind, "An approval has no reason code.")
    return f"<{made.kind}>{reasons}{_reference(fit, made)}{_words(fit, made)}</{made.kind}>"


def _reference(fit: Fit, made: Reply) -> str:
    if not made.reference:
        return ""
    return f"<ReferenceNumber>{fit.text('Response/ReferenceNumber', made.reference, most=35)}</ReferenceNumber>"


def _words(fit: Fit, made: Reply) -> str:
    if not made.text:
        return ""
    name = "DenialReason" if made.kind == "Denied" else "Note"
    return f"<{name}>{fit.text(f'Response/{name}', made.text, most=70)}</{name}>"


def _medication(fit: Fit, prescription: Prescription | None, block: Block) -> str:
    if prescription is None:
        fit.refuse(block.name, "missing", "", "Fill this in.")
        return ""
    return script_medication.write(fit, prescription, block)


def _optional(fit: Fit, prescription: Prescription | None, block: Block) -> str:
    return "" if prescription is None else script_medication.write(fit, prescription, block)


_WRITERS: dict[MessageKind, Callable[[Fit, NetworkMessage], str]] = {
    M.STATUS: _answer,
    M.ERROR: _answer,
    M.VERIFY: _answer,
    M.GET_MESSAGE: _get_message,
    M.NEW_RX: _new_rx,
    M.CANCEL_RX: _cancel_rx,
    M.CANCEL_RX_RESPONSE: _cancel_response,
    M.RX_RENEWAL_REQUEST: _renewal_request,
    M.RX_RENEWAL_RESPONSE: _renewal_response,
    M.RX_CHANGE_REQUEST: _change_request,
    M.RX_CHANGE_RESPONSE: _change_response,
    M.RX_FILL: _fill,
}
