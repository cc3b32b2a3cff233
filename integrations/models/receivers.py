"""Receiver: a practice's own address that is told of pages and of changes, by signed webhooks."""

import uuid
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from integrations import http


def check_address(url: str) -> None:
    """Raises ValidationError unless it is https, without a user name; plain http only on this machine."""
    parts = urlsplit(url)
    is_plain = parts.scheme == "http" and http.is_loopback(url)
    if not parts.hostname or parts.username or parts.password or not (parts.scheme == "https" or is_plain):
        raise ValidationError("Enter an https address without a user name.")


class ReceiverQuerySet(models.QuerySet["Receiver"]):
    """Rows by meaning."""

    def active(self) -> "ReceiverQuerySet":
        """Those that are told."""
        return self.filter(is_active=True)


class Receiver(models.Model):
    """Where a practice wants to be told. Two secrets may be live while one replaces the other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="receivers")
    url = models.CharField(max_length=300, validators=[check_address])
    wants_pages = models.BooleanField(default=True)
    wants_changes = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    secret_sealed = models.BinaryField()
    former_sealed = models.BinaryField(null=True)
    former_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    last_ok_at = models.DateTimeField(null=True)
    last_error_at = models.DateTimeField(null=True)
    last_error_code = models.CharField(max_length=64, blank=True)

    objects = ReceiverQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice"], condition=Q(is_active=True), name="receiver_one_active"),
        ]

    def __str__(self) -> str:
        return f"receiver of {self.practice_id}"

    def has_former(self, now: datetime) -> bool:
        """Whether the secret before this one still signs as well."""
        return bool(self.former_sealed) and self.former_until is not None and now < self.former_until
