"""The rules app: versions of a practice's rules and records of decisions. The deciding itself needs no Django."""

from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "rules"
    label = "rules"
    verbose_name = "Clinical rules"
    default_auto_field = "django.db.models.BigAutoField"
