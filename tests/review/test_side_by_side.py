"""Jobs side by side: every one runs once, one that fails fails alone, and leaving waits for all."""

import threading
import time

import pytest

from review import side_by_side


def test_every_job_runs_once_and_answers_in_its_own_place():
    with side_by_side.started(jobs=[lambda n=n: n * n for n in range(50)], threads=4) as futures:
        pass
    assert [future.result() for future in futures] == [n * n for n in range(50)]


def test_a_job_that_fails_takes_no_other_with_it():
    def fail() -> int:
        raise ValueError("no")

    with side_by_side.started(jobs=[lambda: 1, fail, lambda: 3], threads=1) as futures:
        pass
    assert (futures[0].result(), futures[2].result()) == (1, 3)
    with pytest.raises(ValueError, match="no"):
        futures[1].result()


def test_no_more_threads_than_allowed_work_at_a_time():
    lock, inside, most = threading.Lock(), 0, 0

    def job() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.005)
        with lock:
            inside -= 1

    with side_by_side.started(jobs=[job] * 20, threads=3):
        pass
    assert 1 < most <= 3


def test_no_jobs_need_no_thread():
    with side_by_side.started(jobs=[], threads=4) as futures:
        assert futures == []
