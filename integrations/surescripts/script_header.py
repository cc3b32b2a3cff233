"""The envelope of every SCRIPT 2017071 message we write: root, versions and header, in the standard's order."""

from integrations.surescripts import script_checks, script_codes
from integrations.surescripts.script_fit import Fit
from integrations.surescripts.script_model import Envelope, Header, Party

VERSION = "20170715"
SOFTWARE = ("Refill Hub", "Refill Hub", "1.0.0")  # developer, product, release
SIGNATURE_VERSION = "1.1"

_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<Message DatatypesVersion="{VERSION}" TransportVersion="{VERSION}" TransactionDomain="SCRIPT" '
    f'TransactionVersion="{VERSION}" StructuresVersion="{VERSION}" ECLVersion="{VERSION}">'
)


def outgoing(
    *,
    to: Party,
    sender: Party,
    envelope: Envelope,
    relates_to: str = "",
    rx_reference: str = "",
    signed: bool = False,
) -> Header:
    """The header of a message of ours. signed: it bears the mark of a signature (EPCS)."""
    return Header(
        to=to,
        sender=sender,
        message_id=envelope.message_id,
        sent_at=envelope.sent_at,
        relates_to=relates_to,
        order_number=envelope.order_number,
        rx_reference=rx_reference,
        software=SOFTWARE,
        test=envelope.test,
        signed=signed,
    )


def document(fit: Fit, header: Header, body: str) -> bytes:
    """The whole message. Raises DoesNotFit with everything the header or the body noted."""
    head = write(fit, header)
    fit.finish()
    return f"{_OPEN}{head}<Body>{body}</Body></Message>".encode("ascii")


def write(fit: Fit, header: Header) -> str:
    """The header; ours where no software is named."""
    parts = [
        f'<Header><To Qualifier="{header.to.qualifier}">{_party_id(fit, "Header/To", header.to)}</To>'
        f'<From Qualifier="{header.sender.qualifier}">{_party_id(fit, "Header/From", header.sender)}</From>'
        f"<MessageID>{fit.wire_id('Header/MessageID', header.message_id)}</MessageID>"
    ]
    if header.relates_to:
        answered = fit.text("Header/RelatesToMessageID", header.relates_to, most=script_checks.MAX_ID)
        parts.append(f"<RelatesToMessageID>{answered}</RelatesToMessageID>")
    parts.append(f"<SentTime>{fit.moment('Header/SentTime', header.sent_at)}</SentTime>{_software(fit, header)}")
    box = [
        f"<{name}>{fit.text(f'Header/Mailbox/{name}', value, most=most)}</{name}>"
        for name, value, most in (("DeliveredID", header.delivered_id, 255),
                                  ("AcknowledgementID", header.acknowledgement_id, 255))
        if value
    ]  # fmt: skip
    if box:
        parts.append(f"<Mailbox>{''.join(box)}</Mailbox>")
    if header.test:
        parts.append("<TestMessage>1</TestMessage>")
    if header.rx_reference:
        number = fit.text("Header/RxReferenceNumber", header.rx_reference, most=script_checks.MAX_ID)
        parts.append(f"<RxReferenceNumber>{number}</RxReferenceNumber>")
    if header.order_number:
        number = fit.wire_id("Header/PrescriberOrderNumber", header.order_number)
        parts.append(f"<PrescriberOrderNumber>{number}</PrescriberOrderNumber>")
    if header.signed:
        parts.append(
            f'<DigitalSignature Version="{SIGNATURE_VERSION}"><DigitalSignatureIndicator>true'
            "</DigitalSignatureIndicator></DigitalSignature>"
        )
    parts.append("</Header>")
    return "".join(parts)


def _software(fit: Fit, header: Header) -> str:
    developer, product, release = header.software if any(header.software) else SOFTWARE
    at = "Header/SenderSoftware"
    return (
        f"<SenderSoftware><SenderSoftwareDeveloper>{fit.text(at, developer, most=35)}</SenderSoftwareDeveloper>"
        f"<SenderSoftwareProduct>{fit.text(at, product, most=35)}</SenderSoftwareProduct>"
        f"<SenderSoftwareVersionRelease>{fit.text(at, release, most=50)}</SenderSoftwareVersionRelease>"
        "</SenderSoftware>"
    )


def _party_id(fit: Fit, field: str, party: Party) -> str:
    if party.qualifier == "P":
        return fit.digits(field, party.id, lengths=(7,))
    if party.qualifier == "D":
        return fit.digits(field, party.id, lengths=(13,))
    if party.qualifier not in script_codes.PARTY_QUALIFIERS:
        fit.refuse(field, "not_in_table", "qualifier", "Use an address qualifier of the standard.")
    return fit.text(field, party.id, most=255)
