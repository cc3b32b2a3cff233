"""A practice's limits as one frozen value, with safe defaults.

Every limit can only be as strict as the floor in code or stricter: a value outside its bounds is a `PolicyError` that
names the field. It holds no people and no clock, and adopts no drug class by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

JsonValue = str | int | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

RECIPE_KEYS: tuple[str, ...] = (
    "controlled",
    "after_hours",
    "pharmacy_change",
    "fills_left",
    "needs_visit",
    "auto_refill",
    "failed_transmission",
)


class PolicyError(ValueError):
    """A limit breaks its rule. `field` names it, `rule` says what would be right."""

    def __init__(self, *, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Bound:
    """Inclusive bounds of a whole-number limit, its unit and the sentence a person reads."""

    least: int
    most: int
    unit: str
    meaning: str


BOUNDS: Mapping[str, Bound] = {
    # Seeds: 365 days, 90 days, 90 days of fill history; the practice may be stricter, never laxer.
    "visit_limit_days": Bound(1, 365, "days", "The last qualifying visit may be at most this long ago."),
    "max_days_supply": Bound(1, 90, "days", "Longest supply per fill that may be approved automatically."),
    "fill_history_days": Bound(1, 90, "days", "The last known fill may be at most this long ago."),
    "authorised_days_from_visit": Bound(1, 365, "days", "Supply with refills ends within this of the last visit."),
    "mirror_max_age_minutes": Bound(1, 60, "minutes", "Chart data older than this is stale."),
    "early_used_percent": Bound(75, 100, "percent", "So much of the last supply must be used."),
    "late_margin_days": Bound(0, 30, "days", "Days after the end of the last supply before a request is late."),
    "min_stable_days": Bound(90, 730, "days", "Days since start or change; a drug class may ask for more."),
    "duplicate_hours": Bound(24, 168, "hours", "A second request within this is a duplicate of the first."),
    "short_supply_days": Bound(0, 30, "days", "Supply ending within this of the next opening is pressing."),
    "confidence_percent": Bound(80, 100, "percent", "Readings less sure than this go to a person."),
    "opioid_max_days_supply": Bound(1, 30, "days", "Longest opioid supply before it is flagged."),
    "bridge_days": Bound(1, 30, "days", "Length of a bridging supply a person may give."),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of one practice. `adopted_classes` are protocol keys its medical director adopted; none by default."""

    visit_limit_days: int = 365
    max_days_supply: int = 90
    fill_history_days: int = 90
    authorised_days_from_visit: int = 365
    mirror_max_age_minutes: int = 15
    early_used_percent: int = 75
    late_margin_days: int = 30
    min_stable_days: int = 90
    duplicate_hours: int = 24
    short_supply_days: int = 3
    confidence_percent: int = 90
    opioid_max_days_supply: int = 7
    bridge_days: int = 30
    adopted_classes: frozenset[str] = frozenset()
    enabled_recipes: frozenset[str] = frozenset(RECIPE_KEYS)
    is_on_call_enabled: bool = False
    untagged_refill_may_be_automatic: bool = False
    """False: a refill the practice's Klara did not tag "refill" goes to review, however plain."""

    def __post_init__(self) -> None:
        for name, bound in BOUNDS.items():
            _check_number(name, getattr(self, name), bound)
        for name in ("adopted_classes", "enabled_recipes"):
            value = getattr(self, name)
            if not isinstance(value, frozenset) or not all(isinstance(item, str) and item for item in value):
                raise PolicyError(field=name, rule="must be a set of keys")
        unknown = sorted(self.enabled_recipes - set(RECIPE_KEYS))
        if unknown:
            raise PolicyError(field="enabled_recipes", rule=f"unknown recipe {unknown[0]!r}")
        for name in ("is_on_call_enabled", "untagged_refill_may_be_automatic"):
            if not isinstance(getattr(self, name), bool):
                raise PolicyError(field=name, rule="must be true or false")


def _check_number(name: str, value: object, bound: Bound) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PolicyError(field=name, rule=f"must be a whole number of {bound.unit}")
    if not bound.least <= value <= bound.most:
        raise PolicyError(field=name, rule=f"must be from {bound.least} to {bound.most} {bound.unit}")


def from_document(*, document: Mapping[str, JsonValue]) -> Policy:
    """The policy part of a RuleVersion's JSON document. Missing fields take the safe default; unknown ones are refused.

    Raises PolicyError naming the field.
    """
    names = {field.name for field in fields(Policy)}
    values: dict[str, object] = {}
    for name, value in document.items():
        if name not in names:
            raise PolicyError(field=name, rule="is not a limit this product knows")
        if name in ("adopted_classes", "enabled_recipes"):
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise PolicyError(field=name, rule="must be a list of keys")
            values[name] = frozenset(str(item) for item in value)
        else:
            values[name] = value
    return Policy(**values)  # type: ignore[arg-type]  # types are checked in __post_init__


def to_document(*, policy: Policy) -> dict[str, JsonValue]:
    """JSON form, keys sorted inside sets so that equal policies give equal bytes."""
    document: dict[str, JsonValue] = {}
    for field in fields(Policy):
        value = getattr(policy, field.name)
        document[field.name] = sorted(value) if isinstance(value, frozenset) else value
    return document
