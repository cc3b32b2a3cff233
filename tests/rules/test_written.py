"""The written policy: what may be attached, clauses that keep their name, and rules that cite only what is there."""

import importlib
from datetime import datetime
from typing import Any

import pytest

from rules.policy import PolicyError


def load(name: str) -> Any:
    return importlib.import_module(name)


@pytest.fixture
def scene(db: None, now: datetime) -> Any:
    people = load("tests.practices.people")
    scene = type("Scene", (), {})()
    scene.now, scene.written, scene.versions = now, load("rules.written"), load("rules.versions")
    scene.practice = people.new_practice(now, "written")
    scene.other = people.new_practice(now, "elsewhere")
    scene.osei = people.new_person(scene.practice, "osei", "prescriber")
    return scene


def attach(scene: Any, body: bytes = b"%PDF-1.7 refill policy", practice: Any = None) -> Any:
    practice = practice or scene.practice
    return scene.written.attach(practice=practice, by=scene.osei, title="Refills 2026", body=body, now=scene.now)


def clause(scene: Any, policy: Any, number: str = "5.2", title: str = "Possibly stopped drugs") -> Any:
    return scene.written.name_clause(policy=policy, by=scene.osei, number=number, title=title, page=3, now=scene.now)


def events(scene: Any) -> list[str]:
    entry = load("audit.models").Entry
    return list(entry.objects.filter(practice_id=scene.practice.id).order_by("number").values_list("event", flat=True))


def test_a_policy_is_kept_as_it_came_and_once(scene: Any) -> None:
    first, second = attach(scene), attach(scene)
    assert first == second
    assert bytes(first.body) == b"%PDF-1.7 refill policy"
    assert events(scene).count("policy.uploaded") == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"", "empty"), (b"\xff\xfe\x00x", "PDF or a plain"), (b"a\x00b", "PDF or a plain"), (b"x" * 5_000_001, "5 MB")],
)
def test_other_files_are_refused_with_what_would_be_right(scene: Any, body: bytes, says: str) -> None:
    with pytest.raises(scene.written.NotAPolicy, match=says):
        attach(scene, body)


def test_a_text_will_do(scene: Any) -> None:
    assert attach(scene, "§ 5.2 Ambulancia única".encode()).media_type == "text/plain"


def test_a_clause_keeps_its_name(scene: Any) -> None:
    policy = attach(scene)
    assert clause(scene, policy) == clause(scene, policy)
    with pytest.raises(scene.written.ClauseTaken, match="Possibly stopped drugs"):
        clause(scene, policy, title="Something else")
    assert events(scene).count("policy.clause_named") == 1


def test_rules_cite_only_clauses_that_are_named(scene: Any) -> None:
    policy = attach(scene)
    clause(scene, policy)
    links = {"written_policy": str(policy.pk), "links": {"recipe:auto_refill": ["5.2"]}}
    made = scene.versions.draft(practice=scene.practice, by=scene.osei, document={"citations": links}, now=scene.now)
    assert scene.versions.rules_of(version=made).citations.links == {"recipe:auto_refill": ("5.2",)}
    links["links"]["recipe:auto_refill"] = ["5.9"]
    with pytest.raises(PolicyError, match=r"clause 5\.9 is not named"):
        scene.versions.change(version_id=made.pk, by=scene.osei, document={"citations": links}, now=scene.now)


def test_another_practices_policy_cannot_be_cited(scene: Any) -> None:
    policy = attach(scene, practice=scene.other)
    document = {"citations": {"written_policy": str(policy.pk), "links": {}}}
    with pytest.raises(PolicyError, match="not attached to this practice"):
        scene.versions.draft(practice=scene.practice, by=scene.osei, document=document, now=scene.now)
