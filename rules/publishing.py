"""Publishing a version of the rules: a second person, who has seen what it would newly approve, from a moment on.

One transaction with its audit entries. A published version never changes; the one before it stays until the moment.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from refillhub.practices.models import User
from rules import documents, previewing, versions
from rules.models import RuleVersion

State = RuleVersion.State


class SamePerson(RuntimeError):
    """Publishing takes a second person: neither who drafted nor who proposed."""


class NotPreviewed(RuntimeError):
    """The draft has not been tried on recorded decisions, or its new automatic approvals were not looked at."""


def publish(*, version_id: uuid.UUID, by: User, now: datetime, effective_at: datetime | None = None) -> RuleVersion:
    """proposed -> published by a second person, in force from `effective_at` (now by default, never in the past).

    Raises versions.WrongState, SamePerson, NotPreviewed.
    """
    with transaction.atomic(durable=True):
        version = versions.locked(version_id, State.proposed)
        if by.pk in (version.proposed_by_id, version.drafted_by_id):
            raise SamePerson("a second person publishes")
        _demand_preview(version, by, now)
        rules = documents.check(document=version.document)
        start = max(effective_at or now, now)
        if start == now:
            RuleVersion.objects.filter(practice=version.practice, state=State.published, effective_at__lte=now).update(
                state=State.superseded
            )
        version.state, version.published_by, version.published_at = State.published, by, now
        version.effective_at = start
        version.save(update_fields=["state", "published_by", "published_at", "effective_at"])
        versions.record(version, "rules.published", by, now)
        for key in sorted(rules.policy.adopted_classes):
            versions.record(version, "protocol.adopted", by, now, key)
    return version


def _demand_preview(version: RuleVersion, by: User, now: datetime) -> None:
    standing = previewing.standing(version=version, by=by, now=now)
    if standing.is_clear:
        return
    if standing.run is None:
        raise NotPreviewed("The draft has not been tried on the recorded decisions as it is now.")
    raise NotPreviewed(f"{standing.newly_automatic} new automatic approvals have not been looked at by you.")
