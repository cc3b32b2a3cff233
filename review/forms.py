"""Forms of the review pages; they validate and never save. Every action carries the version seen and a form key."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django import forms
from django.http import QueryDict

from audit.events import CATALOGUE
from integrations.models import PharmacyEntry
from refillhub.practices.models import Practice
from review import queries_reading, replies, states, wording
from review.models import Preparation, Queue
from review.workflow import Changes, Correction

DENIALS = [(code, words) for code, words in replies.DENIAL_NOTES.items()]
ANSWERS = [
    ("called", "Called the patient"),
    ("wrote", "Wrote to the patient"),
    ("visit_booked", "A visit is booked"),
    ("handled_in_chart", "Done in DrChrono"),
    ("passed_on", "Given to a colleague in person"),
    ("nothing_asked", "Nothing was asked"),
    ("emergency_reached", "Emergency: the patient was reached"),
]
CANCELS = [
    ("not_needed", "No longer needed"),
    ("patient_withdrew", "The patient withdrew"),
    ("done_elsewhere", "Done another way"),
    ("sent_by_mistake", "Sent by mistake"),
    ("not_our_patient", "Not our patient"),
]


class ActForm(forms.Form):
    """What every action posts: the version the person saw, and a key that counts once."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: object, practice: Practice, **more: object) -> None:
        super().__init__(*args, **more)
        self.practice = practice


class ApproveForm(ActForm):
    """Approve as shown; `although` answers the question that is asked when criteria are not met."""

    although = forms.BooleanField(required=False)


class SignForm(forms.Form):
    """Signing: each prescription ticked by its signer, the hash of what was shown, and both factors."""

    password = forms.CharField(strip=False, max_length=200)
    code = forms.CharField(max_length=10)

    def __init__(self, data: QueryDict, *, waiting: Sequence[Preparation]) -> None:
        super().__init__(data)
        self.waiting = {str(one.id): one for one in waiting}
        self.ticked = [one for one in data.getlist("ready") if one in self.waiting]

    def chosen(self) -> list[uuid.UUID]:
        """The preparations that were ticked, of those that wait."""
        return [self.waiting[one].id for one in self.ticked]

    def ready(self) -> set[uuid.UUID]:
        """The same, for showing the boxes again. A change clears them: then the hash shown is another."""
        return {self.waiting[one].id for one in self.ticked if self._is_as_shown(one)}

    def seen(self) -> list[str]:
        """Hashes of what was shown of the ticked ones."""
        return [self.data.get(f"seen-{one}", "") for one in self.ticked]

    def _is_as_shown(self, one: str) -> bool:
        return self.data.get(f"seen-{one}", "") == self.waiting[one].document_sha256

    def clean(self) -> dict[str, object]:
        if not self.ticked:
            raise forms.ValidationError("Tick each prescription that is ready to sign.")
        if not all(self._is_as_shown(one) for one in self.ticked):
            raise forms.ValidationError("It changed since this page was shown: look at it again, then tick it.")
        return super().clean() or {}

    def first_words(self) -> str:
        """The first thing to mend."""
        if self.non_field_errors():
            return str(self.non_field_errors()[0])
        return "Enter both your password and the six-digit code."


class DayForm(forms.Form):
    """The sign-off of a day: a fresh code, and a note where something went wrong."""

    code = forms.CharField(max_length=10)
    note = forms.CharField(max_length=500, required=False)


