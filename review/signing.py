"""A controlled prescription before it is signed: may it be signed here, its exact bytes, and what the signer is shown.

Reads rows and makes bytes; writes nothing and sends nothing. Signing itself is `workflow.sign`.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from integrations import erx, vault
from integrations.models import Connection, PharmacyEntry, Vendor, abroad
from integrations.surescripts import script_checks, script_epcs, script_model, script_read
from integrations.surescripts.types import Signing
from refillhub.practices import grants
from refillhub.practices.models import Practice, Provider, User
from review import access, orders, parties
from review.identity import Snapshot
from review.models import Preparation, RefillRequest
from rules import hours

PURPOSE = "preparation"
KNOWN = access.SCHEDULES
# A prompt ends after a day, or at midnight of its date of issue, whichever is first (surescripts 7.2).
WAITS = timedelta(hours=24)
STATEMENT = (
    "By completing the two-factor authentication protocol at this time, you are legally signing the prescription(s) "
    "and authorizing the transmission of the above information to the pharmacy for dispensing. The two-factor "
    "authentication protocol may only be completed by the practitioner whose name and DEA registration number appear "
    "above."
)
"""What is shown beside the prescriptions while the factors are asked for (21 CFR 1311.140(a)(3))."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One prescription as its own bytes say it: the fields of 21 CFR 1311.120(b)(9), the pharmacy and the schedule.

    sha256: of the bytes it was read from, hex.
    """

    preparation: Preparation
    sha256: str
    issued_on: date | None
    patient: script_model.PatientRef
    drug: str
    schedule: str
    quantity: str
    unit: str
    days_supply: int | None
    sig: str
    refills: int | None
    pharmacy: script_model.PharmacyRef
    prescriber: script_model.PrescriberRef


def is_here(*, practice: Practice) -> bool:
    """Whether controlled prescriptions of this practice are signed in this program: asked for, switched on, and every
    vendor address of this installation is a stand-in (contract 8, rows 1 and 2). Looked at before each signing.
    """
    if practice.controlled_route != Practice.ControlledRoute.sign_here or not settings.EPCS_NATIVE_SIGNING:
        return False
    if practice.stage == Practice.Stage.production:
        return False
    rows = list(Connection.objects.only("vendor", "base_url", "stage", "practice_id"))
    if abroad(rows):
        return False
    own = [row for row in rows if row.practice_id == practice.id and row.stage == practice.stage]
    if not any(row.vendor == Vendor.surescripts for row in own):
        return False
    return erx.route_at(name=practice.erx_route, is_pretend=True).capabilities().signing is Signing.SANDBOX


def objection(
    *, request: RefillRequest, provider: Provider, pharmacy: PharmacyEntry | None, now: datetime
) -> tuple[str, str] | None:
    """Why this prescriber may not sign this one, as a code and a sentence with the next step; None when they may."""
    if request.schedule not in KNOWN:
        return "schedule_unknown", "The schedule is not known: prescribe it in DrChrono."
    if provider.practice_id != request.practice_id or not provider.is_active or not provider.dea_number:
        return "no_dea", f"{provider} has no DEA number on record; an administrator can add it."
    if not provider.epcs_enabled:
        return "not_enabled", f"The network has not enabled {provider} for controlled prescriptions."
    spis = [row for row in provider.spis.all() if row.may_send]
    if spis and all(row.checked_at is not None and "ControlledSubstance" not in row.service_levels for row in spis):
        return "not_enabled", f"The network's directory has no controlled prescriptions for {provider}."
    if grants.standing(provider=provider, today=today(request, now)) is None:
        return "no_grant", f"{provider} has no standing right to sign; two people give it under People who sign."
    if pharmacy is None or not pharmacy.is_sendable(now):
        return "pharmacy_not_current", "The pharmacy is not active in the directory; choose another one."
    if "ControlledSubstance" not in pharmacy.service_levels:
        return "pharmacy_no_epcs", f"{pharmacy.name} takes no controlled prescriptions by the network; choose another."
    return None


def today(request: RefillRequest, now: datetime) -> date:
    """The day at the request's place."""
    return hours.local_date(moment=now, time_zone=parties.zone_of(request))


