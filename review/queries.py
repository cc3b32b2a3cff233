"""What the prescriber's list shows: items waiting, in the order in which supply ends; the tray; decided items.

Bounded queries only. Names are unsealed here for the rows that are shown and nowhere else.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q

from refillhub.practices.models import Practice, Provider, User
from review import access, identity, states, wording
from review.models import Dispatch, DispatchKind, Kind, RefillRequest, ReplyPurpose
from review.states import DispatchState, RequestState
from rules.models import DecisionRecord

R = RequestState
MOST_ROWS = 200
ORDERS = ("supply", "asked")
GROUPS = ("Read first", "Out today", "Within 3 days", "Supply unknown", "Messages", "This week", "Later")
# Why a machine did not approve; says nothing against a person approving.
ADMINISTRATIVE = frozenset(
    {"class_not_adopted", "class_never_automatic", "prescriber_not_ready", "automatic_stopped", "hours_unknown",
     "controlled"}
)  # fmt: skip
_UNMET = frozenset({"blocks", "needs_person"})
_DECISIVE_REPLIES = (ReplyPurpose.DENIED, ReplyPurpose.VISIT, ReplyPurpose.TOLD)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list. `days` None: supply unknown. `tone` and `icon` belong to the reason."""

    request: RefillRequest
    name: str
    age: int | None
    group: int
    days: int | None
    waited: str
    why: str
    tone: str
    icon: str
    is_all_met: bool
    is_controlled: bool
    record: DecisionRecord | None = None

    @property
    def group_name(self) -> str:
        """Heading of the group the row stands in."""
        return GROUPS[self.group]

    @property
    def schedule(self) -> str:
        """ "C-IV", or "" for what is not controlled."""
        return wording.SCHEDULES.get(self.request.schedule, "")


