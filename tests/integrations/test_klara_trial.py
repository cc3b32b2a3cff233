"""The connection test of a profile: a good request passes, and each fault is named."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.klara import profile, signing, trial
from tests.integrations.test_klara_events import example

NOW = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)
SECRET = "whsec_cmVmaWxsaHViLXRlc3Qtc2VjcmV0LW51bWJlci0x"


def tried(*, raw=None, scheme=None, age=0, secret=SECRET):
    scheme = scheme or profile.builtin(name=profile.DEFAULT)
    body = json.dumps(raw or example()).encode()
    headers = signing.sign(body=body, secrets=[SECRET], profile=scheme, event_id="e", now=NOW)
    later = NOW + timedelta(seconds=age)
    return [each.code for each in trial.check(headers=headers, body=body, secrets=[secret], profile=scheme, now=later)]


@pytest.mark.parametrize("name", profile.BUILT_IN)
def test_a_real_request_passes_under_its_own_profile_and_a_sample_goes_round(name):
    scheme = profile.builtin(name=name)
    assert tried(scheme=scheme) == []
    assert trial.round_trip(secret=SECRET, profile=scheme, now=NOW) == ()


def test_each_fault_is_named():
    assert tried(secret="whsec_b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldA==") == ["no_match"]
    assert tried(age=4000) == ["signs_event_time"]
    assert tried(raw={"type": "sneeze"}) == ["unknown_type", "no_patient", "no_conversation", "no_channel"]
    moved = profile.parse(raw={"paths": {"text": "data.elsewhere"}})
    assert tried(scheme=moved) == ["no_words"]


def test_an_unusable_secret_is_named_without_being_shown():
    (finding,) = trial.round_trip(secret="too-short", profile=profile.builtin(name=profile.DEFAULT), now=NOW)
    assert finding.code == "bad_secret"
    assert "too-short" not in finding.sentence
