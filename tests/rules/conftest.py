"""A plain case that passes every check, to be spoiled one fact at a time; a small vocabulary for loading releases."""

import dataclasses
import importlib
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rules import decision, protocols, recipes
from rules.facts import (
    Author,
    Channel,
    Directions,
    Drug,
    Earlier,
    Facts,
    Fill,
    Hours,
    Kind,
    ListEntry,
    Patient,
    PatientStatus,
    Pharmacy,
    Prescriber,
    Reading,
    Schedule,
    Sex,
    Switches,
    Tag,
    Visit,
)
from rules.intake import tables
from rules.intake.tables import Tables
from rules.policy import Policy
from tests.rules.rxnorm import release

TODAY = date(2026, 11, 17)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def drug(**changes: Any) -> Drug:
    plain = Drug(
        "omeprazole 20 MG Delayed Release Oral Capsule",
        "198051",
        ("omeprazole",),
        "20 mg",
        "Delayed Release Oral Capsule",
        Schedule.not_controlled,
    )
    return dataclasses.replace(plain, **changes)


def entry(**changes: Any) -> ListEntry:
    plain = ListEntry(
        entry_id="e1",
        as_named=drug(),
        as_coded=drug(),
        sig_text="Take 1 capsule by mouth once daily",
        directions=Directions("1", "capsule", "once daily", "oral", False),
        dispense_quantity=Decimal(90),
        dispense_unit="capsule",
        days_supply=90,
        number_refills=0,
        daw=False,
        is_active=True,
        prescribed_on=ago(85),
        started_on=ago(700),
        is_over_the_counter=False,
        is_administered=False,
        is_by_other_doctor=False,
        prescriber_ref="p1",
    )
    return dataclasses.replace(plain, **changes)


def facts(**changes: Any) -> Facts:
    plain = Facts(
        now=datetime(2026, 11, 17, 15, 0, tzinfo=UTC),
        today=TODAY,
        reading=Reading(
            kind=Kind.refill,
            tag=Tag.refill,
            is_plain=True,
            strength_differs=False,
            form_differs=False,
            quantity_differs=False,
            directions_differ=False,
            channel=Channel.text,
            author=Author.patient,
            is_identity_verified=True,
            is_emergency=False,
            has_symptom=False,
            is_out_of_drug=False,
            confidence_percent=98,
        ),
        patient=Patient(54, PatientStatus.active, False, Sex.female),
        drug=drug(),
        entry=entry(),
        entries_matching=1,
        visit=Visit(ago(120), None, True),
        fills=(Fill(ago(80), 90, "pharmacy"),),
        supplies=(),
        labs=(),
        labs_age_minutes=3,
        bridges=(),
        prescriber=Prescriber("p1", True, True, True, False, True),
        pharmacy=Pharmacy("1234567", True),
        other_drugs=(),
        allergies=(),
        mirror_age_minutes=3,
        hours=Hours(False, False, datetime(2026, 11, 18, 12, 0, tzinfo=UTC), date(2026, 11, 18)),
        switches=Switches(False, False),
        earlier=Earlier(False, None, None, False, False),
    )
    return dataclasses.replace(plain, **changes)


def policy(**changes: Any) -> Policy:
    return dataclasses.replace(Policy(adopted_classes=frozenset(protocols.load().by_key)), **changes)


def decide(given: Facts, limits: Policy | None = None, graphs: Any = recipes.SHIPPED) -> decision.Decision:
    return decision.decide(facts=given, policy=limits or policy(), recipes=graphs, protocols=protocols.load())


class Cast:
    """What the tests build with."""

    today = TODAY
    ago = staticmethod(ago)
    drug = staticmethod(drug)
    entry = staticmethod(entry)
    facts = staticmethod(facts)
    policy = staticmethod(policy)
    decide = staticmethod(decide)

    @staticmethod
    def spoil(part: str, **changes: Any) -> Facts:
        """The plain case with some fields of one part changed."""
        whole = facts()
        return dataclasses.replace(whole, **{part: dataclasses.replace(getattr(whole, part), **changes)})


@pytest.fixture(scope="session")
def cast() -> Callable[[], Cast]:
    return Cast  # type: ignore[return-value]


# Lisinopril 10 mg, its brand, hydrocodone with acetaminophen, codeine cough syrup, a pack.
CAST = ("314076", "856999", "857002", "995062", "748798", "748856")


@pytest.fixture(scope="session")
def small() -> Tables:
    """About 200 products of the shipped vocabulary, so that a release of some hundred drugs may take over from it."""
    whole = tables.shipped()
    codes = sorted(row[0] for row in tables.rows(text=whole.products))
    drawn = random.Random(7).sample(codes, 150)
    wanted = release.slice_of(source=whole, wanted=[*drawn, *(one for one in CAST if one in codes)])
    return release.cut(source=whole, products=wanted)


@pytest.fixture
def shipped(small: Tables, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    """The small one is what this process ships; afterwards it holds what it held before."""
    vocabulary = importlib.import_module("rules.vocabulary")  # it has models: not before Django is set up
    monkeypatch.setattr(tables, "shipped", lambda: small)
    monkeypatch.setattr(vocabulary, "_process", vocabulary._Process())
    yield small
    monkeypatch.undo()
    vocabulary._forget()


@pytest.fixture
def made(small: Tables) -> release.Files:
    """A release that holds what the small vocabulary holds."""
    return release.of_tables(source=small)
