"""Two hundred clinics for the bench: one world for the three pretended vendors and the same clinics on our side.

Every patient takes one drug of an adopted class and is seen regularly, so that each message is a refill that the
machine may approve by itself. Seeded by the product's own verbs; the vendors are set up through their test desks.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import requests
from django.db import connection as database
from django.test import override_settings
from django.urls import reverse

from audit.events import Actor, ActorKind
from integrations import mirror_sweeps, upkeep, vault
from integrations.drchrono import oauth
from integrations.drchrono.wire import Line
from integrations.klara import profile, signing
from integrations.models import Connection, ConnectionStatus, MirrorPatient, SecretKind, SweepKind, Vendor
from integrations.sandbox import seeding
from refillhub.practices import clock, consents, opening
from refillhub.practices.models import Channel, Location, Membership, Practice, Provider, Role, Spi, User
from review import directory
from review.management import clinic_day
from rules import documents, policy, publishing, versions

ZONE = "America/New_York"
SECRET = "whsec_cmVmaWxsaHViLXRlc3Qtc2VjcmV0LW51bWJlci0x"
REDIRECT = "http://127.0.0.1/connections/drchrono/return"
CLASSES = ("ppi_h2",)
PHARMACY = "9990002"  # answers 010 at once: its software has it, so one answer confirms the refill
ACTOR = Actor(kind=ActorKind.system, id="bench")
# name on the chart, RxCUI, unit, directions, what the patient writes
DRUGS = (
    ("omeprazole 20 MG Delayed Release Oral Capsule", "198051", "capsule", "omeprazole"),
    ("pantoprazole 40 MG Delayed Release Oral Tablet", "314200", "tablet", "pantoprazole"),
    ("famotidine 40 MG Oral Tablet", "284245", "tablet", "famotidine"),
    ("rabeprazole sodium 20 MG Delayed Release Oral Tablet", "854868", "tablet", "rabeprazole"),
)
WORDS = ("Hi, can I get my {} refilled? Thank you", "Refill of {} please", "I need a refill on my {}")


@dataclass(frozen=True, slots=True)
class Clinic:
    """One practice with its Klara connection and the chart ids of patients who have not written yet."""

    key: str
    practice: Practice
    klara: Connection
    patients: list[int]


# the vendors' side --------------------------------------------------------------------------------------------------


def world(*, now: datetime, practices: int, patients: int) -> dict[str, Any]:
    """The world document: every clinic has one doctor, one office, `patients` patients with one drug each."""
    pharmacy = {"ncpdp": PHARMACY, "npi": seeding.npi(7_990_002), "name": "Bench Pharmacy", "address": "8 Mill Road",
                "city": "Albany", "state": "NY", "zip_code": "12207", "phone": "5185550900", "fax": "5185550901",
                "profile": "direct"}  # fmt: skip
    rows = [_clinic(number, patients, now.astimezone(ZoneInfo(ZONE))) for number in range(1, practices + 1)]
    return {"seed": 1, "made_at": now.isoformat(), "pharmacies": [pharmacy], "practices": rows}


def _clinic(number: int, patients: int, local: datetime) -> dict[str, Any]:
    people = range(number * 10_000, number * 10_000 + patients)
    doctor = {"id": 300_000 + number, "user_id": str(440_000 + number), "username": f"bench{number}",
              "first_name": "Abena", "last_name": "Osei", "suffix": "MD", "specialty": "Internal Medicine",
              "npi": seeding.npi(23_000_000 + number), "spis": [f"{6_200_000_000 + number:010d}001"],
              "dea": seeding.dea("O", number), "state_license": f"NY{number}", "suspended": False}  # fmt: skip
    place = {"city": "Albany", "state": "NY", "zip_code": "12207"}
    return {
        "key": f"b{number}", "name": f"Bench {number}", "timezone": ZONE, "address": "1 Main St", **place,
        "phone": f"(518) 555-{number:04d}", "client_id": f"bench-client-{number}",
        "client_secret": f"bench-secret-{number}-0123456789abcdef", "redirect_uris": [],
        "practice_group": str(78_000 + number), "drchrono_webhook_secret": f"bench-hook-{number}-0123456789abcdef",
        "klara": _klara(number),
        "surescripts": {"account": f"bench-{number}", "fingerprint": f"{number + 4096:040x}"},
        "doctors": [doctor],
        "staff": [],
        "offices": [{"id": 410_000 + number, "name": "Main", "doctor": doctor["id"], "address": "1 Main St", **place,
                     "phone_number": f"(518) 555-{number:04d}"}],
        "task_statuses": [{"id": 5_000 + number, "name": "Open", "status_category": "O"},
                          {"id": 6_000 + number, "name": "Complete", "status_category": "C"}],
        "task_categories": [{"id": 7_000 + number, "name": "Refill"}],
        "patients": [_patient(one, number, local) for one in people],
        "appointments": [_visit(one, number, local) for one in people],
        "medications": [_drug(one, number, local) for one in people],
        "prescription_messages": [], "allergies": [], "problems": [], "patient_lab_results": [],
    }  # fmt: skip


def _klara(number: int) -> dict[str, Any]:
    return {
        "practice_id": f"prac_b{number}", "api_key": f"bench-klara-{number}-0123456789", "client_id": f"kb{number}",
        "client_secret": f"bench-klara-secret-{number}-0123456789", "webhook_secrets": [SECRET], "macros": [],
        "channels": [{"id": f"chan_b{number}", "name": "Main", "type": "sms", "phone_number": f"+1518555{number:04d}",
                      "location_id": f"loc_b{number}", "timezone": ZONE}],
    }  # fmt: skip


def _patient(one: int, number: int, local: datetime) -> dict[str, Any]:
    first, last = seeding.FIRST[one % len(seeding.FIRST)], seeding.LAST[one % len(seeding.LAST)]
    born = f"{1950 + one % 40}-03-{1 + one % 28:02d}"
    chart = {
        "id": one, "chart_id": f"B{one}", "first_name": first, "middle_name": None, "last_name": last,
        "nick_name": "", "date_of_birth": born, "gender": "Female", "doctor": 300_000 + number, "patient_status": "A",
        "cell_phone": f"(518) 556-{one % 10000:04d}", "home_phone": "", "office_phone": "", "email": "",
        "address": f"{one % 100 + 1} Willow Lane", "city": "Albany", "state": "NY", "zip_code": "12207",
        "date_of_first_appointment": "2019-05-02", "date_of_last_appointment": _day(local, 96),
        "default_pharmacy": PHARMACY, "preferred_pharmacies": [PHARMACY], "disable_sms_messages": False,
        "preferred_language": "eng", "race": "blank", "ethnicity": "blank", "offices": [410_000 + number], "copay": "",
        "created_at": "2019-04-28T10:11:12", "updated_at": f"{_day(local, 20)}T10:11:12",
    }  # fmt: skip
    klara = {"id": f"pat_{one}", "first_name": first, "last_name": last, "date_of_birth": born,
             "phone": f"+1518556{one % 10000:04d}", "identity_verified": True, "merged_into": None,
             "external_ids": [{"system": "drchrono", "value": str(one)}]}  # fmt: skip
    return {"drchrono": chart, "klara": klara}


def _visit(one: int, number: int, local: datetime) -> dict[str, Any]:
    seen = _day(local, 96)
    return {"id": str(250_000_000 + one), "patient": one, "doctor": 300_000 + number, "office": 410_000 + number,
            "exam_room": 1, "scheduled_time": f"{seen}T14:30:00", "duration": 20, "status": "Complete",
            "reason": "Follow-up", "notes": "", "profile": None, "appt_is_break": False, "is_walk_in": False,
            "recurring_appointment": False, "deleted_flag": False, "icd10_codes": ["I10"],
            "created_at": f"{seen}T08:00:00", "updated_at": f"{seen}T15:05:31"}  # fmt: skip


def _drug(one: int, number: int, local: datetime) -> dict[str, Any]:
    name, rxcui, unit, _ = DRUGS[one % len(DRUGS)]
    return {"id": 90_000_000 + one, "patient": one, "doctor": 300_000 + number, "appointment": None, "name": name,
            "rxnorm": rxcui, "ndc": "", "status": "active", "order_status": "Electronic eRx Sent",
            "dosage_quantity": "1", "dosage_units": unit, "route": "oral", "frequency": "once daily", "prn": False,
            "dispense_quantity": 90, "number_refills": 0, "daw": False, "indication": "Reflux",
            "signature_note": f"Take 1 {unit} by mouth once daily", "pharmacy_note": "", "notes": "",
            "date_prescribed": _day(local, 80), "date_started_taking": "2019-05-02",
            "date_stopped_taking": None}  # fmt: skip


def _day(local: datetime, ago: int) -> str:
    return (local - timedelta(days=ago)).date().isoformat()


# our side -----------------------------------------------------------------------------------------------------------


def seed(*, now: datetime, practices: int, patients: int) -> list[Clinic]:
    """Give the vendors their world and open every clinic. The sandboxes run already."""
    document = world(now=now, practices=practices, patients=patients)
    desks = clinic_day.desks()
    for desk in desks.values():
        desk.post("world", document)
    desks["drchrono"].post("settings", {"hourly_limit": 10_000_000, "burst_limit": 10_000})
    desks["surescripts"].post("settings", {"rxfill": "never"})
    with override_settings(DRCHRONO_RATE_PER_SECOND=10_000, DRCHRONO_BURST=10_000):  # only while seeding
        made = [_open(row, now) for row in document["practices"]]
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda clinic: _read_chart(clinic, clock.now()), made))
    desks["drchrono"].post("settings", {"burst_limit": None})
    directory.refresh(now=clock.now())
    return made


def _open(row: dict[str, Any], now: datetime) -> Clinic:
    practice = opening.open_practice(
        name=row["name"], slug=row["key"], time_zone=ZONE, actor=ACTOR, now=now, quiet_seconds=0,
        undo_seconds_automatic=0, booking_url="https://book.example.org/bench",
    )  # fmt: skip
    opening.record_baa(practice=practice, signed_on=date(2026, 1, 2), signed_by="Bench", actor=ACTOR, now=now)
    Practice.objects.filter(pk=practice.pk).update(is_shadow=False, undo_seconds_person=0)
    practice.refresh_from_db()
    office, doctor = row["offices"][0], row["doctors"][0]
    place = Location.objects.create(
        practice=practice, name="Main", drchrono_office_id=str(office["id"]), address_line_1=office["address"],
        city=office["city"], state=office["state"], zip=office["zip_code"], phone="5185550100", fax="5185550109",
    )  # fmt: skip
    channel = row["klara"]["channels"][0]
    Channel.objects.create(practice=practice, external_id=channel["id"], location=place,
                           phone_number=channel["phone_number"], kind=Channel.Kind.sms)  # fmt: skip
    osei, pat = (_person(practice, role) for role in (Role.prescriber, Role.administrator))
    provider = Provider.objects.create(
        practice=practice, user=osei, first_name="Abena", last_name="Osei", suffix="MD", npi=doctor["npi"],
        dea_number=doctor["dea"], drchrono_doctor_id=str(doctor["id"]), drchrono_user_id=doctor["user_id"],
        location=place,
    )  # fmt: skip
    Spi.objects.create(practice=practice, provider=provider, location=place, spi=doctor["spis"][0])
    consents.give(provider=provider, by=osei, now=now)
    _rules(practice, pat, osei, now)
    accounts = {vendor: _connection(practice, vendor, row, now) for vendor in Vendor}
    _authorise(accounts[Vendor.drchrono], pat, now)
    return Clinic(row["key"], practice, accounts[Vendor.klara], [one["drchrono"]["id"] for one in row["patients"]])


def _person(practice: Practice, role: str) -> User:
    user = User.objects.create(email=f"{role}-{practice.slug}@example.org", full_name=f"Bench {role}")
    Membership.objects.create(practice=practice, user=user, role=role)
    return user


def _rules(practice: Practice, by: User, second: User, now: datetime) -> None:
    adoptions = [{"class": key, "by": "Dr. Osei", "on": "2026-01-05", "note": ""} for key in CLASSES]
    found = policy.to_document(policy=policy.Policy(adopted_classes=frozenset(CLASSES)))
    document = {"policy": found, "adoptions": adoptions}
    documents.check(document=document)
    version = versions.draft(practice=practice, by=by, document=document, now=now)
    versions.propose(version_id=version.pk, by=by, now=now)
    publishing.publish(version_id=version.pk, by=second, now=now)


def _connection(practice: Practice, vendor: Vendor, row: dict[str, Any], now: datetime) -> Connection:
    account, secrets = {
        Vendor.klara: (
            row["klara"]["practice_id"],
            {SecretKind.webhook_secret: SECRET, SecretKind.api_key: row["klara"]["api_key"]},
        ),
        Vendor.drchrono: (
            row["practice_group"],
            {SecretKind.client_secret: row["client_secret"], SecretKind.webhook_secret: row["drchrono_webhook_secret"]},
        ),
        Vendor.surescripts: (
            row["surescripts"]["account"],
            {SecretKind.certificate: row["surescripts"]["fingerprint"]},
        ),
    }[vendor]
    made = Connection.objects.create(
        practice=practice, vendor=vendor, stage=practice.stage, account=account,
        client_id=row["client_id"] if vendor == Vendor.drchrono else "",
        profile={"auth": {"mode": "api_key"}} if vendor == Vendor.klara else {},
        status=ConnectionStatus.new if vendor == Vendor.drchrono else ConnectionStatus.active,
    )  # fmt: skip
    for kind, value in secrets.items():
        vault.store(connection=made, kind=kind, value=value, now=now, actor=ACTOR)
    return made


def _authorise(connection: Connection, by: User, now: datetime) -> None:
    url = oauth.authorise_url(connection=connection, user_id=by.id, redirect_uri=REDIRECT, now=now)
    answer = requests.get(url, timeout=30, allow_redirects=False)
    found = parse_qs(urlsplit(answer.headers["Location"]).query)
    oauth.read_state(state=found["state"][0], user_id=by.id, now=now)
    oauth.exchange(connection=connection, code=found["code"][0], redirect_uri=REDIRECT, now=now, actor=ACTOR)


def _read_chart(clinic: Clinic, now: datetime) -> None:
    """The set-up ids, the changes and one nightly sweep, as a clinic's first night would bring them."""
    try:
        account = Connection.objects.select_related("practice").get(practice=clinic.practice, vendor=Vendor.drchrono)
        upkeep.save_set_up(connection=account, now=now, actor=ACTOR)
        line = Line(connection=account, now=now, actor=ACTOR)
        mirror_sweeps.look_for_changes(line=line, budget=20)
        doctors = tuple(Provider.objects.filter(practice=clinic.practice).values_list("drchrono_doctor_id", flat=True))
        mirror_sweeps.sweep(line=line, doctor_ids=doctors, kind=SweepKind.nightly, budget=40)
    finally:
        database.close()


