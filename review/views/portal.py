"""The prescriber's pages: queue, review card, decided. Decisions themselves are posted to `acting`."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from refillhub.practices import gates
from refillhub.practices.roles import Action
from review import access, queries
from review.views import cards


@gates.page(action=Action.review)
def queue(request: HttpRequest) -> HttpResponse:
    """The list alone; the first item stands open beside it where there is one."""
    return render(request, "review/queue.html", _list(request))


@gates.page(action=Action.review)
def queue_rows(request: HttpRequest) -> HttpResponse:
    """The list's rows as a part, for refreshing."""
    return render(request, "review/_parts/list.html", _list(request))


@gates.page(action=Action.review)
def card(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One item, with all a decision needs."""
    row = access.request_for(practice=request.practice, request_id=request_id)
    return cards.page(request, row, place="queue")


@gates.page(action=Action.see_decided)
def decided(request: HttpRequest) -> HttpResponse:
    """The person's own decisions of seven days; undo while it has not left."""
    rows = queries.decided(
        practice=request.practice, user=request.user, now=request.now, since=request.now - timedelta(days=7)
    )
    return render(request, "review/decided.html", {"rows": rows, "most": 100})


def _list(request: HttpRequest) -> dict[str, object]:
    tray = queries.tray(practice=request.practice, user=request.user, now=request.now)
    return {"list": cards.list_of(request), "tray": tray, "show": cards.show_of(request),
            "current": request.GET.get("current", "")}
