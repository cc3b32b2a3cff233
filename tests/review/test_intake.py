"""Intake under faults of our own: one row's fault keeps no other from being read, and a person gets the words."""

import json
from datetime import timedelta

import pytest

from integrations import vault
from integrations.klara import events as klara_events
from refillhub.practices import sealing
from review import gathering, intake, understanding, workflow
from review.models import Dispatch, EventKind, InboundEvent, Progress, RefillRequest
from rules.intake import read
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
DONE = (Progress.READ, Progress.IGNORED)


@pytest.fixture
def practice():
    return rows.clinic()


def said(practice, text, conversation="conv_1", **values) -> InboundEvent:
    """A stored message, as the door leaves it."""
    body = {
        "id": "evt_x",
        "type": "message.created",
        "occurred_at": "2026-11-17T15:14:00Z",
        "data": {
            "patient": {"id": "pat_1", "first_name": "Ana", "last_name": "Reyes"},
            "conversation": {"id": conversation},
            "message": {
                "id": "m1", "body": text, "text": text, "sent_at": "2026-11-17T15:14:00Z",
                "author": {"type": "patient", "id": "pat_1"}, "source": "text",
            },
        },
    }  # fmt: skip
    sealed = vault.seal_payload(
        plain=json.dumps(body).encode(), practice_id=practice.id, stage="dev", purpose=workflow.inbox.PURPOSE
    )
    known = {"progress": Progress.RECEIVED, "lease_until": None, "conversation_id": conversation, "body_sealed": sealed}
    return rows.make_event(practice, **known | values)


def play(rounds: int) -> None:
    """What the beat does, a minute apart."""
    for number in range(rounds):
        now = NOW + timedelta(minutes=number)
        workflow.inbox.recover(now=now)
        intake.glance(now=now)
        intake.take_in_due(now=now)


def progress_of(event: InboundEvent) -> str:
    event.refresh_from_db()
    return event.progress


def test_an_old_close_whose_words_are_purged_keeps_no_message_unread(practice):
    for age in (timedelta(days=40), timedelta(hours=1)):
        rows.make_event(
            practice, kind=EventKind.CLOSED, progress=Progress.IGNORED, body_sealed=b"", received_at=NOW - age,
            purged_at=NOW if age.days else None,
        )  # fmt: skip
    emergency = said(practice, "I have crushing chest pain and can't breathe", due_at=NOW + timedelta(seconds=90))
    other = said(practice, "Please refill my omeprazole", "conv_2", sender_id="pat_9")
    play(1)
    assert (progress_of(emergency), progress_of(other)) == (Progress.READ, Progress.READ)
    assert Dispatch.objects.filter(kind="reply", purpose="emergency").exists()


def test_a_message_nobody_can_glance_at_keeps_no_other_from_being_read(practice, monkeypatch):
    known = read.read

    def faulty(*, thread, lexicon):
        if any("boom" in message.text for message in thread.messages):
            raise KeyError("boom")
        return known(thread=thread, lexicon=lexicon)

    monkeypatch.setattr(read, "read", faulty)
    broken, other = said(practice, "boom"), said(practice, "Please refill", "conv_2", sender_id="pat_9")
    play(1)
    assert progress_of(other) in DONE
    play(5)
    assert progress_of(broken) == Progress.READ
    assert RefillRequest.objects.filter(sender_id="pat_1", reasons=["could_not_be_read"]).exists()


def test_after_a_fault_of_ours_the_person_gets_the_words(practice, monkeypatch):
    def faulty(**_given: object) -> None:
        raise KeyError

    monkeypatch.setattr(intake, "read_burst", faulty)
    said(practice, "hello these are my words", is_glanced=True)
    play(4)
    request = RefillRequest.objects.get()
    assert request.is_urgent
    shown = vault.open_payload(
        sealed=bytes(request.reading_sealed), practice_id=practice.id, stage="dev", purpose=understanding.PURPOSE
    )
    assert b"hello these are my words" in shown


@pytest.mark.parametrize("kind", [EventKind.MESSAGE_IN, EventKind.MERGED])
def test_an_event_whose_key_is_gone_is_tried_again_then_set_aside_and_the_others_go_on(practice, monkeypatch, kind):
    broken = said(practice, "first", "", kind=kind)
    other = said(practice, "Please refill", "conv_2", sender_id="pat_9")
    known = gathering.parsed

    def faulty(row, account):
        if row.id == broken.id:
            raise sealing.UnknownKey("k")
        return known(row, account)

    monkeypatch.setattr(gathering, "parsed", faulty)
    play(1)
    assert progress_of(other) in DONE
    assert progress_of(broken) == Progress.RECEIVED
    play(6)
    assert progress_of(broken) == Progress.QUARANTINED


def test_a_merge_that_fails_keeps_no_message_unread(practice, monkeypatch):
    def faulty(**_given: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(workflow, "merge_patient", faulty)
    known = klara_events.parse

    def merged(*, body, profile, header_event_id):
        event = known(body=body, profile=profile, header_event_id=header_event_id)
        if event.patient and event.patient.id == "pat_1":
            object.__setattr__(event.patient, "merged_into", "pat_2")
        return event

    monkeypatch.setattr(klara_events, "parse", merged)
    broken = said(practice, "first", "", kind=EventKind.MERGED)
    play(1)
    assert progress_of(broken) == Progress.RECEIVED
    assert broken.note == "fault"
