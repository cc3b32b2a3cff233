"""The knobs of the pretended DrChrono, with the contract's defaults; each can be set for all or for one practice."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(slots=True)
class Settings:
    """One value each; see docs/sandbox.md. `burst_limit` None = 10 a second while the clock runs, else off."""

    auto_approve: bool = True
    code_ttl: int = 60
    access_ttl: int = 172800
    refresh_ttl: int | None = None
    rotate: bool = True
    omit_refresh_token: bool = False
    invalid_grant_status: int = 401
    supersede: bool = True
    enforce_scopes: bool = True
    without_scopes: tuple[str, ...] = ()
    without_permissions: tuple[str, ...] = ()
    hourly_limit: int = 500
    burst_limit: int | None = None
    retry_after: bool = True
    ratelimit_headers: bool = False
    envelope: str = "results"
    paging: str = "cursor"
    page_ceiling: int | None = None
    since_granularity: str = "second"
    mandatory_filters: bool = True
    list_lag_seconds: float = 0.0
    redirect_current: bool = True
    medications_patch: str = "allow"
    pharmacy_write: str = "apply"
    nested_notes: bool = True
    unknown_fields: bool = False
    ids: str = "mixed"
    batch_polls: int = 2
    batch_outcome: str = "Complete"
    webhooks: bool = True


CHOICES = {
    "envelope": ("results", "data"),
    "paging": ("cursor", "page"),
    "since_granularity": ("second", "date"),
    "medications_patch": ("allow", "refuse", "ignore"),
    "pharmacy_write": ("apply", "ignore", "refuse"),
    "ids": ("mixed", "strings"),
    "batch_outcome": ("Complete", "Failed", "Error"),
}
NAMES = frozenset(field.name for field in fields(Settings))


class BadSetting(ValueError):
    """An unknown knob, or a value it does not take."""


class Knobs:
    """Settings for all practices, and differences for single ones."""

    def __init__(self) -> None:
        self.all = Settings()
        self.single: dict[str, dict[str, Any]] = {}

    def get(self, name: str, practice: str = "") -> Any:
        """The value in force for a practice."""
        own = self.single.get(practice)
        return own[name] if own and name in own else getattr(self.all, name)

    def change(self, *, values: dict[str, Any], practice: str = "") -> None:
        """Set knobs; raises BadSetting before anything is changed."""
        for name, value in values.items():
            if name not in NAMES:
                raise BadSetting(f"no setting {name!r}")
            if name in CHOICES and value not in CHOICES[name]:
                raise BadSetting(f"{name} must be one of {', '.join(CHOICES[name])}")
        clean = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        if practice:
            self.single.setdefault(practice, {}).update(clean)
            return
        for name, value in clean.items():
            setattr(self.all, name, value)
