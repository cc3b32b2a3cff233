"""ChangeEvent: one change of a request that the practice's own receiver is to be told of. Ids and codes only."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models

from refillhub.practices.models import Practice


class ChangeEventQuerySet(models.QuerySet["ChangeEvent"]):
    """Rows by meaning."""

    def due(self, now: datetime) -> "ChangeEventQuerySet":
        """Not yet told, and its time has come."""
        return self.filter(told_at__isnull=True, given_up_at__isnull=True, due_at__lte=now)


class ChangeEvent(models.Model):
    """One event; its id stays the same for every attempt, so that a receiver may drop repeats."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    request_id = models.UUIDField()
    event = models.CharField(max_length=64)
    state = models.CharField(max_length=24, blank=True)
    at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=64, blank=True)

    objects = ChangeEventQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(told_at__isnull=True, given_up_at__isnull=True),
                name="change_event_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} of {self.request_id}"
