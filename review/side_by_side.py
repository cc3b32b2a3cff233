"""Several jobs at once, for stories that mostly wait for vendors: each thread takes jobs until none is left.

A thread opens its database connection once and closes it when it ends. Knows nothing of what the jobs do.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


@contextmanager
def started(*, jobs: Sequence[Callable[[], T]], threads: int) -> Iterator[list[Future[T]]]:
    """The jobs' futures, in the order of the jobs. Leaving waits until every job has ended."""
    futures: list[Future[T]] = [Future() for _ in jobs]
    waiting = deque(zip(jobs, futures, strict=True))
    count = min(threads, len(jobs))
    if not count:
        yield futures
        return
    with ThreadPoolExecutor(max_workers=count) as pool:
        for _ in range(count):
            pool.submit(_take, waiting)
        yield futures


def _take(waiting: "deque[tuple[Callable[[], T], Future[T]]]") -> None:
    try:
        while waiting:
            try:
                job, future = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                connection.close_if_unusable_or_obsolete()
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)
    finally:
        connection.close()
