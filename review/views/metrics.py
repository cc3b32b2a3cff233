"""The metrics page: figures of a period with what they mean, charts with their tables, and the same as CSV.

Never a patient; never one prescriber's times to another person.
"""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from audit import export
from refillhub.practices import baseline, doors, gates, roles
from refillhub.practices.models import Location
from refillhub.practices.roles import Action
from review import access, figures, metrics
from review import figures_shown as shown_as
from review import figures_words as words
from review.figures import Period, Stage, Tally
from review.figures_shown import Asked, Found

PERIOD_NAMES = (("week", "Week"), ("4-weeks", "4 weeks"), ("quarter", "Quarter"))
OF_THE_CSV = ("median", "p95", "automatic_rate", "review_rate", "protocol_rate", "nack_rate")


class MinutesForm(forms.Form):
    """Minutes that one refill takes by hand."""

    minutes = forms.IntegerField(min_value=1, max_value=120)


# --- pages -----------------------------------------------------------------------------------------------------------


@gates.page(action=Action.see_metrics)
def page(request: HttpRequest) -> HttpResponse:
    """The figures of a period."""
    found = _find(request)
    asked = found.asked
    shown: dict[str, Any] = {
        "asked": asked, "periods": PERIOD_NAMES, "classes": shown_as.classes(found), "definitions": words.DEFINITIONS,
        "exact": words.EXACT, "smallest": figures.SMALLEST, "uncounted": found.uncounted, "query": _query(asked),
        "first_figures": figures.FIRST_FIGURES, "decided_at_all": found.decided_at_all,
        "range": words.days(asked.days.first, asked.days.last),
        "may_set": roles.may(roles=request.roles, action=Action.manage_practice),
    }  # fmt: skip
    if found.decided_at_all < figures.FIRST_FIGURES:
        return render(request, "review/metrics.html", shown | {"is_empty": True})
    if found.is_too_few:
        return render(request, "review/metrics.html", shown | {"is_too_few": True})
    minutes = request.practice.minutes_per_refill
    tally = found.sum_of(asked.days)
    now = figures.figures(tally, minutes_per_refill=minutes)
    before = figures.figures(found.sum_of(asked.days.before), minutes_per_refill=minutes)
    provider = access.provider_of(user=request.user, practice=request.practice)
    own = metrics.own_times(practice=request.practice, user=request.user, days=asked.days) if provider else None
    shown |= {
        "now": now, "six": shown_as.six(now, before), "minutes": minutes, "stages": shown_as.stages(tally),
        "days": shown_as.by_day(found), "weeks": shown_as.by_week(found), "modes": shown_as.modes(found),
        "by_class": shown_as.groups(found, shown_as.class_of),
        "by_location": shown_as.groups(found, shown_as.place(asked)), "ways": list(words.WAYS.values()),
        "key": [(shown_as.CSS[way], said) for way, said in words.WAYS.items()],
        "own": (own.decided, *(words.span(one) for one in figures.median_and_p95(own, Stage.PRESCRIBER)))
        if own is not None and own.decided else None,
    }  # fmt: skip
    return render(request, "review/metrics.html", shown)


@gates.page(action=Action.see_metrics)
def figures_csv(request: HttpRequest) -> HttpResponse:
    """The same figures as CSV: times in seconds, rates in percent; groups too small are left out."""
    found = _find(request)
    asked, minutes = found.asked, request.practice.minutes_per_refill
    out = io.StringIO()
    writer = csv.writer(out)
    stages = [name for stage in words.STAGES for name in (f"{stage}_median_seconds", f"{stage}_p95_seconds")]
    writer.writerow([
        "group", "name", "mode", "first_day", "last_day", "decided", *words.WAYS, "latency_median_seconds",
        "latency_p95_seconds", "automatic_rate", "review_rate", "protocol_rate", "nack_rate", "sent", "rejected",
        "apologies", "minutes_per_refill", "hours_returned", *stages,
    ])  # fmt: skip
    if found.decided_at_all >= figures.FIRST_FIGURES and not found.is_too_few:
        for group, name, days, tally in _csv_groups(found):
            writer.writerow(_csv_row(group, name, "shadow" if asked.is_shadow else "live", days, tally, minutes))
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="figures-{asked.days.first}-to-{asked.days.last}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@gates.page(action=Action.manage_practice, methods=("POST",))
def set_minutes(request: HttpRequest) -> HttpResponse:
    """The practice's own minutes per refill."""
    form = MinutesForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Minutes per refill are a whole number from 1 to 120. Nothing was changed.")
        return redirect("review:metrics")
    baseline.set_minutes(practice=request.practice, minutes=form.cleaned_data["minutes"],
                         actor=doors.person(request.user), now=request.now)  # fmt: skip
    messages.success(request, "Saved.")
    return redirect("review:metrics")


# --- what was asked --------------------------------------------------------------------------------------------------


def _find(request: HttpRequest) -> Found:
    practice, today = request.practice, request.shell.local_now.date()
    name = request.GET.get("period", "4-weeks")
    locations = tuple(practice.locations.order_by("name"))
    asked = Asked(
        period=name if name in metrics.PERIODS else "4-weeks",
        days=metrics.period(name=name, today=today),
        location=_location(request.GET.get("location", ""), locations),
        drug_class=request.GET.get("class", "")[:40],
        is_shadow={"shadow": True, "live": False}.get(request.GET.get("mode", ""), practice.is_shadow),
        locations=locations,
    )
    read = metrics.read(practice=practice, days=Period(asked.days.before.first, asked.days.last), today=today)
    return Found(asked, read.tallies, read.uncounted)


def _location(text: str, locations: tuple[Location, ...]) -> Location | None:
    if not text:
        return None
    try:
        wanted = uuid.UUID(text)
    except ValueError:
        raise Http404 from None
    for one in locations:
        if one.pk == wanted:
            return one
    raise Http404


def _query(asked: Asked) -> str:
    parts = {"location": str(asked.location.pk) if asked.location else "", "class": asked.drug_class}
    chosen = "".join(f"&{name}={value}" for name, value in parts.items() if value)
    return f"{chosen}&mode={'shadow' if asked.is_shadow else 'live'}"


# --- the lines of the CSV ---------------------------------------------------------------------------------------------


def _csv_groups(found: Found) -> list[tuple[str, str, Period, Tally]]:
    asked = found.asked
    made = [("all", "", asked.days, found.sum_of(asked.days)),
            ("before", "", asked.days.before, found.sum_of(asked.days.before))]  # fmt: skip
    for first, last, tally in figures.joined(shown_as.series(found)):
        made.append(("days", "", Period(first, last), tally))
    for group, of in (("location", shown_as.place(asked)), ("drug_class", shown_as.class_of)):
        shown, rest = figures.split(found.by(of))
        made += [(group, name, asked.days, tally) for name, tally in shown]
        if rest.decided >= figures.SMALLEST:
            made.append((group, "all others together", asked.days, rest))
    return made


def _csv_row(group: str, name: str, mode: str, days: Period, tally: Tally, minutes: int) -> list[object]:
    one = figures.figures(tally, minutes_per_refill=minutes)
    stages = [_round(time) for stage in words.STAGES for time in figures.median_and_p95(tally, stage)]
    return [
        group, export.safe(name), mode, days.first, days.last, one.decided, *(tally.counts[way] for way in words.WAYS),
        *(_round(getattr(one, figure)) for figure in OF_THE_CSV), one.sent, one.rejected, one.apologies, minutes,
        _round(one.hours_returned), *stages,
    ]  # fmt: skip


def _round(value: float | None) -> object:
    return "" if value is None else round(value, 2)
