"""The catalogue of facts an editor may use: each with its type, unit, meaning in words, and how it is read off a case.

Nothing is worked out here that a case does not hold, and what is not known is None, never a default. The names are for
ever: they stand in published rules and in recorded traces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from rules import facts as f
from rules import protocols
from rules.case import Case
from rules.facts import Lab

Value = int | Decimal | bool | str | frozenset[str]


class Type(StrEnum):
    """What a value is, which settles its operators."""

    number = "number"
    """A whole number."""
    decimal = "decimal"
    """A measured value with its decimals."""
    truth = "truth"
    code = "code"
    codes = "codes"
    """A set of codes."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry. `meaning` reads as the start of a sentence; `denied`: of a truth, the sentence when it is false.

    `codes`: every code it can have, () where they are open. `age`: days since it was measured, where that is known.
    """

    name: str
    type: Type
    unit: str
    meaning: str
    example: str
    read: Callable[[Case], Value | None]
    source: str = ""
    denied: str = ""
    codes: tuple[str, ...] = ()
    age: Callable[[Case], int | None] | None = None


OPERATORS: Mapping[Type, frozenset[str]] = {
    Type.number: frozenset({"equals", "at_most", "at_least", "less_than", "more_than"}),
    Type.decimal: frozenset({"at_most", "at_least", "less_than", "more_than"}),
    Type.truth: frozenset({"is"}),
    Type.code: frozenset({"is", "is_not", "in", "not_in"}),
    Type.codes: frozenset({"contains", "contains_any"}),
}
ALWAYS = frozenset({"known", "unknown"})
WORDS = {
    "equals": "is", "at_most": "is at most", "at_least": "is at least", "less_than": "is less than",
    "more_than": "is more than", "is": "is", "is_not": "is not", "in": "is one of", "not_in": "is none of",
    "contains": "contains", "contains_any": "contains any of", "known": "is known", "unknown": "is unknown",
}  # fmt: skip

Read = Callable[[Case], Value | None]


def _truth(name: str, meaning: str, denied: str, read: Read, source: str = "") -> Fact:
    return Fact(name, Type.truth, "", meaning, "true", read, source, denied)


def _number(name: str, unit: str, meaning: str, example: str, read: Read, source: str = "") -> Fact:
    return Fact(name, Type.number, unit, meaning, example, read, source)


def _code(name: str, meaning: str, codes: type[StrEnum], read: Read, source: str = "") -> Fact:
    values = tuple(one.value for one in codes)
    return Fact(name, Type.code, "", meaning, values[0], read, source, codes=values)


def _days_since(case: Case, day: date | None) -> int | None:
    return None if day is None else (case.facts.today - day).days


MESSAGE = (
    _code("message.kind", "what the patient asks for", f.Kind, lambda c: c.facts.reading.kind.value, "klara"),
    _code("message.tag", "the Klara tag", f.Tag, lambda c: c.facts.reading.tag.value, "klara"),
    _truth("message.is_tagged", "the message carries the tag of its recipe",
           "the message lacks the tag of its recipe", lambda c: c.is_tagged, "klara"),
    _truth("message.is_plain", "the message asks for one thing only", "the message asks for more than one thing",
           lambda c: c.facts.reading.is_plain),
    _truth("message.has_doubts", "reading left doubts", "reading left no doubts",
           lambda c: bool(c.facts.reading.doubts)),
    _number("message.confidence", "percent", "how sure the reading is", "95",
            lambda c: c.facts.reading.confidence_percent),
    _code("message.channel", "how the message came", f.Channel, lambda c: c.facts.reading.channel.value, "klara"),
    _code("message.author", "who wrote the message", f.Author, lambda c: c.facts.reading.author.value, "klara"),
    _truth("message.is_out_of_drug", "the patient says the drug has run out",
           "the patient does not say the drug has run out", lambda c: c.facts.reading.is_out_of_drug, "klara"),
)  # fmt: skip
DRUG = (
    _truth("drug.is_controlled", "the drug is in schedule II to V", "the drug is in no schedule",
           lambda c: c.is_controlled, "dea"),
    _code("drug.schedule", "the drug's schedule", f.Schedule, lambda c: c.schedule.value, "dea"),
    Fact("drug.classes", Type.codes, "", "the drug's protocol classes", "statin",
         lambda c: frozenset(c.classes) or None, codes=tuple(sorted(protocols.load().by_key))),
    Fact("drug.ingredients", Type.codes, "", "the drug's ingredients", "atorvastatin",
         lambda c: frozenset(c.ingredients) or None),
    _truth("drug.is_never_hold", "a gap in this drug may hurt at once", "a gap in this drug hurts nobody at once",
           lambda c: c.is_never_hold),
    _truth("drug.is_class_automatic", "the class may be automatic and is adopted",
           "the class may not be automatic, or is not adopted", lambda c: c.is_class_automatic),
    _truth("entry.is_active", "the drug is active on the list", "the drug is not active on the list",
           lambda c: None if c.facts.entry is None else c.facts.entry.is_active, "drchrono"),
    _number("entry.matches", "entries", "active list entries that fit", "1",
            lambda c: c.facts.entries_matching, "drchrono"),
    _number("entry.days_supply", "days", "days one fill lasts", "90", lambda c: c.days_supply, "drchrono"),
    _number("entry.refills", "refills", "refills of the listed prescription", "3",
            lambda c: None if c.facts.entry is None else c.facts.entry.number_refills, "drchrono"),
    _number("entry.days_since_start", "days", "days since the drug was started", "200",
            lambda c: None if c.facts.entry is None else _days_since(c, c.facts.entry.started_on), "drchrono"),
    _number("entry.days_since_change", "days", "days since dose, form or directions changed", "200",
            lambda c: None if c.facts.entry is None else _days_since(c, c.facts.entry.changed_on), "drchrono"),
    _truth("entry.is_by_other_doctor", "another practice's doctor wrote the listed prescription",
           "this practice wrote the listed prescription",
           lambda c: None if c.facts.entry is None else c.facts.entry.is_by_other_doctor, "drchrono"),
    _truth("prescriber.is_away", "the prescriber is away", "the prescriber is here",
           lambda c: None if c.facts.prescriber is None else c.facts.prescriber.is_away),
)  # fmt: skip
CARE = (
    _number("visit.days_since", "days", "days since the last qualifying visit", "120",
            lambda c: c.days_since_visit, "drchrono"),
    _truth("visit.is_overdue", "the last visit is over the practice's limit",
           "the last visit is within the practice's limit", lambda c: c.is_visit_overdue, "drchrono"),
    _truth("visit.has_upcoming", "a visit is booked", "no visit is booked", lambda c: _upcoming(c), "drchrono"),
    _number("visit.days_until", "days", "days until the booked visit", "14",
            lambda c: None if c.facts.visit.upcoming_on is None else (c.facts.visit.upcoming_on - c.facts.today).days,
            "drchrono"),
    _number("supply.days_since", "days", "days since the last known supply", "60", lambda c: c.standing.days_since),
    _number("supply.used_percent", "percent", "part of the last supply used", "90",
            lambda c: c.standing.least_used_percent),
    _number("supply.days_left", "days", "days until the supply ends", "5",
            lambda c: None if c.run_out_on is None else (c.run_out_on - c.facts.today).days),
    _number("fills.days_since_last", "days", "days since a pharmacy last filled it", "80",
            lambda c: _days_since(c, max((one.on for one in c.facts.fills or ()), default=None)), "pharmacy"),
    _number("pharmacy.fills_left", "fills", "fills left as a pharmacy reported", "2",
            lambda c: c.facts.fills_left, "pharmacy"),
    _truth("pharmacy.is_named_found", "the named pharmacy is one directory entry",
           "the named pharmacy is not one directory entry", lambda c: bool(c.facts.pharmacy.named_ncpdp)),
    _truth("hours.was_closed_when_sent", "the practice was closed when the message was sent",
           "the practice was open when the message was sent", lambda c: c.facts.hours.was_closed_when_sent),
    _truth("hours.is_closed_now", "the practice is closed now", "the practice is open now",
           lambda c: c.facts.hours.is_closed_now),
    _number("patient.age", "years", "the patient's age", "54", lambda c: c.facts.patient.age_years, "drchrono"),
    _code("patient.status", "the patient's status", f.PatientStatus,
          lambda c: c.facts.patient.status.value, "drchrono"),
    _code("patient.sex", "the patient's sex as charted", f.Sex, lambda c: c.facts.patient.sex.value, "drchrono"),
    _truth("patient.is_pregnant", "the patient is pregnant", "the patient is not pregnant",
           lambda c: c.facts.patient.is_pregnant, "drchrono"),
    _number("patient.other_drugs", "drugs", "other active drugs of the patient", "4",
            lambda c: None if c.facts.other_drugs is None else len(c.facts.other_drugs), "drchrono"),
    _number("mirror.age", "minutes", "age of our copy of the chart", "5", lambda c: c.facts.mirror_age_minutes),
)  # fmt: skip


def _upcoming(case: Case) -> bool | None:
    visit = case.facts.visit
    return True if visit.upcoming_on is not None else (False if visit.is_upcoming_known else None)


def _newest(case: Case, key: str) -> Lab | None:
    """The newest result; one of no day counts as the newest, so that nothing older stands in for it."""
    mine = [lab for lab in case.facts.labs or () if lab.key == key]
    return max(mine, key=lambda lab: lab.on or date.max, default=None)


def _measured(key: str, unit: str) -> tuple[Fact, Fact]:
    """The value of a laboratory test or vital sign, and its age. A value in another unit is not compared: unknown."""

    def value(case: Case) -> Decimal | None:
        found = _newest(case, key)
        return found.value if found is not None and found.unit == unit and found.on is not None else None

    def age(case: Case) -> int | None:
        found = _newest(case, key)
        return None if found is None else _days_since(case, found.on)

    words = LAB_WORDS.get(key, key)
    return (
        Fact(f"lab.{key}", Type.decimal, unit, f"the newest {words}", "4.2", value, "drchrono", age=age),
        _number(f"lab.{key}.age", "days", f"age of the newest {words}", "120", age, "drchrono"),
    )


LAB_WORDS = {
    "potassium": "potassium", "creatinine": "creatinine", "egfr": "eGFR", "sodium": "sodium", "a1c": "A1c",
    "tsh": "TSH", "ldl": "LDL cholesterol", "alt": "ALT", "ast": "AST", "urate": "uric acid",
    "hgb": "hemoglobin", "inr": "INR",
    "plt": "platelets", "wbc": "white cells", "uacr": "urine albumin to creatinine", "vitd": "vitamin D",
    "sbp": "systolic blood pressure", "dbp": "diastolic blood pressure", "pulse": "pulse", "weight": "weight",
    "bmi": "BMI", "ck": "CK", "lipid": "lipid panel", "calcium": "calcium", "magnesium": "magnesium",
}  # fmt: skip
LABS = tuple(
    fact
    for key, unit in sorted(protocols.load().lab_units.items())
    if key in LAB_WORDS
    for fact in _measured(key, unit)
)
CATALOGUE: Mapping[str, Fact] = {fact.name: fact for fact in (*MESSAGE, *DRUG, *CARE, *LABS)}
