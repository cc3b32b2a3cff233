"""Writes of the pretended DrChrono: create, put, patch, delete, a few actions; journal and webhooks follow a commit.

A write either happens completely or not at all; lists may show it later than a read by id (knob list_lag_seconds).
"""

import copy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from integrations.sandbox import drchrono_checks as checks
from integrations.sandbox.drchrono_hooks import EVENTS
from integrations.sandbox.drchrono_store import ALIASES, STAMPED, Chart, Record
from integrations.sandbox.wire import Answer, BadBody, Request, empty_answer, json_answer

if TYPE_CHECKING:
    from integrations.sandbox.drchrono import DrChrono

SINGULAR = {
    "patients": "patient",
    "medications": "medication",
    "appointments": "appointment",
    "allergies": "allergy",
    "problems": "problem",
    "tasks": "task",
    "task_notes": "task_note",
    "task_categories": "task_category",
    "task_statuses": "task_status",
    "comm_logs": "comm_log",
    "messages": "message",
    "patient_lab_results": "lab_result",
}
DEFAULTS: dict[str, Record] = {
    "patients": {
        "patient_status": "A",
        "first_name": "",
        "last_name": "",
        "cell_phone": "",
        "default_pharmacy": "",
        "preferred_pharmacies": [],
    },
    "medications": {
        "appointment": None,
        "name": "",
        "rxnorm": "",
        "ndc": "",
        "status": "active",
        "order_status": "",
        "dosage_quantity": "",
        "dosage_units": "",
        "route": "",
        "frequency": "",
        "prn": False,
        "dispense_quantity": None,
        "number_refills": 0,
        "daw": False,
        "indication": "",
        "signature_note": "",
        "pharmacy_note": "",
        "notes": "",
        "date_prescribed": None,
        "date_started_taking": None,
        "date_stopped_taking": None,
    },
    "tasks": {
        "category": None,
        "priority": "20",
        "assignee_user": None,
        "assignee_group": None,
        "due_date": None,
        "associated_items": [],
        "notes": [],
        "archived": False,
    },
    "appointments": {
        "status": "",
        "reason": "",
        "notes": "",
        "profile": None,
        "appt_is_break": False,
        "deleted_flag": False,
    },
}


def write(
    *, sim: "DrChrono", chart: Chart, name: str, item: str, action: str, request: Request, user: str, now: datetime
) -> Answer:
    """Carry out one write that routing, scope and permission allow."""
    old = chart.table(name).get(item) if item else None
    if item and old is None:
        return json_answer(404, {"detail": "Not found."})
    if request.method == "DELETE" and not action:
        return _delete(sim, chart, name, item, now)
    try:
        body = _body(request)
    except BadBody as problem:
        return json_answer(400, {"detail": f"JSON parse error - {problem}"})
    if action:
        return _act(sim, chart, name, old or {}, action, request, body, now)
    if request.method == "POST":
        return _create(sim, chart, name, body, request, user, now)
    if not item:
        return empty_answer()
    return _change(sim, chart, name, old or {}, body, request.method, now)


def commit(
    *, sim: "DrChrono", chart: Chart, name: str, record: Record, verb: str, now: datetime, webhook: bool = True
) -> None:
    """Store a record, note it, tell the webhook. `verb`: create | modify | delete."""
    lag = sim.knobs.get("list_lag_seconds", chart.key)
    if verb == "delete":
        chart.table(name).remove(str(record["id"]))
    else:
        chart.table(name).put(record=record, shown_at=now + timedelta(seconds=lag) if lag else None)
    kind = ALIASES.get(name, name)
    past = {"create": "created", "modify": "changed", "delete": "deleted"}[verb]
    ids = {field: record[field] for field in ("id", "patient", "doctor", "task") if record.get(field) is not None}
    sim.journal.add(
        at=now,
        kind=f"{SINGULAR.get(kind, kind)}.{past}",
        practice=chart.key,
        decision="committed",
        ids=ids,
        data={"record": copy.deepcopy(record)},
    )
    if not webhook or not sim.knobs.get("webhooks", chart.key):
        return
    if kind == "task_notes":
        task = chart.table("tasks").get(str(record["task"]))
        if task is not None:
            sim.hooks.emit(practice=chart.key, event="TASK_MODIFY", record=task)
    elif kind in EVENTS:
        sim.hooks.emit(practice=chart.key, event=f"{EVENTS[kind]}_{verb.upper()}", record=record)


