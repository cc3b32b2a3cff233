"""Every guard of the issue's list on both sides of its line, and a source for each objection."""

import ast
import dataclasses
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rules import care, decision, guards, results, safety
from rules import facts as f
from rules.decision import Outcome

MODULES = (guards, safety, results, care)


def codes(cast: Any, given: f.Facts) -> set[str]:
    return {one.code for one in cast.decide(given).findings}


def controlled(cast: Any, schedule: str, **changes: Any) -> f.Facts:
    drug = cast.drug(ingredients=("zolpidem",), schedule=f.Schedule(schedule), form="Oral Tablet")
    entry = cast.entry(as_named=drug, as_coded=drug, **changes)
    return cast.facts(drug=drug, entry=entry)  # type: ignore[no-any-return]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_finding_cites_its_source(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text())
    made = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    ]
    assert made
    bare = [node.lineno for node in made if "source" not in {keyword.arg for keyword in node.keywords}]
    assert not bare, f"{module.__name__}: lines {bare}"


SPOILED: list[tuple[str, str, dict[str, Any], str]] = [
    ("stopped", "entry", {"is_active": False}, "stopped"),
    ("not surely active", "entry", {"is_active": None}, "stopped"),
    ("stops today", "entry", {"stopped_on": date(2026, 11, 17)}, "stopped"),
    ("over the counter", "entry", {"is_over_the_counter": True}, "entry_kind"),
    ("given in the office", "entry", {"is_administered": True}, "entry_kind"),
    ("another doctor's", "entry", {"is_by_other_doctor": True}, "entry_kind"),
    ("strength differs", "reading", {"strength_differs": True}, "asked_differs"),
    ("form differs", "reading", {"form_differs": True}, "asked_differs"),
    ("form unknown", "reading", {"form_differs": None}, "asked_differs"),
    ("quantity differs", "reading", {"quantity_differs": True}, "asked_differs"),
    ("directions differ", "reading", {"directions_differ": True}, "asked_differs"),
    ("not plain", "reading", {"is_plain": False}, "not_plain"),
    ("plain unknown", "reading", {"is_plain": None}, "not_plain"),
    ("deceased", "patient", {"status": f.PatientStatus.deceased}, "patient_status"),
    ("inactive", "patient", {"status": f.PatientStatus.inactive}, "patient_status"),
    ("status unknown", "patient", {"status": f.PatientStatus.unknown}, "patient_status"),
    ("pregnant", "patient", {"is_pregnant": True}, "pregnant"),
    ("not ours", "prescriber", {"is_ours": False}, "prescriber"),
    ("no SPI", "prescriber", {"has_spi": False}, "prescriber_not_ready"),
    ("SPI unknown", "prescriber", {"has_spi": None}, "prescriber_not_ready"),
    ("away", "prescriber", {"is_away": True}, "prescriber_not_ready"),
    ("pharmacy gone", "pharmacy", {"is_current": False}, "pharmacy_unknown"),
    ("another pharmacy", "pharmacy", {"named_text": "x", "named_matches_default": False}, "pharmacy_differs"),
]


@pytest.mark.parametrize(("part", "changes", "code"), [row[1:] for row in SPOILED], ids=[row[0] for row in SPOILED])
def test_one_spoiled_fact_bars_approval(cast: Any, part: str, changes: dict[str, Any], code: str) -> None:
    made = cast.decide(cast.spoil(part, **changes))
    assert made.outcome is not Outcome.auto_approve
    assert code in {one.code for one in made.findings}


def test_a_stop_after_today_does_not_bar(cast: Any) -> None:
    later = cast.entry(stopped_on=date(2026, 11, 18))
    assert cast.decide(cast.facts(entry=later)).outcome is Outcome.auto_approve


@pytest.mark.parametrize(
    ("schedule", "days", "refills", "passes"),
    [
        ("ii", 90, 0, True),
        ("ii", 91, 0, False),
        ("ii", None, 0, False),
        ("iii", 30, 5, True),
        ("iii", 36, 5, True),  # 180 days
        ("iii", 37, 5, False),  # 185 of at most 181 days, 17 November to 17 May
        ("iv", 90, 2, True),
        ("iv", 91, 2, False),
        ("iv", 30, None, False),
        ("v", 90, 11, True),  # 1306.22 sets no figure for V
    ],
)
def test_federal_law_bounds_the_supply(
    cast: Any, schedule: str, days: int | None, refills: int | None, passes: bool
) -> None:
    given = controlled(
        cast, schedule, days_supply=days, number_refills=refills, sig_text="as directed",
        dispense_quantity=Decimal(days or 30),
    )  # fmt: skip
    assert ("federal_supply" not in codes(cast, given)) is passes


