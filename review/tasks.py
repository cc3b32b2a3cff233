# mypy: disable-error-code="untyped-decorator"
"""Every background job, two or three lines each. A task is a nudge: the rows say what is due, losing a task loses
nothing.
"""

from collections.abc import Callable, Iterator

from celery import shared_task

from integrations import single_flight
from refillhub.practices import clock
from review import audit_runs, backtest, delivery, directory, epcs, intake, mailbox, metrics, report, telling, timers
from rules import vocabulary

# One run takes batches until nothing is due or it has had its share; the beat nudges again.
MOST_BATCHES = 20


@shared_task(queue="intake", acks_late=True)
def take_in_due(**_later: object) -> int:
    """Read stored messages whose quiet time is over, emergencies before it is.

    One reader at a time: a flood of messages waits for the chart's few calls a second and must not hold every worker.
    """
    vocabulary.refresh_when_due()  # between batches, so that a message is read by one vocabulary
    intake.glance(now=clock.now())
    with single_flight.if_free(name="review.take_in_due") as is_mine:
        return sum(_until_empty(lambda: intake.take_in_due(now=clock.now()))) if is_mine else 0


@shared_task(queue="delivery", acks_late=True)
def deliver_due(**_later: object) -> int:
    """Send dispatches that are due."""
    vocabulary.refresh_when_due()
    return sum(_until_empty(lambda: delivery.deliver_due(now=clock.now())))


@shared_task(queue="delivery", acks_late=True)
def poll_network(**_later: object) -> int:
    """Fetch Status, Verify and Error from the network's mailbox."""
    return mailbox.poll(now=clock.now())


@shared_task(queue="delivery", acks_late=True)
def settle_unknown(**_later: object) -> None:
    """Look again at outcomes nobody knows; what stays unknown becomes a person's."""
    now = clock.now()
    delivery.repeat_due(now=now)
    timers.check_chart_records(now=now)
    timers.settle_unresolved(now=now)


@shared_task(queue="timers", acks_late=True)
def sweep_minute(**_later: object) -> None:
    """Leases that ran out."""
    timers.sweep_minute(now=clock.now())


@shared_task(queue="timers", acks_late=True)
def release_held(**_later: object) -> int:
    """Held requests at opening time."""
    vocabulary.refresh_when_due()
    return timers.release_held(now=clock.now())


@shared_task(queue="timers", acks_late=True)
def escalate(**_later: object) -> int:
    """Items of absent people, and controlled requests that wait too long."""
    return timers.escalate(now=clock.now())


@shared_task(queue="vendors", acks_late=True)
def reconcile_klara(**_later: object) -> int:
    """Messages whose webhook never came."""
    return timers.reconcile_klara(now=clock.now())


@shared_task(queue="vendors", acks_late=True)
def refresh_mirror(**_later: object) -> int:
    """What changed in DrChrono since the last look."""
    return timers.refresh_mirror(now=clock.now())


@shared_task(queue="vendors", acks_late=True)
def sweep_mirror_nightly(**_later: object) -> int:
    """The whole mirror, at night."""
    return timers.sweep_nightly(now=clock.now())


@shared_task(queue="vendors", acks_late=True)
def refresh_directory(**_later: object) -> int:
    """The network's directory: pharmacies, and our own prescribers' SPIs."""
    directory.refresh_prescribers(now=clock.now())
    return directory.refresh(now=clock.now())


@shared_task(queue="vendors", acks_late=True)
def upkeep(**_later: object) -> None:
    """Tokens renewed before they expire, unused old secrets revoked, busy lanes noticed."""
    timers.upkeep(now=clock.now())


@shared_task(queue="timers", acks_late=True)
def morning_report(**_later: object) -> int:
    """The report at each practice's morning, and the daily ones of controlled prescriptions."""
    epcs.make_days(now=clock.now())
    return report.send_due(now=clock.now())


@shared_task(queue="vendors", acks_late=True)
def export_audit(**_later: object) -> int:
    """One export of the audit trail that is due, or its next stretch."""
    return audit_runs.run_due(clock=clock.now)


@shared_task(queue="vendors", acks_late=True)
def tell_receivers(**_later: object) -> int:
    """Changes that practices' own receivers are to be told of."""
    return telling.tell_due(now=clock.now())


@shared_task(queue="timers", acks_late=True)
def check_accounting(**_later: object) -> dict[str, int]:
    """Every message became a request, a duplicate or an item."""
    return timers.check_accounting(now=clock.now())


@shared_task(queue="vendors", acks_late=True)
def preview_rules(**_later: object) -> int:
    """Try drafts of rules on recorded decisions: one stretch of one run a wake-up, well inside the time limit."""
    with single_flight.if_free(name="review.preview_rules") as is_mine:
        return backtest.run_due(clock=clock.now) if is_mine else 0


@shared_task(queue="timers", acks_late=True)
def count_days(**_later: object) -> int:
    """Yesterday's figures, in each practice's night; one at a time."""
    with single_flight.if_free(name="review.count_days") as is_mine:
        return metrics.count_due(now=clock.now()) if is_mine else 0


@shared_task(queue="timers", acks_late=True)
def purge(**_later: object) -> dict[str, int]:
    """Bodies and snapshots past their keeping time."""
    return timers.purge(now=clock.now())


def _until_empty(take: Callable[[], int]) -> Iterator[int]:
    for _ in range(MOST_BATCHES):
        taken = take()
        yield taken
        if not taken:
            return
