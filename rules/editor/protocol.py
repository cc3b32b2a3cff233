"""One drug class in a draft: the figures of its protocol, the practice's beside the table's, what guards say.

A figure left empty is the table's. The medical director signs each change with name and reason; the day is today's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from rules import catalogue, protocol_changes, protocols, versions
from rules.editor import desk, frame
from rules.editor.desk import Desk
from rules.policy import PolicyError
from rules.protocols import Protocol, Route

NUMBERS = {
    "visit_within_days": "Visit within",
    "max_days_supply": "Days supply, at most",
    "max_refills": "Refills, at most",
    "min_stable_days": "Unchanged for at least",
    "min_age_years": "Age, from",
    "max_age_years": "Age, to",
}
ROUTES = {
    Route.auto: "automatic where adopted",
    Route.opt_in: "automatic where adopted (opt-in)",
    Route.review: "always to a clinician",
    Route.never: "never automatic",
}
PARTS = ("within_days", "least", "most", "is_demanded")


class ProtocolForm(forms.Form):
    """The figures of one class; names of tests' fields are "potassium-most"."""

    by = forms.CharField(max_length=100, label="Medical director")
    note = forms.CharField(max_length=300, label="Why")

    def __init__(self, *args: Any, table: Protocol, tests: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own: dict[str, forms.Field] = {}
        for name, label in NUMBERS.items():
            least, most, unit = protocol_changes.NUMBERS[name]
            shipped = getattr(table, name)
            own[name] = forms.IntegerField(
                required=False, min_value=least, max_value=most, label=label,
                help_text=f"{unit}; table: {'none' if shipped is None else shipped}",
            )  # fmt: skip
        lower = protocol_changes.ROUTES[protocol_changes.ROUTES.index(table.route) :]
        choices = [("", f"as in the table: {ROUTES[table.route]}"), *((one.value, ROUTES[one]) for one in lower[1:])]
        own["route"] = forms.ChoiceField(required=False, label="Way", choices=choices)
        for key, unit in tests.items():
            own |= _test_fields(key, unit)
        self.fields = {**own, **self.fields}


def _test_fields(key: str, unit: str) -> dict[str, forms.Field]:
    words, safe = catalogue.LAB_WORDS.get(key, key), protocol_changes.SAFE[key]
    made: dict[str, forms.Field] = {
        f"{key}-within_days": forms.IntegerField(
            required=False, min_value=1, max_value=730, label=f"{words}: newer than"
        )
    }
    for name, label in (("least", "from"), ("most", "to")):
        made[f"{key}-{name}"] = forms.CharField(
            required=False, max_length=12, label=f"{words}: {label}", help_text=f"{safe[0]} to {safe[1]} {unit}"
        )
    may_be_left = [("no", "only if on file")] if key in protocol_changes.MAY_BE_LEFT else []
    made[f"{key}-is_demanded"] = forms.ChoiceField(
        required=False, label=f"{words}: asked for", choices=[("", "as in the table"), ("yes", "always"), *may_be_left]
    )
    return made


@desk.page()
def protocol(here: Desk, key: str) -> HttpResponse:
    """The figures of one class; a form while the version is a draft."""
    table = protocols.load().by_key.get(key)
    if table is None:
        raise Http404
    own: dict[str, Any] = dict((here.one.document.get("protocols") or {}).get(key, {}))
    added = here.request.POST.get("add") or here.request.GET.get("add", "")
    tests = _tests(table, own, added)
    form = ProtocolForm(here.request.POST or None, initial=_initial(own), table=table, tests=tests)
    if here.request.method == "POST" and here.is_draft and _changed(here, key, form):
        return HttpResponseRedirect(here.request.path)
    context = frame.context(
        here, current="classes", form=form, table=table, row=here.rules.protocols.by_key[key], own=own,
        figures=[form[name] for name in (*NUMBERS, "route")], tests=list(_rows(form, table, tests)), added=added,
        more=[(one, catalogue.LAB_WORDS.get(one, one)) for one in protocol_changes.SAFE if one not in tests],
        notices=[one.sentence for one in here.rules.notices if one.path.split(".")[1] == key],
    )  # fmt: skip
    return render(here.request, "rules/protocol.html", context)


def _tests(table: Protocol, own: Mapping[str, Any], added: str) -> dict[str, str]:
    """Tests on the page with their unit: the table's, the practice's own, and one about to be added."""
    fresh = [added] if added in protocol_changes.SAFE else []
    keys = [*(test.key for test in table.tests), *own.get("labs", {}), *fresh]
    units = protocols.load().lab_units
    return {key: units[key] for key in dict.fromkeys(keys) if key in units}


def _initial(own: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in own.items() if name not in ("labs", "on")}
    for key, parts in own.get("labs", {}).items():
        for name, value in parts.items():
            found[f"{key}-{name}"] = {True: "yes", False: "no"}[value] if name == "is_demanded" else value
    return found


def _rows(form: ProtocolForm, table: Protocol, tests: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for key, unit in tests.items():
        shipped = [test for test in table.tests if test.key == key]
        yield {
            "name": catalogue.LAB_WORDS.get(key, key),
            "unit": unit,
            "fields": [form[f"{key}-{name}"] for name in PARTS],
            "table": [_said(test) for test in shipped],
        }


def _said(test: protocols.Test) -> str:
    """ "3.5 to 5.1, newer than 365 days, for lisinopril"."""
    span = " to ".join(str(one) for one in (test.least, test.most) if one is not None)
    if test.least is None and test.most is not None:
        span = f"at most {test.most}"
    elif test.most is None and test.least is not None:
        span = f"at least {test.least}"
    words = [one for one in (span, f"newer than {test.within_days} days") if one]
    if test.only:
        words.append("for " + ", ".join(sorted(test.only)))
    if test.excepted:
        words.append("not for " + ", ".join(sorted(test.excepted)))
    if not test.is_demanded:
        words.append("only if on file")
    return ", ".join(words)


def _changed(here: Desk, key: str, form: ProtocolForm) -> bool:
    """Keep the figures; whether the page is to be shown afresh."""
    document = here.open_document()
    changed = dict(document.get("protocols") or {})
    if here.request.POST.get("do") == "table":
        changed.pop(key, None)
    elif not form.is_valid():
        return False
    else:
        changed[key] = _document(here, form.cleaned_data)
        if not set(changed[key]) - {"by", "on", "note"}:
            form.add_error(None, "Nothing differs from the table: change a figure, or leave the page.")
            return False
    document["protocols"] = changed
    try:
        here.keep(document)
    except PolicyError as error:
        name = error.field.removeprefix(f"protocols.{key}.").removeprefix("labs.").replace(".", "-")
        form.add_error(name if name in form.fields else None, f"{error.rule[:1].upper()}{error.rule[1:]}.")
        return False
    except versions.WrongState as error:
        messages.error(here.request, f"Someone was faster: {error}.")
        return True
    messages.success(here.request, "The draft is kept.")
    return True


def _document(here: Desk, data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the rule document: only what was filled in."""
    today = here.now.astimezone(here.request.shell.zone).date().isoformat()  # type: ignore[attr-defined]
    made: dict[str, Any] = {"by": data["by"].strip(), "on": today, "note": data["note"].strip()}
    labs: dict[str, dict[str, Any]] = {}
    for name, value in data.items():
        if value in ("", None) or name in made:
            continue
        test, dash, part = name.partition("-")
        if not dash:
            made[name] = value
        else:
            labs.setdefault(test, {})[part] = value == "yes" if part == "is_demanded" else value
    return made | ({"labs": labs} if labs else {})