@dataclass(frozen=True, slots=True)
class QueueList:
    """A prescriber's list: the rows of the chosen filter, counts of each filter, and how many are not shown."""

    rows: tuple[Row, ...]
    show: str
    counts: dict[str, int]
    left_off: int
    order: str = ORDERS[0]

    def after(self, request_id: uuid.UUID) -> uuid.UUID | None:
        """The item to open once this one is decided: the next one, else the first; None when it was the last."""
        ids = [row.request.id for row in self.rows]
        if request_id in ids:
            at = ids.index(request_id)
            ids = [*ids[at + 1 :], *ids[:at]]
        return ids[0] if ids else None

    def records(self) -> dict[uuid.UUID, DecisionRecord | None]:
        """The decision behind each row of this list; None for an item the rules were not asked about."""
        return {row.request.id: row.record for row in self.rows}

    def position(self, request_id: uuid.UUID) -> int:
        """Place in the list, from 1; 0 when it is not there."""
        return next((n for n, row in enumerate(self.rows, 1) if row.request.id == request_id), 0)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided item: where it is now, and the seconds in which it can still be taken back (None: it cannot)."""

    request: RefillRequest
    name: str
    state: str
    tone: str
    undo_seconds: int | None
    code: str

    @property
    def clock(self) -> str:
        """ "0:24" """
        return wording.countdown(timedelta(seconds=self.undo_seconds or 0))


def queue(
    *,
    practice: Practice,
    provider: Provider | None,
    now: datetime,
    today: date,
    show: str = "all",
    order: str = ORDERS[0],
) -> QueueList:
    """The list of one prescriber; `show` is all, met, judgment, controlled or everyone.

    order: by supply left and risk, in groups, or by when it was asked; what may be an emergency comes first always.
    """
    found = access.requests_of(practice=practice)
    if show != "everyone":
        found = found.filter(Q(state=R.IN_REVIEW) & access.mine(provider=provider) | access.to_sign(provider=provider))
    else:
        found = found.filter(state__in=[R.IN_REVIEW, R.AWAITING_SIGNATURE])
    found = found.select_related("assignee").defer("reading_sealed").order_by("-is_urgent", "run_out_on", "asked_at")
    requests = list(found[: MOST_ROWS + 1])
    left_off = max(0, len(requests) - MOST_ROWS)
    if left_off:
        left_off = found.count() - MOST_ROWS
    rows = list_rows(requests=requests[:MOST_ROWS], practice=practice, now=now, today=today)
    if order == "asked":
        rows.sort(key=lambda row: (row.group > 0, row.request.asked_at))
    chosen = {
        "all": rows,
        "met": [row for row in rows if row.is_all_met],
        "judgment": [row for row in rows if not row.is_all_met and not row.is_controlled],
        "controlled": [row for row in rows if row.is_controlled],
    }
    counts = {name: len(some) for name, some in chosen.items()}
    return QueueList(tuple(chosen.get(show, rows)), show, counts, left_off, order)


def list_rows(*, requests: Sequence[RefillRequest], practice: Practice, now: datetime, today: date) -> list[Row]:
    """Lines of a list, soonest to run out first; one query, for the decisions behind them."""
    records = latest_records(request_ids=[row.id for row in requests], practice=practice)
    rows = [_row(row, practice, records.get(row.id), now, today) for row in requests]
    return sorted(rows, key=_order)


def _order(row: Row) -> tuple[int, bool, int, int, datetime]:
    risk = 0 if row.is_controlled or row.request.last_code else 1
    return row.group, "emergency" not in row.request.reasons, row.days or 0, risk, row.request.asked_at


def latest_records(*, request_ids: Sequence[uuid.UUID], practice: Practice) -> dict[uuid.UUID, DecisionRecord]:
    """The newest decision of each request, without the sealed facts."""
    rows = (
        DecisionRecord.objects.filter(practice=practice, request_id__in=request_ids)
        .select_related("version")
        .defer("facts_sealed", "version__document")
        .order_by("request_id", "-at", "-id")
        .distinct("request_id")
    )
    return {row.request_id: row for row in rows}


def _row(request: RefillRequest, practice: Practice, record: DecisionRecord | None, now: datetime, today: date) -> Row:
    request.practice = practice
    person = identity.unseal(sealed=request.snapshot_sealed, practice=practice)
    is_controlled = request.kind == Kind.REFILL and request.schedule != "not_controlled"
    unmet = unmet_of(record)
    days = wording.days_left(request.run_out_on, today) if request.kind == Kind.REFILL else None
    why, tone, icon = _why(request, unmet, is_controlled)
    return Row(
        request=request,
        name=person.name if person and person.name else name_of_unknown(request),
        age=person.age_years(today=today) if person else None,
        group=group_of(request, days),
        days=days,
        waited=wording.waited(request.asked_at, now),
        why=why,
        tone=tone,
        icon=icon,
        is_all_met=record is not None and not unmet and not is_controlled and not _came_back(request)
        and request.kind == Kind.REFILL,
        is_controlled=is_controlled,
        record=record,
    )  # fmt: skip


def name_of_unknown(request: RefillRequest) -> str:
    """What stands where a name is not known or was purged."""
    return "Sender not matched" if not request.patient_external_id else "Name no longer kept"


def unmet_of(record: DecisionRecord | None) -> list[dict[str, Any]]:
    """Findings a person must weigh, worst first."""
    if record is None:
        return []
    rows = [one for one in record.findings if one["severity"] in _UNMET and one["code"] not in ADMINISTRATIVE]
    return sorted(rows, key=lambda one: one["severity"] != "blocks")


def is_danger(request: RefillRequest) -> bool:
    """A message that may be an emergency, names a symptom, or presses: read before everything else."""
    return request.kind == Kind.MESSAGE and (request.is_urgent or bool({"emergency", "symptom"} & set(request.reasons)))


def _came_back(request: RefillRequest) -> bool:
    asks_again = {"taken_back", "corrected_by_person"}
    return bool(request.last_code) or request.is_locked or not asks_again.isdisjoint(request.reasons)


def group_of(request: RefillRequest, days: int | None) -> int:
    """Place of its group in GROUPS."""
    if request.is_locked or is_danger(request):
        return 0
    if request.kind == Kind.MESSAGE:
        return 4
    if days is None:
        return 1 if request.is_urgent else 3
    return 1 if days == 0 else 2 if days <= 3 else 5 if days <= 7 else 6


def _why(request: RefillRequest, unmet: list[dict[str, Any]], is_controlled: bool) -> tuple[str, str, str]:
    """One reason, by rank (design 4.2): symptom, lock, came back, controlled, unmet, class."""
    reasons = list(request.reasons)
    if "emergency" in reasons or "symptom" in reasons:
        return wording.sentence("emergency" if "emergency" in reasons else "symptom"), "stop", "alert"
    if request.is_locked:
        return wording.reason("unresolved"), "stop", "lock"
    if request.last_code:
        return f"Came back: {request.last_code}", "stop", "alert"
    if request.kind == Kind.MESSAGE:
        return wording.first_reason(reasons) or "A message for a person", "warn", "msg"
    if is_controlled:
        name = wording.SCHEDULES.get(request.schedule, request.schedule)
        if request.state == R.AWAITING_SIGNATURE:
            return f"Controlled ({name}): waits for {request.assignee or 'a prescriber'} to sign", "ctrl", "lock"
        if request.practice.controlled_route == Practice.ControlledRoute.sign_here:
            return f"Controlled ({name}): needs your signature", "ctrl", "lock"
        return f"Controlled ({name}): a task for you in DrChrono", "ctrl", "lock"
    if unmet:
        first = unmet[0]
        more = f", and {len(unmet) - 1} more" if len(unmet) > 1 else ""
        line = wording.short(first["code"], value=first["value"], limit=first["limit"], age=first["age_days"])
        return line + more, "stop", "cross"
    if reasons:
        return wording.first_reason(reasons), "pass" if reasons[0] in ADMINISTRATIVE else "warn", "ask"
    return "A person decides", "warn", "ask"


def tray(*, practice: Practice, user: User, now: datetime) -> list[Decided]:
    """What the person decided in the last ten minutes and what has not come back, newest first."""
    found = decided(practice=practice, user=user, now=now, since=now - timedelta(minutes=10), limit=12)
    return [one for one in found if one.request.state != R.IN_REVIEW][:4]


def decided(*, practice: Practice, user: User, now: datetime, since: datetime, limit: int = 100) -> list[Decided]:
    """The person's own decisions since a moment, newest first, with what became of each; two queries."""
    rows = list(
        access.requests_of(practice=practice)
        .filter(decided_by=user, decided_at__gte=since)
        .defer("reading_sealed")
        .order_by("-decided_at")[:limit]
    )
    sent: dict[uuid.UUID, list[Dispatch]] = {}
    for row in (
        Dispatch.objects.filter(practice=practice, request__in=rows).defer("document_sealed").order_by("queued_at")
    ):
        sent.setdefault(row.request_id, []).append(row)
    return [_decided(row, practice, sent.get(row.id, []), now) for row in rows]


