"""What the sandbox's own tests share: a small world, a frozen clock, and a session that speaks to a simulator."""

from datetime import UTC, datetime
from typing import Any

import requests

from integrations.sandbox import seeding
from integrations.sandbox.clock import Clock
from integrations.sandbox.frame import Simulator
from integrations.sandbox.world import World
from tests.wsgi_adapter import WsgiAdapter

NOW = datetime(2026, 6, 2, 14, 0, tzinfo=UTC)
URL = "https://vendor.test"


def small_world() -> World:
    return World(document=seeding.generate(seed=1, now=NOW, practices=2, patients=30, doctors=2))


def frozen() -> Clock:
    return Clock.frozen(at=NOW)


class Desk:
    """A session mounted on one simulator; `control` is the test desk."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.session = requests.Session()
        self.session.mount(URL, WsgiAdapter(simulator))

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, URL + path, allow_redirects=options.pop("follow", False), **options)

    def control(self, verb: str, **wish: Any) -> Any:
        answer = self.call("POST", f"/__sim__/{verb}", json=wish)
        assert answer.ok, answer.text
        return answer.json()

    def journal(self, **params: str) -> list[dict[str, Any]]:
        return self.call("GET", "/__sim__/journal", params=params).json()["entries"]
