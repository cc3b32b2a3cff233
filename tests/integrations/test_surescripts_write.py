"""Every message of the contract, read and written back; whatever is written can be read and is well-formed."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from integrations.sandbox import surescripts_structure
from integrations.surescripts import script_codes, script_read, script_write
from integrations.surescripts.script_checks import DoesNotFit
from integrations.surescripts.script_model import (
    Answer,
    Header,
    MessageKind,
    NetworkMessage,
    Party,
    Reply,
    Schedule,
)
from tests.integrations import surescripts_cast as cast

K = MessageKind
ALL = sorted(path.name for path in cast.SAMPLES.glob("*.xml"))


def shape(document: bytes) -> list[tuple[str, str, dict[str, str]]]:
    root = etree.fromstring(document, etree.XMLParser(remove_comments=True))
    return [(str(each.tag), (each.text or "").strip(), dict(each.attrib)) for each in root.iter()]


def alike(one: NetworkMessage, other: NetworkMessage) -> bool:
    return replace(one, raw=b"") == replace(other, raw=b"")


@pytest.mark.parametrize("name", ALL)
def test_every_sample_reads_and_builds_back_to_equal_structure(name: str) -> None:
    document = (cast.SAMPLES / name).read_bytes()
    assert shape(script_write.write(script_read.read(document))) == shape(document)


def test_there_is_a_sample_of_every_kind_we_read() -> None:
    kinds = {script_read.read((Path(cast.SAMPLES) / name).read_bytes()).kind for name in ALL}
    assert kinds >= set(K) - {K.OTHER}


words = st.text(st.sampled_from("abcdefghijklmnop '&<>-.,0123456789"), min_size=1, max_size=30).filter(
    lambda text: bool(text.strip()) and text == text.strip()
)
ids = st.text(st.sampled_from("0123456789abcdef"), min_size=1, max_size=35)
days = st.dates(date(2020, 1, 1), date(2027, 12, 31))
moments = st.integers(1_577_836_800, 1_830_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, tz=UTC))
pharmacies = st.just(Party("P", "9990001"))
prescribers = st.just(Party("D", "9912345678001"))
headers = st.builds(
    Header,
    to=pharmacies | prescribers,
    sender=prescribers | pharmacies,
    message_id=ids,
    sent_at=moments,
    relates_to=ids,
    order_number=st.just("") | ids,
    rx_reference=st.just("") | words,
    delivered_id=st.just("") | ids,
    software=st.just(("Refill Hub", "Refill Hub", "1.0.0")),
    test=st.booleans(),
    signed=st.booleans(),
)
drugs = st.builds(
    replace,
    st.just(cast.DRUG),
    description=words,
    schedule=st.sampled_from([one for one in Schedule if one is not Schedule.UNKNOWN]),
    ndc=st.sampled_from(["", "68180098001"]),
)
prescriptions = st.builds(
    replace,
    st.just(cast.PRESCRIPTION),
    drug=drugs,
    quantity=st.decimals("0.001", "9999", places=3).map(lambda one: one.normalize()),
    unit_code=st.sampled_from(sorted(script_codes.UNITS)),
    days_supply=st.integers(1, 999),
    written_on=days,
    refills=st.just(0),
    sig=words,
    substitution_allowed=st.booleans(),
    note=st.just("") | words,
    last_filled_on=st.none() | days,
    wants_fill_status=st.booleans(),
)
people: dict[str, Any] = {
    "patient": st.just(cast.PATIENT),
    "pharmacy": st.just(cast.PHARMACY),
    "prescriber": st.just(replace(cast.PRESCRIBER, spi="")),
}


def replies(kind: MessageKind) -> st.SearchStrategy[Reply]:
    """Replies this kind may carry."""
    denied = {
        K.RX_RENEWAL_RESPONSE: script_codes.RENEWAL_DENIALS,
        K.RX_CHANGE_RESPONSE: script_codes.CHANGE_DENIALS,
        K.CANCEL_RX_RESPONSE: script_codes.CANCEL_DENIALS,
        K.RX_FILL: script_codes.NOT_DISPENSED,
    }[kind]
    made = []
    for name in script_write.REPLIES[kind]:
        has_codes = name in ("Denied", "NotDispensed")
        codes = st.lists(st.sampled_from(sorted(denied)), max_size=1).map(tuple) if has_codes else st.just(())
        has_reference = not (kind is K.CANCEL_RX_RESPONSE and name == "Approved")
        made.append(
            st.builds(
                Reply,
                kind=st.just(name),
                reason_codes=codes,
                text=st.just("") | words,
                reference=(st.just("") | ids) if has_reference else st.just(""),
            )
        )
    return st.one_of(made)


def message(kind: MessageKind, name: str, **parts: Any) -> st.SearchStrategy[NetworkMessage]:
    return st.builds(
        NetworkMessage, kind=st.just(kind), body_name=st.just(name), header=headers, raw=st.just(b""), **parts
    )


asked = st.builds(
    replace, prescriptions, refills=st.none(), requested_refills=st.none() | st.integers(0, 99), last_filled_on=days
)
answers = st.builds(
    Answer,
    code=st.sampled_from(sorted(script_codes.STATUS_CODES)),
    description_codes=st.lists(st.sampled_from(sorted(script_codes.DESCRIPTION_CODES)), max_size=3).map(tuple),
    description=st.just("") | words,
    delivery_method=st.sampled_from(["", "1", "2"]),
)
errors = st.builds(
    replace, answers, code=st.sampled_from(sorted(script_codes.ERROR_CODES)), delivery_method=st.just("")
)
MESSAGES = st.one_of(
    message(K.STATUS, "Status", answer=answers),
    message(K.ERROR, "Error", answer=errors),
    message(K.VERIFY, "Verify", answer=st.builds(Answer, code=st.just("010"), description=st.just("") | words)),
    message(K.GET_MESSAGE, "GetMessage"),
    message(K.NEW_RX, "NewRx", prescribed=prescriptions, **people),
    message(K.CANCEL_RX, "CancelRx", prescribed=prescriptions, cancel_flag=st.sampled_from(["", "C", "D"]), **people),
    message(K.CANCEL_RX_RESPONSE, "CancelRxResponse", reply=replies(K.CANCEL_RX_RESPONSE)),
    message(
        K.RX_RENEWAL_REQUEST, "RxRenewalRequest", dispensed=asked, prescribed=st.none() | prescriptions,
        is_repeated_ask=st.booleans(), **people,
    ),
    message(
        K.RX_RENEWAL_RESPONSE, "RxRenewalResponse", prescribed=prescriptions, reply=replies(K.RX_RENEWAL_RESPONSE),
        **people,
    ),
    message(
        K.RX_CHANGE_REQUEST, "RxChangeRequest", prescribed=prescriptions,
        requested=st.lists(prescriptions, max_size=2).map(tuple),
        change_code=st.sampled_from(["G", "T", "D", "S", "OS"]), change_text=st.just("") | words, **people,
    ),
    message(
        K.RX_CHANGE_RESPONSE, "RxChangeResponse", prescribed=st.none() | prescriptions, change_code=st.just("U"),
        change_sub_codes=st.lists(st.sampled_from(sorted(script_codes.CHANGE_SUB_CODES)), max_size=2).map(tuple),
        reply=replies(K.RX_CHANGE_RESPONSE), **people,
    ),
    message(K.RX_FILL, "RxFill", dispensed=st.none() | prescriptions, reply=replies(K.RX_FILL), **people),
)  # fmt: skip


@given(MESSAGES)
@settings(max_examples=400, deadline=None)
def test_what_is_written_is_read_back_the_same_and_keeps_the_structure(made: NetworkMessage) -> None:
    document = script_write.write(made)
    surescripts_structure.check_message(root=ElementTree.fromstring(document))  # noqa: S314 - our own bytes
    assert alike(script_read.read(document), made)


@given(MESSAGES)
@settings(max_examples=100, deadline=None)
def test_the_same_message_is_the_same_bytes(made: NetworkMessage) -> None:
    assert script_write.write(made) == script_write.write(replace(made, raw=b"x", oddities=("odd",)))


def read(name: str) -> NetworkMessage:
    return script_read.read(cast.sample(name))


def refusals(made: NetworkMessage) -> dict[str, str]:
    with pytest.raises(DoesNotFit) as caught:
        script_write.write(made)
    return {problem.field: problem.rule for problem in caught.value.problems}


def with_reply(name: str, **values: Any) -> NetworkMessage:
    made = read(name)
    assert made.reply is not None
    return replace(made, reply=replace(made.reply, **values))


@pytest.mark.parametrize(
    ("made", "field", "rule"),
    [
        (replace(read("verify.xml"), answer=Answer(code="000")), "verify/Code", "not_in_table"),
        (replace(read("status_000.xml"), answer=Answer(code="900")), "status/Code", "not_in_table"),
        (replace(read("error.xml"), answer=Answer(code="900", description_codes=("9",))), "error/DescriptionCode",
         "not_in_table"),
        (replace(read("status_000.xml"), answer=Answer(code="000", description="x" * 71)), "status/Description",
         "too_long"),
        (replace(read("status_000.xml"), header=replace(read("status_000.xml").header, relates_to="")),
         "Header/RelatesToMessageID", "missing"),
        (with_reply("rxrenewal_response_denied.xml", reason_codes=("AL",)), "Response/ReasonCode", "not_in_table"),
        (with_reply("rxrenewal_response_denied.xml", text="x" * 71), "Response/DenialReason", "too_long"),
        (with_reply("rxrenewal_response_denied.xml", kind="Validated"), "Response", "not_in_table"),
        (with_reply("cancelrx_response_denied.xml", reason_codes=("AM",)), "Response/ReasonCode", "not_in_table"),
        (with_reply("rxchange_response_denied.xml", kind="Validated", reason_codes=()), "RxChangeResponse/Response",
         "disagrees"),
        (replace(read("rxchange_request.xml"), change_code="P"), "MedicationRequested", "disagrees"),
        (replace(read("rxchange_request.xml"), change_code="Q"), "MessageRequestCode", "not_in_table"),
        (replace(read("rxchange_request.xml"), change_sub_codes=("Z",)), "MessageRequestSubCode", "not_in_table"),
        (replace(read("rxchange_request.xml"), change_text="x" * 261), "RxChangeRequest/ChangeReasonText", "too_long"),
        (replace(read("rxrenewal_request.xml"), dispensed=None), "MedicationDispensed", "missing"),
        (replace(read("rxrenewal_request.xml"), pharmacy=replace(cast.PHARMACY, address=None)), "Pharmacy/Address",
         "missing"),
        (replace(read("rxrenewal_request.xml"),
                 dispensed=replace(cast.PRESCRIPTION, refills=1, last_filled_on=date(2026, 1, 1))),
         "MedicationDispensed/NumberOfRefills", "out_of_range"),
        (replace(read("rxrenewal_request.xml"), dispensed=replace(cast.PRESCRIPTION, refills=None)),
         "MedicationDispensed/LastFillDate", "missing"),
        (replace(read("cancelrx.xml"), cancel_flag="X"), "CancelRx/ChangeOfPrescriptionStatusFlag", "not_in_table"),
        (replace(read("newrx.xml"), prescribed=replace(cast.PRESCRIPTION, quantity=Decimal(0))),
         "MedicationPrescribed/Quantity/Value", "out_of_range"),
        (replace(read("newrx.xml"), patient=None), "Patient", "missing"),
        (replace(read("newrx.xml"), kind=K.OTHER), "Body", "not_in_table"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_by_field_and_rule(made: NetworkMessage, field: str, rule: str) -> None:
    assert refusals(made)[field] == rule
