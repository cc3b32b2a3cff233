"""Keeping connections alive: tokens renewed ahead of time, old secrets retired, busy lanes noticed, connections tested.

Each function does one round over all connections when a beat calls it; one connection's failure never stops the round.
Never starts by itself, never decides what a failure means: it returns what a person has to know.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import log
from audit.events import Actor, Draft, JsonValue
from integrations import http, limits, vault
from integrations.drchrono import client, oauth
from integrations.drchrono.wire import Line
from integrations.klara import client as klara_client
from integrations.klara import profile, trial
from integrations.klara import wire as klara_wire
from integrations.models import Connection, ConnectionStatus, RefusedAddress, SecretKind, Vendor
from refillhub.practices.models import Spi


@dataclass(frozen=True, slots=True)
class Trouble:
    """A connection that needs a person, with the code of what is wrong."""

    practice_id: UUID
    connection_id: UUID
    vendor: str
    code: str


@dataclass(frozen=True, slots=True)
class Tested:
    """The outcome of a connection test. `latency_ms` is of the vendor's read; `code` is empty when all is well."""

    is_good: bool
    code: str
    latency_ms: int


def renew_tokens(*, now: datetime, actor: Actor) -> tuple[Trouble, ...]:
    """Renew DrChrono tokens at half their life or after five days (seed F026). Returns what failed and what is dead.

    A failure is on record already (`token.refresh_failed`); the caller raises the alarm.
    """
    found = [
        _trouble(connection, "needs_authorisation")
        for connection in Connection.objects.filter(status=ConnectionStatus.needs_authorisation)
    ]
    for connection in Connection.objects.usable().of_vendor(Vendor.drchrono):
        try:
            oauth.renew_if_due(connection=connection, now=now, actor=actor)
        except (http.VendorError, vault.NoSecret, vault.WrongStage, RefusedAddress) as error:
            found.append(_trouble(connection, getattr(error, "code", "") or type(error).__name__))
    return tuple(found)


def retire_secrets(*, now: datetime, actor: Actor) -> tuple[UUID, ...]:
    """Revoke retired secrets that nobody uses. Returns the ids of those still in use after their time: an alarm."""
    return tuple(vault.retire_due(now=now, actor=actor))


def busy_lanes(*, now: datetime) -> tuple[Trouble, ...]:
    """Lanes above 70 % for five minutes, or of the hour (seed F112). To be asked about once a minute.

    Raises limits.LimiterGone.
    """
    found = []
    for connection in Connection.objects.usable().select_related("practice"):
        if connection.vendor == Vendor.drchrono:
            lane = limits.drchrono_lane(client_id=connection.client_id)
        elif connection.vendor == Vendor.surescripts:
            lane = limits.routine_lane(practice_id=connection.practice_id)
            found += _busy_signers(connection, now)
        else:
            calls = profile.of(raw=connection.profile).limits.calls_per_s
            lane = limits.klara_lane(connection_id=connection.pk, calls_per_s=calls)
        if limits.is_sustained(lane=lane, now=now):
            found.append(_trouble(connection, "lane_busy"))
    return tuple(found)


def signer_lanes(practice_ids: Collection[UUID]) -> dict[UUID, list[limits.Lane]]:
    """The lanes of controlled prescriptions, one a prescriber, by practice. One query."""
    roots: dict[UUID, set[str]] = {practice_id: set() for practice_id in practice_ids}
    spis = Spi.objects.filter(is_active=True, provider__epcs_enabled=True, practice_id__in=practice_ids)
    for practice_id, spi in spis.values_list("practice_id", "spi"):
        roots[practice_id].add(spi[: limits.SPI_ROOT])
    return {
        practice_id: [limits.controlled_lane(practice_id=practice_id, spi=root) for root in sorted(own)]
        for practice_id, own in roots.items()
    }


def _busy_signers(connection: Connection, now: datetime) -> list[Trouble]:
    """Whether a prescriber's own lane is above the line."""
    lanes = signer_lanes([connection.practice_id])[connection.practice_id]
    busy = any(limits.is_sustained(lane=lane, now=now) for lane in lanes)
    return [_trouble(connection, "lane_busy")] if busy else []


def save_set_up(*, connection: Connection, now: datetime, actor: Actor) -> None:
    """Look up and keep the ids that tasks need (contract 7.7): call once after authorising. Raises VendorError."""
    found = client.look_up_set_up(line=Line(connection=connection, now=now, actor=actor))
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        row.facts = {
            **row.facts,
            "task_status_open": found.open_status,
            "task_status_closed": found.closed_status,
            "task_category": found.category,
        }
        row.save(update_fields=["facts"])
    connection.facts = row.facts


def try_connection(*, connection: Connection, now: datetime, actor: Actor) -> Tested:
    """One cheap read (F041), for Klara also a signature there and back (F042); on record. Never raises VendorError."""
    started = time.monotonic()
    try:
        code = _klara_code(connection, now, actor) if connection.vendor == Vendor.klara else _chart_code(
            connection, now, actor
        )
    except http.VendorError as error:
        code = error.code or type(error).__name__
    except (vault.NoSecret, vault.WrongStage, RefusedAddress, profile.InvalidProfile) as error:
        code = type(error).__name__
    latency_ms = round((time.monotonic() - started) * 1000)
    data: dict[str, JsonValue] = {
        "connection": str(connection.pk), "vendor": str(connection.vendor), "latency_ms": latency_ms
    }  # fmt: skip
    with transaction.atomic():
        log.record(
            now=now,
            draft=Draft(
                practice_id=connection.practice_id,
                event="connection.tested",
                actor=actor,
                outcome=code or "passed",
                data=data,
            ),
        )
    return Tested(is_good=not code, code=code, latency_ms=latency_ms)


def _chart_code(connection: Connection, now: datetime, actor: Actor) -> str:
    if connection.vendor != Vendor.drchrono:
        return "test_elsewhere"  # the prescription network tests itself with a message of its own
    client.current_user(line=Line(connection=connection, now=now, actor=actor))
    return ""


def _klara_code(connection: Connection, now: datetime, actor: Actor) -> str:
    live = vault.live(connection=connection, kind=SecretKind.webhook_secret, now=now, actor=actor)
    if not live:
        return "no_webhook_secret"
    for secret in live:
        findings = trial.round_trip(secret=secret.value, profile=profile.of(raw=connection.profile), now=now)
        if findings:
            return findings[0].code
    klara_client.channels(line=klara_wire.Line(connection=connection, now=now, actor=actor))
    return ""


def _trouble(connection: Connection, code: str) -> Trouble:
    return Trouble(
        practice_id=connection.practice_id, connection_id=connection.pk, vendor=connection.vendor, code=code
    )
