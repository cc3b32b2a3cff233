"""Loading a release on real PostgreSQL: what takes over, what is refused and why, going on after a kill, going back."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from rules.intake import lexicon, tables
from rules.intake.tables import Tables
from rules.models import Vocabulary, VocabularyTable
from rules.releases import files, keeping
from rules.rxnorm import reading
from tests.rules.rxnorm import release

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)
DAY = date(2025, 11, 3)


def load(folder: Path, *, day: date | None = DAY, **wish: object) -> str:
    """What the command says."""
    told = io.StringIO()
    call_command("load_rxnorm", folder, release=day, stdout=told, stderr=told, **wish)
    return told.getvalue()


def refused(folder: Path, **wish: object) -> str:
    """The one sentence of a refusal."""
    with pytest.raises(CommandError) as refusal:
        load(folder, **wish)  # type: ignore[arg-type]
    sentence = str(refusal.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert not Vocabulary.objects.filter(state="current", released_on=DAY).exists()
    return sentence


def test_a_release_takes_over_and_its_tables_come_back_as_they_were(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    told = load(made.write(tmp_path))
    row = Vocabulary.objects.get()
    assert (row.state, row.released_on, row.loaded_at is not None) == ("current", DAY, True)
    found = keeping.tables_of(vocabulary=row)
    assert found.release == "2025-11-03"
    codes = [{one[0] for one in tables.rows(text=text)} for text in (found.products, shipped.products)]
    assert codes[0] == codes[1]
    assert [step["state"] for step in row.history] == ["loading", "ready", "current"]
    assert set(row.tables.values_list("kind", flat=True)) == set(keeping.TABLES)
    assert [one["name"] for one in row.sources["files"]] == list(files.NEEDED)
    assert "In force: RxNorm 2025-11-03" in told
    assert "ingredients that got their code" in told
    assert "National Library of Medicine" in told
    assert "RXNSAT.RRF: " in told


def test_the_same_release_again_is_nothing_to_do(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    load(made.write(tmp_path))
    assert "nothing to do" in load(tmp_path)
    assert Vocabulary.objects.count() == 1


def test_the_release_that_is_shipped_in_part_may_be_loaded_whole(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    assert "In force" in load(made.write(tmp_path), day=date.fromisoformat(shipped.release))


def test_a_zip_is_loaded_like_a_folder(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    load(made.write(tmp_path / "folder"))
    one = Vocabulary.objects.get().sha256
    Vocabulary.objects.all().delete()
    load(made.write_zip(tmp_path / "RxNorm_full_11032025.zip"), day=None)
    assert Vocabulary.objects.get().sha256 == one


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


def test_a_release_without_a_date_or_with_two_is_refused(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    assert "no release date is to be found" in refused(made.write(tmp_path / "plain"), day=None)
    made.sab = release.sources(mark="20AA_251103F")
    folder = made.write(tmp_path / "RxNorm_full_12012025" / "rrf")
    told = refused(folder, day=None)
    assert "the release dates disagree (RXNSAB.RRF says 2025-11-03, RxNorm_full_12012025 says 2025-12-01)" in told
    assert "--release says" in refused(folder, day=date(2025, 12, 1))
    assert "is in the future" in refused(tmp_path / "plain", day=date(2099, 1, 1))


def test_two_loads_at_once_are_not_possible(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    made.write(tmp_path)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [keeping._LOCK])
        assert refused(tmp_path).startswith("Another load_rxnorm is running")
        with pytest.raises(CommandError, match="Another load_rxnorm is running"):
            call_command("load_rxnorm", use=DAY)
    finally:
        other.close()
    load(tmp_path)


def test_a_load_cut_short_goes_on_at_the_next_file(
    tmp_path: Path, shipped: Tables, made: release.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.write(tmp_path)

    def stop(**_: object) -> reading.Attributes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(reading, "attributes", stop)
        with pytest.raises(KeyboardInterrupt):
            load(tmp_path)
    assert Vocabulary.objects.get().state == "loading"
    told = load(tmp_path)
    assert re.search(r"begun on .* going on with it", told)
    assert re.findall(r"(RXN\w+\.RRF) was read on", told) == ["RXNCONSO.RRF", "RXNREL.RRF"]
    assert Vocabulary.objects.get().state == "current"


def test_other_files_begin_afresh(
    tmp_path: Path, shipped: Tables, made: release.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.write(tmp_path)
    monkeypatch.setattr(reading, "REDUCTION", 0)
    cut = made.sat
    made.sat = [*cut, "spoilt"]
    refused(made.write(tmp_path))
    made.sat = cut
    assert "was read on" not in load(made.write(tmp_path))
    assert Vocabulary.objects.count() == 1


def test_a_piece_damaged_in_the_database_is_read_again(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    whole = made.sat
    made.sat = whole[: len(whole) // 2]
    refused(made.write(tmp_path))
    VocabularyTable.objects.filter(kind="relations").update(data=b"garbage")
    told = load(tmp_path, although_smaller=True)
    assert re.findall(r"(RXN\w+\.RRF) was read on", told) == ["RXNCONSO.RRF", "RXNSAT.RRF"]


def test_a_load_killed_before_the_swap_needs_only_the_swap(
    tmp_path: Path, shipped: Tables, made: release.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.write(tmp_path)

    def stop(**_: object) -> Vocabulary:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "put_in_force", stop)
        with pytest.raises(KeyboardInterrupt):
            load(tmp_path)
    assert Vocabulary.objects.get().state == "ready"
    monkeypatch.setattr(reading, "concepts", stop)
    assert "In force" in load(tmp_path)


def four_releases(tmp_path: Path, made: release.Files) -> list[date]:
    days = [DAY + timedelta(days=30 * step) for step in range(4)]
    for day in days:
        made.conso.append(release.conso(code=f"9{day:%y%m%d}", kind="BN", name=f"Brand of {day}"))
        load(made.write(tmp_path / str(day)), day=day)
    return days


def test_the_last_three_are_kept_and_one_may_go_back(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    days = four_releases(tmp_path, made)
    whole = {row.released_on for row in Vocabulary.objects.filter(pk__in=keeping.with_content())}
    assert whole == set(days[1:])
    told = io.StringIO()
    call_command("load_rxnorm", list=True, stdout=told)
    lines = told.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines[:4]] == [str(day) for day in reversed(days)]
    assert "Current" in lines[0]
    assert "content dropped" in lines[3]
    call_command("load_rxnorm", use=days[1], stdout=told)
    row = keeping.in_force()
    assert row is not None
    assert row.released_on == days[1]
    assert [step["state"] for step in row.history] == ["loading", "ready", "current", "retired", "current"]
    assert row.history[-1]["by"]
    assert row.history[-1]["why"] == "gone back to"
    with pytest.raises(CommandError, match=f"no retired release {days[0]} is kept"):
        call_command("load_rxnorm", use=days[0])


def test_a_release_set_aside_does_not_come_back_by_loading_it_again(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    days = four_releases(tmp_path, made)
    call_command("load_rxnorm", use=days[2], stdout=io.StringIO())
    with pytest.raises(CommandError, match=f"was loaded before and set aside; .*--use {days[3]}"):
        load(tmp_path / str(days[3]), day=days[3])


def test_damaged_content_never_comes_into_force_again(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    days = four_releases(tmp_path, made)
    row = Vocabulary.objects.get(released_on=days[2])
    row.tables.filter(kind="products").update(data=b"garbage")
    with pytest.raises(CommandError, match=r"table products of the vocabulary of .* is missing or damaged"):
        call_command("load_rxnorm", use=days[2])
    row = keeping.in_force()
    assert row is not None
    assert row.released_on == days[3]


def test_only_one_can_be_current(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    load(made.write(tmp_path))
    row = Vocabulary.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError, match="vocabulary_one_current"), transaction.atomic():
        Vocabulary.objects.create(**{
            name: getattr(row, name) for name in ("released_on", "state", "sources", "started_at", "loaded_at")
        })  # fmt: skip


@pytest.mark.parametrize("words", [[], ["somewhere", "--list"], ["--list", "--use", "2025-11-03"]])
def test_one_thing_is_asked_for_at_a_time(words: list[str]) -> None:
    with pytest.raises(CommandError, match="Give one of"):
        call_command("load_rxnorm", *words)


CHILD = """
import sys, django
django.setup()
from django.core.management import call_command
from rules.intake import tables
from tests.rules.rxnorm import release
whole = tables.shipped()
small = release.cut(source=whole, products=set(open(sys.argv[2]).read().split()))
tables.shipped = lambda: small
call_command("load_rxnorm", sys.argv[1], "--release", "2025-11-03")
"""


def child(folder: Path, products: Path, root: Path) -> "subprocess.Popen[str]":
    """A real process that loads into this test's database."""
    at = connection.settings_dict
    place = quote(at["HOST"], safe="")
    login = f"{at['USER']}:{at['PASSWORD']}" if at["PASSWORD"] else at["USER"]
    address = f"postgres://{login}@{place}{':' + str(at['PORT']) if at['PORT'] else ''}/{at['NAME']}"
    environment = {**os.environ, "DATABASE_URL": address, "PYTHONPATH": str(root)}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(products)], cwd=root, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.slow
def test_a_process_killed_between_two_files_is_followed_by_one_that_goes_on(
    tmp_path: Path, shipped: Tables, made: release.Files, root: Path
) -> None:
    products = tmp_path / "products"
    products.write_text("\n".join(row[0] for row in tables.rows(text=shipped.products)))
    made.sat += [f"1|||1|AUI|1|AT||RXN_HUMAN_DRUG|RXNORM|{'x' * 400}|N||"] * 60_000  # long enough to be met in
    folder = made.write(tmp_path / "release")
    first = child(folder, products, root)
    try:
        deadline = time.monotonic() + 60
        while not VocabularyTable.objects.filter(kind="relations").exists():
            assert first.poll() is None, first.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.005)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE rules_vocabularytable IN SHARE MODE")  # it cannot keep a further piece
            first.send_signal(signal.SIGKILL)
            first.wait()
    finally:
        first.kill()
        first.communicate()
    assert Vocabulary.objects.get().state == "loading"
    second = child(folder, products, root)
    told = second.communicate(timeout=120)[0]
    assert second.returncode == 0, told
    assert "RXNREL.RRF was read on" in told
    assert Vocabulary.objects.get().state == "current"