def _body(request: Request) -> Any:
    if request.content_type == "application/x-www-form-urlencoded":
        return request.form()
    return request.json() if request.body else {}


def _create(sim: "DrChrono", chart: Chart, name: str, body: Any, request: Request, user: str, now: datetime) -> Answer:
    many = body if isinstance(body, list) else [body]
    errors = [checks.check(chart=chart, resource=name, body=entry, partial=False) for entry in many]
    if any(errors):
        return json_answer(400, errors if isinstance(body, list) else errors[0])
    for entry in many:
        conflict = _conflict(chart, name, entry, request)
        if conflict:
            return json_answer(409, {"detail": conflict})
    made = [_made(sim, chart, name, entry, user, now) for entry in many]
    for record in made:
        notes = record.pop("_notes", [])
        commit(sim=sim, chart=chart, name=name, record=record, verb="create", now=now)
        for note in notes:
            commit(sim=sim, chart=chart, name="task_notes", record=note, verb="create", now=now, webhook=False)
        if name == "task_notes":
            _hang_note(chart, record)
    return json_answer(201, made if isinstance(body, list) else made[0])


def _made(sim: "DrChrono", chart: Chart, name: str, entry: Record, user: str, now: datetime) -> Record:
    stamp = chart.local(now)
    wished = {field: value for field, value in entry.items() if field not in checks.READ_ONLY}
    record: Record = {"id": chart.new_id(name), **copy.deepcopy(DEFAULTS.get(ALIASES.get(name, name), {})), **wished}
    if ALIASES.get(name, name) in STAMPED:
        record |= {"created_at": stamp, "updated_at": stamp}
    if name == "patients":
        _pharmacies(record, wished)
        record.setdefault(
            "chart_id", f"{record['last_name'][:2].upper()}{record['first_name'][:2].upper()}{record['id'] % 10**6:06d}"
        )
    if name in ("tasks", "task_notes"):
        record["created_by"] = user
    if name == "tasks":
        record |= {"assigned_by": user if record.get("assignee_user") else None, "notes": []}
        record["associated_items"] = [{**item, "task": record["id"]} for item in record.get("associated_items") or []]
        if sim.knobs.get("nested_notes", chart.key):
            record["_notes"] = [
                _note(chart, record["id"], note["text"], user, stamp) for note in wished.get("notes") or []
            ]
            record["notes"] = list(record["_notes"])
    return record


def _note(chart: Chart, task: Any, text: str, user: str, stamp: str) -> Record:
    return {
        "id": chart.new_id("task_notes"),
        "task": task,
        "text": text,
        "archived": False,
        "created_by": user,
        "created_at": stamp,
        "updated_at": stamp,
    }


def _hang_note(chart: Chart, note: Record) -> None:
    task = chart.table("tasks").get(str(note["task"]))
    if task is not None:
        task["notes"] = [*(n for n in task.get("notes") or [] if n["id"] != note["id"]), note]


def _conflict(chart: Chart, name: str, entry: Record, request: Request) -> str:
    if ALIASES.get(name, name) == "appointments" and (
        other := checks.overlap(chart=chart, body=entry, own=str(entry.get("id", "")))
    ):
        return f"Appointment overlaps with {other}"
    if (
        name == "patients"
        and request.params.get("allow_duplicates") != "true"
        and checks.is_duplicate_patient(chart=chart, body=entry)
    ):
        return "Potential duplicate patient(s) found."
    return ""