def _decided(request: RefillRequest, practice: Practice, dispatches: list[Dispatch], now: datetime) -> Decided:
    person = identity.unseal(sealed=request.snapshot_sealed, practice=practice)
    return Decided(
        request=request,
        name=person.name if person and person.name else name_of_unknown(request),
        state=state_words(request=request, dispatches=dispatches),
        tone=wording.TONES.get(request.state, ""),
        undo_seconds=undo_seconds(request=request, dispatches=dispatches, now=now),
        code=request.last_code,
    )


def decisive(dispatches: Sequence[Dispatch]) -> list[Dispatch]:
    """The messages an approval or an answer consists in (what undo takes back)."""
    return [
        row
        for row in dispatches
        if row.state not in (DispatchState.TAKEN_BACK, DispatchState.SHADOWED, DispatchState.REJECTED)
        and (
            row.kind in (DispatchKind.NEWRX, DispatchKind.PHARMACY, DispatchKind.ANSWER)
            or (row.kind == DispatchKind.REPLY and row.purpose in _DECISIVE_REPLIES)
        )
    ]


def undo_seconds(*, request: RefillRequest, dispatches: Sequence[Dispatch], now: datetime) -> int | None:
    """Seconds until it leaves; 0 when it is due and still here; None when nothing can be taken back."""
    if not states.allows(state=request.state, verb="take_back"):
        return None
    live = decisive(dispatches)
    if not live or any(row.state != DispatchState.QUEUED for row in live):
        return None
    return max(0, int((min(row.due_at for row in live) - now).total_seconds()))


def state_words(*, request: RefillRequest, dispatches: Sequence[Dispatch]) -> str:
    """Where it is now, in the words of the pages: approved, sent and received are three different things."""
    if request.state == R.APPROVED:
        newest = decisive(dispatches)[-1:]
        if newest and newest[0].state in (DispatchState.UNKNOWN, DispatchState.UNRESOLVED):
            return "Sent, answer unknown: being checked"
        if newest and newest[0].state in (DispatchState.SENDING, DispatchState.RETRY_WAIT):
            return "Approved, leaving now"
    if request.state == R.IN_REVIEW and request.decided_by_id and request.reasons:
        return f"Back in review: {wording.first_reason(request.reasons)}"
    if request.state == R.DONE and request.kind == Kind.PHARMACY_CHANGE:
        return "Preferred pharmacy changed"
    return wording.state(request.state, is_shadow=request.is_shadow)
