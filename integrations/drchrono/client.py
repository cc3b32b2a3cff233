"""What we ask of DrChrono and what we write there, as typed functions on a `wire.Line`.

Reads return values or raise VendorError. Writes return an Outcome and never repeat themselves: a later attempt is told
when the first one was made and looks for its traces before it writes anything again.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import orjson

from integrations import http
from integrations.drchrono import reading, wire
from integrations.drchrono.types import (
    Appointment,
    Doctor,
    Medication,
    MedicationChange,
    NewTask,
    Office,
    Patient,
    PrescriptionMessage,
    SetUp,
    Task,
    User,
)
from integrations.drchrono.wire import Line
from integrations.outcome import Outcome, OutcomeKind

TASK_CATEGORY = "Refill"
_R = TypeVar("_R", bound="_Record")
_P = TypeVar("_P", bound="_OfPatient")
APPOINTMENT_PAGE = "20"  # contract 4.2: appointments give at most twenty


# --- reads -----------------------------------------------------------------------------------------------------------


def patient(*, line: Line, patient_id: str) -> Patient:
    """One chart patient. Raises wire.NotFound, VendorError."""
    return _one(line, f"/api/patients/{checked_id(patient_id)}", reading.patient)


def find_patients(*, line: Line, first_name: str, last_name: str, date_of_birth: date) -> list[Patient]:
    """Patients with exactly this birth date whose names the vendor matches; the caller compares names and phone."""
    params = {"first_name": first_name, "last_name": last_name, "date_of_birth": date_of_birth.isoformat()}
    found = everything(line, "/api/patients", params, reading.patient)
    return [each for each in found if each.date_of_birth == date_of_birth]


def patients_born(*, line: Line, date_of_birth: date) -> list[Patient]:
    """Every patient with this birth date, whatever the name: for names written otherwise in the chart."""
    found = everything(line, "/api/patients", {"date_of_birth": date_of_birth.isoformat()}, reading.patient)
    return [each for each in found if each.date_of_birth == date_of_birth]


def patients_since(*, line: Line, since: str) -> Iterator[list[Patient]]:
    """Changed patients, page by page. `since` is a date, `YYYY-MM-DD` (contract 4.4)."""
    for rows in wire.pages(line=line, path="/api/patients", params={"since": since}):
        yield every(rows, reading.patient)


def doctors(*, line: Line) -> list[Doctor]:
    return everything(line, "/api/doctors", {}, reading.doctor)


def users(*, line: Line) -> list[User]:
    return everything(line, "/api/users", {}, reading.user)


def current_user(*, line: Line) -> User:
    """Who authorised this connection: the cheap read of the connection test."""
    return _one(line, "/api/users/current", reading.user)


def offices(*, line: Line) -> list[Office]:
    return everything(line, "/api/offices", {}, reading.office)


def medications(*, line: Line, patient_id: str) -> list[Medication]:
    """A patient's whole medication list; a row of another patient is an error, not a row."""
    params = {"patient": checked_id(patient_id)}
    return own(everything(line, "/api/medications", params, reading.medication), patient_id)


def medication_page(*, line: Line, doctor_id: str, cursor: str = "") -> tuple[list[Medication], str]:
    """One page of a doctor's medication entries and the cursor of the next page, empty at the end."""
    rows, following = wire.page(
        line=line, path="/api/medications", params={"doctor": checked_id(doctor_id)}, cursor=cursor
    )
    return every(rows, reading.medication), following


def medication(*, line: Line, medication_id: str) -> Medication:
    return _one(line, f"/api/medications/{checked_id(medication_id)}", reading.medication)


def appointments_since(*, line: Line, since: str) -> Iterator[list[Appointment]]:
    """Appointments changed since a date, `YYYY-MM-DD`, page by page."""
    params = {"since": since, "show_archived": "true", "page_size": APPOINTMENT_PAGE}
    for rows in wire.pages(line=line, path="/api/appointments", params=params):
        yield every(rows, reading.appointment)


def patient_appointments(*, line: Line, patient_id: str, first: date, last: date) -> list[Appointment]:
    """A patient's appointments in a range of at most 190 days (contract 4.4)."""
    params = {
        "patient": checked_id(patient_id),
        "date_range": f"{first.isoformat()}/{last.isoformat()}",
        "page_size": APPOINTMENT_PAGE,
    }
    return everything(line, "/api/appointments", params, reading.appointment)


