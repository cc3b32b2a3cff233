"""Ask and Match: what intake hands to admission. Frozen values, read and matched, not yet decided.

Built outside any transaction by `review.intake` (or from a stored request by `review.facts`); decides nothing.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from integrations.models import MirrorMedication, PharmacyEntry
from integrations.surescripts.script_model import NetworkMessage
from refillhub.practices.models import Location, Practice, Provider
from review.identity import Snapshot
from review.models import InboundEvent, Kind, NetworkMail, Source
from rules import facts as rule_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The one list entry an ask was matched to, translated for the rules and for the prescription.

    `drug_name` is the description a NewRx carries; `days_supply` None when it cannot be known exactly.
    """

    medication: MirrorMedication
    entry: rule_facts.ListEntry
    drug: rule_facts.Drug
    prescriber: Provider | None
    ingredient_key: str
    drug_key: str
    drug_name: str
    rxcui: str
    rxcui_qualifier: str
    ndc: str
    quantity_unit: str
    days_supply: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A renewal request of a pharmacy: the stored letter and what it says."""

    mail: NetworkMail
    message: NetworkMessage = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """The patient's calendar ahead, read just now: the next visit, None when none is booked in it."""

    next_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One thing a burst of messages asks for, read and matched, not yet decided. Built by `review.intake`.

    `is_thanks` and `is_cancel` mark a burst that asks for nothing new. `snapshot` None: the chart was not reached or
    the sender is nobody's; then a person decides.
    """

    practice: Practice
    events: tuple[InboundEvent, ...]
    location: Location | None
    kind: Kind
    sender_id: str
    conversation_id: str
    patient_external_id: str
    patient_ref: str
    snapshot: Snapshot | None
    snapshot_at: datetime | None
    snapshot_sealed: bytes | None
    reading: rule_facts.Reading
    reading_sealed: bytes | None
    match: Match | None
    entries_matching: int | None
    pharmacy: PharmacyEntry | None
    named_pharmacy: PharmacyEntry | None
    named_text: str
    asked_at: datetime
    channel_source: str
    labs: tuple[rule_facts.Lab, ...] | None = None
    labs_age_minutes: int | None = None
    is_pregnant: bool | None = None
    ahead: Ahead | None = None
    allergies: tuple[str, ...] | None = None
    mirror_age_minutes: int | None = None
    other_drugs: tuple[rule_facts.Drug, ...] | None = None
    reasons: tuple[str, ...] = ()
    source: Source = Source.KLARA
    """A pharmacy's own request has no events."""
    renewal: Renewal | None = None
    is_thanks: bool = False
    is_cancel: bool = False
