"""Whose item is it: the prescriber, the stand-in, the on-call, else the administrator. Never a loop, never nobody.

Reads coverage (practices); decides nothing clinical and writes nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from refillhub.practices import coverage
from refillhub.practices.models import Practice, Provider
from review.models import Queue


@dataclass(frozen=True, slots=True)
class Owner:
    """The queue and the person an item goes to. `provider` None with `administrator`: nobody stands in (alarm)."""

    queue: str
    provider: Provider | None
    is_stand_in: bool = False


def owner(*, practice: Practice, prescriber: Provider | None, queue: str, now: datetime) -> Owner:
    """Who gets an item of this queue at this moment (F097, F098)."""
    if queue == Queue.ASSISTANT:
        return Owner(queue=Queue.ASSISTANT, provider=prescriber)
    if queue == Queue.ON_CALL:
        person = on_call(practice=practice, now=now)
        return Owner(queue=Queue.ON_CALL, provider=person) if person else Owner(Queue.ADMINISTRATOR, None)
    if queue == Queue.ADMINISTRATOR or prescriber is None:
        return _without_prescriber(practice=practice, queue=queue, now=now)
    if not prescriber.is_active or coverage.is_away(provider=prescriber, now=now):
        person = coverage.stand_in_for(provider=prescriber, now=now)
        if person is None:
            return Owner(queue=Queue.ADMINISTRATOR, provider=None)
        return Owner(queue=Queue.PRESCRIBER, provider=person, is_stand_in=True)
    return Owner(queue=Queue.PRESCRIBER, provider=prescriber)


def _without_prescriber(*, practice: Practice, queue: str, now: datetime) -> Owner:
    if queue == Queue.ADMINISTRATOR:
        return Owner(queue=Queue.ADMINISTRATOR, provider=None)
    person = on_call(practice=practice, now=now)
    return Owner(queue=Queue.PRESCRIBER, provider=person) if person else Owner(Queue.ADMINISTRATOR, None)


def on_call(*, practice: Practice, now: datetime) -> Provider | None:
    """The first provider of the on-call roster who is here; None when there is none."""
    for provider in Provider.objects.on_call().filter(practice=practice):
        if not coverage.is_away(provider=provider, now=now):
            return provider
    return None
