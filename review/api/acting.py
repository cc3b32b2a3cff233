"""What a program may do to one request: exactly the verbs of the pages, with the version it read and its own key.

It answers refusals of the verbs as problems. Nothing here prepares a signature's proof or signs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from review import access, queries_criteria, states, workflow
from review.api import errors
from review.api.errors import Problem
from review.api.idempotency import Answer
from review.api.tokens import Caller
from review.models import RefillRequest
from review.states import RequestState

R = RequestState
NO_RECORD = "The token's person has no prescriber record in this practice; an administrator can add it."
Body = Mapping[str, Any]
Do = Callable[[RefillRequest, Caller, Body], tuple[RefillRequest, str]]


def run(*, row: RefillRequest, caller: Caller, body: Body, flag: str, do: Do) -> Answer:
    """The verb, with its end or its refusal as an answer."""
    try:
        if not getattr(access.what_may(request=row, held=caller.held), flag):
            raise _refused(row, body["version"])
        done, said = _verb(row, caller, body, do)
    except Problem as no:
        return no.status_code, no.body
    shown = {"id": str(done.id), "state": str(done.state), "version": done.version, "is_shadow": done.is_shadow}
    return 200, {**shown, "message": said}


def _verb(row: RefillRequest, caller: Caller, body: Body, do: Do) -> tuple[RefillRequest, str]:
    try:
        return do(row, caller, body)
    except workflow.AlreadyDecided as lost:
        raise errors.already(lost.request) from lost
    except states.WrongState as lost:
        raise errors.already(access.request_for(practice=caller.practice, request_id=row.id)) from lost
    except workflow.Locked as lost:
        raise Problem(status=423, code="locked", message=errors.LOCKED) from lost
    except workflow.NotPossible as no:
        raise Problem(status=422, code=no.reason, message=str(no)) from no


def _refused(row: RefillRequest, version: int) -> Problem:
    """Not to be done now: locked, changed meanwhile, or not offered for this item to this person."""
    if row.is_locked:
        return Problem(status=423, code="locked", message=errors.LOCKED)
    if version != row.version or row.state != R.IN_REVIEW:
        return errors.already(row)
    message = "This item does not offer it to this person; the request lists what is possible under `may`."
    return Problem(status=422, code="not_offered", message=message)


def approve(row: RefillRequest, caller: Caller, body: Body) -> tuple[RefillRequest, str]:
    """Approve as shown, in the person's own name. What is controlled is never sent by this."""
    provider = access.provider_of(user=caller.user, practice=caller.practice)
    if provider is None:
        raise workflow.NotPossible("no_provider", NO_RECORD)
    question = "" if body["although"] else queries_criteria.question(request=row)
    if question:
        raise Problem(status=422, code="question", message=question, field="although")
    done = workflow.approve(
        request_id=row.id, user=caller.user, provider=provider, version=body["version"], now=caller.now
    )
    if done.state == R.AWAITING_SIGNATURE:
        return done, "Controlled: prepared. It is signed on the page, by its prescriber in person, or not at all."
    if done.state in (R.HANDING_OFF, R.WITH_EHR):
        return done, "Controlled: a task with everything filled in goes to DrChrono."
    if done.is_shadow:
        return done, "Approved in shadow: recorded, nothing leaves."
    return done, f"Approved; it leaves in {caller.practice.undo_seconds_person} s unless it is taken back."


def deny(row: RefillRequest, caller: Caller, body: Body) -> tuple[RefillRequest, str]:
    """Deny with a coded reason."""
    done = workflow.deny(
        request_id=row.id, user=caller.user, version=body["version"], now=caller.now, code=body["code"],
        note=body["note"],
    )  # fmt: skip
    return done, "Denied; the patient is told after the undo time."


def ask_visit(row: RefillRequest, caller: Caller, body: Body) -> tuple[RefillRequest, str]:
    """Ask the patient to come first."""
    done = workflow.ask_visit(request_id=row.id, user=caller.user, version=body["version"], now=caller.now)
    return done, "Visit asked; the patient is told after the undo time."


def answer(row: RefillRequest, caller: Caller, body: Body) -> tuple[RefillRequest, str]:
    """End an item for a person, with a reason."""
    done = workflow.answer(
        request_id=row.id, user=caller.user, version=body["version"], now=caller.now, reason=body["reason"],
        text=body["text"],
    )  # fmt: skip
    return done, "Answered."


def take_back(row: RefillRequest, caller: Caller, body: Body) -> tuple[RefillRequest, str]:
    """Undo, while nothing has left."""
    done = workflow.take_back(request_id=row.id, user=caller.user, version=body["version"], now=caller.now)
    return done, "Taken back: nothing left. It is in review again."
