"""From answer to outcome: the whole table, and the failures of the wire."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from django.db import transaction
from requests import adapters

from integrations import http
from integrations.outcome import Outcome, OutcomeKind
from integrations.surescripts import client, script_read
from integrations.surescripts.script_model import MessageKind
from integrations.surescripts.types import Endpoint
from tests.integrations import surescripts_cast as cast

NOW = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
CONNECTION = Endpoint(
    base_url="https://network.test/", fingerprint="ab:cd", account="A1", from_spi="9912345678001", read_timeout=7.0
)
ROUTE = client.Surescripts(name="surescripts", dedupes_by_message_id=False)


class Network(adapters.BaseAdapter):
    """Answers each call with the next thing on its list: bytes, (status, headers, bytes) or an exception to raise."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Any] = []
        self.calls: list[requests.PreparedRequest] = []
        self.timeouts: list[Any] = []

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]
        self.calls.append(request)
        self.timeouts.append(more["timeout"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, headers, content = answer if isinstance(answer, tuple) else (200, {}, answer)
        response = requests.Response()
        response.status_code, response.request = status, request
        response.headers.update(headers)
        response._content, response._content_consumed = content, True
        return response


@pytest.fixture
def network() -> Iterator[Network]:
    adapter = Network()
    http.mount("https://network.test", adapter)
    yield adapter
    http.unmount("https://network.test")


def status(code: str, *, extra: str = "", relates_to: str = cast.MESSAGE_ID) -> bytes:
    document = cast.sample("status_010.xml").replace(b"<Code>010</Code>", f"<Code>{code}</Code>{extra}".encode())
    return document.replace(cast.MESSAGE_ID.encode(), relates_to.encode())


def error(code: str, *descriptions: str, text: str = "as the network said it") -> bytes:
    body = f"<Code>{code}</Code>" + "".join(f"<DescriptionCode>{each}</DescriptionCode>" for each in descriptions)
    document = cast.sample("error.xml").decode()
    start, end = document.index("<Code>"), document.index("</Error>")
    return f"{document[:start]}{body}<Description>{text}</Description>{document[end:]}".encode()


def submit(network: Network, answer: Any, *, is_repeat: bool = False) -> Outcome:
    network.answers.append(answer)
    document = cast.sample("newrx.xml")
    return ROUTE.submit(connection=CONNECTION, document=document, message_id=cast.MESSAGE_ID, is_repeat=is_repeat)


def test_exactly_the_frozen_bytes_leave_with_who_we_are(network: Network) -> None:
    submit(network, status("000"))
    call = network.calls[0]
    assert call.body == cast.sample("newrx.xml")
    assert call.url == "https://network.test/script"
    assert call.headers["X-Client-Cert-Fingerprint"] == "ab:cd"
    assert call.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert network.timeouts == [(5.0, 7.0)]
    assert "ab:cd" not in repr(CONNECTION)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status("000"), OutcomeKind.ACCEPTED),
        (status("001"), OutcomeKind.ACCEPTED),
        (status("005"), OutcomeKind.ACCEPTED),
        (status("010"), OutcomeKind.DELIVERED),
        (status("002"), OutcomeKind.UNKNOWN),
        (status("003"), OutcomeKind.UNKNOWN),
        (status("999"), OutcomeKind.UNKNOWN),
        (cast.sample("verify.xml"), OutcomeKind.DELIVERED),
        (cast.sample("verify.xml").replace(b"<Code>010<", b"<Code>000<"), OutcomeKind.UNKNOWN),
    ],
)
def test_a_status_or_verify_says_how_far_it_got(network: Network, answer: bytes, kind: OutcomeKind) -> None:
    outcome = submit(network, answer)
    assert outcome.kind is kind
    assert outcome.document == answer
    assert not outcome.fax_fallback


REJECTED, UNKNOWN, ACCEPTED = OutcomeKind.REJECTED, OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED

ERRORS = [
    # code, descriptions, kind, transient, configuration
    ("600", (), REJECTED, True, False),
    ("600", ("210",), REJECTED, True, False),
    ("600", ("2000",), REJECTED, False, False),
    ("600", ("008",), UNKNOWN, False, False),
    ("601", (), REJECTED, False, False),
    ("602", (), UNKNOWN, False, False),
    ("602", ("210",), UNKNOWN, False, False),
    ("700", (), REJECTED, False, True),
    ("900", (), REJECTED, False, False),
    ("900", ("008",), UNKNOWN, False, False),
    ("900", ("103",), REJECTED, False, False),
    ("900", ("134",), REJECTED, False, False),
    ("900", ("144",), REJECTED, False, False),
    ("900", ("210",), REJECTED, True, False),
    ("900", ("220",), UNKNOWN, False, False),
    ("900", ("500",), REJECTED, False, True),
    ("900", ("1000",), REJECTED, False, False),
    ("900", ("2000",), REJECTED, False, False),
    ("900", ("3000",), REJECTED, False, True),
    ("900", ("4000",), REJECTED, True, False),
    ("900", ("4010",), UNKNOWN, False, False),
    ("900", ("4020",), UNKNOWN, False, False),
    ("900", ("4030",), REJECTED, False, True),
    ("900", ("4040",), REJECTED, False, False),
    ("900", ("4000", "1000"), REJECTED, False, False),
    ("900", ("1000", "4020"), UNKNOWN, False, False),
    ("900", ("7777",), REJECTED, False, False),
    ("123", (), UNKNOWN, False, False),
]


@pytest.mark.parametrize(("code", "descriptions", "kind", "transient", "configuration"), ERRORS)
def test_an_error_is_dead_passing_or_unknown(
    network: Network,
    code: str,
    descriptions: tuple[str, ...],
    kind: OutcomeKind,
    transient: bool,
    configuration: bool,
) -> None:
    outcome = submit(network, error(code, *descriptions))
    assert (outcome.kind, outcome.transient, outcome.configuration) == (kind, transient, configuration)
    assert (outcome.code, outcome.description_codes, outcome.text) == (code, descriptions, "as the network said it")


def test_every_code_of_the_standard_is_in_the_table() -> None:
    told = {each for _, descriptions, *_ in ERRORS for each in descriptions} | {code for code, *_ in ERRORS}
    assert set(client.script_codes.DESCRIPTION_CODES) | set(client.script_codes.ERROR_CODES) <= told


def test_a_duplicate_is_ours_only_when_we_repeated_ourselves(network: Network) -> None:
    assert submit(network, error("900", "220"), is_repeat=True).kind is ACCEPTED
    assert submit(network, error("900", "220"), is_repeat=False).kind is UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [
        requests.ConnectTimeout(),
        (429, {"Retry-After": "3"}, b""),
        (401, {}, b""),
        (400, {}, b""),
        error("600"),
        error("900", "210"),
        error("900", "4000"),
    ],
)
def test_a_failed_repeat_proves_nothing_about_the_first_copy(network: Network, answer: Any) -> None:
    outcome = submit(network, answer, is_repeat=True)
    assert outcome.kind is UNKNOWN
    assert not outcome.transient


def test_a_refused_repeat_is_refused(network: Network) -> None:
    assert submit(network, error("900", "2000"), is_repeat=True).kind is REJECTED


@pytest.mark.parametrize(
    ("http_status", "kind", "transient", "configuration"),
    [
        (400, REJECTED, False, True),
        (401, OutcomeKind.NOT_SENT, False, True),
        (403, OutcomeKind.NOT_SENT, False, True),
        (404, REJECTED, False, True),
        (413, REJECTED, False, True),
        (415, REJECTED, False, True),
        (429, OutcomeKind.NOT_SENT, True, False),
        (201, UNKNOWN, False, False),
        (204, UNKNOWN, False, False),
        (302, UNKNOWN, False, False),
        (408, UNKNOWN, False, False),
        (409, UNKNOWN, False, False),
        (500, UNKNOWN, False, False),
        (502, UNKNOWN, False, False),
        (503, UNKNOWN, False, False),
        (504, UNKNOWN, False, False),
    ],
)
def test_an_http_status_is_refused_at_the_door_or_unknown(
    network: Network, http_status: int, kind: OutcomeKind, transient: bool, configuration: bool
) -> None:
    outcome = submit(network, (http_status, {"Retry-After": "9"}, b"<html>words</html>"))
    assert (outcome.kind, outcome.transient, outcome.configuration) == (kind, transient, configuration)
    assert outcome.code == f"HTTP {http_status}"
    if http_status in (429, 503):
        assert outcome.retry_after == 9.0


