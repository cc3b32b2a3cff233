"""What DrChrono refuses on a write: missing fields, wrong choices, unknown ids, appointment overlaps, duplicates.

Pure checks over a chart; error bodies are field-keyed lists, as the vendor's framework gives them.
"""

import re
from datetime import date, datetime, timedelta
from typing import Any

from integrations.sandbox.drchrono_store import Chart, Record

Errors = dict[str, list[str]]
REQUIRED: dict[str, tuple[str, ...]] = {
    "patients": ("gender", "doctor"),
    "patients_summary": ("gender", "doctor"),
    "medications": ("patient", "doctor"),
    "allergies": ("patient", "doctor"),
    "problems": ("patient", "doctor"),
    "appointments": ("doctor", "exam_room", "office", "patient", "scheduled_time"),
    "patient_lab_results": ("patient", "ordering_doctor"),
    "lab_orders": ("patient", "doctor", "sublab"),
    "lab_results": ("document", "lab_test", "status", "test_performed", "value"),
    "tasks": ("title", "status"),
    "task_notes": ("task", "text"),
    "task_categories": ("name", "practice_group"),
    "task_statuses": ("name", "practice_group"),
    "task_templates": ("name",),
    "messages": ("doctor", "title"),
    "patient_messages": ("doctor", "patient", "subject"),
    "comm_logs": ("patient", "doctor"),
    "documents": ("patient", "doctor", "description", "date", "document"),
    "line_items": ("appointment", "code", "procedure_type", "diagnosis_pointers"),
}
REFERS: dict[str, str] = {
    "patient": "patients",
    "doctor": "doctors",
    "ordering_doctor": "doctors",
    "office": "offices",
    "task": "tasks",
    "assignee_user": "users",
    "default_assignee_user": "users",
}
OWN_REFERS: dict[str, dict[str, str]] = {"tasks": {"status": "task_statuses", "category": "task_categories"}}
ORDER_STATUSES = (
    "",
    "Ordered",
    "Administered during visit",
    "Electronic eRx Sent",
    "Phoned into Pharmacy",
    "Faxed to Pharmacy",
    "Paper Rx",
    "Prescription Printed",
    "Discontinued",
    "Prescribed by other Dr",
    "Over the Counter",
)
CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "patients": {"gender": ("", "Male", "Female", "Other", "UNK", "ASKU"), "patient_status": ("A", "I", "D")},
    "medications": {"status": ("active", "inactive"), "order_status": ORDER_STATUSES},
    "allergies": {"status": ("active", "inactive")},
    "problems": {"status": ("active", "inactive", "resolved")},
    "tasks": {"priority": ("10", "20", "30", "40")},
    "task_statuses": {"status_category": ("O", "P", "H", "C")},
}
ITEM_TYPES = (
    "Document",
    "Message",
    "Lab result",
    "Lab order",
    "Patient",
    "Appointment",
    "Lab document",
    "Communication",
    "Message Thread",
)
DATES = ("date_of_birth", "date_started_taking", "date_stopped_taking", "date_onset")
NUMBERS = {"medications": ("number_refills", "dispense_quantity"), "appointments": ("duration", "exam_room")}
TEXTS = {
    "medications": (
        "name",
        "rxnorm",
        "ndc",
        "signature_note",
        "pharmacy_note",
        "notes",
        "frequency",
        "route",
        "dosage_units",
    ),
    "tasks": ("title",),
    "task_notes": ("text",),
    "patients": ("first_name", "last_name", "default_pharmacy"),
}
READ_ONLY = frozenset({"id", "created_at", "updated_at", "created_by", "assigned_by", "deleted_flag"})
NCPDP = re.compile(r"\d{7}")


def check(*, chart: Chart, resource: str, body: Any, partial: bool) -> Errors:
    """Errors of a body, empty when it is fine. `partial` (PATCH) skips the required fields that are absent."""
    if not isinstance(body, dict):
        return {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(body).__name__}."]}
    errors: Errors = {}
    for name in REQUIRED.get(resource, ()):
        if name in body:
            if body[name] is None or (body[name] == "" and name != "gender"):
                errors[name] = ["This field may not be null." if body[name] is None else "This field may not be blank."]
        elif not partial:
            errors[name] = ["This field is required."]
    _references(chart, resource, body, errors)
    _kinds(resource, body, errors)
    if resource == "tasks":
        _task(chart, body, errors)
    if resource == "appointments" and not partial and not body.get("duration") and not body.get("profile"):
        errors.setdefault("duration", ["This field is required unless profile is given."])
    if resource == "patients":
        _pharmacies(body, errors)
    return errors


