"""Security incidents of controlled prescribing and the daily look at what happened (21 CFR 1311.150).

An incident is opened by the program or by a person, and ends only when a person records where it was reported, or why
it was none. Ids and codes only; who and what stands in the audit entries around it.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from audit.models import Entry
from refillhub.practices.models import Membership, Practice, User
from review.ledger import Ledger, person, verb
from review.models import EpcsDay, Incident, Preparation
from review.workflow import acts, notices
from rules import hours

WRONG_FACTORS = 5
WITHIN = timedelta(hours=1)


def open_incident(*, practice: Practice, kind: str, key: str, ledger: Ledger, words: str = "", by: User | None = None
                  ) -> None:  # fmt: skip
    """Open one, unless one of this matter is open already. Called inside a verb."""
    zone = practice.time_zone or "UTC"
    _, created = Incident.objects.get_or_create(
        practice=practice,
        kind=kind,
        key=key,
        reported_at=None,
        defaults={
            "opened_at": ledger.now,
            "opened_by": by,
            "words": words[:500],
            "report_by": hours.business_days_after(moment=ledger.now, days=1, time_zone=zone),
        },
    )
    if created:
        notices.alarm(practice=practice, kind="incident", key=key or kind, now=ledger.now)
        ledger.note(event="incident.opened", practice_id=practice.id, outcome=kind, data={"kind": kind, "key": key})


def report_found(*, practice: Practice, user: User, kind: str, words: str, now: datetime) -> None:
    """A person opens an incident in their own words. Raises NotPossible when they say nothing."""
    if not words.strip():
        raise acts.NotPossible("words_needed", "Say what was found, without names of patients.")
    with verb(now=now, actor=person(user.id)) as ledger:
        open_incident(practice=practice, kind=kind, key=uuid.uuid4().hex, words=words.strip(), by=user, ledger=ledger)


def end_incident(
    *, practice: Practice, incident_id: uuid.UUID, user: User, reference: str, is_none: bool, now: datetime
) -> None:
    """Record where it was reported, or why it was no incident. Raises NotPossible, Incident.DoesNotExist."""
    if not reference.strip():
        raise acts.NotPossible("reference_needed", "Enter the report's number, or why it was no incident.")
    with verb(now=now, actor=person(user.id)) as ledger:
        row = Incident.objects.select_for_update().get(practice=practice, id=incident_id)
        if row.reported_at is not None:
            raise acts.NotPossible("already_ended", "Somebody has ended it already.")
        row.reported_at, row.reported_by, row.reference = now, user, reference.strip()[:100]
        row.is_dismissed = is_none
        row.save(update_fields=["reported_at", "reported_by", "reference", "is_dismissed"])
        event = "incident.closed" if is_none else "incident.reported"
        ledger.note(event=event, practice_id=practice.id, outcome=row.kind, data={"incident": str(row.id)})


def note_refusal(
    *, practice: Practice, preparations: Sequence[uuid.UUID], user: User, reason: str, now: datetime
) -> None:
    """A signing was refused: recorded, and an incident where somebody tried to sign for another."""
    with verb(now=now, actor=person(user.id)) as ledger:
        rows = Preparation.objects.filter(practice=practice, id__in=preparations).select_related("request")
        for row in rows:
            ledger.on_request(row.request, "epcs.refused", outcome=reason, data={"preparation": str(row.id)})
        if reason == "not_the_signer":
            open_incident(practice=practice, kind=Incident.Kind.NOT_THE_SIGNER, key=str(user.id), ledger=ledger)
        if reason == "factors":
            since = Entry.objects.of(practice_id=practice.id).filter(at__gte=now - WITHIN, event="factor.refused")
            if since.filter(actor_id=str(user.id)).count() >= WRONG_FACTORS:
                open_incident(practice=practice, kind=Incident.Kind.WRONG_FACTORS, key=str(user.id), ledger=ledger)


def note_token_lost(*, practice: Practice, user: User, now: datetime) -> None:
    """A second factor was reported lost: an incident; the right to sign is ended by whoever calls this."""
    with verb(now=now, actor=person(user.id)) as ledger:
        open_incident(practice=practice, kind=Incident.Kind.TOKEN_LOST, key=str(user.id), ledger=ledger)


def make_day(*, practice: Practice, day: date, counts: Mapping[str, int], now: datetime) -> bool:
    """Keep the report of one day, once. True when it is new."""
    with verb(now=now) as ledger:
        _, created = EpcsDay.objects.get_or_create(
            practice=practice, day=day, defaults={"made_at": now, "counts": dict(counts)}
        )
        if created:
            ledger.note(event="epcs.day_made", practice_id=practice.id, data={"day": day.isoformat(), **counts})
        return created


def review_day(*, practice: Practice, day: date, user: User, note: str, now: datetime) -> None:
    """A person signs the day off. Raises NotPossible, EpcsDay.DoesNotExist."""
    with verb(now=now, actor=person(user.id)) as ledger:
        row = EpcsDay.objects.select_for_update().get(practice=practice, day=day)
        if not Membership.objects.current().filter(practice=practice, user=user).exists():
            raise acts.NotPossible("not_yours", "This day belongs to another practice.")
        if row.reviewed_at is not None:
            raise acts.NotPossible("already_reviewed", "Somebody has signed this day off already.")
        if any(row.counts.get(name) for name in NEEDS_NOTE) and not note.strip():
            raise acts.NotPossible("note_needed", "Something was refused or failed on this day: say what it was.")
        row.reviewed_by, row.reviewed_at, row.note = user, now, note.strip()[:500]
        row.save(update_fields=["reviewed_by", "reviewed_at", "note"])
        ledger.note(event="epcs.day_reviewed", practice_id=practice.id, data={"day": day.isoformat()})


NEEDS_NOTE = ("refused", "wrong_factors", "failed", "incidents")
"""Counts of a day that nobody signs off without a word."""
