"""What vendors told us: the mirror of a practice's chart, prescriptions seen there, the pharmacies, sweeps.

The mirror holds medications and visit dates only: no names, no addresses.
"""

from datetime import datetime

from django.db import models
from django.db.models import Q

from integrations.models.connections import Stage


class MirrorPatient(models.Model):
    """A chart patient as far as rules need one: visit dates and how fresh our copy is. Never a name."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="mirror_patients")
    external_id = models.CharField(max_length=32)
    doctor_external_id = models.CharField(max_length=32, blank=True)
    status = models.TextField(blank=True, help_text="A active, I inactive, D deceased.")
    last_visit_on = models.DateField(null=True, blank=True)
    next_visit_on = models.DateField(null=True, blank=True)
    medications_read_at = models.DateTimeField(null=True, blank=True)
    patient_read_at = models.DateTimeField(null=True, blank=True)
    pushed_at = models.DateTimeField(null=True, blank=True)
    labs_read_at = models.DateTimeField(null=True, blank=True)
    vitals_read_at = models.DateTimeField(null=True, blank=True)
    results_wanted = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="Which results were kept at that reading."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "external_id"], name="mirror_patient_once")]

    def __str__(self) -> str:
        return f"mirror patient {self.pk}"


class MirrorMedicationQuerySet(models.QuerySet["MirrorMedication"]):
    def current(self) -> "MirrorMedicationQuerySet":
        """Entries that count as active in the chart and were there at the last look."""
        return self.filter(is_active=True, gone_at__isnull=True)


class MirrorMedication(models.Model):
    """One medication entry of the chart, codes and words exactly as given: a word cut off could be "as needed"."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="mirror_medications")
    patient = models.ForeignKey(MirrorPatient, on_delete=models.CASCADE, related_name="medications")
    external_id = models.CharField(max_length=32)
    name = models.TextField(blank=True)
    rxcui = models.TextField(blank=True)
    ndc = models.TextField(blank=True)
    status = models.TextField(blank=True)
    order_status = models.TextField(blank=True)
    is_active = models.BooleanField(default=False)
    doctor_external_id = models.CharField(max_length=32, blank=True)
    dosage_quantity = models.TextField(blank=True)
    dosage_units = models.TextField(blank=True)
    route = models.TextField(blank=True)
    frequency = models.TextField(blank=True)
    prn = models.BooleanField(null=True)
    dispense_quantity = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    number_refills = models.IntegerField(null=True, blank=True)
    daw = models.BooleanField(null=True)
    sig = models.TextField(blank=True, help_text="The chart's signature note, verbatim.")
    prescribed_on = models.DateField(null=True, blank=True)
    started_on = models.DateField(null=True, blank=True)
    stopped_on = models.DateField(null=True, blank=True)
    dose_changed_on = models.DateField(
        null=True, blank=True, help_text="Day we saw drug, strength or directions of this entry change; never at first."
    )
    record_hash = models.CharField(max_length=64)
    seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = MirrorMedicationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "external_id"], name="mirror_medication_once")]
        indexes = [models.Index(fields=["patient", "is_active"], name="mirror_medication_by_patient")]

    def __str__(self) -> str:
        return f"mirror medication {self.pk}"


class ResultKind(models.TextChoices):
    lab = "lab", "Laboratory result"
    vital = "vital", "Vital sign"


class MirrorResult(models.Model):
    """One result the practice's protocols ask for, as given: a line of the flow sheet or a vital sign of a visit.

    Nothing else of the chart's results is kept, and none older than two years.
    """

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="mirror_results")
    patient = models.ForeignKey(MirrorPatient, on_delete=models.CASCADE, related_name="results")
    kind = models.CharField(max_length=8, choices=ResultKind.choices)
    external_id = models.CharField(max_length=48)
    group_external_id = models.CharField(max_length=32, help_text="The visit of a vital sign; a lab stands alone.")
    title = models.TextField(blank=True)
    loinc = models.TextField(blank=True)
    value = models.TextField(blank=True)
    unit = models.TextField(blank=True)
    flag = models.TextField(blank=True)
    status = models.TextField(blank=True)
    performed_on = models.DateField(null=True, blank=True, help_text="Practice-local day.")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice", "kind", "external_id"], name="mirror_result_once"),
            models.CheckConstraint(condition=Q(kind__in=ResultKind.values), name="mirror_result_kind_known"),
        ]
        indexes = [models.Index(fields=["practice", "kind", "group_external_id"], name="mirror_result_by_group")]

    def __str__(self) -> str:
        return f"mirror result {self.pk}"


