"""The practice's own names of laboratory tests in a draft: where a laboratory sends no code, or leaves out the unit."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from rules import catalogue, labs, protocols, versions
from rules.editor import desk, frame
from rules.editor.desk import Desk
from rules.policy import PolicyError


class NameForm(forms.Form):
    """One name."""

    title = forms.CharField(max_length=100, label="As the laboratory writes it")
    key = forms.ChoiceField(
        label="Is our",
        choices=[
            (key, f"{catalogue.LAB_WORDS.get(key, key)} ({unit})")
            for key, unit in sorted(protocols.load().lab_units.items())
        ],
    )
    unit = forms.CharField(max_length=30, required=False, label="Unit, where the laboratory writes none")


@desk.page()
def lab_names(here: Desk) -> HttpResponse:
    """The list; a draft's is added to and taken from."""
    form = NameForm(here.request.POST if here.request.POST.get("do") == "add" else None)
    if here.request.method == "POST" and here.is_draft and _changed(here, form):
        return HttpResponseRedirect(here.request.path)
    known = protocols.load().lab_units
    rows = [
        {"title": one.title, "name": catalogue.LAB_WORDS.get(one.key, one.key), "unit": one.unit or known[one.key]}
        for one in here.rules.lab_names
    ]
    return render(here.request, "rules/lab_names.html", frame.context(here, current="labs", form=form, rows=rows))


def _changed(here: Desk, form: NameForm) -> bool:
    """Keep the changed list; whether the page is to be shown afresh."""
    rows = labs.to_document(names=here.rules.lab_names)
    if here.request.POST.get("do") == "add":
        if not form.is_valid():
            return False
        rows = [*rows, {name: form.cleaned_data[name] for name in ("title", "key", "unit")}]
    else:
        rows = [row for row in rows if row["title"] != here.request.POST.get("title")]
    try:
        here.keep({**here.one.document, "lab_names": rows})
    except PolicyError as error:
        name = error.field.rpartition(".")[2]
        form.add_error(name if name in form.fields else None, f"{error.rule[:1].upper()}{error.rule[1:]}.")
        return False
    except versions.WrongState as error:
        messages.error(here.request, f"Someone was faster: {error}.")
    return True
