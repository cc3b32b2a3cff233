"""The written policy's pages: attach a file, name its clauses, link rules to them, and see what is not linked."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from rules import citing, versions, written
from rules.editor import desk, frame
from rules.editor.desk import Desk
from rules.models import WrittenPolicy
from rules.policy import PolicyError


class AttachForm(forms.Form):
    """A new edition of the policy."""

    title = forms.CharField(max_length=200, label="Title", help_text="For example: Refill policy, signed March 2, 2026")
    file = forms.FileField(label="File", help_text="PDF or plain text, at most 5 MB. It is kept as it is.")


class ClauseForm(forms.Form):
    """One clause of the policy."""

    number = forms.CharField(max_length=20, label="Number")
    title = forms.CharField(max_length=200, label="Title")
    page = forms.IntegerField(required=False, min_value=1, max_value=2000, label="Page")


@desk.page()
def policies(here: Desk) -> HttpResponse:
    """All editions of the practice's policy, the newest with its clauses; both forms."""
    newest = written.newest(practice=here.practice)
    doing = here.request.POST.get("do", "")
    attach = AttachForm(here.request.POST, here.request.FILES) if doing == "attach" else AttachForm()
    clause = ClauseForm(here.request.POST) if doing == "clause" else ClauseForm()
    if doing == "attach" and attach.is_valid() and _attached(here, attach):
        return HttpResponseRedirect(here.request.path)
    if doing == "clause" and newest is not None and clause.is_valid() and _named(here, newest, clause):
        return HttpResponseRedirect(here.request.path)
    editions = WrittenPolicy.objects.filter(practice=here.practice).defer("body").select_related("uploaded_by")
    context = {
        "here": here,
        "editions": editions.order_by("-uploaded_at"),
        "newest": newest,
        "clauses": newest.clauses.order_by("pk") if newest else (),
        "attach": attach,
        "clause": clause,
    }
    return render(here.request, "rules/written.html", context)


def _attached(here: Desk, form: AttachForm) -> bool:
    file = form.cleaned_data["file"]
    if file.size > written.MAX_BYTES:
        form.add_error("file", f"The file is larger than {written.MAX_BYTES // 1_000_000} MB.")
        return False
    try:
        written.attach(
            practice=here.practice, by=here.person, title=form.cleaned_data["title"], body=file.read(), now=here.now
        )
    except written.NotAPolicy as error:
        form.add_error("file", str(error))
        return False
    messages.success(here.request, "The policy is attached. Name its clauses next.")
    return True


def _named(here: Desk, policy: WrittenPolicy, form: ClauseForm) -> bool:
    data = form.cleaned_data
    try:
        written.name_clause(
            policy=policy, by=here.person, number=data["number"], title=data["title"], page=data["page"], now=here.now
        )
    except written.ClauseTaken as error:
        form.add_error("number", str(error))
        return False
    return True


@desk.page(methods=("GET",))
def file(here: Desk, policy: uuid.UUID) -> HttpResponse:
    """The file itself, always as a download: nothing of it runs in our pages."""
    found = WrittenPolicy.objects.filter(practice=here.practice, pk=policy).first()
    if found is None:
        raise Http404
    ending = "pdf" if found.media_type == "application/pdf" else "txt"
    answer = HttpResponse(bytes(found.body), content_type=found.media_type)
    answer["Content-Disposition"] = f'attachment; filename="refill-policy-{found.uploaded_at:%Y-%m-%d}.{ending}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@desk.page()
def citations(here: Desk) -> HttpResponse:
    """The links of a version: a field of clause numbers for each rule, and both lists of gaps."""
    newest = written.newest(practice=here.practice)
    mine = here.rules.citations
    cited = newest
    if mine.written_policy:
        cited = WrittenPolicy.objects.filter(practice=here.practice, pk=mine.written_policy).defer("body").first()
    rules = frame.rules_to_link(here)
    errors: dict[str, str] = {}
    typed = {rule: ", ".join(mine.links.get(rule, ())) for rule in rules}
    if here.request.method == "POST" and here.is_draft and newest is not None:
        typed = {rule: here.request.POST.get(rule, "") for rule in rules}
        if _linked(here, newest, typed, errors):
            return HttpResponseRedirect(here.request.path)
    clauses = list(cited.clauses.order_by("pk")) if cited else []
    context = frame.context(
        here,
        current="citations",
        newest=newest,
        cited=cited,
        clauses=clauses,
        links=[_link(rule, typed[rule], errors) for rule in rules],
        unlinked=[_name(rule) for rule in citing.unlinked(rules=rules, citations=mine)],
        uncovered=[one for one in clauses if one.number in citing.uncovered(clauses=[one.number], citations=mine)],
    )
    return render(here.request, "rules/citations.html", context)


def _linked(here: Desk, policy: WrittenPolicy, typed: dict[str, str], errors: dict[str, str]) -> bool:
    links = {rule: [one.strip() for one in text.split(",") if one.strip()] for rule, text in typed.items()}
    kept = {rule: numbers for rule, numbers in links.items() if numbers}
    document = {**here.one.document, "citations": {"written_policy": str(policy.pk), "links": kept}}
    try:
        here.keep(document)
    except PolicyError as error:
        errors[error.field.removeprefix("citations.links.")] = error.rule
        return False
    except versions.WrongState as error:
        messages.error(here.request, f"Someone was faster: {error}.")
        return True
    messages.success(here.request, "The links are kept.")
    return True


def _link(rule: str, text: str, errors: dict[str, str]) -> dict[str, Any]:
    return {"rule": rule, "kind": rule.partition(":")[0], "name": _name(rule), "text": text, "error": errors.get(rule)}


def _name(rule: str) -> str:
    kind, _, name = rule.partition(":")
    return f"{kind.capitalize()}: {name.replace('_', ' ')}"
