"""A class that demands results: what the chart holds, in whatever name and unit, decides who decides."""

import importlib
import uuid
from typing import Any

import pytest
from django.urls import reverse

from review.states import RequestState
from rules.models import DecisionRecord

R = RequestState
ASKS = "Hi, could I get a refill of my lisinopril 10 mg please?"
PRESSURE = {
    "blood_pressure_1": 128, "blood_pressure_2": 78, "pulse": 70, "weight": 172, "weight_units": "lbs", "height": 0,
}  # fmt: skip
POTASSIUM: dict[str, Any] = {}
CREATININE = {
    "title": "Creatinine", "loinc_code": "2160-0", "lab_result_value": "0.9", "lab_result_value_units": "mg/dL",
}  # fmt: skip
EGFR = {
    "title": "eGFR", "loinc_code": "98979-8", "lab_result_value": "84",
    "lab_result_value_units": "mL/min/{1.73_m2}",
}  # fmt: skip


@pytest.fixture
def hers(clinic: Any) -> Any:
    """Lakeside has adopted ACE inhibitors; its patients take lisinopril 10 mg."""
    load = importlib.import_module
    drugs, rows = load("integrations.sandbox.drugs"), load("tests.review.rows")
    lisinopril = next(one for one in drugs.MAINTENANCE if one.name.startswith("lisinopril 10"))
    rows.make_rules(clinic.house.practice, classes=("ppi_h2", "acei_arb"))

    def patient(*labs: dict[str, Any], **values: Any) -> str:
        values = {"labs": list(labs), "vitals": PRESSURE, "medications": [{"drug": lisinopril}], **values}
        return str(clinic.patient(**values))

    clinic.hers = patient
    return clinic


def asks(clinic: Any, *labs: dict[str, Any], **values: Any) -> Any:
    who = clinic.hers(*labs, **values)
    clinic.say(ASKS, who)
    clinic.work()
    return clinic.house.request()


def found(request: Any) -> dict[str, dict[str, Any]]:
    record = DecisionRecord.objects.filter(request_id=request.id).latest("at")
    return {f"{one['code']} {one['value'].split(' ')[0]}".strip(): one for one in record.findings}


def calls(clinic: Any) -> list[str]:
    """What was read of the chart, by resource."""
    entries = clinic.chart.journal.read(kind="request")
    return [
        entry["request"]["path"].split("/")[2]
        for entry in entries
        if entry["request"]["method"] == "GET" and entry["request"]["path"].startswith("/api/")
    ]


def test_fresh_results_in_range_let_the_refill_go_by_itself(hers: Any) -> None:
    request = asks(hers, POTASSIUM, CREATININE, EGFR)
    assert request.is_automatic, found(request)
    assert request.recipe == "auto_refill"
    hers.passes(seconds=10)
    assert len(hers.at_pharmacy()) == 1


def test_an_old_result_goes_to_a_person_with_the_finding_and_the_next_step(hers: Any) -> None:
    request = asks(hers, {"days_ago": 366}, CREATININE, EGFR)
    assert request.state == R.IN_REVIEW
    assert "lab_old" in request.reasons
    old = found(request)["lab_old potassium"]
    assert (old["age_days"], old["limit"]) == (366, "365")
    assert old["next_step"] == "order potassium; last 2025-11-16, due 2026-11-16"
    assert found(request)["care_gap_lab potassium"]["next_step"] == "order potassium; last 2025-11-16, due now"
    assert found(request)["bridge_possible 30"]["severity"] == "notes"
    assert hers.at_pharmacy() == []


def test_a_result_without_loinc_counts_by_the_practices_own_name_and_unit(hers: Any) -> None:
    local = {"title": "K+ (serum)", "loinc_code": "", "lab_result_value_units": ""}
    names = [{"title": "K+ (Serum)", "key": "potassium", "unit": "mEq/L"}]
    scene_rows = importlib.import_module("tests.review.rows")
    scene_rows.make_rules(hers.house.practice, classes=("ppi_h2", "acei_arb"), lab_names=names)
    assert asks(hers, local, CREATININE, EGFR).is_automatic


