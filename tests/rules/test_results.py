"""Results of a class that demands them, on both sides of every line; care gaps and bridging beside the decision."""

import dataclasses
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import facts as f
from rules import transcript
from rules.decision import CAUTION, Outcome

AUTO = Outcome.auto_approve
UNITS = {"potassium": "mmol/L", "creatinine": "mg/dL", "egfr": "mL/min/1.73m2", "sbp": "mm[Hg]", "dbp": "mm[Hg]"}
GOOD = {"potassium": "4.4", "creatinine": "0.9", "egfr": "84", "sbp": "128", "dbp": "78"}


def lab(cast: Any, key: str, **changes: Any) -> f.Lab:
    plain = f.Lab(key, Decimal(GOOD[key]), UNITS[key], cast.ago(40), "N", "loinc")
    return dataclasses.replace(plain, **changes)


def lisinopril(cast: Any, *extra: f.Lab, without: tuple[str, ...] = (), **changes: Any) -> f.Facts:
    drug = cast.drug(ingredients=("lisinopril",), form="Oral Tablet", strength="10 mg")
    entry = cast.entry(
        as_named=drug, as_coded=drug, dispense_unit="tablet", directions=None,
        sig_text="Take 1 tablet by mouth once daily",
    )  # fmt: skip
    labs = tuple(lab(cast, key) for key in GOOD if key not in without)
    return cast.facts(**{"drug": drug, "entry": entry, "labs": (*labs, *extra), **changes})  # type: ignore[no-any-return]


def told(cast: Any, facts: f.Facts) -> dict[str, Any]:
    return {f"{one.code} {one.value.split(' ')[0]}".strip(): one for one in cast.decide(facts).findings}


def test_everything_on_file_is_approved_without_a_word(cast: Any) -> None:
    made = cast.decide(lisinopril(cast))
    assert made.outcome is AUTO, made.reasons
    assert {one.code for one in made.findings} == {"exclusions_not_checked"}


@pytest.mark.parametrize(
    ("key", "changes", "code"),
    [
        ("potassium", {"value": Decimal("3.5")}, ""),
        ("potassium", {"value": Decimal("3.49")}, "lab_out_of_range"),
        ("potassium", {"value": Decimal("5.5")}, ""),
        ("potassium", {"value": Decimal("5.51")}, "lab_out_of_range"),
        ("egfr", {"value": Decimal(30)}, ""),
        ("egfr", {"value": Decimal("29.9")}, "lab_out_of_range"),
        ("sbp", {"value": Decimal(160)}, ""),
        ("sbp", {"value": Decimal(161)}, "lab_out_of_range"),
        ("dbp", {"value": Decimal(49)}, "lab_out_of_range"),
        ("potassium", {"value": None}, "lab_unreadable"),
        ("potassium", {"unit": "mg/dL"}, "lab_unit"),
        ("potassium", {"on": None}, "lab_undated"),
        ("potassium", {"on": date(2026, 11, 18)}, "lab_old"),
        ("potassium", {"flag": "H"}, ""),
        ("potassium", {"flag": "HH"}, "lab_critical"),
        ("potassium", {"flag": "AA"}, "lab_critical"),
    ],
)
def test_one_result_on_both_sides(cast: Any, key: str, changes: dict[str, Any], code: str) -> None:
    made = cast.decide(lisinopril(cast, lab(cast, key, **changes), without=(key,)))
    assert (made.outcome is AUTO) is (not code), made.reasons
    assert not code or code in made.reasons


@pytest.mark.parametrize(("days", "passes"), [(365, True), (366, False)])
def test_a_result_counts_within_its_window(cast: Any, days: int, passes: bool) -> None:
    made = cast.decide(lisinopril(cast, lab(cast, "egfr", on=cast.ago(days)), without=("egfr",)))
    assert (made.outcome is AUTO) is passes


