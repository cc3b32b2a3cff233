"""Verbs of the connections pages: set up, name, pause, resume, keep a Klara profile that has passed its trial.

Each locks the connection's row and writes one audit entry. Never calls a vendor, never sees a secret's value except the
one a person is handing over, which goes to the vault.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from audit import log
from audit.events import Actor, Draft, JsonValue
from integrations import certificates, vault
from integrations.klara import profile as profiles
from integrations.klara import trial
from integrations.models import Connection, ConnectionStatus, Secret, SecretKind, SecretState, Vendor
from refillhub.practices.models import Practice, Spi

# What a vendor's connection keeps, the one it cannot do without first.
KINDS: Mapping[str, tuple[SecretKind, ...]] = {
    Vendor.drchrono: (SecretKind.client_secret, SecretKind.webhook_secret),
    Vendor.klara: (SecretKind.webhook_secret, SecretKind.api_key, SecretKind.client_secret),
    Vendor.surescripts: (SecretKind.certificate,),
}


class NotReady(ValueError):
    """The connection cannot be used yet; the message says what is missing."""


class BadSecret(ValueError):
    """The value handed over cannot be a secret of this kind; the message never repeats it."""


def set_up(*, practice: Practice, vendor: Vendor, now: datetime, actor: Actor) -> Connection:
    """The practice's connection to this vendor in this installation's stage; made if it is not there."""
    with transaction.atomic():
        made, is_new = Connection.objects.get_or_create(practice=practice, vendor=vendor, stage=settings.STAGE)
        if is_new:
            _record(made, now, actor, "set_up")
    return made


def name_account(*, connection: Connection, client_id: str, account: str, now: datetime, actor: Actor) -> None:
    """Keep the ids the vendor knows the practice by. Raises NotReady when an authorization hangs on the old one."""
    with transaction.atomic():
        row = _locked(connection)
        if (row.client_id, row.account) == (client_id, account):
            return
        holds_tokens = row.secrets.filter(kind=SecretKind.refresh_token, state=SecretState.active).exists()
        if row.client_id != client_id and holds_tokens:
            raise NotReady("Disconnect first: the present authorization was given to the other client id.")
        row.client_id, row.account = client_id, account
        row.save(update_fields=["client_id", "account"])
        _record(row, now, actor, "account")


def add_secret(*, connection: Connection, kind: SecretKind, value: str, now: datetime, actor: Actor) -> Secret:
    """Store the first secret of a kind as active, any further one as pending. Raises BadSecret, vault.TooManyLive."""
    value = value.strip()
    if kind not in KINDS[connection.vendor]:
        raise BadSecret("This vendor has no secret of that kind.")
    if not value or "\x00" in value:
        raise BadSecret("Enter the secret.")
    if connection.vendor == Vendor.klara and kind is SecretKind.webhook_secret:
        found = trial.round_trip(secret=value, profile=profiles.of(raw=connection.profile), now=now)
        if found:
            raise BadSecret("This secret does not fit the way the account signs: check that it was copied whole.")
    expires_at = _checked(connection, value, now) if kind is SecretKind.certificate else None
    with transaction.atomic():
        row = _locked(connection)
        if row.secrets.live().filter(kind=kind, fingerprint=vault.fingerprint(value=value)).exists():
            raise BadSecret("This secret is stored already.")
        has_active = row.secrets.filter(kind=kind, state=SecretState.active).exists()
        add = vault.add_pending if has_active else vault.store
        return add(connection=row, kind=kind, value=value, now=now, actor=actor, expires_at=expires_at)


def _checked(connection: Connection, value: str, now: datetime) -> datetime | None:
    """When the certificate ends. A stand-in is content with a fingerprint. Raises BadSecret."""
    if connection.is_pretend and not certificates.is_pem(value=value):
        return None
    try:
        return certificates.check(pem=value, now=now).expires_at
    except certificates.BadCertificate as error:
        raise BadSecret(str(error)) from error


def keep_profile(*, connection: Connection, raw: Mapping[str, Any], now: datetime, actor: Actor) -> None:
    """Keep a Klara profile. The caller has put it on trial and it passed. Raises profile.InvalidProfile."""
    profiles.parse(raw=raw)
    with transaction.atomic():
        row = _locked(connection)
        row.profile = {**{key: row.profile[key] for key in ("base_url",) if key in row.profile}, **raw}
        row.save(update_fields=["profile"])
        _record(row, now, actor, "profile", profile=str(raw.get("profile", profiles.DEFAULT)))
    connection.profile = row.profile


def pause(*, connection: Connection, now: datetime, actor: Actor) -> None:
    """No calls go over this connection from now on; what is queued waits. A paused one stays as it is."""
    with transaction.atomic():
        row = _locked(connection)
        if row.status == ConnectionStatus.paused:
            return
        if row.status != ConnectionStatus.active:
            raise NotReady("Only an active connection can be paused.")
        _move(row, ConnectionStatus.paused, now, actor, "paused")


def resume(*, connection: Connection, now: datetime, actor: Actor) -> None:
    """Calls may go again, once nothing of the set-up is missing. Raises NotReady."""
    with transaction.atomic():
        row = _locked(connection)
        if row.status == ConnectionStatus.active:
            return
        if row.status == ConnectionStatus.needs_authorisation:
            raise NotReady("Connect again: nothing else brings this authorization back.")
        missing = missing_for_use(connection=row)
        if missing:
            raise NotReady(missing)
        _move(row, ConnectionStatus.active, now, actor, "resumed" if row.status == "paused" else "switched_on")


def missing_for_use(*, connection: Connection) -> str:
    """What keeps a connection from being used, as a sentence; empty when nothing does."""
    held = set(connection.secrets.filter(state=SecretState.active).values_list("kind", flat=True))
    if connection.vendor == Vendor.drchrono:
        return "" if SecretKind.refresh_token in held else "Connect to DrChrono first."
    if connection.vendor == Vendor.klara:
        if SecretKind.webhook_secret not in held:
            return "Add the webhook secret first."
        wanted = profiles.of(raw=connection.profile).auth.mode
        kind = SecretKind.api_key if wanted is profiles.AuthMode.api_key else SecretKind.client_secret
        return "" if kind in held else f"Add the {SecretKind(kind).label} first."
    if not connection.account:
        return "Enter the account at the network first."
    if SecretKind.certificate not in held:
        return "Add the certificate first."
    has_spi = Spi.objects.filter(practice_id=connection.practice_id, is_active=True).exists()
    return "" if has_spi else "No prescriber has an SPI yet."


# --- below: how it is done -------------------------------------------------------------------------------------------


def _locked(connection: Connection) -> Connection:
    return Connection.objects.select_for_update().get(pk=connection.pk)


def _move(row: Connection, status: ConnectionStatus, now: datetime, actor: Actor, outcome: str) -> None:
    former = row.status
    row.status = status
    row.save(update_fields=["status"])
    _record(row, now, actor, outcome, former=str(former))


def _record(row: Connection, now: datetime, actor: Actor, outcome: str, **more: JsonValue) -> None:
    data: dict[str, JsonValue] = {"connection": str(row.pk), "vendor": str(row.vendor), "stage": str(row.stage), **more}
    log.record(
        now=now,
        draft=Draft(
            practice_id=row.practice_id,
            event="connection.changed",
            actor=actor,
            trigger="page",
            outcome=outcome,
            data=data,
        ),
    )
