"""Pharmacies ask for renewals: matched, decided by the same rules, answered once; what is not sure is a person's."""

import importlib
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from audit.models import Entry
from integrations.surescripts import script_read
from review import outbox, workflow
from review.models import Dispatch, NetworkMail, RefillRequest
from review.states import RequestState

R = RequestState
SPAN = {"days": 80}  # of a supply of 90 days, so that asking again is not too early


def first_prescription(clinic: Any, **patient: Any) -> str:
    """A patient whose refill went out and arrived 80 days ago; the pharmacy has it."""
    ana = str(clinic.patient(pharmacy="9990001", **patient))
    clinic.asks(ana)
    clinic.work()
    clinic.passes(seconds=10)
    assert clinic.house.request().state == R.DONE
    clinic.passes(steps=1, **SPAN)
    return ana


def renewal(clinic: Any, **wish: Any) -> None:
    """The pharmacy asks to renew what it got first; then the workers work."""
    sent = clinic.scripts_sent()[0]["ids"]["message_id"]
    last = (clinic.now - timedelta(**SPAN)).date().isoformat()
    clinic.call(clinic.network, "queue", {"type": "RxRenewalRequest", "message_id": sent, "last_fill_on": last, **wish})
    clinic.passes(seconds=20)
    clinic.work()


def asked(clinic: Any) -> RefillRequest:
    return clinic.house.request(source="pharmacy")  # type: ignore[no-any-return]


def answers(clinic: Any) -> list[Any]:
    """Every renewal response that reached the network, as read."""
    entries = clinic.network.journal.read(kind="message.in")
    ids = [entry["ids"]["message_id"] for entry in entries if entry["ids"]["type"] == "RxRenewalResponse"]
    return [script_read.read(clinic.network.counter.bodies[one]) for one in ids]


def approve(clinic: Any, request: RefillRequest, who: Any = None) -> RefillRequest:
    provider = who or clinic.house.osei
    request.refresh_from_db()
    made = workflow.approve(
        request_id=request.id, user=provider.user, provider=provider, version=request.version, now=clinic.now
    )
    clinic.passes(seconds=60)
    made.refresh_from_db()
    return made


def test_a_renewal_of_our_own_prescription_is_decided_by_the_same_rules_and_answered_once(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic)
    request = asked(clinic)
    assert (request.kind, request.patient_external_id, request.entry_external_id) == (
        "refill",
        clinic.house.requests(source="klara")[0].patient_external_id,
        clinic.house.requests(source="klara")[0].entry_external_id,
    )
    assert request.is_automatic, request.reasons
    clinic.passes(seconds=60)
    (answer,) = answers(clinic)
    assert answer.reply.kind == "ApprovedWithChanges"  # three fills asked for, the list's one and its refills granted
    assert answer.prescribed.refills == request.refills + 1
    assert answer.header.relates_to == NetworkMail.objects.get(body_name="RxRenewalRequest").message_id
    assert len(clinic.scripts_sent()) == 1  # no second NewRx beside it
    request.refresh_from_db()
    assert request.state in (R.SENT, R.DONE)
    assert len(clinic.at_pharmacy()) == 2  # the first one, 80 days ago, and this
    assert clinic.house.is_whole()


def test_the_same_letter_again_opens_nothing(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic)
    mail = NetworkMail.objects.get(body_name="RxRenewalRequest")
    NetworkMail.objects.filter(pk=mail.pk).update(applied_at=None)  # the worker died before it could say so
    clinic.passes(seconds=20)
    assert len(clinic.house.requests(source="pharmacy")) == 1
    mail.refresh_from_db()
    assert mail.applied_at is not None


