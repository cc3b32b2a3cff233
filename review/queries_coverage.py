"""What the coverage page shows and what the beat moves: counts of waiting items, who is away when. Reads only.

Counts and ids, never a patient's name; every query is bounded or an aggregate.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, Min, OuterRef, Q

from refillhub.practices import coverage, coverage_words
from refillhub.practices.models import Coverage, Practice, Provider
from review import access
from review.models import CoverageMove, Kind, Queue, RefillRequest

DAYS = 14
LOOK_BACK_DAYS = 28
MOVED_AT_ONCE = 500
# An unknown schedule counts as controlled; what is no drug at all has none.
CONTROLLED = (*access.SCHEDULES, "unknown")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one owner. `provider` None: the assistants, any prescriber, or nobody."""

    name: str
    provider: Provider | None
    count: int
    out_today: int
    oldest_at: datetime | None
    is_nobody: bool = False
    is_away: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One prescriber on one day, in words. `tone`: "" in, "info" covered, "warn" a gap."""

    words: str
    more: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One prescriber's days."""

    provider: Provider
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """What an absence would hand over: what waits for the absent one now, and what comes on a day."""

    mine: int
    out_before: int
    controlled: bool
    a_day: int


def to_move(*, now: datetime) -> list[uuid.UUID]:
    """Waiting items whose owner is away or gone. Where only new ones were to move, the old stay unless urgent."""
    absences = Coverage.objects.during(now).filter(provider_id=OuterRef("assignee_id"))
    is_new = Exists(absences.filter(starts_at__lte=OuterRef("changed_at"))) | Q(Exists(absences), is_urgent=True)
    rows = RefillRequest.objects.waiting().filter(
        Q(Exists(absences.filter(moves_waiting=True))) | Q(is_new) | Q(assignee__is_active=False),
        queue__in=[*access.PRESCRIBERS_QUEUES, Queue.NOBODY],
    )
    return list(rows.order_by("-is_urgent", "asked_at").values_list("id", flat=True)[:MOVED_AT_ONCE])


def to_give_back(*, now: datetime) -> list[uuid.UUID]:
    """Moves whose absence is over."""
    return list(CoverageMove.objects.due(now=now).order_by("moved_at").values_list("id", flat=True)[:MOVED_AT_ONCE])


def strip(*, board: coverage.Board, first: date, zone: ZoneInfo) -> tuple[Row, ...]:
    """Fourteen days of every active prescriber, by name."""
    days = [first + timedelta(days=number) for number in range(DAYS)]
    people = sorted((one for one in board.people.values() if one.is_active), key=lambda one: one.last_name)
    return tuple(Row(one, tuple(_cell(board, one, day, zone) for day in days)) for one in people)


def _cell(board: coverage.Board, provider: Provider, day: date, zone: ZoneInfo) -> Cell:
    begins, ends = (datetime.combine(each, time(0), tzinfo=zone) for each in (day, day + timedelta(days=1)))
    mine = [
        row for row in board.rows if row.provider_id == provider.id and row.starts_at < ends and row.ends_at > begins
    ]
    if not mine:
        return Cell("in")
    cuts = {at for row in board.rows for at in (row.starts_at, row.ends_at) if begins < at < ends}
    takers: dict[uuid.UUID | None, Provider | None] = {}
    for at in sorted({begins, *cuts}):
        if any(row.starts_at <= at < row.ends_at for row in mine):
            person = board.walk(start=provider.id, at=at).person
            takers[person.id if person else None] = person
    names = ", then ".join(str(one) if one else "nobody" for one in takers.values())
    hours = _hours(mine, begins, ends, zone)
    tone = "warn" if None in takers else "info"
    return Cell(f"away{hours}", names if tone == "info" else f"gap: {names}", tone)


