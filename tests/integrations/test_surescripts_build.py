"""What we put on the wire: order, characters, lengths, refusals."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from integrations.surescripts import script, script_build, script_checks, script_codes, script_read
from integrations.surescripts.script_model import CancelFlag, Drug, Gender, Name, Party, Schedule, Strength
from tests.integrations import surescripts_cast as cast


def build(**changes: Any) -> bytes:
    parts: dict[str, Any] = {
        "envelope": cast.ENVELOPE,
        "patient": cast.PATIENT,
        "pharmacy": cast.PHARMACY,
        "prescriber": cast.PRESCRIBER,
        "prescription": cast.PRESCRIPTION,
    }
    return script.build_newrx(**{**parts, **changes})


def shape(document: bytes) -> list[tuple[str, str, dict[str, str]]]:
    root = etree.fromstring(document)
    return [(str(each.tag), (each.text or "").strip(), dict(each.attrib)) for each in root.iter()]


def problems(**changes: Any) -> dict[str, str]:
    with pytest.raises(script_checks.DoesNotFit) as caught:
        build(**changes)
    return {problem.field: problem.rule for problem in caught.value.problems}


def rx(**changes: Any) -> Any:
    return replace(cast.PRESCRIPTION, **changes)


def drug(**changes: Any) -> Any:
    return rx(drug=replace(cast.DRUG, **changes))


def test_a_newrx_is_element_for_element_the_contracts_sample() -> None:
    assert shape(build()) == shape(cast.sample("newrx.xml"))


def test_the_same_values_give_the_same_bytes() -> None:
    assert build() == build()


def test_a_getmessage_is_the_contracts_sample() -> None:
    document = script_build.build_getmessage(
        from_spi="9912345678001",
        mailbox_id="SSMAILBOX",
        message_id="7e536c8509dae8116d5c9fa483716113",
        sent_at=datetime(2026, 11, 20, 15, 45, tzinfo=UTC),
        acknowledge="MBX-000000912",
    )
    assert shape(document) == shape(cast.sample("getmessage.xml"))


def test_a_status_is_the_contracts_sample() -> None:
    document = script_build.build_status(
        to=Party("D", "9912345678001"),
        sender=Party("P", "9990001"),
        relates_to=cast.MESSAGE_ID,
        message_id="b2f7a0c94d1e4c55a1f0d9e8c7b6a501",
        sent_at=datetime(2026, 11, 20, 15, 42, 11, tzinfo=UTC),
    )
    assert shape(document) == shape(cast.sample("status_000.xml"))


def test_a_cancelrx_is_the_contracts_sample() -> None:
    document = script.build_cancelrx(
        envelope=replace(
            cast.ENVELOPE,
            message_id="18fd062fa37482bb07f63f4e2d1c0b07",
            sent_at=datetime(2026, 11, 20, 19, 2, tzinfo=UTC),
        ),
        relates_to=cast.MESSAGE_ID,
        patient=cast.PATIENT,
        pharmacy=cast.PHARMACY,
        prescriber=replace(cast.PRESCRIBER, agent=None),
        prescription=rx(drug=replace(cast.DRUG, strength=None), diagnoses=()),
        flag=CancelFlag.CANCEL,
    )
    expected = list(shape(cast.sample("cancelrx.xml")))
    assert shape(document) == expected


@pytest.mark.parametrize("schedule", [each for each in Schedule if each is not Schedule.NOT_CONTROLLED])
def test_the_routine_lane_refuses_controlled_and_unknown_drugs(schedule: Schedule) -> None:
    with pytest.raises(script_checks.ControlledDrug):
        build(prescription=drug(schedule=schedule))
    with pytest.raises(script_checks.ControlledDrug):
        script.build_cancelrx(
            envelope=cast.ENVELOPE,
            relates_to=cast.MESSAGE_ID,
            patient=cast.PATIENT,
            pharmacy=cast.PHARMACY,
            prescriber=cast.PRESCRIBER,
            prescription=drug(schedule=schedule),
        )


def test_everything_wrong_is_told_at_once() -> None:
    found = problems(
        patient=replace(cast.PATIENT, name=Name(last="", first="M" * 36), phone="123"),
        pharmacy=replace(cast.PHARMACY, ncpdp_id="999000"),
        prescription=rx(sig="", refills=100),
    )
    assert found == {
        "Patient/Name/LastName": "missing",
        "Patient/Name/FirstName": "too_long",
        "Patient/CommunicationNumbers/PrimaryTelephone": "malformed",
        "Pharmacy/Identification/NCPDPID": "malformed",
        "Header/To": "malformed",
        "MedicationPrescribed/Sig/SigText": "missing",
        "MedicationPrescribed/NumberOfRefills": "out_of_range",
    }


def test_problems_never_repeat_a_patients_values() -> None:
    with pytest.raises(script_checks.DoesNotFit) as caught:
        build(patient=replace(cast.PATIENT, name=Name(last="Secretname日", first="Secretname" * 4), phone="615Secret"))
    assert "Secret" not in f"{caught.value} {caught.value.problems!r}"
    assert all(problem.mend for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"prescription": rx(sig="x" * 1001)}, "MedicationPrescribed/Sig/SigText", "too_long"),
        ({"prescription": drug(description="x" * 106)}, "MedicationPrescribed/DrugDescription", "too_long"),
        ({"prescription": rx(note="x" * 211)}, "MedicationPrescribed/Note", "too_long"),
        ({"prescription": rx(quantity=None)}, "MedicationPrescribed/Quantity/Value", "missing"),
        ({"prescription": rx(quantity=Decimal(0))}, "MedicationPrescribed/Quantity/Value", "out_of_range"),
        ({"prescription": rx(quantity=Decimal("-1"))}, "MedicationPrescribed/Quantity/Value", "out_of_range"),
        ({"prescription": rx(quantity=Decimal("NaN"))}, "MedicationPrescribed/Quantity/Value", "out_of_range"),
        ({"prescription": rx(quantity=Decimal("1.2345678901"))}, "MedicationPrescribed/Quantity/Value", "too_long"),
        (
            {"prescription": rx(unit_code="C38046")},
            "MedicationPrescribed/Quantity/QuantityUnitOfMeasure",
            "not_in_table",
        ),
        (
            {"prescription": rx(unit_code="tablet")},
            "MedicationPrescribed/Quantity/QuantityUnitOfMeasure",
            "not_in_table",
        ),
        (
            {"prescription": rx(quantity_qualifier="QS")},
            "MedicationPrescribed/Quantity/CodeListQualifier",
            "not_in_table",
        ),
        ({"prescription": rx(days_supply=None)}, "MedicationPrescribed/DaysSupply", "missing"),
        ({"prescription": rx(days_supply=0)}, "MedicationPrescribed/DaysSupply", "out_of_range"),
        ({"prescription": rx(days_supply=1000)}, "MedicationPrescribed/DaysSupply", "out_of_range"),
        ({"prescription": rx(refills=None)}, "MedicationPrescribed/NumberOfRefills", "missing"),
        ({"prescription": rx(refills=-1)}, "MedicationPrescribed/NumberOfRefills", "out_of_range"),
        ({"prescription": rx(written_on=None)}, "MedicationPrescribed/WrittenDate", "missing"),
        ({"prescription": rx(written_on=date(2026, 11, 17))}, "MedicationPrescribed/WrittenDate", "disagrees"),
        ({"prescription": drug(ndc="6818009801")}, "MedicationPrescribed/DrugCoded/ProductCode", "malformed"),
        ({"prescription": drug(rxcui="")}, "MedicationPrescribed/DrugCoded/DrugDBCode/Code", "missing"),
        (
            {"prescription": drug(rxcui_qualifier="IN")},
            "MedicationPrescribed/DrugCoded/DrugDBCode/Qualifier",
            "not_in_table",
        ),
        (
            {"prescription": drug(strength=Strength("10-20", "C42998", "C28253"))},
            "MedicationPrescribed/DrugCoded/Strength/StrengthValue",
            "malformed",
        ),
        ({"patient": replace(cast.PATIENT, born_on=None)}, "Patient/DateOfBirth", "missing"),
        ({"patient": replace(cast.PATIENT, born_on=date(2027, 1, 1))}, "Patient/DateOfBirth", "out_of_range"),
        ({"patient": replace(cast.PATIENT, born_on=date(2007, 11, 21))}, "Observation", "missing"),
        ({"patient": replace(cast.PATIENT, address=None)}, "Patient/Address", "missing"),
        ({"patient": replace(cast.PATIENT, phone="")}, "Patient/CommunicationNumbers/PrimaryTelephone", "missing"),
        (
            {"patient": replace(cast.PATIENT, address=replace(cast.PATIENT.address, state="Tennessee"))},
            "Patient/Address/StateProvince",
            "not_in_table",
        ),
        (
            {"patient": replace(cast.PATIENT, address=replace(cast.PATIENT.address, postal_code="3720"))},
            "Patient/Address/PostalCode",
            "malformed",
        ),
        (
            {"patient": replace(cast.PATIENT, address=replace(cast.PATIENT.address, country="CA"))},
            "Patient/Address/CountryCode",
            "not_in_table",
        ),
        ({"pharmacy": replace(cast.PHARMACY, npi="1638472907")}, "Pharmacy/Identification/NPI", "check_digit"),
        ({"pharmacy": replace(cast.PHARMACY, name="x" * 71)}, "Pharmacy/BusinessName", "too_long"),
        ({"prescriber": replace(cast.PRESCRIBER, npi="1748293052")}, "Prescriber/Identification/NPI", "check_digit"),
        ({"prescriber": replace(cast.PRESCRIBER, spi="991234567801")}, "Header/From", "malformed"),
        (
            {"prescriber": replace(cast.PRESCRIBER, dea_number="BW4829150")},
            "Prescriber/Identification/DEANumber",
            "check_digit",
        ),
        ({"prescriber": replace(cast.PRESCRIBER, address=None)}, "Prescriber/Address", "missing"),
        (
            {"envelope": replace(cast.ENVELOPE, message_id="6f1c0f6b-8f2e-4c0e-9a7d-51c3e4b20a11")},
            "Header/MessageID",
            "malformed",
        ),
        ({"envelope": replace(cast.ENVELOPE, order_number="")}, "Header/PrescriberOrderNumber", "malformed"),
        ({"envelope": replace(cast.ENVELOPE, sent_at=datetime(2026, 11, 20, 15, 42))}, "Header/SentTime", "malformed"),  # noqa: DTZ001
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(changes: dict[str, Any], field: str, rule: str) -> None:
    assert problems(**changes) == {field: rule}


def test_the_usual_marks_of_numbers_are_left_out() -> None:
    assert cast.PATIENT.address is not None
    document = build(
        patient=replace(
            cast.PATIENT,
            phone="(615) 221-0147",
            address=replace(cast.PATIENT.address, postal_code="37203-0001"),
        ),
        pharmacy=replace(cast.PHARMACY, phone="+1 615.221.9800"),
        prescription=drug(ndc="68180-0980-1"),
    )
    message = script_read.read(document)
    assert message.patient is not None
    assert message.patient.address is not None
    assert message.pharmacy is not None
    assert message.prescribed is not None
    assert (message.patient.phone, message.pharmacy.phone) == ("6152210147", "6152219800")
    assert message.patient.address.postal_code == "372030001"
    assert message.prescribed.drug.ndc == "68180098001"


def test_the_longest_values_still_fit() -> None:
    document = build(
        prescription=rx(sig="x" * 1000, note="y" * 210, quantity=Decimal("12345678.25"), days_supply=999, refills=99),
        patient=replace(cast.PATIENT, name=Name(last="a" * 35, first="b" * 35)),
        envelope=replace(cast.ENVELOPE, message_id="f" * 35),
    )
    read = script_read.read(document).prescribed
    assert read is not None
    assert (len(read.sig), read.quantity) == (1000, Decimal("12345678.25"))


def test_someone_turning_nineteen_today_needs_no_height_and_weight() -> None:
    assert build(patient=replace(cast.PATIENT, born_on=date(2007, 11, 20)))


def test_accents_and_curly_quotes_become_ascii_and_are_reported() -> None:
    built = script.prepare_newrx(
        envelope=cast.ENVELOPE,
        patient=replace(cast.PATIENT, name=Name(last="Muñoz", first="José")),
        pharmacy=replace(cast.PHARMACY, name="Hale’s & Sons <2>"),
        prescriber=cast.PRESCRIBER,
        prescription=rx(sig="Take 1½ tablets – daily."),
    )
    assert built.document.isascii()
    read = script_read.read(built.document)
    assert read.patient is not None
    assert read.pharmacy is not None
    assert read.prescribed is not None
    assert (read.patient.name.last, read.patient.name.first) == ("Munoz", "Jose")
    assert read.pharmacy.name == "Hale's & Sons <2>"
    assert read.prescribed.sig == "Take 1 1/2 tablets - daily."
    assert {(change.field, change.before, change.after) for change in built.changes} >= {
        ("Patient/Name/LastName", "ñ", "n"),
        ("MedicationPrescribed/Sig/SigText", "½", " 1/2"),
    }


def test_a_text_no_one_can_write_in_ascii_goes_to_a_person() -> None:
    assert problems(prescription=rx(sig="Take 10² units")) == {"MedicationPrescribed/Sig/SigText": "not_printable"}


def test_times_are_sent_in_utc_whatever_their_zone() -> None:
    eastern = timezone(timedelta(hours=-5))
    document = build(envelope=replace(cast.ENVELOPE, sent_at=datetime(2026, 11, 20, 10, 42, 10, tzinfo=eastern)))
    assert b"<SentTime>2026-11-20T15:42:10Z</SentTime>" in document


def test_optional_parts_stand_in_the_order_of_the_standard() -> None:
    document = build(
        envelope=replace(cast.ENVELOPE, test=True),
        prescriber=replace(cast.PRESCRIBER, state_license="TN-1", dea_number="BW4829151"),
        prescription=rx(substitution_allowed=False, note="n", last_filled_on=date(2026, 8, 21), wants_fill_status=True),
    )
    tags = [tag for tag, _, _ in shape(document)]

    def order(*names: str) -> bool:
        places = [tags.index(name) for name in names]
        return places == sorted(places)

    assert order("SenderSoftware", "TestMessage", "PrescriberOrderNumber")
    assert order("StateLicenseNumber", "DEANumber", "Specialty")
    assert order(
        "DaysSupply", "WrittenDate", "LastFillDate", "Substitutions", "NumberOfRefills", "Diagnosis", "Note", "Sig"
    )
    assert order("Sig", "RxFillIndicator")
    assert b"<Substitutions>1</Substitutions>" in document


def test_quantities_are_written_without_exponent_or_needless_zeros() -> None:
    for value, written in (("90.0", "90"), ("2.50", "2.5"), ("1E+2", "100"), ("0.25", "0.25")):
        assert f"<Value>{written}</Value>".encode() in build(prescription=rx(quantity=Decimal(value)))


wire_text = st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)


@settings(deadline=None)
@given(
    last=wire_text,
    first=wire_text,
    sig=st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=200),
    quantity=st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999"), places=2),
    unit=st.sampled_from(sorted(script_codes.UNITS)),
    days=st.integers(1, 999),
    refills=st.integers(0, 99),
    gender=st.sampled_from(list(Gender)),
)
def test_what_is_built_reads_back_equal(
    last: str, first: str, sig: str, quantity: Decimal, unit: str, days: int, refills: int, gender: Gender
) -> None:
    patient = replace(cast.PATIENT, name=Name(last=last, first=first), gender=gender)
    prescription = rx(sig=sig, quantity=quantity, unit_code=unit, days_supply=days, refills=refills)
    message = script.read(build(patient=patient, prescription=prescription))
    assert message.oddities == ()
    assert message.patient == patient
    assert message.pharmacy == cast.PHARMACY
    assert message.prescriber == replace(cast.PRESCRIBER, spi="")
    assert message.prescribed == prescription
    assert message.header.sender == Party("D", cast.PRESCRIBER.spi)
    assert message.header.order_number == cast.ENVELOPE.order_number


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_out_of_its_element(text: str) -> None:
    try:
        document = build(prescription=rx(sig=text))
    except script_checks.DoesNotFit:
        return
    assert document.isascii()
    assert [tag for tag, _, _ in shape(document)] == [tag for tag, _, _ in shape(build())]


def test_the_next_version_of_the_standard_has_a_place_and_is_not_built() -> None:
    assert script.current().build is script_build
    with pytest.raises(script.VersionNotBuilt):
        script.version("2023011")
    with pytest.raises(script.UnknownVersion):
        script.version("10.6")


def test_an_ingredient_may_not_be_sent_in_place_of_a_drug() -> None:
    assert set(script_codes.DRUG_QUALIFIERS) == {"SCD", "SBD", "GPCK", "BPCK"}
    assert problems(prescription=rx(drug=Drug(description="lisinopril", schedule=Schedule.NOT_CONTROLLED))) == {
        "MedicationPrescribed/DrugCoded/DrugDBCode/Qualifier": "not_in_table",
        "MedicationPrescribed/DrugCoded/DrugDBCode/Code": "missing",
    }
