"""Patient, pharmacy, prescriber and prescription of a request as SCRIPT names them. Reads rows; sends nothing."""

from datetime import datetime

from integrations.models import PharmacyEntry
from integrations.surescripts import script_codes, script_model
from refillhub.practices.models import Provider, Spi, User
from review.identity import Snapshot
from review.models import RefillRequest
from rules import hours

_GENDERS = {"male": script_model.Gender.MALE, "female": script_model.Gender.FEMALE}
_SCHEDULES = {
    "not_controlled": script_model.Schedule.NOT_CONTROLLED,
    "ii": script_model.Schedule.II,
    "iii": script_model.Schedule.III,
    "iv": script_model.Schedule.IV,
    "v": script_model.Schedule.V,
}


class NoSender(Exception):
    """The prescriber has no active SPI at a place from which this request may be sent (requirement F045)."""


def spi_for(*, provider: Provider, request: RefillRequest) -> Spi:
    """The provider's SPI at the request's location, else at the home location, else the only one. Raises NoSender."""
    active = [row for row in provider.spis.all() if row.may_send]
    for location_id in (request.location_id, provider.location_id):
        for row in active:
            if location_id and row.location_id == location_id:
                return row
    if len(active) == 1:
        return active[0]
    raise NoSender(f"{provider.id} has no active SPI for this location")


def zone_of(request: RefillRequest) -> str:
    """Time zone of the request's place."""
    return (request.location.time_zone if request.location else "") or request.practice.time_zone or "UTC"


def patient(*, snapshot: Snapshot) -> script_model.PatientRef:
    """The patient as the chart names them."""
    return script_model.PatientRef(
        name=script_model.Name(last=snapshot.last_name, first=snapshot.first_name, middle=snapshot.middle_name),
        gender=_GENDERS.get(snapshot.sex.lower(), script_model.Gender.UNKNOWN),
        born_on=snapshot.born_on(),
        address=script_model.Address(
            line1=snapshot.address, city=snapshot.city, state=snapshot.state, postal_code=snapshot.zip_code
        ),
        phone=snapshot.phone,
        chart_id=f"DRC-{snapshot.patient_external_id}",
    )


def pharmacy(*, row: PharmacyEntry) -> script_model.PharmacyRef:
    """The pharmacy as the directory names it."""
    return script_model.PharmacyRef(
        ncpdp_id=row.ncpdp_id,
        npi=row.npi,
        name=row.name,
        phone=row.phone,
        fax=row.fax,
        address=script_model.Address(
            line1=row.address_line_1, line2=row.address_line_2, city=row.city, state=row.state,
            postal_code=row.zip_code,
        ),
    )  # fmt: skip


def prescriber(
    *,
    spi: Spi,
    provider: Provider,
    practice_name: str,
    signs: bool = False,
    agent: script_model.Name | None = None,
) -> script_model.PrescriberRef:
    """The prescriber at the place of this SPI.

    signs: with the DEA number, for a controlled prescription. agent: who prepared it for them.
    """
    place = spi.location
    return script_model.PrescriberRef(
        spi=spi.spi,
        npi=provider.npi,
        name=script_model.Name(last=provider.last_name, first=provider.first_name, suffix=provider.suffix),
        phone=place.phone,
        fax=place.fax,
        practice_name=practice_name,
        dea_number=provider.dea_number if signs else "",
        agent=agent,
        place_of_service="11",
        address=script_model.Address(
            line1=place.address_line_1, line2=place.address_line_2, city=place.city, state=place.state,
            postal_code=place.zip,
        ),
    )  # fmt: skip


def agent(*, user: User, provider: Provider) -> script_model.Name | None:
    """Whoever prepared a prescription for its prescriber (1311.135(a)); None for the prescriber's own work, and where
    the account names only one word.
    """
    first, _, last = user.full_name.strip().rpartition(" ")
    return script_model.Name(last=last, first=first) if first and user.pk != provider.user_id else None


def prescription(*, request: RefillRequest, now: datetime) -> script_model.Prescription:
    """What the request prescribes, dated with the practice's own day."""
    return script_model.Prescription(
        drug=script_model.Drug(
            description=request.drug_name,
            schedule=_SCHEDULES.get(request.schedule, script_model.Schedule.UNKNOWN),
            rxcui=request.rxcui,
            rxcui_qualifier=request.rxcui_qualifier,
            ndc=request.ndc,
        ),
        quantity=request.quantity,
        unit_code=script_codes.unit_code(request.quantity_unit) or "",
        days_supply=request.days_supply,
        written_on=hours.local_date(moment=now, time_zone=zone_of(request)),
        refills=request.refills,
        sig=request.sig,
    )
