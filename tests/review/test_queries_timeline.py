"""The life of one request: every step with its lane and shapes, times that add up, a fixed number of queries."""

import pathlib
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit import log
from audit.events import Actor, ActorKind, Draft
from integrations import vault
from integrations.outcome import OutcomeKind
from review import access, queries_path, queries_steps, queries_timeline
from review.models import Comment, Dispatch, EventLink, FillReport, NetworkMail, RefillRequest
from rules.models import DecisionRecord
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=10)


def lived(practice=None):
    """A request that was approved by itself and refused by the network two seconds later."""
    practice = practice or rows.clinic()
    event = rows.make_event(practice, sent_at=NOW - timedelta(seconds=95), received_at=NOW - timedelta(seconds=92),
                            due_at=NOW - timedelta(seconds=2), read_at=NOW)
    request = rows.admit(practice, events=(event,), asked_at=NOW - timedelta(seconds=95))
    EventLink.objects.get_or_create(event=event, request=request)
    RefillRequest.objects.filter(pk=request.pk).update(snapshot_at=NOW)
    return request


def refused(request, **values):
    claimed = rows.send(request, OutcomeKind.REJECTED, now=NOW + timedelta(seconds=1), only="none")
    for one in claimed:
        if one.kind == "newrx":
            rows.settle(one, OutcomeKind.REJECTED, now=NOW + timedelta(seconds=3), code="900",
                        description_codes=("1000",), text="Unable to identify Ana Reyes", **values)
    return request


def seen(request, now=LATER):
    row = access.request_for(practice=request.practice, request_id=request.id)
    return queries_timeline.timeline(request=row, now=now)


def test_every_stage_is_there_in_order_with_its_lane():
    found = seen(refused(lived()))
    titles = [step.title for step in found.steps]
    for title, lane in (
        ("The patient wrote a message.", "klara"), ("The message reached us.", "klara"),
        ("A request was opened.", "hub"), ("The rules decided on a request.", "hub"),
        ("A message to a vendor is being sent.", "surescripts"), ("A message was rejected.", "surescripts"),
        ("A request came back to a person.", "hub"),
    ):  # fmt: skip
        assert next(step.lane for step in found.steps if step.title == title) == lane, title
    assert titles.index("The patient wrote a message.") == 0
    assert titles.index("A message to a vendor is being sent.") < titles.index("A message was rejected.")
    assert list(found.steps) == sorted(found.steps, key=lambda one: one.at)


def test_each_step_tells_the_time_since_the_one_before():
    found = seen(refused(lived()))
    assert found.steps[0].since is None
    for before, step in zip(found.steps, found.steps[1:], strict=False):
        assert step.since == step.at - before.at


def test_the_rules_a_person_and_a_vendor_are_told_apart():
    found = seen(refused(lived()))
    who = {step.title: step.who for step in found.steps}
    assert who["The rules decided on a request."] == "the rules"
    assert who["The patient wrote a message."] == "Klara"
    request = lived(rows.clinic(name="Second Clinic"))
    with transaction.atomic():
        person = rows.make_user(request.practice, "assistant", "Mia Example")
        log.record(now=NOW, draft=Draft(practice_id=request.practice_id, event="request.reassigned",
                                        actor=Actor(ActorKind.person, str(person.id)), request_id=request.id))
    assert next(one.who for one in seen(request).steps if "given to another" in one.title) == "Mia Example"


def test_the_times_add_up_from_the_first_word_to_now():
    found = seen(refused(lived()))
    parts = {str(share): length.total_seconds() for share, length in found.spent.parts}
    assert sum(parts.values()) == pytest.approx(found.spent.total.total_seconds(), abs=1e-6)
    assert found.spent.total == LATER - (NOW - timedelta(seconds=95))
    assert parts == pytest.approx(
        {"klara": 3.0, "quiet": 90.0, "own": 2.0 + 1.0, "surescripts": 2.0, "people": 600.0 - 3.0}, abs=0.001
    )


