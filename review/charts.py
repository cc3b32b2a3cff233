"""Reading a patient's chart just in time: identity for the snapshot, the mirror refreshed where it is too old.

Costs DrChrono at most two calls, one when the medication copy is fresh, none when the chart is not reached (then what
the mirror holds is used and its age tells). Network: never inside a transaction.
"""

from dataclasses import dataclass
from datetime import datetime

import phonenumbers

from integrations import limits, mirror
from integrations.drchrono import allergies as drchrono_allergies
from integrations.drchrono import client, types, wire
from integrations.http import VendorError
from integrations.klara.types import KlaraPatient
from integrations.models import Connection, ConnectionStatus, MirrorMedication, MirrorPatient, Vendor
from refillhub.practices.models import Practice
from review.identity import Snapshot
from review.ledger import SYSTEM
from rules import allergies as class_names
from rules import vocabulary
from rules.intake import normalise

# Entries that name no drug: "NKDA", and what people are allergic to besides drugs.
NO_ALLERGY = frozenset({"nkda", "none", "nka"})
NOT_A_DRUG = frozenset(
    "peanut peanuts nut nuts tree shellfish fish egg eggs milk dairy soy wheat gluten latex pollen dust mites mold cat "
    "cats dog dogs bee bees wasp stings sting venom insect grass ragweed food foods strawberries no known allergies "
    "drug and or".split()
)


class Busy(Exception):
    """A limit of calls says later: nothing was asked. `seconds` to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"busy for {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is known of one chart patient now. `reason` names why something lacks, "" when all was read."""

    patient_external_id: str = ""
    snapshot: Snapshot | None = None
    medications: tuple[MirrorMedication, ...] = ()
    age_minutes: int | None = None
    reason: str = ""
    retry_after: float | None = None


def connection_of(practice: Practice, vendor: str = Vendor.drchrono) -> Connection | None:
    """The practice's connection of its own stage; None when there is none that may be used."""
    row = (
        Connection.objects.select_related("practice")
        .filter(practice=practice, vendor=vendor, stage=practice.stage)
        .exclude(status=ConnectionStatus.paused)
        .first()
    )
    return row


def known(*, practice: Practice, connection: Connection | None, patient_id: str, now: datetime) -> Chart:
    """What the mirror holds of a patient, without asking anybody."""
    row = MirrorPatient.objects.filter(practice=practice, external_id=patient_id).first()
    if row is None:
        return Chart(patient_external_id=patient_id)
    age = mirror.age_minutes(patient=row, connection=connection, now=now) if connection is not None else None
    return Chart(
        patient_external_id=patient_id,
        medications=tuple(row.medications.filter(gone_at__isnull=True).order_by("external_id")),
        age_minutes=age,
    )


def read(
    *,
    practice: Practice,
    connection: Connection | None,
    patient_id: str,
    now: datetime,
    held: Chart | None = None,
) -> Chart:
    """Read the patient, and the medications when our copy is older than the practice allows. Never raises
    VendorError. `held` is what the caller has just read from the mirror.
    """
    held = held or known(practice=practice, connection=connection, patient_id=patient_id, now=now)
    if connection is None:
        return Chart(
            patient_external_id=patient_id,
            medications=held.medications,
            age_minutes=held.age_minutes,
            reason="chart_not_connected",
        )
    line = wire.Line(connection=connection, now=now, actor=SYSTEM)
    try:
        chart, medications, age = _fetch(line=line, practice=practice, held=held)
    except wire.NotFound:
        return Chart(patient_external_id=patient_id, reason="patient_not_in_chart")
    except VendorError as error:
        return Chart(
            patient_external_id=patient_id,
            medications=held.medications,
            age_minutes=held.age_minutes,
            reason="chart_unreached",
            retry_after=error.retry_after,
        )
    return Chart(patient_external_id=patient_id, snapshot=snapshot_of(chart), medications=medications, age_minutes=age)


def _fetch(
    *, line: wire.Line, practice: Practice, held: Chart
) -> tuple[types.Patient, tuple[MirrorMedication, ...], int | None]:
    limit = practice.mirror_max_age_minutes
    if held.age_minutes is None or held.age_minutes > limit:
        fresh = mirror.refresh_patient(line=line, external_id=held.patient_external_id)
        return fresh.chart, fresh.medications, 0
    chart = client.patient(line=line, patient_id=held.patient_external_id)
    mirror.keep(line=line, chart=chart, medications=None)
    return chart, held.medications, held.age_minutes


