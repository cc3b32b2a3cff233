"""Speaks with the prescription network over HTTPS: submits frozen documents, polls the mailbox, answers what came.

It sends exactly the bytes it is given, once per call, and turns every answer and every failure into an Outcome. It
never repeats, rebuilds or decides; where it is not sure that something did not arrive, it says `unknown`.
"""

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime

from integrations import http
from integrations.outcome import Outcome, OutcomeKind
from integrations.surescripts import script_build, script_checks, script_codes, script_read
from integrations.surescripts.script_model import Answer, MessageKind, NetworkMessage
from integrations.surescripts.script_parts import UnreadableDocument
from integrations.surescripts.types import Capabilities, Endpoint, FetchResult, Signing, UnreadableMail

VENDOR = "surescripts"
FAX = "2"  # PrescriptionDeliveryMethod

_TRANSACTIONS = frozenset({"NewRx", "CancelRx", "RxRenewalResponse", "GetMessage", "Status"})
_ACCEPTED = frozenset({"000", "001", "005"})
_NOTHING_WAITS = frozenset({"002", "003"})
_DELIVERED = "010"
_DUPLICATE = "220"
_RETRY_LATER = "600"
_AMBIGUOUS_CODES = frozenset({"602"})
_AMBIGUOUS = frozenset({"008", "4010", "4020"})
_UNDELIVERED = frozenset({"210", "4000"})  # with 600: surely not delivered, a linked successor may go
_OUR_FAULT_CODES = frozenset({"700"})
_OUR_FAULT = frozenset({"500", "3000", "4030"})
_TURNED_AWAY = frozenset({400, 404, 405, 411, 413, 414, 415})  # refused before any SCRIPT was looked at
_RECEIPTED = frozenset(
    {
        MessageKind.RX_FILL,
        MessageKind.RX_RENEWAL_REQUEST,
        MessageKind.RX_CHANGE_REQUEST,
        MessageKind.CANCEL_RX_RESPONSE,
        MessageKind.OTHER,
    }
)
_DELIVERED_ID = re.compile(rb"<DeliveredID>\s*([\x21-\x7e]{1,64}?)\s*</DeliveredID>")


@dataclasses.dataclass(frozen=True, slots=True)
class Surescripts:
    """The network spoken to directly; the sandbox is the same protocol with a kept promise about repeats."""

    name: str
    dedupes_by_message_id: bool
    signing: Signing = Signing.NONE

    def capabilities(self) -> Capabilities:
        """SCRIPT both ways by poll, and the directory; signing only against the sandbox."""
        return Capabilities(
            transmits=True, transactions=_TRANSACTIONS, polls=True, directory=True, signing=self.signing
        )

    def submit(self, *, connection: Endpoint, document: bytes, message_id: str, is_repeat: bool = False) -> Outcome:
        """Send these bytes once and say what became of the message; never raises for the network's behavior.

        is_repeat: these same bytes may have been sent before. Then "duplicate" means that the first copy is there, and
        a failure of this attempt proves nothing about that copy: `unknown` stays `unknown`.
        Raises http.NetworkInsideTransaction.
        """
        outcome = _submitted(connection=connection, document=document, message_id=message_id, is_repeat=is_repeat)
        proves_nothing = outcome.kind is OutcomeKind.NOT_SENT or (
            outcome.kind is OutcomeKind.REJECTED and (outcome.transient or outcome.code.startswith("HTTP"))
        )
        if is_repeat and proves_nothing:
            turned_away = outcome.kind is OutcomeKind.NOT_SENT
            return dataclasses.replace(outcome, kind=OutcomeKind.UNKNOWN, transient=False, turned_away=turned_away)
        return outcome

    def fetch(self, *, connection: Endpoint, acknowledge: str | None, now: datetime) -> FetchResult:
        """Acknowledge what the caller has stored and committed, then take the next message from the mailbox.

        Raises http.VendorError when the mailbox cannot be read, http.NetworkInsideTransaction.
        """
        try:
            document = script_build.build_getmessage(
                from_spi=connection.from_spi,
                mailbox_id=connection.mailbox_id,
                message_id=script_checks.new_message_id(),
                sent_at=now,
                acknowledge=acknowledge,
            )
        except script_checks.DoesNotFit as error:
            raise http.VendorError(f"the poll cannot be built: {error}", vendor=VENDOR, permanent=True) from None
        response = _post(connection, document)
        if response.status != 200:
            raise read_error(response)
        try:
            message = script_read.read(response.content)
        except UnreadableDocument as error:
            return _unreadable(response.content, reason=str(error))
        if message.header.delivered_id:
            return FetchResult(messages=(message,))
        if message.kind is MessageKind.STATUS and message.answer is not None:
            return FetchResult(drained=message.answer.code in _NOTHING_WAITS)
        if message.kind is MessageKind.ERROR and message.answer is not None:
            outcome = outcome_of(message)
            raise http.VendorError(
                f"the mailbox answered {_words(message.answer)}",
                vendor=VENDOR,
                permanent=outcome.kind is OutcomeKind.REJECTED and not outcome.transient,
                status=200,
                code=message.answer.code,
            )
        return FetchResult(messages=(message,))  # mail without a key: it cannot be acknowledged, only de-duplicated

    def receipt(self, *, connection: Endpoint, message: NetworkMessage, now: datetime) -> Outcome:
        """Answer a stored business message with Status 000, from the party it was sent to.

        Raises ValueError for a message that takes no receipt (Status, Error, Verify), http.NetworkInsideTransaction.
        """
        if message.kind not in _RECEIPTED:
            raise ValueError(f"{message.kind} takes no receipt")
        message_id = script_checks.new_message_id()
        try:
            document = script_build.build_status(
                to=message.header.sender,
                sender=message.header.to,
                relates_to=message.header.message_id,
                message_id=message_id,
                sent_at=now,
            )
        except script_checks.DoesNotFit as error:
            return Outcome(kind=OutcomeKind.REJECTED, text=f"its header cannot be answered: {error}")
        return self.submit(connection=connection, document=document, message_id=message_id)


