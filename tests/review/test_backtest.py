"""A draft on recorded decisions: counts, unsafe changes first, what people did; publishing waits for a look."""

import itertools
import json
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from refillhub.practices import clock
from refillhub.practices.models import Practice, Role, User
from review import backtest
from review.models import RefillRequest
from rules import preview, previewing, publishing, recording, versions
from rules.findings import Outcome
from rules.models import DecisionRecord, PreviewRun, RuleVersion
from tests.review import rows
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def at(moment: datetime) -> Any:
    return lambda: moment


def practice_with(*classes: str) -> tuple[Practice, User, User]:
    """A practice whose rules are automatic for these classes, and two people who may change them."""
    practice = rows.make_practice()
    rows.make_provider(practice)
    rows.make_rules(practice, classes=classes)
    return practice, rows.make_user(practice, Role.administrator, "Ada"), rows.make_user(practice, Role.prescriber, "L")


def draft(practice: Practice, by: User, *, classes: tuple[str, ...] = (), **limits: Any) -> RuleVersion:
    adoptions = [{"class": key, "by": "Dr. Lind", "on": "2026-01-05", "note": ""} for key in classes]
    document = {"policy": {"adopted_classes": list(classes), **limits}, "adoptions": adoptions}
    return versions.draft(practice=practice, by=by, document=document, now=NOW)


def one_of(practice: Practice, patient: str) -> RefillRequest:
    """A plain request of this patient."""
    snapshot = rows.snapshot(patient_external_id=patient)
    medication = rows.make_medication(practice, patient)
    return rows.admit(practice, medication, patient_external_id=patient, snapshot=snapshot)


def run(version: RuleVersion, by: User) -> PreviewRun:
    asked = previewing.ask(version=version, by=by, now=LATER)
    assert backtest.run_due(clock=at(LATER)) == 1
    asked.refresh_from_db()
    return asked


def test_a_draft_that_adopts_a_class_would_approve_what_waited_for_a_person() -> None:
    practice, ada, _ = practice_with()
    request = rows.admit(practice)
    made = run(draft(practice, ada, classes=("ppi_h2",)), ada)
    assert made.state == "done"
    assert made.result["matrix"] == [["review", "auto_approve", 1]]
    (change,) = made.result["changes"]
    assert (change["request"], change["before"], change["after"]) == (str(request.pk), "review", "auto_approve")
    assert change["is_newly_automatic"]
    assert change["before_reasons"] == ["class_not_adopted"]
    assert made.result["people"] == {"open": 1}
    assert made.result["bound_permille"] == 950.0


def test_a_stricter_draft_makes_nothing_automatic() -> None:
    practice, ada, _ = practice_with("ppi_h2")
    rows.admit(practice)
    made = run(draft(practice, ada, classes=("ppi_h2",), visit_limit_days=30), ada)
    assert made.result["newly_automatic"] == 0
    assert [row[:2] for row in made.result["matrix"]] == [["auto_approve", "review"]]
    assert not made.result["changes"][0]["is_less_cautious"]


def test_what_people_denied_counts_as_unsafe_and_stands_first() -> None:
    practice, ada, _ = practice_with()
    rows.admit(practice)
    denied = RefillRequest.objects.get()
    RefillRequest.objects.filter(pk=denied.pk).update(state="denied", decided_by=ada, ended_at=NOW)
    made = run(draft(practice, ada, classes=("ppi_h2",)), ada)
    assert made.result["people"] == {"denied": 1}
    assert made.result["bound_permille"] == 1000.0


def test_a_record_that_cannot_be_opened_is_counted() -> None:
    practice, ada, _ = practice_with("ppi_h2")
    rows.admit(practice)
    DecisionRecord.objects.update(facts_sealed=b"RH1broken")
    made = run(draft(practice, ada, classes=("ppi_h2",)), ada)
    assert (made.result["counted"], made.result["unreadable"]) == (0, 1)


def test_decisions_of_another_practice_are_not_looked_at() -> None:
    practice, ada, _ = practice_with("ppi_h2")
    other = rows.clinic()
    rows.admit(other)
    assert run(draft(practice, ada, classes=("ppi_h2",)), ada).result["counted"] == 0


