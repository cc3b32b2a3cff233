"""The steps of one request's life, made of rows already read: audit entries, dispatches, events, network mail.

Pure: no queries. Each step shows shapes only (field names, sizes, hashes, ids, codes); never a body, never a name of a
patient.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from audit import events
from audit.models import Entry
from review import timespans, wording
from review.models import Dispatch, DispatchKind, InboundEvent, Lane, NetworkMail, ReplyPurpose
from review.states import RequestState

LANES: Mapping[str, str] = {
    "klara": "Klara", "hub": "Refill Hub", "drchrono": "DrChrono", "surescripts": "Surescripts",
}  # fmt: skip
LANE_X: Mapping[str, int] = {"klara": 33, "hub": 99, "drchrono": 165, "surescripts": 231}
OF_LANE: Mapping[str, str] = {
    Lane.KLARA: "klara", Lane.DRCHRONO: "drchrono", Lane.ROUTINE: "surescripts", Lane.EPCS: "surescripts",
    Lane.PAGE: "hub",
}  # fmt: skip
# What a vendor did or was asked; every other event happened here.
LEAVES = "dispatch.sending"
ANSWERS = frozenset(
    {"dispatch.accepted", "dispatch.delivered", "dispatch.rejected", "dispatch.unknown", "dispatch.handed_over"}
)
IN_DOUBT = frozenset({"dispatch.unknown", "dispatch.unresolved", "request.locked"})
FAILED = frozenset({"dispatch.rejected", "dispatch.unresolved", "chart.record_failed"})
STATE_OF: Mapping[str, str] = {
    "request.held": RequestState.HELD, "request.returned": RequestState.IN_REVIEW,
    "request.locked": RequestState.IN_REVIEW, "request.taken_up": RequestState.IN_REVIEW,
    "request.taken_back": RequestState.IN_REVIEW, "request.approved": RequestState.APPROVED,
}  # fmt: skip
# Codes, ids, hashes, moments and counts; anything else is told by its size only.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/+|,%=@ -]{0,80}")
_CODE = re.compile(r"[A-Za-z0-9_.:/+=-]{0,80}")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. `since`: how long after the step before. `arrow`: out to the lane, in from it, or ""."""

    at: datetime
    lane: str
    title: str
    who: str
    small: str = ""
    tone: str = ""
    arrow: str = ""
    number: int = 0
    actor_id: str = ""
    code: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    since: timedelta | None = None

    @property
    def vendor(self) -> str:
        """The lane's name."""
        return LANES[self.lane]

    @property
    def x(self) -> int:
        """Where the step's lane stands in the drawing of its row."""
        return LANE_X[self.lane]

    @property
    def head(self) -> str:
        """The point of the arrow, as SVG path data, "" where there is none."""
        if not self.arrow:
            return ""
        hub = LANE_X["hub"]
        tip, tail = (self.x, hub) if self.arrow == "out" else (hub, self.x)
        back = tip - 7 if tip > tail else tip + 7
        return f"M{back} 18.5L{tip} 23L{back} 27.5z"

    @property
    def took(self) -> str:
        """The time since the step before, in words."""
        return timespans.words(self.since) if self.since is not None else ""


