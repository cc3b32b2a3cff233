"""Nouns of the talking package: connections and their secrets, the mirror of a practice's chart, the pharmacies.

The mirror holds medications and visit dates only (no names, no addresses); secrets are sealed bytes that only
`integrations.vault` opens. Nothing here knows of a refill request.
"""

import uuid
from datetime import datetime
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


class MirrorPatient(models.Model):
    """A chart patient as far as rules need one: visit dates and how fresh our copy is. Never a name."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="mirror_patients")
    external_id = models.CharField(max_length=32)
    doctor_external_id = models.CharField(max_length=32, blank=True)
    status = models.TextField(blank=True, help_text="A active, I inactive, D deceased.")
    last_visit_on = models.DateField(null=True, blank=True)
    next_visit_on = models.DateField(null=True, blank=True)
    medications_read_at = models.DateTimeField(null=True, blank=True)
    patient_read_at = models.DateTimeField(null=True, blank=True)
    pushed_at = models.DateTimeField(null=True, blank=True)
    labs_read_at = models.DateTimeField(null=True, blank=True)
    vitals_read_at = models.DateTimeField(null=True, blank=True)
    results_wanted = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="Which results were kept at that reading."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "external_id"], name="mirror_patient_once")]

    def __str__(self) -> str:
        return f"mirror patient {self.pk}"


class MirrorMedicationQuerySet(models.QuerySet["MirrorMedication"]):
    def current(self) -> "MirrorMedicationQuerySet":
        """Entries that count as active in the chart and were there at the last look."""
        return self.filter(is_active=True, gone_at__isnull=True)


class MirrorMedication(models.Model):
    """One medication entry of the chart, codes and words exactly as given: a word cut off could be "as needed"."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="mirror_medications")
    patient = models.ForeignKey(MirrorPatient, on_delete=models.CASCADE, related_name="medications")
    external_id = models.CharField(max_length=32)
    name = models.TextField(blank=True)
    rxcui = models.TextField(blank=True)
    ndc = models.TextField(blank=True)
    status = models.TextField(blank=True)
    order_status = models.TextField(blank=True)
    is_active = models.BooleanField(default=False)
    doctor_external_id = models.CharField(max_length=32, blank=True)
    dosage_quantity = models.TextField(blank=True)
    dosage_units = models.TextField(blank=True)
    route = models.TextField(blank=True)
    frequency = models.TextField(blank=True)
    prn = models.BooleanField(null=True)
    dispense_quantity = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    number_refills = models.IntegerField(null=True, blank=True)
    daw = models.BooleanField(null=True)
    sig = models.TextField(blank=True, help_text="The chart's signature note, verbatim.")
    prescribed_on = models.DateField(null=True, blank=True)
    started_on = models.DateField(null=True, blank=True)
    stopped_on = models.DateField(null=True, blank=True)
    dose_changed_on = models.DateField(
        null=True, blank=True, help_text="Day we saw drug, strength or directions of this entry change; never at first."
    )
    record_hash = models.CharField(max_length=64)
    seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = MirrorMedicationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "external_id"], name="mirror_medication_once")]
        indexes = [models.Index(fields=["patient", "is_active"], name="mirror_medication_by_patient")]

    def __str__(self) -> str:
        return f"mirror medication {self.pk}"


class ResultKind(models.TextChoices):
    lab = "lab", "Laboratory result"
    vital = "vital", "Vital sign"


class MirrorResult(models.Model):
    """One result the practice's protocols ask for, as given: a line of the flow sheet or a vital sign of a visit.

    Nothing else of the chart's results is kept, and none older than two years.
    """

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="mirror_results")
    patient = models.ForeignKey(MirrorPatient, on_delete=models.CASCADE, related_name="results")
    kind = models.CharField(max_length=8, choices=ResultKind.choices)
    external_id = models.CharField(max_length=48)
    group_external_id = models.CharField(max_length=32, help_text="The visit of a vital sign; a lab stands alone.")
    title = models.TextField(blank=True)
    loinc = models.TextField(blank=True)
    value = models.TextField(blank=True)
    unit = models.TextField(blank=True)
    flag = models.TextField(blank=True)
    status = models.TextField(blank=True)
    performed_on = models.DateField(null=True, blank=True, help_text="Practice-local day.")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "kind", "external_id"], name="mirror_result_once"),
            models.CheckConstraint(condition=Q(kind__in=ResultKind.values), name="mirror_result_kind_known"),
        ]
        indexes = [models.Index(fields=["practice", "kind", "group_external_id"], name="mirror_result_by_group")]

    def __str__(self) -> str:
        return f"mirror result {self.pk}"