def test_an_undo_window_is_waiting_we_chose():
    request = lived(rows.clinic(undo_seconds_automatic=120))
    parts = {str(share): length.total_seconds() for share, length in seen(request).spent.parts}
    assert parts["undo"] == pytest.approx(120.0)


def test_an_ended_request_counts_to_its_end_only():
    request = lived()
    rows.send(request, OutcomeKind.DELIVERED, now=NOW + timedelta(seconds=5))
    found = seen(request, now=NOW + timedelta(days=9))
    assert not found.is_open
    assert found.spent.total == timedelta(seconds=100)


def test_details_are_shapes_and_hold_no_words_of_vendor_or_patient():
    request = refused(lived())
    found = seen(request)
    told = queries_timeline.as_text(found) + repr([(step.title, step.small, step.facts) for step in found.steps])
    for name in ("Ana", "Reyes", "1968", "omeprazole please", "Elm St", "Unable to identify"):
        assert name not in told
    newrx = Dispatch.objects.get(request=request, kind="newrx")
    for value in (newrx.document_sha256, newrx.message_id, str(newrx.id), str(request.id)):
        assert value in told


@pytest.mark.parametrize(("value", "told"), [
    ("900", "900"), ("a sentence, with words!", "text, 23 characters"), ({"name": "Ana"}, "1 fields: name"),
    ([], "none"), (["a", "b c d"], "2: a, text, 5 characters"), (True, "yes"), (None, "none"), (7, "7"), ("", "empty"),
])  # fmt: skip
def test_a_shape_shows_codes_and_hides_words(value, told):
    assert queries_steps.shape(value) == told


def test_what_was_refused_is_explained_with_its_runbook():
    found = seen(refused(lived()))
    one = found.bad[0]
    assert (one.code, one.failure.runbook) == ("900 / 1000", "A pharmacy is not known")
    assert not one.may_go_anew
    assert not found.in_doubt


def test_a_message_the_patient_never_got_is_not_explained_as_the_networks_refusal():
    request = lived()
    rows.send(request, OutcomeKind.ACCEPTED, now=NOW + timedelta(seconds=1), only="newrx")
    rows.send(request, OutcomeKind.REJECTED, now=NOW + timedelta(seconds=2), only="reply", code="422")
    one = seen(request).bad[0]
    assert one.failure.step.startswith("The patient was not told.")
    assert "pharmacy" not in one.failure.step
    assert one.may_go_anew


def test_the_runbook_entry_of_such_a_message_exists():
    text = (pathlib.Path(__file__).parents[2] / "docs" / "runbook.md").read_text()
    assert f"## {queries_timeline.NOT_DONE_RUNBOOK}\n" in text


def test_what_may_have_arrived_stands_apart_from_what_was_refused():
    request = lived()
    rows.send(request, OutcomeKind.UNKNOWN, now=NOW + timedelta(seconds=1), only="newrx")
    found = seen(request)
    assert [one.row.kind for one in found.in_doubt] == ["newrx"]
    assert found.in_doubt[0].row.next_check_at is not None
    assert not found.bad
    assert not found.in_doubt[0].may_go_anew


def test_mail_fills_notes_duplicates_and_items_are_found():
    request = lived()
    practice = request.practice
    newrx = Dispatch.objects.get(request=request, kind="newrx")
    NetworkMail.objects.create(practice=practice, sender="9990001", message_id="fill-1", relates_to=newrx.message_id,
                               body_name="RxFill", document_sealed=b"x", received_at=LATER, applied_at=LATER)
    FillReport.objects.create(practice=practice, message_id="fill-1", patient_external_id="70112345",
                              ingredient_key="k", kind="Dispensed", fills_left=2, received_at=LATER)
    note = vault.seal_payload(plain=b"hello", practice_id=practice.id, stage="dev", purpose="comment")
    author = rows.make_user(practice, "assistant", "Mia")
    Comment.objects.create(practice=practice, request=request, author=author, text_sealed=note, at=NOW)
    values = {"practice": practice, "kind": "message", "is_shadow": False, "asked_at": NOW, "opened_at": NOW,
              "changed_at": NOW}
    joined = RefillRequest.objects.create(state="duplicate", duplicate_of=request, **values)
    item = RefillRequest.objects.create(state="in_review", about=request, **values)
    found = seen(request, now=LATER)
    fill = next(step for step in found.steps if step.small.startswith("RxFill: Dispensed"))
    assert ("fills left", "2") in fill.facts
    assert (found.comments, [one.id for one in found.joined], [one.id for one in found.items]) == (
        1, [joined.id], [item.id])


