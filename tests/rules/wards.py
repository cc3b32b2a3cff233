"""Random patients, policies and recipes by seed, and an oracle of its own for what must never be approved by a machine.

The oracle is written from the requirement rows and the clinical table, not from the guards: it shares no code with
them.
"""

import dataclasses
import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from rules import facts as f
from rules import policy as policies
from rules import protocols, recipes
from rules.catalogue import ALWAYS, CATALOGUE, OPERATORS, Type
from rules.findings import Outcome
from rules.policy import Policy
from rules.protocols import Route
from tests.rules import conftest as cast

DRUGS = (
    ("omeprazole", "Delayed Release Oral Capsule", f.Schedule.not_controlled),
    ("loratadine", "Oral Tablet", f.Schedule.not_controlled),
    ("levothyroxine", "Oral Tablet", f.Schedule.not_controlled),
    ("lisinopril", "Oral Tablet", f.Schedule.not_controlled),
    ("atorvastatin", "Oral Tablet", f.Schedule.not_controlled),
    ("warfarin", "Oral Tablet", f.Schedule.not_controlled),
    ("oxycodone", "Oral Tablet", f.Schedule.ii),
    ("zolpidem", "Oral Tablet", f.Schedule.iv),
    ("pregabalin", "Oral Capsule", f.Schedule.v),
    ("unheard of", "Oral Tablet", f.Schedule.unknown),
)
CONTROLLED = {f.Schedule.ii, f.Schedule.iii, f.Schedule.iv, f.Schedule.v, f.Schedule.unknown}
TABLE = protocols.load()


def _some(dice: random.Random, usual: Any, *others: Any, odds: float = 0.06) -> Any:
    return dice.choice(others) if dice.random() < odds else usual


def patient(dice: random.Random) -> f.Facts:
    """Mostly well, with a few facts spoiled, near the borders where a limit stands."""
    name, form, schedule = dice.choice(DRUGS[:6]) if dice.random() < 0.85 else dice.choice(DRUGS)
    drug = cast.drug(name=name, ingredients=(name,), form=form, schedule=schedule)
    odd = dataclasses.replace(
        drug, schedule=dice.choice(list(f.Schedule)), ingredients=dice.choice([(), ("oxycodone",)])
    )
    days = _some(dice, 90, 30, 91, 120, None)
    entry = cast.entry(
        as_named=_some(dice, drug, odd, None, odds=0.04),
        as_coded=_some(dice, drug, odd, None, odds=0.04),
        days_supply=days,
        dispense_quantity=None if days is None else Decimal(days),
        is_active=_some(dice, True, False, None),
        number_refills=_some(dice, 0, 1, 5, None),
        started_on=_some(dice, cast.ago(700), cast.ago(89), cast.ago(90), None),
        changed_on=_some(dice, None, cast.ago(30), cast.ago(400)),
    )
    plain = cast.facts().reading
    reading = dataclasses.replace(
        plain,
        is_plain=_some(dice, True, False, None, odds=0.03),
        doubts=_some(dice, (), ("unread_words",), odds=0.03),
        strength_differs=_some(dice, False, True, None, odds=0.03),
        form_differs=_some(dice, False, True, None, odds=0.03),
        directions_differ=_some(dice, False, True, None, odds=0.03),
        quantity_differs=_some(dice, False, True, None, odds=0.03),
        is_emergency=_some(dice, False, True, None, odds=0.03),
        has_symptom=_some(dice, False, True, None, odds=0.03),
        author=_some(dice, f.Author.patient, f.Author.proxy, f.Author.pharmacy, f.Author.unknown, odds=0.03),
        channel=_some(dice, f.Channel.text, f.Channel.voicemail, f.Channel.network, f.Channel.unknown, odds=0.03),
        is_identity_verified=_some(dice, True, False, None, odds=0.03),
        tag=_some(dice, f.Tag.refill, f.Tag.none, f.Tag.pharmacy_change),
    )
    visit = _some(dice, cast.ago(120), cast.ago(365), cast.ago(366), cast.ago(-1), None, odds=0.2)
    ours = f.Prescriber("p1", True, True, True, False, True)
    states = [one for one in f.PatientStatus if one is not f.PatientStatus.active]
    return cast.facts(
        reading=reading,
        drug=drug,
        entry=_some(dice, entry, None, odds=0.02),
        entries_matching=_some(dice, 1, 0, 2, None, odds=0.03),
        visit=f.Visit(visit, None, True),
        fills=_some(dice, (f.Fill(cast.ago(80), 90, "pharmacy"),), (f.Fill(cast.ago(67), 90, "p"),),
                    (f.Fill(cast.ago(68), 90, "p"),), (f.Fill(cast.ago(200), 90, "p"),), None, odds=0.2),
        labs=_some(dice, tuple(_labs(dice)), None),
        patient=f.Patient(_some(dice, 54, 17, 18, None), _some(dice, f.PatientStatus.active, *states),
                          _some(dice, False, True, None), f.Sex.male),
        prescriber=_some(dice, ours, None, dataclasses.replace(ours, is_ours=False),
                         dataclasses.replace(ours, has_spi=False)),
        allergies=_some(dice, (), (name,), None),
        other_drugs=_some(dice, (), None, (cast.drug(name="x", ingredients=()),), (drug,)),
        mirror_age_minutes=_some(dice, 3, 61, None),
        earlier=f.Earlier(_some(dice, False, True, None, odds=0.03), None, None,
                          _some(dice, False, True, None, odds=0.03), _some(dice, False, True, None, odds=0.03)),
        switches=f.Switches(_some(dice, False, True, None, odds=0.03), _some(dice, False, True, None, odds=0.03)),
    )  # fmt: skip


