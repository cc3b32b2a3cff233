"""Pooled connections that note the moment when the first byte of a request leaves, for `integrations.http` alone.

No retries, TLS 1.2 or newer, and no connection is trusted with another request after it has rested.
"""

import logging
import ssl
import threading
import time
from typing import Any

from requests import adapters
from urllib3 import PoolManager, connection, connectionpool

POOLED_HOSTS = 64
POOLED_CONNECTIONS = 64
MAX_REST_SECONDS = 1.5  # below the two seconds after which the most impatient common servers hang up

wire = threading.local()  # .touched: did this thread hand bytes of the current request to a connected socket?


class WatchedHTTP(connection.HTTPConnection):
    """Notes the moment when the first byte goes to a connected socket, and when it was last used.

    A connection that has rested is not used again: the vendor may be closing it this instant, and a prescription sent
    into a closing connection is one whose fate nobody knows.
    """

    _last_sent = 0.0

    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        wire.touched = True
        self._last_sent = time.monotonic()
        super().send(data)

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self._last_sent < MAX_REST_SECONDS and super().is_connected


class WatchedHTTPS(connection.HTTPSConnection):
    """The same over TLS; connecting includes the handshake, so a failed handshake has sent nothing."""

    _last_sent = 0.0

    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        wire.touched = True
        self._last_sent = time.monotonic()
        super().send(data)

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self._last_sent < MAX_REST_SECONDS and super().is_connected


class HTTPPool(connectionpool.HTTPConnectionPool):
    ConnectionCls = WatchedHTTP


class HTTPSPool(connectionpool.HTTPSConnectionPool):
    ConnectionCls = WatchedHTTPS


class Adapter(adapters.HTTPAdapter):
    """Pools of watched connections, TLS 1.2 or newer, no retries of any kind."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        manager = PoolManager(
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_minimum_version=ssl.TLSVersion.TLSv1_2,
            **kwargs,
        )
        manager.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}
        self.poolmanager = manager


def new_adapter() -> Adapter:
    """A fresh set of pools."""
    return Adapter(pool_connections=POOLED_HOSTS, pool_maxsize=POOLED_CONNECTIONS, max_retries=0)


# These loggers write paths with their queries (names, birth dates) at debug and warning level (architecture, law 9).
for _name in ("urllib3", "urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
