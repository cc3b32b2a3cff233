"""The compliance page: find entries of the audit trail, verify the chain, export. Never a patient's name."""

from __future__ import annotations

import inspect
import time as timing
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from audit import export, log, offline, signed, verification
from audit.events import Draft
from refillhub.practices import doors, gates, references
from refillhub.practices.roles import Action
from review import audit_runs, forms, queries_audit
from review.models import AuditRun
from review.queries_audit import Filter

MOST_AT_ONCE = 1_000_000  # entries verified while a person waits; more is the nightly command's


@gates.page(action=Action.see_audit)
def audit(request: HttpRequest) -> HttpResponse:
    """Entries by filter, newest first, fifty at a time; one of them opened beside."""
    form = forms.AuditForm(request.GET or None)
    is_right = not form.is_bound or form.is_valid()
    wanted, before = (_filter(request, form), form.cleaned_data["before"]) if form.is_bound and is_right else (
        Filter(), None)
    people = queries_audit.people(practice=request.practice)
    found = queries_audit.entries(practice=request.practice, wanted=wanted, before=before, people=people)
    query = request.GET.copy()
    for name in ("before", "entry"):
        query.pop(name, None)
    number = request.GET.get("entry", "")
    opened = next((line for line in found.lines if str(line.number) == number), None)
    if opened is None and number.isdecimal() and len(number) < 18:
        opened = queries_audit.entry(practice=request.practice, number=int(number), people=people)
    return render(request, "review/audit.html", {
        "form": form, "found": found, "people": people, "query": query.urlencode(), "opened": opened,
        "head": queries_audit.head(practice=request.practice),
        "verified": queries_audit.last_verification(practice=request.practice),
    }, status=200 if is_right else 422)


@gates.page(action=Action.see_audit, methods=("POST",))
def verify(request: HttpRequest) -> HttpResponse:
    """Recompute the practice's whole chain and record what came of it."""
    head = queries_audit.head(practice=request.practice)
    if head is not None and head.number > MOST_AT_ONCE:
        messages.warning(request, f"{head.number:,} entries are too many for a page; the nightly run verifies them.")
        return redirect("review:audit")
    began = timing.perf_counter()
    verified = verification.verify_one(practice_id=request.practice.id).verified
    took = timing.perf_counter() - began
    outcome = "whole" if verified.fault is None else "broken"
    data = {"entries": verified.entries, "milliseconds": int(took * 1000)}
    if verified.fault is not None:
        data |= {"number": verified.fault.number, "kind": str(verified.fault.kind)}
    with transaction.atomic():
        log.record(now=request.now, draft=Draft(
            practice_id=request.practice.id, event="audit.verified", actor=doors.person(request.user), trigger="page",
            outcome=outcome, data=data))
    if verified.fault is None:
        messages.success(request, f"The chain is whole: {verified.entries:,} entries recomputed in {took:.1f} s.")
    else:
        messages.error(request, f"The chain is broken at entry {verified.fault.number:,}: {verified.fault.kind}.")
    return redirect("review:audit")


@gates.page(action=Action.export_audit)
def export_csv(request: HttpRequest) -> HttpResponse:
    """The filtered entries as CSV; the download is an entry itself, written before the first line leaves."""
    form = forms.AuditForm(request.GET or None)
    if form.is_bound and not form.is_valid():
        return redirect("review:audit")
    wanted = _filter(request, form) if form.is_bound else Filter()
    found = queries_audit.matching(practice=request.practice, wanted=wanted).order_by("number")
    head = queries_audit.head(practice=request.practice)
    last = head.number if head is not None else 0
    found = found.filter(number__lte=last)
    count = found.count()
    with transaction.atomic():
        log.record(now=request.now, draft=Draft(
            practice_id=request.practice.id, event="audit.exported", actor=doors.person(request.user), trigger="page",
            data={"rows": count, "up_to": last, "filter": {
                "since": wanted.since.isoformat() if wanted.since else "", "event": wanted.event,
                "until": wanted.until.isoformat() if wanted.until else "", "who": wanted.who,
                "outcome": wanted.outcome, "branch": wanted.branch, "reference": wanted.reference}}))
    response = StreamingHttpResponse(_lines(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-{request.shell.local_now:%Y-%m-%d}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@gates.page(action=Action.export_audit, methods=("POST",))
def export_ask(request: HttpRequest) -> HttpResponse:
    """Ask for an export of the filtered entries, made in the background."""
    form = forms.AuditForm(request.POST)
    kind = request.POST.get("kind", "")
    if not form.is_valid() or kind not in AuditRun.Kind.values:
        return redirect("review:audit")
    audit_runs.ask(practice=request.practice, user=request.user, kind=kind, wanted=_filter(request, form),
                   now=request.now)  # fmt: skip
    return redirect("review:audit_exports")


@gates.page(action=Action.export_audit)
def exports(request: HttpRequest) -> HttpResponse:
    """The exports of the last day and how far they are; refreshed while one is being made."""
    found = AuditRun.objects.filter(practice=request.practice).select_related("asked_by")
    rows = list(found.order_by("-asked_at")[:20])
    shown = {"rows": rows, "is_busy": any(row.progress in ("waiting", "running") for row in rows),
             "public_key": signed.public_key()}  # fmt: skip
    is_part = "X-Refresh" in request.headers
    return render(request, "review/_parts/exports.html" if is_part else "review/exports.html", shown)


@gates.page(action=Action.export_audit)
def export_download(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One finished export."""
    run = AuditRun.objects.filter(practice=request.practice, pk=run_id, progress=AuditRun.Progress.DONE).first()
    if run is None or (run.expires_at is not None and run.expires_at <= request.now):
        raise Http404
    kinds = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
    pieces = audit_runs.download(run=run, user=request.user, now=request.now)
    response = StreamingHttpResponse(pieces, content_type=kinds[run.kind])
    name = f"audit-{run.asked_at:%Y-%m-%d}-{run.id.hex[:8]}.{run.kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@gates.page(action=Action.export_audit)
def verifier(request: HttpRequest) -> HttpResponse:
    """The offline verifier as one file."""
    response = HttpResponse(inspect.getsource(offline), content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="verify_audit_export.py"'
    return response


@gates.page(action=Action.see_audit, methods=("POST",))
def look_up(request: HttpRequest) -> HttpResponse:
    """A patient's entries by the chart's id: its keyed reference is computed, the id itself is put nowhere."""
    chart_id = request.POST.get("chart", "").strip()
    if not chart_id or len(chart_id) > 64:
        return redirect("review:audit")
    found = references.patient_ref(practice=request.practice, patient_id=chart_id)
    with transaction.atomic():
        log.record(now=request.now, draft=Draft(
            practice_id=request.practice.id, event="audit.looked_up", actor=doors.person(request.user), trigger="page",
            patient_ref=found))
    return redirect(reverse("review:audit") + "?" + urlencode({"reference": found}))


def _lines(found: queries_audit.EntryQuerySet) -> Iterator[str]:
    yield from export.csv_lines(found=found.iterator(chunk_size=2000))


def _filter(request: HttpRequest, form: forms.AuditForm) -> Filter:
    data = form.cleaned_data
    return Filter(
        since=_start(request, data["since"]), until=_start(request, data["until"], days=1), event=data["event"],
        who=data["who"].strip(), outcome=data["outcome"], branch=data["branch"], reference=data["reference"])


def _start(request: HttpRequest, day: date | None, *, days: int = 0) -> datetime | None:
    """The practice-local beginning of a day, or of the day after."""
    return datetime.combine(day + timedelta(days=days), time(0), tzinfo=request.shell.zone) if day else None
