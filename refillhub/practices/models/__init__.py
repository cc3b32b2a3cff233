"""The nouns of whose: places, people, prescribers, and who may sign. Every owned row names its practice.

What must always hold is a constraint of the database; nothing here acts.
"""

from refillhub.practices.models.people import KeptForm, Membership, Role, User
from refillhub.practices.models.places import Channel, Location, Practice, check_time_zone, working_days
from refillhub.practices.models.providers import AutoApprovalConsent, Coverage, Provider, Spi
from refillhub.practices.models.signing import SigningGrant

__all__ = [
    "AutoApprovalConsent",
    "Channel",
    "Coverage",
    "KeptForm",
    "Location",
    "Membership",
    "Practice",
    "Provider",
    "Role",
    "SigningGrant",
    "Spi",
    "User",
    "check_time_zone",
    "working_days",
]
