"""Forms of the account pages; they validate and never save."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet

from refillhub.practices.models import Provider


class AgreementForm(forms.Form):
    """The signed business associate agreement."""

    signed_on = forms.DateField(label="Signed on", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    signed_by = forms.CharField(label="Signed by", max_length=200, help_text="Name and office of the signer.")

    def __init__(self, *args: object, today: date, **more: object) -> None:
        super().__init__(*args, **more)
        self.today = today

    def clean_signed_on(self) -> date:
        given: date = self.cleaned_data["signed_on"]
        if given > self.today:
            raise forms.ValidationError("An agreement is recorded once it is signed: this day has not come yet.")
        return given


class GrantForm(forms.Form):
    """Asking for a prescriber's right to sign."""

    provider = forms.ModelChoiceField(label="Prescriber", queryset=Provider.objects.none())
    registration_ends_on = forms.DateField(label="DEA registration ends", widget=forms.DateInput(
        attrs={"type": "date"}, format="%Y-%m-%d"))
    evidence = forms.CharField(label="Evidence", max_length=200, help_text="Where the identity proofing and the look "
                               "at the DEA and state registers are filed; no numbers of tokens")

    def __init__(self, *args: Any, providers: QuerySet[Provider], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].queryset = providers
