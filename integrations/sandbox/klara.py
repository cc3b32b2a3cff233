"""The pretended Klara: REST below /v1 (or without it), signed events, and a test desk (docs/sandbox.md).

Klara publishes no contract; this follows our assumed one (vendor notes, sections 3 to 5) and nothing of the hub's code.
"""

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from integrations.sandbox import control
from integrations.sandbox import klara_delivery as hooks
from integrations.sandbox import klara_desk as desk
from integrations.sandbox import klara_rest as rest
from integrations.sandbox.clock import Clock
from integrations.sandbox.courier import Courier, Reply
from integrations.sandbox.faults import Faults
from integrations.sandbox.frame import Simulator
from integrations.sandbox.journal import Journal
from integrations.sandbox.klara_delivery import Delivery, Endpoint, Twist
from integrations.sandbox.klara_door import Door, Refused
from integrations.sandbox.klara_settings import Switches
from integrations.sandbox.klara_store import Account, Conversation, Message, Unknown, milliseconds
from integrations.sandbox.wire import Answer, BadBody, Request, json_answer
from integrations.sandbox.world import World

API_VERSION = "2026-01-01"
WORKERS = 8
# url, headers, body -> (status, headers); a bare status or a courier's Reply will do too
Deliver = Callable[[str, dict[str, str], bytes], "tuple[int, Mapping[str, str]] | int | Reply"]


