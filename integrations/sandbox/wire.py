"""What travels: a request, an answer, and the ways a connection may die.

Plain values with no knowledge of any vendor; the server and the tests' adapter both speak them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl


class ConnectionDropped(Exception):
    """The socket is closed without an answer; `after_commit` tells whether the vendor had already done the work."""

    def __init__(self, *, after_commit: bool) -> None:
        super().__init__("connection dropped after commit" if after_commit else "connection dropped before commit")
        self.after_commit = after_commit


class BadBody(Exception):
    """The body could not be read as what its content type says."""


@dataclass(slots=False)
class Request:
    """One HTTP request. `headers` has lower-case names; `path` is undecoded and has no query; `query` is raw text."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = "http://sandbox.invalid"

    @cached_property
    def params(self) -> dict[str, str]:
        """Query parameters; the last value of a repeated name wins."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def content_type(self) -> str:
        """Media type without parameters, lower case; empty when absent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON; raises BadBody."""
        try:
            return json.loads(self.body)
        except ValueError as problem:
            raise BadBody(str(problem)) from problem

    def form(self) -> dict[str, str]:
        """The body as a URL-encoded form; raises BadBody when it is not text."""
        try:
            return dict(parse_qsl(self.body.decode("utf-8"), keep_blank_values=True))
        except UnicodeDecodeError as problem:
            raise BadBody(str(problem)) from problem


@dataclass(slots=True)
class Answer:
    """One HTTP answer. `delay` = seconds to wait before sending; `cut` = send only so many body bytes, then close."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None


def json_answer(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Answer(status=status, body=body, headers={"Content-Type": "application/json", **(headers or {})})


def html_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An HTML answer, as gateways and login pages give."""
    return Answer(
        status=status, body=text.encode(), headers={"Content-Type": "text/html; charset=utf-8", **(headers or {})}
    )


def empty_answer(status: int = 204) -> Answer:
    """An answer without a body."""
    return Answer(status=status)
