"""Admission: duplicates, news first, thanks; and on real PostgreSQL threads one NewRx, whoever comes when."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from integrations.outcome import OutcomeKind
from review import workflow
from review.models import Dispatch, EventLink, InboundEvent, Kind, Progress, RefillRequest
from review.states import DispatchState, RequestState
from review.workflow import admission
from rules import facts as f
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
ODD = replace(rows.PLAIN, is_plain=False, kind=f.Kind.other)


@pytest.fixture
def practice():
    return rows.clinic()


def newrx():
    return Dispatch.objects.filter(kind="newrx").exclude(state__in=[DispatchState.TAKEN_BACK, DispatchState.REJECTED])


def states(*requests):
    return [RefillRequest.objects.get(pk=row.pk).state for row in requests]


def test_nothing_admitted_writes_nothing():
    assert workflow.admit(asks=[], now=NOW).requests == []


def test_two_messages_for_one_drug_in_one_batch_are_one_prescription(practice):
    medication = rows.make_medication(practice)
    asks = [rows.make_ask(practice, medication, conversation_id=f"conv_{n}") for n in (1, 2)]
    first, second = workflow.admit(asks=asks, now=NOW).requests
    assert states(first, second) == [RequestState.APPROVED, RequestState.DUPLICATE]
    assert RefillRequest.objects.get(pk=second.pk).duplicate_of_id == first.pk
    assert newrx().count() == 1


def test_one_drug_named_twice_in_one_burst_is_one_prescription(practice):
    medication, event = rows.make_medication(practice), rows.make_event(practice)
    made = workflow.admit(asks=[rows.make_ask(practice, medication, events=(event,)) for _ in range(2)], now=NOW)
    assert states(*made.requests) == [RequestState.APPROVED, RequestState.DUPLICATE]


def test_two_patients_with_one_drug_in_one_batch_are_two_prescriptions(practice):
    asks = [
        rows.make_ask(
            practice,
            rows.make_medication(practice, patient),
            patient_external_id=patient,
            sender_id=f"pat_{patient}",
            snapshot=rows.snapshot(patient_external_id=patient),
        )
        for patient in ("70112345", "70112346")
    ]
    assert states(*workflow.admit(asks=asks, now=NOW).requests) == [RequestState.APPROVED] * 2
    assert newrx().count() == 2


def test_the_same_patient_id_at_two_practices_is_two_patients(practice):
    other = rows.clinic(name="Elsewhere")
    asks = [rows.make_ask(one, rows.make_medication(one)) for one in (practice, other)]
    made = workflow.admit(asks=asks, now=NOW).requests
    assert states(*made) == [RequestState.APPROVED] * 2
    assert {row.practice_id for row in made} == {practice.id, other.id}


def test_two_drugs_of_one_burst_are_two_requests_linked_to_one_event(practice):
    event = rows.make_event(practice)
    omeprazole = rows.make_medication(practice)
    famotidine = rows.make_medication(
        practice,
        name="Famotidine 20 mg oral tablet",
        rxcui="310273",
        dosage_units="tablet",
        sig="Take 1 tablet by mouth once daily",
    )
    asks = [rows.make_ask(practice, one, events=(event,)) for one in (omeprazole, famotidine)]
    made = workflow.admit(asks=asks, now=NOW).requests
    assert len({row.id for row in made}) == 2
    assert EventLink.objects.filter(event=event).count() == 2


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (timedelta(hours=23, minutes=59, seconds=59), RequestState.DUPLICATE),
        (timedelta(hours=24), RequestState.DUPLICATE),
        (timedelta(hours=24, seconds=1), RequestState.IN_REVIEW),
    ],
)
def test_the_border_of_the_duplicate_window_while_the_first_is_on_its_way(practice, later, expected):
    medication = rows.make_medication(practice)
    first = rows.admit(practice, medication)
    rows.send(first, OutcomeKind.ACCEPTED, code="000", only="newrx")
    second = rows.admit(practice, medication, now=NOW + later, asked_at=NOW + later)
    assert second.state == expected, second.reasons
    assert newrx().count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"is_plain": False},
        {"doubts": ("sure_of_nothing",)},
        {"author": f.Author.proxy},
        {"channel": f.Channel.voicemail},
        {"is_identity_verified": False},
    ],
)
def test_only_a_plain_repeat_is_a_duplicate_anything_else_is_a_persons(practice, change):
    medication = rows.make_medication(practice)
    first = rows.admit(practice, medication)
    rows.send(first, OutcomeKind.ACCEPTED, code="000", only="newrx")
    second = rows.admit(practice, medication, reading=replace(rows.PLAIN, **change))
    assert second.state == RequestState.IN_REVIEW
    assert second.duplicate_of_id is None


def test_news_about_something_else_brings_back_what_has_not_left(practice):
    first = rows.admit(practice)
    news = rows.make_ask(practice, None, reading=ODD, reasons=("stop_or_not_needed",))
    workflow.admit(asks=[news], now=NOW + timedelta(seconds=5))
    first.refresh_from_db()
    assert (first.state, first.reasons[0]) == (RequestState.IN_REVIEW, "news_from_patient")
    assert newrx().count() == 0
    assert EventLink.objects.filter(request=first).count() == 2


def test_news_without_a_chart_link_is_matched_by_the_sender(practice):
    first = rows.admit(practice)
    news = rows.make_ask(practice, None, reading=ODD, patient_external_id="", snapshot=None)
    workflow.admit(asks=[news], now=NOW)
    assert states(first) == [RequestState.IN_REVIEW]


def test_news_of_another_patient_disturbs_nobody(practice):
    first = rows.admit(practice)
    news = rows.make_ask(practice, None, reading=ODD, patient_external_id="70112346", sender_id="pat_2")
    workflow.admit(asks=[news], now=NOW)
    assert states(first) == [RequestState.APPROVED]


def test_news_after_it_left_moves_nothing_and_is_an_item_of_its_own(practice):
    first = rows.admit(practice)
    workflow.claim_due(now=NOW, limit=9)
    news = rows.make_ask(practice, None, reading=ODD)
    made = workflow.admit(asks=[news], now=NOW).requests
    assert states(first, *made) == [RequestState.APPROVED, RequestState.IN_REVIEW]


def test_news_brings_back_a_held_request(practice):
    evening = rows.datetime.fromisoformat("2026-11-17T00:30:00+00:00")
    first = rows.admit(practice, now=evening, asked_at=evening)
    assert first.state == RequestState.HELD
    workflow.admit(asks=[rows.make_ask(practice, None, reading=ODD, asked_at=evening)], now=evening)
    first.refresh_from_db()
    assert (first.state, first.reasons[0]) == (RequestState.IN_REVIEW, "news_from_patient")


def test_thanks_join_what_they_thank_for_and_stop_nothing(practice):
    first = rows.admit(practice)
    thanks = rows.make_ask(practice, None, reading=ODD, is_thanks=True)
    workflow.admit(asks=[thanks], now=NOW + timedelta(days=7))
    assert states(first) == [RequestState.APPROVED]
    assert RefillRequest.objects.count() == 1
    assert thanks.events[0].links.get().request_id == first.id


def test_thanks_that_belong_to_nothing_are_an_item(practice):
    thanks = rows.make_ask(practice, None, reading=ODD, is_thanks=True)
    (made,) = workflow.admit(asks=[thanks], now=NOW).requests
    assert (made.state, made.kind) == (RequestState.IN_REVIEW, Kind.MESSAGE)


def test_a_never_mind_in_the_same_burst_ends_it_without_a_prescription(practice):
    ask = rows.make_ask(practice, rows.make_medication(practice), is_cancel=True)
    (made,) = workflow.admit(asks=[ask], now=NOW).requests
    assert states(made) == [RequestState.CANCELLED]
    assert newrx().count() == 0


def test_every_event_ends_read_with_a_link(practice):
    asks = [rows.make_ask(practice, rows.make_medication(practice)), rows.make_ask(practice, None, reading=ODD)]
    workflow.admit(asks=asks, now=NOW)
    for ask in asks:
        event = InboundEvent.objects.get(pk=ask.events[0].pk)
        assert (event.progress, event.read_at, event.lease_until) == (Progress.READ, NOW, None)
        assert event.links.exists()


@pytest.mark.parametrize("progress", [Progress.READ, Progress.IGNORED])
def test_events_somebody_else_has_finished_are_not_admitted_twice(practice, progress):
    ask = rows.make_ask(practice, rows.make_medication(practice))
    InboundEvent.objects.filter(pk=ask.events[0].pk).update(progress=progress)
    with pytest.raises(admission.LostLease):
        workflow.admit(asks=[ask], now=NOW)
    assert RefillRequest.objects.count() == 0


def test_a_clash_in_the_database_is_settled_burst_by_burst(practice, monkeypatch):
    """What else a unique constraint may refuse holds up its own burst only."""
    good = rows.make_ask(practice, rows.make_medication(practice))
    bad = rows.make_ask(
        practice, rows.make_medication(practice, "70112346"), patient_external_id="70112346", sender_id="pat_2"
    )
    calls = []
    plain = admission._admit

    def clashing(*, asks, now):
        calls.append(len(asks))
        if len(asks) > 1:
            raise IntegrityError("one_open_refill_per_drug")
        return plain(asks=asks, now=now)

    monkeypatch.setattr(admission, "_admit", clashing)
    made = workflow.admit(asks=[good, bad], now=NOW)
    assert calls == [2, 1, 1]
    assert states(*made.requests) == [RequestState.APPROVED] * 2


def test_a_clash_of_one_burst_alone_is_told_to_the_caller(practice, monkeypatch):
    def clashing(*, asks, now):
        raise IntegrityError("clash")

    monkeypatch.setattr(admission, "_admit", clashing)
    with pytest.raises(IntegrityError):
        workflow.admit(asks=[rows.make_ask(practice, rows.make_medication(practice))], now=NOW)


# --- on real threads ----------------------------------------------------------------------------------------------


def at_once(*works):
    """Run the works side by side, each on its own connection, started together. Their results or errors, in order."""
    barrier = threading.Barrier(len(works))

    def one(work):
        try:
            barrier.wait(timeout=20)
            return work()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        return list(pool.map(one, works))


@pytest.mark.django_db(transaction=True)
def test_four_messages_for_one_drug_read_by_four_workers_are_one_prescription():
    practice = rows.clinic()
    medication = rows.make_medication(practice)
    asks = [rows.make_ask(practice, medication, conversation_id=f"conv_{n}") for n in range(4)]
    results = at_once(*(lambda ask=ask: workflow.admit(asks=[ask], now=NOW) for ask in asks))
    assert not [one for one in results if isinstance(one, Exception)]
    found = sorted(RefillRequest.objects.values_list("state", flat=True))
    assert found == ["approved", "duplicate", "duplicate", "duplicate"]
    assert newrx().count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_event_read_by_two_workers_is_one_request():
    practice = rows.clinic()
    ask = rows.make_ask(practice, rows.make_medication(practice))
    results = at_once(*[lambda: workflow.admit(asks=[ask], now=NOW)] * 2)
    assert sum(isinstance(one, admission.LostLease) for one in results) == 1
    assert RefillRequest.objects.count() == 1
    assert newrx().count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_batches_of_the_same_patients_in_opposite_order_do_not_deadlock():
    practice = rows.clinic()
    patients = [f"7011234{n}" for n in range(6)]
    medications = {one: rows.make_medication(practice, one) for one in patients}

    def asks(order):
        return [
            rows.make_ask(
                practice,
                medications[one],
                patient_external_id=one,
                sender_id=f"pat_{one}",
                conversation_id=f"conv_{one}",
            )
            for one in order
        ]

    first, second = asks(patients), asks(reversed(patients))
    results = at_once(lambda: workflow.admit(asks=first, now=NOW), lambda: workflow.admit(asks=second, now=NOW))
    assert not [one for one in results if isinstance(one, Exception)]
    assert newrx().count() == 6


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_never_claim_one_dispatch_twice():
    practice = rows.clinic()
    for number in range(8):
        patient = f"7{number}"
        rows.admit(practice, rows.make_medication(practice, patient), patient_external_id=patient, sender_id=patient)
    results = at_once(*[lambda: [d.id for d in workflow.claim_due(now=NOW, limit=8)]] * 3)
    assert not [one for one in results if isinstance(one, Exception)]
    taken = [each for one in results for each in one]
    assert len(taken) == len(set(taken))
    assert set(Dispatch.objects.filter(state="sending").values_list("attempt", flat=True)) <= {1}


@pytest.mark.django_db(transaction=True)
def test_undo_and_claim_at_once_one_wins_and_never_both():
    practice = rows.clinic()
    request = rows.admit(practice)
    user = request.prescriber.user
    undone, claimed = at_once(
        lambda: workflow.take_back(request_id=request.id, user=user, version=None, now=NOW),
        lambda: workflow.claim_due(now=NOW, limit=5),
    )
    assert not isinstance(claimed, Exception)
    state = Dispatch.objects.get(request=request).state
    if isinstance(undone, workflow.NotPossible):
        assert state == DispatchState.SENDING
    else:
        assert not isinstance(undone, Exception)
        assert (state, claimed) == (DispatchState.TAKEN_BACK, [])


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_one_wins_and_the_other_is_told():
    practice = rows.clinic()
    request = rows.admit(practice, reading=replace(rows.PLAIN, is_plain=False))
    user, provider = request.prescriber.user, request.prescriber
    results = at_once(
        lambda: workflow.approve(request_id=request.id, user=user, provider=provider, version=request.version, now=NOW),
        lambda: workflow.deny(request_id=request.id, user=user, version=request.version, now=NOW, code="AM"),
    )
    assert sum(isinstance(one, workflow.AlreadyDecided) for one in results) == 1
    assert Dispatch.objects.count() == 1
