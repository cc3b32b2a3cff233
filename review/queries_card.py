"""What one card shows: who, which drug, what was checked, the patient's own words, what was sent, what may be done.

Reads only, in a fixed number of queries. The page escapes every word; nothing here makes markup.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from integrations import vault
from integrations.models import MirrorMedication, PharmacyEntry
from refillhub.practices.models import Practice, Provider, User
from review import access, identity, pharmacies, queries, understanding, wording
from review.access import May
from review.identity import Snapshot
from review.models import Dispatch, DispatchKind, Kind, RefillRequest
from review.states import DispatchState, RequestState
from rules.models import DecisionRecord

COMMENT_PURPOSE = "comment"
MOST_CHARACTERS = 4000  # of one message on the card; the rest is said to be left off
# Most telling first; the rest of the met rows follow in the order in which they were checked.
_MET_ORDER = ("visit", "labs", "matched", "too_early", "fill_history", "directions_agree", "drug_class", "interaction")
_FOUND = {
    "matched": "1 exact match", "labs": "In range", "interaction": "None found", "therapeutic_duplicate": "None found",
    "allergy": "None found", "pregnancy": "Ruled out", "name_and_code": "Agree", "directions_agree": "Agree",
    "asked_is_listed": "Agree", "entry_active": "Yes", "pharmacy": "Default, active", "drug_class": "On automatic",
    "identity": "One chart patient", "fill_history": "Within the limit", "authorised_time": "Within the limit",
    "refills": "Within the limit", "stable_time": "Long enough", "mirror": "Fresh", "too_early": "Enough used",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row of the criteria table. `kind`: fail, note or pass."""

    name: str
    kind: str
    found: str
    source: str
    age: str
    limit: str


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the patient's words; `label` says what it was read as, "" for plain text."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One message, verbatim, in parts."""

    parts: tuple[Part, ...]
    sent_at: datetime | None
    author: str
    source: str
    left_off: int


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
    entry: MirrorMedication | None
    entry_by: str
    days: int | None
    criteria: tuple[Criterion, ...]
    notes: tuple[str, ...]
    said: tuple[Said, ...]
    read_as: str
    doubts: tuple[str, ...]
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

    @property
    def unmet(self) -> int:
        """Criteria not met."""
        return sum(1 for one in self.criteria if one.kind == "fail")

    @property
    def met(self) -> int:
        """Criteria met."""
        return sum(1 for one in self.criteria if one.kind == "pass")

    @property
    def first_criteria(self) -> tuple[Criterion, ...]:
        """All that are not met, then met ones up to eight rows."""
        return self.criteria[: max(8, self.unmet)]

    @property
    def more_criteria(self) -> tuple[Criterion, ...]:
        """The met ones that are folded away."""
        return self.criteria[max(8, self.unmet) :]

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


def card(*, request: RefillRequest, held: Collection[str], user: User, now: datetime, today: date) -> Card:
    """The card of one request. `request` comes from `access.request_for`."""
    practice = request.practice
    person = identity.unseal(sealed=request.snapshot_sealed, practice=practice)
    kept = understanding.open_kept(sealed=request.reading_sealed, practice=practice)
    record = queries.latest_records(request_ids=[request.id], practice=practice).get(request.id)
    dispatches = access.dispatches_of(request=request)
    found = pharmacies.by_ncpdp(stage=practice.stage, ncpdp_ids=[request.pharmacy_ncpdp])
    entry = _entry(request)
    criteria = _criteria(record)
    return Card(
        request=request,
        person=person,
        name=person.name if person and person.name else queries.name_of_unknown(request),
        age=person.age_years(today=today) if person else None,
        born_on=person.born_on() if person else None,
        allergies=person.allergies if person else (),
        pharmacy=found.get(request.pharmacy_ncpdp),
        entry=entry,
        entry_by=_entry_by(request, entry),
        days=wording.days_left(request.run_out_on, today) if request.kind == Kind.REFILL else None,
        criteria=criteria,
        notes=_notes(record),
        said=_said(kept),
        read_as=_read_as(kept, request),
        doubts=tuple(str(one["sentence"]) for one in kept.get("doubts", [])),
        mends=_mends(record),
        steps=_steps(request, record),
        trace=_trace(record),
        rules_number=record.version.number if record is not None and record.version is not None else None,
        drug_class=record.drug_class.replace("_", " ").replace("+", ", ") if record is not None else "",
        others=_others(request),
        sent=tuple(_sent(row) for row in dispatches),
        colleagues=_colleagues(request, practice),
        may=access.what_may(request=request, held=held),
        undo_seconds=queries.undo_seconds(request=request, dispatches=dispatches, now=now),
        state=queries.state_words(request=request, dispatches=dispatches),
        question=_question(request, criteria),
    )


