"""The mailboxes of the network: at-least-once delivery with a key each, 60 s until an unacknowledged one returns.

One box per account, or per SPI when the test desk says so. It knows nothing of prescriptions.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

RETURN_AFTER: Final[timedelta] = timedelta(seconds=60)
RECEIPT_WITHIN: Final[timedelta] = timedelta(seconds=30)

Render = Callable[[str], bytes]  # delivered id -> the bytes


@dataclass(slots=True, eq=False)
class Item:
    """One message waiting for a prescriber system."""

    kind: str
    message_id: str
    relates_to: str
    account: str
    spi: str
    ncpdp: str
    render: Render
    copies: int = 1
    delivered_id: str = ""
    delivered_at: datetime | None = None
    times: int = 0


class Box:
    """One mailbox: what waits, and what was handed out and not yet acknowledged (oldest first)."""

    def __init__(self) -> None:
        self.ready: deque[Item] = deque()
        self.out: dict[str, Item] = {}
        self.gave = False


class Mailboxes:
    """All boxes. `scope` is "account" or "spi"."""

    def __init__(self, *, scope: str = "account") -> None:
        self.scope = scope
        self._boxes: dict[str, Box] = {}
        self._number = 0

    def put(self, *, item: Item) -> None:
        """Queue a message."""
        self._box(account=item.account, spi=item.spi).ready.append(item)

    def take(self, *, account: str, spi: str, now: datetime) -> Item | None:
        """Hand out the next message, those that came back first; None when nothing waits."""
        box = self._box(account=account, spi=spi)
        while box.out:
            key, first = next(iter(box.out.items()))
            if first.delivered_at is not None and now - first.delivered_at < RETURN_AFTER:
                break
            del box.out[key]
            box.ready.appendleft(first)
        if not box.ready:
            return None
        item = box.ready.popleft()
        if not item.delivered_id:
            self._number += 1
            item.delivered_id = f"MBX-{self._number:09d}"
        item.delivered_at, item.times = now, item.times + 1
        box.out[item.delivered_id] = item
        box.gave = True
        return item

    def acknowledge(self, *, account: str, spi: str, delivered_id: str) -> Item | None:
        """Forget a message for good; one with copies left returns at once under a new key. None = unknown key."""
        box = self._box(account=account, spi=spi)
        item = box.out.pop(delivered_id, None)
        if item is None:
            item = next((waiting for waiting in box.ready if waiting.delivered_id == delivered_id), None)
            if item is None:
                return None
            box.ready.remove(item)
        if item.copies > 1:
            item.copies -= 1
            item.delivered_id, item.delivered_at = "", None
            box.ready.append(item)
        return item

    def answered(self, *, account: str, spi: str, message_id: str) -> None:
        """A Status, Verify or Error for a message has the force of an acknowledgement."""
        box = self._box(account=account, spi=spi)
        key = next((key for key, item in box.out.items() if item.message_id == message_id), "")
        if key:
            self.acknowledge(account=account, spi=spi, delivered_id=key)

    def remove(self, *, item: Item) -> None:
        """Take a message out wherever it is (it was pushed)."""
        box = self._box(account=item.account, spi=item.spi)
        box.out.pop(item.delivered_id, None)
        if item in box.ready:
            box.ready.remove(item)

    def empty_code(self, *, account: str, spi: str) -> str:
        """Status of a poll that found nothing: 002 once after messages were handed out, else 003."""
        box = self._box(account=account, spi=spi)
        gave, box.gave = box.gave, False
        return "002" if gave else "003"

    def rescope(self, *, scope: str) -> None:
        """File everything anew, by account or by SPI. Raises ValueError for another word."""
        if scope not in ("account", "spi"):
            raise ValueError("mailbox_scope is account or spi")
        items = [item for box in self._boxes.values() for item in (*box.out.values(), *box.ready)]
        self.scope, self._boxes = scope, {}
        for item in items:
            self.put(item=item)

    def waiting(self) -> list[Item]:
        """Everything not acknowledged yet."""
        return [item for box in self._boxes.values() for item in (*box.out.values(), *box.ready)]

    def _box(self, *, account: str, spi: str) -> Box:
        return self._boxes.setdefault(account if self.scope == "account" else spi, Box())
