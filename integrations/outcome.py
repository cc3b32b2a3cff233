"""What became of one write to a vendor, as a value.

Vendor writes return an Outcome and never raise for what the vendor said or failed to say; the caller decides what
follows. The kinds differ in one question only: may the other side have it? This module never talks to anyone.
"""

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    """The six ends of one attempt."""

    ACCEPTED = "accepted"  # someone on the way has taken responsibility (network Status 000)
    DELIVERED = "delivered"  # the last receiver's software has it (network Status or Verify 010)
    REJECTED = "rejected"  # refused by an answer: it is dead, and did not arrive
    NOT_SENT = "not_sent"  # surely never taken in: not connected, or turned away at the door
    UNKNOWN = "unknown"  # it may have arrived; reconcile, never build a second one
    HANDED_OVER = "handed_over"  # a person or another system has to finish it


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one vendor write.

    kind: what became of it. code and description_codes: the vendor's own, verbatim. text: the vendor's words, verbatim.
    external_ref: the vendor's id of what we wrote. retry_after: seconds, when the vendor named them.
    transient: with `rejected`, surely not delivered and a linked successor may go; with `not_sent`, the same bytes may
    go again later. False with `not_sent` means that a person has to change something first (credentials, address).
    configuration: the refusal points at our own set-up and operations should be alarmed.
    turned_away: with `unknown`, this repeat was surely not looked at: the doubt is about an earlier copy, and the
    repeat is still to be made.
    fax_fallback: the network turned the message into a fax (never allowed for a controlled drug, 21 CFR 1311.170(f)).
    document: the vendor's answer as received, to be stored sealed.
    """

    kind: OutcomeKind
    code: str = ""
    description_codes: tuple[str, ...] = ()
    text: str = ""
    external_ref: str = ""
    retry_after: float | None = None
    transient: bool = False
    document: bytes = b""
    configuration: bool = False
    fax_fallback: bool = False
    turned_away: bool = False

    @property
    def may_have_arrived(self) -> bool:
        """True unless the other side surely does not have it."""
        return self.kind not in (OutcomeKind.REJECTED, OutcomeKind.NOT_SENT)
