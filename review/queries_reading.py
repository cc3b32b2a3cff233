"""How a message was read, for the card: each mention and its rivals, each doubt, corrections, the names that count.

Reads what was kept with the reading and rows the card has loaded. Decides nothing; the page escapes every word.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.models import MirrorMedication
from refillhub.practices.models import Practice
from review import aliases, asks_again, matching, wording
from review.identity import Snapshot
from review.models import EntryAlias, Kind, RefillRequest
from rules.intake.reading import Intent

KINDS: Mapping[str, str] = {
    "ingredient": "exact name", "salt": "exact name with its salt", "combination": "exact name of a combination",
    "brand": "brand", "alias": "known other name", "hint": "lay name", "misspelling": "misspelling",
    "list_alias": "this patient’s own name",
}  # fmt: skip
FORMS: Mapping[str, str] = {"er": "(extended release)", "dr": "(delayed release)", "odt": "(melts in the mouth)"}
INTENTS: Mapping[str, str] = {
    Intent.refill: "A refill", Intent.pharmacy_change: "Another pharmacy",
    Intent.refill_status: "What became of an earlier request", Intent.stop_or_not_needed: "Stop it, or not needed",
    Intent.dose_change: "Another dose", Intent.new_drug: "A new drug", Intent.symptom: "A symptom or side effect",
    Intent.pregnancy: "Pregnancy or nursing", Intent.lost_or_early: "Lost, stolen, travel or early",
    Intent.lab: "A lab question", Intent.appointment: "An appointment", Intent.billing: "Billing",
    Intent.thanks: "Thanks only", Intent.cancel: "Take back an earlier request", Intent.emergency: "An emergency",
    Intent.other: "Something else", Intent.unclear: "Cannot be told",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry of the list, or a drug not on it (`entry_id` ""); `may_choose` while it is active on the list,
    `is_current` when the item is about it.
    """

    entry_id: str
    name: str
    strength: str
    form: str
    score: int = 0
    may_choose: bool = False
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """One mention: the words, what they were read as and how sure (0-100), the entry, and what else fits."""

    number: int
    words: str
    read_as: str
    how: str
    score: int
    entry: Shown | None
    rivals: tuple[Shown, ...]
    is_own: bool
    needs_choice: bool


