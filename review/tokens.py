"""Tokens of programs: made for a person, agreed to by that person, ended. Each step is an audit entry.

A token is shown once and kept as its SHA-256. It is of no use before the person in whose name it acts has agreed, so
that nobody, an administrator included, can act as somebody else by making one.
"""

import hashlib
import secrets
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from refillhub.practices import roles
from refillhub.practices.models import Membership, Practice, User
from refillhub.practices.roles import Action
from review.ledger import person, verb
from review.models import ApiToken, Scope

MARK = "rh_"
LONGEST_DAYS = 365
USED_EVERY = timedelta(minutes=1)
# What a role must be allowed at the least for a scope to mean anything.
NEEDS: dict[str, tuple[Action, ...]] = {
    Scope.READ: (Action.see_requests, Action.see_audit),
    Scope.DECIDE: (Action.decide, Action.work_items),
    Scope.AUDIT: (Action.export_audit,),
}


class Refused(Exception):
    """The token cannot be made; the text says why."""


def hashed(text: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def fits(*, scope: str, held: Collection[str]) -> bool:
    """Whether a person of these roles can use this scope at all."""
    return any(roles.may(roles=held, action=action) for action in NEEDS[scope])


def make(
    *, practice: Practice, user: User, name: str, scopes: Collection[str], days: int, by: User, now: datetime
) -> tuple[ApiToken, str]:
    """A new token; returns it with its text, to be shown this once. Active at once only for oneself. Raises Refused."""
    held = Membership.objects.roles_of(user_id=user.id, practice_id=practice.id)
    wanted = [scope for scope in Scope.values if scope in scopes]
    if not held:
        raise Refused("This person does not belong to the practice.")
    if not wanted:
        raise Refused("Choose at least one thing that it may be used for.")
    unfit = [scope for scope in wanted if not fits(scope=scope, held=held)]
    if unfit:
        raise Refused(f"The roles of this person do not allow: {', '.join(unfit)}.")
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused(f"A token is good for 1 to {LONGEST_DAYS} days.")
    if not name.strip():
        raise Refused("Say what the program is called.")
    text = MARK + secrets.token_urlsafe(32)
    with verb(now=now, actor=person(by.id)) as ledger:
        row = ApiToken.objects.create(
            practice=practice, user=user, name=name.strip()[:60], hash=hashed(text), prefix=text[: len(MARK) + 5],
            scopes=wanted, created_at=now, created_by=by, expires_at=now + timedelta(days=days),
            accepted_at=now if user.id == by.id else None,
        )  # fmt: skip
        ledger.note(event="token.made", practice_id=practice.id, data={**_told(row), "scopes": wanted, "days": days})
    return row, text


def accept(*, practice: Practice, token_id: uuid.UUID, by: User, now: datetime) -> bool:
    """The person agrees that the program acts in their name; False when there is nothing of theirs to agree to."""
    with verb(now=now, actor=person(by.id)) as ledger:
        row = ApiToken.objects.select_for_update().filter(practice=practice, pk=token_id, user=by).first()
        if row is None or row.state(now) != "waiting":
            return False
        row.accepted_at = now
        row.save(update_fields=["accepted_at"])
        ledger.note(event="token.accepted", practice_id=practice.id, data=_told(row))
    return True


def end(*, practice: Practice, token_id: uuid.UUID, by: User, may_end_all: bool, now: datetime) -> bool:
    """End a token for good: one's own, or any for who manages them. False when there is no such token to end."""
    with verb(now=now, actor=person(by.id)) as ledger:
        found = ApiToken.objects.select_for_update().filter(practice=practice, pk=token_id, revoked_at__isnull=True)
        row = (found if may_end_all else found.filter(user=by)).first()
        if row is None:
            return False
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        ledger.note(event="token.ended", practice_id=practice.id, data=_told(row))
    return True


def shown(*, practice: Practice, user: User, all_of_them: bool) -> list[ApiToken]:
    """The tokens a person sees: all of the practice, or those that act in their own name; newest first."""
    found = ApiToken.objects.of(practice=practice)
    return list((found if all_of_them else found.filter(user=user))[:200])


def people(*, practice: Practice) -> list[User]:
    """Who a token may act for, by name."""
    held = Membership.objects.current().filter(practice=practice)
    return list(User.objects.filter(pk__in=held.values("user_id")).order_by("full_name", "email")[:500])


def _told(row: ApiToken) -> dict[str, object]:
    return {"token": str(row.id), "acts_for": str(row.user_id)}
