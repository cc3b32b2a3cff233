"""The mirror of a practice's chart: medications as given and visit dates, and how old our copy is. Never a name.

Read-through for one patient, pushed records, and the age a decision must know. A vendor's push may prove freshness only
where the practice trusts it; one difference found by reading that no push had told of withdraws the trust (drift).
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from audit import log
from audit.events import Actor, Draft, JsonValue
from integrations.drchrono import client, reading, types
from integrations.drchrono.wire import Line
from integrations.models import Connection, MirrorMedication, MirrorPatient, PrescriptionSeen
from refillhub.practices.models import Practice

PUSH_COVERS = timedelta(hours=36)  # push proves only what a full read or the nightly sweep has seen this recently
PUSH_NOTED_EVERY = timedelta(seconds=5)
_MEDICATION_FIELDS = (
    "patient_id", "name", "rxcui", "ndc", "status", "order_status", "is_active", "doctor_external_id",
    "dosage_quantity", "dosage_units", "route", "frequency", "prn", "dispense_quantity", "number_refills", "daw", "sig",
    "prescribed_on", "started_on", "stopped_on", "dose_changed_on", "record_hash", "seen_at", "changed_at", "gone_at",
)  # fmt: skip
# What a patient takes; a difference is a changed drug, whatever else of the entry moved.
_dose_of = attrgetter("name", "rxcui", "dosage_quantity", "dosage_units", "route", "frequency", "prn", "sig")


_values_of = attrgetter(*(each.name for each in fields(types.Medication)))


@dataclass(frozen=True, slots=True)
class Refreshed:
    """One patient read just now. `chart` carries the identity and is not stored here; `calls` is what it cost."""

    chart: types.Patient
    patient: MirrorPatient
    medications: tuple[MirrorMedication, ...]
    calls: int


# --- age -------------------------------------------------------------------------------------------------------------


def age_minutes(*, patient: MirrorPatient, connection: Connection, now: datetime) -> int | None:
    """How old our copy of this patient is, in whole minutes rounded up; None when it was never read.

    Counted from the reading of the medications. Where the practice trusts pushes, a patient whose list was read or
    swept lately and for whom nothing was pushed since is as fresh as the last sign of life of the push channel: a push
    for this very patient means that a read is due, since deliveries come in no order.
    """
    if patient.medications_read_at is None or patient.patient_read_at is None:
        return None
    read_at = patient.medications_read_at
    as_of = read_at
    seen = connection.push_seen_at
    told_since = patient.pushed_at is not None and patient.pushed_at >= read_at
    if (
        connection.practice.trusts_vendor_push
        and seen is not None
        and seen <= now
        and not told_since
        and now - read_at <= PUSH_COVERS
    ):
        as_of = max(read_at, seen)
    return max(0, math.ceil((now - as_of).total_seconds() / 60))


def is_stale(*, patient: MirrorPatient, connection: Connection, now: datetime) -> bool:
    """True when the copy is older than the practice allows for an automatic approval, or was never read."""
    age = age_minutes(patient=patient, connection=connection, now=now)
    return age is None or age > connection.practice.mirror_max_age_minutes


# --- read-through ----------------------------------------------------------------------------------------------------


def refresh_patient(*, line: Line, external_id: str) -> Refreshed:
    """Read one patient and the whole medication list (two calls) and keep both. Raises VendorError, wire.NotFound.

    The copy is dated at the moment the reading began. A later read that was faster is not overwritten.
    """
    before = line.calls.count
    chart = client.patient(line=line, patient_id=external_id)
    listed = client.medications(line=line, patient_id=external_id)
    kept = _keep(line, chart.id, chart, listed)
    return Refreshed(
        chart=chart, patient=kept.patient, medications=kept.medications, calls=line.calls.count - before
    )


def refresh_medications(*, line: Line, external_id: str) -> MirrorPatient:
    """Read only the medication list of a patient (one call) and keep it. Raises VendorError."""
    listed = client.medications(line=line, patient_id=external_id)
    return _keep(line, external_id, None, listed).patient


def refresh_prescriptions(*, line: Line, external_id: str) -> list[PrescriptionSeen]:
    """Read the chart's own prescription log of one patient (one call or more) and keep it. Raises VendorError."""
    found = client.prescription_messages(line=line, patient_id=external_id)
    keep_prescriptions(connection=line.connection, found=found, now=line.now)
    practice_id = line.connection.practice_id
    return list(PrescriptionSeen.objects.filter(practice_id=practice_id, patient_external_id=external_id))


