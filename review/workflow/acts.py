"""What every act of a person shares: lock the row, compare the version on the page, act, save, in one transaction."""

import uuid
from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError

from refillhub.practices.models import Membership, User
from review.ledger import Ledger, person, verb
from review.models import RefillRequest
from review.workflow import moves


class AlreadyDecided(Exception):
    """Somebody else acted since the page was shown. Carries the row as it is now."""

    def __init__(self, request: RefillRequest) -> None:
        super().__init__(f"request {request.id} is {request.state} at version {request.version}")
        self.request = request


class Locked(Exception):
    """The prescription may be at the pharmacy: first a person records whether it arrived."""


class NotPossible(Exception):
    """The facts of this moment forbid the act; `reason` is a code, the text a sentence for the person."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def act(
    *,
    request_id: uuid.UUID,
    user: User,
    version: int | None,
    now: datetime,
    do: Callable[[RefillRequest, Ledger], None],
) -> RefillRequest:
    """Lock, compare the version the person saw, act, save, all in one transaction."""
    try:
        with verb(now=now, actor=person(user.id)) as ledger:
            request = moves.lock_requests([request_id])[request_id]
            refuse_strangers(request, user)
            refuse_old(request, version)
            do(request, ledger)
            moves.save([request])
    except IntegrityError as error:
        raise NotPossible("open_request", "Another request for this drug is already on its way.") from error
    return request


def refuse_strangers(request: RefillRequest, user: User) -> None:
    """Pages hand out only their own practice's rows; the verb does not rely on it."""
    if not Membership.objects.current().filter(practice_id=request.practice_id, user_id=user.id).exists():
        raise NotPossible("not_yours", "This request belongs to another practice.")


def refuse_old(request: RefillRequest, version: int | None) -> None:
    """Somebody acted since the page was shown."""
    if version is not None and request.version != version:
        raise AlreadyDecided(request)


def decided(request: RefillRequest, user: User, now: datetime) -> None:
    request.decided_by = user
    request.decided_at = now
    request.is_automatic = False


def refuse_locked(request: RefillRequest) -> None:
    if request.is_locked:
        raise Locked
