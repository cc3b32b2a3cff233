"""A release joined is the vocabulary it was made of; what is not surely known is unknown, never harmless."""

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.intake import lexicon, normalise, tables
from rules.intake.lexicon import Schedule
from rules.intake.tables import Tables
from rules.rxnorm import joining, ndc, reading, schedules
from tests.rules.rxnorm import release
from tests.rules.rxnorm.test_reading import norco

SHIPPED = tables.shipped()
ALL = sorted(row[0] for row in tables.rows(text=SHIPPED.products))
NO_NDC = dataclasses.replace(SHIPPED, ndc=ndc.pack(codes={}))  # unpacking 222,000 of them is the full test's matter


def join(made: release.Files, *, shipped: Tables = SHIPPED) -> joining.Joined:
    concepts = reading.concepts(blocks=made.blocks("RXNCONSO.RRF"))
    return joining.join(
        concepts=concepts,
        relations=reading.relations(blocks=made.blocks("RXNREL.RRF"), known=concepts),
        attributes=reading.attributes(blocks=made.blocks("RXNSAT.RRF"), known=concepts),
        release="2025-11-03",
        shipped=shipped,
    )


def by_code(text: str, column: int) -> dict[str, list[str]]:
    return {row[column]: row for row in tables.rows(text=text) if row[column]}


def members(cell: str) -> set[str]:
    return set(cell.split("|"))


def assert_same(*, old: Tables, new: Tables, made: release.Files) -> None:
    """Names, ingredients, products and NDC codes of everything the release holds with a code of NLM's."""
    held = set(made.codes.values())
    before, after = by_code(old.products, 0), by_code(new.products, 0)
    assert set(after) == set(before) & held
    for code, now in after.items():
        was = before[code]
        assert (now[1], now[2], members(now[4])) == (was[1], was[2], members(was[4]))
        assert schedules.strictest(marks=(was[5], now[5])) == now[5]
        extra = members(now[3]) - members(was[3])
        assert members(was[3]) <= members(now[3])
        # Some shipped packs lack a content their own name lists: they must not pass for whole.
        assert not extra or (was[1] in ("GPCK", "BPCK") and extra == {f"unknown ingredient of {code}"})
    names, named = by_code(old.names, 2), by_code(new.names, 2)
    for code in set(names) & held:
        was, now = names[code], named[code]
        assert now[:2] == was[:2]
        if was[0] != "BN":
            assert members(now[3]) == members(was[3])
    codes = ndc.unpack(data=old.ndc)
    assert ndc.unpack(data=new.ndc) == {one: code for one, code in codes.items() if str(code) in after}


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_any_slice_of_the_shipped_vocabulary_comes_back(seed: int) -> None:
    wanted = release.slice_of(source=SHIPPED, wanted=random.Random(seed).sample(ALL, 200))
    made = release.of_tables(source=NO_NDC, products=wanted)
    release.add_noise(made)
    assert_same(old=NO_NDC, new=join(made).tables, made=made)


@pytest.mark.slow
def test_the_whole_shipped_vocabulary_comes_back() -> None:
    made = release.of_tables(source=SHIPPED)
    release.add_noise(made)
    joined = join(made)
    assert_same(old=SHIPPED, new=joined.tables, made=made)
    assert set(by_code(joined.tables.products, 0)) == set(ALL)
    old, new = lexicon.build(source=SHIPPED), lexicon.build(source=joined.tables)
    assert old.names.keys() == new.names.keys()
    assert old.known_ingredients == new.known_ingredients
    sets = {key: set(name.ingredient_sets) for key, name in new.names.items()}
    poorer = [key for key, name in old.names.items() if not set(name.ingredient_sets) & sets[key]]
    assert not poorer
    assert not [row for row in tables.rows(text=joined.tables.names) if row[1] == "alprazolam" and not row[2]]


def test_hand_kept_tables_are_the_shipped_ones() -> None:
    new = join(norco()).tables
    assert (new.dea, new.lay_names, new.look_alikes) == (SHIPPED.dea, SHIPPED.lay_names, SHIPPED.look_alikes)


def test_an_ingredient_the_release_lacks_stays_known_by_name_and_a_blank_code_is_filled() -> None:
    names = {(row[0], row[1]): row[2] for row in tables.rows(text=join(norco()).tables.names)}
    assert names["IN", "lisinopril"] == ""
    assert names["IN", "acetaminophen"] == "161"  # shipped without a code
    assert names["IN", "hydrocodone"] == "5489"
    assert ("BN", "Zestril") not in names  # a brand whose code is gone is gone
    assert names["BN", "Norvasc"] == ""  # one that never had a code stays, as amlodipine does


def test_an_ingredient_spelt_otherwise_keeps_the_spelling_the_hand_kept_tables_know() -> None:
    made = norco()
    made.conso = [line.replace("|hydrocodone|", "|Hydrocodone|") for line in made.conso]
    new = join(made)
    assert by_code(new.tables.products, 0)["856999"][3:] == ["acetaminophen|hydrocodone", "", "II"]