def _hours(mine: Sequence[Coverage], begins: datetime, ends: datetime, zone: ZoneInfo) -> str:
    """From when and until when on a day that is not away as a whole."""
    first, last = min(row.starts_at for row in mine), max(row.ends_at for row in mine)
    words = ""
    if first > begins:
        words += f" from {coverage_words.clock(first.astimezone(zone))}"
    if last < ends:
        words += f" until {coverage_words.clock(last.astimezone(zone))}"
    return words


def waiting(*, practice: Practice, board: coverage.Board, now: datetime, today: date) -> list[Waiting]:
    """What is waiting for whom; one aggregate. The assistants and nobody stand last."""
    groups = (
        access.requests_of(practice=practice).waiting().order_by().values("queue", "assignee_id")
        .annotate(count=Count("pk"), out=Count("pk", filter=Q(run_out_on__lte=today)), oldest=Min("asked_at"))
    )  # fmt: skip
    found: dict[str, Waiting] = {}
    for one in board.people.values():
        if one.is_active:
            found[str(one.id)] = Waiting(str(one), one, 0, 0, None, is_away=_is_away(board, one, now))
    found["any"] = Waiting("Any prescriber", None, 0, 0, None)
    found["assistants"] = Waiting("Assistants", None, 0, 0, None)
    found["nobody"] = Waiting("Nobody (administrator)", None, 0, 0, None, is_nobody=True)
    for group in groups:
        key = _holder(group["queue"], group["assignee_id"])
        if key not in found:
            person = board.people.get(group["assignee_id"])
            found[key] = Waiting(f"{person} (no longer here)", person, 0, 0, None, is_nobody=True)
        before = found[key]
        oldest = min(at for at in (before.oldest_at, group["oldest"]) if at is not None)
        found[key] = Waiting(
            before.name, before.provider, before.count + group["count"], before.out_today + group["out"], oldest,
            before.is_nobody, before.is_away,
        )  # fmt: skip
    return [one for key, one in found.items() if one.count or key != "any"]


def _holder(queue: str, assignee_id: uuid.UUID | None) -> str:
    if queue == Queue.ASSISTANT:
        return "assistants"
    if queue in (Queue.ADMINISTRATOR, Queue.NOBODY):
        return "nobody"
    return str(assignee_id) if assignee_id else "any"


def _is_away(board: coverage.Board, provider: Provider, now: datetime) -> bool:
    return board.absence_of(provider_id=provider.id, at=now) is not None


def load(
    *, practice: Practice, provider_id: uuid.UUID, until: datetime, zone: ZoneInfo, moves_waiting: bool, now: datetime
) -> Load:
    """The numbers of a preview; two aggregates."""
    rows = access.requests_of(practice=practice)
    mine = Q(assignee_id=provider_id, queue__in=access.PRESCRIBERS_QUEUES)
    returns_on = until.astimezone(zone).date()
    controlled = Q(kind=Kind.REFILL, schedule__in=CONTROLLED)
    waits = rows.waiting().aggregate(
        mine=Count("pk", filter=mine),
        out=Count("pk", filter=mine & Q(run_out_on__lt=returns_on)),
        controlled=Count("pk", filter=mine & controlled),
    )
    since = now - timedelta(days=LOOK_BACK_DAYS)
    by_hand = rows.filter(prescriber_id=provider_id, opened_at__gte=since, is_automatic=False, duplicate_of=None)
    came = by_hand.aggregate(count=Count("pk"), controlled=Count("pk", filter=controlled))
    return Load(
        mine=waits["mine"],
        out_before=waits["out"],
        controlled=bool(came["controlled"] or (moves_waiting and waits["controlled"])),
        a_day=round(came["count"] / LOOK_BACK_DAYS),
    )


def count_of(*, practice: Practice, provider: Provider) -> int:
    """How many wait for one prescriber now."""
    waits = access.requests_of(practice=practice).waiting()
    return waits.filter(assignee=provider, queue__in=access.PRESCRIBERS_QUEUES).count()
