"""Controlled prescriptions: what waits for its prescriber's signature, and the signatures (21 CFR 1311).

`Preparation` holds the exact bytes that are shown and signed; `Signature` is a record for ever (1311.305), as is what
it signed. `EpcsDay` is the daily look at what happened, `Incident` what had to be reported (1311.150).
"""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from refillhub.practices.models import Practice, Provider


class PreparationQuerySet(models.QuerySet["Preparation"]):
    """Rows by meaning."""

    def current(self) -> "PreparationQuerySet":
        """Still to be signed: the request waits and has not changed since (any change makes another version)."""
        return self.filter(request__state="awaiting_signature", request__version=models.F("version"))

    def valid(self, now: datetime) -> "PreparationQuerySet":
        """Current, and not past its end."""
        return self.current().filter(expires_at__gt=now)


class Preparation(models.Model):
    """One controlled prescription as it would be signed. `version`: the request's, as it stood with these bytes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey("review.RefillRequest", on_delete=models.PROTECT, related_name="preparations")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()
    schedule = models.CharField(max_length=16)
    document_sealed = models.BinaryField()
    document_sha256 = models.CharField(max_length=64)
    message_id = models.CharField(max_length=35)
    order_number = models.CharField(max_length=35)
    target = models.CharField(max_length=128)
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    told = models.ForeignKey(Provider, null=True, on_delete=models.PROTECT, related_name="+")
    on_call_at = models.DateTimeField(null=True)

    objects = PreparationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "version"], name="one_preparation_per_version"),
            models.UniqueConstraint(fields=["practice", "message_id"], name="one_preparation_per_message_id"),
            models.CheckConstraint(
                condition=models.Q(schedule__in=["ii", "iii", "iv", "v"]), name="preparation_is_controlled"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["practice", "prepared_at"], name="preparation_by_day")]

    def __str__(self) -> str:
        return f"prepared {self.id}"


class Signature(models.Model):
    """A prescriber's signature under exactly these bytes; never changed, never deleted (database triggers).

    batch: prescriptions of one patient signed with one act (1311.140(a)(1)). public_key: DER of the key it verifies by.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    preparation = models.OneToOneField(Preparation, on_delete=models.PROTECT, related_name="signature")
    request = models.ForeignKey("review.RefillRequest", on_delete=models.PROTECT, related_name="signatures")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    dea_number = models.CharField(max_length=9)
    document_sha256 = models.CharField(max_length=64)
    batch = models.UUIDField()
    signed_at = models.DateTimeField()
    value = models.BinaryField()
    public_key = models.BinaryField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["practice", "signed_at"], name="signature_by_day")]

    def __str__(self) -> str:
        return f"signature {self.id}"


class EpcsDay(models.Model):
    """What happened to controlled prescriptions on one practice-local day, and who looked at it (1311.150)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    made_at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "day"], name="one_epcs_report_per_day"),
            models.CheckConstraint(
                condition=models.Q(reviewed_by__isnull=True, reviewed_at__isnull=True)
                | models.Q(reviewed_by__isnull=False, reviewed_at__isnull=False),
                name="epcs_day_reviewed_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"controlled prescriptions of {self.day}"


class Incident(models.Model):
    """A security incident: to be reported within one business day of being found (1311.150(c)). Ids and codes only."""

    class Kind(models.TextChoices):
        """What was found."""

        SIGNATURE_BROKEN = "signature_broken", "A signed prescription did not match its signature"
        WRONG_FACTORS = "wrong_factors", "Password or code were refused five times within an hour"
        NOT_THE_SIGNER = "not_the_signer", "Somebody tried to sign for another prescriber"
        TOKEN_LOST = "token_lost", "A second factor was lost or compromised"
        OTHER = "other", "Something else, found by a person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    key = models.CharField(max_length=64, blank=True)
    words = models.CharField(max_length=500, blank=True)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    report_by = models.DateTimeField()
    reported_at = models.DateTimeField(null=True)
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=100, blank=True)
    is_dismissed = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(reported_at__isnull=True, reported_by__isnull=True, reference="")
                | (models.Q(reported_at__isnull=False, reported_by__isnull=False) & ~models.Q(reference="")),
                name="incident_ended_by_someone",
            ),
            models.UniqueConstraint(
                fields=["practice", "kind", "key"],
                condition=models.Q(reported_at__isnull=True) & ~models.Q(key=""),
                name="one_open_incident_per_matter",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.opened_at:%Y-%m-%d %H:%M}"