@pytest.mark.parametrize(
    ("failure", "kind", "transient"),
    [
        (requests.ConnectTimeout(), OutcomeKind.NOT_SENT, True),
        (ConnectionRefusedError(), OutcomeKind.NOT_SENT, True),
        (requests.exceptions.SSLError(), OutcomeKind.NOT_SENT, True),
        (requests.ReadTimeout(), UNKNOWN, False),
        (requests.ConnectionError("dropped"), UNKNOWN, False),
        (ConnectionResetError(), UNKNOWN, False),
    ],
)
def test_a_failure_of_the_wire_is_not_sent_only_before_the_first_byte(
    network: Network, failure: Exception, kind: OutcomeKind, transient: bool
) -> None:
    outcome = submit(network, failure)
    assert (outcome.kind, outcome.transient) == (kind, transient)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html/>",
        status("000")[:400],
        cast.sample("rxfill_dispensed.xml"),
        cast.sample("newrx.xml"),
        status("000", relates_to="someone-elses-message"),
        error("900", "1000").replace(cast.MESSAGE_ID.encode(), b"someone-elses-message"),
        cast.sample("status_010.xml").replace(
            f"<RelatesToMessageID>{cast.MESSAGE_ID}</RelatesToMessageID>".encode(), b""
        ),
        b"x" * (script_read.MAX_BYTES + 1),
    ],
    ids=["empty", "html", "cut", "business", "echo", "other status", "other error", "unrelated status", "too long"],
)
def test_an_answer_that_is_none_is_unknown(network: Network, answer: bytes) -> None:
    assert submit(network, answer).kind is UNKNOWN


def test_an_error_from_before_our_id_was_read_still_counts(network: Network) -> None:
    nameless = error("900", "500").replace(f"<RelatesToMessageID>{cast.MESSAGE_ID}</RelatesToMessageID>".encode(), b"")
    assert submit(network, nameless).kind is REJECTED


def test_a_fax_is_flagged_and_kept_in_the_words(network: Network) -> None:
    fax = "<PrescriptionDeliveryMethod>2</PrescriptionDeliveryMethod>"
    outcome = submit(network, status("010", extra=fax))
    assert outcome.kind is OutcomeKind.DELIVERED
    assert outcome.fax_fallback
    assert "PrescriptionDeliveryMethod 2" in outcome.text
    electronic = submit(network, status("010", extra=fax.replace(">2<", ">1<")))
    assert not electronic.fax_fallback


@pytest.mark.django_db
def test_nothing_is_submitted_inside_a_transaction(network: Network) -> None:
    with transaction.atomic(), pytest.raises(http.NetworkInsideTransaction):
        submit(network, status("000"))
    assert network.calls == []


# --- the mailbox ----------------------------------------------------------------------------------------------------


def fetch(network: Network, answer: Any, *, acknowledge: str | None = None) -> Any:
    network.answers.append(answer)
    return ROUTE.fetch(connection=CONNECTION, acknowledge=acknowledge, now=NOW)


def test_a_poll_names_the_mailbox_and_acknowledges_what_is_stored(network: Network) -> None:
    fetch(network, cast.sample("status_003_no_messages.xml"), acknowledge="MBX-7")
    asked = script_read.read(bytes(network.calls[0].body or b""))
    assert asked.kind is MessageKind.GET_MESSAGE
    assert (asked.header.to.qualifier, asked.header.to.id) == ("M", "SSMAILBOX")
    assert asked.header.sender.id == "9912345678001"
    assert asked.header.acknowledgement_id == "MBX-7"
    assert asked.header.sent_at == NOW


def test_a_poll_without_anything_stored_acknowledges_nothing(network: Network) -> None:
    fetch(network, cast.sample("status_003_no_messages.xml"))
    assert b"AcknowledgementID" not in bytes(network.calls[0].body or b"")