def test_the_newest_result_counts_and_every_one_of_its_day(cast: Any) -> None:
    bad, old = {"value": Decimal("6.1")}, lab(cast, "potassium", value=Decimal("6.1"), on=cast.ago(90))
    assert cast.decide(lisinopril(cast, old)).outcome is AUTO
    assert cast.decide(lisinopril(cast, lab(cast, "potassium", **bad))).outcome is not AUTO
    assert cast.decide(lisinopril(cast, lab(cast, "potassium", on=None))).outcome is not AUTO


def test_all_that_lacks_is_said_at_once(cast: Any) -> None:
    made = cast.decide(lisinopril(cast, without=("potassium", "egfr")))
    assert {one.value for one in made.findings if one.code == "lab_missing"} == {"potassium", "egfr"}
    assert made.what_would_change_it == ("egfr newer than 365 days", "potassium newer than 365 days")


@pytest.mark.parametrize(("minutes", "passes"), [(0, True), (60, True), (61, False), (None, False), (-1, False)])
def test_our_copy_is_at_most_an_hour_old(cast: Any, minutes: int | None, passes: bool) -> None:
    made = cast.decide(lisinopril(cast, labs_age_minutes=minutes))
    assert (made.outcome is AUTO) is passes
    assert cast.decide(cast.facts(labs_age_minutes=minutes)).outcome is AUTO  # no test, no copy


@pytest.mark.parametrize(("before", "passes"), [("0.70", True), ("0.69", False)])
def test_creatinine_up_by_more_than_30_percent(cast: Any, before: str, passes: bool) -> None:
    known = lisinopril(
        cast, lab(cast, "creatinine", value=Decimal("0.91")),
        lab(cast, "creatinine", value=Decimal(before), on=cast.ago(300)), without=("creatinine",),
    )  # fmt: skip
    assert (cast.decide(known).outcome is AUTO) is passes


@pytest.mark.parametrize(("days", "kilograms", "passes"), [(30, "80", True), (30, "79.9", False), (31, "79.9", True)])
def test_weight_up_by_more_than_two_kilograms_in_30_days(cast: Any, days: int, kilograms: str, passes: bool) -> None:
    drug = cast.drug(ingredients=("furosemide",), form="Oral Tablet", strength="20 mg")
    entry = cast.entry(as_named=drug, as_coded=drug, dispense_unit="tablet", directions=None,
                       sig_text="Take 1 tablet by mouth once daily")  # fmt: skip
    labs = (
        lab(cast, "potassium"), lab(cast, "creatinine"), lab(cast, "sbp"),
        f.Lab("sodium", Decimal(140), "mmol/L", cast.ago(40)),
        f.Lab("weight", Decimal(82), "kg", cast.ago(2)), f.Lab("weight", Decimal(kilograms), "kg", cast.ago(days)),
    )  # fmt: skip
    assert (cast.decide(cast.facts(drug=drug, entry=entry, labs=labs)).outcome is AUTO) is passes


@pytest.mark.parametrize(
    ("days", "step"),
    [
        (334, ""),
        (335, "order potassium; last 2025-12-17, due 2026-12-17"),
        (365, "order potassium; last 2025-11-17, due now"),
    ],
)
def test_a_result_soon_due_is_a_note_beside_an_approval(cast: Any, days: int, step: str) -> None:
    known = lisinopril(cast, lab(cast, "potassium", on=cast.ago(days)), without=("potassium",))
    assert cast.decide(known).outcome is AUTO
    gap = told(cast, known).get("care_gap_lab potassium")
    assert (gap.next_step if gap else "") == step


def test_both_pressures_are_one_step(cast: Any) -> None:
    gaps = [one for one in cast.decide(lisinopril(cast, without=("sbp", "dbp"))).findings if one.code == "care_gap_lab"]
    assert [one.next_step for one in gaps] == ["take blood pressure; none on file, due now"]


def test_results_nobody_looked_up_are_no_care_gap(cast: Any) -> None:
    assert "care_gap_lab potassium" not in told(cast, lisinopril(cast, labs=None))


