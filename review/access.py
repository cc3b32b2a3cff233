"""The only doors from a page to a row: the person's practice first, then the row; strangers get 404 (law 8).

Reads only. What a role may do is one table (`practices.roles`); what a person may do with one item is answered here.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404

from refillhub.practices import roles
from refillhub.practices.models import Practice, Provider, User
from refillhub.practices.roles import Action
from review.models import Comment, Dispatch, Kind, Preparation, Queue, RefillRequest
from review.models.requests import RequestQuerySet
from review.states import RequestState

R = RequestState
# Drugs known to be controlled; of any other schedule nothing is ever signed here.
SCHEDULES = ("ii", "iii", "iv", "v")
PRESCRIBERS_QUEUES = (Queue.PRESCRIBER, Queue.ON_CALL)


@dataclass(frozen=True, slots=True)
class May:
    """What a person may do with one item now. The verbs ask the row again; this only decides what is offered."""

    decide: bool = False
    approve: bool = False
    answer: bool = False
    reassign: bool = False
    hand_off: bool = False
    cancel: bool = False
    take_up: bool = False
    confirm: bool = False
    take_back: bool = False
    ask_cancel: bool = False
    comment: bool = False
    decides: bool = False
    prepare: bool = False
    sign: bool = False
    withdraw: bool = False
    correct: bool = False
    confirm_alias: bool = False
    end_alias: bool = False


def request_for(*, practice: Practice, request_id: uuid.UUID) -> RefillRequest:
    """The request of this practice. Raises Http404 for any other."""
    row = (
        RefillRequest.objects.filter(practice=practice, pk=request_id)
        .select_related("prescriber", "assignee", "decided_by", "duplicate_of", "about", "location")
        .first()
    )
    if row is None:
        raise Http404
    row.practice = practice
    return row


def provider_for(*, practice: Practice, provider_id: uuid.UUID) -> Provider:
    """An active prescriber of this practice. Raises Http404 for any other."""
    row = Provider.objects.active().filter(practice=practice, pk=provider_id).first()
    if row is None:
        raise Http404
    return row


def provider_of(*, user: User, practice: Practice) -> Provider | None:
    """The person's own prescriber record in this practice, None when there is none or it is not active."""
    return Provider.objects.active().filter(practice=practice, user=user).first()


def providers_of(*, practice: Practice) -> list[Provider]:
    """The active prescribers of this practice, by name."""
    return list(Provider.objects.active().filter(practice=practice).order_by("last_name", "first_name"))


def requests_of(*, practice: Practice) -> RequestQuerySet:
    """Every request of the practice."""
    return RefillRequest.objects.filter(practice=practice)


def mine(*, provider: Provider | None) -> Q:
    """What waits for this prescriber: given to them, or to nobody in particular, or left without anyone."""
    named = Q(queue__in=PRESCRIBERS_QUEUES, assignee__isnull=True) | Q(queue__in=[Queue.ADMINISTRATOR, Queue.NOBODY])
    named |= Q(kind=Kind.MESSAGE, reasons__contains=["emergency"])  # shown to everyone who could act
    return named if provider is None else named | Q(queue__in=PRESCRIBERS_QUEUES, assignee=provider)


def to_sign(*, provider: Provider | None) -> Q:
    """What waits for this prescriber's signature, or was brought to them because its own signer did not come."""
    if provider is None:
        return Q(pk__in=[])
    waits = Preparation.objects.current().filter(Q(provider=provider) | Q(told=provider))
    return Q(state=R.AWAITING_SIGNATURE, pk__in=waits.values("request_id"))


def dispatches_of(*, request: RefillRequest) -> list[Dispatch]:
    """What left, or would leave, for this request, oldest first; without the documents."""
    rows = Dispatch.objects.filter(practice_id=request.practice_id, request=request)
    return list(rows.defer("document_sealed").order_by("queued_at", "id"))


def comments_of(*, request: RefillRequest) -> list[Comment]:
    """Notes of colleagues, oldest first."""
    rows = Comment.objects.filter(practice_id=request.practice_id, request=request).select_related("author")
    return list(rows.order_by("at")[:50])


def is_signed_here(request: RefillRequest) -> bool:
    """Whether this one waits for a signature in this program instead of becoming a task in the chart.

    An unknown schedule never does, and a shadow signs nothing.
    """
    return (
        request.kind == Kind.REFILL
        and request.schedule in SCHEDULES
        and not request.is_shadow
        and request.practice.controlled_route == Practice.ControlledRoute.sign_here
    )


def what_may(*, request: RefillRequest, held: Collection[str]) -> May:
    """What to offer on the card of this item to a person of these roles."""
    decides = roles.may(roles=held, action=Action.decide)
    works = roles.may(roles=held, action=Action.work_items)
    if not works and not decides:
        return May()
    teaches = roles.may(roles=held, action=Action.correct_reading)
    waits = request.state == R.IN_REVIEW
    free = waits and not request.is_locked
    may_end = decides or request.queue == Queue.ASSISTANT
    awaits = request.state == R.AWAITING_SIGNATURE
    is_drug = request.kind == Kind.REFILL and bool(request.entry_external_id)
    signs_here = is_drug and is_signed_here(request)
    return May(
        decide=free and decides and request.kind == Kind.REFILL,
        approve=free and decides and (is_drug or request.kind == Kind.PHARMACY_CHANGE),
        answer=free and may_end and (request.kind != Kind.REFILL or not is_drug or request.queue == Queue.ASSISTANT),
        reassign=waits and works,
        hand_off=free and decides,
        cancel=free and may_end,
        take_up=request.state == R.HELD and works,
        confirm=waits and request.is_locked and works,
        take_back=request.state in (R.APPROVED, R.DENIED, R.VISIT_ASKED, R.TOLD) and works,
        ask_cancel=request.state in (R.SENT, R.DONE) and decides and request.kind == Kind.REFILL,
        comment=works,
        decides=decides,
        prepare=(free or awaits) and signs_here and roles.may(roles=held, action=Action.prepare),
        sign=awaits and roles.may(roles=held, action=Action.sign),
        withdraw=awaits and decides,
        correct=free and teaches,
        confirm_alias=roles.may(roles=held, action=Action.confirm_alias),
        end_alias=teaches,
    )
