"""What came in: one row per verified event of a vendor, sealed, never altered after its body is stored."""

import uuid
from typing import ClassVar

from django.db import models

from refillhub.practices.models import Practice


class Origin(models.TextChoices):
    """How an event reached us."""

    WEBHOOK = "webhook", "webhook"
    POLL = "poll", "found by our own look"


class EventKind(models.TextChoices):
    """Our word for what an event is about."""

    MESSAGE_IN = "message_in", "message of a patient"
    TAG = "tag", "tags changed"
    CLOSED = "closed", "conversation closed"
    MERGED = "merged", "patients merged"
    CHART = "chart", "chart record changed"
    TEST = "test", "test of the connection"
    OTHER = "other", "not ours to act on"


class Progress(models.TextChoices):
    """How far an event got; every patient message ends in `read` with a link to a request."""

    RECEIVED = "received", "waiting for the quiet window"
    READING = "reading", "being read"
    READ = "read", "ended in a request"
    IGNORED = "ignored", "nothing to do"
    QUARANTINED = "quarantined", "signed but unreadable"
    CONFLICT = "conflict", "same id, other body"


class InboundEvent(models.Model):
    """One verified event. `body_sealed` holds the raw bytes; purged by age, the row stays."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    vendor = models.CharField(max_length=16)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.WEBHOOK)
    event_id = models.CharField(max_length=160)
    vendor_type = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=12, choices=EventKind, default=EventKind.OTHER)
    progress = models.CharField(max_length=12, choices=Progress, default=Progress.RECEIVED)
    body_sealed = models.BinaryField(blank=True)
    body_hash = models.CharField(max_length=64)
    conversation_id = models.CharField(max_length=128, blank=True)
    message_id = models.CharField(max_length=128, blank=True)
    sender_id = models.CharField(max_length=128, blank=True)
    channel_id = models.CharField(max_length=128, blank=True)
    sequence = models.BigIntegerField(null=True)
    occurred_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    is_glanced = models.BooleanField(default=False)
    read_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "vendor", "event_id"], name="one_row_per_event"),
            # Second layer of duplicates: a poll and a webhook of one message start one piece of work.
            models.UniqueConstraint(
                fields=["practice", "vendor", "message_id"],
                condition=models.Q(kind="message_in") & ~models.Q(message_id="") & ~models.Q(progress="ignored"),
                name="one_row_per_message",
            ),
            models.CheckConstraint(condition=models.Q(progress__in=Progress.values), name="event_progress_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=models.Q(progress="received"), name="event_due"),
            models.Index(
                fields=["received_at"],
                condition=models.Q(progress="received", is_glanced=False),
                name="event_not_glanced",
            ),
            models.Index(fields=["lease_until"], condition=models.Q(progress="reading"), name="event_leased"),
            models.Index(
                fields=["practice", "sender_id"],
                condition=models.Q(progress__in=["received", "reading"]),
                name="event_unread_sender",
            ),
            models.Index(fields=["practice", "conversation_id", "received_at"], name="event_conversation"),
            models.Index(fields=["practice", "received_at"], name="event_arrival"),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} event {self.event_id}"


class EventLink(models.Model):
    """Which request a message became part of; a message for two drugs has two links."""

    event = models.ForeignKey(InboundEvent, on_delete=models.PROTECT, related_name="links")
    request = models.ForeignKey("review.RefillRequest", on_delete=models.PROTECT, related_name="event_links")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["event", "request"], name="one_link_per_pair")]

    def __str__(self) -> str:
        return f"event {self.event_id} of request {self.request_id}"
