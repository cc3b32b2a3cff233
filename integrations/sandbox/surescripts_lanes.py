"""The rate lanes of the network: 60 controlled messages a minute per prescriber root, 600 of all else per account.

A sliding window: in any 60 seconds no lane ever lets more through than its limit. It only counts; it never waits.
"""

import math
from collections import deque
from typing import Final

WINDOW_SECONDS: Final[float] = 60.0


class Lanes:
    """The windows of every lane. `now` is a moment in seconds on any clock that only goes forward."""

    def __init__(self, *, epcs: int = 60, routine: int = 600, enabled: bool = True) -> None:
        self.epcs = epcs
        self.routine = routine
        self.enabled = enabled
        self._windows: dict[tuple[str, str], deque[float]] = {}

    def take(self, *, account: str, root: str, controlled: bool, now: float) -> int:
        """Let one message pass (0) or tell after how many whole seconds to try again; a refused one does not count."""
        if not self.enabled:
            return 0
        limit = self.epcs if controlled else self.routine
        window = self._windows.setdefault((account, root if controlled else ""), deque())
        while window and (window[0] <= now - WINDOW_SECONDS or window[0] > now):
            window.popleft()
        if len(window) < limit:
            window.append(now)
            return 0
        waits = window[len(window) - limit] + WINDOW_SECONDS - now if limit > 0 else WINDOW_SECONDS
        return max(1, math.ceil(waits))

    def clear(self) -> None:
        """Forget what was counted; limits stay."""
        self._windows.clear()
