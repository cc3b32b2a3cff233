"""The mirror's laboratory results and vital signs: swept in the background, read through for a patient, and their age.

Only results a caller wants are kept, as given, and for two years. A reading for one patient or a whole sweep proves the
copy; another set of wanted results makes every copy unread. Never decides what a result means.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from integrations import http, mirror
from integrations.drchrono import reading, results, types
from integrations.drchrono.wire import Line
from integrations.mirror_sweeps import Swept
from integrations.models import Connection, MirrorPatient, MirrorResult, ResultKind, SweepKind, SweepState

KEPT = timedelta(days=731)  # the longest window of the protocols is 730 days
OVERLAP = timedelta(minutes=10)  # contract 4.4
LONGEST_NAME, MOST_NAMES = 60, 200
SWEEPS: Mapping[ResultKind, SweepKind] = {ResultKind.lab: SweepKind.labs, ResultKind.vital: SweepKind.vitals}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which laboratory results are kept: told by LOINC and title. `fingerprint` (16 characters) names the choice."""

    takes: Callable[[str, str], bool]
    fingerprint: str


# --- age -------------------------------------------------------------------------------------------------------------


def age_minutes(
    *,
    patient: MirrorPatient,
    states: Mapping[str, SweepState],
    kinds: Iterable[ResultKind],
    wanted: Wanted,
    now: datetime,
) -> int | None:
    """Age of our copy of these kinds for a patient, whole minutes rounded up; None when one was never read whole.

    The oldest counts. `states` are the practice's sweeps by kind (`states_of`).
    """
    ages: list[int] = []
    for kind in kinds:
        read_at = patient.labs_read_at if kind is ResultKind.lab else patient.vitals_read_at
        if patient.results_wanted != wanted.fingerprint:
            read_at = None
        swept_at = _whole_at(states.get(SWEEPS[kind]), wanted)
        as_of = max((moment for moment in (read_at, swept_at) if moment is not None), default=None)
        if as_of is None:
            return None
        ages.append(max(0, math.ceil((now - as_of).total_seconds() / 60)))
    return max(ages, default=0)


def states_of(*, practice_id: UUID) -> dict[str, SweepState]:
    """How far the two sweeps of a practice are, by kind."""
    rows = SweepState.objects.filter(practice_id=practice_id, kind__in=SWEEPS.values())
    return {row.kind: row for row in rows}


def _whole_at(state: SweepState | None, wanted: Wanted) -> datetime | None:
    """As of when the sweep holds everything; None before its first end, or when it kept another choice."""
    if state is None or state.cursor.get("wanted") != wanted.fingerprint or not state.cursor.get("as_of"):
        return None
    return datetime.fromisoformat(state.cursor["as_of"])


# --- read-through ----------------------------------------------------------------------------------------------------


def refresh(*, line: Line, external_id: str, kinds: Iterable[ResultKind], wanted: Wanted) -> MirrorPatient:
    """Read one patient's results of these kinds (one call each) and keep them instead of what was kept.

    Raises VendorError. Dated at the moment the reading began; a later reading that was faster stands.
    """
    since = (line.now - KEPT).date().isoformat()
    found: dict[ResultKind, list[MirrorResult]] = {}
    for kind in dict.fromkeys(kinds):
        if kind is ResultKind.lab:
            listed = results.of_patient(line=line, patient_id=external_id, since=since)
            found[kind] = [row for each in listed for row in _of_lab(line, each, wanted)]
        else:
            visits = results.vitals_of_patient(line=line, patient_id=external_id, since=since)
            found[kind] = [row for each in visits for row in _of_visit(line, each)]
    with transaction.atomic():
        patient = mirror.locked_patient(practice_id=line.connection.practice_id, external_id=external_id)
        if patient.results_wanted != wanted.fingerprint:
            patient.labs_read_at = patient.vitals_read_at = None
        patient.results_wanted = wanted.fingerprint
        for kind, rows in found.items():
            name = "labs_read_at" if kind is ResultKind.lab else "vitals_read_at"
            read_at = getattr(patient, name)
            if read_at is None or read_at <= line.now:
                MirrorResult.objects.filter(patient=patient, kind=kind).delete()
                _put([(patient, row) for row in rows])
                setattr(patient, name, line.now)
        patient.save(update_fields=["results_wanted", "labs_read_at", "vitals_read_at"])
    return patient


# --- sweep -----------------------------------------------------------------------------------------------------------


def sweep(*, line: Line, kind: ResultKind, wanted: Wanted, budget: int) -> Swept:
    """Go on with the sweep of this kind, at most `budget` calls: first two years back, then what changed since.

    The cursor is saved after each page. Throttling ends the run, not the sweep; a cursor the vendor no longer knows
    begins the pass anew. Raises VendorError when not one page could be read.
    """
    state, _made = SweepState.objects.get_or_create(practice_id=line.connection.practice_id, kind=SWEEPS[kind])
    cursor: dict[str, Any] = dict(state.cursor)
    if cursor.get("wanted") != wanted.fingerprint:
        cursor = {"wanted": wanted.fingerprint}
    if not cursor.get("began"):
        cursor |= {"began": line.now.isoformat(), "since": _since(line, cursor.get("mark", "")), "next": ""}
    before, rows, is_complete = line.calls.count, 0, False
    while not is_complete and line.calls.count - before < budget:
        try:
            found, following = _page(line, state, kind, cursor, wanted)
        except http.VendorError as error:
            if error.permanent and cursor["next"]:
                cursor["began"] = ""
                _save(state, cursor)
            if line.calls.count == before or not rows:
                raise
            break
        rows += found
        cursor["next"] = following
        is_complete = not following
        if is_complete:
            cursor |= {"as_of": cursor["began"], "began": ""}
            state.completed_at = line.now
            _forget_old(line.connection, line.now)
        _save(state, cursor)
    calls = line.calls.count - before
    return Swept(calls=calls, rows=rows, changed=rows, gone=0, is_complete=is_complete)


