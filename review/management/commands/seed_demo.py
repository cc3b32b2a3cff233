"""`manage.py seed_demo`: Lakeside Internal Medicine, ready to work against the three pretended vendors.

Safe to run again: what is there is left alone, what the vendors forgot (they keep nothing between runs) is given to
them anew. Refuses unless every vendor address is a sandbox on this machine.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from integrations import mirror_sweeps, upkeep, vault
from integrations.drchrono import oauth
from integrations.drchrono.wire import Line
from integrations.models import Connection, ConnectionStatus, SecretKind, SecretState, SweepKind, Vendor
from refillhub.practices import clock, consents, otp, references
from refillhub.practices.models import Channel, Coverage, Location, Membership, Practice, Provider, Role, Spi, User
from review import directory, supplies
from review.ledger import SYSTEM
from review.management import clinic_day
from review.models import FillReport, RefillRequest
from rules import documents, policy, publishing, versions

CHANNEL_KINDS = {"sms": Channel.Kind.sms, "voicemail": Channel.Kind.voice}
REDIRECT = "http://127.0.0.1/connections/drchrono/return"
ADOPTED_BY = "Dr. Abena Osei, medical director (demo)"


class Command(BaseCommand):
    help = "Seed the demo practice and the three sandbox vendors. Refuses anything but sandboxes on this machine."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, or say why not."""
        if not settings.DEMO:
            raise CommandError("DEMO is not set: this command makes sign-ins whose passwords stand in the repository")
        try:
            seed(now=clock.now())
        except (clinic_day.NotTheSandbox, clinic_day.DeskRefused) as refused:
            raise CommandError(str(refused)) from refused


def seed(*, now: datetime) -> Practice:
    """Vendors' world, practice, people, connections, rules, first reading of the chart. Returns the practice."""
    desks = clinic_day.desks()
    data = clinic_day.read("practice")
    practice = _practice(data)
    run = clinic_day.run_of(practice=practice) + int(RefillRequest.objects.filter(practice=practice).exists())
    world = clinic_day.world(now=now, run=run)
    for desk in desks.values():
        desk.post("world", world)
    places = {row["key"]: _place(practice, row, data) for row in data["offices"]}
    for row in data["klara"]["channels"]:
        Channel.objects.update_or_create(
            practice=practice, external_id=row["id"],
            defaults={"location": places[row["office"]], "phone_number": row["phone_number"],
                      "kind": CHANNEL_KINDS[row["type"]]},
        )  # fmt: skip
    people = {row["key"]: _person(practice, row) for row in data["people"]}
    providers = {
        row["key"]: _provider(practice, row, places["main"], people.get(row["key"])) for row in data["doctors"]
    }
    _away(practice, data["doctors"], providers, now)
    for row in data["doctors"]:
        provider = providers[row["key"]]
        if row.get("consents") and provider.user is not None and consents.standing(provider=provider) is None:
            consents.give(provider=provider, by=provider.user, now=now)
    made = {vendor: _connection(practice, vendor, data, run) for vendor in Vendor}
    _secrets(made, data, now)
    _authorise(made[Vendor.drchrono], people["pat"], now)
    _rules(practice, data["adopted"], people, now)
    desks["klara"].post("endpoint", {
        "practice": data["practice"]["key"], "secrets": [data["klara"]["webhook_secret"]],
        "url": f"{settings.PUBLIC_URL}/webhooks/klara/{made[Vendor.klara].endpoint_token}/",
    })  # fmt: skip
    directory.refresh(now=now)
    _read_chart(made[Vendor.drchrono], practice, providers, now)
    _fills(practice, data["fills"], run, now)
    return practice