def _labs(dice: random.Random) -> Iterator[f.Lab]:
    """Every value any class asks for, in range and fresh unless spoiled."""
    for key, unit in TABLE.lab_units.items():
        test = next((one for row in TABLE.by_key.values() for one in row.tests if one.key == key), None)
        if test is None or dice.random() < 0.01:
            continue
        low, high = test.least, test.most
        middle = low if low is not None else high if high is not None else Decimal(1)
        value = _some(dice, middle, middle + 1000, Decimal(0), odds=0.02)
        days = _some(dice, 20, 366, 800, odds=0.02)
        yield f.Lab(key, value, _some(dice, unit, "furlongs", odds=0.01), cast.ago(days))


def limits(dice: random.Random) -> Policy:
    """A policy anywhere inside its bounds, every class adopted."""
    changes: dict[str, Any] = {
        name: dice.choice([bound.least, bound.most]) for name, bound in policies.BOUNDS.items() if dice.random() < 0.2
    }
    return dataclasses.replace(
        Policy(adopted_classes=frozenset(TABLE.by_key), enabled_recipes=frozenset(policies.RECIPE_KEYS)), **changes
    )


def graph(dice: random.Random, number: int) -> recipes.Recipe:
    """A random recipe that likes to approve."""
    size = dice.randint(1, 4)
    acts = {
        f"a{n}": {"then": dice.choice(["auto_approve", "auto_approve", "auto_approve", *(one.value for one in Outcome
                  if one not in (Outcome.duplicate, Outcome.tell))])} for n in range(2)
    }  # fmt: skip
    nodes: dict[str, Any] = dict(acts)
    for at in range(size):
        later = [*(f"n{n}" for n in range(at + 1, size)), *acts, recipes.PASS]
        nodes[f"n{at}"] = {"if": condition(dice, 0), **{way: dice.choice(later) for way in ("yes", "no", "unknown")}}
    document = {"key": f"r{number}", "name": "R", "trigger": dice.choice(["refill", "any_request"]), "start": "n0",
                "nodes": nodes}  # fmt: skip
    return recipes.parse(document=document)


def condition(dice: random.Random, depth: int) -> dict[str, Any]:
    """A random condition over the whole catalogue."""
    if depth < 2 and dice.random() < 0.3:
        return {dice.choice(["all", "any"]): [condition(dice, depth + 1) for _ in range(dice.randint(1, 3))]}
    if depth < 2 and dice.random() < 0.1:
        return {"not": condition(dice, depth + 1)}
    fact = CATALOGUE[dice.choice(sorted(CATALOGUE))]
    op = dice.choice(sorted(OPERATORS[fact.type] | ALWAYS))
    document: dict[str, Any] = {"fact": fact.name, "op": op}
    if op in ALWAYS:
        return document
    code = dice.choice(fact.codes or ("omeprazole", "statin"))
    document["value"] = {
        Type.number: lambda: dice.choice([0, 1, 30, 90, 365, {"policy": "visit_limit_days"}]),
        Type.decimal: lambda: dice.choice(["0", "4.5", "100"]),
        Type.truth: lambda: dice.random() < 0.5,
        Type.code: lambda: [code] if op in ("in", "not_in") else code,
        Type.codes: lambda: [code] if op == "contains_any" else code,
    }[fact.type]()
    return document


