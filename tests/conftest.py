"""Ground of all tests: throw-away PostgreSQL and Redis, a frozen moment, and no way out to the network.

The servers are started once, before Django reads its settings, by the process a person started; xdist workers share
them, each with a database of its own. DATABASE_URL and REDIS_URL, if set, are used instead.
"""

import atexit
import importlib.util
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings

from deploy import embedded
from deploy.embedded import places

ROOT = Path(__file__).resolve().parent.parent
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
IN_CI = os.environ.get("CI", "") not in {"", "0", "false"}

# Speed is measured, never asserted: a busy machine fails no property.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# Fixtures of other files, loaded where present: the cast (people and practices), factories, sandbox clients.
pytest_plugins = [
    f"tests.{name}" for name in ("cast", "vendors", "live") if importlib.util.find_spec(f"tests.{name}") is not None
]

_home: Path | None = None
_servers: embedded.Servers | None = None


def _environment() -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "refillhub.settings",
        "READ_DOTENV": "0",
        "DEBUG": "1",
        "PLAIN_HTTP": "1",
        "LOG_LEVEL": "WARNING",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # the browser driver runs a loop of its own in the test's thread
        "DRCHRONO_BASE_URL": "http://127.0.0.1:9",
        "KLARA_BASE_URL": "http://127.0.0.1:9/v1",
        "SURESCRIPTS_BASE_URL": "http://127.0.0.1:9",
    }


def _start_servers() -> None:
    global _home, _servers
    _home = places.throw_away_home()
    _servers = embedded.start(home=_home, durable=False, say=lambda text: None)
    os.environ.update(_servers.environment())


def _stop_servers() -> None:
    if _servers is not None:
        _servers.discard()
    if _home is not None:
        shutil.rmtree(_home, ignore_errors=True)


if not IS_WORKER:
    os.environ.update(_environment())
    if "--collect-only" in sys.argv or "--co" in sys.argv:
        os.environ.setdefault("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none")
    else:
        atexit.register(_stop_servers)  # also when pytest ends before it is configured
        _start_servers()


def pytest_configure(config: pytest.Config) -> None:
    """Fast password hashes; the rest of the settings stay what they are."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 2, "socket_connect_timeout": 2}
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker.startswith("gw"):  # a Redis database of its own for each worker: they are numbered 0 to 15
        address = settings.REDIS_URL.rpartition("?db=")[0] or settings.REDIS_URL.rpartition("/")[0]
        joiner = "?db=" if "?db=" in settings.REDIS_URL else "/"
        settings.REDIS_URL = f"{address}{joiner}{1 + int(worker[2:]) % 15}"
        settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers, also after Ctrl-C and after errors in collection."""
    if not IS_WORKER:
        _stop_servers()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Soak runs only when asked for by mark."""
    if "soak" in (config.getoption("-m") or ""):
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="a long run: make soak"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI a browser or service test that skips has failed: a missing tool must not look like a pass."""
    report = yield
    marked = item.get_closest_marker("browser") or item.get_closest_marker("service")
    if IN_CI and marked and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


class NetworkForbidden(RuntimeError):
    """A test tried to leave the machine."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only unix sockets and loopback may be connected to; a name that is not localhost is not even looked up."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX:
            host = address[0] if isinstance(address, tuple) else address
            if not _is_loopback(str(host)):
                raise NetworkForbidden(f"tests may not connect to {host}")
        return connect(self, address)

    def guarded_look_up(host: object, *rest: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_loopback(str(name)):
            raise NetworkForbidden(f"tests may not look up {name}")
        return look_up(host, *rest, **named)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1", "0.0.0.0", ""} or host.startswith("127.")  # noqa: S104 - compared, not bound


@pytest.fixture
def now() -> datetime:
    """Tuesday 10 November 2026, 10:00 in New York: office hours, no holiday near, after the clocks went back."""
    return datetime(2026, 11, 10, 15, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def chromium_path() -> str | None:
    """The distribution's Chromium for `playwright.chromium.launch(executable_path=...)`; None: playwright's own."""
    given = os.environ.get("CHROMIUM_PATH")
    return given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def wait_until(condition: object, *, seconds: float = 10.0, every: float = 0.05) -> bool:
    """Poll a callable until it is true; for real processes only, never for our own logic."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if callable(condition) and condition():
            return True
        time.sleep(every)
    return False
