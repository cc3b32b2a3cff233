"""The audit tables: Entry, one line of the chain, and Head, where each practice's chain ends.

No foreign keys: entries outlive the rows they speak of. A database trigger refuses UPDATE, DELETE and
TRUNCATE on entries and any step back of a head (migration 0001). Rows are written by `log.py` alone.
"""

from __future__ import annotations

from django.db import models


class EntryQuerySet(models.QuerySet["Entry"]):
    """Entries, by meaning."""

    def of(self, *, practice_id: object) -> EntryQuerySet:
        """The entries of one practice."""
        return self.filter(practice_id=practice_id)

    def newest_first(self) -> EntryQuerySet:
        """In falling order of number (within one practice)."""
        return self.order_by("-number")


class Entry(models.Model):
    """One event. `body` is the exact canonical JSON that was hashed; the columns repeat it for searching."""

    id = models.BigAutoField(primary_key=True)
    practice_id = models.UUIDField()
    number = models.BigIntegerField(help_text="1, 2, 3 ... within the practice, without gaps")
    at = models.DateTimeField()
    event = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=8)
    actor_id = models.CharField(max_length=128)
    request_id = models.UUIDField(null=True)
    patient_ref = models.CharField(max_length=64, blank=True)
    body = models.TextField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        constraints = (
            models.UniqueConstraint(fields=["practice_id", "number"], name="audit_entry_one_number"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="audit_entry_counts_from_one"),
        )
        indexes = (
            models.Index(fields=["request_id", "number"], name="audit_entry_by_request",
                         condition=models.Q(request_id__isnull=False)),
            models.Index(fields=["practice_id", "at"], name="audit_entry_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.event}"


class Head(models.Model):
    """The last number and hash of one practice's chain; locked by every writer."""

    practice_id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.practice_id} at {self.number}"
