"""What is refused, each with one sentence: files that cannot be trusted, releases that would make things worse."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from rules.intake import lexicon
from rules.intake.tables import Tables
from rules.models import Vocabulary
from rules.releases import keeping
from tests.rules.releases.loads import load, refused
from tests.rules.rxnorm import release

pytestmark = pytest.mark.django_db(transaction=True)


Spoil = Callable[[release.Files], None]


def cut_off(made: release.Files) -> None:
    made.rel[-1] = made.rel[-1][:-20]


def other_columns(made: release.Files) -> None:
    made.conso[3] += "|"


def other_sources_only(made: release.Files) -> None:
    made.conso = [line.replace("|RXNORM|", "|MMSL|") for line in made.conso]


def lost_concepts(made: release.Files) -> None:
    made.conso = [line for line in made.conso if "|SCDC|" not in line or line.startswith("8000000")]


def lost_ingredients(made: release.Files) -> None:
    made.rel = [line for line in made.rel if "consists_of" not in line and "constitutes" not in line]
    made.rel = [line for line in made.rel if "isa" not in line]


def lost_components(made: release.Files) -> None:
    combined = {line.split("|")[0] for line in made.conso if "|SCD|" in line and " / " in line}
    seen: set[str] = set()
    kept = []
    for line in made.rel:
        whole = line.split("|")[4 if "consists_of" in line else 0]
        is_part = "|consists_of|" in line or "|constitutes|" in line
        if is_part and whole in combined and (whole not in seen or "|constitutes|" in line):
            seen.add(whole)
            continue
        if "isa" not in line:
            kept.append(line)
    made.rel = kept


def no_opioid(made: release.Files) -> None:
    made.conso = [line.replace("|hydrocodone|", "|newcodone|") for line in made.conso]


def gone_opioid(made: release.Files) -> None:
    code = made.codes["IN", "hydrocodone"]
    made.conso = [line.replace("|hydrocodone|", "|else|").replace(f"{code}|", "71|", 1) for line in made.conso]
    made.rel = [line.replace(f"{code}||", "71||") for line in made.rel]


def renamed_protocol_drug(made: release.Files) -> None:
    made.conso = [line.replace("|IN|29046|lisinopril|", "|IN|29046|lisinoprile|") for line in made.conso]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (other_columns, r"RXNCONSO.RRF, line 4: 19 columns instead of 18; fetch"),
        (cut_off, r"RXNREL.RRF, line \d+: \d+ columns instead of 16; fetch"),
        (other_sources_only, "RXNCONSO.RRF: no drug of source RXNORM stands in it; take"),
        (lost_concepts, r"RXNREL.RRF, line \d+: from here on \d+ relations \(.* name codes that RXNCONSO.RRF does not"),
        (lost_ingredients, r"RXNREL.RRF: \d+ of \d+ products have no ingredients, as \d+ \(.*\); fetch"),
        (lost_components, r"RXNREL.RRF: \d+ of \d+ products lack some of their ingredients, as \d+ \(.*\); fetch"),
        (no_opioid, r"RXNCONSO.RRF: hydrocodone \(5489\) is called newcodone in this release"),
        (gone_opioid, "RXNCONSO.RRF: scheduled ingredients of our DEA table are not in it: hydrocodone; if"),
        (renamed_protocol_drug, r"RXNCONSO.RRF: lisinopril \(29046\) is called lisinoprile in this release"),
    ],
)
def test_a_release_that_cannot_be_trusted_is_refused(
    tmp_path: Path, shipped: Tables, made: release.Files, spoil: Spoil, sentence: str
) -> None:
    spoil(made)
    told = refused(made.write(tmp_path))
    assert re.match(sentence, told), told


def test_a_vanished_scheduled_ingredient_may_be_accepted_by_name_but_a_renamed_one_never(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    renamed = release.of_tables(source=shipped)
    no_opioid(renamed)
    assert "is called newcodone" in refused(renamed.write(tmp_path / "renamed"), although_gone=["hydrocodone"])
    gone_opioid(made)
    load(made.write(tmp_path / "gone"), although_gone=["hydrocodone"])
    row = Vocabulary.objects.get(state="current")
    found = lexicon.build(source=keeping.tables_of(vocabulary=row))
    assert found.schedule(ingredients=("hydrocodone",)) is lexicon.Schedule.ii
    assert row.changes["ingredients_gone"]["examples"][0].startswith("hydrocodone")


def test_a_much_smaller_release_is_refused_unless_it_is_meant(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    made.sat = made.sat[: len(made.sat) // 2]
    told = refused(made.write(tmp_path))
    assert re.match(r"The release has \d+ NDC codes, the vocabulary in force has \d+: more than a tenth fewer;", told)
    told = load(tmp_path, although_smaller=True)
    assert told.count("was read on") == 3  # nothing is read twice for the second thought
    assert "In force" in told


def test_an_older_release_is_refused(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    told = refused(made.write(tmp_path), day=date(2025, 9, 1))
    assert told.startswith("The release of 2025-09-01 is older than the one in force (2025-10-06); to go back")


def test_a_release_without_a_date_or_with_two_is_refused(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    assert "no release date is to be found" in refused(made.write(tmp_path / "plain"), day=None)
    made.sab = release.sources(mark="20AA_251103F")
    folder = made.write(tmp_path / "RxNorm_full_12012025" / "rrf")
    told = refused(folder, day=None)
    assert "the release dates disagree (RXNSAB.RRF says 2025-11-03, RxNorm_full_12012025 says 2025-12-01)" in told
    assert "--release says" in refused(folder, day=date(2025, 12, 1))
    assert "is in the future" in refused(tmp_path / "plain", day=date(2099, 1, 1))
