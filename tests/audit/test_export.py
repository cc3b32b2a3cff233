"""The CSV export: complete, filtered, safe to open."""

import csv
import io
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from audit import export, log
from audit.events import Actor, ActorKind, Draft
from audit.models import Entry


@given(st.text(max_size=30))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert export.safe(text)[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")
    assert export.safe(text).endswith(text)


@pytest.mark.django_db
def test_rows_equal_the_query_and_no_cell_is_a_formula(
    now: datetime, a_draft: Callable[..., Draft], practice_id: uuid.UUID
) -> None:
    evil = Actor(ActorKind.vendor, "=cmd|' /C calc'!A0")
    with transaction.atomic():
        log.record(now=now, draft=a_draft(actor=evil, outcome="+1+1"))
        log.record(now=now + timedelta(hours=1), draft=a_draft())
        log.record(now=now, draft=a_draft(practice_id=uuid.uuid4()))
    rows = list(csv.DictReader(io.StringIO("".join(export.csv_lines(found=export.entries(practice_id=practice_id))))))
    assert [row["number"] for row in rows] == ["1", "2"]
    assert rows[0]["actor_id"].startswith("'=")
    assert rows[0]["outcome"] == "'+1+1"
    later = export.entries(practice_id=practice_id, since=now + timedelta(minutes=1))
    assert [entry.number for entry in later] == [2]


@pytest.mark.django_db
def test_the_command_writes_a_file_and_records_the_export(
    now: datetime, a_draft: Callable[..., Draft], practice_id: uuid.UUID, tmp_path: Path
) -> None:
    with transaction.atomic():
        log.record(now=now, draft=a_draft())
    call_command("export_audit", practice=practice_id, csv=tmp_path / "out.csv", stdout=io.StringIO())
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 2
    assert Entry.objects.newest_first().first().event == "audit.exported"
