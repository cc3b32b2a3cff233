"""What our own look found is stored so that it reads like the webhook that never came, point for point."""

import dataclasses
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from integrations.klara import events, types
from integrations.klara import profile as profiles
from review import poll_bodies

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
IDS = st.from_regex(r"[a-z]{3}_[0-9]{1,6}", fullmatch=True)
MOMENT = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)

PATIENTS = st.builds(
    types.KlaraPatient,
    id=IDS,
    first_name=TEXT.map(str.strip),
    last_name=TEXT.map(str.strip),
    date_of_birth=st.dates(min_value=date(1920, 1, 1), max_value=date(2026, 1, 1)),
    phone=st.from_regex(r"\+1615[0-9]{7}", fullmatch=True),
    is_verified=st.booleans(),
    external_ids=st.just((types.ExternalId(system="drchrono", value="70112345"),)),
    merged_into=st.just(""),
)
MESSAGES = st.builds(
    types.KlaraMessage,
    id=IDS,
    direction=st.just(types.Direction.inbound),
    author=st.sampled_from([types.Author.patient, types.Author.proxy]),
    text=TEXT,
    sent_at=MOMENT,
    source=st.sampled_from([types.Source.text, types.Source.form, types.Source.voicemail_transcript]),
    attachment_count=st.integers(0, 3),
)


@given(
    patient=PATIENTS,
    message=MESSAGES,
    event_id=IDS,
    occurred=MOMENT,
    sequence=st.integers(1, 10**9),
    topics=st.frozensets(st.sampled_from(["refill", "pharmacy_change"])),
)
def test_a_found_message_reads_like_its_webhook(patient, message, event_id, occurred, sequence, topics):
    event = types.KlaraEvent(
        id=event_id,
        type="message.created",
        kind=types.EventKind.message_in,
        origin=types.Origin.poll,
        occurred_at=occurred,
        sequence=sequence,
        practice_id="",
        patient=patient,
        conversation=types.ConversationRef(
            id="conv_1", status="open", reason="", tags=(), topics=topics, closed_by=None
        ),
        channel=types.ChannelRef(id="ch_1", type="sms", phone="+16152218800", location_id="loc_1"),
        message=message,
    )
    read = events.parse(body=poll_bodies.body_of(event), profile=profiles.builtin(name=profiles.DEFAULT))
    assert dataclasses.replace(read.message, text=message.text) == message
    assert read.message.text.strip() == message.text.strip()
    assert (read.id, read.occurred_at, read.sequence, read.channel) == (
        event.id,
        event.occurred_at,
        event.sequence,
        event.channel,
    )
    assert read.patient == patient
    assert (read.conversation.id, read.conversation.topics) == ("conv_1", topics)
    assert read.starts_work
