"""A real Chromium against a live server of the tests' own process; the machine's browser, else the driver's own."""

import importlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started once; skipped where none can be had (in CI a skip fails)."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        try:
            started = driver.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {error}")
        yield started
        started.close()


@pytest.fixture
def scene(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The cast of the page tests; the clock runs on from 10:14 am."""
    made = importlib.import_module("tests.review.scene")
    clock = importlib.import_module("refillhub.practices.clock")
    importlib.import_module("refillhub.practices.references").forget()
    importlib.import_module("django.core.cache").cache.clear()
    began = time.monotonic()
    monkeypatch.setattr(clock, "now", lambda: made.NOW + timedelta(seconds=time.monotonic() - began))
    return made.set_up()


@pytest.fixture
def page_of(browser: Any, live_server: Any, scene: Any, settings: Any) -> Iterator[Callable[..., Any]]:
    """A page of a person already signed in, at a size; every script error and refused resource fails the test."""
    contexts: list[Any] = []
    troubles: list[str] = []

    def open_page(who: str | None, *, width: int = 1440, height: int = 900, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, base_url=live_server.url, **options)
        contexts.append(context)
        if who is not None:
            cookie = scene.client(who).cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
        page.on("console", lambda said: troubles.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles, troubles


@pytest.fixture
def shot() -> Callable[[Any, str], None]:
    """Keeps a picture where SHOTS names a folder; otherwise nothing."""
    folder = os.environ.get("SHOTS")

    def take(page: Any, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}.png")

    return take
