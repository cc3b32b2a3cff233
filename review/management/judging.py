"""Judges the clinic day by what the vendors' own journals say: prescriptions, replies, tasks, chart changes.

Our tables serve only for the words of the printed table and the counts of the last line; no expectation is checked
against them. Anything in the journals that no expectation names is counted as unexpected.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from audit import verification
from review import wording
from review.management.clinic_day import Json
from review.management.playing import Day, Said
from review.models import Dispatch, DispatchKind, InboundEvent, Kind, RefillRequest
from review.states import DispatchState, RequestState

# What a reply to a patient says, read from the words the patient really got.
WORDS = {
    "sent": r"has been sent to|fue enviada a",
    "received": r"has received your refill|recibió su resurtido",
    "visit": r"we need to see you|necesitamos verle",
    "told": r"have refills left|le quedan resurtidos",
    "held": r"The office is closed|consultorio está cerrado",
    "pharmacy": r"preferred pharmacy is now|farmacia preferida ahora",
    "correction": r"We are sorry|Lo sentimos",
    "with_doctor": r"is with your prescriber|está con su médico",
    "denied": r"cannot renew it now|no puede renovarla",
    "emergency": r"call 911",
}
STATES = {
    RequestState.HELD: "held until opening",
    RequestState.IN_REVIEW: "with a person",
    RequestState.WITH_EHR: "task in DrChrono",
    RequestState.DONE: "approved, received",
    RequestState.SENT: "approved, sent",
    RequestState.VISIT_ASKED: "visit asked",
    RequestState.TOLD: "told: fills left",
    RequestState.ANSWERED: "answered",
    RequestState.DUPLICATE: "joined to the first",
    RequestState.CANCELLED: "cancelled",
}


@dataclass(slots=True)
class Journals:
    """What really happened, by chart patient: at pharmacies, in the patients' inboxes, among the practice's tasks."""

    scripts: dict[str, Counter[str]] = field(default_factory=dict)
    replies: dict[str, list[str]] = field(default_factory=dict)
    tasks: Counter[str] = field(default_factory=Counter)
    charted: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)
    rows: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Verdict:
    """Counts for the last line, and every expectation that did not hold."""

    counts: dict[str, int | bool]
    problems: list[str]
    patients: int
    journals: Journals


def reply_kind(text: str) -> str:
    """What a reply says; "other" when none of our sentences is in it."""
    return next((kind for kind, words in WORDS.items() if re.search(words, text)), "other")


def read(day: Day) -> Journals:
    """The three journals."""
    found = Journals(rows=day.desks["surescripts"].get("prescriptions", practice=day.key)["prescriptions"])
    for row in found.rows:
        row["patient"] = row["patient"].removeprefix("DRC-")  # as our messages name a DrChrono chart
        found.scripts.setdefault(row["patient"], Counter())[row["rxcui"]] += 1
    for row in day.desks["klara"].get("replies", practice=day.key)["replies"]:
        found.replies.setdefault(row["chart"], []).append(reply_kind(row["text"]))
    for entry in day.desks["drchrono"].get("journal", kind="task.created", practice=day.key)["entries"]:
        record = entry["data"]["record"]
        found.tasks[str(_patient_of(record))] += 1
    for entry in day.desks["drchrono"].get("journal", kind="medication.changed", practice=day.key)["entries"]:
        found.charted[str(entry["ids"]["patient"])] += 1
    for entry in day.desks["drchrono"].get("journal", kind="patient.changed", practice=day.key)["entries"]:
        found.moved[str(entry["ids"]["id"])] += 1
    return found


def _patient_of(record: Json) -> str:
    for item in record.get("associated_items") or []:
        if item.get("type") == "Patient" or "Patient" in str(item.get("type", "")):
            return str(item.get("value"))
    return str(record.get("patient") or "")


def judge(*, day: Day) -> Verdict:
    """Every expectation against the journals; then the reverse, for what nobody expected."""
    journals = read(day)
    problems: list[str] = []
    unexpected = 0
    wanted = {day.people[scene["who"]].chart_id: (scene, scene.get("expect", {})) for scene in day.scenes}
    for chart_id, (scene, expect) in wanted.items():
        for what, should, was in (
            ("at the pharmacy", dict(expect.get("rx", {})), dict(journals.scripts.get(chart_id, {}))),
            ("told the patient", sorted(expect.get("replies", [])), sorted(journals.replies.get(chart_id, []))),
            ("tasks in DrChrono", expect.get("tasks", 0), journals.tasks[chart_id]),
            ("records on the chart", expect.get("charted", len(expect.get("rx", {}))), journals.charted[chart_id]),
            ("changes of the pharmacy", expect.get("moved", 0), journals.moved[chart_id]),
        ):
            if should != was:
                problems.append(f"{scene['who']} ({scene['title']}): {what} should be {should}, was {was}")
                unexpected += _surplus(should, was)
    touched = (journals.scripts, journals.replies, journals.tasks, journals.charted, journals.moved)
    strangers = {chart_id for journal in touched for chart_id in journal} - set(wanted)
    for stranger in sorted(strangers):
        problems.append(f"the journals name patient {stranger or '(nobody)'} of whom no expectation speaks")
        unexpected += 1
    if day.forged != [401]:
        problems.append(f"the forged post was answered {day.forged}, not 401")
    refused = [said for said in day.said if set(said.statuses) - {200, 202}]
    problems += [f"{said.person.key}: a webhook was answered {said.statuses}" for said in refused]
    is_whole = verification.verify_one(practice_id=day.practice.id).verified.fault is None
    if not is_whole:
        problems.append("the audit chain does not verify")
    counts = _counts(day, journals, is_whole=is_whole, unexpected=unexpected)
    return Verdict(counts, problems, len({said.person.key for said in day.said}), journals)


def _surplus(should: object, was: object) -> int:
    """How much more there is than was expected."""
    if isinstance(should, dict) and isinstance(was, dict):
        return sum((Counter(was) - Counter(should)).values())
    if isinstance(should, list) and isinstance(was, list):
        return sum((Counter(was) - Counter(should)).values())
    return max(0, int(was) - int(should)) if isinstance(should, int) and isinstance(was, int) else 0


def _counts(day: Day, journals: Journals, *, is_whole: bool, unexpected: int) -> dict[str, int | bool]:
    rows = list(day.requests())
    sent = Dispatch.objects.filter(request__in=[row.id for row in rows])
    rejected = sent.filter(kind=DispatchKind.NEWRX, state=DispatchState.REJECTED)
    told = sent.filter(kind=DispatchKind.REPLY, purpose="held")
    said = Counter(kind for kinds in journals.replies.values() for kind in kinds)
    return {
        "messages": len(day.said),
        "requests": len(rows),
        "auto_approved": sum(row.outcome == "auto_approve" for row in rows),
        "review": sum(row.outcome == "review" for row in rows),
        "held": told.values("request_id").distinct().count(),
        "needs_visit": sum(row.outcome == "ask_visit" for row in rows),
        "controlled": sum(row.outcome == "controlled_task" for row in rows),
        "pharmacy_change": sum(row.kind == Kind.PHARMACY_CHANGE for row in rows),
        "told": sum(row.outcome == "tell" for row in rows),
        "duplicate": sum(row.state == RequestState.DUPLICATE for row in rows),
        "nack": rejected.values("request_id").distinct().count(),
        "human": sum(row.state == RequestState.IN_REVIEW for row in rows),
        "prescriptions_at_pharmacy": len(journals.rows),
        "confirmations": said["sent"] + said["received"],
        "audit_ok": is_whole,
        "unexpected": unexpected,
    }


def table(*, day: Day, verdict: Verdict) -> list[tuple[str, str, str, str]]:
    """One row per message: initials, what was asked, what became of it, what the pharmacy has."""
    return [_row(said, day, verdict) for said in day.said]


def _row(said: Said, day: Day, verdict: Verdict) -> tuple[str, str, str, str]:
    event = InboundEvent.objects.filter(practice=day.practice, message_id=said.message_id).first()
    rows = list(RefillRequest.objects.filter(event_links__event=event).order_by("opened_at", "id")) if event else []
    became = "; ".join(_became(row) for row in rows) or (f"{event.progress} {event.note}" if event else "never arrived")
    drugs = {row.rxcui for row in rows}
    names = [
        f"{' '.join(row['drug'].split()[:1])} at {day.pharmacies.get(row['ncpdp'], row['ncpdp'])}"
        for row in verdict.journals.rows
        if row["patient"] == said.person.chart_id and row["rxcui"] in drugs and said.step is said.scene["steps"][0]
    ]
    title = str(said.step.get("title", said.scene["title"]))
    return said.person.initials, title, _cut(became, 62), _cut("; ".join(names), 52)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _became(row: RefillRequest) -> str:
    words = STATES.get(RequestState(row.state), str(row.state))
    if row.state == RequestState.IN_REVIEW:
        whose = f"with Dr. {row.assignee.last_name}" if row.assignee else words
        whose = f"held, then {whose}" if row.release_at else whose
        return f"{whose}: {wording.reason(row.reasons[0]).lower() if row.reasons else 'plain review'}"
    if row.kind == Kind.PHARMACY_CHANGE and row.state == RequestState.DONE:
        return "pharmacy changed on the chart"
    held = "held, released, " if row.release_at and row.state != RequestState.HELD else ""
    return f"{held}{words}{' by itself' if row.is_automatic and row.state == RequestState.DONE else ''}"
