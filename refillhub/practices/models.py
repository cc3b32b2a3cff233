"""The nouns of whose: Practice, Location, Channel, Provider, Spi, AutoApprovalConsent, User, Membership, Coverage.

Every owned row names its practice. What must always hold is a constraint of the database; nothing here acts.
"""

from __future__ import annotations

import uuid
import zoneinfo
from datetime import datetime, time

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from refillhub.practices import clock


def working_days() -> list[int]:
    """Monday to Friday; 0 is Monday, as in `date.weekday()`."""
    return [0, 1, 2, 3, 4]


def check_time_zone(name: str) -> None:
    """Raises ValidationError unless the name is in the time zone database."""
    if name and name not in zoneinfo.available_timezones():
        raise ValidationError("“%(name)s” is not a time zone.", params={"name": name})


digits_10 = RegexValidator(r"^\d{10}$", "Ten digits.")
digits_13 = RegexValidator(r"^\d{13}$", "Thirteen digits.")
dea_number = RegexValidator(r"^[A-Z][A-Z9]\d{7}$", "Two letters and seven digits.")


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
    undo_seconds_person = models.PositiveIntegerField(default=30, validators=[MaxValueValidator(120)])
    mirror_max_age_minutes = models.PositiveIntegerField(default=15)
    queue_max_age_minutes = models.PositiveIntegerField(
        default=240, help_text="A prescription queued longer than this returns to a person")
    unread_limit_minutes = models.PositiveIntegerField(default=60)
    on_call_enabled = models.BooleanField(default=False)
    names_drugs_in_replies = models.BooleanField(default=False)
    is_shadow = models.BooleanField(default=True)
    shadow_since = models.DateTimeField(null=True, blank=True)
    erx_route = models.CharField(max_length=12, choices=ErxRoute.choices, default=ErxRoute.surescripts)
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


class UserManager(BaseUserManager["User"]):
    """Users by e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, *, full_name: str = "", **more: object) -> User:
        user = self.model(email=email.strip().lower(), full_name=full_name, **more)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **more: object) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **more)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What they may do stands in their memberships."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=200)
    is_staff = models.BooleanField(default=False, help_text="May open the admin site")
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=clock.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ("full_name",)

    class Meta:
        constraints = (models.UniqueConstraint(Lower("email"), name="user_one_email"),)

    def __str__(self) -> str:
        return self.full_name or self.email

    def get_full_name(self) -> str:
        """The name as shown on pages."""
        return self.full_name

    def get_short_name(self) -> str:
        """The name as shown where space is short."""
        return self.full_name


class Role(models.TextChoices):
    """What a person is in a practice; what a role may do stands in `roles.py`."""

    prescriber = "prescriber", "Prescriber"
    assistant = "assistant", "Medical assistant"
    compliance = "compliance", "Compliance"
    administrator = "administrator", "Administrator"


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships, by meaning."""

    def current(self) -> MembershipQuerySet:
        """Active memberships of active people."""
        return self.filter(is_active=True, user__is_active=True)


class Membership(models.Model):
    """One role of one person in one practice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=13, choices=Role.choices)
    is_active = models.BooleanField(default=True)

    Role = Role
    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "practice", "role"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"


class ProviderQuerySet(models.QuerySet["Provider"]):
    """Providers, by meaning."""

    def active(self) -> ProviderQuerySet:
        """Providers who work here."""
        return self.filter(is_active=True)

    def on_call(self) -> ProviderQuerySet:
        """Active providers of the on-call roster, first to be paged first."""
        return self.active().filter(on_call_order__isnull=False).order_by("on_call_order")


class Provider(models.Model):
    """A prescriber of the practice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="providers")
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="providers")
    first_name = models.CharField(max_length=60)
    last_name = models.CharField(max_length=60)
    suffix = models.CharField(max_length=20, blank=True)
    npi = models.CharField("NPI", max_length=10, validators=[digits_10])
    dea_number = models.CharField("DEA number", max_length=9, blank=True, validators=[dea_number])
    epcs_enabled = models.BooleanField(default=False)
    drchrono_doctor_id = models.CharField(max_length=40, blank=True)
    drchrono_user_id = models.CharField(max_length=40, blank=True)
    on_call_order = models.PositiveSmallIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    location = models.ForeignKey(Location, models.PROTECT, null=True, blank=True, related_name="providers",
                                 verbose_name="home location")

    objects = ProviderQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["practice", "npi"], name="provider_one_npi"),
            models.UniqueConstraint(fields=["practice", "user"], name="provider_one_user"),
            models.UniqueConstraint(fields=["practice", "drchrono_doctor_id"], name="provider_one_doctor",
                                    condition=~Q(drchrono_doctor_id="")),
            models.UniqueConstraint(fields=["practice", "on_call_order"], name="provider_one_place_on_call"),
            models.CheckConstraint(condition=Q(npi__regex=r"^\d{10}$"), name="provider_npi_ten_digits"),
        )

    def __str__(self) -> str:
        return f"Dr. {self.last_name}"


class Spi(models.Model):
    """A provider's Surescripts number at one location; without it they cannot be a sender there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="spis")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="spis")
    location = models.ForeignKey(Location, models.PROTECT, related_name="spis")
    spi = models.CharField("SPI", max_length=13, unique=True, validators=[digits_13])
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = "SPI"
        constraints = (
            models.UniqueConstraint(fields=["provider", "location"], name="spi_one_per_location"),
            models.CheckConstraint(condition=Q(spi__regex=r"^\d{13}$"), name="spi_thirteen_digits"),
        )

    def __str__(self) -> str:
        return self.spi


class AutoApprovalConsentQuerySet(models.QuerySet["AutoApprovalConsent"]):
    """Consents, by meaning."""

    def standing(self) -> AutoApprovalConsentQuerySet:
        """Given and not revoked."""
        return self.filter(revoked_at__isnull=True)


class AutoApprovalConsent(models.Model):
    """A prescriber's own agreement to automatic approval in their name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="auto_approval_consents")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="auto_approval_consents")
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = AutoApprovalConsentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["provider"], condition=Q(revoked_at__isnull=True), name="consent_one_open"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="consent_revoked_by_someone"),
        )

    def __str__(self) -> str:
        return f"{self.provider_id} since {self.given_at:%Y-%m-%d}"


class CoverageQuerySet(models.QuerySet["Coverage"]):
    """Absences, by meaning."""

    def during(self, now: datetime) -> CoverageQuerySet:
        """Absences under way at a moment; the end itself is no longer away."""
        return self.filter(starts_at__lte=now, ends_at__gt=now)


class Coverage(models.Model):
    """An absence of a provider and who stands in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="coverages")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    stand_in = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="stands_in")
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = CoverageQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "coverage"
        indexes = (models.Index(fields=["practice", "starts_at", "ends_at"], name="coverage_by_time"),)
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="coverage_ends_after_start"),
            models.CheckConstraint(condition=Q(stand_in__isnull=True) | ~Q(stand_in=F("provider")),
                                   name="coverage_by_another"),
        )

    def __str__(self) -> str:
        return f"{self.provider_id} away {self.starts_at:%Y-%m-%d}"


class KeptForm(models.Model):
    """A form posted into a locked session, sealed, until its person unlocks; deleted when it is posted again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    sealed = models.BinaryField()
    kept_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)