@pytest.mark.parametrize(
    ("schedule", "refills", "passes"),
    [("ii", 0, True), ("ii", 1, False), ("iii", 5, True), ("iv", 6, False), ("iv", None, False), ("v", 6, True)],
)
def test_federal_law_bounds_the_refills(cast: Any, schedule: str, refills: int | None, passes: bool) -> None:
    assert ("federal_refills" not in codes(cast, controlled(cast, schedule, number_refills=refills))) is passes


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (date(2026, 11, 17), date(2027, 5, 17)),
        (date(2026, 8, 31), date(2027, 2, 28)),
        (date(2027, 8, 31), date(2028, 2, 29)),
        (date(2026, 6, 30), date(2026, 12, 30)),
        (date(2026, 7, 1), date(2027, 1, 1)),
    ],
)
def test_six_months_end_on_the_same_day_or_the_months_last(day: date, found: date) -> None:
    assert safety.six_months_after(day) == found


@pytest.mark.parametrize(("days", "passes"), [(7, True), (8, False), (0, False), (None, False)])
def test_no_opioid_past_the_quantity_limit(cast: Any, days: int | None, passes: bool) -> None:
    drug = cast.drug(ingredients=("oxycodone",), schedule=f.Schedule.ii, form="Oral Tablet")
    changed = cast.entry(
        as_named=drug, as_coded=drug, days_supply=days, sig_text="as directed", dispense_quantity=Decimal(days or 7)
    )
    assert ("opioid_quantity" not in codes(cast, cast.facts(drug=drug, entry=changed))) is passes


@pytest.mark.parametrize(
    ("asked", "beside"),
    [("sildenafil", "nitroglycerin"), ("simvastatin", "clarithromycin"), ("sertraline", "phenelzine"),
     ("allopurinol", "azathioprine"), ("omeprazole", "clopidogrel"), ("lisinopril", "aliskiren")],
)  # fmt: skip
def test_a_listed_severe_pair_is_a_persons_either_way_round(cast: Any, asked: str, beside: str) -> None:
    for one, other in ((asked, beside), (beside, asked)):
        drug = cast.drug(ingredients=(one,), form="Oral Tablet")
        second = cast.drug(ingredients=(other,), form="Oral Tablet")
        given = cast.facts(drug=drug, entry=cast.entry(as_named=drug, as_coded=drug), other_drugs=(second,))
        assert "interaction" in codes(cast, given)
        assert "interaction" not in codes(cast, dataclasses.replace(given, other_drugs=()))


@pytest.mark.parametrize(
    ("beside", "code"),
    [("omeprazole", "same_ingredient_twice"), ("pantoprazole", "therapeutic_duplicate"), ("amlodipine", "")],
)
def test_two_drugs_of_one_class_are_a_persons(cast: Any, beside: str, code: str) -> None:
    second = cast.drug(ingredients=(beside,), form="Oral Tablet")
    made = cast.decide(cast.facts(other_drugs=(second,)))
    assert (made.outcome is Outcome.auto_approve) is (not code)
    assert not code or code in {one.code for one in made.findings}


@pytest.mark.parametrize(
    ("sex", "age", "pregnant", "code"),
    [
        ("female", 30, None, "pregnancy_unknown"),
        ("female", 30, False, ""),
        ("female", 30, True, "pregnant"),
        ("male", 30, None, ""),
        ("unknown", 30, None, "pregnancy_unknown"),
        ("female", 55, None, "pregnancy_unknown"),
        ("female", 56, None, ""),
    ],
)
def test_pregnancy_of_a_flagged_class(cast: Any, sex: str, age: int, pregnant: bool | None, code: str) -> None:
    drug = cast.drug(ingredients=("atorvastatin",), form="Oral Tablet")
    patient = f.Patient(age, f.PatientStatus.active, pregnant, f.Sex(sex))
    given = cast.facts(drug=drug, entry=cast.entry(as_named=drug, as_coded=drug), patient=patient)
    found = codes(cast, given) & {"pregnant", "pregnancy_unknown"}
    assert found == ({code} if code else set())


def test_the_list_of_the_issue_is_run_after_every_recipe() -> None:
    run = {guard.check.__name__ for guard in (*decision.FIRST, *decision.AFTER, *decision.REFILL)}
    named = (
        "controlled schedule_unknown controlled_visit opioid_quantity days_supply visit fill_history too_early "
        "too_late entry_active stable_time asked_is_listed age pregnancy allergy interaction therapeutic_duplicate "
        "mirror prescriber_ours prescriber_ready patient_status not_plain federal_refills federal_supply labs "
        "copy_age changes"
    )
    assert set(named.split()) <= run
