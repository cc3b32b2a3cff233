"""The translation table, field by field: what is surely known, and that every unknown stays None."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from integrations.models import MirrorPatient, PrescriptionSeen, SweepKind, SweepState
from integrations.outcome import OutcomeKind
from refillhub.practices.models import AutoApprovalConsent, Coverage, Provider, Spi
from review import facts, workflow
from review.models import Dispatch, FillReport, RefillRequest
from review.states import DispatchState, RequestState
from review.workflow import deciding
from rules import facts as f
from rules import supply
from tests.review import rows
from tests.review.rows import NOW, TODAY

pytestmark = pytest.mark.django_db
KEY = "omeprazole"


@pytest.fixture
def practice():
    return rows.clinic()


def known(ask, *, now=NOW, request=None):
    context = facts.load(asks=[ask], now=now)
    return facts.build(ask=ask, request=request or deciding.new_request(ask=ask, now=now), context=context, now=now)


def of(practice, medication=None, *, now=NOW, **values):
    return known(rows.make_ask(practice, medication or rows.make_medication(practice), **values), now=now)


# --- the moment and the patient -----------------------------------------------------------------------------------


def test_today_is_the_day_of_the_place_the_message_reached(practice):
    late = datetime(2026, 11, 18, 4, 59, 59, tzinfo=UTC)  # one second to midnight in New York
    assert of(practice, now=late).today == date(2026, 11, 17)
    assert of(practice, now=late + timedelta(seconds=1)).today == date(2026, 11, 18)
    place = practice.locations.get()
    place.time_zone = "America/Los_Angeles"
    assert of(practice, now=late + timedelta(seconds=1), location=place).today == date(2026, 11, 17)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("A", f.PatientStatus.active),
        ("I", f.PatientStatus.inactive),
        ("D", f.PatientStatus.deceased),
        ("X", f.PatientStatus.unknown),
    ],
)
def test_the_charts_word_on_the_patient_is_the_snapshots(practice, status, expected):
    assert of(practice, snapshot=rows.snapshot(status=status)).patient.status is expected


def test_a_snapshot_without_status_takes_the_mirrors_and_without_both_it_is_unknown(practice):
    medication = rows.make_medication(practice)
    MirrorPatient.objects.update(status="D")
    assert of(practice, medication, snapshot=rows.snapshot(status="")).patient.status is f.PatientStatus.deceased
    MirrorPatient.objects.update(status="")
    assert of(practice, medication, snapshot=rows.snapshot(status="")).patient.status is f.PatientStatus.unknown


def test_without_a_snapshot_age_and_sex_are_unknown(practice):
    patient = of(practice, snapshot=None).patient
    assert (patient.age_years, patient.sex, patient.is_pregnant) == (None, f.Sex.unknown, None)


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("2008-11-17", 18),
        ("2008-11-18", 17),
        ("1968-03-04", 58),
        ("", None),
        ("17.11.2008", None),
        ("2030-01-01", None),
    ],
)
def test_age_in_whole_years_on_the_practices_day(practice, born, age):
    assert of(practice, snapshot=rows.snapshot(birth_date=born)).patient.age_years == age


@pytest.mark.parametrize(
    ("sex", "expected"),
    [
        ("Female", f.Sex.female),
        ("MALE", f.Sex.male),
        ("", f.Sex.unknown),
        ("Other", f.Sex.unknown),
    ],
)
def test_sex_is_known_only_when_the_chart_says_one_of_the_two(practice, sex, expected):
    assert of(practice, snapshot=rows.snapshot(sex=sex)).patient.sex is expected


def test_pregnancy_is_never_taken_for_known(practice):
    assert of(practice, snapshot=rows.snapshot(sex="Male")).patient.is_pregnant is None


# --- drug and entry -----------------------------------------------------------------------------------------------


def test_an_ask_without_a_match_knows_nothing_of_drug_entry_supplies_or_prescriber(practice):
    ask = replace(rows.make_ask(practice, None), kind="refill")
    got = known(ask)
    assert (got.drug, got.entry, got.entries_matching, got.supplies, got.fills, got.fills_left, got.prescriber) == (
        None,
        None,
        None,
        None,
        None,
        None,
        None,
    )
    assert got.run_out_on is None


def test_the_entry_goes_over_verbatim(practice):
    entry = of(practice, rows.make_medication(practice, number_refills=2, daw=True)).entry
    assert (entry.dispense_quantity, entry.number_refills, entry.daw, entry.is_active) == (Decimal(90), 2, True, True)
    assert entry.sig_text == "Take 1 capsule by mouth once daily"
    assert (entry.prescribed_on, entry.started_on) == (TODAY - timedelta(days=80), date(2021, 2, 3))
    assert entry.as_named.ingredients == entry.as_coded.ingredients == (KEY,)


@pytest.mark.parametrize(
    "change",
    [
        {"dispense_quantity": None},
        {"number_refills": None},
        {"prescribed_on": None},
        {"started_on": None},
    ],
)
def test_what_the_chart_does_not_say_stays_none(practice, change):
    ((name, _),) = change.items()
    assert getattr(of(practice, rows.make_medication(practice, **change)).entry, name) is None


def test_an_entry_without_code_or_readable_name_has_only_the_other_side(practice):
    assert of(practice, rows.make_medication(practice, rxcui="")).entry.as_coded is None
    assert of(practice, rows.make_medication(practice, name="My white pill")).entry.as_named is None


def test_an_entry_gone_from_the_list_is_not_active(practice):
    assert of(practice, rows.make_medication(practice, gone_at=NOW)).entry.is_active is False


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("Over the Counter", "is_over_the_counter"),
        ("Administered during visit", "is_administered"),
        ("Prescribed by other Dr", "is_by_other_doctor"),
    ],
)
def test_order_statuses_that_are_not_ours_to_renew(practice, status, name):
    assert getattr(of(practice, rows.make_medication(practice, order_status=status)).entry, name) is True
    assert getattr(of(practice, rows.make_medication(practice)).entry, name) is False


def test_a_controlled_drug_is_known_as_such_and_an_unread_one_as_unknown(practice):
    zolpidem = rows.make_medication(practice, name="Zolpidem tartrate 5 mg oral tablet", rxcui="854873")
    assert of(practice, zolpidem).drug.schedule is f.Schedule.iv
    nobody = rows.make_medication(practice, name="My white pill", rxcui="")
    assert of(practice, nobody).drug.schedule is f.Schedule.unknown


# --- visits -------------------------------------------------------------------------------------------------------


def test_without_a_mirror_patient_no_visit_is_known(practice):
    medication = rows.make_medication(practice)
    visit = of(practice, medication, patient_external_id="70119999").visit
    assert (visit.last_qualifying_on, visit.upcoming_on, visit.is_upcoming_known) == (None, None, False)


def test_no_visit_ahead_counts_as_known_only_when_the_calendar_was_read_within_the_hour(practice):
    medication = rows.make_medication(practice)
    assert of(practice, medication).visit.is_upcoming_known is False
    sweep = SweepState.objects.create(
        practice=practice, kind=SweepKind.changes, completed_at=NOW - timedelta(hours=1, seconds=1)
    )
    assert of(practice, medication).visit.is_upcoming_known is False
    SweepState.objects.filter(pk=sweep.pk).update(completed_at=NOW - timedelta(hours=1))
    assert of(practice, medication).visit.is_upcoming_known is True


def test_another_practices_calendar_says_nothing(practice):
    SweepState.objects.create(practice=rows.clinic(name="Elsewhere"), kind=SweepKind.changes, completed_at=NOW)
    assert of(practice).visit.is_upcoming_known is False


def test_a_visit_ahead_is_known_by_itself_and_a_past_one_is_no_visit_ahead(practice):
    medication = rows.make_medication(practice)
    MirrorPatient.objects.update(next_visit_on=TODAY + timedelta(days=3))
    visit = of(practice, medication).visit
    assert (visit.upcoming_on, visit.is_upcoming_known) == (TODAY + timedelta(days=3), True)
    MirrorPatient.objects.update(next_visit_on=TODAY - timedelta(days=1))
    assert of(practice, medication).visit.upcoming_on is None


# --- supplies -----------------------------------------------------------------------------------------------------


def sources(got):
    return [(one.source, one.on, one.days_supply, one.number_refills, one.state) for one in got.supplies]


def test_the_entry_itself_is_a_supply(practice):
    got = of(practice)
    assert sources(got) == [("list_entry", TODAY - timedelta(days=80), 90, 0, f.SupplyState.delivered)]
    assert got.run_out_on == TODAY + timedelta(days=10)


def test_an_entry_never_prescribed_is_none(practice):
    got = of(practice, rows.make_medication(practice, prescribed_on=None))
    assert got.supplies == ()
    assert got.run_out_on is None


def test_an_entry_whose_length_cannot_be_told_makes_the_end_unknown(practice):
    got = of(practice, rows.make_medication(practice, sig="Take as directed", dosage_quantity="", frequency=""))
    assert got.supplies[0].days_supply is None
    assert got.run_out_on is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (DispatchState.QUEUED, f.SupplyState.approved),
        (DispatchState.RETRY_WAIT, f.SupplyState.approved),
        (DispatchState.SENDING, f.SupplyState.sent),
        (DispatchState.UNKNOWN, f.SupplyState.sent),
        (DispatchState.ACCEPTED, f.SupplyState.sent),
        (DispatchState.DELIVERED, f.SupplyState.delivered),
        (DispatchState.UNRESOLVED, f.SupplyState.unresolved),
        (DispatchState.REJECTED, None),
        (DispatchState.TAKEN_BACK, None),
    ],
)
def test_ours_counts_from_the_moment_of_approval_until_surely_undelivered(practice, state, expected):
    medication = rows.make_medication(practice)
    rows.admit(practice, medication)
    Dispatch.objects.filter(kind="newrx").update(state=state)
    got = of(practice, medication, now=NOW + timedelta(hours=1))
    ours = [one for one in got.supplies if one.source == "refill_hub"]
    assert [one.state for one in ours] == ([expected] if expected else [])
    assert all((one.on, one.days_supply, one.number_refills) == (TODAY, 90, 0) for one in ours)


def test_a_void_dispatch_no_longer_counts(practice):
    medication = rows.make_medication(practice)
    rows.admit(practice, medication)
    Dispatch.objects.filter(kind="newrx").update(is_void=True)
    assert "refill_hub" not in {one.source for one in of(practice, medication).supplies}


def test_another_strength_of_the_same_ingredient_is_supply_and_another_drug_is_not(practice):
    rows.admit(practice)
    stronger = rows.make_medication(practice, name="Omeprazole 40 mg delayed release oral capsule", rxcui="200329")
    assert "refill_hub" in {one.source for one in of(practice, stronger).supplies}
    other = rows.make_medication(practice, name="Lisinopril 10 mg oral tablet", rxcui="314076")
    assert "refill_hub" not in {one.source for one in of(practice, other).supplies}


def test_another_patients_and_another_practices_supply_is_not_ours(practice):
    rows.admit(practice)
    medication = rows.make_medication(practice, "70112346")
    assert {one.source for one in of(practice, medication, patient_external_id="70112346").supplies} == {"list_entry"}
    other = rows.clinic(name="Elsewhere")
    assert {one.source for one in of(other).supplies} == {"list_entry"}


def native(practice, **values):
    return PrescriptionSeen.objects.create(
        practice=practice,
        **{
            "external_id": f"55{PrescriptionSeen.objects.count()}",
            "patient_external_id": "70112345",
            "kind": "NewRx",
            "status": "Sent",
            "drug_name": "Omeprazole 20 mg capsule",
            "written_at": NOW - timedelta(days=5),
            "seen_at": NOW,
            "days_supply": 30,
            "number_refills": 1,
            **values,
        },
    )


def test_a_native_prescription_is_supply_of_its_own_length(practice):
    native(practice)
    assert ("chart", TODAY - timedelta(days=5), 30, 1, f.SupplyState.delivered) in sources(of(practice))


@pytest.mark.parametrize("status", ["Sent", "", "Pending", "Queued"])
def test_a_native_prescription_of_any_status_but_failure_counts(practice, status):
    native(practice, status=status)
    assert "chart" in {one.source for one in of(practice).supplies}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "Error"},
        {"drug_name": "Lisinopril 10 mg"},
        {"patient_external_id": "70119999"},
        {"written_at": None},
        {"kind": "RefillRequest"},
    ],
)
def test_what_is_no_native_prescription_of_this_drug(practice, change):
    native(practice, **change)
    assert "chart" not in {one.source for one in of(practice).supplies}


def test_a_native_prescription_that_states_only_the_entrys_own_quantity_has_the_entrys_days(practice):
    native(practice, days_supply=None, quantity=Decimal(90))
    assert {one.days_supply for one in of(practice).supplies if one.source == "chart"} == {90}
    PrescriptionSeen.objects.update(quantity=Decimal(30))
    assert {one.days_supply for one in of(practice).supplies if one.source == "chart"} == {None}


def test_a_short_bridge_of_a_later_day_does_not_hide_the_entrys_own_long_supply(practice):
    medication = rows.make_medication(practice, prescribed_on=TODAY - timedelta(days=20))
    native(practice, days_supply=7, number_refills=0, written_at=NOW - timedelta(days=19))
    got = of(practice, medication)
    least = supply.standing(facts=got, entry_days_supply=90).least_used_percent
    assert least is not None
    assert least < 75


# --- fills --------------------------------------------------------------------------------------------------------


def report(practice, **values):
    return FillReport.objects.create(
        practice=practice,
        **{
            "message_id": f"m{FillReport.objects.count()}",
            "patient_external_id": "70112345",
            "ingredient_key": KEY,
            "kind": "Dispensed",
            "filled_on": TODAY - timedelta(days=70),
            "days_supply": 90,
            "fills_left": 2,
            "received_at": NOW - timedelta(days=70),
            **values,
        },
    )


def test_without_a_report_fills_and_fills_left_are_unknown_never_none_left(practice):
    got = of(practice, rows.make_medication(practice, number_refills=3))
    assert (got.fills, got.fills_left) == (None, None)


def test_fills_and_fills_left_come_from_reports_the_latest_counting(practice):
    report(practice)
    report(practice, fills_left=0, filled_on=TODAY - timedelta(days=3), received_at=NOW - timedelta(days=3))
    got = of(practice)
    assert [(one.on, one.days_supply) for one in got.fills] == [
        (TODAY - timedelta(days=70), 90),
        (TODAY - timedelta(days=3), 90),
    ]
    assert got.fills_left == 0


@pytest.mark.parametrize(
    "change",
    [
        {"ingredient_key": "lisinopril"},
        {"patient_external_id": "70119999"},
        {"fills_left": None, "filled_on": None},
    ],
)
def test_reports_of_something_else_or_of_nothing_leave_both_unknown(practice, change):
    report(practice, **change)
    got = of(practice)
    assert (got.fills, got.fills_left) == (None, None)


def test_another_practices_report_is_not_read(practice):
    report(rows.clinic(name="Elsewhere"))
    assert of(practice).fills_left is None


def test_a_report_a_year_old_says_nothing_of_what_is_left(practice):
    report(practice, received_at=NOW - timedelta(days=365, seconds=1))
    assert of(practice).fills_left is None


# --- prescriber ---------------------------------------------------------------------------------------------------


def test_the_entrys_own_prescriber_with_all_it_needs(practice):
    one = of(practice).prescriber
    provider = Provider.objects.get(practice=practice)
    assert one == f.Prescriber(
        provider_ref=str(provider.id),
        is_ours=True,
        is_active=True,
        has_spi=True,
        is_away=False,
        agreed_to_automatic=True,
    )


def test_a_doctor_who_is_nobody_of_ours(practice):
    one = of(practice, rows.make_medication(practice, doctor_external_id="999")).prescriber
    assert (one.provider_ref, one.is_ours, one.is_active, one.has_spi, one.agreed_to_automatic) == (
        "999",
        False,
        None,
        None,
        False,
    )


def test_each_lack_of_the_prescriber_is_seen(practice):
    medication = rows.make_medication(practice)
    provider = Provider.objects.get(practice=practice)
    Spi.objects.update(is_active=False)
    assert of(practice, medication).prescriber.has_spi is False
    AutoApprovalConsent.objects.update(revoked_at=NOW, revoked_by=provider.user)
    assert of(practice, medication).prescriber.agreed_to_automatic is False
    Coverage.objects.create(practice=practice, provider=provider, starts_at=NOW, ends_at=NOW + timedelta(seconds=1))
    assert of(practice, medication).prescriber.is_away is True
    assert of(practice, medication, now=NOW + timedelta(seconds=1)).prescriber.is_away is False
    Provider.objects.update(is_active=False)
    assert of(practice, medication).prescriber.is_active is False


# --- pharmacy -----------------------------------------------------------------------------------------------------


def test_the_default_pharmacy_when_none_is_named(practice):
    assert of(practice).pharmacy == f.Pharmacy(default_ncpdp="9990001", is_current=True)


def test_no_default_pharmacy_is_unknown_in_every_point(practice):
    assert of(practice, pharmacy=None).pharmacy == f.Pharmacy()


@pytest.mark.parametrize(
    "change",
    [
        {"directory_state": "missing"},
        {"directory_state": "inactive"},
        {"service_levels": ["Cancel"]},
        {"active_until": NOW},
        {"active_from": NOW + timedelta(seconds=1)},
    ],
)
def test_a_default_that_does_not_take_prescriptions_now_is_not_current(practice, change):
    row = rows.make_pharmacy("9990050", **change)
    assert of(practice, pharmacy=row).pharmacy.is_current is False


def test_a_named_pharmacy_is_the_default_another_or_not_to_be_told(practice):
    default, other = rows.make_pharmacy(), rows.make_pharmacy("9990002", name="Elm")
    named = {"pharmacy": default, "named_text": "the one on Oak"}
    assert of(practice, named_pharmacy=default, **named).pharmacy.named_matches_default is True
    assert of(practice, named_pharmacy=other, **named).pharmacy.named_matches_default is False
    unclear = of(practice, named_pharmacy=None, **named).pharmacy
    assert (unclear.named_matches_default, unclear.named_ncpdp, unclear.named_text) == (None, "", "the one on Oak")
    without_default = of(practice, pharmacy=None, named_pharmacy=other, named_text="Elm").pharmacy
    assert (without_default.named_matches_default, without_default.named_ncpdp) == (None, "9990002")


# --- what others gave ---------------------------------------------------------------------------------------------


def test_what_was_not_looked_at_stays_none_and_what_is_empty_stays_empty(practice):
    got = of(practice, labs=None, allergies=None, other_drugs=None, mirror_age_minutes=None)
    assert (got.labs, got.allergies, got.other_drugs, got.mirror_age_minutes) == (None, None, None, None)
    got = of(practice, labs=(), allergies=(), other_drugs=(), mirror_age_minutes=7)
    assert (got.labs, got.allergies, got.other_drugs, got.mirror_age_minutes) == ((), (), (), 7)


def test_the_switches_are_the_practices_and_shadow_the_requests(practice):
    got = of(practice)
    assert got.switches == f.Switches(is_automatic_stopped=False, is_sending_stopped=False, is_shadow=False)
    practice.automatic_stopped_at = practice.sending_stopped_at = NOW
    got = of(practice)
    assert (got.switches.is_automatic_stopped, got.switches.is_sending_stopped) == (True, True)


# --- hours --------------------------------------------------------------------------------------------------------


def eastern(hour, minute=0, second=0, *, day=17, month=11):
    """UTC moment of a New York wall clock in November 2026 (after the change: five hours)."""
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC) + timedelta(hours=5)


@pytest.mark.parametrize(
    ("moment", "is_closed"),
    [
        (eastern(18, 59, 59), False),
        (eastern(19), True),
        (eastern(6, 59, 59), True),
        (eastern(7), False),
    ],
)
def test_the_borders_of_the_day(practice, moment, is_closed):
    hours = of(practice, now=moment, asked_at=moment).hours
    assert (hours.was_closed_when_sent, hours.is_closed_now) == (is_closed, is_closed)


def test_sent_while_closed_and_read_when_open_are_two_things(practice):
    hours = of(practice, now=eastern(7), asked_at=eastern(6, 59, 59)).hours
    assert (hours.was_closed_when_sent, hours.is_closed_now) == (True, False)


@pytest.mark.parametrize(
    ("evening", "opening"),
    [
        # Spring: Saturday 7 March 2026, 8 pm EST; on Sunday 7 am is EDT already, eleven hours minus one later.
        (datetime(2026, 3, 8, 1, 0, tzinfo=UTC), datetime(2026, 3, 8, 11, 0, tzinfo=UTC)),
        # Autumn: Saturday 31 October 2026, 8 pm EDT; on Sunday 7 am is EST.
        (datetime(2026, 11, 1, 0, 0, tzinfo=UTC), datetime(2026, 11, 1, 12, 0, tzinfo=UTC)),
    ],
)
def test_the_nights_the_clocks_change(practice, evening, opening):
    practice.open_days = list(range(7))
    hours = of(practice, now=evening, asked_at=evening).hours
    assert (hours.is_closed_now, hours.next_opening_at) == (True, opening)
    at_opening = of(practice, now=opening, asked_at=evening).hours
    assert (at_opening.was_closed_when_sent, at_opening.is_closed_now) == (True, False)
    before = of(practice, now=opening - timedelta(seconds=1), asked_at=evening).hours
    assert before.is_closed_now is True


def test_a_places_own_hours_and_zone_win_over_the_practices(practice):
    place = practice.locations.get()
    place.opens_at, place.closes_at, place.time_zone = time(9), time(17), "America/Chicago"
    office = facts.office_of(practice=practice, location=place)
    assert (office.opens, office.closes, office.time_zone) == (time(9), time(17), "America/Chicago")
    own = facts.office_of(practice=practice, location=None)
    assert (own.opens, own.closes, own.time_zone) == (practice.opens_at, practice.closes_at, "America/New_York")
    assert own.open_weekdays == frozenset(practice.open_days)


# --- earlier requests ---------------------------------------------------------------------------------------------


def earlier(practice, medication, *, now, **values):
    return of(practice, medication, now=now, **values).earlier


def test_without_an_earlier_request_all_was_looked_at_and_nothing_found(practice):
    assert earlier(practice, rows.make_medication(practice), now=NOW) == f.Earlier(
        is_same_open=False,
        is_same_in_every_point=None,
        opened_seconds_ago=None,
        was_denied_or_failed_in_24_h=False,
        has_newer_message=False,
    )


def test_without_a_chart_patient_earlier_requests_are_unknown(practice):
    got = earlier(practice, rows.make_medication(practice), now=NOW, patient_external_id="")
    assert got.is_same_open is None


def test_an_open_request_for_the_same_drug_and_its_age_rounded_up(practice):
    medication = rows.make_medication(practice)
    rows.admit(practice, medication)
    got = earlier(practice, medication, now=NOW + timedelta(hours=24))
    assert (got.is_same_open, got.is_same_in_every_point, got.opened_seconds_ago) == (True, True, 86400)
    got = earlier(practice, medication, now=NOW + timedelta(hours=24, microseconds=1))
    assert got.opened_seconds_ago == 86401


def test_another_strength_is_the_same_ingredient_but_not_the_same_in_every_point(practice):
    rows.admit(practice)
    stronger = rows.make_medication(practice, name="Omeprazole 40 mg delayed release oral capsule", rxcui="200329")
    got = earlier(practice, stronger, now=NOW)
    assert (got.is_same_open, got.is_same_in_every_point) == (True, False)


def test_a_pharmacy_named_that_cannot_be_told_is_not_the_same_in_every_point(practice):
    medication = rows.make_medication(practice)
    rows.admit(practice, medication)
    assert earlier(practice, medication, now=NOW, named_text="somewhere").is_same_in_every_point is False


def test_done_counts_for_a_day_and_then_no_more(practice):
    medication = rows.make_medication(practice)
    request = rows.admit(practice, medication)
    rows.send(request, OutcomeKind.DELIVERED, code="010", only="newrx")
    request.refresh_from_db()
    assert request.state == RequestState.DONE
    assert earlier(practice, medication, now=NOW + timedelta(hours=24)).is_same_open is True
    assert earlier(practice, medication, now=NOW + timedelta(hours=24, seconds=1)).is_same_open is False


def test_a_denial_counts_for_24_hours_from_the_denial_however_old_the_request(practice):
    medication = rows.make_medication(practice)
    request = rows.admit(practice, medication, reading=replace(rows.PLAIN, is_plain=False))
    denied = NOW + timedelta(days=2)
    workflow.deny(request_id=request.id, user=request.prescriber.user, version=request.version, now=denied, code="AM")
    assert earlier(practice, medication, now=denied + timedelta(hours=24)).was_denied_or_failed_in_24_h is True
    late = denied + timedelta(hours=24, seconds=1)
    assert earlier(practice, medication, now=late).was_denied_or_failed_in_24_h is False


def test_a_request_is_never_its_own_earlier_one(practice):
    medication = rows.make_medication(practice)
    request = rows.admit(practice, medication)
    copy = RefillRequest.objects.get(pk=request.pk)
    got = known(rows.make_ask(practice, medication), request=copy)
    assert got.earlier.is_same_open is False


def test_a_pharmacy_change_is_not_barred_by_what_no_drug_can_tell(practice):
    reading = replace(rows.PLAIN, kind=f.Kind.pharmacy_change, tag=f.Tag.pharmacy_change)
    ask = replace(rows.make_ask(practice, None, reading=reading), kind="pharmacy_change")
    got = known(ask).earlier
    assert (got.is_same_open, got.was_denied_or_failed_in_24_h, got.has_newer_message) == (False, False, False)
