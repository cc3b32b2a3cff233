"""RuleVersion: one immutable set of rules, published by a second person. DecisionRecord: facts, trace and version of
one
decision. Rows change only by the verbs of `rules.versions`; records are only ever added. Vocabulary: one release of
drug names, products and codes, no practice's own; its rows change only by the verbs of `rules.releases.keeping`.
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
    clauses = models.JSONField(default=list, db_default=[])
    """Numbers of the clauses of the written policy that the version links to what decided."""

    class Meta:
        indexes = (models.Index(fields=["practice", "at"], name="decision_record_by_day"),)

    def __str__(self) -> str:
        return f"{self.request_id} {self.outcome}"


class Vocabulary(models.Model):
    """One RxNorm release as tables. At most one is current, at most one is being loaded."""

    class State(models.TextChoices):
        loading = "loading", "Being loaded"
        ready = "ready", "Ready"
        current = "current", "Current"
        retired = "retired", "Retired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    released_on = models.DateField(verbose_name="release")
    state = models.CharField(max_length=10, choices=State.choices, default=State.loading)
    sources = models.JSONField()
    """What it is read from: {"reduction": number, "files": [{"name", "size" in bytes, "sha256"}]}."""
    counts = models.JSONField(default=dict)
    changes = models.JSONField(default=dict)
    """Against the vocabulary in force when it was loaded: {key: {"count", "examples"}}."""
    notes = models.JSONField(default=dict)
    """What was left out or needs a look, as {text: count}."""
    sha256 = models.JSONField(default=dict)
    """Of each table's bytes before compression, by kind."""
    history = models.JSONField(default=list)
    """Every change of state: [{"at", "by", "state", "why"}]."""
    started_at = models.DateTimeField()
    loaded_at = models.DateTimeField(null=True, blank=True)
    loaded_by = models.CharField(max_length=150)
    """The system account that ran the command: operators have no account of ours."""

    class Meta:
        verbose_name_plural = "vocabularies"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["loading", "ready", "current", "retired"]), name="vocabulary_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="loading", loaded_at__isnull=True)
                | (~Q(state="loading") & Q(loaded_at__isnull=False)),
                name="vocabulary_loaded_before_use",
            ),
            models.UniqueConstraint(fields=["state"], condition=Q(state="current"), name="vocabulary_one_current"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="loading"), name="vocabulary_one_loading"),
        )

    def __str__(self) -> str:
        return f"RxNorm {self.released_on} ({self.state})"


class VocabularyTable(models.Model):
    """One table of a vocabulary, or what was read from one source file while it is loaded; compressed with zlib."""

    class Kind(models.TextChoices):
        read_concepts = "concepts", "RXNCONSO, reduced"
        read_relations = "relations", "RXNREL, reduced"
        read_attributes = "attributes", "RXNSAT, reduced"
        name_table = "names", "Names"
        product_table = "products", "Products"
        ndc_table = "ndc", "NDC codes"
        dea_table = "dea", "DEA schedules"
        lay_name_table = "lay_names", "Lay names"
        look_alike_table = "look_alikes", "Look-alike names"

    id = models.BigAutoField(primary_key=True)
    vocabulary = models.ForeignKey(Vocabulary, models.CASCADE, related_name="tables")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    data = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    kept_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["vocabulary", "kind"], name="vocabulary_table_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["concepts", "relations", "attributes", "names", "products", "ndc"])
                | Q(kind__in=["dea", "lay_names", "look_alikes"]),
                name="vocabulary_table_kind_known",
            ),
        )

    def __str__(self) -> str:
        return self.kind


class WrittenPolicy(models.Model):
    """The practice's refill policy as its people signed it: one uploaded file, never changed, only followed by a newer
    one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="written_policies")
    title = models.CharField(max_length=200)
    media_type = models.CharField(max_length=40)
    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "written policies"
        constraints = (
            models.UniqueConstraint(fields=["practice", "sha256"], name="written_policy_once"),
            models.CheckConstraint(
                condition=Q(media_type__in=["application/pdf", "text/plain"]), name="written_policy_media_known"
            ),
        )

    def __str__(self) -> str:
        return self.title


class PolicyClause(models.Model):
    """A clause of a written policy, as rules cite it ("5.2", "Possibly stopped drugs"). Added, never renamed: old
    decisions cite it."""

    id = models.BigAutoField(primary_key=True)
    policy = models.ForeignKey(WrittenPolicy, models.CASCADE, related_name="clauses")
    number = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    page = models.PositiveSmallIntegerField(null=True, blank=True)
    named_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    named_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["policy", "number"], name="policy_clause_once"),)

    def __str__(self) -> str:
        return f"§{self.number} {self.title}"


class PreviewRun(models.Model):
    """One draft run on recorded decisions: asked for, worked off in the background, its result for ever."""

    class State(models.TextChoices):
        waiting = "waiting", "Waiting"
        running = "running", "Running"
        done = "done", "Done"
        failed = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="+")
    version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="previews")
    document_sha256 = models.CharField(max_length=64)
    """Of the draft as it was run: a later change of the draft needs a run of its own."""
    against = models.ForeignKey(RuleVersion, models.PROTECT, null=True, related_name="+")
    """The version in force when it was asked for; null: the safe defaults."""
    since = models.DateTimeField()
    until = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.waiting)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    """Null: asked from the command line."""
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    counted = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    """See `rules.tallies.to_document`; while it runs, {"after", "tally"} of where it paused."""
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed"]), name="preview_run_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "failed"]) | Q(finished_at__isnull=False),
                name="preview_run_has_its_end",
            ),
        )
        indexes = (
            models.Index(fields=["asked_at"], condition=Q(state__in=["waiting", "running"]), name="preview_run_due"),
            models.Index(fields=["version", "document_sha256"], name="preview_run_of_draft"),
        )

    def __str__(self) -> str:
        return f"Preview of {self.version} ({self.state})"


class PreviewLook(models.Model):
    """A person has opened the result of a preview: publishing asks whether they did."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(PreviewRun, models.PROTECT, related_name="looks")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "person"], name="preview_look_once"),)

    def __str__(self) -> str:
        return f"{self.person} looked at {self.run_id}"
