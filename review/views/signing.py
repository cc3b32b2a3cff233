"""Signing a controlled prescription: its own page, where both factors are asked for beside what they will sign.

The only place in the program that asks for a signer's factors. It reads, calls one verb, and redirects.
"""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from refillhub.practices import factors, gates, grants, roles
from refillhub.practices.models import Provider, SigningGrant
from refillhub.practices.roles import Action
from review import access, forms, routing, signing, workflow
from review.models import Preparation, Queue, RefillRequest
from review.views import posting
from review.workflow import moves


@gates.page(action=Action.prepare)
def page(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """What waits for one prescriber's signature for one patient."""
    row = access.request_for(practice=request.practice, request_id=request_id)
    return _page(request, row)


@sensitive_post_parameters()
@gates.page(action=Action.sign, methods=("POST",))
def sign(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Sign what is ticked, with both factors given here and now."""
    row = access.request_for(practice=request.practice, request_id=request_id)
    items = _items(request, row)
    if not items:
        return _page(request, row)
    form = forms.SignForm(request.POST, waiting=items)
    ids = form.chosen()
    if items[0].provider.user_id != request.user.pk:
        workflow.note_refusal(practice=request.practice, preparations=[items[0].id], user=request.user,
                              reason="not_the_signer", now=request.now)  # fmt: skip
        return _page(request, row, line=f"{items[0].provider} must sign this, in person.", status=403)
    if not form.is_valid():
        return _page(request, row, form=form, line=form.first_words(), status=422)
    try:
        proof = factors.prove(
            request=request, password=form.cleaned_data["password"], code=form.cleaned_data["code"],
            digest=signing.digest(form.seen()), step="sign",
        )  # fmt: skip
    except factors.Refused as no:
        workflow.note_refusal(practice=request.practice, preparations=ids, user=request.user, reason="factors",
                              now=request.now)  # fmt: skip
        return _page(request, row, form=form, line=str(no), status=429 if no.wait_seconds else 422)
    try:
        signed = workflow.sign(practice=request.practice, preparations=ids, user=request.user, proof=proof,
                               now=request.now)  # fmt: skip
    except workflow.NotPossible as no:
        workflow.note_refusal(practice=request.practice, preparations=ids, user=request.user, reason=no.reason,
                              now=request.now)  # fmt: skip
        return _page(request, row, line=str(no), status=409)
    count = len(signed)
    messages.success(request, f"Signed: {count} prescription{'' if count == 1 else 's'}, leaving now.")
    return redirect("review:queue")


@gates.page(action=Action.prepare, methods=("POST",))
def prepare(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Fill it in for its prescriber; a prescriber prepares in their own name."""

    def do(row: RefillRequest, form: forms.ActForm) -> posting.Onward:
        provider = _for_whom(request, row)
        workflow.prepare(request_id=row.id, user=request.user, provider=provider, version=form.cleaned_data["version"],
                         now=request.now)  # fmt: skip
        own = provider.user_id == request.user.pk
        said = "Prepared; look at it, then sign." if own else f"Prepared: {provider} must sign it."
        return posting.Onward(said=said, location=reverse("review:sign", args=[row.id]))

    return posting.act(request, request_id, forms.ActForm, "prepare", do)


def _for_whom(request: HttpRequest, row: RefillRequest) -> Provider:
    """A prescriber's own record; for an assistant whoever the item would go to now."""
    if roles.may(roles=request.roles, action=Action.sign):
        own = access.provider_of(user=request.user, practice=request.practice)
        if own is not None:
            return own
    found = routing.owner(practice=request.practice, prescriber=row.prescriber, queue=Queue.PRESCRIBER,
                          now=request.now)  # fmt: skip
    if found.provider is None:
        raise workflow.NotPossible("nobody_to_sign", "Nobody is here to sign it; give it to a prescriber first.")
    return found.provider


@gates.page(action=Action.decide, methods=("POST",))
def withdraw(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take it back into review; what was prepared is void."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.withdraw(request_id=row.id, user=request.user, version=form.cleaned_data["version"], now=request.now)
        return "Taken back: nothing was signed or sent."

    return posting.act(request, request_id, forms.ActForm, "withdraw", do, stays=True)


@gates.page(action=Action.sign, methods=("POST",))
def token_lost(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The person's second factor is lost or compromised: their right to sign ends at once (1311.125(d))."""
    access.request_for(practice=request.practice, request_id=request_id)
    own = SigningGrant.objects.open().filter(practice=request.practice, provider__user=request.user)
    for grant in own:
        grants.end_grant(practice=request.practice, grant_id=grant.id, reason=SigningGrant.EndReason.token_lost,
                         by=request.user, now=request.now)  # fmt: skip
    workflow.note_token_lost(practice=request.practice, user=request.user, now=request.now)
    messages.success(
        request,
        "Your right to sign has ended and an incident is open. Replace your authenticator under Your account.",
    )
    return redirect("review:queue")


def _items(request: HttpRequest, row: RefillRequest) -> list[Preparation]:
    current = signing.current(request=row)
    return signing.waiting_of(preparation=current, now=request.now) if current is not None else []


def _page(
    request: HttpRequest, row: RefillRequest, *, line: str = "", form: Any = None, status: int = 200
) -> HttpResponse:
    current = signing.current(request=row)
    items = signing.waiting_of(preparation=current, now=request.now) if current is not None else []
    is_own = current is not None and current.provider.user_id == request.user.pk
    may_sign = is_own and roles.may(roles=request.roles, action=Action.sign)
    shown: dict[str, Any] = {
        "row": row, "current": current, "items": [signing.shown(one) for one in items], "line": line, "form": form,
        "is_own": is_own, "statement": signing.STATEMENT, "form_key": uuid.uuid4(), "show": "all",
        "place": "queue" if roles.may(roles=request.roles, action=Action.review) else "desk",
        "may": access.what_may(request=row, held=request.roles), "ready": form.ready() if form else set(),
        "objection": _objection(request, row, current) if may_sign and current is not None else "",
    }  # fmt: skip
    shown["offers"] = bool(may_sign and items and not shown["objection"])
    shown["first"] = shown["items"][0] if items else None
    return render(request, "review/sign.html", shown, status=status)


def _objection(request: HttpRequest, row: RefillRequest, current: Preparation) -> str:
    """Why this page offers no signing now, in words; "" when it does."""
    if not signing.is_here(practice=request.practice):
        return "Signing in this program is switched off; make a task in DrChrono instead."
    pharmacy = moves.pharmacy_names([row]).get((row.practice.stage, row.pharmacy_ncpdp))
    found = signing.objection(request=row, provider=current.provider, pharmacy=pharmacy, now=request.now)
    return found[1] if found is not None else ""
