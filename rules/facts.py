"""What a decision may know: frozen values, units in the names, nothing looked up.

`None` always means *unknown*, never "no" and never a default: a rule that meets it must turn to a person. An empty
tuple means "we looked and there is none". Days are practice-local dates, moments are aware UTC. Filled in one place
only (`review/facts.py`); never imports Django, reads a clock, a database or the network.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Schedule(StrEnum):
    """DEA schedule (21 CFR 1308), the stricter of federal and state where they differ."""

    not_controlled = "not_controlled"
    ii = "ii"
    iii = "iii"
    iv = "iv"
    v = "v"
    unknown = "unknown"


class Kind(StrEnum):
    """What the patient asks for, as far as it was understood."""

    refill = "refill"
    pharmacy_change = "pharmacy_change"
    other = "other"
    unknown = "unknown"


class Tag(StrEnum):
    """The Klara tag the recipes trigger on; `none` means looked and untagged."""

    refill = "refill"
    pharmacy_change = "pharmacy_change"
    none = "none"
    unknown = "unknown"


class Channel(StrEnum):
    text = "text"
    form = "form"
    voicemail = "voicemail"
    network = "network"
    """A renewal request of a pharmacy."""
    unknown = "unknown"


class Author(StrEnum):
    patient = "patient"
    proxy = "proxy"
    pharmacy = "pharmacy"
    unknown = "unknown"


class PatientStatus(StrEnum):
    active = "active"
    inactive = "inactive"
    deceased = "deceased"
    unknown = "unknown"


class Sex(StrEnum):
    female = "female"
    male = "male"
    unknown = "unknown"


class SupplyState(StrEnum):
    """Where a supply of ours (or a native prescription) stands. Anything not surely undelivered counts as supply (law
    6)."""

    approved = "approved"
    sent = "sent"
    delivered = "delivered"
    unresolved = "unresolved"
    surely_undelivered = "surely_undelivered"


@dataclass(frozen=True, slots=True)
class Drug:
    """RxCUI ingredient set + strength + form. `ingredients` sorted, lower case, salt-free; empty means unknown."""

    name: str
    rxcui: str = ""
    ingredients: tuple[str, ...] = ()
    strength: str = ""
    form: str = ""
    schedule: Schedule = Schedule.unknown
    drug_class: str = ""
    """Key of a protocol, for people only: a decision always works the classes out again from the ingredients."""


@dataclass(frozen=True, slots=True)
class Directions:
    """Structured directions of a list entry, texts as the chart gives them ("" = absent)."""

    dosage_quantity: str = ""
    dosage_units: str = ""
    frequency: str = ""
    route: str = ""
    is_as_needed: bool | None = None


@dataclass(frozen=True, slots=True)
class ListEntry:
    """The one medication-list entry the request was matched to."""

    entry_id: str
    as_named: Drug | None
    """Drug read from the entry's *name*; None when the name could not be read."""
    as_coded: Drug | None
    """Drug read from the entry's *code* (RxCUI, else NDC); None when there is no usable code."""
    sig_text: str = ""
    directions: Directions | None = None
    dispense_quantity: Decimal | None = None
    dispense_unit: str = ""
    days_supply: int | None = None
    """As the chart gives it, days per fill; never derived here."""
    number_refills: int | None = None
    daw: bool | None = None
    is_active: bool | None = None
    order_status: str = ""
    prescribed_on: date | None = None
    started_on: date | None = None
    changed_on: date | None = None
    """Day of the last change of strength, form or directions, when known."""
    stopped_on: date | None = None
    """None: no stop date on the entry (the chart's own way of saying not stopped)."""
    is_over_the_counter: bool | None = None
    is_administered: bool | None = None
    """Given in the office (injections): not for a pharmacy."""
    is_by_other_doctor: bool | None = None
    prescriber_ref: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    age_years: int | None = None
    status: PatientStatus = PatientStatus.unknown
    is_pregnant: bool | None = None
    """Chart or message; None is unknown."""
    sex: Sex = Sex.unknown


@dataclass(frozen=True, slots=True)
class Visit:
    """Qualifying visits: kept appointments of the kinds the practice counts."""

    last_qualifying_on: date | None = None
    upcoming_on: date | None = None
    is_upcoming_known: bool = False
    """True when the calendar ahead was read, so that `upcoming_on=None` means none booked."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One dispensing seen by a pharmacy."""

    on: date
    days_supply: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Supply:
    """One prescription of the same ingredient set: a dispatch of ours or a native one in the EHR."""

    on: date
    days_supply: int | None = None
    """Days per fill."""
    number_refills: int | None = None
    source: str = ""
    state: SupplyState = SupplyState.unresolved


