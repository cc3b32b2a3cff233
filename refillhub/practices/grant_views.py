"""People who sign: one person asks for the right in a prescriber's name, a registrant approves with both factors."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from refillhub.practices import account_forms, factors, gates, grants, roles
from refillhub.practices.models import Provider, SigningGrant
from refillhub.practices.roles import Action


@gates.page(action=Action.see_signing)
def signers(request: HttpRequest) -> HttpResponse:
    """Who may sign, who waits for a second person, and who may be asked for."""
    return _page(request)


@gates.page(action=Action.manage_people, methods=("POST",))
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a prescriber's right to sign."""
    form = account_forms.GrantForm(request.POST, providers=_askable(request))
    if not form.is_valid():
        return _page(request, form=form, status=422)
    try:
        grants.request_grant(
            practice=request.practice, provider_id=form.cleaned_data["provider"].pk,
            ends_on=form.cleaned_data["registration_ends_on"], evidence=form.cleaned_data["evidence"],
            by=request.user, now=request.now, today=request.shell.local_now.date())
    except grants.NotGranted as no:
        form.add_error(None, str(no))
        return _page(request, form=form, status=422)
    messages.success(request, "Asked for; a registrant of the practice must approve it.")
    return redirect("practices:signers")


@sensitive_post_parameters()
@gates.page(action=Action.approve_signing, methods=("POST",))
def approve(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """The second person's yes, with both factors."""
    row = SigningGrant.objects.open().filter(practice=request.practice, pk=grant_id).first()
    if row is None:
        raise Http404
    try:
        proof = factors.prove(request=request, password=request.POST.get("password", ""),
                              code=request.POST.get("code", ""), digest=grants.digest(row), step="grant")
        grants.approve_grant(practice=request.practice, grant_id=row.pk, by=request.user, proof=proof,
                             now=request.now, today=request.shell.local_now.date())
    except factors.Refused as no:
        return _page(request, line=str(no), status=429 if no.wait_seconds else 422)
    except grants.NotGranted as no:
        return _page(request, line=str(no), status=409)
    messages.success(request, f"{row.provider} may sign from now on.")
    return redirect("practices:signers")


@gates.page(action=Action.see_signing, methods=("POST",))
def end(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """End a right at once; asks no code, since ending is always the safe side."""
    reason = request.POST.get("reason", SigningGrant.EndReason.withdrawn)
    if reason not in SigningGrant.EndReason.values:
        raise Http404
    try:
        grants.end_grant(practice=request.practice, grant_id=grant_id, reason=reason, by=request.user, now=request.now)
    except (SigningGrant.DoesNotExist, PermissionDenied):
        raise Http404 from None
    messages.success(request, "Ended.")
    return redirect("practices:signers")


def _askable(request: HttpRequest):
    taken = SigningGrant.objects.open().filter(practice=request.practice).values("provider_id")
    return Provider.objects.active().filter(practice=request.practice).exclude(pk__in=taken).order_by("last_name")


def _page(request: HttpRequest, *, form=None, line: str = "", status: int = 200) -> HttpResponse:
    rows = SigningGrant.objects.filter(practice=request.practice).select_related(
        "provider", "requested_by", "approved_by", "ended_by").order_by("ended_at", "provider__last_name")
    may_ask = roles.may(roles=request.roles, action=Action.manage_people)
    own = Provider.objects.active().filter(practice=request.practice, user=request.user).exclude(dea_number="")
    shown = {
        "rows": [row for row in rows if row.ended_at is None], "old": [row for row in rows if row.ended_at][-20:],
        "form": form or (account_forms.GrantForm(providers=_askable(request)) if may_ask else None), "line": line,
        "may_ask": may_ask, "reasons": SigningGrant.EndReason.choices,
        "may_approve": roles.may(roles=request.roles, action=Action.approve_signing) and own.exists(),
        "may_end": may_ask or roles.may(roles=request.roles, action=Action.approve_signing),
        "today": request.shell.local_now.date(),
    }
    return render(request, "practices/signers.html", shown, status=status)
