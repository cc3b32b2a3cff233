"""What the inspector shows: one request's whole life across Klara, DrChrono, Surescripts and this program.

Reads only, of one practice, in a fixed number of queries. Shapes, codes and ids; never a body, never a patient's name:
initials at most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Q, Subquery, Window

from audit.models import Entry
from review import failures, identity, queries_audit, queries_path, queries_steps, replayable, timespans
from review.models import SCRIPT_KINDS, Dispatch, DispatchKind, FillReport, InboundEvent, NetworkMail, RefillRequest
from review.queries_steps import Step
from review.states import ENDED_REQUEST_STATES, DispatchState
from review.timespans import Share
from rules.models import DecisionRecord

MOST_STEPS = 300
MOST_ROWS = 200  # dispatches, events and mail of one request, each
MOST_BESIDE = 40  # duplicates and items
IN_DOUBT = (DispatchState.UNKNOWN, DispatchState.UNRESOLVED)
BAD = (*IN_DOUBT, DispatchState.REJECTED)
NOT_DONE_RUNBOOK = "A message to the patient or the chart was refused"
NOT_DONE: Mapping[str, str] = {
    DispatchKind.REPLY: "The patient was not told. Telephone the patient, or send it anew.",
    DispatchKind.PAGE: "The person on call was not paged. Telephone them.",
    DispatchKind.PHARMACY: "The chart still names the earlier pharmacy. Change it there, or send it anew.",
    DispatchKind.CHART: "The chart does not show it. Record it there, or send it anew.",
    DispatchKind.TASK: "Nobody has the task in DrChrono. Tell the person, or make it anew.",
}
BAR, LEAST = 1000, 6  # units of the drawing: the whole bar, and the least width of a part


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the bar: its words, its length, and where it stands in the drawing."""

    share: str
    label: str
    took: str
    percent: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Sent:
    """One dispatch as a fact. `objection`: why it may not go anew, "" when it may."""

    row: Dispatch
    what: str
    code: str
    failure: failures.Failure | None
    is_bad: bool
    is_in_doubt: bool
    may_go_anew: bool
    objection: str
    facts: tuple[tuple[str, str], ...]
    successor: str

    @property
    def asked(self) -> str:
        """Who is asked what became of it."""
        is_script = self.row.kind in SCRIPT_KINDS
        return "the network" if is_script else queries_steps.LANES[queries_steps.OF_LANE.get(self.row.lane, "hub")]

    @property
    def to_find_out(self) -> str:
        """What a person does when it could not be found out."""
        if self.row.kind in SCRIPT_KINDS:
            return "Call the pharmacy, then record on the card what they said."
        return f"Look in {self.asked} whether it is there."


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole page. `left_off`: entries of the trail that are not shown."""

    request: RefillRequest
    initials: str
    steps: tuple[Step, ...]
    left_off: int
    spent: timespans.Spent
    parts: tuple[Part, ...]
    is_open: bool
    why: queries_path.Why | None
    sent: tuple[Sent, ...]
    failure: failures.Failure | None
    comments: int
    joined: tuple[RefillRequest, ...]
    items: tuple[RefillRequest, ...]

    @property
    def total(self) -> str:
        """From the patient's message to the end, or to now."""
        return timespans.words(self.spent.total)

    @property
    def summary(self) -> str:
        """Where most of it went, in one line."""
        chosen, vendors = self.spent.of(timespans.CHOSEN), self.spent.of(timespans.VENDORS)
        people, own = self.spent.of({Share.PEOPLE}), self.spent.of({Share.OWN})
        told = ((chosen, "waiting we chose"), (people, "waiting for people"), (vendors, "the vendors"),
                (own, "our own work and queues"))  # fmt: skip
        return ", ".join(f"{words} {timespans.words(length)}" for length, words in told if length)

    @property
    def in_doubt(self) -> tuple[Sent, ...]:
        """What may have arrived."""
        return tuple(one for one in self.sent if one.is_in_doubt)

    @property
    def bad(self) -> tuple[Sent, ...]:
        """What was refused, newest first."""
        return tuple(one for one in reversed(self.sent) if one.is_bad and not one.is_in_doubt)


