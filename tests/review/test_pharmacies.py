"""Which pharmacy the patient means: exactly one, or none; never another stage's, never a substitute."""

import pytest

from review import pharmacies
from rules.intake.reading import PharmacyMention, Span
from tests.review import rows

pytestmark = pytest.mark.django_db


def mention(name, place="", words=""):
    return PharmacyMention(span=Span(0, 0, 1), words=words or f"{name} {place}", name=name, place=place)


def named(*mentions, default=None):
    found = pharmacies.named(mentions=mentions, stage="dev", default=default)
    return found.ncpdp_id if found else None


@pytest.fixture
def directory():
    return {
        number: rows.make_pharmacy(number, name=name, address_line_1=street, npi="1234567893")
        for number, name, street in (
            ("9990001", "Oak Street Pharmacy", "412 Oak Street"),
            ("9990002", "CVS Pharmacy", "10 Main Street"),
            ("9990003", "CVS Pharmacy", "99 Elm Avenue"),
            ("9990004", "Walgreen's", "5 Main Street"),
        )
    }


def test_name_and_street_tell_one(directory):
    assert named(mention("CVS", "Main")) == "9990002"
    assert named(mention("cvs pharmacy", "elm avenue")) == "9990003"
    assert named(mention("Walgreens", "Main")) == "9990004"


def test_two_that_fit_are_none(directory):
    assert named(mention("CVS")) is None


def test_two_mentions_are_none(directory):
    assert named(mention("CVS", "Main"), mention("CVS", "Elm")) is None


def test_nothing_telling_said_is_none(directory):
    assert named(mention("the pharmacy", "on the street")) is None
    assert named() is None


def test_the_default_wins_where_it_fits_and_only_there(directory):
    assert named(mention("CVS"), default=directory["9990003"]) == "9990003"
    assert named(mention("CVS", "Main"), default=directory["9990003"]) == "9990002"


def test_a_pharmacy_not_active_or_of_another_stage_is_none(directory):
    row = directory["9990002"]
    row.directory_state = "missing"
    row.save()
    assert named(mention("CVS", "Main")) is None
    row.directory_state, row.stage = "active", "production"
    row.save()
    assert named(mention("CVS", "Main")) is None


def test_exactly_one_means_one_of_all_not_of_the_first_fifty():
    for number in range(60):
        rows.make_pharmacy(f"998{number:04d}", name="Rite Aid", address_line_1=f"{number} Main Street")
    rows.make_pharmacy("9980990", name="CVS", address_line_1="1 Main Street")
    rows.make_pharmacy("9980991", name="CVS", address_line_1="2 Main Street")
    assert named(mention("CVS", "Main")) is None


def test_by_ncpdp_keeps_to_its_stage(directory):
    assert set(pharmacies.by_ncpdp(stage="dev", ncpdp_ids=["9990001", "", "1"])) == {"9990001"}
    assert pharmacies.by_ncpdp(stage="production", ncpdp_ids=["9990001"]) == {}
    assert pharmacies.by_ncpdp(stage="dev", ncpdp_ids=[""]) == {}
