"""CoverageMove: which waiting item an absence moved away from whom, so that only those can go back on return."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.db import models

from refillhub.practices.models import Coverage, Practice, Provider
from review.models.requests import Queue, RefillRequest


class MoveEnd(models.TextChoices):
    """What became of a moved item when the absent one returned."""

    OPEN = "", "still covered"
    RETURNED = "returned", "went back"
    STAYED = "stayed", "stayed with the stand-in"
    DECIDED = "decided", "was decided meanwhile"
    ELSEWHERE = "elsewhere", "is with someone else by now"


class MoveQuerySet(models.QuerySet["CoverageMove"]):
    """Rows by meaning."""

    def standing(self) -> "MoveQuerySet":
        """Moves whose end has not been settled."""
        return self.filter(ended_at__isnull=True)

    def due(self, *, now: datetime) -> "MoveQuerySet":
        """Moves whose absence is over (or withdrawn) while the one who left is in again or gone for good."""
        away = Coverage.objects.during(now).filter(provider_id=models.OuterRef("left_id"))
        over = models.Q(coverage__isnull=True) | models.Q(coverage__ends_at__lte=now)
        return self.standing().filter(over).exclude(models.Exists(away))


class CoverageMove(models.Model):
    """One waiting item that an absence moved. `taken_by` None: nobody was in, the administrator has it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey(RefillRequest, on_delete=models.PROTECT, related_name="+")
    coverage = models.ForeignKey(Coverage, null=True, on_delete=models.SET_NULL, related_name="+")
    left = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+")
    left_queue = models.CharField(max_length=16, choices=Queue)
    taken_by = models.ForeignKey(Provider, null=True, on_delete=models.PROTECT, related_name="+")
    moved_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=12, choices=MoveEnd, blank=True)

    objects = MoveQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["request", "left"],
                condition=models.Q(ended_at__isnull=True),
                name="one_open_move_per_leaver",
            ),
            models.CheckConstraint(condition=models.Q(end__in=MoveEnd.values), name="coverage_move_end_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["coverage"], condition=models.Q(ended_at__isnull=True), name="coverage_move_open"),
        ]

    def __str__(self) -> str:
        return f"move of {self.request_id}"