def timeline(*, request: RefillRequest, now: datetime) -> Timeline:
    """The life of a request from `access.request_for`; seven queries, whatever it went through."""
    practice = request.practice
    entries, left_off = _entries(request)
    dispatches = _dispatches(request)
    by_id = {str(row.id): row for row in dispatches}
    events, mail = _events(request), _mail(request, dispatches)
    people = queries_audit.people(practice=practice)
    found = [queries_steps.of_entry(one, dispatches=by_id, people=people) for one in entries]
    found += [step for event in events for step in queries_steps.of_event(event)]
    found += [step for one in mail for step in queries_steps.of_mail(one)]
    spent = _spent(request, entries=entries, dispatches=dispatches, events=events, now=now)
    beside = _beside(request)
    person = identity.unseal(sealed=request.snapshot_sealed, practice=practice)
    return Timeline(
        request=request,
        initials=person.initials if person is not None else "",
        steps=tuple(queries_steps.in_order(found)[:MOST_STEPS]),
        left_off=left_off + max(0, len(found) - MOST_STEPS),
        spent=spent,
        parts=parts_of(spent),
        is_open=request.state not in ENDED_REQUEST_STATES,
        why=queries_path.why(_record(request)),
        sent=tuple(_sent(row, request=request, dispatches=dispatches) for row in dispatches),
        failure=failures.explain(request.last_code),
        comments=next((row.notes for row in beside if row.pk == request.pk), 0),  # type: ignore[attr-defined]
        joined=tuple(row for row in beside if row.duplicate_of_id == request.pk),
        items=tuple(row for row in beside if row.about_id == request.pk),
    )


def _entries(request: RefillRequest) -> tuple[list[Entry], int]:
    """The first entries of the trail about this request, and how many more there are."""
    rows = Entry.objects.of(practice_id=request.practice_id).filter(request_id=request.id)
    shown = list(rows.annotate(total=Window(Count("id"))).order_by("number")[:MOST_STEPS])
    left_off = shown[0].total - len(shown) if shown else 0
    return list[Entry](shown), left_off


def _dispatches(request: RefillRequest) -> list[Dispatch]:
    rows = Dispatch.objects.filter(practice_id=request.practice_id, request_id=request.id)
    return list(rows.defer("document_sealed").order_by("queued_at", "id")[:MOST_ROWS])


def _events(request: RefillRequest) -> list[InboundEvent]:
    rows = InboundEvent.objects.filter(practice_id=request.practice_id, links__request_id=request.id)
    return list(rows.defer("body_sealed").order_by("received_at", "id")[:MOST_ROWS])


def _mail(request: RefillRequest, dispatches: Sequence[Dispatch]) -> list[NetworkMail]:
    """Mail that opened the request, answers or reports on a message of its own; with the fill it reported, if any."""
    ids = [row.message_id for row in dispatches if row.message_id]
    wanted = Q(request_id=request.id) | Q(answered_by__request_id=request.id) | Q(relates_to__in=ids)
    fill = FillReport.objects.filter(practice_id=request.practice_id, message_id=OuterRef("message_id"))
    rows = NetworkMail.objects.filter(wanted, practice_id=request.practice_id).annotate(
        fill_kind=Subquery(fill.values("kind")[:1]), fills_left=Subquery(fill.values("fills_left")[:1])
    )
    return list(rows.defer("document_sealed").order_by("received_at", "id")[:MOST_ROWS])


def _record(request: RefillRequest) -> DecisionRecord | None:
    """The newest decision, with the version of the rules that made it."""
    rows = DecisionRecord.objects.filter(practice_id=request.practice_id, request_id=request.id)
    return rows.select_related("version").defer("facts_sealed").order_by("-at", "-id").first()


def _beside(request: RefillRequest) -> list[RefillRequest]:
    """The request's own row with its count of notes, what was joined to it, and the items about it."""
    wanted = Q(pk=request.pk) | Q(duplicate_of_id=request.pk) | Q(about_id=request.pk)
    rows = RefillRequest.objects.filter(wanted, practice_id=request.practice_id).annotate(notes=Count("comments"))
    return list(rows.defer("reading_sealed", "snapshot_sealed").order_by("opened_at", "id")[:MOST_BESIDE])


