"""Set-up of a practice in the admin site, for its own administrators; every save is an audit entry, nothing is deleted.

It shows and changes only the practice the person has chosen; secrets (hash key, kept forms, devices) are never shown.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import password_validation
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from audit import log
from audit.events import Draft
from refillhub.practices import doors, roles
from refillhub.practices.models import (
    Channel,
    Coverage,
    Location,
    Membership,
    Practice,
    Provider,
    Spi,
    User,
)

admin.site.site_header = "Refill Hub"
admin.site.site_title = "Refill Hub"
admin.site.index_title = "Set-up of the practice"
admin.site.site_url = "/"


class OwnPracticeAdmin(admin.ModelAdmin):
    """Rows of the chosen practice only; `practice` is set, never chosen."""

    event = "practice.changed"
    action = roles.Action.manage_practice
    exclude = ("practice",)
    actions = None
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(practice=request.practice)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        model = db_field.remote_field.model
        if model is User:
            kwargs["queryset"] = own_users(request)
        elif any(field.name == "practice" for field in model._meta.fields):
            kwargs["queryset"] = model._default_manager.filter(practice=request.practice)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.practice = request.practice
        super().save_model(request, obj, form, change)
        self.note(request, obj, form, change)

    def note(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The audit entry: which row and which fields, never their values."""
        log.record(now=request.now, draft=Draft(
            practice_id=request.practice.id, event=self.event, actor=doors.person(request.user), trigger="admin",
            outcome="changed" if change else "added",
            data={"kind": self.model._meta.model_name, "row": str(obj.pk), "fields": sorted(form.changed_data)}))

    def _may(self, request: HttpRequest) -> bool:
        return request.practice is not None and roles.may(roles=request.roles, action=self.action)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def own_users(request: HttpRequest) -> QuerySet[User]:
    """People of this practice, and people of none (just created); never another practice's."""
    if request.practice is None:
        return User.objects.none()
    return User.objects.filter(
        Q(memberships__practice=request.practice) | Q(memberships__isnull=True, is_superuser=False)).distinct()


@admin.register(Practice)
class PracticeAdmin(OwnPracticeAdmin):
    """The practice itself. Stage, switches and agreement have their own ways."""

    exclude = ("hash_key_sealed",)
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_display = ("name", "stage", "time_zone", "is_shadow")
    readonly_fields = ("slug", "stage", "shadow_since", "baa_signed_on", "baa_signed_by", "sending_stopped_at",
                       "sending_stopped_by", "automatic_stopped_at", "automatic_stopped_by", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return admin.ModelAdmin.get_queryset(self, request).filter(pk=request.practice.pk if request.practice else None)

    def save_model(self, request: HttpRequest, obj: Practice, form: Any, change: bool) -> None:
        if "is_shadow" in form.changed_data:
            obj.shadow_since = request.now if obj.is_shadow else None
        super().save_model(request, obj, form, change)
        if "is_shadow" in form.changed_data:
            log.record(now=request.now, draft=Draft(
                practice_id=obj.id, event="shadow.changed", actor=doors.person(request.user), trigger="admin",
                outcome="shadow" if obj.is_shadow else "live"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Location)
class LocationAdmin(OwnPracticeAdmin):
    list_display = ("name", "city", "state", "time_zone", "drchrono_office_id")


@admin.register(Channel)
class ChannelAdmin(OwnPracticeAdmin):
    list_display = ("external_id", "phone_number", "kind", "location")


@admin.register(Provider)
class ProviderAdmin(OwnPracticeAdmin):
    list_display = ("last_name", "first_name", "npi", "location", "on_call_order", "is_active")


@admin.register(Spi)
class SpiAdmin(OwnPracticeAdmin):
    list_display = ("spi", "provider", "location", "is_active")


@admin.register(Coverage)
class CoverageAdmin(OwnPracticeAdmin):
    """Looking only: absences are arranged on the coverage page, which refuses loops and gaps."""

    action = roles.Action.cover_anyone
    list_display = ("provider", "starts_at", "ends_at", "stand_in", "moves_waiting", "returns_waiting", "note")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(OwnPracticeAdmin):
    event = "member.changed"
    action = roles.Action.manage_people
    list_display = ("user", "role", "is_active")
    list_filter = ("role", "is_active")


class UserForm(forms.ModelForm):
    """A person; the password is set when the person is added."""

    password_first = forms.CharField(label="First password", required=False, widget=forms.PasswordInput,
                                     help_text="Only when adding a person; they enrol a second factor at once.")

    class Meta:
        model = User
        fields = ("email", "full_name", "is_active", "is_staff")

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()

    def clean_password_first(self) -> str:
        given = self.cleaned_data["password_first"]
        if self.instance._state.adding:
            if not given:
                raise forms.ValidationError("A new person needs a first password.")
            password_validation.validate_password(given, self.instance)
        return given


@admin.register(User)
class UserAdmin(OwnPracticeAdmin):
    """People of this practice; those who also belong to another may be looked at, not changed."""

    event = "member.changed"
    action = roles.Action.manage_people
    exclude = ()
    form = UserForm
    list_display = ("email", "full_name", "is_active", "is_staff")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return own_users(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is None:
            return self._may(request)
        elsewhere = obj.memberships.exclude(practice=request.practice).exists()
        return self._may(request) and not elsewhere and not obj.is_superuser

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.set_password(form.cleaned_data["password_first"])
        obj.save()
        self.note(request, obj, form, change)
