"""The houses of the stage: two practices with people, rules, vendor accounts and a world that all vendors share.

Builds rows and reads them for a story; it neither moves the clock nor does any of the hub's work.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils.http import urlencode

from audit import verification
from integrations import upkeep, vault
from integrations.models import Connection, ConnectionStatus, SecretKind, Vendor
from integrations.sandbox import drugs, seeding
from integrations.sandbox.frame import Simulator
from integrations.sandbox.wire import Request
from integrations.sandbox.world import World
from refillhub.practices import references
from refillhub.practices.models import (
    AutoApprovalConsent,
    Channel,
    Location,
    Practice,
    Provider,
    Role,
    Spi,
    User,
)
from review import webhooks
from review.ledger import SYSTEM
from review.models import Alarm, Dispatch, RefillRequest
from tests.review import rows

START = datetime(2026, 11, 17, 15, 14, tzinfo=UTC)  # a Tuesday, 10:14 am Eastern
ZONE = "America/New_York"
SECRET = "whsec_QW5hLWFuZC1Eci1Pc2VpLWFuZC1Eci1MaW5kLTAxMjM0NTY3ODk="
MALLORYS = "whsec_TWFsbG9yeS1vZi10aGUtb3RoZXItcHJhY3RpY2UtMDEyMzQ1Njc="
OMEPRAZOLE = next(drug for drug in drugs.MAINTENANCE if drug.name.startswith("omeprazole"))
HAPPY = "9990001"
BIRCH = {
    "ncpdp": "3699001", "npi": "1679576722", "name": "Birch Lane Pharmacy", "address": "7 Birch Lane",
    "city": "Nashville", "state": "TN", "zip_code": "37203", "phone": "6152219900", "fax": "6152219901",
    "profile": "happy", "controlled": True,
}  # fmt: skip
Row = dict[str, Any]


def call(simulator: Simulator, verb: str, wish: Mapping[str, Any] | None = None, **params: str) -> Any:
    """One call of a vendor's test desk; GET without a wish. Raises AssertionError with the desk's words."""
    answer = simulator.handle(
        Request(
            method="GET" if wish is None else "POST",
            path=f"/__sim__/{verb}",
            query=urlencode(params),
            headers={"content-type": "application/json"},
            body=b"" if wish is None else json.dumps(wish).encode(),
            base_url="https://sandbox.test",
        )
    )
    assert answer.status < 300, answer.body.decode()
    return json.loads(answer.body)


@dataclass
class House:
    """One practice of the cast with its people and its Klara endpoint."""

    key: str
    practice: Practice
    osei: Provider
    lind: Provider
    mia: User
    cora: User
    pat: User
    klara: Connection
    secret: str
    surescripts: Connection = field(init=False)
    drchrono: Connection = field(init=False)

    @property
    def hook(self) -> str:
        """Path of its Klara endpoint."""
        return f"/webhooks/klara/{self.klara.endpoint_token}/"

    def change(self, **values: Any) -> None:
        """Change the practice, and what the webhook remembers of it."""
        Practice.objects.filter(pk=self.practice.pk).update(**values)
        self.practice.refresh_from_db()
        webhooks.forget()

    def requests(self, **wanted: Any) -> list[RefillRequest]:
        """Its requests, oldest first."""
        return list(RefillRequest.objects.filter(practice=self.practice, **wanted).order_by("opened_at", "id"))

    def request(self, **wanted: Any) -> RefillRequest:
        """The only request."""
        found = self.requests(**wanted)
        assert len(found) == 1, [(row.kind, row.state, row.reasons) for row in found]
        return found[0]

    def alarms(self) -> set[str]:
        """Kinds of its alarms."""
        return set(Alarm.objects.filter(practice=self.practice).values_list("kind", flat=True))

    def alarm_keys(self, kind: str) -> str:
        """What its alarms of a kind name."""
        return " ".join(Alarm.objects.filter(practice=self.practice, kind=kind).values_list("key", flat=True))

    def dispatches(self, **wanted: Any) -> list[Dispatch]:
        """Its dispatches, oldest first."""
        return list(Dispatch.objects.filter(practice=self.practice, **wanted).order_by("queued_at", "id"))

    def is_whole(self) -> bool:
        """Whether its audit chain verifies."""
        report = verification.verify_one(practice_id=self.practice.id)
        return report.verified.fault is None and report.verified.entries > 0


def world() -> World:
    """Two practices with two doctors each and no patients yet; their vendor ids are this test's own."""
    document = seeding.generate(seed=1, now=START, practices=2, patients=0, doctors=2, zone=ZONE)
    document["pharmacies"].append(BIRCH)
    mark = uuid.uuid4().hex[:8]
    for practice in document["practices"]:
        practice["client_id"] += f"-{mark}"  # budgets are shared by client id
        for doctor, (first, last) in zip(practice["doctors"], (("Abena", "Osei"), ("Karin", "Lind")), strict=True):
            doctor.update(first_name=first, last_name=last)
    return World(document=document)


