"""Reads a SCRIPT 2017071 message that came from outside into a NetworkMessage.

Hardened: no DTD, no entities, no network, bounded size, depth and number of elements. What could be read in two ways
(a field twice, two bodies, another version) is UnreadableDocument; what is odd but clear is kept and named in
`oddities`. It never mends what it reads.
"""

import re
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from integrations.surescripts import script_codes
from integrations.surescripts.script_model import (
    Answer,
    Header,
    MessageKind,
    NetworkMessage,
    Party,
    Reply,
)
from integrations.surescripts.script_parts import Parts, UnreadableDocument

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 24
MAX_ELEMENTS = 5000

_KINDS = {
    "Status": MessageKind.STATUS,
    "Error": MessageKind.ERROR,
    "Verify": MessageKind.VERIFY,
    "GetMessage": MessageKind.GET_MESSAGE,
    "NewRx": MessageKind.NEW_RX,
    "RxFill": MessageKind.RX_FILL,
    "RxRenewalRequest": MessageKind.RX_RENEWAL_REQUEST,
    "RxRenewalResponse": MessageKind.RX_RENEWAL_RESPONSE,
    "RxChangeRequest": MessageKind.RX_CHANGE_REQUEST,
    "RxChangeResponse": MessageKind.RX_CHANGE_RESPONSE,
    "CancelRx": MessageKind.CANCEL_RX,
    "CancelRxResponse": MessageKind.CANCEL_RX_RESPONSE,
}
_ANSWERS = frozenset({MessageKind.STATUS, MessageKind.ERROR, MessageKind.VERIFY})
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_SAFE_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1"})
_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_COUNT = etree.XPath("count(//*)")


def read(document: bytes) -> NetworkMessage:
    """The message in these bytes. Raises UnreadableDocument, whose text holds no content of the message."""
    root = parse(document)
    parts = Parts()
    if root.tag != "Message":
        raise UnreadableDocument("the root is not Message")
    version = root.get("TransactionVersion") or ""
    if not version.startswith("2017071"):
        raise UnreadableDocument("not a message of SCRIPT 2017071")
    if root.get("TransactionDomain") != "SCRIPT":
        raise UnreadableDocument("not of the domain SCRIPT")
    header = _header(parts, parts.need(root, "Header"))
    body = parts.need(root, "Body")
    if len(body) != 1:
        raise UnreadableDocument("the body does not hold exactly one message")
    content = body[0]
    name = str(content.tag)
    kind = _KINDS.get(name, MessageKind.OTHER)
    found: dict[str, Any] = {}
    if kind in _ANSWERS:
        found["answer"] = _answer(parts, kind=kind, element=content)
    elif kind is not MessageKind.OTHER and kind is not MessageKind.GET_MESSAGE:
        found = _business(parts, kind=kind, element=content)
    return NetworkMessage(
        kind=kind, body_name=name[:60], header=header, raw=document, oddities=tuple(parts.oddities), **found
    )