@dataclass(frozen=True, slots=True)
class Doubted:
    """A doubt and the words it is about, "" when it is about all of them."""

    sentence: str
    words: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a person said it means."""

    by: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class OwnName:
    """A patient's own name for an entry; `ended` says why it counts no longer although nobody ended it yet."""

    alias_id: uuid.UUID
    text: str
    entry: str
    by: str
    at: datetime
    is_confirmed: bool
    ended: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An active entry a person may choose."""

    entry_id: str
    name: str
    sig: str
    is_current: bool


def mentions(
    *, kept: Mapping[str, Any], request: RefillRequest, entries: Sequence[MirrorMedication]
) -> tuple[Read, ...]:
    """Every mention of the burst, in order; empty for readings kept before mentions were."""
    active = {row.external_id for row in entries if row.is_active and row.gone_at is None}
    current = request.entry_external_id if request.kind == Kind.REFILL else ""
    return tuple(_read(number, one, active, current) for number, one in enumerate(kept.get("mentions", [])))


def _read(number: int, one: Mapping[str, Any], active: set[str], current: str) -> Read:
    entry = _shown(one.get("entry"), "", int(one["score"]), active, current)
    shown = [
        _shown(rival.get("entry"), str(rival["name"]), int(rival["score"]), active, current)
        for rival in one.get("rivals", [])
    ]
    rivals = tuple(rival for rival in shown if rival is not None)
    is_open = entry is None and not any(rival.is_current for rival in rivals)
    return Read(
        number=number,
        words=str(one["words"]),
        read_as=wording.drug(str(one["read_as"])),
        how=KINDS.get(str(one["kind"]), wording.spoken(str(one["kind"])).lower()),
        score=int(one["score"]),
        entry=entry,
        rivals=rivals,
        is_own=bool(one.get("is_own")),
        needs_choice=is_open and any(rival.may_choose for rival in rivals),
    )


def _shown(entry: Mapping[str, str] | None, name: str, score: int, active: set[str], current: str) -> Shown | None:
    if entry is None:
        return Shown("", wording.drug(name), "", "", score) if name else None
    key, form = str(entry["id"]), str(entry.get("form", ""))
    return Shown(
        entry_id=key,
        name=wording.drug(str(entry.get("name") or name)),
        strength=wording.drug(str(entry.get("strength", ""))),
        form=" ".join(FORMS.get(word, word) for word in form.split()),
        score=score,
        may_choose=key in active,
        is_current=key == current,
    )


def doubts(kept: Mapping[str, Any]) -> tuple[Doubted, ...]:
    """Each doubt once, with the words it is about."""
    texts = [str(one["text"]) for one in kept.get("messages", [])]
    found: dict[Doubted, None] = {}
    for one in kept.get("doubts", []):
        at, start, end = one.get("span") or (0, 0, 0)
        words = texts[at][start:end] if at < len(texts) and (start, end) != (0, len(texts[at])) else ""
        found.setdefault(Doubted(str(one["sentence"]), words), None)
    return tuple(found)


def corrections(kept: Mapping[str, Any]) -> tuple[Corrected, ...]:
    """What persons said of this reading, in order."""
    return tuple(
        Corrected(str(one["by"]), datetime.fromisoformat(one["at"]), _said(one)) for one in kept.get("corrections", [])
    )


def names_no_drug(kept: Mapping[str, Any]) -> bool:
    """Whether a person said, and nobody since otherwise, that no entry of the list is meant."""
    became = [one.get("became") for one in kept.get("corrections", []) if one.get("became") in ("refill", "message")]
    return bool(became) and became[-1] == "message"


def _said(one: Mapping[str, Any]) -> str:
    parts = [f"wants: {INTENTS.get(one['intent'], one['intent']).lower()}"] if one.get("intent") else []
    words = f"“{one['words']}”" if one.get("words") else "the drug"
    if one.get("drug"):
        parts.append(f"{words} is {wording.drug(str(one['drug']))}")
    if one.get("is_none"):
        parts.append(f"{words} is none of the patient’s list")
    return "; ".join(parts) or "own name of the drug proposed"


def choices(*, request: RefillRequest, entries: Sequence[MirrorMedication]) -> tuple[Choice, ...]:
    """The patient's active entries, as drug lines."""
    current = request.entry_external_id if request.kind == Kind.REFILL else ""
    found = [
        Choice(row.external_id, wording.drug(matching.identified(row).scd_name or row.name), row.sig,
               row.external_id == current)
        for row in entries if row.is_active and row.gone_at is None
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: one.name.lower()))


def why_no_choice(*, request: RefillRequest, snapshot: Snapshot | None, has_choices: bool) -> str:
    """Why no entry can be chosen on this card, as a sentence; "" when one can."""
    if not asks_again.is_chart_theirs(request=request, snapshot=snapshot):
        return (
            "No chart was read for this message, or it names another person, so the rules cannot be asked about "
            "another drug. A correction is kept, and the item stays as it is: answer it."
        )
    return "" if has_choices else "The patient’s list has no active entry to choose. A correction is kept."


def own_names(*, practice: Practice, patient_id: str, entries: Sequence[MirrorMedication]) -> tuple[OwnName, ...]:
    """The standing names of the patient's entries, confirmed ones first. One query; none without a patient."""
    if not patient_id:
        return ()
    by_id = {row.external_id: row for row in entries}
    rows = EntryAlias.objects.standing().filter(practice=practice, patient_external_id=patient_id)
    rows = rows.select_related("proposed_by", "confirmed_by").order_by("confirmed_at", "proposed_at")
    return tuple(_own_name(row, practice, by_id.get(row.entry_external_id)) for row in rows[:50])


def _own_name(alias: EntryAlias, practice: Practice, entry: MirrorMedication | None) -> OwnName:
    why = aliases.why_ended(alias=alias, medication=entry)
    by = alias.confirmed_by or alias.proposed_by
    return OwnName(
        alias_id=alias.id,
        text=aliases.text_of(alias=alias, practice=practice),
        entry=wording.drug(matching.identified(entry).scd_name or entry.name) if entry is not None else "",
        by=by.full_name,
        at=alias.confirmed_at or alias.proposed_at,
        is_confirmed=alias.confirmed_at is not None,
        ended=why.label if why is not None else "",
    )
