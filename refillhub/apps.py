"""Loads the checks and a worker's warm-up once every application is ready; holds no models."""

from django.apps import AppConfig


class WiringConfig(AppConfig):
    """The wiring as an application, so that its checks and receivers are found."""

    name = "refillhub"

    def ready(self) -> None:
        """Register the checks and the warm-up, which read models of the other applications."""
        from refillhub import checks, warming  # noqa: F401
