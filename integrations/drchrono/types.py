"""What DrChrono told us, as frozen values: ids are text, moments stay as the chart wrote them unless a zone is known.

Unknown stays unknown (None or empty); nothing is derived here and nothing is stored.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(slots=True)
class Calls:
    """How many requests a piece of work has cost; the budget is 500 an hour."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class Patient:
    """A chart patient, read on demand and not kept (law 9: only the request's sealed snapshot keeps identity)."""

    id: str
    first_name: str = field(repr=False)
    middle_name: str = field(repr=False)
    last_name: str = field(repr=False)
    date_of_birth: date | None = field(repr=False)
    gender: str
    doctor_id: str
    status: str  # A active, I inactive, D deceased
    last_visit_on: date | None
    next_visit_on: date | None
    phones: tuple[str, ...] = field(repr=False)  # cell, home, office: as written, only those present
    email: str = field(repr=False)
    address: str = field(repr=False)
    city: str = field(repr=False)
    state: str
    zip_code: str = field(repr=False)
    default_pharmacy: str  # NCPDP id or empty
    preferred_pharmacies: tuple[str, ...]
    disables_sms: bool
    language: str
    updated_at: str

    @property
    def pharmacy(self) -> str:
        """The default pharmacy: the first preferred one (since 2023-08-04), else the old field; empty if none."""
        return self.preferred_pharmacies[0] if self.preferred_pharmacies else self.default_pharmacy


@dataclass(frozen=True, slots=True)
class Medication:
    """One entry of the medication list, words and codes as given. `is_active` by contract 7.2."""

    id: str
    patient_id: str
    doctor_id: str
    name: str
    rxcui: str
    ndc: str
    status: str
    order_status: str
    dosage_quantity: str
    dosage_units: str
    route: str
    frequency: str
    prn: bool | None
    dispense_quantity: Decimal | None
    number_refills: int | None
    daw: bool | None
    sig: str
    pharmacy_note: str
    indication: str
    prescribed_on: date | None
    started_on: date | None
    stopped_on: date | None

    def is_active(self, *, today: date) -> bool:
        """Active in the chart: the status says so, it was not stopped up to today, the order is not discontinued."""
        stopped = self.stopped_on is not None and self.stopped_on <= today
        return self.status == "active" and not stopped and self.order_status != "Discontinued"


@dataclass(frozen=True, slots=True)
class MedicationChange:
    """What may be written to a chart entry; None leaves a field alone. `date_prescribed` is practice-local."""

    date_prescribed: date | None = None
    dispense_quantity: Decimal | None = None
    number_refills: int | None = None
    order_status: str | None = None
    pharmacy_note: str | None = None


@dataclass(frozen=True, slots=True)
class Doctor:
    id: str
    first_name: str
    last_name: str
    suffix: str
    npi: str
    time_zone: str
    is_suspended: bool
    practice_group: str


@dataclass(frozen=True, slots=True)
class User:
    """A sign-in of the chart. Tasks want user ids, medications want doctor ids: never mix them."""

    id: str
    username: str
    is_doctor: bool
    doctor_id: str
    practice_group: str


@dataclass(frozen=True, slots=True)
class Office:
    id: str
    name: str
    doctor_id: str
    address: str
    city: str
    state: str
    zip_code: str
    phone: str
    fax: str
    is_archived: bool


@dataclass(frozen=True, slots=True)
class Appointment:
    id: str
    patient_id: str
    doctor_id: str
    scheduled_local: datetime | None  # practice-local, without zone: the chart's own words
    status: str
    is_break: bool
    is_deleted: bool
    updated_at: str

    @property
    def may_count_as_visit(self) -> bool:
        """Contract 7.4: no break, not deleted, not cancelled, missed or moved. The caller adds "in the past"."""
        off = self.status in ("Cancelled", "No Show", "Rescheduled")
        return bool(self.patient_id) and not self.is_break and not self.is_deleted and not off


@dataclass(frozen=True, slots=True)
class PrescriptionMessage:
    """A line of the chart's own e-prescribing log. `direction` is incoming, outgoing or unknown."""

    id: str
    patient_id: str
    doctor_id: str
    kind: str
    direction: str
    status: str
    parent_id: str
    pharmacy_ncpdp_id: str
    drug_name: str
    rxcui: str
    ndc: str
    quantity: Decimal | None
    days_supply: int | None
    number_refills: int | None
    created_at: str


@dataclass(frozen=True, slots=True)
class LabResult:
    id: str
    patient_id: str
    title: str
    loinc: str
    value: str
    units: str
    abnormal_flag: str
    order_status: str
    performed_local: datetime | None
    updated_at: str


@dataclass(frozen=True, slots=True)
class Vital:
    """One vital sign of a visit; `loinc` is the standard's code for it, the visit itself gives names only."""

    loinc: str
    title: str
    value: str
    units: str


@dataclass(frozen=True, slots=True)
class VisitVitals:
    """The vital signs taken at one appointment; none when it was cancelled, missed, deleted or nothing was taken."""

    id: str
    patient_id: str
    scheduled_local: datetime | None
    vitals: tuple[Vital, ...]
    updated_at: str


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be made. `marker` is ours, like RH-8f3c12ab, stands in the title and finds the task again."""

    marker: str
    title: str
    note: str
    patient_id: str
    assignee_user_id: str = ""
    priority: str = "20"  # 10 low, 20 medium, 30 high, 40 urgent
    due_local: datetime | None = None


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    title: str
    status_id: str
    is_archived: bool
    notes: tuple[str, ...]
    updated_at: str


@dataclass(frozen=True, slots=True)
class SetUp:
    """What is looked up once per connection: ids of an open and a closed task status, and of a category (or empty)."""

    open_status: str
    closed_status: str
    category: str
