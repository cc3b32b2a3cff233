"""One key, one attempt: the first answer to a key is kept and given again; the same key for something else is refused.

The attempt is noted, with its audit entry, before the verb runs. Should the program stop between the verb and the note
of its answer, the same key may try again after a minute; the version in its body then keeps it from acting twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from review.api.errors import Problem
from review.api.tokens import Caller
from review.ledger import person, verb
from review.models import ApiReceipt, RefillRequest

HEADER = "Idempotency-Key"
PATTERN = r"^[A-Za-z0-9_.:-]{8,64}$"
GIVE_UP_AFTER = timedelta(seconds=60)
Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and whether it was given before."""

    status: int
    body: dict[str, Any]
    is_repeated: bool


def key_of(headers: Mapping[str, str]) -> str:
    """The key of a write. Raises Problem where it is missing or cannot be one."""
    key = headers.get(HEADER, "")
    if not re.fullmatch(PATTERN, key):
        message = f"Send the header {HEADER}: 8 to 64 letters, digits or _ . : -, another one for each attempt."
        raise Problem(status=400, code="key_needed", message=message, field=HEADER)
    return key


def once(
    *, caller: Caller, key: str, row: RefillRequest, operation: str, body: Mapping[str, Any], do: Callable[[], Answer]
) -> Kept:
    """Do it and keep the answer, or give the answer kept under this key. Raises Problem."""
    said = json.dumps([operation, str(row.id), dict(body)], sort_keys=True, default=str)
    receipt, is_new = _claim(caller, key, hashlib.sha256(said.encode()).hexdigest(), row, operation)
    if not is_new and receipt.status is not None:
        return Kept(receipt.status, receipt.answer or {}, True)
    try:
        status, answer = do()
    except BaseException:
        # Nothing was done: the key is free for the next try.
        ApiReceipt.objects.filter(pk=receipt.pk).delete()
        raise
    ApiReceipt.objects.filter(pk=receipt.pk).update(status=status, answer=answer)
    return Kept(status, answer, False)


def _claim(
    caller: Caller, key: str, request_hash: str, row: RefillRequest, operation: str
) -> tuple[ApiReceipt, bool]:
    with verb(now=caller.now, actor=person(caller.user.id)) as ledger:
        receipt, is_new = ApiReceipt.objects.get_or_create(
            token=caller.token, key=key, defaults={"request_hash": request_hash, "started_at": caller.now}
        )
        if is_new:
            data = {"token": str(caller.token.id), "operation": operation}
            ledger.on_request(row, "token.asked", data=data)
    if is_new:
        return receipt, True
    if receipt.request_hash != request_hash:
        message = "This key was used for something else; take another key for another attempt."
        raise Problem(status=409, code="key_reused", message=message)
    if receipt.status is None and not _take_over(receipt, caller):
        message = "An attempt with this key is under way; ask again in a minute."
        raise Problem(status=409, code="under_way", message=message)
    return receipt, False


def _take_over(receipt: ApiReceipt, caller: Caller) -> bool:
    """Whether an attempt that never told its end may be made again, by this call alone."""
    if receipt.started_at > caller.now - GIVE_UP_AFTER:
        return False
    same = ApiReceipt.objects.filter(pk=receipt.pk, status__isnull=True, started_at=receipt.started_at)
    return same.update(started_at=caller.now) == 1