def _references(chart: Chart, resource: str, body: Record, errors: Errors) -> None:
    for name, table in (REFERS | OWN_REFERS.get(resource, {})).items():
        value = body.get(name)
        if value in (None, "") or name in errors:
            continue
        if isinstance(value, bool | list | dict):
            errors[name] = [f"Incorrect type. Expected pk value, received {type(value).__name__}."]
        elif chart.table(table).get(str(value)) is None:
            errors[name] = [f'Invalid pk "{value}" - object does not exist.']


def _kinds(resource: str, body: Record, errors: Errors) -> None:
    for name, allowed in CHOICES.get(resource, {}).items():
        if name in body and name not in errors and str(body[name]) not in allowed:
            errors[name] = [f'"{body[name]}" is not a valid choice.']
    for name in DATES:
        if body.get(name) and name not in errors and not is_date(body[name]):
            errors[name] = ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]
    for name in NUMBERS.get(resource, ()):
        if body.get(name) is not None and name not in errors and not _is_number(body[name]):
            errors[name] = ["A valid number is required."]
    for name in TEXTS.get(resource, ()):
        if body.get(name) is not None and name not in errors and not isinstance(body[name], str | int):
            errors[name] = ["Not a valid string."]
    if body.get("scheduled_time") and not is_timestamp(body["scheduled_time"]):
        errors.setdefault(
            "scheduled_time", ["Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss]."]
        )


def _task(chart: Chart, body: Record, errors: Errors) -> None:
    due = body.get("due_date")
    if due is not None and not (isinstance(due, dict) and is_timestamp(due.get("time"))):
        errors.setdefault("due_date", ['Expected an object {"time": timestamp}.'])
    if body.get("assignee_user") and body.get("assignee_group"):
        errors.setdefault("non_field_errors", []).append("Either assignee_user or assignee_group may be set, not both.")
    for item in body.get("associated_items") or []:
        if not isinstance(item, dict) or item.get("type") not in ITEM_TYPES or item.get("value") in (None, ""):
            errors.setdefault("associated_items", []).append("Each item needs a type offered here and a value.")
        elif item["type"] == "Patient" and chart.table("patients").get(str(item["value"])) is None:
            errors.setdefault("associated_items", []).append(f'Invalid pk "{item["value"]}" - object does not exist.')
    for note in body.get("notes") or []:
        if not isinstance(note, dict) or not note.get("text"):
            errors.setdefault("notes", []).append("Each note needs a text.")


def _pharmacies(body: Record, errors: Errors) -> None:
    listed = body.get("preferred_pharmacies")
    if listed is not None and not (isinstance(listed, list) and all(NCPDP.fullmatch(str(entry)) for entry in listed)):
        errors["preferred_pharmacies"] = ["Expected a list of NCPDP ids."]
    if body.get("default_pharmacy") and not NCPDP.fullmatch(str(body["default_pharmacy"])):
        errors["default_pharmacy"] = ["Enter a valid NCPDP id."]


def overlap(*, chart: Chart, body: Record, own: str = "") -> str:
    """Id of an appointment of the same doctor that overlaps; empty when none does or overlap is allowed."""
    if body.get("allow_overlapping") in (True, "true") or not body.get("scheduled_time"):
        return ""
    start = datetime.fromisoformat(body["scheduled_time"])
    end = start + timedelta(minutes=float(body.get("duration") or 15))
    for key, row in chart.table("appointments").rows.items():
        other = row.record
        if key == own or str(other.get("doctor")) != str(body.get("doctor")) or other.get("deleted_flag"):
            continue
        if other.get("status") in ("Cancelled", "No Show", "Rescheduled"):
            continue
        begins = datetime.fromisoformat(other["scheduled_time"])
        if begins < end and start < begins + timedelta(minutes=float(other.get("duration") or 15)):
            return key
    return ""


def is_duplicate_patient(*, chart: Chart, body: Record) -> bool:
    """Whether a patient of the same name and birth date exists."""
    names = ("first_name", "last_name", "date_of_birth")
    wanted = tuple(str(body.get(name) or "").casefold() for name in names)
    return all(wanted) and any(
        tuple(str(row.record.get(name) or "").casefold() for name in names) == wanted
        for row in chart.table("patients").rows.values()
    )


def is_date(value: Any) -> bool:
    """Whether it is YYYY-MM-DD."""
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return len(value) == 10


def is_timestamp(value: Any) -> bool:
    """Whether it is a timestamp without a zone (a bare date counts)."""
    try:
        return datetime.fromisoformat(value).tzinfo is None
    except (TypeError, ValueError):
        return False


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)
