"""Paging a person: the ways to do it, behind one protocol, chosen by each practice. Ids only, no patient, no drug.

E-mail and a signed webhook are ready-made; another way is one more object in the table. Called by delivery only.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.core import mail

from integrations import receivers
from integrations.outcome import Outcome, OutcomeKind
from refillhub.practices.models import Practice, Provider


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says. `event_id` is the same for every attempt, so that a receiver may drop repeats."""

    event_id: str
    request_id: str
    why: str
    provider_id: str
    address: str

    @property
    def url(self) -> str:
        """Where to look, behind the sign-in."""
        return f"{settings.PUBLIC_URL}/queue/{self.request_id}/"


class Notifier(Protocol):
    """One way to page. Returns what became of it; never raises for a failure outside."""

    def send(self, *, page: Page, practice: Practice, now: datetime) -> Outcome:
        """Page once."""


class Email:
    """To the prescriber's own address."""

    def send(self, *, page: Page, practice: Practice, now: datetime) -> Outcome:
        """One mail."""
        if not page.address:
            return Outcome(kind=OutcomeKind.REJECTED, code="no_address", text="the prescriber has no e-mail address")
        short = page.request_id[:8]
        try:
            mail.send_mail(
                subject=f"Refill Hub: please look at request {short} ({page.why.replace('_', ' ')})",
                message=f"Request {short} needs you now. Sign in: {page.url}",
                from_email=None,
                recipient_list=[page.address],
            )
        except OSError as error:
            return Outcome(kind=OutcomeKind.NOT_SENT, code="mail", text=type(error).__name__, transient=True)
        return Outcome(kind=OutcomeKind.DELIVERED, external_ref=page.provider_id)


class Webhook:
    """To the practice's receiver (a pager service, a telephone gateway), signed."""

    def send(self, *, page: Page, practice: Practice, now: datetime) -> Outcome:
        """One signed POST."""
        receiver = receivers.of(practice_id=practice.id)
        if receiver is None or not receiver.wants_pages:
            words = "no receiver takes this practice's pages"
            return Outcome(kind=OutcomeKind.REJECTED, code="no_receiver", text=words)
        data = {"request": page.request_id, "why": page.why, "provider": page.provider_id, "url": page.url}
        return receivers.tell(receiver=receiver, event_id=page.event_id, kind="page", data=data, now=now)


NOTIFIERS: dict[str, tuple[Notifier, ...]] = {
    Practice.PageBy.email: (Email(),),
    Practice.PageBy.webhook: (Webhook(),),
    Practice.PageBy.both: (Webhook(), Email()),
}
"""By the practice's choice. With several, each is tried; the page counts as delivered if one of them took it."""


def page(*, event_id: str, values: dict[str, str], practice: Practice, now: datetime) -> Outcome:
    """Page the prescriber named in the frozen values, in the practice's way."""
    found = Provider.objects.select_related("user").filter(id=values["provider"], practice_id=practice.id).first()
    wanted = Page(
        event_id=event_id,
        request_id=values["request"],
        why=values["why"],
        provider_id=values["provider"],
        address=found.user.email if found and found.user else "",
    )
    outcomes = [one.send(page=wanted, practice=practice, now=now) for one in NOTIFIERS[practice.page_by]]
    return min(outcomes, key=lambda one: _BEST.index(one.kind))


_BEST = (
    OutcomeKind.DELIVERED, OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT, OutcomeKind.REJECTED,
    OutcomeKind.HANDED_OVER,
)  # fmt: skip
