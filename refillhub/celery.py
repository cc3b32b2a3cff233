"""The Celery app: queues, the beat schedule in one table, and the guards around reused database connections.

Messages are nudges that carry ids; the rows in PostgreSQL say what is due. Tasks are never imported here: they are
found by Django's list of applications and named as text.
"""

import os
from typing import Any, NamedTuple

import structlog
from celery import Celery, signals
from django import db
from django.conf import settings
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "refillhub.settings")

QUEUES = ("intake", "delivery", "vendors", "timers")


class Beat(NamedTuple):
    """One line of the schedule: the task, its period in seconds, its queue, and what it is for."""

    task: str
    seconds: float
    queue: str
    why: str


def beat_table(*, poll_network_seconds: float) -> tuple[Beat, ...]:
    """Every periodic job. A missed beat costs one period: each job looks at the rows that are due, never at the beat.

    Jobs that belong to a practice's local hour (nightly sweep, morning report) beat often and look at the hour.
    """
    return (
        Beat("review.tasks.take_in_due", 2, "intake", "stored messages whose quiet window has passed"),
        Beat("review.tasks.deliver_due", 2, "delivery", "dispatches that are due"),
        Beat("review.tasks.poll_network", poll_network_seconds, "delivery", "Status, Verify and Error from pharmacies"),
        Beat("review.tasks.settle_unknown", 30, "delivery", "dispatches whose fate is not known"),
        Beat("review.tasks.sweep_minute", 60, "timers", "expired leases, rows a lost nudge left behind"),
        Beat("review.tasks.release_held", 60, "timers", "held requests at opening time"),
        Beat("review.tasks.escalate", 60, "timers", "signatures and reviews that wait too long"),
        Beat("review.tasks.reconcile_klara", 300, "vendors", "messages whose webhook never came"),
        Beat("review.tasks.refresh_mirror", 900, "vendors", "what changed in DrChrono since the last look"),
        Beat("review.tasks.sweep_mirror_nightly", 3600, "vendors", "the whole mirror, in the practice's night"),
        Beat("review.tasks.morning_report", 300, "timers", "the report at each practice's morning"),
        Beat("review.tasks.check_accounting", 300, "timers", "every message became a request, a duplicate or an item"),
        Beat("review.tasks.upkeep", 60, "vendors", "tokens renewed ahead of time, secrets retired, busy lanes noticed"),
        Beat("review.tasks.export_audit", 3, "vendors", "exports of the audit trail that people asked for"),
        Beat("review.tasks.tell_receivers", 5, "vendors", "changes that practices' own receivers are told of"),
        Beat("review.tasks.preview_rules", 5, "vendors", "drafts of rules to be tried on recorded decisions"),
        Beat("review.tasks.refresh_directory", 7 * 86400, "vendors", "the pharmacy directory, weekly"),
        Beat("review.tasks.count_days", 900, "timers", "figures of the day that ended, from its events"),
        Beat("review.tasks.purge", 3600, "timers", "bodies and snapshots past their keeping time"),
    )


app = Celery("refillhub")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery opens and closes a connection around every task otherwise (2-3 times slower, measured). The setting is read
# from the app's own configuration, not through the CELERY_ namespace; the guards below go with it.
app.conf.CELERY_DB_REUSE_MAX = 500
# An exchange and key of its own for each queue: left out, all queues share the default's and get each other's messages.
app.conf.task_queues = [Queue(name, Exchange(name, type="direct"), routing_key=name) for name in QUEUES]
app.conf.task_default_queue = "timers"
app.autodiscover_tasks()


@app.on_after_configure.connect
def _plan_beat(sender: Celery, **_later: Any) -> None:
    table = beat_table(poll_network_seconds=settings.POLL_NETWORK_SECONDS)
    sender.conf.beat_schedule = {
        row.task.rpartition(".")[2]: {
            "task": row.task,
            "schedule": row.seconds,
            "options": {"queue": row.queue, "expires": max(row.seconds, 5)},  # a stopped worker meets no backlog
        }
        for row in table
    }


@signals.setup_logging.connect
def _keep_our_logging(**_later: Any) -> None:
    """A receiver of this signal keeps Celery from replacing the allow-listed logging of the settings."""


@signals.task_prerun.connect
def _begin(task_id: str = "", task: Any = None, **_later: Any) -> None:
    """Drop a connection that broke or outlived its age before the task uses it; name the task on every log line."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=getattr(task, "name", ""), task_id=task_id)
    if not getattr(getattr(task, "request", None), "is_eager", False):
        db.close_old_connections()


@signals.task_failure.connect
@signals.task_retry.connect
@signals.task_revoked.connect
def _abandon(sender: Any = None, **_later: Any) -> None:
    """A task cut short (error, soft time limit) may leave its connection inside a statement: never reuse that one.

    The hard time limit kills the whole process, and its connections with it.
    """
    if not getattr(getattr(sender, "request", None), "is_eager", False):
        db.connections.close_all()
