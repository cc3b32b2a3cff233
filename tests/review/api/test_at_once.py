"""Two calls at one moment, on real commits: one key acts once, and of two programs one wins."""

import importlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from review.models import Dispatch, DispatchKind
from tests.review import scene as make
from tests.review.api.programs import program

pytestmark = pytest.mark.slow


@pytest.fixture
def scene(transactional_db, monkeypatch):
    monkeypatch.setattr(importlib.import_module("refillhub.practices.clock"), "now", lambda: make.NOW)
    importlib.import_module("refillhub.practices.references").forget()
    importlib.import_module("django.core.cache").cache.clear()
    return make.set_up()


def together(*jobs):
    gate = threading.Barrier(len(jobs))

    def one(job):
        gate.wait()
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        return list(pool.map(one, jobs))


def sent(row):
    return Dispatch.objects.filter(request=row, kind=DispatchKind.NEWRX).count()


def test_one_key_at_the_same_moment_acts_once(scene):
    row = make.waiting(scene)
    callers = [program(scene, "osei") for _ in range(4)]
    for one in callers:
        one.text = callers[0].text
    answers = together(*[lambda one=one: one.act("approve", row, key="key-at-once") for one in callers])
    codes = [(one.status_code, one.json().get("code")) for one in answers]
    assert set(codes) <= {(200, None), (409, "under_way")}
    assert (200, None) in codes
    assert sent(row) == 1


def test_of_two_programs_at_the_same_moment_one_wins_and_the_other_is_told(scene):
    row = make.waiting(scene)
    first, second = program(scene, "osei"), program(scene, "lind")
    answers = together(lambda: first.act("approve", row), lambda: second.act("deny", row))
    assert sorted(one.status_code for one in answers) == [200, 409]
    lost = next(one for one in answers if one.status_code == 409).json()
    row.refresh_from_db()
    assert (lost["code"], lost["state"], lost["version"]) == ("already_decided", row.state, row.version)
    assert sent(row) == (row.state == "approved")
