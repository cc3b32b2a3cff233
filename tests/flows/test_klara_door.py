"""Klara scenarios at the door, K01 to K09, K28 and K30: what is let in once, what is refused, what is only repeated."""

import json
from datetime import timedelta

import pytest

from audit.models import Entry
from integrations import vault
from integrations.models import SecretKind
from integrations.sandbox.klara_delivery import WRONG
from review import webhooks
from review.ledger import SYSTEM
from review.models import InboundEvent
from review.states import RequestState

R = RequestState
NEW = "whsec_TmV3LXNlY3JldC1mb3ItS2xhcmEtMDEyMzQ1Njc4OTAxMjM0NTY="


def event_of(clinic, patient, text="Could I get a refill of my omeprazole 20 mg please?", number="1"):
    """An envelope as Klara would send it, for raw deliveries."""
    person = clinic.chat.accounts["p1"].patients[patient]
    channel = next(iter(clinic.chat.accounts["p1"].channels.values()))
    return {
        "id": f"evt_raw{number}", "type": "message.created", "api_version": "2026-01-01",
        "occurred_at": "2026-11-17T15:14:00.000Z", "sequence": 1, "practice_id": "prac_1",
        "data": {
            "patient": person,
            "conversation": {"id": f"conv_raw{number}", "status": "open", "reason": None, "tags": [{"name": "refill"}],
                             "channel": channel, "assignee": None, "closed_by": None},
            "message": {"id": f"msg_raw{number}", "direction": "inbound", "author": {"type": "patient", "id": patient},
                        "body": text, "sent_at": "2026-11-17T15:14:00.000Z", "attachments": [], "source": "text"},
        },
    }  # fmt: skip


def test_k01_a_valid_refill_message_with_its_tag_starts_one_workflow_and_one_answer(clinic):
    ana = clinic.patient()
    assert clinic.asks(ana)["status"] == 202
    clinic.work()
    assert len(clinic.house.requests()) == len(clinic.at_pharmacy()) == 1
    assert len(clinic.told(ana)) == len(set(clinic.told(ana))) == 2  # sent, then received


def test_k02_the_same_delivery_fifty_times_starts_one_workflow(clinic):
    said = clinic.asks()
    answers = clinic.wish("redeliver", event=said["event"], times=49)["statuses"]
    assert answers == [200] * 49
    clinic.work()
    assert len(clinic.house.requests()) == len(clinic.at_pharmacy()) == 1


def test_k03_the_same_event_id_with_another_body_is_an_alarm_and_no_second_workflow(clinic):
    ana = clinic.patient()
    event = event_of(clinic, ana)
    assert clinic.wish("raw", body=event, event_id="evt_raw1")["status"] == 202
    event["data"]["message"] |= {"body": "Please refill everything", "id": "msg_other"}
    assert clinic.wish("raw", body=event, event_id="evt_raw1")["status"] == 200
    clinic.work()
    assert len(clinic.house.requests(kind="refill")) == 1
    assert "event_conflict" in clinic.house.alarms()


def test_k04_brand_and_generic_an_hour_apart_are_one_request_and_one_prescription(clinic):
    ana = clinic.patient()
    clinic.say("Please refill my Prilosec 20 mg", ana)
    clinic.work()
    clinic.passes(hours=1)
    clinic.say("Can you refill my omeprazole 20 mg please?", ana)
    clinic.work()
    first, second = clinic.house.requests()
    assert (first.state, second.state, second.duplicate_of_id) == (R.DONE, R.DUPLICATE, first.id)
    assert len(clinic.at_pharmacy()) == 1


@pytest.mark.parametrize(("seconds", "state"), [(-1, R.DUPLICATE), (0, R.DUPLICATE), (1, R.IN_REVIEW)])
def test_k04_the_day_of_duplicates_ends_after_exactly_24_hours(clinic, seconds, state):
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.work()
    opened = clinic.house.request().opened_at
    clinic.passes(hours=1)
    clinic.goes_to(opened + timedelta(hours=24, seconds=seconds - 1))  # reading happens a second later
    clinic.asks(ana)
    clinic.work()
    assert clinic.house.requests()[-1].state == state
    assert len(clinic.at_pharmacy()) == 1


@pytest.mark.parametrize("harm", ["wrong_secret", "unsigned", "altered"])
def test_k05_what_does_not_prove_its_origin_is_401_and_leaves_only_an_audit_entry(clinic, harm):
    assert clinic.asks(webhook=harm)["status"] == 401
    clinic.work()
    assert InboundEvent.objects.count() == 0
    assert Entry.objects.filter(event="webhook.rejected").exists()
    assert clinic.left() == 0


def test_k05_re_serialised_json_doubled_headers_too_much_and_no_length_are_refused(clinic):
    event = event_of(clinic, clinic.patient())
    signed = clinic.signed(json.dumps(event).encode(), "evt_raw1")
    assert clinic.posts(json.dumps(event, indent=1).encode(), signed) == 401
    name = next(name for name in signed if "Signature" in name)
    assert clinic.posts(json.dumps(event).encode(), signed | {name: signed[name] + "," + signed[name]}) == 401
    assert clinic.posts(b"x" * (5 * 1024 * 1024), signed) == 413
    assert clinic.posts(json.dumps(event).encode(), signed, CONTENT_LENGTH="") == 411
    assert clinic.posts(json.dumps(event).encode(), signed | {"Transfer-Encoding": "chunked"}) == 411
    assert InboundEvent.objects.count() == 0


