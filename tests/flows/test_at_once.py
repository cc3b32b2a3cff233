"""Two of everything at once, on real PostgreSQL: workers, prescribers, messages, an undo and its sending."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from review import delivery, intake, mailbox, timers, workflow
from review.models import InboundEvent
from review.states import RequestState

R = RequestState
pytestmark = pytest.mark.slow


@pytest.fixture
def clinic(busy_clinic):
    return busy_clinic


def together(*jobs):
    """Run jobs at one moment in threads of their own; their results or exceptions, in order."""
    gate = threading.Barrier(len(jobs))

    def one(job):
        gate.wait()
        try:
            return job()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        return list(pool.map(one, jobs))


def test_k02_fifty_parallel_deliveries_of_one_event_are_one_workflow(clinic):
    ana = clinic.patient("Rosa", "Lopez")
    clinic.answers.clear()
    clinic.asks(ana, repeat=50, parallel=True)
    assert sorted(clinic.answers) == [200] * 49 + [202]
    clinic.work()
    assert InboundEvent.objects.filter(kind="message_in").count() == 1
    assert len(clinic.at_pharmacy()) == len(clinic.house.requests()) == 1


def test_four_readers_and_four_senders_do_each_piece_once(clinic):
    for number in range(6):
        clinic.asks(clinic.patient(f"Ana{number}", "Reyes"))
    now = clinic.now
    assert sum(together(*[lambda: intake.take_in_due(now=now)] * 4)) == 6
    later = now + timedelta(seconds=5)
    together(*[lambda: delivery.deliver_due(now=later)] * 4)
    clinic.passes(minutes=1, steps=3)
    assert len(clinic.at_pharmacy()) == 6
    assert [row.state for row in clinic.house.requests()] == [R.DONE] * 6
    assert clinic.house.is_whole()


def test_two_messages_for_one_drug_read_at_the_same_moment_are_one_prescription(clinic):
    ana = clinic.patient()
    clinic.asks(ana, channel="chan_1_sms")
    clinic.asks(ana, channel="chan_1_web")
    now = clinic.now
    together(*[lambda: intake.take_in_due(now=now, limit=1)] * 2)
    clinic.work()
    clinic.passes(minutes=1)
    assert len(clinic.at_pharmacy()) == 1
    assert sorted(row.state for row in clinic.house.requests()) == [R.DONE, R.DUPLICATE]


def test_two_prescribers_who_approve_at_the_same_moment_make_one_prescription(clinic):
    clinic.asks(tag="")
    clinic.work()
    request, now = clinic.house.request(), clinic.now

    def approve(provider):
        return workflow.approve(
            request_id=request.id, user=provider.user, provider=provider, version=request.version, now=now
        )

    found = together(lambda: approve(clinic.house.osei), lambda: approve(clinic.house.lind))
    assert sum(isinstance(one, workflow.AlreadyDecided) for one in found) == 1
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1


def test_an_undo_and_the_sending_at_the_same_moment_have_one_winner(clinic):
    clinic.house.change(undo_seconds_person=1)
    for _ in range(4):
        patient = clinic.patient(f"Ana{clinic.serial}", "Reyes")
        clinic.asks(patient, tag="")
        clinic.work(rounds=2)
        request = clinic.house.requests()[-1]
        who = clinic.house.osei
        request = workflow.approve(
            request_id=request.id, user=who.user, provider=who, version=request.version, now=clinic.now
        )
        before, later = len(clinic.at_pharmacy()), clinic.now + timedelta(seconds=2)

        def undo(request=request, later=later):
            by = clinic.house.osei.user
            return workflow.take_back(request_id=request.id, user=by, version=request.version, now=later)

        undone, _sent = together(undo, lambda later=later: delivery.deliver_due(now=later))
        clinic.clock.advance(seconds=3)
        clinic.work()
        request.refresh_from_db()
        left = len(clinic.at_pharmacy()) - before
        if isinstance(undone, Exception):
            assert (left, request.state) == (1, R.DONE)
        else:
            assert (left, request.state) == (0, R.IN_REVIEW)


def test_mail_and_sweeps_on_two_workers_tell_the_patient_once(clinic):
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.clock.advance(seconds=1)
    intake.take_in_due(now=clinic.now)
    delivery.deliver_due(now=clinic.now)
    clinic.clock.advance(seconds=5)
    now = clinic.now
    together(
        lambda: mailbox.poll(now=now), lambda: mailbox.poll(now=now), lambda: timers.sweep_minute(now=now),
        lambda: timers.settle_unresolved(now=now),
    )  # fmt: skip
    clinic.work()
    clinic.passes(minutes=1)
    assert clinic.house.request().state == R.DONE
    assert len(clinic.told(ana)) == len(set(clinic.told(ana)))
    assert len(clinic.at_pharmacy()) == 1


def test_two_sweeps_lose_a_lease_once_and_two_releases_open_a_hold_once(clinic):
    clinic.goes_to(clinic.now + timedelta(hours=10))  # 8:14 pm
    clinic.asks()
    clinic.work()
    assert clinic.house.request().state == R.HELD
    clinic.goes_to(clinic.now + timedelta(hours=11))
    clinic.arrives_at(clinic.now)
    now = clinic.now
    together(*[lambda: timers.release_held(now=now)] * 3)
    clinic.work()
    clinic.passes(minutes=1)
    assert clinic.house.request().state == R.DONE
    assert len(clinic.at_pharmacy()) == 1
