"""The stage of the stories: one small practice (and Mallory's) against three pretended vendors, under one frozen clock.

Stories say what a patient wrote and at what hour; they are judged by the vendors' journals. No sockets, no sleeping.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection
from django.test import Client

from integrations import http, limits, mirror, vault
from integrations.drchrono.wire import Line
from integrations.klara import profile as profiles
from integrations.klara import signing
from integrations.models import Connection, SecretKind, Vendor
from integrations.sandbox import drchrono, drugs, klara, surescripts
from integrations.sandbox.clock import Clock
from integrations.sandbox.courier import Courier, Reply
from integrations.sandbox.frame import Simulator
from refillhub.practices import clock as hub_clock
from review import charts, delivery, directory, intake, mailbox, timers, webhooks
from review.ledger import SYSTEM
from review.models import InboundEvent
from review.workflow import inbox
from tests import houses
from tests.houses import HAPPY, OMEPRAZOLE, START, House, Row, call
from tests.wsgi_adapter import WsgiAdapter


@dataclass
class Clinic:
    """The story's stage."""

    clock: Clock
    client: Client
    chart: drchrono.DrChrono
    chat: klara.Klara
    network: surescripts.Surescripts
    house: House = field(init=False)
    mallorys: House = field(init=False)
    serial: int = 0
    is_down: bool = False
    DatabaseGone = OperationalError
    answers: list[int] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    # --- people write -------------------------------------------------------------------------------------------

    def carry(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One POST of a vendor to the hub."""
        if self.is_down:
            return Reply(status=0)
        names = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        is_other = threading.current_thread() is not threading.main_thread()
        client = Client() if is_other else self.client
        try:
            answer = client.generic(
                "POST", urlsplit(url).path, body, content_type=headers.get("Content-Type", ""), headers=names
            )
        finally:
            if is_other:
                connection.close()
        self.answers.append(answer.status_code)
        return Reply(status=answer.status_code, body=answer.content, retry_after=answer.get("Retry-After"))

    def patient(self, first: str = "Ana", last: str = "Reyes", **values: Any) -> str:
        """A patient in both systems with one omeprazole on the list; returns the Klara id.

        `pharmacy`, `medications` (changes to the usual entry), `klara` and `record` (changes to the two records),
        `labs` (lines of the flow sheet) and `vitals` (of the last visit).
        """
        self.serial += 1
        key = values.get("house", self.house).key
        number = 70110000 + self.serial
        phone = f"615221{1000 + self.serial}"
        visit = (self.now - timedelta(days=96)).date()
        record = {
            "id": number, "chart_id": f"C{number}", "first_name": first, "middle_name": None, "last_name": last,
            "nick_name": "", "date_of_birth": "1968-03-04", "gender": "Female",
            "doctor": self.network.world.practice(key)["doctors"][0]["id"], "patient_status": "A",
            "cell_phone": f"({phone[:3]}) {phone[3:6]}-{phone[6:]}", "home_phone": "", "office_phone": "",
            "email": "", "address": "12 Elm St", "city": "Nashville", "state": "TN", "zip_code": "37203",
            "date_of_first_appointment": "2019-05-02", "date_of_last_appointment": visit.isoformat(),
            "default_pharmacy": values.get("pharmacy", HAPPY), "preferred_pharmacies": [],
            "disable_sms_messages": False, "preferred_language": "eng", "race": "blank", "ethnicity": "blank",
            "offices": [], "copay": "", "created_at": "2019-04-28T10:11:12", "updated_at": "2026-10-01T10:00:00",
            **values.get("record", {}),
        }  # fmt: skip
        person = {
            "id": f"pat_{number}", "first_name": record["first_name"], "last_name": record["last_name"],
            "date_of_birth": record["date_of_birth"], "phone": f"+1{phone}", "identity_verified": True,
            "external_ids": [{"system": "drchrono", "value": str(number)}], "merged_into": None,
            **values.get("klara", {}),
        }  # fmt: skip
        entries = [self.entry(number, **changes) for changes in values.get("medications", [{}])]
        appointments = [] if record["date_of_last_appointment"] is None else [self._visit(record)]
        for visit in appointments:
            visit |= {"vitals": values["vitals"]} if "vitals" in values else {}
        labs = [self._lab(record, **each) for each in values.get("labs", [])]
        part = {"key": key, "patients": [{"drchrono": record, "klara": person}]}
        chart = {"medications": entries, "appointments": appointments, "patient_lab_results": labs}
        call(self.chart, "world/add", {"practices": [part | chart]})
        call(self.chat, "world/add", {"practices": [part]})
        return str(person["id"])

    def entry(self, patient: int, *, drug: drugs.Drug = OMEPRAZOLE, days_ago: int = 80, **changes: Any) -> Row:
        """One line of a medication list."""
        self.serial += 1
        prescribed = (self.now.astimezone(UTC) - timedelta(days=days_ago)).date()
        return {
            "id": 98120000 + self.serial, "patient": patient, "doctor": 302100, "appointment": None,
            "name": drug.name, "rxnorm": drug.rxnorm, "ndc": drug.ndc, "status": "active",
            "order_status": "Electronic eRx Sent", "dosage_quantity": "1", "dosage_units": drug.units,
            "route": drug.route, "frequency": drug.frequency, "prn": False, "dispense_quantity": drug.quantity,
            "number_refills": 0, "daw": False, "indication": drug.indication, "signature_note": drug.sig,
            "pharmacy_note": "", "notes": "", "date_prescribed": prescribed.isoformat(),
            "date_started_taking": "2019-05-02", "date_stopped_taking": None, **changes,
        }  # fmt: skip

    def _lab(self, record: dict[str, Any], *, days_ago: int = 40, **changes: Any) -> dict[str, Any]:
        """One line of the flow sheet, as a laboratory interface leaves it."""
        self.serial += 1
        day = (self.now - timedelta(days=days_ago)).date().isoformat()
        return {
            "id": 4410000 + self.serial, "patient": record["id"], "ordering_doctor": record["doctor"],
            "title": "Potassium", "loinc_code": "2823-3", "lab_result_value": "4.4", "lab_result_value_as_float": None,
            "lab_result_value_units": "mmol/L", "lab_normal_range": "", "lab_normal_range_units": "",
            "lab_abnormal_flag": "N", "lab_order_status": "Results Received", "date_test_performed": f"{day}T14:50:00",
            "doctor_signoff": True, "doctor_comments": "", "scanned_in_result": None, "created_at": f"{day}T16:00:11",
            "updated_at": f"{day}T16:12:40", **changes,
        }  # fmt: skip

    def _visit(self, record: dict[str, Any]) -> dict[str, Any]:
        self.serial += 1
        day = record["date_of_last_appointment"]
        return {
            "id": str(250000000 + self.serial), "patient": record["id"], "doctor": record["doctor"], "office": 410010,
            "exam_room": 1, "scheduled_time": f"{day}T14:30:00", "duration": 20, "status": "Complete",
            "reason": "Follow-up", "notes": "", "profile": None, "appt_is_break": False, "is_walk_in": False,
            "recurring_appointment": False, "deleted_flag": False, "icd10_codes": ["I10"],
            "created_at": f"{day}T08:00:00", "updated_at": f"{day}T15:05:31",
        }  # fmt: skip

    def say(self, text: str, patient: str, *, tag: str = "refill", **wish: Any) -> dict[str, Any]:
        """A patient writes; the webhook is delivered at once unless the wish says otherwise."""
        key = wish.pop("house", self.house).key
        said = {"practice": key, "patient": patient, "text": text, "tags": [tag] if tag else [], **wish}
        found: dict[str, Any] = call(self.chat, "say", said)
        return found

    def asks(self, patient: str = "", **wish: Any) -> dict[str, Any]:
        """The plain refill message, tag present."""
        return self.say("Hi, could I get a refill of my omeprazole 20 mg please?", patient or self.patient(), **wish)

    def wish(self, verb: str, **wish: Any) -> Any:
        """A call of Klara's test desk for the house (merge, tag, macro, raw, redeliver, settings)."""
        named = wish if verb in ("settings", "redeliver") else {"practice": self.house.key, **wish}
        return call(self.chat, verb, named)

    def signed(self, body: bytes, event_id: str) -> dict[str, str]:
        """Headers of a delivery of these bytes, by the house's secret."""
        profile = profiles.of(raw=self.house.klara.profile)
        return dict(
            signing.sign(body=body, secrets=[self.house.secret], profile=profile, event_id=event_id, now=self.now)
        )

    def posts(self, body: bytes, headers: Mapping[str, str], *, path: str = "", **environ: str) -> int:
        """Any bytes to the house's endpoint; the status."""
        answer = self.client.generic(
            "POST", path or self.house.hook, body, content_type="application/json", headers=dict(headers), **environ
        )
        return int(answer.status_code)

    def speaks(self, scheme: str) -> None:
        """The account signs in another way, on both sides by configuration."""
        profile = {"profile": scheme, "auth": {"mode": "api_key"}}
        Connection.objects.filter(pk=self.house.klara.pk).update(profile=profile)
        self.house.klara.refresh_from_db()
        webhooks.forget()
        url = f"https://hub.test{self.house.hook}"
        self.wish("endpoint", url=url, secrets=[self.house.secret], profile=scheme)

    def chart_of(self, patient: str) -> dict[str, Any]:
        """The patient's record in DrChrono now."""
        number = patient.removeprefix("pat_")
        found: dict[str, Any] = call(self.chart, "chart", None, practice=self.house.key, resource="patients", id=number)
        return dict(found["record"])

    def chart_line(self) -> dict[str, Any]:
        """The only medication entry of the house's charts now."""
        (found,) = call(self.chart, "chart", None, practice=self.house.key, resource="medications")["records"]
        return dict(found)

    def links(self, patient: str) -> list[dict[str, str]]:
        """The Klara patient's link to a chart."""
        return [{"system": "drchrono", "value": patient.removeprefix("pat_")}]

    def text_of(self, event: InboundEvent) -> str:
        """The words of a stored message, from its sealed body."""
        return str(json.loads(inbox.body_of(event))["data"]["message"]["body"])

    # --- the hub works ------------------------------------------------------------------------------------------

    def work(self, *, rounds: int = 12) -> None:
        """What the workers do until nothing is due: read, send, fetch mail; the clock moves a second each round."""
        for _ in range(rounds):
            self.clock.advance(seconds=1)
            intake.glance(now=self.now)
            done = intake.take_in_due(now=self.now) + delivery.deliver_due(now=self.now)
            if not done + mailbox.poll(now=self.now):
                return

    def reads_at_once(self) -> None:
        """One look of the reader, at this very moment."""
        intake.take_in_due(now=self.now)

    def reads_some(self, limit: int) -> None:
        """One look of a reader that takes so many."""
        intake.take_in_due(now=self.now, limit=limit)

    def writes_in_chart(self, patient: int, drug: str, *, quantity: str) -> None:
        """A prescriber prescribes in DrChrono itself."""
        prescribed = {"MedicationPrescribed": {"DrugDescription": drug, "Quantity": quantity, "Refills": "0"}}
        record = {
            "message_type": "NewRx", "message_direction": "O", "message_status": "Sent", "patient": patient,
            "doctor": self.network.world.practice(self.house.key)["doctors"][0]["id"], "pharmacy": HAPPY,
            "parent_message": None, "json_data": json.dumps(prescribed),
        }  # fmt: skip
        call(self.chart, "chart", {"practice": self.house.key, "resource": "prescription_messages", "record": record})

    def looks_at_chart(self) -> None:
        """Our poll of what changed in the chart."""
        self.clock.advance(seconds=60)
        timers.refresh_mirror(now=self.now)

    def looks_at_patient(self, patient: str) -> None:
        """A read of one patient's chart."""
        number, connection = patient.removeprefix("pat_"), charts.connection_of(self.house.practice)
        mirror.refresh_patient(line=Line(connection=connection, now=self.now, actor=SYSTEM), external_id=number)

    def arrives_at(self, moment: datetime) -> None:
        """The clock stands at this moment, tokens renewed."""
        self.clock.set_time(moment=moment.astimezone(UTC))
        fresh = {"token_expires_at": self.now + timedelta(days=2), "last_refresh_at": self.now}
        Connection.objects.filter(vendor=Vendor.drchrono).update(**fresh)

    starts_at = arrives_at

    def beat(self) -> None:
        """One minute of Celery beat."""
        timers.sweep_minute(now=self.now)
        delivery.repeat_due(now=self.now)
        timers.check_chart_records(now=self.now)
        timers.settle_unresolved(now=self.now)
        timers.release_held(now=self.now)
        timers.escalate(now=self.now)
        self.work()

    def passes(self, *, steps: int = 1, **span: float) -> None:
        """Time passes in equal steps, with a beat after each."""
        for _ in range(steps):
            self.clock.advance(seconds=timedelta(**span).total_seconds() / steps)
            self.beat()

    def goes_to(self, moment: datetime) -> None:
        """Time passes without a beat."""
        self.clock.set_time(moment=moment)

    def fault(self, vendor: Simulator, **fault: Any) -> None:
        """Order a fault at a vendor (`docs/sandbox.md`)."""
        call(vendor, "faults", fault)

    def call(self, vendor: Simulator, verb: str, wish: Mapping[str, Any] | None = None, **params: str) -> Any:
        """Any call of a vendor's test desk."""
        return call(vendor, verb, wish, **params)

    def polls(self) -> int:
        """Our own look at Klara; how many messages it found."""
        self.clock.advance(seconds=1)
        return timers.reconcile_klara(now=self.now)

    def with_oauth(self) -> None:
        """Klara by OAuth client instead of an API key."""
        account = self.network.world.practice(self.house.key)["klara"]
        Connection.objects.filter(pk=self.house.klara.pk).update(
            profile={"auth": {"mode": "oauth2"}}, client_id=account["client_id"]
        )
        self.house.klara.refresh_from_db()
        vault.store(
            connection=self.house.klara, kind=SecretKind.client_secret, value=account["client_secret"], now=self.now,
            actor=SYSTEM,
        )  # fmt: skip
        webhooks.forget()

    # --- the oracles --------------------------------------------------------------------------------------------

    def at_pharmacy(self, **wanted: str) -> list[dict[str, Any]]:
        """What the pharmacies really got."""
        found: list[dict[str, Any]] = call(self.network, "prescriptions", None, **wanted)["prescriptions"]
        return found

    def scripts_sent(self) -> list[dict[str, Any]]:
        """Every NewRx that reached the network, refused ones too."""
        entries: list[dict[str, Any]] = self.network.journal.read(kind="message.in")
        return [entry for entry in entries if entry["ids"]["type"] == "NewRx"]

    def bytes_of(self, row: Mapping[str, Any]) -> bytes:
        """The XML of a prescription, as it reached the network."""
        return bytes(self.network.counter.bodies[str(row["message_id"])])

    def told(self, patient: str = "") -> list[str]:
        """What patients could really read from us, in order."""
        entries = self.chat.journal.read(kind="reply.applied", ids={"patient": patient} if patient else None)
        return [entry["data"]["text"] for entry in entries]

    def written(self, kind: str) -> list[dict[str, Any]]:
        """Records a kind of DrChrono write left there ("task.created", "medication.changed")."""
        return [entry["data"]["record"] for entry in self.chart.journal.read(kind=kind)]

    def left(self) -> int:
        """Writes that left us towards anybody: prescriptions, replies, chart writes, tasks."""
        network = [e for e in self.network.journal.read(kind="message.in") if e["ids"]["type"] in ("NewRx", "CancelRx")]
        chat = self.chat.journal.read(kind="reply.*")
        chart = [
            e for e in self.chart.journal.read(kind="request")
            if e["request"]["method"] in ("POST", "PATCH", "PUT") and "/o/token" not in e["request"]["path"]
        ]  # fmt: skip
        return len(network) + len(chat) + len(chart)

    def count_is_right(self) -> bool:
        """Law 5: every message has its request, and nothing is left unread."""
        waiting = InboundEvent.objects.filter(progress__in=["received", "reading"]).count()
        return not waiting and timers.check_accounting(now=self.now) == {}


def opened(monkeypatch: pytest.MonkeyPatch, client: Client) -> Iterator[Clinic]:
    clock, shared = Clock.frozen(at=START), houses.world()
    stage = Clinic(clock=clock, client=client, chart=None, chat=None, network=None)  # type: ignore[arg-type]
    courier = Courier(deliver=stage.carry)
    stage.chart = drchrono.build(world=shared, clock=clock, seed=1, courier=courier)
    stage.chat = klara.build(world=shared, clock=clock, seed=1, courier=courier)
    stage.network = surescripts.build(world=shared, clock=clock, seed=1)
    monkeypatch.setattr(hub_clock, "now", clock.now)
    monkeypatch.setattr(limits.time, "sleep", lambda seconds: None)  # the limiter counts its sleep itself
    mounted = {
        "https://drchrono.test": stage.chart,
        "https://klara.test": stage.chat,
        "https://surescripts.test": stage.network,
    }
    for url, simulator in mounted.items():
        http.mount(url, WsgiAdapter(simulator))
    vault.forget()
    webhooks.forget()
    try:
        stage.house = houses.house(clinic=stage, key="p1", secret=houses.SECRET)
        stage.mallorys = houses.house(clinic=stage, key="p2", secret=houses.MALLORYS)
        directory.refresh(now=stage.now)
        yield stage
    finally:
        for url in mounted:
            http.unmount(url)
        vault.forget()
        webhooks.forget()
