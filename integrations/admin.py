"""Looking at connections, secrets' fingerprints and the mirror. Never shows a secret, never changes the mirror.

A connection is set up on the practice's own pages; here it is only looked at.
"""

from django.contrib import admin
from django.http import HttpRequest

from integrations import models


class LookOnly(admin.ModelAdmin):
    """No adding, changing or deleting: these rows are what a vendor told us, or are written by the vault."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(models.Connection)
class ConnectionAdmin(LookOnly):
    list_display = ("practice", "vendor", "stage", "status", "last_ok_at", "last_error_at", "last_error_code")
    list_filter = ("vendor", "stage", "status")
    list_select_related = ("practice",)
    fields = (
        "practice", "vendor", "stage", "base_url", "status", "client_id", "account", "endpoint_token", "profile",
        "token_expires_at", "last_refresh_at", "last_ok_at", "last_error_at", "last_error_code", "last_webhook_at",
        "push_seen_at",
    )  # fmt: skip


@admin.register(models.Secret)
class SecretAdmin(LookOnly):
    list_display = ("connection", "kind", "state", "fingerprint", "activated_at", "retires_at", "last_used_at")
    list_filter = ("kind", "state")
    list_select_related = ("connection",)
    fields = (
        "connection", "kind", "state", "fingerprint", "created_at", "activated_at", "retires_at", "last_used_at",
    )  # fmt: skip


@admin.register(models.MirrorPatient)
class MirrorPatientAdmin(LookOnly):
    list_display = ("practice", "external_id", "status", "last_visit_on", "medications_read_at", "pushed_at")
    list_filter = ("practice", "status")
    list_select_related = ("practice",)
    search_fields = ("external_id",)


@admin.register(models.MirrorMedication)
class MirrorMedicationAdmin(LookOnly):
    list_display = ("practice", "external_id", "name", "is_active", "order_status", "seen_at", "gone_at")
    list_filter = ("practice", "is_active")
    list_select_related = ("practice",)
    search_fields = ("external_id", "name")


@admin.register(models.MirrorResult)
class MirrorResultAdmin(LookOnly):
    list_display = ("practice", "kind", "title", "loinc", "unit", "performed_on", "seen_at")
    list_filter = ("practice", "kind")
    list_select_related = ("practice",)
    exclude = ("value",)


@admin.register(models.PrescriptionSeen)
class PrescriptionSeenAdmin(LookOnly):
    list_display = ("practice", "external_id", "kind", "direction", "status", "drug_name", "written_at")
    list_filter = ("practice", "kind")
    list_select_related = ("practice",)


@admin.register(models.PharmacyEntry)
class PharmacyEntryAdmin(LookOnly):
    list_display = ("ncpdp_id", "name", "city", "state", "directory_state", "stage", "seen_at")
    list_filter = ("stage", "directory_state", "state")
    search_fields = ("ncpdp_id", "name", "zip_code")


@admin.register(models.SweepState)
class SweepStateAdmin(LookOnly):
    list_display = ("practice", "kind", "started_at", "finished_at", "completed_at")
    list_filter = ("kind",)
    list_select_related = ("practice",)
