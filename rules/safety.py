"""Clinical guards: class, stops, age, pregnancy, allergy, interactions, opioids, federal limits, gaps that hurt.

Same rules as `rules.guards`: (case) -> Finding | None, more cautious only, a missing fact is a finding.
"""

import calendar
from datetime import date

from rules.case import CONTROLLED, Case
from rules.facts import Schedule, Sex
from rules.findings import Finding, Severity
from rules.protocols import Stop, StopKind

BLOCKS, PERSON, NOTES = Severity.blocks, Severity.needs_person, Severity.notes

ADULT_YEARS = 18
SCHEDULE_II_DAYS = 90
FERTILE_YEARS = range(12, 56)


def drug_class(case: Case) -> Finding | None:
    """Automatic only where every class that covers the drug is routed so *and* adopted by the medical director."""
    if case.is_class_automatic:
        return None
    if not case.applying:
        return Finding("class_unknown", "No protocol covers this drug in this form.", PERSON, source="clinical")
    value = ", ".join(one.key for one in case.applying)
    if any(one.route in ("review", "never") for one in case.applying):
        return Finding("class_never_automatic", "This class always goes to a clinician.", BLOCKS, value,
                       source="clinical: route")  # fmt: skip
    return Finding("class_not_adopted", "The practice has not adopted this class.", PERSON, value,
                   source="clinical: route", mend="adoption of the class by the medical director")  # fmt: skip


def stops(case: Case) -> Finding | None:
    """Exclusions of the class that our facts can judge."""
    for protocol in case.applying:
        for stop in protocol.stops:
            if _stop_hits(case, stop):
                return Finding("protocol_stop", stop.sentence, PERSON, stop.code, protocol.key,
                               source=f"clinical: {protocol.key}")  # fmt: skip
    return None


def _stop_hits(case: Case, stop: Stop) -> bool:
    asked = case.asked
    if stop.kind in (StopKind.rise_percent, StopKind.rise_amount):
        return False  # `rules.results.changes`
    if stop.kind is StopKind.only_ingredient:
        return asked <= stop.ingredients
    if stop.ingredients and asked.isdisjoint(stop.ingredients):
        return False
    if stop.kind is StopKind.ingredient:
        return True
    if stop.kind is StopKind.age_from:
        age = case.facts.patient.age_years
        return age is None or stop.age_years is None or age >= stop.age_years
    if not (case.beside.isdisjoint(stop.others) and asked.isdisjoint(stop.others)):
        return True
    if not stop.other_classes:
        return False
    return not stop.other_classes.isdisjoint(case.protocols.classes_of(ingredients=case.beside - asked))


def unchecked(case: Case) -> Finding | None:
    """Exclusions no fact of ours can judge are named beside the request; adopting the class accepts them."""
    named = case.together.unchecked
    if not named:
        return None
    return Finding("exclusions_not_checked", "Not checked by machine: " + "; ".join(named), NOTES, str(len(named)),
                   source="clinical: exclusions")  # fmt: skip


def age(case: Case) -> Finding | None:
    """Under 18 (or outside the ages of the class), or age unknown: a person."""
    years = case.facts.patient.age_years
    least = max(ADULT_YEARS, case.together.min_age_years)
    most = 150 if case.together.max_age_years is None else case.together.max_age_years
    if years is not None and least <= years <= most:
        return None
    return Finding("age", "The patient's age is outside the limits or unknown.", PERSON,
                   "" if years is None else str(years), f"{least}..{most}", source="clinical: age")  # fmt: skip


def pregnancy(case: Case) -> Finding | None:
    """Pregnant: always a person. Unknown: a person where a flagged class meets a patient who could be."""
    patient = case.facts.patient
    if patient.is_pregnant:
        return Finding("pregnant", "The patient is pregnant.", BLOCKS, source="clinical: pregnancy")
    if patient.is_pregnant is False or not case.together.is_pregnancy_flagged:
        return None
    if patient.sex is Sex.male or (patient.age_years is not None and patient.age_years not in FERTILE_YEARS):
        return None
    return Finding("pregnancy_unknown", "Pregnancy is not ruled out.", PERSON, source="clinical: pregnancy")


def allergy(case: Case) -> Finding | None:
    """The ingredient or its class is on the allergy list, or the list is unknown."""
    listed = case.facts.allergies
    if listed is None:
        return Finding("allergies_unknown", "The allergy list is not known.", PERSON, source="clinical: allergy")
    named = {one.strip().lower() for one in listed}
    reached = named | set(case.protocols.classes_of(ingredients=named))  # to one drug of a class is to the class
    if reached & {*case.ingredients, *case.classes}:
        return Finding("allergy", "The drug or its class is on the allergy list.", BLOCKS, source="clinical: allergy")
    return None


def other_drugs(case: Case) -> Finding | None:
    """Interactions and duplicates can only be judged when every other active drug was read."""
    others = case.facts.other_drugs
    if others is not None and all(one.ingredients for one in others):
        return None
    return Finding("other_drugs_unknown", "Not every other active drug could be read.", PERSON,
                   source="clinical: interaction")  # fmt: skip


def interaction(case: Case) -> Finding | None:
    """A listed severe pair is active (G: to be checked by the medical director)."""
    asked, beside = case.asked, case.beside
    for pair in case.protocols.interactions:
        one, other = not asked.isdisjoint(pair.one), not asked.isdisjoint(pair.other)
        if (one and not beside.isdisjoint(pair.other)) or (other and not beside.isdisjoint(pair.one)):
            return Finding("interaction", "A severe interaction.", PERSON, pair.code, source="clinical: interaction")
    return None


