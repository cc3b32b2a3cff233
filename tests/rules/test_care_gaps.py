"""Care gaps are told a month ahead and never hold anything back."""

from decimal import Decimal
from typing import Any

import pytest

from rules.facts import Lab, Patient, PatientStatus, Visit
from rules.findings import Outcome, Severity


def thyroid(cast: Any, days: int, **changes: Any) -> Any:
    asked = cast.drug(ingredients=("levothyroxine",), form="Oral Tablet", name="levothyroxine 0.05 MG Oral Tablet")
    tsh = Lab("tsh", Decimal("2.1"), "mIU/L", cast.ago(days))
    return cast.facts(drug=asked, entry=cast.entry(as_named=asked, as_coded=asked), labs=(tsh,), **changes)


def told(cast: Any, known: Any, code: str) -> Any:
    return next((one for one in cast.decide(known).findings if one.code == code), None)


@pytest.mark.parametrize(("days", "left"), [(334, None), (335, "30"), (365, "0"), (366, None)])
def test_a_value_falls_due(cast: Any, days: int, left: str | None) -> None:
    found = told(cast, thyroid(cast, days), "lab_due_soon")
    assert (found.limit if found else None) == left


def test_a_gap_to_come_does_not_stop_a_refill(cast: Any) -> None:
    made = cast.decide(thyroid(cast, 350, patient=Patient(70, PatientStatus.active, False)))
    (gap,) = [one for one in made.findings if one.code == "lab_due_soon"]
    assert (made.outcome, gap.severity) == (Outcome.auto_approve, Severity.notes)
    assert gap.sentence == "tsh is due in 15 days: order it now."


@pytest.mark.parametrize(("days", "left"), [(334, None), (335, "30"), (365, "0"), (366, None)])
def test_a_visit_falls_due(cast: Any, days: int, left: str | None) -> None:
    found = told(cast, cast.facts(visit=Visit(cast.ago(days), None, True)), "visit_due_soon")
    assert (found.value if found else None) == left


def test_a_booked_visit_or_an_unread_calendar_is_no_gap(cast: Any) -> None:
    assert told(cast, cast.facts(visit=Visit(cast.ago(350), cast.ago(-9), True)), "visit_due_soon") is None
    assert told(cast, cast.facts(visit=Visit(cast.ago(350), None, False)), "visit_due_soon") is None