def _change(sim: "DrChrono", chart: Chart, name: str, old: Record, body: Any, method: str, now: datetime) -> Answer:
    if name == "medications":
        mode = sim.knobs.get("medications_patch", chart.key)
        if mode == "refuse":
            return sim.refuse_method(method, ("GET",))
        if mode == "ignore":
            return empty_answer()
    errors = checks.check(chart=chart, resource=name, body=body, partial=method == "PATCH")
    if errors:
        return json_answer(400, errors)
    wished = {field: value for field, value in body.items() if field not in checks.READ_ONLY and field != "notes"}
    if name not in ("tasks", "task_notes") and "notes" in body:
        wished["notes"] = body["notes"]
    if name == "patients" and ("default_pharmacy" in wished or "preferred_pharmacies" in wished):
        mode = sim.knobs.get("pharmacy_write", chart.key)
        if mode == "refuse":
            return json_answer(403, {"detail": "You do not have permission to perform this action."})
        if mode == "ignore":
            wished.pop("default_pharmacy", None)
            wished.pop("preferred_pharmacies", None)
    record = {**old, **wished}
    if name == "patients":
        _pharmacies(record, wished)
    if ALIASES.get(name, name) == "appointments" and "scheduled_time" in wished:
        other = checks.overlap(chart=chart, body=record, own=str(record["id"]))
        if other:
            return json_answer(409, {"detail": f"Appointment overlaps with {other}"})
    if ALIASES.get(name, name) in STAMPED:
        record["updated_at"] = chart.local(now)
    if name == "task_notes":
        _hang_note(chart, record)
    commit(sim=sim, chart=chart, name=name, record=record, verb="modify", now=now)
    return empty_answer()


def _pharmacies(record: Record, wished: Record) -> None:
    """The first preferred pharmacy is the default, whichever of the two was written."""
    if wished.get("preferred_pharmacies"):
        record["default_pharmacy"] = str(wished["preferred_pharmacies"][0])
    elif wished.get("default_pharmacy"):
        first = str(wished["default_pharmacy"])
        record["preferred_pharmacies"] = [first, *(p for p in record.get("preferred_pharmacies") or [] if p != first)]


def _delete(sim: "DrChrono", chart: Chart, name: str, item: str, now: datetime) -> Answer:
    record = chart.table(name).get(item) or {}
    if ALIASES.get(name, name) == "appointments":
        gone = {**record, "deleted_flag": True, "updated_at": chart.local(now)}
        commit(sim=sim, chart=chart, name=name, record=gone, verb="modify", now=now, webhook=False)
        sim.hooks.emit(practice=chart.key, event="APPOINTMENT_DELETE", record=gone)
        return empty_answer()
    commit(sim=sim, chart=chart, name=name, record=record, verb="delete", now=now)
    return empty_answer()


def _act(
    sim: "DrChrono", chart: Chart, name: str, old: Record, action: str, request: Request, body: Any, now: datetime
) -> Answer:
    if action == "append_to_pharmacy_note":
        text = body.get("text") or body.get("note") if isinstance(body, dict) else None
        if not text:
            return json_answer(400, {"text": ["This field is required."]})
        note = f"{old['pharmacy_note']}\n\n{text}" if old.get("pharmacy_note") else str(text)
        commit(sim=sim, chart=chart, name=name, record={**old, "pharmacy_note": note}, verb="modify", now=now)
        return empty_answer()
    if action == "onpatient_access":
        if request.method == "GET":
            return json_answer(200, {"patient": old["id"], "status": old.get("_onpatient", "not invited")})
        old["_onpatient"] = "invited" if request.method == "POST" else "not invited"
        return json_answer(201, {"status": "invited"}) if request.method == "POST" else empty_answer()
    if action == "add_exam_room":
        rooms = [
            *old.get("exam_rooms", []),
            {"index": len(old.get("exam_rooms", [])) + 1, "name": body.get("name", "Exam"), "online_scheduling": False},
        ]
        commit(sim=sim, chart=chart, name=name, record={**old, "exam_rooms": rooms}, verb="modify", now=now)
        return json_answer(201, rooms[-1])
    return empty_answer()