class MessageDirection(models.TextChoices):
    incoming = "incoming", "Incoming"
    outgoing = "outgoing", "Outgoing"
    unknown = "unknown", "Unknown"


class PrescriptionSeen(models.Model):
    """A line of the chart's own e-prescribing log: what was prescribed natively counts as supply (law 6)."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="prescriptions_seen")
    external_id = models.CharField(max_length=32)
    patient_external_id = models.CharField(max_length=32, blank=True)
    doctor_external_id = models.CharField(max_length=32, blank=True)
    kind = models.TextField(blank=True, help_text="NewRx, RefillRequest, RefillResponse, Error ...")
    direction = models.CharField(max_length=12, choices=MessageDirection.choices, default=MessageDirection.unknown)
    status = models.TextField(blank=True)
    parent_external_id = models.CharField(max_length=32, blank=True)
    pharmacy_ncpdp_id = models.TextField(blank=True)
    drug_name = models.TextField(blank=True)
    rxcui = models.TextField(blank=True)
    ndc = models.TextField(blank=True)
    quantity = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    days_supply = models.IntegerField(null=True, blank=True)
    number_refills = models.IntegerField(null=True, blank=True)
    written_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "external_id"], name="prescription_seen_once")]
        indexes = [
            models.Index(fields=["practice", "patient_external_id", "written_at"], name="prescription_seen_by_patient")
        ]

    def __str__(self) -> str:
        return f"prescription seen {self.pk}"


class DirectoryState(models.TextChoices):
    active = "active", "Active"
    inactive = "inactive", "Inactive"
    missing = "missing", "Missing from the directory"
    changed = "changed", "Changed"


class PharmacyEntry(models.Model):
    """One pharmacy of the network's directory, as the directory gives it. Shared by all practices of a stage."""

    stage = models.CharField(max_length=16, choices=Stage.choices)
    ncpdp_id = models.CharField(max_length=7)
    npi = models.CharField(max_length=10, blank=True)
    name = models.CharField(max_length=70)
    store_number = models.CharField(max_length=35, blank=True)
    address_line_1 = models.CharField(max_length=55, blank=True)
    address_line_2 = models.CharField(max_length=55, blank=True)
    city = models.CharField(max_length=35, blank=True)
    state = models.CharField(max_length=2, blank=True)
    zip_code = models.CharField(max_length=10, blank=True)
    country = models.CharField(max_length=2, default="US")
    phone = models.CharField(max_length=20, blank=True)
    fax = models.CharField(max_length=20, blank=True)
    specialties = models.JSONField(default=list, blank=True)
    service_levels = models.JSONField(default=list, blank=True, help_text="New, Cancel, Renewal, EPCS ...")
    active_from = models.DateTimeField(null=True, blank=True)
    active_until = models.DateTimeField(null=True, blank=True)
    directory_state = models.CharField(max_length=12, choices=DirectoryState.choices, default=DirectoryState.active)
    record_hash = models.CharField(max_length=64, blank=True)
    seen_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stage", "ncpdp_id"], name="pharmacy_once_per_stage"),
            models.CheckConstraint(condition=Q(directory_state__in=DirectoryState.values), name="pharmacy_state_known"),
        ]
        indexes = [models.Index(fields=["stage", "zip_code"], name="pharmacy_by_zip")]

    def __str__(self) -> str:
        return f"{self.name} ({self.ncpdp_id})"

    def is_sendable(self, now: datetime) -> bool:
        """True when the directory lists it as active at this moment and it takes new prescriptions."""
        started = self.active_from is None or self.active_from <= now
        ended = self.active_until is not None and self.active_until <= now
        listed = self.directory_state in (DirectoryState.active, DirectoryState.changed)
        return listed and started and not ended and "New" in self.service_levels


class SweepKind(models.TextChoices):
    rolling = "rolling", "Rolling medication sweep"
    nightly = "nightly", "Nightly full sweep"
    changes = "changes", "Changes since the last poll"
    labs = "labs", "Laboratory results"
    vitals = "vitals", "Vital signs"
    directory = "directory", "Pharmacy directory"
    klara_poll = "klara_poll", "Klara reconcile poll"


class SweepState(models.Model):
    """How far one recurring sweep of a practice has come; the cursor survives a restart."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="sweeps")
    kind = models.CharField(max_length=16, choices=SweepKind.choices)
    cursor = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True, help_text="Last time a whole sweep came to its end.")
    counts = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "kind"], name="sweep_once_per_kind")]

    def __str__(self) -> str:
        return f"sweep {self.kind}"
