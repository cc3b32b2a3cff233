"""The morning report: what came while closed, across nights and weekends; counts in the mail, names nowhere."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from refillhub.practices.models import Role
from review import report
from review.models import MorningReport, RefillRequest
from review.states import RequestState
from tests.review import rows

pytestmark = pytest.mark.django_db
MONDAY_7 = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
TUESDAY_7 = MONDAY_7 + timedelta(days=1)
ODD = replace(rows.PLAIN, is_plain=False)
number = iter(range(10_000))


@pytest.fixture
def practice():
    practice = rows.clinic()
    practice.open_days = [0, 1, 2, 3, 4]
    practice.save()
    return practice


def came(practice, moment, **values):
    patient = f"7{next(number):07d}"
    return rows.admit(
        practice,
        rows.make_medication(practice, patient),
        now=moment,
        asked_at=moment,
        patient_external_id=patient,
        sender_id=f"pat_{patient}",
        **values,
    )


def overnight(practice, now):
    return {row.id for row in report.build(practice=practice, now=now).overnight}


def test_what_came_between_closing_and_opening_is_on_it_and_the_day_is_not(practice):
    before = came(practice, datetime(2026, 11, 16, 23, 59, 59, tzinfo=UTC))  # Monday 6:59:59 pm
    first = came(practice, datetime(2026, 11, 17, 0, 0, tzinfo=UTC))
    last = came(practice, TUESDAY_7 - timedelta(seconds=1))
    after = came(practice, TUESDAY_7)
    found = overnight(practice, TUESDAY_7 + timedelta(minutes=5))
    assert found == {first.id, last.id}
    assert not {before.id, after.id} & found


def test_on_monday_it_reaches_back_over_the_weekend_to_friday_evening(practice):
    friday = came(practice, datetime(2026, 11, 14, 0, 30, tzinfo=UTC))  # Friday 7:30 pm
    sunday = came(practice, datetime(2026, 11, 15, 17, 0, tzinfo=UTC))
    assert overnight(practice, MONDAY_7) == {friday.id, sunday.id}


def test_counts_tell_what_waits_and_what_presses(practice):
    evening = datetime(2026, 11, 17, 0, 30, tzinfo=UTC)
    came(practice, evening)
    waiting = came(practice, evening, reading=replace(ODD, kind=rows.facts.Kind.other))
    RefillRequest.objects.filter(pk=waiting.pk).update(is_urgent=True)
    made = report.build(practice=practice, now=TUESDAY_7)
    states = [row.state for row in made.overnight]
    assert sorted(states) == [RequestState.HELD, RequestState.IN_REVIEW]
    assert {"overnight": 2, "still_held": 1, "waiting": 1}.items() <= made.counts().items()
    assert made.counts()["pressing"] >= 1


def test_nothing_of_another_practice_is_on_it(practice):
    came(rows.clinic(name="Elsewhere"), datetime(2026, 11, 17, 0, 30, tzinfo=UTC))
    assert overnight(practice, TUESDAY_7) == set()


def test_it_is_mailed_once_a_day_at_opening_to_the_assistants_with_counts_only(practice):
    mia = rows.make_user(practice, Role.assistant, "Mia")
    rows.make_user(practice, Role.compliance, "Cora")
    came(practice, datetime(2026, 11, 17, 0, 30, tzinfo=UTC))
    assert report.send_due(now=TUESDAY_7 - timedelta(seconds=1)) == 0
    assert report.send_due(now=TUESDAY_7) == 1
    assert report.send_due(now=TUESDAY_7 + timedelta(hours=1)) == 0
    (letter,) = mail.outbox
    assert letter.to == [mia.email]
    assert "1 overnight" in letter.subject
    text = letter.subject + letter.body
    assert not any(word.lower() in text.lower() for word in ("Ana", "Reyes", "omeprazole", "70000"))
    assert MorningReport.objects.get(practice=practice).counts["overnight"] == 1


def test_no_report_on_a_closed_day(practice):
    assert report.send_due(now=datetime(2026, 11, 15, 17, 0, tzinfo=UTC)) == 0
