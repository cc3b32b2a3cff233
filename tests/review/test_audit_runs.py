"""Exports in the background: whole whatever stops them, signed so that any change shows, each download recorded."""

import base64
import importlib
import json
from datetime import timedelta

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import offline, signed
from audit.models import Entry
from refillhub.practices import references
from review import audit_runs, workflow
from review.models import AuditPiece, AuditRun
from review.queries_audit import Filter
from tests.review.rows import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(settings):
    settings.EXPORT_SIGNING_KEY = base64.b64encode(b"e" * 32).decode()
    made = importlib.import_module("tests.review.scene").set_up()
    for number in range(12):
        workflow.raise_alarm(practice=made.practice, kind="task_failed", key=str(number), now=NOW)
    workflow.raise_alarm(practice=made.other, kind="task_failed", key="theirs", now=NOW)
    return made


def made(scene, kind="json", wanted=None):
    run = audit_runs.ask(practice=scene.practice, user=scene.cora, kind=kind, wanted=wanted or Filter(), now=NOW)
    while audit_runs.run_due(clock=lambda: NOW):
        pass
    run.refresh_from_db()
    return run


def content(scene, run):
    return b"".join(audit_runs.download(run=run, user=scene.cora, now=NOW))


def test_a_signed_export_verifies_offline_and_holds_the_practices_own_entries(scene):
    run = made(scene)
    whole = content(scene, run)
    assert run.progress == "done"
    assert offline.check(content=whole, key=signed.public_key()) == []
    document = json.loads(whole)
    assert [one["number"] for one in document["entries"]] == list(range(1, run.up_to + 1))
    assert str(scene.other.id) not in whole.decode()
    assert "The signature" not in "".join(offline.check(content=whole))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), change=st.integers(1, 127))
def test_no_changed_byte_of_a_signed_export_passes(scene, place, change):
    if not AuditRun.objects.filter(progress="done").exists():
        made(scene)
    run = AuditRun.objects.filter(progress="done").first()
    whole = b"".join(audit_runs._pieces(run))
    at = place % (len(whole) - 1)
    forged = whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]
    try:
        wrong = offline.check(content=forged, key=signed.public_key())
    except ValueError:
        wrong = ["it is no JSON any more"]
    assert wrong


def test_an_entry_left_out_or_another_key_shows(scene):
    whole = content(scene, made(scene))
    lines = whole.split(b",\n")
    assert offline.check(content=b",\n".join([*lines[:3], *lines[4:]]))
    assert offline.check(content=whole, key=base64.b64encode(b"k" * 32).decode())
    assert offline.check(content=whole[:200])


def test_a_run_that_pauses_or_whose_worker_dies_goes_on_and_is_whole(scene, monkeypatch):
    monkeypatch.setattr(audit_runs, "AT_ONCE", 4)
    monkeypatch.setattr(audit_runs, "SLICE", timedelta(0))
    run = audit_runs.ask(practice=scene.practice, user=scene.cora, kind="json", wanted=Filter(), now=NOW)
    assert audit_runs.run_due(clock=lambda: NOW) == 1
    run.refresh_from_db()
    assert (run.progress, run.done) == ("waiting", 4)
    AuditRun.objects.update(progress="running", lease_until=NOW - timedelta(seconds=1))  # its worker died
    while audit_runs.run_due(clock=lambda: NOW):
        pass
    run.refresh_from_db()
    assert (run.progress, run.done) == ("done", run.total)
    assert offline.check(content=content(scene, run)) == []


def test_a_csv_has_one_head_line_however_many_pieces(scene, monkeypatch):
    monkeypatch.setattr(audit_runs, "AT_ONCE", 5)
    run = made(scene, kind="csv", wanted=Filter(event="alarm.raised"))
    lines = content(scene, run).decode().splitlines()
    assert len(lines) == 13
    assert [line for line in lines if line.startswith('"number"')] == lines[:1]


def test_asking_and_downloading_are_entries_and_the_day_ends(scene):
    run = made(scene)
    content(scene, run)
    outcomes = [json.loads(body)["outcome"] for body in
                Entry.objects.filter(event="audit.exported").order_by("id").values_list("body", flat=True)]  # fmt: skip
    assert outcomes == ["asked", "downloaded"]
    assert audit_runs.purge(now=NOW + timedelta(hours=23)) == 0
    assert audit_runs.purge(now=NOW + timedelta(hours=25)) > 0
    assert not AuditPiece.objects.exists()


def test_the_page_asks_shows_progress_and_hands_it_out_to_compliance_alone(scene):
    cora = scene.client("cora")
    assert cora.post(reverse("review:audit_export_ask"), {"kind": "json"}).status_code == 302
    run = AuditRun.objects.get()
    assert "<progress" in cora.get(reverse("review:audit_exports")).content.decode()
    address = reverse("review:audit_export_download", args=[run.id])
    assert cora.get(address).status_code == 404
    while audit_runs.run_due(clock=lambda: NOW):
        pass
    AuditRun.objects.update(expires_at=None)
    answer = cora.get(address)
    assert offline.check(content=b"".join(answer.streaming_content)) == []
    assert scene.client("osei").get(address).status_code == 404
    assert scene.client("mallory").get(address).status_code == 404
    script = cora.get(reverse("review:audit_verifier"))
    assert b"def check(" in script.content


def test_a_patient_is_looked_up_by_a_reference_and_the_id_is_put_nowhere(scene):
    cora = scene.client("cora")
    answer = cora.post(reverse("review:audit_look_up"), {"chart": "70119999"})
    reference = references.patient_ref(practice=scene.practice, patient_id="70119999")
    assert answer.url.endswith(f"reference={reference}")
    assert "70119999" not in answer.url
    assert not Entry.objects.filter(body__contains="70119999").exists()
    assert Entry.objects.get(event="audit.looked_up").patient_ref == reference
