"""What a chart entry's name and code say, and whether they agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.intake import lexicon, normalise
from rules.intake.lexicon import Schedule

LEXICON = lexicon.load()


def identified(name: str = "", rxcui: str = "", ndc: str = "") -> normalise.Identified:
    return normalise.identify(name=name, rxcui=rxcui, ndc=ndc, lexicon=LEXICON)


@pytest.mark.parametrize(
    ("name", "rxcui"),
    [
        ("Lisinopril 10 mg oral tablet", "314076"),
        ("lisinopril 10mg tab", "314076"),
        ("Metoprolol succinate ER 50 mg tablet", "866436"),
        ("Metoprolol succinate 50 mg tablet", "866436"),
        ("Lipitor 20 mg tablet", "617318"),
        ("Atorvastatin 20 mg tablet", "617318"),
        ("Levothyroxine 50 mcg tablet", "966221"),
        ("Amlodipine besylate 5 mg tablet", "197361"),
        ("Gabapentin 300 mg capsule", "310431"),
        ("Insulin glargine 100 units/mL pen", "847230"),
    ],
)
def test_a_name_and_its_own_code_agree(name: str, rxcui: str) -> None:
    found = identified(name, rxcui)
    assert found.agree is True, (found.differs_in, found.not_compared)
    assert found.ingredients


@pytest.mark.parametrize(
    ("name", "rxcui", "part"),
    [
        ("Lisinopril 20 mg oral tablet", "314076", "strength"),
        ("Losartan 10 mg oral tablet", "314076", "ingredients"),
        ("Lisinopril 10 mg oral solution", "314076", "form"),
        ("Metoprolol tartrate 50 mg tablet", "866436", "form"),
        ("Metoprolol 50 mg tablet", "866436", "form"),
        ("Lisinopril-hydrochlorothiazide 10-12.5 mg tablet", "314076", "ingredients"),
        ("Levothyroxine 50 mg tablet", "966221", "strength"),
        ("Gabapentin 300 mg tablet", "310431", "form"),
    ],
)
def test_a_name_and_another_drugs_code_disagree(name: str, rxcui: str, part: str) -> None:
    found = identified(name, rxcui)
    assert found.agree is False
    assert part in found.differs_in


def test_a_silent_side_is_neither_agreement_nor_disagreement() -> None:
    assert identified("Lisinopril 10 mg oral tablet").agree is None
    assert identified("", "314076").agree is None
    assert identified("Lisinopril", "314076").agree is None
    assert identified("Lisinopril", "314076").not_compared == ("strength", "form")


def test_codes_that_name_two_drugs_disagree() -> None:
    found = identified("Lisinopril 10 mg oral tablet", "314076", "59050026800")
    assert found.agree is False
    assert "codes_ingredients" in found.differs_in


@pytest.mark.parametrize(
    ("name", "rxcui", "schedule"),
    [
        ("Lisinopril 10 mg oral tablet", "314076", Schedule.not_controlled),
        ("Oxycodone 5 mg tablet", "", Schedule.ii),
        ("Hydrocodone-acetaminophen 5-325 mg tablet", "", Schedule.ii),
        ("Alprazolam 0.5 mg tablet", "308048", Schedule.iv),
        ("Xanax 0.5 mg", "", Schedule.iv),
        ("Adipex-P 37.5 mg", "", Schedule.iv),
        ("Lyrica 75 mg capsule", "", Schedule.v),
        ("Concerta 36 mg tablet", "", Schedule.ii),
        ("Testosterone cypionate 200 mg/mL", "", Schedule.iii),
        ("Foozle 10 mg tablet", "", Schedule.unknown),
        ("", "", Schedule.unknown),
        ("Lisinopril Foozle 10 mg tablet", "", Schedule.unknown),
        ("Lisinopril 10 mg tablet", "99999999", Schedule.unknown),
        ("Lisinopril 10 mg tablet", "308048", Schedule.iv),
        ("water pill", "", Schedule.unknown),
    ],
)
def test_the_strictest_schedule_wins_and_the_unknown_is_unknown(name: str, rxcui: str, schedule: Schedule) -> None:
    assert identified(name, rxcui).schedule is schedule


def test_every_scheduled_ingredient_is_controlled_under_its_own_name() -> None:
    for ingredient, schedule in LEXICON.schedules.items():
        assert schedule not in (Schedule.not_controlled, Schedule.unknown)
        assert identified(f"{ingredient} 10 mg tablet").schedule is not Schedule.not_controlled, ingredient


def test_every_product_of_a_scheduled_ingredient_is_controlled() -> None:
    for rxcui in LEXICON.products:
        product = LEXICON.product(rxcui=str(rxcui))
        assert product is not None
        if any(one in LEXICON.schedules for one in product.ingredients):
            assert identified("", str(rxcui)).schedule is not Schedule.not_controlled, product


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0002-7597-01", "00002759701"),
        ("50580-449-01", "50580044901"),
        ("50580-4490-1", "50580449001"),
        ("50580-0449-01", "50580044901"),
        ("50580044901", "50580044901"),
        ("5058044901", ""),
        ("00000000000", ""),
        ("abc", ""),
        ("", ""),
        ("12-34-56", ""),
        ("\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669\u0660\u0661", ""),
    ],
)
def test_an_ndc_is_padded_only_where_its_parts_are_known(text: str, expected: str) -> None:
    assert normalise.ndc11(text=text) == expected


def test_ten_plain_digits_give_three_candidates() -> None:
    assert len(normalise.ndc11_choices(text="5058044901")) == 3


def test_an_ndc_finds_its_product() -> None:
    assert identified("", "", "59050-0268-00").ingredients == ("hydrogen peroxide",)


def test_the_qualifier_is_the_networks_word() -> None:
    assert identified("", "314076").qualifier == "SCD"
    assert identified("", "617318").qualifier == "SBD"
    assert identified("", "617318").scd_name == "atorvastatin 20 MG Oral Tablet"
    assert identified("", "2272621").qualifier == "GPK"


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=200), st.text(max_size=12), st.text(max_size=14))
def test_no_entry_raises(name: str, rxcui: str, ndc: str) -> None:
    identified(name, rxcui, ndc)
