"""The assistant's pages: today, morning report, requests list, one request. Acts are posted to `acting`."""

from __future__ import annotations

import uuid
from datetime import datetime, time
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from refillhub.practices import gates, roles
from refillhub.practices.roles import Action
from review import access, forms, queries_desk, queries_requests, report
from review.views import cards


def midnight_of(request: HttpRequest) -> datetime:
    """The practice-local start of the day."""
    return datetime.combine(cards.today_of(request), time(0), tzinfo=request.shell.zone)


@gates.page(action=Action.see_today)
def today(request: HttpRequest) -> HttpResponse:
    """What needs a person, in ten seconds."""
    found = queries_desk.desk(practice=request.practice, now=request.now, midnight=midnight_of(request),
                              today=cards.today_of(request))
    shown = {"desk": found, "ages": [name for name, _ in queries_desk.AGES], "form_key": uuid.uuid4(), "place": "desk",
             "show": "all"}
    is_part = "X-Refresh" in request.headers
    return render(request, "review/_parts/today.html" if is_part else "review/today.html", shown)


@gates.page(action=Action.see_today)
def report_page(request: HttpRequest) -> HttpResponse:
    """The morning report, for paper."""
    made = report.build(practice=request.practice, now=request.now)
    rows = [(row, queries_desk.name_of(row, practice=request.practice)) for row in made.overnight]
    held = [(row, queries_desk.name_of(row, practice=request.practice)) for row in made.still_held]
    return render(request, "review/report.html", {"made": made, "rows": rows, "held": held, "counts": made.counts()})


@gates.page(action=Action.see_requests)
def requests(request: HttpRequest) -> HttpResponse:
    """Find requests by state, queue and problem; compliance sees initials."""
    form = forms.FindForm(request.GET or None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    opens = roles.may(roles=request.roles, action=Action.work_items)
    found = queries_requests.find(
        practice=request.practice, now=request.now, today=cards.today_of(request), state=wanted.get("state", "open"),
        queue=wanted.get("queue", ""), kind=wanted.get("kind", ""), text=_hexadecimal(wanted.get("find", "")),
        after=request.GET.get("after", ""), by_initials=not opens)
    query = request.GET.copy()
    query.pop("after", None)
    return render(request, "review/requests.html", {
        "form": form if form.is_bound else forms.FindForm(initial={"state": "open"}), "found": found, "opens": opens,
        "query": query.urlencode()})


@gates.page(action=Action.work_items)
def item(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request by itself."""
    row = access.request_for(practice=request.practice, request_id=request_id)
    return cards.page(request, row, place="desk")


def _hexadecimal(text: str) -> str:
    """What can stand at the beginning of a request's id; a name finds nothing and is put nowhere."""
    return "".join(one for one in text.strip().lower() if one in "0123456789abcdef-")[:36]
