"""What is watched after it left: drugs stopped or changed since, pharmacies that wait; alarms that end."""

import importlib
from datetime import date, timedelta

import pytest
from django.urls import reverse

from audit.models import Entry
from integrations.models import MirrorMedication
from review import watching, workflow
from review.models import Alarm, Dispatch, RefillRequest
from review.states import RequestState
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db
R = RequestState


def load(name):
    return importlib.import_module(name)


@pytest.fixture
def scene():
    return load("tests.review.scene").set_up()


def sent(scene):
    """A request whose prescription is at the pharmacy since yesterday."""
    row = load("tests.review.scene").waiting(scene)
    RefillRequest.objects.filter(pk=row.pk).update(state=R.DONE, approved_at=NOW - timedelta(days=1), queue="")
    row.refresh_from_db()
    return row


def stopped(row, **values):
    MirrorMedication.objects.filter(external_id=row.entry_external_id).update(
        **{"is_active": False, "changed_at": NOW, **values}
    )


def test_a_drug_stopped_after_it_was_sent_asks_its_prescriber_once(scene):
    row = sent(scene)
    assert watching.stops(now=NOW) == 0
    stopped(row)
    assert watching.stops(now=NOW) == 1
    assert watching.stops(now=NOW + timedelta(hours=1)) == 0
    item = RefillRequest.objects.get(about=row)
    assert (item.reasons, item.queue, item.assignee) == (["stopped_after_sending"], "prescriber", scene.osei)
    assert not Dispatch.objects.filter(kind="cancelrx").exists()
    page = scene.client("osei").get(reverse("review:card", args=[item.id])).content.decode()
    assert "Ask the pharmacy to cancel what it has" in page


def test_a_changed_dose_asks_too_and_an_older_change_does_not(scene):
    row = sent(scene)
    stopped(row, is_active=True, dose_changed_on=date(2026, 11, 10))
    assert watching.stops(now=NOW) == 0
    stopped(row, is_active=True, dose_changed_on=date(2026, 11, 17))
    assert watching.stops(now=NOW) == 1
    assert RefillRequest.objects.get(about=row).reasons == ["dose_changed_after_sending"]


def test_what_was_stopped_before_it_was_sent_is_not_asked_about(scene):
    row = sent(scene)
    stopped(row, changed_at=NOW - timedelta(days=2))
    assert watching.stops(now=NOW) == 0


def test_a_lasting_alarm_ends_when_its_trouble_is_over_and_opens_anew(scene):
    workflow.raise_alarm(practice=scene.practice, kind="lane_busy", key="surescripts", now=NOW)
    workflow.raise_alarm(practice=scene.practice, kind="lane_busy", key="surescripts", now=NOW + timedelta(seconds=60))
    assert Alarm.objects.get().times == 2
    assert workflow.end_past(now=NOW + timedelta(seconds=120)) == 0
    assert workflow.end_past(now=NOW + timedelta(seconds=160)) == 1
    assert Entry.objects.filter(event="alarm.ended").count() == 1
    workflow.raise_alarm(practice=scene.practice, kind="lane_busy", key="surescripts", now=NOW + timedelta(minutes=9))
    assert Alarm.objects.filter(closed_at=None).count() == 1


def test_other_alarms_wait_for_a_person_of_the_practice(scene):
    workflow.raise_alarm(practice=scene.practice, kind="task_failed", key="x", now=NOW)
    alarm = Alarm.objects.get()
    assert workflow.end_past(now=NOW + timedelta(days=3)) == 0
    address = reverse("review:end_alarm", args=[alarm.id])
    assert "Seen, end it" in scene.client("mia").get(reverse("review:today")).content.decode()
    assert scene.client("mallory").post(address).status_code == 404
    assert scene.client("mia").post(address).status_code == 302
    assert scene.client("mia").post(address).status_code == 404
    alarm.refresh_from_db()
    assert alarm.closed_at is not None
