"""Drafts and practices for the audit tests."""

import uuid
from collections.abc import Callable

import pytest

from audit.events import Actor, ActorKind, Draft


@pytest.fixture
def practice_id() -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture
def a_draft(practice_id: uuid.UUID) -> Callable[..., Draft]:
    def make(**more: object) -> Draft:
        given = {
            "practice_id": practice_id,
            "event": "request.approved",
            "actor": Actor(ActorKind.system, "tests"),
            "request_id": uuid.uuid4(),
            "patient_ref": "p_" + "0" * 24,
            "decision_path": ("visit", "labs"),
            "data": {"dispatch": "d1"},
            **more,
        }
        return Draft(**given)  # type: ignore[arg-type]

    return make
