"""Who calls the pretended Klara and how often: tokens, API keys, and the ten calls a second of each practice.

It names a practice or says no; it never reads a conversation.
"""

import base64
import binascii
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any

from integrations.sandbox.klara_settings import Switches
from integrations.sandbox.wire import BadBody, Request

RATE = 10.0


class Refused(Exception):
    """An answer other than the asked one: status, code of the error shape, sentence."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


@dataclass(slots=True)
class Bucket:
    """A token bucket."""

    left: float
    at: datetime


class Door:
    """Credentials and limits of all practices."""

    def __init__(self, *, practices: list[dict[str, Any]], switches: Switches, random: Random, runs: bool) -> None:
        self.switches, self.random, self.runs = switches, random, runs
        self.clients: dict[str, tuple[str, str]] = {}
        self.keys: dict[str, str] = {}
        self.access: dict[str, tuple[str, datetime]] = {}
        self.refresh: dict[str, str] = {}
        self.buckets: dict[str, Bucket] = {}
        for practice in practices:
            self.admit(practice=practice)

    def admit(self, *, practice: dict[str, Any]) -> None:
        """Know a practice's credentials."""
        part, key = practice["klara"], practice["key"]
        if part.get("client_id"):
            self.clients[part["client_id"]] = (key, part.get("client_secret", ""))
        if part.get("api_key"):
            self.keys[part["api_key"]] = key

    # who -----------------------------------------------------------------------------------------------------------

    def practice_of(self, request: Request) -> str:
        """Key of the practice whose credential is shown, valid or expired; "" = unknown."""
        if request.path == "/oauth/token":
            try:
                return self.clients.get(self.client_of(request)[0], ("", ""))[0]
            except BadBody:
                return ""
        shown = credential(request)
        return self.keys.get(shown) or self.access.get(shown, ("", None))[0]

    def check(self, *, request: Request, now: datetime) -> str:
        """Key of the practice that may call; raises Refused (401)."""
        shown = credential(request)
        if shown in self.keys:
            return self.keys[shown]
        practice, expires = self.access.get(shown, ("", now))
        challenge = {"WWW-Authenticate": 'Bearer realm="klara"'}
        if not shown or not practice:
            raise Refused(401, "unauthorized", "No valid credentials were shown.", challenge)
        if expires <= now:
            raise Refused(401, "token_expired", "The access token has expired.", challenge)
        return practice

    # tokens --------------------------------------------------------------------------------------------------------

    def client_of(self, request: Request) -> tuple[str, str, dict[str, Any]]:
        """Client id, client secret and fields of a token request, from the form, JSON or Basic."""
        fields = request.json() if request.content_type == "application/json" else request.form()
        if not isinstance(fields, dict):
            raise BadBody("a token request is an object")
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return "", "", fields
            return name, secret, fields
        return str(fields.get("client_id", "")), str(fields.get("client_secret", "")), fields

    def token(self, *, request: Request, now: datetime) -> dict[str, Any]:
        """The token answer; raises Refused."""
        name, secret, fields = self.client_of(request)
        practice, expected = self.clients.get(name, ("", ""))
        if not practice or not expected or secret != expected:
            raise Refused(401, "invalid_client", "Client authentication failed.")
        match fields.get("grant_type"):
            case "client_credentials":
                return self.issue(practice=practice, now=now)
            case "refresh_token":
                shown = str(fields.get("refresh_token", ""))
                if self.refresh.get(shown) != practice:
                    raise Refused(400, "invalid_grant", "The refresh token is unknown or used.")
                if not self.switches.get("rotate_refresh", practice):
                    return self.issue(practice=practice, now=now, refresh=shown)
                del self.refresh[shown]
                return self.issue(practice=practice, now=now)
        raise Refused(400, "unsupported_grant_type", "Use client_credentials or refresh_token.")

    def issue(self, *, practice: str, now: datetime, refresh: str = "") -> dict[str, Any]:
        """A fresh access token, with a refresh token when they are switched on."""
        life = int(self.switches.get("access_ttl", practice))
        access = f"kla_{self.random.getrandbits(160):040x}"
        self.access[access] = (practice, now + timedelta(seconds=life))
        made: dict[str, Any] = {"access_token": access, "token_type": "Bearer", "expires_in": life}
        if self.switches.get("refresh_tokens", practice):
            made["refresh_token"] = refresh or f"klr_{self.random.getrandbits(160):040x}"
            self.refresh[made["refresh_token"]] = practice
        return made

    def expire(self, *, practice: str, now: datetime, refresh: bool) -> int:
        """Make every access token of a practice old (and forget its refresh tokens); returns how many."""
        mine = [token for token, (owner, expires) in self.access.items() if owner == practice and expires > now]
        for token in mine:
            self.access[token] = (practice, now)
        if refresh:
            self.refresh = {token: owner for token, owner in self.refresh.items() if owner != practice}
        return len(mine)

    # how often -----------------------------------------------------------------------------------------------------

    def pace(self, *, practice: str, now: datetime) -> None:
        """Take one call from the practice's bucket; raises Refused (429)."""
        rate = self.switches.get("calls_per_second", practice)
        rate = (RATE if self.runs else 0.0) if rate is None else float(rate)
        if rate <= 0:
            return
        burst = max(1.0, float(self.switches.get("burst", practice)))
        bucket = self.buckets.setdefault(practice, Bucket(left=burst, at=now))
        passed = max(0.0, (now - bucket.at).total_seconds())
        bucket.left, bucket.at = min(burst, bucket.left + passed * rate), now
        if bucket.left >= 1:
            bucket.left -= 1
            return
        raise Refused(429, "rate_limited", "Too many calls.", self._wait(practice, (1 - bucket.left) / rate, rate, now))

    def _wait(self, practice: str, wait: float, rate: float, now: datetime) -> dict[str, str]:
        whole = max(1, math.ceil(wait))
        headers = self.told(practice=practice, seconds=whole, now=now)
        if self.switches.get("ratelimit_headers", practice):
            headers |= {"RateLimit-Limit": f"{rate:g}", "RateLimit-Remaining": "0", "RateLimit-Reset": str(whole)}
        return headers

    def told(self, *, practice: str, seconds: int, now: datetime) -> dict[str, str]:
        """Retry-After in the manner switched on, and the answer's own Date."""
        headers = {"Date": format_datetime(now, usegmt=True)}
        match self.switches.get("retry_after", practice):
            case "seconds":
                headers["Retry-After"] = str(seconds)
            case "date":
                headers["Retry-After"] = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
        return headers


def credential(request: Request) -> str:
    """The token or key shown: `Authorization` (Bearer or bare) or `X-Api-Key`."""
    text = request.headers.get("authorization", "").strip()
    scheme, _, rest = text.partition(" ")
    if scheme.lower() in ("bearer", "apikey", "token"):
        return rest.strip()
    return text or request.headers.get("x-api-key", "").strip()
