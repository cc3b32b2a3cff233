"""RuleVersion: one immutable set of rules, published by a second person. DecisionRecord: facts, trace and version of
one
decision. Rows change only by the verbs of `rules.versions`; records are only ever added.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from refillhub.practices.models import Practice


class RuleVersion(models.Model):
    """Policy, recipes and adoptions of a practice as one document."""

    class State(models.TextChoices):
        draft = "draft", "Draft"
        proposed = "proposed", "Proposed"
        published = "published", "Published"
        superseded = "superseded", "Superseded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="rule_versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.draft)
    document = models.JSONField()
    note = models.CharField(max_length=300, blank=True)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    effective_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["practice", "number"], name="rule_version_number_once"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "proposed", "published", "superseded"]), name="rule_version_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "proposed"])
                | (
                    Q(proposed_by__isnull=False, published_by__isnull=False)
                    & Q(published_at__isnull=False, effective_at__isnull=False)
                    & ~Q(published_by=F("proposed_by"))
                    & ~Q(published_by=F("drafted_by"))
                ),
                name="rule_version_second_person",
            ),
        )
        indexes = (models.Index(fields=["practice", "state", "effective_at"], name="rule_version_in_force"),)

    def __str__(self) -> str:
        return f"Rules {self.number} ({self.state})"


class DecisionRecord(models.Model):
    """One decision: what was known (sealed), what came of it, by which version. Trace and findings hold codes and
    numbers only."""

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="+")
    request_id = models.UUIDField(db_index=True)
    at = models.DateTimeField()
    version = models.ForeignKey(RuleVersion, models.PROTECT, null=True, related_name="+")
    """Null: the safe defaults, no version was in force."""
    facts_sealed = models.BinaryField()
    outcome = models.CharField(max_length=20)
    recipe = models.CharField(max_length=60)
    drug_class = models.CharField(max_length=200, blank=True)
    reasons = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    trace = models.JSONField(default=list)

    class Meta:
        indexes = (models.Index(fields=["practice", "at"], name="decision_record_by_day"),)

    def __str__(self) -> str:
        return f"{self.request_id} {self.outcome}"
