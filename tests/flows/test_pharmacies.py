"""Pharmacies that misbehave, by NCPDP id: each prescription ends once at the pharmacy, or with a person."""

import importlib
from datetime import timedelta

import pytest

from audit.models import Entry
from review import directory, workflow
from review.models import FillReport
from review.states import RequestState
from tests.review import rows

R = RequestState


def at(clinic, ncpdp, **values):
    """A patient of that pharmacy asks; the workers work."""
    patient = clinic.patient(pharmacy=ncpdp, **values)
    clinic.asks(patient)
    clinic.work()
    return patient


def item(clinic):
    """The refill request itself, whatever else was opened about it."""
    return clinic.house.request(kind="refill")


def test_9990001_and_9990002_end_alike_whether_the_confirmation_comes_late_or_at_once(clinic):
    first, second = at(clinic, "9990001"), at(clinic, "9990002", first="Rosa", last="Lopez")
    clinic.passes(seconds=10)
    assert [row.state for row in clinic.house.requests()] == [R.DONE, R.DONE]
    assert [len(clinic.told(first)), len(clinic.told(second))] == [2, 1]
    assert len(clinic.at_pharmacy()) == 2


def test_9990003_gone_from_the_directory_is_a_persons_before_anything_is_sent(clinic):
    at(clinic, "9990003")
    assert item(clinic).state == R.IN_REVIEW
    assert clinic.left() == 0


def test_9990003_gone_since_our_last_directory_is_refused_with_its_code_in_the_task_and_nobody_is_told(clinic):
    rows.make_pharmacy("9990003")
    ana = at(clinic, "9990003")
    request = item(clinic)
    assert (request.state, request.last_code) == (R.IN_REVIEW, "900 / 1000")
    (task,) = clinic.written("task.created")
    said = str(task)
    assert "900 / 1000" in said
    assert "not active in directory" in said
    assert clinic.told(ana) == []
    assert clinic.at_pharmacy() == []


def test_9990004_closed_is_a_persons_and_a_closing_we_did_not_know_of_is_tried_once_more_at_most(clinic):
    rows.make_pharmacy("9990004").__class__.objects.filter(ncpdp_id="9990004").update(
        active_until=None, directory_state="active"
    )
    ana = at(clinic, "9990004")
    clinic.passes(hours=1, steps=4)
    assert item(clinic).state == R.IN_REVIEW
    assert clinic.at_pharmacy() == []
    assert clinic.told(ana) == []
    assert len(clinic.scripts_sent()) <= 2


def test_9990006_confirms_late_so_the_patient_hears_sent_first_and_received_later(clinic):
    ana = at(clinic, "9990006")
    assert item(clinic).state == R.SENT
    assert len(clinic.told(ana)) == 1
    clinic.passes(minutes=46, steps=3)
    assert item(clinic).state == R.DONE
    assert len(clinic.told(ana)) == 2
    assert len(clinic.at_pharmacy()) == 1


def test_9990007_never_confirms_so_after_24_hours_a_person_must_telephone(clinic):
    at(clinic, "9990007")
    accepted = clinic.house.dispatches(kind="newrx")[0].accepted_at
    clinic.goes_to(accepted + timedelta(hours=24, seconds=-1))
    clinic.beat()
    assert item(clinic).state == R.SENT
    clinic.passes(seconds=3)
    request = item(clinic)
    assert (request.state, request.is_locked, request.reasons[0]) == (R.IN_REVIEW, True, "unresolved")
    assert len(clinic.written("task.created")) == 1
    who = clinic.house.osei
    with pytest.raises(workflow.Locked):
        workflow.approve(request_id=request.id, user=who.user, provider=who, version=request.version, now=clinic.now)
    workflow.confirm_arrived(
        request_id=request.id, user=who.user, version=request.version, now=clinic.now, spoke_with="Jo",
        pharmacy="9990007",
    )  # fmt: skip
    clinic.work()
    assert item(clinic).state == R.DONE
    assert len(clinic.at_pharmacy()) == 1


def test_9990008_takes_the_prescription_and_drops_the_line_and_still_has_it_once(clinic):
    ana = at(clinic, "9990008")
    assert item(clinic).state == R.APPROVED
    assert clinic.told(ana) == []
    clinic.passes(minutes=6, steps=6)
    assert item(clinic).state == R.DONE
    assert len(clinic.at_pharmacy()) == 1
    clinic.passes(hours=2, steps=8)
    assert len(clinic.at_pharmacy()) == 1
    assert len(clinic.told(ana)) == 1


def test_9990008_the_same_patient_asking_twice_still_gets_one(clinic):
    ana = at(clinic, "9990008")
    clinic.asks(ana)
    clinic.work()
    clinic.passes(hours=2, steps=8)
    assert len(clinic.at_pharmacy()) == 1
    assert [row.state for row in clinic.house.requests()] == [R.DONE, R.DUPLICATE]


