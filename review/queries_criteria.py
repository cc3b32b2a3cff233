"""What was checked, for people: criteria unmet first, what would change it, why it is with a person.

Reads decisions as they were recorded; decides nothing and looks nothing up but the record itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from review import queries, wording
from review.models import Kind, RefillRequest
from review.states import RequestState
from rules import protocols
from rules.models import DecisionRecord

# Most telling first; the rest of the met rows follow in the order in which they were checked.
_MET_ORDER = ("visit", "labs", "matched", "too_early", "fill_history", "directions_agree", "drug_class", "interaction")


_FOUND = {
    "matched": "1 exact match", "labs": "In range", "interaction": "None found", "therapeutic_duplicate": "None found",
    "allergy": "None found", "pregnancy": "Ruled out", "name_and_code": "Agree", "directions_agree": "Agree",
    "asked_is_listed": "Agree", "entry_active": "Yes", "pharmacy": "Default, active", "drug_class": "On automatic",
    "identity": "One chart patient", "fill_history": "Within the limit", "authorised_time": "Within the limit",
    "refills": "Within the limit", "stable_time": "Long enough", "mirror": "Fresh", "too_early": "Enough used",
}  # fmt: skip


_OWNERS = (("prescriber", "any prescriber"), ("assistant", "the assistants"), ("on_call", "the on-call"),
           ("administrator", "the administrator: nobody stands in"))  # fmt: skip
# What a node of the decision tree answered, in words.
RESULTS: Mapping[bool | None, str] = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row of the criteria table. `kind`: fail, note or pass."""

    name: str
    kind: str
    found: str
    source: str
    age: str
    limit: str


def criteria(record: DecisionRecord | None) -> tuple[Criterion, ...]:
    if record is None:
        return ()
    fails = [_finding_row(one, "fail") for one in queries.unmet_of(record)]
    names = {row.name for row in fails}
    met: dict[str, Criterion] = {}
    for node, fact, value, _threshold, result, _source, _age in record.trace:
        if node == "guard" and result is True and fact in wording.MET and wording.MET[fact] not in names:
            found = wording.measured(fact, value) if value else _FOUND.get(fact, "Met")
            met[fact] = Criterion(wording.MET[fact], "pass", _FOUND.get(fact, found) if fact == "matched" else found,
                                  "", "", "")  # fmt: skip
    for one in record.findings:  # a class that is not on automatic is no criterion of the patient
        if one["code"] in queries.ADMINISTRATIVE:
            met.pop("drug_class", None)
    order = {name: at for at, name in enumerate(_MET_ORDER)}
    passed = [met[name] for name in sorted(met, key=lambda name: order.get(name, len(order)))]
    return (*fails, *passed)


def _finding_row(one: Mapping[str, Any], kind: str) -> Criterion:
    code, age = str(one["code"]), one.get("age_days")
    value = wording.measured(code, str(one["value"]).replace("_", " "))
    is_lab = code in wording.LABS
    found = wording.short(code, value=str(one["value"]), limit=str(one["limit"]), age=age)
    if is_lab:
        found = found.removeprefix(wording.lab(value)).strip(" :").capitalize()
    return Criterion(
        name=wording.lab(value.split(" ")[0] if code == "lab_out_of_range" else value)
        if is_lab
        else wording.criterion(code),
        kind=kind,
        found=found,
        source=str(one["source"]),
        age=f"{age} days" if age is not None else "",
        limit=wording.measured(code, str(one["limit"])),
    )


def notes(record: DecisionRecord | None) -> tuple[str, ...]:
    """What is worth knowing and bars nothing, and what only kept a machine from approving."""
    if record is None:
        return ()
    shown = [one for one in record.findings if one["severity"] == "notes" or one["code"] in queries.ADMINISTRATIVE]
    return tuple(dict.fromkeys(_note(one) for one in shown))


def _note(one: Mapping[str, Any]) -> str:
    """The sentence, and what may be done about it where the rule proposes something."""
    step, said = str(one.get("next_step", "")), wording.sentence(str(one["code"]))
    return f"{said}: {step}" if step else said