def _entry(request: RefillRequest) -> MirrorMedication | None:
    if not request.entry_external_id:
        return None
    return (
        MirrorMedication.objects.filter(practice_id=request.practice_id, external_id=request.entry_external_id)
        .select_related("patient")
        .first()
    )


def _entry_by(request: RefillRequest, entry: MirrorMedication | None) -> str:
    """Who wrote the list entry, in words."""
    if entry is None:
        return ""
    if request.prescriber is not None and request.prescriber.drchrono_doctor_id == entry.doctor_external_id:
        return str(request.prescriber)
    return "another prescriber of the chart" if entry.doctor_external_id else "nobody named"


def _criteria(record: DecisionRecord | None) -> tuple[Criterion, ...]:
    if record is None:
        return ()
    fails = [_finding_row(one, "fail") for one in queries.unmet_of(record)]
    names = {row.name for row in fails}
    met: dict[str, Criterion] = {}
    for node, fact, value, _threshold, result, _source, _age in record.trace:
        if node == "guard" and result is True and fact in wording.MET and wording.MET[fact] not in names:
            found = wording.measured(fact, value) if value else _FOUND.get(fact, "Met")
            met[fact] = Criterion(wording.MET[fact], "pass", _FOUND.get(fact, found) if fact == "matched" else found,
                                  "", "", "")  # fmt: skip
    for one in record.findings:  # a class that is not on automatic is no criterion of the patient
        if one["code"] in queries.ADMINISTRATIVE:
            met.pop("drug_class", None)
    order = {name: at for at, name in enumerate(_MET_ORDER)}
    passed = [met[name] for name in sorted(met, key=lambda name: order.get(name, len(order)))]
    return (*fails, *passed)


def _finding_row(one: Mapping[str, Any], kind: str) -> Criterion:
    code, age = str(one["code"]), one.get("age_days")
    value = wording.measured(code, str(one["value"]).replace("_", " "))
    is_lab = code in wording.LABS
    found = wording.short(code, value=str(one["value"]), limit=str(one["limit"]), age=age)
    if is_lab:
        found = found.removeprefix(value[:1].upper() + value[1:]).strip(" :").capitalize()
    return Criterion(
        name=(value.split(" ")[0] if code == "lab_out_of_range" else value).capitalize() if is_lab
        else wording.criterion(code),
        kind=kind,
        found=found,
        source=str(one["source"]),
        age=f"{age} days" if age is not None else "",
        limit=wording.measured(code, str(one["limit"])),
    )


def _notes(record: DecisionRecord | None) -> tuple[str, ...]:
    """What is worth knowing and bars nothing, and what only kept a machine from approving."""
    if record is None:
        return ()
    shown = [one for one in record.findings if one["severity"] == "notes" or one["code"] in queries.ADMINISTRATIVE]
    return tuple(dict.fromkeys(wording.sentence(str(one["code"])) for one in shown))


def _mends(record: DecisionRecord | None) -> tuple[str, ...]:
    if record is None:
        return ()
    found = (wording.mend(str(one["code"]), str(one["value"]), str(one["limit"])) for one in record.findings)
    return tuple(dict.fromkeys(words for words in found if words))


def _steps(request: RefillRequest, record: DecisionRecord | None) -> tuple[tuple[str, bool], ...]:
    """Four to six steps of why it is with a person; True marks what went against automatic."""
    steps: list[tuple[str, bool]] = []
    if request.kind == Kind.REFILL:
        code = f" (RxCUI {request.rxcui})" if request.rxcui else ""
        steps.append((f"Matched one list entry{code}", False) if request.entry_external_id
                     else ("No list entry matched", True))  # fmt: skip
    if record is not None:
        steps.append((f"Recipe: {wording.spoken(record.recipe)}", False))
    steps += [(wording.reason(code), True) for code in request.reasons[:4]]
    if len(request.reasons) > 4:
        steps.append((f"and {len(request.reasons) - 4} more, in the full trace", True))
    owner = str(request.assignee) if request.assignee else dict(_OWNERS).get(request.queue, "everyone")
    if request.state == RequestState.IN_REVIEW:
        steps.append((f"With {owner}", False))
    return tuple(steps)


