"""The pretended network: each check of the contract fails alone with its code; lanes, mailbox, hostile bytes."""

import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.sandbox import surescripts, surescripts_structure, surescripts_xml
from integrations.sandbox.clock import Clock
from integrations.sandbox.surescripts_lanes import Lanes
from integrations.sandbox.wire import Answer, Request
from integrations.sandbox.world import World

FIXTURES = Path(__file__).parent.parent / "fixtures" / "surescripts"
NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
FINGERPRINT = "0" * 39 + "1"
SPI = "9912345678001"


def network() -> surescripts.Surescripts:
    return surescripts.build(world=World(document={"practices": []}), clock=Clock.frozen(at=NOW), seed=7)


def newrx(*swap: tuple[str, str], name: str = "newrx", message_id: str = "", ncpdp: str = "9990001") -> bytes:
    text = (FIXTURES / f"{name}.xml").read_text("ascii")
    for old, new in swap:
        assert old in text, old
        text = text.replace(old, new)
    if message_id:
        text = re.sub(r"<MessageID>\w+<", f"<MessageID>{message_id}<", text)
    if ncpdp != "9990001":
        text = text.replace("9990001", ncpdp)
        text = re.sub(r"\s*<NPI>1638472906</NPI>", f"<NPI>{network().registry.pharmacies[ncpdp].npi}</NPI>", text)
    return text.encode()


def post(net: surescripts.Surescripts, body: bytes, *, path: str = "/script", fingerprint: str = FINGERPRINT) -> Answer:
    headers = {"content-type": "application/xml; charset=utf-8"}
    if fingerprint:
        headers[surescripts.FINGERPRINT] = fingerprint
    return net.handle(Request(method="POST", path=path, headers=headers, body=body))


def said(answer: Answer) -> str:
    """`000`, `900/2000`, or the name of a mailbox message; the answer's structure must be right."""
    assert answer.status == 200, answer
    root = surescripts_xml.read(raw=answer.body)
    surescripts_structure.check_message(root=root)
    body = root.find("Body")
    assert body is not None
    code = body[0].findtext("Code")
    if code is None:
        return body[0].tag
    description = body[0].findtext("DescriptionCode")
    return f"{code}/{description}" if description else code


def desk(
    net: surescripts.Surescripts, verb: str, wish: Any = None, *, query: str = "", prefix: str = "/__sim__/"
) -> Any:
    body = b"" if wish is None else json.dumps(wish).encode()
    method = "GET" if wish is None else "POST"
    answer = net.handle(Request(method=method, path=prefix + verb, query=query, body=body))
    assert answer.status < 300, answer.body
    return json.loads(answer.body)


def poll(net: surescripts.Surescripts, *, ack: str = "", spi: str = SPI) -> Answer:
    text = (FIXTURES / "getmessage.xml").read_text("ascii").replace(SPI, spi)
    text = re.sub(r"<AcknowledgementID>.*?</AcknowledgementID>", f"<AcknowledgementID>{ack}</AcknowledgementID>", text)
    if not ack:
        text = re.sub(r"<Mailbox>.*?</Mailbox>", "", text, flags=re.DOTALL)
    return post(net, text.encode())


def key_of(answer: Answer) -> str:
    return surescripts_xml.text_at(surescripts_xml.read(raw=answer.body), "Header", "Mailbox", "DeliveredID")


def test_a_right_new_prescription_is_taken_over_and_counted_once() -> None:
    net = network()
    assert said(post(net, newrx())) == "000"
    oracle = desk(net, "prescriptions")
    assert oracle["count"] == 1
    assert oracle["by_order"] == {"RH-2026-000418-01": 1}
    assert oracle["by_patient_and_drug"][0]["patient"] == "DRC-70044121"
    entry = desk(net, "journal", query="kind=message.in")["entries"][0]
    assert (entry["decision"], entry["data"]["delivered_to_pharmacy"], entry["practice"]) == ("000", True, "p1")
    assert desk(net, "prescriptions", prefix="/control/")["count"] == 1


def test_a_signed_controlled_prescription_is_taken_over() -> None:
    assert said(post(network(), newrx(name="newrx_epcs"))) == "000"


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.xml")), ids=lambda path: path.stem)
def test_every_sample_has_the_right_structure(path: Path) -> None:
    surescripts_structure.check_message(root=surescripts_xml.read(raw=path.read_bytes()))


