"""What a corrected item becomes: a refill of the entry a person chose, decided afresh, or a message for a person.

Whatever the rules say of the right drug, the item stays in review with a person, and the reading is plain no more: no
way leads from here to an automatic approval. What speaks of an emergency or a symptom stays a message for a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from review import asks_again, charts, marking, pharmacies, rereading, understanding
from review.asks import Ask, Match
from review.context import Context
from review.identity import Snapshot
from review.ledger import Ledger
from review.marking import Mark
from review.models import Kind, Queue, RefillRequest
from review.workflow import deciding
from rules import facts as f
from rules.intake.reading import Intent

NONE = "none"  # of the patient's entries is what was meant
REASON = "corrected_by_person"
# Reasons that are not about how the words were read, so a correction leaves them standing.
STANDING = frozenset(
    "news_from_patient patients_merged identity_changed taken_back transmission_failed chart_unreached "
    "chart_not_connected could_not_be_read sender_unknown not_released queued_too_long".split()
)
# Doubts that a person's choice of the entry settles; all others stay.
SETTLED = frozenset(
    "no_drug_named unknown_drug not_on_list entry_not_active two_entries_fit sound_alike combination hint_not_unique "
    "alias_unconfirmed possible_drug_unread strength_differs form_differs quantity_differs "
    "directions_in_message".split()
)


class Became(StrEnum):
    """What a correction made of its item."""

    kept = "kept"  # stored; the item is what it was
    refill = "refill"  # of the entry the person chose
    message = "message"  # for a person: none of the patient's entries is meant
    stays_urgent = "stays_urgent"  # stored; words of danger keep it a message for a person


@dataclass(slots=True)
class Work:
    """What one correction works with, inside its transaction. `kept` is the opened reading, changed in place."""

    request: RefillRequest
    kept: dict[str, Any]
    snapshot: Snapshot | None
    mark: Mark | None
    match: Match | None
    context: Context | None
    ledger: Ledger


def become(*, work: Work, entry: str, intent: str) -> Became:
    """Make the item what the person says of its drug. `entry`, `intent` as in a Correction."""
    request = work.request
    if not entry:
        return Became.kept
    if asks_again.speaks_of_danger(request=request, kept=work.kept):
        return Became.stays_urgent
    if entry == NONE:
        if request.kind != Kind.REFILL:
            return Became.kept
        deciding.point_at_nothing(request=request)
        return Became.message
    meant = intent or str(work.kept.get("intent", ""))
    is_same = request.kind == Kind.REFILL and entry == request.entry_external_id
    if is_same or meant not in ("", Intent.refill, Intent.unclear):
        return Became.kept
    _repoint(work)
    return Became.refill


def _repoint(work: Work) -> None:
    """A refill of the chosen entry, decided afresh on what our copy of the chart says now."""
    request, ledger, snapshot = work.request, work.ledger, work.snapshot
    if work.match is None or work.context is None or snapshot is None:
        return
    words = work.mark.words if work.mark else ""
    compared = rereading.against(kept=work.kept, medication=work.match.medication, words=words)
    summary = _summary(kept=work.kept, compared=compared)
    wanted = [request.pharmacy_ncpdp, snapshot.default_pharmacy]
    found = pharmacies.by_ncpdp(stage=request.practice.stage, ncpdp_ids=wanted)
    chart = charts.known(
        practice=request.practice,
        connection=charts.connection_of(request.practice),
        patient_id=request.patient_external_id,
        now=ledger.now,
    )
    work.kept |= {"summary": understanding.values_of(summary), "entries": 1}
    if work.mark is not None:
        work.kept |= marking.about(kept=work.kept, mark=work.mark)
    ask = asks_again.ask_of(
        request=request,
        kind=Kind.REFILL,
        chart=chart,
        match=work.match,
        snapshot=snapshot,
        snapshot_at=request.snapshot_at,
        snapshot_sealed=bytes(request.snapshot_sealed) if request.snapshot_sealed else None,
        pharmacy=found.get(snapshot.default_pharmacy),
        kept=work.kept,
        reading=summary,
    )
    if not request.pharmacy_ncpdp and ask.pharmacy is not None:
        request.pharmacy_ncpdp = ask.pharmacy.ncpdp_id
    _decide(work=work, ask=ask, match=work.match, context=work.context)


def _decide(*, work: Work, ask: Ask, match: Match, context: Context) -> None:
    """The rules are asked for what the card shows; whatever they answer, it stays in review with a person."""
    request = work.request
    was_urgent, earlier = request.is_urgent, [one for one in request.reasons if one in STANDING]
    request.kind = Kind.REFILL
    deciding.point_at(request=request, match=match)
    decision = deciding.ask_rules(request=request, ask=ask, context=context, ledger=work.ledger)
    request.outcome = "review"
    request.run_out_on = context.run_out_of(request)
    request.is_urgent = was_urgent or request.is_urgent
    request.reasons = [REASON, *earlier, *(one for one in decision.reasons if one not in earlier)]
    if request.queue not in (Queue.PRESCRIBER, Queue.ON_CALL):
        deciding.assign(request=request, queue=Queue.PRESCRIBER, ledger=work.ledger)


def _summary(*, kept: Mapping[str, Any], compared: rereading.Compared) -> f.Reading:
    """What was read, with the person's word on the drug: never plain, and with a doubt that bars machines."""
    read = understanding.summary_of(dict(kept))
    return replace(
        read,
        kind=f.Kind.refill,
        is_plain=False,
        doubts=(*(one for one in read.doubts if one not in SETTLED and one != REASON), REASON),
        strength_differs=compared.strength,
        form_differs=compared.form,
        quantity_differs=compared.quantity,
        directions_differ=compared.directions,
    )
