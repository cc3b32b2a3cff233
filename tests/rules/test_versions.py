"""Versions of rules: a second person publishes, the published stays, and every step is in the audit trail."""

import importlib
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from rules import facts as f
from rules.policy import PolicyError


def load(name: str) -> Any:
    return importlib.import_module(name)


@pytest.fixture
def scene(db: None, now: datetime) -> Any:
    people = load("tests.practices.people")
    scene = type("Scene", (), {})()
    scene.now, scene.versions, scene.models = now, load("rules.versions"), load("rules.models")
    scene.publishing = load("rules.publishing")
    scene.practice = people.new_practice(now, "rulehouse")
    scene.other = people.new_practice(now, "elsewhere")
    scene.osei = people.new_person(scene.practice, "osei", "prescriber")
    scene.ada = people.new_person(scene.practice, "ada", "administrator", is_staff=True)
    return scene


def events(scene: Any) -> list[str]:
    entry = load("audit.models").Entry
    return list(entry.objects.filter(practice_id=scene.practice.id).order_by("number").values_list("event", flat=True))


def publish(scene: Any, document: dict[str, Any], **more: Any) -> Any:
    made = scene.versions.draft(practice=scene.practice, by=scene.osei, document=document, now=scene.now)
    scene.versions.propose(version_id=made.pk, by=scene.osei, now=scene.now)
    return scene.publishing.publish(version_id=made.pk, by=scene.ada, now=scene.now, **more)


DIRECTOR = {
    "policy": {"adopted_classes": ["ppi_h2"], "visit_limit_days": 180},
    "adoptions": [{"class": "ppi_h2", "by": "Dr Osei", "on": "2026-11-01", "note": ""}],
}


def test_without_a_published_version_nothing_is_in_force(scene: Any) -> None:
    scene.versions.draft(practice=scene.practice, by=scene.osei, document=DIRECTOR, now=scene.now)
    assert scene.versions.in_force(practice=scene.practice, now=scene.now) is None


def test_a_published_version_is_in_force_for_its_practice_only(scene: Any) -> None:
    made = publish(scene, DIRECTOR)
    assert scene.versions.in_force(practice=scene.practice, now=scene.now) == made
    assert scene.versions.in_force(practice=scene.other, now=scene.now) is None
    assert scene.versions.policy_of(version=made).visit_limit_days == 180
    assert events(scene)[-4:] == ["rules.drafted", "rules.proposed", "rules.published", "protocol.adopted"]


def test_nobody_publishes_what_they_proposed(scene: Any) -> None:
    made = scene.versions.draft(practice=scene.practice, by=scene.ada, document={}, now=scene.now)
    scene.versions.propose(version_id=made.pk, by=scene.osei, now=scene.now)
    for person in (scene.osei, scene.ada):
        with pytest.raises(scene.publishing.SamePerson):
            scene.publishing.publish(version_id=made.pk, by=person, now=scene.now)


def test_the_database_too_demands_a_second_person(scene: Any) -> None:
    made = publish(scene, {})
    with pytest.raises(IntegrityError), transaction.atomic():
        scene.models.RuleVersion.objects.filter(pk=made.pk).update(published_by=scene.osei)


def test_a_later_version_takes_over_at_its_moment(scene: Any) -> None:
    first = publish(scene, {})
    second = publish(scene, DIRECTOR, effective_at=scene.now + timedelta(days=1))
    assert scene.versions.in_force(practice=scene.practice, now=scene.now) == first
    assert scene.versions.in_force(practice=scene.practice, now=scene.now + timedelta(days=1)) == second


def test_a_published_version_cannot_be_changed(scene: Any) -> None:
    made = publish(scene, {})
    with pytest.raises(scene.versions.WrongState):
        scene.versions.change(version_id=made.pk, by=scene.osei, document=DIRECTOR, now=scene.now)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"policy": {"visit_limit_days": 366}}, "visit_limit_days"),
        ({"policy": {"colour": 1}}, "colour"),
        ({"policy": {"adopted_classes": ["ppi_h2"]}}, "adopted_classes"),
        (
            {"policy": {"adopted_classes": ["c2"]}, "adoptions": [{"class": "c2", "by": "x", "on": "2026-01-01"}]},
            "adopted_classes",
        ),
        ({"adoptions": [{"class": "ppi_h2", "by": "", "on": "2026-01-01"}]}, "adoptions"),
        ([], "document"),
    ],
)
def test_a_wrong_document_is_refused_by_the_name_of_its_field(scene: Any, document: Any, field: str) -> None:
    with pytest.raises(PolicyError) as caught:
        scene.versions.draft(practice=scene.practice, by=scene.osei, document=document, now=scene.now)
    assert caught.value.field == field
    assert events(scene)[-1:] != ["rules.drafted"]


def test_a_decision_is_kept_with_its_facts_sealed(scene: Any, cast: Any) -> None:
    recording, request_id = load("rules.recording"), uuid.uuid4()
    known = cast.facts(fills=(f.Fill(cast.ago(80), 90, "pharmacy"),))
    row = recording.Recorded(scene.practice, request_id, None, known, cast.decide(known))
    recording.store(rows=[row], now=scene.now)
    kept = scene.models.DecisionRecord.objects.get(request_id=request_id)
    assert recording.facts_of(record=kept) == known
    assert b"omeprazole" not in bytes(kept.facts_sealed)
    assert "omeprazole 20 MG" not in json.dumps([kept.trace, kept.findings, kept.reasons])