def _page(
    line: Line, state: SweepState, kind: ResultKind, cursor: dict[str, Any], wanted: Wanted
) -> tuple[int, str]:
    """Read and keep one page; the number of records, and the cursor of the next page. Moves the mark."""
    given: list[tuple[str, str, list[MirrorResult]]]
    if kind is ResultKind.lab:
        labs, following = results.page(line=line, since=cursor["since"], cursor=cursor["next"])
        given = [(each.patient_id, each.id, _of_lab(line, each, wanted)) for each in labs]
        marks = [each.updated_at for each in labs]
        _note_names(state, [each.title for each in labs if not each.loinc and not wanted.takes("", each.title)])
    else:
        visits, following = results.vitals_page(line=line, since=cursor["since"], cursor=cursor["next"])
        given = [(each.patient_id, each.id, _of_visit(line, each)) for each in visits]
        marks = [each.updated_at for each in visits]
    _keep_page(line, kind, [one for one in given if one[0]])
    cursor["mark"] = max([cursor.get("mark", ""), *marks])
    return len(given), following


def _since(line: Line, mark: str) -> str:
    """The vendor's own largest stamp less the overlap (contract 4.4); two years back without one."""
    moment = reading.local(mark)
    if moment is None:
        return (line.now - KEPT).date().isoformat()
    return (moment - OVERLAP).replace(microsecond=0).isoformat()


# --- below: how it is done -------------------------------------------------------------------------------------------


def _keep_page(line: Line, kind: ResultKind, given: list[tuple[str, str, list[MirrorResult]]]) -> None:
    """What the page says of each record instead of what was kept of it; patients the mirror lacks get a row."""
    practice_id = line.connection.practice_id
    ids = sorted({patient_id for patient_id, _, _ in given})
    with transaction.atomic():
        patients = mirror.locked_patients(practice_id=practice_id, ids=ids)
        groups = [group for _, group, _ in given]
        MirrorResult.objects.filter(practice_id=practice_id, kind=kind, group_external_id__in=groups).delete()
        _put([(patients[patient_id], row) for patient_id, _, rows in given for row in rows])


def _put(given: Iterable[tuple[MirrorPatient, MirrorResult]]) -> None:
    rows: dict[str, MirrorResult] = {}
    for patient, row in given:
        row.patient = patient
        rows[row.external_id] = row  # a row that moved between pages comes twice
    if rows:
        MirrorResult.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["practice", "kind", "external_id"],
            update_fields=[
                "patient", "group_external_id", "title", "loinc", "value", "unit", "flag", "status", "performed_on",
                "seen_at",
            ],
        )  # fmt: skip


def _of_lab(line: Line, each: types.LabResult, wanted: Wanted) -> list[MirrorResult]:
    if not wanted.takes(each.loinc, each.title):
        return []
    on = each.performed_local.date() if each.performed_local else None
    if on is not None and on < (line.now - KEPT).date():
        return []
    return [
        MirrorResult(
            practice_id=line.connection.practice_id,
            kind=ResultKind.lab,
            external_id=each.id,
            group_external_id=each.id,
            title=each.title,
            loinc=each.loinc,
            value=each.value,
            unit=each.units,
            flag=each.abnormal_flag,
            status=each.order_status,
            performed_on=on,
            seen_at=line.now,
        )
    ]


def _of_visit(line: Line, each: types.VisitVitals) -> list[MirrorResult]:
    on = each.scheduled_local.date() if each.scheduled_local else None
    today = mirror.local_day(practice=line.connection.practice, now=line.now)
    if on is None or on > today or on < (line.now - KEPT).date():
        return []
    return [
        MirrorResult(
            practice_id=line.connection.practice_id,
            kind=ResultKind.vital,
            external_id=f"{each.id}:{vital.loinc}",
            group_external_id=each.id,
            title=vital.title,
            loinc=vital.loinc,
            value=vital.value,
            unit=vital.units,
            performed_on=on,
            seen_at=line.now,
        )
        for vital in each.vitals
    ]


def _note_names(state: SweepState, titles: Iterable[str]) -> None:
    """Names of tests nobody knows, counted so that the practice can say what they are; no patient, no value."""
    counted: dict[str, int] = dict(state.counts.get("names", {}))
    for title in titles:
        name = " ".join(title.split())
        if name in counted or (0 < len(name) <= LONGEST_NAME and len(counted) < MOST_NAMES):
            counted[name] = counted.get(name, 0) + 1
    state.counts = {**state.counts, "names": counted}


def _forget_old(connection: Connection, now: datetime) -> None:
    old = (now - KEPT).date()
    MirrorResult.objects.filter(practice_id=connection.practice_id, performed_on__lt=old).delete()


def _save(state: SweepState, cursor: Mapping[str, Any]) -> None:
    state.cursor = dict(cursor)
    state.save()
