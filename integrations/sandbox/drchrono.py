"""The pretended DrChrono: REST v4 as the contract describes it, with OAuth, limits, validation and webhooks.

It answers from its own charts only, and says no exactly where the vendor would.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from integrations.sandbox import drchrono_desk as desk
from integrations.sandbox import drchrono_lists as lists
from integrations.sandbox import drchrono_writes as writes
from integrations.sandbox.clock import Clock
from integrations.sandbox.courier import Courier
from integrations.sandbox.drchrono_hooks import Hooks
from integrations.sandbox.drchrono_oauth import Grant, OAuth
from integrations.sandbox.drchrono_routes import BATCHES, RESOURCES, scopes_for
from integrations.sandbox.drchrono_settings import Knobs
from integrations.sandbox.drchrono_store import Chart
from integrations.sandbox.faults import Faults
from integrations.sandbox.frame import Simulator
from integrations.sandbox.journal import Journal
from integrations.sandbox.wire import Answer, Request, html_answer, json_answer
from integrations.sandbox.world import World

NOT_FOUND = {"detail": "Not found."}
FORBIDDEN = {"detail": "You do not have permission to perform this action."}


class DrChrono(Simulator):
    """The vendor."""

    vendor = "drchrono"

    def __init__(
        self,
        *,
        world: World,
        clock: Clock,
        journal: Journal | None = None,
        faults: Faults | None = None,
        seed: int = 0,
        courier: Courier | None = None,
    ) -> None:
        self.courier = courier or Courier(workers=4 if clock.time_factor else 0)
        super().__init__(world=world, clock=clock, journal=journal, faults=faults, seed=seed)

    def load(self) -> None:
        """Build charts, tokens, limits and knobs afresh."""
        self.numbers = iter(range(900_000_001, 2_000_000_000))
        self.charts = {p["key"]: Chart(practice=p, numbers=self.numbers) for p in self.world.practices}
        self.knobs = Knobs()
        self.oauth = OAuth(practices=self.world.practices, knobs=self.knobs, random=self.random)
        self.hooks = Hooks(clock=self.clock, journal=self.journal, courier=self.courier, random=self.random)
        self.jobs = lists.Jobs(random=self.random)
        self.hours: dict[str, tuple[datetime, int]] = {}
        self.calls: dict[str, deque[datetime]] = {}

    def practice_of(self, request: Request) -> str:
        """Practice of the bearer token."""
        return self.oauth.practice_of(request)

    def control(self, verb: str, request: Request) -> Answer | None:
        """DrChrono's own control calls."""
        return desk.answer(sim=self, verb=verb, request=request)

    def extend(self, *, document: dict[str, Any]) -> dict[str, int]:
        """More records for existing practices."""
        with self.lock:
            return desk.extend(sim=self, document=document)

    def answer(self, request: Request) -> Answer:
        """Route one vendor call."""
        now = self.clock.now()
        match request.path:
            case "/o/authorize/" | "/o/authorize":
                practice = self.oauth.clients.get(request.params.get("client_id", ""))
                return self.oauth.authorize(
                    request, now=now, user=self.charts[practice["key"]].owner() if practice else ""
                )
            case "/o/token/" if request.method == "POST":
                answer = self.oauth.token(request, now=now)
                self.journal.add(
                    at=now, kind="oauth.token", decision=str(answer.status), practice=self._client_practice(request)
                )
                return answer
            case "/o/revoke_token/" if request.method == "POST":
                return self.oauth.revoke(request)
        if not request.path.startswith("/api/"):
            return html_answer(404, "<html><body><h1>Page not found</h1></body></html>")
        grant = self.oauth.grant_of(request, now=now)
        if grant is None:
            return json_answer(
                401,
                {"detail": "Authentication credentials were not provided or are invalid."},
                {"WWW-Authenticate": 'Bearer realm="api"'},
            )
        throttled = self._throttle(grant, now)
        return throttled or self._api(request, grant, self.charts[grant.practice], now)

    def _client_practice(self, request: Request) -> str:
        practice = self.oauth.clients.get(request.form().get("client_id", ""))
        return practice["key"] if practice else ""

    def _throttle(self, grant: Grant, now: datetime) -> Answer | None:
        practice, client = grant.practice, grant.client_id
        burst = self.knobs.get("burst_limit", practice)
        if burst is None:
            burst = 10 if self.clock.time_factor else 0
        recent = self.calls.setdefault(client, deque())
        while recent and now - recent[0] >= timedelta(seconds=1):
            recent.popleft()
        recent.append(now)
        if burst and len(recent) >= burst:
            return self._too_many(practice, 1, "burst", now)
        hour = now.replace(minute=0, second=0, microsecond=0)
        begun, used = self.hours.get(client, (hour, 0))
        used = used + 1 if begun == hour else 1
        self.hours[client] = (hour, used)
        if used > self.knobs.get("hourly_limit", practice):
            left = int((hour + timedelta(hours=1) - now).total_seconds()) + 1
            return self._too_many(practice, left, "hour", now)
        return None

    def _too_many(self, practice: str, seconds: int, which: str, now: datetime) -> Answer:
        self.journal.add(at=now, kind="throttled", practice=practice, decision=which, data={"seconds": seconds})
        headers = {"Retry-After": str(seconds)} if self.knobs.get("retry_after", practice) else {}
        if self.knobs.get("ratelimit_headers", practice):
            headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(now.timestamp()) + seconds)}
        return self.throttle_answer(seconds=seconds, headers=headers)

    def _api(self, request: Request, grant: Grant, chart: Chart, now: datetime) -> Answer:
        name, _, rest = request.path.removeprefix("/api/").partition("/")
        if name in BATCHES:
            return self._batch(request, grant, chart, now, name, rest)
        resource = RESOURCES.get(name)
        if resource is None or request.path.endswith("/"):
            return json_answer(404, NOT_FOUND)
        item, _, action = rest.partition("/")
        if action:
            methods = resource.actions.get(action)
            if methods is None:
                return json_answer(404, NOT_FOUND)
        else:
            methods = resource.item_methods if item else resource.collection_methods
        if request.method not in methods:
            return self.refuse_method(request.method, methods)
        if not self._may(grant, scopes_for(resource, request.method), resource.permissions):
            return json_answer(403, FORBIDDEN)
        if name == "users" and item == "current":
            return self._current(request, grant, chart)
        if not item and request.method == "GET":
            if name == "availability":
                return json_answer(200, {"previous": None, "results": [], "next": None})
            return lists.listing(chart=chart, resource=resource, request=request, knobs=self.knobs, now=now)
        if item and not action and request.method == "GET":
            record = chart.table(name).get(item)
            if record is None:
                return json_answer(404, NOT_FOUND)
            verbose = request.params.get("verbose") == "true"
            return json_answer(200, lists.shown(record, name, chart, self.knobs, verbose=verbose))
        return writes.write(
            sim=self, chart=chart, name=name, item=item, action=action, request=request, user=grant.user, now=now
        )

    def _current(self, request: Request, grant: Grant, chart: Chart) -> Answer:
        if self.knobs.get("redirect_current", grant.practice):
            return Answer(status=302, headers={"Location": f"{request.base_url}/api/users/{grant.user}"})
        return json_answer(200, chart.table("users").get(grant.user) or {})

    def _batch(self, request: Request, grant: Grant, chart: Chart, now: datetime, name: str, rest: str) -> Answer:
        batch = BATCHES[name]
        if rest:
            return json_answer(404, NOT_FOUND)
        if request.method not in ("GET", "POST"):
            return self.refuse_method(request.method, ("GET", "POST"))
        scopes = batch.write_families if request.method == "POST" else batch.families
        if not self._may(grant, scopes, batch.permissions):
            return json_answer(403, FORBIDDEN)
        if request.method == "POST":
            return self.jobs.start(
                batch=batch, resource=RESOURCES[batch.of], chart=chart, request=request, knobs=self.knobs, now=now
            )
        return self.jobs.poll(batch=batch, chart=chart, request=request, knobs=self.knobs, now=now)

    def _may(self, grant: Grant, scopes: tuple[str, ...], permissions: tuple[str, ...]) -> bool:
        if not self.knobs.get("enforce_scopes", grant.practice):
            return True
        held = set(grant.scope.split()) - set(self.knobs.get("without_scopes", grant.practice))
        missing = set(self.knobs.get("without_permissions", grant.practice))
        return held.issuperset(scopes) and not missing.intersection(permissions)

    @staticmethod
    def refuse_method(method: str, allowed: tuple[str, ...]) -> Answer:
        """405 as the vendor's framework words it."""
        return json_answer(405, {"detail": f'Method "{method}" not allowed.'}, {"Allow": ", ".join(allowed)})


def build(
    *,
    world: World,
    clock: Clock,
    journal: Journal | None = None,
    faults: Faults | None = None,
    seed: int = 0,
    courier: Courier | None = None,
) -> DrChrono:
    """The simulator; `courier` carries its webhooks."""
    return DrChrono(world=world, clock=clock, journal=journal, faults=faults, seed=seed, courier=courier)
