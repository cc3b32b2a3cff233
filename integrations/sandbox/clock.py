"""The sandbox's own clock: real time plus an offset, sped up or frozen, with jobs that fall due.

Advancing it runs every job at the moment it falls due, so hours of retries pass in a test within a millisecond.
It never sleeps by itself; a server process ticks it from a background thread.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Job = Callable[[], None]


class Clock:
    """Virtual now = anchor + (real time since the anchor) x factor. Factor 0 freezes it."""

    def __init__(self, *, offset_seconds: float = 0.0, time_factor: float = 1.0, start: datetime | None = None) -> None:
        self._lock = threading.RLock()
        self._running = threading.RLock()
        self._factor = time_factor
        self._real = time.monotonic()
        self._virtual = start or (datetime.now(UTC) + timedelta(seconds=offset_seconds))
        self._jobs: list[tuple[datetime, int, str, Job]] = []
        self._cancelled: set[int] = set()
        self._numbers = itertools.count(1)
        self.advancing = False

    @classmethod
    def frozen(cls, *, at: datetime) -> "Clock":
        """A clock that stands still until it is advanced (tests)."""
        return cls(start=at, time_factor=0.0)

    @property
    def time_factor(self) -> float:
        """Virtual seconds per real second."""
        return self._factor

    @property
    def offset_seconds(self) -> float:
        """Virtual now minus real now."""
        return (self.now() - datetime.now(UTC)).total_seconds()

    def now(self) -> datetime:
        """The virtual moment, aware, UTC."""
        with self._lock:
            if not self._factor:
                return self._virtual
            return self._virtual + timedelta(seconds=(time.monotonic() - self._real) * self._factor)

    def set_time(self, *, moment: datetime) -> None:
        """Jump to a moment. Forward runs the jobs passed on the way; backward runs none."""
        seconds = (moment - self.now()).total_seconds()
        if seconds > 0:
            self.advance(seconds=seconds)
        else:
            self._move(moment)

    def set_offset(self, *, seconds: float) -> None:
        """Set virtual now to real now plus `seconds`."""
        self.set_time(moment=datetime.now(UTC) + timedelta(seconds=seconds))

    def set_factor(self, *, factor: float) -> None:
        """Change the speed from this moment on."""
        with self._lock:
            self._move(self.now())
            self._factor = factor

    def call_at(self, *, moment: datetime, job: Job, name: str = "") -> int:
        """Run `job` when `moment` has come; returns a number to cancel it by."""
        with self._lock:
            number = next(self._numbers)
            heapq.heappush(self._jobs, (moment, number, name, job))
            return number

    def call_later(self, *, seconds: float, job: Job, name: str = "") -> int:
        """Run `job` so many virtual seconds from now."""
        return self.call_at(moment=self.now() + timedelta(seconds=seconds), job=job, name=name)

    def cancel(self, *, number: int) -> None:
        """Forget a job; one that has run or is unknown is no error."""
        with self._lock:
            if any(entry[1] == number for entry in self._jobs):
                self._cancelled.add(number)

    def clear(self) -> None:
        """Forget every job."""
        with self._lock:
            self._jobs.clear()
            self._cancelled.clear()

    def pending(self) -> list[tuple[datetime, str]]:
        """The jobs waiting, soonest first, as (due moment, name)."""
        with self._lock:
            return [(due, name) for due, number, name, _ in sorted(self._jobs) if number not in self._cancelled]

    def advance(self, *, seconds: float) -> int:
        """Move forward, running each job at its own due moment; returns how many ran."""
        with self._running:
            target = self.now() + timedelta(seconds=seconds)
            ran = 0
            self.advancing = True
            try:
                while (job := self._take(until=target, step=True)) is not None:
                    job()
                    ran += 1
            finally:
                self.advancing = False
            if self.now() < target:
                self._move(target)
            return ran

    def run_due(self) -> int:
        """Run the jobs due by now; returns how many ran."""
        with self._running:
            ran = 0
            while (job := self._take(until=self.now(), step=False)) is not None:
                job()
                ran += 1
            return ran

    def _take(self, *, until: datetime, step: bool) -> Job | None:
        with self._lock:
            while self._jobs and self._jobs[0][0] <= until:
                due, number, _, job = heapq.heappop(self._jobs)
                if number in self._cancelled:
                    self._cancelled.discard(number)
                    continue
                if step and due > self.now():
                    self._move(due)
                return job
            return None

    def _move(self, moment: datetime) -> None:
        with self._lock:
            self._virtual = moment
            self._real = time.monotonic()
