"""The signature check: all published and own vectors, and what a forger or a broken sender may try."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from integrations.klara import profile, signing

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures/klara/webhook_vectors.json").read_text(encoding="utf-8"))
CLOCK = datetime.fromtimestamp(VECTORS["fixed_clock_unix"], UTC)
ASSUMED = profile.builtin(name="klara-assumed-v1")
S1, S2 = VECTORS["secrets"]["s1"], VECTORS["secrets"]["s2"]
BODY = VECTORS["body_utf8"].encode()


def named(headers, scheme=ASSUMED.signature):
    return [(getattr(scheme, f"{key}_header"), value) for key, value in headers.items()]


def refusal(*, headers, body=BODY, secrets=(S1,), with_profile=ASSUMED, now=CLOCK):
    with pytest.raises(signing.Refused) as caught:
        signing.verify(headers=headers, body=body, secrets=secrets, profile=with_profile, now=now)
    return caught.value


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_every_vector_is_accepted_or_refused_with_its_reason(case):
    given_ = {
        "headers": named(case["headers"]),
        "body": VECTORS[case["body"]].encode(),
        "secrets": [VECTORS["secrets"][name] for name in case["secrets"]],
        "profile": ASSUMED,
        "now": datetime.fromtimestamp(case.get("clock", VECTORS["fixed_clock_unix"]), UTC),
    }
    if case["accept"]:
        assert signing.verify(**given_).event_id == case["headers"]["id"]
    else:
        with pytest.raises(signing.Refused) as caught:
            signing.verify(**given_)
        assert caught.value.reason == case["reason"]


@pytest.mark.parametrize("key", sorted(VECTORS["expected"]))
def test_signing_gives_the_expected_signature(key):
    name, secret, *body = key.split("/")
    headers = signing.sign(
        body=VECTORS[body[0] if body else "body_utf8"].encode(),
        secrets=[VECTORS["secrets"][secret]],
        profile=profile.builtin(name=name),
        event_id=VECTORS["id"],
        now=CLOCK,
    )
    assert headers[0][1] == VECTORS["expected"][key]


def test_the_published_standard_webhooks_and_github_vectors_verify():
    standard, github, _rfc = VECTORS["published"]
    scheme = profile.builtin(name="standard-webhooks")
    verified = signing.verify(
        headers=[
            ("webhook-id", standard["id"]),
            ("webhook-timestamp", str(standard["timestamp"])),
            ("webhook-signature", standard["signature"]),
        ],
        body=standard["body"].encode(),
        secrets=[standard["secret"]],
        profile=scheme,
        now=datetime.fromtimestamp(standard["timestamp"], UTC),
    )
    assert verified.event_id == standard["id"]
    as_github = profile.parse(raw={"profile": "body-hex-v1", "signature": {"secret_format": "utf8"}})
    assert (
        signing.verify(
            headers=[("x-klara-signature-256", github["signature"])],
            body=github["body"].encode(),
            secrets=[github["secret_utf8"]],
            profile=as_github,
            now=CLOCK,
        ).secret_index
        == 0
    )


@pytest.mark.parametrize("name", profile.BUILT_IN)
def test_every_built_in_profile_verifies_its_own_signature_and_refuses_one_changed_byte(name):
    scheme = profile.builtin(name=name)
    headers = signing.sign(body=BODY, secrets=[S2], profile=scheme, event_id="evt_1", now=CLOCK)
    verified = signing.verify(headers=headers, body=BODY, secrets=[S1, S2], profile=scheme, now=CLOCK)
    assert verified.secret_index == 1
    assert refusal(headers=headers, body=BODY + b" ", secrets=[S2], with_profile=scheme).reason == "no_match"
    assert refusal(headers=headers, secrets=[S1], with_profile=scheme).reason == "no_match"


def test_an_unsigned_header_id_is_never_handed_on():
    scheme = profile.builtin(name="body-hex-v1")
    headers = signing.sign(body=BODY, secrets=[S1], profile=scheme, event_id="", now=CLOCK)
    forged = [*headers, ("X-Klara-Webhook-Id", "evt_other")]
    assert signing.verify(headers=forged, body=BODY, secrets=[S1], profile=scheme, now=CLOCK).event_id == ""


@pytest.mark.parametrize(("seconds", "accepted"), [(299, True), (301, False), (-299, True), (-301, False)])
def test_clock_skew_is_accepted_up_to_five_minutes(seconds, accepted):
    headers = signing.sign(body=BODY, secrets=[S1], profile=ASSUMED, event_id="e", now=CLOCK)
    later = CLOCK + timedelta(seconds=seconds)
    if accepted:
        signing.verify(headers=headers, body=BODY, secrets=[S1], profile=ASSUMED, now=later)
    else:
        assert refusal(headers=headers, now=later).signature_good


def test_event_time_semantics_carry_a_retry_of_24_hours():
    scheme = profile.parse(raw={"signature": {"timestamp_semantics": "event"}})
    headers = signing.sign(body=BODY, secrets=[S1], profile=scheme, event_id="e", now=CLOCK)
    signing.verify(headers=headers, body=BODY, secrets=[S1], profile=scheme, now=CLOCK + timedelta(hours=24))
    too_late = CLOCK + timedelta(hours=24, seconds=301)
    assert refusal(headers=headers, with_profile=scheme, now=too_late).reason == "timestamp_old"


@pytest.mark.parametrize("which", ["id", "timestamp", "signature"])
def test_a_header_given_twice_is_refused_also_when_the_server_joined_the_two(which):
    headers = signing.sign(body=BODY, secrets=[S1], profile=ASSUMED, event_id="evt_1", now=CLOCK)
    name = getattr(ASSUMED.signature, f"{which}_header")
    value = dict(headers)[name]
    assert refusal(headers=[*headers, (name.lower(), value)]).reason == "duplicate_header"
    joined = [(key, f"{value},{value}" if key == name else old) for key, old in headers]
    assert refusal(headers=joined).reason in ("id_format", "timestamp_format", "no_match")


def test_more_than_eight_entries_or_a_very_long_header_are_refused():
    headers = dict(signing.sign(body=BODY, secrets=[S1], profile=ASSUMED, event_id="e", now=CLOCK))
    name = ASSUMED.signature.signature_header
    good = headers[name]
    eight = list((headers | {name: " ".join(["v1,x"] * 7 + [good])}).items())
    signing.verify(headers=eight, body=BODY, secrets=[S1], profile=ASSUMED, now=CLOCK)
    nine = list((headers | {name: " ".join(["v1,x"] * 8 + [good])}).items())
    assert refusal(headers=nine).reason == "too_many_entries"
    assert refusal(headers=list((headers | {name: "v1," + "A" * 5000}).items())).reason == "header_too_long"


@pytest.mark.parametrize("secret", ["whsec_QUJD", "whsec_@@@", "plain-text-secret-of-many-bytes", ""])
def test_an_unusable_secret_alone_means_no_secret(secret):
    headers = signing.sign(body=BODY, secrets=[S1], profile=ASSUMED, event_id="e", now=CLOCK)
    assert refusal(headers=headers, secrets=[secret]).reason == "no_secret"


def test_method_and_path_can_be_part_of_the_signed_string():
    scheme = profile.parse(raw={"signature": {"canonical": "{method}\n{path}\n{id}.{timestamp}.{body}"}})
    given_ = {"body": BODY, "secrets": [S1], "profile": scheme, "now": CLOCK}
    headers = signing.sign(event_id="e", method="POST", path="/hook/{id}/", **given_)
    signing.verify(headers=headers, method="POST", path="/hook/{id}/", **given_)
    with pytest.raises(signing.Refused):
        signing.verify(headers=headers, method="POST", path="/other/", **given_)


@hypothesis_settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.text(max_size=200),
    st.binary(max_size=80),
    st.sampled_from(profile.BUILT_IN),
)
def test_whatever_is_sent_is_refused_and_never_breaks(event_id, stamp, signature, body, name):
    scheme = profile.builtin(name=name)
    parts = scheme.signature
    headers = [(parts.id_header, event_id), (parts.timestamp_header, stamp), (parts.signature_header, signature)]
    with pytest.raises(signing.Refused):
        signing.verify(headers=headers, body=body, secrets=[S1, S2], profile=scheme, now=CLOCK)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"profile": "unheard-of"}, "profile"),
        ({"signature": {"canonical": "{id}.{timestamp}"}}, "signature.canonical"),
        ({"signature": {"canonical": "{body}{body}"}}, "signature.canonical"),
        ({"signature": {"canonical": "{body}.{secret}"}}, "signature.canonical"),
        ({"signature": {"canonical": "{body.__class__}"}}, "signature.canonical"),
        ({"signature": {"canonical": "{body!r}"}}, "signature.canonical"),
        ({"signature": {"algorithm": "none"}}, "signature.algorithm"),
        ({"signature": {"algorithm": "hmac-md5"}}, "signature.algorithm"),
        ({"signature": {"tolerance_s": 86400}}, "signature.tolerance_s"),
        ({"signature": {"timestamp_semantics": "absent"}}, "signature.timestamp_semantics"),
        ({"signature": {"canonical": "{id}.{body}"}}, "signature.timestamp_semantics"),
        ({"signature": {"headers": {"id": ""}}}, "signature.headers.id"),
        ({"signature": {"headers": {"signature": "Bad Header\r\n"}}}, "signature.headers.signature"),
        ({"signature": {"unknown": 1}}, "signature.unknown"),
        ({"profile": "body-hex-v1", "idempotency": {"event_id": ["header:id"]}}, "idempotency.event_id"),
        ({"paths": {"text": "data.__class__()"}}, "paths"),
        ({"paths": {"text": "a.b.c.d.e.f.g.h.i"}}, "paths"),
        ({"paths": {"text": ""}}, "paths.text"),
        ({"auth": {"token_url": "https://evil.test/token"}}, "auth.token_url"),
        ({"auth": {"token_url": "//evil.test/token"}}, "auth.token_url"),
        ({"limits": {"calls_per_s": 0}}, "limits.calls_per_s"),
    ],
)
def test_a_profile_that_could_weaken_the_check_is_refused_by_name(raw, field):
    with pytest.raises(profile.InvalidProfile) as caught:
        profile.parse(raw=raw)
    assert caught.value.field == field
