"""The practice's own receiver of webhooks: where pages and changes are told, its secret, a test, and how to stop."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from integrations import receivers
from integrations.outcome import OutcomeKind
from refillhub.practices import gates
from refillhub.practices.roles import Action
from review.ledger import person


@gates.page(action=Action.manage_connections)
def page(request: HttpRequest) -> HttpResponse:
    """The receiver, and the form to set another."""
    return _page(request)


@sensitive_variables("secret")
@gates.page(action=Action.manage_connections, methods=("POST",))
def register(request: HttpRequest) -> HttpResponse:
    """Set the receiver; its secret is shown this once."""
    try:
        _, secret = receivers.register(
            practice=request.practice, url=request.POST.get("url", "").strip(), now=request.now,
            wants_pages="wants_pages" in request.POST, wants_changes="wants_changes" in request.POST,
            actor=person(request.user.id),
        )  # fmt: skip
    except receivers.BadAddress as no:
        return _page(request, line=str(no), status=422)
    return _page(request, secret=secret)


@sensitive_variables("secret")
@gates.page(action=Action.manage_connections, methods=("POST",))
def rotate(request: HttpRequest) -> HttpResponse:
    """A new secret beside the old one for a day; shown this once."""
    return _page(request, secret=receivers.rotate(receiver=_own(request), now=request.now,
                                                  actor=person(request.user.id)))  # fmt: skip


@gates.page(action=Action.manage_connections, methods=("POST",))
def stop(request: HttpRequest) -> HttpResponse:
    """Tell it nothing more."""
    receivers.stop(receiver=_own(request), now=request.now, actor=person(request.user.id))
    messages.success(request, "Stopped.")
    return redirect("review:receiver")


@gates.page(action=Action.manage_connections, methods=("POST",))
def test(request: HttpRequest) -> HttpResponse:
    """One signed event of kind `test`, now."""
    outcome = receivers.tell(receiver=_own(request), event_id=f"evt_{uuid.uuid4().hex}", kind="test", data={},
                             now=request.now)  # fmt: skip
    if outcome.kind is OutcomeKind.DELIVERED:
        messages.success(request, f"It answered {outcome.code}.")
    else:
        messages.error(request, f"It did not take the test: {outcome.code.replace('_', ' ')}.")
    return redirect("review:receiver")


def _own(request: HttpRequest):
    row = receivers.of(practice_id=request.practice.id)
    if row is None:
        raise Http404
    return row


def _page(request: HttpRequest, *, secret: str = "", line: str = "", status: int = 200) -> HttpResponse:
    row = receivers.of(practice_id=request.practice.id)
    shown = {"row": row, "secret": secret, "line": line, "has_former": row is not None and row.has_former(request.now)}
    return render(request, "review/receiver.html", shown, status=status)
