"""The optional push of the pretended network: POSTs each message to a client's address instead of waiting for a poll.

Up to three further attempts after 1, 5 and 10 minutes of the sandbox's clock; a Status 000 or 010 takes the message out
of the mailbox. Off until the test desk gives an address; only loopback addresses are accepted.
"""

import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from integrations.sandbox import surescripts_xml as xml
from integrations.sandbox.surescripts_mailbox import Item

if TYPE_CHECKING:
    from integrations.sandbox.surescripts import Surescripts

RETRIES_AFTER: Final[tuple[float, ...]] = (60.0, 300.0, 600.0)
LOOPBACK: Final[frozenset[str]] = frozenset({"localhost", "127.0.0.1", "::1"})


class Push:
    """Where to push, and the attempts."""

    def __init__(self, *, network: "Surescripts") -> None:
        self._network = network
        self.url = ""
        self.headers: dict[str, str] = {}

    def aim(self, *, url: str, headers: dict[str, str]) -> None:
        """Push to this address from now on; "" = stop. Raises ValueError for an address that is not loopback."""
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK):
            raise ValueError("only a loopback address can be pushed to")
        self.url, self.headers = url, headers

    def queued(self, item: Item) -> None:
        """A message was queued: push it at once, from a thread of its own."""
        if self.url:
            threading.Thread(target=self._attempt, args=(item, 0), daemon=True).start()

    def _attempt(self, item: Item, number: int) -> None:
        network = self._network
        with network.lock:
            if not self.url or item not in network.counter.mailboxes.waiting():
                return
            body, url = item.render(item.delivered_id), self.url
        took = self._send(url, body)
        with network.lock:
            network.note_out(kind=item.kind, ids={
                "message_id": item.message_id, "relates_to": item.relates_to, "from": item.ncpdp, "to": item.spi,
            }, body=body, account=network.registry.accounts.get(item.account),
                way="push" if took else "push_failed", times=number + 1)  # fmt: skip
            if took:
                network.counter.mailboxes.remove(item=item)
        if not took and number < len(RETRIES_AFTER):
            network.clock.call_later(
                seconds=RETRIES_AFTER[number],
                job=lambda: self._attempt(item, number + 1),
                name=f"push {item.message_id}",
            )

    def _send(self, url: str, body: bytes) -> bool:
        headers = {"Content-Type": "application/xml; charset=utf-8", **self.headers}
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - loopback only
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback only
                root = xml.read(raw=response.read(xml.LARGEST_BYTES))
        except (OSError, ValueError, urllib.error.URLError):
            return False
        return xml.text_at(root, "Body", "Status", "Code") in ("000", "010")
