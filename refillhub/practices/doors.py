"""What happens at the door, told to the audit trail of every practice the person belongs to.

It records and decides nothing. Unknown e-mail addresses belong to no practice and leave no entry.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit import log
from audit.events import Actor, ActorKind, Draft
from refillhub.practices.models import Membership, User


def person(user: User) -> Actor:
    """The actor a user is."""
    return Actor(ActorKind.person, str(user.id))


def note(*, user: User, event: str, now: datetime, outcome: str = "", **data: str | int) -> None:
    """Record one event of a person in each of their practices, in a transaction of its own or the one open."""
    practices = set(Membership.objects.filter(user=user).values_list("practice_id", flat=True))
    drafts = [
        Draft(practice_id=practice, event=event, actor=person(user), outcome=outcome, trigger="sign_in", data=data)
        for practice in sorted(practices)
    ]
    if drafts:
        with transaction.atomic():
            log.record_many(now=now, drafts=drafts)


def note_failure(*, email: str, event: str, now: datetime) -> None:
    """Record a failed sign-in under the account it was meant for, if there is one."""
    user = User.objects.filter(email__iexact=email).first()
    if user is not None:
        note(user=user, event=event, now=now, outcome="refused")
