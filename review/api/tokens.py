"""Who calls: a token looked up by its hash, its person's roles at this moment, its scopes, and how often it may call.

Every shown token costs the same work, one hash and one look-up. No session is looked at, no cookie counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from django.db.models import Q
from redis.exceptions import RedisError
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.throttling import SimpleRateThrottle

from refillhub.practices import roles
from refillhub.practices.models import Membership, Practice, User
from refillhub.practices.roles import Action
from refillhub.practices.shell import Shell
from review import tokens
from review.api.errors import Problem
from review.models import ApiToken, Scope

_VOID = {
    "ended": ("token_ended", "This token has been ended."),
    "expired": ("token_expired", "This token has run out; an administrator can make another."),
    "waiting": ("token_waiting", "The person in whose name this token acts has not agreed to it yet."),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A program and the person it acts for, as of this call."""

    token: ApiToken
    practice: Practice
    user: User
    held: frozenset[str]
    now: datetime

    def has(self, scope: str) -> bool:
        """Whether the token was made for this."""
        return scope in self.token.scopes

    def may(self, action: Action) -> bool:
        """Whether the person may do this, now."""
        return roles.may(roles=self.held, action=action)

    def sees_patients(self) -> bool:
        """Whether it is told names and birth dates."""
        return self.has(Scope.DECIDE)

    def today(self) -> date:
        """The practice-local day."""
        return Shell(practice=self.practice, held=self.held, path="", now=self.now).local_now.date()


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer rh_...`"""

    def authenticate_header(self, request: Any) -> str:
        """What a refused call is told to show."""
        return "Bearer"

    def authenticate(self, request: Any) -> tuple[User, Caller] | None:
        """The person and the call's Caller; None when no token is shown."""
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        found = ApiToken.objects.select_related("practice", "user").filter(hash=tokens.hashed(text.strip())).first()
        if found is None:
            raise _refuse("token_unknown", "There is no such token.")
        state = found.state(request.now)
        if state in _VOID:
            raise _refuse(*_VOID[state])
        held = Membership.objects.roles_of(user_id=found.user_id, practice_id=found.practice_id)
        if not held:
            raise _refuse("token_roleless", "The person in whose name this token acts has no role here any more.")
        self._note(found, request.now)
        return found.user, Caller(found, found.practice, found.user, held, request.now)

    def _note(self, row: ApiToken, now: datetime) -> None:
        long_ago = now - tokens.USED_EVERY
        if row.last_used_at is None or row.last_used_at <= long_ago:
            is_due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=long_ago)
            ApiToken.objects.filter(is_due, pk=row.pk).update(last_used_at=now)


class SignedInPerson(BaseAuthentication):
    """A person at the pages, whom the gates have let through with both factors; for reading the schema only."""

    def authenticate(self, request: Any) -> tuple[User, None] | None:
        """The person; None when the gates know nobody."""
        if request._request.practice is None:
            return None
        return request._request.user, None


class MayCall(BasePermission):
    """The operation's scope on the token, and its action in the roles of the person at this moment."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """True, or a Problem that says which of the two is missing."""
        caller = request.auth
        if not isinstance(caller, Caller):
            return False
        if view.scope is not None and not caller.has(view.scope):
            raise Problem(status=403, code="scope_needed", message=f"This token was not made for: {view.scope}.")
        if view.action is not None and not caller.may(view.action):
            raise Problem(status=403, code="role_needed", message="The roles of this token's person do not allow this.")
        return True


class TokenThrottle(SimpleRateThrottle):
    """So many calls in a minute for each token; without the cache there is no count, and nobody is refused."""

    scope = "token"
    rate: ClassVar[str] = "300/min"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        """The token's own count."""
        return f"api-calls:{request.auth.token.id}" if isinstance(request.auth, Caller) else None

    def allow_request(self, request: Any, view: Any) -> bool:
        """Whether this call is within the rate."""
        try:
            return bool(super().allow_request(request, view))
        except RedisError:
            return True


def _refuse(code: str, message: str) -> Problem:
    problem = Problem(status=401, code=code, message=message)
    problem.auth_header = "Bearer"
    return problem
