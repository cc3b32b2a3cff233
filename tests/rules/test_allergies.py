"""Allergies that name a class: the class is known, what is no drug is nothing, all else stays unknown."""

import pytest

from rules import allergies, protocols


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("ACE inhibitors", {"acei_arb"}),
        ("Allergic to ACE-I", {"acei_arb"}),
        ("STATINS", {"statin"}),
        ("nsaids", {"muscle_nsaid"}),
        ("PPIs", {"ppi_h2"}),
        ("Beta-blockers", {"beta_blocker"}),
        ("Tape", set()),
        ("IV contrast", set()),
    ],
)
def test_a_class_is_named(text: str, reached: set[str]) -> None:
    assert allergies.named_class(text=text) == reached


def test_sulfa_reaches_every_class_with_the_group() -> None:
    found = allergies.named_class(text="Sulfa drugs")
    assert found is not None
    assert {"thiazide", "loop", "sulfonylurea", "celecoxib", "sulfamethoxazole"} <= found


def test_penicillin_reaches_its_drugs() -> None:
    found = allergies.named_class(text="Penicillins")
    assert found is not None
    assert {"amoxicillin", "penicillin v"} <= found


@pytest.mark.parametrize("text", ["", "that pink pill", "statin-like", "ACE inhibitors and something", "drug"])
def test_other_words_name_no_class(text: str) -> None:
    assert allergies.named_class(text=text) is None


def test_class_words_lead_to_classes_of_the_table_or_ingredients() -> None:
    reached = set().union(*allergies._WORDS.values())
    keys = {one for one in reached if "_" in one or one in protocols.load().by_key}
    assert {one for one in keys if "_" in one} <= set(protocols.load().by_key)


@pytest.mark.parametrize(
    ("listed", "barred"),
    [((), False), (("omeprazole",), True), (("ppi_h2",), True), (("pantoprazole",), True), (("lisinopril",), False),
     ((" Omeprazole ",), True), (None, True)],
)  # fmt: skip
def test_the_guard_takes_ingredient_class_and_sister_drugs(cast, listed, barred) -> None:  # type: ignore[no-untyped-def]
    codes = {one.code for one in cast.decide(cast.facts(allergies=listed)).findings}
    assert bool(codes & {"allergy", "allergies_unknown"}) is barred
