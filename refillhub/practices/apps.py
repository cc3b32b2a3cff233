"""The practices app: whose data it is. Tenants, places and people; it stands under every other table."""

from django.apps import AppConfig


class PracticesConfig(AppConfig):
    name = "refillhub.practices"
    label = "practices"
    verbose_name = "Practices and people"
    default_auto_field = "django.db.models.BigAutoField"