def _spent(
    request: RefillRequest, *, entries: Sequence[Entry], dispatches: Sequence[Dispatch],
    events: Sequence[InboundEvent], now: datetime,
) -> timespans.Spent:  # fmt: skip
    """Where the time went, from the first message to the request's end, or to now."""
    arrived = [one.received_at for one in events]
    start = min([request.asked_at, request.opened_at, *arrived, *(one.sent_at for one in events if one.sent_at)])
    end = request.ended_at or now
    moves = queries_steps.moves_of(entries) or [(request.opened_at, request.state)]
    by_id = {str(row.id): row for row in dispatches}
    spans = timespans.of_states(moves=moves, end=end)
    spans += queries_steps.in_flight(entries, by_id, end=end)
    spans += queries_steps.undo_windows(dispatches)
    if arrived and events[0].vendor == "klara":
        spans.append(timespans.Span(Share.KLARA, start, min(arrived)))
    for event in events:
        if event.received_at > request.opened_at:
            continue  # news of a later day opened no window of this request
        spans.append(timespans.Span(Share.QUIET, event.received_at, min(event.due_at, request.opened_at)))
    return timespans.spend(start=start, end=end, spans=spans)


def parts_of(spent: timespans.Spent) -> tuple[Part, ...]:
    """The parts with their places in a bar of `BAR` units; none is too thin to be seen."""
    total = spent.total.total_seconds()
    if not total:
        return ()
    wide = [max(LEAST, round(length.total_seconds() / total * BAR)) for _, length in spent.parts]
    wide[wide.index(max(wide))] -= sum(wide) - BAR
    found, x = [], 0
    for (share, length), width in zip(spent.parts, wide, strict=True):
        percent = f"{length.total_seconds() / total * 100:.1f}"
        found.append(Part(str(share), timespans.LABELS[share], timespans.words(length), percent, x, width))
        x += width
    return tuple(found)


def _sent(row: Dispatch, *, request: RefillRequest, dispatches: Sequence[Dispatch]) -> Sent:
    reason, sentence = replayable.objection(request=request, dispatch=row, dispatches=dispatches)
    successor = next((one for one in dispatches if one.predecessor_id == row.id), None)
    return Sent(
        row=row,
        what=queries_steps.what(row),
        code=row.code_line,
        failure=_failure(row) if row.state in BAD else None,
        is_bad=row.state in BAD,
        is_in_doubt=row.state in IN_DOUBT,
        may_go_anew=not reason,
        objection=sentence,
        facts=tuple(queries_steps.dispatch_facts(row)),
        successor=queries_steps.short(successor.id) if successor is not None else "",
    )


def _failure(row: Dispatch) -> failures.Failure | None:
    """What a refusal means: the network's codes by their table, other vendors' by what was not done."""
    if row.kind in SCRIPT_KINDS:
        return failures.explain(row.code_line)
    step = NOT_DONE.get(row.kind, "Do it by hand in the other system, or send it anew.")
    return failures.Failure(code=row.code_line, meaning="", step=step, runbook=NOT_DONE_RUNBOOK)


def as_text(found: Timeline) -> str:
    """The timeline as plain text for a ticket: moments in UTC, codes and ids only."""
    row = found.request
    lines = [f"request {row.id}", f"state {row.state}", f"total {found.total}"]
    lines += [f"  {part.share} {part.took}" for part in found.parts]
    if found.why is not None:
        record = found.why.record
        lines.append(f"decided {record.outcome} by {record.recipe or 'no recipe'}, {found.why.rules}")
    for step in found.steps:
        facts = (f"{name}={value}" for name, value in step.facts)
        lines.append(" | ".join([step.at.isoformat(timespec="milliseconds"), step.lane, *facts]))
    if found.left_off:
        lines.append(f"{found.left_off} more entries are not shown")
    return "\n".join(lines) + "\n"
