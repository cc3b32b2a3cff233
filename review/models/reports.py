"""FillReport: what a pharmacy itself told us of a fill (RxFill, renewal requests). The only source of *fills left*."""

import uuid
from typing import ClassVar

from django.db import models

from refillhub.practices.models import Practice


class FillReport(models.Model):
    """One fill of one ingredient set, as a pharmacy reported it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    message_id = models.CharField(max_length=64)
    patient_external_id = models.CharField(max_length=64)
    ingredient_key = models.CharField(max_length=300)
    kind = models.CharField(max_length=24)
    filled_on = models.DateField(null=True)
    days_supply = models.PositiveSmallIntegerField(null=True)
    fills_left = models.PositiveSmallIntegerField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "message_id"], name="one_fill_report_per_message")
        ]
        indexes: ClassVar = [
            models.Index(fields=["practice", "patient_external_id", "ingredient_key"], name="fill_report_lookup")
        ]

    def __str__(self) -> str:
        return f"fill report {self.message_id}"


class NetworkMail(models.Model):
    """A message of the network as received: stored, then acknowledged, dropped when it comes again (surescripts
    4.10).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    sender = models.CharField(max_length=64)
    message_id = models.CharField(max_length=64)
    relates_to = models.CharField(max_length=64, blank=True)
    body_name = models.CharField(max_length=40, blank=True)
    document_sealed = models.BinaryField()
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    is_matched = models.BooleanField(default=False)
    request = models.ForeignKey(
        "review.RefillRequest", null=True, on_delete=models.PROTECT, related_name="mail", help_text="What it opened."
    )
    answered_by = models.ForeignKey("review.Dispatch", null=True, on_delete=models.PROTECT, related_name="+")
    """The message of ours that answers a renewal request."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "sender", "message_id"], name="one_row_per_network_message")
        ]
        indexes: ClassVar = [
            models.Index(fields=["received_at"], condition=models.Q(applied_at__isnull=True), name="network_mail_new")
        ]

    def __str__(self) -> str:
        return f"{self.body_name} {self.message_id}"
