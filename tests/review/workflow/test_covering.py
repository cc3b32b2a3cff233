"""An absence from start to return: what moves, what goes back, what stays; nothing is ever left with nobody."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from refillhub.practices.models import Coverage, Provider
from review import routing, timers, workflow
from review.models import CoverageMove, MoveEnd, Queue, RefillRequest
from review.states import RequestState
from tests.review import rows
from tests.review import scene as make
from tests.review.rows import NOW

HOUR = timedelta(hours=1)


def away(provider, stand_in, start=1, hours=8, **values):
    return Coverage.objects.create(
        practice=provider.practice, provider=provider, stand_in=stand_in, starts_at=NOW + start * HOUR,
        ends_at=NOW + (start + hours) * HOUR, **values,
    )  # fmt: skip


def item(scene, who=None, **values):
    return make.waiting(scene, prescriber=scene.osei, assignee=who or scene.osei, **values)


def beat(hours):
    return timers.escalate(now=NOW + hours * HOUR)


def holder(row):
    row.refresh_from_db()
    return row.queue, row.assignee


def test_waiting_items_move_at_the_start_and_only_those_go_back_on_return(scene):
    old, urgent = item(scene), item(scene, is_urgent=True)
    theirs = item(scene, scene.lind)
    away(scene.osei, scene.lind, returns_waiting=True)
    assert beat(0.5) == 0
    assert beat(1) == 2
    assert beat(1.5) == 0
    assert holder(old) == holder(urgent) == (Queue.PRESCRIBER, scene.lind)
    assert beat(8.9) == 0
    assert beat(9) == 2
    assert holder(old) == holder(urgent) == (Queue.PRESCRIBER, scene.osei)
    assert holder(theirs) == (Queue.PRESCRIBER, scene.lind)
    assert beat(9.1) == 0
    ends = CoverageMove.objects.values_list("end", flat=True)
    assert list(ends) == [MoveEnd.RETURNED] * 2
    events = [e.event for e in Entry.objects.of(practice_id=scene.practice.id) if e.request_id == old.id]
    assert events.count("request.reassigned") == 2


def test_by_default_what_moved_stays_with_the_stand_in(scene):
    row = item(scene)
    away(scene.osei, scene.lind)
    beat(1)
    assert beat(9) == 0
    assert holder(row) == (Queue.PRESCRIBER, scene.lind)
    assert CoverageMove.objects.get().end == MoveEnd.STAYED


def test_where_only_new_ones_move_the_old_stay_but_urgent_ones_and_those_with_news_do_not(scene):
    old, urgent, news = item(scene), item(scene, is_urgent=True), item(scene)
    away(scene.osei, scene.lind, moves_waiting=False)
    assert beat(1) == 1
    RefillRequest.objects.filter(pk=news.pk).update(changed_at=NOW + 2 * HOUR)
    assert beat(2) == 1
    assert holder(old)[1] == scene.osei
    assert holder(urgent)[1] == holder(news)[1] == scene.lind
    assert routing.owner(practice=scene.practice, prescriber=scene.osei, queue=Queue.PRESCRIBER,
                         now=NOW + HOUR).provider == scene.lind  # fmt: skip


def test_what_was_decided_or_given_away_meanwhile_does_not_come_back(scene):
    decided, given_away, asked = item(scene), item(scene), item(scene)
    moss = rows.make_provider(scene.practice, "Moss", doctor_id="302120")
    away(scene.osei, scene.lind, returns_waiting=True)
    beat(1)
    for row in (decided, given_away, asked):
        row.refresh_from_db()
    workflow.cancel(request_id=decided.id, user=scene.lind.user, version=decided.version, now=NOW, reason="moved away")
    for row, queue, to in ((given_away, Queue.PRESCRIBER, moss), (asked, Queue.ASSISTANT, scene.lind)):
        workflow.reassign(request_id=row.id, user=scene.lind.user, version=row.version, now=NOW, queue=queue,
                          provider=to)  # fmt: skip
    assert beat(9) == 0
    assert (holder(given_away), holder(asked)) == ((Queue.PRESCRIBER, moss), (Queue.ASSISTANT, scene.lind))
    decided.refresh_from_db()
    assert decided.state == RequestState.CANCELLED
    ends = dict(CoverageMove.objects.values_list("request_id", "end"))
    assert ends == {decided.id: MoveEnd.DECIDED, given_away.id: MoveEnd.ELSEWHERE, asked.id: MoveEnd.ELSEWHERE}


def test_a_chain_of_two_absences_comes_home_whoever_returns_first(scene):
    row = item(scene)
    moss = rows.make_provider(scene.practice, "Moss", doctor_id="302120")
    away(scene.osei, scene.lind, 1, 8, returns_waiting=True)
    away(scene.lind, moss, 2, 2, returns_waiting=True)
    seen = []
    for hour in range(11):
        beat(hour)
        seen.append(holder(row)[1].last_name)
    assert seen == ["Osei", "Lind", "Moss", "Moss", "Lind", "Lind", "Lind", "Lind", "Lind", "Osei", "Osei"]
    other = item(scene)
    Coverage.objects.all().delete()
    CoverageMove.objects.all().delete()
    away(scene.osei, scene.lind, 21, 2, returns_waiting=True)
    away(scene.lind, moss, 22, 8, returns_waiting=True)
    seen = []
    for hour in range(21, 32):
        beat(hour)
        seen.append(holder(other)[1].last_name)
    assert seen == ["Lind", "Moss"] + ["Osei"] * 9  # home, and Dr. Lind's return does not take it away again


def test_one_absence_after_another_waits_until_the_prescriber_is_really_in(scene):
    row = item(scene)
    away(scene.osei, scene.lind, 1, 2, returns_waiting=True)
    away(scene.osei, scene.lind, 3, 2)
    for hour, who in ((1, scene.lind), (3, scene.lind), (4, scene.lind), (5, scene.osei)):
        beat(hour)
        assert holder(row)[1] == who, hour


def test_an_item_that_nobody_could_take_goes_back_whatever_was_chosen(scene):
    row = item(scene)
    away(scene.osei, None)
    beat(1)
    assert holder(row) == (Queue.ADMINISTRATOR, None)
    assert beat(9) == 1
    assert holder(row) == (Queue.PRESCRIBER, scene.osei)


def test_an_absence_ended_early_gives_back_at_the_next_beat(scene):
    row = item(scene)
    absence = away(scene.osei, scene.lind, returns_waiting=True)
    beat(1)
    Coverage.objects.filter(pk=absence.pk).update(ends_at=NOW + 3 * HOUR)
    assert beat(3) == 1
    assert holder(row)[1] == scene.osei


def test_items_of_one_who_left_for_good_are_given_out_and_do_not_return(scene):
    row = item(scene)
    absence = away(scene.osei, scene.lind, returns_waiting=True)
    beat(1)
    Provider.objects.filter(pk=scene.osei.pk).update(is_active=False)
    beat(9)
    assert holder(row)[1] == scene.lind
    assert CoverageMove.objects.get().end == MoveEnd.STAYED
    absence.delete()
    Provider.objects.filter(pk=scene.lind.pk).update(is_active=False)
    assert beat(10) == 1
    assert holder(row) == (Queue.ADMINISTRATOR, None)


def test_a_signature_never_moves_with_coverage(scene):
    row = item(scene)
    RefillRequest.objects.filter(pk=row.pk).update(state=RequestState.AWAITING_SIGNATURE)
    away(scene.osei, scene.lind)
    assert workflow.reroute(request_id=row.id, now=NOW + HOUR) == 0
    assert beat(1) == 0
    assert holder(row)[1] == scene.osei


def test_a_lost_beat_or_a_second_worker_changes_nothing(scene):
    row = item(scene)
    away(scene.osei, scene.lind, returns_waiting=True)
    beat(1)
    (move,) = CoverageMove.objects.all()
    assert workflow.give_back(move_id=move.id, now=NOW + 2 * HOUR) == 0  # not yet over
    assert workflow.give_back(move_id=move.id, now=NOW + 30 * HOUR) == 1  # beats were lost for a day
    assert workflow.give_back(move_id=move.id, now=NOW + 30 * HOUR) == 0
    assert holder(row)[1] == scene.osei


SPAN = st.tuples(st.integers(0, 2), st.none() | st.integers(0, 2), st.integers(0, 9), st.integers(1, 9), st.booleans())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=st.lists(SPAN, max_size=5))
def test_over_a_day_of_any_absences_no_item_is_with_one_who_is_away_or_with_nobody_while_someone_is_in(scene, spans):
    for model in (CoverageMove, Coverage):
        model.objects.all().delete()
    practice = scene.practice
    moss = Provider.objects.filter(practice=practice, last_name="Moss").first()
    moss = moss or rows.make_provider(practice, "Moss", doctor_id="302120", on_call_order=1)
    people = [scene.osei, scene.lind, moss]
    RefillRequest.objects.update(assignee=None, queue=Queue.ASSISTANT)
    row = item(scene)
    for who, stand_in, start, hours, returns in spans:
        if who != stand_in:
            away(people[who], None if stand_in is None else people[stand_in], start, hours, returns_waiting=returns)
    for hour in range(20):
        beat(hour)
        queue, assignee = holder(row)
        gone = {each.provider_id for each in Coverage.objects.during(NOW + hour * HOUR)}
        assert assignee is None or assignee.id not in gone
        assert (assignee is None) == (queue == Queue.ADMINISTRATOR)
        if assignee is None:
            assert scene.osei.id in gone
    assert holder(row)[1] is not None
    assert not CoverageMove.objects.standing().exists()
