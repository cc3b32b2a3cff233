"""What the assistant's dashboard shows: counts, what to do now, who waits how long, whether nothing is lost.

Aggregates and one bounded read of open requests; names are unsealed only for the rows shown.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, Max, OuterRef, Q

from integrations.models import Connection, MirrorPatient
from refillhub.practices.models import Coverage, Practice
from review import access, failures, identity, queries, wording
from review.models import Alarm, EventKind, EventLink, InboundEvent, Kind, Progress, Queue, RefillRequest
from review.states import RequestState

R = RequestState
MOST_OPEN = 2000
MOST_DO_NOW = 40
TARGET = timedelta(hours=4)
AGES = (("0–1 h", 1), ("1–2 h", 2), ("2–4 h", 4), ("Over 4", None))
FAILED = ("transmission_failed", "unresolved", "cancel_failed", "reply_failed", "answer_failed", "task_failed",
          "task_unresolved", "pharmacy_not_changed")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Todo:
    """One line of *Do now*."""

    request: RefillRequest
    name: str
    tone: str
    icon: str
    tag: str
    why: str
    step: str
    code: str
    days: int | None


@dataclass(frozen=True, slots=True)
class Owner:
    """One line of the matrix: how many wait in each age, how many run out today, all."""

    name: str
    ages: tuple[int, ...]
    out: int
    total: int


@dataclass(frozen=True, slots=True)
class Accounting:
    """Messages since midnight: each is a request, a duplicate, for a person, being read, or noted; else lost."""

    messages: int = 0
    requests: int = 0
    duplicates: int = 0
    people: int = 0
    reading: int = 0
    set_aside: int = 0
    noted: int = 0

    @property
    def unowned(self) -> int:
        """Messages without owner or end: must be none."""
        known = self.requests + self.duplicates + self.people + self.reading + self.set_aside + self.noted
        return self.messages - known


@dataclass(frozen=True, slots=True)
class Line:
    """A vendor in words."""

    vendor: str
    is_well: bool
    words: str


@dataclass(frozen=True, slots=True)
class Away:
    """An absence of today or the next seven days."""

    who: str
    starts_at: datetime
    ends_at: datetime
    stand_in: str


@dataclass(frozen=True, slots=True)
class Desk:
    """The dashboard of one practice."""

    open_count: int
    late: int
    failed: int
    people: int
    out_today: int
    held: tuple[tuple[RefillRequest, str], ...]
    held_count: int
    median_minutes: int | None
    longest: str
    todo: tuple[Todo, ...]
    todo_left: int
    owners: tuple[Owner, ...]
    accounting: Accounting
    lines: tuple[Line, ...]
    alarms: tuple[Alarm, ...]
    away: tuple[Away, ...]
    is_cut: bool


def desk(*, practice: Practice, now: datetime, midnight: datetime, today: date) -> Desk:
    """All figures of the page. `midnight` is the practice-local start of the day."""
    rows = list(
        access.requests_of(practice=practice).unfinished().select_related("assignee")
        .defer("reading_sealed").order_by("-is_urgent", "asked_at")[: MOST_OPEN + 1]
    )  # fmt: skip
    for row in rows:
        row.practice = practice
    waiting = [row for row in rows if row.state == R.IN_REVIEW]
    held = sorted((row for row in rows if row.state == R.HELD), key=lambda row: (not row.is_urgent, row.asked_at))
    todo = _todo(waiting, today)
    return Desk(
        open_count=len(rows),
        late=sum(1 for row in waiting if now - row.asked_at > TARGET),
        failed=sum(1 for row in waiting if has_failed(row)),
        people=sum(1 for row in waiting if row.kind == Kind.MESSAGE),
        out_today=sum(1 for row in rows if row.run_out_on is not None and row.run_out_on <= today),
        held=tuple((row, _name(row)) for row in held[:12]),
        held_count=len(held),
        median_minutes=_median(practice, midnight),
        longest=wording.waited(min(row.asked_at for row in waiting), now) if waiting else "",
        todo=tuple(_line_of(row, today) for row in todo[:MOST_DO_NOW]),
        todo_left=max(0, len(todo) - MOST_DO_NOW),
        owners=_owners(waiting, now, today),
        accounting=accounting(practice=practice, since=midnight),
        lines=_lines(practice, now),
        alarms=tuple(Alarm.objects.filter(practice=practice, closed_at=None).order_by("-opened_at")[:20]),
        away=_away(practice, now),
        is_cut=len(rows) > MOST_OPEN,
    )


def has_failed(row: RefillRequest) -> bool:
    """Came back from a vendor, or it is not known what became of it."""
    return bool(row.last_code) or row.is_locked or any(code in FAILED for code in row.reasons)


def _todo(waiting: Sequence[RefillRequest], today: date) -> list[RefillRequest]:
    """What an assistant can move: danger first, failures, messages, then what is on their own queue."""
    chosen = [
        row
        for row in waiting
        if has_failed(row) or row.kind == Kind.MESSAGE or row.queue in (Queue.ASSISTANT, Queue.ADMINISTRATOR, "")
    ]

    def order(row: RefillRequest) -> tuple[int, int, datetime]:
        danger = 1 if queries.is_danger(row) else 2 if row.is_locked else 3 if has_failed(row) else 4
        danger = 0 if "emergency" in row.reasons else danger
        days = wording.days_left(row.run_out_on, today)
        return danger, 1 if days is None else days, row.asked_at

    return sorted(chosen, key=order)


def _line_of(row: RefillRequest, today: date) -> Todo:
    words = wording.first_reason(row.reasons) or "A person is needed"
    tone, icon, tag, step = "warn", "ask", "", ""
    if queries.is_danger(row):
        tone, icon = "stop", "msg"
        tag = "may be an emergency" if "emergency" in row.reasons else "names a symptom"
    elif has_failed(row):
        tone, icon = "stop", "lock" if row.is_locked else "alert"
        words = f"{words}. {row.last_text}" if row.last_text else words
        failure = failures.explain(row.last_code)
        step = failure.step if failure is not None and not row.is_locked else ""
    elif row.kind == Kind.MESSAGE:
        icon = "msg"
    elif row.queue == Queue.ADMINISTRATOR:
        tag = "nobody stands in"
    return Todo(row, _name(row), tone, icon, tag, words, step, row.last_code, wording.days_left(row.run_out_on, today))


def name_of(row: RefillRequest, *, practice: Practice) -> str:
    """The patient's name, or what stands in its place."""
    row.practice = practice
    return _name(row)