def test_a_renewal_that_names_no_prescription_of_ours_is_never_automatic(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    request = asked(clinic)
    assert (request.state, request.is_automatic) == (R.IN_REVIEW, False)
    assert {"identity", "renewal_unmatched"} <= set(request.reasons)
    assert request.patient_external_id  # found by name, birth date and telephone
    assert answers(clinic) == []


def test_a_denial_reaches_the_pharmacy_with_its_code_after_the_undo_window(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    request = asked(clinic)
    workflow.deny(
        request_id=request.id, user=clinic.house.osei.user, version=request.version, now=clinic.now, code="AG"
    )
    assert answers(clinic) == []
    clinic.passes(seconds=60)
    (answer,) = answers(clinic)
    assert (answer.reply.kind, answer.reply.reason_codes) == ("Denied", ("AG",))
    request.refresh_from_db()
    assert request.state == R.DENIED


def test_a_denial_taken_back_is_not_sent_and_another_answer_may_follow(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    request = asked(clinic)
    user = clinic.house.osei.user
    workflow.deny(request_id=request.id, user=user, version=request.version, now=clinic.now, code="AG")
    workflow.take_back(request_id=request.id, user=user, version=None, now=clinic.now)
    clinic.passes(seconds=60)
    assert answers(clinic) == []
    request.refresh_from_db()
    workflow.ask_visit(request_id=request.id, user=user, version=request.version, now=clinic.now)
    clinic.passes(seconds=60)
    (answer,) = answers(clinic)
    assert answer.reply.reason_codes == ("AM",)


def test_another_prescribers_yes_is_their_own_prescription_and_the_letter_is_dealt_with(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    approve(clinic, asked(clinic), clinic.house.lind)
    (answer,) = answers(clinic)
    assert (answer.reply.kind, answer.reply.reason_codes) == ("Denied", ("AP",))
    assert len(clinic.scripts_sent()) == 2
    assert len(clinic.at_pharmacy()) == 2  # the first one, 80 days ago, and Dr Lind's


def test_a_patients_message_and_the_pharmacys_letter_are_one_decision(clinic: Any) -> None:
    ana = first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    request = asked(clinic)
    clinic.asks(ana)
    clinic.work()
    second = clinic.house.requests(source="klara")[-1]
    assert (second.state, second.duplicate_of_id) == (R.DUPLICATE, request.id)
    told = len(clinic.told(ana))
    approve(clinic, request)
    clinic.passes(seconds=60)
    assert len(clinic.told(ana)) > told  # in the conversation in which the patient asked
    (answer,) = answers(clinic)
    assert answer.reply.kind in ("Approved", "ApprovedWithChanges")
    assert len(clinic.scripts_sent()) == 1


def test_a_letter_after_the_patients_own_refill_was_sent_is_told_so(clinic: Any) -> None:
    first_prescription(clinic)
    clinic.asks(str("pat_" + clinic.house.requests()[0].patient_external_id))
    clinic.work()
    clinic.passes(seconds=10)
    assert len(clinic.scripts_sent()) == 2
    renewal(clinic)
    request = asked(clinic)
    assert request.state == R.DUPLICATE
    clinic.passes(seconds=20)
    (answer,) = answers(clinic)
    assert (answer.reply.kind, answer.reply.reason_codes) == ("Denied", ("AP",))
    assert len(clinic.at_pharmacy()) == 2


def test_a_request_the_pharmacy_waits_for_cannot_be_cancelled_in_silence(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    request = asked(clinic)
    with pytest.raises(workflow.NotPossible, match="pharmacy waits"):
        workflow.cancel(
            request_id=request.id, user=clinic.house.mia, version=request.version, now=clinic.now, reason="no_need"
        )


def test_a_denial_the_network_refuses_brings_the_request_back_with_the_code(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    request = asked(clinic)
    clinic.fault(clinic.network, kind="status", status=400, method="POST", path="/script", times=None)
    workflow.deny(
        request_id=request.id, user=clinic.house.osei.user, version=request.version, now=clinic.now, code="AG"
    )
    clinic.passes(seconds=60)
    request.refresh_from_db()
    assert (request.state, request.reasons[0]) == (R.IN_REVIEW, "answer_failed")
    assert "answer_failed" in clinic.house.alarms()


def test_a_lost_answer_is_never_two_prescriptions(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    request = asked(clinic)
    clinic.fault(clinic.network, kind="drop", after_commit=True, method="POST", path="/script", times=2)
    approve(clinic, request)
    clinic.passes(hours=2, steps=12)
    granted = [one for one in answers(clinic) if one.reply.kind != "Denied"]
    assert len({one.header.message_id for one in granted}) == 1
    row = Dispatch.objects.get(request=request, kind="newrx")
    assert script_read.read(outbox.document_of(row)).header.message_id == granted[0].header.message_id
    assert Entry.objects.filter(event="request.opened", request_id=request.id).count() == 1


def test_the_card_says_what_the_pharmacy_asks_and_what_stands_against_it(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    load = importlib.import_module
    osei = load("tests.practices.people").at_the_desk(load("tests.review.scene").with_device(clinic.house.osei.user))
    page = osei.get(reverse("review:card", args=[asked(clinic).id]))
    shown = page.content.decode()
    assert "What the pharmacy asks" in shown
    assert "asks to renew omeprazole" in shown.lower()
    assert "3 fills asked for" in shown
    assert page.context["card"].may.decide


def test_a_pharmacy_that_waits_a_day_goes_to_the_top_once_and_people_are_told(clinic: Any) -> None:
    first_prescription(clinic)
    renewal(clinic, relates_to="f" * 32, order="")
    request = asked(clinic)
    version = request.version
    clinic.passes(hours=23)
    request.refresh_from_db()
    assert "renewal_waits" not in request.reasons
    clinic.passes(hours=2, steps=2)
    request.refresh_from_db()
    assert (request.reasons[0], request.is_urgent, request.version) == ("renewal_waits", True, version)
    assert "renewal_waits" in clinic.house.alarms()
    assert Entry.objects.filter(event="request.renewal_waits").count() == 1


def test_a_chart_that_is_silent_is_asked_again_and_only_then_a_person(clinic: Any) -> None:
    first_prescription(clinic)
    clinic.fault(clinic.chart, kind="status", status=503, method="GET", path="/api/*", times=None)
    renewal(clinic)
    assert clinic.house.requests(source="pharmacy") == []  # the letter is kept, and waits
    clinic.chart.faults.clear()
    clinic.passes(minutes=2, steps=2)
    assert asked(clinic).is_automatic, asked(clinic).reasons


def test_a_chart_that_stays_silent_leaves_the_letter_to_a_person(clinic: Any) -> None:
    first_prescription(clinic)
    clinic.fault(clinic.chart, kind="status", status=503, method="GET", path="/api/*", times=None)
    renewal(clinic)
    clinic.passes(minutes=12, steps=6)
    assert (asked(clinic).state, "chart_unreached" in asked(clinic).reasons) == (R.IN_REVIEW, True)
