"""The mirror: what was read, how old it is, what a push may prove, and what a sweep may cost."""

from datetime import date, timedelta

import pytest
import redis
from django.conf import settings
from django.db import models as fields
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audit.models import Entry
from integrations import http, mirror, mirror_sweeps, models, vault
from integrations.drchrono import oauth, reading, wire
from integrations.models import MirrorMedication, MirrorPatient, PrescriptionSeen, SweepKind, SweepState
from refillhub.practices.models import Practice
from tests.integrations.vendor_fake import ADDRESS, JOB, NOW, Fake, connect

pytestmark = pytest.mark.django_db


def chart(number, **more):
    return {
        "id": number,
        "first_name": "Canary",
        "last_name": "Surname",
        "doctor": 302118,
        "patient_status": "A",
        "date_of_last_appointment": "2026-03-18",
        "updated_at": "2026-11-10T09:00:00",
    } | more


def entry(number, patient=1, **more):
    return {
        "id": number,
        "patient": patient,
        "doctor": 302118,
        "name": "Lisinopril 10 mg oral tablet",
        "rxnorm": "314076",
        "status": "active",
        "order_status": "Electronic eRx Sent",
        "dispense_quantity": 90,
        "signature_note": "Take 1 tablet daily",
    } | more


def listed(*rows, following=None):
    return 200, {"results": list(rows), "next": following}


@pytest.fixture
def fake():
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    vault.forget()
    adapter = Fake()
    http.mount(ADDRESS, adapter)
    for path in ("/api/patients", "/api/appointments", "/api/prescription_messages", "/api/medications"):
        adapter.on("GET", path, listed())
    yield adapter
    http.unmount(ADDRESS)


@pytest.fixture
def connection(fake, monkeypatch):
    monkeypatch.setattr(settings, "DRCHRONO_BURST", 1000)
    monkeypatch.setattr(settings, "DRCHRONO_RATE_PER_SECOND", 1000)
    line = connect()
    fake.on("POST", "/o/token/", (200, {"access_token": "a1", "refresh_token": "r1", "expires_in": 1_728_000}))
    oauth.exchange(connection=line, code="c", redirect_uri="x", now=NOW, actor=JOB)
    fake.asked.clear()
    return line


def at(connection, **later):
    return wire.Line(connection=connection, now=NOW + timedelta(**later), actor=JOB)


def read(fake, connection, *rows, **later):
    fake.on("GET", "/api/patients/1", (200, chart(1)))
    fake.on("GET", "/api/medications", listed(*rows))
    return mirror.refresh_patient(line=at(connection, **later), external_id="1")


def trust(connection):
    Practice.objects.update(trusts_vendor_push=True)
    connection.practice.refresh_from_db()


def test_one_patient_costs_two_calls_and_keeps_no_name(fake, connection):
    found = read(fake, connection, entry(10), entry(11, status="inactive"))
    assert found.calls == 2
    assert [(each.external_id, each.is_active) for each in found.medications] == [("10", True), ("11", False)]
    assert found.patient.last_visit_on == date(2026, 3, 18)
    assert found.chart.last_name == "Surname"
    stored = str(list(MirrorPatient.objects.values())) + str(list(MirrorMedication.objects.values()))
    assert "Canary" not in stored
    assert "Surname" not in stored


def test_the_mirror_has_exactly_the_allowed_fields():
    allowed = {
        "id",
        "practice",
        "external_id",
        "doctor_external_id",
        "status",
        "last_visit_on",
        "next_visit_on",
        "medications_read_at",
        "patient_read_at",
        "pushed_at",
        "labs_read_at",
        "vitals_read_at",
        "results_wanted",
    }
    assert {each.name for each in MirrorPatient._meta.get_fields() if isinstance(each, fields.Field)} == allowed


def test_a_changed_dose_is_dated_and_a_renewed_prescription_is_none(fake, connection):
    read(fake, connection, entry(10))
    read(fake, connection, entry(10, date_prescribed="2026-11-10", order_status="Ordered", ndc="1"), minutes=1)
    assert MirrorMedication.objects.get().dose_changed_on is None
    read(fake, connection, entry(10, signature_note="Take 2 tablets daily"), days=1)
    assert MirrorMedication.objects.get().dose_changed_on == date(2026, 11, 11)
    read(fake, connection, entry(10, signature_note="Take 2 tablets daily", dispense_quantity=180), days=2)
    assert MirrorMedication.objects.get().dose_changed_on == date(2026, 11, 11)


