"""Makers of practices and people for the tests of the door; used by the fixtures of conftest."""

import uuid
from datetime import datetime

from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.events import Actor, ActorKind
from refillhub.practices import opening
from refillhub.practices.models import Location, Membership, Practice, Provider, Role, User

PASSWORD = "a long enough password"
SYSTEM = Actor(ActorKind.system, "tests")


def new_practice(now: datetime, slug: str) -> Practice:
    return opening.open_practice(name=slug.title(), slug=slug, time_zone="America/New_York", actor=SYSTEM, now=now)


def new_person(practice: Practice, name: str, *roles: str, **more: object) -> User:
    user = User.objects.create_user(f"{name}@{practice.slug}.example", PASSWORD, full_name=name.title(), **more)
    for role in roles:
        Membership.objects.create(practice=practice, user=user, role=role)
    TOTPDevice.objects.create(user=user, name="authenticator", confirmed=True)
    return user


def new_provider(practice: Practice, last_name: str, *, user: User | None = None, **more: object) -> Provider:
    return Provider.objects.create(
        practice=practice, user=user, first_name="X", last_name=last_name, npi=str(uuid.uuid4().int)[:10], **more
    )


def new_location(practice: Practice, name: str) -> Location:
    return Location.objects.create(practice=practice, name=name)


def at_the_desk(user: User) -> Client:
    """A browser of a person who has passed both factors."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = TOTPDevice.objects.get(user=user, confirmed=True).persistent_id
    session.save()
    return client


__all__ = ["PASSWORD", "SYSTEM", "Role", "at_the_desk", "new_location", "new_person", "new_practice", "new_provider"]
