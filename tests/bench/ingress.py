"""Signed webhooks accepted durably: event and audit entry are committed before the 202, counted in the database after.

200 practices; 64 connections; the worker does not run, so the figure is that of the way in alone.
"""

import secrets
import uuid
from datetime import datetime
from typing import Any

from audit.events import Actor, ActorKind
from audit.models import Entry
from integrations import vault
from integrations.models import Connection, SecretKind
from refillhub.practices import clock, opening
from review.models import InboundEvent
from tests.bench import clinics, machine
from tests.bench.stack import Stack

PRACTICES = 200
WARM_UP = 600
REQUESTS = 4000


def seed(*, now: datetime) -> list[Connection]:
    """The practices, each with a live Klara connection."""
    made = []
    actor = Actor(kind=ActorKind.system, id="bench")
    for number in range(PRACTICES):
        name, slug = f"Bench {number}", f"bench-{number}"
        practice = opening.open_practice(name=name, slug=slug, time_zone="America/New_York", actor=actor, now=now)
        opening.record_baa(practice=practice, signed_on=now.date(), signed_by="Bench", actor=actor, now=now)
        connection = Connection.objects.create(practice=practice, vendor="klara", stage="dev", account=f"prac_{number}")
        vault.store(connection=connection, kind=SecretKind.webhook_secret, value=clinics.SECRET, now=now, actor=actor)
        made.append(connection)
    return made


def request(*, connection: Connection, number: int, now: datetime) -> bytes:
    """One raw signed request, each from a patient of its own."""
    event_id = f"evt_{uuid.uuid4().hex}"
    body = _body(event_id=event_id, account=connection.account, number=number, now=now)
    return clinics.signed(connection=connection, body=body, now=now)


def _body(*, event_id: str, account: str, number: int, now: datetime) -> dict[str, Any]:
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    patient = {
        "id": f"pat_{number}",
        "first_name": "Ana",
        "last_name": "Reyes",
        "date_of_birth": "1961-04-19",
        "phone": f"+1555{number:07d}",
        "identity_verified": True,
        "external_ids": [{"system": "drchrono", "value": str(number)}],
    }
    channel = {"id": "chan_main", "type": "sms", "phone_number": "+15555550100", "location_id": "loc_1"}
    conversation = {"id": f"conv_{number}", "status": "open", "reason": "Prescriptions / Refills", "tags": []}
    message = {
        "id": f"msg_{secrets.token_hex(8)}",
        "direction": "inbound",
        "author": {"type": "patient", "id": f"pat_{number}"},
        "body": "Hi, can I get my lisinopril 10 refilled? CVS on Main",
        "sent_at": moment,
        "attachments": [],
        "source": "text",
    }
    return {
        "id": event_id,
        "type": "message.created",
        "api_version": "2026-01-01",
        "occurred_at": moment,
        "sequence": number,
        "practice_id": account,
        "data": {"patient": patient, "conversation": conversation | {"channel": channel}, "message": message},
    }


def measure(*, stack: Stack, runs: int) -> list[dict[str, Any]]:
    """Each run's figures. Raises RuntimeError when database or audit hold another number than was acknowledged."""
    connections = seed(now=clock.now())
    stack.start_web()
    results = []
    for run in range(-1, runs):  # run -1 warms up and is thrown away
        count = REQUESTS if run >= 0 else WARM_UP
        now = clock.now()
        requests = [
            request(connection=connections[number % PRACTICES], number=number, now=now) for number in range(count)
        ]
        stored, entries = InboundEvent.objects.count(), Entry.objects.filter(event="webhook.accepted").count()
        spent = machine.processor_seconds(stack.ours())
        told = stack.load(requests=requests, connections=64)
        spent = machine.processor_seconds(stack.ours()) - spent
        accepted = dict(told["statuses"]).get("202", 0)  # type: ignore[call-overload]
        stored = InboundEvent.objects.count() - stored
        entries = Entry.objects.filter(event="webhook.accepted").count() - entries
        if not accepted == stored == entries == count:
            raise RuntimeError(f"{count} posted, {told['statuses']} answered, {stored} stored, {entries} in the audit")
        if run >= 0:
            results.append(told | {"cpu_s_per_1000": round(spent * 1000 / count, 2)})
    return results
