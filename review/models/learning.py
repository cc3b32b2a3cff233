"""What people taught the reader: corrections of readings, and patients' own names for drugs of their list.

How long each is kept: a ReadingCorrection stays, as it holds no patient text; its rewritten text, written by a person
without anything personal and sealed, is emptied `review.timers.KEEP_REWRITTEN` (365 days) after it was made. An
EntryAlias counts as long as its list entry is the one it was made for; its text is sealed, and emptied the practice's
`body_days` after it ended. The rows themselves stay, so that the audit's ids still mean something.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from refillhub.practices.models import Practice
from review.models.requests import RefillRequest

# Letters of any alphabet, digits, hyphen and blank: no other ASCII character, so that no address, date or number
# with its punctuation can stand here. Written without classes of letters, which depend on the database's locale.
DRUG_WORDS = r"^[^\x01-\x1f!-,./:-@\[-`{-\x7f]*$"
MOST_DRUG_WORDS = 60  # characters


class ReadingCorrection(models.Model):
    """One correction: what was read, what a person says it means. Codes and names of drugs, no words of the patient
    but the drug's own.

    `drug_read`: the name it was read as, of the vocabulary, or of a list entry where `is_read_listed`; `drug_right`
    likewise, "" with `is_none_right`: none of the patient's entries. `rxcui_*`: the codes of those entries, "" where
    they have none. `message`, `start`, `end`: where the drug's words stand in the burst, None when none were marked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey(RefillRequest, on_delete=models.PROTECT, related_name="corrections")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    intent_read = models.CharField(max_length=32, blank=True)
    intent_right = models.CharField(max_length=32, blank=True)
    message = models.PositiveSmallIntegerField(null=True)
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    drug_words = models.CharField(max_length=MOST_DRUG_WORDS, blank=True)
    drug_read = models.CharField(max_length=300, blank=True)
    drug_right = models.CharField(max_length=300, blank=True)
    rxcui_read = models.CharField(max_length=32, blank=True)
    rxcui_right = models.CharField(max_length=32, blank=True)
    is_read_listed = models.BooleanField(default=False)
    is_right_listed = models.BooleanField(default=False)
    is_none_right = models.BooleanField(default=False)
    vocabulary_release = models.CharField(max_length=64, blank=True)
    rewritten_sealed = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(drug_words__regex=DRUG_WORDS), name="drug_words_are_plain"),
            models.CheckConstraint(
                condition=models.Q(is_none_right=False) | models.Q(drug_right=""), name="none_right_has_no_drug"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["practice", "at"], name="correction_export")]

    def __str__(self) -> str:
        return f"correction of {self.request_id}"


class AliasEnd(models.TextChoices):
    """Why an alias counts no longer."""

    BY_PERSON = "by_person", "ended by a person"
    ENTRY_GONE = "entry_gone", "the entry is no longer on the list"
    ENTRY_INACTIVE = "entry_inactive", "the entry is no longer active"
    ENTRY_CHANGED = "entry_changed", "the entry is now another drug"
    PATIENTS_MERGED = "patients_merged", "two patient records were merged"


class AliasQuerySet(models.QuerySet["EntryAlias"]):
    """Rows by meaning."""

    def standing(self) -> "AliasQuerySet":
        """Not ended; whether its entry still is the one it was made for is asked where it is used."""
        return self.filter(ended_at__isnull=True)


class EntryAlias(models.Model):
    """A patient's own name for one entry of their list ("heart pill"), sealed: it is a patient's words.

    Until a prescriber has confirmed it, it never lets anything happen without a person. `fingerprint` is the entry's
    name and codes when it was made: with another name or code it counts no longer. `name_ref` is a keyed hash, so that
    one name stands once per patient without being readable.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey(RefillRequest, on_delete=models.PROTECT, related_name="aliases")
    patient_external_id = models.CharField(max_length=64)
    entry_external_id = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    name_sealed = models.BinaryField(null=True)
    name_ref = models.CharField(max_length=64)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    checked_at = models.DateTimeField(help_text="The entry had not changed up to then.")
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, choices=AliasEnd, blank=True)

    objects = AliasQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(patient_external_id=""), name="alias_has_a_patient"),
            models.CheckConstraint(
                condition=models.Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | models.Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                name="alias_is_confirmed_by_someone",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, end_reason="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(end_reason="")),
                name="alias_ends_for_a_reason",
            ),
            models.UniqueConstraint(
                fields=["practice", "patient_external_id", "name_ref"],
                condition=models.Q(ended_at__isnull=True),
                name="one_standing_alias_per_name",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["practice", "patient_external_id"],
                condition=models.Q(ended_at__isnull=True),
                name="alias_of_patient",
            ),
            models.Index(
                fields=["ended_at"], condition=models.Q(name_sealed__isnull=False), name="alias_text_to_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"alias {self.id}"
