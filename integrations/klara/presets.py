"""The profiles that ship with the product, as data; `profile.parse` checks them like any other.

All of it is assumption (klara.md 3.1): the default is the public Standard Webhooks scheme with header names of Klara.
"""

from typing import Any

DEFAULT = "klara-assumed-v1"

ASSUMED: dict[str, Any] = {
    "profile": DEFAULT,
    "auth": {
        "mode": "oauth2",
        "token_url": "/oauth/token",
        "grant": "client_credentials",
        "api_key_header": "Authorization",
        "api_key_prefix": "Bearer ",
    },
    "signature": {
        "headers": {
            "id": "X-Klara-Webhook-Id",
            "timestamp": "X-Klara-Webhook-Timestamp",
            "signature": "X-Klara-Webhook-Signature",
        },
        "canonical": "{id}.{timestamp}.{body}",
        "algorithm": "hmac-sha256",
        "encoding": "base64",
        "entry_separator": " ",
        "entry_prefix": "v1,",
        "timestamp_prefix": "",
        "secret_format": "whsec",
        "timestamp_unit": "s",
        "timestamp_semantics": "attempt",
        "tolerance_s": 300,
    },
    "idempotency": {
        "event_id": ["header:id", "body:id"],
        "outbound_header": "Idempotency-Key",
        "duplicate_statuses": [409, 422],
    },
    "paths": {
        "event_id": "id",
        "type": "type",
        "occurred_at": "occurred_at",
        "sequence": "sequence",
        "practice_id": "practice_id",
        "channel_id": "data.conversation.channel.id",
        "channel_type": "data.conversation.channel.type",
        "channel_phone": "data.conversation.channel.phone_number",
        "location_id": "data.conversation.channel.location_id",
        "patient_id": "data.patient.id",
        "first_name": "data.patient.first_name",
        "last_name": "data.patient.last_name",
        "date_of_birth": "data.patient.date_of_birth",
        "phone": "data.patient.phone",
        "identity_verified": "data.patient.identity_verified",
        "external_ids": "data.patient.external_ids",
        "merged_into": "data.patient.merged_into",
        "conversation_id": "data.conversation.id",
        "status": "data.conversation.status",
        "reason": "data.conversation.reason",
        "tags": "data.conversation.tags[].name",
        "closed_by": "data.conversation.closed_by.type",
        "closed_by_id": "data.conversation.closed_by.id",
        "closed_by_name": "data.conversation.closed_by.name",
        "message_id": "data.message.id",
        "text": "data.message.body",
        "direction": "data.message.direction",
        "author_type": "data.message.author.type",
        "sent_at": "data.message.sent_at",
        "source": "data.message.source",
        "attachments": "data.message.attachments",
    },
    "event_map": {
        "message.created": "message_in",
        "message.updated": "message_updated",
        "conversation.created": "conversation",
        "conversation.tagged": "tag",
        "conversation.untagged": "tag",
        "conversation.assigned": "conversation",
        "conversation.closed": "closed",
        "conversation.reopened": "conversation",
        "patient.updated": "patient_updated",
        "patient.merged": "patient_merged",
        "webhook.test": "test",
    },
    "value_map": {
        "direction.inbound": ["inbound", "incoming"],
        "direction.outbound": ["outbound", "outgoing"],
        "author.patient": ["patient"],
        "author.proxy": ["proxy"],
        "author.staff": ["staff"],
        "author.macro": ["macro"],
        "author.integration": ["integration"],
        "author.system": ["system"],
        "source.text": ["text"],
        "source.voicemail_transcript": ["voicemail_transcript", "voicemail"],
        "source.form": ["form"],
    },
    "tag_map": {"refill": ["refill", "Prescriptions / Refills"], "pharmacy_change": ["pharmacy change"]},
    "limits": {"calls_per_s": 10, "burst": 10, "max_body_bytes": 262144, "ack_timeout_s": 10},
}

OVERRIDES: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "standard-webhooks": {
        "signature": {
            "headers": {"id": "webhook-id", "timestamp": "webhook-timestamp", "signature": "webhook-signature"}
        }
    },
    # Stripe-like: the time travels inside the signature header, the id only in the (signed) body.
    "timestamp-hex-v1": {
        "signature": {
            "headers": {"id": "", "timestamp": "", "signature": "X-Klara-Signature"},
            "canonical": "{timestamp}.{body}",
            "encoding": "hex",
            "entry_separator": ",",
            "entry_prefix": "v1=",
            "timestamp_prefix": "t=",
        },
        "idempotency": {"event_id": ["body:id"]},
    },
    # GitHub-like and Spruce-like: body only; replay protection is the stored event id alone.
    "body-hex-v1": {
        "signature": {
            "headers": {"id": "", "timestamp": "", "signature": "X-Klara-Signature-256"},
            "canonical": "{body}",
            "encoding": "hex",
            "entry_prefix": "sha256=",
            "timestamp_semantics": "absent",
        },
        "idempotency": {"event_id": ["body:id"]},
    },
    "body-base64-v1": {
        "signature": {
            "headers": {"id": "", "timestamp": "", "signature": "X-Klara-Signature"},
            "canonical": "{body}",
            "entry_prefix": "",
            "timestamp_semantics": "absent",
        },
        "idempotency": {"event_id": ["body:id"]},
    },
}
