"""The Celery app: reused connections with their guards, queues that do not overhear each other, the beat table."""

from unittest import mock

import pytest
from celery.fixups.django import DjangoWorkerFixup
from django import db
from django.conf import settings

from refillhub import celery as wiring
from review import tasks


def test_connections_are_reused_as_the_worker_reads_the_setting() -> None:
    assert DjangoWorkerFixup(wiring.app).db_reuse_max == 500


def test_every_queue_has_an_exchange_and_a_key_of_its_own() -> None:
    queues = wiring.app.amqp.queues
    assert {(queue.name, queue.exchange.name, queue.routing_key) for queue in queues.values()} == {
        (name, name, name) for name in wiring.QUEUES
    }


def test_an_unknown_queue_is_an_error_at_once() -> None:
    with pytest.raises(Exception, match="nowhere"):
        wiring.app.amqp.queues["nowhere"]


def test_beat_names_existing_queues_and_expires_with_its_period() -> None:
    plan = wiring.app.conf.beat_schedule
    assert len(plan) == len(wiring.beat_table(poll_network_seconds=10))
    for entry in plan.values():
        assert entry["options"]["queue"] in wiring.QUEUES
        assert entry["options"]["expires"] >= entry["schedule"]


def test_every_task_of_the_table_exists() -> None:
    missing = [
        row.task
        for row in wiring.beat_table(poll_network_seconds=settings.POLL_NETWORK_SECONDS)
        if getattr(getattr(tasks, row.task.rpartition(".")[2], None), "name", None) != row.task
    ]
    assert not missing


@pytest.mark.parametrize("cut_short", [wiring.signals.task_failure, wiring.signals.task_retry])
def test_a_task_cut_short_gives_its_connection_away(cut_short: object) -> None:
    with mock.patch.object(db.connections, "close_all") as closed:
        cut_short.send(sender=mock.Mock(request=mock.Mock(is_eager=False)))
    closed.assert_called_once_with()


def test_a_task_begins_by_dropping_connections_that_broke() -> None:
    with mock.patch.object(db, "close_old_connections") as dropped:
        wiring._begin(task_id="1", task=mock.Mock(request=mock.Mock(is_eager=False)))
    dropped.assert_called_once_with()