def age_mirror(*, now: datetime) -> None:
    """Make every copy of a chart too old to act on, as it is most of the day."""
    old = now - timedelta(hours=5)
    MirrorPatient.objects.update(patient_read_at=old, medications_read_at=old)


# messages -----------------------------------------------------------------------------------------------------------


def ask(*, clinics: list[Clinic], count: int, now: datetime) -> list[bytes]:
    """`count` signed webhooks, one refill each from a patient who has not written yet, round the clinics.

    Klara knows each message and conversation too, so that replies find their thread and its own poll finds the same.
    """
    chosen = [(clinics[number % len(clinics)], number) for number in range(count)]
    wishes, people = [], []
    for clinic, number in chosen:
        one = clinic.patients.pop()
        text = WORDS[number % len(WORDS)].format(DRUGS[one % len(DRUGS)][3])
        wishes.append({"practice": clinic.key, "patient": f"pat_{one}", "text": text, "conversation": "new",
                       "lose": True})  # fmt: skip
        people.append((clinic, one, text))
    desk, said = clinic_day.Desk(vendor="klara"), []
    for start in range(0, count, 500):
        said += desk.post("say_many", {"messages": wishes[start : start + 500]})["results"]
    return [
        signed(connection=clinic.klara, body=_body(clinic, one, text, row, now, number), now=now)
        for number, ((clinic, one, text), row) in enumerate(zip(people, said, strict=True))
    ]


