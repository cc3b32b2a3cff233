"""Forms of the connections pages. A secret's field is write-only: it is never filled in, also not after an error."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from integrations.klara import profile as profiles
from integrations.models import Connection, SecretKind, Vendor
from review import connecting

LONGEST_SECRET = 20_000  # a certificate chain with its key
LONGEST_REQUEST = 200_000


class WriteOnlyTextarea(forms.Textarea):
    """A text area that forgets what was posted."""

    def format_value(self, value: Any) -> str:
        return ""


class AccountForm(forms.Form):
    """The ids the vendor knows the practice by. Not secret."""

    client_id = forms.CharField(
        label="Client id",
        max_length=128,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    account = forms.CharField(
        label="Account or practice id at the vendor",
        max_length=128,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, connection: Connection, **more: Any) -> None:
        super().__init__(*args, **more)
        if connection.vendor == Vendor.surescripts:
            del self.fields["client_id"]
            self.fields["account"].label = "Account at the network"
        elif connection.vendor == Vendor.drchrono:
            self.fields["account"].help_text = "DrChrono's practice group, where webhooks name it."


class SecretForm(forms.Form):
    """One secret of a kind the vendor has."""

    kind = forms.ChoiceField(label="Kind")
    value = forms.CharField(label="Value", max_length=LONGEST_SECRET, strip=True)

    def __init__(self, *args: Any, connection: Connection, **more: Any) -> None:
        super().__init__(*args, **more)
        kinds = connecting.KINDS[connection.vendor]
        choices = [(kind.value, kind.label) for kind in kinds]
        self.fields["kind"] = forms.ChoiceField(label="Kind", choices=choices)
        attrs = {"autocomplete": "new-password", "spellcheck": "false"}
        is_long = SecretKind.certificate in kinds
        self.fields["value"].widget = (
            WriteOnlyTextarea(attrs={**attrs, "rows": 5}) if is_long else forms.PasswordInput(attrs=attrs)
        )
        self.fields["value"].widget.is_required = True
        self.fields["value"].help_text = "Write-only: after saving it can be replaced or revoked, never read here."


class ProfileForm(forms.Form):
    """How a Klara account talks, and one real request to try it on. The request is never stored nor shown again."""

    profile = forms.ChoiceField(label="Way of signing", choices=[(name, name) for name in profiles.BUILT_IN])
    changes = forms.CharField(
        label="Changes to it (JSON)",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
        help_text='Only what differs, for example {"signature": {"headers": {"signature": "X-Signature"}}}.',
    )
    headers = forms.CharField(
        label="Headers of one real request",
        max_length=20_000,
        widget=WriteOnlyTextarea(attrs={"rows": 5, "spellcheck": "false", "class": "mono"}),
        help_text="One a line, Name: value, from Klara's delivery log, at most five minutes old.",
    )
    body = forms.CharField(
        label="Its body, exactly",
        strip=False,
        max_length=LONGEST_REQUEST,
        widget=WriteOnlyTextarea(attrs={"rows": 6, "spellcheck": "false", "class": "mono"}),
        help_text="Used for the trial only; not stored.",
    )

    def clean_changes(self) -> dict[str, Any]:
        text = self.cleaned_data["changes"].strip()
        try:
            raw = json.loads(text) if text else {}
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError("This is not JSON.") from error
        if not isinstance(raw, dict):
            raise forms.ValidationError("Must be a JSON object.")
        if {"base_url", "profile"} & set(raw):
            raise forms.ValidationError("The address and the name of the profile are not changed here.")
        return raw

    def clean_headers(self) -> tuple[tuple[str, str], ...]:
        found = []
        for line in self.cleaned_data["headers"].splitlines():
            name, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not colon or not name.strip():
                raise forms.ValidationError("Each line is a name, a colon and a value.")
            found.append((name.strip(), value.strip()))
        return tuple(found)

    def clean_body(self) -> bytes:
        # A browser turns line breaks into CRLF when it posts a text area; vendors send LF or none.
        return str(self.cleaned_data["body"]).replace("\r\n", "\n").encode()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "changes" in given and "profile" in given:
            given["raw"] = {**given["changes"], "profile": given["profile"]}
            try:
                profiles.parse(raw=given["raw"])
            except profiles.InvalidProfile as error:
                self.add_error("changes", f"{error.field}: {error.problem}.")
            except (KeyError, TypeError, AttributeError) as error:
                self.add_error("changes", f"A part has the wrong shape ({type(error).__name__}).")
        return given
