"""What Klara told us, as frozen values. Words and ids as given; unknown stays None or empty."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What an event is to us; the profile maps Klara's names to these."""

    message_in = "message_in"  # a message was created, in either direction: look at `starts_work`
    message_updated = "message_updated"
    conversation = "conversation"
    tag = "tag"
    closed = "closed"
    patient_updated = "patient_updated"
    patient_merged = "patient_merged"
    test = "test"
    ignored = "ignored"


class Direction(StrEnum):
    inbound = "inbound"
    outbound = "outbound"
    unknown = "unknown"


class Author(StrEnum):
    patient = "patient"
    proxy = "proxy"
    staff = "staff"
    macro = "macro"
    integration = "integration"
    system = "system"
    unknown = "unknown"


class Source(StrEnum):
    """How the words came to be. A voicemail transcript is never approved automatically."""

    text = "text"
    voicemail_transcript = "voicemail_transcript"
    form = "form"
    unknown = "unknown"


class Origin(StrEnum):
    webhook = "webhook"
    poll = "poll"


@dataclass(frozen=True, slots=True)
class ExternalId:
    system: str
    value: str


@dataclass(frozen=True, slots=True)
class KlaraPatient:
    """Who writes, as Klara knows the person. `is_verified` is true only when Klara says so explicitly."""

    id: str
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    date_of_birth: date | None = field(repr=False)
    phone: str = field(repr=False)
    is_verified: bool
    external_ids: tuple[ExternalId, ...]
    merged_into: str

    @property
    def drchrono_id(self) -> str:
        """The chart's patient id when exactly one is linked, else empty: two links mean a person decides."""
        found = {each.value for each in self.external_ids if each.system.lower() == "drchrono" and each.value}
        return found.pop() if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class ChannelRef:
    id: str
    type: str
    phone: str
    location_id: str


@dataclass(frozen=True, slots=True)
class ClosedBy:
    type: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ConversationRef:
    """`topics` are the profile's own names of tags and reason (refill, pharmacy_change); `tags` the words as given."""

    id: str
    status: str
    reason: str
    tags: tuple[str, ...]
    topics: frozenset[str]
    closed_by: ClosedBy | None


@dataclass(frozen=True, slots=True)
class KlaraMessage:
    id: str
    direction: Direction
    author: Author
    text: str = field(repr=False)
    sent_at: datetime | None
    source: Source
    attachment_count: int


@dataclass(frozen=True, slots=True)
class KlaraEvent:
    """One event, from a webhook or built from a poll. `id` is the key against duplicates, never empty."""

    id: str
    type: str
    kind: EventKind
    origin: Origin
    occurred_at: datetime | None
    sequence: int | None
    practice_id: str
    patient: KlaraPatient | None
    conversation: ConversationRef | None
    channel: ChannelRef | None
    message: KlaraMessage | None

    @property
    def starts_work(self) -> bool:
        """Only what a patient or proxy wrote to us (loop guard: our own confirmation contains the word refill)."""
        message = self.message
        return (
            self.kind is EventKind.message_in
            and message is not None
            and message.direction is Direction.inbound
            and message.author in (Author.patient, Author.proxy)
        )


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as listed. `updated_at` is Klara's own text, for the cursor."""

    ref: ConversationRef
    channel: ChannelRef | None
    patient: KlaraPatient | None
    updated_at: str


@dataclass(frozen=True, slots=True)
class Channel:
    id: str
    name: str
    type: str
    phone: str
    location_id: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Macro:
    id: str
    name: str
    auto_reply: bool
    closes: bool
    tags: tuple[str, ...]

    @property
    def swallows_refills(self) -> bool:
        """Answers and closes by itself on refill messages: the webhook may then never come (set-up warning)."""
        return self.auto_reply and self.closes and any("refill" in tag.lower() for tag in self.tags)
