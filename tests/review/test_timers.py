"""What happens by the clock: leases, old approvals, chart records, accounting, purging. Twice does no harm."""

from datetime import timedelta

import pytest

from integrations.models import MirrorMedication
from integrations.outcome import OutcomeKind
from review import intake, timers, workflow
from review.models import Alarm, Dispatch, EventLink, InboundEvent, NetworkMail, RefillRequest
from review.states import DispatchState, RequestState
from tests.review import rows
from tests.review.rows import NOW, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.clinic()


# --- leases and old approvals -------------------------------------------------------------------------------------


def test_readers_events_go_back_to_the_line_and_senders_dispatches_become_unknown(practice):
    request = rows.admit(practice)
    event = rows.make_event(practice, lease_until=NOW, sender_id="pat_2")
    (newrx,) = workflow.claim_due(now=NOW, limit=9)
    later = NOW + timedelta(minutes=2)
    timers.sweep_minute(now=later)
    timers.sweep_minute(now=later)
    event.refresh_from_db()
    newrx.refresh_from_db()
    assert (event.progress, event.lease_until, event.due_at) == ("received", None, later)
    assert (newrx.state, newrx.attempt) == (DispatchState.UNKNOWN, 1)
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED


def test_a_lease_still_running_is_left_alone(practice):
    rows.admit(practice)
    event = rows.make_event(practice, lease_until=NOW + timedelta(minutes=1), sender_id="pat_2")
    (newrx,) = workflow.claim_due(now=NOW, limit=9)
    timers.sweep_minute(now=NOW + timedelta(seconds=59))
    event.refresh_from_db()
    newrx.refresh_from_db()
    assert (event.progress, newrx.state) == ("reading", DispatchState.SENDING)


def test_an_approval_that_waits_for_news_that_never_ends_goes_to_a_person_in_time(practice):
    request = rows.admit(practice)
    rows.make_event(practice, progress="received")
    limit = timedelta(minutes=practice.queue_max_age_minutes)
    assert timers.return_old_approvals(now=NOW + limit) == 0
    assert timers.return_old_approvals(now=NOW + limit + timedelta(seconds=1)) == 1
    request.refresh_from_db()
    assert (request.state, request.is_urgent, request.reasons[0]) == (RequestState.IN_REVIEW, True, "queued_too_long")


def test_an_approval_on_the_wire_is_not_pulled_back_by_its_age(practice):
    request = rows.admit(practice)
    rows.send(request, OutcomeKind.UNKNOWN)
    assert timers.return_old_approvals(now=NOW + timedelta(days=1)) == 0


# --- chart records ------------------------------------------------------------------------------------------------


def recorded(practice):
    request = rows.admit(practice)
    rows.send(request, OutcomeKind.ACCEPTED, code="000", only="newrx")
    (record,) = [d for d in rows.send(request, OutcomeKind.ACCEPTED) if d.kind == "chart"]
    return record


def test_a_record_the_push_has_shown_is_delivered(practice):
    record = recorded(practice)
    shown = {"seen_at": NOW + timedelta(seconds=5), "order_status": "Electronic eRx Sent", "prescribed_on": TODAY}
    MirrorMedication.objects.update(**shown)
    assert timers.check_chart_records(now=NOW + timedelta(minutes=2)) == 1
    record.refresh_from_db()
    assert record.state == DispatchState.DELIVERED


def test_a_record_never_shown_is_looked_for_three_times_then_noted_instead(practice):
    record = recorded(practice)
    MirrorMedication.objects.update(seen_at=NOW - timedelta(hours=1))
    now = NOW + timedelta(minutes=2)
    for _ in range(3):
        timers.check_chart_records(now=now)
        record.refresh_from_db()
        assert record.state == DispatchState.ACCEPTED
        now = record.next_check_at
    timers.check_chart_records(now=now)
    record.refresh_from_db()
    assert record.state == DispatchState.REJECTED
    assert Dispatch.objects.filter(predecessor=record, kind="chart", state="queued").count() == 1


# --- accounting ---------------------------------------------------------------------------------------------------


def test_every_read_message_belongs_to_a_request_or_an_alarm_says_so(practice):
    rows.admit(practice)
    assert timers.check_accounting(now=NOW) == {}
    assert not Alarm.objects.filter(kind="accounting").exists()
    EventLink.objects.all().delete()
    late = NOW + timedelta(days=1)
    assert timers.check_accounting(now=late) == {str(practice.id): 1}
    timers.check_accounting(now=late)
    alarm = Alarm.objects.get(kind="accounting")
    assert (alarm.practice_id, alarm.times) == (practice.id, 2)


