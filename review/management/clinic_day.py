"""The clinic day as data: who is at Lakeside, what they write, what must come of it; and the vendors' test desks.

Reads `deploy/clinic_day/*.json` and builds the world document the three pretended vendors share. Speaks only to
loopback addresses, and never to a vendor's own API: only to the desk below `/__sim__/`.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import requests
from django.conf import settings

from integrations.models import Connection, Vendor
from refillhub.practices.models import Practice

FOLDER = Path(settings.BASE_DIR) / "deploy" / "clinic_day"
SLUG = "lakeside"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Json = dict[str, Any]


class NotTheSandbox(RuntimeError):
    """A vendor's address is not this machine, or does not answer as a sandbox."""


class DeskRefused(RuntimeError):
    """A test desk answered something else than success."""


def read(name: str) -> Any:
    """One file of the day."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


# the world ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """One patient of the day and the ids both vendors know them by."""

    key: str
    name: str
    klara_id: str
    chart_id: str
    row: Json
    run: int = 0

    def alias(self, klara_id: str) -> str:
        """Another Klara record of this person, as this run's world knows it; the usual one for ""."""
        return _of_run(klara_id, self.run) if klara_id else self.klara_id

    @property
    def initials(self) -> str:
        """For the table: no names on a screen that may be shown around."""
        return ". ".join(part[0] for part in self.name.split()) + "."


def _of_run(klara_id: str, run: int) -> str:
    return f"{klara_id}_{run}" if run else klara_id


def people(*, run: int = 0) -> dict[str, Person]:
    """Every patient by key. Each day played on one database (`run`) has patients of its own."""
    found = {}
    for number, row in enumerate(read("patients"), start=1):
        klara = _of_run(row.get("klara", {}).get("id", f"pat_{row['key']}"), run)
        chart = str(70140000 + run % 90 * 100 + number)
        found[row["key"]] = Person(row["key"], row["name"], klara, chart, row, run)
    return found


def run_of(*, practice: Practice) -> int:
    """How many days were played before this one on this database."""
    facts = Connection.objects.filter(practice=practice, vendor=Vendor.klara).values_list("facts", flat=True).first()
    return int((facts or {}).get("demo_run", 0))


def world(*, now: datetime, run: int = 0) -> Json:
    """The document for the three vendors, with every date counted back from `now`."""
    data = read("practice")
    local = now.astimezone(ZoneInfo(data["practice"]["timezone"]))
    doctors = {row["key"]: row for row in data["doctors"]}
    klara = data["klara"]
    practice: Json = {
        **data["practice"],
        "klara": {
            **{name: klara[name] for name in ("practice_id", "api_key", "client_id", "client_secret", "macros")},
            "webhook_secrets": [klara["webhook_secret"]],
            "channels": [_channel(row, data["offices"]) for row in klara["channels"]],
        },
        "doctors": [_doctor(row) for row in data["doctors"]],
        "offices": [_office(row, data["doctors"][0]) for row in data["offices"]],
        "patients": [],
        **{name: [] for name in ("medications", "appointments", "prescription_messages", "allergies", "problems",
                                 "patient_lab_results")},
    }  # fmt: skip
    offices = {row["key"]: row for row in data["offices"]}
    for person in people(run=run).values():
        doctor = doctors[person.row.get("doctor", "osei")]
        office = offices[person.row.get("office", "main")]
        _patient(practice, person, doctor=doctor, office=office, drugs=data["drugs"], local=local)
    return {"seed": 1, "made_at": now.isoformat(), "pharmacies": data["pharmacies"], "practices": [practice]}


def _channel(row: Json, offices: Sequence[Json]) -> Json:
    office = next(one for one in offices if one["key"] == row["office"])
    shown = {name: row[name] for name in ("id", "name", "type", "phone_number")}
    return {**shown, "location_id": f"loc_{row['office']}", "timezone": office["timezone"]}


def _doctor(row: Json) -> Json:
    kept = ("id", "user_id", "username", "first_name", "last_name", "npi", "spis", "dea")
    return {**{name: row[name] for name in kept}, "suffix": "MD", "specialty": "Internal Medicine",
            "state_license": f"NY{row['id']}", "suspended": False}  # fmt: skip


def _office(row: Json, lead: Json) -> Json:
    kept = ("id", "name", "address", "city", "state", "zip_code", "phone_number")
    return {**{name: row[name] for name in kept}, "doctor": lead["id"]}


