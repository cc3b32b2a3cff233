"""What we read from outside: every captured message, and nothing that is unsafe, broken or ambiguous."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.surescripts import script_read
from integrations.surescripts.script_model import Answer, MessageKind, NetworkMessage, Party, Reply, Schedule
from integrations.surescripts.script_parts import UnreadableDocument
from tests.integrations import surescripts_cast as cast

KINDS = {
    "cancelrx.xml": MessageKind.CANCEL_RX,
    "cancelrx_response_approved.xml": MessageKind.CANCEL_RX_RESPONSE,
    "cancelrx_response_denied.xml": MessageKind.CANCEL_RX_RESPONSE,
    "error.xml": MessageKind.ERROR,
    "getmessage.xml": MessageKind.GET_MESSAGE,
    "newrx.xml": MessageKind.NEW_RX,
    "newrx_epcs.xml": MessageKind.NEW_RX,
    "rxchange_request.xml": MessageKind.RX_CHANGE_REQUEST,
    "rxchange_response_denied.xml": MessageKind.RX_CHANGE_RESPONSE,
    "rxfill_dispensed.xml": MessageKind.RX_FILL,
    "rxrenewal_request.xml": MessageKind.RX_RENEWAL_REQUEST,
    "rxrenewal_response_approved_with_changes.xml": MessageKind.RX_RENEWAL_RESPONSE,
    "rxrenewal_response_denied.xml": MessageKind.RX_RENEWAL_RESPONSE,
    "status_000.xml": MessageKind.STATUS,
    "status_003_no_messages.xml": MessageKind.STATUS,
    "status_010.xml": MessageKind.STATUS,
    "verify.xml": MessageKind.VERIFY,
}


def read(name: str) -> NetworkMessage:
    return script_read.read(cast.sample(name))


def altered(name: str, before: str, after: str) -> bytes:
    document = cast.sample(name).decode()
    assert before in document
    return document.replace(before, after).encode()


def test_every_captured_message_has_an_expectation() -> None:
    assert {path.name for path in cast.SAMPLES.glob("*.xml")} == set(KINDS)


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_captured_message_reads_as_what_it_is(name: str, kind: MessageKind) -> None:
    message = read(name)
    assert message.kind is kind
    assert message.raw == cast.sample(name)
    assert message.oddities == ()
    assert message.header.message_id in cast.sample(name).decode()
    assert (message.answer is not None) == (kind in (MessageKind.STATUS, MessageKind.ERROR, MessageKind.VERIFY))


def test_a_newrx_reads_whole() -> None:
    message = read("newrx.xml")
    assert (message.patient, message.pharmacy, message.prescribed) == (cast.PATIENT, cast.PHARMACY, cast.PRESCRIPTION)
    assert message.header.sender == Party("D", "9912345678001")
    assert message.header.to == Party("P", "9990001")
    assert message.header.sent_at == datetime(2026, 11, 20, 15, 42, 10, tzinfo=UTC)
    assert message.header.order_number == "RH-2026-000418-01"
    assert message.header.software == ("Refill Hub", "Refill Hub", "1.0.0")
    assert not message.header.signed


def test_a_signed_newrx_shows_signature_schedule_and_dea_number() -> None:
    message = read("newrx_epcs.xml")
    assert message.header.signed
    assert message.prescribed is not None
    assert message.prescribed.drug.schedule is Schedule.IV
    assert message.prescriber is not None
    assert message.prescriber.dea_number == "BW4829151"


def test_an_error_keeps_codes_and_words_verbatim() -> None:
    assert read("error.xml").answer == Answer(
        code="900",
        description_codes=("1000",),
        description="Receiver NCPDPID 9990003 not active in directory. XPath /Message/Header/To",
    )


def test_a_verify_names_its_message_and_its_mailbox_key() -> None:
    message = read("verify.xml")
    assert message.answer == Answer(code="010")
    assert (message.header.relates_to, message.header.delivered_id) == (cast.MESSAGE_ID, "MBX-000000912")


def test_a_renewal_request_tells_dispensed_and_prescribed_apart() -> None:
    message = read("rxrenewal_request.xml")
    assert message.dispensed is not None
    assert message.prescribed is not None
    assert message.dispensed.requested_refills == 3
    assert message.dispensed.refills is None
    assert message.dispensed.last_filled_on == date(2026, 8, 21)
    assert message.prescribed.refills == 3
    assert message.header.rx_reference == "RX-7719023"
    assert not message.is_repeated_ask


def test_a_fill_and_a_cancel_answer_carry_their_decision() -> None:
    fill = read("rxfill_dispensed.xml")
    assert fill.reply == Reply(kind="Dispensed", text="Picked up by patient.")
    assert fill.dispensed is not None
    assert fill.dispensed.last_filled_on == date(2026, 11, 21)
    denied = read("cancelrx_response_denied.xml")
    assert denied.reply == Reply(kind="Denied", reason_codes=("AR",), text="Transferred to another pharmacy.")
    assert denied.patient is None


def test_a_change_request_carries_code_and_what_is_asked_for() -> None:
    message = read("rxchange_request.xml")
    assert message.change_code == "OS"
    assert [each.drug.description for each in message.requested] == ["losartan potassium 50 mg oral tablet"]


def test_a_message_we_have_no_use_for_is_other_and_keeps_its_header() -> None:
    document = altered("getmessage.xml", "<GetMessage/>", "<PAInitiationRequest><Anything/></PAInitiationRequest>")
    message = script_read.read(document)
    assert (message.kind, message.body_name) == (MessageKind.OTHER, "PAInitiationRequest")


def test_a_time_without_zone_is_utc_and_noted() -> None:
    message = script_read.read(altered("status_000.xml", "2026-11-20T15:42:11Z", "2026-11-20T15:42:11"))
    assert message.header.sent_at == datetime(2026, 11, 20, 15, 42, 11, tzinfo=UTC)
    assert message.oddities == ("SentTime names no zone and was read as UTC",)


def test_odd_values_are_noted_and_become_unknown_never_guessed() -> None:
    document = altered("rxrenewal_request.xml", "<Value>90</Value>", "<Value>ninety</Value>")
    document = document.replace(b"<DaysSupply>90<", b"<DaysSupply>9.5<").replace(b"<Gender>F<", b"<Gender>X<")
    document = document.replace(b"C38046", b"C99999").replace(b"<Date>1961-08-14<", b"<Date>14/08/1961<")
    message = script_read.read(document)
    assert message.dispensed is not None
    assert message.patient is not None
    assert (message.dispensed.quantity, message.dispensed.days_supply) == (None, None)
    assert message.dispensed.drug.schedule is Schedule.UNKNOWN
    assert message.patient.born_on is None
    assert len(message.oddities) >= 4


def test_a_renewal_request_without_links_still_reads() -> None:
    document = re.sub(rb"<RelatesToMessageID>.*?</RelatesToMessageID>", b"", cast.sample("rxrenewal_request.xml"))
    document = re.sub(rb"<PrescriberOrderNumber>.*?</PrescriberOrderNumber>", b"", document)
    header = script_read.read(document).header
    assert (header.relates_to, header.order_number) == ("", "")


def test_comments_and_processing_instructions_do_not_hide_text() -> None:
    message = script_read.read(altered("status_010.xml", "<Code>010</Code>", "<Code>0<!-- 9 -->1<?x y?>0</Code>"))
    assert message.answer == Answer(code="010")


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<Message>&b;</Message>"
)
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><Message>&x;</Message>"""
OUTSIDE_DTD = b"""<!DOCTYPE Message SYSTEM "http://127.0.0.1:9/evil.dtd"><Message/>"""


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"   ",
        b"not xml",
        b"{}",
        b"<html><body>502 Bad Gateway</body></html>",
        LAUGHS,
        LAUGHS.decode().encode("utf-16"),
        LAUGHS.replace(b"<!DOCTYPE", b"<!doctype"),
        EXTERNAL,
        OUTSIDE_DTD,
        b'<?xml version="1.0" encoding="UTF-7"?>+ADw-Message/+AD4-',
        b'<?xml version="1.0" encoding="utf-16"?><Message/>',
        b"\xef\xbb\xbf<?xml version='1.0' encoding='EBCDIC-CP-US'?><Message/>",
        b"<Message>&undefined;</Message>",
        b"<" + b"a><" * 40 + b"b/>" + b"</a>" * 40,
        b"<Message>" + b"<a>" * 200 + b"</a>" * 200 + b"</Message>",
        b"<Message>" + b"<a>" * 20_000 + b"</a>" * 20_000 + b"</Message>",
        b"<Message>" + b"<a/>" * 6000 + b"</Message>",
        b"<Message>" + b"x" * (1024 * 1024) + b"</Message>",
        b"<Message/>",
    ],
    ids=range(20),
)
def test_nothing_unsafe_broken_or_huge_is_read(document: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        script_read.read(document)


def test_a_message_at_the_size_limit_reads_and_one_byte_more_does_not() -> None:
    sample = cast.sample("status_000.xml").rstrip()
    padded = sample + b" " * (script_read.MAX_BYTES - len(sample))
    assert script_read.read(padded).kind is MessageKind.STATUS
    with pytest.raises(UnreadableDocument):
        script_read.read(padded + b" ")


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=827))
def test_a_message_cut_anywhere_is_unreadable(length: int) -> None:
    document = cast.sample("status_000.xml").rstrip()
    with pytest.raises(UnreadableDocument):
        script_read.read(document[: min(length, len(document) - 1)])


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_message_or_in_unreadable_document(document: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        script_read.read(document)


@settings(deadline=None)
@given(position=st.integers(0, 5200), byte=st.integers(0, 255))
def test_one_flipped_byte_never_raises_anything_else(position: int, byte: int) -> None:
    document = bytearray(cast.sample("newrx.xml"))
    document[position % len(document)] = byte
    told = ""
    try:
        script_read.read(bytes(document))
    except UnreadableDocument as error:
        told = str(error)
    assert "Testpatient" not in told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('TransactionVersion="20170715"', 'TransactionVersion="2023011"'),
        ('TransactionVersion="20170715"', ""),
        ('TransactionDomain="SCRIPT"', 'TransactionDomain="DIRECTORY"'),
        ("<Message ", '<Message xmlns="http://www.ncpdp.org/schema/SCRIPT" '),
        ("<Header>", "<Header><MessageID>other</MessageID>"),
        ("<Code>010</Code>", "<Code>010</Code><Code>000</Code>"),
        ("<Code>010</Code>", "<Code><b>010</b></Code>"),
        ("<Code>010</Code>", "<Code/>"),
        ("<Code>010</Code>", ""),
        ("</Status>", "</Status><Error><Code>900</Code></Error>"),
        ("<Body>", "<Body><Status><Code>000</Code></Status></Body><Body>"),
        ("2026-11-20T15:42:11Z", "yesterday"),
        ('Qualifier="P"', ""),
        (">9990001<", "><"),
        ("<MessageID>b2f7a0c94d1e4c55a1f0d9e8c7b6a501</MessageID>", ""),
        (cast.MESSAGE_ID, "x" * 300),
    ],
)
def test_a_status_that_can_be_read_two_ways_or_not_at_all_is_unreadable(before: str, after: str) -> None:
    with pytest.raises(UnreadableDocument):
        script_read.read(altered("status_010.xml", before, after))


@pytest.mark.parametrize("block", ["Patient", "Pharmacy", "Prescriber", "MedicationDispensed"])
def test_a_renewal_request_without_a_required_block_is_unreadable(block: str) -> None:
    document = re.sub(rf"<{block}>.*?</{block}>".encode(), b"", cast.sample("rxrenewal_request.xml"), flags=re.DOTALL)
    with pytest.raises(UnreadableDocument):
        script_read.read(document)


def test_two_quantities_are_not_chosen_between() -> None:
    document = altered("rxrenewal_request.xml", "<Value>90</Value>", "<Value>90</Value><Value>900</Value>")
    with pytest.raises(UnreadableDocument):
        script_read.read(document)


def test_quantities_are_read_exactly() -> None:
    message = script_read.read(altered("newrx.xml", "<Value>90</Value>", "<Value>2.50</Value>"))
    assert message.prescribed is not None
    assert message.prescribed.quantity == Decimal("2.50")
