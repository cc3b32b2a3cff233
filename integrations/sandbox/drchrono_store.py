"""DrChrono's own records: one chart store per practice group, with what changed when and since when lists show it.

It stores and finds; it checks nothing. Timestamps are practice-local without a zone, as the API gives them.
"""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]
STAMPED = frozenset(
    {
        "patients",
        "patients_summary",
        "appointments",
        "prescription_messages",
        "patient_lab_results",
        "tasks",
        "task_notes",
        "task_categories",
        "task_statuses",
        "task_templates",
        "comm_logs",
        "patient_messages",
        "documents",
        "lab_orders",
        "lab_documents",
        "clinical_notes",
        "line_items",
        "patient_payments",
        "messages",
        "inventory_categories",
        "inventory_vaccines",
        "patient_vaccine_records",
        "clinical_note_field_values",
    }
)
ALIASES = {"appointments_list": "appointments", "patients_summary": "patients"}
TEXT_IDS = frozenset({"appointments", "users"})


@dataclass(slots=True)
class Row:
    """One record, its place in list order, and the virtual moment from which lists show its present state."""

    record: Record
    place: int
    before: Record | None = None
    shown_at: datetime | None = None


class Table:
    """Records of one resource in one practice, indexed by patient."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.by_patient: dict[str, list[str]] = {}
        self._places = itertools.count(1)

    def put(self, *, record: Record, shown_at: datetime | None = None) -> None:
        """Insert or replace by id; lists show the change from `shown_at` on (None = at once)."""
        key = str(record["id"])
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = Row(record, next(self._places), None, shown_at)
            if record.get("patient") is not None:
                self.by_patient.setdefault(str(record["patient"]), []).append(key)
            return
        if str(row.record.get("patient")) != str(record.get("patient")):
            self.by_patient.get(str(row.record.get("patient")), []).remove(key)
            self.by_patient.setdefault(str(record.get("patient")), []).append(key)
        if shown_at is not None and row.shown_at is None:
            row.before = row.record
        row.record, row.shown_at = record, shown_at

    def get(self, key: str) -> Record | None:
        """One record by id (always fresh)."""
        row = self.rows.get(key)
        return row.record if row else None

    def remove(self, key: str) -> None:
        """Delete by id."""
        row = self.rows.pop(key)
        if row.record.get("patient") is not None:
            self.by_patient[str(row.record["patient"])].remove(key)

    def listed(self, *, now: datetime, patient: str | None = None) -> Iterator[tuple[int, Record]]:
        """(place, record) as lists see them now, in list order."""
        keys = list(self.rows) if patient is None else list(self.by_patient.get(patient, ()))
        for key in keys:
            row = self.rows[key]
            if row.shown_at is None or row.shown_at <= now:
                row.before, row.shown_at = None, None
                yield row.place, row.record
            elif row.before is not None:
                yield row.place, row.before


class Chart:
    """Everything of one practice group."""

    def __init__(self, *, practice: dict[str, Any], numbers: "itertools.count[int]") -> None:
        self.practice = practice
        self.key: str = practice["key"]
        self.zone = ZoneInfo(practice["timezone"])
        self.tables: dict[str, Table] = {}
        self._numbers = numbers
        self._people()
        for name in (
            "medications",
            "appointments",
            "prescription_messages",
            "allergies",
            "problems",
            "patient_lab_results",
        ):
            for record in practice.get(name, []):
                self.table(name).put(record=copy.copy(record))
        for patient in practice.get("patients", []):
            self.table("patients").put(record=copy.copy(patient["drchrono"]))
        for name, records in practice.get("drchrono", {}).items():
            for record in records:
                self.table(name).put(record=copy.copy(record))

    def table(self, name: str) -> Table:
        """The table of a resource, made on first use."""
        return self.tables.setdefault(ALIASES.get(name, name), Table())

    def local(self, now: datetime) -> str:
        """A moment as this practice's local timestamp."""
        return now.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S")

    def new_id(self, name: str) -> int | str:
        """A fresh id in the type this resource uses."""
        number = next(self._numbers)
        return str(number) if ALIASES.get(name, name) in TEXT_IDS else number

    def user_of(self, doctor: str) -> str:
        """User id of a doctor id; empty when there is none."""
        for person in self.practice.get("doctors", []):
            if str(person["id"]) == doctor:
                return str(person["user_id"])
        return ""

    def owner(self) -> str:
        """User id of the first doctor who is not suspended: who authorises the connection."""
        for person in self.practice.get("doctors", []):
            if not person.get("suspended"):
                return str(person["user_id"])
        return ""

    def _people(self) -> None:
        practice, group = self.practice, str(self.practice["practice_group"])
        for person in practice.get("doctors", []):
            self.table("doctors").put(record=_doctor(person, practice))
            self.table("users").put(record=_user(person, group, doctor=person["id"], is_doctor=True))
        lead = practice["doctors"][0]["id"] if practice.get("doctors") else None
        for person in practice.get("staff", []):
            self.table("users").put(record=_user(person, group, doctor=lead, is_doctor=False))
            self.table("staff").put(
                record={
                    "id": person["id"],
                    "user_id": person["user_id"],
                    "username": person["username"],
                    "first_name": person["first_name"],
                    "last_name": person["last_name"],
                    "doctor": lead,
                    "active": True,
                }
            )
        for office in practice.get("offices", []):
            self.table("offices").put(
                record={
                    "country": "US",
                    "fax_number": None,
                    "exam_rooms": [{"index": 1, "name": "Exam 1", "online_scheduling": False}],
                    "start_time": "08:00:00",
                    "end_time": "17:00:00",
                    "online_scheduling": False,
                    "archived": False,
                    **office,
                }
            )
        for name in ("task_statuses", "task_categories"):
            for record in practice.get(name, []):
                self.table(name).put(
                    record={
                        "practice_group": group,
                        "archived": False,
                        "created_at": "2024-01-01T00:00:00",
                        "updated_at": "2024-01-01T00:00:00",
                        **({"is_global": False} if name == "task_categories" else {"task_category": None}),
                        **record,
                    }
                )


def _doctor(person: dict[str, Any], practice: dict[str, Any]) -> Record:
    return {
        "id": person["id"],
        "first_name": person["first_name"],
        "last_name": person["last_name"],
        "suffix": person.get("suffix", "MD"),
        "specialty": person.get("specialty", ""),
        "job_title": "Provider/Staff (Private Practice)",
        "email": person.get("email", f"{person['username']}@example.org"),
        "office_phone": practice.get("phone", ""),
        "cell_phone": "",
        "home_phone": "",
        "website": "",
        "timezone": practice["timezone"],
        "npi_number": person.get("npi"),
        "group_npi_number": None,
        "practice_group": str(practice["practice_group"]),
        "practice_group_name": practice.get("name", ""),
        "country": "US",
        "is_account_suspended": bool(person.get("suspended")),
        "profile_picture": None,
    }


def _user(person: dict[str, Any], group: str, *, doctor: int | None, is_doctor: bool) -> Record:
    return {
        "id": str(person["user_id"]),
        "username": person["username"],
        "is_doctor": is_doctor,
        "is_staff": not is_doctor,
        "doctor": None if doctor is None else str(doctor),
        "practice_group": group,
        "permissions": {},
    }
