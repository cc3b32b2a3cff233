"""Fixtures of the page tests; `scene` is imported late, after the applications are loaded."""

import importlib
from typing import Any

import pytest
from django.core.cache import cache


@pytest.fixture
def scene(db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One practice with its people, Mallory of another, and the clock stopped at 10:14 am."""
    made = importlib.import_module("tests.review.scene")
    clock = importlib.import_module("refillhub.practices.clock")
    importlib.import_module("refillhub.practices.references").forget()
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: made.NOW)
    return made.set_up()