@dataclass(frozen=True, slots=True)
class Lab:
    """One laboratory result or vital sign, key and unit as in `protocols`; a unit that could not be converted stands
    as the source wrote it (`rules.units`)."""

    key: str
    value: Decimal | None
    """None: there is a result, but not a plain number ("<5", "hemolyzed")."""
    unit: str
    on: date | None
    """Practice-local day of the test; None when the source does not say."""
    flag: str = ""
    """The reporting laboratory's own (HL7 table 0078): "", N, L, H, LL, HH, A, AA, ..."""
    source: str = ""
    """How the test was known: loinc, alias."""


@dataclass(frozen=True, slots=True)
class Prescriber:
    """The list entry's own prescriber."""

    provider_ref: str
    is_ours: bool | None = None
    is_active: bool | None = None
    has_spi: bool | None = None
    is_away: bool | None = None
    agreed_to_automatic: bool = False
    """Dated, audited consent given in person and not revoked."""


@dataclass(frozen=True, slots=True)
class Pharmacy:
    default_ncpdp: str = ""
    """The patient's default pharmacy, 7 digits; "" when unknown or none."""
    is_current: bool | None = None
    """The default is live in the directory and takes NewRx."""
    named_text: str = ""
    named_matches_default: bool | None = None
    """None with an empty `named_text`: the message names none. None with a text: could not tell."""
    named_ncpdp: str = ""
    """The one directory entry the named pharmacy is, "" unless exactly one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What intake understood of the message; a summary, without the patient's words."""

    kind: Kind = Kind.unknown
    tag: Tag = Tag.unknown
    is_plain: bool | None = None
    """One topic, one drug per request, nothing else said."""
    doubts: tuple[str, ...] = ()
    """Codes of whatever intake was unsure of; any doubt means a person."""
    strength_differs: bool | None = None
    """Against the matched entry; False also when the message names no strength."""
    form_differs: bool | None = None
    quantity_differs: bool | None = None
    directions_differ: bool | None = None
    channel: Channel = Channel.unknown
    author: Author = Author.unknown
    is_identity_verified: bool | None = None
    is_emergency: bool | None = None
    has_symptom: bool | None = None
    """Symptom, side effect, new drug, dose change: anything clinical beside the request."""
    is_out_of_drug: bool | None = None
    """The patient says it has run out, or runs out before we open."""
    confidence_percent: int | None = None
    source: str = "klara"


@dataclass(frozen=True, slots=True)
class Hours:
    """Office hours of the location the message reached, worked out by `rules.hours`."""

    was_closed_when_sent: bool | None = None
    is_closed_now: bool | None = None
    next_opening_at: datetime | None = None
    next_opening_on: date | None = None


@dataclass(frozen=True, slots=True)
class Switches:
    """The practice's stop switches and its shadow mode. `is_shadow` never changes a decision (F127)."""

    is_automatic_stopped: bool | None = None
    is_sending_stopped: bool | None = None
    is_shadow: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """Other requests of this patient for the same ingredient set."""

    is_same_open: bool | None = None
    """A request for the same ingredient set is active or sent."""
    is_same_in_every_point: bool | None = None
    """... and it names the same strength and pharmacy, both plain (only then may this one become a duplicate)."""
    opened_seconds_ago: int | None = None
    """Age of that open request, whole seconds rounded up (24 h passes, 24 h + 1 s does not)."""
    was_denied_or_failed_in_24_h: bool | None = None
    has_newer_message: bool | None = None
    """The patient wrote again after the message this request came from."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything `decision.decide` may know."""

    now: datetime
    today: date
    reading: Reading
    patient: Patient
    drug: Drug | None = None
    """What is asked for, after matching to the list (strength and form of the entry unless the message names
    others)."""
    entry: ListEntry | None = None
    entries_matching: int | None = None
    """How many active list entries fit the mention: only exactly 1 is a match."""
    visit: Visit = Visit()
    fills: tuple[Fill, ...] | None = None
    supplies: tuple[Supply, ...] | None = None
    fills_left: int | None = None
    """Only when a pharmacy reported it."""
    labs: tuple[Lab, ...] | None = None
    labs_age_minutes: int | None = None
    """How old our copy of results and vital signs is; None: never read whole."""
    bridges: tuple[date, ...] | None = None
    """Days on which a person bridged this ingredient set in the last 400 days; None: not looked."""
    prescriber: Prescriber | None = None
    pharmacy: Pharmacy = Pharmacy()
    other_drugs: tuple[Drug, ...] | None = None
    """Other active drugs of the list, without the asked one; unreadable ones with empty ingredients."""
    allergies: tuple[str, ...] | None = None
    """Ingredients or protocol class keys, lower case."""
    mirror_age_minutes: int | None = None
    hours: Hours = Hours()
    switches: Switches = Switches()
    earlier: Earlier = Earlier()
    run_out_on: date | None = None
    """First day without the drug when known from elsewhere; None: worked out from fills and supplies."""
