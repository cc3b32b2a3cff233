"""The stored body of a message that our own look found: the assumed Klara shape, so that it reads like its webhook.

Pure; the counterpart of `integrations.klara.events.parse` under the default profile.
"""

import orjson

from integrations.klara.types import KlaraEvent


def body_of(event: KlaraEvent) -> bytes:
    """JSON of the event in the shape of the contract's section 3.3."""
    patient, conversation, channel, message = event.patient, event.conversation, event.channel, event.message
    data: dict[str, object] = {}
    if patient is not None:
        data["patient"] = {
            "id": patient.id,
            "first_name": patient.first_name,
            "last_name": patient.last_name,
            "date_of_birth": patient.date_of_birth.isoformat() if patient.date_of_birth else None,
            "phone": patient.phone,
            "identity_verified": patient.is_verified,
            "external_ids": [{"system": each.system, "value": each.value} for each in patient.external_ids],
        }
    if conversation is not None:
        by = conversation.closed_by
        data["conversation"] = {
            "id": conversation.id,
            "status": conversation.status,
            "reason": conversation.reason,
            # Our own names of the topics: the default profile knows them, whatever the account calls its tags.
            "tags": [{"name": name.replace("_", " ")} for name in sorted(conversation.topics)],
            "closed_by": {"type": by.type, "id": by.id, "name": by.name} if by is not None else None,
            "channel": {
                "id": channel.id,
                "type": channel.type,
                "phone_number": channel.phone,
                "location_id": channel.location_id,
            }
            if channel is not None
            else None,
        }
    if message is not None:
        data["message"] = {
            "id": message.id,
            "direction": str(message.direction),
            "author": {"type": str(message.author)},
            "body": message.text,
            "sent_at": message.sent_at.isoformat() if message.sent_at else None,
            "attachments": [{}] * message.attachment_count,
            "source": str(message.source),
        }
    return orjson.dumps(
        {
            "id": event.id,
            "type": event.type,
            "occurred_at": event.occurred_at.isoformat() if event.occurred_at else None,
            "sequence": event.sequence,
            "data": data,
        }
    )
