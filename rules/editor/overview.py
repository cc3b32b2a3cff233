"""The list of versions and the overview of one: recipes with their hits, what changed, and the steps to be taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from refillhub.practices import otp, roles
from rules import previewing, publishing, recipes, steps, versions
from rules.conditions import ConditionError
from rules.editor import desk, frame
from rules.editor.desk import Desk, State
from rules.models import DecisionRecord, RuleVersion
from rules.policy import RECIPE_KEYS, PolicyError

HITS_DAYS = 30
SHOWN = 50
LOOKED_BACK = 30  # published versions looked through for a recipe's last change


class PublishForm(forms.Form):
    """The second person's own code, and from when."""

    code = forms.CharField(
        max_length=20,
        label="Your code",
        help_text="Six digits of your authenticator, or a recovery code.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )
    effective_at = forms.DateTimeField(
        required=False,
        label="In force from",
        help_text="Left empty: at once.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )


@desk.page()
def home(here: Desk) -> HttpResponse:
    """Version in force, drafts and history; a draft begins here."""
    if here.request.method == "POST":
        start = here.in_force
        old = [one for one in versions.of(practice=here.practice) if str(one.pk) == here.request.POST.get("again")]
        if old:
            again = old[0]
            made = versions.again(version=again, by=here.person, now=here.now)
        else:
            document = start.document if start else {}
            made = versions.draft(practice=here.practice, by=here.person, document=document, now=here.now)
        messages.success(here.request, f"Draft {made.number} is begun.")
        return HttpResponseRedirect(reverse("admin:rules_version", kwargs={"pk": made.pk}))
    rows = versions.of(practice=here.practice).select_related("drafted_by", "published_by")
    context = {"here": here, "base": here.in_force, "rows": rows.order_by("-number")[:SHOWN], "total": rows.count(),
               "shown": SHOWN}  # fmt: skip
    return render(here.request, "rules/home.html", context)


@desk.page()
def version(here: Desk) -> HttpResponse:
    """One version: what it changes, its recipes in order of precedence, and the next step."""
    form = PublishForm(here.request.POST if here.request.POST.get("step") == "publish" else None)
    if here.request.method == "POST" and _step(here, form):
        return HttpResponseRedirect(here.request.path)
    context = frame.context(
        here,
        current="overview",
        form=form,
        rows=_rows(here),
        standing=previewing.standing(version=here.one, by=here.person, now=here.now),
        is_second=here.person.pk not in (here.one.proposed_by_id, here.one.drafted_by_id),
        may_publish=here.may(roles.Action.publish_rules),
        hits_days=HITS_DAYS,
    )
    return render(here.request, "rules/version.html", context)


def _rows(here: Desk) -> list[dict[str, Any]]:
    since = here.now - timedelta(days=HITS_DAYS)
    counted = DecisionRecord.objects.filter(practice=here.practice, at__gte=since)
    hits = dict(counted.values_list("recipe").annotate(count=Count("pk")).values_list("recipe", "count"))
    changed = _last_changes(here)
    return [
        {"recipe": one, "is_on": one.key in here.rules.policy.enabled_recipes or one.key not in RECIPE_KEYS,
         "can_switch": one.key in RECIPE_KEYS, "hits": hits.get(one.key, 0), "changed": changed.get(one.key),
         "in_draft": any(each.rule == f"recipe:{one.key}" for each in here.differences)}
        for one in here.rules.recipes
    ]  # fmt: skip


def _last_changes(here: Desk) -> dict[str, RuleVersion]:
    """For each recipe the published version that last changed it, as far back as we look."""
    published = RuleVersion.objects.filter(
        practice=here.practice, state__in=[State.published, State.superseded], effective_at__lte=here.now
    )
    rows = list(published.order_by("-effective_at", "-number")[:LOOKED_BACK])
    found: dict[str, RuleVersion] = {}
    for newer, older in zip(rows, [*rows[1:], None], strict=True):
        before = {one.key: one for one in versions.rules_of(version=older).recipes} if older else _shipped()
        for one in versions.rules_of(version=newer).recipes:
            if one.key not in found and before.get(one.key) != one:
                found[one.key] = newer
    return found


def _shipped() -> dict[str, recipes.Recipe]:
    return {one.key: one for one in recipes.ready_made()}


def _step(here: Desk, form: PublishForm) -> bool:
    """Take the step asked for; whether the page should be shown afresh."""
    step, _, name = here.request.POST.get("step", "").partition(":")
    try:
        if step == "propose":
            versions.propose(version_id=here.one.pk, by=here.person, now=here.now)
            return _said(here, "Proposed. A second person publishes.")
        if step == "withdraw":
            versions.withdraw(version_id=here.one.pk, by=here.person, now=here.now)
            return _said(here, "Back to draft.")
        if step == "publish":
            return _publish(here, form)
        if step in ("on", "off", "up", "down", "remove"):
            here.keep(_with_recipe(here, step, name))
            return _said(here, "The draft is kept.")
        if step == "new":
            return _new(here)
    except (PolicyError, recipes.RecipeError, ConditionError, publishing.NotPreviewed) as error:
        messages.error(here.request, str(error))
    except publishing.SamePerson:
        messages.error(here.request, "A second person publishes: not who drafted or proposed it.")
    except versions.WrongState as error:
        messages.error(here.request, f"Someone was faster: {error}.")
    return False


def _said(here: Desk, sentence: str) -> bool:
    messages.success(here.request, sentence)
    return True


def _publish(here: Desk, form: PublishForm) -> bool:
    if not here.may(roles.Action.publish_rules):
        messages.error(here.request, "Your role may not publish rules.")
        return False
    if not form.is_valid():
        return False
    verdict = otp.verify(user=here.person, code=form.cleaned_data["code"], now=here.now)
    if not verdict.is_right:
        wait = f" Wait {verdict.wait_seconds} seconds." if verdict.wait_seconds else ""
        form.add_error("code", f"This code is not right.{wait}")
        return False
    start = form.cleaned_data["effective_at"]
    publishing.publish(version_id=here.one.pk, by=here.person, now=here.now, effective_at=start)
    return _said(here, "Published." if start else "Published and in force.")


def _with_recipe(here: Desk, step: str, key: str) -> dict[str, Any]:
    """The document with one recipe switched, moved in precedence, or removed."""
    document = here.open_document()
    here.recipe(key)
    if step in ("on", "off"):
        on = set(here.rules.policy.enabled_recipes)
        on = on | {key} if step == "on" else on - {key}
        document["policy"] = {**document.get("policy", {}), "enabled_recipes": sorted(on)}
        return document
    rows = list(document["recipes"])
    at = next(index for index, row in enumerate(rows) if row["key"] == key)
    if step == "remove":
        if key in RECIPE_KEYS:
            raise PolicyError(field="recipes", rule="a shipped recipe is switched off, not removed")
        rows.pop(at)
    else:
        to = min(max(at + (-1 if step == "up" else 1), 0), len(rows) - 1)
        rows[at], rows[to] = rows[to], rows[at]
    document["recipes"] = rows
    return document


def _new(here: Desk) -> bool:
    """A recipe of the practice's own, which begins by sending to review."""
    document = here.open_document()
    taken = {row["key"] for row in document["recipes"]}
    number = next(n for n in range(1, 1000) if f"own_{n}" not in taken)
    key, name = f"own_{number}", here.request.POST.get("name", "").strip()[:80] or f"Own recipe {number}"
    trigger = here.request.POST.get("trigger", recipes.Trigger.refill.value)
    document["recipes"] = [*document["recipes"], steps.new(key=key, name=name, trigger=trigger)]
    here.keep(document)
    return _said(here, f"\u201c{name}\u201d is added at the end. Open it to say when it applies.")
