"""The out-of-office page: who is away and covered, the on-call roster, what waits, and an absence in two steps.

Nothing is saved before the preview was shown; who gets an item is asked of `routing`, never worked out here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from refillhub.practices import absences, coverage, coverage_words, gates, roles
from refillhub.practices.absence_plans import Plan
from refillhub.practices.models import Coverage, Provider
from refillhub.practices.roles import Action
from review import access, queries_coverage, routing
from review.forms_coverage import AbsenceForm, RosterForm, WhoForm
from review.models import Queue
from review.views import cards

FARTHEST = timedelta(days=366)  # how far the strip pages, and how far absences are listed


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who would get a request at a moment, with the way there in words."""

    at: datetime
    way: list[str]
    owner: routing.Owner


@gates.page(action=Action.see_coverage)
def page(request: HttpRequest) -> HttpResponse:
    """Days, roster, what waits, and who would get a request now."""
    return _shown(request)


@gates.page(action=Action.see_coverage, methods=("POST",))
def preview(request: HttpRequest) -> HttpResponse:
    """What an absence would mean; saves nothing."""
    form, plan = _asked(request)
    if plan is None or plan.refusals or "edit" in request.POST:
        return _shown(request, form=form, status=200 if "edit" in request.POST else 422)
    return render(request, "review/coverage_preview.html", _preview_of(request, form, plan))


@gates.page(action=Action.see_coverage, methods=("POST",))
def arrange(request: HttpRequest) -> HttpResponse:
    """Save what the preview has shown, if it still holds."""
    form, plan = _asked(request)
    if plan is None or plan.refusals:
        return _shown(request, form=form, status=422)
    wish = form.wish(needs_dea=_load(request, form).controlled)
    try:
        absences.arrange(practice=request.practice, wish=wish, by=request.user, now=request.now)
    except absences.Refused as refused:  # someone else arranged another absence in the meantime
        _tell(request, form, refused.plan)
        return _shown(request, form=form, status=422)
    messages.success(request, "The absence is arranged.")
    return redirect("review:coverage")


@gates.page(action=Action.see_coverage, methods=("POST",))
def end(request: HttpRequest, coverage_id: UUID) -> HttpResponse:
    """End or withdraw an absence."""
    try:
        absences.end(practice=request.practice, coverage_id=coverage_id, by=request.user, now=request.now)
    except (Coverage.DoesNotExist, PermissionDenied):
        raise Http404 from None
    messages.success(request, "The absence is over. What is to go back goes back within a minute.")
    return redirect("review:coverage")


@gates.page(action=Action.cover_anyone, methods=("POST",))
def on_call(request: HttpRequest) -> HttpResponse:
    """One step of the on-call roster."""
    form = RosterForm(request.POST)
    if not form.is_valid():
        raise Http404
    given = form.cleaned_data
    try:
        absences.change_on_call(practice=request.practice, provider_id=given["provider"], move=given["move"],
                                by=request.user, now=request.now)
    except Provider.DoesNotExist:
        raise Http404 from None
    return redirect("review:coverage")


def _asked(request: HttpRequest) -> tuple[AbsenceForm, Plan | None]:
    """The posted absence and its plan; None where the form itself is wrong. Another's absence is a stranger's."""
    people = access.providers_of(practice=request.practice)
    form = AbsenceForm(request.POST, providers=_theirs(request, people), stand_ins=people)
    if not form.is_valid():
        return form, None
    wish = form.wish(needs_dea=_load(request, form).controlled)
    try:
        plan = absences.plan(practice=request.practice, wish=wish, by=request.user, now=request.now)
    except absences.BadStandIn:
        form.add_error("stand_in", "Choose another prescriber of this practice.")
        return form, None
    _tell(request, form, plan)
    return form, plan


def _tell(request: HttpRequest, form: AbsenceForm, plan: Plan) -> None:
    for words in dict.fromkeys(coverage_words.refusal(one, request.shell.zone) for one in plan.refusals):
        form.add_error(None, words)


def _load(request: HttpRequest, form: AbsenceForm) -> queries_coverage.Load:
    wish = form.wish(needs_dea=False)
    return queries_coverage.load(
        practice=request.practice, provider_id=wish.provider_id, until=wish.ends_at, zone=request.shell.zone,
        moves_waiting=wish.moves_waiting, now=request.now)