def test_nothing_of_another_practice_is_read():
    request = lived()
    other = rows.clinic(name="Elsewhere Clinic")
    with transaction.atomic():
        log.record(now=NOW, draft=Draft(practice_id=other.id, event="request.cancelled",
                                        actor=Actor(ActorKind.system, "x"), request_id=request.id))
    NetworkMail.objects.create(practice=other, sender="9", message_id="m", body_name="Other", document_sealed=b"x",
                               relates_to=Dispatch.objects.get(request=request, kind="newrx").message_id,
                               received_at=NOW)
    found = seen(request)
    assert not any("cancelled" in step.title or step.small == "Other" for step in found.steps)


def more_entries(request, count):
    with transaction.atomic():
        log.record_many(now=LATER, drafts=[
            Draft(practice_id=request.practice_id, event="request.reassigned", request_id=request.id,
                  actor=Actor(ActorKind.system, "refill-hub"), data={"n": n}) for n in range(count)])


def queries_of(request):
    with CaptureQueriesContext(connection) as caught:
        found = seen(request)
    return len(caught), found


def test_eight_queries_whether_it_has_few_steps_or_sixty():
    request = lived()
    few, _ = queries_of(request)
    more_entries(request, 60)
    refused(request)
    for n in range(10):
        event = rows.make_event(request.practice, sender_id=f"pat_{n}")
        EventLink.objects.create(event=event, request=request)
    many, found = queries_of(request)
    assert len(found.steps) > 60
    assert (few, many) == (8, 8)


def test_a_long_life_is_cut_and_says_how_much_is_left_off():
    request = lived()
    more_entries(request, queries_timeline.MOST_STEPS + 40)
    found = seen(request)
    assert len(found.steps) == queries_timeline.MOST_STEPS
    total = len(found.steps) + found.left_off
    more_entries(request, 1)
    assert seen(request).left_off + queries_timeline.MOST_STEPS == total + 1


def test_the_taken_path_of_the_recorded_recipe_is_lit():
    request = lived()
    why = seen(request).why
    assert why.record.recipe == "auto_refill"
    assert [node.is_lit for node in why.nodes] == [True, True]
    assert why.graph.count(" lit") == 2


@pytest.mark.parametrize("recipe", ["", "review"])
def test_where_no_recipe_matched_the_last_one_is_drawn_without_its_action(recipe):
    request = lived()
    DecisionRecord.objects.filter(request_id=request.id).update(recipe=recipe)
    why = seen(request).why
    assert why.graph
    assert why.recipe == "no recipe led to it; the last one asked was Automatic refill"
    assert why.nodes[0].is_lit is True
    assert why.nodes[-1].is_lit is False


def test_without_its_recipe_the_trace_alone_tells_it():
    request = lived()
    record = DecisionRecord.objects.filter(request_id=request.id).latest("at")
    record.recipe, record.trace = "gone_recipe", [["guard", "visit", "402", "365", False, "", None]]
    why = queries_path.why(record)
    assert (why.graph, why.nodes) == ("", ())
    assert why.trace == (("guard: visit", "402", "365", "no"),)


def test_a_request_the_rules_never_saw_has_no_why():
    practice = rows.clinic()
    row = RefillRequest.objects.create(practice=practice, kind="message", state="in_review", is_shadow=False,
                                       asked_at=NOW, opened_at=NOW, changed_at=NOW)
    found = seen(row)
    assert found.why is None
    assert found.steps == ()
