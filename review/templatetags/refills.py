"""Filters of the review pages: states, reasons, waiting times and numbers as people read them. No queries."""

import uuid
from datetime import datetime
from decimal import Decimal

from django import template

from review import wording
from review.models import RefillRequest

register = template.Library()


@register.filter
def state_words(request: RefillRequest) -> str:
    """The state of a request in words."""
    return wording.state(request.state, is_shadow=request.is_shadow)


@register.filter
def tone(request: RefillRequest) -> str:
    """The tone of a state's tag."""
    return wording.TONES.get(request.state, "")


@register.filter
def why(request: RefillRequest) -> str:
    """The first reason why it is with a person."""
    return wording.first_reason(request.reasons)


@register.filter
def waited(since: datetime | None, now: datetime) -> str:
    """Hours and minutes since a moment."""
    return wording.waited(since, now) if since is not None else ""


@register.filter
def plain(number: Decimal | int | None) -> str:
    """A number without trailing zeros and with commas: 90, 0.5, 1,000."""
    if number is None:
        return ""
    return f"{Decimal(number).normalize():,f}"


@register.filter
def spoken(code: str) -> str:
    """A code as words."""
    return wording.spoken(str(code))


@register.filter
def drug(name: str) -> str:
    """A drug line as pages show it."""
    return wording.drug(name)


@register.filter
def unit(name: str, quantity: Decimal | None) -> str:
    """The unit with its quantity: tablets."""
    return wording.unit(name, quantity)


@register.simple_tag
def form_key() -> str:
    """A key that counts once."""
    return str(uuid.uuid4())
