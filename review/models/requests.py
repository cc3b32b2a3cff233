"""RefillRequest: a patient's ask as people see it. Its `state` is written only by verbs."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from refillhub.practices.models import Location, Practice, Provider
from review import states


class Kind(models.TextChoices):
    """What is asked."""

    REFILL = "refill", "refill"
    PHARMACY_CHANGE = "pharmacy_change", "pharmacy change"
    MESSAGE = "message", "message for a person"


class Source(models.TextChoices):
    """Who asks."""

    KLARA = "klara", "patient, by Klara"
    PHARMACY = "pharmacy", "pharmacy"


class Queue(models.TextChoices):
    """Whose list an open request is on."""

    NOBODY = "", "nobody"
    PRESCRIBER = "prescriber", "prescriber"
    ASSISTANT = "assistant", "assistant"
    ON_CALL = "on_call", "on-call"
    ADMINISTRATOR = "administrator", "administrator"


class RequestQuerySet(models.QuerySet["RefillRequest"]):
    """Rows by meaning."""

    def waiting(self) -> "RequestQuerySet":
        """Requests a person must look at."""
        return self.filter(state=states.RequestState.IN_REVIEW)

    def unfinished(self) -> "RequestQuerySet":
        """Requests that have no end yet."""
        return self.filter(state__in=states.OPEN_REQUEST_STATES)

    def opening(self, *, now: datetime) -> "RequestQuerySet":
        """Held requests whose practice has opened by `now`."""
        return self.filter(state=states.RequestState.HELD, release_at__lte=now)


class RefillRequest(models.Model):
    """One ask for one drug, one pharmacy change, or one message for a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    location = models.ForeignKey(Location, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    source = models.CharField(max_length=8, choices=Source, default=Source.KLARA)
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in states.RequestState])
    version = models.PositiveIntegerField(default=1)

    # whose: ids only; the identity itself is sealed and purged a set time after the end (law 9)
    patient_external_id = models.CharField(max_length=64, blank=True)
    patient_ref = models.CharField(max_length=40, blank=True)
    sender_id = models.CharField(max_length=128, blank=True)
    conversation_id = models.CharField(max_length=128, blank=True)
    channel_source = models.CharField(max_length=24, blank=True)
    snapshot_sealed = models.BinaryField(null=True)
    snapshot_at = models.DateTimeField(null=True)
    reading_sealed = models.BinaryField(null=True)

    # what: the list entry and what would be or was prescribed
    entry_external_id = models.CharField(max_length=64, blank=True)
    entry_hash = models.CharField(max_length=64, blank=True)
    ingredient_key = models.CharField(max_length=300, blank=True)
    drug_key = models.CharField(max_length=400, blank=True)
    drug_name = models.CharField(max_length=300, blank=True)
    rxcui = models.CharField(max_length=32, blank=True)
    rxcui_qualifier = models.CharField(max_length=4, blank=True)
    ndc = models.CharField(max_length=11, blank=True)
    schedule = models.CharField(max_length=16, blank=True)
    drug_class = models.CharField(max_length=40, blank=True)
    quantity = models.DecimalField(max_digits=11, decimal_places=3, null=True)
    quantity_unit = models.CharField(max_length=40, blank=True)
    days_supply = models.PositiveSmallIntegerField(null=True)
    refills = models.PositiveSmallIntegerField(null=True)
    sig = models.TextField(blank=True)
    pharmacy_ncpdp = models.CharField(max_length=7, blank=True)
    run_out_on = models.DateField(null=True)

    # who has it and why
    prescriber = models.ForeignKey(Provider, null=True, on_delete=models.PROTECT, related_name="+")
    assignee = models.ForeignKey(Provider, null=True, on_delete=models.PROTECT, related_name="+")
    queue = models.CharField(max_length=16, choices=Queue, blank=True)
    outcome = models.CharField(max_length=24, blank=True)
    recipe = models.CharField(max_length=64, blank=True)
    reasons = models.JSONField(default=list)
    is_urgent = models.BooleanField(default=False)
    is_shadow = models.BooleanField()
    is_automatic = models.BooleanField(default=False)
    needs_reread = models.BooleanField(default=False)
    duplicate_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="duplicates")
    about = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="items")

    # the lock of an unknown outcome, and the person who ended it
    is_locked = models.BooleanField(default=False)
    last_code = models.CharField(max_length=64, blank=True)
    last_text = models.CharField(max_length=500, blank=True)

    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answer_code = models.CharField(max_length=40, blank=True)
    asked_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    release_at = models.DateTimeField(null=True)
    remind_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = RequestQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=[s.value for s in states.RequestState]), name="request_state_known"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="request_kind_known"),
            # Third layer of duplicates: one refill on its way per patient and ingredient set (law 6). What waits for a
            # person is not on its way: two different asks for one drug may both be before people.
            models.UniqueConstraint(
                fields=["practice", "patient_external_id", "ingredient_key"],
                condition=models.Q(kind="refill", is_shadow=False)
                & ~models.Q(patient_external_id="")
                & ~models.Q(ingredient_key="")
                & models.Q(state__in=sorted(s.value for s in states.SENDING_REQUEST_STATES)),
                name="one_open_refill_per_drug",
            ),
            # Lock and state belong together: what may be at the pharmacy waits for a person.
            models.CheckConstraint(
                condition=models.Q(is_locked=False) | models.Q(state="in_review"), name="locked_is_in_review"
            ),
            # Controlled and unknown drugs are never approved without a person.
            models.CheckConstraint(
                condition=models.Q(is_automatic=False)
                | ~models.Q(kind="refill")
                | ~models.Q(state__in=["approved", "sent", "done"])
                | models.Q(schedule="not_controlled"),
                name="automatic_is_not_controlled",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["practice", "state", "queue"], name="request_queue"),
            models.Index(fields=["practice", "patient_external_id", "opened_at"], name="request_patient"),
            models.Index(fields=["practice", "sender_id", "state"], name="request_sender"),
            models.Index(fields=["release_at"], condition=models.Q(state="held"), name="request_release"),
            models.Index(fields=["practice", "opened_at"], name="request_opened"),
            models.Index(fields=["practice", "changed_at"], name="request_changed"),
        ]

    def __str__(self) -> str:
        return f"request {self.id}"

    @property
    def short_id(self) -> str:
        """The first eight characters, for people."""
        return str(self.id)[:8]


class Comment(models.Model):
    """A note of a person on a request; sealed, as it may hold health data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey(RefillRequest, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text_sealed = models.BinaryField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"comment on {self.request_id}"


class FormReceipt(models.Model):
    """A form key that was used: a second post of the same key answers with the first result."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.UUIDField()
    location = models.CharField(max_length=200)
    notice = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="one_result_per_form_key")]

    def __str__(self) -> str:
        return str(self.key)
