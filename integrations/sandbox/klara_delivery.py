"""Klara's webhooks: events built, signed for each attempt, delivered, and retried for at most 24 hours (14 attempts).

Troubles (lost, doubled, late, out of order, wrongly signed, altered) are ordered per event. Every attempt stands in the journal.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from integrations.sandbox import klara_signing as signing
from integrations.sandbox.klara_store import Account, Endpoint, Record, stamp

if TYPE_CHECKING:
    from integrations.sandbox.klara import Klara

# klara.md 5: 30 s doubling, capped at 4 h, at most 24 h: cumulative seconds of the 14 attempts
SCHEDULE = (0, 30, 90, 210, 450, 930, 1890, 3810, 7650, 15330, 29730, 44130, 58530, 72930)
WRONG = "whsec_d3JvbmctdGhpcy1pcy1ub3QtdGhlLXNlY3JldC1hdC1hbGw="
TROUBLES = ("send", "lost", "delayed", "duplicate", "reordered", "wrong_secret", "old_secret", "unsigned", "altered")


@dataclass(slots=True)
class Delivery:
    """One event on its way to one endpoint. state: pending | delivered | exhausted | lost | held | disabled."""

    id: str
    endpoint: Endpoint
    event_id: str
    type: str
    body: bytes
    born: datetime
    trouble: str = "send"
    state: str = "pending"
    attempts: list[dict[str, Any]] = field(default_factory=list)
    last_headers: dict[str, str] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {"id": self.id, "event": self.event_id, "type": self.type, "state": self.state, "attempts": self.attempts,
                "status": self.attempts[-1]["status"] if self.attempts else None}  # fmt: skip


class Post:
    """The sending side of one simulator."""

    def __init__(self, sim: "Klara") -> None:
        self.sim = sim
        self.deliveries: dict[str, Delivery] = {}
        self.held: list[Delivery] = []

    def event(self, *, account: Account, kind: str, patient: Record, conversation: Record | None = None, message: Record | None = None,
              more: Record | None = None) -> Record:  # fmt: skip
        """An event envelope with the whole resources in it, as they are now."""
        with self.sim.lock:
            account.sequence += 1
            number = account.sequence
        data: Record = {"patient": {k: v for k, v in patient.items() if k != "updated_at"}}
        if conversation is not None:
            data["conversation"] = {k: v for k, v in conversation.items() if k not in ("patient_id", "created_at", "updated_at")}
        if message is not None:
            data["message"] = {k: v for k, v in message.items() if k not in ("conversation_id", "created_at", "visibility")}
        return {
            "id": self.sim.ids.new("evt"), "type": kind, "api_version": "2026-01-01", "occurred_at": stamp(self.sim.clock.now()),
            "sequence": number, "practice_id": account.practice["klara"]["practice_id"], "data": {**data, **(more or {})},
        }  # fmt: skip

    def emit(self, *, account: Account, event: Record, trouble: str = "send", delay: float = 0.0, wait: bool = True) -> list[Delivery]:
        """Deliver one event to every endpoint that wants it; `wait` makes the first attempt before returning."""
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        made = []
        for endpoint in list(account.endpoints.values()):
            if not endpoint.active or (endpoint.events and event["type"] not in endpoint.events):
                continue
            made.append(self.dispatch(endpoint=endpoint, event_id=event["id"], kind=event["type"], body=body, trouble=trouble,
                                      delay=delay, wait=wait))  # fmt: skip
        return made

    def dispatch(self, *, endpoint: Endpoint, event_id: str, kind: str, body: bytes, trouble: str = "send", delay: float = 0.0,
                 wait: bool = True) -> Delivery:  # fmt: skip
        """Send given bytes as one delivery."""
        delivery = Delivery(self.sim.ids.new("dlv"), endpoint, event_id, kind, body, self.sim.clock.now(), trouble)
        self.deliveries[delivery.id] = delivery
        if trouble == "lost":
            delivery.state = "lost"
            self._note(delivery, "lost", 0)
            return delivery
        if trouble == "reordered":
            delivery.state = "held"
            self.held.append(delivery)
            return delivery
        if delay or trouble == "delayed":
            self._at(delivery, delay or 1800.0)
        elif wait:
            self.attempt(delivery)
        else:
            self.sim.courier.later(lambda: self.attempt(delivery))
        if trouble == "duplicate":
            self.attempt(delivery, retry=False)
        self._release()
        return delivery

    def attempt(self, delivery: Delivery, *, retry: bool = True, headers: dict[str, str] | None = None) -> int:
        """One attempt; plans the next when it failed. Returns the status (0 = no answer)."""
        number = len(delivery.attempts) + 1
        sent = headers or self._headers(delivery, number)
        body = delivery.body if delivery.trouble != "altered" else delivery.body[:-1] + b" }"
        delivery.last_headers = sent
        reply = self.sim.courier.send(url=delivery.endpoint.url, headers=sent, body=body)
        delivery.attempts.append({"at": stamp(self.sim.clock.now()), "status": reply.status})
        if reply.ok:
            delivery.state = "delivered"
        elif reply.status == 410:
            delivery.endpoint.active, delivery.state = False, "disabled"
        elif retry and delivery.state == "pending":
            self._plan(delivery, number, reply.retry_after)
        self._note(delivery, delivery.state, reply.status)
        return reply.status

    def _plan(self, delivery: Delivery, done: int, retry_after: str | None) -> None:
        if done >= len(SCHEDULE):
            delivery.state = "exhausted"
            return
        now = self.sim.clock.now()
        wait = max(0.0, SCHEDULE[done] - (now - delivery.born).total_seconds(), _seconds(retry_after, now))
        self._at(delivery, wait)

    def _at(self, delivery: Delivery, seconds: float) -> None:
        self.sim.clock.call_later(seconds=seconds, name=f"deliver {delivery.event_id}", job=lambda: self._go(delivery))

    def _go(self, delivery: Delivery) -> None:
        if self.sim.clock.advancing:  # the test desk moves time: everything due must have happened when it returns
            self.attempt(delivery)
        else:
            self.sim.courier.later(lambda: self.attempt(delivery))

    def _release(self) -> None:
        while self.held:
            delivery = self.held.pop(0)
            delivery.state = "pending"
            self.attempt(delivery)

    def _headers(self, delivery: Delivery, number: int) -> dict[str, str]:
        endpoint = delivery.endpoint
        secrets = {"wrong_secret": [WRONG], "old_secret": endpoint.secrets[-1:], "unsigned": []}.get(delivery.trouble, endpoint.secrets)
        scheme = endpoint.scheme
        if delivery.trouble == "wrong_secret" and scheme["secret_format"] != "whsec":
            secrets = ["00" * 32]
        moment = delivery.born if scheme["timestamp_semantics"] == "event" else self.sim.clock.now()
        headers = {"Content-Type": "application/json", "X-Klara-Delivery-Attempt": str(number), "User-Agent": "Klara-Webhooks/1"}
        if delivery.trouble != "unsigned":
            headers |= signing.headers_for(scheme=scheme, secrets=secrets, event_id=delivery.event_id, moment=moment, body=delivery.body)
        return headers

    def _note(self, delivery: Delivery, decision: str, status: int) -> None:
        self.sim.journal.add(at=self.sim.clock.now(), kind="webhook.attempt", practice=delivery.endpoint.practice, decision=decision,
                             ids={"event": delivery.event_id, "delivery": delivery.id, "type": delivery.type},
                             data={"status": status, "attempt": len(delivery.attempts), "trouble": delivery.trouble})  # fmt: skip


def _seconds(retry_after: str | None, now: datetime) -> float:
    if not retry_after:
        return 0.0
    if retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - now).total_seconds())
    except ValueError:
        return 0.0