def _name(row: RefillRequest) -> str:
    person = identity.unseal(sealed=row.snapshot_sealed, practice=row.practice)
    return person.name if person and person.name else queries.name_of_unknown(row)


def _owners(waiting: Sequence[RefillRequest], now: datetime, today: date) -> tuple[Owner, ...]:
    groups: dict[str, list[RefillRequest]] = {}
    for row in waiting:
        groups.setdefault(_owner_name(row), []).append(row)
    return tuple(
        Owner(
            name=name,
            ages=tuple(_in_age(rows, now, at) for at in range(len(AGES))),
            out=sum(1 for row in rows if row.run_out_on is not None and row.run_out_on <= today),
            total=len(rows),
        )
        for name, rows in sorted(groups.items())
    )


def _owner_name(row: RefillRequest) -> str:
    if row.queue == Queue.ASSISTANT:
        return "Assistants"
    if row.queue in (Queue.ADMINISTRATOR, ""):
        return "Nobody yet"
    return str(row.assignee) if row.assignee else "Any prescriber"


def _in_age(rows: Sequence[RefillRequest], now: datetime, at: int) -> int:
    low = AGES[at - 1][1] if at else 0
    high = AGES[at][1]
    hours = [(now - row.asked_at).total_seconds() / 3600 for row in rows]
    return sum(1 for one in hours if one >= (low or 0) and (high is None or one < high))


def _median(practice: Practice, midnight: datetime) -> int | None:
    """Median minutes from asking to a decision, of what was decided today."""
    rows = (
        access.requests_of(practice=practice)
        .filter(decided_at__gte=midnight)
        .exclude(state__in=[R.IN_REVIEW, R.HELD, R.DUPLICATE])
        .values_list("asked_at", "decided_at")[:5000]
    )
    spans = [(decided - asked).total_seconds() for asked, decided in rows if decided is not None]
    return round(statistics.median(spans) / 60) if spans else None


def accounting(*, practice: Practice, since: datetime) -> Accounting:
    """Every message since a moment, counted to its end; one query."""
    links = EventLink.objects.filter(event=OuterRef("pk"))
    found = (
        InboundEvent.objects.filter(practice=practice, kind=EventKind.MESSAGE_IN, received_at__gte=since)
        .annotate(
            of_person=Exists(links.filter(request__kind=Kind.MESSAGE)),
            of_request=Exists(links.exclude(request__kind=Kind.MESSAGE).exclude(request__state=R.DUPLICATE)),
            of_duplicate=Exists(links.filter(request__state=R.DUPLICATE)),
        )
        .aggregate(
            messages=Count("pk"),
            requests=Count("pk", filter=Q(of_request=True)),
            people=Count("pk", filter=Q(of_request=False, of_person=True)),
            duplicates=Count("pk", filter=Q(of_request=False, of_person=False, of_duplicate=True)),
            reading=Count("pk", filter=_UNLINKED & Q(progress__in=[Progress.RECEIVED, Progress.READING])),
            set_aside=Count("pk", filter=_UNLINKED & Q(progress__in=[Progress.QUARANTINED, Progress.CONFLICT])),
            noted=Count("pk", filter=_UNLINKED & Q(progress=Progress.IGNORED)),
        )
    )
    return Accounting(**found)


_UNLINKED = Q(of_request=False, of_person=False, of_duplicate=False)


def _lines(practice: Practice, now: datetime) -> tuple[Line, ...]:
    """Each vendor's last sign of life; two queries."""
    read_at = MirrorPatient.objects.filter(practice=practice).aggregate(at=Max("medications_read_at"))["at"]
    lines = []
    for row in Connection.objects.filter(practice=practice, stage=practice.stage).order_by("vendor"):
        signs = [at for at in (row.last_ok_at, row.last_webhook_at) if at is not None]
        is_broken = row.last_error_at is not None and (not signs or row.last_error_at > max(signs))
        words = f"last sign of life {wording.waited(max(signs), now)} ago" if signs else "not heard from yet"
        if is_broken:
            words = f"last call failed {wording.waited(row.last_error_at or now, now)} ago ({row.last_error_code})"
        if row.status != "active":
            words = f"{row.get_status_display().lower()}; {words}"
        if row.vendor == "drchrono" and read_at is not None:
            words += f" · chart copy read {wording.waited(read_at, now)} ago"
        lines.append(Line(row.get_vendor_display(), row.status == "active" and not is_broken and bool(signs), words))
    return tuple(lines)


def _away(practice: Practice, now: datetime) -> tuple[Away, ...]:
    rows = (
        Coverage.objects.filter(practice=practice, ends_at__gt=now, starts_at__lt=now + timedelta(days=7))
        .select_related("provider", "stand_in")
        .order_by("starts_at")[:20]
    )
    return tuple(
        Away(str(row.provider), row.starts_at, row.ends_at, str(row.stand_in) if row.stand_in else "") for row in rows
    )
