"""Rows for the tests of figures: refills and dispatches placed in time, written straight to the tables."""

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

from refillhub.practices.models import Practice
from review.models import Dispatch, DispatchKind, Kind, Lane, RefillRequest, ReplyPurpose

_number = itertools.count(1)


def refill(
    practice: Practice, *, asked_at: datetime, minutes: float, state: str = "done", how: str = "automatic",
    **values: Any,
) -> RefillRequest:
    """A refill asked for at a moment and decided so many minutes later."""
    at = asked_at + timedelta(minutes=minutes)
    fields: dict[str, Any] = {
        "kind": Kind.REFILL, "state": state, "is_shadow": False, "schedule": "not_controlled",
        "location": practice.locations.get(name="Main"), "drug_class": "ppi_h2", "asked_at": asked_at,
        "opened_at": min(at, asked_at + timedelta(seconds=90)), "decided_at": at, "changed_at": at, "ended_at": at,
        "approved_at": at if state in ("approved", "sent", "done") else None, "is_automatic": how == "automatic",
    } | values  # fmt: skip
    return RefillRequest.objects.create(practice=practice, **fields)


def refills(practice: Practice, count: int, **values: Any) -> list[RefillRequest]:
    """Several alike."""
    return [refill(practice, **values) for _ in range(count)]


def dispatch(request: RefillRequest, *, queued_at: datetime, state: str = "delivered", **values: Any) -> Dispatch:
    """A prescription of a request; taken by the network after 2 s and by the pharmacy after 40 s where it went well."""
    accepted = queued_at + timedelta(seconds=2) if state in ("accepted", "delivered") else None
    fields: dict[str, Any] = {
        "kind": DispatchKind.NEWRX, "lane": Lane.ROUTINE, "schedule": "not_controlled", "is_shadow": False,
        "document_sealed": b"", "document_sha256": "0" * 64, "idempotency_key": f"k{next(_number)}-{uuid.uuid4().hex}",
        "due_at": queued_at, "queued_at": queued_at, "state": state, "accepted_at": accepted,
        "delivered_at": accepted + timedelta(seconds=40) if accepted and state == "delivered" else None,
    } | values  # fmt: skip
    return Dispatch.objects.create(practice=request.practice, request=request, **fields)


def correction(request: RefillRequest, *, queued_at: datetime, state: str = "delivered") -> Dispatch:
    """An apology to the patient."""
    return dispatch(
        request, queued_at=queued_at, state=state, kind=DispatchKind.REPLY, lane=Lane.KLARA,
        purpose=ReplyPurpose.CORRECTION,
    )  # fmt: skip