def test_9990009_dropped_it_before_taking_it_so_the_same_bytes_go_once_more_after_half_an_hour(clinic):
    ana = at(clinic, "9990009")
    clinic.passes(minutes=29, steps=6)
    assert clinic.at_pharmacy() == []
    assert len(clinic.scripts_sent()) <= 1
    clinic.passes(minutes=10, steps=5)
    assert len(clinic.at_pharmacy()) == 1
    assert len({row["data"].get("hash") for row in clinic.scripts_sent()}) == 1
    assert item(clinic).state == R.DONE
    assert len(clinic.told(ana)) == 1


def test_9990010_answers_garbage_though_it_took_it_and_the_mail_tells(clinic):
    at(clinic, "9990010")
    clinic.passes(minutes=1)
    assert item(clinic).state == R.DONE
    assert len(clinic.at_pharmacy()) == 1


def test_9990011_refuses_after_the_patient_was_told_so_patient_and_chart_are_corrected(clinic):
    ana = at(clinic, "9990011")
    assert len(clinic.told(ana)) == 1
    clinic.passes(minutes=11, steps=2)
    request = item(clinic)
    assert (request.state, request.last_code) == (R.IN_REVIEW, "900 / 2000")
    assert len(clinic.told(ana)) == 2
    assert Entry.objects.filter(event="apology.queued", request_id=request.id).count() == 1
    assert len(clinic.written("task.created")) == 1
    notes = [e for e in clinic.chart.journal.read(kind="request") if "append_to_pharmacy_note" in e["request"]["path"]]
    assert notes
    assert clinic.at_pharmacy() == []


def test_9990012_is_busy_twice_and_gets_one_by_linked_successors(clinic):
    ana = at(clinic, "9990012")
    clinic.passes(minutes=10, steps=10)
    assert item(clinic).state == R.DONE
    assert len(clinic.at_pharmacy()) == 1
    assert len(clinic.house.dispatches(kind="newrx")) == 3
    assert len(clinic.told(ana)) == 2


@pytest.mark.parametrize("ncpdp", ["9990013", "9990014"])
def test_9990013_broken_and_9990014_misconfigured_end_with_a_person_and_nothing_is_told(clinic, ncpdp):
    ana = at(clinic, ncpdp)
    clinic.passes(hours=2, steps=12)
    request = item(clinic)
    assert request.state == R.IN_REVIEW
    assert clinic.told(ana) == []
    assert clinic.at_pharmacy() == []
    assert len(clinic.written("task.created")) == 1


def test_9990015_times_out_upstream_though_delivered_so_it_is_not_sent_again(clinic):
    at(clinic, "9990015")
    assert item(clinic).state == R.APPROVED
    clinic.passes(minutes=5, steps=5)
    assert item(clinic).state == R.DONE
    assert len(clinic.at_pharmacy()) == len(clinic.scripts_sent()) == 1


def test_9990016_gets_a_fax_so_somebody_is_alarmed(clinic):
    at(clinic, "9990016")
    assert item(clinic).state == R.DONE
    assert "fax_fallback" in clinic.house.alarms()


def test_9990017_did_not_dispense_and_that_counts_as_no_fill(clinic):
    at(clinic, "9990017")
    clinic.call(clinic.network, "settings", {"rxfill": "always"})
    clinic.passes(minutes=2)
    at(clinic, "9990017", first="Rosa", last="Lopez")
    clinic.passes(minutes=3)
    assert not FillReport.objects.filter(filled_on__isnull=False).exists()
    assert [row.state for row in clinic.house.requests(kind="refill")] == [R.DONE, R.DONE]


def test_9990020_confirms_before_it_answers(clinic):
    ana = at(clinic, "9990020")
    clinic.passes(minutes=1)
    assert item(clinic).state == R.DONE
    assert len(clinic.at_pharmacy()) == 1
    assert len(clinic.told(ana)) == len(set(clinic.told(ana)))


def test_9990021_says_everything_twice_and_the_patient_hears_it_once(clinic):
    ana = at(clinic, "9990021")
    clinic.passes(minutes=5, steps=5)
    assert item(clinic).state == R.DONE
    assert len(clinic.told(ana)) == len(set(clinic.told(ana))) == 2
    assert Entry.objects.filter(event="request.done").count() == 1


def test_9990022_a_renewal_asked_for_what_was_just_sent_is_answered_so_and_nothing_is_sent_again(clinic):
    at(clinic, "9990022")
    clinic.passes(minutes=10, steps=5)
    first = clinic.house.request(kind="refill", source="klara")
    assert first.state == R.DONE
    asked = clinic.house.requests(source="pharmacy")
    assert {(row.state, row.duplicate_of_id) for row in asked} == {(R.DUPLICATE, first.id)}
    assert {row.purpose for row in clinic.house.dispatches(kind="answer")} == {""}
    assert len(clinic.at_pharmacy()) == 1
    assert clinic.house.is_whole()


