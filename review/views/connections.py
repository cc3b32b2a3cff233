"""The administrator's connections: what each vendor's connection is doing, its secrets by fingerprint, its set-up.

Each act is one verb and a redirect. A vendor is asked only outside any transaction; no secret is ever shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from integrations import http, upkeep, vault
from integrations.drchrono import oauth
from integrations.klara import profile as profiles
from integrations.klara import trial
from integrations.models import Connection, ConnectionStatus, RefusedAddress, SecretKind, Vendor
from refillhub.practices import doors, gates
from refillhub.practices.roles import Action
from review import connecting, forms_connections, queries_connections, webhooks

TROUBLES = (http.VendorError, vault.NoSecret, vault.WrongStage, RefusedAddress)
MINE = {"action": Action.manage_connections}


@gates.page(**MINE)
def overview(request: HttpRequest) -> HttpResponse:
    """The three vendors at a glance."""
    return _overview(request)


@gates.page(**MINE)
def one(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """One connection whole."""
    return _one(request, _own(request, connection_id))


@gates.page(methods=("POST",), **MINE)
def set_up(request: HttpRequest, vendor: str) -> HttpResponse:
    """Begin with a vendor."""
    if vendor not in Vendor.values:
        raise Http404
    made = connecting.set_up(
        practice=request.practice, vendor=Vendor(vendor), now=request.now, actor=doors.person(request.user)
    )
    return redirect("review:connection", made.pk)


@gates.page(methods=("POST",), **MINE)
def account(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Keep client id and account."""
    connection = _own(request, connection_id)
    form = forms_connections.AccountForm(request.POST, connection=connection)
    if form.is_valid():
        given = form.cleaned_data
        return _do(
            request, connection, connecting.name_account, "Saved.",
            client_id=given.get("client_id", connection.client_id), account=given["account"],
        )
    return _one(request, connection, status=422, account_form=form)


