"""Nouns of the talking package: connections and their secrets, what vendors told us, and whom we tell.

Nothing here knows of a refill request.
"""

from integrations.models.connections import (
    Connection,
    ConnectionQuerySet,
    ConnectionStatus,
    RefusedAddress,
    Secret,
    SecretKind,
    SecretState,
    Stage,
    Vendor,
    abroad,
    is_pretend,
)
from integrations.models.mirror import (
    DirectoryState,
    MessageDirection,
    MirrorMedication,
    MirrorPatient,
    MirrorResult,
    PharmacyEntry,
    PrescriptionSeen,
    ResultKind,
    SweepKind,
    SweepState,
)
from integrations.models.receivers import Receiver

__all__ = [
    "Connection",
    "ConnectionQuerySet",
    "ConnectionStatus",
    "DirectoryState",
    "MessageDirection",
    "MirrorMedication",
    "MirrorPatient",
    "MirrorResult",
    "PharmacyEntry",
    "PrescriptionSeen",
    "Receiver",
    "RefusedAddress",
    "ResultKind",
    "Secret",
    "SecretKind",
    "SecretState",
    "Stage",
    "SweepKind",
    "SweepState",
    "Vendor",
    "abroad",
    "is_pretend",
]
