"""Audit entries in the admin site: looking only, and only at the practice the person has chosen."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.models import Entry

READERS = frozenset({"compliance", "administrator"})


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    """A list by number; one entry with all its fields."""

    list_display = ("number", "at", "event", "actor_kind", "actor_id", "request_id", "patient_ref")
    list_filter = ("event", "actor_kind")
    search_fields = ("=request_id", "=patient_ref", "=actor_id")
    ordering = ("-number",)
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        practice = getattr(request, "practice", None)
        if practice is None:
            return Entry.objects.none()
        return super().get_queryset(request).filter(practice_id=practice.id)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not READERS.isdisjoint(getattr(request, "roles", frozenset()))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
