"""Words of the pages: every code has some, drug lines keep what they say, times read as people say them."""

from datetime import date, timedelta

import pytest

from review import states, wording
from rules.intake.reading import DoubtCode
from tests.review.rows import NOW


def test_every_state_and_every_doubt_has_words_of_its_own():
    assert set(wording.STATES) == set(states.RequestState)
    assert {str(code) for code in DoubtCode} <= set(wording.REASONS) | set(wording.FINDINGS)


def test_an_unknown_code_shows_as_itself():
    assert wording.reason("brand_new-code") == "Brand new code"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Lisinopril 10 MG Oral Tablet", "lisinopril 10\u00a0mg tablet"),
        ("levothyroxine sodium 0.088 MG Oral Tablet", "levothyroxine sodium 0.088\u00a0mg tablet"),
        ("Albuterol 0.09 MG/ACTUAT Inhaler", "albuterol 0.09\u00a0mg/puff inhaler"),
        ("lisinopril 10 MG Oral Tablet [Zestril]", "lisinopril 10\u00a0mg tablet [Zestril]"),
        ("insulin glargine 100 UNT/ML", "insulin glargine 100\u00a0units/mL"),
        ("", ""),
    ],
)
def test_a_drug_line_reads_as_people_write_it_and_loses_no_number(name, shown):
    assert wording.drug(name) == shown
    digits = [one for one in name if one.isdigit() or one == "."]
    assert [one for one in wording.drug(name) if one.isdigit() or one == "."] == digits


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0 m"), (52, "52 m"), (75, "1 h 15 m"), (60 * 49, "2 days"), (-5, "0 m")]
)
def test_waiting_is_said_in_hours_and_minutes(minutes, said):
    assert wording.waited(NOW - timedelta(minutes=minutes), NOW) == said


def test_days_left_never_fall_below_zero_and_unknown_stays_unknown():
    today = date(2026, 11, 17)
    assert wording.days_left(today, today) == 0
    assert wording.days_left(today - timedelta(days=3), today) == 0
    assert wording.days_left(None, today) is None


def test_a_finding_says_value_and_limit_in_one_line():
    assert wording.short("visit", value="402", limit="365", age=402) == "Last visit 402 days ago, limit 365"
    assert wording.short("lab_old", value="potassium", limit="365", age=441) == "Potassium 441 days old"
    assert wording.short("lab_missing", value="egfr", limit="365", age=None) == "eGFR: none on file"
    assert wording.short("allergy", value="", limit="", age=None) == wording.sentence("allergy")
    assert wording.short("no_such_code", value="{x}", limit="", age=None) == "No such code"


def test_a_particular_reason_goes_before_a_general_one():
    assert wording.first_reason(["not_plain", "negation"]) == wording.reason("negation")
    assert wording.first_reason(["not_plain"]) == wording.reason("not_plain")
    assert wording.first_reason([]) == ""


def test_in_shadow_nothing_is_called_sent():
    for state in ("approved", "sent", "done"):
        assert wording.state(state, is_shadow=True) == "Shadow: would have been sent"
