"""Fixtures of the stories: the stage with its cast, once inside the test's transaction and once on real commits.

Loaded before Django is set up, so the stage itself is imported when a test asks for it.
"""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def clinic(db: None, monkeypatch: pytest.MonkeyPatch, client: Any) -> Iterator[Any]:
    """The stage (`tests.stage.Clinic`), inside the test's transaction."""
    yield from importlib.import_module("tests.stage").opened(monkeypatch, client)


@pytest.fixture
def busy_clinic(transactional_db: None, monkeypatch: pytest.MonkeyPatch, client: Any) -> Iterator[Any]:
    """The stage on real commits, for threads; slower."""
    yield from importlib.import_module("tests.stage").opened(monkeypatch, client)