def keep(
    *, line: Line, chart: types.Patient, medications: Sequence[types.Medication] | None = None
) -> MirrorPatient:
    """Keep what was read of one patient: status and visit dates, and the complete medication list where given."""
    return _keep(line, chart.id, chart, medications).patient


def keep_if_known(*, line: Line, chart: types.Patient) -> None:
    """As `keep`, only for patients the mirror has: a look for changes must not fill it with everybody."""
    if MirrorPatient.objects.filter(practice_id=line.connection.practice_id, external_id=chart.id).exists():
        _keep(line, chart.id, chart, None)


# --- pushed records --------------------------------------------------------------------------------------------------


def note_push(*, connection: Connection, now: datetime) -> None:
    """A verified delivery came, of whatever kind: the push channel is alive."""
    if connection.push_seen_at is not None and now - connection.push_seen_at < PUSH_NOTED_EVERY:
        return
    newer = Q(push_seen_at__isnull=True) | Q(push_seen_at__lt=now)
    Connection.objects.filter(newer, pk=connection.pk).update(push_seen_at=now, last_webhook_at=now)
    connection.push_seen_at = connection.last_webhook_at = now


def apply_medication(*, connection: Connection, raw: Mapping[str, Any], now: datetime) -> str:
    """Keep a pushed medication record (0 calls); returns its patient's external id. Raises reading.Unreadable.

    Only for patients the mirror knows; the patient's next decision reads the list again (see `age_minutes`).
    """
    found = reading.medication(raw=raw)
    if not found.patient_id:
        raise reading.Unreadable("a medication without its patient")
    with transaction.atomic():
        row = locked_patient(practice_id=connection.practice_id, external_id=found.patient_id)
        put_medications(connection=connection, patients={row.external_id: row}, found=[found], now=now)
        row.pushed_at = now
        row.save(update_fields=["pushed_at"])
    return found.patient_id


def apply_patient(*, connection: Connection, raw: Mapping[str, Any], now: datetime) -> str:
    """Keep visit dates and status of a pushed patient record; returns the external id. Raises reading.Unreadable."""
    found = reading.patient(raw=raw)
    with transaction.atomic():
        row = locked_patient(practice_id=connection.practice_id, external_id=found.id)
        read_at = row.patient_read_at
        _put_chart(row, found, now)
        row.patient_read_at = read_at  # a push is a hint, not a read
        row.pushed_at = now
        row.save()
    return found.id


def apply_appointment(*, connection: Connection, found: types.Appointment, now: datetime) -> str:
    """Move a known patient's visit dates by one appointment; returns the patient's id, empty for breaks.

    A past visit can only make the last visit later. One that no longer counts, and was the last or the next visit we
    knew, makes the copy unread: the dates are asked for again before a decision.
    """
    if found.scheduled_local is None or not found.patient_id:
        return ""
    on = found.scheduled_local.date()
    today = local_day(practice=connection.practice, now=now)
    with transaction.atomic():
        row = MirrorPatient.objects.select_for_update().filter(
            practice_id=connection.practice_id, external_id=found.patient_id
        ).first()
        if row is None:
            return found.patient_id
        if not found.may_count_as_visit:
            if on in (row.last_visit_on, row.next_visit_on):
                row.patient_read_at = None
            if on == row.next_visit_on:
                row.next_visit_on = None
        elif on > today:
            row.next_visit_on = min(on, row.next_visit_on) if row.next_visit_on else on
        elif found.status in ("Complete", "In Session", "In Room", "Checked In", "Arrived"):
            row.last_visit_on = max(on, row.last_visit_on) if row.last_visit_on else on
        row.save()
    return found.patient_id


# --- storing ---------------------------------------------------------------------------------------------------------


def put_medications(
    *,
    connection: Connection,
    patients: Mapping[str, MirrorPatient],
    found: Iterable[types.Medication],
    now: datetime,
) -> int:
    """Insert or update entries of these patients; returns how many were new or different. Demands a transaction."""
    listed = {each.id: each for each in found}
    known = MirrorMedication.objects.filter(practice_id=connection.practice_id, external_id__in=list(listed))
    return _put(connection, patients, listed, {row.external_id: row for row in known}, now)[0]


