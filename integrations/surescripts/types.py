"""Values that cross the border between this product and a prescription route: where to speak, what came back.

Plain frozen values without Django, so that a route can be tried from a test, a shell or another program. They never
hold a database row or a decision.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from integrations.surescripts.script_model import NetworkMessage


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom to speak to the network.

    base_url: without a trailing path (`/script` and `/directory` are added). fingerprint: of the organisation's client
    certificate, sent in `X-Client-Cert-Fingerprint` as a TLS terminator would. from_spi: 13 digits, the mailbox owner
    and sender of polls. read_timeout: seconds. cert: files of client certificate and key for mutual TLS, when this
    process ends the TLS itself. ca_file: the network's own certification authority.
    """

    base_url: str
    fingerprint: str = field(repr=False)
    account: str = ""
    from_spi: str = ""
    mailbox_id: str = "SSMAILBOX"
    read_timeout: float = 30.0
    connect_timeout: float = 5.0
    stage: str = "dev"
    cert: tuple[str, str] | None = field(default=None, repr=False)
    ca_file: str | None = None


class Signing(StrEnum):
    """How a route lets a prescriber sign a controlled prescription.

    none: not at all, the chart's own task remains. sandbox: in this program, which is not certified and so signs only
    while every vendor is pretended (contract 8, rows 1 and 2). hosted: on the screen of a certified partner
    (docs/partners.md).
    """

    NONE = "none"
    SANDBOX = "sandbox"
    HOSTED = "hosted"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a route can do. `transmits` False means: a person finishes the work elsewhere (EHR hand-off).

    transactions: SCRIPT message names it carries. polls: it has a mailbox to fetch from. directory: it can hand out
    the pharmacy directory.
    """

    transmits: bool
    transactions: frozenset[str] = frozenset()
    polls: bool = False
    directory: bool = False
    signing: Signing = Signing.NONE


@dataclass(frozen=True, slots=True)
class UnreadableMail:
    """Mail we could not read: store `raw` for a person, then acknowledge `delivered_id` so that it blocks nothing."""

    raw: bytes = field(repr=False)
    reason: str
    delivered_id: str


@dataclass(frozen=True, slots=True)
class FetchResult:
    """One poll of the mailbox.

    messages: at most one with SCRIPT; store and commit it first, then pass its `header.delivered_id` as `acknowledge`
    to the next fetch. drained: nothing more is waiting. unreadable: mail that is no SCRIPT message we know.
    """

    messages: tuple[NetworkMessage, ...] = ()
    drained: bool = False
    unreadable: tuple[UnreadableMail, ...] = ()

    @property
    def acknowledge(self) -> str:
        """The key for the next fetch, once everything in this one is stored; empty when there is nothing."""
        if self.messages:
            return self.messages[-1].header.delivered_id
        return self.unreadable[-1].delivered_id if self.unreadable else ""
