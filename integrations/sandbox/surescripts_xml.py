"""Reading and writing XML for the pretended network: a hardened reader, a plain writer.

Refuses documents with a DOCTYPE or entities, over 1 MB, with too many elements or nested too deeply.
Never resolves anything outside the document.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax import saxutils

LARGEST_BYTES: Final[int] = 1_048_576
MOST_ELEMENTS: Final[int] = 4_000
DEEPEST: Final[int] = 24

_FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_ENCODING = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_ATTRIBUTES = (
    'DatatypesVersion="20170715" TransportVersion="20170715" TransactionDomain="{domain}" '
    'TransactionVersion="20170715" StructuresVersion="20170715" ECLVersion="20170715"'
)
SCRIPT_ROOT: Final[str] = f"<Message {_ATTRIBUTES.format(domain='SCRIPT')}>"
DIRECTORY_ROOT: Final[str] = f'<DirectoryMessage {_ATTRIBUTES.format(domain="DIRECTORY")} Version="006" Release="001">'


class NotXml(ValueError):
    """The body is no XML document we accept to look at: answered with HTTP 400, without a SCRIPT message."""


class Malformed(ValueError):
    """The body begins like XML and is not well-formed: answered with Error 900/500."""


def read(*, raw: bytes) -> ElementTree.Element:
    """Parse one document.

    Raises NotXml for what is refused unread (size, no XML, DOCTYPE or entities, foreign encoding, too many or too deep
    elements) and Malformed for a document that is not well-formed.
    """
    if len(raw) > LARGEST_BYTES:
        raise NotXml("the document is larger than 1 MB")
    body = raw[3:] if raw.startswith(b"\xef\xbb\xbf") else raw
    body = body.strip()
    if not body.startswith(b"<"):
        raise NotXml("the body is not XML")
    if b"\x00" in body or _FORBIDDEN.search(body):
        raise NotXml("document types and entities are refused")
    encoding = _ENCODING.match(body)
    if encoding and encoding[1].upper() not in (b"UTF-8", b"US-ASCII", b"ASCII"):
        raise NotXml("only UTF-8 is accepted")
    if body.count(b"<") > 2 * MOST_ELEMENTS:
        raise NotXml("the document has too many elements")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - entities were refused above
    except (ElementTree.ParseError, ValueError, LookupError) as fault:
        raise Malformed(str(fault)) from fault
    if _is_too_deep(root):
        raise NotXml("the document is nested too deeply")
    return root


def _is_too_deep(root: ElementTree.Element) -> bool:
    level = [root]
    for _ in range(DEEPEST):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True


def glean(*, raw: bytes, tag: str) -> str:
    """Find a header value in a broken document, so that even its Error can say what it answers; empty when absent."""
    found = re.search(rf"<{tag}(?:\s[^<>]*)?>([ -~]{{1,35}}?)</{tag}\s*>".encode("ascii"), raw)
    return found[1].decode("ascii").strip() if found else ""


def escape(text: str) -> str:
    """Escape text for an element."""
    return saxutils.escape(text)


def element(tag: str, content: str) -> str:
    """Write one element with text content, or nothing at all for empty content."""
    return f"<{tag}>{saxutils.escape(content)}</{tag}>" if content else ""


def inner(*, source: ElementTree.Element | None) -> str:
    """Write an element of a read document back as text, without what stands behind it; empty for None."""
    if source is None:
        return ""
    tail, source.tail = source.tail, None
    try:
        return ElementTree.tostring(source, encoding="unicode")
    finally:
        source.tail = tail


def text_at(root: ElementTree.Element | None, *tags: str) -> str:
    """Walk down by tag and return the stripped text there, or an empty string."""
    place = root
    for tag in tags:
        if place is None:
            return ""
        place = place.find(tag)
    return (place.text or "").strip() if place is not None else ""


def find(root: ElementTree.Element | None, *tags: str) -> ElementTree.Element | None:
    """Walk down by tag and return the element there, or None."""
    place = root
    for tag in tags:
        if place is None:
            return None
        place = place.find(tag)
    return place


def message(
    *,
    to: tuple[str, str],
    sender: tuple[str, str],
    message_id: str,
    relates_to: str,
    sent_at: str,
    body: str,
    delivered_id: str = "",
    header: Mapping[str, str] | None = None,
) -> bytes:
    """Write one SCRIPT message; addresses are (qualifier, id), `header` holds what follows Mailbox, in order."""
    mailbox = f"<Mailbox><DeliveredID>{delivered_id}</DeliveredID></Mailbox>" if delivered_id else ""
    extra = "".join(element(tag, value) for tag, value in (header or {}).items())
    return (
        f"{_DECLARATION}{SCRIPT_ROOT}<Header>{_address('To', to)}{_address('From', sender)}"
        f"<MessageID>{escape(message_id)}</MessageID>{element('RelatesToMessageID', relates_to)}"
        f"<SentTime>{sent_at}</SentTime>{_SOFTWARE}{mailbox}{extra}</Header><Body>{body}</Body></Message>"
    ).encode("ascii", "xmlcharrefreplace")


def directory_message(*, message_id: str, relates_to: str, sent_at: str, to: str, body: str) -> bytes:
    """Write one answer of the directory."""
    return (
        f"{_DECLARATION}{DIRECTORY_ROOT}<Header>{_address('To', ('ZZZ', to))}{_address('From', ('ZZZ', 'SSDR61'))}"
        f"<MessageID>{message_id}</MessageID>{element('RelatesToMessageID', relates_to)}<SentTime>{sent_at}</SentTime>"
        f"</Header><Body>{body}</Body></DirectoryMessage>"
    ).encode("ascii", "xmlcharrefreplace")


def _address(tag: str, address: tuple[str, str]) -> str:
    return f"<{tag} Qualifier={saxutils.quoteattr(address[0])}>{escape(address[1])}</{tag}>"


def delimited(*, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """Write a pipe-delimited file with a header row; pipes and line ends inside values become spaces."""
    lines = ["|".join(columns)]
    lines += ["|".join(re.sub(r"[|\r\n]", " ", value) for value in row) for row in rows]
    return ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")


_SOFTWARE = (
    "<SenderSoftware><SenderSoftwareDeveloper>Sandbox Network</SenderSoftwareDeveloper>"
    "<SenderSoftwareProduct>Simulator</SenderSoftwareProduct>"
    "<SenderSoftwareVersionRelease>1.0</SenderSoftwareVersionRelease></SenderSoftware>"
)
