"""A person says what a message meant: kept for learning, and the item becomes what the person says. Nothing leaves.

Stores no words of the patient but the drug's own; what becomes of the item is in `review.workflow.repointing`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations import vault
from integrations.models import MirrorMedication
from refillhub.practices import references
from refillhub.practices.models import User
from review import asks_again, identity, impersonal, marking, matching, teaching, understanding
from review import context as contexts
from review.asks import Match
from review.context import Context
from review.identity import Snapshot
from review.ledger import person, verb
from review.marking import Mark
from review.models import Dispatch, DispatchKind, ReadingCorrection, RefillRequest
from review.states import MAYBE_DELIVERED_STATES, DispatchState, RequestState
from review.workflow import acts, aliasing, deciding, moves, repointing
from rules.intake.reading import Intent

MOVING = (DispatchState.QUEUED, DispatchState.SENDING, DispatchState.RETRY_WAIT, DispatchState.UNKNOWN)
DRUG_KINDS = (DispatchKind.NEWRX, DispatchKind.CANCELRX, DispatchKind.PHARMACY, DispatchKind.CHART)
ASKS_TO_PRESCRIBE = ("controlled", "hand_off")  # tasks in the chart for the drug as it was read


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person says. `intent`: a value of Intent, "" as read. `entry`: the id of one of the patient's active
    entries, "none", or "" for as read. The drug's words are those of mention number `mention`, or `words` as marked
    by the person. `rewritten`: the message written again without anything personal. `is_alias`: the patient calls the
    entry by these words.
    """

    intent: str = ""
    entry: str = ""
    mention: int | None = None
    words: str = ""
    rewritten: str = ""
    is_alias: bool = False

    @property
    def names_entry(self) -> bool:
        """Whether one of the list's entries is chosen."""
        return self.entry not in ("", repointing.NONE)


@dataclass(frozen=True, slots=True)
class Corrected:
    """The stored correction and what became of the item."""

    request: RefillRequest
    correction: ReadingCorrection
    became: repointing.Became


def correct_reading(
    *, request_id: uuid.UUID, user: User, version: int, now: datetime, correction: Correction
) -> Corrected:
    """Store a correction of an item in review; a corrected drug makes it a refill of that entry, decided afresh.

    Locks patient, requests, dispatches, audit, as admission does. Raises AlreadyDecided, Locked, NotPossible,
    WrongState; then nothing is stored.
    """
    seen = RefillRequest.objects.select_related("practice").get(id=request_id)
    if correction.is_alias:
        references.warm([seen.practice])
    with verb(now=now, actor=person(user.id)) as ledger:
        acts.refuse_strangers(seen, user)
        sender = f"sender:{seen.sender_id}" if seen.sender_id else ""
        moves.lock_patients([(seen.practice_id, seen.patient_external_id), (seen.practice_id, sender)])
        match = context = None
        if correction.names_entry:
            match = asks_again.match_of(request=seen, medication=_medication(seen, correction.entry))
            context = _context(seen, match, now)
        request = moves.lock_requests([request_id])[request_id]
        acts.refuse_old(request, version)
        acts.refuse_locked(request)
        moves.move(request=request, verb="correct", to=RequestState.IN_REVIEW, now=now)
        kept = understanding.open_kept(sealed=request.reading_sealed, practice=request.practice)
        snapshot = identity.unseal(sealed=request.snapshot_sealed, practice=request.practice)
        mark = _mark(kept=kept, correction=correction, snapshot=snapshot)
        work = repointing.Work(request, kept, snapshot, mark, match, context, ledger)
        _refuse(work, correction)
        made = _store(work, correction, user)
        became = repointing.become(work=work, entry=correction.entry, intent=correction.intent)
        if correction.is_alias and match is not None and mark is not None:
            aliasing.propose(request=request, medication=match.medication, text=mark.words, user=user, ledger=ledger)
        _finish(work=work, correction=correction, made=made, became=became, user=user)
    return Corrected(request, made, became)


