"""Alarm: something a person of the practice must know, kept once while it lasts. MorningReport: the day's report,
once.
"""

import uuid
from typing import ClassVar

from django.db import models

from refillhub.practices.models import Practice


class Alarm(models.Model):
    """One lasting trouble; `key` names the thing it is about by id, `runbook` the entry that helps."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=128, blank=True)
    sentence = models.CharField(max_length=300)
    runbook = models.CharField(max_length=40, blank=True)
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "kind", "key"],
                condition=models.Q(closed_at__isnull=True),
                name="one_open_alarm_per_matter",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} since {self.opened_at:%Y-%m-%d %H:%M}"


class MorningReport(models.Model):
    """That the report of one practice's day was made; counts only, the page works them out afresh."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    made_at = models.DateTimeField()
    counts = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["practice", "day"], name="one_report_per_day")]

    def __str__(self) -> str:
        return f"report of {self.day}"
