"""Errors of the API in one shape: {code, message, field?}; a conflict adds the state and version that stand now.

Codes are for ever, sentences may change. An error never carries a patient's words or name.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from review.models import RefillRequest

LOCKED = (
    "It may already be at the pharmacy. Call the pharmacy first, then record on the page whether it arrived; "
    "nothing is sent again until then."
)
# Codes of the framework's own errors, by status.
_CODES = {
    400: "invalid", 401: "token_needed", 403: "not_allowed", 404: "not_found", 405: "method", 413: "too_large",
    415: "media_type", 429: "too_many",
}  # fmt: skip


class Problem(exceptions.APIException):
    """One refusal, ready to be answered."""

    def __init__(self, *, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message, code)
        self.status_code = status
        self.body = {"code": code, "message": message, **{name: value for name, value in more.items() if value != ""}}


def already(row: RefillRequest) -> Problem:
    """Somebody was first: the state and version that stand now."""
    message = f"The request has changed since it was read: it is {row.state} at version {row.version}."
    return Problem(status=409, code="already_decided", message=message, state=row.state, version=row.version)


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every known error as {code, message, field?}; None for what is not known, which is a failure of ours."""
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is no such thing here.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)
    return Response(_body(error), status=error.status_code, headers=headers)


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, Problem):
        return error.body
    code = _CODES.get(error.status_code, "invalid")
    if isinstance(error, exceptions.ValidationError):
        field, message = _first(error.detail)
        return {"code": code, "message": message, **({"field": field} if field else {})}
    return {"code": code, "message": str(error.detail)}


def _first(detail: Any) -> tuple[str, str]:
    """The first thing to mend, and the field it belongs to."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        field, message = _first(inner)
        return ("" if name == "non_field_errors" else field or str(name)), message
    if isinstance(detail, list):
        return _first(detail[0]) if detail else ("", "Not valid.")
    return "", str(detail)
