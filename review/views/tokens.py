"""Tokens of programs: an administrator makes and ends them; everyone agrees to, and ends, those in their own name.

A token's text is on one answer only and is never kept, logged or put into the session.
"""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from refillhub.practices import gates, roles
from refillhub.practices.roles import Action
from review import tokens
from review.models import Scope

DAYS = (30, 90, 180, 365)


@gates.page()
def page(request: HttpRequest) -> HttpResponse:
    """All tokens for an administrator; one's own for everyone."""
    return _page(request)


@sensitive_variables("text")
@gates.page(action=Action.manage_tokens, methods=("POST",))
def make(request: HttpRequest) -> HttpResponse:
    """A new token; shown this once."""
    people = {str(one.pk): one for one in tokens.people(practice=request.practice)}
    user = people.get(request.POST.get("user", ""))
    if user is None:
        raise Http404
    days = request.POST.get("days", "")
    try:
        row, text = tokens.make(
            practice=request.practice, user=user, name=request.POST.get("name", ""), by=request.user, now=request.now,
            scopes=request.POST.getlist("scopes"), days=int(days) if days.isdecimal() and len(days) < 4 else 0,
        )  # fmt: skip
    except tokens.Refused as no:
        return _page(request, line=str(no), status=422)
    return _page(request, made=row, text=text)


@gates.page(methods=("POST",))
def accept(request: HttpRequest, token_id: uuid.UUID) -> HttpResponse:
    """Agree that this program acts in one's own name."""
    if not tokens.accept(practice=request.practice, token_id=token_id, by=request.user, now=request.now):
        raise Http404
    messages.success(request, "The program may now act in your name; you can end that here at any time.")
    return redirect("review:api_tokens")


@gates.page(methods=("POST",))
def end(request: HttpRequest, token_id: uuid.UUID) -> HttpResponse:
    """End a token for good."""
    if not tokens.end(
        practice=request.practice, token_id=token_id, by=request.user, may_end_all=_manages(request), now=request.now
    ):
        raise Http404
    messages.success(request, "Ended: the token is of no use any more.")
    return redirect("review:api_tokens")


def _manages(request: HttpRequest) -> bool:
    return roles.may(roles=request.roles, action=Action.manage_tokens)


def _page(
    request: HttpRequest, *, made: object = None, text: str = "", line: str = "", status: int = 200
) -> HttpResponse:
    manages = _manages(request)
    found = tokens.shown(practice=request.practice, user=request.user, all_of_them=manages)
    rows = [{"token": row, "state": row.state(request.now), "is_own": row.user_id == request.user.id} for row in found]
    return render(request, "review/api_tokens.html", {
        "rows": rows, "manages": manages, "made": made, "text": text, "line": line, "scopes": Scope.choices,
        "days": DAYS, "people": tokens.people(practice=request.practice) if manages else [],
    }, status=status)  # fmt: skip
