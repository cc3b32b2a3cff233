"""How each kind of pretended pharmacy behaves, chosen by the name the world gives it or by its NCPDP id.

Plain values read by the network; nothing here acts. Seconds are seconds of the sandbox's own clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ALL_LEVELS: Final[frozenset[str]] = frozenset({"New", "Cancel", "Renewal", "Change", "RxFill", "ControlledSubstance"})


@dataclass(frozen=True, slots=True)
class Profile:
    """One behaviour. `refuse` = (code, description code, text), sent instead of a Status."""

    name: str
    status: str = "000"
    verify_after: float | None = 2.0
    refuse: tuple[str, str, str] | None = None
    delivers: bool = True
    drop: str = ""
    garbage: bool = False
    late_error_after: float | None = None
    delivery_method: str = ""
    fill: str = ""
    fill_reason: str = ""
    fill_after: float = 60.0
    cancel_denied: str = ""
    cancel_after: float = 20.0
    busy: int = 0
    delay: float = 0.0
    copies: int = 1
    renewal_after: float | None = None
    changes: tuple[tuple[str, str, float], ...] = ()
    listed: bool = True
    closed: bool = False
    lacks: frozenset[str] = frozenset()


_ORDERED: Final[tuple[Profile, ...]] = (
    Profile("happy", fill="Dispensed"),
    Profile("direct", status="010", verify_after=None),
    Profile("changed_ncpdp", listed=False),
    Profile("closed", closed=True),
    Profile("no_epcs", lacks=frozenset({"ControlledSubstance"})),
    Profile("delayed_status", verify_after=45 * 60.0),
    Profile("silent", verify_after=None),
    Profile("timeout_delivered", drop="after", verify_after=300.0),
    Profile("timeout_not_delivered", drop="before", status="010", verify_after=None),
    Profile("garbage_answer", garbage=True),
    Profile("late_rejection", delivers=False, verify_after=None, late_error_after=600.0),
    Profile("busy", busy=2),
    Profile("broken", refuse=("602", "", "Receiver system error"), delivers=False),
    Profile("misconfigured", refuse=("700", "", "Configuration error"), delivers=False),
    Profile(
        "upstream_timeout", refuse=("900", "008", "Timed out before a response could be received"), verify_after=60.0
    ),
    Profile("fax_fallback", status="010", verify_after=None, delivery_method="2"),
    Profile("not_dispensed", fill="NotDispensed", fill_reason="AD"),
    Profile("cancel_denied", cancel_denied="AR"),
    Profile("no_cancel_support", lacks=frozenset({"Cancel"})),
    Profile("out_of_order", verify_after=0.0, delay=3.0),
    Profile("repeats", copies=2, fill="Dispensed"),
    Profile("renewals", renewal_after=300.0),
    Profile("change_requests", changes=(("OS", "", 60.0), ("U", "G", 120.0))),
)
PROFILES: Final[Mapping[str, Profile]] = {profile.name: profile for profile in _ORDERED}
BY_NCPDP: Final[Mapping[str, Profile]] = {
    f"9990{place:03d}": profile for place, profile in enumerate(_ORDERED, start=1)
}