def _preview_of(request: HttpRequest, form: AbsenceForm, plan: Plan) -> dict[str, Any]:
    wish, zone = form.wish(needs_dea=False), request.shell.zone
    taker = plan.parts[0].walk.person
    load = _load(request, form)
    theirs = queries_coverage.count_of(practice=request.practice, provider=taker) if taker else 0
    return {
        "who": plan.parts[0].walk.steps[0].provider, "taker": taker, "load": load, "wish": wish,
        "then": theirs + load.mine, "covers": coverage_words.covers(plan, zone),
        "kept": [(name, request.POST.get(name, "")) for name in form.fields]}


def _shown(request: HttpRequest, *, form: AbsenceForm | None = None, status: int = 200) -> HttpResponse:
    zone, today = request.shell.zone, cards.today_of(request)
    first = _first_day(request, today)
    begins = datetime.combine(first, time(0), tzinfo=zone)
    board = coverage.board(practice=request.practice, since=min(begins, request.now), until=request.now + 2 * FARTHEST)
    people = _active(board)
    theirs = _theirs(request, people)
    if form is None:
        form = AbsenceForm(providers=theirs, stand_ins=people, initial=_initial(today))
    first_choice = {"who": str((theirs or people)[0].pk)} if people else {}
    who = WhoForm(request.GET if "who" in request.GET else None, people=people, initial=first_choice)
    return render(request, "review/coverage.html", {
        "days": [first + timedelta(days=number) for number in range(queries_coverage.DAYS)], "today": today,
        "rows": queries_coverage.strip(board=board, first=first, zone=zone),
        "earlier": first - timedelta(days=queries_coverage.DAYS), "first": first,
        "later": first + timedelta(days=queries_coverage.DAYS), "absences": _absences(board, theirs, request.now),
        "waiting": queries_coverage.waiting(practice=request.practice, board=board, now=request.now, today=today),
        "roster": _roster(board, request.now), "others": [one for one in people if one.on_call_order is None],
        "may_roster": roles.may(roles=request.roles, action=Action.cover_anyone),
        "form": form, "has_own": bool(theirs), "who": who, "verdict": _verdict(request, who, board)}, status=status)


def _verdict(request: HttpRequest, form: WhoForm, board: coverage.Board) -> Verdict | None:
    if not form.is_bound or not form.is_valid():
        return None
    provider_id, at = form.asked(now=request.now)
    prescriber = board.people.get(provider_id) if provider_id else None
    owner = routing.owner(practice=request.practice, prescriber=prescriber, queue=Queue.PRESCRIBER, now=at)
    if prescriber is None:
        return Verdict(at, ["No prescriber is known: the on-call roster is asked."], owner)
    then = coverage.board(practice=request.practice, since=at, until=at + timedelta(seconds=1))
    walk = then.walk(start=prescriber.id, at=at)
    return Verdict(at, coverage_words.way(walk=walk, board=then, at=at, zone=request.shell.zone), owner)


def _absences(board: coverage.Board, theirs: list[Provider], now: datetime) -> list[tuple[Coverage, Any, Any, bool]]:
    """What is under way or to come, with the people by name and whether this person may end it."""
    mine = {one.id for one in theirs}
    rows = sorted((row for row in board.rows if row.ends_at > now), key=lambda row: row.starts_at)
    return [
        (row, board.people[row.provider_id], board.people.get(row.stand_in_id) if row.stand_in_id else None,
         row.provider_id in mine)
        for row in rows[:100]
    ]


def _roster(board: coverage.Board, now: datetime) -> list[tuple[Provider, Coverage | None]]:
    people = [one for one in board.people.values() if one.is_active and one.on_call_order is not None]
    return [(one, board.absence_of(provider_id=one.id, at=now))
            for one in sorted(people, key=lambda each: each.on_call_order or 0)]


def _active(board: coverage.Board) -> list[Provider]:
    people = (one for one in board.people.values() if one.is_active)
    return sorted(people, key=lambda one: (one.last_name, one.first_name))


def _theirs(request: HttpRequest, people: list[Provider]) -> list[Provider]:
    """Whose absences this person arranges: anyone's, or the own."""
    if roles.may(roles=request.roles, action=Action.cover_anyone):
        return people
    return [one for one in people if one.user_id == request.user.pk]


def _first_day(request: HttpRequest, today: date) -> date:
    """The strip's first day as asked, within a year; anything else is today."""
    try:
        asked = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        return today
    return asked if abs(asked - today) <= FARTHEST else today


def _initial(today: date) -> dict[str, Any]:
    """Whole days by default: tomorrow."""
    tomorrow = datetime.combine(today + timedelta(days=1), time(0))
    return {"starts_at": tomorrow, "ends_at": tomorrow + timedelta(days=1), "moves": "all", "returns": "stay"}
