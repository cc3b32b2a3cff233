"""Results in the mirror: what is kept, how old the copy is, what a sweep costs, and what a correction undoes."""

from datetime import date, timedelta

import pytest
import redis
from django.conf import settings
from django.db import models as fields

from integrations import http, mirror_results, vault
from integrations.drchrono import oauth, wire
from integrations.mirror_results import Wanted
from integrations.models import MirrorPatient, MirrorResult, ResultKind, SweepState
from tests.integrations.vendor_fake import ADDRESS, JOB, NOW, Fake, connect

pytestmark = pytest.mark.django_db
LAB, VITAL = ResultKind.lab, ResultKind.vital
POTASSIUM = Wanted(takes=lambda loinc, title: loinc == "2823-3", fingerprint="potassium")
ALL = Wanted(takes=lambda loinc, title: True, fingerprint="all")


def lab(number, patient=1, **more):
    return {
        "id": number,
        "patient": patient,
        "title": "Potassium",
        "loinc_code": "2823-3",
        "lab_result_value": "4.4",
        "lab_result_value_units": "mmol/L",
        "lab_abnormal_flag": "N",
        "lab_order_status": "Results Received",
        "date_test_performed": "2026-10-01T09:00:00",
        "updated_at": "2026-10-02T09:00:00",
    } | more


def visit(number, patient=1, **more):
    return {
        "id": str(number),
        "patient": patient,
        "scheduled_time": "2026-10-01T09:00:00",
        "status": "Complete",
        "appt_is_break": False,
        "deleted_flag": False,
        "vitals": {"blood_pressure_1": 120, "blood_pressure_2": 0, "pulse": 64, "weight": 81, "weight_units": "kg"},
        "updated_at": "2026-10-01T10:00:00",
    } | more


def listed(*rows, following=None):
    return 200, {"results": list(rows), "next": following}


@pytest.fixture
def fake():
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    vault.forget()
    adapter = Fake()
    http.mount(ADDRESS, adapter)
    for path in ("/api/appointments", "/api/patient_lab_results"):
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


def read(connection, *kinds, wanted=ALL, **later):
    return mirror_results.refresh(line=at(connection, **later), external_id="1", kinds=kinds, wanted=wanted)


def sweep(connection, kind=LAB, wanted=ALL, budget=50, **later):
    return mirror_results.sweep(line=at(connection, **later), kind=kind, wanted=wanted, budget=budget)


def age(connection, *kinds, wanted=ALL, **later):
    return mirror_results.age_minutes(
        patient=MirrorPatient.objects.get(external_id="1"),
        states=mirror_results.states_of(practice_id=connection.practice_id),
        kinds=kinds,
        wanted=wanted,
        now=NOW + timedelta(**later),
    )


def values():
    return sorted(MirrorResult.objects.values_list("loinc", "value", "unit"))


def test_results_are_kept_as_given_and_only_the_wanted_ones(fake, connection):
    fake.on("GET", "/api/patient_lab_results", listed(lab(1), lab(2, loinc_code="9999-9", title="Something else")))
    read(connection, LAB, wanted=POTASSIUM)
    assert values() == [("2823-3", "4.4", "mmol/L")]
    assert MirrorResult.objects.get().performed_on == date(2026, 10, 1)


def test_vital_signs_come_from_visits_that_took_place_and_a_zero_is_none(fake, connection):
    rows = [
        visit(1),
        visit(2, status="No Show"),
        visit(3, deleted_flag=True),
        visit(4, scheduled_time="2027-02-01T09:00:00"),
        visit(5, vitals=None),
        visit(6, vitals={"pulse": "", "weight": "0.0"}),
    ]
    fake.on("GET", "/api/appointments", listed(*rows))
    read(connection, VITAL)
    assert values() == [("29463-7", "81", "kg"), ("8480-6", "120", "mm[Hg]"), ("8867-4", "64", "/min")]


def test_a_result_keeps_nothing_that_names_a_person():
    allowed = {
        "id", "practice", "patient", "kind", "external_id", "group_external_id", "title", "loinc", "value", "unit",
        "flag", "status", "performed_on", "seen_at",
    }  # fmt: skip
    assert {each.name for each in MirrorResult._meta.get_fields() if isinstance(each, fields.Field)} == allowed


