"""The way in for Klara: every check of the contract's section 4 in its order, over HTTP, with real signatures."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError

from audit.models import Entry
from integrations import vault
from integrations.klara import profile, signing
from integrations.models import Connection, SecretKind
from refillhub.practices import clock
from review import webhooks
from review.ledger import SYSTEM
from review.models import Alarm, InboundEvent, Progress
from review.workflow import inbox
from tests.review import rows

pytestmark = pytest.mark.django_db
SECRET = "whsec_cmVmaWxsaHViLXRlc3Qtc2VjcmV0LW51bWJlci0x"
OTHER = "whsec_cmVmaWxsaHViLXRlc3Qtc2VjcmV0LW51bWJlci0y"
PROFILE = profile.builtin(name=profile.DEFAULT)


@pytest.fixture
def connection():
    webhooks.forget()
    practice = rows.make_practice(quiet_seconds=90)
    connection = Connection.objects.create(
        practice=practice, vendor="klara", stage="dev", status="active", account="prac_77"
    )
    vault.store(connection=connection, kind=SecretKind.webhook_secret, value=SECRET, now=clock.now(), actor=SYSTEM)
    return connection


def body_of(text="Hi, can I get my omeprazole refilled?", *, event_id="evt_1", message_id="msg_1", **values):
    event = {
        "id": event_id,
        "type": "message.created",
        "occurred_at": "2026-11-17T15:14:00Z",
        "sequence": 1,
        "practice_id": "prac_77",
        "data": {
            "patient": {"id": "pat_3001", "first_name": "Ana", "last_name": "Reyes", "identity_verified": True},
            "conversation": {"id": "conv_1", "status": "open", "tags": [{"name": "refill"}]},
            "message": {
                "id": message_id,
                "direction": "inbound",
                "author": {"type": "patient"},
                "body": text,
                "sent_at": "2026-11-17T15:14:00Z",
                "source": "text",
            },
        },
    } | values
    return json.dumps(event).encode()


def post(client, connection, body, *, event_id="evt_1", secret=SECRET, now=None, signed=None, **extra):
    pairs = signing.sign(
        body=signed or body, secrets=[secret], profile=PROFILE, event_id=event_id, now=now or clock.now()
    )
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in pairs}
    return client.post(
        f"/webhooks/klara/{connection.endpoint_token}/", body, content_type="application/json", **(headers | extra)
    )


def test_a_signed_message_is_stored_sealed_before_the_202(client, connection):
    answer = post(client, connection, body_of())
    assert answer.status_code == 202
    event = InboundEvent.objects.get()
    assert (event.progress, event.message_id, event.sender_id) == (Progress.RECEIVED, "msg_1", "pat_3001")
    assert b"omeprazole" not in bytes(event.body_sealed)
    assert b"omeprazole" in inbox.body_of(event)
    assert Entry.objects.filter(event="webhook.accepted").count() == 1


def test_the_same_delivery_again_is_a_duplicate_and_starts_nothing(client, connection):
    assert [post(client, connection, body_of()).status_code for _ in range(3)] == [202, 200, 200]
    assert InboundEvent.objects.count() == 1


def test_the_same_message_under_another_event_id_is_a_duplicate(client, connection):
    post(client, connection, body_of())
    answer = post(client, connection, body_of(event_id="evt_2"), event_id="evt_2")
    assert answer.status_code == 200
    assert InboundEvent.objects.count() == 1


def test_the_same_event_id_with_another_body_is_a_conflict_with_an_alarm(client, connection):
    post(client, connection, body_of())
    assert post(client, connection, body_of("something else")).status_code == 200
    assert Alarm.objects.get().kind == "event_conflict"
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize("change", ["unsigned", "wrong_secret", "one_byte", "reserialised", "old", "future"])
def test_what_does_not_prove_its_origin_is_401_and_leaves_only_an_audit_entry(client, connection, change):
    body, extra = body_of(), {}
    if change == "unsigned":
        answer = client.post(f"/webhooks/klara/{connection.endpoint_token}/", body, content_type="application/json")
    elif change == "wrong_secret":
        answer = post(client, connection, body, secret=OTHER)
    elif change == "one_byte":
        answer = post(client, connection, body.replace(b"Hi,", b"Ho,"), signed=body)
    elif change == "reserialised":
        answer = post(client, connection, json.dumps(json.loads(body), indent=1).encode(), signed=body)
    else:
        shift = timedelta(seconds=-301 if change == "old" else 302)
        answer = post(client, connection, body, now=clock.now() + shift, **extra)
    assert answer.status_code == 401
    assert answer.json() == {"status": "unauthorized"}
    assert InboundEvent.objects.count() == 0
    assert Entry.objects.filter(event="webhook.rejected").count() == 1


def test_method_length_size_type_and_unknown_endpoint(client, connection):
    path = f"/webhooks/klara/{connection.endpoint_token}/"
    assert client.get(path).status_code == 405
    assert client.post(path, b"{}", content_type="text/plain").status_code == 415
    assert client.post(path, b"x" * (256 * 1024 + 1), content_type="application/json").status_code == 413
    assert client.generic("POST", path, b"", content_type="application/json", CONTENT_LENGTH="").status_code == 411
    other = "00000000-0000-4000-8000-000000000000"
    assert client.post(f"/webhooks/klara/{other}/", b"{}", content_type="application/json").status_code == 404
    assert post(client, connection, body_of()).status_code == 202


def test_the_address_without_its_slash_is_not_a_redirect(client, connection):
    pairs = signing.sign(body=body_of(), secrets=[SECRET], profile=PROFILE, event_id="evt_1", now=clock.now())
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in pairs}
    path = f"/webhooks/klara/{connection.endpoint_token}"
    assert client.post(path, body_of(), content_type="application/json", **headers).status_code == 202


@pytest.mark.parametrize("body", [b"not json", b'{"a": NaN}', b"[" * 40 + b"]" * 40, b"[1]"])
def test_signed_but_unreadable_is_kept_for_a_person_and_not_asked_for_again(client, connection, body):
    assert post(client, connection, body).status_code == 202
    assert InboundEvent.objects.get().progress == Progress.QUARANTINED
    assert Alarm.objects.get().kind == "event_quarantined"


def test_another_practice_inside_the_body_is_quarantined(client, connection):
    assert post(client, connection, body_of(practice_id="prac_99")).status_code == 202
    assert InboundEvent.objects.get().progress == Progress.QUARANTINED
    assert Alarm.objects.filter(kind="unmatched_practice").exists()


def test_a_request_signed_for_another_practice_is_401_there(client, connection):
    other = rows.make_practice()
    theirs = Connection.objects.create(practice=other, vendor="klara", stage="dev", status="active")
    vault.store(connection=theirs, kind=SecretKind.webhook_secret, value=OTHER, now=clock.now(), actor=SYSTEM)
    assert post(client, theirs, body_of(), secret=SECRET).status_code == 401
    assert InboundEvent.objects.count() == 0


def test_no_patient_data_is_taken_in_before_the_agreement_is_recorded(client, connection):
    type(connection.practice).objects.update(baa_signed_on=None)
    webhooks.forget()
    assert post(client, connection, body_of()).status_code == 503
    assert InboundEvent.objects.count() == 0


def test_a_database_that_does_not_answer_is_503_never_a_false_202(client, connection, monkeypatch):
    def broken(**_):
        raise OperationalError("gone")

    monkeypatch.setattr(inbox, "store_many", broken)
    answer = post(client, connection, body_of())
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")


def test_our_own_reply_echoed_back_starts_nothing(client, connection):
    event = json.loads(body_of())
    event["data"]["message"] |= {"direction": "outbound", "author": {"type": "integration"}}
    assert post(client, connection, json.dumps(event).encode()).status_code == 202
    assert InboundEvent.objects.get().progress == Progress.IGNORED


def test_a_new_message_starts_the_quiet_window_of_its_conversation_afresh(client, connection):
    post(client, connection, body_of("hi"))
    first = InboundEvent.objects.get()
    post(client, connection, body_of("need my omeprazole", event_id="evt_2", message_id="msg_2"), event_id="evt_2")
    first.refresh_from_db()
    second = InboundEvent.objects.get(message_id="msg_2")
    assert first.due_at == second.due_at


def test_a_revoked_secret_is_refused_at_once_whatever_a_process_remembers(client, connection):
    assert post(client, connection, body_of()).status_code == 202
    vault.revoke(secret_id=connection.secrets.get().pk, now=clock.now(), actor=SYSTEM)
    again = post(client, connection, body_of(event_id="evt_2", message_id="msg_2"), event_id="evt_2")
    assert again.status_code == 401
    assert InboundEvent.objects.count() == 1
    assert Alarm.objects.get().kind == "revoked_secret"