def test_9990023_changes_a_pharmacy_asks_for_reach_a_person(clinic):
    at(clinic, "9990023")
    clinic.passes(minutes=10, steps=5)
    assert item(clinic).state == R.DONE
    items = clinic.house.requests(kind="message", source="pharmacy")
    assert items
    assert {(row.state, row.reasons[0], row.about_id) for row in items} == {
        (R.IN_REVIEW, "change_asked", item(clinic).id)
    }
    assert any(row.last_text.startswith("Out of stock (OS); for omeprazole") for row in items)
    for row in items:
        workflow.answer(
            request_id=row.id, user=clinic.house.mia, version=row.version, now=clinic.now, reason="telephone"
        )
    clinic.passes(seconds=30)
    told = [one for one in clinic.network.journal.read(kind="message.in") if one["ids"]["type"] == "RxChangeResponse"]
    assert len(told) == len(items)
    assert {row.state for row in clinic.house.dispatches(kind="answer")} <= {"accepted", "delivered"}
    assert len(clinic.at_pharmacy()) == 1
    assert clinic.house.is_whole()


def test_a_prescriber_location_that_is_not_active_is_refused_with_its_code(clinic):
    spi = clinic.house.osei.spis.get().spi
    clinic.call(clinic.network, f"spis/{spi}", {"active_end": "2026-01-01T00:00:00Z"})
    ana = at(clinic, "9990001")
    assert (item(clinic).state, item(clinic).last_code) == (R.IN_REVIEW, "900 / 1000")
    assert clinic.told(ana) == []


@pytest.mark.parametrize("status", [500, 502, 429])
def test_a_network_that_stumbles_over_http_sends_nothing_twice(clinic, status):
    busy = {"kind": "throttle", "seconds": 5, "retry_after": "5"}
    fault = busy if status == 429 else {"kind": "status", "status": status}
    clinic.fault(clinic.network, method="POST", path="/script", times=1, **fault)
    at(clinic, "9990001")
    clinic.passes(hours=1, steps=12)
    assert len(clinic.at_pharmacy()) <= 1
    assert item(clinic).state in (R.DONE, R.IN_REVIEW)
    if status == 429:
        assert item(clinic).state == R.DONE


def test_a_network_that_hangs_after_taking_it_is_not_asked_to_take_it_again_under_another_id(clinic):
    clinic.fault(clinic.network, kind="hang", method="POST", path="/script", seconds=600, after_commit=True)
    at(clinic, "9990001")
    clinic.passes(hours=1, steps=12)
    assert item(clinic).state == R.DONE
    assert len(clinic.at_pharmacy()) == 1


def test_a_cut_answer_of_the_network_is_no_answer(clinic):
    clinic.fault(clinic.network, kind="truncate", method="POST", path="/script", keep=40)
    at(clinic, "9990001")
    clinic.passes(hours=1, steps=12)
    assert item(clinic).state == R.DONE
    assert len(clinic.at_pharmacy()) == 1


BOMB = """<?xml version="1.0"?>
<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Message>&b;</Message>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><Message>&x;</Message>"""


@pytest.mark.parametrize("body", [BOMB, OUTSIDE], ids=["bomb", "outside"])
def test_xml_bombs_and_outside_entities_are_no_answer_and_hurt_nobody(clinic, body):
    clinic.fault(clinic.network, kind="body", method="POST", path="/script", body=body, content_type="application/xml")
    at(clinic, "9990001")
    clinic.passes(hours=1, steps=12)
    assert item(clinic).state == R.DONE
    assert len(clinic.at_pharmacy()) == 1


def test_an_spi_the_network_does_not_list_sends_nothing_until_it_is_listed_again(clinic):
    models = importlib.import_module("refillhub.practices.models")
    assert directory.refresh_prescribers(now=clinic.now) == 4
    assert set(models.Spi.objects.values_list("directory_state", flat=True)) == {"listed"}
    own = models.Spi.objects.get(provider=clinic.house.osei)
    clinic.network.registry.spis[own.spi].listed = False
    directory.refresh_prescribers(now=clinic.now)
    assert "spi_not_listed" in clinic.house.alarms()
    clinic.asks(clinic.patient())
    clinic.work()
    assert clinic.scripts_sent() == []
    assert clinic.house.request().state == "in_review"
    clinic.network.registry.spis[own.spi].listed = True
    directory.refresh_prescribers(now=clinic.now)
    clinic.asks(clinic.patient("Ruth", "Feld"))
    clinic.work()
    assert len(clinic.scripts_sent()) == 1
