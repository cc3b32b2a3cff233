"""Smallest valid rows for tests of the workflow: one practice, its people, a chart entry, a pharmacy, an ask."""

import uuid
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from integrations import vault
from integrations.models import MirrorMedication, MirrorPatient, PharmacyEntry
from integrations.outcome import Outcome, OutcomeKind
from refillhub.practices import references
from refillhub.practices.models import (
    AutoApprovalConsent,
    Location,
    Membership,
    Practice,
    Provider,
    Role,
    Spi,
    User,
)
from review import identity, matching, understanding, workflow
from review.asks import Ask
from review.models import Dispatch, EventKind, InboundEvent, Kind, Progress, RefillRequest
from rules import documents, facts, publishing, versions
from rules.intake import reading
from rules.policy import Policy, to_document

NOW = datetime.fromisoformat("2026-11-17T15:14:00+00:00")  # a Tuesday, 10:14 am Eastern
TODAY = date(2026, 11, 17)


def make_practice(**values) -> Practice:
    row = Practice(
        name=values.pop("name", "Lakeside Internal Medicine"),
        slug=values.pop("slug", f"p-{uuid.uuid4().hex[:8]}"),
        time_zone="America/New_York",
        booking_url="https://book.example.org/lakeside",
        baa_signed_on=date(2026, 1, 2),
        baa_signed_by="Pat Moss",
        is_shadow=values.pop("is_shadow", False),
        quiet_seconds=values.pop("quiet_seconds", 0),
        undo_seconds_automatic=values.pop("undo_seconds_automatic", 0),
        undo_seconds_person=values.pop("undo_seconds_person", 0),
        **values,
    )
    references.provide_key(practice=row)
    row.save()
    Location.objects.create(
        practice=row,
        name="Main",
        address_line_1="211 Central Road",
        city="Nashville",
        state="TN",
        zip="37205",
        phone="6152218800",
        fax="6152218801",
        drchrono_office_id="411020",
    )
    return row


def make_user(practice: Practice, role: str, name: str) -> User:
    user = User.objects.create_user(f"{uuid.uuid4().hex[:8]}@example.org", "pass-word-12345", full_name=name)
    Membership.objects.create(practice=practice, user=user, role=role)
    return user


def make_provider(practice: Practice, name: str = "Osei", *, doctor_id: str = "302118", **values) -> Provider:
    location = practice.locations.get(name="Main")
    count = Provider.objects.filter(practice=practice).count()
    provider = Provider.objects.create(
        practice=practice,
        user=make_user(practice, Role.prescriber, f"Dr. {name}"),
        first_name="Abena",
        last_name=name,
        suffix="MD",
        npi=("1234567893", "1679576722", "1245319599")[count % 3],
        drchrono_doctor_id=doctor_id,
        drchrono_user_id=f"4412{count:02d}",
        location=location,
        **values,
    )
    number = uuid.uuid4().int % 10**10
    Spi.objects.create(practice=practice, provider=provider, location=location, spi=f"{number:010d}001")
    AutoApprovalConsent.objects.create(practice=practice, provider=provider, given_at=NOW, given_by=provider.user)
    return provider


def make_rules(practice: Practice, *, classes=("ppi_h2",), lab_names=(), **limits) -> versions.RuleVersion:
    policy = Policy(adopted_classes=frozenset(classes), **limits)
    first, second = make_user(practice, Role.administrator, "Pat"), make_user(practice, Role.prescriber, "Lind")
    adoptions = [{"class": key, "by": "Dr. Lind", "on": "2026-01-05", "note": ""} for key in classes]
    document = {"policy": to_document(policy=policy), "adoptions": adoptions, "lab_names": list(lab_names)}
    documents.check(document=document)
    before = NOW - timedelta(days=30)
    version = versions.draft(practice=practice, by=first, document=document, now=before)
    versions.propose(version_id=version.pk, by=first, now=before)
    return publishing.publish(version_id=version.pk, by=second, now=before)


def make_pharmacy(ncpdp_id: str = "9990001", **values) -> PharmacyEntry:
    row, _ = PharmacyEntry.objects.get_or_create(
        stage="dev",
        ncpdp_id=ncpdp_id,
        defaults={
            "npi": "1234567893",
            "name": "Oak Street Pharmacy",
            "address_line_1": "412 Oak Street",
            "city": "Nashville",
            "state": "TN",
            "zip_code": "37211",
            "phone": "6152219800",
            "fax": "6152219801",
            "service_levels": ["New", "Cancel"],
            "seen_at": NOW,
            **values,
        },
    )
    return row


def make_medication(practice: Practice, patient_id: str = "70112345", **values) -> MirrorMedication:
    patient, _ = MirrorPatient.objects.get_or_create(
        practice=practice,
        external_id=patient_id,
        defaults={
            "doctor_external_id": "302118",
            "status": "A",
            "last_visit_on": TODAY - timedelta(days=96),
            "patient_read_at": NOW,
            "medications_read_at": NOW,
        },
    )
    fields = {
        "external_id": str(98120000 + MirrorMedication.objects.count()),
        "name": "Omeprazole 20 mg delayed release oral capsule",
        "rxcui": "198051",
        "ndc": "",
        "status": "active",
        "order_status": "Electronic eRx Sent",
        "is_active": True,
        "doctor_external_id": "302118",
        "dosage_quantity": "1",
        "dosage_units": "capsule",
        "route": "oral",
        "frequency": "once daily",
        "prn": False,
        "dispense_quantity": Decimal(90),
        "number_refills": 0,
        "daw": False,
        "sig": "Take 1 capsule by mouth once daily",
        "prescribed_on": TODAY - timedelta(days=80),
        "started_on": date(2021, 2, 3),
        "seen_at": NOW,
        "changed_at": NOW,
    } | values
    fields.setdefault("record_hash", uuid.uuid4().hex)
    return MirrorMedication.objects.create(practice=practice, patient=patient, **fields)