@pytest.mark.parametrize("code", ["002", "003"])
def test_an_empty_mailbox_is_drained(network: Network, code: str) -> None:
    result = fetch(network, cast.sample("status_003_no_messages.xml").replace(b">003<", f">{code}<".encode()))
    assert (result.messages, result.drained, result.acknowledge) == ((), True, "")


def test_mail_comes_with_its_bytes_and_its_key(network: Network) -> None:
    result = fetch(network, cast.sample("verify.xml"))
    assert not result.drained
    assert result.messages[0].raw == cast.sample("verify.xml")
    assert result.acknowledge == "MBX-000000912"
    assert client.outcome_of(result.messages[0]).kind is OutcomeKind.DELIVERED


def test_a_late_error_in_the_mailbox_is_mail_and_no_failure_of_the_poll(network: Network) -> None:
    late = error("900", "2000").replace(
        b"</SenderSoftware>", b"</SenderSoftware><Mailbox><DeliveredID>M1</DeliveredID></Mailbox>"
    )
    result = fetch(network, late)
    assert client.outcome_of(result.messages[0]).kind is REJECTED


def test_an_error_about_the_poll_itself_is_raised(network: Network) -> None:
    with pytest.raises(http.VendorError) as caught:
        fetch(network, error("900", "1000"))
    assert (caught.value.permanent, caught.value.code) == (True, "900")
    with pytest.raises(http.VendorError) as caught:
        fetch(network, error("602"))
    assert caught.value.permanent is False


@pytest.mark.parametrize(("http_status", "permanent"), [(401, True), (404, True), (429, False), (503, False)])
def test_a_poll_that_is_not_answered_is_raised(network: Network, http_status: int, permanent: bool) -> None:
    with pytest.raises(http.VendorError) as caught:
        fetch(network, (http_status, {"Retry-After": "4"}, b""))
    assert (caught.value.permanent, caught.value.status, caught.value.retry_after) == (permanent, http_status, 4.0)


def test_unreadable_mail_is_handed_over_with_its_key_so_that_it_blocks_nothing(network: Network) -> None:
    broken = cast.sample("verify.xml").replace(b"<VerifyStatus>", b"<VerifyStatus><Oops>")
    result = fetch(network, broken)
    assert result.messages == ()
    assert (result.unreadable[0].raw, result.acknowledge) == (broken, "MBX-000000912")


def test_unreadable_mail_without_a_single_key_is_raised(network: Network) -> None:
    for broken in (b"<garbage", cast.sample("verify.xml")[:-5].replace(b"</Mailbox>", b"<DeliveredID>b</DeliveredID>")):
        with pytest.raises(http.VendorError):
            fetch(network, broken)


def test_a_poll_that_cannot_be_built_is_a_fault_of_set_up(network: Network) -> None:
    with pytest.raises(http.VendorError) as caught:
        ROUTE.fetch(connection=Endpoint(base_url="https://network.test", fingerprint=""), acknowledge=None, now=NOW)
    assert caught.value.permanent
    assert network.calls == []


def test_a_receipt_answers_the_pharmacy_in_the_prescribers_name(network: Network) -> None:
    message = script_read.read(cast.sample("rxrenewal_request.xml"))
    network.answers.append(requests.ReadTimeout())
    assert ROUTE.receipt(connection=CONNECTION, message=message, now=NOW).kind is UNKNOWN
    sent = script_read.read(bytes(network.calls[0].body or b""))
    assert (sent.header.to, sent.header.sender) == (message.header.sender, message.header.to)
    assert sent.header.relates_to == message.header.message_id
    assert sent.answer is not None
    assert sent.answer.code == "000"


def test_an_answer_is_never_answered(network: Network) -> None:
    for name in ("verify.xml", "error.xml", "status_000.xml"):
        message = script_read.read(cast.sample(name))
        assert not client.wants_receipt(message)
        with pytest.raises(ValueError, match="no receipt"):
            ROUTE.receipt(connection=CONNECTION, message=message, now=NOW)
    assert network.calls == []


def test_a_business_message_says_nothing_about_another(network: Network) -> None:
    with pytest.raises(ValueError, match="nothing about"):
        client.outcome_of(script_read.read(cast.sample("rxfill_dispensed.xml")))