def _medication(request: RefillRequest, entry_id: str) -> MirrorMedication:
    """The chosen entry, of this patient's own list and active."""
    rows = MirrorMedication.objects.filter(practice_id=request.practice_id, external_id=entry_id)
    mine = rows.filter(patient__external_id=request.patient_external_id) if request.patient_external_id else rows.none()
    row = mine.first()
    if row is None:
        raise acts.NotPossible("entry_not_theirs", "This entry is not on the patient's list.")
    if row.gone_at is not None or not row.is_active:
        raise acts.NotPossible("entry_not_active", "This entry is no longer active on the patient's list.")
    return row


def _context(request: RefillRequest, match: Match | None, now: datetime) -> Context:
    practice_id = request.practice_id
    return contexts.load(
        practices={practice_id: request.practice},
        patients={(practice_id, request.patient_external_id)},
        senders={(practice_id, request.sender_id)},
        providers=[match.prescriber] if match and match.prescriber else [],
        now=now,
    )


def _mark(*, kept: Mapping[str, Any], correction: Correction, snapshot: Snapshot | None) -> Mark | None:
    """The drug's words: as marked by the person, else the mention named, else the one this item is about."""
    try:
        if correction.words.strip():
            mark = marking.of_words(kept=kept, words=correction.words)
            personal = impersonal.why_personal(text=mark.words, snapshot=snapshot, messages=())
            if personal:
                raise acts.NotPossible("words_personal", personal)
            return mark
        if correction.mention is not None:
            return marking.of_mention(kept=kept, number=correction.mention)
    except marking.NotMarked as error:
        raise acts.NotPossible("words_not_marked", str(error)) from error
    own = next((at for at, one in enumerate(kept.get("mentions", [])) if one.get("is_own")), None)
    return marking.of_mention(kept=kept, number=own) if own is not None else None


def _refuse(work: repointing.Work, correction: Correction) -> None:
    """Everything that forbids this correction, before anything of it is written."""
    request, read = work.request, str(work.kept.get("intent", ""))
    if correction.intent and correction.intent not in set(Intent):
        raise acts.NotPossible("unknown_intent", "Choose one of the listed meanings.")
    is_other_entry = correction.entry not in ("", request.entry_external_id)
    if correction.intent in ("", read) and not is_other_entry and not correction.is_alias:
        raise acts.NotPossible("nothing_corrected", "Say what was read wrongly: what is wanted, or which drug.")
    if correction.is_alias and (work.match is None or work.mark is None or not work.mark.words):
        raise acts.NotPossible("alias_needs_entry", "Choose the entry and the words the patient calls it by.")
    if correction.names_entry and not asks_again.is_chart_theirs(request=request, snapshot=work.snapshot):
        raise acts.NotPossible("chart_not_read", "The chart was not read for this message, or names another person.")
    if correction.entry and _is_on_its_way(request):
        raise acts.NotPossible("on_its_way", "Something of this request is on its way; its drug cannot change now.")
    if correction.rewritten.strip():
        texts = [str(one["text"]) for one in work.kept.get("messages", [])]
        text = correction.rewritten.strip()
        personal = impersonal.why_personal(text=text, snapshot=work.snapshot, messages=texts)
        if personal or len(text) > impersonal.MOST:
            raise acts.NotPossible("rewritten_personal", personal or f"At most {impersonal.MOST} characters.")


def _is_on_its_way(request: RefillRequest) -> bool:
    """Whether a message of this request has not come to rest, or a prescription or task for its drug may be out."""
    rows = [row for row in moves.lock_dispatches([request]) if not row.is_void]
    return any(row.state in MOVING or _is_out(row) for row in rows)


def _is_out(row: Dispatch) -> bool:
    is_of_drug = row.kind in DRUG_KINDS or (row.kind == DispatchKind.TASK and row.purpose in ASKS_TO_PRESCRIBE)
    return is_of_drug and row.state in MAYBE_DELIVERED_STATES


