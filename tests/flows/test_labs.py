"""Values of the chart: a class that asks for one is approved when it is there, fresh, in range and can be told."""

from typing import Any

import pytest

from integrations.sandbox import drugs
from review.states import RequestState
from rules import publishing, versions
from tests.review import rows

R = RequestState
LEVOTHYROXINE = next(drug for drug in drugs.MAINTENANCE if drug.name.startswith("levothyroxine sodium 0.05"))


@pytest.fixture
def thyroid(clinic: Any) -> Any:
    """The practice has adopted the thyroid class, and calls a TSH without a code "Thyroid screen"."""
    practice = clinic.house.practice
    first, second = rows.make_user(practice, "administrator", "Pat"), rows.make_user(practice, "prescriber", "Lind")
    document = {
        "policy": {"adopted_classes": ["thyroid"]},
        "adoptions": [{"class": "thyroid", "by": "Dr. Lind", "on": "2026-01-05", "note": ""}],
        "lab_names": [{"title": "Thyroid screen", "key": "tsh", "unit": "mIU/L"}],
    }
    made = versions.draft(practice=practice, by=first, document=document, now=clinic.now)
    versions.propose(version_id=made.pk, by=first, now=clinic.now)
    publishing.publish(version_id=made.pk, by=second, now=clinic.now)
    return clinic


def asked(clinic: Any, *labs: dict[str, Any]) -> Any:
    ana = clinic.patient(medications=[{"drug": LEVOTHYROXINE}], labs=list(labs))
    clinic.say("Can I get a refill of my levothyroxine please?", ana)
    clinic.work()
    clinic.passes(seconds=10)
    return clinic.house.request()


def lab_calls(clinic: Any) -> int:
    calls = [entry["request"]["path"] for entry in clinic.chart.journal.read(kind="request")]
    return sum("/api/patient_lab_results" in path for path in calls)


def test_a_fresh_value_in_range_lets_the_refill_go(thyroid: Any) -> None:
    request = asked(thyroid, {})
    assert (request.state, request.is_automatic) == (R.DONE, True)
    (script,) = thyroid.at_pharmacy()
    assert script["rxcui"] == LEVOTHYROXINE.rxnorm
    assert lab_calls(thyroid) == 1


@pytest.mark.parametrize(
    ("labs", "reason"),
    [
        ([], "lab_missing"),
        ([{"days_ago": 400}], "lab_old"),
        ([{"lab_result_value": "6.3"}], "lab_out_of_range"),
        ([{"lab_result_value": "6.3"}, {"days_ago": 200}], "lab_out_of_range"),
        ([{"lab_result_value_units": "furlongs"}], "lab_unit"),
        ([{"lab_result_value": "pending"}], "lab_unit"),
        ([{"lab_result_value": "see note"}, {"days_ago": 100}], "lab_unit"),
        ([{"date_test_performed": None}, {"days_ago": 100}], "lab_old"),
        ([{"lab_order_status": "Order Entered"}], "lab_missing"),
        ([{"loinc_code": "", "title": "TSH w/ reflex"}], "lab_missing"),
    ],
)
def test_otherwise_a_person_decides_and_is_told_why(thyroid: Any, labs: list[dict[str, Any]], reason: str) -> None:
    request = asked(thyroid, *labs)
    assert (request.state, request.reasons) == (R.IN_REVIEW, [reason])
    assert thyroid.at_pharmacy() == []


def test_the_practices_own_name_tells_where_the_laboratory_gives_no_code(thyroid: Any) -> None:
    request = asked(thyroid, {"loinc_code": "", "title": "THYROID  screen", "lab_result_value_units": ""})
    assert request.state == R.DONE


def test_a_chart_that_gives_no_values_is_unknown_and_a_person_decides(thyroid: Any) -> None:
    thyroid.fault(thyroid.chart, kind="status", status=403, method="GET", path="/api/patient_lab_results*")
    request = asked(thyroid, {})
    assert (request.state, request.reasons) == (R.IN_REVIEW, ["labs_unknown"])


def test_a_class_that_asks_for_no_value_costs_no_call(clinic: Any) -> None:
    clinic.asks()
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1
    assert lab_calls(clinic) == 0
