"""Clinical facts of an ask beside its list entry: results and vital signs, allergies, pregnancy, the calendar ahead.

What the mirror holds costs nothing; the chart is asked only where the answer can change what happens without a person,
as every call is one of 500 an hour. Network: never inside a transaction. Decides nothing.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from integrations import limits, mirror_results
from integrations.drchrono import client, problems, wire
from integrations.http import VendorError
from integrations.mirror_results import Wanted
from integrations.models import Connection, MirrorPatient, MirrorResult, ResultKind
from refillhub.practices.models import Practice
from review import charts, context
from review.asks import Ahead, Ask
from review.context import RulesNow
from review.ledger import SYSTEM
from rules import facts as f
from rules import hours, labs, pregnancy, protocols, results, safety
from rules.protocols import Protocol, Protocols

LOOKS_AHEAD = timedelta(days=190)  # contract 4.4: the longest range of appointments


@dataclass(frozen=True, slots=True)
class _Need:
    """What one ask needs to be decided without a person."""

    ask: Ask
    classes: tuple[Protocol, ...]
    kinds: frozenset[ResultKind]
    is_automatic: bool
    """The class is adopted, the visit in time, the message plain: approval by machine is in question."""


def completed(*, asks: list[Ask], connection: Connection | None, now: datetime) -> list[Ask]:
    """Asks of one patient with their clinical facts; what was not reached stays unknown.

    Raises charts.Busy when our own limit of calls or the vendor's says later.
    """
    if not any(ask.match is not None for ask in asks) or not asks[0].patient_external_id:
        return asks
    practice, patient_id = asks[0].practice, asks[0].patient_external_id
    rules = context.rules_at(practice=practice, now=now)
    patient = MirrorPatient.objects.filter(practice=practice, external_id=patient_id).first()
    needs = [_need(ask, rules, patient, now) for ask in asks]
    needs, patient = _with_results(needs, rules, patient, connection, now)
    allergies = expecting = None
    if any(need.is_automatic for need in needs):
        allergies = charts.allergies(connection=connection, patient_id=patient_id, now=now)
    if any(need.is_automatic and _may_be_pregnant(need, now) for need in needs):
        expecting = _is_expecting(connection, patient_id, now)
    ahead = _ahead(needs, rules, patient, connection, now)
    return [replace(need.ask, allergies=allergies, is_pregnant=expecting, ahead=ahead) for need in needs]


def wanted(*, aliases: dict[str, labs.Alias]) -> Wanted:
    """Results the mirror keeps: tests some protocol asks for, by LOINC or by the practice's own names."""
    table = protocols.load()
    asked = {test.key for row in table.by_key.values() for test in row.tests}
    codes = frozenset(code for code, key in table.loinc.items() if key in asked)
    names = frozenset(name for name, alias in aliases.items() if alias.key in table.lab_units)
    print_of = hashlib.sha256("\x1f".join([*sorted(codes), "", *sorted(names)]).encode()).hexdigest()[:16]

    def takes(loinc: str, title: str) -> bool:
        code = loinc.strip()
        return code in codes or labs.folded(code or title) in names

    return Wanted(takes=takes, fingerprint=print_of)


def kinds_of(*, classes: Iterable[Protocol]) -> frozenset[ResultKind]:
    """Kinds of results these protocols demand."""
    kinds = {test.kind for row in classes for test in row.tests if test.is_demanded}
    return frozenset(kind for kind in ResultKind if kind.value in kinds)


def _need(ask: Ask, rules: RulesNow, patient: MirrorPatient | None, now: datetime) -> _Need:
    match = ask.match
    if match is None:
        return _Need(ask, (), frozenset(), False)
    classes = rules.protocols.applying(ingredients=match.drug.ingredients, form=match.drug.form)
    tests = [test for row in classes for test in row.tests if test.concerns(match.drug.ingredients)]
    kinds = frozenset(kind for kind in ResultKind if any(t.is_demanded and t.kind == kind.value for t in tests))
    is_automatic = (
        bool(classes)
        and all(row.key in rules.policy.adopted_classes for row in classes)
        and not ask.practice.is_automatic_stopped
        and ask.reading.is_plain is True
        and not _is_overdue(rules, patient, now, ask.practice)
    )
    return _Need(ask, classes, kinds, is_automatic)


def _with_results(
    needs: list[_Need], rules: RulesNow, patient: MirrorPatient | None, connection: Connection | None, now: datetime
) -> tuple[list[_Need], MirrorPatient | None]:
    """Asks of classes that demand results, with what the mirror holds and how old it is; read anew only where an
    automatic approval is in question and the copy is stale."""
    if not any(need.kinds for need in needs):
        return needs, patient
    practice = needs[0].ask.practice
    known = labs.aliases_of(names=rules.lab_names)
    kept = wanted(aliases=known)
    wished = frozenset(kind for need in needs if need.is_automatic for kind in need.kinds)
    if wished and connection is not None:
        patient = _fresh_results(connection, patient, needs[0].ask.patient_external_id, wished, kept, now)
    if patient is None:
        return needs, None
    held, states = _labs_of(patient, known, rules.protocols), mirror_results.states_of(practice_id=practice.id)
    made = []
    for need in needs:
        age = mirror_results.age_minutes(patient=patient, states=states, kinds=need.kinds, wanted=kept, now=now)
        ask = replace(need.ask, labs=held if held or age is not None else None, labs_age_minutes=age)
        made.append(replace(need, ask=ask))
    return made, patient


