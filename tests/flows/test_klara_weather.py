"""Klara scenarios in bad weather, K10 to K14, K19 to K21: late, lost, swallowed, throttled, unanswered, expired."""

from datetime import timedelta

import pytest

from review import timers
from review.models import InboundEvent
from review.states import RequestState
from review.workflow import inbox

R = RequestState


def test_k10_two_hours_of_503_are_bridged_by_klaras_own_retries(busy_clinic, monkeypatch):
    clinic = busy_clinic
    from_the_start = clinic.now
    broken = {"is": True}
    store_many = inbox.store_many

    def store(**values):
        if broken["is"]:
            raise clinic.DatabaseGone("gone")
        return store_many(**values)

    monkeypatch.setattr(inbox, "store_many", store)
    assert clinic.asks()["status"] == 503
    clinic.clock.advance(seconds=2 * 3600)
    assert set(clinic.answers) == {503}
    assert InboundEvent.objects.count() == 0
    broken["is"] = False
    clinic.goes_to(from_the_start + timedelta(hours=4, minutes=30))
    assert clinic.answers.count(202) == 1
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1


def test_k11_after_a_day_without_us_the_poll_finds_the_message_once(clinic):
    clinic.is_down = True
    clinic.asks()
    clinic.clock.advance(seconds=25 * 3600)
    clinic.is_down = False
    assert clinic.polls() == 1
    assert clinic.polls() == 0
    clinic.work()
    assert InboundEvent.objects.get().origin == "poll"
    assert len(clinic.at_pharmacy()) == 1
    assert "webhook_missed" in clinic.house.alarms()


def test_k11_a_webhook_and_the_poll_for_one_message_start_one_workflow(clinic):
    clinic.asks(webhook="delayed")
    assert clinic.polls() == 1
    clinic.work()
    clinic.passes(minutes=31)
    assert clinic.answers == [200]
    assert len(clinic.at_pharmacy()) == len(clinic.house.requests()) == 1


def test_k12_a_tag_that_comes_before_its_message_counts(clinic):
    ana = clinic.patient()
    said = clinic.asks(ana, tag="", webhook="delayed", delay_seconds=60)
    clinic.wish("tag", conversation=said["conversation"], tag="refill")
    clinic.passes(seconds=61)
    request = clinic.house.request()
    assert (request.state, request.recipe) == (R.DONE, "auto_refill")


def test_k12_a_close_that_comes_before_its_message_ends_as_in_order(clinic):
    ana = clinic.patient()
    said = clinic.asks(ana, webhook="delayed", delay_seconds=60)
    clinic.wish("macro", conversation=said["conversation"])
    clinic.work()
    clinic.passes(seconds=61)
    assert clinic.house.request().state == R.DONE
    assert "macro_closed" in clinic.house.alarms()


def test_k12_a_tag_after_the_message_changes_what_a_person_has_not_finished(clinic):
    ana = clinic.patient()
    said = clinic.asks(ana, tag="")
    clinic.work()
    assert clinic.house.request().state == R.IN_REVIEW
    clinic.wish("tag", conversation=said["conversation"], tag="refill")
    clinic.work()
    assert len(clinic.house.requests()) == 1
    assert len(clinic.at_pharmacy()) <= 1


def test_k13_a_macro_that_swallows_the_message_is_outlived_by_the_poll_and_named(clinic):
    ana = clinic.patient()
    said = clinic.asks(ana, webhook="lost")
    clinic.wish("macro", conversation=said["conversation"], webhook="lost")
    clinic.clock.advance(seconds=300)
    assert clinic.polls() == 1
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1
    assert {"webhook_missed", "macro_closed"} <= clinic.house.alarms()
    assert "Refill auto-reply" in clinic.house.alarm_keys("macro_closed")


def test_k14_a_macro_that_closes_with_a_late_webhook_is_read_and_named(clinic):
    ana = clinic.patient()
    said = clinic.asks(ana, webhook="delayed", delay_seconds=1800)
    clinic.wish("macro", conversation=said["conversation"], webhook="delayed", delay_seconds=1801)
    clinic.passes(minutes=31)
    assert len(clinic.at_pharmacy()) == 1
    assert "macro_closed" in clinic.house.alarms()


def test_staff_who_close_a_conversation_raise_no_alarm(clinic):
    said = clinic.asks()
    clinic.wish("close", conversation=said["conversation"])
    clinic.work()
    assert clinic.house.alarms() == set()


