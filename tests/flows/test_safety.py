"""What must never happen: unread news, a second supply, a controlled drug on the routine lane, a hold nobody sees."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from integrations.sandbox import drugs
from refillhub.practices.models import Coverage, Provider
from review import workflow
from review.models import Dispatch, Kind
from review.states import RequestState

R = RequestState
EAST = ZoneInfo("America/New_York")
WARFARIN = next(drug for drug in drugs.CAUTION if drug.name.startswith("warfarin"))
CLONAZEPAM_LIKE = [drugs.CONTROLLED[0], drugs.CONTROLLED[2], drugs.CONTROLLED[3], drugs.CONTROLLED[7]]


def evening(clinic, hour=20):
    """Tuesday evening, closed."""
    clinic.arrives_at(datetime(2026, 11, 17, hour, 14, tzinfo=EAST))


def morning(clinic, minute=1):
    """Wednesday, just opened."""
    clinic.arrives_at(datetime(2026, 11, 18, 7, minute, tzinfo=EAST))


@pytest.mark.parametrize(
    "news", ["Wait, I have a rash since yesterday", "Actually please do not send it", "Can you send it to CVS instead?"]
)
def test_news_is_read_before_anything_of_that_patient_leaves(clinic, news):
    clinic.house.change(undo_seconds_automatic=60)
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.work()
    clinic.clock.advance(seconds=30)
    clinic.say(news, ana, tag="")
    clinic.passes(minutes=5, steps=5)
    assert clinic.at_pharmacy() == []
    assert all(row.state in (R.IN_REVIEW, R.CANCELLED) for row in clinic.house.requests())


def test_news_that_is_stored_but_unread_keeps_the_prescription_at_the_door(clinic):
    clinic.house.change(undo_seconds_automatic=60, quiet_seconds=0)
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.work()
    clinic.house.change(quiet_seconds=120)
    clinic.clock.advance(seconds=55)
    clinic.say("I have a question about it", ana, tag="")
    clinic.clock.advance(seconds=30)
    clinic.work()
    assert clinic.at_pharmacy() == []
    clinic.passes(minutes=5, steps=5)
    assert clinic.at_pharmacy() == []


def test_plain_thanks_holds_up_nothing_and_opens_nothing(clinic):
    clinic.house.change(undo_seconds_automatic=60)
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.work()
    clinic.say("Thank you!", ana, tag="")
    clinic.passes(minutes=2, steps=2)
    assert len(clinic.at_pharmacy()) == len(clinic.house.requests()) == 1


@pytest.mark.parametrize(("days_ago", "goes"), [(67, False), (68, True)])
def test_a_new_supply_leaves_only_when_three_quarters_of_the_last_are_used(clinic, days_ago, goes):
    clinic.asks(clinic.patient(medications=[{"days_ago": days_ago}]))
    clinic.work()
    assert (len(clinic.at_pharmacy()) == 1) is goes
    assert clinic.house.request().state == (R.DONE if goes else R.IN_REVIEW)


def test_our_own_prescription_counts_as_supply_even_when_the_chart_does_not_show_it(clinic):
    clinic.call(clinic.chart, "settings", {"medications_patch": "ignore"})
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.work()
    clinic.passes(days=2, steps=4)
    clinic.arrives_at(clinic.now)
    clinic.asks(ana)
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1
    assert clinic.house.requests(kind="refill")[-1].state == R.IN_REVIEW


def test_a_prescription_written_in_the_chart_since_keeps_ours_here(clinic):
    clinic.house.change(undo_seconds_automatic=300)
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.work()
    number = int(ana.removeprefix("pat_"))
    clinic.writes_in_chart(number, "omeprazole 20 MG Delayed Release Oral Capsule", quantity="90")
    clinic.looks_at_chart()
    clinic.passes(minutes=6, steps=2)
    assert clinic.at_pharmacy() == []
    assert clinic.house.request().reasons[0] == "prescribed_in_chart"


def test_an_entry_stopped_in_the_chart_while_it_waits_is_not_sent(clinic):
    clinic.house.change(undo_seconds_automatic=300)
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.work()
    line = clinic.chart_line()
    clinic.call(clinic.chart, "chart", {
        "practice": "p1", "resource": "medications", "id": str(line["id"]),
        "record": {"status": "inactive", "date_stopped_taking": "2026-11-17"}, "webhook": False})  # fmt: skip
    clinic.looks_at_patient(ana)
    clinic.passes(minutes=6, steps=2)
    assert clinic.at_pharmacy() == []
    assert clinic.house.request().state == R.IN_REVIEW


@pytest.mark.parametrize("drug", CLONAZEPAM_LIKE, ids=[drug.schedule or "?" for drug in CLONAZEPAM_LIKE])
def test_a_controlled_drug_is_a_task_to_the_prescriber_and_never_a_message_to_the_network(clinic, drug):
    ana = clinic.patient(medications=[{"drug": drug}])
    word = drug.name.split()[0]
    clinic.say(f"Please refill my {word}", ana)
    clinic.work()
    clinic.passes(minutes=5)
    assert clinic.scripts_sent() == []
    assert not Dispatch.objects.filter(kind="newrx").exists()
    request = clinic.house.requests()[0]
    assert request.state in (R.WITH_EHR, R.IN_REVIEW)
    if request.state == R.WITH_EHR:
        assert len(clinic.written("task.created")) == 1


def test_a_controlled_drug_approved_by_a_person_is_still_a_task(clinic):
    ana = clinic.patient(medications=[{"drug": drugs.CONTROLLED[3]}])
    clinic.say(f"Please refill my {drugs.CONTROLLED[3].name.split()[0]}", ana, tag="")
    clinic.work()
    request = clinic.house.requests()[0]
    if request.state == R.IN_REVIEW and request.kind == Kind.REFILL:
        who = clinic.house.osei
        workflow.approve(request_id=request.id, user=who.user, provider=who, version=request.version, now=clinic.now)
        clinic.work()
    assert clinic.scripts_sent() == []


def test_an_entry_whose_drug_nobody_knows_counts_as_controlled(clinic):
    unknown = {"name": "Zorbaflex 12 mg tab", "rxnorm": "", "ndc": ""}
    clinic.say("Please refill my Zorbaflex", clinic.patient(medications=[unknown]))
    clinic.work()
    assert clinic.scripts_sent() == []


def test_a_hold_is_told_once_and_released_in_the_morning_on_fresh_facts(clinic):
    evening(clinic)
    ana = clinic.patient()
    clinic.asks(ana)
    clinic.work()
    clinic.passes(hours=8, steps=4)
    assert clinic.house.request().state == R.HELD
    assert clinic.at_pharmacy() == []
    assert len(clinic.told(ana)) == 1
    morning(clinic)
    clinic.beat()
    assert clinic.house.request().state == R.DONE
    assert len(clinic.at_pharmacy()) == 1


def test_what_changed_in_the_chart_overnight_counts_in_the_morning(clinic):
    evening(clinic)
    clinic.asks()
    clinic.work()
    line = clinic.chart_line()
    clinic.call(clinic.chart, "chart", {
        "practice": "p1", "resource": "medications", "id": str(line["id"]),
        "record": {"status": "inactive", "date_stopped_taking": "2026-11-17"}, "webhook": False})  # fmt: skip
    morning(clinic)
    clinic.beat()
    assert clinic.at_pharmacy() == []
    assert clinic.house.request().state == R.IN_REVIEW


def test_a_person_may_take_up_a_hold_at_night(clinic):
    evening(clinic)
    clinic.asks()
    clinic.work()
    request, who = clinic.house.request(), clinic.house.osei
    request = workflow.take_up(request_id=request.id, user=who.user, version=request.version, now=clinic.now)
    assert request.state == R.IN_REVIEW
    workflow.approve(request_id=request.id, user=who.user, provider=who, version=request.version, now=clinic.now)
    clinic.work()
    morning(clinic)
    clinic.beat()
    assert len(clinic.at_pharmacy()) == 1


def test_an_emergency_at_night_is_not_held_and_pages_the_one_on_call(clinic):
    clinic.house.change(on_call_enabled=True, quiet_seconds=90)
    Provider.objects.filter(pk=clinic.house.lind.pk).update(on_call_order=1)
    evening(clinic)
    ana = clinic.patient()
    clinic.say("I took ten of my pills and my chest hurts", ana, tag="refill")
    clinic.work()
    request = clinic.house.request()
    assert (request.state, request.is_urgent, request.reasons[0]) == (R.IN_REVIEW, True, "emergency")
    assert len(clinic.told(ana)) == 1
    assert [letter.to for letter in mail.outbox] == [[clinic.house.lind.user.email]]
    assert "chest" not in mail.outbox[0].body


@pytest.mark.parametrize("drug", drugs.CAUTION, ids=[drug.name.split()[0] for drug in drugs.CAUTION])
def test_a_drug_whose_gap_hurts_is_never_left_in_a_hold_alone(clinic, drug):
    evening(clinic)
    clinic.say(f"Please refill my {drug.name.split()[0]}", clinic.patient(medications=[{"drug": drug}]))
    clinic.work()
    assert R.HELD not in {row.state for row in clinic.house.requests()}
    assert clinic.at_pharmacy() == []


def away(provider, stand_in, clinic):
    """Out of office for the week; `stand_in` may be nobody."""
    return Coverage.objects.create(
        practice=provider.practice, provider=provider, stand_in=stand_in, starts_at=clinic.now - timedelta(hours=1),
        ends_at=clinic.now + timedelta(days=7),
    )  # fmt: skip


def test_an_absent_prescribers_item_goes_to_the_stand_in_who_approves_in_their_own_name(clinic):
    away(clinic.house.osei, clinic.house.lind, clinic)
    clinic.asks()
    clinic.work()
    request = clinic.house.request()
    assert (request.state, request.assignee_id) == (R.IN_REVIEW, clinic.house.lind.id)
    who = clinic.house.lind
    workflow.approve(request_id=request.id, user=who.user, provider=who, version=request.version, now=clinic.now)
    clinic.work()
    (script,) = clinic.at_pharmacy()
    assert script["spi"] == who.spis.get().spi


def test_a_circle_of_stand_ins_ends_at_the_administrator_with_an_alarm(clinic):
    away(clinic.house.osei, clinic.house.lind, clinic)
    away(clinic.house.lind, clinic.house.osei, clinic)
    clinic.asks()
    clinic.work()
    request = clinic.house.request()
    assert (request.queue, request.assignee) == ("administrator", None)
    assert "coverage_gap" in clinic.house.alarms()


def test_an_item_whose_owner_goes_away_moves_to_the_stand_in(clinic):
    clinic.asks(tag="")
    clinic.work()
    assert clinic.house.request().assignee_id == clinic.house.osei.id
    away(clinic.house.osei, clinic.house.lind, clinic)
    clinic.beat()
    assert clinic.house.request().assignee_id == clinic.house.lind.id


def test_a_denied_request_does_not_swallow_the_next_one_nor_let_it_pass_alone(clinic):
    ana = clinic.patient()
    clinic.asks(ana, tag="")
    clinic.work()
    request, who = clinic.house.request(), clinic.house.osei
    workflow.deny(request_id=request.id, user=who.user, version=request.version, now=clinic.now, code="AF")
    clinic.work()
    clinic.passes(hours=1)
    clinic.asks(ana)
    clinic.work()
    assert [row.state for row in clinic.house.requests()] == [R.DENIED, R.IN_REVIEW]
    assert clinic.at_pharmacy() == []


def test_a_chart_that_cannot_be_reached_means_a_person_and_no_guess(clinic):
    clinic.fault(clinic.chart, kind="status", status=503, method="*", path="*", times=None)
    clinic.asks()
    clinic.work()
    clinic.passes(minutes=6, steps=12)
    assert clinic.at_pharmacy() == []
    assert [row.state for row in clinic.house.requests()] == [R.IN_REVIEW]
    assert clinic.count_is_right()


def test_a_stale_copy_of_the_list_is_read_again_before_an_automatic_approval(clinic):
    ana = clinic.patient()
    clinic.looks_at_patient(ana)
    clinic.clock.advance(seconds=16 * 60)
    line = clinic.chart_line()
    clinic.call(clinic.chart, "chart", {
        "practice": "p1", "resource": "medications", "id": str(line["id"]), "record": {"status": "inactive"},
        "webhook": False})  # fmt: skip
    clinic.asks(ana)
    clinic.work()
    assert clinic.at_pharmacy() == []


def test_a_flood_in_one_practice_leaves_the_other_its_turn(clinic):
    for number in range(8):
        clinic.asks(clinic.patient(f"Ana{number}", "Reyes"))
    rosa = clinic.patient("Rosa", "Lopez", house=clinic.mallorys)
    clinic.asks(rosa, house=clinic.mallorys)
    clinic.reads_some(2)
    assert len(clinic.mallorys.requests()) == 1


def test_nothing_of_one_practice_shows_in_the_other_and_no_stranger_may_approve_it(clinic):
    rosa = clinic.patient("Rosa", "Lopez", house=clinic.mallorys)
    clinic.asks(rosa, house=clinic.mallorys, tag="")
    clinic.work()
    assert clinic.house.requests() == []
    (request,) = clinic.mallorys.requests()
    stranger = clinic.house.osei
    with pytest.raises(workflow.NotPossible):
        workflow.approve(
            request_id=request.id, user=stranger.user, provider=stranger, version=request.version, now=clinic.now
        )
    clinic.work()
    assert clinic.at_pharmacy() == []
    assert clinic.mallorys.is_whole()