def test_an_entry_that_left_the_list_is_gone_and_comes_back(fake, connection):
    read(fake, connection, entry(10), entry(11))
    assert [each.external_id for each in read(fake, connection, entry(11), minutes=1).medications] == ["11"]
    assert MirrorMedication.objects.get(external_id="10").gone_at is not None
    assert len(read(fake, connection, entry(10), entry(11), minutes=2).medications) == 2
    assert MirrorMedication.objects.current().count() == 2


def test_a_change_is_kept_and_an_unchanged_row_is_only_touched(fake, connection):
    read(fake, connection, entry(10), entry(11))
    read(fake, connection, entry(10, dispense_quantity=30), entry(11), minutes=1)
    changed, same = MirrorMedication.objects.order_by("external_id")
    assert (changed.dispense_quantity, changed.changed_at) == (30, NOW + timedelta(minutes=1))
    assert (same.changed_at, same.seen_at) == (NOW, NOW + timedelta(minutes=1))


def test_an_older_reading_does_not_overwrite_a_newer_one(fake, connection):
    read(fake, connection, entry(10, dispense_quantity=30), minutes=5)
    read(fake, connection, entry(10, dispense_quantity=90), minutes=4)
    assert MirrorMedication.objects.get().dispense_quantity == 30


@pytest.mark.parametrize(("seconds", "age", "stale"), [(0, 0, False), (900, 15, False), (901, 16, True)])
def test_the_age_counts_from_the_reading_and_fifteen_minutes_pass(fake, connection, seconds, age, stale):
    patient = read(fake, connection, entry(10)).patient
    now = NOW + timedelta(seconds=seconds)
    assert mirror.age_minutes(patient=patient, connection=connection, now=now) == age
    assert mirror.is_stale(patient=patient, connection=connection, now=now) is stale


def test_a_patient_never_read_has_no_age_and_is_stale(connection):
    patient = MirrorPatient(practice=connection.practice, external_id="1", medications_read_at=NOW)
    assert mirror.age_minutes(patient=patient, connection=connection, now=NOW) is None
    assert mirror.is_stale(patient=patient, connection=connection, now=NOW)


def test_a_push_proves_freshness_only_where_trusted_and_only_for_others(fake, connection):
    patient = read(fake, connection, entry(10)).patient
    later = NOW + timedelta(hours=3)
    mirror.note_push(connection=connection, now=later - timedelta(minutes=2))
    connection.refresh_from_db()
    assert mirror.age_minutes(patient=patient, connection=connection, now=later) == 180
    trust(connection)
    assert mirror.age_minutes(patient=patient, connection=connection, now=later) == 2
    mirror.apply_medication(connection=connection, raw=entry(10, number_refills=3), now=later)
    patient.refresh_from_db()
    assert mirror.is_stale(patient=patient, connection=connection, now=later)  # deliveries come in no order: read it


def test_a_trusted_push_does_not_vouch_for_what_was_read_days_ago(fake, connection):
    patient = read(fake, connection, entry(10)).patient
    trust(connection)
    later = NOW + timedelta(hours=37)
    mirror.note_push(connection=connection, now=later)
    connection.refresh_from_db()
    assert mirror.is_stale(patient=patient, connection=connection, now=later)


def test_a_difference_nobody_told_of_withdraws_the_trust_on_record(fake, connection):
    read(fake, connection, entry(10))
    trust(connection)
    read(fake, connection, entry(10, dispense_quantity=30), hours=1)
    assert not Practice.objects.get().trusts_vendor_push
    assert Entry.objects.filter(event="mirror.drift").count() == 1


def test_a_difference_that_was_told_of_is_no_drift(fake, connection):
    read(fake, connection, entry(10))
    trust(connection)
    mirror.apply_medication(connection=connection, raw=entry(10, dispense_quantity=30), now=NOW + timedelta(minutes=5))
    read(fake, connection, entry(10, dispense_quantity=30), hours=1)
    assert Practice.objects.get().trusts_vendor_push


def test_a_pushed_record_without_patient_is_refused(connection):
    with pytest.raises(reading.Unreadable):
        mirror.apply_medication(connection=connection, raw={"id": 1}, now=NOW)