def prepare(
    *,
    request: RefillRequest,
    snapshot: Snapshot,
    provider: Provider,
    pharmacy: PharmacyEntry,
    by: User,
    now: datetime,
    version: int,
) -> Preparation:
    """The bytes to be signed, sealed, not yet saved. `version`: the request's once it waits with them.

    Raises NotControlled, DoesNotFit, NoSender.
    """
    message_id = script_checks.new_message_id()
    number = orders.order_number(request=request, revision=version)
    spi = parties.spi_for(provider=provider, request=request)
    who = parties.prescriber(
        spi=spi,
        provider=provider,
        practice_name=request.practice.name,
        signs=True,
        agent=parties.agent(user=by, provider=provider),
    )
    document = script_epcs.build_newrx(
        envelope=script_model.Envelope(message_id=message_id, sent_at=now, order_number=number),
        patient=parties.patient(snapshot=snapshot),
        pharmacy=parties.pharmacy(row=pharmacy),
        prescriber=who,
        prescription=parties.prescription(request=request, now=now),
    )
    zone = parties.zone_of(request)
    return Preparation(
        id=uuid.uuid4(),
        practice=request.practice,
        request=request,
        provider=provider,
        version=version,
        schedule=request.schedule,
        document_sealed=vault.seal_payload(
            plain=document, practice_id=request.practice_id, stage=request.practice.stage, purpose=PURPOSE
        ),
        document_sha256=hashlib.sha256(document).hexdigest(),
        message_id=message_id,
        order_number=number,
        target=pharmacy.ncpdp_id,
        prepared_by=by,
        prepared_at=now,
        expires_at=min(now + WAITS, hours.end_of_day(moment=now, time_zone=zone)),
    )


def document_of(preparation: Preparation) -> bytes:
    """The bytes to be signed."""
    return vault.open_payload(
        sealed=bytes(preparation.document_sealed),
        practice_id=preparation.practice_id,
        stage=preparation.practice.stage,
        purpose=PURPOSE,
    )


def shown(preparation: Preparation) -> Shown:
    """What the signer is shown, read from the very bytes that will be signed. Raises ValueError when unreadable."""
    document = document_of(preparation)
    told = script_read.read(document)
    drug = told.prescribed
    if drug is None or told.patient is None or told.pharmacy is None or told.prescriber is None:
        raise ValueError("the prepared prescription cannot be read back")
    return Shown(
        preparation=preparation,
        sha256=hashlib.sha256(document).hexdigest(),
        issued_on=drug.written_on,
        patient=told.patient,
        drug=drug.drug.description,
        schedule=drug.drug.schedule.name,
        quantity=f"{drug.quantity:f}" if drug.quantity is not None else "",
        unit=preparation.request.quantity_unit,
        days_supply=drug.days_supply,
        sig=drug.sig,
        refills=drug.refills,
        pharmacy=told.pharmacy,
        prescriber=told.prescriber,
    )


def digest(hashes: Sequence[str]) -> str:
    """What a signer's factors are given for: exactly these prescriptions, in whatever order."""
    return hashlib.sha256("|".join(sorted(hashes)).encode()).hexdigest()


def waiting_of(*, preparation: Preparation, now: datetime) -> list[Preparation]:
    """Everything that waits for the same prescriber's signature for the same patient, oldest first, this one in it."""
    rows = (
        Preparation.objects.valid(now)
        .select_related("request", "practice", "provider", "request__location", "prepared_by")
        .filter(practice_id=preparation.practice_id, provider_id=preparation.provider_id)
        .filter(request__patient_external_id=preparation.request.patient_external_id)
        .order_by("prepared_at", "id")
    )
    return list(rows)


def current(*, request: RefillRequest) -> Preparation | None:
    """What waits to be signed for this request, past its end or not."""
    rows = Preparation.objects.current().select_related("provider", "practice", "request", "prepared_by", "told")
    return rows.filter(request=request).first()
