"""How operations are described in the schema: parameters, examples, and every error they may answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from review.api import examples, idempotency, serializers

READ_ERRORS = (400, 401, 403, 429)
WRITE_ERRORS = (400, 401, 403, 404, 409, 413, 415, 422, 423, 429)
KEY = OpenApiParameter(
    name=idempotency.HEADER, location=OpenApiParameter.HEADER, required=True,
    type={"type": "string", "minLength": 8, "maxLength": 64, "pattern": idempotency.PATTERN},  # type: ignore[arg-type]
    description="One for each attempt. The same key and body give the first answer again, with the header "
                "`Idempotent-Replayed: true`; the same key with another body is 409.",
    examples=[OpenApiExample("key", value="approve-6f1d2b0e-v2")],
)  # fmt: skip


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The security scheme of the token."""

    target_class = "review.api.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """HTTP bearer."""
        return {"type": "http", "scheme": "bearer", "description": "A token of the page API tokens: rh_..."}


def read(
    *, name: str, summary: str, description: str, answer: type, example: Any, query: type | None = None,
    errors: tuple[int, ...] = READ_ERRORS,
) -> Callable[..., Any]:
    """An operation that changes nothing."""
    return extend_schema(
        operation_id=name, summary=summary, description=description, tags=["Reading"],
        parameters=[query] if query is not None else [], request=None,
        responses={200: _shown(answer, "As asked.", example), **_errors(errors)},
    )  # fmt: skip


def write(*, name: str, summary: str, description: str, ask: type) -> Callable[..., Any]:
    """An operation on one request; `name` is its last word in the path."""
    return extend_schema(
        operation_id=name.replace("-", "_"), summary=summary, description=description, tags=["Deciding"],
        parameters=[KEY], request={"application/json": ask},
        examples=[OpenApiExample("asked", value=examples.ASKS[name], request_only=True)],
        responses={200: _shown(serializers.Done, "Done.", examples.DONE[name]), **_errors(WRITE_ERRORS)},
    )  # fmt: skip


def _shown(shape: type, description: str, example: Any) -> OpenApiResponse:
    return OpenApiResponse(shape, description, examples=[OpenApiExample("answer", value=example, response_only=True)])


def _errors(statuses: tuple[int, ...]) -> dict[int, OpenApiResponse]:
    found = {}
    for status in statuses:
        words, example = examples.ERRORS[status]
        shape = serializers.Conflict if status == 409 else serializers.Problem
        found[status] = OpenApiResponse(
            shape, words, examples=[OpenApiExample(f"error_{status}", value=example, response_only=True,
                                                   status_codes=[str(status)])],
        )  # fmt: skip
    return found


def close_bodies(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Bodies take no other fields: the serializers refuse them, so the schema says so."""
    for name, shape in result.get("components", {}).get("schemas", {}).items():
        if name.endswith("Ask"):
            shape["additionalProperties"] = False
    return result
