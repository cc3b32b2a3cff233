"""The bytes of a controlled prescription: only schedules II to V, whole, with what the law wants, marked as signed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from integrations.surescripts import script_build, script_epcs, script_read
from integrations.surescripts.script_checks import ControlledDrug, DoesNotFit
from integrations.surescripts.script_model import Drug, Envelope, Prescription, Schedule
from tests.integrations import surescripts_cast as cast

NOW = datetime(2026, 11, 17, 15, 14, tzinfo=UTC)
SIGNER = replace(cast.PRESCRIBER, dea_number="BW4829151")


def prescription(schedule: Schedule = Schedule.IV, **values: object) -> Prescription:
    told = {"quantity": Decimal(30), "unit_code": "C48542", "days_supply": 30, "written_on": date(2026, 11, 17),
            "refills": 0, "sig": "Take 1 tablet at bedtime", **values}  # fmt: skip
    drug = Drug(description="zolpidem 10 mg oral tablet", schedule=schedule, rxcui="854873", rxcui_qualifier="SCD")
    return Prescription(drug=drug, **told)  # type: ignore[arg-type]


def build(drug: Prescription, *, signer: object = SIGNER, patient: object = cast.PATIENT) -> bytes:
    return script_epcs.build_newrx(
        envelope=Envelope("a" * 32, NOW, "RH-1"), patient=patient, pharmacy=cast.PHARMACY, prescriber=signer,
        prescription=drug,
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("schedule", [Schedule.II, Schedule.III, Schedule.IV, Schedule.V])
def test_it_reads_back_as_what_was_meant(schedule):
    read = script_read.read(build(prescription(schedule)))
    assert read.header.signed
    assert read.prescribed.drug.schedule is schedule
    assert read.prescriber.dea_number == "BW4829151"
    assert read.patient.address == cast.PATIENT.address


@pytest.mark.parametrize("schedule", [Schedule.I, Schedule.NOT_CONTROLLED, Schedule.UNKNOWN])
def test_no_other_schedule_is_signed(schedule):
    with pytest.raises(script_epcs.NotControlled):
        build(prescription(schedule))


@pytest.mark.parametrize("schedule", [Schedule.I, Schedule.II, Schedule.III, Schedule.IV, Schedule.V, Schedule.UNKNOWN])
def test_the_routine_builder_refuses_it_still(schedule):
    with pytest.raises(ControlledDrug):
        script_build.build_newrx(
            envelope=Envelope("a" * 32, NOW, "RH-1"), patient=cast.PATIENT, pharmacy=cast.PHARMACY, prescriber=SIGNER,
            prescription=prescription(schedule),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (Schedule.II, {"refills": 1}),
        (Schedule.III, {"refills": 6}),
        (Schedule.IV, {"refills": 6}),
        (Schedule.V, {"refills": 6}),
        (Schedule.IV, {"refills": 3, "days_supply": 60}),
        (Schedule.IV, {"note": "as discussed"}),
        (Schedule.IV, {"quantity": None}),
        (Schedule.IV, {"days_supply": None}),
        (Schedule.IV, {"written_on": None}),
    ],
)
def test_what_the_law_or_the_contract_forbids_is_refused_by_name(schedule, values):
    with pytest.raises(DoesNotFit):
        build(prescription(schedule, **values))


def test_a_signer_without_number_and_a_patient_without_address_are_refused():
    with pytest.raises(DoesNotFit, match="DEANumber: missing"):
        build(prescription(), signer=cast.PRESCRIBER)
    with pytest.raises(DoesNotFit, match="check_digit"):
        build(prescription(), signer=replace(SIGNER, dea_number="BW4829152"))
    with pytest.raises(DoesNotFit, match="Patient/Address"):
        build(prescription(), patient=replace(cast.PATIENT, address=None))


def test_six_fills_of_a_month_pass():
    assert script_read.read(build(prescription(refills=5))).prescribed.refills == 5