def _store(work: repointing.Work, correction: Correction, user: User) -> ReadingCorrection:
    request, mark, match = work.request, work.mark, work.match
    read, is_none = str(work.kept.get("intent", "")), correction.entry == repointing.NONE
    drug_read, rxcui_read, is_listed = _drug_read(request, mark, work.kept)
    drug_read = _impersonal(drug_read, work.snapshot)
    drug_right = _name_of(match.medication, work.snapshot) if match else "" if is_none else drug_read
    words = mark.words if mark is not None else ""
    if words and impersonal.why_personal(text=words, snapshot=work.snapshot, messages=()):
        words = ""  # the reader took a name for a drug: nothing of it is kept
    return ReadingCorrection.objects.create(
        practice=request.practice,
        request=request,
        person=user,
        at=work.ledger.now,
        intent_read=read,
        intent_right=correction.intent or read,
        message=mark.message if mark else None,
        start=mark.start if mark else None,
        end=mark.end if mark else None,
        drug_words=words,
        drug_read=drug_read[:300],
        drug_right=drug_right[:300],
        rxcui_read=rxcui_read,
        rxcui_right=match.rxcui if match else "" if is_none else rxcui_read,
        is_read_listed=is_listed,
        is_right_listed=match is not None or (is_listed and not correction.entry),
        is_none_right=is_none,
        vocabulary_release=str(work.kept.get("release", ""))[:64],
        rewritten_sealed=_sealed(request, correction.rewritten.strip()),
    )


def _drug_read(request: RefillRequest, mark: Mark | None, kept: Mapping[str, Any]) -> tuple[str, str, bool]:
    """(name, code, whether it is an entry of the list) of what the drug's words were read as."""
    if mark is None:
        # Readings kept before mentions were: what the request is about.
        is_old = "mentions" not in kept and bool(request.entry_external_id)
        return (request.drug_name, request.rxcui, True) if is_old else ("", "", False)
    if not mark.entry:
        return mark.read_as, "", False
    row = MirrorMedication.objects.filter(
        practice_id=request.practice_id,
        external_id=mark.entry,
        patient__external_id=request.patient_external_id,
    ).first()
    if row is None:
        return mark.read_as, "", True
    return _name_of(row, None) or mark.read_as, matching.identified(row).rxcui, True


def _name_of(medication: MirrorMedication, snapshot: Snapshot | None) -> str:
    """The entry's drug by the vocabulary's name, so that no free text of a chart is kept where it has one.

    An entry the vocabulary does not know keeps its own name, if nothing in it is personal; else "".
    """
    said = matching.identified(medication)
    if said.scd_name:
        return said.scd_name
    if said.ingredients:
        return " ".join(part for part in (" / ".join(said.ingredients), said.strength, said.form) if part)
    return _impersonal(medication.name, snapshot)


def _impersonal(name: str, snapshot: Snapshot | None) -> str:
    return "" if impersonal.why_personal(text=name, snapshot=snapshot, messages=()) else name


def _finish(
    *, work: repointing.Work, correction: Correction, made: ReadingCorrection, became: repointing.Became, user: User
) -> None:
    """Say on the item and in the audit what was corrected, and save."""
    request = work.request
    said = {
        "by": user.full_name,
        "at": work.ledger.now.isoformat(),
        "intent": made.intent_right if made.intent_right != made.intent_read else "",
        "drug": made.drug_right if correction.names_entry else "",
        "is_none": made.is_none_right,
        "words": made.drug_words,
        "became": str(became),
    }
    work.kept["corrections"] = [*work.kept.get("corrections", []), said]
    request.reading_sealed = understanding.seal(kept=work.kept, practice=request.practice)
    danger = [one for one in request.reasons if one in asks_again.DANGER]
    others = [one for one in request.reasons if one not in (*danger, repointing.REASON)]
    request.reasons = [*danger, repointing.REASON, *others]
    request.is_automatic = False
    request.save(update_fields=[*moves.CHANGED_FIELDS, *deciding.ENTRY_FIELDS, "reading_sealed"])
    if work.context is not None:
        deciding.store(requests=[], dispatches=[], context=work.context, ledger=work.ledger)
    work.ledger.on_request(
        request,
        "reading.corrected",
        outcome=request.state,
        data={
            "correction": str(made.id),
            "intent_read": made.intent_read,
            "intent_right": made.intent_right,
            "drug": "entry" if correction.names_entry else correction.entry,
            "became": str(became),
            "is_rewritten": made.rewritten_sealed is not None,
        },
    )


def _sealed(request: RefillRequest, text: str) -> bytes | None:
    if not text:
        return None
    return vault.seal_payload(
        plain=text.encode(), practice_id=request.practice_id, stage=request.practice.stage, purpose=teaching.PURPOSE
    )
