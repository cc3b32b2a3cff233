"""The people and the prescription of the contract's sample NewRx, as values; and a fixture reader."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from integrations.surescripts.script_model import (
    Address,
    Diagnosis,
    Drug,
    Envelope,
    Gender,
    Name,
    PatientRef,
    PharmacyRef,
    PrescriberRef,
    Prescription,
    Schedule,
    Strength,
)

SAMPLES = Path(__file__).resolve().parent.parent / "fixtures" / "surescripts"
MESSAGE_ID = "6f1c0f6b8f2e4c0e9a7d51c3e4b20a11"

PATIENT = PatientRef(
    name=Name(last="Testpatient", first="Marisol"),
    gender=Gender.FEMALE,
    born_on=date(1961, 8, 14),
    address=Address(line1="412 Alder Street", city="Nashville", state="TN", postal_code="37203"),
    phone="6152210147",
    chart_id="DRC-70044121",
)
PHARMACY = PharmacyRef(
    ncpdp_id="9990001",
    npi="1638472906",
    name="Simulated Pharmacy 0017",
    phone="6152219800",
    fax="6152219801",
    address=Address(line1="88 Mill Road", city="Nashville", state="TN", postal_code="37211"),
)
PRESCRIBER = PrescriberRef(
    spi="9912345678001",
    npi="1748293051",
    name=Name(last="Whitfield", first="Jordan", suffix="MD"),
    phone="6152218800",
    fax="6152218801",
    address=Address(line1="211 Central Road", line2="Suite 4", city="Nashville", state="TN", postal_code="37205"),
    specialty="207R00000X",
    practice_name="Cedar Row Internal Medicine",
    agent=Name(last="Assistant", first="Dana"),
    place_of_service="11",
)
DRUG = Drug(
    description="lisinopril 10 mg oral tablet",
    schedule=Schedule.NOT_CONTROLLED,
    rxcui="314076",
    rxcui_qualifier="SCD",
    ndc="68180098001",
    strength=Strength(value="10", form_code="C42998", unit_code="C28253"),
)
PRESCRIPTION = Prescription(
    drug=DRUG,
    quantity=Decimal(90),
    unit_code="C48542",
    days_supply=90,
    written_on=date(2026, 11, 20),
    refills=1,
    sig="Take 1 tablet by mouth once daily.",
    diagnoses=(Diagnosis(code="I10", description="Essential (primary) hypertension"),),
)
ENVELOPE = Envelope(
    message_id=MESSAGE_ID,
    sent_at=datetime(2026, 11, 20, 15, 42, 10, tzinfo=UTC),
    order_number="RH-2026-000418-01",
)


def sample(name: str) -> bytes:
    """The bytes of a captured message."""
    return (SAMPLES / name).read_bytes()
