"""Keeping the mirror fresh in the background, within a budget of calls: changes since the last look, and whole sweeps.

Every cursor is saved after each page, so a restart or a throttled hour goes on where it stopped. Rows that a complete
sweep of a doctor did not see are marked gone, never deleted. Called by a beat; never starts by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit import log
from audit.events import Draft
from integrations import http, mirror
from integrations.drchrono import client, oauth, reading, types, wire
from integrations.drchrono.wire import Line
from integrations.models import Connection, MirrorMedication, MirrorPatient, SweepKind, SweepState

OVERLAP = timedelta(minutes=10)  # contract 4.4
FIRST_LOOK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look for changes found: ids of patients whose records moved, and what it cost. `is_complete` is false
    when the budget ran out; the rest comes with the next look."""

    patients: tuple[str, ...]
    prescriptions_for: tuple[str, ...]
    calls: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Swept:
    """One run of a sweep: pages and rows read, rows marked gone, and whether the whole sweep has come to its end."""

    calls: int
    rows: int
    changed: int
    gone: int
    is_complete: bool


def look_for_changes(*, line: Line, budget: int) -> Changes:
    """Ask `since` for patients, appointments and prescription messages, then read the medications of changed patients.

    At most `budget` calls (a page that was begun is finished). Raises VendorError for the three lists; a patient whose
    medications cannot be read now stays on the list for the next look.
    """
    state = _state(line.connection, SweepKind.changes)
    cursor: dict[str, Any] = dict(state.cursor)
    started, before = line.now, line.calls.count
    waiting = dict.fromkeys(cursor.get("waiting", []))
    patients = _changed_patients(line, cursor)
    waiting |= dict.fromkeys(patients)
    touched = _changed_appointments(line, cursor)
    prescribed = _new_prescriptions(line, cursor)
    for external_id in prescribed:
        waiting.setdefault(external_id, None)
    known = set(
        MirrorPatient.objects.filter(
            practice_id=line.connection.practice_id, external_id__in=list(waiting)
        ).values_list("external_id", flat=True)
    )
    left = [external_id for external_id in waiting if external_id in known]
    refused: list[str] = []
    while left and line.calls.count - before < budget:
        try:
            mirror.refresh_medications(line=line, external_id=left[0])
        except wire.NotFound:
            left.pop(0)  # gone from the chart that this authorisation sees: its copy ages, so a person decides
            continue
        except http.VendorError as error:
            if not error.permanent or isinstance(error, oauth.NeedsAuthorisation):
                break
            refused.append(left[0])
        left.pop(0)
    left += refused  # asked again at the next look
    cursor["waiting"] = left
    calls = line.calls.count - before
    _save(state, cursor, started, line.now, not left, {"calls": calls, "patients": len(patients), "waiting": len(left)})
    return Changes(
        patients=tuple(sorted({*patients, *touched})),
        prescriptions_for=prescribed,
        calls=calls,
        is_complete=not left,
    )


def sweep(*, line: Line, doctor_ids: tuple[str, ...], kind: SweepKind, budget: int) -> Swept:
    """Go on with the sweep of this kind over the doctors' medication entries, at most `budget` calls.

    A new sweep begins when the last one came to its end. When it ends, rows of these doctors that it did not see are
    gone, and after a nightly one over every doctor of the chart its patients count as read at its beginning. Throttling
    ends the run, not the sweep.
    """
    if not doctor_ids:
        return Swept(calls=0, rows=0, changed=0, gone=0, is_complete=False)
    state = _state(line.connection, kind)
    cursor: dict[str, Any] = dict(state.cursor)
    if not cursor.get("doctors"):
        cursor = {"doctors": list(doctor_ids), "all": list(doctor_ids), "next": "", "began": line.now.isoformat()}
        cursor["doctor_began"] = line.now.isoformat()
    before, rows, changed, gone = line.calls.count, 0, 0, 0
    while cursor["doctors"] and line.calls.count - before < budget:
        doctor_id = cursor["doctors"][0]
        try:
            found, following = client.medication_page(line=line, doctor_id=doctor_id, cursor=cursor["next"])
        except http.VendorError as error:
            if error.permanent and cursor["next"]:
                cursor["next"] = ""  # a cursor the vendor no longer knows: this doctor from the start
                cursor["doctor_began"] = line.now.isoformat()
                _save(state, cursor, None, None, False, {})
            if line.calls.count == before:
                raise
            break
        changed += _keep_page(line, found)
        rows += len(found)
        cursor["next"] = following
        if not following:
            gone += _mark_gone(line, doctor_id, datetime.fromisoformat(cursor["doctor_began"]))
            cursor["doctors"] = cursor["doctors"][1:]
            cursor["doctor_began"] = line.now.isoformat()
        _save(state, cursor, datetime.fromisoformat(cursor["began"]), None, False, {})
    is_complete = not cursor["doctors"]
    if is_complete:
        saw_all = kind is SweepKind.nightly and _covers_every_doctor(line, cursor["all"])
        counts = {"calls": line.calls.count - before, "rows": rows, "changed": changed, "gone": gone}
        _finish(line, state, cursor, kind, saw_all, counts)
    calls = line.calls.count - before
    return Swept(calls=calls, rows=rows, changed=changed, gone=gone, is_complete=is_complete)


def last_complete_at(*, practice_id: UUID, kind: SweepKind) -> datetime | None:
    """When a sweep of this kind last came to its end (pre-flight F014: within 24 hours)."""
    found: datetime | None = (
        SweepState.objects.filter(practice_id=practice_id, kind=kind).values_list("completed_at", flat=True).first()
    )
    return found


# --- below: how it is done -------------------------------------------------------------------------------------------


