"""Limits and adopted classes of a draft: two forms with their bounds and the safety floor beside them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from rules import decision, protocols, versions
from rules import policy as policies
from rules.editor import desk, frame
from rules.editor.desk import Desk
from rules.policy import PolicyError

ADOPTABLE = (protocols.Route.auto, protocols.Route.opt_in)


class LimitsForm(forms.Form):
    """The limits of a policy with their bounds, and its switches."""

    is_on_call_enabled = forms.BooleanField(required=False, label="On-call takes what runs out before opening")
    untagged_refill_may_be_automatic = forms.BooleanField(required=False, label="Untagged refills may be automatic")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = {
            name: forms.IntegerField(
                min_value=bound.least, max_value=bound.most, label=name.replace("_", " ").capitalize(),
                help_text=f"{bound.meaning} {bound.least} to {bound.most} {bound.unit}.",
            )
            for name, bound in policies.BOUNDS.items()
        }  # fmt: skip
        self.fields = {**numbers, **self.fields}


class ClassesForm(forms.Form):
    """The classes the medical director adopts: name and note belong to the new ones."""

    adopted_by = forms.CharField(max_length=100, required=False, label="Medical director",
                                 help_text="Who adopts the classes that are new in this draft.")  # fmt: skip
    note = forms.CharField(max_length=300, required=False, label="Note")
    adopted_classes = forms.MultipleChoiceField(
        choices=[(one.key, one.name) for one in protocols.load().by_key.values() if one.route in ADOPTABLE],
        required=False, widget=forms.CheckboxSelectMultiple, label="Adopted for automatic approval",
    )  # fmt: skip


@desk.page()
def limits(here: Desk) -> HttpResponse:
    """The policy limits of a version; a form while it is a draft."""
    initial = policies.to_document(policy=here.rules.policy)
    form = LimitsForm(here.request.POST or None, initial=initial)
    if here.request.method == "POST" and here.is_draft and form.is_valid():
        document = here.open_document()
        document["policy"] = {**document.get("policy", {}), **form.cleaned_data}
        if _kept(here, document, form):
            return HttpResponseRedirect(here.request.path)
    return render(here.request, "rules/limits.html", frame.context(here, current="limits", form=form))


@desk.page()
def classes(here: Desk) -> HttpResponse:
    """The drug class protocols of a version, which of them are adopted, by whom and when."""
    adoptions = {row["class"]: row for row in here.one.document.get("adoptions", [])}
    form = ClassesForm(
        here.request.POST or None, initial={"adopted_classes": sorted(here.rules.policy.adopted_classes)}
    )
    is_right = here.request.method == "POST" and here.is_draft and form.is_valid()
    if is_right and _kept(here, _with_adoptions(here, form.cleaned_data, adoptions), form):
        return HttpResponseRedirect(here.request.path)
    adopted, own = here.rules.policy.adopted_classes, here.one.document.get("protocols") or {}
    rows = [
        {"protocol": one, "adoption": adoptions.get(one.key), "is_adopted": one.key in adopted,
         "may": one.route in ADOPTABLE, "is_own": one.key in own}
        for one in here.rules.protocols.by_key.values()
    ]  # fmt: skip
    return render(here.request, "rules/classes.html", frame.context(here, current="classes", form=form, rows=rows))


def _with_adoptions(here: Desk, data: dict[str, Any], adoptions: dict[str, Any]) -> dict[str, Any]:
    wanted = sorted(data["adopted_classes"])
    today = here.now.astimezone(here.request.shell.zone).date().isoformat()  # type: ignore[attr-defined]
    fresh = {"by": data["adopted_by"].strip(), "on": today, "note": data["note"]}
    document = here.open_document()
    document["policy"] = {**document.get("policy", {}), "adopted_classes": wanted}
    document["adoptions"] = [adoptions.get(key) or {"class": key, **fresh} for key in wanted]
    return document


def _kept(here: Desk, document: dict[str, Any], form: forms.Form) -> bool:
    try:
        here.keep(document)
    except PolicyError as error:
        field = "adopted_by" if error.field in ("adoptions", "adopted_classes") else error.field
        form.add_error(field if field in form.fields else None, str(error))
        return False
    except versions.WrongState as error:
        messages.error(here.request, f"Someone was faster: {error}.")
        return True
    messages.success(here.request, "The draft is kept.")
    return True


@desk.page(methods=("GET",))
def floor(here: Desk) -> HttpResponse:
    """The guards in code, each with what it says and rests on; nothing here can be switched."""
    rows = [
        {"name": one.check.__name__.replace("_", " "), "text": " ".join((one.check.__doc__ or "").split())}
        for one in (*decision.FIRST, *decision.AFTER, *decision.REFILL)
        if one.bars
    ]
    return render(here.request, "rules/floor.html", frame.context(here, current="floor", rows=rows))


def address(name: str, here: Desk, **rest: Any) -> str:
    """The address of one of the editor's pages for this version."""
    return reverse(f"admin:rules_{name}", kwargs={"pk": here.one.pk, **rest})
