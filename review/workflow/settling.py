"""What one settlement gathers before it is written: the locked rows, what changed, what is new."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.models import PharmacyEntry
from review.ledger import Ledger
from review.models import Dispatch, RefillRequest


@dataclass(slots=True)
class Settling:
    """The work of one transaction of `settlement`."""

    ledger: Ledger
    dispatches: list[Dispatch]
    requests: dict[uuid.UUID, RefillRequest]
    touched: set[uuid.UUID] = field(default_factory=set)
    moved: set[uuid.UUID] = field(default_factory=set)
    new: list[Dispatch] = field(default_factory=list)
    items: list[RefillRequest] = field(default_factory=list)
    pharmacies: Mapping[tuple[str, str], PharmacyEntry] | None = None

    def of(self, request: RefillRequest, kind: str) -> list[Dispatch]:
        """The request's stored dispatches of one kind, oldest first."""
        rows = [d for d in self.dispatches if d.request_id == request.id and d.kind == kind]
        return sorted(rows, key=lambda d: d.queued_at)

    def is_new(self, dispatch: Dispatch) -> bool:
        """Whether the dispatch was made by this very settlement."""
        return any(row.id == dispatch.id for row in self.new)