def _practice(data: dict[str, Any]) -> Practice:
    practice = Practice.objects.filter(slug=clinic_day.SLUG).first()
    if practice is None:
        practice = Practice(slug=clinic_day.SLUG)
        references.provide_key(practice=practice)
    practice.name = data["practice"]["name"]
    practice.time_zone = data["practice"]["timezone"]
    practice.opens_at, practice.closes_at = time(7), time(19)
    practice.booking_url = "https://book.example.org/lakeside"
    practice.baa_signed_on, practice.baa_signed_by = date(2026, 1, 2), "Pat Moss"
    practice.is_shadow = False
    practice.quiet_seconds = settings.DEMO_QUIET_SECONDS
    practice.undo_seconds_automatic = practice.undo_seconds_person = settings.DEMO_UNDO_SECONDS
    practice.on_call_enabled = False
    practice.save()
    return practice


def _place(practice: Practice, row: dict[str, Any], data: dict[str, Any]) -> Location:
    own_zone = "" if row["timezone"] == data["practice"]["timezone"] else row["timezone"]
    place, _ = Location.objects.update_or_create(
        practice=practice, name=row["name"],
        defaults={"time_zone": own_zone, "drchrono_office_id": str(row["id"]), "address_line_1": row["address"],
                  "city": row["city"], "state": row["state"], "zip": row["zip_code"],
                  "phone": "".join(c for c in row["phone_number"] if c.isdigit()),
                  "fax": "".join(c for c in row["phone_number"] if c.isdigit())[:-1] + "9"},
    )  # fmt: skip
    return place


def _person(practice: Practice, row: dict[str, Any]) -> User:
    user = User.objects.filter(email=row["email"]).first()
    if user is None:
        user = User.objects.create_user(row["email"], row["password"], full_name=row["name"],
                                        is_staff=bool(row.get("staff")))  # fmt: skip
    Membership.objects.get_or_create(practice=practice, user=user, role=Role(row["role"]))
    if not otp.is_enrolled(user=user):
        TOTPDevice.objects.create(user=user, name="authenticator", confirmed=True,
                                  key=clinic_day.totp_key(row["totp"]))  # fmt: skip
    return user


def _provider(practice: Practice, row: dict[str, Any], place: Location, user: User | None) -> Provider:
    provider, _ = Provider.objects.update_or_create(
        practice=practice, npi=row["npi"],
        defaults={"user": user, "first_name": row["first_name"], "last_name": row["last_name"], "suffix": "MD",
                  "dea_number": row["dea"], "drchrono_doctor_id": str(row["id"]), "drchrono_user_id": row["user_id"],
                  "on_call_order": row.get("on_call"), "location": place},
    )  # fmt: skip
    for number in row["spis"]:
        Spi.objects.get_or_create(practice=practice, provider=provider, location=place, defaults={"spi": number})
    return provider


def _away(practice: Practice, rows: list[dict[str, Any]], providers: dict[str, Provider], now: datetime) -> None:
    for row in rows:
        if "covered_by" in row and not Coverage.objects.during(now).filter(provider=providers[row["key"]]).exists():
            Coverage.objects.create(
                practice=practice, provider=providers[row["key"]], stand_in=providers[row["covered_by"]],
                starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=3), note="Away this week",
            )  # fmt: skip


def _connection(practice: Practice, vendor: Vendor, data: dict[str, Any], run: int) -> Connection:
    accounts = {
        Vendor.klara: data["klara"]["practice_id"],
        Vendor.drchrono: data["practice"]["practice_group"],
        Vendor.surescripts: data["practice"]["surescripts"]["account"],
    }
    row, _ = Connection.objects.get_or_create(practice=practice, vendor=vendor, stage=practice.stage)
    row.account = accounts[vendor]
    row.client_id = data["practice"]["client_id"] if vendor == Vendor.drchrono else ""
    row.profile = {"auth": {"mode": "api_key"}} if vendor == Vendor.klara else {}
    row.status = ConnectionStatus.new if vendor == Vendor.drchrono else ConnectionStatus.active
    row.poll_cursor = {}
    row.facts = {**row.facts, "demo_run": run}
    row.save()
    return row