_OWNERS = (("prescriber", "any prescriber"), ("assistant", "the assistants"), ("on_call", "the on-call"),
           ("administrator", "the administrator: nobody stands in"))  # fmt: skip


def _trace(record: DecisionRecord | None) -> tuple[tuple[str, str, str, str], ...]:
    results = {True: "yes", False: "no", None: "unknown"}
    if record is None:
        return ()
    return tuple(
        (f"{node}: {wording.spoken(fact).lower()}", str(value), str(threshold), results.get(result, str(result)))
        for node, fact, value, threshold, result, _source, _age in record.trace
    )


def _said(kept: Mapping[str, Any]) -> tuple[Said, ...]:
    spans: dict[int, list[tuple[int, int, str]]] = {}
    for span in kept.get("spans", []):
        spans.setdefault(int(span["message"]), []).append(
            (int(span["start"]), int(span["end"]), f"{span['kind']}: {wording.spoken(str(span['label'])).lower()}")
        )
    return tuple(
        Said(
            parts=parts_of(text=str(one["text"])[:MOST_CHARACTERS], spans=spans.get(at, [])),
            sent_at=datetime.fromisoformat(one["sent_at"]) if one["sent_at"] else None,
            author=str(one["author"]),
            source=str(one["source"]).replace("_", " "),
            left_off=max(0, len(str(one["text"])) - MOST_CHARACTERS),
        )
        for at, one in enumerate(kept.get("messages", []))
    )


def parts_of(*, text: str, spans: Sequence[tuple[int, int, str]]) -> tuple[Part, ...]:
    """The text cut at the spans; overlapping spans are cut at the end of the first. Loses no character."""
    parts: list[Part] = []
    at = 0
    for start, end, label in sorted(spans):
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        if start > at:
            parts.append(Part(text[at:start]))
        parts.append(Part(text[start:end], label))
        at = end
    if at < len(text):
        parts.append(Part(text[at:]))
    return tuple(parts)


def _read_as(kept: Mapping[str, Any], request: RefillRequest) -> str:
    if not kept:
        return "The words are no longer kept."
    words = [wording.spoken(str(kept.get("intent", ""))).lower() or "nothing certain"]
    mention = kept.get("mention")
    if mention:
        details = [str(mention[name]) for name in ("strength", "form", "quantity") if mention.get(name)]
        words.append(" ".join([f"“{mention['words']}”", *details]))
    if request.drug_name:
        words.append(f"matched to {wording.drug(request.drug_name)}")
    if kept.get("pharmacy"):
        words.append(f"pharmacy “{kept['pharmacy']}”")
    return f"{', '.join(words)}; {kept.get('confidence', 0)} % sure."


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
        code=" / ".join([row.code, *map(str, row.description_codes)]) if row.code else "",
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


def _question(request: RefillRequest, criteria: Sequence[Criterion]) -> str:
    """What is asked once more before approving; "" when everything is met."""
    against = [_against(one) for one in criteria if one.kind == "fail"]
    if request.last_code:
        against.insert(0, f"the network answered {request.last_code}")
    if not against:
        return ""
    shown = "; ".join(against[:3]) + (f"; and {len(against) - 3} more" if len(against) > 3 else "")
    return f"Approve although: {shown}?"


def _against(one: Criterion) -> str:
    return one.found if one.name.lower() in one.found.lower() else f"{one.name}: {one.found[:1].lower()}{one.found[1:]}"


def question(*, request: RefillRequest) -> str:
    """What must be answered before approving this request; "" when nothing. One query."""
    record = queries.latest_records(request_ids=[request.id], practice=request.practice).get(request.id)
    return _question(request, _criteria(record))


def prescribers_in(*, practice: Practice, away: Collection[uuid.UUID], first: Provider | None) -> list[Provider]:
    """Whom an item may be given to: who is in, the stand-in first."""
    rows = Provider.objects.active().filter(practice=practice).exclude(pk__in=list(away)).order_by("last_name")
    return sorted(rows, key=lambda one: first is None or one.pk != first.pk)
