"""DEA marks of products: the strictest ingredient, and the exceptions of 21 CFR 1308."""

import pytest

from rules.intake import tables
from rules.rxnorm import schedules

TABLE = {name: mark for name, mark, _ in tables.rows(text=tables.shipped().dea)}


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("acetaminophen 300 MG / codeine phosphate 30 MG Oral Tablet", "III"),
        ("acetaminophen 24 MG/ML / codeine phosphate 2 MG/ML Oral Solution", "III"),
        ("codeine phosphate 2 MG/ML / guaifenesin 20 MG/ML Oral Solution", "V"),
        ("codeine phosphate 2.1 MG/ML / guaifenesin 20 MG/ML Oral Solution", "III"),
        ("codeine phosphate 20 MG/ML / guaifenesin 20 MG/ML Oral Solution", "II"),
        ("codeine phosphate 120 MG / guaifenesin 20 MG Oral Tablet", "II"),
        ("codeine sulfate 30 MG Oral Tablet", "II"),
        ("codeine phosphate 2 MG/ML Oral Solution", "II"),  # nothing beside it: no exception
        ("codeine phosphate / guaifenesin Oral Solution", "II"),  # no amount said
        ("codeine phosphate 10 MG / hydrocodone 5 MG Oral Tablet", "II"),
        ("aspirin 325 MG / carisoprodol 200 MG / codeine phosphate 16 MG Oral Tablet", "III"),
        ("acetaminophen 325 MG / caffeine 30 MG / dihydrocodeine bitartrate 16 MG Oral Tablet", "III"),
        ("atropine sulfate 0.025 MG / diphenoxylate hydrochloride 2.5 MG Oral Tablet", "V"),
        ("atropine sulfate 0.005 MG/ML / diphenoxylate hydrochloride 0.5 MG/ML Oral Solution", "V"),
        ("atropine sulfate 0.025 MG / diphenoxylate hydrochloride 5 MG Oral Tablet", "II"),
        ("diphenoxylate hydrochloride 2.5 MG Oral Tablet", "II"),
        ("dronabinol 5 MG Oral Capsule", "III"),
        ("dronabinol 5 MG/ML Oral Solution", "II"),
        ("acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet", "II"),
        ("lisinopril 10 MG Oral Tablet", ""),
    ],
)
def test_a_product_has_the_mark_of_the_regulation(name: str, mark: str) -> None:
    ingredients = [part.split()[0] for part in name.split(" / ")]
    assert schedules.of_product(name=name, ingredients=ingredients, table=TABLE) == mark


def test_every_shipped_mark_comes_out_the_same_or_stricter() -> None:
    rows = [row for row in tables.rows(text=tables.shipped().products) if row[1] == "SCD"]
    found = {
        row[0]: (row[5], schedules.of_product(name=row[2], ingredients=row[3].split("|"), table=TABLE)) for row in rows
    }
    other = {code: marks for code, marks in found.items() if marks[0] != marks[1]}
    assert all(schedules.strictest(marks=marks) == marks[1] for marks in other.values())
    assert len(other) == 11  # chorionic gonadotropin, propoxyphene, and dronabinol as a solution


@pytest.mark.parametrize(
    ("label", "mark"),
    [("CII", "II"), ("CIV", "IV"), ("CV", "V"), ("CIII", "III"), ("CI", "II"), ("C-IV", "IV"), ("none", ""), ("", "")],
)
def test_labels_are_read(label: str, mark: str) -> None:
    assert schedules.of_label(text=label) == mark
