"""What the pretended Klara remembers of one practice: channels, patients, conversations, messages, used keys.

Shapes are those of the contract, sections 3.2 and 3.3. It stores and shows; it never sends and never refuses a caller.
"""

import copy
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PATIENT_FIELDS = ("id", "first_name", "last_name", "date_of_birth", "phone", "identity_verified", "external_ids")
CHANNEL_FIELDS = ("id", "type", "phone_number", "location_id")


class Unknown(KeyError):
    """No such patient, channel, conversation or message; answered with 404 or, at the test desk, 400."""


@dataclass(slots=True)
class Message:
    """One message. `body` may be None (attachment only); `key` is the caller's idempotency key."""

    id: str
    conversation: str
    direction: str
    author: dict[str, Any]
    body: str | None
    sent_at: datetime
    created_at: datetime
    attachments: list[Any] = field(default_factory=list)
    source: str = "text"
    visibility: str = "patient"
    key: str = ""
    template_id: str | None = None

    def shown(self) -> dict[str, Any]:
        """As in an event."""
        return {
            "id": self.id,
            "direction": self.direction,
            "author": dict(self.author),
            "body": self.body,
            "sent_at": seconds(self.sent_at),
            "attachments": list(self.attachments),
            "source": self.source,
        }

    def listed(self) -> dict[str, Any]:
        """As in a listing."""
        return {
            **self.shown(),
            "conversation_id": self.conversation,
            "visibility": self.visibility,
            "template_id": self.template_id,
            "created_at": milliseconds(self.created_at),
        }


@dataclass(slots=True)
class Conversation:
    """One thread of one patient on one channel."""

    id: str
    patient: str
    channel: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    status: str = "open"
    reason: str | None = None
    tags: list[str] = field(default_factory=list)
    assignee: Any = None
    closed_by: dict[str, Any] | None = None
    messages: list[Message] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """As in an event."""
        return {
            "id": self.id,
            "status": self.status,
            "reason": self.reason,
            "tags": [{"name": name} for name in self.tags],
            "channel": {name: self.channel.get(name) for name in CHANNEL_FIELDS},
            "assignee": self.assignee,
            "closed_by": self.closed_by,
        }