KEYS = [
    "id",
    "patient",
    "doctor",
    "name",
    "rxnorm",
    "ndc",
    "status",
    "frequency",
    "dispense_quantity",
    "number_refills",
    "prn",
    "date_stopped_taking",
    "signature_note",
    "order_status",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats()
ODD = SCALARS | st.text(max_size=40) | st.lists(st.integers(), max_size=2)


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({"id": ODD, "patient": ODD}, optional={key: ODD for key in KEYS[2:]}))
def test_any_pushed_record_is_kept_or_refused_and_never_breaks(connection, raw):
    try:
        mirror.apply_medication(connection=connection, raw=raw, now=NOW)
    except reading.Unreadable:
        return
    assert MirrorMedication.objects.filter(external_id=reading.text(raw["id"])).exists()


def test_directions_are_kept_whole_however_long(fake, connection):
    long = "once daily " * 60 + "as needed"
    assert read(fake, connection, entry(10, frequency=long, signature_note=long)).medications[0].frequency == long


def test_a_pushed_patient_moves_visit_dates_and_is_still_not_a_reading(connection):
    mirror.apply_patient(connection=connection, raw=chart(1, date_of_last_appointment="2026-11-09"), now=NOW)
    patient = MirrorPatient.objects.get()
    assert (patient.last_visit_on, patient.patient_read_at) == (date(2026, 11, 9), None)


def test_a_cancelled_visit_that_was_the_last_makes_the_copy_unread(fake, connection):
    read(fake, connection, entry(10))
    raw = {"id": "a1", "patient": 1, "scheduled_time": "2026-03-18T14:30:00", "status": "Cancelled"}
    mirror.apply_appointment(connection=connection, found=reading.appointment(raw=raw), now=NOW)
    assert MirrorPatient.objects.get().patient_read_at is None


def test_a_completed_visit_only_moves_the_last_visit_forward(fake, connection):
    read(fake, connection, entry(10))
    for on in ("2026-01-02", "2026-11-09"):
        raw = {"id": "a", "patient": 1, "scheduled_time": f"{on}T09:00:00", "status": "Complete"}
        mirror.apply_appointment(connection=connection, found=reading.appointment(raw=raw), now=NOW)
    assert MirrorPatient.objects.get().last_visit_on == date(2026, 11, 9)


def test_changes_are_looked_for_since_the_vendors_own_stamp_and_only_known_patients_are_read(fake, connection):
    read(fake, connection, entry(10))
    fake.on("GET", "/api/patients", listed(chart(1, date_of_last_appointment="2026-11-09"), chart(2)))
    payload = {"MedicationPrescribed": {"DrugDescription": "Lisinopril 10 mg", "Quantity": "90", "DaysSupply": 90}}
    message = {
        "id": 5,
        "patient": 1,
        "message_type": "NewRx",
        "message_direction": "O",
        "message_status": "Sent",
        "created_at": "2026-11-10T09:31:44",
        "json_data": payload,
    }
    fake.on("GET", "/api/prescription_messages", listed(message))
    fake.asked.clear()
    line = at(connection, minutes=15)
    found = mirror_sweeps.look_for_changes(line=line, budget=50)
    assert found.patients == ("1", "2")
    assert found.prescriptions_for == ("1",)
    assert found.calls == 4  # three lists and the medications of the one known patient
    assert found.is_complete
    seen = PrescriptionSeen.objects.get()
    assert (seen.drug_name, seen.days_supply, seen.direction) == ("Lisinopril 10 mg", 90, "outgoing")
    assert seen.written_at.isoformat() == "2026-11-10T14:31:44+00:00"  # written in the practice's own time
    fake.asked.clear()
    again = mirror_sweeps.look_for_changes(line=at(connection, minutes=30), budget=50)
    assert again.calls == 3  # the same message comes again within the overlap and asks for nothing
    assert fake.asked[0].query["since"] == "2026-11-09"
    assert fake.asked[2].query["since"] == "2026-11-10T09:21:44"


def test_what_the_budget_did_not_cover_waits_for_the_next_look(fake, connection):
    for number in (1, 2, 3):
        MirrorPatient.objects.create(practice=connection.practice, external_id=str(number))
    fake.on("GET", "/api/patients", listed(chart(1), chart(2), chart(3)))
    first = mirror_sweeps.look_for_changes(line=at(connection), budget=4)
    assert (first.calls, first.is_complete) == (4, False)
    second = mirror_sweeps.look_for_changes(line=at(connection, minutes=15), budget=50)
    assert (second.calls, second.is_complete) == (5, True)
    assert MirrorPatient.objects.filter(medications_read_at__isnull=True).count() == 0


