"""Webhooks of the pretended Klara: endpoints, deliveries signed anew for each attempt, retries for at most 24 hours.

Success is 2xx within ten seconds; 3xx is failure, 410 disables the endpoint, Retry-After is honoured. Every attempt
stands in the delivery log and in the journal.
"""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any
from urllib.parse import urlsplit

from integrations.sandbox import klara_shaping as shaping
from integrations.sandbox import klara_signing as signing
from integrations.sandbox.clock import Clock
from integrations.sandbox.courier import Courier, Reply
from integrations.sandbox.journal import Journal
from integrations.sandbox.klara_settings import Switches
from integrations.sandbox.klara_signing import Scheme
from integrations.sandbox.klara_store import seconds

# contract section 5: moments of the attempts in seconds after the first
SCHEDULE = (0, 30, 90, 210, 450, 930, 1890, 3810, 7650, 15330, 29730, 44130, 58530, 72930)
WINDOW = timedelta(hours=24)
KEPT = 50_000
WRONG_BYTES = b"wrong-this-is-not-the-secret-at-all"
WRONG = signing.make_secret(raw=WRONG_BYTES, scheme=signing.ASSUMED)
MINIMUM = (
    "message.created",
    "conversation.tagged",
    "conversation.untagged",
    "conversation.closed",
    "patient.updated",
    "patient.merged",
    "webhook.test",
)


@dataclass(slots=True)
class Endpoint:
    """One registered address. `secrets` newest first; `events` empty = all; `signing` "" = the switch decides."""

    id: str
    practice: str
    url: str
    secrets: list[str]
    events: tuple[str, ...]
    scheme: Scheme
    created_at: datetime
    signing: str = ""
    status: str = "enabled"
    old_until: datetime | None = None

    def takes(self, kind: str) -> bool:
        """Whether it wants events of this type."""
        return self.status == "enabled" and (not self.events or kind in self.events)

    def shown(self) -> dict[str, Any]:
        """As in the API; never a secret."""
        return {
            "id": self.id,
            "url": self.url,
            "events": list(self.events),
            "status": self.status,
            "secrets": len(self.secrets),
            "created_at": seconds(self.created_at),
        }


@dataclass(frozen=True, slots=True)
class Twist:
    """What is done wrongly on purpose. `alter` = byte | reserialise; `signing` overrules endpoint and switch."""

    signing: str = ""
    alter: str = ""
    retry: bool = True
    headers: tuple[tuple[str, str | None], ...] = ()
    shift: float = 0.0


