"""Dispatch: one outgoing message, frozen to bytes beside the change that caused it (the outbox)."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from refillhub.practices.models import Practice
from review import states


class DispatchKind(models.TextChoices):
    """What leaves, and for whom."""

    NEWRX = "newrx", "prescription to the pharmacy"
    CANCELRX = "cancelrx", "cancellation to the pharmacy"
    REPLY = "reply", "message to the patient"
    CHART = "chart", "record on the chart"
    TASK = "task", "task in DrChrono"
    PHARMACY = "pharmacy", "preferred pharmacy"
    PAGE = "page", "page to the on-call"
    ANSWER = "answer", "denial to the pharmacy"


SCRIPT_KINDS = (DispatchKind.NEWRX, DispatchKind.CANCELRX, DispatchKind.ANSWER)
"""What speaks SCRIPT to the network. A granted renewal is a prescription and goes as NEWRX; ANSWER only ever denies."""


class Lane(models.TextChoices):
    """Whose rate limit a dispatch spends."""

    ROUTINE = "routine", "Surescripts, routine"
    EPCS = "epcs", "Surescripts, controlled"
    KLARA = "klara", "Klara"
    DRCHRONO = "drchrono", "DrChrono"
    PAGE = "page", "paging"


class ReplyPurpose(models.TextChoices):
    """Why a patient is written to; each has its own words in `review/replies.py`."""

    NOTHING = "", "not a reply"
    SENT = "sent", "sent to the pharmacy"
    RECEIVED = "received", "received by the pharmacy"
    VISIT = "visit", "a visit is needed"
    DENIED = "denied", "not renewed"
    TOLD = "told", "fills left at the pharmacy"
    HELD = "held", "the office is closed"
    PHARMACY = "pharmacy", "pharmacy changed"
    CORRECTION = "correction", "apology and correction"
    EMERGENCY = "emergency", "emergency text"
    PRESCRIBED = "prescribed", "prescribed in the chart"
    WITH_DOCTOR = "with_doctor", "with the prescriber"
    ANSWER = "answer", "answer of a person"


class DispatchQuerySet(models.QuerySet["Dispatch"]):
    """Rows by meaning."""

    def due(self, *, now: datetime) -> "DispatchQuerySet":
        """What may leave by `now`."""
        return self.filter(state=states.DispatchState.QUEUED, due_at__lte=now)

    def maybe_delivered(self) -> "DispatchQuerySet":
        """What is not surely undelivered (law 6: ours counts as supply)."""
        return self.filter(state__in=states.MAYBE_DELIVERED_STATES, is_void=False)


class Dispatch(models.Model):
    """One message to one vendor. `document_sealed` is exactly what is sent, or what the adapter needs to send it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey("review.RefillRequest", on_delete=models.PROTECT, related_name="dispatches")
    kind = models.CharField(max_length=12, choices=DispatchKind)
    purpose = models.CharField(max_length=16, choices=ReplyPurpose, blank=True)
    lane = models.CharField(max_length=12, choices=Lane)
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in states.DispatchState])
    is_shadow = models.BooleanField()
    is_void = models.BooleanField(default=False)
    schedule = models.CharField(max_length=16, blank=True)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(null=True)
    signature = models.OneToOneField(
        "review.Signature", null=True, on_delete=models.PROTECT, related_name="dispatch",
        help_text="A trigger holds bytes, signer, practice and request to what was signed.",
    )  # fmt: skip

    document_sealed = models.BinaryField()
    document_sha256 = models.CharField(max_length=64)
    message_id = models.CharField(max_length=35, blank=True)
    order_number = models.CharField(max_length=35, blank=True)
    idempotency_key = models.CharField(max_length=64)
    target = models.CharField(max_length=128, blank=True)
    predecessor = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="successors")

    due_at = models.DateTimeField()
    queued_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    may_be_repeated = models.BooleanField(default=False)
    was_repeated = models.BooleanField(default=False)
    accepted_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=16, blank=True)
    description_codes = models.JSONField(default=list)
    text = models.TextField(blank=True)
    external_ref = models.CharField(max_length=128, blank=True)

    objects = DispatchQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=[s.value for s in states.DispatchState]), name="dispatch_state_known"
            ),
            # Law 7: shadow is unsendable for ever.
            models.CheckConstraint(
                condition=models.Q(is_shadow=True, state="shadowed")
                | (models.Q(is_shadow=False) & ~models.Q(state="shadowed")),
                name="shadow_is_unsendable",
            ),
            # Law of the lanes: only a known, not controlled drug on the routine lane; anything else is signed.
            models.CheckConstraint(
                condition=~models.Q(kind="newrx")
                | models.Q(lane="routine", schedule="not_controlled")
                | models.Q(
                    lane="epcs", signed_by__isnull=False, signed_at__isnull=False, signature__isnull=False
                ),
                name="controlled_is_signed",
            ),
            models.CheckConstraint(
                condition=models.Q(lane__in=["routine", "epcs"]) | ~models.Q(kind__in=["newrx", "cancelrx", "answer"]),
                name="prescription_lane",
            ),
            models.UniqueConstraint(fields=["practice", "idempotency_key"], name="one_dispatch_per_key"),
            models.UniqueConstraint(
                fields=["practice", "message_id"],
                condition=~models.Q(message_id=""),
                name="one_dispatch_per_message_id",
            ),
            models.UniqueConstraint(
                fields=["request"],
                condition=models.Q(kind="newrx", is_void=False)
                & ~models.Q(state__in=["rejected", "shadowed", "taken_back"]),
                name="one_live_newrx_per_request",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=models.Q(state="queued"), name="dispatch_due"),
            models.Index(fields=["due_at"], condition=models.Q(state="retry_wait"), name="dispatch_retry"),
            models.Index(fields=["lease_until"], condition=models.Q(state="sending"), name="dispatch_leased"),
            models.Index(
                fields=["next_check_at"],
                condition=models.Q(state__in=["unknown", "accepted"]),
                name="dispatch_check",
            ),
            models.Index(fields=["request", "kind"], name="dispatch_request"),
            models.Index(fields=["practice", "queued_at"], name="dispatch_queued"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def code_line(self) -> str:
        """The vendor's codes exactly as received: "900 / 1000"; "" without a code."""
        return " / ".join([self.code, *map(str, self.description_codes)]) if self.code else ""
