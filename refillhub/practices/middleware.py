"""Three gates before every page: whose practice, second factor passed, not left idle. They let through or send away.

Open paths (sign-in, static files, webhooks, health, the machine's /metrics) pass all three untouched, as do programs
that show a token under /api/v1/, where no session counts.
Deny is the rule: a path nobody thought of asks for the second factor.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from refillhub.practices import clock, kept_forms
from refillhub.practices.models import Membership
from refillhub.practices.shell import Shell

OPEN_EXACT = frozenset({"/sign-in/", "/healthz", "/health/", "/metrics", "/favicon.ico", "/robots.txt"})
OPEN_UNDER = ("/webhooks/",)
PROGRAMS_UNDER = "/api/v1/"
FOR_PEOPLE = ("/api/v1/docs/",)  # a page among the paths of programs
FIRST_FACTOR_ONLY = ("/sign-in/", "/sign-out/")  # pages between password and second factor
UNLOCKING = ("/unlock/", "/sign-out/")
REMEMBER_EVERY = 15  # seconds between two notes of activity in the session

Respond = Callable[[HttpRequest], HttpResponse]


def is_open(path: str) -> bool:
    """Whether a path is for everyone."""
    return path in OPEN_EXACT or path.startswith((settings.STATIC_URL, *OPEN_UNDER))


def passes(request: HttpRequest) -> bool:
    """Whether the gates are not for this request: an open path, or a program that shows its token."""
    return is_open(request.path) or shows_token(request)


def shows_token(request: HttpRequest) -> bool:
    """Whether a program speaks, by its token alone: `review.api` asks who it is and looks at no session.

    Anybody else under this path is a person, and passes the gates of every page.
    """
    return request.path.startswith(PROGRAMS_UNDER) and request.headers.get("Authorization", "")[:7].lower() == "bearer "


class PracticeMiddleware:
    """Sets request.practice, request.roles and request.shell from the person's memberships; one query."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.practice, request.roles, request.practices = None, frozenset(), ()
        request.now = clock.now()
        if not passes(request) and request.user.is_authenticated:
            self._look_up(request)
        request.shell = Shell(
            practice=request.practice, held=request.roles, path=request.path, now=request.now)
        with timezone.override(request.shell.zone):  # pages and forms speak the practice's own time
            return self.get_response(request)

    def _look_up(self, request: HttpRequest) -> None:
        found = list(Membership.objects.current().filter(user=request.user).select_related("practice"))
        practices = {row.practice_id: row.practice for row in found}
        request.practices = tuple(sorted(practices.values(), key=lambda one: one.name))
        chosen = request.session.get("practice_id")
        current = next((one for one in request.practices if str(one.id) == chosen), None)
        if current is None and len(practices) == 1:
            current = request.practices[0]
        request.practice = current
        if current is not None:
            request.roles = frozenset(row.role for row in found if row.practice_id == current.id)


class SecondFactorMiddleware:
    """Sends everyone without a passed second factor to the door, whatever the path, known or not."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if passes(request):
            return self.get_response(request)
        if not request.user.is_authenticated:
            if request.path.startswith("/sign-out/"):
                return self.get_response(request)
            return send_to(request, "practices:sign_in")
        if not request.user.is_verified():
            if request.path.startswith(FIRST_FACTOR_ONLY):
                return self.get_response(request)
            return send_to(request, "practices:code")
        may_wait = request.path.startswith(("/practice/", *FIRST_FACTOR_ONLY, *UNLOCKING))
        if request.practice is None and not may_wait:
            return send_to(request, "practices:choose_practice")
        return self.get_response(request)


class IdleLockMiddleware:
    """Locks a session left alone longer than the practice allows; refreshes of a page by itself count as idle.

    A page's own refresh says so with the header X-Refresh. A form posted into a locked session is kept, sealed.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if passes(request) or not request.user.is_authenticated or not request.user.is_verified():
            return self.get_response(request)
        self._look_at_clock(request)
        if request.session.get("locked") and not request.path.startswith(UNLOCKING):
            return self._lock(request)
        if request.method == "POST" and kept_forms.FIELD in request.POST:
            kept_forms.drop(user=request.user, kept_id=request.POST[kept_forms.FIELD])
        return self.get_response(request)

    def _look_at_clock(self, request: HttpRequest) -> None:
        seen = request.session.get("seen_at")
        idle_minutes = request.practice.idle_minutes if request.practice else 10
        since = request.now - datetime.fromisoformat(seen) if seen else timedelta(0)
        if since > timedelta(minutes=idle_minutes):
            request.session["locked"] = True
        elif not request.session.get("locked") and "X-Refresh" not in request.headers and (
                not seen or abs(since) >= timedelta(seconds=REMEMBER_EVERY)):
            request.session["seen_at"] = request.now.isoformat()

    def _lock(self, request: HttpRequest) -> HttpResponse:
        if is_for_programs(request.path):
            return refuse_program("locked", "This session is locked.")
        more: dict[str, str] = {}
        if request.method == "POST" and request.practice is not None:
            kept = kept_forms.keep(user=request.user, practice=request.practice, address=request.get_full_path(),
                                   posted=request.POST, now=request.now)
            more = {"kept": str(kept)} if kept else {"lost": "1"}
        return send_to(request, "practices:unlock", **more)


def is_for_programs(path: str) -> bool:
    """Whether a refusal is read by a program rather than seen by a person."""
    return path.startswith("/api/") and path not in FOR_PEOPLE


def refuse_program(code: str, message: str) -> HttpResponse:
    """What a program is told where a person would be sent to the door."""
    return JsonResponse({"code": code, "message": message}, status=401, headers={"WWW-Authenticate": "Bearer"})


def send_to(request: HttpRequest, url_name: str, **more: str) -> HttpResponse:
    """Redirect to a page of the door and remember where to return; htmx is told to move the whole page."""
    if is_for_programs(request.path):
        return refuse_program("token_needed", "Show a token: Authorization: Bearer rh_...")
    is_part = request.headers.get("HX-Request") == "true"
    place = _page_of_part(request) if is_part else request.get_full_path() if request.method == "GET" else ""
    place = place or _referring_page(request)
    query = {key: value for key, value in {"next": place, **more}.items() if value and value != "/"}
    address = reverse(url_name) + (f"?{urlencode(query)}" if query else "")
    if is_part:
        response = HttpResponse(status=204)
        response["HX-Redirect"] = address
        return response
    return HttpResponseRedirect(address)


def safe_place(request: HttpRequest, place: str) -> str:
    """A place of our own to return to, else the start page."""
    if place.startswith("/") and url_has_allowed_host_and_scheme(place, {request.get_host()}, request.is_secure()):
        return place
    return "/"


def sign_out_completely(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("practices:sign_in")


def _page_of_part(request: HttpRequest) -> str:
    return _local_path(request, request.headers.get("HX-Current-URL", ""))


def _referring_page(request: HttpRequest) -> str:
    return _local_path(request, request.headers.get("Referer", ""))


def _local_path(request: HttpRequest, address: str) -> str:
    parts = urlsplit(address)
    if parts.netloc != request.get_host():
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")