EXPECTED = {
    "cancelrx": "000", "cancelrx_response_approved": "900/1000", "cancelrx_response_denied": "900/1000",
    "error": "900/1000",
    "getmessage": "003", "newrx": "000", "newrx_epcs": "000", "rxchange_request": "900/1000",
    "rxchange_response_denied": "900/1000", "rxfill_dispensed": "900/1000", "rxrenewal_request": "900/1000",
    "rxrenewal_response_approved_with_changes": "900/1000", "rxrenewal_response_denied": "900/1000",
    "status_000": "900/1000", "status_003_no_messages": "900/1000", "status_010": "900/1000", "verify": "900/1000",
}  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items())
def test_a_sample_on_the_wire_passes_or_fails_as_its_sender_may(name: str, expected: str) -> None:
    assert said(post(network(), (FIXTURES / f"{name}.xml").read_bytes())) == expected


CHILD = ("<Date>1961-08-14</Date>", "<Date>2012-08-14</Date>")
MEASURED = (
    "<MedicationPrescribed>",
    "<Observation>"
    + "".join(
        f"<Measurement><VitalSign>{code}</VitalSign><LOINCVersion>2.42</LOINCVersion><Value>40</Value>"
        "<UnitOfMeasure>kg</UnitOfMeasure><UCUMVersion>2.1</UCUMVersion><ObservationDate><Date>2026-11-20</Date>"
        "</ObservationDate></Measurement>"
        for code in ("8302-2", "29463-7")
    )
    + "</Observation><MedicationPrescribed>",
)
BROKEN = [
    ("not well-formed", [("</Header>", "")], "900/500"),
    ("a namespace", [("<Message ", '<Message xmlns="urn:x" ')], "900/3000"),
    ("an attribute too few", [(' ECLVersion="20170715"', "")], "900/3000"),
    ("an attribute too many", [("<NewRx>", '<NewRx x="1">')], "900/3000"),
    ("unknown body", [("NewRx>", "OldRx>")], "900/3000"),
    ("wrong order", [("<Gender>F</Gender>", ""), ("<HumanPatient>", "<HumanPatient><Gender>F</Gender>")], "900/3000"),
    ("required element missing", [("<Substitutions>0</Substitutions>", "")], "900/3000"),
    ("repeated element", [("<DaysSupply>90</DaysSupply>", "<DaysSupply>90</DaysSupply>" * 2)], "900/3000"),
    ("text too long", [("lisinopril 10 mg oral tablet", "x" * 106)], "900/3000"),
    ("message id of 36", [("6f1c0f6b8f2e4c0e9a7d51c3e4b20a11", "x" * 36)], "900/3000"),
    ("an accent", [("Marisol", "Maris&#243;l")], "900/3000"),
    ("a line end in text", [("Take 1 tablet", "Take 1&#10;tablet")], "900/3000"),
    ("text between elements", [("<NewRx>", "<NewRx>stray")], "900/3000"),
    ("three digits of refills", [("<NumberOfRefills>1<", "<NumberOfRefills>100<")], "900/3000"),
    ("unknown sender", [(SPI, "9912345678007")], "900/1000"),
    ("inactive sender", [(SPI, "9912345678002")], "900/1000"),
    ("another account's sender", [(SPI, "9912345678005")], "900/1000"),
    ("unknown pharmacy", [("9990001", "9999999")], "900/1000"),
    ("old sent time", [("2026-11-20T15:42:10Z", "2026-11-19T15:42:10Z")], "900/2000"),
    ("sent time without zone", [("2026-11-20T15:42:10Z", "2026-11-20T15:42:10")], "900/2000"),
    ("pharmacy id of body", [("<NCPDPID>9990001", "<NCPDPID>9990002")], "900/2000"),
    ("pharmacy NPI", [("1638472906", "1638472907")], "900/2000"),
    ("prescriber NPI", [("1748293051", "1748293052")], "900/2000"),
    ("unknown state", [("<StateProvince>TN", "<StateProvince>XX")], "900/2000"),
    ("unknown schedule", [("C38046", "C99999")], "900/2000"),
    ("unknown unit", [("C48542", "C99999")], "900/2000"),
    ("unknown quantity qualifier", [("<CodeListQualifier>38", "<CodeListQualifier>39")], "900/2000"),
    ("RxCUI qualifier", [("<Qualifier>SCD", "<Qualifier>IN")], "900/2000"),
    ("RxCUI no number", [("314076", "lisinopril")], "900/2000"),
    ("NDC of ten digits", [("68180098001", "6818009800")], "900/2000"),
    ("a child without height and weight", [CHILD], "900/2000"),
    ("a measured child", [CHILD, MEASURED], "000"),
    ("controlled without schedule", [("lisinopril 10 mg", "tramadol 50 mg")], "900/2000"),
]  # fmt: skip