def _changed_patients(line: Line, cursor: dict[str, Any]) -> list[str]:
    """Changed patients by date (only a date is documented for them); keeps status and visit dates of known ones."""
    mark = cursor.get("patients", "")
    since = (_date_before(mark) if mark else (line.now - FIRST_LOOK).date().isoformat())
    seen: dict[str, str] = dict(cursor.get("patients_seen", {}))
    fresh: list[str] = []
    stamps: dict[str, str] = {}
    for found in client.patients_since(line=line, since=since):
        for chart in found:
            mark = max(mark, chart.updated_at)
            stamps[chart.id] = chart.updated_at
            if seen.get(chart.id) == chart.updated_at:
                continue  # asked by date, so the same change comes again all day
            mirror.keep_if_known(line=line, chart=chart)
            fresh.append(chart.id)
    cursor["patients"] = mark
    cursor["patients_seen"] = stamps
    return fresh


def _changed_appointments(line: Line, cursor: dict[str, Any]) -> list[str]:
    mark = cursor.get("appointments", "")
    touched = []
    for found in client.appointments_since(line=line, since=_since(line, mark)):
        for each in found:
            mark = max(mark, each.updated_at)
            touched.append(mirror.apply_appointment(connection=line.connection, found=each, now=line.now))
    cursor["appointments"] = mark
    return [each for each in touched if each]


def _new_prescriptions(line: Line, cursor: dict[str, Any]) -> tuple[str, ...]:
    mark = cursor.get("prescriptions", "")
    found: list[types.PrescriptionMessage] = []
    for rows in client.prescription_messages_since(line=line, since=_since(line, mark)):
        found += rows
    cursor["prescriptions"] = max([mark, *(each.created_at for each in found)])
    return mirror.keep_prescriptions(connection=line.connection, found=found, now=line.now)


def _since(line: Line, mark: str) -> str:
    """The vendor's own largest stamp less the overlap: never built from our clock once there is one (contract 4.4)."""
    moment = reading.local(mark)
    if moment is None:
        return (line.now - FIRST_LOOK).date().isoformat()
    return (moment - OVERLAP).replace(microsecond=0).isoformat()


def _date_before(mark: str) -> str:
    day = reading.day(mark)
    return (day - timedelta(days=1)).isoformat() if day else mark


def _keep_page(line: Line, found: list[types.Medication]) -> int:
    """Store one page; patients that the mirror does not know get a row. A difference no push told of is drift."""
    listed = [each for each in found if each.patient_id]
    ids = sorted({each.patient_id for each in listed})
    practice_id = line.connection.practice_id
    with transaction.atomic():
        patients = mirror.locked_patients(practice_id=practice_id, ids=ids)
        # A patient read after this page was asked for is newer than the page.
        newer = {key for key, row in patients.items() if row.medications_read_at and row.medications_read_at > line.now}
        silent = {
            key for key, row in patients.items()
            if row.medications_read_at and not (row.pushed_at and row.pushed_at >= row.medications_read_at)
        }
        expected = [each for each in listed if each.patient_id not in newer and each.patient_id not in silent]
        unexpected = [each for each in listed if each.patient_id not in newer and each.patient_id in silent]
        changed = mirror.put_medications(
            connection=line.connection, patients=patients, found=expected, now=line.now
        )
        drifted = mirror.put_medications(
            connection=line.connection, patients=patients, found=unexpected, now=line.now
        )
        if drifted:
            mirror.note_drift(connection=line.connection, now=line.now, actor=line.actor, rows=drifted)
    return changed + drifted


def _mark_gone(line: Line, doctor_id: str, began: datetime) -> int:
    return MirrorMedication.objects.filter(
        practice_id=line.connection.practice_id,
        doctor_external_id=doctor_id,
        gone_at__isnull=True,
        seen_at__lt=began,
    ).update(gone_at=line.now)


def _covers_every_doctor(line: Line, swept: list[str]) -> bool:
    """Whether the chart knows no doctor outside the sweep: an entry of a stranger would be missing from the copy."""
    try:
        return {each.id for each in client.doctors(line=line)} <= set(swept)
    except http.VendorError:
        return False


def _finish(
    line: Line,
    state: SweepState,
    cursor: dict[str, Any],
    kind: SweepKind,
    saw_all: bool,
    counts: Mapping[str, int],
) -> None:
    began = datetime.fromisoformat(cursor["began"])
    practice_id = line.connection.practice_id
    with transaction.atomic():
        if saw_all:
            # Only patients all of whose entries belong to a doctor of this sweep were seen whole.
            elsewhere = (
                MirrorMedication.objects.filter(practice_id=practice_id, gone_at__isnull=True)
                .exclude(doctor_external_id__in=cursor["all"])
                .values("patient_id")
            )
            older = Q(medications_read_at__isnull=True) | Q(medications_read_at__lt=began)
            MirrorPatient.objects.filter(older, practice_id=practice_id).exclude(pk__in=elsewhere).update(
                medications_read_at=began
            )
        state.completed_at = line.now
        _save(state, {}, began, line.now, True, counts)
        draft = Draft(
            practice_id=practice_id, event="mirror.swept", actor=line.actor, outcome=str(kind), data=dict(counts)
        )
        log.record(now=line.now, draft=draft)


def _state(connection: Connection, kind: SweepKind) -> SweepState:
    state, _made = SweepState.objects.get_or_create(practice_id=connection.practice_id, kind=kind)
    return state


def _save(
    state: SweepState,
    cursor: Mapping[str, Any],
    started: datetime | None,
    finished: datetime | None,
    is_complete: bool,
    counts: Mapping[str, int],
) -> None:
    state.cursor = dict(cursor)
    state.started_at = started or state.started_at
    state.finished_at = finished
    if is_complete and finished:
        state.completed_at = finished
    if counts:
        state.counts = dict(counts)
    state.save()
