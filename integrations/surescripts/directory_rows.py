"""The rows of the network's directory files: pharmacies and prescriber locations, from delimited text.

A row that cannot be read is reported, never dropped in silence; a file without header or rows is an error, because
"nobody exists" would stop every prescription.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Generic, TypeVar

from integrations.surescripts import script_checks
from integrations.surescripts.script_model import Address, Name, PharmacyRef, PrescriberRef


class UnreadableFile(ValueError):
    """The delimited file has no header we know, or no rows."""


@dataclass(frozen=True, slots=True)
class PharmacyRow:
    """One pharmacy of the directory. service_levels: upper-case words without spaces, for example NEW, CANCEL."""

    ncpdp_id: str
    npi: str
    name: str
    address: Address
    phone: str
    fax: str
    active_from: datetime | None
    active_until: datetime | None
    service_levels: frozenset[str]

    def is_active(self, *, now: datetime) -> bool:
        """True inside the active period; an open end counts as active."""
        return _is_active(self.active_from, self.active_until, now=now)

    def offers(self, level: str) -> bool:
        """True when the service level covers this transaction (New, Cancel, ControlledSubstance, ...)."""
        return _level(level) in self.service_levels

    def as_ref(self) -> PharmacyRef:
        """The pharmacy as a message names it."""
        return PharmacyRef(
            ncpdp_id=self.ncpdp_id,
            npi=self.npi,
            name=self.name,
            phone=self.phone,
            fax=self.fax,
            address=self.address,
        )


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One prescriber at one location."""

    spi: str
    npi: str
    name: Name
    dea_number: str
    practice_name: str
    specialty: str
    address: Address
    phone: str
    fax: str
    active_from: datetime | None
    active_until: datetime | None
    service_levels: frozenset[str]

    def is_active(self, *, now: datetime) -> bool:
        """True inside the active period; an open end counts as active."""
        return _is_active(self.active_from, self.active_until, now=now)

    def offers(self, level: str) -> bool:
        """True when the service level covers this transaction."""
        return _level(level) in self.service_levels

    def as_ref(self) -> PrescriberRef:
        """The prescriber as a message names them."""
        return PrescriberRef(
            spi=self.spi,
            npi=self.npi,
            name=self.name,
            phone=self.phone,
            fax=self.fax,
            address=self.address,
            specialty=self.specialty,
            practice_name=self.practice_name,
            dea_number=self.dea_number,
        )


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that could not be read, by its number in the file and the reason."""

    line: int
    reason: str


Row = TypeVar("Row", PharmacyRow, ProviderRow)


@dataclass(frozen=True, slots=True)
class DirectoryFile(Generic[Row]):
    """One downloaded file: its rows and the lines that could not be read."""

    rows: tuple[Row, ...]
    bad: tuple[BadRow, ...]


def read_pharmacies(content: bytes) -> DirectoryFile[PharmacyRow]:
    """The rows of a pharmacy file. Raises UnreadableFile."""
    return _read(content, key="ncpdp_id", make=_pharmacy)


def read_providers(content: bytes) -> DirectoryFile[ProviderRow]:
    """The rows of a provider file. Raises UnreadableFile."""
    return _read(content, key="spi", make=_provider)


# --- below: how it is done ------------------------------------------------------------------------------------------

_COLUMNS: Mapping[str, str] = {
    "ncpdpid": "ncpdp_id",
    "ncpdp": "ncpdp_id",
    "spi": "spi",
    "npi": "npi",
    "deanumber": "dea_number",
    "dea": "dea_number",
    "name": "name",
    "businessname": "name",
    "organizationname": "name",
    "storename": "name",
    "pharmacyname": "name",
    "practicename": "practice_name",
    "lastname": "last_name",
    "firstname": "first_name",
    "middlename": "middle_name",
    "suffix": "suffix",
    "specialty": "specialty",
    "addressline1": "line1",
    "address1": "line1",
    "address": "line1",
    "line1": "line1",
    "addressline2": "line2",
    "address2": "line2",
    "line2": "line2",
    "city": "city",
    "state": "state",
    "stateprovince": "state",
    "zip": "postal_code",
    "zipcode": "postal_code",
    "postalcode": "postal_code",
    "phone": "phone",
    "primarytelephone": "phone",
    "phoneprimary": "phone",
    "telephone": "phone",
    "fax": "fax",
    "activefrom": "active_from",
    "activeuntil": "active_until",
    "activeto": "active_until",
    "activestart": "active_from",
    "activestarttime": "active_from",
    "activeend": "active_until",
    "activeendtime": "active_until",
    "servicelevel": "service_levels",
    "servicelevels": "service_levels",
}


def _read(content: bytes, *, key: str, make: Callable[[Mapping[str, str]], Row]) -> DirectoryFile[Row]:
    lines = csv.reader(
        io.StringIO(content.decode("utf-8-sig", errors="replace")), delimiter="|", quoting=csv.QUOTE_NONE
    )
    first = next(lines, [])
    columns = [_COLUMNS.get(re.sub(r"[^a-z0-9]", "", title.lower()), "") for title in first]
    if key not in columns:
        raise UnreadableFile(f"no column {key}")
    rows: list[Row] = []
    bad: list[BadRow] = []
    seen: set[str] = set()
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            if len(cells) != len(columns):
                raise ValueError(f"{len(cells)} columns instead of {len(columns)}")
            values = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if name}
            if values[key] in seen:
                raise ValueError("the same id stands twice")
            row = make(values)
            seen.add(values[key])
            rows.append(row)
        except ValueError as error:
            bad.append(BadRow(line=number, reason=str(error)))
    if not rows:
        raise UnreadableFile("no rows")
    return DirectoryFile(rows=tuple(rows), bad=tuple(bad))


def _pharmacy(values: Mapping[str, str]) -> PharmacyRow:
    if not script_checks.is_ncpdp_id(values["ncpdp_id"]):
        raise ValueError("the NCPDP id is not seven digits")
    return PharmacyRow(
        ncpdp_id=values["ncpdp_id"],
        npi=values.get("npi", ""),
        name=values.get("name", ""),
        address=_address(values),
        phone=_phone(values.get("phone", "")),
        fax=_phone(values.get("fax", "")),
        active_from=_moment(values.get("active_from", "")),
        active_until=_moment(values.get("active_until", "")),
        service_levels=_levels(values.get("service_levels", "")),
    )


def _provider(values: Mapping[str, str]) -> ProviderRow:
    if not script_checks.is_spi(values["spi"]):
        raise ValueError("the SPI is not thirteen digits")
    return ProviderRow(
        spi=values["spi"],
        npi=values.get("npi", ""),
        name=Name(
            last=values.get("last_name", ""),
            first=values.get("first_name", ""),
            middle=values.get("middle_name", ""),
            suffix=values.get("suffix", ""),
        ),
        dea_number=values.get("dea_number", ""),
        practice_name=values.get("practice_name", "") or values.get("name", ""),
        specialty=values.get("specialty", ""),
        address=_address(values),
        phone=_phone(values.get("phone", "")),
        fax=_phone(values.get("fax", "")),
        active_from=_moment(values.get("active_from", "")),
        active_until=_moment(values.get("active_until", "")),
        service_levels=_levels(values.get("service_levels", "")),
    )


def _address(values: Mapping[str, str]) -> Address:
    return Address(
        line1=values.get("line1", ""),
        line2=values.get("line2", ""),
        city=values.get("city", ""),
        state=values.get("state", "").upper(),
        postal_code=values.get("postal_code", "").replace("-", ""),
    )


def _phone(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _moment(text: str) -> datetime | None:
    """A date or a moment; a date is its first instant in UTC. Raises ValueError."""
    if not text:
        return None
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), time.min, tzinfo=UTC)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _levels(text: str) -> frozenset[str]:
    return frozenset(_level(word) for word in re.split(r"[,;~^ ]+", text) if word)


def _level(word: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", word.upper())


def _is_active(start: datetime | None, end: datetime | None, *, now: datetime) -> bool:
    return (start is None or start <= now) and (end is None or now < end)
