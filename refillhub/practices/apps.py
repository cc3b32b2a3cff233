"""The practices app: whose data it is. Tenants, places and people; it stands under every other table."""

from django.apps import AppConfig


class PracticesConfig(AppConfig):
    name = "refillhub.practices"
    label = "practices"
    verbose_name = "Practices and people"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from refillhub.practices import sign_in_log  # the receivers of the sign-in library's signals

        sign_in_log.connect()