def unsafe(known: f.Facts, rules: Policy) -> str:
    """Why no machine may approve this, "" when nothing is known against it."""
    entry, reading = known.entry, known.reading
    if entry is None or entry.is_active is not True or known.entries_matching != 1:
        return "not exactly one active entry (global check active_on_list)"
    readings = (known.drug, entry.as_named, entry.as_coded)
    if any(one is None or one.schedule in CONTROLLED for one in readings):
        return "controlled or of unknown schedule (F071)"
    if any(one.ingredients != known.drug.ingredients for one in readings if one and known.drug):
        return "name and code are different drugs (F060)"
    flags = (reading.strength_differs, reading.form_differs, reading.directions_differ, reading.quantity_differs,
             reading.is_emergency, reading.has_symptom, known.earlier.is_same_open, known.earlier.has_newer_message,
             known.earlier.was_denied_or_failed_in_24_h, known.switches.is_automatic_stopped,
             known.switches.is_sending_stopped)  # fmt: skip
    if any(flag is not False for flag in flags):
        return "something differs, was said, is open or stopped, or is not known"
    by_network = (reading.author, reading.channel) == (f.Author.pharmacy, f.Channel.network)
    if reading.is_plain is not True or reading.doubts or not (reading.author is f.Author.patient or by_network):
        return "not a plain message of the patient (F055)"
    by_words = reading.channel in (f.Channel.text, f.Channel.form)
    if not (by_words or by_network) or reading.is_identity_verified is not True:
        return "voice, or nobody's for sure"
    return _unsafe_care(known, rules)


def _unsafe_care(known: f.Facts, rules: Policy) -> str:
    entry, visit = known.entry, known.visit.last_qualifying_on
    assert entry is not None
    assert known.drug is not None
    if visit is None or not 0 <= (known.today - visit).days <= min(365, rules.visit_limit_days):
        return "no visit within the limit (F075)"
    if entry.days_supply is None or entry.days_supply > 90:
        return "more than 90 days, or not known (F074)"
    age = known.patient.age_years
    if known.patient.status is not f.PatientStatus.active or age is None or age < 18:
        return "patient not active or not adult"
    if known.patient.is_pregnant:
        return "pregnant"
    if known.allergies is None or set(known.allergies) & set(known.drug.ingredients):
        return "allergic, or not known"
    if known.other_drugs is None or any(not one.ingredients for one in known.other_drugs):
        return "other drugs not known"
    if any(set(one.ingredients) & set(known.drug.ingredients) for one in known.other_drugs):
        return "the same drug twice"
    if known.mirror_age_minutes is None or known.mirror_age_minutes > 60:
        return "stale copy of the chart (law 6)"
    prescriber = known.prescriber
    if prescriber is None or not (prescriber.is_ours and prescriber.is_active and prescriber.has_spi):
        return "not this practice's prescriber, or without SPI"
    last = max((one.on for one in known.fills or ()), default=None)
    if last is not None and (known.today - last) < timedelta(days=68):
        return "under 75 % of 90 days used"
    if last is not None and (known.today - last) > timedelta(days=90):
        return "no fill within 90 days (fill-history gate)"
    if entry.started_on is None and entry.changed_on is None:
        return "since when is not known"
    if entry.started_on is not None and (known.today - entry.started_on).days < 90:
        return "too new"
    if entry.changed_on is not None and (known.today - entry.changed_on).days < 90:
        return "changed too recently"
    return _unsafe_class(known)


def _unsafe_class(known: f.Facts) -> str:
    assert known.drug is not None
    (name,) = known.drug.ingredients
    rows = [row for row in TABLE.by_key.values() if name in row.ingredients]
    if not rows or any(row.route in (Route.review, Route.never) for row in rows):
        return "no class, or a class for clinicians only"
    for test in (one for row in rows for one in row.tests):
        if not test.is_demanded or (test.only and name not in test.only) or name in test.excepted:
            continue
        held = [lab for lab in known.labs or () if lab.key == test.key]
        newest = max((lab.on for lab in held), default=None)
        if newest is None or not 0 <= (known.today - newest).days <= test.within_days:
            return f"{test.key} missing or old"
        for lab in held:
            if lab.on == newest and (
                lab.unit != test.unit
                or (test.least is not None and lab.value < test.least)
                or (test.most is not None and lab.value > test.most)
            ):
                return f"{test.key} out of range or in another unit"
    return ""
