"""The directory swap: one full list at a time; what is gone is missing, never deleted and never replaced."""

from datetime import timedelta

import pytest

from integrations.models import PharmacyEntry
from integrations.surescripts.directory_rows import PharmacyRow
from integrations.surescripts.script_model import Address
from review import directory
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


def row(number, *, name="Oak Street Pharmacy", levels=("NEW", "CANCEL"), until=None, street="412 Oak Street"):
    return PharmacyRow(
        ncpdp_id=number,
        npi="1234567893",
        name=name,
        address=Address(line1=street, city="Nashville", state="TN", postal_code="37211"),
        phone="6152219800",
        fax="6152219801",
        active_from=None,
        active_until=until,
        service_levels=frozenset(levels),
    )


def load(*found, now=NOW, stage="dev"):
    directory.load(stage=stage, found=found, now=now)
    return {one.ncpdp_id: one for one in PharmacyEntry.objects.filter(stage=stage)}


def test_a_first_list_is_sendable_where_it_takes_new_prescriptions():
    found = load(row("9990001"), row("9990002", levels=("CANCEL",)))
    assert found["9990001"].service_levels == ["Cancel", "New"]
    assert found["9990001"].is_sendable(NOW)
    assert not found["9990002"].is_sendable(NOW)


def test_what_is_not_listed_any_more_is_missing_and_comes_back_when_listed():
    load(row("9990001"), row("9990002"))
    found = load(row("9990002"))
    assert found["9990001"].directory_state == "missing"
    assert not found["9990001"].is_sendable(NOW)
    assert load(row("9990001"), row("9990002"))["9990001"].is_sendable(NOW)


def test_a_moved_pharmacy_is_marked_and_an_unchanged_one_is_not():
    load(row("9990001"), row("9990002"))
    found = load(row("9990001", street="1 New Road"), row("9990002"), now=NOW + timedelta(days=7))
    assert (found["9990001"].directory_state, found["9990001"].address_line_1) == ("changed", "1 New Road")
    assert found["9990002"].directory_state == "active"


def test_the_end_of_the_active_period_is_the_end():
    assert load(row("9990001", until=NOW))["9990001"].directory_state == "inactive"
    assert load(row("9990001", until=NOW + timedelta(seconds=1)))["9990001"].is_sendable(NOW)


def test_one_stage_never_touches_another():
    load(row("9990001"))
    load(row("9990002"), stage="production")
    assert load(row("9990001"))["9990001"].directory_state == "active"
    assert PharmacyEntry.objects.get(stage="production").directory_state == "active"


def test_half_a_list_is_never_seen(monkeypatch):
    """A failure in the middle leaves the list as it was."""
    load(row("9990001", name="Old name"))

    def broken(**values):
        raise RuntimeError("gone")

    monkeypatch.setattr(type(PharmacyEntry.objects.filter()), "update", lambda self, **values: broken())
    with pytest.raises(RuntimeError):
        directory.load(stage="dev", found=[row("9990002")], now=NOW)
    assert not PharmacyEntry.objects.filter(ncpdp_id="9990002").exists()


def test_a_torn_list_is_not_loaded():
    load(*(row(f"99{number:05d}") for number in range(30)))
    assert directory.is_shrunk(stage="dev", count=14)
    assert not directory.is_shrunk(stage="dev", count=15)
    assert not directory.is_shrunk(stage="other", count=0)