def test_publishing_new_automatic_approvals_waits_until_that_person_has_looked() -> None:
    practice, ada, lind = practice_with()
    rows.admit(practice)
    version = draft(practice, ada, classes=("ppi_h2",))
    versions.propose(version_id=version.pk, by=ada, now=NOW)
    with pytest.raises(publishing.NotPreviewed, match="not been tried"):
        publishing.publish(version_id=version.pk, by=lind, now=LATER)
    made = run(version, ada)
    previewing.look(run=made, by=ada, now=LATER)
    with pytest.raises(publishing.NotPreviewed, match="1 new automatic"):
        publishing.publish(version_id=version.pk, by=lind, now=LATER)
    previewing.look(run=made, by=lind, now=LATER)
    assert publishing.publish(version_id=version.pk, by=lind, now=LATER).state == "published"


def test_a_preview_of_an_earlier_text_of_the_draft_does_not_count() -> None:
    practice, ada, lind = practice_with("ppi_h2")
    rows.admit(practice)
    version = draft(practice, ada, classes=("ppi_h2",), visit_limit_days=300)
    run(version, ada)
    versions.change(version_id=version.pk, by=ada, document={"policy": {"visit_limit_days": 200}}, now=LATER)
    versions.propose(version_id=version.pk, by=ada, now=LATER)
    with pytest.raises(publishing.NotPreviewed):
        publishing.publish(version_id=version.pk, by=lind, now=LATER)


def test_a_practice_without_recorded_decisions_has_nothing_to_look_at() -> None:
    practice, ada, lind = practice_with()
    version = draft(practice, ada, classes=("ppi_h2",))
    versions.propose(version_id=version.pk, by=ada, now=NOW)
    assert publishing.publish(version_id=version.pk, by=lind, now=NOW).state == "published"


def test_rolling_back_is_publishing_an_old_one_again() -> None:
    practice, ada, lind = practice_with("ppi_h2")
    old = versions.in_force(practice=practice, now=NOW)
    assert old is not None
    stricter = draft(practice, ada, visit_limit_days=100)
    versions.propose(version_id=stricter.pk, by=ada, now=NOW)
    publishing.publish(version_id=stricter.pk, by=lind, now=NOW)
    back = versions.again(version=old, by=ada, now=LATER)
    versions.propose(version_id=back.pk, by=ada, now=LATER)
    publishing.publish(version_id=back.pk, by=lind, now=LATER)
    now = versions.in_force(practice=practice, now=LATER)
    assert now is not None
    assert (now.document, now.number) == (old.document, old.number + 2)


def test_a_run_whose_worker_died_is_taken_up_by_another_and_the_dead_one_changes_nothing() -> None:
    practice, ada, _ = practice_with()
    rows.admit(practice)
    previewing.ask(version=draft(practice, ada, classes=("ppi_h2",)), by=ada, now=LATER)
    dead = previewing.claim(now=LATER)
    assert dead is not None
    assert previewing.claim(now=LATER + timedelta(minutes=9)) is None
    assert backtest.run_due(clock=at(LATER + timedelta(minutes=11))) == 1
    assert backtest.tally_of(run=dead, clock=at(LATER + timedelta(minutes=12))) is None
    assert PreviewRun.objects.get().state == "done"


def test_a_long_run_pauses_and_goes_on_and_ends_as_one_without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    practice, ada, _ = practice_with()
    for number in range(5):
        one_of(practice, str(910 + number))
    version = draft(practice, ada, classes=("ppi_h2",))
    whole = run(version, ada).result
    monkeypatch.setattr(backtest, "BATCH", 2)
    asked = previewing.ask(version=version, by=ada, now=LATER)
    ticks = itertools.count()

    def slow() -> datetime:
        return LATER + backtest.SLICE * next(ticks)

    states = []
    for _ in range(4):
        backtest.run_due(clock=slow)
        asked.refresh_from_db()
        states.append(asked.state)
    assert states == ["running", "running", "running", "done"]
    assert asked.result == whole
    assert whole["counted"] == 5


