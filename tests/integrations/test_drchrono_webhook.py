"""DrChrono's deliveries: the header proves who sent, never what; anything else is refused."""

import hashlib
import hmac

import pytest

from integrations.drchrono import webhook

SECRET = "the-secret-token"


def headers(**changes):
    given = {
        "X-drchrono-event": "PATIENT_MEDICATION_MODIFY",
        "X-drchrono-signature": SECRET,
        "X-drchrono-delivery": "d-1",
    } | changes
    return [(name, value) for name, value in given.items() if value is not None]


def refusal(**given):
    with pytest.raises(webhook.Refused) as caught:
        webhook.verify(**given)
    return caught.value.reason


def test_the_handshake_answers_with_the_hmac_of_the_message():
    wanted = hmac.new(SECRET.encode(), b"hello", hashlib.sha256).hexdigest()
    assert webhook.answer_handshake(message="hello", secret=SECRET) == {"secret_token": wanted}


def test_the_secret_token_itself_is_the_signature():
    found = webhook.verify(headers=headers(), secrets=["older", SECRET])
    assert (found.matter, found.delivery_id, found.secret_index) == (webhook.Matter.medication, "d-1", 1)


def test_a_wrong_secret_no_secret_and_missing_or_doubled_headers_are_refused():
    assert refusal(headers=headers(), secrets=["other"]) == "no_match"
    assert refusal(headers=headers(**{"X-drchrono-signature": SECRET + "x"}), secrets=[SECRET]) == "no_match"
    assert refusal(headers=headers(), secrets=[]) == "no_secret"
    assert refusal(headers=headers(), secrets=[""]) == "no_secret"
    assert refusal(headers=headers(**{"X-drchrono-signature": None}), secrets=[SECRET]) == "missing_header"
    assert refusal(headers=headers(**{"X-drchrono-delivery": None}), secrets=[SECRET]) == "missing_header"
    doubled = [*headers(), ("x-drchrono-signature", SECRET)]
    assert refusal(headers=doubled, secrets=[SECRET]) == "duplicate_header"
    assert refusal(headers=headers(**{"X-drchrono-event": "E" * 600}), secrets=[SECRET]) == "header_too_long"


def test_an_unknown_event_is_other_and_a_ping_a_ping():
    for event, matter in (("PING", "ping"), ("VACCINE_ADMINISTERED", "other"), ("PATIENT_FLAG_CMODIFY", "other")):
        assert webhook.verify(headers=headers(**{"X-drchrono-event": event}), secrets=[SECRET]).matter == matter


def test_the_record_is_the_object_of_the_envelope():
    assert webhook.record(body=b'{"receiver": {}, "object": {"id": 5}}') == {"id": 5}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"object": 5}', b"{}", b'{"object": {"a": ' + b"[" * 30 + b"]" * 30 + b"}}", b"\xff"]
)
def test_an_unreadable_delivery_is_refused(body):
    with pytest.raises(webhook.Refused) as caught:
        webhook.record(body=body)
    assert caught.value.reason == "unreadable"
