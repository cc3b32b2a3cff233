"""What is kept of each file, what is passed over, and that a reduction comes back as it was."""

from datetime import date

import pytest

from rules.rxnorm import reading, rows
from tests.rules.rxnorm import release


def norco() -> release.Files:
    """Hydrocodone with acetaminophen, as SCD and SBD."""
    made = release.Files()
    drug = made.concept("SCD", "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet", "856999")
    for ingredient, code in (("acetaminophen", "161"), ("hydrocodone", "5489")):
        part = made.concept("SCDC", f"{ingredient} 5 MG")
        made.relate(part, "has_ingredient", made.concept("IN", ingredient, code))
        made.relate(drug, "consists_of", part)
    branded = made.concept("SBD", "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet [Norco]", "857002")
    made.relate(drug, "has_tradename", branded)
    made.relate(branded, "has_ingredient", made.concept("BN", "Norco", "218986"))
    return made


def read(made: release.Files) -> tuple[reading.Concepts, reading.Relations, reading.Attributes]:
    concepts = reading.concepts(blocks=made.blocks("RXNCONSO.RRF"))
    relations = reading.relations(blocks=made.blocks("RXNREL.RRF"), known=concepts)
    return concepts, relations, reading.attributes(blocks=made.blocks("RXNSAT.RRF"), known=concepts)


def test_noise_changes_nothing() -> None:
    plain, noisy = norco(), norco()
    release.add_noise(noisy)
    was, now = read(plain), read(noisy)
    assert (was[0].kinds, was[0].names) == (now[0].kinds, now[0].names)
    assert was[1].pairs == now[1].pairs
    assert not now[2].ndc
    assert now[1].dangling == 0


def test_the_same_relations_are_found_whichever_direction_a_file_holds() -> None:
    both, one, other = norco(), norco(), norco()
    one.rel, other.rel = one.rel[::2], other.rel[1::2]
    pairs = [{link: set(zip(flat[::2], flat[1::2], strict=True)) for link, flat in read(made)[1].pairs.items()}
             for made in (both, one, other)]  # fmt: skip
    assert pairs[0] == pairs[1] == pairs[2]


def test_a_reduction_comes_back_as_it_was() -> None:
    made = norco()
    release.add_noise(made)
    made.attribute("856999", "NDC", "00406012301")
    made.attribute("857002", "DCSA", "CII", source="MTHSPL")
    concepts, relations, attributes = read(made)
    assert reading.unpack_concepts(data=concepts.pack()) == concepts
    assert reading.unpack_relations(data=relations.pack()) == relations
    assert reading.unpack_attributes(data=attributes.pack()) == attributes
    assert attributes.labels == {857002: "II"}


def test_reductions_cut_off_are_not_taken() -> None:
    with pytest.raises(ValueError, match="cut off"):
        reading.unpack_relations(data=read(norco())[1].pack()[:-9])


def test_a_part_that_is_not_there_leaves_its_whole_lacking() -> None:
    made = norco()
    made.relate("856999", "consists_of", "4711")
    relations = read(made)[1]
    assert relations.lacking == {856999}
    assert relations.dangling == 2
    assert relations.dangling_line == len(made.rel) - 1


def test_a_suppressed_part_leaves_its_whole_lacking_but_does_not_dangle() -> None:
    made = norco()
    made.conso.append(release.conso(code="4711", kind="SCDC", name="gone 1 MG", suppress="O"))
    made.relate("856999", "consists_of", "4711")
    relations = read(made)[1]
    assert (relations.lacking, relations.dangling) == ({856999}, 0)


def test_a_file_without_rxnorm_rows_is_refused() -> None:
    lines = release.conso(code="1", kind="BD", name="x", source="MMSL")
    with pytest.raises(rows.BadFile, match=r"RXNCONSO\.RRF: no drug of source RXNORM stands in it; take"):
        reading.concepts(blocks=[f"{lines}\n".encode()])


@pytest.mark.parametrize(
    ("written", "eleven"),
    [
        ("00406012301", "00406012301"),
        ("000406012301", "00406012301"),  # 12 digits, as some sources pad
        ("0406-0123-01", "00406012301"),
        ("50242-040-62", "50242004062"),
        ("12345-6789-1", "12345678901"),
        ("12345-0678-01", "12345067801"),
        ("0406012301", ""),  # ten plain digits: which part is short is not known
        ("100406012301", ""),
        ("00000000000", ""),
        ("0040601230X", ""),
        ("", ""),
    ],
)
def test_ndc_codes_are_read_where_they_have_one_reading(written: str, eleven: str) -> None:
    assert reading.eleven_digits(text=written) == eleven


def test_ndc_codes_of_no_product_or_no_reading_are_counted() -> None:
    made = norco()
    made.attribute("161", "NDC", "00406012301")
    made.attribute("856999", "NDC", "0406012301")
    made.attribute("856999", "NDC", "0406-0123-02")
    attributes = read(made)[2]
    assert (list(attributes.ndc), attributes.astray, attributes.unreadable) == ([406012302], 1, 1)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("RxNorm_full_prescribe_10062025.zip", date(2025, 10, 6)),
        ("RxNorm_full_11032025", date(2025, 11, 3)),
        ("RxNorm_weekly_prescribe_11122025.zip", date(2025, 11, 12)),
        ("Readme_Full_Prescribe_10062025.txt", date(2025, 10, 6)),
        ("RxNorm_full_current.zip", None),
        ("backup_10062025", None),
        ("RxNorm_full_13322025.zip", None),
    ],
)
def test_dates_are_read_from_names_of_nlms(name: str, day: date | None) -> None:
    assert reading.release_in_name(name=name) == day


def test_the_sources_file_tells_the_release() -> None:
    text = "\n".join(release.sources(mark="20AA_251006F"))
    assert reading.release_in_sources(text=text) == date(2025, 10, 6)
    assert reading.release_in_sources(text="") is None