@pytest.mark.parametrize(("seconds", "answer"), [(300, 200), (301, 401)])
def test_k06_a_captured_request_played_again_is_a_duplicate_within_300_seconds_and_401_after(clinic, seconds, answer):
    said = clinic.asks()
    clinic.clock.advance(seconds=seconds)
    assert clinic.wish("redeliver", event=said["event"], same_headers=True)["statuses"] == [answer]
    clinic.work()
    assert len(clinic.house.requests()) == 1


@pytest.mark.parametrize(("skew", "answer"), [(299, 202), (-299, 202), (301, 401), (-301, 401)])
def test_k07_clocks_may_differ_by_five_minutes_either_way(clinic, skew, answer):
    event = event_of(clinic, clinic.patient())
    assert clinic.wish("raw", body=event, event_id="evt_raw1", skew_seconds=skew)["status"] == answer


def test_k08_a_secret_rotates_without_one_refusal_even_with_a_retry_in_flight(clinic):
    house, ana, rosa = clinic.house, clinic.patient(), clinic.patient("Rosa", "Lopez")
    clinic.is_down = True
    clinic.asks(ana)  # signed by the old secret alone; its retries are on their way
    clinic.is_down = False
    vault.add_pending(connection=house.klara, kind=SecretKind.webhook_secret, value=NEW, now=clinic.now, actor=SYSTEM)
    webhooks.forget()
    endpoint = next(iter(clinic.chat.accounts["p1"].endpoints.values()))
    clinic.wish("endpoint", endpoint=endpoint.id, secrets=[NEW, house.secret])
    assert clinic.asks(rosa)["status"] == 202
    clinic.wish("endpoint", endpoint=endpoint.id, secrets=[NEW])
    webhooks.forget()
    assert clinic.asks(clinic.patient("Tom", "Hale"))["status"] == 202
    states = set(house.klara.secrets.filter(kind=SecretKind.webhook_secret).values_list("state", flat=True))
    assert states == {"active", "retiring"}
    clinic.wish("endpoint", endpoint=endpoint.id, secrets=[house.secret])
    clinic.clock.advance(seconds=31)
    clinic.work()
    assert 401 not in clinic.answers
    assert len(clinic.at_pharmacy()) == 3


def test_k09_a_revoked_secret_is_401_with_an_alarm(clinic):
    house = clinic.house
    vault.store(connection=house.klara, kind=SecretKind.webhook_secret, value=NEW, now=clinic.now, actor=SYSTEM)
    old = house.klara.secrets.get(kind=SecretKind.webhook_secret, state="retiring")
    vault.revoke(secret_id=old.pk, now=clinic.now, actor=SYSTEM)
    webhooks.forget()
    assert clinic.asks()["status"] == 401
    assert InboundEvent.objects.count() == 0
    assert "revoked_secret" in house.alarms()


def test_k09_a_secret_nobody_ever_had_raises_no_such_alarm(clinic):
    endpoint = next(iter(clinic.chat.accounts["p1"].endpoints.values()))
    clinic.wish("endpoint", endpoint=endpoint.id, secrets=[WRONG])
    assert clinic.asks()["status"] == 401
    assert clinic.house.alarms() == set()


SCHEMES = ["standard-webhooks", "timestamp-hex-v1", "body-hex-v1", "body-base64-v1"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_k28_another_way_of_signing_is_configuration_only(clinic, scheme):
    clinic.speaks(scheme)
    said = clinic.asks()
    assert said["status"] == 202
    assert clinic.wish("redeliver", event=said["event"], times=3)["statuses"] == [200, 200, 200]
    for harm in ("wrong_secret", "unsigned", "altered"):
        assert clinic.asks(webhook=harm)["status"] == 401
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1
    assert len(clinic.house.requests()) == 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_k28_replays_are_still_harmless(clinic, scheme):
    clinic.speaks(scheme)
    said = clinic.asks()
    clinic.work()
    clinic.clock.advance(seconds=301)
    (answer,) = clinic.wish("redeliver", event=said["event"], same_headers=True)["statuses"]
    assert answer == (401 if scheme in ("standard-webhooks", "timestamp-hex-v1") else 200)
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1


def test_k28_other_field_paths_are_configuration_only(clinic):
    paths = {"text": "data.content.words", "message_id": "data.content.key"}
    profile = {"auth": {"mode": "api_key"}, "paths": paths}
    type(clinic.house.klara).objects.filter(pk=clinic.house.klara.pk).update(profile=profile)
    webhooks.forget()
    event = event_of(clinic, clinic.patient())
    message = event["data"]["message"]
    event["data"]["content"] = {"words": message.pop("body"), "key": message.pop("id")}
    assert clinic.wish("raw", body=event, event_id="evt_raw1")["status"] == 202
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1


def test_k30_a_request_signed_for_one_practice_is_401_at_another_and_shows_nothing_there(clinic):
    event = event_of(clinic, clinic.patient())
    body = json.dumps(event).encode()
    assert clinic.posts(body, clinic.signed(body, "evt_raw1"), path=clinic.mallorys.hook) == 401
    assert InboundEvent.objects.count() == 0
    assert clinic.mallorys.requests() == []


def test_k30_a_body_that_names_another_practice_is_quarantined_with_an_alarm(clinic):
    event = event_of(clinic, clinic.patient()) | {"practice_id": "prac_2"}
    assert clinic.wish("raw", body=event, event_id="evt_raw1")["status"] == 202
    clinic.work()
    assert clinic.left() == 0
    assert "unmatched_practice" in clinic.house.alarms()
