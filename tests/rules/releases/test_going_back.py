"""Earlier releases: how many are kept, how one comes back, and what never does."""

import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from rules.intake.tables import Tables
from rules.models import Vocabulary
from rules.releases import keeping
from tests.rules.releases.loads import DAY, load
from tests.rules.rxnorm import release

pytestmark = pytest.mark.django_db(transaction=True)


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
