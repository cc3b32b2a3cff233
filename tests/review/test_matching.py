"""One list entry as the rules and a NewRx need it: what contradicts itself or cannot be read stays so."""

from decimal import Decimal

import pytest

from review import matching
from rules import facts as f
from tests.review import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.make_practice()


def match(practice, **values):
    return matching.match(medication=rows.make_medication(practice, **values), practice=practice, providers={})


def test_a_plain_entry(practice):
    got = match(practice)
    assert (got.ingredient_key, got.rxcui, got.days_supply, got.drug.schedule) == (
        "omeprazole",
        "198051",
        90,
        f.Schedule.not_controlled,
    )
    assert got.drug_key.startswith("omeprazole|20")
    assert got.prescriber is None


def test_name_and_code_of_two_drugs_are_kept_apart(practice):
    got = match(practice, rxcui="314076")
    assert got.entry.as_named.ingredients != got.entry.as_coded.ingredients


def test_name_and_code_of_two_strengths_are_kept_apart(practice):
    got = match(practice, name="Omeprazole 40 mg delayed release oral capsule")
    named, coded = got.entry.as_named, got.entry.as_coded
    assert (named.strength, named.form) != (coded.strength, coded.form)


@pytest.mark.parametrize(
    "values",
    [
        {"name": "Zolpidem tartrate 5 mg oral tablet", "rxcui": ""},
        {"name": "Zolpidem tartrate 5 mg oral tablet", "rxcui": "198051"},
    ],
)
def test_one_side_controlled_is_never_surely_uncontrolled(practice, values):
    assert match(practice, **values).drug.schedule is not f.Schedule.not_controlled


@pytest.mark.parametrize("values", [{"name": "", "rxcui": ""}, {"name": "the pink ones", "rxcui": "0"}])
def test_what_cannot_be_read_is_unknown(practice, values):
    got = match(practice, **values)
    assert (got.drug.schedule, got.ingredient_key, got.drug.ingredients) == (f.Schedule.unknown, "", ())


@pytest.mark.parametrize(
    ("values", "days"),
    [
        ({"sig": "Take 2 capsules by mouth twice daily", "dispense_quantity": Decimal(120)}, 30),
        ({"sig": "Take 1 capsule by mouth once daily as needed"}, None),
        ({"sig": "Take as directed"}, None),
        ({"dispense_quantity": None}, None),
        ({"dispense_quantity": Decimal(100), "sig": "Take 3 capsules by mouth once daily"}, None),
        ({"sig": "", "dosage_quantity": "1", "frequency": "once daily"}, 90),
    ],
)
def test_days_are_known_only_when_exact(practice, values, days):
    assert match(practice, **values).days_supply == days


def test_the_prescriber_is_of_this_practices_own_map_only(practice):
    provider = rows.make_provider(practice)
    medication = rows.make_medication(practice)
    ours = matching.match(medication=medication, practice=practice, providers={"302118": provider})
    assert ours.prescriber == provider
