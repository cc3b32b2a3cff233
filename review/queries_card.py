"""What one card shows: who, which drug, what was checked, the patient's own words, what was sent, what may be done.

Reads only, in a fixed number of queries. The page escapes every word; nothing here makes markup.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Case, Exists, OuterRef, Q, When

from integrations import vault
from integrations.models import DirectoryState, MirrorMedication, PharmacyEntry
from refillhub.practices.models import Practice, Provider
from review import (
    access,
    failures,
    identity,
    queries,
    queries_criteria,
    queries_reading,
    queries_words,
    understanding,
    wording,
)
from review.access import May
from review.identity import Snapshot
from review.models import Dispatch, DispatchKind, EntryAlias, Kind, RefillRequest
from review.states import DispatchState, RequestState
from rules.models import DecisionRecord

COMMENT_PURPOSE = "comment"
MOST_ENTRIES = 200  # of one patient's list
NEAR = 20  # pharmacies offered beside the free field


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a colleague."""

    author: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One outgoing message in words; `code` exactly as received."""

    what: str
    state: str
    code: str
    text: str
    at: datetime
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Card:
    """Everything the card shows."""

    request: RefillRequest
    person: Snapshot | None
    name: str
    age: int | None
    born_on: date | None
    allergies: tuple[str, ...]
    pharmacy: PharmacyEntry | None
    near: tuple[PharmacyEntry, ...]
    entry: MirrorMedication | None
    entry_by: str
    days: int | None
    criteria: tuple[queries_criteria.Criterion, ...]
    notes: tuple[str, ...]
    said: tuple[queries_words.Said, ...]
    read_as: str
    mentions: tuple[queries_reading.Read, ...]
    same: tuple[queries_words.Compared, ...]
    doubts: tuple[queries_reading.Doubted, ...]
    corrections: tuple[queries_reading.Corrected, ...]
    intent_read: str
    choices: tuple[queries_reading.Choice, ...]
    why_no_choice: str
    own_names: tuple[queries_reading.OwnName, ...]
    release: str
    mends: tuple[str, ...]
    steps: tuple[tuple[str, bool], ...]
    trace: tuple[tuple[str, str, str, str], ...]
    rules_number: int | None
    drug_class: str
    others: tuple[RefillRequest, ...]
    sent: tuple[Sent, ...]
    colleagues: tuple[Note, ...]
    may: May
    undo_seconds: int | None
    state: str
    question: str
    failure: failures.Failure | None
    ready: tuple[queries_criteria.ReadyChange, ...]

    @property
    def unmet(self) -> int:
        """Criteria not met."""
        return sum(1 for one in self.criteria if one.kind == "fail")

    @property
    def met(self) -> int:
        """Criteria met."""
        return sum(1 for one in self.criteria if one.kind == "pass")

    @property
    def first_criteria(self) -> tuple[queries_criteria.Criterion, ...]:
        """All that are not met, then met ones up to eight rows."""
        return self.criteria[: max(8, self.unmet)]

    @property
    def more_criteria(self) -> tuple[queries_criteria.Criterion, ...]:
        """The met ones that are folded away."""
        return self.criteria[max(8, self.unmet) :]

    @property
    def intent_words(self) -> str:
        """What the message was read to want."""
        return queries_reading.INTENTS.get(self.intent_read, "not told").lower()

    @property
    def is_marked(self) -> bool:
        """Whether any of the words are marked."""
        return any(part.labels for one in self.said for part in one.parts)

    @property
    def marked(self) -> int | None:
        """Number of the mention the item is about, or of the only one; None when a person must say."""
        own = [one.number for one in self.mentions if one.is_own]
        return own[0] if own else self.mentions[0].number if len(self.mentions) == 1 else None

    @property
    def asks_cancel(self) -> bool:
        """An item about a drug that was stopped or changed after it was sent: the pharmacy can be asked to cancel."""
        about, asked = self.request.about, {"stopped_after_sending", "dose_changed_after_sending"}
        is_out = about is not None and about.state in (RequestState.SENT, RequestState.DONE)
        return is_out and self.may.decides and not asked.isdisjoint(self.request.reasons)

    @property
    def is_controlled(self) -> bool:
        """Controlled, or not known: counts as controlled."""
        return self.request.kind == Kind.REFILL and self.request.schedule != "not_controlled"

    @property
    def schedule(self) -> str:
        """ "C-IV", "schedule unknown", or ""."""
        return wording.SCHEDULES.get(self.request.schedule, "") if self.request.kind == Kind.REFILL else ""

    @property
    def is_ready(self) -> bool:
        """All criteria are met, nothing came back, not controlled: the approve button may be filled."""
        return not self.question and not self.is_controlled and not self.request.last_code

    @property
    def waits(self) -> bool:
        """Whether a person must still act."""
        return self.request.state == RequestState.IN_REVIEW


def card(
    *,
    request: RefillRequest,
    held: Collection[str],
    now: datetime,
    today: date,
    read: Mapping[uuid.UUID, DecisionRecord | None],
) -> Card:
    """The card of a request from `access.request_for`. `read`: newest decisions that were read already, by request."""
    practice = request.practice
    person = identity.unseal(sealed=request.snapshot_sealed, practice=practice)
    kept = understanding.open_kept(sealed=request.reading_sealed, practice=practice)
    record = read.get(request.id)
    if request.id not in read:
        record = queries.latest_records(request_ids=[request.id], practice=practice).get(request.id)
    if queries_reading.names_no_drug(kept):
        record = None  # it is about a drug that a person said is not meant
    dispatches = access.dispatches_of(request=request)
    may = access.what_may(request=request, held=held)
    near = _pharmacies(request, person.zip_code[:5] if person is not None and may.approve else "")
    own = next((one for one in near if one.ncpdp_id == request.pharmacy_ncpdp), None)
    entries = _entries(request)
    entry = next((row for row in entries if row.external_id == request.entry_external_id), None)
    choices = queries_reading.choices(request=request, entries=entries)
    criteria = queries_criteria.criteria(record)
    return Card(
        request=request,
        person=person,
        name=person.name if person and person.name else queries.name_of_unknown(request),
        age=person.age_years(today=today) if person else None,
        born_on=person.born_on() if person else None,
        allergies=person.allergies if person else (),
        pharmacy=own,
        near=tuple(near),
        entry=entry,
        entry_by=_entry_by(request, entry),
        days=wording.days_left(request.run_out_on, today) if request.kind == Kind.REFILL else None,
        criteria=criteria,
        notes=queries_criteria.notes(record),
        said=queries_words.said(kept),
        read_as=queries_words.read_as(kept, request),
        mentions=queries_reading.mentions(kept=kept, request=request, entries=entries),
        same=queries_words.same(kept=kept, request=request, entry=entry, person=person, pharmacy=own),
        doubts=queries_reading.doubts(kept),
        corrections=queries_reading.corrections(kept),
        intent_read=str(kept.get("intent", "")),
        choices=choices,
        why_no_choice=queries_reading.why_no_choice(request=request, snapshot=person, has_choices=bool(choices)),
        own_names=queries_reading.own_names(
            practice=practice, patient_id=request.patient_external_id, entries=entries
        )
        if any(getattr(row, "has_own_names", False) for row in entries)
        else (),
        release=str(kept.get("release", "")),
        mends=queries_criteria.mends(record),
        steps=queries_criteria.steps(request, record),
        trace=queries_criteria.trace(record),
        rules_number=record.version.number if record is not None and record.version is not None else None,
        drug_class=queries_criteria.class_names(record),
        others=_others(request),
        sent=tuple(_sent(row) for row in dispatches),
        colleagues=_colleagues(request, practice),
        may=may,
        undo_seconds=queries.undo_seconds(request=request, dispatches=dispatches, now=now),
        state=queries.state_words(request=request, dispatches=dispatches),
        question=queries_criteria.question_of(request, criteria),
        failure=failures.explain(request.last_code) if request.state == RequestState.IN_REVIEW else None,
        ready=queries_criteria.ready_changes(request=request, record=record),
    )


def _entries(request: RefillRequest) -> list[MirrorMedication]:
    """The patient's list as our copy holds it, this request's own entry first; one query, none without a patient."""
    if not request.patient_external_id and not request.entry_external_id:
        return []
    wanted = Q(patient__external_id=request.patient_external_id) if request.patient_external_id else Q(pk__in=[])
    if request.entry_external_id:
        wanted |= Q(external_id=request.entry_external_id)
    names = EntryAlias.objects.standing().filter(
        practice_id=request.practice_id, patient_external_id=OuterRef("patient__external_id")
    )
    rows = MirrorMedication.objects.filter(wanted, practice_id=request.practice_id).select_related("patient")
    # Most patients have no names of their own: then they are not asked for.
    rows = rows.annotate(has_own_names=Exists(names))
    own = Case(When(external_id=request.entry_external_id, then=0), default=1)
    return list(rows.order_by(own, "-is_active", "name")[:MOST_ENTRIES])


def _pharmacies(request: RefillRequest, zip_code: str) -> list[PharmacyEntry]:
    """The request's own pharmacy, and where it may be changed the active ones of the patient's ZIP code; one query."""
    found = Q(ncpdp_id=request.pharmacy_ncpdp) if request.pharmacy_ncpdp else Q(pk__in=[])
    if zip_code:
        found |= Q(directory_state=DirectoryState.active, zip_code__startswith=zip_code)
    rows = PharmacyEntry.objects.filter(found, stage=request.practice.stage)
    return list(rows.order_by(Case(When(ncpdp_id=request.pharmacy_ncpdp, then=0), default=1), "name")[: NEAR + 1])


def _entry_by(request: RefillRequest, entry: MirrorMedication | None) -> str:
    """Who wrote the list entry, in words."""
    if entry is None:
        return ""
    if request.prescriber is not None and request.prescriber.drchrono_doctor_id == entry.doctor_external_id:
        return str(request.prescriber)
    return "another prescriber of the chart" if entry.doctor_external_id else "nobody named"


def _others(request: RefillRequest) -> tuple[RefillRequest, ...]:
    if not request.patient_external_id:
        return ()
    rows = access.requests_of(practice=request.practice).filter(patient_external_id=request.patient_external_id)
    return tuple(
        rows.unfinished().exclude(pk=request.pk).defer("reading_sealed", "snapshot_sealed").order_by("asked_at")[:20]
    )


def _sent(row: Dispatch) -> Sent:
    return Sent(
        what=DispatchKind(row.kind).label.capitalize(),
        state="not sent (shadow)" if row.is_shadow else row.state.replace("_", " "),
        code=row.code_line,
        text=row.text[:500],
        at=row.settled_at or row.accepted_at or row.queued_at,
        is_bad=row.state in (DispatchState.REJECTED, DispatchState.UNKNOWN, DispatchState.UNRESOLVED),
    )


def _colleagues(request: RefillRequest, practice: Practice) -> tuple[Note, ...]:
    return tuple(
        Note(
            author=row.author.full_name,
            at=row.at,
            text=vault.open_payload(
                sealed=bytes(row.text_sealed), practice_id=practice.id, stage=practice.stage, purpose=COMMENT_PURPOSE
            ).decode(),
        )
        for row in access.comments_of(request=request)
    )


def prescribers_in(
    *, providers: Sequence[Provider], away: Collection[uuid.UUID], first: Provider | None
) -> list[Provider]:
    """Whom an item may be given to: who is in, the stand-in first."""
    rows = [one for one in providers if one.pk not in away]
    return sorted(rows, key=lambda one: first is None or one.pk != first.pk)