@sensitive_post_parameters()
@sensitive_variables("form")
@gates.page(methods=("POST",), **MINE)
def add_secret(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Hand a secret to the vault; the page never sees it again."""
    connection = _own(request, connection_id)
    form = forms_connections.SecretForm(request.POST, connection=connection)
    if form.is_valid():
        try:
            made = connecting.add_secret(
                connection=connection, kind=SecretKind(form.cleaned_data["kind"]), value=form.cleaned_data["value"],
                now=request.now, actor=doors.person(request.user),
            )
        except (connecting.BadSecret, profiles.InvalidProfile) as error:
            form.add_error("value", str(error))
        except vault.TooManyLive:
            form.add_error("value", "Four secrets of this kind are in use already: revoke one first.")
        else:
            messages.success(request, f"{made.get_kind_display()} {made.fingerprint} stored: {made.state}.")
            return redirect("review:connection", connection.pk)
    return _one(request, connection, status=422, secret_form=form)


@gates.page(methods=("POST",), **MINE)
def activate_secret(request: HttpRequest, connection_id: UUID, secret_id: UUID) -> HttpResponse:
    """Put a pending secret into use without waiting for its first hit."""
    connection = _own(request, connection_id)
    secret = queries_connections.secret_for(connection=connection, secret_id=secret_id)
    try:
        vault.activate(secret_id=secret.pk, now=request.now, actor=doors.person(request.user))
    except vault.WrongState:
        messages.error(request, "Only a pending secret can be put into use.")
    else:
        messages.success(request, f"{secret.get_kind_display()} {secret.fingerprint} is in use.")
    return redirect("review:connection", connection.pk)


@gates.page(methods=("POST",), **MINE)
def revoke_secret(request: HttpRequest, connection_id: UUID, secret_id: UUID) -> HttpResponse:
    """Stop accepting a secret at once, everywhere."""
    connection = _own(request, connection_id)
    secret = queries_connections.secret_for(connection=connection, secret_id=secret_id)
    if secret.state != "revoked":
        vault.revoke(secret_id=secret.pk, now=request.now, actor=doors.person(request.user))
        webhooks.forget()
    messages.success(request, f"{secret.get_kind_display()} {secret.fingerprint} is revoked.")
    return redirect("review:connection", connection.pk)


@gates.page(methods=("POST",), **MINE)
def pause(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """No calls over this connection."""
    return _do(request, _own(request, connection_id), connecting.pause, "Paused. What is queued waits.")


@gates.page(methods=("POST",), **MINE)
def resume(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Calls may go again."""
    return _do(request, _own(request, connection_id), connecting.resume, "Running.")


@gates.page(methods=("POST",), **MINE)
def try_again(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Ask the vendor something small and say how it went and how long it took."""
    connection = _own(request, connection_id)
    if connection.vendor == Vendor.surescripts or connection.stage != settings.STAGE:
        raise Http404
    tested = upkeep.try_connection(connection=connection, now=request.now, actor=doors.person(request.user))
    if tested.is_good:
        messages.success(request, f"The test passed; the vendor answered in {tested.latency_ms:,} ms.")
    else:
        words = queries_connections.hint(code=tested.code)
        messages.error(request, f"The test failed after {tested.latency_ms:,} ms: {tested.code}. {words}")
    return redirect("review:connection", connection.pk)


@sensitive_post_parameters()
@gates.page(methods=("GET", "POST"), **MINE)
def profile(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """How the Klara account talks; kept only when one real request passes the trial."""
    connection = _own(request, connection_id)
    if connection.vendor != Vendor.klara:
        raise Http404
    kept = {key: value for key, value in connection.profile.items() if key not in ("profile", "base_url")}
    initial = {"profile": connection.profile.get("profile", profiles.DEFAULT),
               "changes": json.dumps(kept, indent=2) if kept else ""}
    form = forms_connections.ProfileForm(request.POST or None, initial=initial)
    findings: tuple[trial.Finding, ...] = ()
    if request.method == "POST" and form.is_valid():
        findings = _put_on_trial(request, connection, form.cleaned_data)
        if not findings:
            connecting.keep_profile(connection=connection, raw=form.cleaned_data["raw"], now=request.now,
                                    actor=doors.person(request.user))
            webhooks.forget()
            messages.success(request, "The trial passed and the way of signing is kept. It counts within 30 s.")
            return redirect("review:connection", connection.pk)
    shown = {"connection": connection, "form": form, "findings": findings}
    return render(request, "review/connections_profile.html", shown, status=422 if request.method == "POST" else 200)


@gates.page(**MINE)
def authorize(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Send the person to DrChrono's own page. A link and no form: the page policy lets forms go nowhere but here."""
    connection = _own(request, connection_id)
    if connection.vendor != Vendor.drchrono or connection.stage != settings.STAGE:
        raise Http404
    has_secret = connection.secrets.filter(kind=SecretKind.client_secret, state="active").exists()
    if not connection.client_id or not has_secret:
        messages.error(request, "Enter the client id and the client secret first.")
        return redirect("review:connection", connection.pk)
    try:
        there = oauth.authorise_url(connection=connection, user_id=request.user.pk, now=request.now,
                                    redirect_uri=queries_connections.redirect_address())
    except RefusedAddress as error:
        messages.error(request, f"Cannot connect: {error}.")
        return redirect("review:connection", connection.pk)
    return HttpResponseRedirect(there)


@gates.page(**MINE)
def callback(request: HttpRequest) -> HttpResponse:
    """Back from DrChrono: the state must be ours, this person's and this practice's; then the code becomes tokens."""
    connection = _asked_for(request)
    if connection is None:
        messages.error(request, "This answer belongs to no question of yours, or came too late. Connect again.")
        return _overview(request, status=400)
    code = request.GET.get("code", "")
    if not code or "error" in request.GET:
        messages.error(request, "DrChrono did not give the authorization. Nothing was changed.")
        return redirect("review:connection", connection.pk)
    actor = doors.person(request.user)
    try:
        oauth.exchange(connection=connection, code=code, now=request.now, actor=actor,
                       redirect_uri=queries_connections.redirect_address())
    except TROUBLES as error:
        messages.error(request, f"DrChrono refused the authorization: {_code(error)}. {_hint(error)}")
        return redirect("review:connection", connection.pk)
    try:
        upkeep.save_set_up(connection=connection, now=request.now, actor=actor)
    except TROUBLES as error:
        messages.warning(request, f"Connected, but the task set-up could not be read: {_code(error)}. Connect again.")
    else:
        messages.success(request, "Connected to DrChrono.")
    return redirect("review:connection", connection.pk)


@gates.page(methods=("POST",), **MINE)
def disconnect(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Give the tokens back and forget them."""
    connection = _own(request, connection_id)
    if connection.vendor != Vendor.drchrono:
        raise Http404
    try:
        told = oauth.revoke(connection=connection, now=request.now, actor=doors.person(request.user))
    except (vault.WrongStage, RefusedAddress) as error:
        messages.error(request, f"Cannot disconnect from here: {error}.")
        return redirect("review:connection", connection.pk)
    if told:
        messages.success(request, "Disconnected; DrChrono confirmed.")
    else:
        messages.warning(request, "Disconnected here; DrChrono did not confirm. Remove the app there too.")
    return redirect("review:connection", connection.pk)


# --- below: how it is done -------------------------------------------------------------------------------------------


def _own(request: HttpRequest, connection_id: UUID) -> Connection:
    return queries_connections.connection_for(practice=request.practice, connection_id=connection_id)


def _asked_for(request: HttpRequest) -> Connection | None:
    """The DrChrono connection the returning state names, if it is this practice's and of this stage."""
    try:
        found = oauth.read_state(state=request.GET.get("state", ""), user_id=request.user.pk, now=request.now)
        connection = _own(request, found)
    except (oauth.BadState, Http404):
        return None
    right = connection.vendor == Vendor.drchrono and connection.stage == settings.STAGE
    return connection if right else None


def _do(
    request: HttpRequest, connection: Connection, verb: Callable[..., None], done: str, **given: Any
) -> HttpResponse:
    try:
        verb(connection=connection, now=request.now, actor=doors.person(request.user), **given)
    except (connecting.NotReady, profiles.InvalidProfile) as error:
        messages.error(request, str(error))
    else:
        webhooks.forget()
        messages.success(request, done)
    return redirect("review:connection", connection.pk)


def _put_on_trial(request: HttpRequest, connection: Connection, given: dict[str, Any]) -> tuple[trial.Finding, ...]:
    try:
        live = vault.live(connection=connection, kind=SecretKind.webhook_secret, now=request.now,
                          actor=doors.person(request.user))
    except vault.WrongStage:
        return (trial.Finding("wrong_stage", "This connection belongs to another stage than this installation."),)
    if not live:
        return (trial.Finding("no_webhook_secret", "Add the webhook secret first."),)
    checked = profiles.parse(raw=given["raw"])
    path = queries_connections.webhook_address(connection=connection).removeprefix(settings.PUBLIC_URL)
    return trial.check(headers=given["headers"], body=given["body"], secrets=[one.value for one in live],
                       profile=checked, now=request.now, path=path)


def _overview(request: HttpRequest, *, status: int = 200) -> HttpResponse:
    cards = queries_connections.cards(practice=request.practice, now=request.now)
    shown = {"cards": cards, "others": queries_connections.other_stages(practice=request.practice),
             "stage": settings.STAGE}
    return render(request, "review/connections.html", shown, status=status)


def _one(request: HttpRequest, connection: Connection, *, status: int = 200, **forms: Any) -> HttpResponse:
    q = queries_connections
    connection.practice = request.practice
    is_ours = connection.stage == settings.STAGE
    filled = {"client_id": connection.client_id, "account": connection.account}
    error = q.standing_error(connection=connection)
    shown = {
        "connection": connection, "is_ours": is_ours, "vendor": Vendor(connection.vendor),
        "state": q.state_words(connection=connection), "tone": q.TONES[ConnectionStatus(connection.status)],
        "address": q.address_of(connection=connection), "webhook": q.webhook_address(connection=connection),
        "redirect_address": q.redirect_address() if connection.vendor == Vendor.drchrono else "",
        "secrets": q.secrets(connection=connection, now=request.now), "error": error, "hint": q.hint(code=error),
        "kinds": [kind.value for kind in connecting.KINDS[connection.vendor]],
        "account_form": forms.get("account_form")
        or forms_connections.AccountForm(initial=filled, connection=connection),
        "secret_form": forms.get("secret_form") or forms_connections.SecretForm(connection=connection),
        "mirror": q.mirror(practice=request.practice) if connection.vendor == Vendor.drchrono else None,
        "profile_name": q.profile_name(connection=connection) if connection.vendor == Vendor.klara else "",
    }
    if connection.vendor == Vendor.surescripts:
        shown["places"], shown["spis"] = q.spis(practice=request.practice)
    return render(request, "review/connections_one.html", shown, status=status)


def _code(error: Exception) -> str:
    return getattr(error, "code", "") or type(error).__name__


def _hint(error: Exception) -> str:
    return queries_connections.hint(code=_code(error))
