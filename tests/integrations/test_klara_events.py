"""Klara's events: typed values from any body, unknown stays unknown, and only a patient's words start work."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from integrations.klara import events, profile
from integrations.klara.types import Author, Direction, EventKind, Origin, Source

ASSUMED = profile.builtin(name="klara-assumed-v1")


def example(**changes):
    raw = {
        "id": "evt_01", "type": "message.created", "occurred_at": "2026-01-01T00:00:00.125Z", "sequence": 4711,
        "practice_id": "prac_77",
        "data": {
            "patient": {"id": "pat_3001", "first_name": "Ana", "last_name": "Reyes", "date_of_birth": "1961-04-19",
                        "phone": "+15555550123", "identity_verified": True,
                        "external_ids": [{"system": "drchrono", "value": "98123"}]},
            "conversation": {"id": "conv_8801", "status": "open", "reason": "Prescriptions / Refills",
                             "tags": [{"name": "refill"}],
                             "channel": {"id": "chan_main", "type": "sms", "phone_number": "+15555550100",
                                         "location_id": "loc_1"}, "assignee": None, "closed_by": None},
            "message": {"id": "msg_5501", "direction": "inbound", "author": {"type": "patient", "id": "pat_3001"},
                        "body": "Hi, can I get my lisinopril 10 refilled?", "sent_at": "2026-01-01T00:00:00Z",
                        "attachments": [], "source": "text"},
        },
    }  # fmt: skip
    return raw | changes


def parsed(raw, scheme=ASSUMED, header="evt_header"):
    return events.parse(body=json.dumps(raw).encode(), profile=scheme, header_event_id=header)


def test_the_contracts_example_is_read_whole():
    event = parsed(example())
    assert (event.id, event.kind, event.origin) == ("evt_header", EventKind.message_in, Origin.webhook)
    assert event.occurred_at == datetime(2026, 1, 1, 0, 0, 0, 125000, UTC)
    assert event.patient.drchrono_id == "98123"
    assert event.patient.date_of_birth == date(1961, 4, 19)
    assert event.patient.is_verified
    assert event.conversation.topics == {"refill"}
    assert (event.channel.id, event.channel.location_id) == ("chan_main", "loc_1")
    assert (event.message.direction, event.message.author) == (Direction.inbound, Author.patient)
    assert event.message.source is Source.text
    assert event.starts_work


@pytest.mark.parametrize("author", ["staff", "macro", "integration", "system", "stranger", ""])
def test_our_own_and_unknown_authors_start_nothing(author):
    raw = example()
    raw["data"]["message"]["author"]["type"] = author
    assert not parsed(raw).starts_work


def test_our_own_confirmation_echoed_as_an_event_starts_nothing():
    raw = example()
    raw["data"]["message"] |= {"direction": "outbound", "body": "Your refill was sent"}
    assert not parsed(raw).starts_work


def test_two_chart_links_leave_the_choice_to_a_person():
    raw = example()
    raw["data"]["patient"]["external_ids"] *= 2
    assert parsed(raw).patient.drchrono_id == "98123"
    raw["data"]["patient"]["external_ids"].append({"system": "drchrono", "value": "5"})
    assert parsed(raw).patient.drchrono_id == ""


@pytest.mark.parametrize("value", ["true", 1, None, "yes"])
def test_only_an_explicit_true_means_verified(value):
    raw = example()
    raw["data"]["patient"]["identity_verified"] = value
    assert not parsed(raw).patient.is_verified


def test_missing_and_oddly_typed_fields_are_unknown_and_extra_ones_ignored():
    data = {"conversation": {"id": 7, "tags": None}, "message": {"id": "m"}, "x": [1]}
    raw = {"type": "message.created", "data": data}
    event = parsed(raw)
    assert event.patient is None
    assert (event.conversation.id, event.conversation.tags) == ("7", ())
    assert (event.message.direction, event.message.sent_at) == (Direction.unknown, None)
    assert not event.starts_work


def test_a_timestamp_without_a_zone_is_unknown():
    raw = example(occurred_at="2026-01-01T00:00:00")
    assert parsed(raw).occurred_at is None


def test_unknown_types_are_ignored_and_a_macro_is_named():
    assert parsed(example(type="conversation.sneezed")).kind is EventKind.ignored
    raw = example(type="conversation.closed")
    raw["data"]["conversation"] |= {"status": "closed", "closed_by": {"type": "macro", "id": "mac_12", "name": "Auto"}}
    event = parsed(raw)
    assert event.kind is EventKind.closed
    assert (event.conversation.closed_by.type, event.conversation.closed_by.name) == ("macro", "Auto")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"type": NaN}', "not_json"),
        (b"[1]", "not_an_object"),
        (b'{"type":"x","a":' + b"[" * 21 + b"]" * 21 + b"}", "too_deep"),
        (b'{"a":' * 30_000 + b"1" + b"}" * 30_000, "not_json"),
        (b'{"data":{}}', "no_type"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_code(body, reason):
    with pytest.raises(events.Unreadable) as caught:
        events.parse(body=body, profile=ASSUMED, header_event_id="e")
    assert caught.value.reason == reason


def test_without_a_signed_header_id_the_body_gives_it_and_without_both_it_is_refused():
    body_only = profile.builtin(name="body-hex-v1")
    assert parsed(example(), body_only, header="").id == "evt_01"
    with pytest.raises(events.Unreadable):
        parsed(example(id=None), body_only, header="")


def test_other_field_paths_by_configuration_only():
    scheme = profile.parse(
        raw={
            "paths": {
                "type": "kind",
                "message_id": "m.no",
                "text": "m.words",
                "direction": "m.way",
                "author_type": "m.by",
                "conversation_id": "c",
                "patient_id": "p.ref",
                "tags": "labels[].t.n",
            },
            "event_map": {"neu": "message_in"},
            "value_map": {"direction.inbound": ["in"], "author.patient": ["pt"]},
        }
    )
    event = parsed(
        {
            "kind": "neu",
            "m": {"no": 5, "words": "hi", "way": "IN", "by": "pt"},
            "c": "c1",
            "p": {"ref": "p1"},
            "labels": [{"t": {"n": "Refill"}}],
        },
        scheme,
    )
    assert event.starts_work
    assert (event.message.id, event.message.text, event.conversation.topics) == ("5", "hi", {"refill"})


@pytest.mark.parametrize("text", ["💊 refill", "\u202eabc", "x" * 10_000, "a\x00b", "é", ""])
def test_words_come_through_intact(text):
    raw = example()
    raw["data"]["message"]["body"] = text
    assert parsed(raw).message.text == text


def test_the_poll_builds_the_same_event():
    raw = example()["data"]
    event = events.from_poll(
        conversation=raw["conversation"], patient=raw["patient"], message=raw["message"], profile=ASSUMED
    )
    pushed = parsed(example())
    assert (event.origin, event.id) == (Origin.poll, "poll-msg_5501")
    assert (event.message, event.patient, event.conversation) == (pushed.message, pushed.patient, pushed.conversation)
    assert event.starts_work


def test_patients_words_and_identity_stay_out_of_reprs():
    shown = repr(parsed(example()))
    for secret in ("lisinopril", "Reyes", "1961", "0123"):
        assert secret not in shown


@hypothesis_settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "data",
                        "type",
                        "message",
                        "conversation",
                        "patient",
                        "tags",
                        "name",
                        "body",
                        "author",
                        "channel",
                        "external_ids",
                        "attachments",
                        "sent_at",
                        "closed_by",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=40,
    )
)
def test_any_json_is_read_or_refused_and_never_breaks(raw):
    try:
        event = events.parse(body=json.dumps(raw).encode(), profile=ASSUMED, header_event_id="e")
    except events.Unreadable:
        return
    assert event.id == "e"