class Klara(Simulator):
    """The vendor."""

    vendor = "klara"

    def __init__(
        self,
        *,
        world: World,
        clock: Clock,
        journal: Journal | None = None,
        faults: Faults | None = None,
        seed: int = 0,
        deliver: Deliver | None = None,
        courier: Courier | None = None,
    ) -> None:
        self.injected = deliver is not None or courier is not None
        workers = 0 if self.injected or not clock.time_factor else WORKERS
        self.courier = courier or Courier(deliver=_carrier(deliver) if deliver else None, workers=workers)
        self.hooks: hooks.Hooks | None = None
        super().__init__(world=world, clock=clock, journal=journal, faults=faults, seed=seed)

    def load(self) -> None:
        """Everything from the world anew; endpoints, tokens and switches go back to the start."""
        if self.hooks is not None:
            self.hooks.closed = True
        now = self.clock.now()
        # ids differ from those of an earlier run whose rows a hub may still hold, yet repeat with seed and moment
        self.salt = f"{self.seed}/{int(now.timestamp())}"
        self.switches = Switches()
        practices = [practice for practice in self.world.practices if practice.get("klara")]
        self.accounts = {p["key"]: Account(practice=p, now=now, salt=self.salt) for p in practices}
        self.door = Door(
            practices=practices, switches=self.switches, random=self.random, runs=bool(self.clock.time_factor)
        )
        self.hooks = hooks.Hooks(
            clock=self.clock,
            journal=self.journal,
            courier=self.courier,
            random=self.random,
            switches=self.switches,
            lock=self.lock,
            new_id=lambda practice, kind: self.accounts[practice].new_id(kind),
            book=lambda practice: self.accounts[practice].endpoints,
        )
        self._requests = itertools.count(1)

    def extend(self, *, document: dict[str, Any]) -> dict[str, int]:
        """More patients, channels or macros for practices that exist, or whole practices."""
        with self.lock:
            return desk.extend(sim=self, document=document)

    def practice_of(self, request: Request) -> str:
        """Practice of the credential shown."""
        return self.door.practice_of(request)

    def control(self, verb: str, request: Request) -> Answer | None:
        """Klara's own control calls."""
        return desk.answer(sim=self, verb=verb, request=request)

    def handle(self, request: Request) -> Answer:
        """As the frame; /v1 may be left out, /control/... is another name of /__sim__/..."""
        if request.path.startswith("/control/"):
            request.path = "/__sim__/" + request.path.removeprefix("/control/")
        if request.path.startswith("/__sim__/"):
            return control.answer(desk=self, request=desk.without_prefix(request))
        if request.path.startswith("/v1/"):
            request.path = request.path.removeprefix("/v1")
        return super().handle(request)

    # answering -----------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Answer:
        """One vendor call."""
        now = self.clock.now()
        request_id = f"req_{hashlib.sha256(f'{self.salt}/{next(self._requests)}'.encode()).hexdigest()[:20]}"
        try:
            answer = self._answer(request, now)
        except Refused as refused:
            if refused.status == 429:
                self.journal.add(at=now, kind="throttled", practice=self.practice_of(request))
            answer = _error(refused.status, refused.code, refused.message, request_id)
            answer.headers |= refused.headers
        except Unknown as unknown:
            answer = _error(404, "not_found", str(unknown.args[0]), request_id)
        except BadBody:
            answer = _error(400, "invalid_json", "The body could not be read.", request_id)
        answer.headers["X-Request-Id"] = request_id
        return answer

    def _answer(self, request: Request, now: datetime) -> Answer:
        if request.path == "/oauth/token":
            if request.method != "POST":
                raise Refused(405, "method_not_allowed", "Use POST.", {"Allow": "POST"})
            known = self.door.practice_of(request)
            if known:
                self.door.pace(practice=known, now=now)
            made = self.door.token(request=request, now=now)
            self.journal.add(at=now, kind="token.issued", practice=known)
            return json_answer(200, made, {"Cache-Control": "no-store"})
        practice = self.door.check(request=request, now=now)
        self.door.pace(practice=practice, now=now)
        return rest.answer(sim=self, account=self.accounts[practice], request=request, now=now)

    def throttle_answer(self, *, seconds: int, headers: dict[str, str]) -> Answer:
        """The 429 of an injected fault, in Klara's error shape."""
        answer = _error(429, "rate_limited", "Too many calls.", "req_throttled")
        answer.headers |= {
            "Date": self.door.told(practice="", seconds=seconds, now=self.clock.now())["Date"],
            **headers,
        }
        return answer

    # sending -------------------------------------------------------------------------------------------------------

    def event(
        self,
        *,
        account: Account,
        kind: str,
        now: datetime,
        conversation: Conversation | None = None,
        message: Message | None = None,
        patient: dict[str, Any] | None = None,
        event_id: str = "",
    ) -> dict[str, Any]:
        """An event's document; takes the next sequence number."""
        account.sequence += 1
        data: dict[str, Any] = {}
        if patient is None and conversation is not None:
            patient = account.patients[conversation.patient]
        if patient is not None:
            data["patient"] = account.patient_shown(patient, full=kind.startswith("patient."))
        if conversation is not None:
            data["conversation"] = conversation.shown()
        if message is not None:
            data["message"] = message.shown()
        return {
            "id": event_id or account.new_id("evt"),
            "type": kind,
            "api_version": API_VERSION,
            "occurred_at": milliseconds(now),
            "sequence": account.sequence,
            "practice_id": account.id,
            "data": data,
        }

    def plan(
        self,
        *,
        account: Account,
        event: dict[str, Any],
        twist: Twist | None = None,
        lose: bool = False,
        to: str = "",
        only: Endpoint | None = None,
    ) -> list[Delivery]:
        """Deliveries for an event, to be started without the lock; a lost one is only noted."""
        now = self.clock.now()
        ids = {"event": event["id"], "type": event["type"]}
        for part in ("patient", "conversation", "message"):
            ids[part] = ((event.get("data") or {}).get(part) or {}).get("id", "")
        self.journal.add(at=now, kind="event", practice=account.key, decision="lost" if lose else "sent", ids=ids)
        if lose:
            return []
        return self.hooks.plan(
            practice=account.key, event=event, occurred_at=now, twist=twist or Twist(), to=to, only=only
        )

    def start(
        self, *, deliveries: Sequence[Delivery], delay: float = 0.0, wait: bool = True, parallel: bool = False
    ) -> None:
        """First attempts: at once and waited for, in the background, or `delay` virtual seconds from now."""
        now = self.clock.now()
        due = now + timedelta(seconds=delay)

        def job(delivery: Delivery) -> Callable[[], int]:
            return lambda: self.hooks.attempt(delivery=delivery, number=1, due=due)

        if delay > 0:
            for delivery in deliveries:
                delivery.born = due
                self.clock.call_at(
                    moment=due,
                    name=f"{delivery.type} {delivery.event_id}",
                    job=partial(self.hooks.carry, job(delivery)),
                )
        elif not wait:
            for delivery in deliveries:
                self.courier.later(job(delivery))
        elif parallel and len(deliveries) > 1:
            with ThreadPoolExecutor(max_workers=min(32, len(deliveries))) as pool:
                list(pool.map(lambda delivery: job(delivery)(), deliveries))
        else:
            for delivery in deliveries:
                job(delivery)()

    def own(self, *, account: Account, event: dict[str, Any]) -> None:
        """An event caused by the integration itself; sent only when switched on."""
        lose = not self.switches.get("own_events", account.key)
        for delivery in self.plan(account=account, event=event, lose=lose):
            self.start(deliveries=[delivery], wait=False)


def _error(status: int, code: str, message: str, request_id: str) -> Answer:
    return json_answer(status, {"error": {"code": code, "message": message, "request_id": request_id}})


def _carrier(deliver: Deliver) -> Callable[[str, Mapping[str, str], bytes], Reply]:
    def carry(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        answer = deliver(url, dict(headers), body)
        if isinstance(answer, tuple):
            told = {name.lower(): value for name, value in dict(answer[1]).items()}
            return Reply(status=answer[0], retry_after=told.get("retry-after"))
        return answer if isinstance(answer, Reply) else Reply(status=answer)

    return carry


def build(
    *,
    world: World,
    clock: Clock,
    journal: Journal | None = None,
    faults: Faults | None = None,
    seed: int = 0,
    deliver: Deliver | None = None,
    courier: Courier | None = None,
) -> Klara:
    """Klara for a world. `deliver` (or a whole `courier`) carries its webhooks; without it HTTP to loopback."""
    return Klara(world=world, clock=clock, journal=journal, faults=faults, seed=seed, deliver=deliver, courier=courier)
