"""Klara's own records per practice: patients, channels, conversations, messages, endpoints. It stores and shapes; it sends nothing."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

Record = dict[str, Any]
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Endpoint:
    """Where and how a practice's events go. `secrets`: newest first, all sign."""

    id: str
    practice: str
    url: str
    secrets: list[str]
    scheme: dict[str, Any]
    events: tuple[str, ...] = ()
    active: bool = True


@dataclass(slots=True)
class Account:
    """Everything of one practice."""

    practice: Record
    patients: dict[str, Record] = field(default_factory=dict)
    channels: dict[str, Record] = field(default_factory=dict)
    conversations: dict[str, Record] = field(default_factory=dict)
    messages: dict[str, list[Record]] = field(default_factory=dict)
    macros: list[Record] = field(default_factory=list)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    keys: dict[str, tuple[str, Record, datetime]] = field(default_factory=dict)
    sequence: int = 0

    @property
    def key(self) -> str:
        """The practice's key in the world."""
        return str(self.practice["key"])


def account(*, practice: Record, moment: datetime) -> Account:
    """The account of a practice, as the world document describes it."""
    klara = practice["klara"]
    made = Account(practice=practice, macros=copy.deepcopy(klara.get("macros", [])))
    made.channels = {channel["id"]: copy.copy(channel) for channel in klara["channels"]}
    add_patients(into=made, patients=practice.get("patients", []), moment=moment)
    return made


def add_patients(*, into: Account, patients: list[Record], moment: datetime) -> int:
    """Take patients of the world document; returns how many."""
    for entry in patients:
        record = copy.deepcopy(entry.get("klara", entry))
        into.patients[record["id"]] = {"updated_at": stamp(moment), "merged_into": None, **record}
    return len(patients)


class Ids:
    """Ids such as msg_01H..., from the simulator's own randomness."""

    def __init__(self, random: Callable[[], Random]) -> None:
        self._random = random

    def new(self, prefix: str) -> str:
        """A fresh id."""
        random = self._random()
        return f"{prefix}_{''.join(random.choice(ALPHABET) for _ in range(22))}"


def channel_of(*, into: Account, wished: str) -> Record:
    """A channel by id or type; the first one when nothing is wished. Raises KeyError."""
    if not wished:
        return next(iter(into.channels.values()))
    for channel in into.channels.values():
        if wished in (channel["id"], channel["type"]):
            return channel
    raise KeyError(f"no channel {wished!r}")


def open_conversation(*, into: Account, ids: Ids, patient: str, channel: Record, reason: str | None, moment: datetime) -> Record:
    """A new conversation."""
    conversation: Record = {
        "id": ids.new("conv"), "status": "open", "reason": reason, "tags": [], "channel": channel, "assignee": None, "closed_by": None,
        "patient_id": patient, "created_at": stamp(moment), "updated_at": stamp(moment),
    }  # fmt: skip
    into.conversations[conversation["id"]] = conversation
    into.messages[conversation["id"]] = []
    return conversation


def latest_conversation(*, into: Account, patient: str, channel: str) -> Record | None:
    """The patient's last conversation on a channel, closed or not."""
    found = [c for c in into.conversations.values() if c["patient_id"] == patient and c["channel"]["id"] == channel]
    return found[-1] if found else None


def add_message(*, into: Account, ids: Ids, conversation: Record, moment: datetime, sent_at: str, **values: Any) -> Record:
    """Append a message and touch the conversation. Values: direction, author, body, source, attachments, visibility."""
    message: Record = {"id": ids.new("msg"), "conversation_id": conversation["id"], "attachments": [], "source": "text",
                       "visibility": "patient", "sent_at": sent_at, "created_at": stamp(moment), **values}  # fmt: skip
    into.messages[conversation["id"]].append(message)
    conversation["updated_at"] = stamp(moment)
    return message


def touch(record: Record, moment: datetime, **values: Any) -> None:
    """Change a record in place."""
    record.update(values)
    record["updated_at"] = stamp(moment)