def shape(value: object) -> str:
    """A value as far as it may be shown: a code, id or number itself; words by their size; lists by what they hold."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return (value or "empty") if _CODE.fullmatch(value) else f"text, {len(value)} characters"
    if isinstance(value, Mapping):
        return f"{len(value)} fields: {', '.join(str(key) for key in list(value)[:12])}"
    if isinstance(value, Sequence):
        shown = ", ".join(shape(one) for one in value[:6])
        return f"{len(value)}: {shown}" if value else "none"
    return type(value).__name__


def moves_of(entries: Iterable[Entry]) -> list[tuple[datetime, str]]:
    """The moments at which the request came into a state, as the trail tells them."""
    found = []
    known = {state.value for state in RequestState}
    for entry in entries:
        if not entry.event.startswith("request."):
            continue
        outcome = str(body_of(entry).get("outcome", ""))
        state = outcome if outcome in known and entry.event != "request.decided" else STATE_OF.get(entry.event, "")
        if state:
            found.append((entry.at, state))
    return found


def body_of(entry: Entry) -> dict[str, Any]:
    """The canonical body of an entry."""
    body: dict[str, Any] = orjson.loads(entry.body)
    return body


def of_entry(
    entry: Entry, *, dispatches: Mapping[str, Dispatch], people: Mapping[str, str]
) -> Step:
    """One audit entry as a step."""
    body = body_of(entry)
    data = body.get("data") or {}
    dispatch = dispatches.get(str(data.get("dispatch", ""))) if entry.event.startswith("dispatch.") else None
    lane, arrow = "hub", ""
    if dispatch is not None and (entry.event == LEAVES or entry.event in ANSWERS):
        lane = OF_LANE.get(dispatch.lane, "hub")
        arrow = "" if lane == "hub" else "out" if entry.event == LEAVES else "in"
    code = _code(data)
    tone = "warn" if entry.event in IN_DOUBT else "stop" if entry.event in FAILED else ""
    facts = [("Audit entry", str(entry.number)), ("Event", entry.event)]
    facts += [(str(key), shape(value)) for key, value in data.items()]
    if body.get("outcome"):
        facts.append(("outcome", shape(body["outcome"])))
    if body.get("decision_path"):
        facts.append(("decision path", shape(body["decision_path"])))
    if dispatch is not None:
        facts += dispatch_facts(dispatch)
    return Step(
        at=entry.at, lane=lane, title=events.CATALOGUE.get(entry.event, entry.event), who=_who(entry, people),
        small=_small(entry, body, dispatch), tone=tone, arrow=arrow, number=entry.number, actor_id=entry.actor_id,
        code=code, facts=tuple(facts),
    )  # fmt: skip


def _who(entry: Entry, people: Mapping[str, str]) -> str:
    if entry.actor_kind == "person":
        return people.get(entry.actor_id, f"person {entry.actor_id[:8]}")
    if entry.actor_kind == "vendor":
        return LANES.get(entry.actor_id, wording.spoken(entry.actor_id))
    return "the rules" if entry.event in ("request.decided", "request.released") else "Refill Hub"


def _code(data: Mapping[str, Any]) -> str:
    code = str(data.get("code") or "")
    if not code or not _PLAIN.fullmatch(code):
        return ""
    return " / ".join([code, *(str(one) for one in data.get("descriptions") or () if _CODE.fullmatch(str(one)))])


def _small(entry: Entry, body: Mapping[str, Any], dispatch: Dispatch | None) -> str:
    """What the step was about, in words of ours."""
    if dispatch is not None:
        return what(dispatch)
    parts = []
    outcome = str(body.get("outcome") or "")
    if outcome in set(RequestState):
        parts.append(wording.state(outcome))
    elif outcome and _CODE.fullmatch(outcome):
        parts.append(wording.spoken(outcome))
    path = [str(one) for one in body.get("decision_path") or ()]
    if path:
        parts.append("; ".join(wording.reason(one) for one in path[:4] if _CODE.fullmatch(one)))
    return ": ".join(part for part in parts if part)


def what(dispatch: Dispatch) -> str:
    """What a dispatch is, in words: "Message to the patient: sent to the pharmacy"."""
    label = str(DispatchKind(dispatch.kind).label)
    label = label[:1].upper() + label[1:]
    if not dispatch.purpose:
        return label
    known = dict(ReplyPurpose.choices)
    purpose = str(known.get(dispatch.purpose) or wording.spoken(dispatch.purpose).lower())
    return f"{label}: {purpose}"


def dispatch_facts(dispatch: Dispatch) -> list[tuple[str, str]]:
    """Ids, hashes, counts and codes of one dispatch."""
    found = [
        ("dispatch", str(dispatch.id)), ("lane", dispatch.lane), ("attempts", str(dispatch.attempt)),
        ("bytes, sha256", dispatch.document_sha256), ("key", dispatch.idempotency_key),
        ("message id", dispatch.message_id), ("order number", dispatch.order_number),
        ("predecessor", str(dispatch.predecessor_id or "")),
    ]  # fmt: skip
    return [(name, value) for name, value in found if value]


def of_event(event: InboundEvent) -> list[Step]:
    """A message of the patient: written, taken in, read."""
    lane = "klara" if event.vendor == "klara" else "drchrono" if event.vendor == "drchrono" else "hub"
    facts = (
        ("event", shape(event.event_id)), ("kind", event.kind), ("origin", event.origin),
        ("body, sha256", event.body_hash), ("message id", shape(event.message_id)), ("attempts", str(event.attempts)),
    )  # fmt: skip
    found = []
    if event.sent_at is not None:
        found.append(Step(event.sent_at, lane, "The patient wrote a message.", LANES[lane], facts=facts))
    found.append(
        Step(event.received_at, lane, "The message reached us.", LANES[lane], arrow="in", facts=facts,
             small=f"by {event.get_origin_display()}")
    )  # fmt: skip
    if event.read_at is not None:
        found.append(Step(event.read_at, "hub", "The message was read.", "Refill Hub", facts=facts))
    return found


def of_mail(mail: NetworkMail) -> list[Step]:
    """A message of the network: received, applied. A fill it reported says its kind and count."""
    facts = [
        ("message id", shape(mail.message_id)), ("relates to", shape(mail.relates_to)), ("body", mail.body_name),
        ("sender", shape(mail.sender)),
    ]  # fmt: skip
    kind = getattr(mail, "fill_kind", None)
    if kind:
        facts += [("fill", shape(kind)), ("fills left", shape(getattr(mail, "fills_left", None)))]
    found = [
        Step(mail.received_at, "surescripts", "A message of the network reached us.", "Surescripts", arrow="in",
             small=mail.body_name + (f": {wording.spoken(kind)}" if kind else ""), facts=tuple(facts))
    ]  # fmt: skip
    if mail.applied_at is not None:
        found.append(Step(mail.applied_at, "hub", "It was applied.", "Refill Hub", small=mail.body_name))
    return found


def in_order(found: Iterable[Step]) -> list[Step]:
    """By time, then by number of the trail; each with the time since the one before."""
    rows = sorted(found, key=lambda one: (one.at, one.number))
    shown: list[Step] = []
    for row in rows:
        shown.append(replace(row, since=row.at - shown[-1].at if shown else None))
    return shown


def in_flight(entries: Iterable[Entry], dispatches: Mapping[str, Dispatch], *, end: datetime) -> list[timespans.Span]:
    """When a vendor had the word: from each attempt to its answer, an unknown one until it is known."""
    open_ones: dict[str, datetime] = {}
    found: list[timespans.Span] = []
    for entry in entries:
        key = str((body_of(entry).get("data") or {}).get("dispatch", "")) if entry.event.startswith("dispatch.") else ""
        dispatch = dispatches.get(key)
        if dispatch is None or OF_LANE.get(dispatch.lane, "hub") == "hub":
            continue
        if entry.event == LEAVES:
            open_ones.setdefault(key, entry.at)
        elif key in open_ones and entry.event not in ("dispatch.unknown", "dispatch.redue"):
            found.append(timespans.Span(_share(dispatch), open_ones.pop(key), entry.at))
    found += [timespans.Span(_share(dispatches[key]), began, end) for key, began in open_ones.items()]
    return found


def _share(dispatch: Dispatch) -> timespans.Share:
    return timespans.Share(OF_LANE[dispatch.lane])


def undo_windows(dispatches: Iterable[Dispatch]) -> list[timespans.Span]:
    """The first wait of what was queued with a later moment to leave, while it could be taken back."""
    kinds = (DispatchKind.NEWRX, DispatchKind.PHARMACY, DispatchKind.ANSWER)
    return [
        timespans.Span(timespans.Share.UNDO, one.queued_at, min(one.due_at, one.settled_at or one.due_at))
        for one in dispatches
        if one.kind in kinds and one.failures == 0 and one.due_at > one.queued_at
    ]


def short(value: uuid.UUID | None) -> str:
    """The first eight characters of an id."""
    return str(value)[:8] if value else ""
