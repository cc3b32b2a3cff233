"""A very small DrChrono for tests of the client: answers by a script, remembers what it was asked. No sockets."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse

from audit.events import Actor, ActorKind
from integrations import models, vault
from integrations.models import SecretKind
from refillhub.practices.models import Practice

ADDRESS = "https://chart.test"
NOW = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)
JOB = Actor(ActorKind.system, "test")


class Asked:
    def __init__(self, request: requests.PreparedRequest):
        parts = urlsplit(request.url)
        self.method, self.path = request.method, parts.path
        self.query = {key: value[0] for key, value in parse_qs(parts.query).items()}
        body = request.body or b""
        self.body = body if isinstance(body, bytes) else body.encode()
        self.headers = request.headers

    @property
    def token(self):
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def form(self):
        return {key: value[0] for key, value in parse_qs(self.body.decode()).items()}


class Fake(BaseAdapter):
    """`answers[(method, path)]` is (status, body) or a callable of Asked giving that, or raising."""

    def __init__(self):
        super().__init__()
        self.asked: list[Asked] = []
        self.answers: dict[tuple[str, str], object] = {}
        self.headers: dict[str, str] = {}

    def on(self, method: str, path: str, answer: object | Callable[[Asked], object]) -> None:
        self.answers[(method, path)] = answer

    def send(self, request, **_options):
        asked = Asked(request)
        self.asked.append(asked)
        answer = self.answers.get((asked.method, asked.path), (404, {"detail": "Not found."}))
        if callable(answer):
            answer = answer(asked)
        status, body, *more = answer
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        response = requests.Response()
        response.status_code = status
        response.headers = requests.structures.CaseInsensitiveDict(more[0] if more else {})
        response.raw = HTTPResponse(body=io.BytesIO(content), status=status, preload_content=False)
        response.url = request.url
        response.request = request
        return response

    def close(self):
        return None

    def paths(self, method="GET"):
        return [each.path for each in self.asked if each.method == method]


def lose_answer(_asked):
    raise requests.exceptions.ReadTimeout("no answer")


def refuse_connection(_asked):
    raise requests.exceptions.ConnectTimeout("not connected")


def connect(vendor="drchrono", *, address=ADDRESS, slug="elm", **more):
    practice = Practice.objects.create(name=slug, slug=slug, stage="dev", time_zone="America/New_York")
    given = {"client_id": f"app-{slug}", "status": "active", "base_url": address} | more
    line = models.Connection.objects.create(practice=practice, vendor=vendor, stage="dev", **given)
    vault.store(connection=line, kind=SecretKind.client_secret, value="client-secret", now=NOW, actor=JOB)
    return line
