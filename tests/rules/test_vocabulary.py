"""The vocabulary a process uses: swapped whole, kept where the new one is damaged, never asked for twice a minute."""

import functools
import gc
import importlib
import inspect
import logging
import os
import pkgutil
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import db
from django.db import DatabaseError, connection

import rules.intake
from refillhub import warming
from review import tasks
from rules import vocabulary
from rules.intake import brands, lexicon, normalise
from rules.intake.tables import Tables
from rules.models import Vocabulary, VocabularyTable
from rules.releases import keeping, loading
from tests.rules.releases.loads import DAY, NOW, load
from tests.rules.rxnorm import release

pytestmark = pytest.mark.django_db(transaction=True)
LATER = date(2025, 12, 1)


def two_releases(tmp_path: Path, made: release.Files) -> None:
    """The first knows a brand "Zzalpha", the second "Zzbeta"; the second is in force."""
    for day, name in ((DAY, "Zzalpha"), (LATER, "Zzbeta")):
        brand = release.conso(code="9999001", kind="BN", name=name)
        made.conso.append(brand)
        made.relate(made.codes["IN", "hydrocodone"], "has_tradename", "9999001")
        load(made.write(tmp_path / name), day=day)
        made.conso.remove(brand)


def held_releases() -> set[str]:
    """Releases of every vocabulary alive in this process."""
    gc.collect()
    return {one.release for one in gc.get_objects() if type(one) is lexicon.Lexicon}


