"""The network's directory, weekly and on demand: pharmacies loaded into PharmacyEntry, our prescribers' SPIs compared.

One transaction swaps all rows, so readers never see half a list. Nothing is ever substituted by itself (surescripts 5).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from integrations import vault
from integrations.http import VendorError
from integrations.models import (
    Connection,
    ConnectionStatus,
    DirectoryState,
    PharmacyEntry,
    RefusedAddress,
    Vendor,
)
from integrations.surescripts import directory
from integrations.surescripts.directory_rows import PharmacyRow, ProviderRow
from refillhub.practices.models import Practice, Spi
from review import sending, workflow

# The directory's words in the spelling the rest of the house uses.
LEVELS = {
    "NEW": "New",
    "CANCEL": "Cancel",
    "RENEWAL": "Renewal",
    "CHANGE": "Change",
    "RXFILL": "RxFill",
    "CONTROLLEDSUBSTANCE": "ControlledSubstance",
}
FEW = 20  # pharmacies; fewer may halve without suspicion
FIELDS = (
    "npi", "name", "store_number", "address_line_1", "address_line_2", "city", "state", "zip_code", "phone", "fax",
    "service_levels", "active_from", "active_until", "directory_state", "seen_at", "changed_at",
)  # fmt: skip


def refresh(*, now: datetime) -> int:
    """Download and swap in the directory, once per stage. Returns the number of pharmacies."""
    loaded = 0
    seen: set[str] = set()
    rows = Connection.objects.select_related("practice").filter(
        vendor=Vendor.surescripts, status=ConnectionStatus.active
    )
    for connection in rows:
        if connection.stage in seen or connection.stage != connection.practice.stage:
            continue
        seen.add(connection.stage)
        try:
            found = directory.download_pharmacies(
                connection=sending.endpoint_of(connection=connection, spi="", now=now), now=now
            ).rows
        except (VendorError, vault.NoSecret, vault.WrongStage, RefusedAddress) as error:
            code = getattr(error, "code", "") or type(error).__name__
            workflow.note_vendor_error(connection=connection, code=code, now=now)
            continue
        if is_shrunk(stage=connection.stage, count=len(found)):
            # A torn file would mark the pharmacies of half the patients as gone.
            workflow.raise_alarm(practice=connection.practice, kind="directory_shrunk", key=connection.stage, now=now)
            continue
        loaded += load(stage=connection.stage, found=found, now=now)
    return loaded


def is_shrunk(*, stage: str, count: int) -> bool:
    """Whether a list has less than half of the pharmacies that are active now, where there are more than a few."""
    known = PharmacyEntry.objects.filter(stage=stage, directory_state=DirectoryState.active).count()
    return known > FEW and count * 2 < known


def refresh_prescribers(*, now: datetime) -> int:
    """Compare each practice's SPIs with the network's directory of its account. Returns how many were looked at.

    What is not listed, has ended, or belongs to another NPI sends nothing until the directory lists it again.
    """
    looked = 0
    rows = Connection.objects.select_related("practice").filter(
        vendor=Vendor.surescripts, status=ConnectionStatus.active
    )
    for connection in rows:
        if connection.stage != connection.practice.stage:
            continue
        try:
            found = directory.download_providers(
                connection=sending.endpoint_of(connection=connection, spi="", now=now), now=now
            ).rows
        except (VendorError, vault.NoSecret, vault.WrongStage, RefusedAddress) as error:
            code = getattr(error, "code", "") or type(error).__name__
            workflow.note_vendor_error(connection=connection, code=code, now=now)
            continue
        looked += _compare(practice=connection.practice, found={row.spi: row for row in found}, now=now)
    return looked


def _compare(*, practice: Practice, found: Mapping[str, ProviderRow], now: datetime) -> int:
    rows = list(Spi.objects.select_related("provider").filter(practice=practice, is_active=True))
    for row in rows:
        listed = found.get(row.spi)
        row.checked_at = now
        if listed is None:
            row.directory_state = "missing"
        elif listed.npi != row.provider.npi:
            row.directory_state = "other"
        else:
            row.directory_state = "listed" if listed.is_active(now=now) else "ended"
            row.service_levels = sorted(LEVELS.get(level, level) for level in listed.service_levels)
    Spi.objects.bulk_update(rows, ["directory_state", "service_levels", "checked_at"])
    for row in rows:
        if row.directory_state != "listed":
            workflow.raise_alarm(practice=practice, kind="spi_not_listed", key=row.spi, now=now)
    return len(rows)


def load(*, stage: str, found: Sequence[PharmacyRow], now: datetime) -> int:
    """Swap in one full list: new and changed rows are written, rows not listed any more are `missing`."""
    known = {row.ncpdp_id: row for row in PharmacyEntry.objects.filter(stage=stage)}
    rows = []
    for each in found:
        row = _entry(stage, each, now)
        before = known.get(each.ncpdp_id)
        if before is not None and (before.name, before.address_line_1) != (row.name, row.address_line_1):
            row.directory_state, row.changed_at = DirectoryState.changed, now
        if row.active_until is not None and row.active_until <= now:
            row.directory_state = DirectoryState.inactive
        rows.append(row)
    with transaction.atomic(durable=True):
        PharmacyEntry.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["stage", "ncpdp_id"], update_fields=list(FIELDS)
        )
        gone = set(known) - {each.ncpdp_id for each in found}
        PharmacyEntry.objects.filter(stage=stage, ncpdp_id__in=gone).update(
            directory_state=DirectoryState.missing, changed_at=now
        )
    return len(rows)


def _entry(stage: str, each: PharmacyRow, now: datetime) -> PharmacyEntry:
    return PharmacyEntry(
        stage=stage,
        ncpdp_id=each.ncpdp_id,
        npi=each.npi,
        name=each.name,
        address_line_1=each.address.line1,
        address_line_2=each.address.line2,
        city=each.address.city,
        state=each.address.state,
        zip_code=each.address.postal_code,
        phone=each.phone,
        fax=each.fax,
        service_levels=sorted(LEVELS.get(level, level) for level in each.service_levels),
        active_from=each.active_from,
        active_until=each.active_until,
        seen_at=now,
    )
