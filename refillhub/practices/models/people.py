"""The people: User, their Membership with its role, and a form kept while their session is locked."""

from __future__ import annotations

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from refillhub.practices import clock
from refillhub.practices.models.places import Practice


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

    def roles_of(self, *, user_id: uuid.UUID, practice_id: uuid.UUID) -> frozenset[str]:
        """The person's roles in this practice at this moment; empty for who has left. One query."""
        held = self.current().filter(user_id=user_id, practice_id=practice_id)
        return frozenset(held.values_list("role", flat=True))


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


class KeptForm(models.Model):
    """A form posted into a locked session, sealed, until its person unlocks; deleted when it is posted again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    sealed = models.BinaryField()
    kept_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)
