"""A worker that dies at any commit: what it had begun is taken up again, nothing is lost, nothing is sent twice."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from integrations import vault
from review.models import InboundEvent
from review.states import RequestState

R = RequestState
POINTS = 20  # more than the work of one refill commits; a point beyond the last one is never reached


class Killed(BaseException):
    """The worker is gone: no handler of ours may catch this."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, nth: int, *, before: bool) -> Iterator[dict[str, int]]:
    """Die right after (or right before) the nth commit."""
    leave, count = transaction.Atomic.__exit__, {"commits": 0}

    def dying(self, exc_type, exc, trace):
        if not self.durable or exc_type is not None:
            return leave(self, exc_type, exc, trace)
        count["commits"] += 1
        if count["commits"] != nth:
            return leave(self, exc_type, exc, trace)
        death = Killed()
        if before:
            leave(self, Killed, death, None)
        else:
            leave(self, None, None, None)
        raise death

    with monkeypatch.context() as patch:
        patch.setattr(transaction.Atomic, "__exit__", dying)
        yield count


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("nth", range(1, POINTS + 1))
def test_death_at_every_commit_loses_nothing_and_sends_nothing_twice(clinic, monkeypatch, nth, before):
    ana = clinic.patient()
    clinic.asks(ana)
    with killed_at(monkeypatch, nth, before=before):
        try:
            clinic.work()
        except Killed:
            vault.forget()
    clinic.passes(minutes=2, steps=2)
    clinic.passes(minutes=4)
    clinic.passes(minutes=75, steps=3)
    request = clinic.house.request()
    assert request.state == R.DONE, (request.state, request.reasons)
    assert len(clinic.at_pharmacy()) == 1
    told = clinic.told(ana)
    assert len(told) == len(set(told)) >= 1
    assert "received" in told[-1].lower()
    assert clinic.chart_line()["date_prescribed"] == "2026-11-17"
    assert clinic.house.is_whole()
    assert clinic.count_is_right()


def test_the_points_cover_the_whole_work(clinic, monkeypatch):
    clinic.asks()
    with killed_at(monkeypatch, 10_000, before=True) as count:
        clinic.work()
    assert 6 <= count["commits"] <= POINTS


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_death_between_commit_and_answer_of_a_webhook_ends_as_a_duplicate(clinic, monkeypatch, nth):
    ana = clinic.patient()
    with killed_at(monkeypatch, nth, before=False):
        try:
            clinic.asks(ana)
        except Killed:
            clinic.asks(ana)  # the patient's telephone sends again, as another message
    clinic.passes(minutes=2, steps=2)
    assert len(clinic.at_pharmacy()) == 1
    assert clinic.count_is_right()


def test_a_worker_that_dies_over_a_request_for_a_person_leaves_it_on_the_list(clinic, monkeypatch):
    for nth in range(1, 5):
        clinic.say("My chest hurts, I cannot breathe", clinic.patient(f"Ana{nth}", "Reyes"), tag="")
        with killed_at(monkeypatch, nth, before=True):
            try:
                clinic.work()
            except Killed:
                vault.forget()
    clinic.passes(minutes=10, steps=5)
    assert [row.state for row in clinic.house.requests()] == [R.IN_REVIEW] * 4
    assert all(row.is_urgent for row in clinic.house.requests())
    assert InboundEvent.objects.filter(progress="read").count() == 4