def allergies(*, connection: Connection | None, patient_id: str, now: datetime) -> tuple[str, ...] | None:
    """Ingredients and class keys the patient is allergic to; None when the list was not reached or an entry cannot be
    understood.

    One call, made only where an automatic approval is in question (clinical check `allergy`, law 6). Raises Busy.
    """
    if connection is None:
        return None
    line = wire.Line(connection=connection, now=now, actor=SYSTEM)
    try:
        listed = drchrono_allergies.allergies(line=line, patient_id=patient_id)
    except (limits.Throttled, wire.TooManyCalls) as busy:
        raise Busy(busy.retry_after or 0.0) from busy
    except VendorError:
        return None
    found: list[str] = []
    for each in listed:
        words = set(each.description.lower().replace(",", " ").split())
        if not each.rxcui and words <= NO_ALLERGY | NOT_A_DRUG:
            continue
        read = normalise.identify(name=each.description, rxcui=each.rxcui, ndc="", lexicon=vocabulary.current())
        named = class_names.named_class(text=each.description)
        if not read.ingredients and named is None:
            return None
        found += [*read.ingredients, *(named or ())]
    return tuple(sorted(set(found)))


def find(*, practice: Practice, connection: Connection | None, sender: KlaraPatient, now: datetime) -> Chart:
    """The one chart patient with this name, birth date and telephone number together; never by number alone.

    None or two: `unmatched_sender`. One call, and one or two more to read the patient found.
    """
    if connection is None:
        return Chart(reason="chart_not_connected")
    if not (sender.first_name and sender.last_name and sender.date_of_birth and sender.phone):
        return Chart(reason="unmatched_sender")
    line = wire.Line(connection=connection, now=now, actor=SYSTEM)
    try:
        found = client.find_patients(
            line=line,
            first_name=sender.first_name,
            last_name=sender.last_name,
            date_of_birth=sender.date_of_birth,
        )
    except VendorError as error:
        return Chart(reason="chart_unreached", retry_after=error.retry_after)
    number = telephone(sender.phone)
    fitting = [
        row
        for row in found
        if row.date_of_birth == sender.date_of_birth
        and same_name(row, sender)
        and number
        and number in {telephone(phone) for phone in row.phones}
    ]
    if len(fitting) != 1:
        return Chart(reason="unmatched_sender")
    return read(practice=practice, connection=connection, patient_id=fitting[0].id, now=now)


def same_name(row: types.Patient, sender: KlaraPatient) -> bool:
    """First and last name equal, whatever their case."""
    return (
        row.first_name.strip().casefold() == sender.first_name.strip().casefold()
        and row.last_name.strip().casefold() == sender.last_name.strip().casefold()
    )


def telephone(text: str) -> str:
    """A US number in E.164, "" when it is none."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def differs(*, snapshot: Snapshot, sender: KlaraPatient) -> bool:
    """Whether chart and Klara name two different people: the linked record must bear the same name and birth date."""
    if sender.date_of_birth is not None and snapshot.born_on() != sender.date_of_birth:
        return True
    return bool(sender.last_name) and snapshot.last_name.casefold() != sender.last_name.strip().casefold()


def snapshot_of(chart: types.Patient) -> Snapshot:
    """Exactly what card and NewRx need."""
    digits = [telephone(phone).removeprefix("+1") for phone in chart.phones]
    return Snapshot(
        first_name=chart.first_name,
        middle_name=chart.middle_name,
        last_name=chart.last_name,
        birth_date=chart.date_of_birth.isoformat() if chart.date_of_birth else "",
        sex=chart.gender,
        address=chart.address,
        city=chart.city,
        state=chart.state,
        zip_code=chart.zip_code,
        phone=next((number for number in digits if len(number) == 10), ""),
        patient_external_id=chart.id,
        default_pharmacy=chart.pharmacy,
        language=chart.language,
        status=chart.status,
    )


def snapshot_of_sender(sender: KlaraPatient) -> Snapshot:
    """What Klara says of a sender, for the card of an item that no chart patient could be found for."""
    return Snapshot(
        first_name=sender.first_name,
        last_name=sender.last_name,
        birth_date=sender.date_of_birth.isoformat() if sender.date_of_birth else "",
        phone=telephone(sender.phone).removeprefix("+1"),
        source="klara",
    )
