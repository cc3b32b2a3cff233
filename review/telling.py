"""Telling receivers of changes: what is due is claimed by its next moment, sent once, and settled. Calls the network.

A worker that dies leaves the event due again at its next moment: the receiver drops repeats by the event's id.
"""

from datetime import datetime, timedelta

from django.db import transaction

from integrations import receivers
from integrations.outcome import OutcomeKind
from review import workflow
from review.models import ChangeEvent

# 30 s, doubling, at most an hour apart: about a day in all, as we ask of webhooks ourselves.
FIRST_WAIT, LONGEST_WAIT, MOST_ATTEMPTS = timedelta(seconds=30), timedelta(hours=1), 30
KEEP = timedelta(days=30)


def tell_due(*, now: datetime, limit: int = 100) -> int:
    """Tell what is due, oldest first. Returns how many were taken."""
    told = 0
    for event in _claim(now=now, limit=limit):
        receiver = receivers.of(practice_id=event.practice_id)
        if receiver is None or not receiver.wants_changes:
            _settle(event, given_up_at=now, code="no_receiver")
            continue
        data = {"request": str(event.request_id), "event": event.event, "state": event.state,
                "at": event.at.isoformat()}  # fmt: skip
        outcome = receivers.tell(receiver=receiver, event_id=f"evt_{event.id.hex}", kind="request.changed", data=data,
                                 now=now)  # fmt: skip
        if outcome.kind is OutcomeKind.DELIVERED:
            told += 1
            _settle(event, told_at=now, code=outcome.code)
        elif outcome.kind is OutcomeKind.REJECTED or event.attempts >= MOST_ATTEMPTS:
            _settle(event, given_up_at=now, code=outcome.code[:64])
            workflow.raise_alarm(practice=event.practice, kind="receiver_failed", key=str(receiver.id), now=now)
        else:
            ChangeEvent.objects.filter(pk=event.pk).update(code=outcome.code[:64])
    return told


def wait_after(attempts: int) -> timedelta:
    """How long until the next attempt."""
    doublings: int = 2 ** min(attempts - 1, 12)
    return min(FIRST_WAIT * doublings, LONGEST_WAIT)


def purge(*, now: datetime) -> int:
    """Events that ended long ago."""
    old = ChangeEvent.objects.filter(at__lt=now - KEEP)
    return old.exclude(told_at__isnull=True, given_up_at__isnull=True).delete()[0]


def _claim(*, now: datetime, limit: int) -> list[ChangeEvent]:
    with transaction.atomic(durable=True):
        rows = list(
            ChangeEvent.objects.due(now).select_for_update(skip_locked=True, of=("self",)).select_related("practice")
            .order_by("at", "id")[:limit]
        )  # fmt: skip
        for row in rows:
            row.attempts += 1
            row.due_at = now + wait_after(row.attempts)
        ChangeEvent.objects.bulk_update(rows, ["attempts", "due_at"])
        return rows


def _settle(event: ChangeEvent, **values: object) -> None:
    ChangeEvent.objects.filter(pk=event.pk).update(**values)
