"""What a person posts to teach the reader: a correction of a reading, and what becomes of a patient's own name.

Form, getter, verb, then back to the same card.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from refillhub.practices import gates
from refillhub.practices.roles import Action
from review import forms, workflow
from review.models import RefillRequest
from review.views import posting
from review.workflow import Became

SAID: Mapping[Became, str] = {
    Became.kept: "The correction is kept; the item stays in review as it is.",
    Became.refill: "Corrected: now a refill of the entry you chose, with its criteria. It stays with a person.",
    Became.message: "Corrected: no entry of the list is meant, so the item is a message for a person.",
    Became.stays_urgent: "The correction is kept. The item stays a message for a person, as it speaks of an emergency, "
    "a symptom or pregnancy.",
}
# At which field a refusal is said; all others stand above the form.
FIELDS: Mapping[str, str] = {
    "unknown_intent": "intent", "entry_not_theirs": "entry", "entry_not_active": "entry", "chart_not_read": "entry",
    "on_its_way": "entry", "words_not_marked": "words", "words_personal": "words", "rewritten_personal": "rewritten",
    "alias_needs_entry": "is_alias", "alias_unfit": "is_alias", "alias_taken": "is_alias",
}  # fmt: skip


@gates.page(action=Action.correct_reading, methods=("POST",))
def correct(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Say what the message meant."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        try:
            done = workflow.correct_reading(
                request_id=row.id,
                user=request.user,
                version=form.cleaned_data["version"],
                now=request.now,
                correction=form.correction(),
            )
        except workflow.NotPossible as no:
            form.add_error(FIELDS.get(no.reason), str(no))
            raise
        named = " The name is proposed; a prescriber confirms it." if form.cleaned_data["is_alias"] else ""
        return SAID[done.became] + named

    return posting.act(request, request_id, forms.CorrectForm, "correct", do, stays=True)


@gates.page(action=Action.confirm_alias, methods=("POST",))
def alias_confirm(request: HttpRequest, request_id: UUID, alias_id: UUID) -> HttpResponse:
    """Let a patient's own name count as a name of its entry."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.confirm_alias(request_id=row.id, alias_id=alias_id, user=request.user, now=request.now)
        return "Confirmed: the next message with this name is read as this entry."

    return posting.act(request, request_id, forms.ActForm, "confirm_alias", do, stays=True)


@gates.page(action=Action.correct_reading, methods=("POST",))
def alias_end(request: HttpRequest, request_id: UUID, alias_id: UUID) -> HttpResponse:
    """End a patient's own name."""

    def do(row: RefillRequest, form: forms.ActForm) -> str:
        workflow.end_alias(request_id=row.id, alias_id=alias_id, user=request.user, now=request.now)
        return "Ended: the name counts no longer."

    return posting.act(request, request_id, forms.ActForm, "end_alias", do, stays=True)
