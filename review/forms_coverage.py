"""The forms of the coverage page: an absence, the moment to look at. They validate and never save."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from refillhub.practices.absences import Wish
from refillhub.practices.models import Provider

LOCAL = "%Y-%m-%dT%H:%M"
MOVES = (("all", "New and waiting requests"), ("new", "New requests only; urgent ones always move"))
RETURNS = (("stay", "Stay with whoever has them"), ("back", "Go back, if still waiting"))


def _moment(**more: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)
    return forms.DateTimeField(widget=widget, **more)


class AbsenceForm(forms.Form):
    """An absence in the practice's own time."""

    provider = forms.ChoiceField(label="Who is away")
    starts_at = _moment(label="From")
    ends_at = _moment(label="To", help_text="The first moment back. Midnight means the whole day before it is covered.")
    stand_in = forms.ChoiceField(label="Stand-in", required=False)
    moves = forms.ChoiceField(label="What moves", choices=MOVES)
    returns = forms.ChoiceField(label="On return, moved requests", choices=RETURNS)
    note = forms.CharField(label="Note (optional, no patient names)", max_length=200, required=False)

    def __init__(self, *args: Any, providers: list[Provider], stand_ins: list[Provider], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        nobody = ("", "Nobody named: on-call roster")
        self.fields["provider"].choices = [(str(one.pk), str(one)) for one in providers]  # type: ignore[attr-defined]
        self.fields["stand_in"].choices = [nobody, *((str(one.pk), str(one)) for one in stand_ins)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("starts_at") and given.get("ends_at") and given["ends_at"] <= given["starts_at"]:
            self.add_error("ends_at", "The end must come after the beginning.")
        if given.get("stand_in") and given.get("stand_in") == given.get("provider"):
            self.add_error("stand_in", "Nobody stands in for themselves.")
        return given

    def wish(self, *, needs_dea: bool) -> Wish:
        """What was asked for, of a valid form."""
        given = self.cleaned_data
        return Wish(
            provider_id=UUID(given["provider"]), starts_at=given["starts_at"], ends_at=given["ends_at"],
            stand_in_id=UUID(given["stand_in"]) if given["stand_in"] else None, note=given["note"],
            moves_waiting=given["moves"] == "all", returns_waiting=given["returns"] == "back", needs_dea=needs_dea)


class RosterForm(forms.Form):
    """One step of the on-call roster."""

    provider = forms.UUIDField()
    move = forms.ChoiceField(choices=[(one, one) for one in ("up", "down", "add", "remove")])


class WhoForm(forms.Form):
    """A prescriber and a moment."""

    who = forms.ChoiceField(label="A request of")
    at = _moment(label="At", required=False)

    def __init__(self, *args: Any, people: list[Provider], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(one.pk), str(one)) for one in people]
        self.fields["who"].choices = [*choices, ("", "No prescriber known")]  # type: ignore[attr-defined]
        self.fields["who"].required = False

    def asked(self, *, now: datetime) -> tuple[UUID | None, datetime]:
        """Whose and when, of a valid form."""
        who = self.cleaned_data["who"]
        return UUID(who) if who else None, self.cleaned_data["at"] or now
