"""Bridges given: a person's short supply counts once a year; a usual 30-day fill and a machine's approval do not."""

from datetime import timedelta

import pytest

from review import bridges, facts
from review.asks import Ask
from review.models import Dispatch, RefillRequest
from tests.review import rows
from tests.review.rows import NOW, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.clinic()


def ask(practice) -> Ask:
    return rows.make_ask(practice, rows.make_medication(practice))


def given(practice, *, days_ago: int = 100, **values) -> RefillRequest:
    """An earlier request whose prescription reached the pharmacy, by a person's approval of 30 days."""
    request, moment = rows.admit(practice), NOW - timedelta(days=days_ago)
    plain = {"days_supply": 30, "refills": 0, "is_automatic": False, "reasons": []}
    RefillRequest.objects.filter(pk=request.pk).update(
        state="done", opened_at=moment, approved_at=moment, changed_at=moment, ended_at=moment, **(plain | values)
    )
    Dispatch.objects.filter(request=request, kind="newrx").update(state="delivered", queued_at=moment)
    return request


def days(made: Ask):
    context = facts.load(asks=[made], now=NOW)
    return bridges.days_given(ask=made, context=context, zone="America/New_York")


def test_a_persons_short_supply_is_a_bridge(practice):
    assert days(ask(practice)) == ()
    given(practice)
    assert days(ask(practice)) == (TODAY - timedelta(days=100),)


@pytest.mark.parametrize(
    "values", [{"is_automatic": True}, {"days_supply": 31}, {"days_supply": None}, {"refills": 1}], ids=str
)
def test_anything_else_is_none(practice, values):
    given(practice, **values)
    assert days(ask(practice)) == ()


def test_a_usual_30_day_fill_counts_only_where_visit_or_results_lacked(practice):
    medication = rows.make_medication(practice, dispense_quantity=30)
    given(practice)
    assert days(rows.make_ask(practice, medication)) == ()
    RefillRequest.objects.update(reasons=["lab_old"])
    assert len(days(rows.make_ask(practice, medication))) == 1


def test_an_unknown_drug_is_not_looked_up(practice):
    assert days(rows.make_ask(practice, None)) is None


def test_the_facts_carry_them(practice):
    request, made = given(practice), ask(practice)
    context = facts.load(asks=[made], now=NOW)
    known = facts.build(ask=made, request=request, context=context, now=NOW)
    assert known.bridges == (TODAY - timedelta(days=100),)
