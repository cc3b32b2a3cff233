"""The review app: the refill workflow and the people in it."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Django's handle on the app."""

    name = "review"
    label = "review"
    verbose_name = "Refill requests"