def prescription_messages_since(*, line: Line, since: str) -> Iterator[list[PrescriptionMessage]]:
    for rows in wire.pages(line=line, path="/api/prescription_messages", params={"since": since}):
        yield every(rows, reading.prescription_message)


def prescription_messages(*, line: Line, patient_id: str) -> list[PrescriptionMessage]:
    params = {"patient": checked_id(patient_id)}
    return everything(line, "/api/prescription_messages", params, reading.prescription_message)


def tasks_since(*, line: Line, since: str) -> list[Task]:
    return everything(line, "/api/tasks", {"since": since}, reading.task)


def task(*, line: Line, task_id: str) -> Task:
    return _one(line, f"/api/tasks/{checked_id(task_id)}", reading.task)


def look_up_set_up(*, line: Line) -> SetUp:
    """Ids of an open and a closed task status and of the refill category (made if permitted, empty if not).

    Raises VendorError (permanent, code no_task_status) when the practice has no such statuses.
    """
    statuses = _rows(line, "/api/task_statuses", {})
    by_category: dict[str, str] = {}
    for row in statuses:
        if isinstance(row, Mapping) and row.get("archived") is not True:
            by_category.setdefault(reading.text(row.get("status_category")), reading.text(row.get("id")))
    if not by_category.get("O") or not by_category.get("C"):
        raise http.VendorError(
            "no open or closed task status", vendor="drchrono", permanent=True, code="no_task_status"
        )
    return SetUp(open_status=by_category["O"], closed_status=by_category["C"], category=_category(line))


# --- writes ----------------------------------------------------------------------------------------------------------


def patch_medication(
    *, line: Line, medication_id: str, change: MedicationChange, read_back: bool = False
) -> Outcome:
    """Write fields of a chart entry. The same change may be written again safely.

    accepted: the vendor said 204. delivered: read back and found. rejected: 403, 404, 405, 400, or 204 without effect
    (code `ignored`). unknown: it may have been written (only when the read-back failed too, or was not asked for).
    """
    fields = _medication_fields(change)
    written = _write(line, "PATCH", f"/api/medications/{checked_id(medication_id)}", fields)
    if not read_back or written.kind not in (OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN):
        return written
    try:
        found = medication(line=line, medication_id=medication_id)
    except http.VendorError:
        return written
    return _compared(written, _shows(found, change))


def append_note(
    *, line: Line, medication_id: str, text: str, first_tried_at: datetime | None = None
) -> Outcome:
    """Add a paragraph to the pharmacy note; it is read back. With `first_tried_at` the note is looked for first."""
    if first_tried_at is not None:
        found = _note_is_there(line, medication_id, text)
        if found is None:
            return Outcome(kind=OutcomeKind.NOT_SENT, code="cannot_look", transient=True)
        if found:
            return Outcome(kind=OutcomeKind.DELIVERED, external_ref=medication_id)
    path = f"/api/medications/{checked_id(medication_id)}/append_to_pharmacy_note"
    written = _write(line, "PATCH", path, {"text": text})
    if written.kind not in (OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN):
        return written
    found = _note_is_there(line, medication_id, text)
    if found:
        return Outcome(kind=OutcomeKind.DELIVERED, external_ref=medication_id)
    if found is False and written.kind is OutcomeKind.ACCEPTED:
        return Outcome(kind=OutcomeKind.REJECTED, code="ignored", text="answered 204, but the note is not there")
    return written


def create_task(*, line: Line, task: NewTask, first_tried_at: datetime | None = None) -> Outcome:
    """Make a task; `external_ref` is its id. With `first_tried_at` its marker is looked for first (contract 4.1).

    accepted: the task exists. unknown: it may exist; call again later with `first_tried_at`.
    """
    if first_tried_at is not None:
        try:
            there = find_task(line=line, marker=task.marker, since=first_tried_at)
        except http.VendorError as error:
            return Outcome(
                kind=OutcomeKind.NOT_SENT, code="cannot_look", transient=True, retry_after=error.retry_after
            )
        if there is not None:
            return Outcome(kind=OutcomeKind.ACCEPTED, external_ref=there.id)
    facts = line.connection.facts
    if not facts.get("task_status_open"):
        return Outcome(kind=OutcomeKind.NOT_SENT, code="no_task_status", transient=False)
    written = _write(line, "POST", "/api/tasks", _task_fields(task, facts))
    if written.kind is OutcomeKind.ACCEPTED:
        _add_missing_note(line, written, task)
    return written