def _submitted(*, connection: Endpoint, document: bytes, message_id: str, is_repeat: bool) -> Outcome:
    """One attempt by itself."""
    try:
        response = _post(connection, document)
    except http.NotSent as error:
        return Outcome(kind=OutcomeKind.NOT_SENT, text=str(error), transient=True)
    except http.VendorError as error:
        return Outcome(kind=OutcomeKind.UNKNOWN, text=str(error), retry_after=error.retry_after)
    if response.status != 200:
        return outcome_of_status(response)
    try:
        message = script_read.read(response.content)
    except UnreadableDocument as error:
        return _unknown(response, f"unreadable answer: {error}")
    if message.answer is None:
        return _unknown(response, "the answer is no Status, Error or Verify")
    related = message.header.relates_to
    if related != message_id and (related or message.kind is not MessageKind.ERROR):
        # An Error may come from before the network could read our id; anything else must name it.
        return _unknown(response, "the answer relates to another message")
    return outcome_of(message, is_repeat=is_repeat)


def _unknown(response: http.Response, text: str) -> Outcome:
    return Outcome(kind=OutcomeKind.UNKNOWN, text=text, document=response.content)


def wants_receipt(message: NetworkMessage) -> bool:
    """True for a business message; answers are never answered."""
    return message.kind in _RECEIPTED


def outcome_of(message: NetworkMessage, *, is_repeat: bool = False) -> Outcome:
    """What a Status, Error or Verify says about the message it relates to, at once or later from the mailbox.

    The table is architecture section 5, which is stricter than the contract: whatever may have arrived is `unknown`.
    Raises ValueError for any other message.
    """
    answer = message.answer
    if answer is None:
        raise ValueError(f"{message.kind} tells nothing about another message")
    if message.kind is MessageKind.ERROR:
        return _outcome_of_error(message, answer, is_repeat=is_repeat)
    if answer.code == _DELIVERED:
        return _outcome(OutcomeKind.DELIVERED, message, answer)
    if message.kind is MessageKind.STATUS and answer.code in _ACCEPTED:
        return _outcome(OutcomeKind.ACCEPTED, message, answer)
    return _outcome(OutcomeKind.UNKNOWN, message, answer)


