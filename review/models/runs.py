"""AuditRun: an export of audit entries made in the background, kept for a day in pieces; only pages hand it out."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from refillhub.practices.models import Practice


class AuditRunQuerySet(models.QuerySet["AuditRun"]):
    """Rows by meaning."""

    def due(self, now: datetime) -> "AuditRunQuerySet":
        """Waiting, or left by a worker that died."""
        waits = models.Q(progress="waiting") | models.Q(progress="running", lease_until__lt=now)
        return self.filter(waits)


class AuditRun(models.Model):
    """One export: what was wanted, how far it got, its hash once it is whole."""

    class Kind(models.TextChoices):
        """What is made."""

        CSV = "csv", "CSV"
        JSON = "json", "signed JSON"

    class Progress(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", "waiting"
        RUNNING = "running", "being made"
        DONE = "done", "ready"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=4, choices=Kind)
    wanted = models.JSONField(default=dict)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    progress = models.CharField(max_length=8, choices=Progress, default=Progress.WAITING)
    up_to = models.BigIntegerField(help_text="The last entry it looks at; the trail goes on meanwhile.")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    first_number = models.BigIntegerField(null=True)
    last_number = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=80, blank=True)

    objects = AuditRunQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["practice", "-asked_at"], name="audit_run_newest")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(kind__in=["csv", "json"]), name="audit_run_kind_known")
        ]

    def __str__(self) -> str:
        return f"{self.kind} export {self.id}"


class AuditPiece(models.Model):
    """A piece of an export, compressed."""

    run = models.ForeignKey(AuditRun, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "number"], name="audit_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.number}"
