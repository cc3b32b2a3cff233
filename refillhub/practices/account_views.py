"""A person's own second factor (new recovery codes, another device) and the practice's agreement.

Each change of a second factor asks for a fresh code of the present one. Recovery codes are shown once and never again.
"""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from refillhub.practices import account_forms, doors, forms, gates, opening, otp
from refillhub.practices.models import User
from refillhub.practices.roles import Action


@gates.page()
def account_page(request: HttpRequest) -> HttpResponse:
    """Own name, address and second factor."""
    return _account(request)


@sensitive_post_parameters()
@gates.page(methods=("POST",))
def renew_codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes, shown this once; the old ones are void."""
    form = forms.CodeForm(request.POST, prefix="codes")
    with transaction.atomic():
        if not _is_fresh(request, form):
            return _account(request, codes_form=form)
        codes = otp.renew_recovery_codes(user=request.user)
        doors.note(user=request.user, event="recovery_codes.renewed", now=request.now)
    return render(request, "practices/recovery_codes.html", {"codes": codes, "place": reverse("practices:account")})


@sensitive_post_parameters()
@gates.page(methods=("POST",))
def replace_device(request: HttpRequest) -> HttpResponse:
    """Remove the present device and all recovery codes, in every browser, and enrol another at once."""
    form = forms.CodeForm(request.POST, prefix="device")
    with transaction.atomic():
        if not _is_fresh(request, form):
            return _account(request, device_form=form)
        otp.remove(user=request.user, by=request.user, now=request.now)
    return redirect("practices:enrol")


@gates.page(action=Action.manage_practice, methods=("GET", "POST"))
def agreement(request: HttpRequest) -> HttpResponse:
    """Record the business associate agreement; without it no patient data is taken in."""
    practice = request.practice
    known = {"signed_on": practice.baa_signed_on, "signed_by": practice.baa_signed_by}
    today = request.shell.local_now.date()
    form = account_forms.AgreementForm(request.POST or None, initial=known, today=today)
    if request.method == "POST" and form.is_valid():
        opening.record_baa(practice=practice, actor=doors.person(request.user), now=request.now, **form.cleaned_data)
        messages.success(request, "Recorded.")
        return redirect("practices:agreement")
    return render(request, "practices/account_agreement.html", {"form": form},
                  status=422 if request.method == "POST" else 200)


def _is_fresh(request: HttpRequest, form: forms.CodeForm) -> bool:
    """Whether the form holds a right code, used up with this look; otherwise the form says why not."""
    if not form.is_valid():
        return False
    # The person's row first: two tabs that change the second factor at once take turns.
    user = User.objects.select_for_update().get(pk=request.user.pk)
    verdict = otp.verify(user=user, code=form.cleaned_data["code"], now=request.now)
    if verdict.is_right:
        return True
    doors.note(user=user, event="sign_in.failed", now=request.now, outcome="refused", step="code")
    wait = verdict.wait_seconds
    form.add_error("code", f"Too many tries. Wait {wait} s, then use a new code." if wait else
                   "That code is not right, or it was used already. Wait for the next one.")
    return False


def _account(request: HttpRequest, **given: forms.CodeForm) -> HttpResponse:
    shown = {
        "codes_form": given.get("codes_form") or forms.CodeForm(prefix="codes"),
        "device_form": given.get("device_form") or forms.CodeForm(prefix="device"),
        "left": otp.StaticToken.objects.filter(device__user=request.user).count(),
    }
    for form in (shown["codes_form"], shown["device_form"]):
        form.fields["code"].widget.attrs.pop("autofocus", None)
    return render(request, "practices/account.html", shown, status=422 if given else 200)
