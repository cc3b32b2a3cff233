"""Pages of the door: sign in, second factor, choose practice, unlock; then stop switches and the prescriber's consent.

Each view reads the form, calls one verb and redirects. Errors never tell which of e-mail and password was wrong.
"""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

import django_otp
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from refillhub.practices import consents, doors, factors, forms, gates, kept_forms, middleware, otp, switches
from refillhub.practices.models import Provider
from refillhub.practices.roles import Action

GET_POST = ["GET", "HEAD", "POST"]


def home(request: HttpRequest) -> HttpResponse:
    """The first page of the person's role."""
    links = request.shell.links
    return redirect(links[0].address if links else "practices:choose_practice")


@never_cache
@sensitive_post_parameters()
@require_http_methods(GET_POST)
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password; throttled per account and address."""
    place = middleware.safe_place(request, request.GET.get("next", "/"))
    if request.method == "GET" and request.user.is_authenticated:
        return redirect(place)
    form = forms.SignInForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"].lower()
        if not factors.may_try(request, email=email):
            return _locked_out(request)
        user = factors.checked(request, email=email, password=form.cleaned_data["password"])
        if user is not None:
            request.session.flush()
            login(request, user)
            doors.note(user=user, event="sign_in.succeeded", now=request.now)
            return redirect(_with_next("practices:code", place))
        is_locked = bool(getattr(request, "axes_locked_out", False))
        doors.note_failure(email=email, now=request.now,
                           event="sign_in.locked_out" if is_locked else "sign_in.failed")
        if is_locked:
            return _locked_out(request)
        form.add_error(None, "E-mail and password do not fit together.")
        status = 422
    return render(request, "practices/sign_in.html", {"form": form}, status=status)


@never_cache
@sensitive_post_parameters()
@require_http_methods(GET_POST)
def code(request: HttpRequest) -> HttpResponse:
    """The second factor."""
    return _ask_code(request, form_class=forms.CodeForm, template="practices/code.html")


@never_cache
@sensitive_post_parameters()
@require_http_methods(GET_POST)
def recovery(request: HttpRequest) -> HttpResponse:
    """The second factor by a recovery code."""
    return _ask_code(request, form_class=forms.RecoveryForm, template="practices/recovery.html")


@never_cache
@sensitive_post_parameters()
@require_http_methods(GET_POST)
def enrol(request: HttpRequest) -> HttpResponse:
    """First time: picture, secret, a code to confirm, then ten recovery codes shown once."""
    if not request.user.is_authenticated:
        return redirect("practices:sign_in")
    place = middleware.safe_place(request, request.GET.get("next", "/"))
    if otp.is_enrolled(user=request.user):
        return redirect(_with_next("practices:code", place))
    device = otp.enrolment(user=request.user)
    form = forms.CodeForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        verdict, recovery_codes = otp.confirm(user=request.user, code=form.cleaned_data["code"], now=request.now)
        if verdict.is_right:
            _passed(request, verdict)
            return render(request, "practices/recovery_codes.html", {"codes": recovery_codes, "place": place})
        status = _refuse(request, form, verdict)
    shown = {"form": form, "picture": otp.picture(device), "secret": otp.secret_text(device)}
    return render(request, "practices/enrol.html", shown, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and drop what was kept for it."""
    if request.user.is_authenticated:
        kept_forms.drop_all(user=request.user)
        doors.note(user=request.user, event="sign_out", now=request.now)
    return middleware.sign_out_completely(request)


@never_cache
@require_http_methods(GET_POST)
def choose_practice(request: HttpRequest) -> HttpResponse:
    """One of the person's practices; another's id answers 404."""
    place = middleware.safe_place(request, request.GET.get("next", "/"))
    if request.method == "POST":
        chosen = next((one for one in request.practices if str(one.id) == request.POST.get("practice")), None)
        if chosen is None:
            raise Http404
        request.session["practice_id"] = str(chosen.id)
        return redirect(place)
    return render(request, "practices/choose_practice.html", {"practices": request.practices})


@never_cache
@sensitive_post_parameters()
@require_http_methods(GET_POST)
def unlock(request: HttpRequest) -> HttpResponse:
    """After idling: the password, then back to the same place or to the form that was kept."""
    place = middleware.safe_place(request, request.GET.get("next", "/"))
    kept = request.GET.get("kept", "")
    if not request.session.get("locked"):
        return redirect(place)
    form = forms.UnlockForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        if not factors.may_try(request, email=request.user.email):
            return _locked_out(request)
        user = factors.checked(request, email=request.user.email, password=form.cleaned_data["password"])
        if user is not None and user.pk == request.user.pk:
            request.session.cycle_key()
            request.session["locked"] = False
            request.session["seen_at"] = request.now.isoformat()
            doors.note(user=user, event="sign_in.unlocked", now=request.now)
            return redirect(_resume_address(kept) or place)
        is_locked = bool(getattr(request, "axes_locked_out", False))
        doors.note(user=request.user, event="sign_in.locked_out" if is_locked else "sign_in.failed",
                   now=request.now, outcome="refused", step="unlock")
        if is_locked:
            return _locked_out(request)
        form.add_error("password", "That is not the password of this account.")
        status = 422
    shown = {"form": form, "is_kept": bool(kept), "is_lost": "lost" in request.GET}
    return render(request, "practices/unlock.html", shown, status=status)