def find_task(*, line: Line, marker: str, since: datetime) -> Task | None:
    """The task that bears our marker, changed since the day before `since`. Raises VendorError."""
    day = (since - timedelta(days=1)).date().isoformat()  # a day of grace: the vendor's zone is not documented
    return next((each for each in tasks_since(line=line, since=day) if marker in each.title), None)


def close_task(*, line: Line, task_id: str) -> Outcome:
    """Set a task to the closed status; may be repeated safely."""
    closed = line.connection.facts.get("task_status_closed")
    if not closed:
        return Outcome(kind=OutcomeKind.NOT_SENT, code="no_task_status", transient=False)
    return _write(line, "PATCH", f"/api/tasks/{checked_id(task_id)}", {"status": _number_if_digits(closed)})


def set_default_pharmacy(*, line: Line, patient_id: str, ncpdp_id: str) -> Outcome:
    """Make a pharmacy the patient's default and read it back (recipe 4). May be repeated safely.

    delivered: the chart shows it. rejected with code `ignored`: 204 but unchanged, a person has to do it.
    """
    path = f"/api/patients/{checked_id(patient_id)}"
    written = _write(line, "PATCH", path, {"default_pharmacy": ncpdp_id})
    if written.kind not in (OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN):
        return written
    try:
        found = patient(line=line, patient_id=patient_id)
    except http.VendorError:
        return Outcome(kind=OutcomeKind.UNKNOWN, code="not_read_back")
    return _compared(written, found.pharmacy == ncpdp_id)


# --- below: how it is done -------------------------------------------------------------------------------------------


class _Record(Protocol):
    @property
    def id(self) -> str: ...


class _OfPatient(Protocol):
    @property
    def patient_id(self) -> str: ...


def own(found: list[_P], patient_id: str) -> list[_P]:
    """Records of this patient; one of another makes the answer a vendor's error. Raises VendorError."""
    if any(each.patient_id != str(patient_id) for each in found):
        raise http.VendorError("rows of another patient", vendor="drchrono", permanent=True, code="foreign_rows")
    return found


def _rows(line: Line, path: str, params: Mapping[str, str]) -> list[Any]:
    return [row for rows in wire.pages(line=line, path=path, params=params) for row in rows]


def _one(line: Line, path: str, read: Callable[..., _R]) -> _R:
    return every([wire.get(line=line, path=path)], read)[0]


def every(rows: list[Any], read: Callable[..., _R]) -> list[_R]:
    """Each row read; a row that is not the record it should be is the vendor's error."""
    try:
        return [read(raw=row) for row in rows]
    except reading.Unreadable as error:
        raise http.VendorError(str(error), vendor="drchrono", permanent=False, code="unreadable") from error


def everything(line: Line, path: str, params: Mapping[str, str], read: Callable[..., _R]) -> list[_R]:
    """Every record once, in the vendor's order: rows that move between pages come twice."""
    found = every(_rows(line, path, params), read)
    return list({each.id: each for each in found}.values())


def checked_id(value: str) -> str:
    """An id as one path segment. Raises ValueError: an id with a slash would reach another resource."""
    text = str(value)
    if not text or not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise ValueError("not an id of this vendor")
    return text


def _write(line: Line, method: str, path: str, fields: Mapping[str, Any]) -> Outcome:
    """One write, once. Everything the vendor can say becomes an Outcome."""
    try:
        answer = wire.send(line=line, method=method, url=f"{line.connection.address}{path}", json=fields)
    except http.NoAnswer as error:
        return Outcome(kind=OutcomeKind.UNKNOWN, code=error.code or "no_answer", transient=True)
    except http.VendorError as error:
        # Not connected, held back, 401, 429, no authorisation: surely not done.
        return Outcome(
            kind=OutcomeKind.NOT_SENT,
            code=error.code or "not_sent",
            retry_after=error.retry_after,
            transient=not error.permanent,
            configuration=error.permanent,
        )
    if answer.ok:
        return Outcome(kind=OutcomeKind.ACCEPTED, external_ref=_created_id(answer), document=answer.content)
    code = f"http_{answer.status}"
    if answer.status >= 500 or answer.status == 408:
        # "Fault after commit" is real: the object may have been made and only the answer lost.
        return Outcome(kind=OutcomeKind.UNKNOWN, code=code, transient=True, retry_after=answer.retry_after)
    return Outcome(
        kind=OutcomeKind.REJECTED,
        code=code,
        text=answer.text[:2000],
        document=answer.content,
        configuration=answer.status == 403,
    )