class MessageDirection(models.TextChoices):
    incoming = "incoming", "Incoming"
    outgoing = "outgoing", "Outgoing"
    unknown = "unknown", "Unknown"


class PrescriptionSeen(models.Model):
    """A line of the chart's own e-prescribing log: what was prescribed natively counts as supply (law 6)."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="prescriptions_seen")
    external_id = models.CharField(max_length=32)
    patient_external_id = models.CharField(max_length=32, blank=True)
    doctor_external_id = models.CharField(max_length=32, blank=True)
    kind = models.TextField(blank=True, help_text="NewRx, RefillRequest, RefillResponse, Error ...")
    direction = models.CharField(max_length=12, choices=MessageDirection.choices, default=MessageDirection.unknown)
    status = models.TextField(blank=True)
    parent_external_id = models.CharField(max_length=32, blank=True)
    pharmacy_ncpdp_id = models.TextField(blank=True)
    drug_name = models.TextField(blank=True)
    rxcui = models.TextField(blank=True)
    ndc = models.TextField(blank=True)
    quantity = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    days_supply = models.IntegerField(null=True, blank=True)
    number_refills = models.IntegerField(null=True, blank=True)
    written_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "external_id"], name="prescription_seen_once")]
        indexes = [
            models.Index(fields=["practice", "patient_external_id", "written_at"], name="prescription_seen_by_patient")
        ]

    def __str__(self) -> str:
        return f"prescription seen {self.pk}"


class DirectoryState(models.TextChoices):
    active = "active", "Active"
    inactive = "inactive", "Inactive"
    missing = "missing", "Missing from the directory"
    changed = "changed", "Changed"


class PharmacyEntry(models.Model):
    """One pharmacy of the network's directory, as the directory gives it. Shared by all practices of a stage."""

    stage = models.CharField(max_length=16, choices=Stage.choices)
    ncpdp_id = models.CharField(max_length=7)
    npi = models.CharField(max_length=10, blank=True)
    name = models.CharField(max_length=70)
    store_number = models.CharField(max_length=35, blank=True)
    address_line_1 = models.CharField(max_length=55, blank=True)
    address_line_2 = models.CharField(max_length=55, blank=True)
    city = models.CharField(max_length=35, blank=True)
    state = models.CharField(max_length=2, blank=True)
    zip_code = models.CharField(max_length=10, blank=True)
    country = models.CharField(max_length=2, default="US")
    phone = models.CharField(max_length=20, blank=True)
    fax = models.CharField(max_length=20, blank=True)
    specialties = models.JSONField(default=list, blank=True)
    service_levels = models.JSONField(default=list, blank=True, help_text="New, Cancel, Renewal, EPCS ...")
    active_from = models.DateTimeField(null=True, blank=True)
    active_until = models.DateTimeField(null=True, blank=True)
    directory_state = models.CharField(max_length=12, choices=DirectoryState.choices, default=DirectoryState.active)
    record_hash = models.CharField(max_length=64, blank=True)
    seen_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stage", "ncpdp_id"], name="pharmacy_once_per_stage"),
            models.CheckConstraint(condition=Q(directory_state__in=DirectoryState.values), name="pharmacy_state_known"),
        ]
        indexes = [models.Index(fields=["stage", "zip_code"], name="pharmacy_by_zip")]

    def __str__(self) -> str:
        return f"{self.name} ({self.ncpdp_id})"

    def is_sendable(self, now: datetime) -> bool:
        """True when the directory lists it as active at this moment and it takes new prescriptions."""
        started = self.active_from is None or self.active_from <= now
        ended = self.active_until is not None and self.active_until <= now
        listed = self.directory_state in (DirectoryState.active, DirectoryState.changed)
        return listed and started and not ended and "New" in self.service_levels


class SweepKind(models.TextChoices):
    rolling = "rolling", "Rolling medication sweep"
    nightly = "nightly", "Nightly full sweep"
    changes = "changes", "Changes since the last poll"
    labs = "labs", "Laboratory results"
    vitals = "vitals", "Vital signs"
    directory = "directory", "Pharmacy directory"
    klara_poll = "klara_poll", "Klara reconcile poll"


class SweepState(models.Model):
    """How far one recurring sweep of a practice has come; the cursor survives a restart."""

    practice = models.ForeignKey("practices.Practice", on_delete=models.PROTECT, related_name="sweeps")
    kind = models.CharField(max_length=16, choices=SweepKind.choices)
    cursor = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True, help_text="Last time a whole sweep came to its end.")
    counts = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["practice", "kind"], name="sweep_once_per_kind")]

    def __str__(self) -> str:
        return f"sweep {self.kind}"
