"""The compliance page of controlled prescriptions: each day's report with its sign-off, incidents and their clock.

Ids, counts and codes; never a patient. A day is signed off with a fresh code (21 CFR 1311.150).
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from refillhub.practices import gates, grants, otp, roles
from refillhub.practices.models import SigningGrant
from refillhub.practices.roles import Action
from review import forms, workflow
from review.models import EpcsDay, Incident

MOST = 31
WORDS = {
    "prepared": "Prepared", "signed": "Signed", "received": "Received by the pharmacy", "taken": "Taken by the network",
    "under_way": "On the way", "unknown": "Answer unknown", "failed": "Failed", "not_sent": "Signed, then not sent",
    "lapsed": "Not signed in time", "refused": "Signing refused", "wrong_factors": "Password or code refused",
    "reminded": "Reminders", "escalated": "Told a stand-in or the on-call", "rights_asked": "Rights to sign asked for",
    "rights_given": "Rights to sign given", "rights_ended": "Rights to sign ended", "incidents": "Incidents opened",
}  # fmt: skip


@gates.page(action=Action.see_epcs)
def page(request: HttpRequest) -> HttpResponse:
    """The days, newest first, and what is open."""
    return _page(request)


@sensitive_post_parameters()
@gates.page(action=Action.review_epcs, methods=("POST",))
def review(request: HttpRequest, day: str) -> HttpResponse:
    """Sign one day off, with a fresh code."""
    form = forms.DayForm(request.POST)
    if not form.is_valid():
        return _page(request, line="Enter a code of your authenticator.", status=422)
    verdict = otp.verify(user=request.user, code=form.cleaned_data["code"], now=request.now)
    if not verdict.is_right:
        wait = f" Wait {verdict.wait_seconds} s." if verdict.wait_seconds else ""
        return _page(request, line=f"That code is not right, or it was used already.{wait}", status=422)
    try:
        workflow.review_day(practice=request.practice, day=date.fromisoformat(day), user=request.user,
                            note=form.cleaned_data["note"], now=request.now)  # fmt: skip
    except (ValueError, EpcsDay.DoesNotExist):
        raise Http404 from None
    except workflow.NotPossible as no:
        return _page(request, line=str(no), status=422)
    messages.success(request, "Signed off.")
    return redirect("review:epcs")


@gates.page(action=Action.review_epcs, methods=("POST",))
def open_incident(request: HttpRequest) -> HttpResponse:
    """Open an incident in one's own words; its clock starts now."""
    try:
        workflow.report_found(practice=request.practice, user=request.user, kind=Incident.Kind.OTHER,
                              words=request.POST.get("words", ""), now=request.now)  # fmt: skip
    except workflow.NotPossible as no:
        return _page(request, line=str(no), status=422)
    messages.success(request, "Opened. It is to be reported within one business day.")
    return redirect("review:epcs")


@gates.page(action=Action.review_epcs, methods=("POST",))
def end_incident(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Record where an incident was reported, or why it was none."""
    try:
        workflow.end_incident(practice=request.practice, incident_id=incident_id, user=request.user, now=request.now,
                              reference=request.POST.get("reference", ""),
                              is_none=request.POST.get("how") == "none")  # fmt: skip
    except Incident.DoesNotExist:
        raise Http404 from None
    except workflow.NotPossible as no:
        return _page(request, line=str(no), status=422)
    messages.success(request, "Recorded.")
    return redirect("review:epcs")


def _page(request: HttpRequest, *, line: str = "", status: int = 200) -> HttpResponse:
    days = EpcsDay.objects.filter(practice=request.practice).select_related("reviewed_by").order_by("-day")[:MOST]
    rows = [
        (day, [(WORDS[name], day.counts[name]) for name in WORDS if day.counts.get(name)],
         any(day.counts.get(name) for name in workflow.incidents.NEEDS_NOTE))
        for day in days
    ]  # fmt: skip
    found = Incident.objects.filter(practice=request.practice).select_related("reported_by", "opened_by")
    own = SigningGrant.objects.filter(practice=request.practice).select_related("provider")
    today = request.shell.local_now.date()
    shown = {
        "rows": rows, "most": MOST, "line": line, "open": found.filter(reported_at__isnull=True).order_by("report_by"),
        "ended": found.filter(reported_at__isnull=False).order_by("-reported_at")[:20],
        "signers": [(one, grants.standing(provider=one.provider, today=today) is not None)
                    for one in own.open().order_by("provider__last_name")],
        "may_review": roles.may(roles=request.roles, action=Action.review_epcs),
    }  # fmt: skip
    return render(request, "review/epcs.html", shown, status=status)