class ChangeForm(ApproveForm):
    """Approve with changes. Empty fields keep what is there."""

    quantity = forms.DecimalField(
        label="Quantity", required=False, min_value=Decimal("0.001"), max_digits=11, decimal_places=3
    )
    days_supply = forms.IntegerField(label="Days supply", required=False, min_value=1, max_value=365)
    refills = forms.IntegerField(label="Refills", required=False, min_value=0, max_value=99)
    sig = forms.CharField(label="Directions", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    pharmacy_ncpdp = forms.RegexField(
        r"^\d{7}$", label="Pharmacy (NCPDP id)", required=False, error_messages={"invalid": "Seven digits."}
    )

    def clean_pharmacy_ncpdp(self) -> str:
        """Only a pharmacy of the directory of this practice's stage."""
        ncpdp = self.cleaned_data["pharmacy_ncpdp"]
        if ncpdp and not PharmacyEntry.objects.filter(stage=self.practice.stage, ncpdp_id=ncpdp).exists():
            raise forms.ValidationError("No pharmacy of the directory has this number.")
        return ncpdp

    def changes(
        self, *, quantity: Decimal | None, days_supply: int | None, refills: int | None, sig: str, pharmacy_ncpdp: str
    ) -> Changes:
        """Only what differs from what the request holds, given as arguments."""
        new = self.cleaned_data
        return Changes(
            quantity=new["quantity"] if new["quantity"] not in (None, quantity) else None,
            days_supply=new["days_supply"] if new["days_supply"] not in (None, days_supply) else None,
            refills=new["refills"] if new["refills"] not in (None, refills) else None,
            sig=new["sig"] if new["sig"] and new["sig"] != sig else None,
            pharmacy_ncpdp=new["pharmacy_ncpdp"] if new["pharmacy_ncpdp"] not in ("", pharmacy_ncpdp) else None,
        )


class DenyForm(ActForm):
    """A coded reason; the patient reads its sentence, and the note if given."""

    code = forms.ChoiceField(label="Reason", choices=DENIALS, widget=forms.RadioSelect)
    note = forms.CharField(
        label="More for the patient", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )


class RerouteForm(ActForm):
    """Another prescriber."""

    provider = forms.UUIDField(label="To")


class HandOverForm(ActForm):
    """To the assistants, with a question."""

    question = forms.CharField(label="What to do", required=False, max_length=300)


class AnswerForm(ActForm):
    """How an item for a person was answered, and words to the patient if wanted."""

    reason = forms.ChoiceField(label="How was it answered?", choices=ANSWERS)
    text = forms.CharField(
        label="Text to the patient (optional)",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class CancelForm(ActForm):
    """Why nothing more is needed."""

    reason = forms.ChoiceField(label="Reason", choices=CANCELS)


class ConfirmForm(ActForm):
    """Whether a prescription of unknown outcome arrived: asked of the pharmacy by telephone."""

    arrived = forms.ChoiceField(label="The prescription", choices=[("yes", "has arrived"), ("no", "has not arrived")])
    pharmacy = forms.CharField(label="Pharmacy", max_length=100)
    spoke_with = forms.CharField(label="Person you spoke with", max_length=100)


class CorrectForm(ActForm):
    """What a message meant. Empty: as read. What it may hold of the patient's words is judged where it is kept."""

    intent = forms.ChoiceField(
        label="What is wanted", required=False, choices=[("", "As read"), *queries_reading.INTENTS.items()]
    )
    entry = forms.CharField(label="Which drug", required=False, max_length=64)
    mention = forms.IntegerField(required=False, min_value=0)
    words = forms.CharField(label="Words of the message", required=False, max_length=60)
    rewritten = forms.CharField(label="The message written again", required=False, max_length=1000)
    is_alias = forms.BooleanField(label="This patient calls it so", required=False)

    def correction(self) -> Correction:
        """What the person says, for the verb."""
        return Correction(**{name: self.cleaned_data[name] for name in (
            "intent", "entry", "mention", "words", "rewritten", "is_alias")})


class NoteForm(ActForm):
    """A note for colleagues."""

    text = forms.CharField(label="Note for colleagues", max_length=1000)


class FindForm(forms.Form):
    """Filter of the requests list."""

    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "Any state"), ("open", "Open"), *wording.STATES.items()]
    )
    queue = forms.ChoiceField(
        label="With", required=False, choices=[("", "Anyone"), *[one for one in Queue.choices if one[0]]]
    )
    kind = forms.ChoiceField(
        label="Problem",
        required=False,
        choices=[
            ("", "Any"),
            ("returned", "Came back with a code"),
            ("message", "For a person"),
            ("out", "Runs out before tomorrow"),
            ("late", "Waiting over 4 hours"),
        ],
    )
    find = forms.CharField(label="Request id", required=False, max_length=36)


class AuditForm(forms.Form):
    """Filter of the audit page and of its export."""

    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    event = forms.ChoiceField(
        label="Event", required=False, choices=[("", "Any event"), *[(name, name) for name in sorted(CATALOGUE)]]
    )
    who = forms.CharField(label="Person or system", required=False, max_length=64)
    outcome = forms.RegexField(r"^[a-z_]{1,40}$", label="Outcome", required=False)
    branch = forms.RegexField(r"^[a-z0-9_]{1,40}$", label="Branch: recipe or reason", required=False)
    reference = forms.CharField(label="Request or patient reference", required=False, max_length=40)
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def clean_reference(self) -> str:
        """A request's id, whole, or a patient reference."""
        text = str(self.cleaned_data["reference"]).strip().lower()
        if not text or text.startswith("p_"):
            return text
        try:
            return str(uuid.UUID(text))
        except ValueError:
            raise forms.ValidationError("Enter a whole request id, or a reference that begins with p_.") from None

    def clean(self) -> dict[str, object]:
        """The period runs forward."""
        data: dict[str, object] = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if isinstance(since, date) and isinstance(until, date) and until < since:
            self.add_error("until", "The period ends before it begins.")
        return data


OPEN_STATES = [str(state) for state in states.OPEN_REQUEST_STATES]