def parse(document: bytes) -> Any:
    """The root element of untrusted XML. Raises UnreadableDocument for anything unsafe, broken or too large."""
    if len(document) > MAX_BYTES:
        raise UnreadableDocument("longer than 1 MB")
    if not document.strip():
        raise UnreadableDocument("empty")
    if b"\x00" in document or document[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UnreadableDocument("not in a single-byte encoding or UTF-8")
    named = _ENCODING.match(document.removeprefix(b"\xef\xbb\xbf"))
    if named and named.group(1).lower() not in _SAFE_ENCODINGS:
        raise UnreadableDocument("an encoding we do not accept")
    lowered = document.upper()
    if b"<!DOCTYPE" in lowered or b"<!ENTITY" in lowered:
        raise UnreadableDocument("a document type declaration")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableDocument(f"broken XML ({type(error).__name__})") from None
    if _TOO_DEEP(root):
        raise UnreadableDocument(f"nested deeper than {MAX_DEPTH}")
    if _COUNT(root) > MAX_ELEMENTS:
        raise UnreadableDocument(f"more than {MAX_ELEMENTS} elements")
    return root


def _header(parts: Parts, element: Any) -> Header:
    software = parts.one(element, "SenderSoftware")
    mailbox = parts.one(element, "Mailbox")
    signature = parts.one(element, "DigitalSignature")
    return Header(
        to=_party(parts, parts.need(element, "To")),
        sender=_party(parts, parts.need(element, "From")),
        message_id=_id(parts, element, "MessageID", needed=True),
        sent_at=_moment(parts, parts.need_text(element, "SentTime")),
        relates_to=_id(parts, element, "RelatesToMessageID", needed=False),
        order_number=parts.text(element, "PrescriberOrderNumber"),
        rx_reference=parts.text(element, "RxReferenceNumber"),
        delivered_id=parts.text(mailbox, "DeliveredID"),
        acknowledgement_id=parts.text(mailbox, "AcknowledgementID"),
        software=(
            parts.text(software, "SenderSoftwareDeveloper"),
            parts.text(software, "SenderSoftwareProduct"),
            parts.text(software, "SenderSoftwareVersionRelease"),
        ),
        test=parts.text(element, "TestMessage") == "1",
        signed=parts.text(signature, "DigitalSignatureIndicator").lower() in ("true", "1"),
    )


def _party(parts: Parts, element: Any) -> Party:
    value = parts.own_text(element)
    qualifier = element.get("Qualifier") or ""
    if not value or not qualifier:
        raise UnreadableDocument("a party of the header without id or qualifier")
    if qualifier not in script_codes.PARTY_QUALIFIERS:
        parts.odd("a party with an unknown qualifier")
    return Party(qualifier=qualifier, id=value)


def _id(parts: Parts, element: Any, name: str, *, needed: bool) -> str:
    value = parts.need_text(element, name) if needed else parts.text(element, name)
    if len(value) > 255:
        raise UnreadableDocument(f"{name} is too long")
    if len(value) > 35:
        parts.odd(f"{name} is longer than 35 characters")
    return value


def _moment(parts: Parts, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableDocument("SentTime is not a time") from None
    if moment.tzinfo is None:
        parts.odd("SentTime names no zone and was read as UTC")
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def _answer(parts: Parts, *, kind: MessageKind, element: Any) -> Answer:
    if kind is MessageKind.VERIFY:
        element = parts.need(element, "VerifyStatus")
    return Answer(
        code=parts.need_text(element, "Code"),
        description_codes=parts.texts(element, "DescriptionCode"),
        description=parts.text(element, "Description"),
        delivery_method=parts.text(element, "PrescriptionDeliveryMethod"),
    )


def _business(parts: Parts, *, kind: MessageKind, element: Any) -> dict[str, Any]:
    """The content of a business message, as keyword arguments of NetworkMessage."""
    found: dict[str, Any] = {
        "patient": parts.patient(parts.one(element, "Patient")),
        "pharmacy": parts.pharmacy(parts.one(element, "Pharmacy")),
        "prescriber": parts.prescriber(parts.one(element, "Prescriber")),
        "prescribed": parts.prescription(parts.one(element, "MedicationPrescribed")),
        "dispensed": parts.prescription(parts.one(element, "MedicationDispensed")),
        "is_repeated_ask": bool(parts.text(element, "FollowUpRequest")),
        "cancel_flag": parts.text(element, "ChangeOfPrescriptionStatusFlag"),
        "change_code": parts.text(element, "MessageRequestCode"),
        "change_sub_codes": parts.texts(element, "MessageRequestSubCode"),
        "change_text": parts.text(element, "ChangeReasonText"),
    }
    asked = (parts.prescription(each) for each in parts.many(element, "MedicationRequested"))
    found["requested"] = tuple(each for each in asked if each is not None)
    if kind is MessageKind.RX_RENEWAL_RESPONSE:
        found["prescribed"] = parts.prescription(parts.one(element, "MedicationResponse"))
    if kind is MessageKind.RX_FILL:
        found["reply"] = _reply(parts, parts.need(element, "FillStatus"))
    elif kind in (MessageKind.CANCEL_RX_RESPONSE, MessageKind.RX_RENEWAL_RESPONSE, MessageKind.RX_CHANGE_RESPONSE):
        found["reply"] = _reply(parts, parts.need(element, "Response"))
    for block in _REQUIRED.get(kind, ()):
        if found[block] is None:
            raise UnreadableDocument(f"no {block} block")
    return found


def _reply(parts: Parts, element: Any) -> Reply:
    if len(element) != 1:
        raise UnreadableDocument("a reply that is not exactly one decision")
    decision = element[0]
    return Reply(
        kind=str(decision.tag)[:60],
        reason_codes=parts.texts(decision, "ReasonCode"),
        text=parts.text(decision, "DenialReason") or parts.text(decision, "Note"),
        reference=parts.text(decision, "ReferenceNumber"),
    )


_REQUIRED: dict[MessageKind, tuple[str, ...]] = {
    MessageKind.NEW_RX: ("patient", "prescriber", "prescribed"),
    MessageKind.RX_FILL: ("patient", "pharmacy", "prescriber"),
    MessageKind.RX_RENEWAL_REQUEST: ("patient", "pharmacy", "prescriber", "dispensed"),
    MessageKind.RX_RENEWAL_RESPONSE: ("patient", "pharmacy", "prescriber", "prescribed"),
    MessageKind.RX_CHANGE_REQUEST: ("patient", "pharmacy", "prescriber", "prescribed"),
    MessageKind.RX_CHANGE_RESPONSE: ("patient", "pharmacy", "prescriber"),
    MessageKind.CANCEL_RX: ("patient", "prescriber", "prescribed"),
}
