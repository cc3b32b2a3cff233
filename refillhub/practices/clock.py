"""The only reader of the clock. Everything else receives `now` as an argument.

The demo's fixed offset is added only while every vendor address is loopback, so that no real vendor or patient
ever meets a shifted clock.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings


class ShiftedClockNearVendors(RuntimeError):
    """Raised when an offset is set while some vendor address is not loopback."""


def now() -> datetime:
    """This moment: aware, UTC. Raises ShiftedClockNearVendors rather than shifting time for a real vendor."""
    moment = datetime.now(UTC)
    offset = getattr(settings, "CLOCK_OFFSET_SECONDS", 0)
    if not offset:
        return moment
    for address in vendor_addresses():
        if not is_loopback(address):
            raise ShiftedClockNearVendors("CLOCK_OFFSET_SECONDS works only while every vendor address is loopback")
    return moment + timedelta(seconds=offset)


def vendor_addresses() -> tuple[str, ...]:
    """Every vendor base address in the settings: each setting named <VENDOR>_..._URL."""
    names = [
        name for name in dir(settings)
        if name.endswith("_URL") and name.startswith(("DRCHRONO_", "KLARA_", "SURESCRIPTS_"))
    ]
    return tuple(address for address in (getattr(settings, name) for name in names) if isinstance(address, str))


@lru_cache(maxsize=64)
def is_loopback(address: str) -> bool:
    """Whether an address stays on this machine; an empty address calls nobody."""
    if not address:
        return True
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
