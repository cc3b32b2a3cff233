"""The oracle: an append-only list of what a vendor was asked, what it decided and what it then did.

Demo and tests judge by this list, never by the hub's own tables. It stores what it is given and forgets only on command
or, when bounded (bench), the oldest first while the counts stay exact.
"""

import itertools
import threading
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

Entry = dict[str, Any]


class Journal:
    """Entries are dicts: seq, at, vendor, practice, kind, decision, ids, request, data."""

    def __init__(self, *, vendor: str = "", limit: int | None = None, requests: bool = True) -> None:
        self.vendor = vendor
        self.keeps_requests = requests
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._numbers = itertools.count(1)
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(
        self,
        *,
        at: datetime,
        kind: str,
        practice: str = "",
        decision: str = "",
        ids: Mapping[str, Any] | None = None,
        request: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Append one entry. `kind` is dotted lower case ("task.created"); `decision` is the vendor's verdict."""
        entry: Entry = {
            "seq": next(self._numbers),
            "at": at.isoformat(),
            "vendor": self.vendor,
            "practice": practice,
            "kind": kind,
            "decision": decision,
            "ids": dict(ids or {}),
            "request": dict(request or {}),
            "data": dict(data or {}),
        }
        with self._lock:
            self._entries.append(entry)
            self._counts[kind] += 1
        return entry

    def count_only(self, *, kind: str) -> None:
        """Count without keeping (requests, when they are not kept)."""
        with self._lock:
            self._counts[kind] += 1

    def read(
        self,
        *,
        after: int = 0,
        kind: str = "",
        practice: str = "",
        limit: int | None = None,
        ids: Mapping[str, str] | None = None,
    ) -> list[Entry]:
        """Entries with seq above `after`; `kind` may end in "*"; `ids` must all be equal as text."""
        with self._lock:
            entries = list(self._entries)
        found = [entry for entry in entries if entry["seq"] > after and _fits(entry, kind, practice, ids or {})]
        return found if limit is None else found[:limit]

    def counts(self) -> dict[str, int]:
        """How many entries of each kind were ever added since the last clear."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def clear(self) -> None:
        """Forget all; sequence numbers go on."""
        with self._lock:
            self._entries.clear()
            self._counts.clear()


def _fits(entry: Entry, kind: str, practice: str, ids: Mapping[str, str]) -> bool:
    if kind.endswith("*"):
        if not entry["kind"].startswith(kind[:-1]):
            return False
    elif kind and entry["kind"] != kind:
        return False
    if practice and entry["practice"] != practice:
        return False
    return all(str(entry["ids"].get(name, "")) == value for name, value in ids.items())
