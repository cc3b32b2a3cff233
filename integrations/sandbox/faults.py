"""Misbehaviour on command: which requests go wrong, how, and how often.

A fault matches method, path pattern and practice, lets `skip` matches pass, then strikes `times` times (None = for
ever).
Faults say what to do; carrying it out is the frame's and the server's business.
"""

import fnmatch
import itertools
import math
import random
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = ("status", "drop", "hang", "truncate", "throttle", "latency", "body")


class BadFault(ValueError):
    """A fault document that makes no sense."""


@dataclass(slots=True)
class Fault:
    """One fault. Which fields matter depends on `kind`; see docs/sandbox.md."""

    kind: str
    method: str = "*"
    path: str = "*"
    practice: str = "*"
    times: int | None = 1
    skip: int = 0
    rate: float = 1.0
    after_commit: bool = False
    status: int = 503
    body: str = "<html><body><h1>Service Unavailable</h1></body></html>"
    content_type: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    keep: int = 10
    retry_after: str | None = None
    median_ms: float = 80.0
    p95_ms: float = 400.0
    number: int = 0
    struck: int = 0

    def matches(self, *, method: str, path: str, practice: str) -> bool:
        """Whether this request is one it is meant for."""
        return (
            self.method in ("*", method)
            and fnmatch.fnmatchcase(path, self.path)
            and (self.practice == "*" or self.practice == practice)
        )


def parse(document: dict[str, Any]) -> Fault:
    """Build a fault from its JSON form; raises BadFault."""
    if document.get("kind") not in KINDS:
        raise BadFault(f"kind must be one of {', '.join(KINDS)}")
    try:
        fault = Fault(**{name: value for name, value in document.items() if name not in ("number", "struck")})
    except TypeError as problem:
        raise BadFault(str(problem)) from problem
    if fault.retry_after is not None:
        fault.retry_after = str(fault.retry_after)
    return fault


class Faults:
    """The queue of faults of one simulator. The first that matches strikes; latency adds up with any other."""

    def __init__(self, *, seed: int = 0) -> None:
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def add(self, *, fault: Fault) -> int:
        """Append; returns its number."""
        with self._lock:
            fault.number = next(self._numbers)
            self._faults = [*self._faults, fault]
            return fault.number

    def clear(self, *, number: int | None = None) -> None:
        """Remove one, or all."""
        with self._lock:
            self._faults = [f for f in self._faults if number is not None and f.number != number]

    def listed(self) -> list[dict[str, Any]]:
        """All faults as JSON values, spent ones too."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def take(self, *, method: str, path: str, practice: str) -> tuple[Fault | None, float]:
        """The fault that strikes this request, if any, and the latency to add in seconds."""
        if not self._faults:
            return None, 0.0
        with self._lock:
            strike: Fault | None = None
            latency = 0.0
            for fault in self._faults:
                if fault.times == 0 or not fault.matches(method=method, path=path, practice=practice):
                    continue
                if fault.kind == "latency":
                    latency += self._draw(fault)
                    self._spend(fault)
                elif strike is None and self._due(fault):
                    self._spend(fault)
                    strike = fault
            return strike, latency

    def _due(self, fault: Fault) -> bool:
        if fault.skip > 0:
            fault.skip -= 1
            return False
        return fault.rate >= 1.0 or self._random.random() < fault.rate

    def _spend(self, fault: Fault) -> None:
        fault.struck += 1
        if fault.times is not None:
            fault.times -= 1

    def _draw(self, fault: Fault) -> float:
        # log-normal: median and 95th percentile fix it (z of 0.95 = 1.6449)
        sigma = math.log(max(fault.p95_ms, fault.median_ms) / fault.median_ms) / 1.6449 if fault.median_ms > 0 else 0.0
        return fault.median_ms / 1000.0 * math.exp(sigma * self._random.gauss(0.0, 1.0))
