"""Two factors given afresh, for one act: the password, and a code of the authenticator at the moment of signing.

The factor of signing in never counts (21 CFR 1311.115, 1311.140(a)(4)), nor does a recovery code. A `Proof` is made
here and nowhere else, and is good only for the content whose digest it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from axes.exceptions import AxesBackendPermissionDenied
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.http import HttpRequest

from refillhub.practices import doors, otp
from refillhub.practices.models import User


@dataclass(frozen=True, slots=True)
class Proof:
    """That this person gave both factors at this moment, for the content of this SHA-256 (hex)."""

    user_id: UUID
    digest: str
    at: datetime


class Refused(Exception):
    """The factors were not right; `wait_seconds` above 0: too many tries. The text is for the person."""

    def __init__(self, sentence: str, *, wait_seconds: int = 0) -> None:
        super().__init__(sentence)
        self.wait_seconds = wait_seconds


def prove(*, request: HttpRequest, password: str, code: str, digest: str, step: str) -> Proof:
    """Try both factors of the signed-in person. `step` names the act in the audit. Raises Refused.

    Which of the two was wrong is not told; a wrong password leaves the code unused.
    """
    user = request.user
    if not may_try(request, email=user.email):
        raise Refused("Too many tries. Wait fifteen minutes, or ask an administrator.", wait_seconds=900)
    known = checked(request, email=user.email, password=password)
    # A lock-out by the throttle is told in the page's own words, not by the library's page.
    request.axes_locked_out = False
    if known is None or known.pk != user.pk:
        _note(user, request.now, step)
        raise Refused("Password and code do not fit together.")
    tidy = "".join(code.split())
    if not (tidy.isdigit() and len(tidy) == 6):
        _note(user, request.now, step)
        raise Refused("Enter the six digits your authenticator shows now; a recovery code does not sign.")
    verdict = otp.verify(user=user, code=tidy, now=request.now)
    if not verdict.is_right:
        _note(user, request.now, step)
        if verdict.wait_seconds:
            words = f"Too many tries. Wait {verdict.wait_seconds} s, then use a new code."
            raise Refused(words, wait_seconds=verdict.wait_seconds)
        raise Refused("Password and code do not fit together, or the code was used already. Wait for the next code.")
    return Proof(user_id=user.pk, digest=digest, at=request.now)


def _note(user: User, now: datetime, step: str) -> None:
    doors.note(user=user, event="factor.refused", now=now, outcome="refused", step=step)


def may_try(request: HttpRequest, *, email: str) -> bool:
    """Whether this account may still be tried from this address; a try while locked out leaves no further entry."""
    return AxesProxyHandler.is_allowed(request, {"email": email})


def checked(request: HttpRequest, *, email: str, password: str) -> User | None:
    """The person, if the password is right and the account is not throttled."""
    try:
        return authenticate(request, email=email, password=password)
    except AxesBackendPermissionDenied:
        return None
