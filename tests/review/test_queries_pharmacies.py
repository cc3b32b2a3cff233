"""The directory for people: found by any words, stale ones with their patients and a likely successor."""

import importlib
from datetime import timedelta

import pytest
from django.urls import reverse

from review import pharmacies, queries_pharmacies
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return importlib.import_module("tests.review.scene").set_up()


def found(text):
    return [row.ncpdp_id for row, _ in queries_pharmacies.search(stage="dev", text=text, now=NOW)]


def test_any_words_of_name_street_city_or_zip_find_it():
    rows.make_pharmacy("9990001")
    rows.make_pharmacy("9990002", name="Birch Lane Pharmacy", address_line_1="7 Birch Lane", zip_code="37203")
    assert found("oak") == ["9990001"]
    assert found("birch 37203") == ["9990002"]
    assert found("nashville") == ["9990002", "9990001"]
    assert found("9990001") == ["9990001"]
    assert found("oak birch") == []
    assert found("  ") == []


def test_a_pharmacy_that_ended_is_shown_as_not_to_be_sent_to():
    rows.make_pharmacy("9990004", active_until=NOW - timedelta(days=1))
    ((_, is_sendable),) = queries_pharmacies.search(stage="dev", text="oak", now=NOW)
    assert not is_sendable


def test_patients_of_a_pharmacy_that_is_gone_are_listed_with_a_successor(scene):
    make = importlib.import_module("tests.review.scene")
    own = {"address_line_1": "9 Own Place", "phone": "6152210033", "npi": "1999999984"}
    old = rows.make_pharmacy("9990003", **own)
    rows.make_pharmacy("9990021", name="Own Place Drugs", address_line_1="9 Own Place", phone="6152210000")
    rows.make_pharmacy("9990022", name="Far Away", address_line_1="1 Far Rd", phone="6152210001", npi="1111111111")
    waits = make.waiting(scene, pharmacy_ncpdp="9990003")
    make.waiting(scene, first="Ruth", last="Feld", pharmacy_ncpdp="9990022")
    make.waiting(scene, practice=scene.other, pharmacy_ncpdp="9990003")
    assert queries_pharmacies.stale(practice=scene.practice, now=NOW) == []
    pharmacies.doubt(stage="dev", ncpdp_id="9990003", now=NOW)
    (told,) = queries_pharmacies.stale(practice=scene.practice, now=NOW)
    assert told.ncpdp_id == old.ncpdp_id
    assert [(who.request.id, who.name, who.is_open) for who in told.patients] == [(waits.id, "Ana Reyes", True)]
    assert [one.ncpdp_id for one in told.successors] == ["9990021"]


def test_the_page_shows_them_to_those_who_work_items(scene):
    make = importlib.import_module("tests.review.scene")
    make.waiting(scene, pharmacy_ncpdp="9990077")
    page = scene.client("mia").get(reverse("review:pharmacies") + "?find=oak").content.decode()
    assert "not in the directory" in page
    assert "Ana Reyes" in page
    assert "Oak Street Pharmacy" in page or "No pharmacy has all" in page
