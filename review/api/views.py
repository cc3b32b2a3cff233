"""The operations of the API, one class each: who may call, what is read or which verb acts, the answer.

Tokens only; no session is looked at. Each reaches rows by its own practice, as the pages do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.http import Http404
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import log
from audit.events import Draft, JsonValue
from refillhub.practices.roles import Action
from review import access, queries_api
from review.api import acting, describing, errors, examples, idempotency, parsing
from review.api import serializers as shapes
from review.api.tokens import Caller, MayCall, SignedInPerson, TokenAuthentication, TokenThrottle
from review.ledger import person
from review.models import Scope


class Operation(APIView):
    """What every operation shares. `scope` and `action` None: any token that counts."""

    authentication_classes: ClassVar = [TokenAuthentication]
    permission_classes: ClassVar = [MayCall]
    throttle_classes: ClassVar = [TokenThrottle]
    parser_classes: ClassVar = [parsing.SmallJson]
    renderer_classes: ClassVar = [JSONRenderer]
    content_negotiation_class = parsing.AlwaysJson
    http_method_names: ClassVar[list[str]] = ["get", "head"]
    scope: ClassVar[str | None] = None
    action: ClassVar[Action | None] = None

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Errors in our one shape."""
        return errors.handler

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Never stored by anyone on the way."""
        made = super().finalize_response(request, response, *args, **kwargs)
        made["Cache-Control"] = "no-store"
        return made


def _asked(shape: type, values: Any) -> dict[str, Any]:
    """Checked parameters or body. Raises ValidationError."""
    found = shape(data=values)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


class Me(Operation):
    """Who the token acts for."""

    @describing.read(name="me", summary="Who am I", answer=shapes.Me, example=examples.ME, errors=(401, 403, 429),
                     description="The practice, person, roles and scopes of the token, at this moment.")  # fmt: skip
    def get(self, request: Any) -> Response:
        """The caller."""
        caller: Caller = request.auth
        return Response(shapes.Me({
            "practice_id": caller.practice.id, "practice": caller.practice.name, "user_id": caller.user.id,
            "name": caller.user.full_name, "roles": sorted(caller.held), "scopes": caller.token.scopes,
            "expires_at": caller.token.expires_at, "is_shadow": caller.practice.is_shadow,
        }).data)  # fmt: skip


class Queue(Operation):
    """What waits."""

    scope = Scope.READ
    action = Action.see_requests

    @describing.read(
        name="queue", summary="What waits", answer=shapes.Items, example=examples.ITEMS, query=shapes.QueueQuery,
        description="Requests that wait for a person, for a signature or for opening time, oldest first, without "
                    "patients. Pages by key neither skip nor repeat what waits all along. Scope `read`.",
    )  # fmt: skip
    def get(self, request: Any) -> Response:
        """A page."""
        caller: Caller = request.auth
        asked = _asked(shapes.QueueQuery, request.query_params.dict())
        try:
            found = queries_api.waiting(practice=caller.practice, now=caller.now, today=caller.today(), **asked)
        except queries_api.BadCursor as error:
            raise ValidationError({"cursor": ["No page of ours gave this cursor."]}) from error
        return Response(shapes.Items(found).data)


class Request(Operation):
    """One request."""

    scope = Scope.READ
    action = Action.work_items

    @describing.read(
        name="request", summary="One request", answer=shapes.Detail, example=examples.DETAIL,
        errors=(401, 403, 404, 429),
        description="The request with the criteria and trace of its newest decision, what left for it, and what is "
                    "possible now. The patient's name and birth date only for a token of scope `decide`. Scope `read`.",
    )  # fmt: skip
    def get(self, request: Any, request_id: UUID) -> Response:
        """The request."""
        caller: Caller = request.auth
        row = access.request_for(practice=caller.practice, request_id=request_id)
        may = queries_api.offered(request=row, held=caller.held) if caller.has(Scope.DECIDE) else ()
        found = queries_api.detail(
            request=row, now=caller.now, today=caller.today(), may=may, sees_patient=caller.sees_patients()
        )
        return Response(shapes.Detail(found).data)


class Audit(Operation):
    """The trail."""

    scope = Scope.AUDIT
    action = Action.export_audit

    @describing.read(
        name="audit", summary="The audit trail", answer=shapes.Trail, example=examples.TRAIL, query=shapes.AuditQuery,
        description="Entries in order of number, never a patient's name. A page with more than earlier exports in it "
                    "is an export, and an entry of its own before it leaves. Scope `audit`, role compliance.",
    )  # fmt: skip
    def get(self, request: Any) -> Response:
        """A page."""
        caller: Caller = request.auth
        asked = _asked(shapes.AuditQuery, request.query_params.dict())
        found = queries_api.trail(practice=caller.practice, **asked)
        # A program that only reads of its own reading must not lengthen the trail for ever.
        if any(entry.event != "audit.exported" for entry in found.entries):
            data: dict[str, JsonValue] = {
                "rows": len(found.entries), "up_to": found.entries[-1].number, "token": str(caller.token.id),
            }  # fmt: skip
            with transaction.atomic():
                log.record(now=caller.now, draft=Draft(practice_id=caller.practice.id, event="audit.exported",
                           actor=person(caller.user.id), trigger="api", data=data))  # fmt: skip
        return Response(shapes.Trail(found).data)


class Write(Operation):
    """What every act shares: the row, the key, the body, the verb once."""

    http_method_names: ClassVar[list[str]] = ["post"]
    scope = Scope.DECIDE
    operation: ClassVar[str] = ""
    ask: ClassVar[type] = shapes.VersionAsk

    def act(self, request: Any, request_id: UUID, do: acting.Do) -> Response:
        """The kept answer of the verb."""
        caller: Caller = request.auth
        row = access.request_for(practice=caller.practice, request_id=request_id)
        key = idempotency.key_of(request.headers)
        body = _asked(self.ask, request.data)
        flag = queries_api.OPERATIONS[self.operation]
        kept = idempotency.once(
            caller=caller, key=key, row=row, operation=self.operation, body=body,
            do=lambda: acting.run(row=row, caller=caller, body=body, flag=flag, do=do),
        )  # fmt: skip
        headers = {"Idempotent-Replayed": "true"} if kept.is_repeated else {}
        return Response(kept.body, status=kept.status, headers=headers)


class Approve(Write):
    """Approve."""

    action = Action.decide
    operation = "approve"
    ask = shapes.ApproveAsk

    @describing.write(
        name="approve", summary="Approve", ask=shapes.ApproveAsk,
        description="Approve in the name of the token's person, who needs a prescriber record. A request with a "
                    "`question` is refused (422, `question`) until `although` answers it. A controlled or unknown drug "
                    "becomes a task, or waits for its prescriber's signature on the page: it is never sent by this.",
    )  # fmt: skip
    def post(self, request: Any, request_id: UUID) -> Response:
        """Approve once."""
        return self.act(request, request_id, acting.approve)


class Deny(Write):
    """Deny."""

    action = Action.decide
    operation = "deny"
    ask = shapes.DenyAsk

    @describing.write(name="deny", summary="Deny", ask=shapes.DenyAsk,
                      description="Deny with a coded reason; the patient is told after the undo time.")  # fmt: skip
    def post(self, request: Any, request_id: UUID) -> Response:
        """Deny once."""
        return self.act(request, request_id, acting.deny)


class AskVisit(Write):
    """Ask for a visit."""

    action = Action.decide
    operation = "ask-visit"

    @describing.write(name="ask-visit", summary="Ask for a visit", ask=shapes.VersionAsk,
                      description="Ask the patient to book a visit first, after the undo time.")  # fmt: skip
    def post(self, request: Any, request_id: UUID) -> Response:
        """Ask once."""
        return self.act(request, request_id, acting.ask_visit)


class Answer(Write):
    """End an item for a person."""

    action = Action.work_items
    operation = "answer"
    ask = shapes.AnswerAsk

    @describing.write(name="answer", summary="End an item for a person", ask=shapes.AnswerAsk,
                      description="Say how a message was answered, with words to the patient if wanted.")  # fmt: skip
    def post(self, request: Any, request_id: UUID) -> Response:
        """Answer once."""
        return self.act(request, request_id, acting.answer)


class TakeBack(Write):
    """Undo."""

    action = Action.work_items
    operation = "take-back"

    @describing.write(name="take-back", summary="Take back", ask=shapes.VersionAsk,
                      description="Undo a decision while nothing has left; it is in review again.")  # fmt: skip
    def post(self, request: Any, request_id: UUID) -> Response:
        """Undo once."""
        return self.act(request, request_id, acting.take_back)


@extend_schema(exclude=True)
class Schema(Operation):
    """The OpenAPI document, for a token or a person signed in."""

    authentication_classes: ClassVar = [TokenAuthentication, SignedInPerson]
    permission_classes: ClassVar = []

    def get(self, request: Any) -> Response:
        """The document."""
        if not request.user.is_authenticated:
            self.permission_denied(request)
        return Response(document())


@extend_schema(exclude=True)
class Unknown(Operation):
    """Everything else under the API's path."""

    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "put", "patch", "delete"]

    def get(self, request: Any) -> Response:
        """Not here."""
        raise Http404

    post = put = patch = delete = get


def document() -> dict[str, Any]:
    """The OpenAPI document of these operations."""
    generator: Any = SchemaGenerator
    return dict(generator().get_schema(request=None, public=True))
