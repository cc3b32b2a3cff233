"""What we build against the pretended network's own grammar: two independent readings of the same notes must agree."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.sandbox import surescripts_grammar, surescripts_structure, surescripts_xml
from integrations.surescripts import script, script_build, script_checks, script_codes, script_read
from integrations.surescripts.script_model import (
    Address,
    CancelFlag,
    Diagnosis,
    Drug,
    Name,
    Party,
    PatientRef,
    PharmacyRef,
    PrescriberRef,
    Prescription,
    Schedule,
    Strength,
)
from tests.integrations import surescripts_cast as cast


def agree(document: bytes) -> ElementTree.Element:
    root = surescripts_xml.read(raw=document)
    surescripts_structure.check_message(root=root)
    return root


def words(most: int, least: int = 1) -> st.SearchStrategy[str]:
    printable = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
    return st.text(alphabet=printable, min_size=least, max_size=most).map(str.strip).filter(bool)


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(alphabet="0123456789", min_size=count, max_size=count)


NPIS = st.sampled_from(["1748293051", "1638472906"])
NAMES = st.builds(
    Name,
    last=words(35),
    first=words(35),
    middle=st.one_of(st.just(""), words(35)),
    suffix=st.one_of(st.just(""), words(10)),
    prefix=st.one_of(st.just(""), words(10)),
)
ADDRESSES = st.builds(
    Address,
    line1=words(40),
    line2=st.one_of(st.just(""), words(40)),
    city=words(35),
    state=st.sampled_from(sorted(script_codes.STATES)),
    postal_code=st.one_of(digits(5), digits(9)),
)
PATIENTS = st.builds(
    PatientRef,
    name=NAMES,
    gender=st.sampled_from(["F", "M", "U"]).map(cast.Gender),
    born_on=st.dates(date(1900, 1, 1), date(2006, 1, 1)),
    address=ADDRESSES,
    phone=digits(10),
    chart_id=st.one_of(st.just(""), words(35)),
)
PHARMACIES = st.builds(
    PharmacyRef,
    ncpdp_id=digits(7),
    npi=NPIS,
    name=words(70),
    phone=digits(10),
    fax=st.one_of(st.just(""), digits(10)),
    address=st.one_of(st.none(), ADDRESSES),
)
PRESCRIBERS = st.builds(
    PrescriberRef,
    spi=digits(13),
    npi=NPIS,
    name=NAMES,
    phone=digits(10),
    fax=st.one_of(st.just(""), digits(10)),
    address=ADDRESSES,
    specialty=st.one_of(st.just(""), words(10)),
    practice_name=st.one_of(st.just(""), words(70)),
    dea_number=st.sampled_from(["", "BW4829151"]),
    state_license=st.one_of(st.just(""), words(35)),
    agent=st.one_of(st.none(), NAMES),
    place_of_service=st.sampled_from(["", "11"]),
)
PRESCRIPTIONS = st.builds(
    Prescription,
    drug=st.builds(
        Drug,
        description=words(105),
        schedule=st.just(Schedule.NOT_CONTROLLED),
        rxcui=digits(7),
        rxcui_qualifier=st.sampled_from(sorted(script_codes.DRUG_QUALIFIERS.values())),
        ndc=st.one_of(st.just(""), digits(11)),
        strength=st.one_of(st.none(), st.just(Strength("2.5", "C42998", "C28253"))),
    ),
    quantity=st.decimals(min_value=Decimal("0.01"), max_value=Decimal("9999999"), places=2),
    unit_code=st.sampled_from(sorted(script_codes.UNITS)),
    days_supply=st.integers(1, 999),
    written_on=st.just(date(2026, 11, 20)),
    refills=st.integers(0, 99),
    sig=words(1000),
    substitution_allowed=st.booleans(),
    note=st.one_of(st.just(""), words(210)),
    diagnoses=st.lists(st.just(Diagnosis("I10", "Hypertension")), max_size=2).map(tuple),
    last_filled_on=st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2026, 11, 1))),
    wants_fill_status=st.booleans(),
)


@settings(deadline=None)
@given(patient=PATIENTS, pharmacy=PHARMACIES, prescriber=PRESCRIBERS, prescription=PRESCRIPTIONS, test=st.booleans())
def test_every_newrx_and_cancelrx_we_build_has_the_structure_the_network_expects(
    patient: PatientRef, pharmacy: PharmacyRef, prescriber: PrescriberRef, prescription: Prescription, test: bool
) -> None:
    envelope = replace(cast.ENVELOPE, message_id=script_checks.new_message_id(), test=test)
    parts = {"patient": patient, "pharmacy": pharmacy, "prescriber": prescriber, "prescription": prescription}
    document = script.build_newrx(envelope=envelope, **parts)  # type: ignore[arg-type]
    agree(document)
    message = script_read.read(document)
    assert (message.patient, message.pharmacy, message.prescribed) == (patient, pharmacy, prescription)
    assert message.prescriber == replace(prescriber, spi="")
    agree(
        script.build_cancelrx(
            envelope=envelope,
            relates_to=cast.MESSAGE_ID,
            flag=CancelFlag.DISCONTINUE,
            rx_reference="RX-1",
            **parts,  # type: ignore[arg-type]
        )
    )


def test_polls_and_receipts_have_the_structure_the_network_expects() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    for acknowledge in (None, "MBX-1"):
        agree(
            script_build.build_getmessage(
                from_spi="9912345678001",
                mailbox_id="SSMAILBOX",
                message_id=script_checks.new_message_id(),
                sent_at=now,
                acknowledge=acknowledge,
            )
        )
    agree(
        script_build.build_status(
            to=Party("P", "9990001"),
            sender=Party("D", "9912345678001"),
            relates_to="m1",
            message_id=script_checks.new_message_id(),
            sent_at=now,
        )
    )


def test_the_network_would_notice_if_two_elements_changed_places() -> None:
    document = cast.sample("newrx.xml").replace(b"<DaysSupply>90</DaysSupply>", b"")
    swapped = document.replace(b"<Substitutions>", b"<DaysSupply>90</DaysSupply><Substitutions>")
    with pytest.raises(surescripts_grammar.StructureFault):
        agree(swapped)