def _body(clinic: Clinic, one: int, text: str, said: dict[str, Any], now: datetime, number: int) -> dict[str, Any]:
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    person = _patient(one, 0, now)["klara"]
    channel = {"id": f"chan_{clinic.key}", "type": "sms", "phone_number": "+15185550100", "location_id": "loc_1"}
    return {
        "id": f"evt_{said['message_id']}", "type": "message.created", "api_version": "2026-01-01",
        "occurred_at": moment, "sequence": number + 1, "practice_id": clinic.klara.account,
        "data": {
            "patient": {name: value for name, value in person.items() if name != "merged_into"},
            "conversation": {"id": said["conversation_id"], "status": "open", "reason": "Prescriptions / Refills",
                             "tags": [], "channel": channel},
            "message": {"id": said["message_id"], "direction": "inbound", "body": text, "sent_at": moment,
                        "author": {"type": "patient", "id": person["id"]}, "attachments": [], "source": "text"},
        },
    }  # fmt: skip


def signed(*, connection: Connection, body: dict[str, Any], now: datetime) -> bytes:
    """One raw signed HTTP request to the connection's endpoint."""
    path = reverse("review:klara_webhook", kwargs={"token": connection.endpoint_token})
    raw, used = json.dumps(body).encode(), profile.of(raw=connection.profile)
    headers = signing.sign(body=raw, secrets=[SECRET], profile=used, event_id=body["id"], now=now, path=path)
    head = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {len(raw)}"]
    head += [f"{name}: {value}" for name, value in headers] + ["Connection: close", "", ""]
    return "\r\n".join(head).encode() + raw
