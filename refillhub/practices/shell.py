"""What every page shows around its matter: links of the role, the practice's local time, and the lines under the bar.

It reads only what the middleware already loaded: no query of its own.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from refillhub.practices import roles
from refillhub.practices.models import Practice


@dataclass(frozen=True, slots=True)
class ShownLink:
    """A link of the top bar."""

    label: str
    address: str
    is_current: bool


class Shell:
    """The frame of one response; `request.shell` in templates."""

    def __init__(self, *, practice: Practice | None, held: Collection[str], path: str, now: datetime) -> None:
        self.practice, self.held, self.path, self.now = practice, held, path, now

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The practice's time zone; UTC until it has one."""
        return zoneinfo.ZoneInfo((self.practice and self.practice.time_zone) or "UTC")

    @property
    def local_now(self) -> datetime:
        """This moment on the practice's wall."""
        return self.now.astimezone(self.zone)

    @cached_property
    def zone_name(self) -> str:
        """What people call the zone: "Eastern" for America/New_York and US/Eastern, else its abbreviation."""
        spoken = {"E": "Eastern", "C": "Central", "M": "Mountain", "P": "Pacific", "A": "Alaska", "H": "Hawaii"}
        short = self.local_now.strftime("%Z")
        is_american = self.zone.key.startswith(("America/", "US/", "Pacific/Honolulu"))
        return spoken.get(short[:1], short) if is_american and short[1:] in {"ST", "DT", "KST", "KDT"} else short

    @cached_property
    def links(self) -> list[ShownLink]:
        """The links of the person's roles that exist."""
        shown = []
        for link in roles.links(roles=self.held):
            try:
                address = reverse(link.url_name)
            except NoReverseMatch:
                continue
            shown.append(ShownLink(link.label, address, self.path.startswith(address)))
        return shown

    @property
    def shadow_day(self) -> int:
        """Day of shadow mode, counting from 1; 0 where its beginning is not known."""
        since = self.practice.shadow_since if self.practice else None
        return (self.now - since).days + 1 if since else 0

    @property
    def may_stop(self) -> bool:
        """Whether the stop switches are this person's to pull."""
        return roles.may(roles=self.held, action=roles.Action.stop)

    @property
    def may_consent(self) -> bool:
        """Whether the person may agree to automatic approval in their own name."""
        return roles.may(roles=self.held, action=roles.Action.consent)

    @property
    def is_clock_shifted(self) -> bool:
        """Whether the demo's clock is in use."""
        return bool(getattr(settings, "CLOCK_OFFSET_SECONDS", 0))