def _patient(
    practice: Json, person: Person, *, doctor: Json, office: Json, drugs: Mapping[str, Any], local: datetime
) -> None:
    row, number = person.row, int(person.chart_id)
    first, last = person.name.split()
    phone = f"518556{number % 10000:04d}"
    seen = (local - timedelta(days=row.get("seen_days_ago", 96))).date().isoformat()
    pharmacy = row.get("pharmacy", "9990001")
    chart = {
        "id": number, "chart_id": f"LK{number}", "first_name": first, "middle_name": None, "last_name": last,
        "nick_name": "", "date_of_birth": row["born"], "gender": row.get("sex", "Female"), "doctor": doctor["id"],
        "patient_status": "A", "cell_phone": f"({phone[:3]}) {phone[3:6]}-{phone[6:]}", "home_phone": "",
        "office_phone": "", "email": f"{person.key}@example.org", "address": f"{number % 100} Willow Lane",
        "city": office["city"], "state": office["state"], "zip_code": office["zip_code"],
        "date_of_first_appointment": "2019-05-02", "date_of_last_appointment": seen,
        "default_pharmacy": pharmacy, "preferred_pharmacies": [pharmacy], "disable_sms_messages": False,
        "preferred_language": "eng", "race": "blank", "ethnicity": "blank", "offices": [office["id"]], "copay": "",
        "created_at": "2019-04-28T10:11:12", "updated_at": (local - timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%S"),
        **row.get("record", {}),
    }  # fmt: skip
    klara = {
        "first_name": first, "last_name": last, "date_of_birth": row["born"],
        "phone": f"+1{phone}", "identity_verified": True,
        "external_ids": [{"system": "drchrono", "value": person.chart_id}], "merged_into": None, **row.get("klara", {}),
        "id": person.klara_id,
    }  # fmt: skip
    practice["patients"].append({"case": person.key, "drchrono": chart, "klara": klara})
    if "twin" in row:  # a second record of the same person in Klara
        twin = {**klara, "id": person.alias(row["twin"])}
        practice["patients"].append({"case": "twin", "drchrono": chart, "klara": twin})
    for line, (description, rxcui) in enumerate(row.get("allergies", [])):
        practice["allergies"].append({
            "id": 8800000 + (number % 10000) * 10 + line, "patient": number, "doctor": doctor["id"],
            "description": description, "rxnorm": rxcui, "snomed_code": "", "reaction": "Hives", "snomed_reaction": "",
            "status": "active", "verification_status": "confirmed", "notes": "",
        })  # fmt: skip
    practice["appointments"].append({
        "id": str(254000000 + number), "patient": number, "doctor": doctor["id"], "office": office["id"],
        "exam_room": 1, "scheduled_time": f"{seen}T14:30:00", "duration": 20, "status": "Complete",
        "reason": "Follow-up", "notes": "", "profile": None, "appt_is_break": False, "is_walk_in": False,
        "recurring_appointment": False, "deleted_flag": False, "icd10_codes": ["I10"],
        "created_at": f"{seen}T08:00:00", "updated_at": f"{seen}T15:05:31",
    })  # fmt: skip
    for line, (key, changes) in enumerate(row["drugs"]):
        practice["medications"].append(_medication(number, line, drugs[key], changes, doctor=doctor, local=local))


def _medication(
    patient: int, line: int, drug: Sequence[Any], changes: Mapping[str, Any], *, doctor: Json, local: datetime
) -> Json:
    name, rxcui, unit, frequency, sig, quantity, indication = drug
    days = changes.get("days_ago", 80)
    return {
        "id": 98000000 + (patient % 100000) * 10 + line, "patient": patient, "doctor": doctor["id"],
        "appointment": None, "name": name, "rxnorm": rxcui, "ndc": "", "status": "active",
        "order_status": "Electronic eRx Sent", "dosage_quantity": "1", "dosage_units": unit, "route": "oral",
        "frequency": frequency, "prn": False, "dispense_quantity": quantity, "number_refills": 0, "daw": False,
        "indication": indication, "signature_note": sig, "pharmacy_note": "", "notes": "",
        "date_prescribed": (local - timedelta(days=days)).date().isoformat(),
        "date_started_taking": "2019-05-02", "date_stopped_taking": None,
        **{field: value for field, value in changes.items() if field != "days_ago"},
    }  # fmt: skip


def totp_key(secret: str) -> str:
    """A base32 secret as the device stores it: hexadecimal."""
    return base64.b32decode(secret + "=" * (-len(secret) % 8)).hex()


# the test desks -----------------------------------------------------------------------------------------------------


def session() -> requests.Session:
    """A session of its own, deaf to proxies of the environment: test desks are on this machine."""
    fresh = requests.Session()
    fresh.trust_env = False
    return fresh


class Desk:
    """The test desk of one pretended vendor."""

    def __init__(self, *, vendor: str) -> None:
        parts = urlsplit(getattr(settings, f"{vendor.upper()}_BASE_URL"))
        if parts.hostname not in LOOPBACK:
            raise NotTheSandbox(f"the address of {vendor} is not this machine: {parts.hostname}")
        self.vendor = vendor
        self.root = f"{parts.scheme}://{parts.netloc}/__sim__/"
        self.session = session()

    def get(self, verb: str, **params: str) -> Any:
        """Read. Raises DeskRefused."""
        return self._call("GET", f"{verb}?{urlencode(params)}" if params else verb, None)

    def post(self, verb: str, wish: Any) -> Any:
        """Ask for something. Raises DeskRefused."""
        return self._call("POST", verb, wish)

    def _call(self, method: str, verb: str, wish: Any) -> Any:
        try:
            answer = self.session.request(method, self.root + verb, json=wish, timeout=30, allow_redirects=False)
        except requests.RequestException as error:
            raise NotTheSandbox(f"the {self.vendor} sandbox does not answer at {self.root}") from error
        if answer.status_code >= 300:
            raise DeskRefused(f"{self.vendor} {verb}: {answer.status_code} {answer.text[:400]}")
        return answer.json()


def desks() -> dict[str, Desk]:
    """The three desks; raises NotTheSandbox unless each answers for its own vendor on this machine."""
    found = {vendor: Desk(vendor=vendor) for vendor in ("drchrono", "klara", "surescripts")}
    for vendor, desk in found.items():
        try:
            said = desk.get("health").get("vendor")
        except (DeskRefused, ValueError) as error:
            raise NotTheSandbox(f"what answers for {vendor} is not the sandbox") from error
        if said != vendor:
            raise NotTheSandbox(f"what answers for {vendor} is not the sandbox")
    return found