def test_a_local_name_that_nobody_explained_is_no_result(hers: Any) -> None:
    request = asks(hers, {"title": "K+ (serum)", "loinc_code": ""}, CREATININE, EGFR)
    assert request.state == R.IN_REVIEW
    assert "lab_missing" in request.reasons


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lab_result_value_units": "mg/dL"}, "lab_unit"),
        ({"lab_result_value_units": ""}, "lab_unit"),
        ({"lab_result_value": "hemolyzed"}, "lab_unreadable"),
        ({"lab_result_value": "5.6"}, "lab_out_of_range"),
        ({"lab_abnormal_flag": "HH"}, "lab_critical"),
        ({"date_test_performed": None}, "lab_undated"),
    ],
)
def test_a_result_that_cannot_be_used_is_a_persons_though_an_older_good_one_exists(
    hers: Any, changes: dict[str, Any], code: str
) -> None:
    request = asks(hers, {"days_ago": 90}, {"days_ago": 20, **changes}, CREATININE, EGFR)
    assert request.state == R.IN_REVIEW
    assert code in request.reasons


def test_units_are_converted_before_they_are_compared(hers: Any) -> None:
    molar = CREATININE | {"lab_result_value": "80", "lab_result_value_units": "umol/L"}
    assert asks(hers, POTASSIUM | {"lab_result_value_units": "mEq/L"}, molar, EGFR).is_automatic


def test_a_creatinine_up_by_more_than_30_percent_is_a_persons(hers: Any) -> None:
    before = CREATININE | {"days_ago": 300, "lab_result_value": "0.65"}
    request = asks(hers, POTASSIUM, before, CREATININE, EGFR)
    assert "protocol_stop" in request.reasons


@pytest.mark.parametrize(("value", "code"), [(161, "lab_out_of_range"), (0, "lab_missing")])
def test_blood_pressure_of_the_last_visit_counts_and_a_zero_is_not_taken(hers: Any, value: int, code: str) -> None:
    request = asks(hers, POTASSIUM, CREATININE, EGFR, vitals=PRESSURE | {"blood_pressure_1": value})
    assert code in request.reasons


def test_a_fresh_sweep_spares_the_request_its_calls(hers: Any) -> None:
    who = hers.hers(POTASSIUM, CREATININE, EGFR)
    hers.looks_at_chart()
    before = len(calls(hers))
    hers.say(ASKS, who)
    hers.work()
    assert hers.house.request().is_automatic
    assert set(calls(hers)[before:]) == {"allergies", "medications", "patients"}


def test_a_result_that_came_after_our_reading_is_seen_by_the_next_sweep(hers: Any) -> None:
    who = hers.hers(POTASSIUM, CREATININE, EGFR)
    hers.looks_at_chart()
    hers.clock.advance(seconds=600)
    number = int(who.removeprefix("pat_"))
    record = hers._lab(
        {"id": number, "doctor": 302100}, days_ago=0, lab_result_value="6.1", updated_at="2026-11-17T10:25:00",
        created_at="2026-11-17T10:25:00",
    )  # fmt: skip
    hers.call(hers.chart, "chart", {"practice": "p1", "resource": "patient_lab_results", "record": record})
    hers.looks_at_chart()
    hers.say(ASKS, who)
    hers.work()
    assert "lab_out_of_range" in hers.house.request().reasons


def test_the_chart_that_gives_no_results_leaves_it_to_a_person(hers: Any) -> None:
    hers.fault(hers.chart, kind="status", status=403, method="GET", path="/api/patient_lab_results*")
    request = asks(hers, POTASSIUM, CREATININE, EGFR)
    assert request.state == R.IN_REVIEW
    assert "lab_copy_stale" in request.reasons


