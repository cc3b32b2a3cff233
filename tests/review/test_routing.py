"""Whose item it is: prescriber, stand-in, on-call, administrator. Never a loop, never nobody without an alarm."""

from datetime import timedelta

import pytest

from refillhub.practices.models import Coverage
from review import routing
from review.models import Queue
from review.routing import Owner
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return rows.make_practice()


@pytest.fixture
def osei(practice):
    return rows.make_provider(practice)


@pytest.fixture
def lind(practice, osei):
    return rows.make_provider(practice, "Lind", doctor_id="302119")


def away(provider, stand_in=None):
    Coverage.objects.create(
        practice=provider.practice,
        provider=provider,
        stand_in=stand_in,
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
    )


def owner(practice, prescriber, queue=Queue.PRESCRIBER, now=NOW):
    return routing.owner(practice=practice, prescriber=prescriber, queue=queue, now=now)


def test_the_prescriber_who_is_here(practice, osei):
    assert owner(practice, osei) == Owner(Queue.PRESCRIBER, osei)


def test_the_stand_in_while_away_and_no_longer(practice, osei, lind):
    away(osei, lind)
    assert owner(practice, osei) == Owner(Queue.PRESCRIBER, lind, is_stand_in=True)
    assert owner(practice, osei, now=NOW + timedelta(hours=1)) == Owner(Queue.PRESCRIBER, osei)
    assert owner(practice, osei, now=NOW - timedelta(seconds=1)) == Owner(Queue.PRESCRIBER, osei)


def test_a_loop_ends_with_the_on_call_else_with_the_administrator(practice, osei, lind):
    away(osei, lind)
    away(lind, osei)
    assert owner(practice, osei) == Owner(Queue.ADMINISTRATOR, None)
    moss = rows.make_provider(practice, "Moss", doctor_id="302120", on_call_order=1)
    assert owner(practice, osei).provider == moss


def test_an_inactive_prescriber_counts_as_away_for_ever(practice, osei, lind):
    osei.is_active = False
    osei.save()
    lind.on_call_order = 1
    lind.save()
    assert owner(practice, osei).provider == lind


def test_without_a_prescriber_the_first_of_the_roster_who_is_here(practice, osei, lind):
    assert owner(practice, None) == Owner(Queue.ADMINISTRATOR, None)
    for order, provider in enumerate((osei, lind), start=1):
        provider.on_call_order = order
        provider.save()
    assert owner(practice, None).provider == osei
    away(osei)
    assert owner(practice, None).provider == lind
    assert owner(practice, None, Queue.ON_CALL) == Owner(Queue.ON_CALL, lind)
    away(lind)
    assert owner(practice, None, Queue.ON_CALL) == Owner(Queue.ADMINISTRATOR, None)


def test_assistants_and_administrators_keep_their_queues(practice, osei):
    away(osei)
    assert owner(practice, osei, Queue.ASSISTANT) == Owner(Queue.ASSISTANT, osei)
    assert owner(practice, osei, Queue.ADMINISTRATOR) == Owner(Queue.ADMINISTRATOR, None)


def test_nobody_of_another_practice_is_ever_on_call(practice):
    other = rows.make_practice(name="Elsewhere")
    rows.make_provider(other, "Mallory", on_call_order=1)
    assert routing.on_call(practice=practice, now=NOW) is None