def house(*, clinic: Any, key: str, secret: str, **values: Any) -> House:
    """A practice with people, rules, connections, and its Klara endpoint registered."""
    document = clinic.network.world.practice(key)
    practice = Practice(
        name={"p1": "Lakeside Internal Medicine"}.get(key, "Mallory Family Care"), slug=f"{key}-{uuid.uuid4().hex[:8]}",
        time_zone=ZONE, booking_url="https://book.example.org/lakeside", baa_signed_on=date(2026, 1, 2),
        baa_signed_by="Pat Moss", is_shadow=False, quiet_seconds=0, undo_seconds_automatic=0, undo_seconds_person=0,
        opens_at=time(7), closes_at=time(19), **values,
    )  # fmt: skip
    references.provide_key(practice=practice)
    practice.save()
    place = Location.objects.create(
        practice=practice, name="Main", address_line_1="211 Central Road", city="Nashville", state="TN", zip="37205",
        phone="6152218800", fax="6152218801", drchrono_office_id=str(document["offices"][0]["id"]),
    )  # fmt: skip
    for channel in document["klara"]["channels"]:
        Channel.objects.create(practice=practice, location=place, external_id=channel["id"])
    osei, lind = (_provider(practice, place, doctor) for doctor in document["doctors"])
    rows.make_rules(practice)
    accounts = {
        Vendor.klara: ("https://klara.test/v1", document["klara"]["practice_id"]),
        Vendor.drchrono: ("https://drchrono.test", ""),
        Vendor.surescripts: ("https://surescripts.test", document["surescripts"]["account"]),
    }
    made = {
        vendor: Connection.objects.create(
            practice=practice, vendor=vendor, stage="dev", status=ConnectionStatus.active, base_url=url,
            account=account,
            client_id=document["client_id"] if vendor == Vendor.drchrono else "",
            profile={"auth": {"mode": "api_key"}} if vendor == Vendor.klara else {},
        )
        for vendor, (url, account) in accounts.items()
    }  # fmt: skip
    grant = call(clinic.chart, "grant", {"practice": key})
    _secrets(made, document, grant, secret, clinic.now)
    Connection.objects.filter(pk=made[Vendor.drchrono].pk).update(token_expires_at=clinic.now + timedelta(days=2))
    chart = Connection.objects.get(pk=made[Vendor.drchrono].pk)
    upkeep.save_set_up(connection=chart, now=clinic.now, actor=SYSTEM)
    people = {role: rows.make_user(practice, role, name) for role, name in (
        (Role.assistant, "Mia Stone"), (Role.compliance, "Cora Bell"), (Role.administrator, "Pat Moss"))}  # fmt: skip
    home = House(key, practice, osei, lind, people[Role.assistant], people[Role.compliance], people[Role.administrator],
                 made[Vendor.klara], secret)  # fmt: skip
    home.surescripts, home.drchrono = made[Vendor.surescripts], made[Vendor.drchrono]
    call(clinic.chat, "endpoint", {"practice": key, "url": f"https://hub.test{home.hook}", "secrets": [secret]})
    return home


def _provider(practice: Practice, place: Location, doctor: dict[str, Any]) -> Provider:
    provider = Provider.objects.create(
        practice=practice, user=rows.make_user(practice, Role.prescriber, f"Dr. {doctor['last_name']}"),
        first_name=doctor["first_name"], last_name=doctor["last_name"], suffix="MD", npi=doctor["npi"],
        drchrono_doctor_id=str(doctor["id"]), drchrono_user_id=doctor["user_id"], location=place,
    )  # fmt: skip
    Spi.objects.create(practice=practice, provider=provider, location=place, spi=doctor["spis"][0])
    AutoApprovalConsent.objects.create(practice=practice, provider=provider, given_at=START, given_by=provider.user)
    return provider


def _secrets(
    made: dict[Vendor, Connection], document: dict[str, Any], grant: dict[str, Any], secret: str, now: datetime
) -> None:
    for vendor, kind, value in (
        (Vendor.klara, SecretKind.webhook_secret, secret),
        (Vendor.klara, SecretKind.api_key, document["klara"]["api_key"]),
        (Vendor.drchrono, SecretKind.client_secret, document["client_secret"]),
        (Vendor.drchrono, SecretKind.access_token, grant["access_token"]),
        (Vendor.drchrono, SecretKind.refresh_token, grant["refresh_token"]),
        (Vendor.drchrono, SecretKind.webhook_secret, document["drchrono_webhook_secret"]),
        (Vendor.surescripts, SecretKind.certificate, document["surescripts"]["fingerprint"]),
    ):
        vault.store(connection=made[vendor], kind=kind, value=value, now=now, actor=SYSTEM)
