"""What a person posts: one view for each verb. Form, getter, verb, then on to the next item.

The same form key answers with its first result; a stale version answers 409 and says who was first.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from refillhub.practices import gates
from refillhub.practices.roles import Action
from review import access, forms, queries_criteria, states, workflow
from review.models import FormReceipt, Queue, RefillRequest
from review.states import RequestState
from review.views import cards

LOCKED = (
    "It may already be at the pharmacy. Call the pharmacy first, then record whether it arrived; "
    "nothing is sent again until then."
)
NO_RECORD = "Your account has no prescriber record in this practice; an administrator can add it."
R = RequestState
Do = Callable[[RefillRequest, forms.ActForm], str]


class Ask(Exception):
    """The question about unmet criteria has not been answered yet."""


@gates.page(action=Action.decide, methods=("POST",))
def approve(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Approve as shown."""
    return _act(request, request_id, forms.ApproveForm, "approve", lambda row, form: _approve(request, row, form))


@gates.page(action=Action.decide, methods=("POST",))
def change(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Approve with changes."""
    return _act(request, request_id, forms.ChangeForm, "approve", lambda row, form: _approve(request, row, form))


def _approve(request: HttpRequest, row: RefillRequest, form: forms.ApproveForm) -> str:
    provider = access.provider_of(user=request.user, practice=request.practice)
    if provider is None:
        raise workflow.NotPossible("no_provider", NO_RECORD)
    if not form.cleaned_data["although"] and queries_criteria.question(request=row):
        raise Ask
    changes = None
    if isinstance(form, forms.ChangeForm):
        changes = form.changes(
            quantity=row.quantity,
            days_supply=row.days_supply,
            refills=row.refills,
            sig=row.sig,
            pharmacy_ncpdp=row.pharmacy_ncpdp,
        )
    done = workflow.approve(
        request_id=row.id,
        user=request.user,
        provider=provider,
        version=form.cleaned_data["version"],
        now=request.now,
        changes=changes,
    )
    if done.state in (R.HANDING_OFF, R.WITH_EHR):
        return "Controlled: a task with everything filled in goes to DrChrono."
    if done.is_shadow:
        return "Approved in shadow: recorded, nothing leaves."
    return f"Approved; it leaves in {request.practice.undo_seconds_person} s unless you undo it."


@gates.page(action=Action.decide, methods=("POST",))
def deny(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Deny with a coded reason."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        data = form.cleaned_data
        workflow.deny(
            request_id=row.id,
            user=request.user,
            version=data["version"],
            now=request.now,
            code=data["code"],
            note=data["note"],
        )
        return "Denied; the patient is told after the undo time."

    return _act(request, request_id, forms.DenyForm, "decide", do)


@gates.page(action=Action.decide, methods=("POST",))
def ask_visit(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Ask the patient to come first."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.ask_visit(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "Visit asked; the patient is told after the undo time."

    return _act(request, request_id, forms.ActForm, "decide", do)


@gates.page(action=Action.decide, methods=("POST",))
def tell(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Tell the patient that fills are left at the pharmacy."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.tell(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "The patient is told after the undo time that fills are left."

    return _act(request, request_id, forms.ActForm, "decide", do)


@gates.page(action=Action.work_items, methods=("POST",))
def reroute(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Give the item to another prescriber."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        provider = access.provider_for(practice=request.practice, provider_id=form.cleaned_data["provider"])
        workflow.reassign(
            request_id=row.id,
            user=request.user,
            version=form.cleaned_data["version"],
            now=request.now,
            queue=Queue.PRESCRIBER,
            provider=provider,
        )
        return f"Given to {provider}."

    return _act(request, request_id, forms.RerouteForm, "reassign", do)


@gates.page(action=Action.decide, methods=("POST",))
def hand_over(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Give the item to the assistants, with a question."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.reassign(
            request_id=row.id,
            user=request.user,
            version=form.cleaned_data["version"],
            now=request.now,
            queue=Queue.ASSISTANT,
        )
        if form.cleaned_data["question"].strip():
            workflow.comment(request_id=row.id, user=request.user, now=request.now, text=form.cleaned_data["question"])
        return "Handed to the assistants."

    return _act(request, request_id, forms.HandOverForm, "reassign", do)


@gates.page(action=Action.decide, methods=("POST",))
def hand_off(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """A task in DrChrono for the prescriber."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        provider = access.provider_of(user=request.user, practice=request.practice)
        if provider is None:
            raise workflow.NotPossible("no_provider", NO_RECORD)
        workflow.hand_off(
            request_id=row.id,
            user=request.user,
            provider=provider,
            version=form.cleaned_data["version"],
            now=request.now,
        )
        return "A task goes to DrChrono."

    return _act(request, request_id, forms.ActForm, "hand_off", do)


@gates.page(action=Action.work_items, methods=("POST",))
def answer(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """End an item for a person, with a reason."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        data = form.cleaned_data
        workflow.answer(
            request_id=row.id,
            user=request.user,
            version=data["version"],
            now=request.now,
            reason=data["reason"],
            text=data["text"],
        )
        return "Answered."

    return _act(request, request_id, forms.AnswerForm, "answer", do)


@gates.page(action=Action.work_items, methods=("POST",))
def cancel(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """End a request that needs nothing more."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.cancel(
            request_id=row.id,
            user=request.user,
            version=form.cleaned_data["version"],
            now=request.now,
            reason=form.cleaned_data["reason"],
        )
        return "Cancelled."

    return _act(request, request_id, forms.CancelForm, "cancel", do)


@gates.page(action=Action.work_items, methods=("POST",))
def take_up(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take up a held request before opening."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.take_up(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "Taken up: it is now with the prescriber."

    return _act(request, request_id, forms.ActForm, "take_up", do)


@gates.page(action=Action.work_items, methods=("POST",))
def take_back(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Undo, while nothing has left."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.take_back(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "Taken back: nothing left. It is in review again."

    return _act(request, request_id, forms.ActForm, "take_back", do, stays=True)


@gates.page(action=Action.work_items, methods=("POST",))
def confirm(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Record whether a prescription of unknown outcome arrived."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        data = form.cleaned_data
        verb = workflow.confirm_arrived if data["arrived"] == "yes" else workflow.confirm_not_arrived
        verb(
            request_id=row.id,
            user=request.user,
            version=data["version"],
            now=request.now,
            spoke_with=data["spoke_with"],
            pharmacy=data["pharmacy"],
        )
        return "Recorded as arrived." if data["arrived"] == "yes" else "Recorded as not arrived; it may be sent again."

    return _act(request, request_id, forms.ConfirmForm, "confirm", do, stays=True)


@gates.page(action=Action.decide, methods=("POST",))
def ask_cancel(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Ask the pharmacy to cancel."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.ask_cancel(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "The pharmacy is asked to cancel."

    return _act(request, request_id, forms.ActForm, "ask_cancel", do, stays=True)


@gates.page(action=Action.work_items, methods=("POST",))
def note(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """A note for colleagues."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.comment(request_id=row.id, user=request.user, now=request.now, text=form.cleaned_data["text"])
        return "Note kept."

    return _act(request, request_id, forms.NoteForm, "comment", do, stays=True)


def _act(
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
        return cards.page(request, row, place=place, line=str(no), status=422)
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