def therapeutic_duplicate(case: Case) -> Finding | None:
    """Two active drugs of the same ingredient or group."""
    if not case.beside.isdisjoint(case.asked):
        return Finding("same_ingredient_twice", "The same ingredient is active twice.", PERSON,
                       source="clinical: therapeutic_duplicate")  # fmt: skip
    for protocol in case.applying:
        mine = {protocol.group_of(name) for name in case.asked & protocol.ingredients}
        if not mine.isdisjoint([protocol.group_of(name) for name in case.beside & protocol.ingredients]):
            return Finding("therapeutic_duplicate", "Another drug of the same class is active.", PERSON, protocol.key,
                           source="clinical: therapeutic_duplicate")  # fmt: skip
    return None


def stable_time(case: Case) -> Finding | None:
    """Clinical check `new_or_changed`: started or changed at least 90 days ago (180 for antidepressants)."""
    entry = case.facts.entry
    if entry is None:
        return None
    limit = max(case.policy.min_stable_days, case.together.min_stable_days)
    since = entry.changed_on or entry.started_on
    if entry.changed_on and entry.started_on:
        since = max(entry.changed_on, entry.started_on)
    if since is None:
        return Finding("stable_time_unknown", "It is not known since when the drug is taken.", PERSON, "", str(limit),
                       source="clinical: new_or_changed")  # fmt: skip
    days = (case.facts.today - since).days
    if days >= limit:
        return None
    return Finding("stable_time", "Started or changed too recently.", PERSON, str(days), str(limit), days,
                   source="clinical: new_or_changed")  # fmt: skip


def controlled_visit(case: Case) -> Finding | None:
    """F072: no controlled substance without a visit; shown in the prescriber's task."""
    if not case.is_controlled:
        return None
    days, limit = case.days_since_visit, case.visit_limit_days
    if days is not None and 0 <= days <= limit:
        return None
    return Finding("controlled_needs_visit", "No visit within the limit for a controlled drug.", BLOCKS,
                   "" if days is None else str(days), str(limit), source="F072")  # fmt: skip


def opioid_quantity(case: Case) -> Finding | None:
    """F073: no opioid past the practice's quantity limit, or of unknown length."""
    if case.asked.isdisjoint(case.protocols.opioids):
        return None
    limit, days = case.policy.opioid_max_days_supply, case.days_supply
    if days is not None and 0 < days <= limit:
        return None
    return Finding("opioid_quantity", "Opioid supply over the limit or unknown.", BLOCKS,
                   "" if days is None else str(days), str(limit), source="F073")  # fmt: skip


def federal_refills(case: Case) -> Finding | None:
    """21 CFR 1306.12: Schedule II has no refills. 21 CFR 1306.22: III-IV at most five, within six months of issue."""
    entry = case.facts.entry
    if entry is None or case.schedule not in CONTROLLED or case.schedule is Schedule.v:
        return None
    limit = 0 if case.schedule is Schedule.ii else 5
    count = entry.number_refills
    if count is not None and count <= limit:
        return None
    cited = "21 CFR 1306.12" if case.schedule is Schedule.ii else "21 CFR 1306.22"
    return Finding("federal_refills", "More refills than federal law allows, or unknown.", BLOCKS,
                   "" if count is None else str(count), str(limit), source=cited)  # fmt: skip


def federal_supply(case: Case) -> Finding | None:
    """21 CFR 1306.12(b): Schedule II for at most 90 days, however many prescriptions. 21 CFR 1306.22(a): III-IV
    is not refilled later than six months after its date, so the last fill of one written today may not be later."""
    entry = case.facts.entry
    if entry is None or case.schedule not in CONTROLLED or case.schedule is Schedule.v:
        return None
    days, count = case.days_supply, entry.number_refills
    if case.schedule is Schedule.ii:
        if days is not None and 0 < days <= SCHEDULE_II_DAYS:
            return None
        return Finding("federal_supply", "Longer than federal law allows, or unknown.", BLOCKS,
                       "" if days is None else str(days), str(SCHEDULE_II_DAYS), source="21 CFR 1306.12")  # fmt: skip
    most = (six_months_after(case.facts.today) - case.facts.today).days
    last_fill = None if days is None or count is None else days * count
    if last_fill is not None and 0 <= last_fill <= most:
        return None
    return Finding("federal_supply", "The last refill would fall later than federal law allows, or is unknown.", BLOCKS,
                   "" if last_fill is None else str(last_fill), str(most), source="21 CFR 1306.22")  # fmt: skip


def six_months_after(day: date) -> date:
    """The same day six months later, or the last day of that month."""
    month = day.month + 6
    year, month = day.year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def gap_hurts(case: Case) -> Finding | None:
    """Never an automatic hold or "needs visit" without an item for a person (insulins, anticoagulants, antiplatelets,
    anticonvulsants, antipsychotics, clonidine, beta blockers, systemic steroids, immunosuppressants, rescue inhalers).
    An unknown drug may be one of them."""
    if case.is_never_hold is False:
        return None
    return Finding("gap_hurts", "A gap in this drug may hurt, or the drug is not known: no automatic hold.", NOTES,
                   source="clinical: not met")  # fmt: skip
