"""ApiToken: what a program shows to act for one person in one practice; ApiReceipt: what an act by it was answered.

The token itself is never kept, only its SHA-256. Nothing here can sign.
"""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from refillhub.practices.models import Practice


class Scope(models.TextChoices):
    """What a token may be used for; never more than its person may at that moment."""

    READ = "read", "Read the queue and requests, without names of patients"
    DECIDE = "decide", "Decide on requests, and see the patient's name and birth date"
    AUDIT = "audit", "Read the audit trail"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Rows by meaning."""

    def of(self, *, practice: Practice) -> "ApiTokenQuerySet":
        """The tokens of one practice, newest first."""
        return self.filter(practice=practice).select_related("user", "created_by").order_by("-created_at", "-id")

    def live(self, *, now: datetime) -> "ApiTokenQuerySet":
        """Agreed to by their person, not ended, not run out."""
        return self.filter(accepted_at__isnull=False, revoked_at__isnull=True, expires_at__gt=now)


class ApiToken(models.Model):
    """One program's way in. `prefix` is what pages show to tell tokens apart."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["practice", "created_at"], name="api_token_practice")]

    def __str__(self) -> str:
        return f"token {self.prefix}"

    def state(self, now: datetime) -> str:
        """One word for pages: ended, expired, waiting for its person, or in use."""
        if self.revoked_at is not None:
            return "ended"
        if self.expires_at <= now:
            return "expired"
        return "live" if self.accepted_at is not None else "waiting"


class ApiReceipt(models.Model):
    """One attempt of a program to act, by its idempotency key, and the answer it got. Codes only, never a patient."""

    token = models.ForeignKey(ApiToken, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=64)
    request_hash = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["token", "key"], name="one_answer_per_api_key")]

    def __str__(self) -> str:
        return self.key