def keep_prescriptions(
    *, connection: Connection, found: Iterable[types.PrescriptionMessage], now: datetime
) -> tuple[str, ...]:
    """Insert or update lines of the chart's prescription log; the patients of lines that are new or have moved on."""
    found = list(found)
    zone = _zone(connection.practice)
    rows = [
        PrescriptionSeen(
            practice_id=connection.practice_id,
            external_id=each.id,
            patient_external_id=each.patient_id,
            doctor_external_id=each.doctor_id,
            kind=each.kind,
            direction=each.direction,
            status=each.status,
            parent_external_id=each.parent_id,
            pharmacy_ncpdp_id=each.pharmacy_ncpdp_id,
            drug_name=each.drug_name,
            rxcui=each.rxcui,
            ndc=each.ndc,
            quantity=each.quantity,
            days_supply=each.days_supply,
            number_refills=each.number_refills,
            # The zone of created_at is not documented: taken as the practice's own (contract, open point 7).
            written_at=moment.replace(tzinfo=zone) if (moment := reading.local(each.created_at)) else None,
            seen_at=now,
        )
        for each in found
    ]
    known = dict(
        PrescriptionSeen.objects.filter(
            practice_id=connection.practice_id, external_id__in=[row.external_id for row in rows]
        ).values_list("external_id", "status")
    )
    if rows:
        PrescriptionSeen.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["practice", "external_id"],
            update_fields=[
                "patient_external_id", "doctor_external_id", "kind", "direction", "status", "parent_external_id",
                "pharmacy_ncpdp_id", "drug_name", "rxcui", "ndc", "quantity", "days_supply", "number_refills",
                "written_at", "seen_at",
            ],
        )  # fmt: skip
    moved = {row.patient_external_id for row in rows if known.get(row.external_id) != row.status}
    return tuple(sorted(moved - {""}))


def note_drift(*, connection: Connection, now: datetime, actor: Actor, rows: int) -> None:
    """Reading found what no push had told: withdraw the trust, on record. Nothing where there is no trust."""
    withdrawn = Practice.objects.filter(pk=connection.practice_id, trusts_vendor_push=True).update(
        trusts_vendor_push=False
    )
    if withdrawn:
        connection.practice.trusts_vendor_push = False
        data: dict[str, JsonValue] = {"rows": rows, "connection": str(connection.pk)}
        draft = Draft(practice_id=connection.practice_id, event="mirror.drift", actor=actor, data=data)
        log.record(now=now, draft=draft)


def locked_patients(*, practice_id: UUID, ids: Sequence[str]) -> dict[str, MirrorPatient]:
    """These patients' rows by chart id, locked in one order; those the mirror lacks get a row. In a transaction."""
    MirrorPatient.objects.bulk_create(
        [MirrorPatient(practice_id=practice_id, external_id=each) for each in ids], ignore_conflicts=True
    )
    rows = MirrorPatient.objects.select_for_update().filter(practice_id=practice_id, external_id__in=ids)
    return {row.external_id: row for row in rows.order_by("external_id")}


def local_day(*, practice: Practice, now: datetime) -> date:
    """Today at the practice (UTC while it has no zone, which keeps it from going live)."""
    return now.astimezone(_zone(practice)).date()


def record_hash(*, entry: types.Medication) -> str:
    """Change detection, since the vendor gives medications no timestamps (contract 7.2)."""
    return hashlib.sha256("\x1f".join(map(str, _values_of(entry))).encode()).hexdigest()


# --- below: how it is done -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kept:
    patient: MirrorPatient
    medications: tuple[MirrorMedication, ...]


def _keep(
    line: Line, external_id: str, chart: types.Patient | None, listed: Sequence[types.Medication] | None
) -> _Kept:
    """Store what was read of one patient: the chart record, the complete medication list, or both."""
    now, practice_id = line.now, line.connection.practice_id
    with transaction.atomic():
        row = locked_patient(practice_id=practice_id, external_id=external_id)
        rows = {each.external_id: each for each in row.medications.all()} if listed is not None else {}
        if chart is not None and not (row.patient_read_at and row.patient_read_at > now):
            _put_chart(row, chart, now)
        if listed is not None and not (row.medications_read_at and row.medications_read_at > now):
            rows = _put_whole_list(line, row, rows, {each.id: each for each in listed})
        row.save()
    current = (each for each in rows.values() if each.gone_at is None)
    return _Kept(patient=row, medications=tuple(sorted(current, key=lambda each: each.external_id)))


