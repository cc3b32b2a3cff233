"""What is counted: tallies of decided requests and of prescriptions, their sums, and the figures made of them.

Pure: no database, no clock. Times are kept in log-scale buckets, so tallies of days, places and classes add up; a
median or p95 read from them is within 5 % of the exact one. Holds no patient and no person.
"""

import math
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from review.states import DispatchState, RequestState

R = RequestState

PER_DOUBLING = 8
"""Buckets for each doubling of a time: each is 9 % wide, so its middle is at most 4.5 % off."""

SMALLEST = 11
"""A group of fewer decided requests is not split further."""

FIRST_FIGURES = 20
"""Figures start after so many decided requests."""

APPROVED_STATES = frozenset({R.APPROVED, R.SENT, R.DONE, R.CANCEL_ASKED})
ANSWERED_STATES = frozenset({R.DENIED, R.VISIT_ASKED, R.TOLD, R.ANSWERED})
DECIDED_STATES = APPROVED_STATES | ANSWERED_STATES
"""What counts as decided. Joined and cancelled requests ended without a decision; what is back in review has none."""


class Stage(StrEnum):
    """A stretch of a request's way."""

    LATENCY = "latency"
    READING = "reading"
    HELD = "held"
    ASSISTANT = "assistant"
    PRESCRIBER = "prescriber"
    TRANSMISSION = "transmission"
    PHARMACY = "pharmacy"


class How(StrEnum):
    """Who decided, and how."""

    AUTOMATIC = "automatic"
    BY_RULES = "by_rules"
    APPROVED = "approved"
    OTHERWISE = "otherwise"
    IN_CHART = "in_chart"


BY_PEOPLE = (How.APPROVED, How.OTHERWISE, How.IN_CHART)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole practice-local days, both ends included."""

    first: date
    last: date

    @property
    def before(self) -> "Period":
        """The same number of days just before."""
        length = (self.last - self.first).days + 1
        return Period(self.first - timedelta(days=length), self.first - timedelta(days=1))

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1)]


@dataclass(frozen=True, slots=True)
class Key:
    """What one roll-up is of."""

    day: date
    location_id: uuid.UUID | None
    drug_class: str
    is_shadow: bool


@dataclass(frozen=True, slots=True)
class RequestRow:
    """Of a refill request, only what is counted."""

    state: str
    is_automatic: bool
    is_by_person: bool
    is_by_prescriber: bool
    asked_at: datetime
    opened_at: datetime
    release_at: datetime | None
    decided_at: datetime | None
    approved_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DispatchRow:
    """Of a prescription or a correction, only what is counted."""

    is_correction: bool
    state: str
    queued_at: datetime
    accepted_at: datetime | None
    delivered_at: datetime | None


@dataclass(slots=True)
class Tally:
    """Counts and bucketed times; tallies add."""

    counts: Counter[str] = field(default_factory=Counter)
    times: dict[str, Counter[int]] = field(default_factory=dict)

    def time(self, stage: Stage, *, since: datetime, until: datetime) -> None:
        """Note one stretch; a clock that ran backwards counts as no time."""
        seconds = max(0.0, (until - since).total_seconds())
        self.times.setdefault(stage, Counter())[bucket(seconds)] += 1

    def add(self, other: "Tally") -> None:
        """Take another tally in."""
        self.counts.update(other.counts)
        for stage, buckets in other.times.items():
            self.times.setdefault(stage, Counter()).update(buckets)

    @property
    def decided(self) -> int:
        """Refill requests decided."""
        return self.counts["decided"]

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        times = {stage: {str(at): n for at, n in sorted(buckets.items())} for stage, buckets in self.times.items()}
        return {"counts": dict(self.counts), "times": times}


def from_document(document: Mapping[str, Any]) -> Tally:
    """The tally that `Tally.document` wrote."""
    times = {stage: Counter({int(at): n for at, n in found.items()}) for stage, found in document["times"].items()}
    return Tally(counts=Counter(document["counts"]), times=times)


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum."""
    made = Tally()
    for one in tallies:
        made.add(one)
    return made


# --- times -----------------------------------------------------------------------------------------------------------


def bucket(seconds: float) -> int:
    """The bucket of a time; everything under a second is one."""
    return math.floor(PER_DOUBLING * math.log2(seconds)) if seconds >= 1 else -1


def middle(at: int) -> float:
    """The time, in seconds, that stands for a bucket."""
    return float(2 ** ((at + 0.5) / PER_DOUBLING)) if at >= 0 else 0.5


def quantile(buckets: Mapping[int, int], share: float) -> float | None:
    """The time that this share of the requests did not exceed (nearest rank); None where there are none."""
    count = sum(buckets.values())
    if not count:
        return None
    rank, seen = max(1, math.ceil(share * count - 1e-9)), 0
    for at in sorted(buckets):
        seen += buckets[at]
        if seen >= rank:
            return middle(at)
    return None


def median_and_p95(tally: Tally, stage: Stage) -> tuple[float | None, float | None]:
    """Both, of one stage."""
    buckets: Mapping[int, int] = tally.times.get(stage, {})
    return quantile(buckets, 0.5), quantile(buckets, 0.95)


