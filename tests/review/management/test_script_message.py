"""SCRIPT messages as JSON and back from the command line."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from lxml import etree

from tests.integrations import surescripts_cast as cast

ALL = sorted(path.name for path in cast.SAMPLES.glob("*.xml"))


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("script_message", *args, stdout=out)
    return out.getvalue()


def shape(document: bytes) -> list[tuple[str, str, dict[str, str]]]:
    root = etree.fromstring(document, etree.XMLParser(remove_comments=True))
    return [(str(each.tag), (each.text or "").strip(), dict(each.attrib)) for each in root.iter()]


def given(tmp_path: Path, **changes: Any) -> str:
    message = json.loads(run("read", str(cast.SAMPLES / "newrx.xml"))) | changes
    path = tmp_path / "message.json"
    path.write_text(json.dumps(message))
    return str(path)


@pytest.mark.parametrize("name", ALL)
def test_every_sample_goes_to_json_and_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "message.json"
    path.write_text(run("read", str(cast.SAMPLES / name)))
    made = tmp_path / "message.xml"
    run("build", "--input", str(path), "--output", str(made))
    assert shape(made.read_bytes()) == shape(cast.sample(name))


def test_what_is_wrong_is_said_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"missing required field `description` - at `\$\.prescribed\.drug`"):
        run("build", "--input", given(tmp_path, prescribed={"drug": {}}))
    with pytest.raises(CommandError, match=r"unknown fields: \$\.colour"):
        run("build", "--input", given(tmp_path, colour="red"))
    with pytest.raises(CommandError, match=r"Patient: missing"):
        run("build", "--input", given(tmp_path, patient=None))
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(CommandError, match="not a message"):
        run("build", "--input", str(broken))
    with pytest.raises(CommandError, match="not a readable SCRIPT message"):
        run("read", given(tmp_path))
    with pytest.raises(CommandError, match="No such file"):
        run("read", str(tmp_path / "nothing.xml"))