def test_the_shipped_one_is_used_until_another_is_in_force(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    assert vocabulary.current() is lexicon.load()
    assert not vocabulary.refresh()
    load(made.write(tmp_path))
    assert vocabulary.current() is lexicon.load()
    assert vocabulary.refresh()
    assert vocabulary.current().release == "2025-11-03"
    assert not vocabulary.refresh()


def test_a_question_costs_one_query_while_nothing_changed_and_reading_none(
    tmp_path: Path, shipped: Tables, made: release.Files, django_assert_num_queries: Callable[[int], object]
) -> None:
    load(made.write(tmp_path))
    vocabulary.refresh()
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        assert not vocabulary.refresh()
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        vocabulary.current()


def test_a_swap_forgets_what_was_read_by_the_old_one_and_lets_it_go(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    two_releases(tmp_path, made)
    vocabulary.refresh()
    assert held_releases() >= {"2025-12-01"}
    normalise.identify(name="Zzbeta 5 mg", rxcui="856999", lexicon=vocabulary.current())
    brands.release_of_brand(key="zzbeta", lexicon=vocabulary.current())
    loading.go_back(released_on=DAY, by="test", now=NOW)
    assert vocabulary.refresh()
    assert "2025-12-01" not in held_releases()
    assert vocabulary.current().names["zzalpha"].ingredient_sets == (("hydrocodone",),)


def test_every_cache_of_the_readers_that_holds_a_vocabulary_is_emptied() -> None:
    names = [one.name for one in pkgutil.iter_modules(rules.intake.__path__)]
    found = [
        member
        for name in names
        for member in vars(importlib.import_module(f"rules.intake.{name}")).values()
        if isinstance(member, functools._lru_cache_wrapper) and "lexicon" in inspect.signature(member).parameters
    ]
    assert len(found) >= 6
    assert {id(one) for one in found} == {id(one) for one in vocabulary.REMEMBERING}


@pytest.mark.parametrize("spoil", [
    lambda: VocabularyTable.objects.filter(kind="names").update(data=b"garbage"),
    lambda: VocabularyTable.objects.filter(kind="ndc").delete(),
    lambda: Vocabulary.objects.filter(state="current").update(sha256={}),
])  # fmt: skip
def test_damaged_content_leaves_the_present_one_and_is_an_error_in_the_log(
    tmp_path: Path, shipped: Tables, made: release.Files, caplog: pytest.LogCaptureFixture, spoil: Callable[[], object]
) -> None:
    load(made.write(tmp_path / "a"))
    vocabulary.refresh()
    good = vocabulary.current()
    load(made.write(tmp_path / "b"), day=LATER)
    spoil()
    with caplog.at_level(logging.ERROR):
        assert not vocabulary.refresh()
    assert vocabulary.current() is good
    assert "vocabulary.damaged" in caplog.text


def test_a_vocabulary_that_goes_away_gives_way_to_the_shipped_one(
    tmp_path: Path, shipped: Tables, made: release.Files
) -> None:
    load(made.write(tmp_path))
    vocabulary.refresh()
    Vocabulary.objects.all().delete()
    assert vocabulary.refresh()
    assert vocabulary.current() is lexicon.load()


def test_a_database_that_does_not_answer_changes_nothing(
    shipped: Tables, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def silent() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(keeping, "key_in_force", silent)
    assert not vocabulary.refresh()
    assert "vocabulary.not_asked" in caplog.text
    assert vocabulary.current() is lexicon.load()


def test_hand_kept_tables_of_the_running_code_count_at_once(
    tmp_path: Path, shipped: Tables, made: release.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(made.write(tmp_path))
    VocabularyTable.objects.get(kind="dea")
    upgraded = shipped.dea + "lisinopril\tIV\tK\n"
    monkeypatch.setattr(vocabulary.tables, "shipped", lambda: Tables(**{
        name: getattr(shipped, name) for name in Tables.__slots__ if name != "dea"
    }, dea=upgraded))  # fmt: skip
    vocabulary.refresh()
    assert vocabulary.current().schedule(ingredients=("lisinopril",)) is lexicon.Schedule.iv


def test_tasks_ask_at_most_once_a_minute(shipped: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    moment = SimpleNamespace(monotonic=lambda: seconds[0])
    seconds = [1000.0]
    monkeypatch.setattr(vocabulary, "time", moment)
    monkeypatch.setattr(vocabulary, "look", lambda: bool(asked.append(seconds[0])))
    for step in (0, 1, 58.9, 1, 0, 60, 1):
        seconds[0] += step
        for task in (tasks.take_in_due, tasks.deliver_due, tasks.release_held):
            task()
    assert asked == [1000.0, 1060.9, 1120.9]


def test_a_worker_loads_it_before_it_forks_and_keeps_no_connection(
    tmp_path: Path, shipped: Tables, made: release.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(made.write(tmp_path))
    monkeypatch.setattr(gc, "freeze", lambda: None)
    warming.load_tables()
    assert vocabulary.current().release == "2025-11-03"
    assert connection.connection is None
    monkeypatch.setattr(keeping, "key_in_force", lambda: (_ for _ in ()).throw(DatabaseError("not migrated")))
    warming.load_tables()
    assert vocabulary.current().release == "2025-11-03"


@pytest.mark.slow
def test_readers_during_swaps_see_one_release_whole(tmp_path: Path, shipped: Tables, made: release.Files) -> None:
    two_releases(tmp_path, made)
    ended = threading.Event()
    seen: set[str] = set()
    faults: list[str] = []

    def read() -> None:
        try:
            while not ended.is_set():
                row = keeping.in_force()  # in autocommit, as a worker reads: a swap may come between the two queries
                if row is None:
                    faults.append("for a moment none was in force")
                    continue
                found = lexicon.build(source=keeping.tables_of(vocabulary=row))
                vocabulary.refresh()
                for one in (found, vocabulary.current()):
                    known = {name for name in ("zzalpha", "zzbeta") if name in one.names}
                    seen.add(one.release)
                    if known != {"2025-11-03": {"zzalpha"}, "2025-12-01": {"zzbeta"}}[one.release]:
                        faults.append(f"{one.release} with {known}")
        except Exception as error:
            faults.append(repr(error))
        finally:
            db.connections.close_all()

    vocabulary.refresh()
    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(24):
        loading.go_back(released_on=DAY if turn % 2 == 0 else LATER, by="test", now=NOW)
    ended.set()
    for reader in readers:
        reader.join()
    assert not faults
    assert seen == {"2025-11-03", "2025-12-01"}


def test_an_old_release_is_said_in_the_log(
    tmp_path: Path, shipped: Tables, made: release.Files, caplog: pytest.LogCaptureFixture
) -> None:
    load(made.write(tmp_path))
    vocabulary.refresh()
    assert "vocabulary.old" in caplog.text
    assert vocabulary.days_past(release=date(2026, 1, 1), today=date(2026, 5, 1)) == 0
    assert vocabulary.days_past(release=date(2026, 1, 1), today=date(2026, 5, 2)) == 1


@pytest.mark.slow
def test_a_web_process_loads_no_vocabulary(root: Path) -> None:
    code = (
        "import gc, refillhub.wsgi, refillhub.urls\n"
        "from django.urls import get_resolver\n"
        "from rules.intake.lexicon import Lexicon, load\n"
        "get_resolver().url_patterns\n"
        "print(load.cache_info().currsize, sum(isinstance(one, Lexicon) for one in gc.get_objects()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=os.environ, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["0", "0"]
