"""What every post of an act shares: getter, form, verb, receipt, then on to the next item or back to the card.

The same form key answers with its first result; a stale version answers 409 and says who was first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from refillhub.practices import gates
from refillhub.practices.roles import Action
from review import access, forms, queries_criteria, states, workflow
from review.models import FormReceipt, RefillRequest
from review.states import RequestState
from review.views import cards

LOCKED = (
    "It may already be at the pharmacy. Call the pharmacy first, then record whether it arrived; "
    "nothing is sent again until then."
)
R = RequestState


@dataclass(frozen=True, slots=True)
class Onward:
    """What was done, in words, and where to go from here instead of to the next item."""

    said: str
    location: str


Do = Callable[[RefillRequest, forms.ActForm], "str | Onward"]


class Ask(Exception):
    """The question about unmet criteria has not been answered yet."""


def act(
    request: HttpRequest, request_id: UUID, form_class: type[forms.ActForm], flag: str, do: Do, *, stays: bool = False
) -> HttpResponse:
    """Getter, form, verb; then the receipt and the next page."""
    row = access.request_for(practice=request.practice, request_id=request_id)
    place = "desk" if request.POST.get("place") == "desk" or not _reviews(request) else "queue"
    form = form_class(request.POST, practice=request.practice)
    is_valid = form.is_valid()
    earlier = _receipt(request, form)
    if earlier is not None:
        return _again(request, earlier)
    version = form.cleaned_data.get("version")
    if not getattr(access.what_may(request=row, held=request.roles), flag):
        return _refused(request, row, place=place, version=version)
    if not is_valid:
        return cards.page(request, row, place=place, form=form, line="Please look at the form again.", status=422)
    location = _own(row, place) if stays else _next(request, row, place)
    try:
        said = do(row, form)
    except workflow.AlreadyDecided as lost:
        earlier = _receipt(request, form)
        return _again(request, earlier) if earlier is not None else _already(request, lost.request, place)
    except states.WrongState:
        fresh = access.request_for(practice=request.practice, request_id=request_id)
        return _already(request, fresh, place)
    except workflow.Locked:
        return cards.page(request, row, place=place, line=LOCKED, status=409)
    except Ask:
        line = f"{queries_criteria.question(request=row)} Answer the question to approve."
        return cards.page(request, row, place=place, line=line, status=422)
    except workflow.NotPossible as no:
        return cards.page(request, row, place=place, form=form, line=str(no), status=422)
    if isinstance(said, Onward):
        said, location = said.said, said.location
    FormReceipt.objects.get_or_create(
        user=request.user,
        key=form.cleaned_data["key"],
        defaults={"location": location, "notice": said, "at": request.now},
    )
    messages.success(request, said)
    return redirect(location)


def _reviews(request: HttpRequest) -> bool:
    return gates.roles.may(roles=request.roles, action=Action.review)


def _receipt(request: HttpRequest, form: forms.ActForm) -> FormReceipt | None:
    key = form.cleaned_data.get("key")
    return FormReceipt.objects.filter(user=request.user, key=key).first() if key else None


def _again(request: HttpRequest, earlier: FormReceipt) -> HttpResponse:
    messages.success(request, earlier.notice)
    return redirect(earlier.location)


def _refused(request: HttpRequest, row: RefillRequest, *, place: str, version: int | None) -> HttpResponse:
    """Not to be done now: locked, changed meanwhile, or not this person's to do."""
    if row.is_locked:
        return cards.page(request, row, place=place, line=LOCKED, status=409)
    if version != row.version or row.state != R.IN_REVIEW:
        return _already(request, row, place)
    raise Http404


def _already(request: HttpRequest, row: RefillRequest, place: str) -> HttpResponse:
    shown = {"row": row, "own": _own(row, place), "on": reverse("review:queue" if place == "queue" else "review:today")}
    return render(request, "review/already.html", shown, status=409)


def _own(row: RefillRequest, place: str) -> str:
    return reverse("review:card" if place == "queue" else "review:item", args=[row.id])


def _next(request: HttpRequest, row: RefillRequest, place: str) -> str:
    if place == "desk":
        return reverse("review:today")
    show = cards.show_of(request)
    query = f"?show={show}" if show != "all" else ""
    following = cards.list_of(request).after(row.id)
    return (reverse("review:card", args=[following]) if following else reverse("review:queue")) + query