def _put_whole_list(
    line: Line,
    row: MirrorPatient,
    mine: dict[str, MirrorMedication],
    listed: dict[str, types.Medication],
) -> dict[str, MirrorMedication]:
    """Make the mirror equal to the list; notes drift when the patient had been read and no push had told of it."""
    now, practice_id = line.now, line.connection.practice_id
    known = dict(mine)
    moved = [external_id for external_id in listed if external_id not in mine]
    if moved:  # new here, or moved from another patient by a merge
        for each in MirrorMedication.objects.filter(practice_id=practice_id, external_id__in=moved):
            known[each.external_id] = each
    changed, stored = _put(line.connection, {row.external_id: row}, listed, known, now)
    vanished = [each.pk for key, each in mine.items() if key not in listed and each.gone_at is None]
    if vanished:
        MirrorMedication.objects.filter(pk__in=vanished).update(gone_at=now)
    read_before = row.medications_read_at
    told = read_before is None or (row.pushed_at is not None and row.pushed_at >= read_before)
    if (changed or vanished) and not told:
        note_drift(connection=line.connection, now=now, actor=line.actor, rows=changed + len(vanished))
    row.medications_read_at = now
    return stored


def _put(
    connection: Connection,
    patients: Mapping[str, MirrorPatient],
    listed: Mapping[str, types.Medication],
    known: Mapping[str, MirrorMedication],
    now: datetime,
) -> tuple[int, dict[str, MirrorMedication]]:
    """Upsert what differs, touch what does not; the number of real differences, and all listed rows as they are now."""
    today = local_day(practice=connection.practice, now=now)
    stored: dict[str, MirrorMedication] = {}
    upserts, same, differences = [], [], 0
    for external_id in sorted(listed):
        entry, row = listed[external_id], known.get(external_id)
        patient, digest = patients[entry.patient_id], record_hash(entry=entry)
        is_active = entry.is_active(today=today)
        if row is not None and (row.record_hash, row.patient_id, row.is_active, row.gone_at) == (
            digest, patient.pk, is_active, None
        ):
            same.append(row.pk)
            stored[external_id] = row
            continue
        differences += row is None or row.record_hash != digest or row.gone_at is not None
        stored[external_id] = _row(connection, patient, entry, digest, is_active, now)
        if row is not None:
            is_same = _dose_of(row) == _dose_of(entry)
            stored[external_id].dose_changed_on = row.dose_changed_on if is_same else today
        upserts.append(stored[external_id])
    if upserts:
        MirrorMedication.objects.bulk_create(
            upserts,
            update_conflicts=True,
            unique_fields=["practice", "external_id"],
            update_fields=list(_MEDICATION_FIELDS),
        )
    if same:
        MirrorMedication.objects.filter(pk__in=same, seen_at__lt=now).update(seen_at=now)
    return differences, stored


def _zone(practice: Practice) -> ZoneInfo:
    return ZoneInfo(practice.time_zone or "UTC")


def locked_patient(*, practice_id: UUID, external_id: str) -> MirrorPatient:
    """The row of a patient, made when there is none, locked until the transaction ends."""
    found = MirrorPatient.objects.select_for_update().filter(practice_id=practice_id, external_id=external_id).first()
    if found is None:
        MirrorPatient.objects.bulk_create(
            [MirrorPatient(practice_id=practice_id, external_id=external_id)], ignore_conflicts=True
        )
        found = MirrorPatient.objects.select_for_update().get(practice_id=practice_id, external_id=external_id)
    return found


def _put_chart(row: MirrorPatient, chart: types.Patient, now: datetime) -> None:
    row.doctor_external_id = chart.doctor_id
    row.status = chart.status
    row.last_visit_on = chart.last_visit_on
    if chart.next_visit_on is not None:  # contract 7.1 knows no such field: what appointments told stays
        row.next_visit_on = chart.next_visit_on
    row.patient_read_at = now


def _row(
    connection: Connection, patient: MirrorPatient, entry: types.Medication, digest: str, is_active: bool, now: datetime
) -> MirrorMedication:
    return MirrorMedication(
        practice_id=connection.practice_id,
        patient=patient,
        external_id=entry.id,
        name=entry.name,
        rxcui=entry.rxcui,
        ndc=entry.ndc,
        status=entry.status,
        order_status=entry.order_status,
        is_active=is_active,
        doctor_external_id=entry.doctor_id,
        dosage_quantity=entry.dosage_quantity,
        dosage_units=entry.dosage_units,
        route=entry.route,
        frequency=entry.frequency,
        prn=entry.prn,
        dispense_quantity=entry.dispense_quantity,
        number_refills=entry.number_refills,
        daw=entry.daw,
        sig=entry.sig,
        prescribed_on=entry.prescribed_on,
        started_on=entry.started_on,
        stopped_on=entry.stopped_on,
        record_hash=digest,
        seen_at=now,
        changed_at=now,
    )
