"""Facts as JSON and back: nothing lost, and a document that is none is refused by its path."""

import dataclasses
import pathlib
import re
from decimal import Decimal
from typing import Any

import pytest

from rules import facts as f
from rules import transcript
from rules.transcript import TranscriptError


def document(cast: Any) -> dict[str, Any]:
    known = cast.facts(
        fills=(f.Fill(cast.ago(80), 90, "pharmacy"),),
        labs=(f.Lab("potassium", Decimal("4.10"), "mmol/L", cast.ago(20)),),
        other_drugs=(cast.drug(),),
    )
    return transcript.to_document(facts=known)


def test_facts_come_back_as_they_were(cast: Any) -> None:
    plain = document(cast)
    assert transcript.to_document(facts=transcript.from_document(document=plain)) == plain


def test_a_field_that_is_left_out_is_unknown(cast: Any) -> None:
    plain = document(cast)
    del plain["visit"]
    assert transcript.from_document(document=plain).visit == f.Visit()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"colour": 1}, "facts.colour: unknown field"),
        ({"reading": []}, "facts.reading: must be an object"),
        ({"fills": {}}, "facts.fills: must be a list"),
        ({"fills": [{"on": "yesterday"}]}, "facts.fills[0].on: must be date"),
        ({"fills": [{"on": "2026-11-01", "days_supply": True}]}, "facts.fills[0].days_supply: must be int"),
        (
            {"labs": [{"key": "k", "value": 4.1, "unit": "u", "on": "2026-11-01"}]},
            "facts.labs[0].value: must be Decimal",
        ),
        ({"now": "2026-11-17T15:00:00"}, "facts.now: must be datetime"),
        ({"patient": {"status": "asleep"}}, "facts.patient.status: must be PatientStatus"),
        ({"other_drugs": [{"name": "a"}, {"name": 3}]}, "facts.other_drugs[1].name: must be str"),
    ],
)
def test_what_is_no_facts_is_refused_by_its_path(cast: Any, change: dict[str, Any], says: str) -> None:
    with pytest.raises(TranscriptError) as caught:
        transcript.from_document(document={**document(cast), **change})
    assert str(caught.value) == says


def test_a_fact_that_must_be_there_is_named(cast: Any) -> None:
    plain = document(cast)
    del plain["now"]
    with pytest.raises(TranscriptError, match="now"):
        transcript.from_document(document=plain)


def test_the_page_of_facts_names_every_field_and_no_other() -> None:
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "facts.md").read_text(encoding="utf-8")
    told: dict[str, list[str]] = {}
    for section in page.split("\n### ")[1:]:
        name, _, body = section.partition("\n")
        told[name] = re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)
    kinds = [one for one in vars(f).values() if isinstance(one, type) and dataclasses.is_dataclass(one)]
    assert told == {one.__name__: [field.name for field in dataclasses.fields(one)] for one in kinds}
