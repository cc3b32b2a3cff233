"""OAuth of the pretended DrChrono: authorise page, both grants, rotation, supersession, expiry, revocation."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from random import Random
from typing import Any
from urllib.parse import urlencode

from integrations.sandbox.drchrono_routes import SCOPES
from integrations.sandbox.drchrono_settings import Knobs
from integrations.sandbox.wire import Answer, BadBody, Request, empty_answer, html_answer, json_answer


@dataclass(slots=True)
class Grant:
    """What one authorisation gave: the live token pair of one user of one practice."""

    practice: str
    client_id: str
    user: str
    scope: str
    access: str
    access_until: datetime
    refresh: str
    refresh_until: datetime | None
    alive: bool = True


@dataclass(frozen=True, slots=True)
class Code:
    """A single-use authorisation code."""

    practice: str
    client_id: str
    user: str
    scope: str
    redirect_uri: str
    until: datetime


class OAuth:
    """All codes and grants of one simulator."""

    def __init__(self, *, practices: list[dict[str, Any]], knobs: Knobs, random: Random) -> None:
        self.clients = {practice["client_id"]: practice for practice in practices}
        self.knobs = knobs
        self.random = random
        self.codes: dict[str, Code] = {}
        self.by_access: dict[str, Grant] = {}
        self.by_refresh: dict[str, Grant] = {}

    def authorize(self, request: Request, *, now: datetime, user: str) -> Answer:
        """GET shows the page (or approves at once), POST is its button."""
        params = {**request.params, **(request.form() if request.method == "POST" else {})}
        practice = self.clients.get(params.get("client_id", ""))
        redirect = params.get("redirect_uri", "")
        if practice is None or not redirect or params.get("response_type", "code") != "code":
            return html_answer(400, "<html><body><h1>Error: invalid_request</h1></body></html>")
        if practice.get("redirect_uris") and redirect not in practice["redirect_uris"]:
            return html_answer(
                400, "<html><body><h1>Error: invalid_request</h1><p>Mismatching redirect URI.</p></body></html>"
            )
        if request.method == "GET" and not self.knobs.get("auto_approve", practice["key"]):
            return html_answer(200, _page(params, practice))
        state = {"state": params["state"]} if "state" in params else {}
        if "cancel" in params:
            return _redirect(redirect, {"error": "access_denied", **state})
        code = self._secret()
        scope = params.get("scope") or " ".join(SCOPES)
        until = now + timedelta(seconds=self.knobs.get("code_ttl", practice["key"]))
        self.codes[code] = Code(practice["key"], practice["client_id"], user, scope, redirect, until)
        return _redirect(redirect, {"code": code, **state})

    def token(self, request: Request, *, now: datetime) -> Answer:
        """Both grants; form body only."""
        try:
            form = request.form()
        except BadBody:
            return json_answer(400, {"error": "invalid_request"})
        practice = self._client(form)
        if practice is None:
            return json_answer(401, {"error": "invalid_client"})
        if form.get("grant_type") == "authorization_code":
            return self._by_code(form, practice, now)
        if form.get("grant_type") == "refresh_token":
            return self._by_refresh(form, practice, now)
        return json_answer(400, {"error": "unsupported_grant_type"})

    def revoke(self, request: Request) -> Answer:
        """Kill the grant a token belongs to; unknown tokens are no error."""
        form = request.form()
        if self._client(form) is None:
            return json_answer(401, {"error": "invalid_client"})
        grant = self.by_access.get(form.get("token", "")) or self.by_refresh.get(form.get("token", ""))
        if grant is not None:
            grant.alive = False
        return empty_answer(200)

    def issue(self, *, practice: dict[str, Any], user: str, scope: str, now: datetime) -> Grant:
        """A fresh grant; voids the user's former ones where that knob is on."""
        if self.knobs.get("supersede", practice["key"]):
            for old in self.by_access.values():
                if old.client_id == practice["client_id"] and old.user == user:
                    old.alive = False
        grant = Grant(practice["key"], practice["client_id"], user, scope, "", now, self._secret(), None)
        self._renew(grant, now)
        self.by_refresh[grant.refresh] = grant
        return grant

    def grant_of(self, request: Request, *, now: datetime) -> Grant | None:
        """The live grant of a call's bearer token."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        grant = self.by_access.get(token.strip()) if kind.lower() == "bearer" else None
        return grant if grant and grant.alive and grant.access == token.strip() and now < grant.access_until else None

    def practice_of(self, request: Request) -> str:
        """Practice of a call's token, dead or alive, or of its client id."""
        grant = self.by_access.get(request.headers.get("authorization", "").partition(" ")[2].strip())
        return grant.practice if grant else ""

    def describe(self, grant: Grant, *, refreshed: bool = False) -> dict[str, Any]:
        """The token answer."""
        ttl = self.knobs.get("access_ttl", grant.practice)
        answer = {
            "access_token": grant.access,
            "token_type": "Bearer",
            "expires_in": ttl,
            "refresh_token": grant.refresh,
            "scope": grant.scope,
        }
        if refreshed and self.knobs.get("omit_refresh_token", grant.practice):
            del answer["refresh_token"]
        return answer

    def _by_code(self, form: dict[str, str], practice: dict[str, Any], now: datetime) -> Answer:
        code = self.codes.pop(form.get("code", ""), None)
        if (
            code is None
            or code.client_id != practice["client_id"]
            or now >= code.until
            or code.redirect_uri != form.get("redirect_uri")
        ):
            return self._bad_grant(practice)
        grant = self.issue(practice=practice, user=code.user, scope=code.scope, now=now)
        return json_answer(200, self.describe(grant))

    def _by_refresh(self, form: dict[str, str], practice: dict[str, Any], now: datetime) -> Answer:
        token = form.get("refresh_token", "")
        grant = self.by_refresh.get(token)
        if grant is None or not grant.alive or grant.refresh != token or grant.client_id != practice["client_id"]:
            return self._bad_grant(practice)
        if grant.refresh_until is not None and now >= grant.refresh_until:
            return self._bad_grant(practice)
        omitted = self.knobs.get("omit_refresh_token", practice["key"])
        if self.knobs.get("rotate", practice["key"]) and not omitted:
            grant.refresh = self._secret()
            self.by_refresh[grant.refresh] = grant
        self._renew(grant, now)
        return json_answer(200, self.describe(grant, refreshed=True))

    def _renew(self, grant: Grant, now: datetime) -> None:
        grant.access = self._secret()
        grant.access_until = now + timedelta(seconds=self.knobs.get("access_ttl", grant.practice))
        life = self.knobs.get("refresh_ttl", grant.practice)
        grant.refresh_until = None if life is None else now + timedelta(seconds=life)
        self.by_access[grant.access] = grant

    def _client(self, form: dict[str, str]) -> dict[str, Any] | None:
        practice = self.clients.get(form.get("client_id", ""))
        if practice is None or not secrets.compare_digest(
            str(practice["client_secret"]), form.get("client_secret", "")
        ):
            return None
        return practice

    def _bad_grant(self, practice: dict[str, Any]) -> Answer:
        return json_answer(self.knobs.get("invalid_grant_status", practice["key"]), {"error": "invalid_grant"})

    def _secret(self) -> str:
        return f"{self.random.getrandbits(160):040x}"


def _redirect(uri: str, params: dict[str, str]) -> Answer:
    joint = "&" if "?" in uri else "?"
    return Answer(status=302, headers={"Location": f"{uri}{joint}{urlencode(params)}"})


def _page(params: dict[str, str], practice: dict[str, Any]) -> str:
    hidden = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in params.items())
    return (
        f"<html><body><h1>Authorize access to {escape(practice['name'])}?</h1>"
        f"<p>{escape(params.get('scope', 'all scopes'))}</p>"
        f'<form method="post">{hidden}<button name="allow" value="1">Authorize</button>'
        '<button name="cancel" value="1">Cancel</button></form></body></html>'
    )
