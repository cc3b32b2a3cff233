"""Webhooks of the pretended DrChrono: handshake, PING, deliveries with three headers, retries after 1, 3 and 7 hours.

The signature header is the secret itself, as the vendor does it. Every attempt stands in the journal.
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from integrations.sandbox.clock import Clock
from integrations.sandbox.courier import Courier
from integrations.sandbox.journal import Journal

RETRIES = (3600, 3 * 3600, 7 * 3600)
EVENTS = {
    "patients": "PATIENT",
    "medications": "PATIENT_MEDICATION",
    "allergies": "PATIENT_ALLERGY",
    "problems": "PATIENT_PROBLEM",
    "appointments": "APPOINTMENT",
    "lab_orders": "LAB_ORDER",
    "line_items": "LINE_ITEM",
    "tasks": "TASK",
}
TROUBLES = ("duplicate", "reorder", "drop", "wrong_secret", "delay")


@dataclass(slots=True)
class Hook:
    """One practice's webhook."""

    practice: str
    url: str
    secret: str
    events: tuple[str, ...] = ()
    verified: bool = False
    troubles: list[dict[str, Any]] = field(default_factory=list)
    held: list[tuple[str, str, bytes]] = field(default_factory=list)


class Hooks:
    """All webhooks of one simulator."""

    def __init__(self, *, clock: Clock, journal: Journal, courier: Courier, random: Random) -> None:
        self.clock = clock
        self.journal = journal
        self.courier = courier
        self.random = random
        self.hooks: dict[str, Hook] = {}

    def register(self, *, practice: str, url: str, secret: str, events: tuple[str, ...] = ()) -> Hook:
        """Set a callback URL; the handshake decides whether it is verified."""
        hook = Hook(practice, url, secret, events)
        message = f"{self.random.getrandbits(64):016x}"
        reply = self.courier.get(url=f"{url}{'&' if '?' in url else '?'}msg={quote(message)}")
        expected = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
        try:
            answered = json.loads(reply.body).get("secret_token", "") if reply.status == 200 else ""
        except (ValueError, AttributeError):
            answered = ""
        hook.verified = hmac.compare_digest(str(answered), expected)
        self.hooks[practice] = hook
        self.journal.add(
            at=self.clock.now(),
            kind="webhook.handshake",
            practice=practice,
            decision="verified" if hook.verified else "refused",
            data={"status": reply.status},
        )
        return hook

    def emit(self, *, practice: str, event: str, record: dict[str, Any]) -> str:
        """Queue one delivery; returns its id, empty when nobody listens or it was told to be lost."""
        hook = self.hooks.get(practice)
        if hook is None or not hook.verified or (hook.events and event not in hook.events and event != "PING"):
            return ""
        delivery = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        receiver = {"id": 1, "callback_url": hook.url, "events": list(hook.events)}
        body = json.dumps({"receiver": receiver, "object": record}).encode()
        trouble = self._trouble(hook)
        mode = trouble.get("mode", "")
        if mode == "drop":
            self._note(hook, event, delivery, "lost", 0)
            return ""
        if mode == "reorder" and not hook.held:
            hook.held.append((event, delivery, body))
            return delivery
        self._plan(
            hook,
            event,
            delivery,
            body,
            delay=float(trouble.get("seconds", 60)) if mode == "delay" else 0.0,
            secret="wrong" if mode == "wrong_secret" else hook.secret,
        )
        if mode == "duplicate":
            self._plan(hook, event, delivery, body, delay=0.0, secret=hook.secret)
        while hook.held:
            self._plan(hook, *hook.held.pop(0), delay=0.0, secret=hook.secret)
        return delivery

    def _trouble(self, hook: Hook) -> dict[str, Any]:
        if not hook.troubles:
            return {}
        trouble = hook.troubles[0]
        trouble["times"] = trouble.get("times", 1) - 1
        if trouble["times"] <= 0:
            hook.troubles.pop(0)
        return trouble

    def _plan(self, hook: Hook, event: str, delivery: str, body: bytes, *, delay: float, secret: str) -> None:
        born = self.clock.now()

        def attempt(number: int) -> None:
            headers = {
                "Content-Type": "application/json",
                "X-drchrono-event": event,
                "X-drchrono-signature": secret,
                "X-drchrono-delivery": delivery,
            }
            reply = self.courier.send(url=hook.url, headers=headers, body=body)
            self._note(hook, event, delivery, "delivered" if reply.ok else "failed", reply.status, number)
            if not reply.ok and number <= len(RETRIES):
                wait = RETRIES[number - 1] - (self.clock.now() - born).total_seconds()
                self.clock.call_later(
                    seconds=max(0.0, wait),
                    name=f"{event} {delivery}",
                    job=lambda: self._go(lambda: attempt(number + 1)),
                )

        self.clock.call_later(seconds=delay, name=f"{event} {delivery}", job=lambda: self._go(lambda: attempt(1)))

    def _go(self, job: Callable[[], None]) -> None:
        if self.clock.advancing:  # the test desk moves time: everything due must have happened when it returns
            job()
        else:
            self.courier.later(job)

    def _note(self, hook: Hook, event: str, delivery: str, decision: str, status: int, attempt: int = 0) -> None:
        self.journal.add(
            at=self.clock.now(),
            kind="webhook.attempt",
            practice=hook.practice,
            decision=decision,
            ids={"delivery": delivery, "event": event},
            data={"status": status, "attempt": attempt},
        )