def _secrets(made: dict[Vendor, Connection], data: dict[str, Any], now: datetime) -> None:
    for vendor, kind, value in (
        (Vendor.klara, SecretKind.webhook_secret, data["klara"]["webhook_secret"]),
        (Vendor.klara, SecretKind.api_key, data["klara"]["api_key"]),
        (Vendor.drchrono, SecretKind.client_secret, data["practice"]["client_secret"]),
        (Vendor.drchrono, SecretKind.webhook_secret, data["practice"]["drchrono_webhook_secret"]),
        (Vendor.surescripts, SecretKind.certificate, data["practice"]["surescripts"]["fingerprint"]),
    ):
        if not made[vendor].secrets.filter(kind=kind, state=SecretState.active).exists():
            vault.store(connection=made[vendor], kind=kind, value=value, now=now, actor=SYSTEM)


def _authorise(connection: Connection, by: User, now: datetime) -> None:
    """The real road: authorise page (which the sandbox approves at once), code, tokens, then the look-up of ids."""
    url = oauth.authorise_url(connection=connection, user_id=by.id, redirect_uri=REDIRECT, now=now)
    answer = clinic_day.session().get(url, timeout=30, allow_redirects=False)
    found = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    if "code" not in found:
        raise clinic_day.DeskRefused(f"the sandbox did not approve the connection: {answer.status_code}")
    oauth.read_state(state=found["state"][0], user_id=by.id, now=now)
    oauth.exchange(connection=connection, code=found["code"][0], redirect_uri=REDIRECT, now=now, actor=SYSTEM)
    connection.refresh_from_db()
    upkeep.save_set_up(connection=connection, now=now, actor=SYSTEM)


def _rules(practice: Practice, adopted: list[str], people: dict[str, User], now: datetime) -> None:
    """Version 1: drafted and proposed by the administrator, published by a prescriber."""
    if versions.in_force(practice=practice, now=now) is not None:
        return
    day = now.astimezone(UTC).date().isoformat()
    document = {
        "policy": policy.to_document(policy=policy.Policy(adopted_classes=frozenset(adopted))),
        "adoptions": [{"class": key, "by": ADOPTED_BY, "on": day, "note": "for the demo"} for key in adopted],
    }
    documents.check(document=document)
    version = versions.draft(practice=practice, by=people["pat"], document=document, now=now, note="Demo rules")
    versions.propose(version_id=version.pk, by=people["pat"], now=now)
    publishing.publish(version_id=version.pk, by=people["osei"], now=now)


def _fills(practice: Practice, rows: list[dict[str, Any]], run: int, now: datetime) -> None:
    """What pharmacies reported before today: history the network does not repeat."""
    for row in rows:
        FillReport.objects.get_or_create(
            practice=practice, message_id=f"history-{row['who']}-{run}",
            defaults={"patient_external_id": clinic_day.people(run=run)[row["who"]].chart_id, "kind": "Dispensed",
                      "ingredient_key": supplies.ingredient_key(tuple(row["ingredients"])),
                      "filled_on": (now - timedelta(days=row["days_ago"])).date(), "days_supply": row["days_supply"],
                      "fills_left": row["fills_left"], "received_at": now - timedelta(days=row["days_ago"])},
        )  # fmt: skip


def _read_chart(connection: Connection, practice: Practice, providers: dict[str, Provider], now: datetime) -> None:
    """Every patient and every list entry once, and the calendar, so that the first message meets a known chart."""
    line = Line(connection=connection, now=now, actor=SYSTEM)
    mirror_sweeps.look_for_changes(line=line, budget=20)
    ids = tuple(sorted(provider.drchrono_doctor_id for provider in providers.values()))
    mirror_sweeps.sweep(line=line, doctor_ids=ids, kind=SweepKind.nightly, budget=40)
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(last_ok_at=now)