@pytest.mark.parametrize("change", [{"kind": "merged", "progress": "read"}, {"progress": "ignored"}])
def test_what_needs_no_request_is_not_missed(practice, change):
    rows.make_event(practice, **change)
    assert timers.check_accounting(now=NOW) == {}


# --- purging ------------------------------------------------------------------------------------------------------


def test_bodies_go_at_the_practices_age_and_rows_stay(practice):
    age = timedelta(days=practice.body_days)
    old = rows.make_event(practice, progress="read", received_at=NOW - age - timedelta(seconds=1))
    young = rows.make_event(practice, progress="read", received_at=NOW - age)
    unread = rows.make_event(practice, progress="received", received_at=NOW - age * 9)
    assert timers.purge(now=NOW)["bodies"] == 1
    assert timers.purge(now=NOW)["bodies"] == 0
    kept = {row.pk: bytes(row.body_sealed) for row in InboundEvent.objects.all()}
    assert kept[old.pk] == b""
    assert kept[young.pk]
    assert kept[unread.pk]
    old.refresh_from_db()
    assert intake.inbox.body_of(old) == b""


def test_identities_go_a_set_time_after_the_end_and_never_while_open(practice):
    ended = rows.admit(practice)
    waiting = rows.admit(
        practice,
        rows.make_medication(practice, "70112346"),
        patient_external_id="70112346",
        sender_id="pat_2",
        reading=rows.replace(rows.PLAIN, is_plain=False),
    )
    rows.send(ended, OutcomeKind.DELIVERED, code="010")
    keep = timedelta(days=practice.snapshot_days)
    assert timers.purge(now=NOW + keep)["snapshots"] == 0
    assert timers.purge(now=NOW + keep + timedelta(seconds=1))["snapshots"] == 1
    ended.refresh_from_db()
    waiting.refresh_from_db()
    assert (ended.snapshot_sealed, ended.reading_sealed) == (None, None)
    assert waiting.snapshot_sealed
    assert ended.patient_ref


def test_mail_not_yet_applied_is_never_purged(practice):
    mail = NetworkMail.objects.create(
        practice=practice, sender="P:1", message_id="m", document_sealed=b"x", received_at=NOW - timedelta(days=999)
    )
    timers.purge(now=NOW)
    mail.refresh_from_db()
    assert bytes(mail.document_sealed) == b"x"


def test_prescriptions_stay_readable_after_the_purge(practice):
    request = rows.admit(practice)
    rows.send(request, OutcomeKind.DELIVERED, code="010")
    timers.purge(now=NOW + timedelta(days=999))
    assert bytes(Dispatch.objects.get(request=request, kind="newrx").document_sealed)


# --- a held request as an ask again -------------------------------------------------------------------------------


def test_without_a_chart_connection_the_release_says_so_and_a_person_decides(practice):
    evening = rows.datetime.fromisoformat("2026-11-17T00:30:00+00:00")
    request = rows.admit(practice, now=evening, asked_at=evening, reading_sealed=rows.kept(practice))
    morning = rows.datetime.fromisoformat("2026-11-17T12:00:00+00:00")
    ask = timers.ask_again(request=request, now=morning)
    assert (ask.reading, ask.asked_at, ask.reasons) == (rows.PLAIN, evening, ("chart_not_connected",))
    assert timers.release_held(now=morning) == 1
    request.refresh_from_db()
    assert request.state == RequestState.IN_REVIEW
    assert Dispatch.objects.filter(kind="newrx").count() == 0


def test_a_reading_purged_or_lost_makes_everything_unknown_again(practice):
    evening = rows.datetime.fromisoformat("2026-11-17T00:30:00+00:00")
    request = rows.admit(practice, now=evening, asked_at=evening, reading_sealed=rows.kept(practice))
    RefillRequest.objects.filter(pk=request.pk).update(reading_sealed=None)
    request.refresh_from_db()
    ask = timers.ask_again(request=request, now=evening)
    assert ask.reading == rows.facts.Reading()


def test_releases_only_what_is_due(practice):
    evening = rows.datetime.fromisoformat("2026-11-17T00:30:00+00:00")
    rows.admit(practice, now=evening, asked_at=evening, reading_sealed=rows.kept(practice))
    before = rows.datetime.fromisoformat("2026-11-17T11:59:59+00:00")
    assert timers.release_held(now=before) == 0
