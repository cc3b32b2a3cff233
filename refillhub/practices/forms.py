"""The forms of the door and the switches; they validate and never save."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from refillhub.practices.models import Provider


class SignInForm(forms.Form):
    """E-mail and password. The throttling library finds the account by the field `email`, as the user model does."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(
        attrs={"autocomplete": "username", "autofocus": True}))
    password = forms.CharField(label="Password", strip=False, widget=forms.PasswordInput(
        attrs={"autocomplete": "current-password"}))


class CodeForm(forms.Form):
    """One code of the authenticator, or a recovery code."""

    code = forms.CharField(label="Code", max_length=40, widget=forms.TextInput(
        attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "otp", "autofocus": True}))


class RecoveryForm(forms.Form):
    """A recovery code: letters and digits."""

    code = forms.CharField(label="Recovery code", max_length=40, widget=forms.TextInput(
        attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}))


class UnlockForm(forms.Form):
    """The password again."""

    password = forms.CharField(label="Password", strip=False, widget=forms.PasswordInput(
        attrs={"autocomplete": "current-password", "autofocus": True}))


class AbsenceForm(forms.Form):
    """An absence in the practice's own time."""

    provider = forms.ModelChoiceField(label="Who is away", queryset=Provider.objects.none())
    starts_at = forms.DateTimeField(label="From", widget=forms.DateTimeInput(
        attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))
    ends_at = forms.DateTimeField(label="To", widget=forms.DateTimeInput(
        attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))
    stand_in = forms.ModelChoiceField(label="Stand-in", queryset=Provider.objects.none(), required=False,
                                      empty_label="Nobody named: on-call roster")
    note = forms.CharField(label="Note", max_length=200, required=False)

    def __init__(self, *args: Any, providers: QuerySet[Provider], stand_ins: QuerySet[Provider], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].queryset = providers
        self.fields["stand_in"].queryset = stand_ins

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("starts_at") and given.get("ends_at") and given["ends_at"] <= given["starts_at"]:
            self.add_error("ends_at", "The end must come after the beginning.")
        if given.get("stand_in") and given.get("stand_in") == given.get("provider"):
            self.add_error("stand_in", "Nobody stands in for themselves.")
        return given
