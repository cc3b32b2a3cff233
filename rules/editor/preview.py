"""The preview of a version: ask for a run, watch it, read the result. Whoever opens a finished result has looked."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from rules import previewing
from rules.editor import desk, frame
from rules.editor.desk import Desk
from rules.findings import Outcome
from rules.models import PreviewRun

DAYS = (7, 28, 90, 365)
WORDS = {
    Outcome.auto_approve: "Automatic", Outcome.review: "Review", Outcome.ask_visit: "Visit", Outcome.hold: "Hold",
    Outcome.controlled_task: "Task in the chart", Outcome.pharmacy_change: "Pharmacy", Outcome.tell: "Told",
    Outcome.duplicate: "Duplicate", Outcome.person: "Person",
}  # fmt: skip


@desk.page()
def page(here: Desk) -> HttpResponse:
    """The newest run of this version as it is now; a POST asks for one."""
    if here.request.method == "POST":
        wanted = here.request.POST.get("days", "")
        days = int(wanted) if wanted.isdecimal() and int(wanted) in DAYS else previewing.DAYS
        previewing.ask(version=here.one, by=here.person, now=here.now, days=days)
        return HttpResponseRedirect(here.request.path)
    sha = previewing.fingerprint(document=here.one.document)
    run = PreviewRun.objects.filter(version=here.one).order_by("-asked_at").first()
    if run is not None and run.document_sha256 == sha:
        previewing.look(run=run, by=here.person, now=here.now)
    context = frame.context(
        here,
        current="preview",
        run=run,
        is_current=run is not None and run.document_sha256 == sha,
        is_open=run is not None and run.state in (PreviewRun.State.waiting, PreviewRun.State.running),
        matrix=_matrix(run.result) if run is not None and run.state == PreviewRun.State.done else None,
        agreement=_agreement(here, run.result) if run is not None and run.state == PreviewRun.State.done else [],
        days=DAYS,
        bound_percent=_percent(run.result) if run is not None else "",
    )
    return render(here.request, "rules/preview.html", context)


def _percent(result: dict[str, Any]) -> str:
    permille = result.get("bound_permille")
    return "" if permille is None else f"{permille / 10:.1f}"


def _agreement(here: Desk, result: dict[str, Any]) -> list[dict[str, Any]]:
    """Per recipe and drug class: how often people did the same; most differing first (F129)."""
    names = {one.key: one.name for one in here.rules.recipes}
    classes = here.rules.protocols.by_key
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for recipe, drug_class, answer, count in result.get("agreement", []):
        said = ", ".join(classes[key].name if key in classes else key for key in drug_class.split("+") if key)
        row = found.setdefault(
            (recipe, drug_class),
            {"key": recipe if recipe in names else "", "name": names.get(recipe, recipe.replace("_", " ")),
             "drug_class": said or "no class", "agree": 0, "differ": 0, "left": 0, "open": 0},
        )  # fmt: skip
        row[answer] += count
    return sorted(found.values(), key=lambda row: (-row["differ"], -row["agree"], row["name"]))


def _matrix(result: dict[str, Any]) -> dict[str, Any]:
    """The counts as a table: a row for each old outcome, a column for each new one; more automatic ones first."""
    counts = {(before, after): count for before, after, count in result["matrix"]}
    order = [one.value for one in WORDS]
    olds = [one for one in order if any(before == one for before, _ in counts)]
    news = [one for one in order if any(after == one for _, after in counts)]
    return {
        "columns": [WORDS[Outcome(one)] for one in news],
        "rows": [
            {
                "name": WORDS[Outcome(old)],
                "cells": [
                    {
                        "count": counts.get((old, new), 0),
                        "is_same": old == new,
                        "is_hit": old != new and new == Outcome.auto_approve and counts.get((old, new), 0) > 0,
                    }
                    for new in news
                ],
            }
            for old in olds
        ],
    }
