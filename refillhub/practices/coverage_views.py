"""The out-of-office page: who is away, who stands in, and one form to arrange it."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from refillhub.practices import absences, forms, roles
from refillhub.practices.models import Coverage, Provider
from refillhub.practices.roles import Action


def _may_see(request: HttpRequest) -> bool:
    return request.practice is not None and any(
        roles.may(roles=request.roles, action=action) for action in (Action.cover_self, Action.cover_anyone))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def coverage_page(request: HttpRequest) -> HttpResponse:
    """Absences under way and to come; a prescriber arranges their own, assistant and administrator anyone's."""
    if not _may_see(request):
        raise Http404
    theirs = active = Provider.objects.active().filter(practice=request.practice).order_by("last_name")
    if not roles.may(roles=request.roles, action=Action.cover_anyone):
        theirs = active.filter(user=request.user)
    form = forms.AbsenceForm(request.POST or None, providers=theirs, stand_ins=active)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and _arranged(request, form):
            return redirect("practices:coverage")
    rows = Coverage.objects.filter(practice=request.practice, ends_at__gt=request.now).select_related(
        "provider", "stand_in").order_by("starts_at")
    may_end = set(theirs.values_list("pk", flat=True))
    shown = {"rows": [(row, row.provider_id in may_end) for row in rows], "form": form, "has_own": bool(may_end)}
    return render(request, "practices/coverage.html", shown, status=status)


@require_POST
def end_coverage(request: HttpRequest, coverage_id: UUID) -> HttpResponse:
    """End or withdraw an absence."""
    if not _may_see(request):
        raise Http404
    try:
        absences.end(practice=request.practice, coverage_id=coverage_id, by=request.user, now=request.now)
    except (Coverage.DoesNotExist, PermissionDenied):
        raise Http404 from None
    return redirect("practices:coverage")


def _arranged(request: HttpRequest, form: forms.AbsenceForm) -> bool:
    given = form.cleaned_data
    try:
        absences.arrange(
            practice=request.practice, provider_id=given["provider"].pk, starts_at=given["starts_at"],
            ends_at=given["ends_at"], stand_in_id=given["stand_in"].pk if given["stand_in"] else None,
            note=given["note"], by=request.user, now=request.now)
    except absences.BadStandIn:
        form.add_error("stand_in", "Choose another prescriber of this practice.")
        return False
    return True
