"""Patients' own names for entries of their lists: proposed by staff, confirmed by a prescriber, ended by anyone.

A proposed name never lets anything happen without a person; ending is always possible. The audit holds ids only.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from integrations.models import MirrorMedication
from refillhub.practices.models import Practice, User
from review import aliases
from review.ledger import Ledger, verb
from review.models import AliasEnd, EntryAlias, RefillRequest
from review.workflow import acts

# The mirror stamps a change when its look began and commits it later: what was compared counts up to this before now.
LAG = timedelta(minutes=10)


def propose(
    *, request: RefillRequest, medication: MirrorMedication, text: str, user: User, ledger: Ledger
) -> EntryAlias:
    """A new name inside a verb that holds the patient's lock. Raises NotPossible: no such name, taken, or there."""
    sentence = aliases.refusal(text=text)
    if sentence:
        raise acts.NotPossible("alias_unfit", sentence)
    patient_id, practice = request.patient_external_id, request.practice
    ref = aliases.name_ref(practice=practice, patient_id=patient_id, text=text)
    standing = EntryAlias.objects.standing().select_for_update().filter(practice=practice, name_ref=ref)
    known = standing.filter(patient_external_id=patient_id).first()
    if known is not None:
        is_same = known.entry_external_id == medication.external_id
        words = "this entry already" if is_same else "another entry; end it there first"
        raise acts.NotPossible("alias_taken", f"The name stands for {words}.")
    made = EntryAlias.objects.create(
        practice=practice,
        request=request,
        patient_external_id=patient_id,
        entry_external_id=medication.external_id,
        fingerprint=aliases.fingerprint(medication=medication),
        name_sealed=aliases.seal(text=text, practice=practice),
        name_ref=ref,
        proposed_by=user,
        proposed_at=ledger.now,
        checked_at=ledger.now - LAG,
    )
    ledger.on_request(request, "alias.proposed", data={"alias": str(made.id)})
    return made


def confirm_alias(*, request_id: uuid.UUID, alias_id: uuid.UUID, user: User, now: datetime) -> RefillRequest:
    """From now on the name counts as a name of its entry. Raises NotPossible when the entry is not the same any more.

    The page asks for a prescriber; here the alias must be of the request's own patient.
    """

    def act(request: RefillRequest, ledger: Ledger) -> None:
        alias = _alias_of(request, alias_id)
        if alias.confirmed_at is not None:
            raise acts.NotPossible("alias_confirmed", "Somebody has confirmed this name already.")
        entry = aliases.entries_of(practice_id=request.practice_id, aliases=[alias]).get(alias.id)
        if aliases.why_ended(alias=alias, medication=entry) is not None:
            raise acts.NotPossible("entry_changed", "The list entry is not the one this name was proposed for.")
        sentence = aliases.refusal(text=aliases.text_of(alias=alias, practice=request.practice))
        if sentence:  # a newer vocabulary may know the word as a drug
            raise acts.NotPossible("alias_unfit", sentence)
        alias.confirmed_by, alias.confirmed_at = user, now
        alias.save(update_fields=["confirmed_by", "confirmed_at"])
        ledger.on_request(request, "alias.confirmed", data={"alias": str(alias.id)})

    return acts.act(request_id=request_id, user=user, version=None, now=now, do=act)


def end_alias(*, request_id: uuid.UUID, alias_id: uuid.UUID, user: User, now: datetime) -> RefillRequest:
    """The name counts no longer; a prescriber's or an assistant's word is enough."""

    def act(request: RefillRequest, ledger: Ledger) -> None:
        alias = _alias_of(request, alias_id)
        end(rows=[(alias, AliasEnd.BY_PERSON)], ledger=ledger, user=user)

    return acts.act(request_id=request_id, user=user, version=None, now=now, do=act)


def end_aliases(*, alias_ids: Collection[uuid.UUID], now: datetime) -> int:
    """End those of these names whose entry is gone, inactive or another drug. Returns how many ended."""
    with verb(now=now) as ledger:
        rows = list(EntryAlias.objects.standing().select_for_update().filter(id__in=alias_ids).order_by("id"))
        dead: list[tuple[EntryAlias, AliasEnd]] = []
        for practice_id in {row.practice_id for row in rows}:
            mine = [row for row in rows if row.practice_id == practice_id]
            entries = aliases.entries_of(practice_id=practice_id, aliases=mine)
            for row in mine:
                why = aliases.why_ended(alias=row, medication=entries.get(row.id))
                if why is not None:
                    dead.append((row, why))
        end(rows=dead, ledger=ledger)
        ended = {row.id for row, _ in dead}
        EntryAlias.objects.filter(id__in=[row.id for row in rows if row.id not in ended]).update(checked_at=now - LAG)
        return len(dead)


def end_of_patients(*, practice: Practice, senders: Sequence[str], ledger: Ledger) -> int:
    """Two records of these senders were merged: every name of the chart patients behind them ends, none is carried
    over. A person may propose it again where it still is true.
    """
    patients = (
        RefillRequest.objects.filter(practice=practice, sender_id__in=senders)
        .exclude(patient_external_id="")
        .values("patient_external_id")
    )
    rows = EntryAlias.objects.standing().select_for_update().filter(practice=practice, patient_external_id__in=patients)
    found = [(row, AliasEnd.PATIENTS_MERGED) for row in rows.order_by("id")]
    end(rows=found, ledger=ledger)
    return len(found)


def end(*, rows: Sequence[tuple[EntryAlias, AliasEnd]], ledger: Ledger, user: User | None = None) -> None:
    """End locked rows, each with its audit entry, inside a verb."""
    for alias, why in rows:
        alias.ended_at, alias.ended_by, alias.end_reason = ledger.now, user, why
        alias.save(update_fields=["ended_at", "ended_by", "end_reason"])
        ledger.note(
            event="alias.ended",
            practice_id=alias.practice_id,
            request_id=alias.request_id,
            outcome=str(why),
            data={"alias": str(alias.id)},
        )


def _alias_of(request: RefillRequest, alias_id: uuid.UUID) -> EntryAlias:
    """The standing alias, locked, of the request's practice and patient. Raises NotPossible."""
    rows = EntryAlias.objects.standing().select_for_update().filter(practice_id=request.practice_id)
    # An alias always has a patient, so an item without one finds none.
    found = rows.filter(id=alias_id, patient_external_id=request.patient_external_id).first()
    if found is None:
        raise acts.NotPossible("alias_ended", "This name counts no longer, or is not this patient's.")
    return found
