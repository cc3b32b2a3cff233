"""What a person posts: one view for each verb. Form, getter, verb, then on to the next item.

The same form key answers with its first result; a stale version answers 409 and says who was first.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from refillhub.practices import gates
from refillhub.practices.roles import Action
from review import access, forms, queries_criteria, workflow
from review.models import Queue, RefillRequest
from review.states import RequestState
from review.views import posting

NO_RECORD = "Your account has no prescriber record in this practice; an administrator can add it."
R = RequestState


@gates.page(action=Action.decide, methods=("POST",))
def approve(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Approve as shown."""
    form = forms.ApproveForm
    return posting.act(request, request_id, form, "approve", lambda row, form: _approve(request, row, form))


@gates.page(action=Action.decide, methods=("POST",))
def change(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Approve with changes."""
    form = forms.ChangeForm
    return posting.act(request, request_id, form, "approve", lambda row, form: _approve(request, row, form))


def _approve(request: HttpRequest, row: RefillRequest, form: forms.ApproveForm) -> str | posting.Onward:
    provider = access.provider_of(user=request.user, practice=request.practice)
    if provider is None:
        raise workflow.NotPossible("no_provider", NO_RECORD)
    if not form.cleaned_data["although"] and queries_criteria.question(request=row):
        raise posting.Ask
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
    if done.state == R.AWAITING_SIGNATURE:
        return posting.Onward(said="Prepared; look at it, then sign.", location=reverse("review:sign", args=[row.id]))
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

    return posting.act(request, request_id, forms.DenyForm, "decide", do)


@gates.page(action=Action.decide, methods=("POST",))
def ask_visit(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Ask the patient to come first."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.ask_visit(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "Visit asked; the patient is told after the undo time."

    return posting.act(request, request_id, forms.ActForm, "decide", do)


@gates.page(action=Action.decide, methods=("POST",))
def tell(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Tell the patient that fills are left at the pharmacy."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.tell(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "The patient is told after the undo time that fills are left."

    return posting.act(request, request_id, forms.ActForm, "decide", do)


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

    return posting.act(request, request_id, forms.RerouteForm, "reassign", do)


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

    return posting.act(request, request_id, forms.HandOverForm, "reassign", do)


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

    return posting.act(request, request_id, forms.ActForm, "hand_off", do)


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

    return posting.act(request, request_id, forms.AnswerForm, "answer", do)


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

    return posting.act(request, request_id, forms.CancelForm, "cancel", do)


@gates.page(action=Action.work_items, methods=("POST",))
def take_up(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take up a held request before opening."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.take_up(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "Taken up: it is now with the prescriber."

    return posting.act(request, request_id, forms.ActForm, "take_up", do)


@gates.page(action=Action.work_items, methods=("POST",))
def take_back(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Undo, while nothing has left."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.take_back(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "Taken back: nothing left. It is in review again."

    return posting.act(request, request_id, forms.ActForm, "take_back", do, stays=True)


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

    return posting.act(request, request_id, forms.ConfirmForm, "confirm", do, stays=True)


@gates.page(action=Action.decide, methods=("POST",))
def ask_cancel(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Ask the pharmacy to cancel."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.ask_cancel(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "The pharmacy is asked to cancel."

    return posting.act(request, request_id, forms.ActForm, "ask_cancel", do, stays=True)


@gates.page(action=Action.work_items, methods=("POST",))
def note(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """A note for colleagues."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.comment(request_id=row.id, user=request.user, now=request.now, text=form.cleaned_data["text"])
        return "Note kept."

    return posting.act(request, request_id, forms.NoteForm, "comment", do, stays=True)
