"""Rules as files: there and back, errors with path and mend, drafts only by people who may, decisions line by line."""

import importlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from rules import documents, files, recipes, transcript
from rules.files import NotRules
from rules.models import RuleVersion

WHOLE = {"policy": {"visit_limit_days": 180, "adopted_classes": ["ppi_h2"]},
         "adoptions": [{"class": "ppi_h2", "by": "Dr Osei", "on": "2026-11-01", "note": "signed"}]}  # fmt: skip


def run(*words: str, **options: Any) -> str:
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "rules.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_says_everything_and_comes_back_as_the_same_rules() -> None:
    text = files.dump(document=WHOLE)
    document, rules = files.load(text=text)
    assert rules == documents.check(document=WHOLE)
    assert files.dump(document=document) == text
    assert document["policy"]["max_days_supply"] == 90
    assert [row["key"] for row in document["recipes"]] == [one.key for one in recipes.ready_made()]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1, column 2: is no JSON"),
        ("[]", "file: must hold 'format' and 'rules'"),
        ('{"format": "x", "rules": {}}', "format: must be"),
        (json.dumps({"format": documents.FORMAT, "rules": {"policy": {"visit_limit_days": 366}}}),
         "rules.visit_limit_days: must be from 1 to 365 days"),
        (json.dumps({"format": documents.FORMAT, "rules": {"recipes": [{"key": "a", "name": "A", "trigger": "refill",
            "start": "s", "nodes": {"s": {"if": {"all": [{"fact": "moon"}]}, "yes": "t"}}}]}}),
         "rules.recipes[0].nodes.s.if.all[0].fact: must name a fact of the catalogue"),
        ('{"format": "a", "format": "b"}', "format: stands twice"),
        ("[" * 100_000, "file: is nested too deeply"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_by_path_and_mend(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(NotRules) as caught:
        files.load(text=text)
    assert says in str(caught.value)
    with pytest.raises(CommandError, match=r"rules\.json: "):
        run("rules", "check", file(tmp_path, text))


def test_a_right_file_is_said_to_be_right(tmp_path: Path) -> None:
    assert "7 recipes, 1 adopted classes" in run("rules", "check", file(tmp_path, files.dump(document=WHOLE)))


@pytest.mark.django_db
def test_a_version_goes_out_and_comes_in_as_a_draft(tmp_path: Path) -> None:
    scene = importlib.import_module("tests.review.scene").set_up()
    text = run("rules", "export", "--practice", scene.practice.slug)
    path = file(tmp_path, text.replace('"visit_limit_days": 365', '"visit_limit_days": 200'))
    by = ["--practice", scene.practice.slug, "--by", scene.ada.email, "--note", "from git"]
    assert "A second person publishes it" in run("rules", "import", path, *by)
    draft = RuleVersion.objects.get(practice=scene.practice, state="draft")
    assert (draft.document["policy"]["visit_limit_days"], draft.note) == (200, "from git")
    for stranger in (scene.mia.email, scene.mallory.user.email, "nobody@example.org"):
        with pytest.raises(CommandError, match="may not draft rules"):
            run("rules", "import", path, "--practice", scene.practice.slug, "--by", stranger)


def test_each_line_of_facts_gets_its_decision_and_a_wrong_one_its_error(tmp_path: Path, cast: Any) -> None:
    plain = transcript.to_document(facts=cast.facts())
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    lines = [{"id": "a", "facts": plain}, {"id": "b", "facts": {**plain, "colour": 1}}, {"id": "c"}]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines) + "nonsense\n", encoding="utf-8")
    rules = file(tmp_path, files.dump(document=WHOLE))
    with pytest.raises(CommandError, match="3 of 4 lines"):
        run("decide", "--input", str(source), "--output", str(target), "--rules", rules)
    made = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert (made[0]["id"], made[0]["outcome"], made[0]["recipe"]) == ("a", "auto_approve", "auto_refill")
    assert {"node": "auto_refill.when", "fact": "visit.days_since", "value": "120", "threshold": "at_most 180",
            "result": True, "source": "drchrono", "age_days": None} in made[0]["trace"]  # fmt: skip
    assert made[1]["error"] == "facts.colour: unknown field"
    assert "must be an object with 'facts'" in made[2]["error"]
    assert made[3]["line"] == 4


def test_without_rules_nothing_is_automatic(tmp_path: Path, cast: Any) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": 1, "facts": transcript.to_document(facts=cast.facts())}), encoding="utf-8")
    run("decide", "--input", str(source), "--output", str(target))
    assert json.loads(target.read_text(encoding="utf-8"))["outcome"] == "review"
