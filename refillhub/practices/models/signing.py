"""SigningGrant: a prescriber's right to sign controlled prescriptions here, given by two people (21 CFR 1311.125)."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.db.models import F, Q

from refillhub.practices.models.people import User
from refillhub.practices.models.places import Practice
from refillhub.practices.models.providers import Provider, dea_number


class SigningGrantQuerySet(models.QuerySet["SigningGrant"]):
    """Grants, by meaning."""

    def open(self) -> SigningGrantQuerySet:
        """Asked for or standing; not ended."""
        return self.filter(ended_at__isnull=True)

    def standing(self, today: date) -> SigningGrantQuerySet:
        """Approved by a second person, not ended, and the registration still runs on this day."""
        return self.open().filter(approved_at__isnull=False, registration_ends_on__gte=today)


class SigningGrant(models.Model):
    """One prescriber's right to sign, as asked for by one person and approved by another, a DEA registrant.

    `evidence`: where the identity proofing and the look at DEA and state registers are filed (1311.105, 1311.125(b)).
    """

    class EndReason(models.TextChoices):
        withdrawn = "withdrawn", "Withdrawn"
        left = "left", "Left the practice"
        token_lost = "token_lost", "Second factor lost or compromised"
        registration_ended = "registration_ended", "Registration ended"
        refused = "refused", "Not approved"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="signing_grants")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="signing_grants")
    dea_number = models.CharField("DEA number", max_length=9, validators=[dea_number])
    registration_ends_on = models.DateField()
    evidence = models.CharField(max_length=200)
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, choices=EndReason.choices, blank=True)

    objects = SigningGrantQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["provider"], condition=Q(ended_at__isnull=True), name="grant_one_open"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")), name="grant_by_two_people"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="grant_approved_by_someone"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end_reason="") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="grant_ended_for_a_reason"),
        )

    def __str__(self) -> str:
        return f"{self.provider_id} may sign"