def _is_overdue(rules: RulesNow, patient: MirrorPatient | None, now: datetime, practice: Practice) -> bool:
    last = patient.last_visit_on if patient is not None else None
    if last is None:
        return True
    return (_today(practice, now) - last).days > rules.policy.visit_limit_days


def _today(practice: Practice, now: datetime) -> date:
    return hours.local_date(moment=now, time_zone=practice.time_zone or "UTC")


def _fresh_results(
    connection: Connection,
    patient: MirrorPatient | None,
    patient_id: str,
    kinds: frozenset[ResultKind],
    kept: Wanted,
    now: datetime,
) -> MirrorPatient | None:
    """The patient with results no older than the rules allow, where the chart could be reached."""
    states = mirror_results.states_of(practice_id=connection.practice_id)

    def is_stale(kind: ResultKind) -> bool:
        if patient is None:
            return True
        age = mirror_results.age_minutes(patient=patient, states=states, kinds=[kind], wanted=kept, now=now)
        return age is None or age > results.COPY_HOLDS_MINUTES

    stale = [kind for kind in sorted(kinds) if is_stale(kind)]
    if not stale:
        return patient
    line = wire.Line(connection=connection, now=now, actor=SYSTEM)
    try:
        return mirror_results.refresh(line=line, external_id=patient_id, kinds=stale, wanted=kept)
    except (limits.Throttled, wire.TooManyCalls) as busy:
        raise charts.Busy(busy.retry_after or 0.0) from busy
    except VendorError:
        return patient  # its age tells


def _labs_of(patient: MirrorPatient, aliases: dict[str, labs.Alias], table: Protocols) -> tuple[f.Lab, ...]:
    rows = MirrorResult.objects.filter(patient=patient)
    return labs.read(
        results=[
            labs.Result(
                title=row.title,
                loinc=row.loinc,
                value=row.value,
                unit=row.unit,
                on=row.performed_on,
                flag=row.flag,
                status=row.status,
            )
            for row in rows
        ],
        aliases=aliases,
        protocols=table,
    )


def _may_be_pregnant(need: _Need, now: datetime) -> bool:
    """Whether the guard will ask: a flagged class, and a patient who could be (`rules.safety.pregnancy`)."""
    snapshot = need.ask.snapshot
    if not any(row.is_pregnancy_flagged for row in need.classes):
        return False
    if snapshot is None or snapshot.sex.lower() == "male":
        return False
    years = snapshot.age_years(today=_today(need.ask.practice, now))
    return years is None or years in safety.FERTILE_YEARS


def _is_expecting(connection: Connection | None, patient_id: str, now: datetime) -> bool | None:
    """What the problem list says of pregnancy (one call); None when it was not reached or an entry says nothing."""
    if connection is None:
        return None
    line = wire.Line(connection=connection, now=now, actor=SYSTEM)
    try:
        listed = problems.problems(line=line, patient_id=patient_id)
    except (limits.Throttled, wire.TooManyCalls) as busy:
        raise charts.Busy(busy.retry_after or 0.0) from busy
    except VendorError:
        return None
    return pregnancy.is_spoken_of(entries=[(one.name, one.icd_code, one.icd_version) for one in listed])


def _ahead(
    needs: list[_Need], rules: RulesNow, patient: MirrorPatient | None, connection: Connection | None, now: datetime
) -> Ahead | None:
    """The calendar ahead (one call), read only where the patient would be asked to come: the visit is overdue."""
    ask = needs[0].ask
    if connection is None or not any(need.ask.reading.is_plain and need.ask.match for need in needs):
        return None
    if patient is None or patient.last_visit_on is None or not _is_overdue(rules, patient, now, ask.practice):
        return None
    today = _today(ask.practice, now)
    line = wire.Line(connection=connection, now=now, actor=SYSTEM)
    try:
        found = client.patient_appointments(
            line=line, patient_id=ask.patient_external_id, first=today, last=today + LOOKS_AHEAD
        )
    except (limits.Throttled, wire.TooManyCalls) as busy:
        raise charts.Busy(busy.retry_after or 0.0) from busy
    except VendorError:
        return None
    days = [each.scheduled_local.date() for each in found if each.scheduled_local and each.may_count_as_visit]
    return Ahead(next_on=min((day for day in days if day >= today), default=None))
