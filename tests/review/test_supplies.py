"""Ingredient sets compared by words: another strength is the same drug, a longer set is not a shorter one."""

import pytest

from review import supplies


@pytest.mark.parametrize(
    ("name", "key", "same"),
    [
        ("Omeprazole 40 MG Delayed Release Oral Capsule", "omeprazole", True),
        ("OMEPRAZOLE", "omeprazole", True),
        ("Esomeprazole 20 mg", "omeprazole", False),
        ("Lisinopril 10 mg / Hydrochlorothiazide 12.5 mg", "hydrochlorothiazide+lisinopril", True),
        ("Lisinopril 10 mg", "hydrochlorothiazide+lisinopril", False),
        ("", "omeprazole", False),
        ("omeprazole", "", False),
        ("", "", False),
    ],
)
def test_the_same_drug(name, key, same):
    assert supplies.is_same_drug(name=name, ingredient_key=key) is same


def test_a_key_is_the_same_in_any_order_and_empty_when_nothing_is_known():
    assert supplies.ingredient_key(("b", "a")) == supplies.ingredient_key(("a", "b")) == "a+b"
    assert supplies.ingredient_key(()) == ""
