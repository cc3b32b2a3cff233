"""The protocol table says what the protocol document says, figure by figure (kept in our own form beside the tests)."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from rules import protocols, units
from rules.protocols import Protocol

FIGURES = Path(__file__).parent.parent / "fixtures" / "rules" / "protocol_figures.tsv"
TABLE = protocols.load()
# What we judge beyond the document's own columns: an exclusion of its text made a test.
OURS = {("bph", "sbp", "mirabegron"), ("bph", "dbp", "mirabegron")}
CONDITIONS = {
    "always": ((), ()),
    "baseline or last on file": ((), ()),
    "diabetes indication": ((), ()),
    "if on file": ((), ()),
    "not linagliptin": ((), ("linagliptin",)),
    "pioglitazone": (("pioglitazone",), ()),
    "fenofibrate": (("fenofibrate",), ()),
    "potassium chloride": (("potassium chloride",), ()),
    "ergocalciferol": (("ergocalciferol",), ()),
    "drospirenone with ACE/ARB/MRA": (("drospirenone",), ()),
}
"""`when` of the document -> drugs it is asked of, drugs it is not asked of. Where no fact of ours tells (indication,
baseline) it is always asked: stricter."""


def lines(prefix: str = "") -> Iterator[list[str]]:
    for line in FIGURES.read_text().splitlines():
        if not line.startswith("#") and line.startswith("loinc:") is bool(prefix):
            yield line.split("\t")


CLASSES = {row[0]: row[1:] for row in lines()}


def test_every_class_of_the_document_is_there_and_no_other() -> None:
    assert set(TABLE.by_key) == set(CLASSES)
    assert len(CLASSES) == 41


@pytest.mark.parametrize("key", sorted(CLASSES))
def test_limits_are_the_documents(key: str) -> None:
    row, visit = TABLE.by_key[key], CLASSES[key]
    ages = f"{row.min_age_years}..{'' if row.max_age_years is None else row.max_age_years}"
    ours = [row.visit_within_days, row.max_days_supply, row.max_refills, ages]
    assert [str(one) for one in ours] == visit[:4]
    assert row.is_pregnancy_flagged is (visit[4] == "yes")
    assert row.route.value == visit[5]
    assert " ".join(row.sources) == visit[6]
    assert set(visit[7].split(", ")) <= row.ingredients
    assert row.min_stable_days >= (180 if key == "ssri_snri" else 90)


@pytest.mark.parametrize("key", sorted(CLASSES))
def test_every_test_has_its_window_and_range(key: str) -> None:
    row = TABLE.by_key[key]
    wanted = {}
    for text in filter(None, CLASSES[key][8].split("; ")):
        name, within, least, most, *when = text.split(" ")
        wanted[(name, " ".join(when))] = (int(within), least, most)
    ours = {
        (test.key, " ".join(sorted(test.only))): test
        for test in row.tests
        if (key, test.key, "".join(test.only)) not in OURS
    }
    assert len(ours) == len(wanted)
    for (name, when), (within, least, most) in wanted.items():
        only, excepted = CONDITIONS[when]
        test = ours[(name, " ".join(only))]
        assert (test.within_days, test.only, test.excepted) == (within, frozenset(only), frozenset(excepted))
        assert test.least == (None if least == "-" else Decimal(least))
        assert test.most == (None if most == "-" else Decimal(most))
        assert test.is_demanded is (when != "if on file")


def test_every_code_of_the_document_reads_as_its_test_in_its_unit() -> None:
    for key, unit, codes in lines("loinc:"):
        name = key.removeprefix("loinc:")
        assert TABLE.lab_units[name] == unit
        assert {TABLE.loinc[code] for code in codes.split()} == {name}


def test_every_unit_of_the_table_is_one_we_can_read() -> None:
    numeric = {key: unit for key, unit in TABLE.lab_units.items() if key != "hcg"}
    assert all(units.code_of(text=unit) == unit for unit in numeric.values()), numeric


def test_every_test_and_change_is_of_a_known_analyte() -> None:
    def analytes(row: Protocol) -> set[str]:
        return {test.key for test in row.tests} | {stop.test_key for stop in row.stops if stop.test_key}

    assert all(analytes(row) <= set(TABLE.lab_units) for row in TABLE.by_key.values())
    assert all(test.unit == TABLE.lab_units[test.key] for row in TABLE.by_key.values() for test in row.tests)


def test_controlled_classes_are_never_automatic() -> None:
    assert {key for key, row in TABLE.by_key.items() if row.is_controlled} == {"c2", "c3_c5"}
    assert all(row.route is protocols.Route.never for row in TABLE.by_key.values() if row.is_controlled)