@pytest.mark.parametrize(("swaps", "expected"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_each_check_fails_alone_with_its_code(swaps: list[tuple[str, str]], expected: str) -> None:
    net = network()
    assert said(post(net, newrx(*swaps))) == expected
    assert desk(net, "prescriptions")["count"] == (1 if expected == "000" else 0)


CONTROLLED = [
    ("no EPCS of the sender", [(SPI, "9912345678003")], "900/4030"),
    ("no signature", [("<DigitalSignatureIndicator>true", "<DigitalSignatureIndicator>false")], "900/2000"),
    ("no DEA number", [("<DEANumber>BW4829151</DEANumber>", "")], "900/2000"),
    ("malformed DEA number", [("BW4829151", "BW4829152")], "900/2000"),
    ("schedule I", [("C48677", "C48672")], "900/2000"),
    ("schedule II with refills", [("C48677", "C48675"), ("<NumberOfRefills>0", "<NumberOfRefills>1")], "900/144"),
    ("schedule IV with six refills", [("<NumberOfRefills>0", "<NumberOfRefills>6")], "900/144"),
    ("schedule IV with five refills", [("<NumberOfRefills>0", "<NumberOfRefills>5")], "000"),
    ("said to be not controlled", [("C48677", "C38046")], "900/2000"),
]


@pytest.mark.parametrize(("swaps", "expected"), [row[1:] for row in CONTROLLED], ids=[row[0] for row in CONTROLLED])
def test_each_check_of_a_controlled_substance(swaps: list[tuple[str, str]], expected: str) -> None:
    assert said(post(network(), newrx(*swaps, name="newrx_epcs"))) == expected


def test_the_same_message_id_is_a_duplicate_and_delivers_nothing_again() -> None:
    net = network()
    assert [said(post(net, newrx())) for _ in range(2)] == ["000", "900/220"]
    assert desk(net, "prescriptions")["count"] == 1


def test_without_a_certificate_401_and_with_a_foreign_one_no_account() -> None:
    net = network()
    assert (post(net, newrx(), fingerprint="").status, post(net, newrx(), fingerprint="").body) == (401, b"")
    answer = post(net, newrx(), fingerprint="ff")
    assert said(answer) == "900/1000"
    assert b"Authentication Failed" in answer.body


HOSTILE = [
    b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "b">]><Message>&a;</Message>',
    '<?xml version="1.0" encoding="UTF-16"?><Message/>'.encode("utf-16"),
    b"<a>" * 200 + b"</a>" * 200,
    b"<a/>" * 20_000,
    b"<Message>" + b"x" * 1_048_576 + b"</Message>",
    b"",
    b"{}",
]


@pytest.mark.parametrize("body", HOSTILE, ids=["entity", "utf16", "deep", "many", "large", "empty", "json"])
def test_bombs_and_other_formats_are_refused_with_400(body: bytes) -> None:
    assert post(network(), body).status == 400


def test_random_and_mutated_bytes_never_fail_the_sandbox() -> None:
    net, chance = network(), random.Random(3)
    desk(net, "lanes", {"enabled": False})
    originals = [path.read_bytes() for path in FIXTURES.glob("*.xml")]
    for turn in range(600):
        body = bytearray(originals[turn % len(originals)])
        for _ in range(chance.randint(1, 12)):
            place = chance.randrange(len(body))
            body[place : place + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 9))
        assert post(net, bytes(body), path=chance.choice(["/script", "/directory"])).status in (200, 400)
    for _ in range(200):
        assert post(net, chance.randbytes(200)).status in (200, 400)


def test_the_lanes_never_let_more_through_than_their_limit_in_any_minute() -> None:
    lanes, chance, passed, now = Lanes(epcs=60), random.Random(5), [], 0.0
    for _ in range(3000):
        now += chance.expovariate(4)
        wait = lanes.take(account="a", root="r", controlled=True, now=now)
        if wait:
            assert lanes.take(account="a", root="r", controlled=True, now=now + wait - 1.001) > 0
        else:
            passed.append(now)
    assert max(sum(1 for other in passed if start <= other < start + 60) for start in passed) == 60


def test_over_the_lane_429_with_retry_after_and_only_its_own_prescriber_waits() -> None:
    net = network()
    desk(net, "lanes", {"epcs": 1, "routine": 2})
    assert said(post(net, newrx(name="newrx_epcs", message_id="a1"))) == "000"
    refused = post(net, newrx(name="newrx_epcs", message_id="a2"))
    assert (refused.status, refused.headers["Retry-After"]) == (429, "60")
    assert [post(net, newrx(message_id=f"r{i}")).status for i in range(3)] == [200, 200, 429]
    net.clock.advance(seconds=60)
    assert said(post(net, newrx(name="newrx_epcs", message_id="a2"))) == "000"


