"""Tasks, pages, items and alarms: the right person, the exact code, once for each matter, no health data outside."""

import pytest

from audit.models import Entry
from integrations.outcome import OutcomeKind
from review import outbox, workflow
from review.ledger import Ledger
from review.models import Alarm, Dispatch
from review.states import RequestState, WrongState
from review.workflow import moves, notices
from review.workflow.settling import Settling
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_():
    return rows.admit(rows.clinic())


def test_a_task_holds_drug_quantity_and_sig_for_the_owner(request_):
    values = outbox.values_of(notices.task(request=request_, why="controlled", now=NOW))
    assert values["assignee_user"] == request_.prescriber.drchrono_user_id
    assert values["patient"] == "70112345"
    assert all(word in values["note"] for word in ("omeprazole", "90", "Take 1 capsule by mouth once daily"))
    assert values["marker"] in values["title"]


@pytest.mark.parametrize("why", ["transmission_failed", "unresolved", "chart_record", "pharmacy_change", "hand_off"])
def test_every_kind_of_task_has_its_words_and_its_own_marker(request_, why):
    rows.send(request_, OutcomeKind.ACCEPTED, code="000", only="newrx")
    chart = Dispatch.objects.get(kind="chart")
    one = outbox.values_of(notices.task(request=request_, why=why, now=NOW, dispatch=chart))
    other = outbox.values_of(notices.task(request=request_, why="controlled", now=NOW))
    assert "{" not in one["note"]
    assert one["marker"] != other["marker"]


def test_the_same_task_made_twice_has_one_key(request_):
    newrx = Dispatch.objects.get(kind="newrx")
    keys = {notices.task(request=request_, why="unresolved", now=NOW, dispatch=newrx).idempotency_key for _ in (1, 2)}
    assert len(keys) == 1


def test_a_page_names_no_patient_and_no_drug(request_):
    provider = request_.prescriber
    provider.on_call_order = 1
    provider.save()
    made = notices.page_dispatch(request=request_, why="unresolved", now=NOW)
    assert outbox.values_of(made) == {"provider": str(provider.id), "why": "unresolved", "request": str(request_.id)}


def test_with_nobody_on_call_a_page_is_an_alarm(request_):
    work = Settling(ledger=Ledger(now=NOW), dispatches=[], requests={request_.id: request_})
    notices.page(work=work, request=request_, why="unresolved")
    assert work.new == []
    assert Alarm.objects.get().kind == "coverage_gap"


def test_an_item_is_about_its_request_and_urgent(request_):
    work = Settling(ledger=Ledger(now=NOW), dispatches=[], requests={request_.id: request_})
    row = notices.item(work=work, request=request_, reason="reply_failed", code="404", text="x" * 900)
    assert (row.about_id, row.state, row.is_urgent, row.last_code, len(row.last_text)) == (
        request_.id,
        RequestState.IN_REVIEW,
        True,
        "404",
        500,
    )


def test_one_alarm_per_matter_counts_while_it_lasts_and_opens_afresh_after():
    practice, other = rows.make_practice(), rows.make_practice(name="Elsewhere")
    for where in (practice, practice, other):
        workflow.raise_alarm(practice=where, kind="webhook_missed", key="k", now=NOW)
    assert sorted(Alarm.objects.values_list("times", flat=True)) == [1, 2]
    Alarm.objects.update(closed_at=NOW)
    workflow.raise_alarm(practice=practice, kind="webhook_missed", key="k", now=NOW)
    assert Alarm.objects.filter(practice=practice, closed_at=None).get().times == 1
    assert Entry.objects.filter(event="alarm.raised").count() == 4


def test_every_alarm_has_a_sentence():
    assert all(sentence.endswith(".") for sentence in notices.ALARMS.values())


def test_an_unknown_alarm_is_an_error_not_a_silence():
    with pytest.raises(KeyError):
        notices.alarm(practice=rows.make_practice(), kind="nonsense", key="", now=NOW)


def test_a_move_outside_the_table_is_refused_and_writes_nothing(request_):
    before = request_.version
    with pytest.raises(WrongState, match="not possible"):
        moves.move(request=request_, verb="answer", to=RequestState.ANSWERED, now=NOW)
    assert (request_.state, request_.version) == (RequestState.APPROVED, before)