@pytest.mark.parametrize("hint", ["2", "date", None])
def test_k19_a_throttled_reply_waits_as_told_and_is_said_once(clinic, hint):
    ana = clinic.patient()
    clinic.fault(clinic.chat, kind="throttle", method="POST", path="*/messages", seconds=2, retry_after=hint, times=2)
    clinic.asks(ana)
    clinic.work()
    clinic.passes(minutes=2, steps=4)
    told = clinic.told(ana)
    assert told
    assert len(told) == len(set(told))
    assert "received" in told[-1].lower()


def test_k19_sustained_work_keeps_below_ten_calls_a_second_and_loses_nothing(clinic):
    clinic.call(clinic.chat, "settings", {"calls_per_second": 10})
    patients = [clinic.patient(f"Ana{number}", "Reyes") for number in range(14)]
    for patient in patients:
        clinic.asks(patient)
    clinic.work(rounds=30)
    clinic.passes(minutes=2, steps=4)
    assert len(clinic.at_pharmacy()) == 14
    for patient in patients:
        assert len(clinic.told(patient)) == len(set(clinic.told(patient))) >= 1
    moments = [entry["at"] for entry in clinic.chat.journal.read(kind="reply.applied")]
    assert max(moments.count(moment) for moment in moments) <= 20  # burst of ten, and ten more that second


@pytest.mark.parametrize("answer", ["422", "409", "replay"])
def test_k20_a_reply_whose_answer_was_lost_is_seen_once(clinic, answer):
    ana = clinic.patient()
    clinic.call(clinic.chat, "settings", {"duplicate": answer})
    clinic.fault(clinic.chat, kind="drop", method="POST", path="*/messages", after_commit=True)
    clinic.asks(ana)
    clinic.work()
    clinic.passes(minutes=3, steps=6)
    assert len(clinic.told(ana)) == len(set(clinic.told(ana))) == 2
    assert {row.state for row in clinic.house.dispatches(kind="reply")} <= {"accepted", "delivered"}


def test_k20_a_reply_that_never_arrived_is_sent_again(clinic):
    ana = clinic.patient()
    clinic.fault(clinic.chat, kind="drop", method="POST", path="*/messages", times=2)
    clinic.asks(ana)
    clinic.work()
    clinic.passes(minutes=3, steps=6)
    assert len(clinic.told(ana)) == len(set(clinic.told(ana))) == 2


def test_k21_an_expired_token_is_refreshed_once_and_the_reply_goes_out(clinic):
    ana = clinic.patient()
    clinic.with_oauth()
    clinic.asks(ana)
    clinic.work()
    clinic.wish("tokens/expire")
    clinic.passes(hours=1)
    clinic.asks(clinic.patient("Rosa", "Lopez"))
    clinic.work()
    assert len(clinic.told()) == 4
    assert clinic.house.alarms() == set()


def test_k21_one_failed_refresh_delays_the_reply_and_loses_nothing(clinic):
    ana = clinic.patient()
    clinic.with_oauth()
    clinic.fault(clinic.chat, kind="status", status=503, method="POST", path="*/oauth/token")
    clinic.asks(ana)
    clinic.work()
    clinic.passes(minutes=5, steps=10)
    assert len(clinic.told(ana)) == len(set(clinic.told(ana))) >= 1
    assert "received" in clinic.told(ana)[-1].lower()


def test_k21_credentials_that_stay_refused_are_an_alarm_and_the_patient_gets_a_person(clinic):
    ana = clinic.patient()
    clinic.fault(clinic.chat, kind="status", status=401, method="*", path="*", times=None)
    clinic.asks(ana)
    clinic.work()
    clinic.passes(hours=8, steps=60)
    assert clinic.told(ana) == []
    assert len(clinic.at_pharmacy()) == 1
    assert clinic.house.alarms() & {"connection_lost", "reply_failed"}
    assert any(row.state == R.IN_REVIEW for row in clinic.house.requests())


def test_a_poll_while_klara_is_down_keeps_its_place(clinic):
    clinic.asks(webhook="lost")
    clinic.fault(clinic.chat, kind="status", status=502, method="GET", path="*", times=2)
    assert timers.reconcile_klara(now=clinic.now) == 0
    clinic.clock.advance(seconds=300)
    assert clinic.polls() >= 0
    clinic.clock.advance(seconds=300)
    clinic.polls()
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1