def test_the_mailbox_gives_until_acknowledged_and_ends_with_002_then_003() -> None:
    net = network()
    assert said(poll(net)) == "003"
    post(net, newrx())
    net.clock.advance(seconds=2)
    first = poll(net)
    assert said(first) == "Verify"
    assert said(poll(net)) == "002"
    net.clock.advance(seconds=57)
    assert said(poll(net)) == "003"
    net.clock.advance(seconds=3)
    again = [poll(net), poll(net)]
    assert sorted(said(answer) for answer in again) == ["RxFill", "Verify"]
    assert first.body in [answer.body for answer in again]
    for answer in again:
        poll(net, ack=key_of(answer))
    net.clock.advance(seconds=120)
    assert said(poll(net)) in ("002", "003")
    assert desk(net, "mailbox")["waiting"] == []


def test_one_poll_serves_the_whole_account_unless_told_otherwise() -> None:
    net = network()
    post(net, newrx())
    net.clock.advance(seconds=2)
    desk(net, "settings", {"mailbox_scope": "spi"})
    assert said(poll(net, spi="9912345678003")) == "003"
    desk(net, "settings", {"mailbox_scope": "account"})
    assert said(poll(net, spi="9912345678003")) == "Verify"
    assert said(poll(net, spi="9912345678002")) == "900/1000"


def directory(kind: str) -> bytes:
    versions = " ".join(f'{name}="20170715"' for name in ("DatatypesVersion", "TransportVersion", "TransactionVersion"))
    return (
        f'<DirectoryMessage {versions} TransactionDomain="DIRECTORY" Version="006" Release="001"><Header>'
        '<To Qualifier="ZZZ">SSDR61</To><From Qualifier="ZZZ">acct-1</From><MessageID>d1</MessageID></Header>'
        f"<Body>{kind}</Body></DirectoryMessage>"
    ).encode()


def test_the_directory_lists_pharmacies_and_prescribers_as_delimited_files() -> None:
    net = network()
    ask = "<DirectoryDownload><AccountID>acct-1</AccountID><DownloadType>{}</DownloadType></DirectoryDownload>"
    lines = post(net, directory(ask.format("Organization")), path="/directory").body.decode().splitlines()
    ids = [line.split("|")[0] for line in lines]
    assert ids[0] == "NCPDPID"
    assert "9990001" in ids
    assert "9990003" not in ids
    assert len({line.count("|") for line in lines}) == 1
    lines = post(net, directory(ask.format("Provider")), path="/directory").body.decode().splitlines()
    assert [line.split("|")[0] for line in lines] == ["SPI", SPI]
    found = post(
        net, directory("<GetProviderLocation><SPI>9912345678003</SPI></GetProviderLocation>"), path="/directory"
    )
    assert "ControlledSubstance" not in found.body.decode()
    wrong = post(net, directory("<GetProviderLocation/>"), path="/directory")
    assert b"<DescriptionCode>2000" in wrong.body
    assert b"Authentication Failed" in post(net, directory(ask), path="/directory", fingerprint="ff").body


def test_a_world_brings_its_own_accounts_prescribers_and_pharmacies() -> None:
    practice = {
        "key": "px",
        "name": "P",
        "surescripts": {"account": "ax", "fingerprint": "AB12"},
        "doctors": [
            {"npi": "1748293051", "dea": "BW4829151", "spis": ["7000000001001"], "first_name": "A", "last_name": "B"}
        ],
    }
    document = {"practices": [practice], "pharmacies": [
        {"ncpdp": "3600001", "npi": "1638472906", "name": "Corner", "profile": "direct"}]}  # fmt: skip
    net = surescripts.build(world=World(document=document), clock=Clock.frozen(at=NOW), seed=1)
    body = newrx((SPI, "7000000001001"), ("9990001", "3600001"))
    assert said(post(net, body, fingerprint="ab12")) == "010"
    assert desk(net, "prescriptions", query="practice=px&summary=1")["count"] == 1


def test_the_same_seed_answers_with_the_same_bytes() -> None:
    assert post(network(), newrx()).body == post(network(), newrx()).body


def test_a_reset_forgets_what_the_pharmacies_got() -> None:
    net = network()
    post(net, newrx())
    desk(net, "reset", {})
    assert desk(net, "prescriptions")["count"] == 0
    assert said(post(net, newrx())) == "000"
