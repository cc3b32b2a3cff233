"""Rules in the admin site: limits and recipe switches; draft, propose, publish by a second person. Nothing else is
edited. Vocabulary releases can be looked at.

Every step is a verb of `rules.versions` with its audit entry. The pages are views of their own, because the admin's
forms open a transaction and a verb must open its own. Only the practice the person has chosen is shown.
"""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods

from refillhub.practices import roles
from rules import policy as policies
from rules import protocols, publishing, recipes, versions, vocabulary
from rules.models import RuleVersion, Vocabulary
from rules.policy import PolicyError
from rules.rxnorm import changes

ADOPTABLE = (protocols.Route.auto, protocols.Route.opt_in)


class RulesForm(forms.Form):
    """The limits of a policy with their bounds, the recipe switches and the adopted classes."""

    note = forms.CharField(max_length=300, required=False, help_text="Why the rules change.")
    enabled_recipes = forms.MultipleChoiceField(
        choices=[(one.key, one.name) for one in recipes.ready_made()], required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    is_on_call_enabled = forms.BooleanField(required=False, label="On-call takes what runs out before opening")
    untagged_refill_may_be_automatic = forms.BooleanField(required=False, label="Untagged refills may be automatic")
    adopted_classes = forms.MultipleChoiceField(
        choices=[(one.key, one.name) for one in protocols.load().by_key.values() if one.route in ADOPTABLE],
        required=False, widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    adopted_by = forms.CharField(max_length=100, required=False, help_text="Medical director, for new classes.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, bound in policies.BOUNDS.items():
            self.fields[name] = forms.IntegerField(
                min_value=bound.least, max_value=bound.most,
                help_text=f"{bound.meaning} {bound.least} to {bound.most} {bound.unit}.",
            )  # fmt: skip

    def document(self, *, before: dict[str, Any], today: str) -> dict[str, Any]:
        """The document the form says. Custom recipes and earlier adoptions of `before` are kept."""
        data = self.cleaned_data
        limits: dict[str, Any] = {name: data[name] for name in policies.BOUNDS}
        for name in ("is_on_call_enabled", "untagged_refill_may_be_automatic"):
            limits[name] = data[name]
        limits["enabled_recipes"] = sorted(data["enabled_recipes"])
        limits["adopted_classes"] = sorted(data["adopted_classes"])
        kept = [row for row in before.get("adoptions", []) if row["class"] in data["adopted_classes"]]
        known = {row["class"] for row in kept}
        new = [
            {"class": key, "by": data["adopted_by"].strip(), "on": today, "note": data["note"]}
            for key in limits["adopted_classes"]
            if key not in known
        ]
        document = {**before, "policy": limits, "adoptions": [*kept, *new]}
        return document


def _initial(version: RuleVersion | None) -> dict[str, Any]:
    policy = versions.policy_of(version=version) if version is not None else policies.Policy()
    return {**policies.to_document(policy=policy), "note": version.note if version is not None else ""}


@admin.register(RuleVersion)
class RuleVersionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list of versions; one page each, with the form while it is a draft."""

    list_display = ("number", "state", "note", "drafted_by", "proposed_by", "published_by", "effective_at")
    list_display_links = ("number",)
    ordering = ("-number",)
    actions = None
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleVersion]:
        practice = getattr(request, "practice", None)
        if practice is None:
            return RuleVersion.objects.none()
        return super().get_queryset(request).filter(practice=practice)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("add/", wrap(require_http_methods(["GET", "POST"])(self.new)), name="rules_ruleversion_add"),
            path("<uuid:pk>/change/", wrap(require_http_methods(["GET", "POST"])(self.one)),
                 name="rules_ruleversion_change"),
        ]  # fmt: skip
        return own + super().get_urls()

    def new(self, request: HttpRequest) -> HttpResponse:
        """A new draft, beginning with the rules in force."""
        self._demand(request, roles.Action.draft_rules)
        practice, now = request.practice, request.now  # type: ignore[attr-defined]
        start = versions.in_force(practice=practice, now=now)
        form = RulesForm(request.POST or None, initial=_initial(start))
        if request.method == "POST" and form.is_valid():
            document = form.document(before=dict(start.document) if start else {}, today=now.date().isoformat())
            try:
                made = versions.draft(
                    practice=practice, by=request.user, document=document, now=now, note=form.cleaned_data["note"]
                )
            except PolicyError as error:
                _blame(form, error)
            else:
                messages.success(request, f"Draft {made.number} is kept.")
                return HttpResponseRedirect(reverse("admin:rules_ruleversion_change", args=[made.pk]))
        return self._page(request, form=form, version=None)

    def one(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """One version: its form while a draft, and the steps this person may take."""
        self._demand(request, roles.Action.draft_rules)
        version = self.get_queryset(request).filter(pk=pk).first()
        if version is None:
            raise Http404
        form = RulesForm(request.POST if request.POST.get("step") == "save" else None, initial=_initial(version))
        if request.method == "POST":
            done = self._step(request, version, form)
            if done:
                messages.success(request, done)
                return HttpResponseRedirect(request.path)
        return self._page(request, form=form, version=version)

    def _step(self, request: HttpRequest, version: RuleVersion, form: RulesForm) -> str:
        """The sentence of what was done, "" when the page shows why not."""
        step, by, now = request.POST.get("step"), request.user, request.now  # type: ignore[attr-defined]
        try:
            if step == "save":
                if not form.is_valid():
                    return ""
                document = form.document(before=dict(version.document), today=now.date().isoformat())
                note = form.cleaned_data["note"]
                versions.change(version_id=version.pk, by=by, document=document, now=now, note=note)
                return "The draft is kept."
            if step == "propose":
                versions.propose(version_id=version.pk, by=by, now=now)
                return "Proposed. A second person publishes."
            if step == "withdraw":
                versions.withdraw(version_id=version.pk, by=by, now=now)
                return "Back to draft."
            if step == "publish":
                self._demand(request, roles.Action.publish_rules)
                publishing.publish(version_id=version.pk, by=by, now=now)
                return "Published and in force."
        except PolicyError as error:
            _blame(form, error)
        except publishing.SamePerson:
            messages.error(request, "A second person publishes: not who drafted or proposed it.")
        except publishing.NotPreviewed as error:
            messages.error(request, f"{error} Try the draft on recorded decisions first and open the result.")
        except versions.WrongState as error:
            messages.error(request, f"Someone was faster: {error}.")
        return ""

    def _page(self, request: HttpRequest, *, form: RulesForm, version: RuleVersion | None) -> HttpResponse:
        title = f"Rules {version.number}: {version.get_state_display()}" if version is not None else "New rules"
        context = {**self.admin_site.each_context(request), "form": form, "version": version, "title": title,
                   "is_draft": version is None or version.state == RuleVersion.State.draft}  # fmt: skip
        return render(request, "rules/version.html", context)

    def _demand(self, request: HttpRequest, action: roles.Action) -> None:
        """404 for people without the role, as everywhere."""
        if getattr(request, "practice", None) is None or not roles.may(roles=request.roles, action=action):  # type: ignore[attr-defined]
            raise Http404

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.may(roles=getattr(request, "roles", frozenset()), action=roles.Action.draft_rules)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Vocabulary)
class VocabularyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Releases of the drug vocabulary, looking only: they come and go by `manage.py load_rxnorm`."""

    list_display = ("released_on", "state", "loaded_at", "loaded_by", "sizes")
    fields = ("released_on", "state", "started_at", "loaded_at", "loaded_by", "sizes", "notes", "what_changed",
              "history", "sources", "sha256", "notice")  # fmt: skip
    ordering = ("-started_at",)
    actions = None
    show_full_result_count = False

    @admin.display(description="counts")
    def sizes(self, row: Vocabulary) -> str:
        return ", ".join(f"{kind} {row.counts[kind]}" for kind in changes.KINDS if kind in row.counts)

    @admin.display(description="changes")
    def what_changed(self, row: Vocabulary) -> str:
        found = [(row.changes[key], title) for key, title in changes.TITLES.items() if key in row.changes]
        lines = [(f"{one['count']} {title}: {'; '.join(one['examples'])}",) for one, title in found if one["count"]]
        return format_html_join(mark_safe("<br>"), "{}", lines)

    @admin.display(description="notice of the National Library of Medicine")
    def notice(self, row: Vocabulary) -> str:
        return str(vocabulary.manifest()["notice"])

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if request.user.is_active and request.user.is_superuser:  # an operator, of no practice
            return True
        mine = getattr(request, "roles", frozenset())
        return any(roles.may(roles=mine, action=one) for one in (roles.Action.draft_rules, roles.Action.see_audit))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _blame(form: RulesForm, error: PolicyError) -> None:
    """The error beside its field, at the top when the page has no such field."""
    field = "adopted_by" if error.field in ("adoptions", "adopted_classes") else error.field
    form.is_valid()
    form.add_error(field if field in form.fields else None, str(error))
