"""The connection test of a Klara profile: one real request must verify, be readable, and fail when one byte changes.

A profile may be saved only after it passed (klara.md 3.1). Never stores the request, never answers anybody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from integrations.klara import events, signing
from integrations.klara.profile import Profile
from integrations.klara.types import Direction, EventKind


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `code` is for machines, `sentence` for the person who sets up."""

    code: str
    sentence: str


def check(
    *,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    secrets: Sequence[str],
    profile: Profile,
    now: datetime,
    path: str = "",
) -> tuple[Finding, ...]:
    """Everything that is wrong with this profile for this request; empty means that the profile may be saved."""
    verify = partial(signing.verify, headers=headers, secrets=secrets, profile=profile, now=now, path=path)
    try:
        verified = verify(body=body)
    except signing.Refused as refused:
        if refused.signature_good:
            return (Finding("signs_event_time", "The signature is good but its time is old: paste a fresh request, "
                            "or the account signs the time of the event and not of the attempt."),)
        return (Finding(str(refused.reason), f"The signature was refused: {refused.reason}."),)
    found = [*_forgeries(body, verify), *_unread(body, profile, verified.event_id)]
    return tuple(found)


def round_trip(*, secret: str, profile: Profile, now: datetime) -> tuple[Finding, ...]:
    """Sign a sample as a sender would and check it: the secret and the profile fit each other (F042)."""
    body = b'{"id":"evt_test","type":"webhook.test","data":{}}'
    try:
        headers = signing.sign(body=body, secrets=[secret], profile=profile, event_id="evt_test", now=now)
        verify = partial(signing.verify, headers=headers, secrets=[secret], profile=profile, now=now)
        verify(body=body)
    except signing.BadSecret as error:
        return (Finding("bad_secret", f"The signing secret cannot be used: {error}."),)
    except signing.Refused as refused:
        return (Finding(str(refused.reason), f"A sample of our own was refused: {refused.reason}."),)
    return _forgeries(body, verify)


def _forgeries(body: bytes, verify: Callable[..., signing.Verified]) -> tuple[Finding, ...]:
    changed = bytes([body[0] ^ 1]) + body[1:] if body else b"x"
    try:
        verify(body=changed)
    except signing.Refused:
        return ()
    return (Finding("accepts_changes", "A request with one changed byte was accepted as well."),)


def _unread(body: bytes, profile: Profile, event_id: str) -> list[Finding]:
    try:
        event = events.parse(body=body, profile=profile, header_event_id=event_id)
    except events.Unreadable as error:
        return [Finding(error.reason, f"The request verifies but cannot be read: {error.reason}.")]
    if event.kind is EventKind.test:
        return []
    missing = []
    if event.kind is EventKind.ignored:
        missing.append(Finding("unknown_type", f"The event type {event.type!r} is not in the profile's list."))
    if event.patient is None:
        missing.append(Finding("no_patient", "The path of the patient's id leads nowhere."))
    if event.conversation is None:
        missing.append(Finding("no_conversation", "The path of the conversation's id leads nowhere."))
    if event.channel is None:
        missing.append(Finding("no_channel", "The path of the channel's id leads nowhere."))
    if event.kind is EventKind.message_in:
        if event.message is None:
            missing.append(Finding("no_message", "The path of the message's id leads nowhere."))
        elif event.message.direction is Direction.unknown or not event.message.text:
            missing.append(Finding("no_words", "The paths of the message's words or direction lead nowhere."))
    return missing