def _created_id(answer: http.Response) -> str:
    if not answer.content:
        return ""
    try:
        made = answer.json()
    except ValueError:
        return ""
    return reading.text(made.get("id")) if isinstance(made, Mapping) else ""


def _compared(written: Outcome, shows: bool) -> Outcome:
    if shows:
        return Outcome(kind=OutcomeKind.DELIVERED, external_ref=written.external_ref)
    if written.kind is OutcomeKind.ACCEPTED:
        return Outcome(kind=OutcomeKind.REJECTED, code="ignored", text="answered 204, but the value is unchanged")
    return written


def _medication_fields(change: MedicationChange) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if change.date_prescribed is not None:
        fields["date_prescribed"] = change.date_prescribed.isoformat()
    if change.dispense_quantity is not None:
        fields["dispense_quantity"] = _plain(change.dispense_quantity)
    if change.number_refills is not None:
        fields["number_refills"] = change.number_refills
    if change.order_status is not None:
        fields["order_status"] = change.order_status
    if change.pharmacy_note is not None:
        fields["pharmacy_note"] = change.pharmacy_note
    if not fields:
        raise ValueError("an empty change")
    return fields


def _shows(found: Medication, change: MedicationChange) -> bool:
    pairs = (
        (change.date_prescribed, found.prescribed_on),
        (change.dispense_quantity, found.dispense_quantity),
        (change.number_refills, found.number_refills),
        (change.order_status, found.order_status),
        (change.pharmacy_note, found.pharmacy_note),
    )
    return all(wanted is None or wanted == there for wanted, there in pairs)


def _plain(quantity: Decimal) -> int | float:
    whole = quantity.to_integral_value()
    return int(whole) if whole == quantity else float(quantity)


def _note_is_there(line: Line, medication_id: str, text: str) -> bool | None:
    """Whether the note stands in the chart; None when it cannot be read."""
    try:
        return text in medication(line=line, medication_id=medication_id).pharmacy_note
    except http.VendorError:
        return None


def _task_fields(task: NewTask, facts: Mapping[str, Any]) -> dict[str, Any]:
    if task.marker not in task.title:
        raise ValueError("a task's title bears its marker")
    fields: dict[str, Any] = {
        "title": task.title,
        "status": _number_if_digits(facts["task_status_open"]),
        "priority": task.priority,
        "associated_items": [{"type": "Patient", "value": _number_if_digits(task.patient_id)}],
        "notes": [{"text": task.note}],
    }
    if not task.patient_id:
        del fields["associated_items"]
    if facts.get("task_category"):
        fields["category"] = _number_if_digits(facts["task_category"])
    if task.assignee_user_id:
        fields["assignee_user"] = task.assignee_user_id
    if task.due_local is not None:
        fields["due_date"] = {"time": task.due_local.replace(tzinfo=None, microsecond=0).isoformat()}
    return fields


def _add_missing_note(line: Line, made: Outcome, task: NewTask) -> None:
    """Nested notes may be dropped on create (contract 7.7): then they go to /api/task_notes.

    A lost note does not undo the task: title and marker stand, and the desk shows the same facts.
    """
    try:
        there = reading.task(raw=orjson.loads(made.document))
    except (reading.Unreadable, ValueError):
        return
    if not there.notes:
        _write(line, "POST", "/api/task_notes", {"task": _number_if_digits(there.id), "text": task.note})


def _category(line: Line) -> str:
    rows = [row for row in _rows(line, "/api/task_categories", {}) if isinstance(row, Mapping)]
    for row in rows:
        if reading.text(row.get("name")).lower() == TASK_CATEGORY.lower() and row.get("archived") is not True:
            return reading.text(row.get("id"))
    group = next((reading.text(row.get("practice_group")) for row in rows if row.get("practice_group")), "")
    if not group:
        return ""
    made = _write(
        line, "POST", "/api/task_categories", {"name": TASK_CATEGORY, "practice_group": _number_if_digits(group)}
    )
    return made.external_ref if made.kind is OutcomeKind.ACCEPTED else ""


def _number_if_digits(value: object) -> int | str:
    text = str(value)
    return int(text) if text.isdigit() else text