def outcome_of_status(response: http.Response) -> Outcome:
    """What an HTTP status other than 200 says: the network answers SCRIPT with 200, so nobody read a prescription."""
    code = f"HTTP {response.status}"
    if response.status in (401, 403):
        text = "the network turned us away: check certificate and account"
        return Outcome(kind=OutcomeKind.NOT_SENT, code=code, text=text, configuration=True, document=response.content)
    if response.status == 429:
        return Outcome(
            kind=OutcomeKind.NOT_SENT,
            code=code,
            text="over the network's rate limit",
            retry_after=response.retry_after,
            transient=True,
            document=response.content,
        )
    if response.status in _TURNED_AWAY:
        text = "refused before it was read as a prescription message"
        return Outcome(kind=OutcomeKind.REJECTED, code=code, text=text, configuration=True, document=response.content)
    return Outcome(
        kind=OutcomeKind.UNKNOWN,
        code=code,
        text="no answer from the prescription network itself",
        retry_after=response.retry_after,
        document=response.content,
    )


def _outcome_of_error(message: NetworkMessage, answer: Answer, *, is_repeat: bool) -> Outcome:
    descriptions = set(answer.description_codes)
    is_ours = answer.code in _OUR_FAULT_CODES or bool(descriptions & _OUR_FAULT)
    if answer.code not in script_codes.ERROR_CODES or answer.code in _AMBIGUOUS_CODES or descriptions & _AMBIGUOUS:
        return _outcome(OutcomeKind.UNKNOWN, message, answer)
    if _DUPLICATE in descriptions:
        # Somebody has a message with this id. If we repeated ourselves it is ours; if not, nobody knows: a person.
        return _outcome(OutcomeKind.ACCEPTED if is_repeat else OutcomeKind.UNKNOWN, message, answer)
    if answer.code == _RETRY_LATER or descriptions & _UNDELIVERED:
        passing = descriptions <= _UNDELIVERED
        return _outcome(OutcomeKind.REJECTED, message, answer, transient=passing, configuration=is_ours)
    return _outcome(OutcomeKind.REJECTED, message, answer, configuration=is_ours)


def _outcome(
    kind: OutcomeKind,
    message: NetworkMessage,
    answer: Answer,
    *,
    transient: bool = False,
    configuration: bool = False,
) -> Outcome:
    is_fax = answer.delivery_method == FAX
    text = answer.description
    if is_fax:
        text = f"{text} (PrescriptionDeliveryMethod {FAX}: fax)".strip()
    return Outcome(
        kind=kind,
        code=answer.code,
        description_codes=answer.description_codes,
        text=text,
        external_ref=message.header.message_id,
        transient=transient,
        document=message.raw,
        configuration=configuration,
        fax_fallback=is_fax,
    )


def _post(connection: Endpoint, document: bytes) -> http.Response:
    return http.request(
        vendor=VENDOR,
        method="POST",
        url=f"{connection.base_url.rstrip('/')}/script",
        headers=headers_for(connection),
        data=document,
        timeout=(connection.connect_timeout, connection.read_timeout),
        cert=connection.cert,
        ca_file=connection.ca_file,
        max_bytes=script_read.MAX_BYTES,
    )


def headers_for(connection: Endpoint) -> Mapping[str, str]:
    """The headers of every call: one XML document, and who we are."""
    headers = {"Content-Type": "application/xml; charset=utf-8", "Accept": "application/xml, text/xml"}
    if connection.fingerprint:
        headers["X-Client-Cert-Fingerprint"] = connection.fingerprint
    return headers


def read_error(response: http.Response) -> http.VendorError:
    """A poll that was not answered with SCRIPT, as an error; only our own set-up makes it permanent."""
    outcome = outcome_of_status(response)
    return http.VendorError(
        outcome.text,
        vendor=VENDOR,
        permanent=outcome.configuration,
        retry_after=response.retry_after,
        status=response.status,
        code=outcome.code,
    )


def _unreadable(content: bytes, *, reason: str) -> FetchResult:
    """Mail nobody can read must not block what waits behind it; without its key only an error is left."""
    keys = _DELIVERED_ID.findall(content)
    if len(keys) != 1:
        raise http.VendorError(f"unreadable mail: {reason}", vendor=VENDOR, permanent=False, status=200)
    mail = UnreadableMail(raw=content, reason=reason, delivered_id=keys[0].decode("ascii"))
    return FetchResult(unreadable=(mail,))


def _words(answer: Answer) -> str:
    return script_codes.describe(code=answer.code, description_codes=answer.description_codes)
