"""Two people, one item, at the same moment: real connections, one wins, the other is told who did."""

import importlib
import threading
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from review.models import Dispatch, DispatchKind, FormReceipt, RefillRequest
from tests.review import scene as make
from tests.review.scene import fields


@pytest.fixture
def open_scene(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    importlib.import_module("refillhub.practices.references").forget()
    monkeypatch.setattr(importlib.import_module("refillhub.practices.clock"), "now", lambda: make.NOW)
    return make.set_up()


def at_once(*calls):
    """Run the calls in threads that start together; their results in order."""
    gate, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(at, call):
        gate.wait(timeout=10)
        try:
            results[at] = call()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at, call)) for at, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.mark.parametrize("turn", range(3))
def test_two_prescribers_approve_at_once_and_one_wins(open_scene, turn):
    scene = open_scene
    row = make.waiting(scene)
    address = reverse("review:approve", args=[row.id])
    clients = {who: scene.client(who) for who in ("osei", "lind")}
    pages = at_once(
        *(lambda client=client: client.post(address, fields(row, although="1")) for client in clients.values())
    )
    assert sorted(page.status_code for page in pages) == [302, 409]
    row.refresh_from_db()
    loser = next(page for page in pages if page.status_code == 409).content.decode()
    assert row.decided_by.full_name in loser
    assert Dispatch.objects.filter(request=row, kind=DispatchKind.NEWRX).count() == 1


def test_one_form_posted_twice_at_once_acts_once(open_scene):
    scene = open_scene
    row = make.waiting(scene)
    address, posted = reverse("review:approve", args=[row.id]), fields(row, although="1")
    clients = [scene.client("osei"), scene.client("osei")]
    pages = at_once(*(lambda client=client: client.post(address, posted) for client in clients))
    assert all(page.status_code in (302, 409) for page in pages)
    assert Dispatch.objects.filter(request=row, kind=DispatchKind.NEWRX).count() == 1
    assert FormReceipt.objects.count() == 1
    assert RefillRequest.objects.get(pk=row.pk).state == "approved"
