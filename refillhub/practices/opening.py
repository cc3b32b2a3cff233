"""Opening a practice: the row, its hash key and the first entry of its audit chain, in one transaction."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction

from audit import log
from audit.events import Actor, Draft
from refillhub.practices import references
from refillhub.practices.models import Practice


def open_practice(*, name: str, slug: str, time_zone: str, actor: Actor, now: datetime, **settings: Any) -> Practice:
    """A new practice, in shadow. `settings` are further fields of Practice."""
    practice = Practice(name=name, slug=slug, time_zone=time_zone, shadow_since=now, **settings)
    references.provide_key(practice=practice)
    practice.full_clean(exclude=["hash_key_sealed"])
    with transaction.atomic():
        practice.save(force_insert=True)
        log.record(now=now, draft=Draft(practice_id=practice.id, event="practice.changed", actor=actor,
                                        outcome="opened", data={"stage": practice.stage}))
    return practice


def record_baa(*, practice: Practice, signed_on: date, signed_by: str, actor: Actor, now: datetime) -> None:
    """Record the business associate agreement; from now on patient data may be taken in."""
    with transaction.atomic():
        locked = Practice.objects.select_for_update().get(pk=practice.pk)
        locked.baa_signed_on, locked.baa_signed_by = signed_on, signed_by
        locked.save(update_fields=["baa_signed_on", "baa_signed_by"])
        log.record(now=now, draft=Draft(practice_id=locked.id, event="baa.recorded", actor=actor,
                                        data={"signed_on": signed_on.isoformat()}))
    practice.baa_signed_on, practice.baa_signed_by = signed_on, signed_by
