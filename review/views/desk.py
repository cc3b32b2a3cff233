"""The assistant's pages: today, morning report, requests list, one request. Acts are posted to `acting`."""

from __future__ import annotations

import uuid
from datetime import datetime, time
from uuid import UUID

from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations.models import PharmacyEntry
from refillhub.practices import gates, roles
from refillhub.practices.roles import Action
from review import access, forms, queries_desk, queries_pharmacies, queries_requests, report, workflow
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


@gates.page(action=Action.work_items)
def pharmacy_page(request: HttpRequest) -> HttpResponse:
    """Search the directory, and see which patients use a pharmacy that is no longer current."""
    text = request.GET.get("find", "").strip()[:80]
    stage = request.practice.stage
    read_at = PharmacyEntry.objects.filter(stage=stage).aggregate(at=Max("seen_at"))["at"]
    return render(request, "review/pharmacies.html", {
        "text": text, "found": queries_pharmacies.search(stage=stage, text=text, now=request.now), "read_at": read_at,
        "stale": queries_pharmacies.stale(practice=request.practice, now=request.now),
        "most": queries_pharmacies.MOST_FOUND})


def _hexadecimal(text: str) -> str:
    """What can stand at the beginning of a request's id; a name finds nothing and is put nowhere."""
    return "".join(one for one in text.strip().lower() if one in "0123456789abcdef-")[:36]


@gates.page(action=Action.see_today, methods=("POST",))
def end_alarm(request: HttpRequest, alarm_id: UUID) -> HttpResponse:
    """An assistant has seen an alarm and ends it."""
    if not workflow.end_alarm(alarm_id=alarm_id, practice=request.practice, by=request.user, now=request.now):
        raise Http404
    return redirect("review:today")
