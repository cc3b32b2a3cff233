"""The tenant and its places: Practice, Location, Channel. What must always hold is a constraint of the database."""

from __future__ import annotations

import uuid
import zoneinfo
from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from refillhub.practices import clock


def working_days() -> list[int]:
    """Monday to Friday; 0 is Monday, as in `date.weekday()`."""
    return [0, 1, 2, 3, 4]


def check_time_zone(name: str) -> None:
    """Raises ValidationError unless the name is in the time zone database."""
    if name and name not in zoneinfo.available_timezones():
        raise ValidationError("“%(name)s” is not a time zone.", params={"name": name})


class PracticeQuerySet(models.QuerySet["Practice"]):
    """Practices, by meaning."""

    def may_take_in(self) -> PracticeQuerySet:
        """Practices with a signed business associate agreement; no other may store patient data."""
        return self.filter(baa_signed_on__isnull=False)

    def may_send(self) -> PracticeQuerySet:
        """Practices whose sending nobody has stopped."""
        return self.filter(sending_stopped_at__isnull=True)


class Practice(models.Model):
    """A tenant. Starts in shadow, without patient data until its business associate agreement is recorded."""

    class Stage(models.TextChoices):
        dev = "dev", "Development"
        staging = "staging", "Staging"
        production = "production", "Production"

    class ControlledRoute(models.TextChoices):
        ehr_task = "ehr_task", "Task in the chart system"
        sign_here = "sign_here", "Signed here (sandbox only)"

    class PageBy(models.TextChoices):
        email = "email", "E-mail"
        webhook = "webhook", "Webhook to the practice's receiver"
        both = "both", "Both"

    class ErxRoute(models.TextChoices):
        surescripts = "surescripts", "Surescripts"
        ehr_handoff = "ehr_handoff", "Task in the chart system"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.dev)
    time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone],
                                 help_text="Needed before going live, e.g. America/New_York")
    opens_at = models.TimeField(default=time(7, 0))
    closes_at = models.TimeField(default=time(19, 0))
    open_days = ArrayField(models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)]), default=working_days,
                           help_text="0 is Monday, 6 is Sunday")
    booking_url = models.URLField(blank=True)
    emergency_text = models.TextField(blank=True, help_text="What a patient is told in an emergency")
    retention_years = models.PositiveSmallIntegerField(default=6)
    idle_minutes = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(5), MaxValueValidator(15)])
    quiet_seconds = models.PositiveIntegerField(default=90)
    undo_seconds_automatic = models.PositiveIntegerField(default=120, validators=[MaxValueValidator(1800)])
    undo_seconds_person = models.PositiveIntegerField(
        default=30, validators=[MinValueValidator(10), MaxValueValidator(120)])
    mirror_max_age_minutes = models.PositiveIntegerField(default=15)
    queue_max_age_minutes = models.PositiveIntegerField(
        default=240, help_text="A prescription queued longer than this returns to a person")
    unread_limit_minutes = models.PositiveIntegerField(default=60)
    on_call_enabled = models.BooleanField(default=False)
    names_drugs_in_replies = models.BooleanField(default=False)
    is_shadow = models.BooleanField(default=True)
    shadow_since = models.DateTimeField(null=True, blank=True)
    erx_route = models.CharField(max_length=12, choices=ErxRoute.choices, default=ErxRoute.surescripts)
    page_by = models.CharField(max_length=8, choices=PageBy.choices, default=PageBy.email,
                               help_text="How the on-call and signers are paged")
    controlled_route = models.CharField(max_length=12, choices=ControlledRoute.choices,
                                        default=ControlledRoute.ehr_task)
    sign_remind_minutes = models.PositiveSmallIntegerField(
        default=15, validators=[MinValueValidator(1), MaxValueValidator(240)],
        help_text="A prescriber is reminded of an unsigned prescription after so long")
    sign_escalate_minutes = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(480)],
        help_text="Then the stand-in is told; after twice as long, the on-call")
    minutes_per_refill = models.PositiveSmallIntegerField(
        default=5, db_default=5, validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text="The practice's own minutes for one refill by hand; the metrics page multiplies by it")
    trusts_vendor_push = models.BooleanField(default=False)
    baa_signed_on = models.DateField(null=True, blank=True)
    baa_signed_by = models.CharField(max_length=200, blank=True)
    hash_key_sealed = models.BinaryField(default=b"", blank=True, editable=False)
    sending_stopped_at = models.DateTimeField(null=True, blank=True)
    sending_stopped_by = models.ForeignKey("User", models.PROTECT, null=True, blank=True, related_name="+")
    automatic_stopped_at = models.DateTimeField(null=True, blank=True)
    automatic_stopped_by = models.ForeignKey("User", models.PROTECT, null=True, blank=True, related_name="+")
    snapshot_days = models.PositiveIntegerField(default=30, help_text="Days an identity snapshot outlives its request")
    body_days = models.PositiveIntegerField(default=30, help_text="Days a raw message body is kept")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = PracticeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(stage__in=["dev", "staging", "production"]),
                                   name="practice_stage_known"),
            models.CheckConstraint(condition=Q(erx_route__in=["surescripts", "ehr_handoff"]),
                                   name="practice_route_known"),
            models.CheckConstraint(condition=Q(page_by__in=["email", "webhook", "both"]),
                                   name="practice_pages_somehow"),
            models.CheckConstraint(condition=Q(controlled_route__in=["ehr_task", "sign_here"]),
                                   name="practice_controlled_route_known"),
            models.CheckConstraint(condition=Q(sign_remind_minutes__lte=F("sign_escalate_minutes")),
                                   name="practice_reminds_before_escalating"),
            models.CheckConstraint(condition=Q(idle_minutes__gte=5, idle_minutes__lte=15),
                                   name="practice_idle_5_to_15"),
            models.CheckConstraint(condition=Q(undo_seconds_automatic__lte=1800), name="practice_undo_auto_to_1800"),
            models.CheckConstraint(condition=Q(undo_seconds_person__lte=120), name="practice_undo_person_to_120"),
            models.CheckConstraint(condition=Q(is_shadow=True) | ~Q(time_zone=""),
                                   name="practice_live_needs_time_zone"),
            models.CheckConstraint(condition=Q(baa_signed_on__isnull=True) | ~Q(baa_signed_by=""),
                                   name="practice_baa_needs_signer"),
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="practice_closes_after_opening"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def may_take_in(self) -> bool:
        """Whether patient data may be stored at all."""
        return self.baa_signed_on is not None

    @property
    def is_sending_stopped(self) -> bool:
        """Whether a person has stopped everything that leaves."""
        return self.sending_stopped_at is not None

    @property
    def is_automatic_stopped(self) -> bool:
        """Whether nothing is approved without a person; stopping all sending stops this too."""
        return self.automatic_stopped_at is not None or self.sending_stopped_at is not None