# --- one row ---------------------------------------------------------------------------------------------------------


def decided_moment(row: RequestRow) -> datetime | None:
    """When the last decision fell: approval for what went out, the answer for what did not; None while undecided.

    What was prescribed in the chart has no approval of ours: it counts when our look finds it there.
    """
    if row.state in APPROVED_STATES:
        return row.approved_at or row.ended_at
    return (row.decided_at or row.ended_at) if row.state in ANSWERED_STATES else None


def how(row: RequestRow) -> How:
    """Who decided a decided request."""
    if row.state in APPROVED_STATES:
        if row.approved_at is None:
            return How.IN_CHART
        return How.AUTOMATIC if row.is_automatic else How.APPROVED
    return How.OTHERWISE if row.is_by_person else How.BY_RULES


def count_request(tally: Tally, row: RequestRow) -> None:
    """One decided refill request, with the stages before its decision."""
    at = decided_moment(row)
    if at is None:
        return
    way = how(row)
    tally.counts["decided"] += 1
    tally.counts[way] += 1
    tally.time(Stage.LATENCY, since=row.asked_at, until=at)
    tally.time(Stage.READING, since=row.asked_at, until=row.opened_at)
    since = row.opened_at
    if row.release_at is not None and row.opened_at < row.release_at <= at:
        tally.time(Stage.HELD, since=row.opened_at, until=row.release_at)
        since = row.release_at
    if way in (How.APPROVED, How.OTHERWISE):
        stage = Stage.PRESCRIBER if row.is_by_prescriber else Stage.ASSISTANT
        tally.time(stage, since=since, until=at)


def count_dispatch(tally: Tally, row: DispatchRow) -> None:
    """One prescription, or one correction to a patient."""
    if row.is_correction:
        tally.counts["apologies"] += row.state not in (DispatchState.TAKEN_BACK, DispatchState.SHADOWED)
        return
    is_rejected = row.state == DispatchState.REJECTED
    if row.accepted_at is None and not is_rejected:
        return
    tally.counts["sent"] += 1
    tally.counts["rejected"] += is_rejected
    if row.accepted_at is not None:
        tally.time(Stage.TRANSMISSION, since=row.queued_at, until=row.accepted_at)
        if row.delivered_at is not None:
            tally.time(Stage.PHARMACY, since=row.accepted_at, until=row.delivered_at)


# --- figures ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one tally; rates in percent, None where nothing was counted."""

    decided: int
    median: float | None
    p95: float | None
    automatic_rate: float | None
    review_rate: float | None
    protocol_rate: float | None
    nack_rate: float | None
    sent: int
    rejected: int
    apologies: int
    automatic: int
    hours_returned: float


def figures(tally: Tally, *, minutes_per_refill: float) -> Figures:
    """What the page, the CSV and every table behind a chart show."""
    counts = tally.counts
    median, p95 = median_and_p95(tally, Stage.LATENCY)
    by_people = sum(counts[way] for way in BY_PEOPLE)
    return Figures(
        decided=tally.decided,
        median=median,
        p95=p95,
        automatic_rate=percent(counts[How.AUTOMATIC], tally.decided),
        review_rate=percent(by_people, tally.decided),
        protocol_rate=percent(counts[How.AUTOMATIC] + counts[How.BY_RULES], tally.decided),
        nack_rate=percent(counts["rejected"], counts["sent"]),
        sent=counts["sent"],
        rejected=counts["rejected"],
        apologies=counts["apologies"],
        automatic=counts[How.AUTOMATIC],
        hours_returned=counts[How.AUTOMATIC] * minutes_per_refill / 60,
    )


def percent(part: int, whole: int) -> float | None:
    """A share in percent."""
    return 100 * part / whole if whole else None


def joined(days: Sequence[tuple[date, Tally]], *, least: int = 1) -> list[tuple[date, date, Tally]]:
    """Days as stretches of at least `least` days and SMALLEST requests; none begins with an empty day.

    The rest at the end stands by itself when it is large enough, otherwise it joins the stretch before.
    """
    made: list[tuple[date, date, Tally]] = []
    first: date | None = None
    last, sum_of = date.min, Tally()
    for day, tally in days:
        if first is None and not tally.counts:
            continue
        first, last = first or day, day if tally.counts else last
        sum_of.add(tally)
        if sum_of.decided >= SMALLEST and (day - first).days + 1 >= least:
            made.append((first, last, sum_of))
            first, sum_of = None, Tally()
    if first is not None and sum_of.decided >= SMALLEST:
        made.append((first, last, sum_of))
    elif first is not None and made:
        begun, _, before = made.pop()
        before.add(sum_of)
        made.append((begun, last, before))
    return made


def split(groups: Mapping[str, Tally]) -> tuple[list[tuple[str, Tally]], Tally]:
    """Groups large enough to be shown, largest first, and the sum of the others."""
    shown = [(name, tally) for name, tally in groups.items() if tally.decided >= SMALLEST]
    rest = total(tally for tally in groups.values() if tally.decided < SMALLEST)
    return sorted(shown, key=lambda one: (-one[1].decided, one[0])), rest
