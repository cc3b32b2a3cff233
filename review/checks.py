"""What is read of the chart only before an automatic approval: allergies and laboratory values. Decides nothing."""

from dataclasses import replace
from datetime import datetime

from integrations.models import Connection
from review import charts, context
from review.asks import Ask
from rules import protocols


def with_checks(*, asks: list[Ask], connection: Connection | None, now: datetime) -> list[Ask]:
    """Read allergies, and laboratory values where a class asks for them: once, and only where an automatic approval is
    in question, for every call is one of 500 an hour. Raises charts.Busy when our own limit or the vendor's says later.
    """
    rules = context.rules_at(practice=asks[0].practice, now=now)
    wanted = [
        ask
        for ask in asks
        if ask.reading.is_plain and ask.match and ask.match.drug.drug_class in rules.policy.adopted_classes
    ]
    if asks[0].practice.is_automatic_stopped or not wanted:
        return asks
    patient_id = asks[0].patient_external_id
    allergies = charts.allergies(connection=connection, patient_id=patient_id, now=now)
    found = None
    if any(_asks_for_values(ask) for ask in wanted):
        found = charts.labs(connection=connection, patient_id=patient_id, names=rules.lab_names, now=now)
    return [replace(ask, allergies=allergies, labs=found) for ask in asks]


def _asks_for_values(ask: Ask) -> bool:
    """Whether a protocol of the drug looks at laboratory values or vital signs."""
    if ask.match is None:
        return False
    named, known = ask.match.drug.ingredients, protocols.load()
    classes = [known.by_key[key] for key in known.classes_of(ingredients=named)]
    return any(test.concerns(named) for one in classes for test in one.tests)
