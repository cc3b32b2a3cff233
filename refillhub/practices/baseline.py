"""The practice's own minutes for one refill by hand: changed by its administrator, remembered by the audit trail."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit import log
from audit.events import Actor, Draft
from refillhub.practices.models import Practice


def set_minutes(*, practice: Practice, minutes: int, actor: Actor, now: datetime) -> None:
    """Store the minutes; the same number again is no change and no entry."""
    with transaction.atomic():
        locked = Practice.objects.select_for_update().get(pk=practice.pk)
        before = locked.minutes_per_refill
        if before == minutes:
            return
        locked.minutes_per_refill = minutes
        locked.save(update_fields=["minutes_per_refill"])
        log.record(now=now, draft=Draft(practice_id=locked.id, event="practice.changed", actor=actor, trigger="page",
                                        outcome="minutes_per_refill", data={"before": before, "after": minutes}))
    practice.minutes_per_refill = minutes
