"""What each pretended pharmacy lets a client see, on the virtual clock; cancels, renewals, changes."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integrations.sandbox import surescripts, surescripts_structure, surescripts_xml
from integrations.sandbox.wire import ConnectionDropped, Request

_spec = importlib.util.spec_from_file_location("surescripts_kit", Path(__file__).parent / "test_surescripts.py")
assert _spec is not None
assert _spec.loader is not None
kit: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)

Network = surescripts.Surescripts
SPI = kit.SPI


def drain(net: Network) -> list[str]:
    """Everything in the mailbox, each acknowledged, as type or error."""
    found, ack = [], ""
    while True:
        answer = kit.poll(net, ack=ack)
        what = kit.said(answer)
        if what in ("002", "003"):
            return found
        found.append(what)
        ack = kit.key_of(answer)


def send(net: Network, ncpdp: str, **wish: Any) -> str:
    answer: str = kit.said(kit.post(net, kit.newrx(ncpdp=ncpdp, **wish)))
    return answer


def got(net: Network) -> int:
    count: int = kit.desk(net, "prescriptions")["count"]
    return count


@pytest.mark.parametrize(
    ("ncpdp", "answer", "delivered", "later"),
    [
        ("9990001", "000", 1, [(2, ["Verify"]), (58, ["RxFill"])]),
        ("9990002", "010", 1, [(7200, [])]),
        ("9990003", "900/1000", 0, [(7200, [])]),
        ("9990004", "900/4000", 0, [(7200, [])]),
        ("9990005", "000", 1, [(2, ["Verify"])]),
        ("9990006", "000", 1, [(2699, []), (1, ["Verify"])]),
        ("9990007", "000", 1, [(90_000, [])]),
        ("9990011", "000", 0, [(599, []), (1, ["900/2000"])]),
        ("9990013", "602", 0, [(7200, [])]),
        ("9990014", "700", 0, [(7200, [])]),
        ("9990015", "900/008", 1, [(60, ["Verify"])]),
        ("9990016", "010", 1, [(7200, [])]),
        ("9990017", "000", 1, [(2, ["Verify"]), (58, ["RxFill"])]),
        ("9990020", "000", 1, [(0, ["Verify"])]),
        ("9990021", "000", 1, [(2, ["Verify", "Verify"])]),
        ("9990022", "000", 1, [(2, ["Verify"]), (298, ["RxRenewalRequest"])]),
        ("9990023", "000", 1, [(2, ["Verify"]), (58, ["RxChangeRequest"]), (60, ["RxChangeRequest"])]),
    ],
)
def test_a_pharmacy_behaves_as_its_profile_says(
    ncpdp: str, answer: str, delivered: int, later: list[tuple[float, list[str]]]
) -> None:
    net = kit.network()
    assert send(net, ncpdp) == answer
    assert got(net) == delivered
    for seconds, expected in later:
        net.clock.advance(seconds=seconds)
        assert drain(net) == expected


def test_a_lost_answer_after_delivery_is_a_duplicate_when_repeated_and_two_when_renamed() -> None:
    net = kit.network()
    with pytest.raises(ConnectionDropped):
        send(net, "9990008")
    assert send(net, "9990008") == "900/220"
    assert got(net) == 1
    net.clock.advance(seconds=300)
    assert drain(net) == ["Verify"]
    with pytest.raises(ConnectionDropped):
        send(net, "9990008", message_id="other")
    assert kit.desk(net, "prescriptions")["by_order"] == {"RH-2026-000418-01": 2}


def test_a_connection_lost_before_acceptance_works_with_the_same_id() -> None:
    net = kit.network()
    with pytest.raises(ConnectionDropped):
        send(net, "9990009")
    assert got(net) == 0
    assert (send(net, "9990009"), got(net)) == ("010", 1)


def test_the_garbage_answer_is_truncated_though_the_message_was_accepted() -> None:
    net = kit.network()
    answer = kit.post(net, kit.newrx(ncpdp="9990010"))
    assert answer.status == 200
    with pytest.raises(surescripts_xml.Malformed):
        surescripts_xml.read(raw=answer.body)
    assert got(net) == 1


def test_the_busy_pharmacy_works_at_the_third_attempt() -> None:
    net = kit.network()
    assert [send(net, "9990012", message_id=f"m{i}") for i in range(3)] == ["600", "600", "000"]
    assert got(net) == 1


def test_a_pharmacy_without_epcs_refuses_only_controlled_substances() -> None:
    net = kit.network()
    assert kit.said(kit.post(net, kit.newrx(name="newrx_epcs", ncpdp="9990005"))) == "900/4040"


def test_the_fax_pharmacy_says_so_and_the_slow_answer_is_delayed() -> None:
    net = kit.network()
    assert b"<PrescriptionDeliveryMethod>2<" in kit.post(net, kit.newrx(ncpdp="9990016")).body
    net.clock.set_factor(factor=1.0)
    assert kit.post(net, kit.newrx(ncpdp="9990020", message_id="m2")).delay == 3.0


def test_a_fill_that_did_not_happen_says_why() -> None:
    net = kit.network()
    send(net, "9990017")
    net.clock.advance(seconds=60)
    kit.poll(net)
    assert b"<NotDispensed><ReasonCode>AD<" in kit.poll(net).body


def test_one_renewal_request_in_five_relates_to_nothing_known() -> None:
    net = kit.network()
    for number in range(10):
        send(net, "9990022", message_id=f"m{number}")
    net.clock.advance(seconds=300)
    unknown = [row for row in kit.desk(net, "requests")["requests"].values() if not row["relates_to"].startswith("m")]
    assert len(unknown) == 2


def test_a_prescriber_without_the_renewal_level_never_gets_renewal_requests() -> None:
    net = kit.network()
    assert kit.said(kit.post(net, kit.newrx((SPI, "9912345678004"), ncpdp="9990022"))) == "000"
    net.clock.advance(seconds=300)
    assert drain(net) == ["Verify"]
    assert kit.desk(net, "journal/counts")["counts"]["message.suppressed"] == 1


def cancel(net: Network, ncpdp: str) -> str:
    answer: str = kit.said(kit.post(net, kit.newrx(name="cancelrx", ncpdp=ncpdp)))
    return answer


@pytest.mark.parametrize(("ncpdp", "outcome"), [("9990001", b"<Approved>"), ("9990018", b"<ReasonCode>AR<")])
def test_a_cancellation_is_answered_after_twenty_seconds(ncpdp: str, outcome: bytes) -> None:
    net = kit.network()
    send(net, ncpdp)
    assert cancel(net, ncpdp) == "000"
    net.clock.advance(seconds=2)
    assert drain(net) == ["Verify", "Verify"]
    net.clock.advance(seconds=18)
    answer = kit.poll(net)
    assert kit.said(answer) == "CancelRxResponse"
    assert outcome in answer.body
    assert kit.desk(net, "prescriptions")["not_cancelled"] == (0 if outcome == b"<Approved>" else 1)
    net.clock.advance(seconds=40)
    assert "RxFill" not in drain(net)


def test_a_cancellation_of_nothing_known_is_denied_and_one_pharmacy_supports_none() -> None:
    net = kit.network()
    assert cancel(net, "9990001") == "000"
    net.clock.advance(seconds=20)
    assert any(b"<ReasonCode>AA<" in kit.poll(net).body for _ in range(2))
    assert cancel(net, "9990019") == "900/4040"


def answer_request(net: Network, message_id: str, *swaps: tuple[str, str], name: str) -> str:
    text = (kit.FIXTURES / f"{name}.xml").read_text("ascii")
    text = re.sub(r"<RelatesToMessageID>\w+<", f"<RelatesToMessageID>{message_id}<", text)
    text = text.replace("2026-11-20T18:31:40Z", "2026-11-20T16:00:00Z").replace(
        "2026-11-20T20:50:00Z", "2026-11-20T16:00:00Z"
    )
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new)
    said: str = kit.said(kit.post(net, text.encode()))
    return said


APPROVED = "rxrenewal_response_approved_with_changes"


def test_a_renewal_request_is_answered_once_and_an_approval_is_a_prescription() -> None:
    net = kit.network()
    asked = kit.desk(net, "queue", {"type": "RxRenewalRequest", "spi": SPI, "ncpdp": "9990001", "order": "RH-1"})
    assert answer_request(net, asked["message_id"], name=APPROVED) == "000"
    assert got(net) == 1
    again = ("f6dbe40d81526099e5d41d2c0bfae905", "f6dbe40d81526099e5d41d2c0bfae906")
    assert answer_request(net, asked["message_id"], again, name=APPROVED) == "900/2000"
    assert got(net) == 1


@pytest.mark.parametrize(
    ("swap", "name", "expected"),
    [
        (("<NumberOfRefills>1", "<NumberOfRefills>0"), APPROVED, "900/144"),
        (("<ReasonCode>AM", "<ReasonCode>AR"), "rxrenewal_response_denied", "900/2000"),
        (("<ReasonCode>AM", "<ReasonCode>AF"), "rxrenewal_response_denied", "000"),
    ],
)
def test_a_renewal_answer_follows_the_rules(swap: tuple[str, str], name: str, expected: str) -> None:
    net = kit.network()
    asked = kit.desk(net, "queue", {"type": "RxRenewalRequest", "spi": SPI})
    assert answer_request(net, asked["message_id"], swap, name=name) == expected
    assert got(net) == 0


def test_a_change_answer_must_repeat_the_code_of_its_request() -> None:
    net = kit.network()
    asked = kit.desk(net, "queue", {"type": "RxChangeRequest", "spi": SPI, "code": "G"})["message_id"]
    assert answer_request(net, asked, name="rxchange_response_denied") == "900/2000"
    asked = kit.desk(net, "queue", {"type": "RxChangeRequest", "spi": SPI, "code": "OS"})["message_id"]
    other = ("</MessageID>", "x</MessageID>")
    assert answer_request(net, asked, other, name="rxchange_response_denied") == "000"


@pytest.mark.parametrize(
    "wish",
    [
        {
            "type": "RxRenewalRequest",
            "requested_refills": None,
            "follow_up": True,
            "patient": {"chart_id": "77", "last": "O'Hara"},
        },
        {"type": "RxChangeRequest", "code": "U", "sub_codes": ["G"], "reason": "NPI?"},
        {"type": "RxFill", "fill": "PartiallyDispensed", "note": "half"},
        {"type": "CancelRxResponse", "reason_code": "AR", "relates_to": "abc"},
        {"type": "Error", "relates_to": "abc"},
        {"type": "Verify", "relates_to": "abc"},
    ],
    ids=lambda wish: wish["type"],
)
def test_every_message_of_the_test_desk_has_the_right_structure(wish: dict[str, Any]) -> None:
    net = kit.network()
    kit.desk(net, "queue", {"spi": SPI, **wish})
    surescripts_structure.check_message(root=surescripts_xml.read(raw=kit.poll(net).body))


def test_a_receipt_for_a_message_takes_it_out_of_the_mailbox() -> None:
    net = kit.network()
    asked = kit.desk(net, "queue", {"type": "RxFill", "spi": SPI})["message_id"]
    kit.poll(net)
    text = (kit.FIXTURES / "status_000.xml").read_text("ascii")
    text = text.replace(f'<To Qualifier="D">{SPI}', '<To Qualifier="P">9990001', 1)
    text = text.replace('<From Qualifier="P">9990001', f'<From Qualifier="D">{SPI}')
    text = re.sub(r"<RelatesToMessageID>\w+<", f"<RelatesToMessageID>{asked}<", text)
    assert kit.said(kit.post(net, text.encode())) == "000"
    assert kit.desk(net, "mailbox")["waiting"] == []


def close(net: Network) -> None:
    kit.desk(net, "pharmacies/9990001", {"closed": True})


def rename(net: Network) -> None:
    kit.desk(net, "pharmacies/9990001", {"ncpdp": "9980001"})


def narrow(net: Network) -> None:
    kit.desk(net, "pharmacies/9990001", {"service_levels": ["Cancel"]})


@pytest.mark.parametrize(("change", "code"), [(close, "900/4000"), (rename, "900/1000"), (narrow, "900/4040")])
def test_a_pharmacy_can_be_closed_renamed_and_narrowed(change: Callable[[Network], None], code: str) -> None:
    net = kit.network()
    change(net)
    assert send(net, "9990001") == code


def test_the_verify_delay_is_adjustable_for_all_and_for_one() -> None:
    net = kit.network()
    kit.desk(net, "settings", {"verify_after": 1, "rxfill": "never"})
    send(net, "9990001")
    net.clock.advance(seconds=1)
    assert drain(net) == ["Verify"]
    kit.desk(net, "pharmacies/9990006", {"verify_after": 5})
    send(net, "9990006", message_id="m2")
    net.clock.advance(seconds=5)
    assert drain(net) == ["Verify"]
    net.clock.advance(seconds=100)
    assert drain(net) == []


def test_a_test_message_is_answered_and_reaches_no_pharmacy() -> None:
    net = kit.network()
    marked = ("</SenderSoftware>", "</SenderSoftware><TestMessage>1</TestMessage>")
    assert kit.said(kit.post(net, kit.newrx(marked))) == "010"
    assert got(net) == 0


@pytest.mark.parametrize(
    "verb", ["lanes", "settings", "queue", "pharmacies/9990001", "pharmacies/none", f"spis/{SPI}", "push"]
)
@pytest.mark.parametrize("body", [b"[1]", b"7", b"{", b'{"unheard_of": 1, "type": "x", "url": "http://example.com"}'])
def test_a_senseless_control_call_is_answered_with_400(verb: str, body: bytes) -> None:
    answer = kit.network().handle(Request(method="POST", path=f"/__sim__/{verb}", body=body))
    assert answer.status == (200 if verb == "lanes" and body.startswith(b'{"') else 400)
