"""The people at the door: one practice with its cast, and Mallory of the other practice.

A conftest is read before the applications are loaded, so `people` is imported when a fixture first asks for it.
"""

import importlib
from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest
from django.core.cache import cache


def people() -> ModuleType:
    return importlib.import_module("tests.practices.people")


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> None:
    importlib.import_module("refillhub.practices.references").forget()
    if "db" in request.fixturenames:
        cache.clear()


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """The clock the middleware reads."""
    clock = importlib.import_module("refillhub.practices.clock")
    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.fixture
def practice(db: None, now: datetime) -> Any:
    return people().new_practice(now, "lakeside")


@pytest.fixture
def other(db: None, now: datetime) -> Any:
    return people().new_practice(now, "elsewhere")


@pytest.fixture
def osei(practice: Any) -> Any:
    return people().new_person(practice, "osei", "prescriber")


@pytest.fixture
def mia(practice: Any) -> Any:
    return people().new_person(practice, "mia", "assistant")


@pytest.fixture
def ada(practice: Any) -> Any:
    return people().new_person(practice, "ada", "administrator", is_staff=True)


@pytest.fixture
def mallory(other: Any) -> Any:
    return people().new_person(other, "mallory", "administrator", "prescriber", is_staff=True)


@pytest.fixture
def location(practice: Any) -> Any:
    return people().new_location(practice, "Main Street")


@pytest.fixture
def at_the_desk() -> Callable[[Any], Any]:
    """A browser of a person who has passed both factors."""
    return people().at_the_desk
