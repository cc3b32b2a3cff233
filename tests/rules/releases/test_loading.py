"""Loading a release on real PostgreSQL: what takes over, one load at a time, going on after a kill."""

import os
import re
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from rules.intake import tables
from rules.intake.tables import Tables
from rules.models import Vocabulary, VocabularyTable
from rules.releases import files, keeping
from rules.rxnorm import reading
from tests.rules.releases.loads import DAY, load, refused
from tests.rules.rxnorm import release

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_two_loads_at_once_are_not_possible(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    made.write(tmp_path)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [keeping._LOCK])
        assert refused(tmp_path).startswith("Another load_rxnorm is running")
        with pytest.raises(CommandError, match="Another load_rxnorm is running"):
            call_command("load_rxnorm", use=DAY)
        with other.cursor() as cursor:  # closing alone lets go a moment later
            cursor.execute("SELECT pg_advisory_unlock(%s)", [keeping._LOCK])
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


def test_a_piece_damaged_in_the_database_is_read_again(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
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
