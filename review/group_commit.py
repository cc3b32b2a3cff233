"""Group commit at the door: requests that arrive together share one transaction, and each is answered after its commit.

Whoever comes first writes for all who wait (leader and followers): no thread of its own, no delay when one comes alone.
Never answers before the commit; if the write fails, everyone in the group hears so.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
# More than this in one transaction makes the first wait for the last.
MOST_AT_ONCE = 64


@dataclass(slots=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    error: BaseException | None = None


class GroupCommit(Generic[Item, Answer]):
    """Gathers items of concurrent threads for one writer. `write` takes a batch and answers in its order."""

    def __init__(self, write: Callable[[Sequence[Item]], Sequence[Answer]]) -> None:
        self._write = write
        self._waiting: list[_Waiting[Item, Answer]] = []
        self._gate = threading.Lock()
        self._writer = threading.Lock()

    def submit(self, item: Item) -> Answer:
        """Write this item, alone or with others, and return its answer after the commit. Raises what `write` raises."""
        mine: _Waiting[Item, Answer] = _Waiting(item)
        with self._gate:
            self._waiting.append(mine)
        while not mine.done.is_set():
            with self._writer:
                if mine.done.is_set():
                    break
                self._write_group()
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[return-value]  # set whenever there is no error

    def _write_group(self) -> None:
        with self._gate:
            group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
        try:
            answers = self._write([one.item for one in group])
            for one, answer in zip(group, answers, strict=True):
                one.answer = answer
        except BaseException as error:
            # The leader's own thread raises it too; nobody in the group was stored.
            for one in group:
                one.error = error
        finally:
            for one in group:
                one.done.set()