def test_a_draft_changed_while_it_waited_is_not_vouched_for() -> None:
    practice, ada, _ = practice_with()
    rows.admit(practice)
    version = draft(practice, ada, classes=("ppi_h2",))
    asked = previewing.ask(version=version, by=ada, now=LATER)
    versions.change(version_id=version.pk, by=ada, document={}, now=LATER)
    backtest.run_due(clock=at(LATER))
    asked.refresh_from_db()
    assert (asked.state, asked.error) == ("failed", backtest.DRAFT_CHANGED)


def test_the_draft_stands_beside_what_people_did_by_recipe_and_class() -> None:
    practice, ada, _ = practice_with()
    for number, changes in enumerate(
        (
            {"state": "done", "decided_by": ada, "approved_at": NOW, "ended_at": NOW},
            {"state": "denied", "decided_by": ada, "ended_at": NOW},
            {},
        )
    ):
        request = one_of(practice, str(920 + number))
        RefillRequest.objects.filter(pk=request.pk).update(**changes)
    made = run(draft(practice, ada, classes=("ppi_h2",)), ada)
    assert made.result["agreement"] == [
        ["auto_refill", "ppi_h2", "agree", 1],
        ["auto_refill", "ppi_h2", "differ", 1],
        ["auto_refill", "ppi_h2", "open", 1],
    ]
    stricter = run(draft(practice, ada), ada)
    assert {row[2] for row in stricter.result["agreement"]} == {"left"}


def test_asking_twice_for_the_same_draft_is_one_run() -> None:
    practice, ada, _ = practice_with()
    version = draft(practice, ada)
    assert previewing.ask(version=version, by=ada, now=NOW) == previewing.ask(version=version, by=ada, now=NOW)


def test_a_run_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    practice, ada, _ = practice_with()
    rows.admit(practice)

    def broken(**_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(preview, "judge", broken)
    made = run(draft(practice, ada), ada)
    assert (made.state, made.error) == ("failed", "RuntimeError")


def test_what_the_rules_in_force_would_no_longer_decide_is_not_laid_to_the_draft() -> None:
    practice, ada, _ = practice_with("ppi_h2")
    rows.admit(practice)
    DecisionRecord.objects.update(outcome="review")  # as an older version had decided
    made = run(draft(practice, ada, classes=("ppi_h2",), duplicate_hours=48), ada)
    assert (made.result["not_the_drafts"], made.result["changed"]) == (1, 0)


def test_the_command_prints_what_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    practice, ada, _ = practice_with()
    rows.admit(practice)
    version = draft(practice, ada, classes=("ppi_h2",))
    monkeypatch.setattr(clock, "now", at(LATER))
    out = StringIO()
    call_command("backtest", practice=practice.slug, draft=version.number, json=True, stdout=out)
    assert json.loads(out.getvalue())["newly_automatic"] == 1
    with pytest.raises(CommandError, match="no rules version 99"):
        call_command("backtest", practice=practice.slug, draft=99)


def test_of_more_changes_than_are_shown_the_unsafe_ones_stay_and_all_are_counted() -> None:
    practice, ada, _ = practice_with()
    rows.admit(practice)
    record = DecisionRecord.objects.get()
    facts = recording.facts_of(record=record)
    strict = preview.rules_of(document=None)
    loose = preview.rules_of(document=draft(practice, ada, classes=("ppi_h2",)).document)
    tally = preview.Tally()
    old = preview.Case(
        record_id=0, request_id=record.request_id, facts=replace(facts, reading=replace(facts.reading, is_plain=False)),
        outcome=Outcome.hold, recipe="after_hours",
    )  # fmt: skip
    for number in range(preview.SHOWN):
        preview.judge(case=replace(old, record_id=number), draft=loose, in_force=strict, tally=tally)
    harmless = tally.changed
    new = preview.Case(
        record_id=9999, request_id=record.request_id, facts=facts, outcome=Outcome.review, recipe="review"
    )
    preview.judge(case=new, draft=loose, in_force=strict, tally=tally)
    assert tally.newly_automatic == 1
    assert tally.changed == harmless + 1
    assert any(one.record_id == 9999 for one in tally.changes)
