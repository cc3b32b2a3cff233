"""Patients' own names for entries of their lists: which still count, which texts may be one, how they are kept.

An alias counts only for the very entry it was made for (same name and codes, active, not gone); nobody's confirmation
outlives that. Reads and seals; the verbs are in `review.workflow.aliasing`. Texts are never logged nor audited.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from integrations import vault
from integrations.models import MirrorMedication
from refillhub.practices import references
from refillhub.practices.models import Practice
from review.models import AliasEnd, EntryAlias
from rules import vocabulary
from rules.intake import letters, plain_words, read
from rules.intake import reading as r

PURPOSE = "alias"
SHORTEST, LONGEST = 3, 60  # characters, folded and as typed


@dataclass(frozen=True, slots=True)
class Names:
    """A patient's names for one entry: confirmed by a prescriber, and not yet confirmed."""

    confirmed: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()


NONE = Names()
# Doubts that knowing which entry is meant can settle; every other one is about something else that was said.
ANSWERS = frozenset(
    {
        r.DoubtCode.no_drug_named, r.DoubtCode.unknown_drug, r.DoubtCode.not_on_list, r.DoubtCode.entry_not_active,
        r.DoubtCode.two_entries_fit, r.DoubtCode.sound_alike, r.DoubtCode.combination, r.DoubtCode.hint_not_unique,
        r.DoubtCode.possible_drug_unread, r.DoubtCode.unread_words, r.DoubtCode.language, r.DoubtCode.not_a_refill,
        r.DoubtCode.low_confidence,
    }
)  # fmt: skip


def fingerprint(*, medication: MirrorMedication) -> str:
    """The entry as the drug it is: its name and codes, nothing that a renewal changes."""
    parts = (medication.name, medication.rxcui, medication.ndc)
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def why_ended(*, alias: EntryAlias, medication: MirrorMedication | None) -> AliasEnd | None:
    """Why the alias counts no longer for this entry as it is now; None while it counts."""
    if medication is None or medication.gone_at is not None:
        return AliasEnd.ENTRY_GONE
    if not medication.is_active:
        return AliasEnd.ENTRY_INACTIVE
    return AliasEnd.ENTRY_CHANGED if fingerprint(medication=medication) != alias.fingerprint else None


def of_patient(*, practice: Practice, patient_id: str, medications: Sequence[MirrorMedication]) -> Mapping[str, Names]:
    """The names that count for these entries, by entry id. One query; none when there is no patient or no entry."""
    if not patient_id or not medications:
        return {}
    rows = EntryAlias.objects.standing().filter(practice=practice, patient_external_id=patient_id)
    by_id = {row.external_id: row for row in medications}
    found: dict[str, Names] = {}
    for alias in rows.order_by("proposed_at"):
        medication = by_id.get(alias.entry_external_id)
        text = text_of(alias=alias, practice=practice)
        if not text or why_ended(alias=alias, medication=medication) is not None:
            continue
        names = found.get(alias.entry_external_id, NONE)
        if alias.confirmed_at is not None:
            found[alias.entry_external_id] = Names((*names.confirmed, text), names.proposed)
        else:
            found[alias.entry_external_id] = Names(names.confirmed, (*names.proposed, text))
    return found


def hides_nothing(*, before: r.Reading, after: r.Reading) -> bool:
    """Whether every topic and warning read without the patient's own names is still read with them.

    A name may only tell which drug is meant. What covers a symptom ("rash cream"), danger, or a drug that is named
    otherwise would hide it from the reader: then the reading without names stands.
    """
    named = {(one.span, one.resolves_to) for one in before.mentions if one.kind != "hint"}
    if not named <= {(one.span, one.resolves_to) for one in after.mentions}:
        return False
    topics = {one.intent for one in before.intents} - {r.Intent.thanks}
    warned = {one.code for one in before.doubts} - ANSWERS
    if not topics <= {one.intent for one in after.intents} or not warned <= {one.code for one in after.doubts}:
        return False
    return before.is_emergency <= after.is_emergency and before.has_symptom <= after.has_symptom


def refusal(*, text: str) -> str:
    """Why a text cannot be an alias, as a sentence; "" when it can."""
    key = letters.key(text=text)
    words = key.split()
    if len(text.strip()) > LONGEST or not SHORTEST <= len(key) <= LONGEST:
        return f"A name of {SHORTEST} to {LONGEST} letters."
    if len(words) == 1 and key in plain_words.NEVER_A_DRUG:
        return "One everyday word alone says too little; use the patient's whole name for it."
    if any(word[0].isdigit() for word in words):
        return "A name without numbers: a strength or quantity must stay readable. Type only the name."
    if all(word in plain_words.ALL for word in words):
        return "Only everyday words; they would fit any drug."
    ask = r.Thread(messages=(r.Message(text=f"please refill {key}"),))
    seen = read.read(thread=ask, lexicon=vocabulary.current())
    if any(one.kind != "hint" for one in seen.mentions):
        return "It is, or looks like, the name of a drug; a drug's name is never another name for an entry."
    warned = {one.code for one in seen.doubts} - ANSWERS
    if warned or {one.intent for one in seen.intents} - {r.Intent.refill, r.Intent.thanks}:
        return "Its words speak of something else (a symptom, a change, a question); they must stay readable."
    return ""


def name_ref(*, practice: Practice, patient_id: str, text: str) -> str:
    """The keyed hash under which a patient's name stands once; same for every way of writing it."""
    return references.keyed(practice=practice, text=f"alias|{patient_id}|{letters.key(text=text)}")


def seal(*, text: str, practice: Practice) -> bytes:
    """The folded name, sealed."""
    plain = letters.key(text=text).encode()
    return vault.seal_payload(plain=plain, practice_id=practice.id, stage=practice.stage, purpose=PURPOSE)


def text_of(*, alias: EntryAlias, practice: Practice) -> str:
    """The folded name; "" once it was emptied."""
    if not alias.name_sealed:
        return ""
    plain = vault.open_payload(
        sealed=bytes(alias.name_sealed), practice_id=practice.id, stage=practice.stage, purpose=PURPOSE
    )
    return plain.decode()


def entries_of(*, practice_id: uuid.UUID, aliases: Sequence[EntryAlias]) -> Mapping[uuid.UUID, MirrorMedication]:
    """The entry each alias of one practice was made for, by alias id, as the mirror holds it now. One query.

    An alias without one, or whose entry is now another patient's, is left out.
    """
    wanted = {alias.entry_external_id for alias in aliases}
    rows = MirrorMedication.objects.filter(practice_id=practice_id, external_id__in=wanted).select_related("patient")
    by_key = {(row.patient.external_id, row.external_id): row for row in rows}
    keys = {alias.id: (alias.patient_external_id, alias.entry_external_id) for alias in aliases}
    return {alias_id: by_key[key] for alias_id, key in keys.items() if key in by_key}
