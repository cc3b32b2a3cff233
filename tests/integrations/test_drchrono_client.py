"""Reads and writes of DrChrono: paging, error classes, and writes that are never made twice."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import redis
from django.conf import settings

from integrations import http, limits, vault
from integrations.drchrono import client, oauth, wire
from integrations.drchrono.types import MedicationChange, NewTask
from integrations.outcome import OutcomeKind
from tests.integrations.vendor_fake import ADDRESS, JOB, NOW, Fake, connect, lose_answer, refuse_connection

pytestmark = pytest.mark.django_db

MEDICATION = {
    "id": 98120455, "patient": 70112345, "doctor": 302118, "name": "Lisinopril 10 mg oral tablet", "rxnorm": "314076",
    "ndc": "00000000000", "status": "active", "order_status": "Electronic eRx Sent", "dosage_quantity": "1",
    "dosage_units": "tablet", "route": "oral", "frequency": "once daily", "prn": False, "dispense_quantity": 90,
    "number_refills": 1, "daw": False, "signature_note": "Take 1 tablet by mouth once daily", "pharmacy_note": "",
    "date_prescribed": "2026-01-12T09:31:44", "date_started_taking": "2019-05-02", "date_stopped_taking": None,
    "a_field_of_tomorrow": [1],
}  # fmt: skip
TASK = NewTask(
    marker="RH-8f3c12ab",
    title="Refill needs prescriber [RH-8f3c12ab]",
    note="why",
    patient_id="70112345",
    assignee_user_id="441207",
    priority="30",
)


@pytest.fixture
def fake():
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    vault.forget()
    adapter = Fake()
    http.mount(ADDRESS, adapter)
    yield adapter
    http.unmount(ADDRESS)


@pytest.fixture
def line(fake):
    connection = connect(facts={"task_status_open": "5101", "task_status_closed": "5102", "task_category": "7702"})
    fake.on("POST", "/o/token/", (200, {"access_token": "a1", "refresh_token": "r1", "expires_in": 172800}))
    oauth.exchange(connection=connection, code="c", redirect_uri="x", now=NOW, actor=JOB)
    fake.asked.clear()
    return wire.Line(connection=connection, now=NOW, actor=JOB)


def test_a_medication_is_read_as_given_and_says_whether_it_is_active(fake, line):
    fake.on("GET", "/api/medications/98120455", (200, MEDICATION))
    found = client.medication(line=line, medication_id="98120455")
    assert (found.id, found.patient_id, found.rxcui) == ("98120455", "70112345", "314076")
    assert found.dispense_quantity == Decimal(90)
    assert found.prescribed_on == date(2026, 1, 12)
    assert found.is_active(today=date(2026, 11, 10))
    assert fake.asked[0].headers["X-DRC-API-Version"] == "v4"
    assert line.calls.count == 1


def test_an_entry_stopped_by_date_is_not_active_though_its_status_lags(fake, line):
    fake.on("GET", "/api/medications/1", (200, MEDICATION | {"date_stopped_taking": "2026-11-10"}))
    found = client.medication(line=line, medication_id="1")
    assert not found.is_active(today=date(2026, 11, 10))
    assert found.is_active(today=date(2026, 11, 9))


@pytest.mark.parametrize("key", ["results", "data"])
def test_a_list_follows_next_and_gives_each_record_once(fake, line, key):
    rows = [MEDICATION | {"id": number} for number in range(5)]

    def answer(asked):
        if asked.query.get("cursor") == "two":
            return 200, {key: rows[2:], "next": None}
        return 200, {key: rows[:3], "next": f"{ADDRESS}/api/medications?cursor=two&patient=70112345"}

    fake.on("GET", "/api/medications", answer)
    assert [each.id for each in client.medications(line=line, patient_id="70112345")] == ["0", "1", "2", "3", "4"]
    assert fake.asked[0].query["page_size"] == "250"


@pytest.mark.parametrize("following", ["https://evil.test/api/medications?cursor=1", "http://chart.test/x"])
def test_a_next_page_elsewhere_never_gets_the_token(fake, line, following):
    fake.on("GET", "/api/medications", (200, {"results": [], "next": following}))
    with pytest.raises(http.VendorError) as caught:
        client.medications(line=line, patient_id="70112345")
    assert caught.value.code == "foreign_next"
    assert len(fake.asked) == 1


def test_a_row_of_another_patient_is_an_error(fake, line):
    fake.on("GET", "/api/medications", (200, {"results": [MEDICATION | {"patient": 5}], "next": None}))
    with pytest.raises(http.VendorError) as caught:
        client.medications(line=line, patient_id="70112345")
    assert caught.value.code == "foreign_rows"


@pytest.mark.parametrize("identifier", ["", "1/../2", "1?x=1", "..", "1 2"])
def test_an_id_cannot_reach_another_resource(line, identifier):
    with pytest.raises(ValueError, match="not an id"):
        client.patient(line=line, patient_id=identifier)


def test_a_gateway_hiccup_is_asked_once_more_and_then_given_back(fake, line):
    fake.on("GET", "/api/patients/1", (503, b"<html>down</html>"))
    with pytest.raises(http.VendorError) as caught:
        client.patient(line=line, patient_id="1")
    assert not caught.value.permanent
    assert len(fake.asked) == 2


@pytest.mark.parametrize(("status", "kind"), [(403, http.VendorError), (404, wire.NotFound), (405, http.VendorError)])
def test_a_refusal_is_permanent_and_not_repeated(fake, line, status, kind):
    fake.on("GET", "/api/patients/1", (status, {"detail": "no"}))
    with pytest.raises(kind) as caught:
        client.patient(line=line, patient_id="1")
    assert caught.value.permanent
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ((429, {}, {"Retry-After": "7"}), 7),
        ((429, {"detail": "Request was throttled. Expected available in 1234 seconds."}), 1234),
        ((429, b"<html>"), 3600),
    ],
)
def test_too_many_calls_say_when_to_come_back_and_hold_every_worker(fake, line, answer, seconds):
    fake.on("GET", "/api/patients/1", answer)
    with pytest.raises(http.VendorError) as caught:
        client.patient(line=line, patient_id="1")
    assert caught.value.retry_after == seconds
    assert len(fake.asked) == 1
    assert limits.take(lane=line.lane, now=NOW).seconds == seconds


def test_after_a_burst_the_next_call_waits_so_that_the_vendor_is_never_tripped(fake, line):
    fake.on("GET", "/api/medications/1", (200, MEDICATION))
    for _ in range(5):
        client.medication(line=line, medication_id="1")
    assert limits.take(lane=line.lane, now=NOW) is not None


def test_a_patch_is_accepted_delivered_ignored_or_refused(fake, line):
    change = MedicationChange(date_prescribed=date(2026, 11, 10), dispense_quantity=Decimal("90"))
    patched = MEDICATION | {"date_prescribed": "2026-11-10"}
    fake.on("PATCH", "/api/medications/1", (204, None))
    fake.on("GET", "/api/medications/1", (200, patched))
    write = {"line": line, "medication_id": "1", "change": change}
    assert client.patch_medication(**write).kind is OutcomeKind.ACCEPTED
    assert fake.asked[0].json == {"date_prescribed": "2026-11-10", "dispense_quantity": 90}
    assert client.patch_medication(**write, read_back=True).kind is OutcomeKind.DELIVERED
    fake.on("GET", "/api/medications/1", (200, MEDICATION))
    ignored = client.patch_medication(**write, read_back=True)
    assert (ignored.kind, ignored.code) == (OutcomeKind.REJECTED, "ignored")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((405, {"detail": "no"}), OutcomeKind.REJECTED),
        ((403, {"detail": "no"}), OutcomeKind.REJECTED),
        ((400, {"name": ["bad"]}), OutcomeKind.REJECTED),
        ((429, {}), OutcomeKind.NOT_SENT),
        ((500, b"<html>"), OutcomeKind.UNKNOWN),
        ((502, b"<html>"), OutcomeKind.UNKNOWN),
        (lose_answer, OutcomeKind.UNKNOWN),
        (refuse_connection, OutcomeKind.NOT_SENT),
    ],
)
def test_a_write_says_whether_it_may_have_arrived_and_is_made_once(fake, line, answer, kind):
    fake.on("POST", "/api/tasks", answer)
    assert client.create_task(line=line, task=TASK).kind is kind
    assert len(fake.asked) == 1


def test_without_an_answer_from_the_token_address_the_write_was_surely_not_made(fake, line):
    late = wire.Line(connection=line.connection, now=NOW + timedelta(days=3), actor=JOB)
    fake.on("POST", "/o/token/", lose_answer)
    assert client.create_task(line=late, task=TASK).kind is OutcomeKind.NOT_SENT
    assert "/api/tasks" not in fake.paths("POST")


def test_a_task_bears_its_marker_patient_and_note(fake, line):
    made = {"id": 9, "title": TASK.title, "status": 5101, "notes": [{"text": "why"}]}
    fake.on("POST", "/api/tasks", (201, made))
    outcome = client.create_task(line=line, task=TASK)
    assert (outcome.kind, outcome.external_ref) == (OutcomeKind.ACCEPTED, "9")
    sent = fake.asked[0].json
    assert sent["status"] == 5101
    assert sent["associated_items"] == [{"type": "Patient", "value": 70112345}]
    assert sent["notes"] == [{"text": "why"}]
    assert len(fake.asked) == 1


def test_a_note_that_was_dropped_on_creation_is_posted_by_itself(fake, line):
    fake.on("POST", "/api/tasks", (201, {"id": 9, "title": TASK.title, "status": 5101}))
    fake.on("POST", "/api/task_notes", (201, {"id": 1}))
    client.create_task(line=line, task=TASK)
    assert fake.asked[-1].json == {"task": 9, "text": "why"}


def test_a_repeat_finds_the_first_task_by_its_marker_and_makes_no_second(fake, line):
    there = {"id": 9, "title": TASK.title, "status": 5101}
    fake.on("GET", "/api/tasks", (200, {"results": [{"id": 1, "title": "other", "status": 1}, there], "next": None}))
    outcome = client.create_task(line=line, task=TASK, first_tried_at=NOW - timedelta(minutes=5))
    assert (outcome.kind, outcome.external_ref) == (OutcomeKind.ACCEPTED, "9")
    assert fake.paths("POST") == []
    assert fake.asked[0].query["since"] == "2026-11-09"


def test_a_repeat_that_cannot_look_does_not_write(fake, line):
    fake.on("GET", "/api/tasks", (500, b""))
    outcome = client.create_task(line=line, task=TASK, first_tried_at=NOW)
    assert (outcome.kind, outcome.transient) == (OutcomeKind.NOT_SENT, True)
    assert fake.paths("POST") == []


def test_a_lost_append_is_found_in_the_chart(fake, line):
    fake.on("PATCH", "/api/medications/1/append_to_pharmacy_note", lose_answer)
    fake.on("GET", "/api/medications/1", (200, MEDICATION | {"pharmacy_note": "before\nSent by RH-1"}))
    assert client.append_note(line=line, medication_id="1", text="Sent by RH-1").kind is OutcomeKind.DELIVERED
    again = client.append_note(line=line, medication_id="1", text="Sent by RH-1", first_tried_at=NOW)
    assert again.kind is OutcomeKind.DELIVERED
    assert len(fake.paths("PATCH")) == 1


def test_the_default_pharmacy_is_read_back(fake, line):
    fake.on("PATCH", "/api/patients/1", (204, None))
    fake.on("GET", "/api/patients/1", (200, {"id": 1, "default_pharmacy": "3612345", "preferred_pharmacies": []}))
    done = client.set_default_pharmacy(line=line, patient_id="1", ncpdp_id="3612345")
    assert done.kind is OutcomeKind.DELIVERED
    other = client.set_default_pharmacy(line=line, patient_id="1", ncpdp_id="9999999")
    assert (other.kind, other.code) == (OutcomeKind.REJECTED, "ignored")


def test_set_up_looks_up_statuses_and_makes_the_category(fake, line):
    statuses = [{"id": 1, "status_category": "P"}, {"id": 2, "status_category": "O"}, {"id": 3, "status_category": "C"}]
    fake.on("GET", "/api/task_statuses", (200, {"results": statuses, "next": None}))
    groups = {"results": [{"id": 4, "name": "Labs", "practice_group": 77}], "next": None}
    fake.on("GET", "/api/task_categories", (200, groups))
    fake.on("POST", "/api/task_categories", (201, {"id": 5}))
    found = client.look_up_set_up(line=line)
    assert (found.open_status, found.closed_status, found.category) == ("2", "3", "5")


def test_prescription_messages_read_text_and_object_payloads_and_both_spellings_of_direction(fake, line):
    payload = '{"MedicationPrescribed": {"DrugDescription": "Lisinopril 10 mg", "Quantity": "90", "Refills": "1"}}'
    rows = [
        {"id": 1, "message_direction": "O", "message_type": "NewRx", "json_data": payload},
        {"id": 2, "message_direction": "Incoming", "json_data": {"MedicationPrescribed": {"Quantity": {"Value": 30}}}},
        {"id": 3, "message_direction": None, "json_data": "not json"},
    ]
    fake.on("GET", "/api/prescription_messages", (200, {"results": rows, "next": None}))
    first, second, third = client.prescription_messages(line=line, patient_id="1")
    assert (first.direction, first.drug_name, first.quantity) == ("outgoing", "Lisinopril 10 mg", Decimal(90))
    assert (second.direction, second.quantity) == ("incoming", Decimal(30))
    assert (third.direction, third.drug_name, third.quantity) == ("unknown", "", None)