@pytest.mark.parametrize(
    ("problem", "is_automatic"),
    [
        (None, True),
        ({"name": "Hypertension", "icd_code": "I10"}, True),
        ({"name": "Normal pregnancy", "icd_code": "Z34.90"}, False),
        ({"name": "Trying to conceive", "icd_code": ""}, False),
        ({"name": "Pregnancy", "icd_code": "Z33.1", "status": "resolved"}, True),
    ],
)
def test_pregnancy_is_ruled_out_by_the_problem_list_of_a_woman_who_could_be(
    hers: Any, problem: dict[str, Any] | None, is_automatic: bool
) -> None:
    who = hers.hers(POTASSIUM, CREATININE, EGFR, record={"date_of_birth": "1990-03-04"},
                    klara={"date_of_birth": "1990-03-04"})  # fmt: skip
    if problem is not None:
        record = {"patient": int(who.removeprefix("pat_")), "doctor": 302100, "icd_version": "10", "description": "",
                  "status": "active", "notes": "", **problem}  # fmt: skip
        hers.call(hers.chart, "chart", {"practice": "p1", "resource": "problems", "record": record})
    hers.say(ASKS, who)
    hers.work()
    assert hers.house.request().is_automatic is is_automatic


@pytest.mark.parametrize(
    ("listed", "is_automatic"),
    [
        ({"description": "Peanuts", "rxnorm": ""}, True),
        ({"description": "ACE inhibitors", "rxnorm": ""}, False),
        ({"description": "Benazepril", "rxnorm": "18867"}, False),
        ({"description": "Penicillin", "rxnorm": "7980"}, True),
        ({"description": "that pink pill", "rxnorm": ""}, False),
    ],
)
def test_an_allergy_to_the_class_or_an_unreadable_one_is_a_persons(
    hers: Any, listed: dict[str, Any], is_automatic: bool
) -> None:
    who = hers.hers(POTASSIUM, CREATININE, EGFR)
    record = {"patient": int(who.removeprefix("pat_")), "doctor": 302100, "reaction": "", "status": "active",
              "verification_status": "confirmed", "notes": "", **listed}  # fmt: skip
    hers.call(hers.chart, "chart", {"practice": "p1", "resource": "allergies", "record": record})
    hers.say(ASKS, who)
    hers.work()
    assert hers.house.request().is_automatic is is_automatic


def test_an_overdue_patient_with_a_visit_booked_in_the_chart_is_not_told_to_book_one(hers: Any) -> None:
    who = hers.hers(POTASSIUM, CREATININE, EGFR, record={"date_of_last_appointment": "2025-10-01"})
    number = int(who.removeprefix("pat_"))
    visit = hers._visit({"id": number, "doctor": 302100, "date_of_last_appointment": "2026-12-01"})
    record = visit | {"status": "", "updated_at": "2026-09-01T09:00:00", "created_at": "2026-09-01T09:00:00"}
    hers.call(hers.chart, "world/add", {"practices": [{"key": "p1", "appointments": [record]}]})
    hers.say(ASKS, who)
    hers.work()
    request = hers.house.request()
    assert request.state == R.IN_REVIEW
    assert found(request)["care_gap_visit 412"]["next_step"] == "visit booked for 2026-12-01"


def test_a_prescriber_bridges_with_one_ready_made_change_and_the_pharmacy_gets_30_days(hers: Any) -> None:
    request = asks(hers, {"days_ago": 366}, CREATININE, EGFR)
    assert found(request)["bridge_possible 30"]
    load = importlib.import_module
    osei = load("tests.practices.people").at_the_desk(load("tests.review.scene").with_device(hers.house.osei.user))
    page = osei.get(reverse("review:card", args=[request.id]))
    (ready,) = page.context["card"].ready
    assert (ready.quantity, ready.days_supply, ready.refills) == (30, 30, 0)
    data = {"version": request.version, "key": str(uuid.uuid4()), "place": "queue", "although": "1",
            "quantity": str(ready.quantity), "days_supply": ready.days_supply, "refills": ready.refills}  # fmt: skip
    assert osei.post(reverse("review:change", args=[request.id]), data).status_code == 302
    hers.passes(seconds=60)
    (sent,) = hers.at_pharmacy()
    assert (sent["quantity"], sent["refills"]) == ("30", "0")
