"""The page on which a practice leaves shadow mode: the checks with their evidence, and two people's word."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from refillhub.practices import gates, roles
from refillhub.practices.models import User
from refillhub.practices.roles import Action
from review import going_live, webhooks


@gates.page(action=Action.see_shadow)
def page(request: HttpRequest) -> HttpResponse:
    """What must be so, and who has asked."""
    asked = going_live.standing(practice=request.practice, now=request.now)
    checks = going_live.checks(practice=request.practice, now=request.now)
    shown = {
        "checks": checks, "is_ready": all(check.is_good for check in checks), "asked": asked,
        "asked_by": User.objects.filter(pk=asked.by).first() if asked else None,
        "is_own": asked is not None and asked.by == request.user.pk,
        "may_ask": roles.may(roles=request.roles, action=Action.manage_practice),
    }
    return render(request, "review/connections_live.html", shown)


@gates.page(action=Action.manage_practice, methods=("POST",))
def ask(request: HttpRequest) -> HttpResponse:
    """The first person."""
    return _do(request, going_live.ask, "Asked. Another person confirms within a day.")


@gates.page(action=Action.see_shadow, methods=("POST",))
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take the ask back."""
    return _do(request, going_live.withdraw, "Taken back.")


@gates.page(action=Action.see_shadow, methods=("POST",))
def confirm(request: HttpRequest) -> HttpResponse:
    """The second person."""
    return _do(request, going_live.confirm, "The practice is live: what is approved from now on leaves.")


def _do(request: HttpRequest, verb: Callable[..., None], done: str) -> HttpResponse:
    try:
        verb(practice_id=request.practice.id, by=request.user, now=request.now)
    except going_live.Refused as error:
        messages.error(request, str(error))
    else:
        webhooks.forget()
        messages.success(request, done)
    return redirect("review:going_live")
