"""Loads the deployment checks once every application is ready; holds no models."""

from django.apps import AppConfig


class WiringConfig(AppConfig):
    """The wiring as an application, so that its checks are found."""

    name = "refillhub"

    def ready(self) -> None:
        """Register the checks, which read models of the other applications."""
        from refillhub import checks  # noqa: F401