@pytest.mark.parametrize(
    ("days", "booked", "step"),
    [
        (334, None, ""),
        (335, None, "book a visit; last 2025-12-17, due 2026-12-17"),
        (366, None, "book a visit; last 2025-11-16, due now"),
        (366, date(2026, 12, 1), "visit booked for 2026-12-01"),
    ],
)
def test_a_visit_soon_due_is_a_note(cast: Any, days: int, booked: date | None, step: str) -> None:
    known = cast.facts(visit=f.Visit(cast.ago(days), booked, True))
    gap = next((one for one in cast.decide(known).findings if one.code == "care_gap_visit"), None)
    assert (gap.next_step if gap else "") == step


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_knowing_less_of_results_is_never_less_cautious(cast: Any, data: st.DataObject) -> None:
    """Whatever is forgotten of what the class demands; a second, older result only ever adds an objection."""
    extra = tuple(
        lab(cast, key, on=cast.ago(data.draw(st.sampled_from([40, 41, 400]))),
            value=data.draw(st.sampled_from([Decimal(GOOD[key]), Decimal(1), None])),
            unit=data.draw(st.sampled_from([UNITS[key], "?"])))
        for key in data.draw(st.lists(st.sampled_from(sorted(GOOD)), max_size=3))
    )  # fmt: skip
    whole = lisinopril(cast, *extra)
    key = data.draw(st.sampled_from(sorted(GOOD)))
    assert whole.labs is not None
    less = data.draw(
        st.sampled_from(
            [
                dataclasses.replace(whole, labs=None),
                dataclasses.replace(whole, labs=()),
                dataclasses.replace(whole, labs=tuple(one for one in whole.labs if one.key != key)),
                dataclasses.replace(whole, labs=tuple(dataclasses.replace(one, on=None) for one in whole.labs)),
                dataclasses.replace(whole, labs=tuple(dataclasses.replace(one, value=None) for one in whole.labs)),
                dataclasses.replace(whole, labs_age_minutes=None),
                dataclasses.replace(whole, bridges=None),
            ]
        )
    )
    assert CAUTION[cast.decide(less).outcome] >= CAUTION[cast.decide(whole).outcome]


@pytest.mark.parametrize(
    ("bridges", "code"),
    [((), "bridge_possible"), (("365",), "bridge_possible"), (("364",), "bridge_used"), (None, "")],
)
def test_a_person_may_bridge_once_a_year(cast: Any, bridges: tuple[str, ...] | None, code: str) -> None:
    days = None if bridges is None else tuple(cast.ago(int(one)) for one in bridges)
    facts = cast.facts(visit=f.Visit(cast.ago(400), None, True), bridges=days)
    found = {one.code for one in cast.decide(facts).findings if one.code.startswith("bridge")}
    assert found == ({code} if code else set())


def test_a_bridge_is_offered_where_a_result_lacks_and_not_where_all_is_well(cast: Any) -> None:
    assert told(cast, lisinopril(cast, without=("egfr",)))["bridge_possible 30"].next_step == (
        "bridge 30 days without refills; never given"
    )
    assert "bridge_possible 30" not in told(cast, lisinopril(cast))


@pytest.mark.parametrize(("ingredient", "schedule"), [("zolpidem", "iv"), ("prednisone", "not_controlled"),
                                                      ("unheard of", "not_controlled")])  # fmt: skip
def test_no_bridge_for_controlled_drugs_courses_and_what_no_protocol_covers(
    cast: Any, ingredient: str, schedule: str
) -> None:
    drug = cast.drug(ingredients=(ingredient,), schedule=f.Schedule(schedule), form="Oral Tablet")
    known = cast.facts(
        drug=drug, entry=cast.entry(as_named=drug, as_coded=drug), visit=f.Visit(cast.ago(400), None, True)
    )
    assert "bridge_possible" not in {one.code for one in cast.decide(known).findings}


def test_results_and_bridges_survive_their_transcript(cast: Any) -> None:
    known = lisinopril(
        cast, lab(cast, "egfr", value=None, on=None, flag="HH", source="alias"), bridges=(cast.ago(40), cast.ago(400)),
        labs_age_minutes=None,
    )  # fmt: skip
    assert transcript.from_document(document=transcript.to_document(facts=known)) == known