@never_cache
@require_http_methods(["GET", "HEAD"])
def resume(request: HttpRequest, kept_id: UUID) -> HttpResponse:
    """The kept form, to be posted again by the person."""
    if request.session.get("locked"):
        return redirect(reverse("practices:unlock") + f"?kept={kept_id}")
    if request.practice is None:
        raise Http404
    form = kept_forms.reopen(user=request.user, practice=request.practice, kept_id=kept_id)
    if form is None:
        raise Http404
    return render(request, "practices/resume.html", {"kept": form, "field": kept_forms.FIELD})


@gates.page(action=Action.stop)
def switches_page(request: HttpRequest) -> HttpResponse:
    """Both stop switches with their state."""
    return render(request, "practices/switches.html")


@gates.page(action=Action.stop, methods=("POST",))
def stop_sending(request: HttpRequest) -> HttpResponse:
    """Stop all sending."""
    switches.stop_sending(practice_id=request.practice.id, by=request.user, now=request.now)
    return redirect("practices:switches")


@gates.page(action=Action.stop, methods=("POST",))
def resume_sending(request: HttpRequest) -> HttpResponse:
    """Resume all sending."""
    switches.resume_sending(practice_id=request.practice.id, by=request.user, now=request.now)
    return redirect("practices:switches")


@gates.page(action=Action.stop, methods=("POST",))
def stop_automatic(request: HttpRequest) -> HttpResponse:
    """Stop automatic approval."""
    switches.stop_automatic(practice_id=request.practice.id, by=request.user, now=request.now)
    return redirect("practices:switches")


@gates.page(action=Action.stop, methods=("POST",))
def resume_automatic(request: HttpRequest) -> HttpResponse:
    """Resume automatic approval."""
    switches.resume_automatic(practice_id=request.practice.id, by=request.user, now=request.now)
    return redirect("practices:switches")


@gates.page(action=Action.consent)
def consent_page(request: HttpRequest) -> HttpResponse:
    """The prescriber's own agreement to automatic approval."""
    provider = _own_provider(request)
    shown = {"provider": provider, "standing": consents.standing(provider=provider), "form": forms.CodeForm()}
    return render(request, "practices/consent.html", shown)


@sensitive_post_parameters()
@gates.page(action=Action.consent, methods=("POST",))
def give_consent(request: HttpRequest) -> HttpResponse:
    """Agree, with a fresh code."""
    return _consent(request, consents.give)


@sensitive_post_parameters()
@gates.page(action=Action.consent, methods=("POST",))
def revoke_consent(request: HttpRequest) -> HttpResponse:
    """Withdraw; asks no code, since withdrawing is always the safe side."""
    consents.revoke(provider=_own_provider(request), by=request.user, now=request.now)
    return redirect("practices:consent")


def _consent(request: HttpRequest, verb) -> HttpResponse:
    provider = _own_provider(request)
    form = forms.CodeForm(request.POST)
    if form.is_valid():
        verdict = otp.verify(user=request.user, code=form.cleaned_data["code"], now=request.now)
        if verdict.is_right:
            verb(provider=provider, by=request.user, now=request.now)
            return redirect("practices:consent")
        status = _refuse(request, form, verdict)
    else:
        status = 422
    shown = {"provider": provider, "standing": consents.standing(provider=provider), "form": form}
    return render(request, "practices/consent.html", shown, status=status)


def _own_provider(request: HttpRequest) -> Provider:
    provider = Provider.objects.active().filter(practice=request.practice, user=request.user).first()
    if provider is None:
        raise Http404
    return provider


def _ask_code(request: HttpRequest, *, form_class, template: str) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect("practices:sign_in")
    place = middleware.safe_place(request, request.GET.get("next", "/"))
    if request.user.is_verified():
        return redirect(place)
    if not otp.is_enrolled(user=request.user):
        return redirect(_with_next("practices:enrol", place))
    form = form_class(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        verdict = otp.verify(user=request.user, code=form.cleaned_data["code"], now=request.now)
        if verdict.is_right:
            _passed(request, verdict)
            return redirect(place)
        status = _refuse(request, form, verdict)
    return render(request, template, {"form": form, "place": place}, status=status)


def _passed(request: HttpRequest, verdict: otp.Verdict) -> None:
    django_otp.login(request, verdict.device)
    request.session.cycle_key()
    request.session["seen_at"] = request.now.isoformat()
    request.session["locked"] = False
    doors.note(user=request.user, event="sign_in.second_factor", now=request.now)


def _refuse(request: HttpRequest, form, verdict: otp.Verdict) -> int:
    """Say so in words; returns the status."""
    doors.note(user=request.user, event="sign_in.failed", now=request.now, outcome="refused", step="code")
    if verdict.wait_seconds:
        form.add_error("code", f"Too many tries. Wait {verdict.wait_seconds} s, then use a new code.")
        return 429
    form.add_error("code", "That code is not right, or it was used already. Wait for the next one.")
    return 422


def _locked_out(request: HttpRequest) -> HttpResponse:
    """Our own page for too many tries; the mark is taken away so that the library does not put its own in place."""
    request.axes_locked_out = False
    return render(request, "practices/locked_out.html", status=429)


def _with_next(url_name: str, place: str) -> str:
    return reverse(url_name) + (f"?{urlencode({'next': place})}" if place != "/" else "")


def _resume_address(kept: str) -> str:
    try:
        return reverse("practices:resume", args=[UUID(kept)])
    except ValueError:
        return ""
