"""The inbox verbs: whole conversations claimed once, quiet time kept, nothing lost when a reader dies."""

from datetime import timedelta

import pytest

from audit.models import Entry
from review.models import Alarm, InboundEvent, Progress
from review.workflow import inbox
from review.workflow.inbox import Arrival, Taken
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.make_practice(quiet_seconds=30)


def arrival(practice, number=1, **values):
    return Arrival(
        **{
            "practice": practice,
            "vendor": "klara",
            "event_id": f"evt_{number}",
            "kind": "message_in",
            "body": b"{}",
            "conversation_id": "conv_1",
            "message_id": f"msg_{number}",
            "sender_id": "pat_1",
            **values,
        }
    )


def stored(**wanted):
    return InboundEvent.objects.get(**wanted)


def test_a_message_waits_for_its_quiet_time_sealed(practice):
    assert inbox.store(arrival=arrival(practice, body=b"omeprazole"), now=NOW) == Taken.STORED
    row = stored()
    assert (row.progress, row.due_at) == (Progress.RECEIVED, NOW + timedelta(seconds=30))
    assert b"omeprazole" not in bytes(row.body_sealed)
    assert inbox.body_of(row) == b"omeprazole"


def test_answers_come_in_the_order_asked_and_repeats_inside_one_group_count_once(practice):
    asked = [
        arrival(practice, 1),
        arrival(practice, 1),
        arrival(practice, 2),
        arrival(practice, 1, body=b"[]"),
        arrival(practice, 3, message_id="msg_2"),
    ]
    assert inbox.store_many(arrivals=asked, now=NOW) == [
        Taken.STORED,
        Taken.DUPLICATE,
        Taken.STORED,
        Taken.CONFLICT,
        Taken.DUPLICATE,
    ]
    assert InboundEvent.objects.count() == 2
    assert Alarm.objects.get().kind == "event_conflict"


def test_every_delivery_has_its_audit_entry_with_ids_only(practice):
    inbox.store_many(arrivals=[arrival(practice), arrival(practice)], now=NOW)
    events = Entry.objects.order_by("number").values_list("event", flat=True)
    assert list(events) == ["webhook.accepted", "webhook.duplicate"]


def test_the_same_ids_at_another_practice_are_another_event(practice):
    other = rows.make_practice(name="Elsewhere")
    assert inbox.store_many(arrivals=[arrival(practice), arrival(other)], now=NOW) == [Taken.STORED] * 2


def test_what_is_not_a_message_waits_for_nothing(practice):
    inbox.store(arrival=arrival(practice, kind="merged", message_id=""), now=NOW)
    assert stored().due_at == NOW
    inbox.store(arrival=arrival(practice, 2, kind="tag", message_id=""), now=NOW)
    assert stored(event_id="evt_2").progress == Progress.IGNORED


@pytest.mark.parametrize("sequence", [2**63, -(2**63), 2**62])
def test_ids_and_numbers_a_column_cannot_hold_do_not_break_the_door(practice, sequence):
    given = arrival(practice, conversation_id="c\x00" * 200, sender_id="s" * 900, sequence=sequence)
    assert inbox.store(arrival=given, now=NOW) == Taken.STORED
    assert stored().sequence is None


def test_each_new_message_starts_the_quiet_time_afresh_up_to_five_minutes(practice):
    inbox.store(arrival=arrival(practice), now=NOW)
    moment = NOW
    for number in range(2, 14):
        moment += timedelta(seconds=29)
        inbox.store(arrival=arrival(practice, number), now=moment)
    due = set(InboundEvent.objects.values_list("due_at", flat=True))
    assert due == {NOW + timedelta(minutes=5)}


def test_another_conversation_keeps_its_own_time(practice):
    inbox.store(arrival=arrival(practice), now=NOW)
    inbox.store(arrival=arrival(practice, 2, conversation_id="conv_2"), now=NOW + timedelta(seconds=20))
    assert stored(event_id="evt_1").due_at == NOW + timedelta(seconds=30)


def test_nothing_is_claimed_before_its_time_and_then_the_whole_conversation_once(practice):
    inbox.store(arrival=arrival(practice), now=NOW)
    inbox.store(arrival=arrival(practice, 2), now=NOW + timedelta(seconds=10))
    late = rows.make_event(practice, progress="received", due_at=NOW + timedelta(hours=1))
    assert inbox.claim(now=NOW + timedelta(seconds=39), limit=9) == []
    taken = inbox.claim(now=NOW + timedelta(seconds=40), limit=1)
    assert len(taken) == 3
    assert late.id in {row.id for row in taken}
    assert {row.attempts for row in taken} == {1}
    assert inbox.claim(now=NOW + timedelta(seconds=50), limit=9) == []


def test_a_flood_of_one_practice_leaves_the_others_turn(practice):
    for number in range(5):
        rows.make_event(practice, progress="received", conversation_id=f"c{number}")
    other = rows.make_event(rows.make_practice(name="Elsewhere"), progress="received", due_at=NOW)
    assert other.id in {row.id for row in inbox.claim(now=NOW + timedelta(seconds=1), limit=2)}


def test_a_reader_that_died_gives_its_events_back_after_its_lease_only(practice):
    rows.make_event(practice, progress="received")
    inbox.claim(now=NOW, limit=9)
    assert inbox.recover(now=NOW + inbox.READ_LEASE) == 0
    assert inbox.recover(now=NOW + inbox.READ_LEASE + timedelta(seconds=1)) == 1
    (row,) = inbox.claim(now=NOW + timedelta(minutes=2), limit=9)
    assert row.attempts == 2


def test_given_back_is_due_again_later_with_its_reason(practice):
    row = rows.make_event(practice)
    inbox.give_back(events=[row], due_at=NOW + timedelta(seconds=15), note="chart_unreached")
    row.refresh_from_db()
    assert (row.progress, row.due_at, row.lease_until, row.note) == (
        "received",
        NOW + timedelta(seconds=15),
        None,
        "chart_unreached",
    )


def test_what_somebody_has_read_meanwhile_is_not_given_back(practice):
    row = rows.make_event(practice)
    InboundEvent.objects.update(progress=Progress.READ)
    inbox.give_back(events=[row], due_at=NOW, note="x")
    row.refresh_from_db()
    assert row.progress == Progress.READ


def test_an_emergency_seen_at_a_glance_waits_no_longer(practice):
    inbox.store_many(arrivals=[arrival(practice), arrival(practice, 2, conversation_id="conv_2")], now=NOW)
    urgent, calm = inbox.not_glanced(limit=9)
    inbox.glanced(events=[urgent, calm], urgent=[urgent], now=NOW + timedelta(seconds=1))
    assert inbox.not_glanced(limit=9) == []
    assert [row.id for row in inbox.claim(now=NOW + timedelta(seconds=1), limit=9)] == [urgent.id]


def test_a_purged_body_is_empty_not_an_error(practice):
    row = rows.make_event(practice, body_sealed=b"")
    assert inbox.body_of(row) == b""
