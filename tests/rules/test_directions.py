"""The small reader of directions: exact, or unknown with its reason."""

from decimal import Decimal

import pytest

from rules import directions
from rules.directions import Daily
from rules.facts import Directions


@pytest.mark.parametrize(
    ("text", "amount", "days"),
    [
        ("Take 1 tablet by mouth once daily", "1", 1),
        ("TAKE ONE TABLET (20 MG) BY MOUTH TWICE A DAY WITH MEALS.", "2", 1),
        ("1 tab PO BID", "2", 1),
        ("take 1/2 tablet daily", "0.5", 1),
        ("1 1/2 tablets by mouth daily", "1.5", 1),
        ("1 spray in each nostril daily", "2", 1),
        ("Take 1 tablet by mouth once weekly", "1", 7),
        ("1 tablet at bedtime", "1", 1),
        ("take 1 (one) tablet every 12 hours", "2", 1),
        ("1 capsule every day before breakfast for acid reflux", "1", 1),
        ("Take 1 tablet every other day", "1", 2),
    ],
)
def test_plain_directions_give_the_daily_amount(text: str, amount: str, days: int) -> None:
    read = directions.read_sig(text=text)
    assert (read.amount, read.per_days) == (Decimal(amount), days)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "absent"),
        ("as directed", "as_directed"),
        ("Take 1 tablet daily as needed for pain", "as_needed"),
        ("Take 1-2 tablets daily", "range"),
        ("take one to two tablets daily", "range"),
        ("take up to 3 tablets daily", "range"),
        ("Take 2 tablets daily for 3 days then 1 tablet daily", "several_steps"),
        ("1 tablet daily for 10 days", "several_steps"),
        ("1 tablet in the morning and 2 in the evening", "not_understood"),
        ("1 tablet daily in the morning and evening", "not_understood"),
        ("1 tablet daily with meals", "not_understood"),
        ("1 tablet daily, max 3", "not_understood"),
        ("1 tablet (or 2) daily", "not_understood"),
        ("0 tablets daily", "not_understood"),
        ("x" * 2000, "not_understood"),
    ],
)
def test_anything_else_is_unknown_and_says_why(text: str, reason: str) -> None:
    read = directions.read_sig(text=text)
    assert read.amount is None
    assert read.reason == reason


@pytest.mark.parametrize(
    ("structured", "agrees"),
    [
        (Directions("1", "tablet", "twice a day", "", False), True),
        (Directions("2", "tablet", "once daily", "", False), True),
        (Directions("1", "tablet", "once daily", "", False), False),
        (Directions("2", "capsule", "once daily", "", False), False),
        (Directions("1", "tablet", "twice a day", "", None), None),
        (Directions("1-2", "tablet", "twice a day", "", False), None),
        (Directions(), True),
        (None, True),
    ],
)
def test_text_and_structure_agree_or_not_or_nobody_knows(structured: Directions | None, agrees: bool | None) -> None:
    sig = directions.read_sig(text="1 tablet twice daily")
    assert directions.do_agree(sig=sig, structured=directions.read_structured(directions=structured)) is agrees


@pytest.mark.parametrize(
    ("quantity", "unit", "days"),
    [
        ("90", "tablet", 45),
        ("91", "tablet", None),
        ("90", "ml", None),
        ("90", "", None),
        (None, "tablet", None),
        ("0", "tablet", None),
    ],
)
def test_days_supply_is_exact_or_unknown(quantity: str | None, unit: str, days: int | None) -> None:
    daily = Daily(Decimal(2), 1, "tablet")
    amount = None if quantity is None else Decimal(quantity)
    assert directions.days_supply(quantity=amount, unit=unit, daily=daily) == days
