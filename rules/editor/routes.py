"""Addresses of the editor, all under /admin/rules/ruleversion/."""

from __future__ import annotations

from django.urls import URLPattern, path

from rules.editor import clauses, lab_names, limits, overview, preview, protocol, recipe


def routes() -> list[URLPattern]:
    """The patterns for the admin site's list."""
    return [
        path("", overview.home, name="rules_ruleversion_changelist"),
        path("policy/", clauses.policies, name="rules_written"),
        path("policy/<uuid:policy>/file/", clauses.file, name="rules_written_file"),
        path("<uuid:pk>/", overview.version, name="rules_version"),
        path("<uuid:pk>/limits/", limits.limits, name="rules_limits"),
        path("<uuid:pk>/classes/", limits.classes, name="rules_classes"),
        path("<uuid:pk>/classes/<str:key>/", protocol.protocol, name="rules_protocol"),
        path("<uuid:pk>/labs/", lab_names.lab_names, name="rules_labs"),
        path("<uuid:pk>/floor/", limits.floor, name="rules_floor"),
        path("<uuid:pk>/preview/", preview.page, name="rules_preview"),
        path("<uuid:pk>/citations/", clauses.citations, name="rules_citations"),
        path("<uuid:pk>/recipes/<str:key>/", recipe.recipe, name="rules_recipe"),
    ]
