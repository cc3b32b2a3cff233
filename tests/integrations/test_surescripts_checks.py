"""Identifiers, check digits, code tables and ids of our own making."""

import uuid
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.surescripts import script_checks, script_codes
from integrations.surescripts.script_model import Schedule


def test_an_npi_needs_its_luhn_digit() -> None:
    assert script_checks.is_npi("1748293051")
    assert script_checks.is_npi("1638472906")
    assert not script_checks.is_npi("1748293052")
    assert not script_checks.is_npi("7148293051")
    for wrong in ("", "174829305", "17482930510", "174829305a", "１748293051"):
        assert not script_checks.is_npi(wrong)


@settings(deadline=None)
@given(st.integers(min_value=10**8, max_value=2 * 10**8 - 1))
def test_exactly_one_last_digit_makes_an_npi(first_nine: int) -> None:
    assert sum(script_checks.is_npi(f"{first_nine}{last}") for last in range(10)) == 1


def test_a_dea_number_needs_its_check_digit() -> None:
    assert script_checks.is_dea_number("BW4829151")
    for wrong in ("BW4829152", "bw4829151", "BW482915", "4BW829151", "", "BW48291511"):
        assert not script_checks.is_dea_number(wrong)


def test_network_ids_have_their_lengths() -> None:
    assert script_checks.is_spi("9912345678001")
    assert not script_checks.is_spi("991234567800")
    assert script_checks.is_ncpdp_id("0990001")
    assert not script_checks.is_ncpdp_id("990001")
    assert not script_checks.is_ncpdp_id("99９0001")


def test_message_ids_are_32_lower_hex_characters_and_never_repeat() -> None:
    ids = {script_checks.new_message_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in ids)


@settings(deadline=None)
@given(st.uuids())
def test_an_order_number_fits_the_wire_and_leads_back(request_id: uuid.UUID) -> None:
    number = script_checks.order_number(request_id)
    assert len(number) == 35
    assert script_checks.is_message_id(number)
    assert script_checks.prescription_id(number) == request_id


@pytest.mark.parametrize("number", ["", "RH-2026-000418-01", "RH-" + "g" * 32, "XX-" + "0" * 32, "RH-" + "0" * 33])
def test_someone_elses_order_number_leads_nowhere(number: str) -> None:
    assert script_checks.prescription_id(number) is None


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("tablet", "C48542"),
        ("Tablets", "C48542"),
        (" tab. ", "C48542"),
        ("capsule", "C48480"),
        ("CAPS", "C48480"),
        ("ml", "C28254"),
        ("mL.", "C28254"),
        ("grams", "C48155"),
        ("each", "C64933"),
        ("pen needles", "C120216"),
        ("c48542", "C48542"),
    ],
)
def test_a_charts_unit_word_finds_its_code(word: str, code: str) -> None:
    assert script_codes.unit_code(word) == code


@pytest.mark.parametrize("word", ["", "puff", "inhaler", "bottle", "box", "pen", "vial", "C38046", "unspecified", "mg"])
def test_a_word_that_does_not_say_how_it_is_counted_finds_none(word: str) -> None:
    assert script_codes.unit_code(word) is None


def test_every_unit_word_maps_into_the_table() -> None:
    assert set(script_codes.QUANTITY_UNITS.values()) <= set(script_codes.UNITS)
    assert "C38046" not in script_codes.UNITS


def test_refills_are_bounded_by_schedule() -> None:
    most = {schedule: script_checks.most_refills(schedule) for schedule in Schedule}
    assert most == {
        Schedule.I: 0,
        Schedule.II: 0,
        Schedule.III: 5,
        Schedule.IV: 5,
        Schedule.V: 99,
        Schedule.NOT_CONTROLLED: 99,
        Schedule.UNKNOWN: 0,
    }


@pytest.mark.parametrize(
    ("born_on", "on", "age"),
    [
        (date(2007, 11, 20), date(2026, 11, 19), 18),
        (date(2007, 11, 20), date(2026, 11, 20), 19),
        (date(2008, 2, 29), date(2027, 2, 28), 18),
        (date(2008, 2, 29), date(2027, 3, 1), 19),
    ],
)
def test_age_changes_on_the_birthday(born_on: date, on: date, age: int) -> None:
    assert script_checks.age_in_years(born_on=born_on, on=on) == age


def test_codes_are_told_in_words() -> None:
    words = script_codes.describe(code="900", description_codes=("1000", "9999"))
    assert words == "900 Transaction rejected; 1000 Unable to identify from the information sent; 9999 unknown code"


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("6152210147", "6152210147"),
        ("(615) 221-0147", "6152210147"),
        ("+1 615 221 0147", "6152210147"),
        ("1-615-221-0147", "6152210147"),
        ("26152210147", None),
        ("+44 6152210147", None),
        ("615221014", None),
        ("6152210147 x12", None),
        ("", None),
        ("615-CALL-NOW", None),
    ],
)
def test_a_telephone_number_is_ten_digits_however_it_is_marked(written: str, digits: str | None) -> None:
    assert script_checks.ten_digits(written) == digits


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("68180098001", "68180098001"),
        ("68180-0980-01", "68180098001"),
        ("0781-1077-01", "00781107701"),
        ("12345-678-90", "12345067890"),
        ("68180-0980-1", "68180098001"),
        ("6818009801", None),  # could be any of three codes
        ("681800980-1", None),
        ("abcde-fghi-jk", None),
        ("", None),
    ],
)
def test_a_drug_code_is_padded_only_where_its_hyphens_say_how(written: str, digits: str | None) -> None:
    assert script_checks.ndc11(written) == digits
