"""Rules in the admin site: the rule editor's pages, and vocabulary releases to look at. Nothing is edited by the
admin's own forms, because they open a transaction and a verb must open its own.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from refillhub.practices import roles
from rules import vocabulary
from rules.editor import routes
from rules.models import RuleVersion, Vocabulary
from rules.rxnorm import changes


@admin.register(RuleVersion)
class RuleVersionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The way in to the rule editor, whose pages take the place of the admin's own."""

    def get_urls(self) -> list[URLPattern]:
        """The editor's pages only: rows change by the verbs of `rules.versions`, never by a model form."""
        return routes.routes()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.may(roles=getattr(request, "roles", frozenset()), action=roles.Action.draft_rules)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

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
