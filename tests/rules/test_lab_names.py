"""The practice's own names of tests in a rule document: read strictly, refused by their place."""

from typing import Any

import pytest

from rules import documents, labs
from rules.policy import PolicyError


def test_own_names_come_back_from_a_document() -> None:
    rows = [{"title": "K Serum", "key": "potassium", "unit": "mEq/L"}]
    found = documents.check(document={"lab_names": rows}).lab_names
    assert labs.to_document(names=found) == rows
    assert labs.aliases_of(names=found) == {"k serum": labs.Alias("potassium", "mEq/L")}


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ({}, "lab_names"),
        ([{"title": "K"}], "lab_names[0].key"),
        ([{"title": "", "key": "potassium"}], "lab_names[0].title"),
        ([{"title": "--", "key": "potassium"}], "lab_names[0].title"),
        ([{"title": "K", "key": "moon"}], "lab_names[0].key"),
        ([{"title": "K", "key": "potassium", "unit": "lb"}], "lab_names[0].unit"),
        ([{"title": "K", "key": "potassium"}, {"title": " k", "key": "sodium"}], "lab_names[1].title"),
        ([{"title": "K", "key": "potassium", "colour": 1}], "lab_names[0]"),
    ],
)
def test_a_wrong_name_is_refused_by_its_place(rows: Any, place: str) -> None:
    with pytest.raises(PolicyError) as caught:
        documents.check(document={"lab_names": rows})
    assert caught.value.field == place
