"""The main job: a signed message becomes a prescription, two confirmations, a chart entry, and a whole audit trail."""

from audit.models import Entry
from review.states import RequestState

R = RequestState


def test_a_plain_refill_reaches_the_pharmacy_once_and_the_patient_and_the_chart_hear_of_it(clinic):
    ana = clinic.patient()
    said = clinic.asks(ana)
    assert said["status"] == 202
    clinic.work()
    clinic.passes(seconds=10)

    request = clinic.house.request()
    assert (request.state, request.recipe, request.is_automatic) == (R.DONE, "auto_refill", True)
    (script,) = clinic.at_pharmacy()
    assert script["rxcui"] == "198051"
    assert script["quantity"] == "90"
    assert b"<SigText>Take 1 capsule by mouth once daily</SigText>" in clinic.bytes_of(script)
    first, second = clinic.told(ana)
    assert "sent" in first.lower()
    assert "received" in second.lower()
    assert "omeprazole" not in (first + second).lower()
    (line,) = clinic.written("medication.changed")[-1:]
    assert line["date_prescribed"] == "2026-11-17"
    assert line["order_status"] == "Electronic eRx Sent"
    events = list(Entry.objects.filter(request_id=request.id).values_list("event", flat=True))
    assert {f"request.{word}" for word in ("opened", "decided", "approved", "sent", "done")} <= set(events)
    assert "chart.recorded" in events
    assert clinic.house.is_whole()
    assert clinic.count_is_right()


def test_the_prescription_goes_out_in_the_entrys_own_prescribers_name(clinic):
    clinic.asks()
    clinic.work()
    (script,) = clinic.at_pharmacy()
    assert script["spi"] == clinic.house.osei.spis.get().spi


def test_the_undo_window_keeps_the_prescription_here_until_it_is_over(clinic):
    clinic.house.change(undo_seconds_automatic=120)
    clinic.asks()
    clinic.work()
    assert clinic.house.request().state == R.APPROVED
    assert clinic.at_pharmacy() == []
    clinic.passes(seconds=121)
    assert len(clinic.at_pharmacy()) == 1


def test_a_chart_that_refuses_the_change_gets_a_note_instead(clinic):
    clinic.fault(clinic.chart, kind="status", status=403, method="PATCH", path="/api/medications*")
    clinic.asks()
    clinic.work()
    clinic.passes(minutes=5)
    assert clinic.house.request().state == R.DONE
    assert len(clinic.at_pharmacy()) == 1
    calls = [entry["request"]["path"] for entry in clinic.chart.journal.read(kind="request")]
    assert any(path.endswith("/append_to_pharmacy_note") for path in calls)


def test_a_practice_in_shadow_sends_nothing_at_all_and_records_what_it_would_have_done(clinic):
    clinic.house.change(is_shadow=True)
    clinic.asks()
    clinic.say("My chest hurts and I cannot breathe", clinic.patient("Rosa", "Lopez"), tag="")
    clinic.work()
    clinic.passes(hours=26, steps=4)
    request = clinic.house.request(kind="refill")
    assert (request.outcome, request.state, request.is_shadow) == ("auto_approve", R.DONE, True)
    assert clinic.left() == 0
    assert {row.state for row in clinic.house.dispatches()} == {"shadowed"}
    assert clinic.house.is_whole()


def test_switching_shadow_off_changes_no_request_in_flight(clinic):
    clinic.house.change(is_shadow=True)
    clinic.asks()
    clinic.work()
    clinic.house.change(is_shadow=False)
    clinic.passes(hours=1)
    assert clinic.left() == 0


def test_stopping_all_sending_holds_everything_and_lifting_it_sends_once(clinic):
    clinic.house.change(sending_stopped_at=clinic.now, sending_stopped_by=clinic.house.pat)
    clinic.asks()
    clinic.work()
    clinic.passes(minutes=10)
    assert clinic.left() == 0
    assert clinic.house.request().state == R.IN_REVIEW


def test_a_stop_between_approval_and_sending_keeps_the_prescription_here(clinic):
    clinic.house.change(undo_seconds_automatic=60)
    clinic.asks()
    clinic.work()
    clinic.house.change(sending_stopped_at=clinic.now, sending_stopped_by=clinic.house.pat)
    clinic.passes(minutes=10)
    assert clinic.left() == 0
    clinic.house.change(sending_stopped_at=None, sending_stopped_by=None)
    clinic.passes(minutes=1)
    assert len(clinic.at_pharmacy()) == 1


def test_stopping_automatic_approval_alone_gives_new_requests_and_unsent_approvals_to_a_person(clinic):
    clinic.house.change(undo_seconds_automatic=60)
    clinic.asks(clinic.patient())
    clinic.work()
    clinic.house.change(automatic_stopped_at=clinic.now, automatic_stopped_by=clinic.house.pat)
    clinic.asks(clinic.patient("Rosa", "Lopez"))
    clinic.work()
    clinic.passes(minutes=5)
    assert clinic.at_pharmacy() == []
    assert [row.state for row in clinic.house.requests()] == [R.IN_REVIEW, R.IN_REVIEW]
    assert "automatic_stopped" in clinic.house.requests()[0].reasons


def test_a_prescription_queued_longer_than_the_practice_allows_returns_to_a_person(clinic):
    clinic.house.change(undo_seconds_automatic=60)
    clinic.asks()
    clinic.work()
    clinic.goes_to(clinic.now.replace(hour=20))
    clinic.beat()
    assert clinic.at_pharmacy() == []
    assert clinic.house.request().reasons[0] == "queued_too_long"


def test_without_a_business_associate_agreement_nothing_is_stored(clinic):
    clinic.house.change(baa_signed_on=None, baa_signed_by="")
    assert clinic.asks()["status"] == 503
    clinic.work()
    assert clinic.house.requests() == []
    clinic.house.change(baa_signed_on="2026-11-17", baa_signed_by="Pat Moss")
    clinic.clock.advance(seconds=61)
    clinic.work()
    assert len(clinic.at_pharmacy()) == 1
