"""The health page tells two facts and nothing else."""

import pytest
from django.test import Client


@pytest.mark.django_db
def test_it_is_well_while_both_servers_answer(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "redis": True})


@pytest.mark.django_db
def test_a_lost_redis_is_503_and_told_apart(client: Client, settings: object) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"  # type: ignore[attr-defined]
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "redis": False})


@pytest.mark.django_db
def test_it_changes_nothing(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
