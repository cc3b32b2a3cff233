"""The page tests' scene: Dr Osei, Dr Lind, Mia, Cora, Ada of one practice, Mallory of another, and items that wait."""

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from refillhub.practices.models import Practice, Provider, Role, User
from review import understanding, workflow
from review.models import Kind, Queue, RefillRequest
from rules.intake import reading as r
from tests.practices import people
from tests.review import rows
from tests.review.rows import NOW, TODAY

_number = itertools.count(70200001)


@dataclass
class Scene:
    practice: Practice
    osei: Provider
    lind: Provider
    mia: User
    cora: User
    ada: User
    other: Practice
    mallory: Provider

    def users(self) -> dict[str, User]:
        return {
            "osei": self.osei.user,
            "lind": self.lind.user,
            "mia": self.mia,
            "cora": self.cora,
            "ada": self.ada,
            "mallory": self.mallory.user,
        }

    def client(self, who: str) -> Client:
        return people.at_the_desk(self.users()[who])


def with_device(user: User) -> User:
    TOTPDevice.objects.get_or_create(user=user, name="authenticator", confirmed=True)
    return user


def set_up(**practice_values: Any) -> Scene:
    practice = rows.make_practice(**{"undo_seconds_person": 30, **practice_values})
    osei = rows.make_provider(practice, "Osei")
    lind = rows.make_provider(practice, "Lind", doctor_id="302119")
    rows.make_rules(practice)
    other = rows.make_practice(name="Elsewhere Clinic")
    mallory = rows.make_provider(other, "Mallory")
    scene = Scene(
        practice,
        osei,
        lind,
        rows.make_user(practice, Role.assistant, "Mia"),
        rows.make_user(practice, Role.compliance, "Cora"),
        rows.make_user(practice, Role.administrator, "Ada"),
        other,
        mallory,
    )
    for user in scene.users().values():
        with_device(user)
    return scene


def kept(practice: Practice, text: str, *, spans: Sequence[tuple[int, int, str]] = ()) -> bytes:
    """A reading as intake keeps it, of one message."""
    reading = r.Reading(
        primary=r.Intent.refill,
        confidence=98,
        intents=tuple(r.IntentSeen(intent=r.Intent.refill, span=r.Span(0, a, b), words=words) for a, b, words in spans),
    )
    thread = r.Thread(messages=(r.Message(text=text, author=r.Author.patient, source=r.Source.text, sent_at=NOW),))
    return understanding.keep(
        reading=reading, thread=thread, summary=rows.PLAIN, mention=None, practice=practice, entries=1
    )


def waiting(
    scene: Scene,
    *,
    practice: Practice | None = None,
    text: str = "Please refill my lisinopril. Thank you",
    first: str = "Ana",
    last: str = "Reyes",
    patient: str = "",
    days_left: int | None = 2,
    minutes: int = 75,
    **values: Any,
) -> RefillRequest:
    """A refill in review, admitted through the workflow, then placed in time."""
    practice = practice or scene.practice
    patient = patient or str(next(_number))
    medication = rows.make_medication(
        practice,
        patient,
        **{
            "name": "Lisinopril 10 mg oral tablet",
            "rxcui": "314076",
            "dosage_units": "tablet",
            "sig": "Take 1 tablet by mouth once daily",
            **values.pop("medication", {}),
        },
    )
    who = rows.snapshot(first_name=first, last_name=last, patient_external_id=patient)
    at = text.lower().find("refill")
    spans = [(at, at + 6, "refill")] if at >= 0 else []
    ask = rows.make_ask(
        practice,
        medication,
        snapshot=who,
        patient_external_id=patient,
        sender_id=f"pat_{patient}",
        conversation_id=f"conv_{patient}",
        asked_at=NOW - timedelta(minutes=minutes),
        reading_sealed=kept(practice, text, spans=spans),
    )
    made = workflow.admit(asks=[ask], now=NOW).requests[0]
    row = RefillRequest.objects.get(pk=made.pk)
    assert row.state == "in_review", (row.state, row.reasons)
    values.setdefault("run_out_on", None if days_left is None else TODAY + timedelta(days=days_left))
    values.setdefault("queue", Queue.PRESCRIBER)
    RefillRequest.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()
    return row


def message(
    scene: Scene, *, reasons: tuple[str, ...] = ("symptom",), text: str = "My leg is swollen", **values: Any
) -> RefillRequest:
    """An item for a person."""
    ask = replace(
        rows.make_ask(scene.practice, None, kind=Kind.MESSAGE),
        reasons=reasons,
        reading_sealed=kept(scene.practice, text),
        asked_at=NOW - timedelta(minutes=30),
    )
    made = workflow.admit(asks=[ask], now=NOW).requests[0]
    RefillRequest.objects.filter(pk=made.pk).update(**values)
    return RefillRequest.objects.get(pk=made.pk)


def fields(request: RefillRequest, **more: Any) -> dict[str, Any]:
    """What every act posts."""
    return {"version": request.version, "key": str(uuid.uuid4()), "place": "queue", **more}
