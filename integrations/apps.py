"""The Django app `integrations`: adapters that talk to vendors when called, and never call anyone themselves."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """App configuration; the label `integrations` is fixed because tables and migrations carry it."""

    name = "integrations"
    label = "integrations"
    verbose_name = "Vendor connections"
    default_auto_field = "django.db.models.BigAutoField"
