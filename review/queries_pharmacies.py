"""What the pharmacies page shows: a search of the directory, and pharmacies of our patients that are not current.

Reads only. A successor is proposed, never chosen: same place, or same telephone or NPI, and active.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from integrations.models import DirectoryState, PharmacyEntry
from refillhub.practices.models import Practice
from review import access, pharmacies, queries_desk
from review.models import RefillRequest
from review.states import RequestState

MOST_FOUND, MOST_STALE, MOST_PEOPLE = 50, 50, 20
# Patients of the last half year: who has asked since will ask again.
SINCE = timedelta(days=183)


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient who uses it: the newest request, the name, and whether that request still waits."""

    request: RefillRequest
    name: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Stale:
    """A pharmacy nothing is sent to any more, who uses it, and what has likely taken its place."""

    ncpdp_id: str
    row: PharmacyEntry | None
    patients: tuple[Patient, ...]
    more: int
    successors: tuple[PharmacyEntry, ...]


def search(*, stage: str, text: str, now: datetime) -> list[tuple[PharmacyEntry, bool]]:
    """Pharmacies by name, street, city, ZIP code or NCPDP id, each with whether it takes prescriptions."""
    found = PharmacyEntry.objects.filter(stage=stage)
    for word in text.split()[:6]:
        found = found.filter(
            Q(name__icontains=word) | Q(address_line_1__icontains=word) | Q(city__icontains=word)
            | Q(zip_code__startswith=word) | Q(ncpdp_id=word) | Q(store_number=word)
        )  # fmt: skip
    rows = list(found.order_by("directory_state", "name", "ncpdp_id")[:MOST_FOUND]) if text.split() else []
    return [(row, row.is_sendable(now)) for row in rows]


def stale(*, practice: Practice, now: datetime) -> list[Stale]:
    """Pharmacies of this practice's patients that are gone, ended or unknown, those with open requests first."""
    recent = (
        access.requests_of(practice=practice)
        .filter(opened_at__gte=now - SINCE)
        .exclude(pharmacy_ncpdp="")
        .exclude(patient_external_id="")
    )
    used = set(recent.values_list("pharmacy_ncpdp", flat=True).distinct())
    rows = pharmacies.by_ncpdp(stage=practice.stage, ncpdp_ids=used)
    gone = sorted(one for one in used if one not in rows or not rows[one].is_sendable(now))[:MOST_STALE]
    newest = (
        recent.filter(pharmacy_ncpdp__in=gone)
        .defer("reading_sealed")
        .order_by("pharmacy_ncpdp", "patient_external_id", "-opened_at")
        .distinct("pharmacy_ncpdp", "patient_external_id")
    )
    people: dict[str, list[RefillRequest]] = {}
    for request in newest:
        people.setdefault(request.pharmacy_ncpdp, []).append(request)
    told = [_stale(practice, one, rows.get(one), people.get(one, []), now) for one in gone]
    return sorted(told, key=lambda one: -sum(1 for who in one.patients if who.is_open))


def _stale(
    practice: Practice, ncpdp_id: str, row: PharmacyEntry | None, requests: list[RefillRequest], now: datetime
) -> Stale:
    ordered = sorted(requests, key=lambda one: (one.state != RequestState.IN_REVIEW, one.opened_at))
    patients = tuple(
        Patient(
            request=one,
            name=queries_desk.name_of(one, practice=practice),
            is_open=one.state == RequestState.IN_REVIEW,
        )
        for one in ordered[:MOST_PEOPLE]
    )
    return Stale(
        ncpdp_id=ncpdp_id,
        row=row,
        patients=patients,
        more=max(0, len(ordered) - MOST_PEOPLE),
        successors=tuple(successors(row=row, now=now)) if row is not None else (),
    )


def successors(*, row: PharmacyEntry, now: datetime) -> list[PharmacyEntry]:
    """Active pharmacies at the same place, or with the same telephone or NPI; the same place first; at most three."""
    same = Q(pk__in=[])
    if row.address_line_1 and row.zip_code:
        same |= Q(address_line_1__iexact=row.address_line_1, zip_code__startswith=row.zip_code[:5])
    if row.phone:
        same |= Q(phone=row.phone)
    if row.npi:
        same |= Q(npi=row.npi)
    found = PharmacyEntry.objects.filter(same, stage=row.stage).exclude(pk=row.pk)
    found = found.filter(directory_state__in=[DirectoryState.active, DirectoryState.changed])
    here = [one for one in found[:20] if one.is_sendable(now)]
    here.sort(key=lambda one: (one.address_line_1.lower() != row.address_line_1.lower(), one.name))
    return here[:3]