def spoilt(without: str) -> joining.Joined:
    made = norco()
    made.rel = [line for line in made.rel if without not in line]
    return join(made)


def test_a_product_that_lost_a_component_has_an_unknown_schedule() -> None:
    made = norco()
    part = made.codes["SCDC", "hydrocodone 5 MG"]
    made.rel = [line for line in made.rel if not (f"{part}||" in line and "856999||" in line)]
    joined = join(made)
    assert joined.partial == (856999,)
    found = lexicon.build(source=joined.tables)
    for code in ("856999", "857002"):
        said = normalise.identify(name="", rxcui=code, lexicon=found)
        assert said.schedule is Schedule.unknown
        assert "acetaminophen" in said.ingredients  # what is known is shown
        assert len(said.ingredients) == 2


def test_a_product_whose_component_has_no_ingredient_has_an_unknown_schedule() -> None:
    made = norco()
    code = made.codes["IN", "hydrocodone"]
    made.conso = [line for line in made.conso if not line.startswith(f"{code}|")]
    joined = join(made)
    said = normalise.identify(name="", rxcui="856999", lexicon=lexicon.build(source=joined.tables))
    assert said.schedule is Schedule.unknown


def test_a_product_without_any_ingredient_has_an_unknown_schedule() -> None:
    made = release.Files()
    made.concept("SCD", "mystery 1 MG Oral Tablet", "123456")
    joined = join(made)
    assert joined.bare == (123456,)
    said = normalise.identify(name="", rxcui="123456", lexicon=lexicon.build(source=joined.tables))
    assert said.schedule is Schedule.unknown


def test_a_form_alone_may_vouch_for_a_drug() -> None:
    made = release.Files()
    drug = made.concept("SCD", "lisinopril 10 MG Oral Tablet", "314076")
    form = made.concept("SCDF", "lisinopril Oral Tablet")
    made.relate(form, "has_ingredient", made.concept("IN", "lisinopril", "29046"))
    made.relate(drug, "isa", form)
    joined = join(made)
    assert not joined.partial
    assert by_code(joined.tables.products, 0)["314076"][3] == "lisinopril"


@pytest.mark.parametrize("labelled", ["314076", "104377"])
def test_a_label_makes_a_product_stricter(labelled: str) -> None:
    made = release.Files()
    drug = made.concept("SCD", "lisinopril 10 MG Oral Tablet", "314076")
    part = made.concept("SCDC", "lisinopril 10 MG")
    made.relate(part, "has_ingredient", made.concept("IN", "lisinopril", "29046"))
    made.relate(drug, "consists_of", part)
    made.relate(drug, "has_tradename", made.concept("SBD", "lisinopril 10 MG Oral Tablet [Zestril]", "104377"))
    made.attribute(labelled, "DCSA", "CIV", source="MTHSPL")
    joined = join(made)
    products = by_code(joined.tables.products, 0)
    assert (products["314076"][5], products["104377"][5]) == ("IV", "IV")
    assert joined.labelled == (314076,)


def test_a_label_never_makes_a_product_laxer() -> None:
    made = norco()
    made.attribute("856999", "DCSA", "CV", source="MTHSPL")
    assert by_code(join(made).tables.products, 0)["856999"][5] == "II"


def test_an_ndc_of_two_products_is_left_out() -> None:
    made = norco()
    made.attribute("856999", "NDC", "00406012301")
    made.attribute("857002", "NDC", "0406-0123-01")
    made.attribute("857002", "NDC", "00406012302")
    joined = join(made)
    assert ndc.unpack(data=joined.tables.ndc) == {406012302: 857002}
    assert joined.left_out["ndc_of_two_drugs"] == 1


def test_a_branded_drug_without_its_clinical_drug_is_left_out() -> None:
    joined = spoilt("tradename")
    assert joined.homeless == (857002,)
    assert "857002" not in by_code(joined.tables.products, 0)
    lexicon.build(source=joined.tables)


def test_a_brand_of_several_formulas_never_gets_a_set_no_product_has() -> None:
    made = norco()
    other = made.concept("SCD", "ibuprofen 200 MG Oral Tablet", "310965")
    part = made.concept("SCDC", "ibuprofen 200 MG")
    made.relate(part, "has_ingredient", made.concept("IN", "ibuprofen", "5640"))
    made.relate(other, "consists_of", part)
    branded = made.concept("SBD", "ibuprofen 200 MG Oral Tablet [Norco]", "999001")
    made.relate(other, "has_tradename", branded)
    brand = made.codes["BN", "Norco"]
    made.relate(branded, "has_ingredient", brand)
    for name in ("acetaminophen", "hydrocodone", "ibuprofen"):
        made.relate(made.codes["IN", name], "has_tradename", brand)
    new = join(made).tables
    assert by_code(new.names, 2)["218986"][4] == "multi"
    found = lexicon.build(source=new).names["norco"]
    assert set(found.ingredient_sets) == {("acetaminophen", "hydrocodone"), ("ibuprofen",)}
