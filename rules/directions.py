"""A small reader of directions: the daily amount, exactly, or *unknown*; never a guess.

It knows one sentence: amount, unit, way, how often, and a few harmless endings. A word it does not know, as-needed,
ranges, tapers, courses, several steps and "as directed" all make the amount unknown, with the reason as a code.
"""

import functools
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from rules.facts import Directions

MAX_SIG_LENGTH = 1000
"""Longer texts are not read (SCRIPT 2017071 allows 1,000 characters of sig)."""


@dataclass(frozen=True, slots=True)
class Daily:
    """`amount` units every `per_days` days (weekly: 1 per 7). `amount` None = unknown, `reason` says why."""

    amount: Decimal | None = None
    per_days: int = 1
    unit: str = ""
    """tablet, capsule, puff, spray, drop, ml, unit, patch; "" when not said."""
    reason: str = ""
    """absent, as_needed, range, as_directed, several_steps, not_understood; "" when known."""

    @property
    def is_known(self) -> bool:
        return self.amount is not None


_NUMBER_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "half": "0.5", "a": "1", "an": "1",
}  # fmt: skip
_UNITS = {
    "tablet": "tablet", "tablets": "tablet", "tab": "tablet", "tabs": "tablet", "pill": "tablet", "pills": "tablet",
    "capsule": "capsule", "capsules": "capsule", "cap": "capsule", "caps": "capsule",
    "puff": "puff", "puffs": "puff", "inhalation": "puff", "inhalations": "puff",
    "spray": "spray", "sprays": "spray", "drop": "drop", "drops": "drop", "gtt": "drop", "gtts": "drop",
    "ml": "ml", "milliliter": "ml", "milliliters": "ml", "unit": "unit", "units": "unit",
    "patch": "patch", "patches": "patch", "softgel": "capsule", "softgels": "capsule",
}  # fmt: skip
_VERBS = r"(?:take|takes|use|uses|inhale|inhales|instill|instills|inject|injects|apply|applies|swallow|chew|give|spray)"
_WAYS = (
    r"(?:by mouth|orally|oral|po|per os|via oral route|by oral route|sublingually|under the tongue|subcutaneously|subq"
    r"|under the skin|in each nostril|in each eye|into the lungs|by inhalation)"
)
_TWICE_OVER = re.compile(r"\b(?:each|both)\s+(?:nostril|nostrils|eye|eyes|ear|ears)\b")
_TIMES = {
    r"(?:once daily|once a day|one time (?:a|per) day|1 time (?:a|per) day|daily|every day|each day|a day|per day|qd"
    r"|q day|1x daily|1x/day|1 time daily|one time daily|every 24 hours|q24h|once per day|once every day)": (1, 1),
    r"(?:every morning|each morning|every evening|each evening|every night|nightly|at bedtime|qhs|qam|qpm|every am"
    r"|every pm|every day at bedtime|once daily at bedtime|nightly at bedtime|in the morning|in the evening)": (1, 1),
    r"(?:twice daily|twice a day|two times (?:a|per) day|2 times (?:a|per) day|two times daily|2 times daily|bid"
    r"|2x daily|2x/day|every 12 hours|q12h|twice per day)": (2, 1),
    r"(?:three times (?:a|per) day|3 times (?:a|per) day|three times daily|3 times daily|tid|3x daily|3x/day"
    r"|every 8 hours|q8h)": (3, 1),
    r"(?:four times (?:a|per) day|4 times (?:a|per) day|four times daily|4 times daily|qid|4x daily|4x/day"
    r"|every 6 hours|q6h)": (4, 1),
    r"(?:every other day|every 2 days|every 48 hours|qod)": (1, 2),
    r"(?:once weekly|once a week|every week|weekly|every 7 days|once every week|one time (?:a|per) week)": (1, 7),
}  # fmt: skip
_MOMENTS = (
    r"(?:in the morning|in the evening|at bedtime|at night|with breakfast|with dinner|before breakfast"
    r"|30 minutes before breakfast)"
)
_MEALS = r"(?:with meals|before meals|after meals|in the morning and evening|in the morning and at bedtime)"
_HARMLESS = (
    r"(?:with food|with a meal|with water|with or without food|on an empty stomach|at the same time (?:every|each) day"
    r"|for (?:high )?(?:blood pressure|cholesterol|diabetes|thyroid|heart|acid reflux|reflux|heartburn|depression"
    r"|anxiety|allergies|asthma|gout|prostate|bladder|hypertension|hyperlipidemia|hypothyroidism|gerd|memory))"
)
_NUMBER = (
    r"(?P<number>\d+(?:\.\d+)?(?:\s+(?:and\s+)?1/2)?|1/2|one-half|one half|half a|half"
    r"|one|two|three|four|five|six|an|a)"
)


def _endings(often: str, count: int) -> str:
    """What may follow without changing the amount. A second time of day would (morning, then evening: once or twice?),
    so one is allowed only after a plain frequency, and several moments ("with meals") only after more than
    once a day."""
    moment = _MEALS if count > 1 else _MOMENTS
    once = "" if "morning" in often else rf"(?:,?\s+{moment})?"
    return rf"(?:,?\s+{_HARMLESS})?{once}(?:,?\s+{_HARMLESS})?"