class Account:
    """One practice's Klara."""

    def __init__(self, *, practice: dict[str, Any], now: datetime, salt: str) -> None:
        part = practice["klara"]
        self.key: str = practice["key"]
        self.id: str = part["practice_id"]
        self.part = part
        self.channels: dict[str, dict[str, Any]] = {}
        self.macros: list[dict[str, Any]] = []
        self.patients: dict[str, dict[str, Any]] = {}
        self.touched: dict[str, datetime] = {}
        self.by_chart: dict[str, str] = {}
        self.conversations: dict[str, Conversation] = {}
        self.latest: dict[tuple[str, str], str] = {}
        self.keys: dict[str, tuple[datetime, Message]] = {}
        self.endpoints: dict[str, Any] = {}
        self.sequence = 0
        self._salt = salt
        self._numbers: dict[str, int] = {}
        for channel in part.get("channels", []):
            self.channels[channel["id"]] = dict(channel)
        self.macros = copy.deepcopy(part.get("macros", []))
        for entry in practice.get("patients", []):
            if entry.get("klara"):
                self.put_patient(record=entry["klara"], now=now)

    def new_id(self, kind: str) -> str:
        """The next id of a kind: the same for the same seed, practice and moment of loading."""
        number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
        digest = hashlib.sha256(f"{self._salt}/{self.key}/{kind}/{number}".encode()).hexdigest()
        return f"{kind}_{digest[:24]}"

    # patients ------------------------------------------------------------------------------------------------------

    def put_patient(self, *, record: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Add or replace a patient; missing fields get Klara's empty values."""
        made = {
            "first_name": "",
            "last_name": "",
            "date_of_birth": None,
            "phone": None,
            "identity_verified": True,
            "external_ids": [],
            "merged_into": None,
            **copy.deepcopy(record),
        }
        made.setdefault("id", self.new_id("pat"))
        self.patients[made["id"]] = made
        self.touched[made["id"]] = now
        for link in made["external_ids"] or []:
            self.by_chart[str(link.get("value"))] = made["id"]
        return made

    def patient(self, name: str) -> dict[str, Any]:
        """A patient by Klara id or chart id; a merged one leads to the survivor. Raises Unknown."""
        found = self.patients.get(str(name)) or self.patients.get(self.by_chart.get(str(name), ""))
        for _ in range(20):
            if found is None or not found["merged_into"]:
                break
            found = self.patients.get(found["merged_into"])
        if found is None:
            raise Unknown(f"no patient {name!r}")
        return found

    def patient_shown(self, record: dict[str, Any], *, full: bool = False) -> dict[str, Any]:
        """As in a message's event; `full` as in a listing and in patient.* events."""
        shown = {name: copy.deepcopy(record.get(name)) for name in PATIENT_FIELDS}
        if full:
            shown |= {
                "phones": [record["phone"]] if record.get("phone") else [],
                "merged_into": record["merged_into"],
                "updated_at": milliseconds(self.touched[record["id"]]),
            }
        return shown

    def merge(self, *, gone: str, survivor: str, now: datetime) -> dict[str, Any]:
        """Merge one patient into another; conversations move. Returns the record that is gone."""
        lost, kept = self.patient(gone), self.patient(survivor)
        if lost["id"] == kept["id"]:
            raise Unknown("both are the same patient")
        lost["merged_into"] = kept["id"]
        self.touched[lost["id"]] = self.touched[kept["id"]] = now
        for conversation in self.conversations.values():
            if conversation.patient == lost["id"]:
                conversation.patient, conversation.updated_at = kept["id"], now
        for (patient, channel), name in list(self.latest.items()):
            if patient == lost["id"]:
                self.latest.setdefault((kept["id"], channel), name)
        return lost

    # conversations -------------------------------------------------------------------------------------------------

    def channel(self, name: str | None) -> dict[str, Any]:
        """A channel by id or type; None = the first. Raises Unknown."""
        for channel in self.channels.values():
            if name is None or name in (channel["id"], channel["type"]):
                return channel
        raise Unknown(f"no channel {name!r}")

    def conversation(self, name: str) -> Conversation:
        """One conversation; raises Unknown."""
        try:
            return self.conversations[name]
        except KeyError:
            raise Unknown(f"no conversation {name!r}") from None

    def thread(
        self, *, patient: str, channel: dict[str, Any], wish: str | None, now: datetime
    ) -> tuple[Conversation, bool]:
        """The conversation a message goes to ("new", an id, None = the last on this channel); and whether it is new."""
        if wish not in (None, "", "new", "reuse"):
            if wish in self.conversations:
                return self.conversation(str(wish)), False
            name = str(wish)
        else:
            known = self.latest.get((patient, channel["id"]))
            if known and wish != "new":
                return self.conversations[known], False
            name = self.new_id("conv")
        made = Conversation(id=name, patient=patient, channel=channel, created_at=now, updated_at=now)
        self.conversations[name] = made
        self.latest[patient, channel["id"]] = name
        return made, True

    def conversation_listed(self, conversation: Conversation, *, full: bool) -> dict[str, Any]:
        """As in a listing; `full` embeds the patient, else only its id."""
        patient = self.patients[conversation.patient]
        return {
            **conversation.shown(),
            "patient_id": conversation.patient,
            "patient": self.patient_shown(patient, full=True) if full else {"id": conversation.patient},
            "created_at": milliseconds(conversation.created_at),
            "updated_at": milliseconds(conversation.updated_at),
            "last_message_at": seconds(conversation.messages[-1].sent_at) if conversation.messages else None,
        }

    def post(
        self, *, conversation: Conversation, now: datetime, author: dict[str, Any], body: str | None, **more: Any
    ) -> Message:
        """Append a message."""
        inbound = author["type"] in ("patient", "proxy")
        more.setdefault("direction", "inbound" if inbound else "outbound")
        more.setdefault("sent_at", now)
        name = more.pop("id", None) or self.new_id("msg")
        made = Message(id=name, conversation=conversation.id, author=author, body=body, created_at=now, **more)
        conversation.messages.append(made)
        conversation.updated_at = now
        return made

    def find_message(self, name: str) -> tuple[Conversation, Message]:
        """A message anywhere; raises Unknown."""
        for conversation in self.conversations.values():
            for message in conversation.messages:
                if message.id == name:
                    return conversation, message
        raise Unknown(f"no message {name!r}")

    def close(self, *, conversation: Conversation, by: dict[str, Any], now: datetime) -> None:
        """Close a conversation, telling by whom."""
        conversation.status, conversation.closed_by, conversation.updated_at = "closed", by, now

    def reopen(self, *, conversation: Conversation, now: datetime) -> None:
        """Open it again."""
        conversation.status, conversation.closed_by, conversation.updated_at = "open", None, now


def seconds(moment: datetime) -> str:
    """2026-01-01T00:00:00Z"""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: datetime) -> str:
    """2026-01-01T00:00:00.125Z"""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