@dataclass(slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: str
    endpoint: Endpoint
    event_id: str
    type: str
    occurred_at: datetime
    body: bytes
    twist: Twist
    born: datetime
    state: str = "pending"
    attempts: list[dict[str, Any]] = field(default_factory=list)
    sent: tuple[dict[str, str], bytes] | None = None

    def shown(self) -> dict[str, Any]:
        """As in the delivery log."""
        return {
            "id": self.id,
            "endpoint_id": self.endpoint.id,
            "event_id": self.event_id,
            "event_type": self.type,
            "state": self.state,
            "attempts": list(self.attempts),
            "created_at": seconds(self.born),
        }


class Hooks:
    """All endpoints and deliveries of one simulator. `lock` is the simulator's."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        courier: Courier,
        random: Random,
        switches: Switches,
        lock: Any,
        new_id: Callable[[str, str], str],
        book: Callable[[str], dict[str, "Endpoint"]],
    ) -> None:
        self.book = book
        self.clock, self.journal, self.courier, self.random = clock, journal, courier, random
        self.switches, self.lock, self.new_id = switches, lock, new_id
        self.held: dict[str, list[Delivery]] = {}
        self.log: deque[Delivery] = deque(maxlen=KEPT)
        self.closed = False

    # endpoints -----------------------------------------------------------------------------------------------------

    def register(
        self, *, practice: str, url: str, secrets: list[str], events: tuple[str, ...], scheme: Scheme
    ) -> Endpoint:
        """A new endpoint; a secret is made when none is given. Raises BadScheme for a secret of another format."""
        if urlsplit(url).scheme not in ("http", "https"):
            raise signing.BadScheme("an endpoint needs an http or https address")
        secrets = list(secrets) or [self.make_secret(scheme)]
        for secret in secrets:
            signing.key_of(secret=secret, scheme=scheme)
        made = Endpoint(
            id=self.new_id(practice, "whe"),
            practice=practice,
            url=url,
            secrets=secrets,
            events=events,
            scheme=scheme,
            created_at=self.clock.now(),
        )
        self.book(practice)[made.id] = made
        return made

    def make_secret(self, scheme: Scheme) -> str:
        """A fresh 32-byte secret."""
        return signing.make_secret(raw=self.random.randbytes(32), scheme=scheme)

    def rotate(self, *, endpoint: Endpoint, secret: str = "") -> str:
        """A new secret in front; the old one goes on signing for the overlap."""
        made = secret or self.make_secret(endpoint.scheme)
        signing.key_of(secret=made, scheme=endpoint.scheme)
        endpoint.secrets = [made, *endpoint.secrets[:1]]
        overlap = self.switches.get("rotation_overlap", endpoint.practice)
        endpoint.old_until = self.clock.now() + timedelta(seconds=overlap)
        return made

    def of(self, practice: str) -> list[Endpoint]:
        """The endpoints of a practice."""
        return list(self.book(practice).values())

    # deliveries ----------------------------------------------------------------------------------------------------

    def plan(
        self,
        *,
        practice: str,
        event: dict[str, Any],
        occurred_at: datetime,
        twist: Twist,
        to: str = "",
        only: "Endpoint | None" = None,
    ) -> list[Delivery]:
        """One delivery for each endpoint that wants the event; call with the lock, then `start` without it."""
        if not self.switches.get("webhooks", practice):
            return []
        planned = []
        for endpoint in self.of(practice):
            if not endpoint.takes(event["type"]) or only not in (None, endpoint):
                continue
            document = shaping.shaped(event, moves=endpoint.scheme.moves, words=endpoint.scheme.words)
            body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
            target = Endpoint(**{**_values(endpoint), "url": to}) if to else endpoint
            planned.append(
                Delivery(
                    id=self.new_id(practice, "dlv"),
                    endpoint=target,
                    event_id=event["id"],
                    type=event["type"],
                    occurred_at=occurred_at,
                    body=body,
                    twist=twist,
                    born=self.clock.now(),
                )
            )
        self.log.extend(planned)
        return planned

    def again(self, *, delivery: Delivery, twist: Twist) -> Delivery:
        """The same event once more, as a delivery of its own."""
        made = Delivery(
            id=self.new_id(delivery.endpoint.practice, "dlv"),
            endpoint=delivery.endpoint,
            event_id=delivery.event_id,
            type=delivery.type,
            occurred_at=delivery.occurred_at,
            body=delivery.body,
            twist=twist,
            born=self.clock.now(),
        )
        self.log.append(made)
        return made

    def attempt(self, *, delivery: Delivery, number: int, due: datetime) -> int:
        """Post once; notes the outcome and plans the next attempt. Returns the status (0 = no answer)."""
        endpoint = delivery.endpoint
        with self.lock:
            now = self.clock.now()
            if self.closed or endpoint.status != "enabled":
                delivery.state = "disabled"
                return 0
            headers, body, signed = self._signed(delivery, number, now)
            delivery.sent = (headers, body)
        reply = self.courier.send(url=endpoint.url, headers=headers, body=body)
        with self.lock:
            self._settle(delivery, number, due, reply, now, signed)
        return reply.status

    def replay(self, *, delivery: Delivery) -> int:
        """A captured request once more, byte for byte, old signature included; returns the status."""
        headers, body = delivery.sent or ({}, delivery.body)
        reply = self.courier.send(url=delivery.endpoint.url, headers=headers, body=body)
        self.journal.add(
            at=self.clock.now(),
            kind="webhook.replay",
            practice=delivery.endpoint.practice,
            decision=str(reply.status),
            ids={"delivery": delivery.id, "event": delivery.event_id},
        )
        return reply.status

    def carry(self, job: Callable[[], object]) -> None:
        """Run a due attempt: while the test desk moves the clock at once, so that all has happened when it returns."""
        if self.clock.advancing:
            job()
        else:
            self.courier.later(job)

    def _signed(self, delivery: Delivery, number: int, now: datetime) -> tuple[dict[str, str], bytes, int]:
        endpoint, twist = delivery.endpoint, delivery.twist
        meaning = self.switches.get("timestamp", endpoint.practice) or endpoint.scheme.timestamp_semantics
        unix = (delivery.occurred_at if meaning == "event" else now).timestamp() + twist.shift
        headers = (
            {}
            if twist.signing == "none"
            else signing.headers(
                scheme=endpoint.scheme,
                body=delivery.body,
                secrets=self._secrets(endpoint, twist, now),
                event_id=delivery.event_id,
                unix=unix,
                path=urlsplit(endpoint.url).path,
            )
        )
        headers |= {"Content-Type": "application/json", "X-Klara-Delivery-Attempt": str(number)}
        for name, value in twist.headers:
            headers.pop(name, None)
            if value is not None:
                headers[name] = value
        return headers, shaping.altered(delivery.body, how=twist.alter), int(unix)

    def _secrets(self, endpoint: Endpoint, twist: Twist, now: datetime) -> list[str]:
        if endpoint.old_until is not None and now >= endpoint.old_until:
            endpoint.secrets, endpoint.old_until = endpoint.secrets[:1], None
        match twist.signing or endpoint.signing or self.switches.get("signing", endpoint.practice):
            case "wrong":
                return [signing.make_secret(raw=WRONG_BYTES, scheme=endpoint.scheme)]
            case "new":
                return endpoint.secrets[:1]
            case "old":
                return endpoint.secrets[-1:]
        return endpoint.secrets

    def _settle(self, delivery: Delivery, number: int, due: datetime, reply: Reply, now: datetime, signed: int) -> None:
        endpoint = delivery.endpoint
        delivery.attempts.append({"attempt": number, "at": now.isoformat(), "status": reply.status, "signed": signed})
        if self.journal.keeps_requests:
            self.journal.add(
                at=now,
                kind="webhook.attempt",
                practice=endpoint.practice,
                decision="delivered" if reply.ok else "failed",
                ids={
                    "delivery": delivery.id,
                    "event": delivery.event_id,
                    "type": delivery.type,
                    "endpoint": endpoint.id,
                },
                data={"status": reply.status, "attempt": number},
            )
        else:
            self.journal.count_only(kind="webhook.attempt")
        if reply.ok:
            delivery.state = "delivered"
        elif reply.status == 410:
            delivery.state = endpoint.status = "disabled"
            self.journal.add(at=now, kind="webhook.disabled", practice=endpoint.practice, ids={"endpoint": endpoint.id})
        elif not delivery.twist.retry:
            delivery.state = "failed"
        else:
            self._next(delivery, number, due, reply)

    def _next(self, delivery: Delivery, number: int, due: datetime, reply: Reply) -> None:
        practice = delivery.endpoint.practice
        if number < len(SCHEDULE):
            step = float(SCHEDULE[number] - SCHEDULE[number - 1])
            jitter = float(self.switches.get("jitter", practice))
            step *= 1 + self.random.uniform(-jitter, jitter) if jitter else 1
            # counted from the moment it was due, so that a clock advanced by hours tries at each moment on the way
            following = due + timedelta(seconds=max(step, self._asked(reply)))
            if following - delivery.born <= WINDOW and not self.closed:
                self.clock.call_at(
                    moment=following,
                    name=f"{delivery.type} {delivery.event_id}",
                    job=lambda: self.carry(lambda: self.attempt(delivery=delivery, number=number + 1, due=following)),
                )
                return
        delivery.state = "exhausted"
        self.journal.add(
            at=self.clock.now(),
            kind="webhook.exhausted",
            practice=practice,
            ids={"delivery": delivery.id, "event": delivery.event_id},
        )

    def _asked(self, reply: Reply) -> float:
        """Seconds the hub asked us to wait; 0 when it did not, or not readably."""
        text = (reply.retry_after or "").strip()
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, (parsedate_to_datetime(text) - self.clock.now()).total_seconds()) if text else 0.0
        except (TypeError, ValueError):
            return 0.0


def _values(endpoint: Endpoint) -> dict[str, Any]:
    return {name: getattr(endpoint, name) for name in Endpoint.__slots__}