_SENTENCES = tuple(
    (
        re.compile(
            rf"^(?:{_VERBS}\s+)?{_NUMBER}\s+(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})"
            rf"(?:\s+{_WAYS})?\s+(?P<often>{often})(?:\s+{_WAYS})?{_endings(often, count)}$"
        ),
        count,
        days,
    )
    for often, (count, days) in _TIMES.items()
)
_OFTEN_ONLY = tuple((re.compile(rf"^{often}$"), count, days) for often, (count, days) in _TIMES.items())
_AS_NEEDED = re.compile(r"\b(?:as needed|if needed|prn|p\.r\.n|when needed|when necessary|as required)\b")
_RANGE = re.compile(
    r"\d\s*(?:-|\u2013|to|or)\s*\d|\b(?:one|two|three|four)\s+(?:to|or)\s+(?:two|three|four|five|six)\b|up to"
)
_AS_DIRECTED = re.compile(r"\b(?:as directed|as instructed|as prescribed|per (?:package|instructions)|ud)\b")
_STEPS = re.compile(
    r"\b(?:then|taper|increase|decrease|followed by|week 1|day 1|alternat\w+|on day)\b|\bfor \d+ (?:day|week)"
)


def _plain(text: str) -> str:
    lowered = re.sub(r"\((?:[^()]*)\)", _keep_no_news, text.lower().strip())
    lowered = re.sub(r"\b([bqt])\.?\s?i\.?\s?d\b\.?", r"\1id", lowered)
    lowered = re.sub(r"\b(q\.d\.|q\.d)(?=\s|$)", "qd", lowered)
    lowered = re.sub(r"\bp\.o\.?(?=\s|$)", "po", lowered)
    return re.sub(r"\s+", " ", lowered).strip().rstrip(".").strip()


def _keep_no_news(match: re.Match[str]) -> str:
    """Drop a bracket that only repeats (a number word or digit, or a strength); keep any other, so it is not
    understood."""
    inside = match.group(0)[1:-1].strip()
    repeats = inside in _NUMBER_WORDS or inside in {"1", "2", "3", "4"} or inside in {"s", "es"}
    is_strength = re.fullmatch(r"\d+(?:\.\d+)?\s?(?:mg|mcg|g)(?: total)?", inside) is not None
    return " " if (repeats or is_strength) and inside not in {"s", "es"} else ("" if repeats else match.group(0))


def _number(text: str) -> Decimal | None:
    text = text.replace(" and ", " ")
    if text in ("1/2", "one-half", "one half", "half a", "half"):
        return Decimal("0.5")
    if text.endswith(" 1/2"):
        return Decimal(text[:-4].strip()) + Decimal("0.5")
    try:
        return Decimal(_NUMBER_WORDS.get(text, text))
    except InvalidOperation:
        return None


def _why_not(text: str) -> str:
    if _AS_NEEDED.search(text):
        return "as_needed"
    if _STEPS.search(text):
        return "several_steps"
    if _RANGE.search(text):
        return "range"
    if _AS_DIRECTED.search(text):
        return "as_directed"
    return ""


@functools.lru_cache(maxsize=4096)
def read_sig(*, text: str) -> Daily:
    """The daily amount of a free-text sig, or unknown with its reason."""
    if len(text) > MAX_SIG_LENGTH:
        return Daily(reason="not_understood")
    plain = _plain(text)
    if not plain:
        return Daily(reason="absent")
    reason = _why_not(plain)
    if reason:
        return Daily(reason=reason)
    for sentence, count, days in _SENTENCES:
        match = sentence.match(plain)
        if match is None:
            continue
        number = _number(match.group("number"))
        if number is None or number <= 0:
            return Daily(reason="not_understood")
        sides = 2 if _TWICE_OVER.search(plain) else 1
        return Daily(amount=number * count * sides, per_days=days, unit=_UNITS[match.group("unit")])
    return Daily(reason="not_understood")


@functools.lru_cache(maxsize=4096)
def read_structured(*, directions: Directions | None) -> Daily:
    """The daily amount of the structured fields. `is_as_needed` unknown makes it unknown."""
    if directions is None or not (directions.dosage_quantity.strip() or directions.frequency.strip()):
        return Daily(reason="absent")
    if directions.is_as_needed is None or directions.is_as_needed:
        return Daily(reason="as_needed" if directions.is_as_needed else "not_understood")
    quantity = directions.dosage_quantity.strip().lower()
    if not re.fullmatch(r"\d{1,4}(?:\.\d{1,3})?|1/2|one|two|three|four|half", quantity):
        return Daily(reason="range" if _RANGE.search(quantity) else "not_understood")
    often = _plain(directions.frequency)
    reason = _why_not(often)
    if reason:
        return Daily(reason=reason)
    number = _number(quantity)
    units = directions.dosage_units.strip().lower()
    unit = _UNITS.get(units, "")
    if number is None or number <= 0 or (units and not unit):
        return Daily(reason="not_understood")
    for sentence, count, days in _OFTEN_ONLY:
        if sentence.match(often):
            return Daily(amount=number * count, per_days=days, unit=unit)
    return Daily(reason="not_understood")


def do_agree(*, sig: Daily, structured: Daily) -> bool | None:
    """True: both known and equal, or there are no structured directions. False: both known, different. None: cannot
    tell."""
    if structured.reason == "absent":
        return True
    if sig.amount is None or structured.amount is None:
        return None
    same_amount = sig.amount * structured.per_days == structured.amount * sig.per_days
    same_unit = not sig.unit or not structured.unit or sig.unit == structured.unit
    return same_amount and same_unit


def days_supply(*, quantity: Decimal | None, unit: str, daily: Daily) -> int | None:
    """quantity / daily amount, whole days; None unless everything is known exactly and the units are the same."""
    if quantity is None or quantity <= 0 or daily.amount is None or daily.amount <= 0:
        return None
    counted = _UNITS.get(unit.strip().lower())
    if counted is None or not daily.unit or counted != daily.unit:
        return None
    days = quantity * daily.per_days / daily.amount
    return int(days) if days == days.to_integral_value() and days >= 1 else None
