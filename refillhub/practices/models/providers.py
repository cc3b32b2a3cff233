"""The prescribers: Provider, Spi, their consent to automatic approval, and Coverage of their absences."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from refillhub.practices import clock
from refillhub.practices.models.people import User
from refillhub.practices.models.places import Location, Practice

digits_10 = RegexValidator(r"^\d{10}$", "Ten digits.")
digits_13 = RegexValidator(r"^\d{13}$", "Thirteen digits.")
dea_number = RegexValidator(r"^[A-Z][A-Z9]\d{7}$", "Two letters and seven digits.")


class ProviderQuerySet(models.QuerySet["Provider"]):
    """Providers, by meaning."""

    def active(self) -> ProviderQuerySet:
        """Providers who work here."""
        return self.filter(is_active=True)

    def on_call(self) -> ProviderQuerySet:
        """Active providers of the on-call roster, first to be paged first."""
        return self.active().filter(on_call_order__isnull=False).order_by("on_call_order")


class Provider(models.Model):
    """A prescriber of the practice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="providers")
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="providers")
    first_name = models.CharField(max_length=60)
    last_name = models.CharField(max_length=60)
    suffix = models.CharField(max_length=20, blank=True)
    npi = models.CharField("NPI", max_length=10, validators=[digits_10])
    dea_number = models.CharField("DEA number", max_length=9, blank=True, validators=[dea_number])
    epcs_enabled = models.BooleanField(default=False)
    drchrono_doctor_id = models.CharField(max_length=40, blank=True)
    drchrono_user_id = models.CharField(max_length=40, blank=True)
    on_call_order = models.PositiveSmallIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    location = models.ForeignKey(Location, models.PROTECT, null=True, blank=True, related_name="providers",
                                 verbose_name="home location")

    objects = ProviderQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["practice", "npi"], name="provider_one_npi"),
            models.UniqueConstraint(fields=["practice", "user"], name="provider_one_user"),
            models.UniqueConstraint(fields=["practice", "drchrono_doctor_id"], name="provider_one_doctor",
                                    condition=~Q(drchrono_doctor_id="")),
            models.UniqueConstraint(fields=["practice", "on_call_order"], name="provider_one_place_on_call"),
            models.CheckConstraint(condition=Q(npi__regex=r"^\d{10}$"), name="provider_npi_ten_digits"),
        )

    def __str__(self) -> str:
        return f"Dr. {self.last_name}"


class Spi(models.Model):
    """A provider's Surescripts number at one location; without it they cannot be a sender there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="spis")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="spis")
    location = models.ForeignKey(Location, models.PROTECT, related_name="spis")
    spi = models.CharField("SPI", max_length=13, unique=True, validators=[digits_13])
    is_active = models.BooleanField(default=True)
    directory_state = models.CharField(max_length=8, blank=True, default="", editable=False,
                                       help_text="What the network's directory says: listed, ended, missing, other")
    service_levels = models.JSONField(default=list, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "SPI"
        constraints = (
            models.UniqueConstraint(fields=["provider", "location"], name="spi_one_per_location"),
            models.CheckConstraint(condition=Q(spi__regex=r"^\d{13}$"), name="spi_thirteen_digits"),
        )

    def __str__(self) -> str:
        return self.spi

    @property
    def may_send(self) -> bool:
        """Active here, and nothing in the network's directory speaks against it; one never looked up counts."""
        return self.is_active and self.directory_state in ("", "listed")


class AutoApprovalConsentQuerySet(models.QuerySet["AutoApprovalConsent"]):
    """Consents, by meaning."""

    def standing(self) -> AutoApprovalConsentQuerySet:
        """Given and not revoked."""
        return self.filter(revoked_at__isnull=True)


class AutoApprovalConsent(models.Model):
    """A prescriber's own agreement to automatic approval in their name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="auto_approval_consents")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="auto_approval_consents")
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = AutoApprovalConsentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["provider"], condition=Q(revoked_at__isnull=True), name="consent_one_open"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="consent_revoked_by_someone"),
        )

    def __str__(self) -> str:
        return f"{self.provider_id} since {self.given_at:%Y-%m-%d}"


class CoverageQuerySet(models.QuerySet["Coverage"]):
    """Absences, by meaning."""

    def during(self, now: datetime) -> CoverageQuerySet:
        """Absences under way at a moment; the end itself is no longer away."""
        return self.filter(starts_at__lte=now, ends_at__gt=now)


class Coverage(models.Model):
    """An absence of a provider and who stands in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="coverages")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    stand_in = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="stands_in")
    note = models.CharField(max_length=200, blank=True)
    moves_waiting = models.BooleanField("waiting items move too", default=True, db_default=True)
    returns_waiting = models.BooleanField("what moved and still waits goes back", default=False, db_default=False)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = CoverageQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "coverage"
        indexes = (models.Index(fields=["practice", "starts_at", "ends_at"], name="coverage_by_time"),)
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="coverage_ends_after_start"),
            models.CheckConstraint(condition=Q(stand_in__isnull=True) | ~Q(stand_in=F("provider")),
                                   name="coverage_by_another"),
        )

    def __str__(self) -> str:
        return f"{self.provider_id} away {self.starts_at:%Y-%m-%d}"