def next_steps(record: DecisionRecord | None) -> tuple[str, ...]:
    """What the rules propose to do about findings and care gaps, most important first, each once."""
    steps = [str(one.get("next_step", "")) for one in record.findings] if record is not None else []
    return tuple(dict.fromkeys(step for step in steps if step))


def bridge(record: DecisionRecord | None) -> int | None:
    """Days of a bridging supply that may be offered, None when the rules offer none."""
    found = [one for one in record.findings if one["code"] == "bridge_possible"] if record is not None else []
    return int(found[0]["value"]) if found else None


@dataclass(frozen=True, slots=True)
class ReadyChange:
    """A change offered ready-made: quantity in the entry's unit, days, refills."""

    quantity: Decimal
    days_supply: int
    refills: int


def ready_changes(*, request: RefillRequest, record: DecisionRecord | None) -> tuple[ReadyChange, ...]:
    """The bridging supply where the rules offer one and it is shorter than what is on the list.

    The quantity follows from the list's own quantity and days; one that does not come out whole is left to a person.
    """
    days = bridge(record)
    if days is None or request.quantity is None or not request.days_supply or days >= request.days_supply:
        return ()
    quantity = request.quantity * days / request.days_supply
    return (ReadyChange(quantity.quantize(Decimal(1)), days, 0),) if quantity == quantity.to_integral_value() else ()


def mends(record: DecisionRecord | None) -> tuple[str, ...]:
    if record is None:
        return ()
    found = (wording.mend(str(one["code"]), str(one["value"]), str(one["limit"])) for one in record.findings)
    return tuple(dict.fromkeys(words for words in found if words))


def steps(request: RefillRequest, record: DecisionRecord | None) -> tuple[tuple[str, bool], ...]:
    """Four to six steps of why it is with a person; True marks what went against automatic."""
    steps: list[tuple[str, bool]] = []
    if request.kind == Kind.REFILL:
        code = f" (RxCUI {request.rxcui})" if request.rxcui else ""
        steps.append((f"Matched one list entry{code}", False) if request.entry_external_id
                     else ("No list entry matched", True))  # fmt: skip
    if record is not None:
        steps.append((f"Recipe: {wording.spoken(record.recipe)}", False))
    reasons = [code for code in request.reasons if record is None or code != record.recipe]
    steps += [(wording.reason(code), True) for code in reasons[:5]]
    if len(reasons) > 5:
        steps.append((f"and {len(reasons) - 5} more", True))
    owner = str(request.assignee) if request.assignee else dict(_OWNERS).get(request.queue, "everyone")
    if request.state == RequestState.IN_REVIEW:
        steps.append((f"With {owner}", False))
    return tuple(steps)


def trace(record: DecisionRecord | None) -> tuple[tuple[str, str, str, str], ...]:
    if record is None:
        return ()
    return tuple(
        (f"{node}: {wording.spoken(fact).lower()}", str(value), str(threshold), RESULTS.get(result, str(result)))
        for node, fact, value, threshold, result, _source, _age in record.trace
    )


def question_of(request: RefillRequest, criteria: Sequence[Criterion]) -> str:
    """What is asked once more before approving; "" when everything is met."""
    against = [_against(one) for one in criteria if one.kind == "fail"]
    if "corrected_by_person" in request.reasons:
        against.insert(0, "a person corrected how it was read")
    if request.last_code:
        against.insert(0, f"the network answered {request.last_code}")
    if not against:
        return ""
    shown = "; ".join(against[:3]) + (f"; and {len(against) - 3} more" if len(against) > 3 else "")
    return f"Approve although: {shown}?"


def _against(one: Criterion) -> str:
    return one.found if one.name.lower() in one.found.lower() else f"{one.name}: {one.found[:1].lower()}{one.found[1:]}"


def class_names(record: DecisionRecord | None) -> str:
    """The protocol rows that were applied, by name."""
    if record is None or not record.drug_class:
        return ""
    table = protocols.load().by_key
    return ", ".join(table[key].name if key in table else wording.spoken(key) for key in record.drug_class.split("+"))


def question(*, request: RefillRequest) -> str:
    """What must be answered before approving this request; "" when nothing. One query."""
    record = queries.latest_records(request_ids=[request.id], practice=request.practice).get(request.id)
    return question_of(request, criteria(record))
