"""The wiring of Refill Hub: settings, Celery, routes, checks. Imported by no other package of ours.

Loading the package binds the Celery app, so that every `shared_task` finds it in web and worker alike.
`refillhub.practices` lives in this folder but stands on a floor of its own.
"""

from refillhub.celery import app as celery_app

__all__ = ["celery_app"]
