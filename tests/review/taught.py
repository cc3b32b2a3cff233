"""Items for the tests of learning: read for real from a text, with a list of entries, then admitted as a person's."""

import itertools
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from audit.models import Entry
from integrations.models import MirrorMedication
from refillhub.practices.models import Practice, Provider, User
from review import understanding, workflow
from review.models import EntryAlias, Kind, ReadingCorrection, RefillRequest
from rules import facts
from rules.intake import lexicon, read
from rules.intake import reading as r
from tests.review import rows
from tests.review.rows import NOW

_number = itertools.count(70300001)
METOPROLOL_S = {"name": "Metoprolol Succinate ER 50 mg oral tablet", "rxcui": "866436", "dosage_units": "tablet",
                "sig": "Take 1 tablet by mouth once daily"}  # fmt: skip
METOPROLOL_T = {"name": "Metoprolol Tartrate 25 mg oral tablet", "rxcui": "866924", "dosage_units": "tablet",
                "sig": "Take 1 tablet by mouth twice daily"}  # fmt: skip
LISINOPRIL = {"name": "Lisinopril 10 mg oral tablet", "rxcui": "314076", "dosage_units": "tablet",
              "sig": "Take 1 tablet by mouth once daily"}  # fmt: skip
OMEPRAZOLE: dict[str, Any] = {}  # the usual entry of `rows.make_medication`


def listed(practice: Practice, *entries: dict[str, Any], patient: str = "") -> list[MirrorMedication]:
    """A patient's list; a new patient unless named."""
    patient = patient or str(next(_number))
    return [rows.make_medication(practice, patient, **entry) for entry in entries]


def read_thread(text: str, entries: list[MirrorMedication]) -> tuple[r.Thread, r.Reading]:
    """The text read against the list as intake does."""
    thread = r.Thread(
        messages=(r.Message(text=text, author=r.Author.patient, source=r.Source.text, sent_at=NOW),),
        medications=tuple(
            r.ListItem(entry_id=row.external_id, name=row.name, rxcui=row.rxcui, directions=row.sig, quantity="90",
                       is_active=row.is_active) for row in entries),
        tags=("refill",),
    )  # fmt: skip
    return thread, read.read(thread=thread, lexicon=lexicon.load())


def kept(practice: Practice, text: str, entries: list[MirrorMedication], *, own: int | None = None) -> bytes:
    """The reading of this text as intake keeps it, about mention number `own`."""
    thread, reading = read_thread(text, entries)
    mention = reading.mentions[own] if own is not None else None
    summary = replace(
        rows.PLAIN, is_plain=False, doubts=tuple(str(one.code) for one in reading.doubts),
        is_emergency=reading.is_emergency, has_symptom=reading.has_symptom,
        kind=facts.Kind.refill if mention else facts.Kind.other)  # fmt: skip
    entries_matching = 1 if mention else None
    return understanding.keep(reading=reading, thread=thread, summary=summary, mention=mention, practice=practice,
                              entries=entries_matching)  # fmt: skip


def item(practice: Practice, text: str, entries: list[MirrorMedication], **values: Any) -> RefillRequest:
    """A message for a person whose words were read so, of the patient of these entries."""
    patient = entries[0].patient.external_id if entries else values.pop("patient", "")
    who = rows.snapshot(patient_external_id=patient, **values.pop("who", {}))
    _, reading = read_thread(text, entries)
    reasons = values.pop("reasons", None) or tuple(str(one.code) for one in reading.doubts) or ("unclear",)
    ask = replace(
        rows.make_ask(practice, None, kind=Kind.MESSAGE, snapshot=who, patient_external_id=patient,
                      sender_id=f"pat_{patient}", conversation_id=f"conv_{patient}"),
        reading=replace(rows.PLAIN, kind=facts.Kind.other, is_plain=False, is_emergency=reading.is_emergency,
                        has_symptom=reading.has_symptom),
        reasons=reasons, reading_sealed=kept(practice, text, entries))  # fmt: skip
    return _admitted(ask, values)


def refill(
    practice: Practice, text: str, entries: list[MirrorMedication], *, entry: int = 0, own: int = 0, **values: Any
) -> RefillRequest:
    """A refill in review, read as entry number `entry` from mention number `own`."""
    patient = entries[0].patient.external_id
    ask = replace(
        rows.make_ask(practice, entries[entry], snapshot=rows.snapshot(patient_external_id=patient),
                      patient_external_id=patient, sender_id=f"pat_{patient}", conversation_id=f"conv_{patient}"),
        reading=replace(rows.PLAIN, is_plain=False), reading_sealed=kept(practice, text, entries, own=own))  # fmt: skip
    return _admitted(ask, values)


def _admitted(ask: Any, values: dict[str, Any]) -> RefillRequest:
    made = workflow.admit(asks=[ask], now=NOW).requests[0]
    RefillRequest.objects.filter(pk=made.pk).update(**values)
    return RefillRequest.objects.select_related("practice").get(pk=made.pk)


def osei(practice: Practice) -> Provider:
    """Dr. Osei of this practice."""
    return Provider.objects.get(practice=practice, last_name="Osei")


def correct(
    request: RefillRequest, *, user: User | None = None, now: datetime = NOW, **said: Any
) -> workflow.Corrected:
    """A correction by Dr. Osei unless named, of the item as it is now unless a version is given."""
    request.refresh_from_db()
    version = said.pop("version", request.version)
    found = workflow.correct_reading(
        request_id=request.id, user=user or osei(request.practice).user, version=version, now=now,
        correction=workflow.Correction(**said))  # fmt: skip
    request.refresh_from_db()
    return found


def refused(reason: str, request: RefillRequest, **said: Any) -> str:
    """The correction is refused for this reason and nothing of it is kept; returns the sentence."""
    before = (request.version, request.kind, request.state)
    with pytest.raises(workflow.NotPossible) as caught:
        correct(request, **said)
    assert caught.value.reason == reason
    request.refresh_from_db()
    assert (request.version, request.kind, request.state) == before
    assert not ReadingCorrection.objects.exists()
    assert not EntryAlias.objects.exists()
    assert not Entry.objects.filter(event__in=["reading.corrected", "alias.proposed"]).exists()
    return str(caught.value)
