"""The switches of the pretended Klara, with the defaults of the contract; each for all practices or for one."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(slots=True)
class Settings:
    """One value each; see docs/sandbox.md. `calls_per_second` None = 10 while the clock runs, no limit while it is
    frozen; 0 = no limit."""

    access_ttl: int = 3600
    refresh_tokens: bool = True
    rotate_refresh: bool = True
    calls_per_second: float | None = None
    burst: float = 10.0
    retry_after: str = "seconds"
    ratelimit_headers: bool = False
    duplicate: str = "409"
    key_ttl: int = 86400
    signing: str = "both"
    timestamp: str = ""
    jitter: float = 0.0
    rotation_overlap: int = 86400
    webhooks: bool = True
    own_events: bool = False
    list_lag_seconds: float = 0.0
    conversation_patient: str = "full"
    longest_reply: int = 10000


CHOICES = {
    "retry_after": ("seconds", "date", "absent"),
    "duplicate": ("409", "422", "replay"),
    "signing": ("both", "new", "old", "wrong"),
    "timestamp": ("", "attempt", "event"),
    "conversation_patient": ("full", "id"),
}
NAMES = frozenset(field.name for field in fields(Settings))


class BadSetting(ValueError):
    """An unknown switch, or a value it does not take."""


class Switches:
    """Settings for all practices, and differences for single ones."""

    def __init__(self) -> None:
        self.all = Settings()
        self.single: dict[str, dict[str, Any]] = {}

    def get(self, name: str, practice: str = "") -> Any:
        """The value that holds for a practice."""
        return self.single.get(practice, {}).get(name, getattr(self.all, name))

    def change(self, *, values: dict[str, Any], practice: str = "") -> None:
        """Set several at once, all or none; raises BadSetting."""
        if unknown := set(values) - NAMES:
            raise BadSetting(f"unknown settings {sorted(unknown)}")
        if "duplicate" in values:
            values = {**values, "duplicate": str(values["duplicate"])}
        for name, value in values.items():
            if name in CHOICES and value not in CHOICES[name]:
                raise BadSetting(f"{name} must be one of {', '.join(CHOICES[name])}")
        if practice:
            self.single.setdefault(practice, {}).update(values)
        else:
            for name, value in values.items():
                setattr(self.all, name, value)

    def shown(self, practice: str = "") -> dict[str, Any]:
        """All values that hold."""
        return {name: self.get(name, practice) for name in sorted(NAMES)}
