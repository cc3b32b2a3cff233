"""A form posted into a locked session is kept, sealed, and offered again after unlocking. It is never posted by itself.

Kept forms belong to one person and practice, hold text fields only, and are dropped when posted again or after a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.http import QueryDict

from refillhub.practices import sealing
from refillhub.practices.models import KeptForm, Practice, User

PURPOSE = "kept_form"
FIELD = "_kept"  # names the kept form when it is posted again
MOST_BYTES = 131_072
LIVES = timedelta(days=1)
# Never kept: secrets, codes and pasted requests must be entered again.
_LEFT_OUT = (
    "csrfmiddlewaretoken", FIELD, "value", "password", "code", "codes-code", "device-code", "headers", "body"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reopened:
    """A kept form, opened for its own person."""

    id: UUID
    address: str
    fields: tuple[tuple[str, str], ...]


def keep(*, user: User, practice: Practice, address: str, posted: QueryDict, now: datetime) -> UUID | None:
    """Seal and store the fields. None where they are too many bytes; then the person is told that nothing was kept."""
    fields = [[name, value] for name, values in posted.lists() if name not in _LEFT_OUT for value in values]
    plain = orjson.dumps({"address": address, "fields": fields})
    if len(plain) > MOST_BYTES:
        return None
    KeptForm.objects.filter(kept_at__lt=now - LIVES).delete()
    sealed = sealing.seal(plain, practice_id=practice.id, stage=practice.stage, purpose=PURPOSE)
    return KeptForm.objects.create(practice=practice, user=user, sealed=sealed, kept_at=now).id


def reopen(*, user: User, practice: Practice, kept_id: UUID) -> Reopened | None:
    """The kept form, only for its own person in the same practice."""
    row = KeptForm.objects.filter(pk=kept_id, user=user, practice=practice).first()
    if row is None:
        return None
    plain = orjson.loads(sealing.unseal(
        bytes(row.sealed), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE))
    return Reopened(row.id, plain["address"], tuple((name, value) for name, value in plain["fields"]))


def drop(*, user: User, kept_id: str) -> None:
    """Forget a form that has been posted again. An id that is no id is nobody's."""
    try:
        KeptForm.objects.filter(pk=UUID(kept_id), user=user).delete()
    except ValueError:
        return


def drop_all(*, user: User) -> None:
    """Forget everything kept for a person (sign-out)."""
    KeptForm.objects.filter(user=user).delete()
