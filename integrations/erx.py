"""The protocol behind which the ways to transmit a prescription are interchangeable, and the table of those we have.

A route is chosen per practice by name. A route that does not transmit (`ehr_handoff`) exists so that callers ask one
question, `capabilities().transmits`, and never guess. Nothing here sends by itself.
"""

from datetime import datetime
from typing import Protocol

from integrations.outcome import Outcome
from integrations.surescripts import client
from integrations.surescripts.script_model import NetworkMessage
from integrations.surescripts.types import Capabilities, Endpoint, FetchResult, Signing


class UnknownRoute(LookupError):
    """No route has this name."""


class ERxRoute(Protocol):
    """One way to the pharmacy.

    name: stored in the database, for ever. dedupes_by_message_id: the route promises that a byte-identical repeat with
    the same message id is never delivered twice; only then may a repeat be sent (architecture, section 5).
    """

    @property
    def name(self) -> str: ...

    @property
    def dedupes_by_message_id(self) -> bool: ...

    def capabilities(self) -> Capabilities:
        """What the route can do."""

    def submit(self, *, connection: Endpoint, document: bytes, message_id: str, is_repeat: bool = False) -> Outcome:
        """Send exactly these bytes once. is_repeat: these bytes may have been sent before."""

    def fetch(self, *, connection: Endpoint, acknowledge: str | None, now: datetime) -> FetchResult:
        """Acknowledge what the caller has stored, then take what is waiting. Raises http.VendorError."""

    def receipt(self, *, connection: Endpoint, message: NetworkMessage, now: datetime) -> Outcome:
        """Tell the sender of a stored business message that we have it (Status 000)."""


class EhrHandoff:
    """The clinician sends in the EHR itself; we create a task there and read the result back. It carries no message."""

    name = "ehr_handoff"
    dedupes_by_message_id = False

    def capabilities(self) -> Capabilities:
        """Transmits nothing."""
        return Capabilities(transmits=False)

    def submit(self, *, connection: Endpoint, document: bytes, message_id: str, is_repeat: bool = False) -> Outcome:
        """Refuse: a caller that comes here skipped `capabilities`."""
        raise NotImplementedError("ehr_handoff transmits nothing; create the task in the EHR instead")

    def fetch(self, *, connection: Endpoint, acknowledge: str | None, now: datetime) -> FetchResult:
        """Nothing ever waits here."""
        return FetchResult(drained=True)

    def receipt(self, *, connection: Endpoint, message: NetworkMessage, now: datetime) -> Outcome:
        """Refuse: nothing comes in by this route."""
        raise NotImplementedError("ehr_handoff receives nothing")


_ROUTES: dict[str, ERxRoute] = {
    route.name: route
    for route in (
        client.Surescripts(name="surescripts", dedupes_by_message_id=False),
        client.Surescripts(name="surescripts_sandbox", dedupes_by_message_id=True, signing=Signing.SANDBOX),
        EhrHandoff(),
    )
}


def route_for(name: str) -> ERxRoute:
    """The route of this name. Raises UnknownRoute."""
    try:
        return _ROUTES[name]
    except KeyError:
        raise UnknownRoute(name) from None


def route_at(*, name: str, is_pretend: bool) -> ERxRoute:
    """The route of this name for an address; against a stand-in it is the one that promises to drop repeats.

    Raises UnknownRoute.
    """
    return route_for("surescripts_sandbox" if is_pretend and name == "surescripts" else name)


def route_names() -> tuple[str, ...]:
    """Every registered name, for forms and checks."""
    return tuple(_ROUTES)