def pages(fake, per_doctor):
    def answer(asked):
        doctor = asked.query["doctor"]
        number = int(asked.query.get("cursor", 0))
        rows = per_doctor[doctor]
        more = number + 1 < len(rows)
        following = f"{ADDRESS}/api/medications?doctor={doctor}&cursor={number + 1}" if more else None
        return listed(*rows[number], following=following)

    fake.on("GET", "/api/medications", answer)


def test_a_sweep_stops_at_its_budget_goes_on_where_it_stopped_and_marks_what_is_gone(fake, connection):
    read(fake, connection, entry(99))
    per_doctor = {"302118": [[entry(1), entry(2)], [entry(3, patient=2)]], "7": [[entry(4, patient=3, doctor=7)]]}
    pages(fake, per_doctor)
    given = {"doctor_ids": ("302118", "7"), "kind": SweepKind.rolling}
    first = mirror_sweeps.sweep(line=at(connection, hours=1), budget=1, **given)
    assert (first.calls, first.rows, first.is_complete) == (1, 2, False)
    assert SweepState.objects.get(kind="rolling").cursor["next"].endswith("cursor=1")
    second = mirror_sweeps.sweep(line=at(connection, hours=2), budget=50, **given)
    assert (second.calls, second.is_complete) == (2, True)
    assert set(MirrorMedication.objects.current().values_list("external_id", flat=True)) == {"1", "2", "3", "4"}
    assert mirror_sweeps.last_complete_at(practice_id=connection.practice_id, kind=SweepKind.rolling) is not None
    assert Entry.objects.filter(event="mirror.swept").count() == 1


def test_a_nightly_sweep_counts_as_a_reading_of_patients_it_saw_whole(fake, connection):
    read(fake, connection, entry(1), entry(2, doctor=8))
    fake.on("GET", "/api/patients/5", (200, chart(5)))
    pages(fake, {"302118": [[entry(1), entry(3, patient=5)]]})
    given = {"doctor_ids": ("302118",), "kind": SweepKind.nightly, "budget": 50}
    fake.on("GET", "/api/doctors", listed({"id": 302118}, {"id": 8}))
    mirror_sweeps.sweep(line=at(connection, hours=9), **given)  # a doctor was left out: nobody was seen whole
    assert MirrorPatient.objects.get(external_id="5").medications_read_at is None
    fake.on("GET", "/api/doctors", listed({"id": 302118}))
    line = at(connection, hours=10)
    mirror_sweeps.sweep(line=line, **given)
    read_at = dict(MirrorPatient.objects.values_list("external_id", "medications_read_at"))
    assert read_at == {"1": NOW, "5": line.now}  # patient 1 has an entry of a doctor the sweep did not cover


def test_a_sweep_over_nobody_proves_nothing(connection):
    swept = mirror_sweeps.sweep(line=at(connection), doctor_ids=(), kind=SweepKind.nightly, budget=50)
    assert not swept.is_complete
    assert not SweepState.objects.exists()


def test_a_throttled_sweep_keeps_its_place(fake, connection):
    pages(fake, {"302118": [[entry(1)], [entry(2)]]})
    normal = fake.answers[("GET", "/api/medications")]
    fake.on(
        "GET",
        "/api/medications",
        lambda asked: (429, {}, {"Retry-After": "9"}) if asked.query.get("cursor") else normal(asked),
    )
    given = {"doctor_ids": ("302118",), "kind": SweepKind.rolling, "budget": 50}
    assert not mirror_sweeps.sweep(line=at(connection), **given).is_complete
    fake.on("GET", "/api/medications", normal)
    assert mirror_sweeps.sweep(line=at(connection, minutes=1), **given).is_complete
    assert MirrorMedication.objects.current().count() == 2


def test_two_practices_with_the_same_chart_ids_stay_apart(fake, connection):
    read(fake, connection, entry(10))
    other = connect(slug="oak")
    mirror.apply_medication(connection=other, raw=entry(10, dispense_quantity=5), now=NOW)
    assert MirrorMedication.objects.get(practice=connection.practice).dispense_quantity == 90
    assert models.MirrorPatient.objects.count() == 2
