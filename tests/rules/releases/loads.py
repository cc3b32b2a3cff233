"""How these tests load: by the command, as an operator does."""

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from rules.models import Vocabulary

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
