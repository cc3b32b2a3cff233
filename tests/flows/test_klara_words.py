"""Klara scenarios of words and people, K15 to K18 and K22 to K27, K29: what is read, who wrote it, and at what hour."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from refillhub.practices.models import Location
from review.models import EventLink, InboundEvent, Kind, Progress
from review.states import RequestState

R = RequestState
EAST = ZoneInfo("America/New_York")


def is_a_persons(clinic):
    """The only item waits for a person and nothing went to a pharmacy."""
    assert clinic.at_pharmacy() == []
    states = {row.state for row in clinic.house.requests()}
    assert states == {R.IN_REVIEW}, [(row.kind, row.state, row.reasons) for row in clinic.house.requests()]
    assert clinic.count_is_right()


def test_k15_a_refill_and_a_lab_question_in_one_message_are_a_persons(clinic):
    clinic.say("Please refill my omeprazole 20 mg. Also, are my lab results back?", clinic.patient())
    clinic.work()
    is_a_persons(clinic)


def test_k15_a_refill_and_a_lab_question_in_two_messages_are_a_persons(clinic):
    clinic.house.change(quiet_seconds=90)
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.clock.advance(seconds=20)
    clinic.say("also are my labs back?", ana)
    clinic.passes(seconds=120)
    is_a_persons(clinic)


@pytest.mark.parametrize(
    "text",
    [
        "I want to stop taking my omeprazole",
        "Please refill my omeprazole 20 mg, but it gives me a rash",
        "Please refill my omeprazole 20 mg. It makes me so dizzy that I fell",
        "The omeprazole makes me throw up, should I keep taking it?",
    ],
)
def test_k16_a_refill_tag_on_words_of_stopping_or_side_effects_is_a_persons(clinic, text):
    clinic.say(text, clinic.patient())
    clinic.work()
    is_a_persons(clinic)


def test_k17_a_clear_request_without_its_tag_waits_for_a_person(clinic):
    clinic.asks(tag="")
    clinic.work()
    is_a_persons(clinic)
    assert clinic.house.request().kind == Kind.REFILL


def test_k18_an_ambiguous_pharmacy_changes_nothing_until_a_person_picks(clinic):
    ana = clinic.patient()
    clinic.say("Please change my pharmacy to CVS", ana, tag="pharmacy change")
    clinic.work()
    clinic.passes(hours=1)
    is_a_persons(clinic)
    assert clinic.written("patient.changed") == []
    assert clinic.told(ana) == []


def test_k18_a_pharmacy_named_exactly_is_changed_read_back_and_told(clinic):
    ana = clinic.patient()
    clinic.say("Please change my pharmacy to Birch Lane Pharmacy", ana, tag="pharmacy change")
    clinic.work()
    clinic.passes(minutes=2)
    request = clinic.house.request()
    assert (request.kind, request.state) == (Kind.PHARMACY_CHANGE, R.DONE)
    assert clinic.chart_of(ana)["default_pharmacy"] == "3699001"
    assert len(clinic.told(ana)) == 1


@pytest.mark.parametrize("answer", ["ignore", "refuse"])
def test_a_pharmacy_change_the_chart_does_not_take_becomes_a_task_and_is_not_confirmed(clinic, answer):
    ana = clinic.patient()
    clinic.call(clinic.chart, "settings", {"pharmacy_write": answer})
    clinic.say("Please change my pharmacy to Birch Lane Pharmacy", ana, tag="pharmacy change")
    clinic.work()
    clinic.passes(minutes=2)
    assert clinic.house.request().state == R.IN_REVIEW
    assert len(clinic.written("task.created")) == 1
    assert clinic.told(ana) == []


HOURS = [
    ("2026-11-17 18:59:59", R.DONE), ("2026-11-17 19:00:00", R.HELD), ("2026-11-18 06:59:59", R.HELD),
    ("2026-11-18 07:00:00", R.DONE), ("2026-11-21 10:00:00", R.HELD),  # a Saturday
]  # fmt: skip


@pytest.mark.parametrize(("local", "state"), HOURS)
def test_k22_the_practices_local_hour_decides_between_going_and_holding(clinic, local, state):
    ana = clinic.patient()
    clinic.arrives_at(datetime.fromisoformat(local).replace(tzinfo=EAST))
    clinic.asks(ana)
    clinic.reads_at_once()
    assert clinic.house.request().state in ({R.HELD} if state == R.HELD else {R.APPROVED, R.SENT, R.DONE})


@pytest.mark.parametrize(
    ("zone", "local", "is_held"),
    [("America/Los_Angeles", "2026-11-17 16:30", False), ("America/New_York", "2026-11-17 19:30", True)],
)
def test_k22_two_channels_in_two_time_zones_are_decided_each_by_its_own(clinic, zone, local, is_held):
    west = Location.objects.create(
        practice=clinic.house.practice, name="West", time_zone="America/Los_Angeles", drchrono_office_id="999",
        address_line_1="1 Bay St", city="Oakland", state="CA", zip="94601", phone="5105550100",
    )  # fmt: skip
    web = clinic.house.practice.channels.get(external_id="chan_1_web")
    web.location = west
    web.save()
    ana = clinic.patient()
    clinic.arrives_at(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)))
    clinic.asks(ana, channel="chan_1_sms" if is_held else "chan_1_web")
    clinic.reads_at_once()
    assert (clinic.house.request().state == R.HELD) is is_held


@pytest.mark.parametrize(
    ("moment", "is_held"),
    [
        # 1 November 2026: the clocks go back at 2 am; seven in the morning is 12:00 UTC from then on
        ("2026-11-02T11:59:59", True), ("2026-11-02T12:00:00", False),
        # 8 March 2026: the clocks go forward; seven in the morning is 11:00 UTC from then on
        ("2027-03-15T10:59:59", True), ("2027-03-15T11:00:00", False),
        ("2027-03-12T11:59:59", True), ("2027-03-12T12:00:00", False),
    ],
)  # fmt: skip
def test_k22_the_hour_is_right_on_both_sides_of_both_clock_changes(clinic, moment, is_held):
    clinic.starts_at(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.reads_at_once()
    assert (clinic.house.request().state == R.HELD) is is_held


def test_k23_a_merge_moves_the_open_request_and_duplicates_still_hold(clinic):
    ana = clinic.patient()
    twin = clinic.patient("Ana", "Reyes", klara={"external_ids": clinic.links(ana)})
    clinic.house.change(automatic_stopped_at=clinic.now, automatic_stopped_by=clinic.house.pat)
    clinic.asks(ana)
    clinic.work()
    clinic.wish("merge", **{"from": ana, "into": twin})
    clinic.work()
    first = clinic.house.request()
    assert first.sender_id == twin
    clinic.asks(twin)
    clinic.work()
    assert [row.state for row in clinic.house.requests()] == [R.IN_REVIEW, R.DUPLICATE]


def test_k24_a_voicemail_transcript_is_a_persons(clinic):
    clinic.asks(channel="chan_1_voicemail", source="voicemail_transcript")
    clinic.work()
    is_a_persons(clinic)


def test_k24_an_unverified_writer_is_a_persons(clinic):
    clinic.asks(unverified=True)
    clinic.work()
    is_a_persons(clinic)


def test_k24_a_proxy_is_a_persons(clinic):
    clinic.asks(author="proxy")
    clinic.work()
    is_a_persons(clinic)


def test_a_writer_without_a_link_is_found_by_name_birth_date_and_telephone_together(clinic):
    clinic.asks(clinic.patient(klara={"external_ids": []}))
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1


@pytest.mark.parametrize("change", [{"phone": "+16152219999"}, {"date_of_birth": "1968-03-05"}, {"last_name": "Reyez"}])
def test_a_writer_who_fits_no_chart_patient_in_all_three_is_a_persons(clinic, change):
    clinic.asks(clinic.patient(klara={"external_ids": [], **change}))
    clinic.work()
    is_a_persons(clinic)
    assert clinic.house.request().patient_external_id == ""


def test_a_telephone_number_alone_names_nobody(clinic):
    clinic.patient("Ana", "Reyes", record={"cell_phone": "(615) 221-0000"})
    stranger = clinic.patient("Bo", "Stone", klara={"external_ids": [], "phone": "+16152210000"})
    clinic.asks(stranger)
    clinic.work()
    is_a_persons(clinic)


def test_two_chart_patients_who_fit_alike_are_a_persons(clinic):
    same = {"cell_phone": "(615) 221-0000"}
    clinic.patient("Ana", "Reyes", record=same)
    clinic.asks(clinic.patient("Ana", "Reyes", record=same, klara={"external_ids": [], "phone": "+16152210000"}))
    clinic.work()
    is_a_persons(clinic)


@pytest.mark.parametrize("change", [{"last_name": "Stone"}, {"date_of_birth": "1970-01-01"}])
def test_a_link_to_another_persons_chart_is_a_persons(clinic, change):
    clinic.asks(clinic.patient(klara=change))
    clinic.work()
    is_a_persons(clinic)
    assert "identity_differs" in clinic.house.request().reasons


def test_k25_our_own_confirmation_and_a_staff_message_about_refills_start_nothing(clinic):
    ana = clinic.patient()
    said = clinic.asks(ana)
    clinic.work()
    clinic.wish("echo", conversation=said["conversation"])
    clinic.say("We will take care of your refill of omeprazole 20 mg", ana, author="staff")
    clinic.work()
    assert len(clinic.house.requests()) == len(clinic.at_pharmacy()) == 1
    assert InboundEvent.objects.filter(progress=Progress.IGNORED).count() >= 2


def test_k26_three_short_texts_are_read_as_one(clinic):
    clinic.house.change(quiet_seconds=90)
    ana = clinic.patient()
    for text in ("hi", "need my refill of", "omeprazole 20 mg please"):
        clinic.say(text, ana)
        clinic.clock.advance(seconds=15)
    clinic.work()
    assert clinic.house.requests() == []
    clinic.passes(seconds=100)
    request = clinic.house.request()
    assert EventLink.objects.filter(request=request).count() == 3
    assert request.kind == Kind.REFILL


def test_k26_never_mind_in_the_quiet_window_cancels(clinic):
    clinic.house.change(quiet_seconds=90)
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.clock.advance(seconds=40)
    clinic.say("never mind, I found another bottle", ana)
    clinic.passes(seconds=120)
    assert clinic.at_pharmacy() == []
    assert clinic.house.request().state in (R.CANCELLED, R.IN_REVIEW)


def test_k26_somebody_who_never_stops_typing_is_read_after_five_minutes(clinic):
    clinic.house.change(quiet_seconds=90)
    ana = clinic.patient()
    for _ in range(6):
        clinic.say("and another thing", ana)
        clinic.clock.advance(seconds=60)
    clinic.work()
    assert clinic.house.requests() != []


def test_k27_unknown_types_and_fields_null_tags_and_missing_options_are_borne(clinic):
    ana = clinic.patient()
    said = clinic.asks(ana, set={"data.conversation.tags": None, "data.surprise": {"a": [1]}}, drop=["sequence"])
    assert said["status"] == 202
    strange = clinic.wish("event", type="conversation.starred", conversation=said["conversation"])
    assert strange.get("status") in (202, None)
    clinic.work()
    assert len(clinic.house.requests()) == 1
    assert clinic.count_is_right()


WEIRD = {
    "emoji": "Please refill my omeprazole 20 mg \U0001f64f\U0001f48a",
    "right_to_left": "\u202eomeprazole\u202c \u0623\u062d\u062a\u0627\u062c \u062f\u0648\u0627\u0626\u064a",
    "long": "refill omeprazole 20 mg " * 400,
    "combining": "Please refill my ome\u0301prazole 20 mg" + "\u0301" * 50,
    "nul": "Please refill my omeprazole\x00 20 mg",
}


@pytest.mark.parametrize("kind", WEIRD)
def test_k29_strange_text_is_kept_whole_and_hurts_nothing(clinic, kind):
    said = clinic.say(WEIRD[kind], clinic.patient())
    assert said["status"] == 202
    clinic.work()
    event = InboundEvent.objects.get()
    assert WEIRD[kind] in clinic.text_of(event)
    assert len(clinic.house.requests()) == 1
    assert clinic.count_is_right()


def test_k29_a_picture_without_words_is_a_persons(clinic):
    clinic.say("", clinic.patient(), attachments=[{"id": "att_1", "type": "image/jpeg"}])
    clinic.work()
    is_a_persons(clinic)