def test_a_reading_replaces_what_was_kept(fake, connection):
    fake.on("GET", "/api/patient_lab_results", listed(lab(1), lab(2)))
    read(connection, LAB)
    fake.on("GET", "/api/patient_lab_results", listed(lab(2, lab_result_value="5.9")))
    read(connection, LAB, minutes=1)
    assert values() == [("2823-3", "5.9", "mmol/L")]


def test_rows_of_another_patient_are_refused_and_nothing_is_kept(fake, connection):
    fake.on("GET", "/api/patient_lab_results", listed(lab(1), lab(2, patient=7)))
    with pytest.raises(http.VendorError):
        read(connection, LAB)
    assert values() == []


def test_the_age_is_of_the_oldest_kind_and_unknown_until_each_was_read(fake, connection):
    read(connection, LAB)
    assert age(connection, LAB) == 0
    assert age(connection, LAB, VITAL) is None
    read(connection, VITAL, minutes=30)
    assert age(connection, LAB, VITAL, minutes=31) == 31
    assert age(connection, VITAL, minutes=31) == 1
    assert age(connection, minutes=31) == 0


def test_another_choice_of_results_makes_every_copy_unread(fake, connection):
    read(connection, LAB, VITAL, wanted=POTASSIUM)
    sweep(connection, wanted=POTASSIUM)
    assert age(connection, LAB, wanted=POTASSIUM) == 0
    assert age(connection, LAB) is None
    read(connection, LAB)
    assert age(connection, VITAL) is None


def test_a_whole_sweep_proves_the_copy_of_everybody_from_its_beginning(fake, connection):
    fake.on("GET", "/api/patient_lab_results", listed(lab(1), lab(2, patient=2)))
    assert sweep(connection).is_complete
    assert MirrorPatient.objects.count() == 2
    assert age(connection, LAB, minutes=5) == 5


def test_a_sweep_goes_on_where_the_budget_ended_and_counts_only_when_whole(fake, connection):
    following = f"{ADDRESS}/api/patient_lab_results?cursor=x"
    fake.on("GET", "/api/patient_lab_results", listed(lab(1), following=following))
    assert not sweep(connection, budget=1).is_complete
    assert age(connection, LAB, minutes=9) is None
    fake.on("GET", "/api/patient_lab_results", listed(lab(2)))
    assert sweep(connection, minutes=15).is_complete
    assert len(values()) == 2
    assert age(connection, LAB, minutes=15) == 15  # as of the beginning of the pass


def test_the_next_sweep_asks_from_the_vendors_own_largest_stamp_less_the_overlap(fake, connection):
    fake.on("GET", "/api/patient_lab_results", listed(lab(1, updated_at="2026-10-02T09:00:00")))
    sweep(connection)
    fake.asked.clear()
    sweep(connection, minutes=15)
    assert fake.asked[-1].query["since"] == "2026-10-02T08:50:00"


def test_a_corrected_visit_takes_its_vital_signs_back(fake, connection):
    fake.on("GET", "/api/appointments", listed(visit(1)))
    sweep(connection, VITAL)
    assert len(values()) == 3
    fake.on("GET", "/api/appointments", listed(visit(1, status="Cancelled", updated_at="2026-10-03T09:00:00")))
    sweep(connection, VITAL, minutes=15)
    assert values() == []


def test_a_cursor_the_vendor_forgot_begins_the_pass_anew(fake, connection):
    following = f"{ADDRESS}/api/patient_lab_results?cursor=x"
    fake.on("GET", "/api/patient_lab_results", listed(lab(1), following=following))
    sweep(connection, budget=1)
    fake.on("GET", "/api/patient_lab_results", (404, {"detail": "Invalid cursor"}))
    with pytest.raises(http.VendorError):
        sweep(connection, minutes=1)
    fake.on("GET", "/api/patient_lab_results", listed(lab(1)))
    assert sweep(connection, minutes=2).is_complete
    assert age(connection, LAB, minutes=2) == 0


def test_results_older_than_two_years_are_not_kept(fake, connection):
    fake.on("GET", "/api/patient_lab_results", listed(lab(1, date_test_performed="2024-10-01T09:00:00")))
    sweep(connection)
    assert values() == []


def test_names_nobody_knows_are_counted_for_the_practice_to_explain(fake, connection):
    rows = [lab(1, loinc_code="", title="K+  (serum)"), lab(2, loinc_code="", title="K+ (serum)"), lab(3)]
    fake.on("GET", "/api/patient_lab_results", listed(*rows))
    sweep(connection, wanted=POTASSIUM)
    assert SweepState.objects.get().counts["names"] == {"K+ (serum)": 2}
