"""The forms of the door and the switches; they validate and never save."""

from __future__ import annotations

from django import forms


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
