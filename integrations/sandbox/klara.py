"""The pretended Klara: REST as assumed, and signed webhooks to the hub.

It stores what patients and staff write, tells the registered endpoints, and keeps replies once per idempotency key.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from integrations.sandbox import klara_desk as desk
from integrations.sandbox import klara_rest as rest
from integrations.sandbox import klara_store as store
from integrations.sandbox.clock import Clock
from integrations.sandbox.courier import Courier
from integrations.sandbox.faults import Faults
from integrations.sandbox.frame import Simulator
from integrations.sandbox.journal import Journal
from integrations.sandbox.klara_delivery import Delivery, Post
from integrations.sandbox.klara_store import Account, Record
from integrations.sandbox.wire import Answer, BadBody, Request, json_answer
from integrations.sandbox.world import World

KNOBS: dict[str, Any] = {
    "access_ttl": 3600, "duplicate": "422", "per_second": None, "burst": 10, "retry_after": "seconds", "ratelimit_headers": True,
    "echo_replies": False,
}  # fmt: skip


class Klara(Simulator):
    """The vendor."""

    vendor = "klara"

    def __init__(self, *, world: World, clock: Clock, journal: Journal | None = None, faults: Faults | None = None, seed: int = 0,
                 courier: Courier | None = None) -> None:  # fmt: skip
        self.courier = courier or Courier(workers=8 if clock.time_factor else 0)
        super().__init__(world=world, clock=clock, journal=journal, faults=faults, seed=seed)

    def load(self) -> None:
        """Build accounts, tokens and knobs afresh."""
        now = self.clock.now()
        self.ids = store.Ids(lambda: self.random)
        self.accounts = {p["key"]: store.account(practice=p, moment=now) for p in self.world.practices}
        self.keys = {p["klara"]["api_key"]: p["key"] for p in self.world.practices}
        self.clients = {p["klara"]["client_id"]: p for p in self.world.practices}
        self.tokens: dict[str, tuple[str, datetime]] = {}
        self.buckets: dict[str, tuple[float, datetime]] = {}
        self.knobs = dict(KNOBS)
        self.post = Post(self)
        self.waiting: list[Callable[[], object]] = []

    def practice_of(self, request: Request) -> str:
        """Practice of the token or API key."""
        token = self._credential(request)
        return self.keys.get(token) or self.tokens.get(token, ("", None))[0]

    def control(self, verb: str, request: Request) -> Answer | None:
        """Klara's own control calls."""
        return desk.answer(sim=self, verb=verb, request=request)

    def extend(self, *, document: dict[str, Any]) -> dict[str, int]:
        """More patients and channels for existing practices."""
        with self.lock:
            return desk.extend(sim=self, document=document)

    def handle(self, request: Request) -> Answer:
        """As the frame, then whatever an answer set in motion."""
        try:
            return super().handle(request)
        finally:
            while self.waiting:
                self.courier.later(self.waiting.pop(0))

    def after_answer(self, job: Callable[[], object]) -> None:
        """Run a job once the call in hand is done (outside the lock)."""
        self.waiting.append(job)

    def answer(self, request: Request) -> Answer:
        """Route one vendor call. A leading /v1 is taken or left."""
        now = self.clock.now()
        parts = [part for part in request.path.split("/") if part]
        if parts and parts[0] == "v1":
            parts = parts[1:]
        if parts == ["oauth", "token"]:
            return self._token(request, now)
        token = self._credential(request)
        key = self.keys.get(token)
        if key is None and token in self.tokens and now < self.tokens[token][1]:
            key = self.tokens[token][0]
        if key is None:
            return rest.trouble(self, 401, "unauthorized", "token missing, unknown or expired", {"WWW-Authenticate": "Bearer"})
        limited = self._limit(key, now)
        if limited is not None:
            return limited
        try:
            return rest.route(sim=self, account=self.accounts[key], request=request, parts=parts, now=now)
        except (BadBody, ValueError) as problem:
            return rest.trouble(self, 400, "bad_request", str(problem))

    def throttle_answer(self, *, seconds: int, headers: dict[str, str]) -> Answer:
        """Klara's 429."""
        return rest.trouble(self, 429, "rate_limited", "too many calls", headers)

    def tell(self, *, account: Account, kind: str, conversation: Record | None = None, message: Record | None = None,
             patient: Record | None = None, more: Record | None = None, trouble: str = "send", delay: float = 0.0,
             wait: bool = True) -> tuple[Record, list[Delivery]]:  # fmt: skip
        """Build an event and deliver it; returns the event and its deliveries."""
        who = patient or account.patients[conversation["patient_id"]] if conversation else patient or {}
        event = self.post.event(account=account, kind=kind, patient=who, conversation=conversation, message=message, more=more)
        return event, self.post.emit(account=account, event=event, trouble=trouble, delay=delay, wait=wait)

    def test_event(self, *, account: Account) -> list[Delivery]:
        """The connection test's event: a whole sample message, so that every field path resolves."""
        patient = next(iter(account.patients.values()), {"id": "pat_test"})
        channel = next(iter(account.channels.values()))
        now = store.stamp(self.clock.now())
        conversation = {"id": "conv_test", "status": "open", "reason": None, "tags": [], "channel": channel, "assignee": None,
                        "closed_by": None, "patient_id": patient["id"]}  # fmt: skip
        message = {"id": "msg_test", "direction": "inbound", "author": {"type": "system", "id": "klara"}, "body": "Test",
                   "sent_at": now, "attachments": [], "source": "text"}  # fmt: skip
        return self.tell(account=account, kind="webhook.test", patient=patient, conversation=conversation, message=message)[1]

    def _credential(self, request: Request) -> str:
        return request.headers.get("authorization", "").partition(" ")[2].strip() or request.headers.get("x-api-key", "")

    def _token(self, request: Request, now: datetime) -> Answer:
        form = request.json() if request.content_type == "application/json" else request.form()
        practice = self.clients.get(str(form.get("client_id", "")))
        refused = practice is None or practice["klara"]["client_secret"] != form.get("client_secret")
        if practice is None or refused:
            return json_answer(401, {"error": "invalid_client"})
        if form.get("grant_type") not in ("client_credentials", "refresh_token"):
            return json_answer(400, {"error": "unsupported_grant_type"})
        token = f"{self.random.getrandbits(160):040x}"
        self.tokens[token] = (practice["key"], now + timedelta(seconds=self.knobs["access_ttl"]))
        self.journal.add(at=now, kind="oauth.token", practice=practice["key"], decision="issued")
        return json_answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": self.knobs["access_ttl"]})

    def _limit(self, key: str, now: datetime) -> Answer | None:
        """Token bucket; with no figure set it is 10/s while the clock runs and off while it is frozen."""
        rate = self.knobs["per_second"]
        if rate is None:
            rate = 10 if self.clock.time_factor else 0
        if not rate:
            return None
        level, since = self.buckets.get(key, (float(self.knobs["burst"]), now))
        level = min(float(self.knobs["burst"]), level + (now - since).total_seconds() * rate)
        if level >= 1.0:
            self.buckets[key] = (level - 1.0, now)
            return None
        self.buckets[key] = (level, now)
        self.journal.add(at=now, kind="throttled", practice=key, decision="429")
        headers = {"RateLimit-Limit": str(rate), "RateLimit-Remaining": "0"} if self.knobs["ratelimit_headers"] else {}
        if self.knobs["retry_after"] == "seconds":
            headers["Retry-After"] = "1"
        elif self.knobs["retry_after"] == "date":
            headers["Retry-After"] = format_datetime(now + timedelta(seconds=1), usegmt=True)
        return self.throttle_answer(seconds=1, headers=headers)


def build(*, world: World, clock: Clock, journal: Journal | None = None, faults: Faults | None = None, seed: int = 0,
          courier: Courier | None = None) -> Klara:  # fmt: skip
    """The simulator; `courier` carries its webhooks."""
    return Klara(world=world, clock=clock, journal=journal, faults=faults, seed=seed, courier=courier)
