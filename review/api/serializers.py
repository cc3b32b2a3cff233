"""The shapes of bodies and answers, one class each. No logic but this: an unknown field or parameter is refused."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from audit.events import CATALOGUE
from review import forms, queries_api
from review.models import DispatchKind, Kind, Lane, Scope, Source
from review.states import DispatchState, RequestState

Empty = dict[str, Any]
STATES = [state.value for state in RequestState]
SCHEDULES = "not_controlled, ii, iii, iv, v, or unknown; empty where no drug is named"


class Strict(s.Serializer):
    """What callers send: a name that is not known is an error, so that a slip of the pen is never a silent no."""

    def to_internal_value(self, data: Any) -> Any:
        """The values. Raises ValidationError."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise s.ValidationError({str(unknown[0])[:40]: ["There is no such field."]})
        return super().to_internal_value(data)


class StrictInteger(s.IntegerField):
    """A number in JSON, not a text that looks like one."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class StrictBoolean(s.BooleanField):
    """true or false in JSON, nothing that looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        """The truth value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(data)


class StrictText(s.CharField):
    """A text in JSON, not a number."""

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


# --- what is asked ------------------------------------------------------------------------------------------------


class QueueQuery(Strict):
    """Parameters of the queue."""

    state = s.ChoiceField(choices=[one.value for one in queries_api.WAITING], required=False,
                          help_text="Only requests in this state; without it, all that wait.")  # fmt: skip
    cursor = s.CharField(required=False, max_length=200, help_text="`next` of the page before.")
    limit = s.IntegerField(required=False, min_value=1, max_value=queries_api.MOST, default=50,
                           help_text="Most items of a page.")  # fmt: skip


class AuditQuery(Strict):
    """Parameters of the trail."""

    after = s.IntegerField(required=False, min_value=0, max_value=2**62, default=0,
                           help_text="Entries after this number.")  # fmt: skip
    event = s.ChoiceField(choices=sorted(CATALOGUE), required=False, help_text="Only entries of this event.")
    limit = s.IntegerField(required=False, min_value=1, max_value=queries_api.MOST, default=50,
                           help_text="Most entries of a page.")  # fmt: skip


class VersionAsk(Strict):
    """Act on the request as it was read."""

    version = StrictInteger(min_value=1, max_value=2**31 - 1, help_text="The version that was read.")


class ApproveAsk(VersionAsk):
    """Approve as it stands."""

    although = StrictBoolean(required=False, default=False,
                             help_text="The answer to `question`, where the request has one.")  # fmt: skip


class DenyAsk(VersionAsk):
    """Deny with a coded reason."""

    code = s.ChoiceField(choices=[code for code, _ in forms.DENIALS], help_text="The reason; its sentence is sent.")
    note = StrictText(required=False, default="", allow_blank=True, max_length=300, help_text="More for the patient.")


class AnswerAsk(VersionAsk):
    """End an item for a person."""

    reason = s.ChoiceField(choices=[code for code, _ in forms.ANSWERS], help_text="How it was answered.")
    text = StrictText(required=False, default="", allow_blank=True, max_length=1000, help_text="Text to the patient.")


# --- what is answered ---------------------------------------------------------------------------------------------


class Problem(s.Serializer):
    """An error."""

    code = s.CharField(help_text="For programs; never changes its meaning.")
    message = s.CharField(help_text="For people.")
    field = s.CharField(required=False, help_text="What to mend.")


class Conflict(Problem):
    """Somebody was first, or the key was used; the state and version that stand now."""

    state = s.ChoiceField(choices=STATES, required=False)
    version = s.IntegerField(required=False)


class Me(s.Serializer):
    """Who the token acts for."""

    practice_id = s.UUIDField()
    practice = s.CharField()
    user_id = s.UUIDField()
    name = s.CharField()
    roles = s.ListField(child=s.CharField(), help_text="At this moment.")
    scopes = s.ListField(child=s.ChoiceField(choices=Scope.values))
    expires_at = s.DateTimeField()
    is_shadow = s.BooleanField(help_text="True: nothing leaves.")


class Reason(s.Serializer):
    """Why it is with a person."""

    code = s.CharField()
    words = s.CharField()


class Item(s.Serializer):
    """A request, without the patient."""

    id = s.UUIDField()
    state = s.ChoiceField(choices=STATES)
    version = s.IntegerField()
    kind = s.ChoiceField(choices=Kind.values)
    source = s.ChoiceField(choices=Source.values)
    drug_name = s.CharField(allow_blank=True)
    schedule = s.CharField(allow_blank=True, help_text=SCHEDULES)
    is_controlled = s.BooleanField(help_text="Controlled, or not known not to be.")
    days_left = s.IntegerField(allow_null=True, help_text="Whole days of supply; null where unknown.")
    run_out_on = s.DateField(allow_null=True)
    reasons = Reason(many=True)
    urgency = s.ChoiceField(choices=list(queries_api.URGENCY))
    is_urgent = s.BooleanField(help_text="The patient calls it pressing.")
    is_locked = s.BooleanField(help_text="It may be at the pharmacy; a person must ask there first.")
    is_shadow = s.BooleanField()
    queue = s.CharField(allow_blank=True, help_text="prescriber, assistant, on_call, administrator or empty")
    assignee_id = s.UUIDField(allow_null=True, help_text="The prescriber who has it.")
    asked_at = s.DateTimeField()
    opened_at = s.DateTimeField()
    age_minutes = s.IntegerField(help_text="Since it was asked.")


class Items(s.Serializer):
    """A page of the queue."""

    items = Item(many=True)
    next = s.CharField(allow_null=True, help_text="`cursor` of the page after; null at the end.")


class Criterion(s.Serializer):
    """One criterion of the rules."""

    name = s.CharField()
    kind = s.ChoiceField(choices=["fail", "note", "pass"])
    found = s.CharField(allow_blank=True)
    source = s.CharField(allow_blank=True)
    age = s.CharField(allow_blank=True)
    limit = s.CharField(allow_blank=True)


class Step(s.Serializer):
    """One step of the trace."""

    node = s.CharField()
    fact = s.CharField()
    value = s.CharField(allow_blank=True)
    threshold = s.CharField(allow_blank=True)
    result = s.CharField(help_text="yes, no, unknown, or a code")


class Decision(s.Serializer):
    """The newest decision of the rules."""

    at = s.DateTimeField()
    outcome = s.CharField()
    recipe = s.CharField(allow_blank=True)
    drug_class = s.CharField(allow_blank=True)
    version = s.IntegerField(allow_null=True, help_text="Of the rules; null: the safe defaults.")
    criteria = Criterion(many=True)
    what_would_change_it = s.ListField(child=s.CharField())
    trace = Step(many=True)


class Sent(s.Serializer):
    """One outgoing message."""

    id = s.UUIDField()
    kind = s.ChoiceField(choices=DispatchKind.values)
    purpose = s.CharField(allow_blank=True)
    lane = s.ChoiceField(choices=Lane.values)
    state = s.ChoiceField(choices=[one.value for one in DispatchState])
    code = s.CharField(allow_blank=True, help_text="As the network or vendor gave it.")
    description_codes = s.ListField(child=s.CharField())
    attempt = s.IntegerField()
    is_shadow = s.BooleanField()
    queued_at = s.DateTimeField()
    due_at = s.DateTimeField()
    accepted_at = s.DateTimeField(allow_null=True)
    delivered_at = s.DateTimeField(allow_null=True)


class Patient(s.Serializer):
    """Whom it is for."""

    name = s.CharField(allow_blank=True)
    birth_date = s.CharField(allow_blank=True, help_text="ISO date; empty where the chart has none.")


class Detail(s.Serializer):
    """One request."""

    request = Item()
    quantity = s.DecimalField(max_digits=11, decimal_places=3, allow_null=True)
    quantity_unit = s.CharField(allow_blank=True)
    days_supply = s.IntegerField(allow_null=True)
    refills = s.IntegerField(allow_null=True)
    sig = s.CharField(allow_blank=True)
    rxcui = s.CharField(allow_blank=True)
    pharmacy_ncpdp = s.CharField(allow_blank=True)
    decided_at = s.DateTimeField(allow_null=True)
    decided_by = s.UUIDField(allow_null=True)
    last_code = s.CharField(allow_blank=True, help_text="Why it came back; empty where it did not.")
    duplicate_of = s.UUIDField(allow_null=True)
    question = s.CharField(allow_blank=True, help_text="Asked before approving; empty when all is met.")
    may = s.ListField(child=s.ChoiceField(choices=list(queries_api.OPERATIONS)), help_text="Possible now.")
    decision = Decision(allow_null=True)
    dispatches = Sent(many=True)
    patient = Patient(allow_null=True, help_text="Only for tokens of scope `decide`.")


class Done(s.Serializer):
    """What was done."""

    id = s.UUIDField()
    state = s.ChoiceField(choices=STATES)
    version = s.IntegerField()
    is_shadow = s.BooleanField()
    message = s.CharField()


class Entry(s.Serializer):
    """One entry of the audit trail."""

    number = s.IntegerField()
    at = s.DateTimeField()
    event = s.CharField()
    sentence = s.CharField()
    actor_kind = s.CharField()
    actor_id = s.CharField()
    request_id = s.UUIDField(allow_null=True)
    patient_ref = s.CharField(allow_blank=True, help_text="A keyed reference, no identity.")
    trigger = s.CharField(allow_blank=True)
    outcome = s.CharField(allow_blank=True)
    decision_path = s.ListField(child=s.CharField())
    clinician = s.CharField(allow_blank=True)
    data = s.DictField()
    previous_hash = s.CharField()
    hash = s.CharField(help_text="SHA-256 of `refill-hub audit 1`, a newline, previous_hash, a newline and body.")
    body = s.CharField(help_text="The exact text that was hashed.")


class Trail(s.Serializer):
    """A page of the trail."""

    entries = Entry(many=True)
    next = s.IntegerField(allow_null=True, help_text="`after` of the page after; null at the end.")