class Location(models.Model):
    """A place of the practice. Blank time zone and hours mean the practice's own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="locations")
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, blank=True, validators=[check_time_zone])
    opens_at = models.TimeField(null=True, blank=True)
    closes_at = models.TimeField(null=True, blank=True)
    drchrono_office_id = models.CharField(max_length=40, blank=True)
    address_line_1 = models.CharField(max_length=100, blank=True)
    address_line_2 = models.CharField(max_length=100, blank=True)
    city = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=2, blank=True)
    zip = models.CharField(max_length=10, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    fax = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["practice", "name"], name="location_one_name"),
            models.UniqueConstraint(fields=["practice", "drchrono_office_id"], name="location_one_office",
                                    condition=~Q(drchrono_office_id="")),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True, closes_at__isnull=True) | Q(closes_at__gt=F("opens_at")),
                name="location_closes_after_opening"),
        )

    def __str__(self) -> str:
        return self.name


class Channel(models.Model):
    """A Klara channel or number; it tells the location a message is for."""

    class Kind(models.TextChoices):
        klara = "klara", "Klara inbox"
        sms = "sms", "Text messages"
        voice = "voice", "Voicemail"
        fax = "fax", "Fax"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="channels")
    location = models.ForeignKey(Location, models.PROTECT, related_name="channels")
    external_id = models.CharField(max_length=100)
    phone_number = models.CharField(max_length=20, blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.klara)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["practice", "external_id"], name="channel_one_external_id"),
            models.UniqueConstraint(fields=["practice", "phone_number"], name="channel_one_phone_number",
                                    condition=~Q(phone_number="")),
        )

    def __str__(self) -> str:
        return self.phone_number or self.external_id
