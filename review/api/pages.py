"""The page that shows the API: every operation of the schema with its parameters, an example and its answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from refillhub.practices import gates
from review.api import views


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as shown."""

    name: str
    place: str
    required: bool
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as shown."""

    status: str
    words: str
    example: str

    @property
    def is_good(self) -> bool:
        """Whether it says that it was done."""
        return self.status.startswith("2")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as shown."""

    name: str
    method: str
    path: str
    summary: str
    words: str
    parameters: tuple[Parameter, ...]
    body: str
    answers: tuple[Answer, ...]


@gates.page()
def docs(request: HttpRequest) -> HttpResponse:
    """The operations, from the schema itself."""
    found = views.document()
    shown = {"operations": operations(found), "about": found["info"]}
    return render(request, "review/api_docs.html", shown)


def operations(document: dict[str, Any]) -> list[Operation]:
    """The operations of a schema, in its order."""
    return [
        _operation(method, path, one)
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    ]


def _operation(method: str, path: str, one: dict[str, Any]) -> Operation:
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        name=one["operationId"], method=method.upper(), path=path, summary=one.get("summary", ""),
        words=one.get("description", ""), parameters=tuple(map(_parameter, one.get("parameters", ()))),
        body=_example(body),
        answers=tuple(
            Answer(status, answer.get("description", ""), _example(answer["content"]["application/json"]))
            for status, answer in one["responses"].items()
        ),
    )  # fmt: skip


def _parameter(one: dict[str, Any]) -> Parameter:
    shape = one.get("schema", {})
    kind = shape.get("format") or shape.get("type", "")
    return Parameter(one["name"], one["in"], one.get("required", False), kind, one.get("description", ""))


def _example(content: dict[str, Any]) -> str:
    found = next(iter(content.get("examples", {}).values()), None)
    return json.dumps(found["value"], indent=2, ensure_ascii=False) if found else ""
