"""Reading messages for measuring: by the vocabulary in force, by the shipped one if asked or without a database."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from rules import vocabulary
from rules.intake import lexicon

THREAD = {"id": "t1", "messages": [{"text": "can I get my lisinopril again?"}]}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "in").write_text(json.dumps(THREAD) + "\n")
    return {"input": tmp_path / "in", "output": tmp_path / "out"}


def test_the_vocabulary_in_force_is_used_unless_the_shipped_one_is_asked_for(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(vocabulary, "look", lambda: bool(asked.append("asked")))
    monkeypatch.setattr(vocabulary, "current", lexicon.load)
    call_command("read_messages", **files, stdout=io.StringIO())
    assert asked == ["asked"]
    call_command("read_messages", **files, shipped=True, stdout=io.StringIO())
    assert asked == ["asked"]


@pytest.mark.slow
@pytest.mark.parametrize(("words", "is_said"), [([], True), (["--shipped"], False)])
def test_it_works_without_a_database(files: dict[str, Path], root: Path, words: list[str], is_said: bool) -> None:
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"}
    places = ["--input", str(files["input"]), "--output", str(files["output"])]
    done = subprocess.run(
        [sys.executable, "manage.py", "read_messages", *places, *words], cwd=root, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ("No database answers (OperationalError): reading by the shipped vocabulary." in done.stderr) is is_said
    assert "1 read, 0 not understood" in done.stdout
    assert files["output"].read_text()