def snapshot(**values) -> identity.Snapshot:
    return replace(
        identity.Snapshot(
            first_name="Ana",
            last_name="Reyes",
            birth_date="1968-03-04",
            sex="Female",
            address="12 Elm St",
            city="Nashville",
            state="TN",
            zip_code="37203",
            phone="6152210147",
            patient_external_id="70112345",
            default_pharmacy="9990001",
            language="eng",
            status="A",
        ),
        **values,
    )


PLAIN = facts.Reading(
    kind=facts.Kind.refill,
    tag=facts.Tag.refill,
    is_plain=True,
    strength_differs=False,
    form_differs=False,
    quantity_differs=False,
    directions_differ=False,
    channel=facts.Channel.text,
    author=facts.Author.patient,
    is_identity_verified=True,
    is_emergency=False,
    has_symptom=False,
    is_out_of_drug=False,
    confidence_percent=98,
)


def kept(practice: Practice, *, pharmacy: str = "", summary: facts.Reading = PLAIN) -> bytes:
    """A reading as intake keeps it, sealed."""
    mentions = ()
    if pharmacy:
        mentions = (reading.PharmacyMention(span=reading.Span(0, 0, 1), words=pharmacy, name=pharmacy),)
    message = reading.Message(text="omeprazole please", author=reading.Author.patient, source=reading.Source.text)
    return understanding.keep(
        reading=reading.Reading(primary=reading.Intent.refill, confidence=98, pharmacies=mentions),
        thread=reading.Thread(messages=(message,)),
        summary=summary,
        mention=None,
        practice=practice,
        entries=1,
    )


def make_event(practice: Practice, **values) -> InboundEvent:
    fields = {
        "vendor": "klara",
        "event_id": f"evt_{uuid.uuid4().hex}",
        "kind": EventKind.MESSAGE_IN,
        "progress": Progress.READING,
        "body_hash": "0" * 64,
        "conversation_id": "conv_1",
        "message_id": f"msg_{uuid.uuid4().hex}",
        "sender_id": "pat_1",
        "received_at": NOW,
        "due_at": NOW,
        "sent_at": NOW,
        "lease_until": NOW + timedelta(minutes=1),
        "body_sealed": vault.seal_payload(plain=b"{}", practice_id=practice.id, stage="dev", purpose="event"),
    } | values
    return InboundEvent.objects.create(practice=practice, **fields)


def make_ask(practice: Practice, medication: MirrorMedication | None, **values) -> Ask:
    providers = {
        row.drchrono_doctor_id: row
        for row in Provider.objects.filter(practice=practice).prefetch_related("spis__location")
    }
    match = (
        matching.match(medication=medication, practice=practice, providers=providers)
        if medication is not None
        else None
    )
    who = values.pop("snapshot", snapshot())
    summary = values.pop("reading", PLAIN)
    patient_id = values.pop("patient_external_id", "70112345")
    fields = {
        "practice": practice,
        "events": values.pop("events", None) or (make_event(practice),),
        "location": practice.locations.first(),
        "kind": Kind.REFILL if match else Kind.MESSAGE,
        "sender_id": "pat_1",
        "conversation_id": "conv_1",
        "patient_external_id": patient_id,
        "patient_ref": references.patient_ref(practice=practice, patient_id=patient_id) if patient_id else "",
        "snapshot": who,
        "snapshot_at": NOW,
        "snapshot_sealed": identity.seal(snapshot=who, practice=practice) if who else None,
        "reading": summary,
        "reading_sealed": vault.seal_payload(
            plain=b"{}", practice_id=practice.id, stage="dev", purpose=understanding.PURPOSE
        ),
        "match": match,
        "entries_matching": 1 if match else None,
        "pharmacy": make_pharmacy(),
        "named_pharmacy": None,
        "named_text": "",
        "asked_at": NOW,
        "channel_source": "text",
        "allergies": (),
        "mirror_age_minutes": 0,
        "other_drugs": (),
    } | values
    return Ask(**fields)


def clinic(**values) -> Practice:
    """A practice that may approve by itself: Dr. Osei with SPI and consent, rules in force."""
    limits = values.pop("limits", {})
    practice = make_practice(**values)
    make_provider(practice)
    make_rules(practice, **limits)
    return practice


def admit(
    practice: Practice, medication: MirrorMedication | None = None, *, now: datetime = NOW, **values
) -> RefillRequest:
    """One ask, admitted; the row as stored."""
    ask = make_ask(practice, medication or make_medication(practice), **values)
    made = workflow.admit(asks=[ask], now=now).requests[0]
    return RefillRequest.objects.select_related("practice", "prescriber__user").get(pk=made.pk)


def settle(dispatch: Dispatch, kind: OutcomeKind, *, now: datetime = NOW, is_late: bool = False, **values) -> None:
    """What became of one attempt, or late news of the vendor."""
    result = workflow.Result(
        dispatch_id=dispatch.id,
        attempt=None if is_late else dispatch.attempt,
        outcome=Outcome(kind=kind, **values),
    )
    workflow.settle(results=[result], now=now)


def send(request: RefillRequest, kind: OutcomeKind, *, now: datetime = NOW, only: str = "", **values) -> list[Dispatch]:
    """Claim what is due of one request (of one kind where named) and settle it alike, the patient read just before."""
    RefillRequest.objects.filter(pk=request.pk).update(snapshot_at=now)
    claimed = [d for d in workflow.claim_due(now=now, limit=50) if d.request_id == request.id]
    for dispatch in claimed:
        if not only or dispatch.kind == only:
            settle(dispatch, kind, now=now, **values)
    return claimed
