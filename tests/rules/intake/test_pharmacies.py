"""Pharmacies with their places, as patients write them."""

from __future__ import annotations

import pytest

from rules.intake import pharmacies


@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        ("refill? cvs on main", "cvs", "main"),
        ("to the walgreens in kill devil hills, milepost 7", "walgreens", "kill devil hills"),
        ("need it at tombstone drug on fremont st. chuck", "tombstone drug", "fremont st"),
        ("heart of texas pharmacy. thanks", "heart of texas pharmacy", ""),
        ("a la farmacia sagrado corazon? gracias", "farmacia sagrado corazon", ""),
        ("piggly wiggly pharmacy in town", "piggly wiggly pharmacy", "town"),
        ("publix #0442?", "publix #0442", ""),
        ("walmart on 41", "walmart", ""),  # a number alone may be the strength that is asked for
        ("costco on rockville pike? no need", "costco", "rockville pike"),
    ],
)
def test_a_pharmacy_is_found_with_its_place(text: str, name: str, place: str) -> None:
    found = pharmacies.find(text=text)
    assert [(one.name, one.place) for one in found] == [(name, place)]


@pytest.mark.parametrize("text", ["my pharmacy told me", "la farmacia dice que no quedan", "any pharmacy is fine"])
def test_a_pharmacy_that_is_not_named_is_none(text: str) -> None:
    assert not pharmacies.find(text=text)


def test_a_place_ends_before_a_drug() -> None:
    (found,) = pharmacies.find(text="send to cvs on main lisinopril please", known_drugs={"lisinopril"})
    assert found.place == "main"


def test_a_store_that_only_tells_the_place_is_not_a_second_pharmacy() -> None:
    assert len(pharmacies.find(text="walgreens by the target please")) == 1
