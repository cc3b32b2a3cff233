"""Connections to the vendors and their secrets; secrets are sealed bytes that only `integrations.vault` opens."""

import uuid
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from integrations import http


class Vendor(models.TextChoices):
    drchrono = "drchrono", "DrChrono"
    klara = "klara", "Klara"
    surescripts = "surescripts", "Surescripts"


class Stage(models.TextChoices):
    dev = "dev", "Development"
    staging = "staging", "Staging"
    production = "production", "Production"


class ConnectionStatus(models.TextChoices):
    new = "new", "Not yet connected"
    active = "active", "Active"
    needs_authorisation = "needs_authorisation", "Needs authorization"
    paused = "paused", "Paused"


class RefusedAddress(Exception):
    """A production connection points at a sandbox or at this machine, or no address is configured."""


# Stand-ins by name: reserved suffixes (RFC 2606, RFC 6761) and the word a vendor's test host bears.
_PRETEND_SUFFIXES = (".invalid", ".test", ".example", ".local", ".internal")


def is_pretend(*, url: str) -> bool:
    """True when the address is this machine or names itself a sandbox, so never a production vendor."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    return http.is_loopback(url) or host.endswith(_PRETEND_SUFFIXES) or "sandbox" in host


def abroad(rows: Iterable["Connection"]) -> list[str]:
    """Which vendor addresses are not stand-ins, of the installation's settings and of these connections, by name."""
    names = [f"{vendor.upper()}_BASE_URL" for vendor in Vendor.values]
    addresses = [(name, getattr(settings, name, "")) for name in names]
    addresses += [(f"connection {row.pk}", row.base_url) for row in rows if row.base_url]
    return [name for name, address in addresses if not is_pretend(url=address)]


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def usable(self) -> "ConnectionQuerySet":
        """Connections over which calls may go."""
        return self.filter(status=ConnectionStatus.active)

    def of_vendor(self, vendor: str) -> "ConnectionQuerySet":
        return self.filter(vendor=vendor)


class Connection(models.Model):
    """One practice's account at one vendor in one stage."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="connections")
    vendor = models.CharField(max_length=16, choices=Vendor.choices)
    stage = models.CharField(max_length=16, choices=Stage.choices)
    base_url = models.CharField(max_length=200, blank=True, help_text="Empty: the address of the settings.")
    status = models.CharField(max_length=24, choices=ConnectionStatus.choices, default=ConnectionStatus.new)
    client_id = models.CharField(max_length=128, blank=True)
    account = models.CharField(
        max_length=128, blank=True, help_text="Account id, practice id or certificate fingerprint at the vendor."
    )
    endpoint_token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    profile = models.JSONField(default=dict, blank=True, help_text="Klara: how this account talks.")
    facts = models.JSONField(default=dict, blank=True, help_text="What was looked up at connection time.")
    token_expires_at = models.DateTimeField(null=True, blank=True)
    last_refresh_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    last_error_code = models.CharField(max_length=64, blank=True)
    last_webhook_at = models.DateTimeField(null=True, blank=True)
    push_seen_at = models.DateTimeField(null=True, blank=True, help_text="Last pushed record that proved current.")
    poll_cursor = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "vendor", "stage"], name="connection_one_per_stage"),
            models.CheckConstraint(condition=Q(vendor__in=Vendor.values), name="connection_vendor_known"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="connection_stage_known"),
            models.CheckConstraint(condition=Q(status__in=ConnectionStatus.values), name="connection_status_known"),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} ({self.stage})"

    @property
    def address(self) -> str:
        """The base address without a trailing slash. Raises RefusedAddress (production stage against a stand-in)."""
        address = (self.base_url or getattr(settings, f"{self.vendor.upper()}_BASE_URL", "")).rstrip("/")
        if not address:
            raise RefusedAddress(f"no address is configured for {self.vendor}")
        if self.stage == Stage.production and is_pretend(url=address):
            raise RefusedAddress("a production connection may not use a sandbox or loopback address")
        return address

    @property
    def is_pretend(self) -> bool:
        """True when this connection talks to a stand-in, whatever its stage."""
        return is_pretend(url=(self.base_url or getattr(settings, f"{self.vendor.upper()}_BASE_URL", "")))

    def clean(self) -> None:
        if self.base_url:
            parts = urlsplit(self.base_url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
                raise ValidationError({"base_url": "Enter a web address with http or https and no user name."})
        if self.stage == Stage.production:
            try:
                address = self.address
            except RefusedAddress as error:
                raise ValidationError({"base_url": str(error)}) from error
            if urlsplit(address).scheme != "https":
                raise ValidationError({"base_url": "A production connection needs https."})


class SecretKind(models.TextChoices):
    client_secret = "client_secret", "Client secret"
    access_token = "access_token", "Access token"
    refresh_token = "refresh_token", "Refresh token"
    api_key = "api_key", "API key"
    webhook_secret = "webhook_secret", "Webhook secret"
    certificate = "certificate", "Certificate and key"


class SecretState(models.TextChoices):
    pending = "pending", "Pending"
    active = "active", "Active"
    retiring = "retiring", "Retiring"
    revoked = "revoked", "Revoked"


class SecretQuerySet(models.QuerySet["Secret"]):
    def live(self) -> "SecretQuerySet":
        """Accepted at this moment. A retiring secret stays accepted until the vault revokes it."""
        return self.filter(state__in=[SecretState.pending, SecretState.active, SecretState.retiring])


class Secret(models.Model):
    """One secret of a connection, sealed. Opened only by `integrations.vault`, which writes to the audit trail."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="secrets")
    kind = models.CharField(max_length=24, choices=SecretKind.choices)
    state = models.CharField(max_length=12, choices=SecretState.choices, default=SecretState.active)
    sealed = models.BinaryField(editable=False)
    fingerprint = models.CharField(max_length=8, editable=False)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)
    retires_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When a certificate itself ends.")
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = SecretQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind"], condition=Q(state="active"), name="secret_one_active_per_kind"
            ),
            models.CheckConstraint(condition=Q(kind__in=SecretKind.values), name="secret_kind_known"),
            models.CheckConstraint(condition=Q(state__in=SecretState.values), name="secret_state_known"),
        ]
        indexes = [models.Index(fields=["connection", "kind", "state"], name="secret_lookup")]

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint}"
